// Syntax and semantics of ES2022.

import { describe, expect, test } from "pericard/test";

describe("classes", () => {
	class Counter {
		static #made = 0;
		static first: number;
		static {
			Counter.first = 7;
		}
		#n = 1;
		label = `counter ${this.#n}`;
		constructor() {
			Counter.#made++;
		}
		static get made() {
			return Counter.#made;
		}
		#double() {
			return this.#n * 2;
		}
		get #secret() {
			return this.#n + 100;
		}
		bump() {
			this.#n += 1;
			return this.#double() + this.#secret;
		}
		static is(value: object) {
			return #n in value;
		}
	}

	test("private fields, methods and accessors", () => {
		const counter = new Counter();
		expect(counter.bump()).toBe(4 + 102);
		expect(counter.label).toBe("counter 1");
		expect(Object.keys(counter)).toEqual(["label"]);
	});
	test("static fields and blocks", () => {
		expect(Counter.first).toBe(7);
		expect(Counter.made).toBeGreaterThan(0);
	});
	test("brand checks", () => {
		expect(Counter.is(new Counter())).toBe(true);
		expect(Counter.is({})).toBe(false);
		expect(() => Counter.prototype.bump.call({} as Counter)).toThrow(TypeError);
	});
	test("inheritance, super and new.target", () => {
		class Base {
			kind: string;
			constructor() {
				this.kind = new.target.name;
			}
			hello() {
				return "base";
			}
		}
		class Derived extends Base {
			override hello() {
				return `${super.hello()} derived`;
			}
		}
		expect(new Derived().hello()).toBe("base derived");
		expect(new Derived().kind).toBe("Derived");
		expect(new Derived()).toBeInstanceOf(Base);
	});
	test("built-ins can be extended", () => {
		class Stack extends Array<number> {
			top() {
				return this.at(-1);
			}
		}
		const stack = Stack.from([1, 2, 3]) as Stack;
		expect(stack.top()).toBe(3);
		expect(stack.map((x) => x * 2)).toBeInstanceOf(Stack);
	});
});

describe("functions and bindings", () => {
	test("destructuring with defaults, rest and nesting", () => {
		const {
			a,
			b: [c = 5, ...d] = [],
			...rest
		} = { a: 1, b: [undefined, 2, 3], x: 8, y: 9 } as {
			a: number;
			b: (number | undefined)[];
			x: number;
			y: number;
		};
		expect([a, c, d, rest]).toEqual([1, 5, [2, 3], { x: 8, y: 9 }]);
	});
	test("parameters: defaults see earlier ones, rest collects", () => {
		const f = (x: number, y = x + 1, ...more: number[]) => [x, y, more.length];
		expect(f(1)).toEqual([1, 2, 0]);
		expect(f(1, 5, 6, 7)).toEqual([1, 5, 2]);
	});
	test("let in a loop makes a binding an iteration", () => {
		const calls: (() => number)[] = [];
		for (let i = 0; i < 3; i++) calls.push(() => i);
		expect(calls.map((call) => call())).toEqual([0, 1, 2]);
	});
	test("temporal dead zone", () => {
		expect(() => {
			const early = () => late;
			early();
			const late = 1;
			return late;
		}).toThrow(ReferenceError);
	});
	test("optional chaining, nullish and logical assignment", () => {
		const object: { a?: { b?: number[] }; n?: number | null } = {};
		expect(object.a?.b?.[3]).toBeUndefined();
		object.n ??= 4;
		object.n &&= 5;
		object.n ||= 6;
		expect(object.n).toBe(5);
	});
	test("tagged templates keep raw text and one strings object a site", () => {
		const tag = (strings: TemplateStringsArray, ...values: number[]) => ({ strings, raw: strings.raw[0], values });
		const once = () => tag`a\n${1}b${2}`;
		expect(once().raw).toBe("a\\n");
		expect(once().values).toEqual([1, 2]);
		const first = once().strings;
		expect(once().strings === first).toBe(true);
	});
	test("labels, exponent, separators, comma", () => {
		let seen = 0;
		outer: for (let i = 0; i < 5; i++) {
			for (let j = 0; j < 5; j++) {
				if (j === 2) continue outer;
				if (i === 3) break outer;
				seen++;
			}
		}
		expect(seen).toBe(6);
		expect((-2) ** 3 + 1_000).toBe(992);
	});
	test("getters, setters, computed names, symbols as keys", () => {
		const key = Symbol("key");
		let stored = 0;
		const object = {
			[`a${1}`]: 1,
			[key]: 2,
			get value() {
				return stored;
			},
			set value(v: number) {
				stored = v * 2;
			},
		};
		object.value = 4;
		expect(object.value).toBe(8);
		expect(object.a1).toBe(1);
		expect(object[key]).toBe(2);
		expect(JSON.stringify(object)).toBe('{"a1":1,"value":8}');
	});
	test("try, catch without binding, finally overrides", () => {
		const f = () => {
			try {
				throw new Error("x");
			} catch {
				return "catch";
			} finally {
				stored.push("finally");
			}
		};
		const stored: string[] = [];
		expect(f()).toBe("catch");
		expect(stored).toEqual(["finally"]);
	});
	test("error causes and types", () => {
		const cause = new RangeError("low");
		const error = new Error("high", { cause });
		expect(error.cause === cause).toBe(true);
		expect(new AggregateError([cause], "both").errors).toHaveLength(1);
		expect(String(new TypeError("t"))).toBe("TypeError: t");
	});
});

