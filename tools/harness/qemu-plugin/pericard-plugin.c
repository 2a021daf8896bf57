/*
 * pericard-plugin.c: puts QEMU under the exact control of the device harness (tools/harness/qemu.ts).
 *
 * It counts instructions, delivers serial input at fixed instructions of the guest, stops the machine at an exact
 * emulated time or at a given function, and reads and writes physical memory. Nothing depends on the speed of the host:
 * the same firmware and the same input give the same instruction count and the same output, byte by byte.
 *
 * Arguments: control=<unix socket to connect to>, uart<n>=<chardev id>, and the addresses of functions of the guest:
 * gate= polls a UART, reset= requests a system reset, mark= (up to MARK_PLACES of them), stop=, flash= (hosts/common/harness.h).
 * Control protocol: lines of text, see command(). The emulator ends when the socket is closed, so that none is orphaned.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "qemu-api.h"

#define PUBLIC __attribute__((visibility("default")))
#define PORTS 4u
#define LOW_WATER 16384u

PUBLIC extern int qemu_plugin_version;
PUBLIC int qemu_plugin_version = 1;
PUBLIC int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv);

typedef struct {
	char id[32]; /* chardev; empty: no such port */
	void *chr;
	uint8_t *data; /* waiting input: data[head..tail) */
	size_t head, tail, size;
	bool streaming; /* when empty, wait for more instead of leaving the line idle */
	bool wanted;    /* "want" was sent and not answered yet */
} port;

static qemu_internals qemu;
static port ports[PORTS];
/* Addresses of functions of the guest; 0: it has none. */
#define MARK_PLACES 4
static uint64_t gate_address, reset_address, stop_address, flash_address;
static uint64_t mark_addresses[MARK_PLACES];

static uint64_t instructions; /* counted inline by the translated code */
static uint64_t *marks;
static size_t mark_count, mark_room;
static uint64_t flash_steps, flash_limit; /* limit 0: never stop */
static const char *stop_reason = "paused";

/* QEMU's own timer structure; only QEMU looks inside (56 bytes in 7.2). */
static union {
	uint64_t words[32];
	void *pointer;
} timer;
static bool timer_ready;
static int64_t deadline_ns;

static int control = -1;
/* Guards the ports and everything that is said on the socket. Taken after QEMU's lock, never before. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static uint64_t resets;
static bool resetting; /* by the guest */

static void lock_qemu(void) {
	qemu.lock(__FILE__, __LINE__);
}

static void send_all(const char *text, size_t length) {
	for (size_t sent = 0; sent < length;) {
		ssize_t n = send(control, text + sent, length - sent, MSG_NOSIGNAL);
		if (n <= 0)
			_exit(0);
		sent += (size_t)n;
	}
}

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...) {
	char line[256];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	send_all(line, (size_t)length);
}

/*
 * Emulated time must not move between the decision to stop (or to reset) and its execution in QEMU's main loop: when
 * that loop finds every CPU idle it lets time jump to the next deadline, and a CPU that waits to be stopped counts as
 * idle unless work is queued for it. Hence the queued no_work() and the waiting in the CPU's own thread.
 */
static void no_work(void *cpu, void *data) {
	(void)cpu, (void)data;
}

/* ---- serial input ----------------------------------------------------------------------------------------------- */

/* Gives the UART its next byte if it can take one. With QEMU's lock held. Returns false if a stream ran dry. */
static bool deliver(port *p) {
	bool dry = false;
	if (!p->chr)
		p->chr = qemu.chr_find(p->id);
	if (!p->chr || qemu.chr_can_write(p->chr) <= 0)
		return true;
	pthread_mutex_lock(&mutex);
	size_t left = p->tail - p->head;
	if (p->streaming && left < LOW_WATER && !p->wanted) {
		p->wanted = true;
		say("want %d\n", (int)(p - ports));
	}
	if (left) {
		uint8_t byte = p->data[p->head++];
		qemu.chr_write(p->chr, &byte, 1);
	} else {
		dry = p->streaming;
	}
	pthread_mutex_unlock(&mutex);
	return !dry;
}

/* Gives every port a byte. With QEMU's lock held, which is let go while a stream is dry. */
static void deliver_all(void) {
	for (port *p = ports; p < ports + PORTS; p++) {
		while (p->id[0] && !deliver(p)) {
			qemu.unlock();
			pthread_mutex_lock(&mutex);
			while (p->streaming && p->head == p->tail)
				pthread_cond_wait(&changed, &mutex);
			pthread_mutex_unlock(&mutex);
			lock_qemu();
		}
	}
}

