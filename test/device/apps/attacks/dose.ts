// What the pump may give at most.

export function highestDose(): number {
	return 12345;
}