describe("iteration", () => {
	function* numbers(limit: number): Generator<number, string, number | undefined> {
		let step = 1;
		for (let i = 0; i < limit; i += step) step = (yield i) ?? 1;
		return "done";
	}

	test("generators take values, return and delegate", () => {
		const iterator = numbers(10);
		expect(iterator.next().value).toBe(0);
		expect(iterator.next(4).value).toBe(4);
		expect(iterator.return("enough")).toEqual({ value: "enough", done: true });
		function* twice(): Generator<number> {
			yield* numbers(2) as Iterable<number>;
			yield* [8, 9];
		}
		expect([...twice()]).toEqual([0, 1, 8, 9]);
	});
	test("for-of closes its iterator", () => {
		let closed = false;
		const iterable = {
			*[Symbol.iterator]() {
				try {
					yield 1;
					yield 2;
				} finally {
					closed = true;
				}
			},
		};
		for (const x of iterable) if (x === 1) break;
		expect(closed).toBe(true);
	});
	test("spread, entries, for-in order", () => {
		expect([..."añ€😀"]).toHaveLength(4);
		expect([...["x", "y"].entries()]).toEqual([
			[0, "x"],
			[1, "y"],
		]);
		const keys: string[] = [];
		for (const key in { b: 1, 2: 1, a: 1, 1: 1 }) keys.push(key);
		expect(keys).toEqual(["1", "2", "b", "a"]);
	});
});

describe("asynchrony", () => {
	test("await, order of jobs", async () => {
		const order: string[] = [];
		const later = (async () => {
			order.push("start");
			await null;
			order.push("after await");
		})();
		Promise.resolve().then(() => order.push("job"));
		order.push("sync");
		await later;
		expect(order).toEqual(["start", "sync", "after await", "job"]);
	});
	test("rejections are caught", async () => {
		const fail = async () => {
			throw new RangeError("no");
		};
		let caught: unknown;
		try {
			await fail();
		} catch (error) {
			caught = error;
		}
		expect(caught).toBeInstanceOf(RangeError);
	});
	test("all, allSettled, any, race, finally", async () => {
		expect(await Promise.all([1, Promise.resolve(2)])).toEqual([1, 2]);
		const settled = await Promise.allSettled([Promise.resolve(1), Promise.reject(new Error("x"))]);
		expect(settled.map((s) => s.status)).toEqual(["fulfilled", "rejected"]);
		expect(await Promise.any([Promise.reject(new Error("x")), Promise.resolve(3)])).toBe(3);
		expect(await Promise.race([Promise.resolve("fast"), new Promise(() => {})])).toBe("fast");
		let ran = false;
		await Promise.resolve().finally(() => {
			ran = true;
		});
		expect(ran).toBe(true);
	});
	test("async generators and for-await", async () => {
		async function* source() {
			yield 1;
			yield Promise.resolve(2);
		}
		const seen: number[] = [];
		for await (const x of source()) seen.push(x);
		expect(seen).toEqual([1, 2]);
	});
});

describe("modules", () => {
	test("dynamic import, live bindings, top-level await", async () => {
		const lazy = await import("./lazy");
		expect(lazy.answer).toBe(42);
		lazy.increment();
		expect(lazy.count).toBe(1);
		expect((await import("./lazy")) === lazy).toBe(true);
	});
	test("a module that is not in the archive is refused", async () => {
		const name = "not/there";
		let caught: unknown;
		try {
			await import(name);
		} catch (error) {
			caught = error;
		}
		expect(caught).toBeInstanceOf(Error);
	});
	test("no code from text", () => {
		const Build = Function;
		expect(() => new Build("return 1")).toThrow(SyntaxError);
		// biome-ignore lint/security/noGlobalEval: that it does nothing is what is tested
		expect(() => globalThis.eval("1 + 1")).toThrow(SyntaxError);
	});
});
