// The management link on every board: requests and answers between the console's text, whatever else comes over the line.

import { expect, test, vi } from "vitest";
import { encodeMessage, type Message } from "../../firmware/management/codec.ts";
import type { Device } from "../../tools/harness/device.ts";
import { encodeFrame } from "../../tools/harness/framing.ts";
import { ManagementClient } from "../../tools/harness/management.ts";
import { describeAt, eachBoard, mps2, nrf, tierOne, withDevice } from "./boards.ts";

vi.setConfig({ testTimeout: 300_000 });

const APP = "management";
const ECHO = 0x10;
const MANY = 0x11;
const THROW = 0x12;

const frame = (message: number, sequence: number, ...body: number[]) =>
	encodeFrame(encodeMessage(message, sequence, Uint8Array.from(body)));

/** What an answer says, for people. */
function told({ message, sequence, body }: Message): string {
	const bytes = Buffer.from(body ?? []);
	return message === 0xff
		? `${sequence}: error ${bytes[0]} ${bytes.subarray(1)}`
		: `${sequence}: ${bytes.toString("hex")}`;
}

async function answersTo(device: Device, bytes: Uint8Array, seconds = 0.2): Promise<string[]> {
	const client = new ManagementClient(device);
	client.send(bytes);
	expect(await device.run(seconds)).toBe("time");
	return client.answers().map(told);
}

function ticks(device: Device): number[] {
	return device.records().flatMap(({ type, data }) => (type === "tick" ? [(data as { n: number }).n] : []));
}

describeAt(eachBoard, "management link", (place) => {
	test("a request is answered, between lines of the console that stay whole", async () => {
		await withDevice(place, APP, async (device) => {
			await device.run(0.05);
			expect(await answersTo(device, frame(ECHO, 7, 1, 0xc0, 0xdb, 0xa8, 0))).toEqual(["7: 01c0dba800"]);
			const many = await answersTo(device, frame(MANY, 8, 30, 200), 2);
			expect(many).toEqual(Array.from({ length: 30 }, (_, n) => `8: ${Buffer.alloc(200, n).toString("hex")}`));
			const seen = ticks(device);
			expect(seen).toEqual(Array.from({ length: seen.length }, (_, index) => index + 1));
			expect(seen.length).toBeGreaterThan(215);
			expect(device.output()).not.toContain("\ufffd");
		});
	});

	test("what is wrong with a request is told", async () => {
		await withDevice(place, APP, async (device) => {
			const short = encodeMessage(ECHO, 3, Uint8Array.of(1, 2)).subarray(0, 7);
			const long = Buffer.concat([encodeMessage(ECHO, 4, Uint8Array.of(1)), Uint8Array.of(2)]);
			const other = encodeMessage(ECHO, 5, Uint8Array.of()).map((byte, index) => (index === 0 ? 2 : byte));
			const line = Buffer.concat([
				frame(0x7f, 1),
				frame(THROW, 2),
				...[short, long, other].map((payload) => encodeFrame(payload)),
				encodeFrame(Uint8Array.of(1, ECHO, 6)), // no header: nobody to tell
				frame(0x80 | ECHO, 7), // an answer: not answered
				frame(ECHO, 8, 9),
			]);
			expect(await answersTo(device, line, 0.5)).toEqual([
				"1: error 3 ",
				"2: error 8 RangeError: as asked",
				"3: error 1 ",
				"4: error 1 ",
				"5: error 2 ",
				"8: 09",
			]);
		});
	});

	test("a request wakes a device that sleeps", async () => {
		await withDevice(
			place,
			APP,
			async (device) => {
				await device.run(5);
				const before = await device.instructions();
				await device.run(5);
				if (place.emulator !== "posix") expect((await device.instructions()) - before).toBeLessThan(1000n);
				expect(await answersTo(device, frame(ECHO, 7, 1, 2), 0.02)).toEqual(["7: 0102"]);
			},
			{ config: { run: "none" } },
		);
	});

	const good = frame(ECHO, 1, 1, 2, 3, 4, 5, 6, 7, 8);
	// Renode's line has the speed of its baud rate.
	const size = place.emulator === "renode" ? 3000 : 20_000;
	const noise = Uint8Array.from({ length: size }, (_, i) => Math.imul(i, 2654435761) >>> 13);
	const hostile: readonly (readonly [string, Uint8Array])[] = [
		["random bytes", noise],
		["nothing but ENDs", new Uint8Array(3000).fill(0xc0)],
		["nothing but escapes", new Uint8Array(3000).fill(0xdb)],
		["nothing but types", new Uint8Array(3000).fill(0xa8)],
		["a truncated frame", good.subarray(0, 9)],
		["half a frame, then its other half in another", Buffer.concat([good.subarray(0, 8), good.subarray(3)])],
		["a wrong check", good.map((byte, index) => (index === good.length - 2 ? byte ^ 0x10 : byte))],
		["an escape at the end", Buffer.concat([good.subarray(0, -1), Uint8Array.of(0xdb, 0xc0)])],
		["an escape of nothing", Buffer.concat([good.subarray(0, 5), Uint8Array.of(0xdb, 0x41), good.subarray(6)])],
		["a frame of 129 bytes", encodeFrame(encodeMessage(ECHO, 1, new Uint8Array(123)))],
		["a frame of 5,000 bytes", encodeFrame(new Uint8Array(5000))],
		["a frame without an end", Buffer.concat([Uint8Array.of(0xc0, 0xa8), new Uint8Array(1000).fill(1)])],
		["a frame for somebody else", Uint8Array.of(0xc0, 0xa9, 0x40, 0x01, 0x12, 0x34, 0xc0)],
		["text of a terminal", Buffer.from("help\r\nreboot now, please: grüße\r\n")],
	];

	test("whatever came before, the next request is answered, and the app goes on", async () => {
		await withDevice(place, APP, async (device) => {
			await device.run(0.02);
			let sequence = 100;
			for (const [name, bytes] of hostile) {
				const seconds = 0.1 + bytes.length * 100e-6;
				const request = frame(ECHO, ++sequence, 0xaa, 0xdb);
				const answers = await answersTo(device, Buffer.concat([bytes, request]), seconds);
				expect(answers.at(-1), name).toBe(`${sequence}: aadb`);
				expect(answers.length, name).toBe(1);
			}
			// 120 bytes of body still fit.
			const longest = await answersTo(device, frame(ECHO, 1, ...new Uint8Array(122).fill(0xc0)));
			expect(longest).toEqual([`1: ${"c0".repeat(122)}`]);
			const seen = ticks(device);
			expect(seen).toEqual(Array.from({ length: seen.length }, (_, index) => index + 1));
			expect(Math.abs(seen.length - (await device.now()) * 100)).toBeLessThan(4);
		});
	});
});

