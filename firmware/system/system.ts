// pericard/system: what the firmware knows of itself: why it started, what it is, what it uses.

/** Names as in docs/porting.md: "power-on", "pin", "software", "watchdog", "memory-fault", "stack-overflow", ... */
export interface ResetRecord {
	readonly reason: string;
	/** The exception, the place or the caller's own words; "" when there is nothing to say. */
	readonly message: string;
	/** Resets since power-on. */
	readonly count: number;
	/** Registers at a fault (0 otherwise): program counter, return address, stack pointer, program status. */
	readonly pc: number;
	readonly lr: number;
	readonly sp: number;
	readonly psr: number;
	/** Configurable and hard fault status (Armv7-M), and the address that was touched. */
	readonly cfsr: number;
	readonly hfsr: number;
	readonly address: number;
}

/** Bytes, but for `keys`, which counts. In use and at most so far, as of the last collection. */
export interface MemoryUse {
	readonly slots: number;
	readonly slotsPeak: number;
	readonly chunks: number;
	readonly chunksPeak: number;
	/** Left of the arena between slots and chunks. */
	readonly free: number;
	/** Property names known to the machine. */
	readonly keys: number;
}

const record: () => ResetRecord = native("xs_system_reset_record");
const restartNow: (message?: string) => never = native("xs_system_restart");
const wakeupCount: () => number = native("xs_system_wakeups");
const appName: () => string = native("xs_system_app");
const buildKind: () => string = native("xs_system_build");
const memoryUse: () => MemoryUse = native("xs_system_memory");
const collectGarbage: () => void = native("xs_system_collect");

/** Why the device started this time. */
export const resetRecord: ResetRecord = Object.freeze(record());

/** Resets the device; the next start finds the reason "software" with this message (95 bytes at most are kept). */
export function restart(message?: string): never {
	return restartNow(message);
}

/** How often the processor has woken from sleep since start. */
export function wakeups(): number {
	return wakeupCount();
}

/** The name of the application, from its build. */
export function app(): string {
	return appName();
}

/** "release" or "debug". */
export function build(): string {
	return buildKind();
}

export function memory(): MemoryUse {
	return memoryUse();
}

/** Collects garbage now, so that memory() is exact. */
export function collect(): void {
	collectGarbage();
}
