// A device with the management link and services of its own, for tests of the link: number 0x10 sends the body back, 0x11 sends
// many frames, 0x12 throws. Config `run`: "timer" ticks on the console, "end" has soon nothing left to do, "none" has never, "serial" opens the console.

import Serial from "embedded:io/serial";
import config from "mc/config";
import { answer, answerOnce, serve } from "pericard/management";
import { encodeHeader, encodeMessage } from "pericard/management/codec";
import { report } from "pericard/report";
import Timer from "timer";

const ECHO = 0x10;
const MANY = 0x11;
const THROW = 0x12;

serve(ECHO, ({ sequence, body }) => answerOnce(encodeMessage(0x80 | ECHO, sequence, body)));

serve(MANY, ({ sequence, body }) => {
	const [count = 0, size = 0] = body;
	let sent = 0;
	answer(() => {
		if (sent === count) return undefined;
		const head = encodeHeader(0x80 | MANY, sequence, size);
		return { head, data: new Uint8Array(size + 2).fill(sent++), start: 1, end: 1 + size };
	});
});

serve(THROW, () => {
	throw new RangeError("as asked");
});

let ticks = 0;
switch (config.run) {
	case "timer":
		Timer.repeat(() => report("tick", { n: ++ticks }), 10);
		break;
	case "serial":
		try {
			new Serial({ port: 0, baud: 115200 });
		} catch (error) {
			report("refused", String(error));
		}
		break;
	case "none":
		Timer.repeat(() => {}, 60_000);
		break;
	default:
		Timer.set(() => console.log("done"), 30);
}
