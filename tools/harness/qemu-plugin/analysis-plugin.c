/*
 * analysis-plugin.c: calls routines of an image in QEMU one by one, and watches or disturbs them (tools/analysis).
 *
 * A call sets the core's registers as a caller would, with a return address where nothing can be executed, and lets the
 * guest run until it gets there, faults, or has used up its instructions. Watched, it gives counts and modelled cycles
 * (cortex-m4.h), the stack it used, and hashes, on request lists, of the addresses of all instructions and data. Disturbed,
 * it runs once for each of many positions, and leaves out the one instruction there: the undisturbed run goes from position
 * to position, and at each of them a copy of registers and memory is made, to which the guest returns afterwards.
 *
 * All of this happens in the thread of the CPU, between two instructions, in work that is queued there: what the emulator
 * keeps of the core is complete at that point. An exception of the guest is caught before the core takes it, so it leaves
 * nothing behind.
 *
 * Arguments: control=<unix socket to connect to>, ready=<address of the function where the image is set up>,
 * ram=<base>:<size> and code=<base>:<size>, the memory that is put back. Numbers are hexadecimal.
 * Control protocol: lines of text, see serve(). The emulator ends when the socket is closed.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cortex-m4.h"
#include "qemu-api.h"

#define PUBLIC __attribute__((visibility("default")))

PUBLIC extern int qemu_plugin_version;
PUBLIC int qemu_plugin_version = 1;
PUBLIC int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv);

/* Where calls return to: nothing on an ARMv7-M core may execute from here (the default memory map). */
#define RETURN_ADDRESS 0xA0000000u
#define PAINT 0xA7u
#define CHUNK 1024u /* memory is compared and put back in such pieces */
#define REGISTER_SP 13
#define REGISTER_LR 14
#define REGISTER_PC 15
#define REGISTER_XPSR 25
#define CPU_INTERRUPT_HARD 2
#define MAX_REACHED 16u

/* ---- the emulator ----------------------------------------------------------------------------------------------- */

/* GLib's, which the emulator is linked with. */
typedef struct {
	uint8_t *data;
	unsigned length;
} byte_array;

static struct {
	void *(*get_cpu)(int index);
	void (*async_run_on_cpu)(void *cpu, void (*work)(void *cpu, void *data), void *data);
	int64_t (*clock_get_ns)(int clock);
	void (*timer_init_full)(
		void *timer, void *list_group, int clock, int scale, int attributes, void (*cb)(void *opaque), void *opaque);
	void (*timer_mod_ns)(void *timer, int64_t expire_ns);
	void (*timer_del)(void *timer);
	void (*memory_rw)(uint64_t address, void *data, uint64_t size, bool write);
	void *(*memory_map)(uint64_t address, uint64_t *size, bool write);
	int (*read_register)(void *cpu, byte_array *to, int number);
	int (*write_register)(void *cpu, uint8_t *from, int number);
	void (*flush_translations)(void *cpu);
	void (*raise)(void *cpu, int mask);
	void (*lower)(void *cpu, int mask);
	void (*take_exception)(void *cpu);
	void *(*class_of)(void *object);
	const char *(*type_name)(void *object);
	size_t (*type_size)(const char *type_name);
	byte_array *(*new_array)(void);
} qemu;