/* Runs in the CPU's thread between two instructions, with QEMU's lock held. */
static void gate_work(void *cpu, void *data) {
	(void)data;
	qemu.async_run_on_cpu(cpu, no_work, NULL);
	deliver_all();
}

/* The guest looks whether a UART has a byte: the one place where input reaches it while it runs. */
static void on_gate(unsigned int vcpu, void *data) {
	(void)vcpu, (void)data;
	qemu.async_run_on_cpu(qemu.get_cpu(0), gate_work, NULL);
}

static void append(port *p, const uint8_t *data, size_t size) {
	pthread_mutex_lock(&mutex);
	if (p->head) {
		memmove(p->data, p->data + p->head, p->tail - p->head);
		p->tail -= p->head;
		p->head = 0;
	}
	if (p->tail + size > p->size) {
		p->size = (p->tail + size) * 2;
		p->data = realloc(p->data, p->size);
		if (!p->data)
			abort();
	}
	memcpy(p->data + p->tail, data, size);
	p->tail += size;
	p->wanted = false;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&mutex);
}

/* ---- stops and counts ------------------------------------------------------------------------------------------- */

/* Runs in the CPU's thread between two instructions, with QEMU's lock held. */
static void stop_work(void *cpu, void *reason) {
	qemu.async_run_on_cpu(cpu, no_work, NULL);
	stop_reason = reason;
	qemu.vm_stop(RUN_STATE_PAUSED);
	qemu.unlock();
	while (qemu.runstate_is_running())
		sched_yield();
	lock_qemu();
}

static void on_time(void *data) {
	qemu.async_run_on_cpu(qemu.get_cpu(0), stop_work, data);
}

/* From a callback inside of translated code: the CPU runs on to the end of its block, at most a few instructions. */
static void stop_in_block(const char *reason) {
	lock_qemu();
	stop_reason = reason;
	qemu.vm_stop(RUN_STATE_PAUSED);
	qemu.unlock();
	while (qemu.runstate_is_running())
		sched_yield();
}

static void on_stop(unsigned int vcpu, void *data) {
	(void)vcpu, (void)data;
	stop_in_block("stop");
}

static void on_flash(unsigned int vcpu, void *data) {
	(void)vcpu, (void)data;
	if (++flash_steps == flash_limit)
		stop_in_block("flash");
}

/* The guest is about to request a reset. It is stopped first, then reset, and goes on: see on_state(), on_reset(). */
static void on_reset_request(unsigned int vcpu, void *data) {
	(void)vcpu, (void)data;
	resetting = true;
	stop_in_block("reset");
}

static void on_mark(unsigned int vcpu, void *data) {
	(void)vcpu, (void)data;
	if (mark_count == mark_room) {
		mark_room = mark_room ? mark_room * 2 : 1024;
		marks = realloc(marks, mark_room * sizeof *marks);
		if (!marks)
			abort();
	}
	marks[mark_count++] = instructions;
}

/* In the main loop, which then also lets an idle guest's time move on. */
static void run_in_main_loop(void *data) {
	(void)data;
	if (!timer_ready) {
		qemu.timer_init_full(&timer, NULL, QEMU_CLOCK_VIRTUAL, 1, 0, on_time, (void *)"time");
		timer_ready = true;
	}
	/* What was written while the machine stood still arrives now, at a defined point of emulated time. */
	for (port *p = ports; p < ports + PORTS; p++)
		if (p->id[0])
			(void)deliver(p);
	qemu.timer_mod_ns(&timer, deadline_ns);
	qemu.vm_start();
}

static void run_until(int64_t ns) {
	deadline_ns = ns;
	qemu.bh_schedule(qemu.get_aio_context(), run_in_main_loop, NULL, "pericard-run");
}

static void on_state(void *data, bool running, int state) {
	(void)data, (void)state;
	if (running)
		return;
	if (resetting) {
		qemu.system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
		return;
	}
	pthread_mutex_lock(&mutex);
	say("stopped %s %" PRId64 " %" PRIu64 "\n", stop_reason, qemu.clock_get_ns(QEMU_CLOCK_VIRTUAL), instructions);
	stop_reason = "paused";
	pthread_mutex_unlock(&mutex);
}

static void on_reset(void *data) {
	(void)data;
	if (resetting) {
		resetting = false;
		run_until(deadline_ns);
	}
	pthread_mutex_lock(&mutex);
	resets++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&mutex);
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
	(void)id;
	size_t count = qemu_plugin_tb_n_insns(tb);
	for (size_t i = 0; i < count; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t address = qemu_plugin_insn_vaddr(insn);
		qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64, &instructions, 1);
		if (gate_address && address == gate_address)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_gate, QEMU_PLUGIN_CB_NO_REGS, NULL);
		if (reset_address && address == reset_address)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_reset_request, QEMU_PLUGIN_CB_NO_REGS, NULL);
		for (size_t place = 0; place < MARK_PLACES; place++)
			if (mark_addresses[place] && address == mark_addresses[place])
				qemu_plugin_register_vcpu_insn_exec_cb(insn, on_mark, QEMU_PLUGIN_CB_NO_REGS, NULL);
		if (stop_address && address == stop_address)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_stop, QEMU_PLUGIN_CB_NO_REGS, NULL);
		if (flash_address && address == flash_address)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_flash, QEMU_PLUGIN_CB_NO_REGS, NULL);
	}
}

