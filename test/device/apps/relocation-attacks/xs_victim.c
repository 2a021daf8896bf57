/*
 * xs_victim.c: the flaws that test/device/relocation-attacks.test.ts exploits: a message that is copied to the stack without a
 * look at its length, a write and a call wherever one likes, an interrupt that does either in the midst of a step of a move.
 *
 * The test puts an order into victim_mail while the device stands still; the application's next tick obeys it.
 */
#include "arena.h"
#include "cortex-m.h"
#include "crypto.h"
#include "entropy.h"
#include "moving.h"
#include "xsmc.h"

#include <string.h>

typedef enum {
	NOTHING,
	RECEIVE, /* words[0..count): a message */
	WRITE,   /* words[0]: address, words[1]: value */
	CALL,    /* words[0]: address, words[1]: argument */
	MOVE,
	STEP,      /* words: phase, least index, WRITE or CALL, where, value or argument: between two steps of a move */
	INTERRUPT, /* the same in the midst of a step that has the other half open, in an interrupt */
	SAMPLE,    /* words: clock ticks. So often an interrupt looks at the memory protection; 0: no more. */
	CHECK,     /* of all that runs and waits: what has changed << 16 | its number */
	STATUS,    /* of hosts/common/moving.h */
	EXHAUST,   /* takes so many random numbers that the generator needs noise again: 0, or why there are none */
} victim_order;

/* Where an attack of STEP and INTERRUPT goes; the rest are addresses. */
enum { RUNNING_HALF, UNIT_IN_OTHER_HALF, GAP_IN_OTHER_HALF, PLACES };

struct {
	uint32_t order;
	uint32_t caught; /* a fault of RECEIVE is not the firmware's, but its result: 2 */
	uint32_t count;
	uint32_t words[60];
	uint32_t done; /* orders obeyed */
	uint32_t result;
	uint32_t room[64]; /* for functions that need an argument in memory, and for code where none may be */
} victim_mail;

/* What the attacker wants to change. */
uint32_t victim_dose = 100;

/* ---- a message that is too long ------------------------------------------------------------------------------------- */

uint32_t victim_sp, victim_caught;

/* As a compiler makes it of `uint32_t message[4]; for (i = 0; i < count; i++) message[i] = words[i];`: words 4 and 5 of a message
 * that is longer come to r4 and to pc. */
__attribute__((naked, noinline, used)) void victim_receive(const uint32_t *words, uint32_t count) {
	(void)words;
	(void)count;
	__asm__ volatile("push {r4, lr}\n\t"
					 "sub sp, #16\n\t"
					 "mov r2, sp\n"
					 "1: cbz r1, 2f\n\t"
					 "ldr r3, [r0], #4\n\t"
					 "str r3, [r2], #4\n\t"
					 "subs r1, #1\n\t"
					 "b 1b\n"
					 "2: add sp, #16\n\t"
					 "pop {r4, pc}");
}

/* Calls it with room for a chain on the stack: 0: it came back, 1: by victim_end, 2: a fault was caught. */
__attribute__((naked, noinline)) static uint32_t receive(const uint32_t *words, uint32_t count) {
	(void)words;
	(void)count;
	__asm__ volatile("push {r3-r11, lr}\n\t"
					 "ldr r2, =victim_sp\n\t"
					 "str sp, [r2]\n\t"
					 "sub sp, #256\n\t"
					 "bl victim_receive\n\t"
					 "add sp, #256\n\t"
					 "movs r0, #0\n\t"
					 "pop {r3-r11, pc}\n\t"
					 ".ltorg\n\t"
					 ".word victim_end"); /* so that the linker keeps it */
}

/* Where a chain ends that does not want to be noticed. */
__attribute__((naked, noinline, used)) void victim_end(void) {
	__asm__ volatile("ldr r1, =victim_sp\n\t"
					 "ldr sp, [r1]\n\t"
					 "movs r0, #1\n\t"
					 "pop {r3-r11, pc}\n\t"
					 ".ltorg");
}

__attribute__((naked, noinline, used)) void victim_after_fault(void) {
	__asm__ volatile("ldr r1, =victim_sp\n\t"
					 "ldr sp, [r1]\n\t"
					 "movs r0, #2\n\t"
					 "pop {r3-r11, pc}\n\t"
					 ".ltorg");
}

/* Instead of the firmware's, if the test only counts: goes on at victim_after_fault, with a frame of its own and nothing kept of
 * the FPU's (FPCCR.LSPACT). */