static bool find_internals(void) {
	return find(&qemu.get_cpu, "qemu_get_cpu", NULL) && find(&qemu.async_run_on_cpu, "async_run_on_cpu", NULL) &&
		   find(&qemu.clock_get_ns, "qemu_clock_get_ns", NULL) &&
		   find(&qemu.timer_init_full, "timer_init_full", NULL) && find(&qemu.timer_mod_ns, "timer_mod_ns", NULL) &&
		   find(&qemu.timer_del, "timer_del", NULL) && find(&qemu.memory_rw, "cpu_physical_memory_rw", NULL) &&
		   find(&qemu.memory_map, "cpu_physical_memory_map", NULL) &&
		   find(&qemu.read_register, "arm_cpu_gdb_read_register", NULL) &&
		   find(&qemu.write_register, "arm_cpu_gdb_write_register", NULL) &&
		   find(&qemu.flush_translations, "tb_flush", NULL) && find(&qemu.raise, "cpu_interrupt", NULL) &&
		   find(&qemu.lower, "cpu_reset_interrupt", NULL) &&
		   find(&qemu.take_exception, "arm_v7m_cpu_do_interrupt", NULL) &&
		   find(&qemu.class_of, "object_get_class", NULL) && find(&qemu.type_name, "object_get_typename", NULL) &&
		   find(&qemu.type_size, "object_type_get_instance_size", NULL) &&
		   find(&qemu.new_array, "g_byte_array_new", NULL);
}

static _Noreturn void fail(const char *why) {
	fprintf(stderr, "analysis-plugin: %s\n", why);
	_exit(1);
}

static void *cpu;

static uint32_t get_register(int number) {
	static byte_array *array;
	if (!array)
		array = qemu.new_array();
	array->length = 0;
	uint32_t value;
	if (qemu.read_register(cpu, array, number) != sizeof value)
		fail("a register cannot be read");
	memcpy(&value, array->data, sizeof value);
	return value;
}

static void set_register(int number, uint32_t value) {
	uint8_t bytes[sizeof value];
	memcpy(bytes, &value, sizeof value);
	if (qemu.write_register(cpu, bytes, number) != sizeof value)
		fail("a register cannot be written");
}

/* ---- copies of the guest ---------------------------------------------------------------------------------------- */

/* All that the emulator keeps of the core, registers first; the state of its translator lies before it. */
static uint8_t *core;
static size_t core_size;

static struct {
	uint64_t base, size;
	const uint8_t *host;
} regions[2]; /* RAM, code */

#define REGIONS (sizeof regions / sizeof *regions)

typedef struct {
	uint8_t *core;
	uint8_t *memory[REGIONS];
} copy;

static copy base, before; /* of the image that is set up; of the undisturbed run at the present position */

enum { RAM };

static void *allocate(size_t size) {
	void *memory = malloc(size);
	if (!memory)
		fail("no memory");
	return memory;
}

static void put_back(size_t region, const uint8_t *from, uint64_t size) {
	for (uint64_t at = 0; at < size; at += CHUNK) {
		uint64_t length = size - at < CHUNK ? size - at : CHUNK;
		/* Written by the emulator, so that it drops what it has translated from there. */
		if (memcmp(regions[region].host + at, from + at, length))
			qemu.memory_rw(regions[region].base + at, (void *)(uintptr_t)(from + at), length, true);
	}
}

static void new_copy(copy *of) {
	of->core = allocate(core_size);
	for (size_t i = 0; i < REGIONS; i++)
		of->memory[i] = allocate(regions[i].size);
}

/* Finds the core's registers within the emulator's object of the CPU, by values written there. */
static void find_core(void) {
	static const uint32_t magic[4] = {0x9C3E51A7, 0x14D20B6F, 0xE5F8A932, 0x6B07DC48};
	size_t size = qemu.type_size(qemu.type_name(cpu));
	uint32_t saved[4];
	for (int i = 0; i < 4; i++) {
		saved[i] = get_register(i);
		set_register(i, magic[i]);
	}
	uint8_t *found = memmem(cpu, size, magic, sizeof magic);
	for (int i = 0; i < 4; i++)
		set_register(i, saved[i]);
	if (!found)
		fail("the registers are not where this version of QEMU is expected to have them");
	core = found;
	core_size = size - (size_t)(found - (uint8_t *)cpu);
}

/* ---- events: why the guest has stopped -------------------------------------------------------------------------- */

typedef enum { RETURNED, FAULT, TIME, REACHED } event;

