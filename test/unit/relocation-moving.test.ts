// Code that moves on the emulated Cortex-M4: right answers in every epoch, memory protection, evidence, what it costs.

import { spawnSync } from "node:child_process";
import * as crypto from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Image } from "../../tools/analysis/image.ts";
import {
	type Argument,
	type Machine,
	openMachine,
	Room,
	RoutineError,
	type Run,
} from "../../tools/analysis/machine.ts";
import type { RelocationPlan } from "../../tools/build/relocation.ts";
import { expectAnswers } from "./relocation-answers.ts";
import { movingImage, removeImages } from "./relocation-image.ts";

const missing = ["qemu-system-arm", "arm-none-eabi-gcc"].some((tool) => spawnSync(tool, ["--version"]).status !== 0);

/* Of native/relocate/relocate.h. */
const status = { ok: 0, more: 1, waiting: 2, random: 3, entropy: 4 } as const;
const changed = { nothing: 0, layout: 1, unit: 2, gap: 3, dispatch: 4, spare: 5 } as const;
const mostStep = 4000;

describe.skipIf(missing)("code that moves", () => {
	const held: { image?: Image; machine?: Machine; fixed?: Machine; plan?: RelocationPlan; code?: Buffer } = {};
	beforeAll(async () => {
		const { image, plan, code } = await movingImage({ with25519: false });
		const fixed = await movingImage({ with25519: false, fixed: true });
		Object.assign(held, {
			image,
			plan,
			code,
			machine: await openMachine(image),
			fixed: await openMachine(fixed.image),
		});
		await held.fixed?.call({ routine: "answer", arguments: [1], keep: true }); // its self-tests are behind it
	});
	afterAll(async () => {
		await held.machine?.close();
		await held.fixed?.close();
		removeImages();
	});
	const get = <T>(value: T | undefined): T => {
		if (value === undefined) throw new Error("the image was not built");
		return value;
	};
	const run = (routine: string, ...args: readonly Argument[]): Promise<Run> =>
		get(held.machine).call({ routine, arguments: args, keep: true });
	const call = async (routine: string, ...args: readonly Argument[]): Promise<number> =>
		(await run(routine, ...args)).value;
	const read = async (name: string): Promise<Buffer> => {
		const image = get(held.image);
		return Buffer.from(await get(held.machine).read(name, image.size(name)));
	};
	/** What the digest of the canonical form is, as the device computes it out of the running half. */
	const measured = async (): Promise<string> => {
		expect(await call("measure")).toBe(get(held.plan).codeSize);
		return (await read("digest")).toString("hex");
	};
	const faults = async (routine: string, ...args: readonly Argument[]): Promise<void> => {
		const outcome = await run(routine, ...args).then(
			() => "returned",
			(error: unknown) => (error instanceof RoutineError ? error.outcome : String(error)),
		);
		expect([routine, outcome]).toEqual([routine, "fault"]);
	};
	const dispatch = (): number => get(held.image).address("pc_dispatch");

	test("starts in canonical order, epoch 0, without random numbers", async () => {
		expect(await call("start")).toBe(0);
		expect(await call("check")).toBe(changed.nothing << 16);
		const plan = get(held.plan);
		for (const unit of [0, 1, plan.units.length - 1]) {
			expect(await call("place_of", unit)).toBe(0x20020000 + (plan.units[unit]?.offset ?? 0));
		}
	});

	test("gives the answers that it should", async () => {
		await call("answer", 1);
		expectAnswers(await read("light_first"), await read("heavy_first"));
	});

	test("gives them in 208 epochs, none of which has a function where it was", { timeout: 300_000 }, async () => {
		const plan = get(held.plan);
		const image = get(held.image);
		const places = async (): Promise<number[]> => {
			const layouts = await get(held.machine).read("pc_relocation_layouts", plan.units.length * 8);
			const running = (await call("running_half")) === 0x20020000 ? 0 : plan.units.length * 4;
			return plan.units.map((_, unit) => Buffer.from(layouts).readUInt16LE(running + unit * 2));
		};
		expect(image.size("light_first")).toBe(401);
		let before = await places();
		let same = 0;
		for (let index = 0; index < 4; index++) {
			expect(await call("epochs", 52, 52)).toBe(0);
			const now = await places();
			same += now.filter((place, unit) => place === before[unit]).length;
			expect(new Set(now).size).toBe(plan.units.length);
			before = now;
		}
		/* In the same half after 52 moves, by chance alone: about 1 in 5,600 for each of 540. */
		expect(same).toBeLessThan(5);
		expect(await call("check")).toBe(changed.nothing << 16);
	});

	test("measures the same digest in every epoch", async () => {
		const digest = crypto.createHash("sha256").update(get(held.code)).digest("hex");
		for (let index = 0; index < 3; index++) {
			expect(await measured()).toBe(digest);
			expect(await call("move")).toBe(status.ok);
		}
	});

	test("finds and names a changed byte, wherever it is", async () => {
		const plan = get(held.plan);
		const digest = await measured();
		for (const unit of [0, 15, plan.units.length - 1]) {
			const at = await call("place_of", unit);
			await call("poke", at, 0x00010000);
			/* The digest is computed by the code that is measured: a changed unit that it needs could be the one at fault. */
			expect(await call("check")).toBe((changed.unit << 16) | unit);
			if (unit === 0) expect(await measured()).not.toBe(digest);
			await call("poke", at, 0x00010000);
		}
		await call("poke", dispatch() + 4 * 7, 4);
		expect(await call("check")).toBe((changed.dispatch << 16) | 7);
		await call("poke", dispatch() + 4 * 7, 4);
		const waiting = await call("waiting_half");
		await call("poke", waiting + 400, 1);
		expect(await call("check")).toBe((changed.spare << 16) | 100);
		await call("poke", waiting + 400, 1);
		expect(await call("check")).toBe(changed.nothing << 16);
	});

	test("finds in the half that it leaves what was changed there, before it is wiped", async () => {
		const plan = get(held.plan);
		const unit = plan.units.findIndex(
			({ name }) => name.includes("cbor_tag") || name.includes("cbor_map") || name.includes("cbor_array"),
		);
		if (unit < 0) console.log(plan.units.map(({ name }) => name).join());
		expect(unit).toBeGreaterThan(0);
		const moveAndFind = async (): Promise<number> => {
			expect(await call("move")).toBe(status.ok);
			expect(await call("check")).toBe(changed.nothing << 16);
			return await call("found");
		};
		const at = await call("place_of", unit);
		await call("poke", at, 0x00010000);
		/* Moves that don't check tell nothing: that is what those that do are for. */
		expect(await moveAndFind()).toBe(changed.nothing << 16);
		await call("check_moves", 1);
		expect(await moveAndFind()).toBe(changed.nothing << 16);
		await call("poke", await call("place_of", unit), 0x00010000);
		expect(await moveAndFind()).toBe((changed.unit << 16) | unit);
		await call("poke", (await call("running_half")) + plan.halfSize - 8, 1);
		expect(await moveAndFind()).toBe((changed.gap << 16) | (plan.halfSize / 4 - 2));
		await call("poke", dispatch() + 4 * 7, 4);
		expect(await moveAndFind()).toBe((changed.dispatch << 16) | 7);
		expect(await moveAndFind()).toBe(changed.nothing << 16);
		await call("check_moves", 0);
	});

	test("is never writable and executable", async () => {
		const running = await call("running_half");
		const waiting = await call("waiting_half");
		expect(await call("write_to", get(held.image).address("waits"))).toBe(0); // what may be written
		await faults("write_to", running);
		await faults("write_to", waiting);
		await faults("write_to", dispatch());
		await faults("write_to", get(held.image).address("pc_relocation_layouts"));
		await faults("write_to", get(held.image).address("__relocatable_start"));
		await faults("jump_to", waiting);
		await faults("jump_to", dispatch());
		await faults("jump_to", get(held.image).address("light_first"));
		await faults("jump_to", get(held.image).address("__relocatable_start"));
		/* Between the steps of a move it is so, too. */
		expect(await call("begin_move")).toBe(status.more);
		let steps = 0;
		for (let result: number = status.more; result === status.more; steps++) {
			result = (await call("step")) & 0xff;
			await faults("write_to", waiting);
			await faults("write_to", running);
			await faults("write_to", get(held.image).address("pc_arena_relocator"));
			if ((await call("running_half")) === running) await faults("jump_to", waiting);
		}
		expect(steps).toBeGreaterThan(10);
		await faults("jump_to", running); // that was
	});

	test("an address of one epoch is worth nothing in the next", async () => {
		const plan = get(held.plan);
		const index = plan.entries.findIndex(({ name }) => name === "pc_sha256_begin");
		const leaked = await call("dispatched", index);
		/* It is real: called in its epoch, it does what the function does. */
		const room = new Room(128);
		expect(await call("call_at", leaked, room)).toBe(0);
		expect(await call("move")).toBe(status.ok);
		await faults("call_at", leaked, room);
	});

	test("a chain of gadgets works in its epoch, and not in the next ones", { timeout: 200_000 }, async () => {
		const image = get(held.image);
		const wanted = 0x13371337;
		/** Out of a dump of the running half: r4 and r5 are set by one gadget, r4 by another one, then the goal. */
		const chain = async (): Promise<Buffer> => {
			const half = await call("running_half");
			const dump = Buffer.from(await get(held.machine).read(half, get(held.plan).halfSize));
			const find = (code: number): number => {
				for (let at = 0; at < dump.length; at += 2) if (dump.readUInt16LE(at) === code) return half + at + 1;
				throw new Error("no gadget");
			};
			const words = Buffer.alloc(64);
			const [popTwo, popOne] = [find(0xbd30), find(0xbd10)]; // pop {r4, r5, pc}; pop {r4, pc}
			for (const [index, word] of [popTwo, 1, 2, popOne, wanted, image.address("chain_end") + 1].entries()) {
				words.writeUInt32LE(word, index * 4);
			}
			return words;
		};
		const tries = { epoch: 0, next: 0, afterNext: 0 };
		const works = async (words: Buffer): Promise<number> =>
			call("run_chain", words).then(
				(value) => Number(value === wanted),
				(error: unknown) => {
					if (error instanceof RoutineError) return 0;
					throw error;
				},
			);
		const rounds = 50;
		for (let round = 0; round < rounds; round++) {
			const words = await chain();
			tries.epoch += await works(words);
			expect(await call("move")).toBe(status.ok);
			tries.next += await works(words);
			expect(await call("move")).toBe(status.ok);
			tries.afterNext += await works(words);
		}
		expect(tries.epoch).toBe(rounds);
		expect(tries.next).toBe(0);
		/* In the same half again, by chance: both gadgets in 1 of 20 million epochs, 1 of 4,860 if they are in one unit. */
		expect(tries.afterNext).toBeLessThanOrEqual(1);
		expect(await call("check")).toBe(changed.nothing << 16);
	});

	test("moves while work is in flight, and wipes no half that has a frame", { timeout: 120_000 }, async () => {
		const result = await call("in_flight");
		expect(result & 0xffff).toBe(0);
		expect(result >>> 16).toBeGreaterThan(2);
		expect((await read("waits")).readUInt32LE(0)).toBeGreaterThan(50);
		expect(await call("check")).toBe(changed.nothing << 16);
	});

	test("without random numbers nothing moves, and it says so", async () => {
		const running = await call("running_half");
		const one = Uint8Array.of(1, 0, 0, 0);
		for (const name of ["random_fails", "random_ones"]) {
			const move = { routine: "move", keep: true, memory: [{ at: name, bytes: one }] };
			expect((await get(held.machine).call(move)).value).toBe(status.random);
			const restored = { routine: "running_half", keep: true, memory: [{ at: name, bytes: new Uint8Array(4) }] };
			expect((await get(held.machine).call(restored)).value).toBe(running);
			expect(await call("check")).toBe(changed.nothing << 16);
		}
		expect(await call("move")).toBe(status.ok);
	});

	test("costs what the documents say", async () => {
		const moves: number[] = [];
		const cycles: number[] = [];
		for (let index = 0; index < 16; index++) {
			const move = await run("move"); // one of them seeds the stream anew
			moves.push(move.instructions);
			cycles.push(move.cycles);
		}
		const mean = moves.reduce((sum, count) => sum + count, 0) / moves.length;
		const meanCycles = cycles.reduce((sum, count) => sum + count, 0) / cycles.length;
		expect(mean).toBeLessThan(60_000);
		expect(meanCycles / (0.2 * 64e6)).toBeLessThan(0.01);
		await call("check_moves", 1);
		const checked = await run("move");
		expect(checked.instructions).toBeLessThan(140_000);
		const masked = await get(held.machine).call(
			{ routine: "move", keep: true },
			{ between: ["masked_from", "masked_to"] },
		);
		expect(masked.instructions).toBeLessThan(1000);
		const steps: number[] = [];
		const draws: number[] = [];
		await call("begin_move");
		for (let result: number = status.more; result === status.more; ) {
			const step = await run("step");
			result = step.value & 0xff;
			(step.value > 0xff ? draws : steps).push(step.instructions);
		}
		expect(Math.max(...steps)).toBeLessThanOrEqual(mostStep);
		const checks: number[] = [];
		for (let more = 1; more === 1; ) {
			const step = await run("check_step");
			checks.push(step.instructions);
			more = step.value;
		}
		expect(Math.max(...checks)).toBeLessThanOrEqual(mostStep);
		/* A function that calls nothing but memset: a call into the set, and one out of it. */
		const begin = ["pc_cbor_begin", new Room(16), new Room(16), 16] as const;
		const moved = await run(...begin);
		const [routine, ...args] = begin;
		const fixed = await get(held.fixed).call({ routine, arguments: args, keep: true });
		expect(moved.instructions - fixed.instructions).toBe(2 + 1);
		const sign = ["pc_ecdsa_sign", new Uint8Array(32).fill(1), new Uint8Array(32).fill(2), new Room(64)] as const;
		const movedSign = await run(...sign);
		const fixedSign = await get(held.fixed).call({
			routine: sign[0],
			arguments: sign.slice(1) as Argument[],
			keep: true,
		});
		const slower = movedSign.instructions / fixedSign.instructions;
		expect(slower).toBeGreaterThan(1);
		expect(slower).toBeLessThan(1.002);
		console.log(
			`an epoch: ${mean} instructions, ${meanCycles} cycles; one that checks ${checked.instructions}, ${checked.cycles}; masked ${masked.instructions}; ` +
				`a check ${checks.reduce((sum, count) => sum + count, 0)}, its longest step ${Math.max(...checks)}; ` +
				`longest step ${Math.max(...steps)}, a draw ${Math.max(...draws)}; ` +
				`signing ${movedSign.instructions} against ${fixedSign.instructions} instructions`,
		);
	});
});
