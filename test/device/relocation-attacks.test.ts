// Attacks on code that moves, on the firmware's own image: each works where it should, so that it is known to be one, and fails
// after a move. The app (apps/relocation-attacks) has the flaws; the test is the attacker, and looks through the debugger's eyes.

import { expect, test, vi } from "vitest";
import type { Build, RelocationPolicy } from "../../tools/build/build.ts";
import { placeChances } from "../../tools/build/layout.ts";
import { policyFor } from "../../tools/cli/attest.ts";
import type { Device, DeviceOptions, StopReason } from "../../tools/harness/device.ts";
import { ManagementClient } from "../../tools/harness/management.ts";
import { NOISE_SYMBOL, noiseAt, noiseRecord } from "../../tools/harness/noise.ts";
import { recordStream } from "../../tools/signals/frames.ts";
import { syntheticRecording } from "../../tools/signals/synthetic.ts";
import { Challenger } from "../../tools/verifier/challenger.ts";
import type { AttestationResult } from "../../tools/verifier/verifier.ts";
import { Arena, type Phase, phases, type Snapshot } from "./arena.ts";
import { describeAt, image, mps2, type Place, withBuild } from "./boards.ts";

vi.setConfig({ testTimeout: 600_000 });

const APP = "relocation-attacks";
const RAM = { origin: 0x20000000, size: 0x40000 } as const;
/* Of CFSR: an instruction was fetched, or data accessed, where the MPU forbids it. */
const [IACCVIOL, DACCVIOL] = [1, 2];
/* native/relocate/relocate.h */
const changed = { nothing: 0, gap: 3 } as const;
/* hosts/common/moving.h */
const status = { ready: 1, noRandom: 3, noEntropy: 4 } as const;

/* Of xs_victim.c. */
const orders = [
	"",
	"receive",
	"write",
	"call",
	"move",
	"step",
	"interrupt",
	"sample",
	"check",
	"status",
	"exhaust",
] as const;
type Order = (typeof orders)[number];
const mail = { words: 12, done: 252, size: 260, room: 260 } as const;
const where = { runningHalf: 0, unitInOtherHalf: 1, gapInOtherHalf: 2 } as const;
const PHASES = 16;
const samplePlaces = ["running half", "other half", "dispatch table", "canonical code", "data"] as const;

/** What the app tells at its start. */
interface Start {
	readonly reason: string;
	readonly message: string;
	readonly pc: number;
	readonly address: number;
	readonly cfsr: number;
	readonly work: number;
	readonly status: string;
	readonly epoch: number;
}

const orderNumber = (order: Order): number => orders.indexOf(order);

/** The device with the flaws. */
class Victim {
	readonly arena: Arena;
	readonly #device: Device;
	readonly #build: Build;

	constructor(device: Device, build: Build) {
		this.arena = new Arena(build);
		this.#device = device;
		this.#build = build;
	}

	symbol(name: string): number {
		const value = this.#build.symbols.get(name);
		if (value === undefined) throw new Error(`the image has no symbol ${name}`);
		return value;
	}

	/** Memory of the app's own. */
	get room(): number {
		return this.symbol("victim_mail") + mail.room;
	}

	starts(): Start[] {
		return this.#device
			.records()
			.flatMap((record) => (record.event === "report" && record.type === "start" ? [record.data as Start] : []));
	}

	/** Runs until the app has started once more. */
	async started(): Promise<Start> {
		const before = this.starts().length;
		for (let ms = 0; ms < 2000; ms += 5) {
			await this.#device.run(0.005);
			const starts = this.starts();
			const last = starts.at(-1);
			if (starts.length > before && last !== undefined) return last;
		}
		throw new Error(`the app does not start. The end of the output:\n${this.#device.output().slice(-1000)}`);
	}

	/** Puts an order where the app's next tick finds it. */
	async give(order: Order, words: readonly number[] = [], caught = false): Promise<void> {
		const bytes = Buffer.alloc(mail.words + 4 * words.length);
		for (const [index, word] of [orderNumber(order), Number(caught), words.length, ...words].entries()) {
			bytes.writeUInt32LE(word >>> 0, 4 * index);
		}
		await this.#device.writeMemory("victim_mail", bytes);
	}

