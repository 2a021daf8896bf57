/*
 * qemu-api.h: the few functions of QEMU that the plugin calls, in our own words.
 *
 * Distributions ship no plugin header, so the documented plugin interface (version 1, QEMU 4.2 to 8.2) is declared here
 * as far as it is used. The second part is not plugin interface but exported by QEMU builds with loadable modules (Debian,
 * Ubuntu); the plugin looks those up by name and refuses to start where one is missing.
 */
#ifndef PERICARD_QEMU_API_H
#define PERICARD_QEMU_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- plugin interface ------------------------------------------------------------------------------------------- */

typedef uint64_t qemu_plugin_id_t;
typedef struct qemu_info_t qemu_info_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;

enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };

typedef void (*qemu_plugin_vcpu_tb_trans_cb_t)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*qemu_plugin_vcpu_udata_cb_t)(unsigned int vcpu_index, void *userdata);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, qemu_plugin_vcpu_tb_trans_cb_t cb);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t idx);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_insn_exec_inline(
	struct qemu_plugin_insn *insn, enum qemu_plugin_op op, void *ptr, uint64_t imm);
void qemu_plugin_register_vcpu_insn_exec_cb(
	struct qemu_plugin_insn *insn, qemu_plugin_vcpu_udata_cb_t cb, enum qemu_plugin_cb_flags flags, void *userdata);

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

#endif
