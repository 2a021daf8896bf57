/* resource.c: natives of module "Resource": host buffers over the resources of the archive. */
#include "platform.h"

#include "xsmc.h"

/* Nothing to give back: the bytes are in flash. */
void xs_resource_destructor(void *data) {
	(void)data;
}

/* Only an object that was made to be a resource: the data of any other one is somebody else's, a key perhaps. */
static uint8_t *data_of(xsMachine *the, xsSlot *slot) {
	return xsmcGetHostDataValidate(*slot, (void *)xs_resource_destructor);
}

/* (path): makes `this` the resource of that name. */
void xs_resource_open(xsMachine *the) {
	(void)data_of(the, &xsThis);
	const char *path = xsmcToString(xsArg(0));
	const uint8_t *data;
	uint32_t size;
	if (!pc_archive_resource(&pc_modules, path, &data, &size)) {
		xsUnknownError("Resource: no \"%s\" in this image", path);
	}
	xsmcSetHostBuffer(xsThis, (void *)data, (xsIntegerValue)size);
	xsmcPetrifyHostBuffer(xsThis);
}

/* The bytes of a resource, and their number. */
static const uint8_t *bytes_of(xsMachine *the, xsSlot *slot, uint32_t *size) {
	const uint8_t *data = data_of(the, slot);
	*size = (uint32_t)xsmcGetHostBufferLength(*slot);
	return data;
}

/* Bytes [begin, end) of the resource in `slot`, given by arguments `first` and the next one. */
static const uint8_t *range_of(xsMachine *the, xsSlot *slot, int first, uint32_t *size) {
	uint32_t length;
	const uint8_t *data = bytes_of(the, slot, &length);
	xsIntegerValue begin = xsmcToInteger(xsArg(first)), end = xsmcToInteger(xsArg(first + 1));
	if (begin < 0 || end < begin || (uint32_t)end > length) {
		xsRangeError("Resource: %d to %d is outside of 0 to %d", (int)begin, (int)end, (int)length);
	}
	*size = (uint32_t)(end - begin);
	return data + begin;
}

/* (whole, begin, end): makes `this` a part of the resource `whole`. */
void xs_resource_part(xsMachine *the) {
	uint32_t size;
	(void)data_of(the, &xsThis);
	const uint8_t *data = range_of(the, &xsArg(0), 1, &size);
	xsmcSetHostBuffer(xsThis, (void *)data, (xsIntegerValue)size);
	xsmcPetrifyHostBuffer(xsThis);
}

/* () -> bytes */
void xs_resource_length(xsMachine *the) {
	uint32_t size;
	(void)bytes_of(the, &xsThis, &size);
	xsmcSetInteger(xsResult, (xsIntegerValue)size);
}

/* (begin, end) -> a copy */
void xs_resource_slice(xsMachine *the) {
	uint32_t size;
	const uint8_t *data = range_of(the, &xsThis, 0, &size);
	xsmcSetArrayBuffer(xsResult, (void *)data, (xsIntegerValue)size);
}

/* (path) -> whether the image has it */
void xs_resource_exists(xsMachine *the) {
	const uint8_t *data;
	uint32_t size;
	xsmcSetBoolean(xsResult, pc_archive_resource(&pc_modules, xsmcToString(xsArg(0)), &data, &size));
}