static enum { BOOTING, SERVING, CALLING, WALKING, TRYING } state;
static bool noted; /* an event has come and is not handled yet; others are of no interest until then */
static event noted_event;
static uint32_t noted_index;
static union {
	uint64_t words[32]; /* the emulator's own structure, 56 bytes in 7.2 */
	void *pointer;
} timer;

static void handle(void *unused, void *data);

static void note(event what, uint32_t index) {
	if (noted || state == BOOTING || state == SERVING)
		return;
	noted = true;
	noted_event = what;
	noted_index = index;
	qemu.async_run_on_cpu(cpu, handle, NULL);
}

static void on_time(void *data) {
	(void)data;
	note(TIME, 0);
}

/* Instead of the emulator's own way to take an exception. */
static void on_exception(void *of) {
	if (state == BOOTING)
		qemu.take_exception(of);
	else
		note(get_register(REGISTER_PC) == RETURN_ADDRESS ? RETURNED : FAULT, 0);
}

static void stop_after(uint64_t instructions) {
	/* One nanosecond an instruction: -icount shift=0. */
	qemu.timer_mod_ns(&timer, qemu.clock_get_ns(QEMU_CLOCK_VIRTUAL) + (int64_t)instructions);
}

/* The class of the CPU names a table of operations; from now on it names a copy of that table with ours in it. */
static void catch_exceptions(void) {
	enum { CLASS_WORDS = 128, TABLE_WORDS = 32 };
	static void *table[TABLE_WORDS];
	void **class = qemu.class_of(cpu);
	void *original, *ours = (void *)on_exception;
	memcpy(&original, &qemu.take_exception, sizeof original);
	for (size_t i = 0; i < CLASS_WORDS; i++) {
		Dl_info where;
		void **operations = class[i];
		if ((uintptr_t)operations % sizeof(void *) || !dladdr(operations, &where))
			continue;
		for (size_t k = 0; k < TABLE_WORDS / 2; k++) {
			if (operations[k] != original)
				continue;
			memcpy(table, operations, sizeof table);
			table[k] = ours;
			class[i] = table;
			return;
		}
	}
	fail("the CPU's operations are not where this version of QEMU is expected to have them");
}

/* ---- watching --------------------------------------------------------------------------------------------------- */

typedef struct {
	pc_cost cost;
	uint8_t size;
	uint32_t address;
	uint32_t division; /* the call that it has last been noted in */
} site;

/* An entry of the list: an instruction has the value 0 in `access`. */
typedef struct {
	uint32_t address;
	uint32_t access; /* 0x80000000 | store << 8 | bytes */
} entry;

static bool watched; /* what is translated, is with the callbacks of a watched call */
static uint32_t from_mark, to_mark;
static uint32_t reached[MAX_REACHED];
static size_t reached_count;
static uint64_t ready_address;

static struct {
	bool active, recording;
	uint32_t call;
	uint64_t instructions, accesses, cycles, least_cycles;
	uint64_t instruction_hash, data_hash;
	uint32_t expected; /* the address behind the last instruction */
	unsigned pending, least_pending;
	const pc_cost *last; /* the last instruction, if it is a single load or store that took place */
	site *current;
} watch;

static const pc_cost no_access = {0, PC_COST_PLAIN, false, -1, -1, -1};
static entry *list;
static size_t list_count, list_room;
static uint32_t *divisions;
static size_t division_count, division_room;

static void record(uint32_t address, uint32_t access) {
	if (list_count == list_room) {
		list_room = list_room ? list_room * 2 : 1u << 16;
		list = realloc(list, list_room * sizeof *list);
		if (!list)
			fail("no memory for the list of instructions");
	}
	list[list_count++] = (entry){address, access};
}

static uint64_t mix(uint64_t hash, uint64_t value) {
	hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
	return hash ^ hash >> 29;
}

