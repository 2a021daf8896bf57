// The model of the core's cycles (tools/harness/qemu-plugin/cortex-m4.c), checked: against sequences whose cycles are computed
// by hand, and against what others have measured on hardware.

import { type Machine, Room } from "./machine.ts";

/** What a routine takes. `leastCycles` is that of a core whose loads pipeline behind stores. */
export interface Cost {
	readonly instructions: number;
	readonly cycles: number;
	readonly leastCycles: number;
}

const sequence = (instructions: number, cycles: number, leastCycles = cycles): Cost => ({
	instructions,
	cycles,
	leastCycles,
});

/** The file with the sequences, and what each takes by the manual's table. The last instruction of each goes back. */
export const SEQUENCES = "tools/analysis/timing.S";
export const handComputed: Readonly<Record<string, Cost>> = {
	plain: sequence(4, 1 + 1 + 1 + 1),
	loads_in_a_row: sequence(4, 2 + 1 + 1 + 1),
	load_alone: sequence(4, 2 + 1 + 2 + 1),
	load_of_address: sequence(5, 1 + 1 + 2 + 2 + 1),
	load_by_index: sequence(4, 1 + 2 + 1 + 1),
	load_of_index: sequence(6, 1 + 1 + 1 + 2 + 2 + 1),
	load_of_literal: sequence(3, 2 + 1 + 1),
	stores: sequence(4, 1 + 1 + 1 + 1),
	store_then_load: sequence(3, 1 + 2 + 1, 1 + 1 + 1),
	load_then_store: sequence(3, 2 + 1 + 1),
	unaligned: sequence(8, 2 + 1 + 1 + (2 + 2) + 1 + (2 + 1) + 1 + (1 + 2) + 1),
	push_and_pop: sequence(2, 1 + 5 + (1 + 5)),
	push_and_pop_high: sequence(2, 1 + 4 + (1 + 4)),
	multiple: sequence(4, 1 + 3 + (1 + 2) + (1 + 4) + 1),
	double: sequence(3, 3 + 3 + 1),
	divisions: sequence(4, 1 + 6 + 6 + 1),
	multiplications: sequence(7, 6 + 1),
	loop: sequence(8, 1 + 3 * (1 + 1) + 2 * 2 + 1),
	compare_and_branch: sequence(4, 1 + 1 + (1 + 2) + 1),
	call: sequence(4, 1 + (1 + 2) + (1 + 2) + 1),
	table_branch: sequence(3, 1 + (2 + 2) + 1),
	conditional: sequence(5, 1 + 0 + 1 + 1 + 1),
	conditional_load: sequence(4, 1 + 0 + 2 + 1),
	conditional_load_not: sequence(4, 1 + 0 + 1 + 1),
	load_behind_none: sequence(5, 1 + 0 + 1 + 2 + 1),
	exclusive: sequence(3, 2 + 2 + 1),
	floating_point: sequence(11, 2 + 3 + 1 + 2 + 1 + 1 + 1 + 1 + 1 + 1 + 1),
	floating_point_long: sequence(7, 3 + 3 + 3 + 3 + 14 + 14 + 1),
	floating_point_multiple: sequence(6, 1 + 4 + (1 + 4) + (1 + 4) + 2 + 3 + 1),
	across_pages: sequence(5, 1 + 1 + 2 + 1 + 1),
	hints: sequence(4, 1 + 1 + 1 + 1),
};

/** What a routine of timing.S takes in the machine. */
export async function measureSequence(machine: Machine, routine: string): Promise<Cost> {
	const { instructions, cycles, leastCycles } = await machine.call({ routine, arguments: [new Room(64)] });
	return { instructions, cycles, leastCycles };
}

/** Runs the sequences in a machine whose image has SEQUENCES; gives a line for each that takes something else. */
export async function checkModel(machine: Machine, expected = handComputed): Promise<string[]> {
	const wrong: string[] = [];
	for (const [routine, cost] of Object.entries(expected)) {
		const found = await measureSequence(machine, routine);
		if (
			found.instructions === cost.instructions &&
			found.cycles === cost.cycles &&
			found.leastCycles === cost.leastCycles
		)
			continue;
		const text = `${found.instructions} instructions, ${found.cycles} cycles`;
		wrong.push(`${routine}: ${text}; expected ${cost.instructions}, ${cost.cycles}`);
	}
	return wrong;
}

/** Cycles of code by others: published, measured on hardware; and by the model, compiled with -O2. docs/analysis.md has more. */
export const comparedWithHardware: readonly {
	readonly routine: string;
	readonly published: number;
	readonly model: number;
}[] = [
	{ routine: "P256-Cortex-M4, key generation", published: 327_000, model: 313_580 },
	{ routine: "P256-Cortex-M4, sign", published: 375_000, model: 359_476 },
	{ routine: "P256-Cortex-M4, verify", published: 976_000, model: 954_733 },
	{ routine: "P256-Cortex-M4, ECDH", published: 906_000, model: 894_100 },
	{ routine: "X25519-Cortex-M4", published: 548_873, model: 537_319 },
	{ routine: "fixsliced AES-128, two blocks", published: 2_698, model: 2_731 },
	{ routine: "semi-fixsliced AES-128, two blocks", published: 2_787, model: 2_831 },
];

/** How far the model is from what was measured, in per cent: "-4.1", "+1.2". */
export function difference(published: number, model: number): string {
	const percent = (100 * (model - published)) / published;
	return `${percent < 0 ? "" : "+"}${percent.toFixed(1)}`;
}
