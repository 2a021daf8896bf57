// embedded:provider/builtin: ECMA-419's host provider instance, also the global `device`.

import Digital from "embedded:io/digital";
import I2C from "embedded:io/i2c";
import Serial from "embedded:io/serial";
import config from "mc/config";

/** The board's own values are the "device" of its manifest's config: pins and the defaults of each class. */
interface BoardConfig {
	readonly device?: {
		readonly pin?: Readonly<Record<string, number>>;
		readonly Serial?: Readonly<Record<string, number>>;
		readonly I2C?: Readonly<Record<string, number>>;
	};
}

const board = (config as BoardConfig).device ?? {};

const device = {
	io: { Digital, I2C, Serial },
	pin: board.pin ?? {},
	Serial: { default: { io: Serial, port: 1, baud: 115200, ...board.Serial } },
	I2C: { default: { io: I2C, port: 0, data: 0, clock: 0, hz: 100_000, ...board.I2C } },
};

(globalThis as { device?: typeof device }).device = device;

export default device;
