// Tries to get at the attestation key's private half from JavaScript. The host tells it what to look for; it says what came
// out of each way, and whether the key, or the half of it, was in there.

import Resource from "Resource";
import Serial from "embedded:io/serial";
import flash from "embedded:storage/flash";
import keyValue from "embedded:storage/key-value";
import { sha256 } from "pericard/crypto";
import * as keystore from "pericard/keystore";
import { report } from "pericard/report";
import { collect } from "pericard/system";

/* Natives by their names: what the modules of the firmware call, without the modules. */
// biome-ignore lint/suspicious/noExplicitAny: an attacker keeps to no types
type Any = any;
type Native = (...values: Any[]) => Any;
const natives: Record<string, Native> = {
	flashName: native<Native>("xs_flash_name"),
	flashOpen: native<Native>("xs_flash_open"),
	flashRead: native<Native>("xs_flash_read"),
	flashWrite: native<Native>("xs_flash_write"),
	flashErase: native<Native>("xs_flash_erase"),
	flashSize: native<Native>("xs_flash_size"),
	kvOpen: native<Native>("xs_kv_open"),
	kvRead: native<Native>("xs_kv_read"),
	kvKeys: native<Native>("xs_kv_keys"),
	kvStatus: native<Native>("xs_kv_status"),
	keysOpen: native<Native>("xs_keys_open"),
	keysSign: native<Native>("xs_keys_sign"),
	keysMac: native<Native>("xs_keys_mac"),
	keysSeal: native<Native>("xs_keys_seal"),
	keysPublic: native<Native>("xs_keys_public"),
	keysDerive: native<Native>("xs_keys_derive"),
	keysDestroy: native<Native>("xs_keys_destroy"),
	keysGenerate: native<Native>("xs_keys_generate"),
	resourceOpen: native<Native>("xs_resource_open"),
	resourcePart: native<Native>("xs_resource_part"),
	resourceSlice: native<Native>("xs_resource_slice"),
	resourceLength: native<Native>("xs_resource_length"),
	sha256: native<Native>("xs_crypto_sha256"),
	random: native<Native>("xs_random_fill"),
};
const callOn = (self: Any, name: string, ...values: Any[]): Any => (natives[name] as Native).apply(self, values);
const call = (name: string, ...values: Any[]): Any => (natives[name] as Native)(...values);

const digits = "0123456789abcdef";
const hexOf = (bytes: Uint8Array) => Array.from(bytes, (byte) => `${digits[byte >> 4]}${digits[byte & 15]}`).join("");

let needle = new Uint8Array(32);
let needleText = "";

/** Is half of what is looked for in these bytes, at any place? */
function inBytes(bytes: Uint8Array): boolean {
	for (const half of [needle.subarray(0, 16), needle.subarray(16)]) {
		const first = half[0];
		for (let at = bytes.indexOf(first ?? 0); at >= 0; at = bytes.indexOf(first ?? 0, at + 1)) {
			if (half.every((byte, i) => bytes[at + i] === byte)) return true;
		}
	}
	return false;
}

function inText(text: string): boolean {
	const low = text.toLowerCase();
	if (low.includes(needleText.slice(0, 32)) || low.includes(needleText.slice(32))) return true;
	return low.includes(Array.from(needle.subarray(0, 16)).join(","));
}

/** What an attempt at text gives; nothing when it throws. */
function textOf(make: () => unknown): string {
	try {
		return String(make());
	} catch {
		return "";
	}
}

