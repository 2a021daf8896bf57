/*
 * rv32.c: an image for QEMU's machine virt with an RV32IMC core that has a user's mode and PMP. Cryptography, measurement and
 * CBOR move. The relocator works in the machine's mode; all else runs in the user's, where PMP lets nothing be written that
 * can be executed. It goes through all of it by itself and prints lines: a word, then values.
 */
#include "answers.h"
#include "crypto.h"
#include "relocate.h"
#include "stream.h"

#include <string.h>

extern uint32_t __text_start[], __text_end[], __relocatable_start[], __canonical_end[], __data_start[], __data_end[];
extern uint32_t __state_end[], __arena_start[], __user_stack[], __user_stack_top[];
extern const uint8_t pc_relocation_data[], pc_relocation_data_end[];
extern uint32_t pc_dispatch[];
extern uint16_t pc_relocation_layouts[];
extern uint8_t sha256_begin_entry[]; /* its number, as an address */

/* ---- the machine --------------------------------------------------------------------------------------------------- */

/* What nobody sees but the machine's mode. */
#define MACHINE __attribute__((section(".machine")))

typedef struct {
	uint32_t x[32];
	uint32_t pc, machine_sp, status;
} context;

uint32_t enter(context *c);
void leave(void);

#define read_csr(name) \
	({ \
		uint32_t value; \
		__asm__ volatile("csrr %0, " name : "=r"(value)); \
		value; \
	})
#define write_csr(name, value) __asm__ volatile("csrw " name ", %0" : : "r"(value) : "memory")

/* QEMU, virt: a 16550, a way to end, the timer of core 0. */
#define UART ((volatile uint8_t *)0x10000000u)
#define FINISH (*(volatile uint32_t *)0x00100000u)
#define MTIME (*(volatile uint32_t *)0x0200BFF8u)
#define MTIMECMP ((volatile uint32_t *)0x02004000u)

#define USER 0x0080u     /* mstatus: MPP is U, interrupts are on behind MRET */
#define MACHINES 0x1800u /* MPP is M, they stay off */
#define TIMER 0x80u      /* mie */

enum { FETCH = 1, ILLEGAL = 2, LOAD = 5, STORE = 7, ECALL = 8, TICK = 0x80000007 };

static void put(char character) {
	while ((UART[5] & 0x20) == 0) {
	}
	UART[0] = (uint8_t)character;
}

static void print(const char *text) {
	while (*text != 0) {
		put(*text++);
	}
}

static void print_hex(const void *data, size_t size) {
	for (size_t i = 0; i < size; i++) {
		uint8_t byte = ((const uint8_t *)data)[i];
		put("0123456789abcdef"[byte >> 4]);
		put("0123456789abcdef"[byte & 15]);
	}
}

static void print_number(uint32_t number) {
	char text[12], *at = text + sizeof text;
	*--at = 0;
	do {
		*--at = (char)('0' + number % 10);
		number /= 10;
	} while (number != 0);
	print(" ");
	print(at);
}

static void say(const char *what, uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
	print(what);
	print_number(a);
	print_number(b);
	print_number(c);
	print_number(d);
	print("\n");
}

/* ---- memory protection --------------------------------------------------------------------------------------------- */

/* Entry n reaches from the address of entry n - 1 to its own (TOR); what no entry has, the user's mode can't touch. */
enum { BELOW, TEXT, CANONICAL, DATA, STATE, BEFORE_ARENA, HALF };
enum { READ = 1, WRITE = 2, EXECUTE = 4, TOR = 8 };

static uint8_t rights[8] MACHINE;

static void protect(void) {
	uint32_t low, high;
	memcpy(&low, rights, 4);
	memcpy(&high, rights + 4, 4);
	write_csr("pmpcfg0", low);
	write_csr("pmpcfg1", high);
}

