// pericard/test: tests that run on the device, in a release image, and tell their results in records.
//
// describe() and test() collect; when the modules have run, the tests run one after the other. Each ends in a record
// {"event":"test", suite, name, ok, message, stack}; the last is {"event":"tests", passed, failed, skipped}.

import { record } from "pericard/report";
import Timer from "timer";

type Body = () => void | Promise<void>;

interface Entry {
	readonly suite: string;
	readonly name: string;
	readonly body: Body | undefined;
	readonly timeout: number;
	readonly before: readonly Body[];
	readonly after: readonly Body[];
}

interface Suite {
	readonly name: string;
	readonly before: Body[];
	readonly after: Body[];
}

/** What a failed expectation throws. */
export class ExpectationError extends Error {
	override get name(): string {
		return "ExpectationError";
	}
}

const TIMEOUT = 5000; // milliseconds

const entries: Entry[] = [];
let suites: readonly Suite[] = [{ name: "", before: [], after: [] }];
let started = false;

function innermost(): Suite {
	return suites[suites.length - 1] as Suite;
}

function add(name: string, body: Body | undefined, timeout: number): void {
	if (started) throw new Error(`test "${name}" comes too late: tests are running already`);
	if (entries.length === 0) Timer.set(() => void runAll());
	entries.push({
		suite: suites
			.map((suite) => suite.name)
			.filter((suite) => suite !== "")
			.join(" > "),
		name,
		body,
		timeout,
		before: suites.flatMap((suite) => suite.before),
		after: suites.flatMap((suite) => suite.after).reverse(),
	});
}

/** Groups tests; may be nested. */
export function describe(name: string, body: () => void): void {
	const outer = suites;
	suites = [...outer, { name, before: [], after: [] }];
	try {
		body();
	} finally {
		suites = outer;
	}
}

/** Adds a test. It fails when `body` throws, its promise is rejected, or that takes more than `timeout` milliseconds. */
export function test(name: string, body: Body, timeout = TIMEOUT): void {
	add(name, body, timeout);
}

/** Adds a test that does not run, and is reported as skipped. */
test.skip = (name: string, _body?: Body): void => add(name, undefined, 0);

export const it = test;

/** Runs before each test of this suite that is added after it. */
export function beforeEach(body: Body): void {
	innermost().before.push(body);
}

/** Runs after each test of this suite that is added after it, also when the test failed. */
export function afterEach(body: Body): void {
	innermost().after.push(body);
}

function withTimeout(work: Promise<void>, timeout: number): Promise<void> {
	return new Promise((resolve, reject) => {
		const timer = Timer.set(() => reject(new Error(`test took more than ${timeout} ms`)), timeout);
		const settle = (then: () => void) => {
			try {
				Timer.clear(timer);
			} catch {
				// it has fired
			}
			then();
		};
		work.then(
			() => settle(resolve),
			(error: unknown) => settle(() => reject(error)),
		);
	});
}

async function runBody(entry: Entry): Promise<void> {
	try {
		for (const body of entry.before) await body();
		await entry.body?.();
	} finally {
		for (const body of entry.after) await body();
	}
}

function describeFailure(error: unknown): { message: string; stack: string } {
	if (error instanceof Error) return { message: `${error.name}: ${error.message}`, stack: error.stack ?? "" };
	return { message: `thrown: ${show(error)}`, stack: "" };
}

async function runAll(): Promise<void> {
	started = true;
	let passed = 0;
	let failed = 0;
	let skipped = 0;
	for (const entry of entries) {
		const { suite, name } = entry;
		if (!entry.body) {
			skipped++;
			record("test", { suite, name, skipped: true, ok: true });
			continue;
		}
		try {
			await withTimeout(runBody(entry), entry.timeout);
			passed++;
			record("test", { suite, name, ok: true });
		} catch (error) {
			failed++;
			record("test", { suite, name, ok: false, ...describeFailure(error) });
		}
	}
	record("tests", { passed, failed, skipped });
}

/** A value for a person: JSON where that tells it, String() otherwise. */
function show(value: unknown): string {
	if (typeof value === "string") return JSON.stringify(value);
	if (typeof value === "bigint") return `${value}n`;
	if (typeof value === "function") return `function ${value.name}`;
	if (value instanceof Error) return `${value.name}: ${value.message}`;
	if (ArrayBuffer.isView(value) && !(value instanceof DataView))
		return `[${Array.from(value as Uint8Array).join(", ")}]`;
	if (value instanceof ArrayBuffer) return `ArrayBuffer [${Array.from(new Uint8Array(value)).join(", ")}]`;
	if (typeof value === "object" && value !== null) {
		try {
			return JSON.stringify(value);
		} catch {
			return String(value);
		}
	}
	return Object.is(value, -0) ? "-0" : String(value);
}

