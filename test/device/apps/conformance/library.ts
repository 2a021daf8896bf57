// The standard library of ES2022.

import { describe, expect, test } from "pericard/test";

describe("BigInt", () => {
	test("arithmetic beyond 64 bits", () => {
		expect(2n ** 70n + 1n).toBe(1180591620717411303425n);
		expect(2n ** 200n / 3n ** 50n).toBe(2238393297946874000179418290327143433n);
		expect(-7n / 2n).toBe(-3n);
		expect(-7n % 2n).toBe(-1n);
		expect((123456789012345678901234567890n * 987654321098765432109876543210n).toString(16)).toBe(
			"136ccc118300207d2e6cfe0022e5d56a89116ec6de5d5f3ff4",
		);
	});
	test("bits and wrapping", () => {
		expect(BigInt.asUintN(64, -1n)).toBe(18446744073709551615n);
		expect(BigInt.asIntN(8, 255n)).toBe(-1n);
		expect(1n << 100n).toBe(1267650600228229401496703205376n);
		expect(-1n >> 3n).toBe(-1n);
		expect(0xffn & 0x0fn).toBe(15n);
	});
	test("text and typed arrays", () => {
		expect(BigInt("0x1fffffffffffff")).toBe(9007199254740991n);
		expect(255n.toString(2)).toBe("11111111");
		const view = new BigUint64Array(1);
		view[0] = 2n ** 64n + 5n;
		expect(view[0]).toBe(5n);
	});
});

describe("numbers", () => {
	test("IEEE 754 and its text", () => {
		expect(0.1 + 0.2).toBe(0.30000000000000004);
		expect((1e21).toString()).toBe("1e+21");
		expect((255.5).toString(16)).toBe("ff.8");
		expect((1.005).toFixed(2)).toBe("1.00");
		expect((123.456).toPrecision(4)).toBe("123.5");
		expect(Number("0b101")).toBe(5);
		expect(Number.parseFloat("3.14abc")).toBe(3.14);
		expect(Number("")).toBe(0);
		expect(Number.MAX_SAFE_INTEGER).toBe(2 ** 53 - 1);
		expect(5e-324).toBeGreaterThan(0);
	});
	test("integers and shifts", () => {
		expect((2 ** 31) | 0).toBe(-2147483648);
		expect(-1 >>> 0).toBe(4294967295);
		expect(Math.imul(0xffffffff, 5)).toBe(-5);
		expect(Math.clz32(1)).toBe(31);
	});
	test("Math", () => {
		expect(Math.hypot(3, 4)).toBe(5);
		expect(Math.sign(-3)).toBe(-1);
		expect(Math.trunc(-1.7)).toBe(-1);
		expect(Math.fround(5.5)).toBe(5.5);
		expect(Math.sin(1)).toBeCloseTo(0.8414709848078965, 12);
		expect(Math.log2(8)).toBe(3);
		expect(Math.cbrt(27)).toBeCloseTo(3, 12);
		expect(Object.is(Math.round(-0.2), -0)).toBe(true);
	});
});

describe("strings", () => {
	test("Unicode by code point", () => {
		expect("😀".length).toBe(2);
		expect("😀".codePointAt(0)).toBe(0x1f600);
		expect(String.fromCodePoint(0x1f600)).toBe("😀");
		expect("straße".toUpperCase()).toBe("STRASSE");
	});
	test("methods", () => {
		expect("abc".at(-1)).toBe("c");
		expect("a-b-c".replaceAll("-", "+")).toBe("a+b+c");
		expect("5".padStart(3, "0")).toBe("005");
		expect(" x ".trimEnd()).toBe(" x");
		expect("abc".includes("bc")).toBe(true);
		expect("a,b".split(",")).toEqual(["a", "b"]);
		expect("ab".repeat(2)).toBe("abab");
		expect(String.raw`\n${1}`).toBe("\\n1");
	});
});

