/*
 * machine.c: the XS machine on this platform: its memory, its modules out of the archive, its stack traces, its end.
 *
 * This is the one file of the platform that sees XS's internals (xsAll.h); bindings use xs.h.
 */
#include "xsAll.h"

#include "config.h"
#include "console.h"
#include "hal.h"
#include "machine.h"
#include "memory.h"
#include "platform.h"
#include "reset.h"

pc_archive pc_modules;

/* The module whose code fxRunScript is about to run: its host functions are built by build_hosts(). */
static const pc_archive_module *loading;

/* ---- memory ----------------------------------------------------------------------------------------------------- */

void *fxAllocateChunks(txMachine *the, txSize size) {
	(void)the;
	return pc_memory_low((size_t)size);
}

void fxFreeChunks(txMachine *the, void *chunks) {
	(void)the;
	(void)chunks; /* the machine lives as long as the device is on */
}

txSlot *fxAllocateSlots(txMachine *the, txSize count) {
	(void)the;
	return pc_memory_high((size_t)count * sizeof(txSlot));
}

void fxFreeSlots(txMachine *the, void *slots) {
	(void)the;
	(void)slots;
}

void fxCreateMachinePlatform(txMachine *the) {
	the->promise_jobs = 0;
}

void fxDeleteMachinePlatform(txMachine *the) {
	(void)the;
}

/* ---- the ends of a machine -------------------------------------------------------------------------------------- */

void fxAbort(txMachine *the, int status) {
	pc_reset_reason reason = PC_RESET_ENGINE;
	switch (status) {
	case XS_STACK_OVERFLOW_EXIT:
		reason = PC_RESET_STACK_OVERFLOW;
		break;
	case XS_NOT_ENOUGH_MEMORY_EXIT:
		reason = PC_RESET_OUT_OF_MEMORY;
		break;
	case XS_NO_MORE_KEYS_EXIT:
		reason = PC_RESET_OUT_OF_KEYS;
		break;
	case XS_UNHANDLED_EXCEPTION_EXIT:
		pc_uncaught(the, false);
	case XS_UNHANDLED_REJECTION_EXIT:
		pc_uncaught(the, true);
	default:
		break;
	}
	/* Where JavaScript was: the innermost frame that runs code of the archive. */
	char message[PC_RESET_MESSAGE] = "";
	const txByte *code = the->code;
	for (txSlot *frame = the->frame; frame != NULL; code = frame->value.frame.code, frame = frame->next) {
		const char *module;
		uint32_t offset;
		if (pc_code_position(code, &module, &offset)) {
			c_snprintf(message, sizeof message, "at (%s:%lu)", module, (unsigned long)offset);
			break;
		}
	}
	pc_reset_commit(pc_reset_prepare(reason, message));
}

/* A property of what was thrown, as text: that of an error. Of any other value the message is the value itself. */
static void record_property(txMachine *the, const char *name, txID id) {
	mxTry(the) {
		mxPush(mxException);
		if (the->stack->kind == XS_REFERENCE_KIND) {
			mxGetID(id);
		} else {
			the->stack->kind = XS_UNDEFINED_KIND;
		}
		if (id == mxID(_cause) && the->stack->kind == XS_REFERENCE_KIND) {
			/* An error's stack begins with its name and message. */
			mxGetID(mxID(_stack));
		}
		txBoolean absent = the->stack->kind == XS_UNDEFINED_KIND;
		if (absent && id == mxID(_message)) {
			mxPop();
			mxPush(mxException);
			absent = 0;
		}
		if (!absent) {
			pc_console_record_text(name, fxToString(the, the->stack));
		} else if (id != mxID(_cause)) {
			pc_console_record_text(name, "");
		}
		mxPop();
	}
	mxCatch(the) {
		pc_console_record_text(name, "(unprintable)");
	}
}

void pc_uncaught(void *machine, bool rejection) {
	txMachine *the = machine;
	char message[PC_RESET_MESSAGE] = "";
	fxBeginHost(the);
	/* On the stack, for the getters that run below may throw, catch and collect. */
	mxPush(mxException);
	txSlot *exception = the->stack;
	pc_console_record_begin(rejection ? "rejection" : "uncaught");
	record_property(the, "name", mxID(_name));
	mxException = *exception;
	record_property(the, "message", mxID(_message));
	mxException = *exception;
	record_property(the, "stack", mxID(_stack));
	mxException = *exception;
	record_property(the, "cause", mxID(_cause));
	pc_console_record_end();
	mxException = *exception;
	mxTry(the) {
		mxPush(mxException);
		c_strncpy(message, fxToString(the, the->stack), sizeof message - 1);
	}
	mxCatch(the) {
		c_strcpy(message, "(unprintable)");
	}
	pc_reset_commit(pc_reset_prepare(rejection ? PC_RESET_REJECTION : PC_RESET_UNCAUGHT, message));
}

