/*
 * xsmc.h: as much of XS as xs_crypto.c needs, for an image without it (test/unit/crypto-faults.test.ts): a machine is its result
 * and its arguments, each a number or a buffer, in memory. What throws ends in an exception.
 */
#ifndef XSMC_STAND_IN_H
#define XSMC_STAND_IN_H

#include <stdbool.h>
#include <stdint.h>

typedef int32_t xsIntegerValue;
typedef uint32_t xsUnsignedValue;

enum { xsUndefinedType, xsIntegerType, xsBufferType };

typedef struct {
	uint32_t kind;
	uint32_t value; /* the number, or the address of the bytes */
	uint32_t size;
} xsSlot;

typedef struct {
	xsSlot result;
	uint32_t count;
	xsSlot arguments[5];
} xsMachine;

#define xsResult (the->result)
#define xsArg(index) (the->arguments[index])
#define xsmcArgc ((xsIntegerValue)the->count)
#define xsmcTypeOf(slot) ((slot).kind)
#define xsmcToInteger(slot) ((xsIntegerValue)(slot).value)
#define xsTypeError(...) throw_error(the, __VA_ARGS__)
#define xsRangeError(...) throw_error(the, __VA_ARGS__)

static void __attribute__((noinline, noreturn, unused)) throw_error(xsMachine *the, const char *format, ...) {
	(void)the;
	(void)format;
	__builtin_trap();
}

static void __attribute__((noinline, unused)) fxInteger(xsSlot *slot, xsIntegerValue value) {
	slot->kind = xsIntegerType;
	slot->value = (uint32_t)value;
}

static void __attribute__((noinline, unused))
_xsmcGetBuffer(xsMachine *the, xsSlot *slot, void **data, xsUnsignedValue *size, bool writable) {
	(void)the;
	(void)writable;
	*data = (void *)slot->value;
	*size = slot->size;
}

#define xsmcSetInteger(slot, value) fxInteger(&(slot), value)
#define xsmcSetBoolean(slot, value) fxInteger(&(slot), value)
#define xsmcSetArrayBuffer(slot, data, size) ((void)(data), (void)(size), fxInteger(&(slot), 0))
#define xsmcSetHostChunk(slot, data, size) ((void)(data), (void)(size))
#define xsmcGetHostChunkValidate(slot, destructor) ((void)(destructor), (void *)(slot).value)
#define xsNewHostObject(destructor) ((void)(destructor), (xsSlot){0, 0, 0})

#endif
