/*
 * no-atomics.c: the device has one thread, so SharedArrayBuffer and Atomics are absent: both globals are undefined. This
 * file stands in for XS's xsAtomics.c and saves 10 KB of flash.
 */
#include "xsAll.h"

void fxBuildAtomics(txMachine *the) {
	(void)the; /* the intrinsics stay undefined */
}

void fxInitializeSharedCluster(void) {
}

void fxTerminateSharedCluster(void) {
}

void fxReleaseSharedChunk(void *data) {
	(void)data; /* nothing made one */
}

/* XS's tables of typed arrays name these; nothing can call them without an Atomics object. */
static void absent(void) {
}

/* Their types differ, and only their addresses are taken. */
#pragma GCC diagnostic ignored "-Wattribute-alias"
#define ABSENT(name) __typeof__(name) name __attribute__((alias("absent")));
#define ABSENT_TYPE(type) \
	ABSENT(fx##type##Add) \
	ABSENT(fx##type##And) \
	ABSENT(fx##type##CompareExchange) \
	ABSENT(fx##type##Exchange) \
	ABSENT(fx##type##Load) \
	ABSENT(fx##type##Or) \
	ABSENT(fx##type##Store) \
	ABSENT(fx##type##Sub) \
	ABSENT(fx##type##Xor)

ABSENT_TYPE(Int8)
ABSENT_TYPE(Int16)
ABSENT_TYPE(Int32)
ABSENT_TYPE(Int64)
ABSENT_TYPE(Uint8)
ABSENT_TYPE(Uint16)
ABSENT_TYPE(Uint32)
ABSENT_TYPE(Uint64)
ABSENT(fxInt32Wait)
ABSENT(fxInt64Wait)
