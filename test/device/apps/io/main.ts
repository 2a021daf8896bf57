// The ECMA-419 classes and the timers of the emulated boards, tested on the device. The peer on port 1 sends back what it
// gets; pins 2n and 2n + 1 are wired together.

import Digital from "embedded:io/digital";
import I2C from "embedded:io/i2c";
import Serial from "embedded:io/serial";
import Flash from "embedded:storage/flash";
import KeyValue from "embedded:storage/key-value";
import { crc16, crc32 } from "pericard/crc";
import { collect, memory, wakeups } from "pericard/system";
import { describe, expect, test } from "pericard/test";
import { Watchdog } from "pericard/watchdog";
import Time from "time";
import Timer from "timer";

const text = (string: string) => Uint8Array.from(string, (c) => c.charCodeAt(0));
const pause = (ms: number) => new Promise<void>((resolve) => Timer.set(() => resolve(), ms));

describe("timer", () => {
	test("runs at its time, in order", async () => {
		const start = Time.microseconds;
		const seen: string[] = [];
		Timer.set(() => seen.push("20"), 20);
		Timer.set(() => seen.push("10"), 10);
		Timer.set(() => seen.push("0"));
		await pause(30);
		expect(seen).toEqual(["0", "10", "20"]);
		const took = Time.microseconds - start;
		expect(took).toBeGreaterThanOrEqual(30_000);
		expect(took).toBeLessThan(40_000);
	});
	test("repeats on its raster, until cleared", async () => {
		const at: number[] = [];
		const start = Time.microseconds;
		const timer = Timer.repeat(() => {
			at.push(Time.microseconds - start);
			if (at.length === 5) Timer.clear(timer);
		}, 2.5);
		await pause(40);
		expect(at).toHaveLength(5);
		// A collection of garbage may hold up some of them, but not the raster.
		for (const [i, us] of at.entries()) expect(us).toBeGreaterThanOrEqual((i + 1) * 2500);
		expect(at[4]).toBeLessThan(14_000);
	});
	test("can be scheduled anew, stopped, and started again", async () => {
		let runs = 0;
		const timer = Timer.set(() => runs++, 5, 5);
		Timer.schedule(timer);
		await pause(20);
		expect(runs).toBe(0);
		Timer.schedule(timer, 1, 10);
		await pause(25);
		Timer.clear(timer);
		expect(runs).toBe(3);
		expect(() => Timer.schedule(timer, 1)).toThrow("cleared");
	});
	test("a callback may clear other timers", async () => {
		let ran = false;
		const victim = Timer.set(() => {
			ran = true;
		}, 10);
		Timer.set(() => Timer.clear(victim), 10 - 1);
		await pause(15);
		expect(ran).toBe(false);
	});
	test("a repetition of less than a microsecond is one", async () => {
		let runs = 0;
		const timer = Timer.repeat(() => {
			if (++runs === 3) Timer.clear(timer);
		}, 0.0001);
		await pause(20);
		expect(runs).toBe(3);
	});
	test("one that can't keep up holds up no other", async () => {
		const start = Time.microseconds;
		const busy = Timer.repeat(() => {
			const since = Time.microseconds;
			while (Time.microseconds - since < 100);
		}, 0.01);
		await pause(5);
		Timer.clear(busy);
		expect(Time.microseconds - start).toBeLessThan(20_000);
	});
	test("a callback may stop, restart and clear its own timer", async () => {
		const seen: string[] = [];
		const stopped = Timer.repeat(() => {
			seen.push("stopped");
			Timer.schedule(stopped);
		}, 1);
		const again = Timer.set(() => {
			seen.push("again");
			if (seen.length < 4) Timer.schedule(again, 3);
		}, 2);
		const cleared = Timer.set(() => {
			Timer.clear(cleared);
			Timer.clear(cleared);
		});
		await pause(15);
		expect(seen).toEqual(["stopped", "again", "again", "again"]);
		Timer.clear(stopped);
		expect(() => Timer.schedule(cleared, 1)).toThrow("cleared");
		// The arguments may have a life of their own.
		const victim = Timer.set(() => seen.push("victim"), 1);
		const deadly = {
			valueOf() {
				Timer.clear(victim);
				return 1;
			},
		};
		expect(() => Timer.schedule(victim, deadly as unknown as number)).toThrow("cleared");
		await pause(5);
		expect(seen).toHaveLength(4);
	});
	test("many at once, and collections meanwhile", async () => {
		let sum = 0;
		for (let i = 0; i < 100; i++) Timer.set(() => (sum += i), (i * 7) % 10);
		const collector = Timer.repeat(collect, 2);
		await pause(20);
		Timer.clear(collector);
		expect(sum).toBe(4950);
	});
	test("wrong arguments", () => {
		expect(() => Timer.set(undefined as unknown as () => void)).toThrow(TypeError);
		expect(() => Timer.clear({} as Timer)).toThrow(TypeError);
		expect(() => Timer.set(() => {}, 1e300)).toThrow(RangeError);
	});
	test("ticks compare across a wrap", () => {
		expect(Time.delta(0x7ffffff0, -0x7ffffff0)).toBe(32);
	});
});