describeAt(tierOne, "management link", (place) => {
	test("an app that has nothing left to do has ended, link or not", async () => {
		await withDevice(
			place,
			APP,
			async (device) => {
				expect(await device.run(1)).toBe("ended");
				expect(device.records().at(-1)).toMatchObject({ event: "end", status: 0 });
			},
			{ config: { run: "end" } },
		);
	});

	test("an answer under way is sent to its end first", async () => {
		await withDevice(
			place,
			APP,
			async (device) => {
				await device.run(0.01);
				const client = new ManagementClient(device);
				client.send(frame(MANY, 1, 30, 200));
				expect(await device.run(5)).toBe("ended");
				expect(client.answers().length).toBe(30);
				expect(device.records().at(-1)).toMatchObject({ event: "end", status: 0 });
			},
			{ config: { run: "end" } },
		);
	});

	test("the console is no serial port of an app", async () => {
		await withDevice(
			place,
			APP,
			async (device) => {
				await device.run(0.1);
				const report = device.records().find(({ type }) => type === "refused");
				expect(report?.data).toBe("RangeError: serial: port 0: in use: it is the console");
			},
			{ config: { run: "serial" } },
		);
	});

	test("a flood without end leaves the app its time", async () => {
		await withDevice(place, APP, async (device) => {
			await device.run(0.1);
			// Every frame is valid and asks for an answer; far more than the line could carry.
			const request = frame(ECHO, 1, 1);
			device.write(Buffer.concat(Array.from({ length: 20_000 }, () => request)));
			const before = { ticks: ticks(device).length, instructions: await device.instructions() };
			await device.run(2);
			expect(ticks(device).length - before.ticks).toBeGreaterThanOrEqual(195);
			if (place === mps2) {
				// A second at 62.5 million instructions.
				const share = Number((await device.instructions()) - before.instructions) / (2 * 62.5e6);
				expect(share).toBeLessThan(0.25);
			}
			expect(device.frames().length).toBeGreaterThan(200);
		});
	});

	test("a reset in the midst of a frame takes no record with it", async () => {
		await withDevice(place, APP, async (device) => {
			await device.run(0.05);
			for (let n = 0; n < 5; n++) {
				device.write(frame(MANY, n, 200, 220));
				await device.run(0.0007 + n * 0.0003);
				await device.reset();
				await device.run(0.05);
			}
			const boots = device.records().filter(({ event }) => event === "boot");
			expect(boots.map(({ reset }) => reset)).toEqual(["power-on", "pin", "pin", "pin", "pin", "pin"]);
			expect(await answersTo(device, frame(ECHO, 9, 1), 0.5)).toContain("9: 01");
		});
	});
});

describeAt([nrf], "management link", (place) => {
	test("a reset in the midst of a frame takes no record with it", async () => {
		await withDevice(place, APP, async (device) => {
			await device.run(0.05);
			device.write(frame(MANY, 1, 200, 220));
			await device.run(0.02);
			await device.reset();
			await device.run(0.05);
			expect(device.records().filter(({ event }) => event === "boot").length).toBe(2);
		});
	});
});