/* ---- modules ---------------------------------------------------------------------------------------------------- */

/* Joins `name`, relative to the folder of `base`, into `path`. False when it climbs out or does not fit. */
static txBoolean join(const char *base, const char *name, char *path, size_t size) {
	const char *slash = c_strrchr(base, '/');
	size_t length = slash != NULL ? (size_t)(slash - base) : 0;
	if (length >= size) {
		return 0;
	}
	c_memcpy(path, base, length);
	while (name[0] == '.') {
		if (name[1] == '/') {
			name += 2;
		} else if (name[1] == '.' && name[2] == '/') {
			if (length == 0) {
				return 0;
			}
			while (length > 0 && path[length - 1] != '/') {
				length--;
			}
			if (length > 0) {
				length--;
			}
			name += 3;
		} else {
			break;
		}
	}
	size_t rest = c_strlen(name);
	if (length + 1 + rest + 1 > size) {
		return 0;
	}
	if (length > 0) {
		path[length++] = '/';
	}
	c_memcpy(path + length, name, rest + 1);
	return 1;
}

txID fxFindModule(txMachine *the, txSlot *realm, txID moduleID, txSlot *slot) {
	char name[C_PATH_MAX], path[C_PATH_MAX];
	pc_archive_module module;
	(void)realm;
	fxToStringBuffer(the, slot, name, sizeof name);
	if (name[0] == '.') {
		if (moduleID == XS_NO_ID || !join(fxGetKeyName(the, moduleID), name, path, sizeof path)) {
			return XS_NO_ID;
		}
	} else {
		c_strcpy(path, name);
	}
	size_t length = c_strlen(path);
	if (length > 3 && (!c_strcmp(path + length - 3, ".js") || !c_strcmp(path + length - 3, ".ts"))) {
		path[length - 3] = 0;
	}
	if (!pc_archive_find(&pc_modules, path, &module)) {
		return XS_NO_ID;
	}
	return fxNewNameX(the, (txString)module.name);
}

/* XS calls it (as script->callback) to make the array of host functions that XS_CODE_HOST indexes. */
static void build_hosts(txMachine *the) {
	const pc_archive_module *module = loading;
	uint32_t count = module->host_ref_count;
	txHostFunctionBuilder *builders = c_malloc(count * sizeof(txHostFunctionBuilder));
	if (builders == C_NULL) {
		fxAbort(the, XS_NOT_ENOUGH_MEMORY_EXIT);
	}
	for (uint32_t i = 0; i < count; i++) {
		pc_archive_host_ref ref = pc_archive_host_ref_at(module, i);
		builders[i].callback = (txCallback)pc_natives[ref.native];
		builders[i].length = ref.length;
		builders[i].id = ref.name_id == 0xFFFF ? XS_NO_ID : ref.name_id;
	}
	fxBuildHosts(the, (txInteger)count, builders);
	c_free(builders);
	mxPullSlot(mxResult);
}

void fxLoadModule(txMachine *the, txSlot *slot, txID moduleID) {
	pc_archive_module module;
	txScript script;
	if (!pc_archive_find(&pc_modules, fxGetKeyName(the, moduleID), &module)) {
		return;
	}
	c_memset(&script, 0, sizeof script);
	script.callback = module.host_ref_count > 0 ? (void *)build_hosts : C_NULL;
	script.codeBuffer = (txS1 *)module.code;
	script.codeSize = (txSize)module.code_size;
	script.path = (txString)module.name;
	script.version[0] = XS_MAJOR_VERSION;
	script.version[1] = XS_MINOR_VERSION;
	script.version[2] = XS_PATCH_VERSION;
	loading = &module;
	fxResolveModule(the, slot, moduleID, &script, C_NULL, C_NULL);
	loading = C_NULL;
}

/* eval, new Function and Compartment.prototype.evaluate end here: an image holds no parser. */
txScript *fxParseScript(txMachine *the, void *stream, txGetter getter, txUnsigned flags) {
	(void)stream;
	(void)getter;
	(void)flags;
	mxSyntaxError("no parser on the device: code comes only from the archive");
	return C_NULL;
}

