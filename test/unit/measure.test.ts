// native/measure on this machine, over sound and forged archives, and its counterpart in the build: reference values, CoRIM
// and identity.

import { execFileSync } from "node:child_process";
import { createHash, createPublicKey } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { CborTag, decode, encode } from "../../firmware/attestation/codec/cbor.ts";
import { bearsslFolder } from "../../tools/bearssl.mjs";
import { type ArchiveModule, compareNames, writeArchive } from "../../tools/build/archive.ts";
import { pericardRoot } from "../../tools/build/board.ts";
import { buildFirmware } from "../../tools/build/build.ts";
import { makeCorim } from "../../tools/build/corim.ts";
import { implementationId } from "../../tools/build/identity.ts";
import { archiveRegions, componentValue, imageRegions, type Reference } from "../../tools/build/reference.ts";
import { board, failure, files, scratch } from "./build-fixtures.ts";

function module(name: string, size: number): ArchiveModule {
	const code = Buffer.alloc(size, name.length);
	return { name, code, hostRefs: [], lines: [[0, 1]], source: undefined, preload: false };
}

function archive(modules: readonly ArchiveModule[], debug = false): Buffer {
	const resources = [
		{ name: "a.bin", data: Buffer.from("x") },
		{ name: "empty", data: Buffer.alloc(0) },
		{ name: "z.bin", data: Buffer.alloc(70, 1) },
	];
	return writeArchive({ engine: 0, firstId: 0, debug, symbols: [], hosts: [], modules, resources });
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

describe("the core on the device", () => {
	let program = "";

	beforeAll(() => {
		program = join(scratch(), "regions");
		const native = (name: string) => join(pericardRoot, "native", name);
		const bearssl = (name: string) => join(bearsslFolder(), name);
		execFileSync("gcc", [
			...["-std=gnu11", "-O1", "-g", "-w", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
			...["measure", "archive", "cbor", "crypto"].map((name) => `-I${native(name)}`),
			...["inc", "src"].map((name) => `-I${bearssl(name)}`),
			...[
				"-o",
				program,
				join(pericardRoot, "test/native/measure/regions.c"),
				native("measure/measure.c"),
				native("cbor/cbor.c"),
			],
			...["hash/sha2small.c", "codec/dec32be.c", "codec/enc32be.c"].map((name) => bearssl(`src/${name}`)),
		]);
	});

	/* The log, decoded, and the four values for each [archive when it was opened, archive when it is measured]. */
	function measure(cases: readonly (readonly [Buffer, Buffer])[]): { log: unknown; values: string[] }[] {
		const file = join(scratch(), "cases");
		const parts = cases.flatMap(([opened, measured]) => {
			const size = Buffer.alloc(4);
			size.writeUInt32LE(opened.length);
			return [size, opened, measured];
		});
		writeFileSync(file, Buffer.concat(parts));
		const output = execFileSync(program, [file], { maxBuffer: 1 << 28 }).toString();
		return output
			.trim()
			.split("\n")
			.map((line) => {
				const [log = "", values = ""] = line.split(" ");
				return { log: decode(Buffer.from(log, "hex")), values: values.match(/.{64}/g) ?? [] };
			});
	}

	test.each([1, 18, 20, 21, 300])("%i modules: names, order, digests, value and log as in the build", (count) => {
		const names = Array.from({ length: count - 1 }, (_, index) => `folder/${index}${index % 3 === 0 ? "µ" : ""}`);
		for (const debug of [false, true]) {
			const modules = ["main", ...names].map((name, index) => module(name, 1 + index * 7));
			const bytes = Buffer.concat([archive(modules, debug), Buffer.alloc(13)]);
			const [result] = measure([[bytes, bytes]]);
			const regions = archiveRegions(bytes, 0);
			expect(regions.map(({ name }) => name)).toEqual([
				"directory",
				...["main", ...names].sort(compareNames).map((name) => `module:${name.replace("µ", "??")}`),
				...["a.bin", "empty", "z.bin"].map((name) => `resource:${name}`),
			]);
			expect(regions.reduce((sum, region) => sum + region.bytes.length, 0)).toBe(bytes.length);
			const entries = regions.map((region) => ({ name: region.name, value: sha256(region.bytes) }));
			const digits = Buffer.from("0123456789".repeat(7));
			const item = (name: string, content: Uint8Array) => ({ name, value: sha256(content) });
			const expected = [
				["native", [item("vectors", digits.subarray(0, 65)), item("empty", Buffer.alloc(0))]],
				["xs", [item("xs", digits.subarray(0, 64))]],
				["app", entries],
				["config", [item("machine", digits.subarray(1, 3)), item("options", Buffer.from([255, 1, 2]))]],
			] as const;
			expect(result?.values).toEqual(expected.map(([, list]) => componentValue(list)));
			const plain = (list: readonly { name: string; value: string }[]) =>
				list.map(({ name, value }) => [name, new Uint8Array(Buffer.from(value, "hex"))]);
			expect(encode(result?.log as never)).toEqual(encode(expected.map(([type, list]) => [type, plain(list)])));
		}
	});

	test("the value is the hash of CBOR as it is written out by hand; the example of docs/measurement.md", () => {
		const example = [{ name: "xs", value: sha256(Buffer.from("abc")) }];
		expect(componentValue(example)).toBe("22074c9e31627f7c32021a31f9c992d12c08dc3507a8613de7012d20d4360164");
		const digest = "00".repeat(31);
		const entries = [
			{ name: "a", value: `${digest}01` },
			{ name: "module:b", value: `${digest}02` },
		];
		const cbor = `8282616158 20${digest}0182686d6f64756c653a62 5820${digest}02`.replaceAll(" ", "");
		expect(componentValue(entries)).toBe(sha256(Buffer.from(cbor, "hex")));
	});

	test("whatever is written over an archive, its regions cover it once, and nothing outside of it is read", () => {
		const intact = archive(["main", "other", "third"].map((name) => module(name, 40)));
		let state = 7;
		const random = (below: number): number => {
			state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
			return Math.floor((state / 2 ** 32) * below);
		};
		const extremes = [0, 1, 0x7fffffff, 0x80000000, 0xffffffff, intact.length, intact.length - 1, 64];
		const end = intact.indexOf("main") - 4;
		const forged = Array.from({ length: 4000 }, () => {
			const bytes = Buffer.from(intact);
			for (let change = random(4); change >= 0; change--) {
				const at = 64 + 4 * random((end - 64) / 4);
				bytes.writeUInt32LE(random(2) === 0 ? (extremes[random(8)] as number) : random(intact.length + 8), at);
			}
			return bytes;
		});
		forged.push(Buffer.alloc(intact.length, 0xff), Buffer.alloc(intact.length, 0), Buffer.alloc(intact.length, 0x41));
		// The program ends with an error where a region is out of place; the sanitizers end it where a byte outside is read.
		const results = measure(forged.map((bytes) => [intact, bytes] as const));
		const [honest] = measure([[intact, intact]]);
		expect(results.length).toBe(forged.length);
		const unseen = forged.filter((bytes, index) => {
			const same = results[index]?.values[2] === honest?.values[2];
			return same !== bytes.equals(intact);
		});
		expect(unseen).toEqual([]);
	});
});

describe("the build", () => {
	test("a name of 64 bytes can be measured, one of 65 can't; what is not ASCII has a stand-in", async () => {
		const long = "m".repeat(57);
		expect(archiveRegions(archive([module("main", 4), module("höhe", 4)]), 0)[1]?.name).toBe("module:h??he");
		expect(archiveRegions(archive([module("main", 4), module(long, 4)]), 0)[1]?.name).toBe("module:main");
		const error = await failure(() => archiveRegions(archive([module("main", 4), module(`${long}m`, 4)]), 0));
		expect(error.message).toBe(`module "${long}m": its name is longer than the 57 bytes that can be measured`);
	});

	test("bytes in a section that nobody measures stop it", async () => {
		const app = files({
			"manifest.json": { modules: { "*": "./*" } },
			"main.ts": 'const odd: () => number = native("xs_odd");\nconsole.log(odd());\n',
			"odd.c":
				'#include "xsmc.h"\nconst int odd __attribute__((section(".odd"))) = 5;\nvoid xs_odd(xsMachine *the);\nvoid xs_odd(xsMachine *the) {\n\txsmcSetInteger(xsResult, *(volatile const int *)&odd);\n}\n',
		});
		const error = await failure(() => buildFirmware({ app, board: "mps2-an386", out: scratch() }));
		expect(error.name).toBe("BuildError");
		expect(error.message).toMatch(/no region holds|a gap in flash/);
	});

	test("version and signer come from defines.image, and mistakes in them are named", async () => {
		const build = (image: unknown) => {
			const app = files({ "manifest.json": { modules: { "*": "./main" }, defines: { image } }, "main.ts": "" });
			return buildFirmware({ app, board: "mps2-an386", out: scratch() });
		};
		const signer = "ab".repeat(32);
		const { reference, elf, symbols } = await build({ version: "#1.2.3-rc.1+5", signer: `#${signer}` });
		expect(reference).toMatchObject({ version: "1.2.3-rc.1+5", signerId: signer, engine: "13.3.0", debug: false });
		expect(reference.implementationId).toBe(sha256(Buffer.from("pericard:mps2-an386")));
		const machine = imageRegions(readFileSync(elf), board({ cpu: "cortex-m4f" })).find(
			({ name }) => name === "machine",
		);
		const at = (symbols.get("pc_identity") as number) - (machine?.address ?? 0);
		const identity = machine?.bytes.subarray(at);
		expect(identity?.toString("hex", 0, 64)).toBe(reference.implementationId + signer);
		expect(identity?.toString("latin1", 64, 77)).toBe("1.2.3-rc.1+5\0");
		const message = async (image: unknown) => (await failure(() => build(image))).message;
		expect(await message({ version: "#1.2" })).toContain('defines.image.version: "1.2" is no version');
		expect(await message({ version: "#1.0.0-abcdefghijk" })).toContain("at most 16 characters");
		expect(await message({ signer: "#12" })).toContain("defines.image.signer: expected the SHA-256");
		expect(await message({ version: "1.0.0" })).toContain(
			'defines.image.version: expected a string that begins with "#"',
		);
	});

	test("the signer of base.json is the key pair that RFC 6979, appendix A.2.5, publishes", () => {
		const base = JSON.parse(readFileSync(join(pericardRoot, "manifests/base.json"), "utf8"));
		const coordinate = (hex: string): string => Buffer.from(hex, "hex").toString("base64url");
		const x = coordinate("60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6");
		const y = coordinate("7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299");
		const key = createPublicKey({ key: { kty: "EC", crv: "P-256", x, y }, format: "jwk" });
		expect(base.defines.image.signer).toBe(`#${sha256(key.export({ type: "spki", format: "der" }))}`);
	});
});

describe("CoRIM", () => {
	const hash = (byte: string): string => byte.repeat(32);
	const draftDigest = "9a271f2a916b0b6ee6cecb2426f0b3206ef074578be55d9bc94f6f3fe3ab86aa";
	const reference: Reference = {
		format: 1,
		app: "app",
		board: "b",
		version: "1.3.5",
		engine: "13.3.0",
		debug: false,
		lifecycle: "secured",
		implementationId: Buffer.from("acme-implementation-id-000000001").toString("hex"),
		signerId: "5378796307535df3ec8d8b15a2e2dc5641419c3d3060cfe32238c0fa973f7aa3",
		components: [
			{ type: "native", version: "1.3.5", value: draftDigest, entries: [] },
			{ type: "xs", version: "13.3.0", value: hash("a3"), entries: [] },
			{ type: "app", version: "1.3.5", value: hash("11"), entries: [] },
			{ type: "config", version: "1.3.5", value: hash("22"), entries: [] },
		],
	};
	const bytes = makeCorim(reference);

	/* A map with integer keys as an object, for comparing. */
	function plain(value: unknown): unknown {
		if (value instanceof CborTag) return { tag: value.tag, value: plain(value.value) };
		if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
		if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
		return Array.isArray(value) ? value.map(plain) : value;
	}

	test("is one unsigned CoRIM with one CoMID, in the profile for PSA tokens", () => {
		const outer = plain(decode(bytes)) as { tag: number; value: Record<string, unknown> };
		expect(outer.tag).toBe(501);
		expect(Object.keys(outer.value)).toEqual(["0", "1", "3", "5"]);
		expect(outer.value[3]).toEqual({ tag: 32, value: "tag:arm.com,2025:psa#1.0.0" });
		expect(outer.value[5]).toEqual([{ 0: "pericard build", 2: [1] }]);
		expect(outer.value[0]).toMatch(/^pericard\/b\/app\/1\.3\.5\/[0-9a-f]{16}$/);
		const [tag, ...others] = outer.value[1] as { tag: number; value: string }[];
		expect(others).toEqual([]);
		expect(tag?.tag).toBe(506);
		expect(plain(decode(Buffer.from(tag?.value ?? "", "hex")))).toEqual({
			1: { 0: `${outer.value[0]}/components` },
			2: [{ 0: "pericard build", 2: [0] }],
			4: {
				0: [
					[
						{ 0: { 0: { tag: 560, value: reference.implementationId } } },
						reference.components.map(({ type, version, value }) => ({
							0: "psa.software-component",
							1: {
								0: { 0: version },
								2: [["sha-256", value]],
								11: type,
								13: [{ tag: 560, value: reference.signerId }],
							},
						})),
					],
				],
			},
		});
	});

	/* The environment and a measurement of the example in draft-ietf-rats-corim (comid-psa-refval), put into bytes by hand: its
	 * implementation ID, digest and signer; another name, and a version, which the example leaves out. */
	test("has the triple of the draft's example, byte for byte", () => {
		const bstr = (hex: string) => `5820${hex}`;
		const tstr = (text: string) => `${(0x60 + text.length).toString(16)}${Buffer.from(text).toString("hex")}`;
		const environment = `a100a100d90230${bstr(reference.implementationId)}`;
		const measurement =
			`a200${tstr("psa.software-component")}01a4` +
			`00a100${tstr("1.3.5")}` +
			`028182${tstr("sha-256")}${bstr(draftDigest)}` +
			`0b${tstr("native")}` +
			`0d81d90230${bstr(reference.signerId)}`;
		expect(Buffer.from(bytes).toString("hex")).toContain(`82${environment}84${measurement}`);
	});

	test("another value gives another identifier; the same gives the same bytes", () => {
		expect(makeCorim(reference)).toEqual(bytes);
		const id = (value: Reference) => (plain(decode(makeCorim(value))) as { value: Record<string, string> }).value[0];
		expect(id({ ...reference, debug: true })).not.toBe(id(reference));
	});
});

test("implementation IDs of two boards differ", () => {
	expect(implementationId("posix")).not.toBe(implementationId("mps2-an386"));
});
