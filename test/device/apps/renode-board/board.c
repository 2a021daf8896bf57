/* board.c: the board's flash and noise without anything above hal.h, for tests of the board itself. */
#include "hal.h"

#include "xsmc.h"

/* (offset, word): the hal_status of programming one word. */
void xs_board_program(xsMachine *the) {
	uint32_t word = (uint32_t)xsmcToNumber(xsArg(1));
	xsmcSetInteger(xsResult, hal_flash_program((uint32_t)xsmcToInteger(xsArg(0)), &word, sizeof word));
}

/* (offset): the hal_status of erasing a sector. */
void xs_board_erase(xsMachine *the) {
	xsmcSetInteger(xsResult, hal_flash_erase((uint32_t)xsmcToInteger(xsArg(0))));
}

/* (offset): the word that the flash holds there. */
void xs_board_word(xsMachine *the) {
	const volatile uint32_t *base = (const volatile uint32_t *)(uintptr_t)hal_flash()->base;
	xsmcSetNumber(xsResult, (xsNumberValue)base[xsmcToInteger(xsArg(0)) / 4]);
}

/* One byte of noise; a negative hal_status if there is none. */
void xs_board_noise(xsMachine *the) {
	uint8_t byte;
	hal_status status = hal_entropy(&byte, 1);
	xsmcSetInteger(xsResult, status == HAL_OK ? (xsIntegerValue)byte : -(xsIntegerValue)status);
}