static void protect_all(void) {
	write_csr("pmpaddr0", (uint32_t)__text_start >> 2);
	write_csr("pmpaddr1", (uint32_t)__text_end >> 2);
	write_csr("pmpaddr2", (uint32_t)__canonical_end >> 2);
	write_csr("pmpaddr3", (uint32_t)__data_end >> 2);
	write_csr("pmpaddr4", (uint32_t)__state_end >> 2);
	write_csr("pmpaddr5", (uint32_t)__arena_start >> 2);
	write_csr("pmpaddr6", ((uint32_t)__arena_start + HALF_SIZE) >> 2);
	write_csr("pmpaddr7", ((uint32_t)__arena_start + 2 * HALF_SIZE) >> 2);
	rights[TEXT] = TOR | READ | EXECUTE;
	rights[CANONICAL] = TOR | READ;
	rights[DATA] = TOR | READ | WRITE;
	rights[STATE] = TOR | READ;
	rights[HALF] = rights[HALF + 1] = TOR | READ;
	protect();
}

/* ---- the relocator ------------------------------------------------------------------------------------------------- */

/* The user's mode reads it, for evidence. */
static pc_relocation_table table __attribute__((section(".moving.state")));
static pc_relocator relocator __attribute__((section(".moving.state")));
static pc_stream stream MACHINE;
static uint32_t seeds MACHINE;
static bool no_random MACHINE;
static bool drew MACHINE;

/* Instead of a DRBG, whose numbers come from the user's mode. */
static bool random(void *unused, uint8_t *to, size_t size) {
	(void)unused;
	drew = true;
	if (no_random) {
		return false;
	}
	if (!pc_stream_random(&stream, to, size)) {
		uint8_t seed[PC_STREAM_SEED] = {0};
		memcpy(seed, &seeds, sizeof seeds);
		seeds++;
		pc_stream_seed(&stream, seed, 16);
		return pc_stream_random(&stream, to, size);
	}
	return true;
}

/* The machine's mode writes where the user's never can: nothing is to be opened. */
static void open(void *unused, unsigned half) {
	(void)unused;
	(void)half;
}

static void close(void *unused) {
	(void)unused;
}

static void flip(void *unused, unsigned half) {
	(void)unused;
	pc_relocate_commit(&relocator);
	rights[HALF + half] = TOR | READ | EXECUTE;
	protect();
	__asm__ volatile("fence.i" : : : "memory"); /* what was written is what is fetched */
}

static void retire(void *unused, unsigned half) {
	(void)unused;
	rights[HALF + half] = TOR | READ;
	protect();
}

static context user MACHINE;
static bool stands_still MACHINE; /* in the midst of a function */

static bool leads_to(uint32_t address, unsigned half) {
	return address - relocator.half_address[half] < HALF_SIZE;
}

static bool frames(void *unused, unsigned half) {
	(void)unused;
	if (!stands_still) {
		return false;
	}
	bool found = leads_to(user.pc, half);
	for (unsigned i = 1; i < 32; i++) {
		found = found || leads_to(user.x[i], half);
	}
	for (const uint32_t *word = (const uint32_t *)user.x[2]; word < __user_stack_top; word++) {
		found = found || leads_to(*word, half);
	}
	return found;
}

static const pc_relocate_ops ops = {
	.random = random, .open = open, .close = close, .flip = flip, .frames = frames, .retire = retire};

static pc_relocation_status begin(void) {
	pc_relocation_status status =
		pc_relocation_open(&table, pc_relocation_data, (size_t)(pc_relocation_data_end - pc_relocation_data));
	if (status != PC_RELOCATION_OK) {
		return status;
	}
	uint32_t first = (uint32_t)__arena_start, units = table.unit_count;
	uint16_t *words = pc_relocation_layouts;
	relocator = (pc_relocator){
		.table = &table,
		.ops = &ops,
		.code = __relocatable_start,
		.code_address = (uint32_t)__relocatable_start,
		.half = {__arena_start, __arena_start + HALF_SIZE / 4},
		.half_address = {first, first + HALF_SIZE},
		.dispatch = pc_dispatch,
		.layout = {{words, words + units}, {words + 2 * units, words + 3 * units}},
	};
	pc_relocate_begin(&relocator);
	return PC_RELOCATION_OK;
}