static void note_division(site *s) {
	if (s->division == watch.call)
		return;
	s->division = watch.call;
	if (division_count == division_room) {
		division_room = division_room ? division_room * 2 : 64;
		divisions = realloc(divisions, division_room * sizeof *divisions);
		if (!divisions)
			fail("no memory for the list of divisions");
	}
	divisions[division_count++] = s->address;
}

static void on_instruction(unsigned int vcpu, void *data) {
	(void)vcpu;
	if (!watch.active)
		return;
	site *s = data;
	unsigned cycles = s->cost.cycles;
	if (s->address != watch.expected && watch.instructions)
		cycles += PC_COST_RELOAD;
	watch.pending = watch.least_pending = 0;
	if (s->cost.kind != PC_COST_PLAIN) {
		/* The rest is counted when the access takes place. */
		unsigned rest = s->cost.cycles - 1u;
		cycles -= rest;
		watch.pending = pc_load_pipelines(&s->cost, watch.last, false) ? 0 : rest;
		watch.least_pending = pc_load_pipelines(&s->cost, watch.last, true) ? 0 : rest;
	}
	watch.last = &no_access;
	watch.current = s;
	watch.expected = s->address + s->size;
	watch.instructions++;
	watch.cycles += cycles;
	watch.least_cycles += cycles;
	watch.instruction_hash = mix(watch.instruction_hash, s->address);
	if (s->cost.divides)
		note_division(s);
	if (watch.recording)
		record(s->address, 0);
}

static void on_access(unsigned int vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *data) {
	(void)vcpu, (void)data;
	if (!watch.active)
		return;
	unsigned size = 1u << qemu_plugin_mem_size_shift(info);
	uint32_t access = 0x80000000u | (uint32_t)qemu_plugin_mem_is_store(info) << 8 | size;
	unsigned more = pc_unaligned_cost(address, size);
	watch.accesses++;
	watch.cycles += watch.pending + more;
	watch.least_cycles += watch.least_pending + more;
	watch.pending = watch.least_pending = 0;
	if (watch.current)
		watch.last = &watch.current->cost;
	watch.data_hash = mix(watch.data_hash, address << 32 | access);
	if (watch.recording)
		record((uint32_t)address, access);
}

static void on_from(unsigned int vcpu, void *data) {
	(void)vcpu, (void)data;
	watch.active = state == CALLING;
	watch.expected = from_mark; /* what it takes to get here is no part of it */
	watch.last = &no_access;
	watch.current = NULL;
}

static void on_to(unsigned int vcpu, void *data) {
	(void)vcpu, (void)data;
	watch.active = false;
}

static void on_reached(unsigned int vcpu, void *data) {
	(void)vcpu;
	note(REACHED, (uint32_t)(uintptr_t)data);
}

/* The guest has left the image and its RAM. What lies there does not matter, and to follow it would be slow. */
static void on_outside(unsigned int vcpu, void *data) {
	(void)vcpu, (void)data;
	note(FAULT, 0);
}

static bool inside(uint64_t address) {
	for (size_t i = 0; i < REGIONS; i++)
		if (address - regions[i].base < regions[i].size)
			return true;
	return false;
}

static void on_ready(unsigned int vcpu, void *data) {
	(void)vcpu, (void)data;
	if (state != BOOTING || cpu)
		return;
	cpu = qemu.get_cpu(0);
	qemu.async_run_on_cpu(cpu, handle, NULL);
}

