/*
 * moving.c: an image whose cryptography, measurement and CBOR move. Routines are called one by one from outside
 * (tools/analysis/machine.ts).
 */
#include "answers.h"
#include "arena.h"
#include "cortex-m.h"
#include "crypto.h"
#include "hal.h"
#include "stream.h"

#include <string.h>

extern uint32_t __arena_start[], __state_start[], __relocatable_start[];
extern const uint8_t pc_relocation_data[], pc_relocation_data_end[];
extern uint32_t pc_dispatch[];
extern uint16_t pc_relocation_layouts[];

/* ---- the board ---------------------------------------------------------------------------------------------------- */

void hal_init(void) {
}

const pc_mpu_region pc_board_regions[] = {
	{0x00000000u, 22, PC_MPU_READ_EXECUTE},
	{0x20000000u, 18, PC_MPU_READ_WRITE},
};
const unsigned pc_board_region_count = sizeof pc_board_regions / sizeof *pc_board_regions;

void pc_fault_handler(void) {
	for (;;) {
	}
}

uint32_t hal_events_take(void) {
	return 0;
}

void hal_idle(uint64_t deadline_us) {
	(void)deadline_us;
}

int pc_main(void) {
	for (;;) {
	}
}

uint32_t pc_fibre_limit;

/* ---- the relocator ------------------------------------------------------------------------------------------------ */

/* Nobody but a step of the relocator may write it. */
#define STATE __attribute__((section(".moving.state")))

static pc_relocation_table table STATE;
pc_relocator pc_arena_relocator STATE;

const pc_arena pc_arena_map = {
	.block = ARENA_ADDRESS,
	.half = {ARENA_ADDRESS, ARENA_ADDRESS + HALF_SIZE},
	.block_log2 = BLOCK_LOG2,
	.parts = {(1 << HALF_PARTS) - 1, ((1 << HALF_PARTS) - 1) << HALF_PARTS},
	.state = (uint32_t)__state_start,
	.state_log2 = STATE_LOG2,
	.code = (uint32_t)__relocatable_start,
	.code_log2 = CODE_LOG2,
	.first_region = 4,
};

/* Requests of a stream before the DRBG seeds it anew. */
#define RESEED 16u

static pc_hmac_drbg drbg;
static pc_stream stream;
uint32_t random_fails;
uint32_t random_ones; /* a source that gives nothing but ones */
uint32_t waits;       /* how often a half could not be wiped yet */

static bool drew;

static bool random(void *context, uint8_t *to, size_t size) {
	(void)context;
	drew = true;
	if (random_ones) {
		memset(to, 0xFF, size);
		return true;
	}
	if (random_fails) {
		return false;
	}
	if (!pc_stream_random(&stream, to, size)) {
		uint8_t bytes[PC_STREAM_SEED];
		if (pc_hmac_drbg_generate(&drbg, bytes, sizeof bytes) != PC_CRYPTO_OK) {
			return false;
		}
		pc_stream_seed(&stream, bytes, RESEED);
		pc_wipe(bytes, sizeof bytes);
		return pc_stream_random(&stream, to, size);
	}
	return true;
}

/* Where interrupts are masked: between these two, and a call. */
__attribute__((noinline)) void masked_from(void) {
	__asm__ volatile("");
}

__attribute__((noinline)) void masked_to(void) {
	__asm__ volatile("");
}

static void flip(void *context, unsigned half) {
	masked_from();
	pc_arena_flip(context, half);
	masked_to();
}

static bool frames(void *context, unsigned half) {
	(void)context;
	uint32_t start = pc_arena_relocator.half_address[half];
	return pc_fibre_leads_to(start, start + HALF_SIZE);
}

static const pc_relocate_ops ops = {
	.random = random,
	.open = pc_arena_open,
	.close = pc_arena_close,
	.flip = flip,
	.frames = frames,
	.retire = pc_arena_retire,
};

static const uint8_t seed[32] = {1, 2, 3};