/* ---- the control socket ----------------------------------------------------------------------------------------- */

static void peek(uint64_t address, size_t size) {
	uint8_t *data = malloc(size + 1);
	char *text = malloc(2 * size + sizeof "data \n");
	if (!data || !text)
		abort();
	lock_qemu();
	qemu.physical_memory_rw(address, data, size, false);
	qemu.unlock();
	char *to = text + sprintf(text, "data ");
	for (size_t i = 0; i < size; i++) {
		*to++ = "0123456789abcdef"[data[i] >> 4];
		*to++ = "0123456789abcdef"[data[i] & 15];
	}
	*to++ = '\n';
	pthread_mutex_lock(&mutex);
	send_all(text, (size_t)(to - text));
	pthread_mutex_unlock(&mutex);
	free(text);
	free(data);
}

static void reset_machine(void) {
	uint64_t before = resets;
	lock_qemu();
	qemu.system_reset_request(SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET);
	qemu.unlock();
	pthread_mutex_lock(&mutex);
	while (resets == before)
		pthread_cond_wait(&changed, &mutex);
	pthread_mutex_unlock(&mutex);
}

static void answer(const char *text) {
	pthread_mutex_lock(&mutex);
	say("%s\n", text);
	pthread_mutex_unlock(&mutex);
}

/*
 * run NS            continue until the virtual clock shows NS -> later "stopped time|stop|flash|paused NS INSTRUCTIONS"
 * pause             -> "stopped ..."
 * input P SIZE      SIZE raw bytes follow: appended to the input of port P -> ok
 * stream P 0|1      1: the guest waits for input of port P when there is none -> ok. Low water is told by "want P".
 * peek ADDRESS SIZE -> data HEX ; poke ADDRESS SIZE with SIZE raw bytes -> ok
 * flash N           stop at the N-th call of the flash function from now on (0: never) -> ok
 * state             -> "state NS INSTRUCTIONS RESETS FLASHSTEPS"
 * marks FIRST       -> "marks N..." from the given index on
 * reset             system reset, RAM kept -> ok
 */
