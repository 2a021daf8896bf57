/*
 * model.h: what a test asks of the models of peripherals: hal-model.c (AES behind hal.h) and esp32c3-model.c (the
 * registers of the ESP32-C3).
 */
#ifndef PERICARD_TEST_MODEL_H
#define PERICARD_TEST_MODEL_H

#include <stddef.h>
#include <stdint.h>

typedef enum { MODEL_AES, MODEL_SHA, MODEL_RSA } model_unit;

typedef enum {
	MODEL_WORKS,
	MODEL_WRONG,  /* one bit of each result is */
	MODEL_ONCE,   /* the same, of one result */
	MODEL_IDLE,   /* says that it has ended, and has computed nothing */
	MODEL_SILENT, /* never ends */
	MODEL_TAKEN,  /* somebody else has it */
} model_fault;

/* How a unit behaves from its after-th operation since now on. */
void model_set_fault(model_unit unit, model_fault fault, unsigned after);

/* Operations since the start, failed ones too. */
unsigned model_operations(model_unit unit);

/* What was done to the peripherals that their manual doesn't allow, the first of it; or what is left in them that should have
 * been wiped. NULL: nothing. */
const char *model_violation(void);

#endif