/** Same structure and same values, by Object.is; views and buffers by their bytes, maps and sets by their entries. */
function equal(a: unknown, b: unknown): boolean {
	if (Object.is(a, b)) return true;
	if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
	if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
	if (a instanceof ArrayBuffer && b instanceof ArrayBuffer) return equal(new Uint8Array(a), new Uint8Array(b));
	if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime();
	if (a instanceof Error && b instanceof Error) return a.name === b.name && a.message === b.message;
	if (a instanceof Map && b instanceof Map) return equal([...a], [...b]);
	if (a instanceof Set && b instanceof Set) return equal([...a], [...b]);
	const keys = Object.keys(a);
	if (keys.length !== Object.keys(b).length) return false;
	if (Array.isArray(a) && Array.isArray(b) && a.length !== b.length) return false;
	return keys.every((key) => Object.hasOwn(b, key) && equal(Reflect.get(a, key), Reflect.get(b, key)));
}

type ErrorClass = abstract new (...args: never[]) => Error;

/** What can be expected of a value. Each throws an ExpectationError that shows both sides. */
export class Expectation {
	readonly #value: unknown;
	readonly #negated: boolean;

	constructor(value: unknown, negated = false) {
		this.#value = value;
		this.#negated = negated;
	}

	get not(): Expectation {
		return new Expectation(this.#value, !this.#negated);
	}

	#check(ok: boolean, relation: string, expected = ""): void {
		if (ok !== this.#negated) return;
		const not = this.#negated ? "not " : "";
		throw new ExpectationError(
			`expected ${show(this.#value)} ${not}${relation}${expected === "" ? "" : ` ${expected}`}`,
		);
	}

	#number(): number {
		if (typeof this.#value !== "number" && typeof this.#value !== "bigint") {
			throw new ExpectationError(`expected a number, got ${show(this.#value)}`);
		}
		return Number(this.#value);
	}

	/** The same value, by Object.is. */
	toBe(expected: unknown): void {
		this.#check(Object.is(this.#value, expected), "to be", show(expected));
	}

	/** The same structure and values. */
	toEqual(expected: unknown): void {
		this.#check(equal(this.#value, expected), "to equal", show(expected));
	}

	/** Within half a unit of the `digits`-th decimal place. */
	toBeCloseTo(expected: number, digits = 2): void {
		this.#check(Math.abs(this.#number() - expected) < 10 ** -digits / 2, "to be close to", show(expected));
	}

	toBeGreaterThan(limit: number): void {
		this.#check(this.#number() > limit, "to be greater than", show(limit));
	}

	toBeGreaterThanOrEqual(limit: number): void {
		this.#check(this.#number() >= limit, "to be at least", show(limit));
	}

	toBeLessThan(limit: number): void {
		this.#check(this.#number() < limit, "to be less than", show(limit));
	}

	toBeLessThanOrEqual(limit: number): void {
		this.#check(this.#number() <= limit, "to be at most", show(limit));
	}

	toBeTruthy(): void {
		this.#check(Boolean(this.#value), "to be truthy");
	}

	toBeFalsy(): void {
		this.#check(!this.#value, "to be falsy");
	}

	toBeUndefined(): void {
		this.#check(this.#value === undefined, "to be undefined");
	}

	toBeDefined(): void {
		this.#check(this.#value !== undefined, "to be defined");
	}

	toBeNull(): void {
		this.#check(this.#value === null, "to be null");
	}

	toBeNaN(): void {
		this.#check(Number.isNaN(this.#value), "to be NaN");
	}

	toBeInstanceOf(expected: abstract new (...args: never[]) => unknown): void {
		this.#check(this.#value instanceof expected, "to be an instance of", expected.name);
	}

	/** A string has the part, an array or set has the item. */
	toContain(part: unknown): void {
		const value = this.#value;
		const has =
			typeof value === "string" ? value.includes(String(part)) : [...(value as Iterable<unknown>)].includes(part);
		this.#check(has, "to contain", show(part));
	}

	toMatch(pattern: RegExp | string): void {
		const text = String(this.#value);
		this.#check(typeof pattern === "string" ? text.includes(pattern) : pattern.test(text), "to match", String(pattern));
	}

	toHaveLength(length: number): void {
		this.#check((this.#value as { length: number }).length === length, "to have length", show(length));
	}

	/** Calling the value throws; `expected` is a class, or what the message contains or matches. */
	toThrow(expected?: ErrorClass | RegExp | string): void {
		if (typeof this.#value !== "function") throw new ExpectationError("toThrow needs a function to call");
		let thrown: unknown;
		let threw = false;
		try {
			this.#value();
		} catch (error) {
			thrown = error;
			threw = true;
		}
		const message = thrown instanceof Error ? thrown.message : String(thrown);
		if (expected === undefined || !threw) {
			this.#check(threw, "to throw");
		} else if (typeof expected === "string") {
			this.#check(message.includes(expected), `to throw (threw ${show(thrown)})`, show(expected));
		} else if (expected instanceof RegExp) {
			this.#check(expected.test(message), `to throw (threw ${show(thrown)})`, String(expected));
		} else {
			this.#check(thrown instanceof expected, `to throw (threw ${show(thrown)})`, expected.name);
		}
	}
}

/** States what a value must be. */
export function expect(value: unknown): Expectation {
	return new Expectation(value);
}