static void watch_instruction(struct qemu_plugin_insn *insn) {
	site *s = calloc(1, sizeof *s); /* lives as long as the emulator, and so does what is translated */
	if (!s)
		fail("no memory");
	s->address = (uint32_t)qemu_plugin_insn_vaddr(insn);
	/* Not qemu_plugin_insn_size(): in front of one that crosses a page, QEMU 7.2 counts half of that one too. */
	s->size = pc_instruction_size(qemu_plugin_insn_data(insn));
	s->cost = pc_instruction_cost(qemu_plugin_insn_data(insn));
	if (from_mark && s->address == from_mark)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_from, QEMU_PLUGIN_CB_NO_REGS, NULL);
	if (to_mark && s->address == to_mark)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_to, QEMU_PLUGIN_CB_NO_REGS, NULL);
	qemu_plugin_register_vcpu_insn_exec_cb(insn, on_instruction, QEMU_PLUGIN_CB_NO_REGS, s);
	qemu_plugin_register_vcpu_mem_cb(insn, on_access, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW, NULL);
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
	(void)id;
	size_t count = qemu_plugin_tb_n_insns(tb);
	for (size_t i = 0; i < count; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t address = qemu_plugin_insn_vaddr(insn);
		if (i == 0 && !inside(address))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_outside, QEMU_PLUGIN_CB_NO_REGS, NULL);
		if (!cpu && address == ready_address)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_ready, QEMU_PLUGIN_CB_NO_REGS, NULL);
		for (size_t k = 0; k < reached_count; k++) {
			if (address == reached[k])
				qemu_plugin_register_vcpu_insn_exec_cb(insn, on_reached, QEMU_PLUGIN_CB_NO_REGS, (void *)(uintptr_t)k);
		}
		if (watched)
			watch_instruction(insn);
	}
}

/* ---- calls ------------------------------------------------------------------------------------------------------ */

/* What the lines of the protocol give a call: the first numbers of `call` and of `skip`. */
enum { PC, SP, R0, R1, R2, R3, LIMIT, CALL_NUMBERS };

static uint64_t numbers[16];
static FILE *input, *output; /* of the control socket */

static uint32_t stack_limit; /* 0: not painted */

static struct {
	uint32_t *positions;
	uint32_t count, next;
	uint64_t done; /* instructions of the undisturbed run */
	uint32_t watch_address, watch_size;
	uint64_t ram_size; /* what of the RAM the routine uses: put back after each run, all else by `restore` only */
	uint32_t address;  /* of the instruction left out */
	uint8_t *results, *result;
	size_t result_size;
} skips;

/* What is told of each position: its number, the address of the instruction left out, what became of it (event), and R0, or
 * the address where it faulted, or the number of what it reached. The watched memory follows. */
typedef struct {
	uint32_t position, address, outcome, value;
} skip_result;

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...) {
	va_list arguments;
	va_start(arguments, format);
	if (vfprintf(output, format, arguments) < 0)
		_exit(0);
	va_end(arguments);
}

static void say_bytes(const void *data, size_t size) {
	if (size && fwrite(data, 1, size, output) != size)
		_exit(0);
}

static void set_watched(bool on, uint32_t from, uint32_t to, const uint32_t *stops, size_t stop_count) {
	bool same = watched == on && from_mark == from && to_mark == to && reached_count == stop_count &&
				!memcmp(reached, stops, stop_count * sizeof *stops);
	if (same)
		return;
	watched = on;
	from_mark = from;
	to_mark = to;
	reached_count = stop_count;
	memcpy(reached, stops, stop_count * sizeof *stops);
	qemu.flush_translations(cpu);
}

/* Sets the core as it is at the first instruction of the routine. */
static void enter_routine(void) {
	memcpy(core, base.core, core_size);
	for (int i = 0; i < 4; i++)
		set_register(i, (uint32_t)numbers[R0 + i]);
	set_register(REGISTER_SP, (uint32_t)numbers[SP]);
	set_register(REGISTER_LR, RETURN_ADDRESS | 1);
	set_register(REGISTER_PC, (uint32_t)numbers[PC]);
	noted = false;
}

static void paint_stack(void) {
	size_t size = (size_t)numbers[SP] - stack_limit;
	uint8_t *paint = allocate(size);
	memset(paint, PAINT, size);
	qemu.memory_rw(stack_limit, paint, size, true);
	free(paint);
}