/* ---- stack traces ----------------------------------------------------------------------------------------------- */

bool pc_code_position(const void *code, const char **module, uint32_t *offset) {
	const uint8_t *address = code;
	if (pc_modules.data == NULL || address < pc_modules.data || address >= pc_modules.data + pc_modules.size) {
		return false;
	}
	for (uint32_t i = 0; i < pc_modules.module_count; i++) {
		pc_archive_module candidate = pc_archive_module_at(&pc_modules, i);
		if (address >= candidate.code && address <= candidate.code + candidate.code_size) {
			*module = candidate.name;
			*offset = (uint32_t)(address - candidate.code);
			return true;
		}
	}
	return false;
}

/*
 * Replaces XS's fxCaptureErrorStack (see engine.json): a release image carries no line opcodes, so a frame is recorded as
 * module and code offset, and the build's symbols file turns these into file and line. XS prints the entries as
 * " at name (module:offset)".
 */
void pc_capture_error_stack(txMachine *the, txSlot *internal, txSlot *frame) {
	txSlot *slot = internal->value.reference = fxNewSlot(the);
	slot->kind = XS_INSTANCE_KIND;
	slot->value.instance.garbage = C_NULL;
	slot->value.instance.prototype = C_NULL;
	/* A frame keeps where its caller was; the machine keeps where the innermost frame is. */
	const txByte *code = the->code;
	for (txSlot *inner = the->frame; inner != C_NULL && inner != frame; inner = inner->next) {
		code = inner->value.frame.code;
	}
	for (; frame != C_NULL && frame->next != C_NULL; code = frame->value.frame.code, frame = frame->next) {
		txSlot *function = frame + 3;
		const char *module;
		uint32_t offset;
		if (function->kind != XS_REFERENCE_KIND || !mxIsFunction(function->value.reference)) {
			continue;
		}
		function = function->value.reference;
		slot = slot->next = fxNewSlot(the);
		slot->flag = XS_GET_ONLY;
		slot->kind = XS_KEY_X_KIND;
		slot->ID = XS_NO_ID;
		slot->value.key.string = (txString) "";
		slot->value.key.sum = 0;
		txSlot *name = mxBehaviorGetProperty(the, function, mxID(_name), 0, XS_OWN);
		if (name != C_NULL && (name->kind == XS_STRING_KIND || name->kind == XS_STRING_X_KIND)) {
			slot->kind = name->kind == XS_STRING_X_KIND ? XS_KEY_X_KIND : XS_KEY_KIND;
			slot->value.key.string = name->value.string;
		} else {
			txSlot *body = mxFunctionInstanceCode(function);
			txSlot *key = body->ID != XS_NO_ID ? fxGetKey(the, body->ID) : C_NULL;
			if (key != C_NULL) {
				slot->kind = key->kind == XS_KEY_X_KIND ? XS_KEY_X_KIND : XS_KEY_KIND;
				slot->value.key.string = key->value.key.string;
			}
		}
		if (pc_code_position(code, &module, &offset)) {
			slot->ID = fxNewNameX(the, (txString)module);
			slot->value.key.sum = offset;
		}
	}
}

/* ---- functions' own properties ---------------------------------------------------------------------------------- */

/*
 * These stand in for XS's functions of similar names (see engine.json). The engine's several hundred built-in functions
 * go without own "length" and "name" and inherit 0 and "": that saves 17 KB of RAM. Functions of JavaScript and natives have them.
 */
static bool creating;

txSlot *pc_new_function_length(txMachine *the, txSlot *instance, txNumber length) {
	return creating ? C_NULL : fxNewFunctionLength(the, instance, length);
}

txSlot *pc_new_function_name(txMachine *the, txSlot *instance, txID id, txIndex index, txID former, txString prefix) {
	return creating ? C_NULL : fxNewFunctionName(the, instance, id, index, former, prefix);
}

/* ---- what natives point to -------------------------------------------------------------------------------------- */

/*
 * Replaces fxReport in XS's files that look for the bytes of a buffer (see engine.json). They call it, with a warning, where
 * they would go on to take any host object for a buffer of as many bytes as its property byteLength says: JavaScript could
 * read and write the memory behind what a native points to, keys among it.
 */
void pc_refuse_buffer(txMachine *the, txString warning, ...) {
	(void)warning;
	mxTypeError("this is no buffer");
}

/* ---- jobs and time ---------------------------------------------------------------------------------------------- */

void fxQueuePromiseJobs(txMachine *the) {
	the->promise_jobs = 1;
}

