/*
 * qemu-api.h: the few functions of QEMU that our plugins call, in our own words.
 *
 * Distributions ship no plugin header, so the documented plugin interface (version 1, QEMU 4.2 to 8.2) is declared here
 * as far as it is used. The second part is not plugin interface but exported by QEMU builds with loadable modules (Debian,
 * Ubuntu); a plugin looks those up by name and refuses to start where one is missing.
 */
#ifndef PERICARD_QEMU_API_H
#define PERICARD_QEMU_API_H

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* ---- plugin interface ------------------------------------------------------------------------------------------- */

typedef uint64_t qemu_plugin_id_t;
typedef struct qemu_info_t qemu_info_t;
typedef uint32_t qemu_plugin_meminfo_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;

enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
enum qemu_plugin_mem_rw { QEMU_PLUGIN_MEM_R = 1, QEMU_PLUGIN_MEM_W, QEMU_PLUGIN_MEM_RW };

typedef void (*qemu_plugin_vcpu_tb_trans_cb_t)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*qemu_plugin_vcpu_udata_cb_t)(unsigned int vcpu_index, void *userdata);
typedef void (*qemu_plugin_vcpu_mem_cb_t)(
	unsigned int vcpu_index, qemu_plugin_meminfo_t info, uint64_t vaddr, void *userdata);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, qemu_plugin_vcpu_tb_trans_cb_t cb);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t idx);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_insn_exec_inline(
	struct qemu_plugin_insn *insn, enum qemu_plugin_op op, void *ptr, uint64_t imm);
void qemu_plugin_register_vcpu_insn_exec_cb(
	struct qemu_plugin_insn *insn, qemu_plugin_vcpu_udata_cb_t cb, enum qemu_plugin_cb_flags flags, void *userdata);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, qemu_plugin_vcpu_mem_cb_t cb,
	enum qemu_plugin_cb_flags flags, enum qemu_plugin_mem_rw rw, void *userdata);
unsigned int qemu_plugin_mem_size_shift(qemu_plugin_meminfo_t info);
bool qemu_plugin_mem_is_store(qemu_plugin_meminfo_t info);

/* ---- exported by the emulator ----------------------------------------------------------------------------------- */

#define QEMU_CLOCK_VIRTUAL 1
#define RUN_STATE_PAUSED 4
#define SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET 3
#define SHUTDOWN_CAUSE_GUEST_RESET 7

typedef struct {
	/* The "big lock"; the functions below want it held. Called bql_* since QEMU 9. */
	void (*lock)(const char *file, int line);
	void (*unlock)(void);
	void *(*chr_find)(const char *id);
	int (*chr_can_write)(void *chr);
	void (*chr_write)(void *chr, const uint8_t *data, int size);
	int64_t (*clock_get_ns)(int clock);
	void (*timer_init_full)(
		void *timer, void *list_group, int clock, int scale, int attributes, void (*cb)(void *opaque), void *opaque);
	void (*timer_mod_ns)(void *timer, int64_t expire_ns);
	int (*vm_stop)(int state);
	void (*vm_start)(void);
	void *(*get_aio_context)(void);
	void (*bh_schedule)(void *context, void (*cb)(void *opaque), void *opaque, const char *name);
	void *(*get_cpu)(int index);
	void (*async_run_on_cpu)(void *cpu, void (*work)(void *cpu, void *data), void *data);
	bool (*runstate_is_running)(void);
	void *(*add_vm_change_state_handler)(void (*cb)(void *opaque, bool running, int state), void *opaque);
	void (*register_reset)(void (*cb)(void *opaque), void *opaque);
	void (*system_reset_request)(int cause);
	void (*physical_memory_rw)(uint64_t address, void *data, uint64_t size, bool write);
} qemu_internals;

/* Writes the address of what the emulator exports as `name`, or as `newer` in later versions (or NULL), to `slot`, which
 * holds a pointer. Says what is missing. */
static inline bool find(void *slot, const char *name, const char *newer) {
	void *symbol = dlsym(RTLD_DEFAULT, name);
	if (!symbol && newer)
		symbol = dlsym(RTLD_DEFAULT, newer);
	if (!symbol)
		fprintf(stderr, "pericard: this QEMU does not export %s; use the distribution's qemu-system-arm\n", name);
	memcpy(slot, &symbol, sizeof symbol);
	return symbol != NULL;
}

#endif