static void command(char *line, FILE *in) {
	uint64_t a = 0, b = 0;
	char name[16] = "";
	int count = sscanf(line, "%15s %" SCNi64 " %" SCNi64, name, (int64_t *)&a, (int64_t *)&b);
	uint8_t *body = NULL;
	if (!strcmp(name, "input") || !strcmp(name, "poke")) {
		body = malloc(b + 1);
		if (!body || fread(body, 1, b, in) != b)
			_exit(0);
	}
	if (!strcmp(name, "run") && count >= 2) {
		run_until((int64_t)a);
	} else if (!strcmp(name, "pause")) {
		lock_qemu();
		bool running = qemu.runstate_is_running();
		if (running)
			qemu.vm_stop(RUN_STATE_PAUSED);
		qemu.unlock();
		if (!running)
			answer("not running");
	} else if (!strcmp(name, "input") && a < PORTS) {
		append(&ports[a], body, b);
		answer("ok");
	} else if (!strcmp(name, "stream") && a < PORTS) {
		pthread_mutex_lock(&mutex);
		ports[a].streaming = b != 0;
		pthread_cond_broadcast(&changed);
		pthread_mutex_unlock(&mutex);
		answer("ok");
	} else if (!strcmp(name, "peek")) {
		peek(a, b);
	} else if (!strcmp(name, "poke")) {
		lock_qemu();
		qemu.physical_memory_rw(a, body, b, true);
		qemu.unlock();
		answer("ok");
	} else if (!strcmp(name, "flash")) {
		flash_limit = a ? flash_steps + a : 0;
		answer("ok");
	} else if (!strcmp(name, "state")) {
		lock_qemu();
		int64_t now = qemu.clock_get_ns(QEMU_CLOCK_VIRTUAL);
		qemu.unlock();
		pthread_mutex_lock(&mutex);
		say("state %" PRId64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", now, instructions, resets, flash_steps);
		pthread_mutex_unlock(&mutex);
	} else if (!strcmp(name, "marks")) {
		pthread_mutex_lock(&mutex);
		say("marks");
		for (size_t i = a; i < mark_count; i++)
			say(" %" PRIu64, marks[i]);
		say("\n");
		pthread_mutex_unlock(&mutex);
	} else if (!strcmp(name, "reset")) {
		reset_machine();
		answer("ok");
	} else {
		answer("error");
	}
	free(body);
}

static void *serve(void *data) {
	FILE *in = data;
	char line[256];
	/* The reset at power-on loads the image into memory: nobody writes there before it is over, which it is once the main
	 * loop has let go of QEMU's lock. */
	pthread_mutex_lock(&mutex);
	while (resets == 0)
		pthread_cond_wait(&changed, &mutex);
	pthread_mutex_unlock(&mutex);
	lock_qemu();
	qemu.unlock();
	while (fgets(line, sizeof line, in))
		command(line, in);
	_exit(0);
}

/* ---- start ------------------------------------------------------------------------------------------------------ */

static bool find_internals(void) {
	return find(&qemu.lock, "qemu_mutex_lock_iothread_impl", "bql_lock_impl") &&
		   find(&qemu.unlock, "qemu_mutex_unlock_iothread", "bql_unlock") &&
		   find(&qemu.chr_find, "qemu_chr_find", NULL) && find(&qemu.chr_can_write, "qemu_chr_be_can_write", NULL) &&
		   find(&qemu.chr_write, "qemu_chr_be_write", NULL) && find(&qemu.clock_get_ns, "qemu_clock_get_ns", NULL) &&
		   find(&qemu.timer_init_full, "timer_init_full", NULL) && find(&qemu.timer_mod_ns, "timer_mod_ns", NULL) &&
		   find(&qemu.vm_stop, "vm_stop", NULL) && find(&qemu.vm_start, "vm_start", NULL) &&
		   find(&qemu.get_aio_context, "qemu_get_aio_context", NULL) &&
		   find(&qemu.bh_schedule, "aio_bh_schedule_oneshot_full", NULL) && find(&qemu.get_cpu, "qemu_get_cpu", NULL) &&
		   find(&qemu.async_run_on_cpu, "async_run_on_cpu", NULL) &&
		   find(&qemu.runstate_is_running, "runstate_is_running", NULL) &&
		   find(&qemu.add_vm_change_state_handler, "qemu_add_vm_change_state_handler", NULL) &&
		   find(&qemu.register_reset, "qemu_register_reset", NULL) &&
		   find(&qemu.system_reset_request, "qemu_system_reset_request", NULL) &&
		   find(&qemu.physical_memory_rw, "cpu_physical_memory_rw", NULL);
}

static bool connect_control(const char *path) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof address.sun_path)
		return false;
	strcpy(address.sun_path, path);
	control = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (control < 0 || connect(control, (struct sockaddr *)&address, sizeof address))
		return false;
	FILE *in = fdopen(control, "rb");
	pthread_t thread;
	return in && !pthread_create(&thread, NULL, serve, in);
}

static bool add_mark_place(uint64_t address) {
	for (size_t place = 0; place < MARK_PLACES; place++) {
		if (mark_addresses[place] == 0) {
			mark_addresses[place] = address;
			return true;
		}
	}
	return false;
}

static bool argument(const char *text) {
	const char *value = strchr(text, '=');
	if (!value)
		return false;
	size_t length = (size_t)(value++ - text);
	if (length == 7 && !strncmp(text, "control", length))
		return connect_control(value);
	if (length == 5 && !strncmp(text, "uart", 4) && text[4] >= '0' && text[4] < (char)('0' + PORTS)) {
		port *p = &ports[text[4] - '0'];
		return strlen(value) < sizeof p->id && strcpy(p->id, value);
	}
	uint64_t address = strtoull(value, NULL, 16);
	if (length == 4 && !strncmp(text, "gate", length))
		gate_address = address;
	else if (length == 5 && !strncmp(text, "reset", length))
		reset_address = address;
	else if (length == 4 && !strncmp(text, "mark", length))
		return add_mark_place(address);
	else if (length == 4 && !strncmp(text, "stop", length))
		stop_address = address;
	else if (length == 5 && !strncmp(text, "flash", length))
		flash_address = address;
	else
		return false;
	return true;
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv) {
	(void)info;
	if (!find_internals())
		return -1;
	/* The control thread may run as soon as it is connected, so that argument must come last. */
	for (int i = 0; i < argc; i++) {
		if (argument(argv[i]))
			continue;
		fprintf(stderr, "pericard-plugin: bad argument %s\n", argv[i]);
		return -1;
	}
	qemu.add_vm_change_state_handler(on_state, NULL);
	qemu.register_reset(on_reset, NULL);
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	return 0;
}