void pc_jobs_run(void *machine) {
	txMachine *the = machine;
	while (the->promise_jobs) {
		the->promise_jobs = 0;
		fxRunPromiseJobs(the);
	}
	fxEndJob(the);
	fxCheckUnhandledRejections(the, 1);
}

uint32_t modMilliseconds(void) {
	return (uint32_t)(hal_now_us() / 1000u);
}

/* ---- creation --------------------------------------------------------------------------------------------------- */

uint32_t pc_engine_version(void) {
	return (uint32_t)XS_MAJOR_VERSION << 24 | (uint32_t)XS_MINOR_VERSION << 16 | (uint32_t)XS_PATCH_VERSION << 8;
}

uint32_t pc_engine_first_id(void) {
	return XS_ID_COUNT;
}

#ifdef mxMetering
/* On a host whose time is virtual, code takes time too: the engine's steps are told to it (see hosts/posix). */
#define METER_INTERVAL 1000
extern void pc_posix_meter(uint32_t units);

static txBoolean meter(txMachine *the, txU4 count) {
	static txU4 told;
	(void)the;
	pc_posix_meter(count - told);
	told = count;
	return 1;
}
#endif

void *pc_machine_create(const struct pc_creation_t *creation, char *stack_limit) {
	txCreation parameters = {
		.initialChunkSize = (txSize)creation->chunk_initial,
		.incrementalChunkSize = (txSize)creation->chunk_incremental,
		.initialHeapCount = (txSize)creation->heap_initial,
		.incrementalHeapCount = (txSize)creation->heap_incremental,
		.stackCount = (txSize)creation->stack,
		.initialKeyCount = (txSize)(XS_ID_COUNT + pc_modules.symbol_count + creation->keys_initial),
		.incrementalKeyCount = (txSize)creation->keys_incremental,
		.nameModulo = 251,
		.symbolModulo = 31,
		.parserBufferSize = 0,
		.parserTableModulo = 0,
	};
	creating = true;
	txMachine *the = fxCreateMachine(&parameters, "pericard", C_NULL, XS_NO_ID);
	creating = false;
	if (the != C_NULL) {
		/* What the built-in functions inherit. */
		fxNewFunctionLength(the, mxFunctionPrototype.value.reference, 0);
		fxNewFunctionName(the, mxFunctionPrototype.value.reference, XS_NO_ID, 0, XS_NO_ID, C_NULL);
	}
	if (the == C_NULL) {
		return C_NULL;
	}
	the->stackLimit = stack_limit;
#ifdef mxMetering
	fxBeginMetering(the, meter, METER_INTERVAL);
#endif
	/* Code in the archive carries final IDs: its names must get exactly the ones that the build gave them. */
	for (uint32_t i = 0; i < pc_modules.symbol_count; i++) {
		if (fxNewNameX(the, (txString)pc_archive_symbol(&pc_modules, i)) != (txID)(XS_ID_COUNT + i)) {
			fxAbort(the, XS_FATAL_CHECK_EXIT);
		}
	}
	return the;
}

static void imported(txMachine *the) {
	(void)the;
}

static void import_rejected(txMachine *the) {
	mxException = *mxArgv(0);
	pc_uncaught(the, false);
}

void pc_machine_import(void *machine, const char *name) {
	txMachine *the = machine;
	fxBeginHost(the);
	mxTry(the) {
		txSlot *realm = mxProgram.value.reference->next->value.module.realm;
		mxPushStringX((txString)name);
		fxRunImport(the, realm, XS_NO_ID);
		mxDub();
		fxGetID(the, mxID(_then));
		mxCall();
		fxNewHostFunction(the, imported, 1, XS_NO_ID, XS_NO_ID);
		fxNewHostFunction(the, import_rejected, 1, XS_NO_ID, XS_NO_ID);
		mxRunCount(2);
		mxPop();
	}
	mxCatch(the) {
		pc_uncaught(the, false);
	}
	fxEndHost(the);
}

void pc_machine_memory(void *machine, struct pc_memory_use *use) {
	txMachine *the = machine;
	use->slots = (uint32_t)the->currentHeapCount * (uint32_t)sizeof(txSlot);
	use->slots_peak = (uint32_t)the->peakHeapCount * (uint32_t)sizeof(txSlot);
	use->chunks = (uint32_t)the->currentChunksSize;
	use->chunks_peak = (uint32_t)the->peakChunksSize;
	use->free = (uint32_t)pc_memory_free();
	use->keys = (uint32_t)the->keyIndex;
}
