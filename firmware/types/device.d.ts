// The global `device`: what the board offers. Loaded when the build has the module "embedded:provider/builtin".

import type builtin from "embedded:provider/builtin";

declare global {
	/** ECMA-419's host provider instance. */
	const device: typeof builtin;
}
