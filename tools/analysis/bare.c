/*
 * bare.c: all of a board that an image of tools/analysis has. The start-up of hosts/cortex-m sets up memory and its
 * protection as on every board and comes to pc_main, where the image is taken over: its routines are called one by one from
 * outside.
 */
#include "cortex-m.h"
#include "hal.h"
#include "platform.h"

void hal_init(void) {
}

/* As on mps2-an386, without devices. */
const pc_mpu_region pc_board_regions[] = {
	{0x00000000u, 22, PC_MPU_READ_EXECUTE},
	{0x20000000u, 18, PC_MPU_READ_WRITE},
};
const unsigned pc_board_region_count = sizeof pc_board_regions / sizeof *pc_board_regions;

/* Exceptions of a routine never get here: the emulator's plugin catches them before. */
void pc_fault_handler(void) {
	for (;;) {
	}
}

uint32_t hal_events_take(void) {
	return 0;
}

void hal_idle(uint64_t deadline_us) {
	(void)deadline_us;
}

int pc_main(void) {
	for (;;) {
	}
}