describe("digital", () => {
	test("writes are read, edges are told", async () => {
		const edges: number[] = [];
		const input = new Digital({
			pin: 1,
			mode: Digital.Input,
			edge: Digital.Rising | Digital.Falling,
			onReadable() {
				edges.push(this.read());
			},
		});
		const output = new Digital({ pin: 0, mode: Digital.Output });
		output.write(1);
		await pause(1);
		output.write(0);
		await pause(1);
		expect(edges).toEqual([1, 0]);
		input.close();
		output.write(1);
		await pause(1);
		expect(edges).toHaveLength(2);
		output.close();
		expect(() => output.write(0)).toThrow(TypeError);
	});
	test("a pin is taken once, and must exist", () => {
		const pin = new Digital({ pin: 2, mode: Digital.Output });
		expect(() => new Digital({ pin: 2, mode: Digital.Output })).toThrow("in use");
		pin.close();
		new Digital({ pin: 2, mode: Digital.Output }).close();
		expect(() => new Digital({ pin: 63, mode: Digital.Output })).toThrow("not on this board");
		expect(() => new Digital({ pin: 3, mode: 77 })).toThrow(RangeError);
		for (const number of [-1, 4.5, Number.NaN, 2 ** 32 + 4]) {
			expect(() => new Digital({ pin: number, mode: Digital.Output })).toThrow("not on this board");
		}
	});
	test("an edge is told to the pin's owner of that time only", async () => {
		const told: string[] = [];
		const watch = (pin: number, call: () => void) =>
			new Digital({ pin, mode: Digital.Input, edge: Digital.Rising, onReadable: call });
		const outputs = [4, 6].map((pin) => new Digital({ pin, mode: Digital.Output }));
		let second = watch(7, () => told.push("before"));
		const first = watch(5, () => {
			told.push("first");
			second.close();
			second = watch(7, () => told.push("after"));
		});
		for (const output of outputs) output.write(1);
		await pause(1);
		expect(told).toEqual(["first"]);
		for (const pin of [first, second, ...outputs]) pin.close();
	});
});

describe("serial", () => {
	test("bytes come back from the peer", async () => {
		const got: number[] = [];
		const port = new Serial({
			port: 1,
			baud: 115200,
			receive: 0,
			onReadable() {
				for (let byte = this.read(); byte !== undefined; byte = this.read()) got.push(byte as number);
			},
		});
		port.write(text("hello\0\x7f"));
		port.write(0x21);
		for (let i = 0; i < 100 && got.length < 8; i++) await pause(1);
		expect(got).toEqual([...text("hello\0\x7f!")]);
		port.close();
		expect(() => port.write(1)).toThrow(TypeError);
	});
	test("what arrives while the application delays is told afterwards", async () => {
		const got: number[] = [];
		const port = new Serial({
			port: 1,
			baud: 115200,
			onReadable() {
				got.push(this.read() as number);
			},
		});
		port.write(0x55);
		const start = Time.microseconds;
		Timer.delay(50);
		expect(Time.microseconds - start).toBeGreaterThanOrEqual(50_000);
		expect(got).toEqual([]);
		await pause(1);
		expect(got).toEqual([0x55]);
		port.close();
	});
	test("onWritable comes whenever there is room again", async () => {
		const size = 1500;
		let sent = 0;
		let back = 0;
		const port = new Serial({
			port: 1,
			baud: 115200,
			format: "buffer",
			onWritable(bytes) {
				const part = Math.min(bytes, size - sent);
				if (part > 0) this.write(new Uint8Array(part).fill(0x2e));
				sent += part;
			},
			onReadable() {
				back += (this.read() as ArrayBuffer).byteLength;
			},
		});
		for (let i = 0; i < 300 && back < size; i++) await pause(1);
		port.close();
		expect(sent).toBe(size);
		expect(back).toBe(size);
	});
	test("buffers, and refusals", () => {
		const port = new Serial({ port: 1, baud: 9600, receive: 0, format: "buffer" });
		expect(port.read()).toBeUndefined();
		expect(() => new Serial({ port: 1, baud: 9600, receive: 0 })).toThrow("in use");
		expect(() => port.write(new Uint8Array(8_000))).toThrow("no room");
		port.close();
		expect(() => new Serial({ port: 9, baud: 9600, receive: 0 })).toThrow("not on this board");
		expect(() => new Serial({ port: 1, baud: 0, receive: 0 })).toThrow(RangeError);
		for (const number of [-1, 1.5, Number.NaN, 2 ** 32 + 1]) {
			expect(() => new Serial({ port: number, baud: 9600 })).toThrow("not on this board");
		}
	});
});

