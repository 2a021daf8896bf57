// From a seed to an order, and from an order to a linker script. What comes of it on a device: test/device/diversify.test.ts.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkOrder, Draw, diversify, orderedScript, orderOf, readSeed, shuffle } from "../../tools/build/diversify.ts";
import { readMap } from "../../tools/build/size.ts";
import { readDiversify } from "../../tools/cli/build.ts";
import { failure, scratch } from "./build-fixtures.ts";

const places = (count: number) => Array.from({ length: count }, (_, index) => index);

describe("the shuffle", () => {
	/* Made with the Python program of docs/relocation.md. */
	const bytes = Uint8Array.from(places(32));
	test.each<[string | Uint8Array, string, string, number[]]>([
		["device 17", "e070e85cd320ece2", "host", [6, 8, 1, 2, 10, 5, 9, 4, 7, 11, 0, 3]],
		["device 17", "e070e85cd320ece2", "engine", [0, 4, 3, 9, 6, 5, 11, 1, 2, 7, 10, 8]],
		[bytes, "31693e5d1f4b2a5b", "host", [4, 5, 1, 8, 9, 6, 3, 10, 2, 11, 7, 0]],
		[bytes, "31693e5d1f4b2a5b", "engine", [4, 10, 8, 5, 0, 2, 6, 9, 1, 11, 7, 3]],
	])("seed %j (%s), region %s", (text, id, region, order) => {
		const seed = readSeed(text);
		expect(seed.id).toBe(id);
		expect(shuffle(places(12), seed.key, region)).toEqual(order);
	});

	test("goes on from block to block", () => {
		const order = shuffle(places(1000), readSeed("device 17").key, "library");
		expect([...order.slice(0, 6), ...order.slice(-3)]).toEqual([608, 708, 19, 425, 526, 154, 150, 960, 706]);
		expect([...order].sort((a, b) => a - b)).toEqual(places(1000));
	});

	test("throws away the words that would favour small numbers", () => {
		/* Of 2^32 words, 2^31 + 1 numbers can use the first 2^31 + 1 only: almost every second one goes. */
		const draw = new Draw(readSeed("device 17").key, "host");
		const drawn = places(6).map(() => draw.below(2 ** 31 + 1));
		expect(drawn).toEqual([435770031, 842195986, 43300625, 1228470877, 418866396, 462464789]);
	});

	test("gives each order of four as often as any other", () => {
		const counts = new Map<string, number>();
		const draws = 24_000;
		for (let index = 0; index < draws; index++) {
			const order = shuffle(places(4), readSeed(`device ${index}`).key, "host").join();
			counts.set(order, (counts.get(order) ?? 0) + 1);
		}
		expect(counts.size).toBe(24);
		const expected = draws / 24;
		const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
		/* 23 degrees of freedom: more than 49.7 in one of a thousand sets of seeds, and these are always the same. */
		expect(chiSquare).toBeLessThan(49.7);
	});
});

describe("seeds", () => {
	test("are worth what they hold, and never more than 256 bits", () => {
		expect(readSeed("17").bits).toBe(16);
		expect(readSeed("é").bits).toBe(16);
		expect(readSeed(new Uint8Array(32)).bits).toBe(256);
		expect(readSeed(new Uint8Array(100)).bits).toBe(256);
	});

	test("text and its bytes are one seed; other seeds are others; none is refused", async () => {
		expect(readSeed("a").id).toBe(readSeed(Uint8Array.of(0x61)).id);
		expect(readSeed("a").id).not.toBe(readSeed("a\n").id);
		expect((await failure(() => readSeed(""))).message).toBe("the seed of --diversify is empty");
	});

	test("come from the command line or from a file", async () => {
		const folder = scratch();
		writeFileSync(join(folder, "seed"), Uint8Array.of(1, 2, 255));
		writeFileSync(join(folder, "none"), "");
		expect(readDiversify(undefined)).toBeUndefined();
		expect(readDiversify("abc")).toBe("abc");
		expect([...(readDiversify(`@${join(folder, "seed")}`) ?? [])]).toEqual([1, 2, 255]);
		expect((await failure(() => readDiversify("@/no/such/file"))).message).toContain('no file "/no/such/file"');
		expect((await failure(() => readDiversify(`@${folder}`))).message).toContain("no file");
		expect((await failure(() => readDiversify(`@${join(folder, "none")}`))).message).toContain("is empty");
	});
});