uint32_t start(void) {
	uint32_t size = (uint32_t)(pc_relocation_data_end - pc_relocation_data);
	memset(__state_start, 0, 1u << STATE_LOG2); /* not yet protected */
	pc_relocation_status status = pc_relocation_open(&table, pc_relocation_data, size);
	if (status != PC_RELOCATION_OK) {
		return status;
	}
	uint16_t units = table.unit_count;
	uint16_t *words = pc_relocation_layouts;
	pc_arena_relocator = (pc_relocator){
		.table = &table,
		.ops = &ops,
		.code = __relocatable_start,
		.code_address = (uint32_t)__relocatable_start,
		.half = {__arena_start, __arena_start + HALF_SIZE / 4},
		.half_address = {ARENA_ADDRESS, ARENA_ADDRESS + HALF_SIZE},
		.dispatch = pc_dispatch,
		.layout = {{words, words + units}, {words + 2 * units, words + 3 * units}},
	};
	pc_arena_protect();
	pc_relocate_begin(&pc_arena_relocator);
	pc_hmac_drbg_begin(&drbg, seed, sizeof seed);
	return PC_RELOCATION_OK;
}

static bool checking; /* moves compare what they leave */

uint32_t check_moves(uint32_t on) {
	checking = on != 0;
	return 0;
}

/* One whole move: its last status. */
uint32_t move(void) {
	pc_relocate_status status = pc_relocate_start(&pc_arena_relocator, 256, checking);
	while (status == PC_RELOCATE_MORE) {
		status = pc_relocate_step(&pc_arena_relocator);
	}
	return status;
}

/* One step: for the longest of them. */
uint32_t begin_move(void) {
	return pc_relocate_start(&pc_arena_relocator, 256, checking);
}

/* Plus 256 if it has drawn. */
uint32_t step(void) {
	drew = false;
	uint32_t status = pc_relocate_step(&pc_arena_relocator);
	return status + (drew ? 256u : 0u);
}

uint32_t entropy_bits(uint32_t bits[4]) {
	bits[0] = table.bits.permutation;
	bits[1] = table.bits.gaps;
	bits[2] = table.bits.offset;
	bits[3] = table.bits.layout;
	return table.offsets;
}

/* ---- known answers ------------------------------------------------------------------------------------------------- */

/* What the first call gave, for the test to check, and what the last one gave. */
light_answers light_first, light_last;
heavy_answers heavy_first, heavy_last;

uint32_t answer(uint32_t all) {
	light(&light_first);
	if (all) {
		heavy(&heavy_first);
	}
	return 0;
}

/* Moves `count` times; after each move one of the light answers, in turn, and heavy ones after every `every`. How many were
 * wrong; a move that fails counts 1,000. */
uint32_t epochs(uint32_t count, uint32_t every) {
	uint32_t wrong = 0;
	for (uint32_t i = 1; i <= count; i++) {
		wrong += move() == PC_RELOCATE_OK ? 0 : 1000;
		if (i % LIGHT == 1) {
			memset(&light_last, 0, sizeof light_last);
		}
		light_one(&light_last, i % LIGHT);
		if (i % LIGHT == 0) {
			wrong += memcmp(&light_last, &light_first, sizeof light_last) != 0;
		}
		if (i % every == 0) {
			heavy(&heavy_last);
			wrong += memcmp(&heavy_last, &heavy_first, sizeof heavy_last) != 0;
		}
	}
	return wrong;
}

/* ---- work in flight ------------------------------------------------------------------------------------------------ */

static bool finished;

static void body(void) {
	heavy(&heavy_last);
	finished = true;
	for (;;) {
		hal_fibre_suspend(0);
	}
}

static void pause(uint32_t instructions) {
	(void)instructions;
	hal_fibre_suspend(0);
}

/* Does the heavy work on the fibre, which stands still every few thousand instructions; in between code moves, step by step.
 * While a frame is in the half that was left, that one runs on. Returns moves << 16 | what was wrong. */
uint32_t in_flight(void) {
	uint32_t moves = 0, wrong = 0;
	finished = false;
	waits = 0;
	memset(&heavy_last, 0, sizeof heavy_last);
	hal_fibre_start(body);
	while (!finished) {
		pc_crypto_spend = pause;
		hal_fibre_resume();
		pc_crypto_spend = NULL;
		pc_relocate_status status = pc_relocate_step(&pc_arena_relocator);
		if (status == PC_RELOCATE_OK) {
			moves++;
			wrong += pc_relocate_start(&pc_arena_relocator, 256, moves % 2) != PC_RELOCATE_MORE;
		} else if (status == PC_RELOCATE_WAITING) {
			waits++;
		} else {
			wrong += status != PC_RELOCATE_MORE;
		}
		light(&light_last);
		wrong += memcmp(&light_last, &light_first, sizeof light_last) != 0;
	}
	pc_fibre_forget();
	while (pc_relocate_step(&pc_arena_relocator) == PC_RELOCATE_MORE) {
	}
	wrong += memcmp(&heavy_last, &heavy_first, sizeof heavy_last) != 0;
	return moves << 16 | wrong;
}

