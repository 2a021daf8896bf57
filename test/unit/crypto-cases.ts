// Operations of the driver (crypto-native.ts) with what they must give, run as tests on one processor after the other.

import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Answer, type Argument, CryptoDriver, type Processor } from "./crypto-native.ts";

export interface Case {
	readonly call: readonly [operation: string, ...arguments: Argument[]];
	/** "ok" if it isn't given. */
	readonly status?: string;
	/** Not looked at if it isn't given. */
	readonly out?: Uint8Array;
	/** What else must hold of what it gave. */
	check?(out: Buffer): boolean;
}

const shown = (word: Argument) => (word instanceof Uint8Array ? Buffer.from(word).toString("hex") : word);

/** Runs all; gives those that are wrong, in words. */
export async function wrongCases(driver: CryptoDriver, cases: readonly Case[]): Promise<string[]> {
	const answers = await Promise.all(cases.map(({ call }) => driver.ask(...call)));
	return cases.flatMap(({ call, status = "ok", out, check }, i) => {
		const answer = answers[i] as Answer;
		const same = out === undefined || answer.out.equals(out);
		if (answer.status === status && same && (check === undefined || check(answer.out))) return [];
		const expected = out === undefined ? "" : ` ${shown(out)}`;
		return [`${call.map(shown).join(" ")}: ${answer.status} ${shown(answer.out)}, not ${status}${expected}`];
	});
}

/** Bytes and numbers that look random and are the same for the same seed. */
export function generator(seed: string): { random(size: number): Buffer; pick(count: number): number } {
	let counter = 0;
	const random = (size: number) => {
		const blocks = [];
		for (let i = 0; i < size; i += 64) blocks.push(createHash("sha512").update(`${seed} ${counter++}`).digest());
		return Buffer.concat(blocks).subarray(0, size);
	};
	return { random, pick: (count) => random(4).readUInt32BE() % count };
}

export interface On {
	ask(operation: string, ...args: readonly Argument[]): Promise<Answer>;
	/** A test of a table, which is made once for all processors. */
	table(name: string, make: () => readonly Case[]): void;
}

/** Describes the same tests on several processors, each with a driver of its own. */
export function describeOn(processors: readonly Processor[], body: (on: On) => void): void {
	const made = new Map<string, readonly Case[]>();
	describe.each(processors)("on %s", (processor) => {
		let driver: CryptoDriver;
		beforeAll(async () => {
			driver = await CryptoDriver.start(processor);
		});
		afterAll(() => driver.close());
		body({
			ask: (operation, ...args) => driver.ask(operation, ...args),
			table: (name, make) => {
				test(name, async () => {
					const cases = made.get(name) ?? make();
					made.set(name, cases);
					expect(cases.length).toBeGreaterThan(3);
					expect((await wrongCases(driver, cases)).slice(0, 5)).toEqual([]);
				});
			},
		});
	});
}