static size_t painted_over(void) {
	size_t size = (size_t)numbers[SP] - stack_limit, clean = 0;
	uint8_t *stack = allocate(size);
	qemu.memory_rw(stack_limit, stack, size, false);
	while (clean < size && stack[clean] == PAINT)
		clean++;
	free(stack);
	return size - clean;
}

/* call ... FROM TO STACK-LIMIT RECORDING */
static void start_call(void) {
	uint32_t from = (uint32_t)numbers[CALL_NUMBERS], to = (uint32_t)numbers[CALL_NUMBERS + 1];
	stack_limit = (uint32_t)numbers[CALL_NUMBERS + 2];
	if (stack_limit)
		paint_stack();
	set_watched(true, from, to, NULL, 0);
	uint32_t call = watch.call + 1;
	memset(&watch, 0, sizeof watch);
	watch.call = call;
	watch.recording = numbers[CALL_NUMBERS + 3] != 0;
	watch.active = from == 0;
	watch.last = &no_access;
	list_count = division_count = 0;
	enter_routine();
	stop_after(numbers[LIMIT]);
	state = CALLING;
}

static const char *const event_names[] = {"returned", "fault", "hang", "reached"};

static void end_call(void) {
	watch.active = false;
	say("%s %" PRIu32 " %" PRIu32 " %" PRIu32, event_names[noted_event], get_register(0), get_register(1),
		get_register(REGISTER_PC));
	say(" %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %zu", watch.instructions, watch.accesses, watch.cycles,
		watch.least_cycles, stack_limit ? painted_over() : 0);
	say(" %016" PRIx64 " %016" PRIx64, watch.instruction_hash, watch.data_hash);
	for (size_t i = 0; i < division_count; i++)
		say(" %" PRIu32, divisions[i]);
	say("\n");
}

/* ---- skips ------------------------------------------------------------------------------------------------------ */

/* Lets the undisturbed run go on to the next position, or to its end. */
static void walk(void) {
	noted = false;
	state = WALKING;
	if (skips.next == skips.count) {
		stop_after(numbers[LIMIT]);
		return;
	}
	uint64_t position = skips.positions[skips.next];
	if (position > skips.done) {
		stop_after(position - skips.done);
		skips.done = position;
	} else {
		note(TIME, 0);
	}
}

/* skip ... WATCH-ADDRESS WATCH-SIZE COUNT STOP-COUNT RAM-SIZE; then COUNT positions, ascending, and the addresses */
static void start_skips(void) {
	uint32_t stops[MAX_REACHED];
	size_t stop_count = numbers[CALL_NUMBERS + 3];
	skips.ram_size = numbers[CALL_NUMBERS + 4] < regions[RAM].size ? numbers[CALL_NUMBERS + 4] : regions[RAM].size;
	skips.watch_address = (uint32_t)numbers[CALL_NUMBERS];
	skips.watch_size = (uint32_t)numbers[CALL_NUMBERS + 1];
	skips.count = (uint32_t)numbers[CALL_NUMBERS + 2];
	skips.next = 0;
	skips.done = 0;
	skips.positions = allocate(skips.count * sizeof *skips.positions + 1);
	if (stop_count > MAX_REACHED ||
		fread(skips.positions, sizeof *skips.positions, skips.count, input) != skips.count ||
		fread(stops, sizeof *stops, stop_count, input) != stop_count)
		_exit(0);
	skips.result_size = sizeof(skip_result) + skips.watch_size;
	skips.result = skips.results = allocate(skips.count * skips.result_size + 1);
	if (!before.core)
		new_copy(&before);
	set_watched(false, 0, 0, stops, stop_count);
	enter_routine();
	walk();
}