/* `checks`: compares what it leaves. */
static pc_relocate_status move(bool checks) {
	pc_relocate_status status = pc_relocate_start(&relocator, 256, checks);
	while (status == PC_RELOCATE_MORE) {
		status = pc_relocate_step(&relocator);
	}
	return status;
}

/* changed << 16 | number */
static uint32_t check(void) {
	pc_relocate_checker checker = {0};
	pc_changed changed;
	uint32_t number;
	while (pc_relocate_check(&relocator, &checker, &changed, &number)) {
	}
	return (uint32_t)changed << 16 | number;
}

/* ---- the user's mode ----------------------------------------------------------------------------------------------- */

static void prepare(uint32_t function, uint32_t a0, uint32_t a1) {
	memset(&user, 0, sizeof user);
	user.x[1] = (uint32_t)leave;
	user.x[2] = (uint32_t)__user_stack_top;
	user.x[10] = a0;
	user.x[11] = a1;
	user.pc = function;
	user.status = USER;
}

/* Calls it; ECALL, or the cause of a fault. */
static uint32_t call(uint32_t function, uint32_t a0, uint32_t a1) {
	prepare(function, a0, a1);
	return enter(&user);
}

#define CALL(function, a0, a1) call((uint32_t)(function), (uint32_t)(a0), (uint32_t)(a1))

static light_answers light_first, light_last;
static heavy_answers heavy_first, heavy_last;
static uint8_t digest[32];

/* SHA-256 of the canonical form of the code that runs. */
static uint32_t measure(void) {
	pc_canonical at = {0};
	pc_sha256 hash;
	uint8_t piece[64];
	uint32_t offset = 0, size;
	pc_sha256_begin(&hash);
	while ((size = (uint32_t)pc_relocate_undo(&relocator, &at, offset, piece, sizeof piece)) != 0) {
		pc_sha256_update(&hash, piece, size);
		offset += size;
	}
	pc_sha256_end(&hash, digest);
	return offset;
}

static uint32_t write_to(uint32_t address) {
	*(volatile uint32_t *)address = 0;
	return 0;
}

static uint32_t read_from(uint32_t address) {
	return *(volatile uint32_t *)address;
}

static uint32_t running(void) {
	return relocator.half_address[relocator.running];
}

static uint32_t waiting(void) {
	return relocator.half_address[1 - relocator.running];
}

/* ---- what is shown ------------------------------------------------------------------------------------------------- */

static void show_answers(void) {
	uint32_t causes = CALL(light, &light_first, 0) == ECALL && CALL(heavy, &heavy_first, 0) == ECALL;
	say("answers", causes, relocator.epoch, check() >> 16, 0);
	print("light ");
	print_hex(&light_first, sizeof light_first);
	print("\nheavy ");
	print_hex(&heavy_first, sizeof heavy_first);
	print("\n");
}

static void show_measure(void) {
	uint32_t cause = CALL(measure, 0, 0);
	say("measure", relocator.epoch, cause, user.x[10], 0);
	print("digest ");
	print_hex(digest, sizeof digest);
	print("\n");
}

/* After each move one of the light answers; heavy ones and a check now and then. */
static void show_epochs(uint32_t count) {
	uint32_t failed = 0, faults = 0, wrong = 0, checked = 0;
	for (uint32_t i = 1; i <= count; i++) {
		failed += move(i % 8 == 0) != PC_RELOCATE_OK || relocator.changed != 0;
		faults += CALL(light_one, &light_last, i % LIGHT) != ECALL;
		if (i % LIGHT == 0) {
			wrong += memcmp(&light_last, &light_first, sizeof light_last) != 0;
			memset(&light_last, 0, sizeof light_last);
		}
		if (i % 500 == 0) {
			faults += CALL(heavy, &heavy_last, 0) != ECALL;
			wrong += memcmp(&heavy_last, &heavy_first, sizeof heavy_last) != 0;
			memset(&heavy_last, 0, sizeof heavy_last);
		}
		if (i % 25 == 0) {
			checked += check() == 0;
		}
	}
	say("epochs", failed, faults, wrong, checked);
}