/* ---- evidence ------------------------------------------------------------------------------------------------------ */

uint8_t digest[32];

/* SHA-256 of the canonical form of the code that runs, in pieces of 64 bytes. */
uint32_t measure(void) {
	pc_canonical at = {0};
	pc_sha256 hash;
	uint8_t piece[64];
	uint32_t offset = 0, size;
	pc_sha256_begin(&hash);
	while ((size = (uint32_t)pc_relocate_undo(&pc_arena_relocator, &at, offset, piece, sizeof piece)) != 0) {
		pc_sha256_update(&hash, piece, size);
		offset += size;
	}
	pc_sha256_end(&hash, digest);
	return offset;
}

/* changed << 16 | number */
uint32_t check(void) {
	pc_relocate_checker checker = {0};
	pc_changed changed;
	uint32_t number;
	while (pc_relocate_check(&pc_arena_relocator, &checker, &changed, &number)) {
	}
	return (uint32_t)changed << 16 | number;
}

static pc_relocate_checker checker;

/* One step of a check, for the longest of them: 1: there is more. */
uint32_t check_step(void) {
	pc_changed changed;
	uint32_t number;
	return pc_relocate_check(&pc_arena_relocator, &checker, &changed, &number);
}

/* What moves have found, as check() tells it; it is forgotten. */
uint32_t found(void) {
	uint32_t result = (uint32_t)pc_arena_relocator.changed << 16 | pc_arena_relocator.changed_number;
	pc_arena_open(NULL, 2);
	pc_arena_relocator.changed = 0;
	pc_arena_relocator.changed_number = 0;
	pc_arena_close(NULL);
	return result;
}

/* ---- attacks ------------------------------------------------------------------------------------------------------- */

uint32_t running_half(void) {
	return pc_arena_relocator.half_address[pc_arena_relocator.running];
}

uint32_t waiting_half(void) {
	return pc_arena_relocator.half_address[1 - pc_arena_relocator.running];
}

uint32_t dispatched(uint32_t index) {
	return pc_dispatch[index];
}

uint32_t place_of(uint32_t unit) {
	return running_half() + 4u * pc_arena_relocator.layout[pc_arena_relocator.running].place[unit];
}

uint32_t write_to(uint32_t address) {
	*(volatile uint32_t *)address = 0;
	return 0;
}

uint32_t jump_to(uint32_t address) {
	((void (*)(void))(address | 1u))();
	return 0;
}

/* Calls a function of one argument by an address that was learnt. */
uint32_t call_at(uint32_t address, void *argument) {
	((void (*)(void *))address)(argument);
	return 0;
}

/* What is written while nothing protects it, as a debugger would. */
uint32_t poke(uint32_t address, uint32_t change) {
	PC_MPU_CTRL = 0;
	__asm__ volatile("dsb\n\tisb" : : : "memory");
	*(volatile uint32_t *)address ^= change;
	PC_MPU_CTRL = 1;
	__asm__ volatile("dsb\n\tisb" : : : "memory");
	return 0;
}

/* Where a chain of gadgets comes back to. */
uint32_t chain_sp;

/* Returns into a chain, as a function does whose frame was written over: SP is at it, its first word goes to PC. */
__attribute__((naked, noinline)) uint32_t run_chain(const uint32_t *chain) {
	(void)chain;
	__asm__ volatile("push {r4-r11, lr}\n\t"
					 "ldr r1, =chain_sp\n\t"
					 "str sp, [r1]\n\t"
					 "mov sp, r0\n\t"
					 "pop {pc}\n\t"
					 ".ltorg");
}

/* What the chain is after: r4 as it has set it. */
__attribute__((naked, noinline)) uint32_t chain_end(void) {
	__asm__ volatile("mov r0, r4\n\t"
					 "ldr r1, =chain_sp\n\t"
					 "ldr sp, [r1]\n\t"
					 "pop {r4-r11, pc}\n\t"
					 ".ltorg");
}