const text = `
Linker script and memory map

.vectors        0x00000000      0x400
 .text.no       0x00000000        0x4 objects/host/a.o

.host           0x00000400       0x40
 .text.b        0x00000410       0x10 objects/host/a.o
 .text.a_function_of_a_long_name
                0x00000400       0x0e objects/host/a.o
 *fill*         0x0000040e        0x2
 .text.empty    0x00000410        0x0 objects/host/a.o
 .text.b        0x00000420       0x10 objects/host/my file.o
 .rodata.b      0x00000430       0x10 objects/host/a.o

.library        0x00000440       0x40
 .text          0x00000440       0x10 /usr/lib/gcc/v7e-m+fp/libm.a(lib_a-s_sin.o)
 .text.twice    0x00000450       0x10 objects/library/x/x.o
 .text.twice    0x00000460       0x10 objects/library/x/x.o
 .text          0x00000470       0x10 /usr/lib/crt1.o
`;

describe("orders", () => {
	test("are of what a region has of code, by address; sections of one name are one unit", () => {
		expect(orderOf(readMap(text))).toEqual({
			host: [
				"objects/host/a.o(.text.a_function_of_a_long_name)",
				"objects/host/a.o(.text.b)",
				"objects/host/my file.o(.text.b)",
			],
			engine: [],
			native: [],
			library: [
				"/usr/lib/gcc/v7e-m+fp/libm.a(lib_a-s_sin.o)(.text)",
				"objects/library/x/x.o(.text.twice)",
				"/usr/lib/crt1.o(.text)",
			],
		});
	});

	test("come into a linker script before its own patterns, by names that no folder is in", () => {
		const script = ["\t.host :", "\t{", "\t\t__host_start = .;", "\t\t*(.text)", "\t__library_start = .;", "}\n"];
		expect(orderedScript(script.join("\n"), orderOf(readMap(text))).split("\n")).toEqual([
			...script.slice(0, 3),
			'\t\t"objects/host/a.o"(.text.a_function_of_a_long_name)',
			'\t\t"objects/host/a.o"(.text.b)',
			'\t\t"objects/host/my file.o"(.text.b)',
			...script.slice(3, 5),
			'\t\t"*/libm.a:lib_a-s_sin.o"(.text)',
			'\t\t"objects/library/x/x.o"(.text.twice)',
			'\t\t"*/crt1.o"(.text)',
			...script.slice(5, 6).join("").split("\n"),
		]);
	});

	test("that the linker did not keep to are an error", async () => {
		const map = readMap(text);
		const order = orderOf(map);
		checkOrder(map, order);
		const [first = "", second = "", third = ""] = order.host;
		const wrong = { ...order, host: [first, third, second] };
		expect((await failure(() => checkOrder(map, wrong))).message).toContain(`not in the seed's order, from "${third}"`);
		const more = { ...order, host: [first, second] };
		expect((await failure(() => checkOrder(map, more))).message).toContain(`from "${third}"`);
		const less = { ...order, engine: ["x.o(.text.f)"] };
		expect((await failure(() => checkOrder(map, less))).message).toContain('region "engine"');
	});

	test("each region has its own", () => {
		const same = places(50).map((index) => `f${index}`);
		const { host, engine } = diversify({ host: same, engine: same, native: [], library: [] }, readSeed("17"));
		expect(host).not.toEqual(engine);
		expect([...host].sort()).toEqual([...same].sort());
	});
});
