// Obeys one command a line from the second serial port, so that a test can ask the board for one thing at a time.

import Digital from "embedded:io/digital";
import I2C from "embedded:io/i2c";
import Serial from "embedded:io/serial";
import { report } from "pericard/report";
import { resetRecord, restart, wakeups } from "pericard/system";
import { Watchdog } from "pericard/watchdog";
import Timer from "timer";

const program: (offset: number, word: number) => number = native("xs_board_program");
const erase: (offset: number) => number = native("xs_board_erase");
const word: (offset: number) => number = native("xs_board_word");
const noise: () => number = native("xs_board_noise");

const BUTTON = 11;
const THERMOMETER = 0x50;

function temperature(): void {
	const sensor = new I2C({ data: 26, clock: 27, hz: 400_000, address: THERMOMETER });
	sensor.write(Uint8Array.of(0x14, 0xc1)); // convert
	Timer.set(() => {
		sensor.write(Uint8Array.of(0x08), false); // FIFO data
		const bytes = new Uint8Array(2);
		sensor.read(bytes);
		const [high = 0, low = 0] = bytes;
		sensor.close();
		report("temperature", { celsius: (((high << 24) >> 16) | low) * 0.005 });
	}, 30);
}

function absent(): void {
	const peer = new I2C({ data: 26, clock: 27, hz: 100_000, address: 0x11 });
	try {
		peer.write(Uint8Array.of(0));
		report("absent", { error: "" });
	} catch (error) {
		report("absent", { error: String(error) });
	}
	peer.close();
}

function watchButton(): void {
	new Digital({
		pin: BUTTON,
		mode: Digital.InputPullUp,
		edge: Digital.Rising | Digital.Falling,
		onReadable() {
			report("button", { level: this.read() });
		},
	});
	report("watching", {});
}

const commands: Record<string, (a: number, b: number) => void> = {
	program: (offset, value) => report("program", { status: program(offset, value), word: word(offset) }),
	erase: (offset) => report("erase", { status: erase(offset), word: word(offset) }),
	word: (offset) => report("word", { word: word(offset) }),
	noise: (count) => report("noise", { bytes: Array.from({ length: count }, noise) }),
	temperature,
	absent,
	button: watchButton,
	dog: (timeout) => {
		new Watchdog({ timeout });
		report("dog", {});
	},
	restart: () => restart("asked to"),
	wakeups: () => report("wakeups", { count: wakeups() }),
	echo: (a, b) => report("echo", { a, b }),
};

let line = "";
new Serial({
	port: 1,
	baud: 115200,
	onReadable(bytes) {
		for (let i = 0; i < bytes; i++) {
			const code = this.read() as number;
			if (code !== 10) {
				line += String.fromCharCode(code);
				continue;
			}
			const [name = "", a = "0", b = "0"] = line.split(" ");
			line = "";
			commands[name]?.(Number(a), Number(b));
		}
	},
});
report("ready", { reset: resetRecord.reason, count: resetRecord.count });