__attribute__((naked)) static void on_fault(void) {
	__asm__ volatile("ldr r0, =victim_caught\n\t"
					 "ldr r0, [r0]\n\t"
					 "cmp r0, #0\n\t"
					 "beq pc_fault_handler\n\t"
					 "ldr r0, =0xE000ED28\n\t" /* CFSR, HFSR: what is set there, is cleared */
					 "ldr r1, [r0]\n\t"
					 "str r1, [r0]\n\t"
					 "ldr r1, [r0, #4]\n\t"
					 "str r1, [r0, #4]\n\t"
					 "ldr r0, =0xE000EF34\n\t" /* FPCCR */
					 "ldr r1, [r0]\n\t"
					 "bic r1, #1\n\t"
					 "str r1, [r0]\n\t"
					 "ldr r0, =victim_sp\n\t"
					 "ldr r0, [r0]\n\t"
					 "subs r0, #32\n\t"
					 "ldr r1, =victim_after_fault\n\t"
					 "bic r1, #1\n\t"
					 "str r1, [r0, #24]\n\t"
					 "mov r1, #0x01000000\n\t"
					 "str r1, [r0, #28]\n\t"
					 "mov sp, r0\n\t"
					 "mvn lr, #6\n\t" /* EXC_RETURN: thread mode, main stack, no FPU */
					 "bx lr\n\t"
					 ".ltorg");
}

/* ---- an interrupt --------------------------------------------------------------------------------------------------- */

#define SYST_CSR PC_REGISTER(0xE000E010u)
#define SYST_RVR PC_REGISTER(0xE000E014u)
#define SYST_CVR PC_REGISTER(0xE000E018u)
#define SCB_SHPR3 PC_REGISTER(0xE000ED20u)

static uint32_t vectors[64] __attribute__((aligned(256)));

/* What samples have seen: [phase][may be written | may be executed << 1] of the running half, the other one, the dispatch
 * table, the canonical code, and data. */
#define SAMPLED 5
#define PHASES 16
uint32_t victim_samples[SAMPLED][PHASES][4];

/* The attributes of an address, by the MPU's registers as they are now: writable 1, executable 2. */
static unsigned rights_at(uint32_t address) {
	uint32_t kept = PC_MPU_RNR, found = 0;
	for (uint32_t region = 0; region < (PC_MPU_TYPE >> 8 & 0xFFu); region++) {
		PC_MPU_RNR = region;
		uint32_t rasr = PC_MPU_RASR, offset = address - (PC_MPU_RBAR & ~31u), log2 = (rasr >> 1 & 31u) + 1;
		bool inside = (rasr & 1u) != 0 && (log2 == 32 || offset >> log2 == 0);
		if (inside && (log2 < 8 || (rasr >> (8 + (offset >> (log2 - 3))) & 1u) == 0)) {
			found = rasr;
		}
	}
	PC_MPU_RNR = kept;
	uint32_t access = found >> 24 & 7u;
	bool readable = access == 3 || access == 6;
	return (access == 3 ? 1u : 0u) | (readable && (found >> 28 & 1u) == 0 ? 2u : 0u);
}

static uint32_t other_half(void) {
	return pc_arena_relocator.half_address[1 - pc_arena_relocator.running];
}

static uint32_t place_of(uint32_t where) {
	const pc_relocator *r = &pc_arena_relocator;
	const pc_layout *layout = &r->layout[1 - r->running];
	switch (where) {
	case RUNNING_HALF:
		return r->half_address[r->running];
	case UNIT_IN_OTHER_HALF: /* the first that is copied */
		return other_half() + 4u * layout->place[0];
	case GAP_IN_OTHER_HALF:
		return other_half() + 4u * (r->table->half_words - 2);
	default:
		return where;
	}
}

/* To the phase and the index of the order? */
static bool has_come(void) {
	return pc_arena_relocator.phase == victim_mail.words[0] && pc_arena_relocator.index >= victim_mail.words[1];
}

static void attack(const uint32_t *words) {
	uint32_t address = place_of(words[1]);
	victim_mail.words[8] = address;
	victim_mail.words[10] = pc_arena_relocator.phase;
	if (words[0] == WRITE) {
		*(volatile uint32_t *)address = words[2];
	} else {
		((void (*)(uint32_t))(address | 1u))(words[2]);
	}
	victim_mail.words[9]++; /* survived */
}

