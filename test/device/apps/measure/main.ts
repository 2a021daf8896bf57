// Measures the image that it is part of, again and again, and reports what native/measure says.

import config from "mc/config";
import { report } from "pericard/report";
import Timer from "timer";

const regionAt: (index: number) => string | undefined = native("xs_region_at");
const measure: (count: boolean) => ArrayBuffer = native("xs_measure");
const lifecycle: () => number = native("xs_lifecycle");

export async function never(): Promise<string> {
	return (await import("./spare.ts")).spare();
}

function hex(buffer: ArrayBuffer): string {
	let text = "";
	for (const byte of new Uint8Array(buffer)) text += (256 + byte).toString(16).slice(1);
	return text;
}

const regions: string[] = [];
for (let region = regionAt(0); region !== undefined; region = regionAt(regions.length)) regions.push(region);
report("regions", regions);
report("lifecycle", lifecycle());

let last = "";
let count = 0;

/* The whole of it takes the line a while: only when it is new. */
function tell(): void {
	const text = hex(measure(Number(config.count) !== 0));
	if (text !== last) report("measurement", text);
	last = text;
	report("measured", ++count);
}

tell();
Timer.repeat(tell, 100);