/* Moves the program counter, and the state of an IT block, over one instruction. */
static void skip_instruction(void) {
	uint32_t pc = get_register(REGISTER_PC), xpsr = get_register(REGISTER_XPSR);
	uint16_t first;
	qemu.memory_rw(pc, &first, sizeof first, false);
	/* ITSTATE: bits 7:2 are 15:10 of xPSR, bits 1:0 are 26:25. */
	uint32_t it = (xpsr >> 8 & 0xFC) | (xpsr >> 25 & 3);
	it = it & 7 ? (it & 0xE0) | (it << 1 & 0x1F) : 0;
	set_register(REGISTER_XPSR, (xpsr & ~0x0600FC00u) | (it & 0xFC) << 8 | (it & 3) << 25);
	set_register(REGISTER_PC, pc + (first >= 0xE800 ? 4 : 2));
	skips.address = pc;
}

static void try_skip(void) {
	memcpy(before.core, core, core_size);
	memcpy(before.memory[RAM], regions[RAM].host, skips.ram_size);
	skip_instruction();
	noted = false;
	state = TRYING;
	stop_after(numbers[LIMIT]);
}

static void end_skip(void) {
	skip_result result = {skips.positions[skips.next++], skips.address, noted_event, get_register(0)};
	if (noted_event == FAULT)
		result.value = get_register(REGISTER_PC);
	if (noted_event == REACHED)
		result.value = noted_index;
	memcpy(skips.result, &result, sizeof result);
	if (skips.watch_size)
		qemu.memory_rw(skips.watch_address, skips.result + sizeof result, skips.watch_size, false);
	skips.result += skips.result_size;
	/* Should it sleep: only what looks like an interrupt wakes it. None is enabled, so none is taken. */
	if (noted_event == TIME)
		qemu.raise(cpu, CPU_INTERRUPT_HARD);
	else
		qemu.lower(cpu, CPU_INTERRUPT_HARD);
	memcpy(core, before.core, core_size);
	put_back(RAM, before.memory[RAM], skips.ram_size);
	walk();
}

static void end_skips(void) {
	size_t size = (size_t)(skips.result - skips.results);
	say("%s %" PRIu32 " %zu\n", event_names[noted_event], get_register(0), size);
	say_bytes(skips.results, size);
	free(skips.results);
	free(skips.positions);
}

/* ---- the control socket ----------------------------------------------------------------------------------------- */

/*
 * Does what the lines say until one lets the guest run. Numbers are decimal.
 * restore                  memory becomes what it was when the image was set up -> ok
 * adopt                    what memory holds now is what `restore` brings back from now on -> ok
 * write ADDRESS SIZE       SIZE raw bytes follow -> ok ; read ADDRESS SIZE -> data SIZE, SIZE raw bytes
 * call PC SP R0 R1 R2 R3 LIMIT FROM TO STACK RECORDING -> "returned|fault|hang R0 R1 PC INSTRUCTIONS ACCESSES CYCLES
 *                          LEAST-CYCLES STACK INSTRUCTION-HASH DATA-HASH", and the addresses of divisions
 * list                     -> "data SIZE", the entries of the last recorded call
 * skip PC SP R0 R1 R2 R3 LIMIT ADDRESS SIZE COUNT STOPS RAM, raw -> "returned|fault|hang|reached R0 SIZE", results; the words are
 *                          those of the undisturbed run
 */