describe("i2c", () => {
	test("a board without a bus says so", () => {
		expect(() => new I2C({ data: 0, clock: 0, hz: 100_000, address: 0x50 })).toThrow("no such bus");
		expect(() => new I2C({ data: 0, clock: 0, hz: 100_000, address: 200 })).toThrow(RangeError);
	});
});

describe("device", () => {
	test("is ECMA-419's host provider", () => {
		expect(device.io.Serial === Serial).toBe(true);
		expect(device.io.Digital === Digital).toBe(true);
		const port = new device.io.Serial({ ...device.Serial.default, baud: 57600, format: "buffer" });
		port.close();
	});
});

describe("storage", () => {
	test("key-value keeps text and bytes, by domain", () => {
		const a = KeyValue.open({ path: "a", format: "string" });
		const b = KeyValue.open({ path: "b" });
		a.write("name", "heart");
		b.write("name", Uint8Array.of(1, 2, 3));
		expect(a.read("name")).toBe("heart");
		expect(b.read("name")).toEqual(Uint8Array.of(1, 2, 3).buffer);
		a.delete("name");
		expect(a.read("name")).toBeUndefined();
		expect(b.read("name")).toBeDefined();
		a.close();
		b.close();
	});
	test("flash is NOR: bits are cleared one by one and set a block at a time", () => {
		const path = [...Flash][1];
		expect(path).toBeDefined();
		const partition = Flash.open({ path: path as string });
		const { size, blocks, blockLength } = partition.status();
		expect(size).toBe(blocks * blockLength);
		partition.eraseBlock(0);
		partition.write(Uint8Array.of(0xf0, 0xff, 0xff, 0xff), 0);
		partition.write(Uint8Array.of(0x30), 0);
		expect(new Uint8Array(partition.read(2, 0))).toEqual(Uint8Array.of(0x30, 0xff));
		expect(() => partition.write(Uint8Array.of(0xff), 0)).toThrow();
		partition.eraseBlock(0);
		expect(new Uint8Array(partition.read(1, 0))).toEqual(Uint8Array.of(0xff));
		expect(() => partition.read(1, size)).toThrow(RangeError);
		partition.close();
	});
});

describe("crc", () => {
	test("check values of the catalogue", () => {
		expect(crc16(text("123456789"))).toBe(0x29b1);
		expect(crc32(text("123456789"))).toBe(0xcbf43926);
		expect(crc32(text("x123456789y"), 1, 10)).toBe(0xcbf43926);
		expect(crc32(new Uint8Array(0))).toBe(0);
		expect(() => crc16(text("abc"), 2, 9)).toThrow(RangeError);
		expect(() => crc16("abc" as unknown as Uint8Array)).toThrow();
	});
	test("a buffer that moves while the range is worked out", () => {
		// A collection moves what lies above the hole, and the next buffer comes to lie where it was.
		const hole: Uint8Array[] = [new Uint8Array(1000)];
		const data = text("123456789");
		const start = {
			valueOf() {
				hole.length = 0;
				collect();
				hole.push(new Uint8Array(1500).fill(0xff));
				return 0;
			},
		};
		expect(crc32(data, start as unknown as number)).toBe(0xcbf43926);
	});
});

describe("system", () => {
	test("tells what it uses", () => {
		expect(memory().free).toBeGreaterThan(0);
		expect(memory().slots).toBeGreaterThan(10_000);
	});
	test("the wall clock goes on after 2038", () => {
		Time.set(4_000_000_000);
		expect(Math.floor(Date.now() / 1000)).toBe(4_000_000_000);
		expect(new Date().getUTCFullYear()).toBe(2096);
	});
	test("says a long line", () => {
		console.log(...new Array(100).fill("."));
	});
	test("sleeps between events", async () => {
		const before = wakeups();
		await pause(500);
		expect(wakeups() - before).toBeLessThanOrEqual(3);
	});
	test("a watchdog's time-out has limits", () => {
		expect(() => new Watchdog({ timeout: 0 })).toThrow(RangeError);
		expect(() => new Watchdog({ timeout: 60_001 })).toThrow(RangeError);
	});
});