	async mail(): Promise<{ readonly words: readonly number[]; readonly done: number; readonly result: number }> {
		const bytes = Buffer.from(await this.#device.readMemory("victim_mail", mail.size));
		const words = Array.from({ length: 60 }, (_, index) => bytes.readUInt32LE(mail.words + 4 * index));
		return { words, done: bytes.readUInt32LE(mail.done), result: bytes.readUInt32LE(mail.done + 4) };
	}

	/** Gives an order and waits until it is obeyed: its result, or why the device stopped instead. */
	async obey(order: Order, words: readonly number[] = [], caught = false, most = 2000): Promise<number | StopReason> {
		const { done } = await this.mail();
		await this.give(order, words, caught);
		for (let ms = 0; ms < most; ms++) {
			const reason = await this.#device.run(0.001);
			if (reason !== "time") return reason;
			const now = await this.mail();
			if (now.done !== done) return now.result;
		}
		throw new Error(`nobody obeys "${order}"`);
	}

	/** Moves the code, and waits until the half that was left is wiped. */
	async move(): Promise<Snapshot> {
		const { epoch } = await this.arena.state(this.#device);
		expect(await this.obey("move")).toBe(1);
		for (let ms = 0; ms < 100; ms++) {
			const now = await this.arena.state(this.#device);
			if (now.epoch === epoch + 1 && now.phase === "idle") return this.arena.read(this.#device);
			await this.#device.run(0.001);
		}
		throw new Error(
			`the code does not move: epoch ${epoch}, then ${JSON.stringify(await this.arena.state(this.#device))}`,
		);
	}

	async dose(): Promise<number> {
		return Buffer.from(await this.#device.readMemory("victim_dose", 4)).readUInt32LE();
	}

	async setDose(value: number): Promise<void> {
		await this.#device.writeMemory("victim_dose", Uint8Array.of(value, 0, 0, 0));
	}
}

function withVictim<T>(
	place: Place,
	body: (device: Device, victim: Victim, build: Build) => Promise<T>,
	options: DeviceOptions = {},
): Promise<T> {
	return image(APP, place.board).then((build) =>
		withBuild(
			place,
			build,
			async (device) => {
				const victim = new Victim(device, build);
				await victim.started();
				return body(device, victim, build);
			},
			options,
		),
	);
}

function verifierOf(device: Device, build: Build): Challenger {
	const client = new ManagementClient(device);
	const link = {
		identify: () => client.identify({ seconds: 10 }),
		attest: (nonce: Uint8Array) => client.attest(nonce, { seconds: 10 }),
	};
	return new Challenger(link, { references: [build.reference], policy: policyFor(build.board) });
}

const faults = (result: AttestationResult) =>
	result.reasons.filter((reason) => reason.tier !== "affirming").map((reason) => reason.text);

/* ---- a chain of gadgets --------------------------------------------------------------------------------------------- */

/** `pop {registers, pc}`. */
interface Pop {
	readonly at: number;
	readonly registers: readonly number[];
}

interface Chain {
	/** The message. */
	readonly words: readonly number[];
	/** What it needs: bytes at places of the half. */
	readonly gadgets: readonly { readonly at: number; readonly bytes: Buffer; readonly unit: number }[];
}

function popAt(code: Buffer, at: number): Pop | undefined {
	const [first, second] = [code.readUInt16LE(at), code.readUInt16LE(at + 2)];
	const wide = first === 0xe8bd && (second & 0xa000) === 0x8000;
	if ((first & 0xff00) !== 0xbd00 && !wide) return undefined;
	const list = wide ? second & 0x7fff : first & 0xff;
	return { at, registers: [...Array(15).keys()].filter((register) => (list >> register) & 1) };
}

/**
 * A message that makes *goal = value and comes back as if nothing had been: its return address leads to a `pop` of two
 * registers, that one to a store of the one to where the other points, both in different functions of the half.
 */
function makeChain(victim: Victim, now: Snapshot, goal: number, value: number): Chain {
	const half = now.halves[now.running];
	const base = now.halfAddress[now.running];
	const places = now.places[now.running];
	const unitAt = (at: number): number =>
		victim.arena.units.findIndex(({ size }, unit) => at >= (places[unit] ?? 0) && at < (places[unit] ?? 0) + size);
	const pops: Pop[] = [];
	const stores: {
		readonly at: number;
		readonly from: number;
		readonly to: number;
		readonly offset: number;
		readonly pop: Pop;
	}[] = [];
	for (let at = 0; at + 8 <= half.length; at += 2) {
		const code = half.readUInt16LE(at);
		if (code >> 8 === 0xbd || code === 0xe8bd) {
			const pop = popAt(half, at);
			if (pop !== undefined) pops.push(pop);
		} else if (code >> 11 === 0x6000 >> 11) {
			/* str Rt, [Rn, #offset] */
			const after = popAt(half, at + 2);
			if (after !== undefined) {
				stores.push({ at, from: code & 7, to: (code >> 3) & 7, offset: ((code >> 6) & 31) * 4, pop: after });
			}
		}
	}
	for (const store of stores) {
		const unit = unitAt(store.at);
		const pop = pops.find(
			({ at, registers }) =>
				store.from !== store.to &&
				[store.from, store.to].every((register) => registers.includes(register)) &&
				unitAt(at) !== unit,
		);
		if (pop === undefined) continue;
		const words = [0, 0, 0, 0, 0, base + pop.at + 1];
		for (const register of pop.registers) {
			words.push(register === store.from ? value : register === store.to ? goal - store.offset : 0);
		}
		words.push(base + store.at + 1, ...store.pop.registers.map(() => 0), victim.symbol("victim_end") | 1);
		const gadget = (at: number, size: number) => ({ at, bytes: half.subarray(at, at + size), unit: unitAt(at) });
		return { words, gadgets: [gadget(pop.at, 4), gadget(store.at, 6)] };
	}
	throw new Error(`no chain in ${pops.length} pops and ${stores.length} stores`);
}

/** Would the chain work, as the half looks now? */
const stands = (chain: Chain, half: Buffer): boolean =>
	chain.gadgets.every(({ at, bytes }) => half.subarray(at, at + bytes.length).equals(bytes));

describeAt([mps2], "attacks on code that moves", (place) => {
	test("a function's address that leaked is good for its epoch, then a fault that the next token tells of", async () => {
		await withVictim(place, async (device, victim, build) => {
			const verifier = verifierOf(device, build);
			await verifier.enrol();
			expect((await verifier.attest()).result.verdict).toBe("affirming");
			const entry = victim.arena.entries.findIndex(({ name }) => name === "pc_sha256_begin");
			const leaked = (await victim.arena.read(device)).dispatch[entry] ?? 0;
			const room = victim.room;
			const hash = async () => Buffer.from(await device.readMemory(room, 32)).readUInt32LE();
			/* In its epoch it is what it was: the first word of SHA-256's state comes to the room. */
			expect(await hash()).toBe(0);
			expect(typeof (await victim.obey("call", [leaked, room]))).toBe("number");
			const begun = Buffer.from(await device.readMemory(room, 128)).toString("hex");
			expect(begun).toContain("67e6096a85ae67bb");
			await device.writeMemory(room, new Uint8Array(128));
			await victim.move();
			expect(await victim.obey("call", [leaked, room])).toBe("abort");
			const start = await victim.started();
			expect(start).toMatchObject({ reason: "memory-fault", pc: leaked - 1, status: "ready", epoch: 1 });
			expect(start.message).toBe("at the place of code that moves");
			expect(start.cfsr & 3).toBe(IACCVIOL);
			expect(await hash()).toBe(0);
			const { result } = await verifier.attest();
			expect(result.verdict).toBe("affirming");
			expect(result.evidence?.resetReason).toBe("memory-fault");
			expect(result.evidence?.relocation).toMatchObject({ status: "ready", epoch: 1, change: undefined });
		});
	});

	test("a chain of gadgets works in its epoch and not in the next, in 1,000 epochs", async () => {
		const EPOCHS = 1000;
		const RECORDED = 10;
		const SECOND = 30;
		await withVictim(place, async (device, victim) => {
			const { arena } = victim;
			const goal = victim.symbol("victim_dose");
			const tries = { own: 0, next: 0, recorded: 0 };
			/* Of each epoch: its half, and where the two functions with the gadgets of the first chain were. */
			const seen: { readonly half: number; readonly places: readonly number[] }[] = [];
			let watched: readonly number[] | undefined;
			let before: Chain | undefined;
			let beforeThat: Chain | undefined;
			const later = { tries: 0, stand: 0 };
			let now = await arena.read(device);
			for (let epoch = 1; epoch <= EPOCHS; epoch++) {
				const chain = makeChain(victim, now, goal, 99);
				watched ??= chain.gadgets.map(({ unit }) => unit);
				seen.push({ half: now.running, places: watched.map((unit) => now.places[now.running][unit] ?? 0) });
				expect(await victim.obey("receive", chain.words, true)).toBe(1);
				expect(await victim.dose()).toBe(99);
				tries.own++;
				await victim.setDose(100);
				if (before !== undefined) {
					expect(await victim.obey("receive", before.words, true)).toBe(2);
					expect(await victim.dose()).toBe(100);
					tries.next++;
				}
				if (beforeThat !== undefined) {
					later.tries++;
					later.stand += Number(stands(beforeThat, now.halves[now.running]));
				}
				beforeThat = before;
				before = chain;
				now = await victim.move();
			}
			expect(arena.wrong(now)).toEqual([]);
			expect(tries).toMatchObject({ own: EPOCHS, next: EPOCHS - 1 });

			/* Not caught by the app: the firmware records it. */
			for (let round = 0; round < RECORDED; round++) {
				const chain = makeChain(victim, await arena.read(device), goal, 99);
				expect(await victim.obey("receive", chain.words)).toBe(1);
				expect(await victim.dose()).toBe(99);
				await victim.setDose(100);
				await victim.move();
				expect(await victim.obey("receive", chain.words)).toBe("abort");
				expect(await victim.dose()).toBe(100);
				const start = await victim.started();
				expect(start).toMatchObject({ reason: "memory-fault", pc: ((chain.words[5] ?? 0) & ~1) >>> 0 });
				expect(start.cfsr & 3).toBe(IACCVIOL);
				tries.recorded++;
			}
			/* Two moves later, in the same half, it jumps to whatever is there now. */
			const second = { tries: 0, successes: 0, ends: new Map<string, number>() };
			for (let round = 0; round < SECOND; round++) {
				const chain = makeChain(victim, await arena.read(device), goal, 99);
				await victim.move();
				await victim.move();
				const ended = await victim.obey("receive", chain.words, false, 20).catch(() => "hangs");
				second.tries++;
				second.successes += Number((await victim.dose()) === 99);
				const last = device.records().findLast(({ event }) => event === "fault" || event === "abort");
				const how = ended === "abort" ? String(last?.reason) : ended === "hangs" ? ended : "comes back";
				second.ends.set(how, (second.ends.get(how) ?? 0) + 1);
				if (ended !== "abort") await device.reset();
				await victim.started();
			}

			/* Any two epochs in the same half: how often each of the functions, and both, were where they had been. */
			const chances = (watched ?? []).map((unit) =>
				placeChances(arena, unit).reduce((sum, chance) => sum + chance ** 2, 0),
			);
			let pairs = 0;
			const same = [0, 0, 0];
			for (const [index, one] of seen.entries()) {
				for (const other of seen.slice(index + 1)) {
					if (one.half !== other.half) continue;
					pairs++;
					const hits = one.places.map((at, unit) => Number(at === other.places[unit]));
					for (const [unit, hit] of [...hits, Math.min(...hits)].entries()) same[unit] = (same[unit] ?? 0) + hit;
				}
			}
			const expectedSame = [...chances, chances.reduce((product, chance) => product * chance, 1)].map(
				(chance) => chance * pairs,
			);
			for (const [index, count] of same.entries()) {
				const mean = expectedSame[index] ?? 0;
				expect(Math.abs(count - mean)).toBeLessThan(8 + 8 * Math.sqrt(mean));
			}
			expect(second.successes).toBeLessThanOrEqual(1);
			expect(later.stand).toBeLessThanOrEqual(1);
			const [first = 0, other = 0] = chances;
			console.log(
				`chains: in their own epoch ${tries.own} of ${EPOCHS} work, in the next 0 of ${tries.next} (and ${tries.recorded} recorded by the firmware); ` +
					`two epochs later, executed ${second.successes} of ${second.tries} (${[...second.ends].map(([how, count]) => `${count} ${how}`).join(", ")}), ` +
					`by the dump ${later.stand} of ${later.tries}, chance 1 in ${Math.round(1 / (first * other))}; ` +
					`${pairs} pairs of epochs in the same half: gadget 1 ${same[0]} (chance: ${expectedSame[0]?.toFixed(1)}, 1 in ${Math.round(1 / first)}), ` +
					`gadget 2 ${same[1]} (${expectedSame[1]?.toFixed(1)}, 1 in ${Math.round(1 / other)}), both ${same[2]} (${expectedSame[2]?.toFixed(3)})`,
			);
		});
	});

	test("memory is never writable and executable, whenever one looks", async () => {
		await withVictim(place, async (device, victim) => {
			expect(await victim.obey("sample", [1009])).toBe(0);
			for (let moves = 0; moves < 40; moves++) await victim.move();
			expect(await victim.obey("sample", [0])).toBe(0);
			const bytes = Buffer.from(await device.readMemory("victim_samples", samplePlaces.length * PHASES * 16));
			const [none, write, run] = [0, 1, 2];
			/* By rights: writable | executable << 1. */
			const seen = (name: (typeof samplePlaces)[number], phase: Phase): number[] =>
				[0, 1, 2, 3].map((rights) =>
					bytes.readUInt32LE(16 * (samplePlaces.indexOf(name) * PHASES + phases.indexOf(phase)) + 4 * rights),
				);
			const lines: string[] = [];
			let samples = 0;
			for (const phase of phases) {
				const only = (name: (typeof samplePlaces)[number], ...allowed: number[]) => {
					const counts = seen(name, phase);
					expect([phase, name, counts.filter((count, rights) => count > 0 && !allowed.includes(rights))]).toEqual([
						phase,
						name,
						[],
					]);
				};
				only("running half", run);
				only("other half", none, write, run);
				only("dispatch table", none, write);
				only("canonical code", none);
				only("data", write);
				const count = seen("data", phase).reduce((sum, value) => sum + value, 0);
				samples += count;
				lines.push(`${phase} ${count} (other half open in ${seen("other half", phase)[1]})`);
			}
			expect(seen("other half", "copy")[1]).toBeGreaterThan(50);
			expect(samples).toBeGreaterThan(1000);
			console.log(`looked ${samples} times: ${lines.join(", ")}`);
		});
	});

	test("writes and jumps to where nobody may end in a fault, between steps of a move and within", async () => {
		await withVictim(place, async (device, victim) => {
			const { arena } = victim;
			/* bx lr: where it may be executed, it comes back */
			const comesBack = 0x47704770;
			const data = victim.room;
			const heap = victim.symbol("__heap_end") - 4;
			const stack = victim.symbol("__stack_limit") + 64;
			const wiped = async () => {
				const { halfAddress, running, places } = await arena.read(device);
				await victim.move();
				return halfAddress[running] + (places[running][0] ?? 0);
			};
			const running = async () => (await arena.read(device)).dispatch[0] ?? 0;
			/* What is allowed, to see that the orders do what they should. */
			expect(await victim.obey("write", [data, comesBack])).toBe(0);
			expect(Buffer.from(await device.readMemory(data, 4)).readUInt32LE()).toBe(comesBack);
			expect(
				typeof (await victim.obey("call", [
					(await arena.read(device)).dispatch[arena.entries.findIndex(({ name }) => name === "pc_sha256_begin")] ?? 0,
					data,
				])),
			).toBe("number");

			type Attack = readonly [name: string, jump: boolean, order: Order, words: (number | (() => Promise<number>))[]];
			const [write, call] = [orderNumber("write"), orderNumber("call")];
			const phase = (name: Phase) => phases.indexOf(name);
			const attacks: Attack[] = [
				["jump to data", true, "call", [data, 0]],
				["jump to the heap", true, "call", [heap, 0]],
				["jump to the stack", true, "call", [stack, 0]],
				["jump to the wiped half", true, "call", [wiped, 0]],
				["write to the running half", false, "write", [running, 0]],
				["write to canonical code", false, "write", [arena.codeAddress, 0]],
				["jump to canonical code", true, "call", [arena.codeAddress, 0]],
				[
					"write to the half that is filled, between steps",
					false,
					"step",
					[phase("copy"), 1, write, where.unitInOtherHalf, 0],
				],
				[
					"jump to the half that is filled, between steps",
					true,
					"step",
					[phase("copy"), 1, call, where.unitInOtherHalf, 0],
				],
				[
					"jump to the half that is full, before the flip",
					true,
					"step",
					[phase("flip"), 0, call, where.unitInOtherHalf, 0],
				],
				["write to the running half, between steps", false, "step", [phase("copy"), 1, write, where.runningHalf, 0]],
				[
					"jump to the half that is wiped, between steps",
					true,
					"step",
					[phase("wipe"), 1, call, where.unitInOtherHalf, 0],
				],
				[
					"jump to the half that is filled, while it is written",
					true,
					"interrupt",
					[phase("copy"), 1, call, where.unitInOtherHalf, 0],
				],
				[
					"write to the running half, while the other is written",
					false,
					"interrupt",
					[phase("copy"), 1, write, where.runningHalf, 0],
				],
				[
					"jump to the half that is wiped, while it is written",
					true,
					"interrupt",
					[phase("wipe"), 1, call, where.unitInOtherHalf, 0],
				],
			];
			for (const [name, jump, order, words] of attacks) {
				for (const place of [data, heap, stack]) {
					await device.writeMemory(place, Uint8Array.of(0x70, 0x47, 0x70, 0x47));
				}
				const numbers: number[] = [];
				for (const word of words) numbers.push(typeof word === "number" ? word : ((await word()) & ~3) >>> 0);
				expect([name, await victim.obey(order, numbers)]).toEqual([name, "abort"]);
				const { words: after } = await victim.mail();
				const target = order === "step" || order === "interrupt" ? (after[8] ?? 0) : (numbers[0] ?? 0);
				if (order === "step" || order === "interrupt") expect([name, after[9]]).toEqual([name, 0]);
				const start = await victim.started();
				expect([name, start.reason, start.status, start.epoch]).toEqual([name, "memory-fault", "ready", 1]);
				expect([name, jump ? start.pc : start.address]).toEqual([name, target]);
				expect([name, start.cfsr & 3]).toEqual([name, jump ? IACCVIOL : DACCVIOL]);
				expect([name, arena.wrong(await arena.read(device))]).toEqual([name, []]);
			}
		});
	});

	test("what an interrupt writes into the half while it is open is found, and told in the next token", async () => {
		await withVictim(place, async (device, victim, build) => {
			const verifier = verifierOf(device, build);
			await verifier.enrol();
			expect(await victim.obey("check")).toBe(changed.nothing);
			const words = [phases.indexOf("copy"), 1, orderNumber("write"), where.gapInOtherHalf, 0x47704770];
			expect(typeof (await victim.obey("interrupt", words))).toBe("number");
			const { words: after } = await victim.mail();
			expect(after[9]).toBe(1);
			for (let ms = 0; ms < 20 && (await victim.arena.state(device)).phase !== "idle"; ms++) await device.run(0.001);
			const now = await victim.arena.read(device);
			const word = ((after[8] ?? 0) - now.halfAddress[now.running]) / 4;
			expect(await victim.obey("check")).toBe((changed.gap << 16) | word);
			expect(victim.arena.wrong(now)).toEqual([`running half, byte ${4 * word} (gap)`]);
			const { result } = await verifier.attest();
			expect(result.verdict).toBe("contraindicated");
			expect(faults(result)).toEqual([
				`moved code: there is code between the functions of the half that runs, at word ${word}`,
			]);
			/* The next move leaves it behind. */
			expect(victim.arena.wrong(await victim.move())).toEqual([]);
			expect(await victim.obey("check")).toBe(changed.nothing);
		});
	});

	test.each(["stuck", "biased", "absent"] as const)(
		"noise that is %s: nothing moves, and the device says so",
		async (kind) => {
			await withVictim(
				place,
				async (device, victim) => {
					expect(victim.starts()).toMatchObject([{ status: "no-random", epoch: 0 }]);
					const now = await victim.arena.read(device);
					expect(victim.arena.wrong(now)).toEqual([]);
					expect(now.places[now.running]).toEqual(victim.arena.units.map(({ offset }) => offset));
					await victim.obey("move");
					await device.run(0.05);
					expect(await victim.obey("status")).toBe(status.noRandom);
					expect(await victim.arena.read(device)).toEqual(now);
				},
				{ noise: { kind } },
			);
			/* The source breaks while the device runs. */
			await withVictim(place, async (device, victim, build) => {
				const verifier = verifierOf(device, build);
				await verifier.enrol();
				expect((await verifier.attest()).result.verdict).toBe("affirming");
				await victim.move();
				const broken = noiseRecord(noiseAt({ noise: { kind } }, 0));
				await device.writeMemory(NOISE_SYMBOL, broken);
				expect(await victim.obey("exhaust")).not.toBe(0);
				/* What the stream has left is still good. */
				let { epoch } = await victim.arena.state(device);
				const left = epoch;
				for (let more = true; more; ) {
					await victim.obey("move");
					await device.run(0.01);
					const now = await victim.arena.state(device);
					expect(now.phase).toBe("idle");
					more = now.epoch > epoch;
					epoch = now.epoch;
				}
				expect(epoch - left).toBeLessThan(24);
				expect(await victim.obey("status")).toBe(status.noRandom);
				expect(victim.arena.wrong(await victim.arena.read(device))).toEqual([]);
				expect(await victim.obey("check")).toBe(changed.nothing);
				const { result } = await verifier.attest();
				expect(result.verdict).toBe("warning");
				expect(faults(result)).toContain(
					`code stays where it is (epoch ${epoch}): the last move was refused, as there were no random numbers`,
				);
			});
		},
	);

	test("a reset or a power cut at any instruction of a move: the device comes back clean", async () => {
		const POINTS = 2000;
		const CUTS = 20;
		await withVictim(
			place,
			async (device, victim, build) => {
				const { arena } = victim;
				/* Epoch 0 is made in the first window, epoch 1 in the second. */
				const marks = (await device.marks()).map((count) => Number(count) * 16e-9);
				const [begin = 0, seed = 0, start = 0, end = 0] = marks;
				const [first, second] = [seed - begin, end - start];
				expect(Math.min(first, second)).toBeGreaterThan(50e-6);
				const garbage = Buffer.alloc(RAM.size);
				let random = 12345;
				const draw = (): number => {
					random = (Math.imul(random, 1103515245) + 12345) >>> 0;
					return random / 2 ** 32;
				};
				for (let at = 0; at < garbage.length; at += 4) garbage.writeUInt32LE(Math.floor(draw() * 2 ** 32), at);
				const work = victim.starts()[0]?.work;
				const counts = { reset: 0, power: 0 };
				const by = new Map<string, number>();
				const cut = async (name: string): Promise<boolean> => {
					const power = draw() < 0.5;
					by.set(name, (by.get(name) ?? 0) + 1);
					counts[power ? "power" : "reset"]++;
					if (power) {
						/* What was in RAM is lost: anything may be there. */
						const turn = 4 * Math.floor(draw() * (RAM.size / 4));
						await device.writeMemory(RAM.origin, garbage.subarray(turn));
						await device.writeMemory(RAM.origin + RAM.size - turn, garbage.subarray(0, turn));
						await device.writeMemory(NOISE_SYMBOL, noiseRecord(noiseAt({ seed: counts.power }, 1)));
					}
					await device.reset();
					return power;
				};
				const whole = async (power: boolean): Promise<void> => {
					expect(await victim.started()).toMatchObject({ work, status: "ready", epoch: 1 });
					expect(victim.starts().at(-1)?.reason).toBe(power ? "power-on" : "pin");
					expect(arena.wrong(await arena.read(device))).toEqual([]);
				};
				/* At boot: when its moves are over, the machine is not yet made, which costs more than all the rest. */
				for (let point = 0; point < POINTS * 0.8; ) {
					const at = draw() * (first + second);
					await device.reset();
					await device.run(at < first ? begin + at : start + at - first);
					const { phase } = await arena.state(device);
					if (at >= first && phase === "idle") continue; // over: a draw takes its time
					point++;
					const power = await cut(at < first ? "epoch 0" : `boot, ${phase}`);
					if (point % 20 === 0) {
						await whole(power);
						continue;
					}
					await device.run(end + 0.0003);
					expect(await arena.state(device)).toMatchObject({ phase: "idle", epoch: 1 });
					expect(arena.wrong(await arena.read(device))).toEqual([]);
				}
				/* Under the app. */
				await device.reset();
				await victim.started();
				await device.run(0.05); // the key is made
				for (let point = 0; point < POINTS * 0.2; ) {
					await victim.give("move");
					await device.run(0.0005 + draw() * 0.0025);
					const { phase } = await arena.state(device);
					if (phase === "idle") continue; // not yet, or over
					await whole(await cut(phase));
					await device.run(0.015); // nothing is left to do
					point++;
				}
				/* And with an emulator that is switched off and on. */
				for (let cut = 0; cut < CUTS; cut++) {
					await victim.give("move");
					await device.run(0.001 + draw() * 0.0015);
					await device.powerCut();
					expect(await victim.started()).toMatchObject({ work, status: "ready", epoch: 1 });
					expect(arena.wrong(await arena.read(device))).toEqual([]);
				}
				expect(await victim.obey("check")).toBe(changed.nothing);
				const { result } = await (async () => {
					const verifier = verifierOf(device, build);
					await verifier.enrol();
					return verifier.attest();
				})();
				expect(result.verdict).toBe("affirming");
				console.log(
					`${counts.reset} resets, ${counts.power} cuts of the power, by phase ${JSON.stringify(Object.fromEntries(by))}; and ${CUTS} power cuts`,
				);
			},
			{ markAt: ["pc_relocate_begin", "pc_random", "pc_relocate_start", "pc_boot_keys"] },
		);
	});

	test("a floor above what the layouts have: nothing moves, and the device says so", async () => {
		const build = await image(APP, place.board, { relocation: { period: 0, floor: 60_000 } });
		await withBuild(place, build, async (device) => {
			const victim = new Victim(device, build);
			expect(await victim.started()).toMatchObject({ status: "no-entropy", epoch: 0 });
			const now = await victim.arena.read(device);
			expect(victim.arena.wrong(now)).toEqual([]);
			expect(await victim.obey("move")).toBe(0);
			await device.run(0.05);
			expect(await victim.obey("status")).toBe(status.noEntropy);
			expect(await victim.arena.read(device)).toEqual(now);
			const verifier = verifierOf(device, build);
			await verifier.enrol();
			const { result } = await verifier.attest();
			expect(result.verdict).toBe("warning");
			expect(faults(result)).toEqual([
				expect.stringMatching(/refused, as layouts have \d+ bits and 60000 are the floor$/),
			]);
		});
	});
});

/** The ECG patch at work with a challenge every two seconds, for so long, or until so many epochs have passed. */
async function atWork(
	place: Place,
	relocation: RelocationPolicy | "none",
	until: { seconds: number; epochs?: number },
) {
	const build = await image("firmware/apps/ecg-patch", place.board, { relocation, config: { input: "serial" } });
	const input = recordStream(syntheticRecording({ seconds: until.seconds + 1 }));
	return withBuild(
		place,
		build,
		async (device) => {
			const verifier = verifierOf(device, build);
			const arena = relocation === "none" ? undefined : new Arena(build);
			const verdicts: string[] = [];
			const wrong: string[] = [];
			const word = async (name: string) =>
				Buffer.from(await device.readMemory(build.symbols.get(name) ?? 0, 4)).readUInt32LE();
			/* Bytes of the machine's heap that neither objects nor C have ever taken (hosts/common/memory.c). */
			const heap: number[] = [];
			let epoch = 0;
			let seconds = 1;
			await verifier.enrol();
			for (; seconds < until.seconds && epoch < (until.epochs ?? 1); seconds += 2) {
				await device.run(seconds - (await device.now()));
				verdicts.push((await verifier.attest()).result.verdict);
				heap.push((await word("high")) - (await word("low")));
				if (arena !== undefined) {
					const now = await settled(device, arena);
					epoch = now.epoch;
					wrong.push(...now.wrong);
				}
			}
			await device.run(seconds - (await device.now()));
			const records = device.records();
			return {
				seconds,
				epoch,
				wrong,
				verdicts,
				beats: records.flatMap(({ event, type, data }) => (event === "report" && type === "beat" ? [data] : [])),
				/* What the device said besides. */
				events: [...new Set(records.map(({ event, type }) => (event === "report" ? type : event)))].sort(),
				heap,
				instructions: Number(await device.instructions()),
			};
		},
		{ input },
	);
}

/** What does not belong into the arena, as soon as no move is under way; and the epoch. */
async function settled(device: Device, arena: Arena): Promise<{ readonly epoch: number; readonly wrong: string[] }> {
	for (let tries = 0; tries < 1000; tries++) {
		const { phase, epoch } = await arena.state(device);
		if (phase === "idle") return { epoch, wrong: arena.wrong(await arena.read(device)) };
		await device.run(0.0001);
	}
	throw new Error("a move does not end");
}

describeAt([mps2], "10,000 epochs under the ECG patch", (place) => {
	test("lose no beat, answer every challenge, and leave nothing behind", async () => {
		const moving = await atWork(place, { period: 1 }, { seconds: 60, epochs: 10_000 });
		const { seconds } = moving;
		const fixed = await atWork(place, "none", { seconds });
		expect(moving.epoch).toBeGreaterThanOrEqual(10_000);
		expect(moving.wrong).toEqual([]);
		expect(fixed.seconds).toBe(seconds);
		expect(fixed.beats.length).toBeGreaterThan(25);
		expect(moving.beats).toEqual(fixed.beats);
		expect([moving.events, fixed.events]).toEqual([
			["beat", "boot"],
			["beat", "boot"],
		]);
		expect(moving.verdicts.length).toBeGreaterThan(10);
		expect(new Set([...moving.verdicts, ...fixed.verdicts])).toEqual(new Set(["affirming"]));
		/* It has grown as far as it does within the first second, and by no more than a buffer of input that came at another moment. */
		expect(new Set(moving.heap).size).toBe(1);
		const [left = 0, leftFixed = 0] = [moving.heap[0], fixed.heap[0]];
		expect(Math.abs(left - leftFixed)).toBeLessThan(512);
		console.log(
			`${moving.epoch} epochs in ${seconds} s, ${moving.beats.length} beats, ${moving.verdicts.length} challenges; ` +
				`${moving.instructions} instructions, ${fixed.instructions} without moving; ${left} bytes of heap never used, ${leftFixed} without`,
		);
	});
});