describe("RegExp", () => {
	test("named groups, look-behind, sticky, global", () => {
		const match = /(?<year>\d{4})-(?<month>\d\d)/u.exec("on 2026-11-21");
		expect(match?.groups?.month).toBe("11");
		expect("a1b22".replace(/(?<=[a-z])\d+/g, (d) => `<${d}>`)).toBe("a<1>b<22>");
		expect([..."a1b2".matchAll(/[a-z](\d)/g)].map((m) => m[1])).toEqual(["1", "2"]);
		const sticky = /b/y;
		sticky.lastIndex = 1;
		expect(sticky.test("ab")).toBe(true);
	});
	test("dotAll, Unicode, backtracking", () => {
		expect(/a.b/s.test("a\nb")).toBe(true);
		expect(/^.$/u.test("😀")).toBe(true);
		expect(/^(a+)+b$/.test("aaaaaaaaaab")).toBe(true);
		expect("x-y".split(/(-)/)).toEqual(["x", "-", "y"]);
	});
	test("a bad pattern is a SyntaxError", () => {
		const pattern = ["(", "["].join("");
		expect(() => new RegExp(pattern)).toThrow(SyntaxError);
	});
});

describe("collections", () => {
	test("Map and Set keep order and compare by sameValueZero", () => {
		const map = new Map<unknown, number>([
			[Number.NaN, 1],
			[0, 2],
		]);
		expect(map.get(Number.NaN)).toBe(1);
		expect(map.get(-0)).toBe(2);
		map.delete(0);
		map.set("late", 3);
		expect([...map.values()]).toEqual([1, 3]);
		expect([...new Set([3, 1, 3, 2])]).toEqual([3, 1, 2]);
	});
	test("WeakMap, WeakSet, WeakRef, FinalizationRegistry", () => {
		const key = {};
		const weak = new WeakMap([[key, "value"]]);
		expect(weak.get(key)).toBe("value");
		expect(new WeakSet([key]).has({})).toBe(false);
		expect(new WeakRef(key).deref() === key).toBe(true);
		new FinalizationRegistry(() => {}).register(key, 1);
	});
	test("arrays", () => {
		expect([1, [2, [3, [4]]]].flat(2)).toEqual([1, 2, 3, [4]]);
		expect([3, 1, 2].sort((a, b) => a - b)).toEqual([1, 2, 3]);
		expect([1, 2, 3].flatMap((x) => [x, x])).toHaveLength(6);
		expect(Array.from({ length: 3 }, (_, i) => i * i)).toEqual([0, 1, 4]);
		expect([1, 2, 3, 4].copyWithin(0, 2)).toEqual([3, 4, 3, 4]);
		expect([5, 6].findIndex((x) => x > 5)).toBe(1);
		expect([1, 2, 3].includes(Number.NaN)).toBe(false);
		expect(Object.fromEntries(Object.entries({ a: 1 }))).toEqual({ a: 1 });
		expect(Object.hasOwn({ a: 1 }, "a")).toBe(true);
	});
	test("sorting is stable", () => {
		const rows = Array.from({ length: 40 }, (_, i) => ({ key: i % 3, i }));
		rows.sort((a, b) => a.key - b.key);
		for (let i = 1; i < rows.length; i++) {
			const [a, b] = [rows[i - 1], rows[i]];
			if (a && b && a.key === b.key) expect(a.i).toBeLessThan(b.i);
		}
	});
});