static void on_tick(void) {
	const pc_relocator *r = &pc_arena_relocator;
	extern uint32_t pc_dispatch[], __relocatable_start[];
	const uint32_t places[SAMPLED] = {r->half_address[r->running], other_half(), (uint32_t)(uintptr_t)pc_dispatch,
		(uint32_t)(uintptr_t)__relocatable_start, (uint32_t)(uintptr_t)&victim_dose};
	if (r->phase >= PHASES) {
		return;
	}
	for (unsigned i = 0; i < SAMPLED; i++) {
		victim_samples[i][r->phase][rights_at(places[i])]++;
	}
	if (victim_mail.order == INTERRUPT && has_come() && (rights_at(other_half()) & 1u) != 0) {
		victim_mail.order = NOTHING;
		SYST_CSR = 0;
		attack(victim_mail.words + 2);
		victim_mail.done++;
	}
}

/* Every `clocks` from now on, below faults, so that what the interrupt does wrong is a fault of its own. */
static void interrupt_every(uint32_t clocks) {
	SYST_CSR = 0;
	if (clocks != 0) {
		SCB_SHPR3 |= 0xE0000000u;
		SYST_RVR = clocks - 1;
		SYST_CVR = 0;
		SYST_CSR = 7; /* the core's clock, an interrupt, on */
	}
}

static void take_vectors(void) {
	if (PC_SCB_VTOR == (uint32_t)(uintptr_t)vectors) {
		return;
	}
	/* They are in the null page, which nobody may read. */
	const volatile uint32_t *from = (const volatile uint32_t *)(uintptr_t)PC_SCB_VTOR;
	uint32_t state = pc_irq_save();
	PC_MPU_CTRL = 0;
	__asm__ volatile("dsb\n\tisb" : : : "memory");
	for (unsigned i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		vectors[i] = from[i];
	}
	PC_MPU_CTRL = 1;
	__asm__ volatile("dsb\n\tisb" : : : "memory");
	pc_irq_restore(state);
	for (unsigned fault = 3; fault <= 6; fault++) {
		vectors[fault] = (uint32_t)(uintptr_t)on_fault;
	}
	vectors[15] = (uint32_t)(uintptr_t)on_tick;
	PC_SCB_VTOR = (uint32_t)(uintptr_t)vectors;
	__asm__ volatile("dsb\n\tisb" : : : "memory");
}

/* ---- orders --------------------------------------------------------------------------------------------------------- */

static uint32_t check(void) {
	pc_relocate_checker checker = {0};
	pc_changed changed;
	uint32_t number;
	while (pc_relocate_check(&pc_arena_relocator, &checker, &changed, &number)) {
	}
	return (uint32_t)changed << 16 | number;
}

/* A biased source is told from a good one within 512 bytes: four seeds, 256 requests each. */
static uint32_t exhaust(void) {
	uint8_t bytes[32];
	uint32_t status = 0;
	for (unsigned i = 0; i < 1400 && status == 0; i++) {
		status = (uint32_t)pc_random(bytes, sizeof bytes);
	}
	return status;
}

void xs_victim_obey(xsMachine *the) {
	(void)the;
	uint32_t *words = victim_mail.words, result = 0;
	uint32_t order = victim_mail.order;
	if (order == NOTHING) {
		return;
	}
	take_vectors();
	if (order == INTERRUPT) {
		/* The interrupt obeys, sooner or later: an odd interval, so that it is somewhere else in each move. */
		(void)pc_moving_request();
		interrupt_every(1013);
		return;
	}
	if (order == STEP) {
		(void)pc_moving_request();
		if (pc_moving_due() != 0) {
			return; /* random numbers come first */
		}
		while (!has_come()) {
			pc_moving_step();
		}
	}
	victim_mail.order = NOTHING;
	switch (order) {
	case RECEIVE:
		victim_caught = victim_mail.caught;
		result = receive(words, victim_mail.count);
		victim_caught = 0;
		break;
	case WRITE:
		*(volatile uint32_t *)(uintptr_t)words[0] = words[1];
		break;
	case CALL:
		result = ((uint32_t(*)(uint32_t))((uintptr_t)words[0] | 1u))(words[1]);
		break;
	case MOVE:
		result = pc_moving_request();
		break;
	case STEP:
		attack(words + 2);
		break;
	case SAMPLE:
		interrupt_every(words[0]);
		break;
	case CHECK:
		result = check();
		break;
	case STATUS:
		result = pc_moving_state().status;
		break;
	case EXHAUST:
		result = exhaust();
		break;
	default:
		break;
	}
	victim_mail.result = result;
	victim_mail.done++;
}
