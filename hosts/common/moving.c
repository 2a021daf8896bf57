/* moving.c: what moving.h promises to images without code that moves. */
#include "moving.h"

#include "background.h"
#include "hal.h"

#define DEFAULT __attribute__((weak))

DEFAULT pc_moving pc_moving_state(void) {
	return (pc_moving){.status = PC_MOVING_FIXED};
}

DEFAULT bool pc_moving_request(void) {
	return false;
}

DEFAULT void pc_moving_anomaly(void) {
}

DEFAULT void pc_moving_before_token(pc_job *job) {
	pc_background_start(job);
}

DEFAULT pc_moving_finding pc_moving_check(void) {
	return (pc_moving_finding){0};
}

DEFAULT bool pc_moving_covers(uint32_t address) {
	(void)address;
	return false;
}

DEFAULT bool pc_moving_begin(void) {
	return true;
}

DEFAULT uint64_t pc_moving_due(void) {
	return HAL_FOREVER;
}

DEFAULT void pc_moving_step(void) {
}