/** In a value: bytes, text, or an object with all that can be seen of it. */
function found(value: unknown, depth = 0): boolean {
	if (value instanceof ArrayBuffer) return inBytes(new Uint8Array(value));
	if (ArrayBuffer.isView(value)) return inBytes(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
	if (typeof value === "string") return inText(value);
	if (typeof value !== "object" || value === null || depth > 3) return inText(textOf(() => value));
	let seen = inText(textOf(() => JSON.stringify(value))) || inText(textOf(() => value));
	for (let object: object | null = value; object !== null && object !== Object.prototype; ) {
		if (object === Array.prototype) break;
		for (const key of Reflect.ownKeys(object)) {
			let part: unknown;
			try {
				part = (value as Record<PropertyKey, unknown>)[key];
			} catch {
				continue;
			}
			seen ||= inText(textOf(() => key)) || found(part, depth + 1);
		}
		object = Reflect.getPrototypeOf(object);
	}
	return seen;
}

/** One way: what it gives, or throws. Ways that must be refused are so by an error of any kind. */
async function attempt(name: string, way: () => unknown): Promise<void> {
	let result: string;
	let seen = false;
	try {
		const value = await way();
		result = typeof value;
		seen = found(value);
	} catch (error) {
		result = String(error);
		seen = inText(result);
	}
	report("attempt", { name, result: result.slice(0, 60), found: seen });
}

/* Overlapping pieces, so that a key across a border is seen. */
const piece = new Uint8Array(2048 + 64);

/** Every byte of a partition that can be opened. */
function dump(path: string): unknown {
	const partition = flash.open({ path, mode: "r" });
	const { size } = partition.status();
	let seen = false;
	for (let at = 0; at < size && !seen; at += 2048) seen = inBytes(piece.subarray(0, partition.read(piece, at)));
	partition.close();
	return seen ? needle : size;
}

async function controls(): Promise<void> {
	await attempt("control: in a buffer", () => needle.slice().buffer);
	await attempt("control: in an object", () => ({ a: { b: [needle.subarray(3, 30), needle] } }));
	await attempt("control: as text", () => JSON.stringify({ key: needleText }));
	const own = flash.open({ path: "data", mode: "r+" });
	own.eraseBlock(1);
	own.write(needle, 4096 + 4090);
	await attempt("control: in the app's own flash", () => dump("data"));
	own.eraseBlock(1, 3);
	own.close();
}

async function partitions(): Promise<void> {
	await attempt("list of partitions", () => [...flash]);
	for (const path of [...flash]) await attempt(`all of partition ${path}`, () => dump(path));
	const guesses = ["keys", "keystore", "key", "attestation", "secure", "nvs", "2", "-1", "", "data\0", "constructor"];
	for (const path of guesses) await attempt(`partition "${path}"`, () => dump(path));
	for (const index of [2, 3, 255, -1, 0.5, Number.NaN, 2 ** 32, 2 ** 32 + 2, "2", [2], { valueOf: () => 2 }, null]) {
		await attempt(`partition number ${String(index)}`, () => call("flashName", index));
		await attempt(`open partition number ${String(index)}`, () => {
			const handle = call("flashOpen", index);
			const part = piece.subarray(0, 2048);
			for (let at = 0; at < call("flashSize", handle); at += 2048) {
				call("flashRead", handle, at, part);
				if (inBytes(part)) return part;
			}
			return call("flashSize", handle);
		});
	}
	const data = call("flashOpen", 1);
	const size = call("flashSize", data);
	for (const offset of [size, size - 4, size + 4096, -4096, 2 ** 31, 2 ** 32 - 4096, Number.POSITIVE_INFINITY, "x"]) {
		await attempt(`read at ${String(offset)}`, () => {
			const buffer = new Uint8Array(8192);
			call("flashRead", data, offset, buffer);
			return buffer;
		});
	}
	await attempt("write behind the end", () => call("flashWrite", data, size, new Uint8Array(4)));
	for (const block of [size / 4096, size / 4096 + 1, -1, 2 ** 32]) {
		await attempt(`erase block ${block}`, () => call("flashErase", data, block));
	}
}

async function keyValues(): Promise<void> {
	for (const path of ["a", "b", "k", "keys", "attestation", "\0", "a\0"]) {
		await attempt(`domain ${JSON.stringify(path)}`, () => {
			const domain = keyValue.open({ path });
			const all = [...domain].map((key) => domain.read(key));
			return [all, domain.read("a"), domain.read("attestation"), domain.status()];
		});
	}
	await attempt("keys of the empty domain", () => call("kvKeys", call("kvOpen"), ""));
	await attempt("read without a domain", () => call("kvRead", call("kvOpen"), "", "a", 0, undefined));
}

async function handles(): Promise<void> {
	const own = await keystore.generateKey({ type: "hmac-sha256", persistent: "own" });
	const handle = call("keysOpen", "own");
	for (const label of ["a", "b", "k", "attestation", "\0", "a\0", "\0a", "../a", "own\0a", "", "x".repeat(33)]) {
		await attempt(`key ${JSON.stringify(label)}`, () => keystore.openKey(label));
	}
	for (const label of [undefined, null, 0, {}, Symbol("a"), new Uint8Array(1)]) {
		await attempt(`key of ${typeof label}`, () => call("keysOpen", label));
	}
	for (const value of [own, handle, keystore.attestationPublicKey(), keystore]) {
		await attempt(`what can be seen of ${Object.prototype.toString.call(value)}`, () => value);
		await attempt("as JSON", () => JSON.stringify(value));
		await attempt("as text", () => `${String(value)} ${Object.entries(value).join()}`);
		await attempt("a copy", () => ({ ...value }));
		await attempt("assigned", () => Object.assign([], value));
		await attempt("as bytes", () => new Uint8Array(value));
		await attempt("as a view", () => new DataView(value));
		await attempt("its length", () => Array.from(value));
		await attempt("its descriptors", () => Object.getOwnPropertyDescriptors(value));
	}
	// One kind of handle in place of another.
	const partition = call("flashOpen", 1);
	const store = call("kvOpen");
	for (const wrong of [
		handle,
		own,
		store,
		{},
		[],
		undefined,
		null,
		1,
		"a",
		Object.create(handle),
		new Proxy(handle, {}),
	]) {
		await attempt("read as a partition", () => {
			const buffer = new Uint8Array(256);
			call("flashRead", wrong, 0, buffer);
			return buffer;
		});
		if (wrong !== store) await attempt("read as a store", () => call("kvRead", wrong, "a", "a", 0, undefined));
	}
	for (const wrong of [partition, store, own, {}, undefined, 1, Object.create(handle)]) {
		await attempt("sign by it", () => call("keysSign", wrong, new Uint8Array(32), () => {}));
		await attempt("authenticate by it", () => call("keysMac", wrong, new Uint8Array(32)));
		await attempt("its public key", () => call("keysPublic", wrong));
		await attempt("destroy it", () => wrong !== own && call("keysDestroy", wrong));
	}
	// A handle, or a partition, turned into a resource.
	for (const victim of [handle, partition, store]) {
		await attempt("length as a resource", () => callOn(victim, "resourceLength"));
		await attempt("opened as a resource", () => callOn(victim, "resourceOpen", "plain.txt"));
		await attempt("bytes as a resource", () => callOn(victim, "resourceSlice", 0, 100));
		await attempt("part as a resource", () => {
			const part = new Resource("plain.txt");
			callOn(part, "resourcePart", victim, 0, 100);
			return new Uint8Array(part as unknown as ArrayBuffer);
		});
		await attempt("as a buffer", () => new Uint8Array(victim));
	}
	// What takes bytes gets a handle.
	await attempt("hash of a handle", () => call("sha256", handle));
	await attempt("random bytes into a handle", () => call("random", handle));
	await attempt("data of a handle", () => call("keysMac", handle, handle));
	await attempt("encrypt by an HMAC key", () => {
		const data = new Uint8Array(64);
		call("keysSeal", handle, new Uint8Array(12), undefined, data, new Uint8Array(16), true, false);
		return data;
	});
	for (const type of [0, 5, 6, -1, "attestation"]) {
		await attempt(`a key of type ${type}`, () => call("keysGenerate", type, undefined, () => {}));
		await attempt(`derive one of type ${type}`, () =>
			call("keysDerive", handle, new Uint8Array(65), type, undefined, undefined, () => {}),
		);
	}
	own.destroy();
	await attempt("a destroyed key", () => own.mac(new Uint8Array(1)));
}

async function memory(): Promise<void> {
	// Memory that others have used.
	await attempt("fresh buffers", () => {
		for (let i = 0; i < 40; i++) {
			const buffer = new ArrayBuffer(1000 + i);
			if (inBytes(new Uint8Array(buffer))) return buffer;
			if (i % 10 === 9) collect();
		}
		return 0;
	});
	await attempt("behind a resource", () => {
		const resource = new Resource("plain.txt") as unknown as ArrayBuffer;
		return [resource.slice(-100000, 100000), new Uint8Array(resource), resource.slice(100)];
	});
	for (const [begin, end] of [
		[0, 100000],
		[-100000, 10],
		[30, 2 ** 31 - 1],
		[2 ** 31, 2 ** 32 + 10],
		[10, 0],
	]) {
		await attempt(`resource from ${begin} to ${end}`, () =>
			callOn(new Resource("plain.txt"), "resourceSlice", begin, end),
		);
		await attempt(`part of a resource from ${begin} to ${end}`, () => {
			const part = new Resource("plain.txt");
			callOn(part, "resourcePart", part, begin, end);
			return new Uint8Array(part as unknown as ArrayBuffer);
		});
	}
	for (const path of ["__storage_start", "../storage", "storage", "keys"]) {
		await attempt(`resource ${path}`, () => new Resource(path));
	}
	await attempt("behind a view", () => new Uint8Array(sha256(new Uint8Array(1)), 16, 64));
}

async function main(): Promise<void> {
	report("public", hexOf(new Uint8Array(keystore.attestationPublicKey())));
	let text = "";
	await new Promise<void>((resolve) => {
		const serial = new Serial({
			port: 1,
			baud: 115200,
			onReadable(count) {
				for (let i = 0; i < count; i++) {
					const byte = this.read() as number;
					if (byte !== 10) {
						text += String.fromCharCode(byte);
					} else {
						serial.close();
						resolve();
						return;
					}
				}
			},
		});
		console.log("ready");
	});
	needleText = text;
	needle = Uint8Array.from({ length: 32 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
	await controls();
	await partitions();
	await keyValues();
	await handles();
	await memory();
	report("attacked", true);
}

main();