/* What a change of each of these is called, and whether all is well when it is taken back. */
static void show_changes(void) {
	uint32_t units[] = {0, 7, table.unit_count - 1u};
	for (unsigned i = 0; i < 3; i++) {
		volatile uint32_t *place =
			relocator.half[relocator.running] + relocator.layout[relocator.running].place[units[i]];
		*place ^= 0x00010000u;
		uint32_t found = check();
		*place ^= 0x00010000u;
		say("changed-unit", units[i], found >> 16, found & 0xFFFF, check());
	}
	pc_dispatch[3] ^= 4;
	uint32_t found = check();
	pc_dispatch[3] ^= 4;
	say("changed-dispatch", 3, found >> 16, found & 0xFFFF, check());
	relocator.half[1 - relocator.running][100] = 1;
	found = check();
	relocator.half[1 - relocator.running][100] = 0;
	say("changed-spare", 100, found >> 16, found & 0xFFFF, check());
	/* A move that checks finds it in what it leaves. */
	for (unsigned i = 0; i < 3; i++) {
		relocator.half[relocator.running][relocator.layout[relocator.running].place[units[i]]] ^= 0x00010000u;
		pc_relocate_status status = move(true);
		say("changed-left", status, relocator.changed, relocator.changed_number, check());
		relocator.changed = PC_CHANGED_NOTHING;
	}
}

/* The causes of the faults that the user's mode gets: writing, executing, reading. */
static void show_rights(const char *what, uint32_t address) {
	uint32_t written = CALL(write_to, address, 0), executed = call(address, 0, 0), read = CALL(read_from, address, 0);
	say(what, written, executed, read, user.pc == (uint32_t)leave);
}

static void show_protection(void) {
	show_rights("rights-data", (uint32_t)&light_last);
	show_rights("rights-text", (uint32_t)leave);
	show_rights("rights-canonical", (uint32_t)__relocatable_start);
	show_rights("rights-table", (uint32_t)pc_relocation_data);
	show_rights("rights-dispatch", (uint32_t)pc_dispatch);
	show_rights("rights-state", (uint32_t)&relocator);
	show_rights("rights-machine", (uint32_t)&user);
	show_rights("rights-running", running() + table.half_words * 4 - 4); /* what traps, behind the last unit */
	show_rights("rights-waiting", waiting());
	/* Between the steps of a move it is so, too. */
	uint32_t steps = 0, wrong = 0, before = running();
	(void)pc_relocate_start(&relocator, 256, true);
	for (pc_relocate_status status = PC_RELOCATE_MORE; status == PC_RELOCATE_MORE; steps++) {
		status = pc_relocate_step(&relocator);
		wrong += CALL(write_to, waiting(), 0) != STORE || CALL(write_to, running(), 0) != STORE;
		if (running() == before) {
			wrong += call(waiting() + 64, 0, 0) != FETCH;
		}
	}
	say("rights-in-a-move", steps, wrong, call(before, 0, 0), check());
	/* A wiped half traps even where nothing protects it: in the machine's mode. */
	wrong = 0;
	for (uint32_t at = 0; at < table.half_words * 4; at += 2) {
		prepare(waiting() + at, 0, 0);
		user.status = MACHINES;
		wrong += enter(&user) != ILLEGAL || user.pc != waiting() + at;
	}
	say("wiped", table.half_words * 2, wrong, 0, 0);
}

