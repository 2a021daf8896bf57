/*
 * uicr.c: the option bytes (UICR, 4.5): which of them the image sets, and whether the debug port is locked.
 *
 * A release image locks the access port. A debug image leaves it as it is: erased, which is open on chips before build
 * code Fxx and closed on later ones until a tool opens it.
 */
#include "board.h"

#include "build.h"

#define PIN_RESET 18u
#define APPROTECT_ENABLED 0xFFFFFF00u
#define APPROTECT_MASK 0xFFu

/* At NRF_UICR_PSELRESET by nrf52840dk.ld, APPROTECT right behind. Both words of PSELRESET must agree to count. */
extern const uint32_t nrf_uicr_image[];
#if PC_BUILD_DEBUG
const uint32_t nrf_uicr_image[2] __attribute__((section(".uicr"), used)) = {PIN_RESET, PIN_RESET};
#else
const uint32_t nrf_uicr_image[3] __attribute__((section(".uicr"), used)) = {PIN_RESET, PIN_RESET, APPROTECT_ENABLED};
#endif

bool hal_debug_locked(void) {
	uint32_t word;
	hal_option_bytes_read((uint8_t *)&word, (const uint8_t *)NRF_UICR_BASE + NRF_UICR_APPROTECT, sizeof word);
	return (word & APPROTECT_MASK) == (APPROTECT_ENABLED & APPROTECT_MASK);
}

bool hal_option_bytes(const uint8_t **data, size_t *size) {
	*data = (const uint8_t *)NRF_UICR_BASE;
	*size = NRF_UICR_SIZE;
	return true;
}

void hal_option_bytes_read(uint8_t *to, const uint8_t *from, size_t size) {
	pc_mpu_read(to, from, size);
}
