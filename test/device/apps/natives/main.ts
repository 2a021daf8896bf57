// Natives in every form that TypeScript can name them: functions, methods, accessors, constructors, a destructor.

import { crc32 } from "pericard/crc";
import { collect } from "pericard/system";
import { describe, expect, test } from "pericard/test";

const sum: (...numbers: number[]) => number = native("xs_sum");
const fail: () => never = native("xs_fail");

class Counter extends Native("xs_counter_destructor") {
	constructor(start: number) {
		super();
		native<(this: Counter, start: number) => void>("xs_counter").call(this, start);
	}
	add(n: number): number {
		return native<(this: Counter, n: number) => number>("xs_counter_add").call(this, n);
	}
	get count(): number {
		return native<(this: Counter) => number>("xs_counter_get_count").call(this);
	}
	set count(value: number) {
		native<(this: Counter, value: number) => void>("xs_counter_set_count").call(this, value);
	}
	static get destroyed(): number {
		// biome-ignore lint/complexity/noThisInStatic: a form of a native hands on its own `this`
		return native<(this: typeof Counter) => number>("xs_counter_destroyed").call(this);
	}
}

class Loud extends Counter {
	override add(n: number): number {
		return super.add(n) * 10;
	}
}

describe("natives", () => {
	test("functions take and give values, and are functions", () => {
		expect(sum(1, 2.5, 3)).toBe(6.5);
		expect(sum()).toBe(0);
		expect(typeof sum).toBe("function");
		expect([1, 2, 3].map((n) => sum(n, 1))).toEqual([2, 3, 4]);
		expect(sum.apply(undefined, [4, 5])).toBe(9);
	});
	test("errors thrown in C are caught in TypeScript, with its lines", () => {
		let caught: unknown;
		try {
			fail();
		} catch (error) {
			caught = error;
		}
		expect(caught).toBeInstanceOf(RangeError);
		expect((caught as Error).message).toBe("failed in C");
		expect((caught as Error).stack ?? "").toMatch(/main:\d+/);
	});
	test("constructor, method, getter and setter", () => {
		const counter = new Counter(5);
		expect(counter.add(3)).toBe(8);
		expect(counter.count).toBe(8);
		counter.count = 40;
		expect(counter.count).toBe(40);
		expect(counter).toBeInstanceOf(Counter);
	});
	test("a native class can be extended", () => {
		const loud = new Loud(1);
		expect(loud.add(1)).toBe(20);
		expect(loud.count).toBe(2);
	});
	test("natives refuse what is not theirs", () => {
		expect(() => Counter.prototype.add.call({} as Counter, 1)).toThrow();
		const { add } = new Counter(1);
		expect(() => add.call([] as unknown as Counter, 1)).toThrow();
	});
	test("an object of a native is no buffer, whatever it says of its length", () => {
		const counter = Object.assign(new Counter(0x2000), { byteLength: 16 }) as unknown as ArrayBuffer;
		expect(() => new Uint8Array(counter)).toThrow(TypeError);
		expect(() => new DataView(counter)).toThrow(TypeError);
		expect(() => crc32(counter)).toThrow(TypeError);
	});
	test("the destructor runs when an object is collected", async () => {
		const before = Counter.destroyed;
		(() => {
			for (let i = 0; i < 5; i++) new Counter(i);
		})();
		await null;
		collect();
		expect(Counter.destroyed - before).toBeGreaterThanOrEqual(5);
	});
});