static void show_reuse(uint32_t entry) {
	static pc_sha256 hash;
	uint32_t address = pc_dispatch[entry];
	uint32_t now = CALL(address, &hash, 0);
	(void)move(false);
	uint32_t next = CALL(address, &hash, 0);
	say("reuse", now, next, user.pc == address, 0);
}

/* The heavy work stands still at every tick; code moves meanwhile, step by step. */
static void show_in_flight(void) {
	uint32_t moves = 0, waits = 0, ticks = 0, wrong = 0, cause;
	memset(&heavy_last, 0, sizeof heavy_last);
	prepare((uint32_t)heavy, (uint32_t)&heavy_last, 0);
	MTIMECMP[1] = 0;
	write_csr("mie", TIMER);
	for (;;) {
		MTIMECMP[0] = MTIME + 200 + ticks % 97;
		cause = enter(&user);
		if (cause != TICK) {
			break;
		}
		ticks++;
		stands_still = true;
		pc_relocate_status status = pc_relocate_step(&relocator);
		if (status == PC_RELOCATE_OK) {
			moves++;
			wrong += pc_relocate_start(&relocator, 256, moves % 2 != 0) != PC_RELOCATE_MORE;
		} else if (status == PC_RELOCATE_WAITING) {
			waits++;
		} else {
			wrong += status != PC_RELOCATE_MORE;
		}
		stands_still = false;
	}
	write_csr("mie", 0);
	while (pc_relocate_step(&relocator) == PC_RELOCATE_MORE) {
	}
	wrong += cause != ECALL || memcmp(&heavy_last, &heavy_first, sizeof heavy_last) != 0;
	say("in-flight", moves, waits, wrong, check());
}

static void show_no_random(void) {
	uint32_t epoch = relocator.epoch;
	no_random = true;
	pc_relocate_status none = move(false);
	no_random = false;
	pc_relocate_status floor = pc_relocate_start(&relocator, (table.bits.layout >> 16) + 1, false);
	say("refused", none, floor, relocator.epoch - epoch, check());
}

/* Instructions of 16 moves, and their longest step that draws nothing. */
static uint32_t move_costs(bool checks, uint32_t *longest) {
	uint32_t all = 0;
	for (unsigned i = 0; i < 16; i++) {
		(void)pc_relocate_start(&relocator, 256, checks);
		for (pc_relocate_status status = PC_RELOCATE_MORE; status == PC_RELOCATE_MORE;) {
			drew = false;
			uint32_t before = read_csr("minstret");
			status = pc_relocate_step(&relocator);
			uint32_t taken = read_csr("minstret") - before;
			all += taken;
			if (!drew && taken > *longest) {
				*longest = taken;
			}
		}
	}
	return all / 16;
}

static void show_costs(void) {
	uint32_t longest = 0, checked = 0, longest_check = 0, plain = move_costs(false, &longest);
	uint32_t checking = move_costs(true, &longest);
	pc_relocate_checker checker = {0};
	pc_changed changed;
	uint32_t number;
	for (bool more = true; more;) {
		uint32_t before = read_csr("minstret");
		more = pc_relocate_check(&relocator, &checker, &changed, &number);
		uint32_t taken = read_csr("minstret") - before;
		checked += taken;
		longest_check = taken > longest_check ? taken : longest_check;
	}
	say("moves", plain, checking, longest, relocator.changed);
	say("check", checked, longest_check, changed, number);
}

void machine_main(void);

void machine_main(void) {
	protect_all();
	pc_relocation_status status = begin();
	say("begin", status, table.unit_count, table.entry_count, table.bits.layout >> 16);
	show_answers();
	show_measure();
	show_epochs(1000);
	show_measure();
	show_changes();
	show_protection();
	show_reuse((uint32_t)sha256_begin_entry);
	show_in_flight();
	show_no_random();
	show_costs();
	print("end\n");
	FINISH = 0x5555;
	for (;;) {
	}
}