describe("binary data", () => {
	test("typed arrays wrap, clamp and share a buffer", () => {
		const buffer = new ArrayBuffer(8);
		const bytes = new Uint8Array(buffer);
		new DataView(buffer).setFloat32(0, 1.5, true);
		expect([...bytes.subarray(0, 4)]).toEqual([0, 0, 0xc0, 0x3f]);
		bytes[0] = 300;
		expect(bytes[0]).toBe(44);
		const clamped = new Uint8ClampedArray(1);
		clamped[0] = 300;
		expect(clamped[0]).toBe(255);
		expect(new Int16Array([1, 2, 3]).slice(1)).toHaveLength(2);
		expect(new Float64Array([0.1])[0]).toBe(0.1);
	});
	test("DataView checks its bounds", () => {
		const view = new DataView(new ArrayBuffer(4));
		view.setInt32(0, -2);
		expect(view.getUint8(3)).toBe(254);
		expect(() => view.getInt32(1)).toThrow(RangeError);
	});
	test("DataView reads and writes at any offset", () => {
		const view = new DataView(new ArrayBuffer(24));
		for (let at = 0; at < 8; at++) {
			view.setFloat64(at, 0.1 + at);
			expect(view.getFloat64(at)).toBe(0.1 + at);
			view.setFloat32(at, 1.5 * at);
			expect(view.getFloat32(at)).toBe(1.5 * at);
			view.setBigInt64(at, -5n);
			expect(view.getBigInt64(at)).toBe(-5n);
			view.setInt32(at, -at);
			expect(view.getInt32(at)).toBe(0 - at);
			view.setInt16(at, -at);
			expect(view.getInt16(at)).toBe(0 - at);
		}
	});
	test("one thread: no Atomics, no SharedArrayBuffer", () => {
		expect(typeof Atomics).toBe("undefined");
		expect(typeof SharedArrayBuffer).toBe("undefined");
	});
});

describe("reflection", () => {
	test("Proxy traps and revocation", () => {
		const log: string[] = [];
		const { proxy, revoke } = Proxy.revocable({} as Record<string, number>, {
			get: (_, key) => String(key).length,
			set: (_, key, value) => {
				log.push(`${String(key)}=${value}`);
				return true;
			},
			has: () => true,
			ownKeys: () => ["x"],
			getOwnPropertyDescriptor: () => ({ value: 1, enumerable: true, configurable: true }),
		});
		expect(proxy.four).toBe(4);
		proxy.a = 1;
		expect("any" in proxy).toBe(true);
		expect(Object.keys(proxy)).toEqual(["x"]);
		expect(log).toEqual(["a=1"]);
		revoke();
		expect(() => proxy.b).toThrow(TypeError);
	});
	test("Reflect and descriptors", () => {
		const object = Object.defineProperty({}, "x", { value: 1 });
		expect(Reflect.set(object, "x", 2)).toBe(false);
		expect(Reflect.ownKeys({ b: 1, [Symbol.iterator]: 2 })).toHaveLength(2);
		expect(Object.isFrozen(Object.freeze([1]))).toBe(true);
		expect(() => {
			(Object.freeze({ a: 1 }) as { a: number }).a = 2;
		}).toThrow(TypeError);
	});
	test("symbols", () => {
		expect(Symbol.keyFor(Symbol.for("a"))).toBe("a");
		expect(Symbol("d").description).toBe("d");
		expect(`${{ [Symbol.toPrimitive]: () => "prim" }}`).toBe("prim");
	});
});

describe("JSON and Date", () => {
	test("JSON both ways", () => {
		const text = '{"a":[1,2.5,null,true,"\\u20ac\\n"],"b":{}}';
		expect(JSON.parse(text)).toEqual({ a: [1, 2.5, null, true, "€\n"], b: {} });
		expect(JSON.stringify({ d: undefined, e: Number.NaN, f: [undefined] })).toBe('{"e":null,"f":[null]}');
		expect(JSON.stringify([1, { a: 2 }], null, 1)).toBe('[\n 1,\n {\n  "a": 2\n }\n]');
		expect(JSON.parse('{"a":1,"b":2}', (key, value) => (key === "a" ? undefined : value))).toEqual({ b: 2 });
		expect(() => JSON.parse("{bad}")).toThrow(SyntaxError);
	});
	test("Date in UTC", () => {
		expect(new Date(0).toISOString()).toBe("1970-01-01T00:00:00.000Z");
		expect(Date.UTC(2024, 1, 29)).toBe(1709164800000);
		expect(new Date("2026-11-21T12:34:56.789Z").getTime()).toBe(1795264496789);
		expect(new Date(2026, 10, 21).getTimezoneOffset()).toBe(0);
		expect(new Date(-1).getUTCFullYear()).toBe(1969);
		expect(new Date(Number.NaN).getTime()).toBeNaN();
	});
});