static void serve(void) {
	char line[512];
	state = SERVING;
	while (fflush(output) == 0 && fgets(line, sizeof line, input)) {
		char *at = strchr(line, ' ');
		size_t count = 0;
		for (char *end; at && count < sizeof numbers / sizeof *numbers; at = end) {
			uint64_t value = strtoull(at, &end, 10);
			if (end == at)
				break;
			numbers[count++] = value;
		}
		size_t length = strcspn(line, " \n");
		if (length == 7 && !memcmp(line, "restore", length)) {
			for (size_t i = 0; i < REGIONS; i++)
				put_back(i, base.memory[i], regions[i].size);
			say("ok\n");
		} else if (length == 5 && !memcmp(line, "adopt", length)) {
			for (size_t i = 0; i < REGIONS; i++)
				memcpy(base.memory[i], regions[i].host, regions[i].size);
			say("ok\n");
		} else if (length == 5 && !memcmp(line, "write", length) && count == 2) {
			uint8_t *data = allocate(numbers[1] + 1);
			if (fread(data, 1, numbers[1], input) != numbers[1])
				_exit(0);
			qemu.memory_rw(numbers[0], data, numbers[1], true);
			free(data);
			say("ok\n");
		} else if (length == 4 && !memcmp(line, "read", length) && count == 2) {
			uint8_t *data = allocate(numbers[1] + 1);
			qemu.memory_rw(numbers[0], data, numbers[1], false);
			say("data %" PRIu64 "\n", numbers[1]);
			say_bytes(data, numbers[1]);
			free(data);
		} else if (length == 4 && !memcmp(line, "list", length)) {
			say("data %zu\n", list_count * sizeof *list);
			say_bytes(list, list_count * sizeof *list);
		} else if (length == 4 && !memcmp(line, "call", length) && count == CALL_NUMBERS + 4) {
			start_call();
			return;
		} else if (length == 4 && !memcmp(line, "skip", length) && count == CALL_NUMBERS + 5) {
			start_skips();
			return;
		} else {
			say("error\n");
		}
	}
	_exit(0);
}

static void set_up(void) {
	for (size_t i = 0; i < REGIONS; i++) {
		uint64_t size = regions[i].size;
		regions[i].host = qemu.memory_map(regions[i].base, &size, false);
		if (!regions[i].host || size != regions[i].size)
			fail("the image's memory is not the machine's");
	}
	find_core();
	catch_exceptions();
	new_copy(&base);
	memcpy(base.core, core, core_size);
	for (size_t i = 0; i < REGIONS; i++)
		memcpy(base.memory[i], regions[i].host, regions[i].size);
	qemu.timer_init_full(&timer, NULL, QEMU_CLOCK_VIRTUAL, 1, 0, on_time, NULL);
	say("ready\n");
	serve();
}

/* Runs in the thread of the CPU, between two instructions, with the emulator's lock held. */
static void handle(void *unused, void *data) {
	(void)unused, (void)data;
	if (state == BOOTING) {
		set_up();
		return;
	}
	qemu.timer_del(&timer);
	if (state == CALLING) {
		end_call();
		serve();
	} else if (state == TRYING) {
		end_skip();
	} else if (noted_event == TIME && skips.next < skips.count) {
		try_skip();
	} else {
		end_skips();
		serve();
	}
}

/* ---- start ------------------------------------------------------------------------------------------------------ */

static bool connect_control(const char *path) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof address.sun_path)
		return false;
	strcpy(address.sun_path, path);
	int socket_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (socket_ < 0 || connect(socket_, (struct sockaddr *)&address, sizeof address))
		return false;
	input = fdopen(socket_, "rb");
	output = fdopen(dup(socket_), "wb");
	return input && output;
}

static bool argument(const char *text) {
	const char *value = strchr(text, '=');
	if (!value)
		return false;
	size_t length = (size_t)(value++ - text);
	if (length == 7 && !memcmp(text, "control", length))
		return connect_control(value);
	char *end;
	uint64_t number = strtoull(value, &end, 16);
	if (length == 5 && !memcmp(text, "ready", length)) {
		ready_address = number;
		return true;
	}
	int region = length == 3 && !memcmp(text, "ram", length)    ? 0
				 : length == 4 && !memcmp(text, "code", length) ? 1
																: -1;
	if (region < 0 || *end != ':')
		return false;
	regions[region].base = number;
	regions[region].size = strtoull(end + 1, NULL, 16);
	return true;
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv) {
	(void)info;
	if (!find_internals())
		return -1;
	for (int i = 0; i < argc; i++) {
		if (argument(argv[i]))
			continue;
		fprintf(stderr, "analysis-plugin: bad argument %s\n", argv[i]);
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	return 0;
}
