// For the test of the harness itself: does what the lines on port 1 say, and ticks ten times a second.

import Serial from "embedded:io/serial";
import flash from "embedded:storage/flash";
import { mark } from "pericard/bench";
import { resetRecord, restart } from "pericard/system";
import Timer from "timer";

let line = "";
let received = 0;
let sum = 0;

function obey(command: string): void {
	switch (command) {
		case "loop":
			console.log("looping");
			for (;;);
		case "restart":
			restart("asked to");
			break;
		case "throw":
			throw new RangeError("asked to");
		case "mark":
			for (let i = 0; i < 10; i++) mark();
			console.log("marked");
			break;
		case "store": {
			const data = flash.open({ path: "data" });
			data.eraseBlock(0);
			data.write(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), 0);
			data.close();
			console.log("stored");
			break;
		}
		case "load": {
			const data = flash.open({ path: "data" });
			console.log(`loaded ${new Uint8Array(data.read(12, 0) as ArrayBuffer).join(" ")}`);
			data.close();
			break;
		}
		case "end":
			port.close();
			Timer.clear(ticking);
			break;
		default:
			console.log(`sum ${received} ${sum}`);
	}
}

const port = new Serial({
	port: 1,
	baud: 115200,
	format: "buffer",
	onReadable() {
		for (const byte of new Uint8Array(port.read() as ArrayBuffer)) {
			received++;
			sum = (sum * 31 + byte) | 0;
			if (byte === 10) {
				obey(line);
				line = "";
			} else if (byte < 128) {
				line += String.fromCharCode(byte);
			}
		}
	},
});

console.log(`ready ${resetRecord.reason} ${resetRecord.count}`);
let ticks = 0;
const ticking = Timer.repeat(() => console.log(`tick ${++ticks}`), 100);
