/* esp32c3-mpi.c: see esp32c3-mpi.h. The manual's "large number multiplication" (20.3.3). */
#include "choice.h"

#if PC_ENGINE_ESP32C3

#include "../kernels/p256-core.h"
#include "esp32c3-mpi.h"
#include "esp32c3.h"

static pc_peripheral_state state;

/* t = a * b. Nothing of them stays in the accelerator. */
static pc_peripheral_status multiply(uint32_t t[16], const uint32_t a[8], const uint32_t b[8]) {
	pc_peripheral_status status = pc_esp32c3_take(ESP32C3_RSA_BIT);
	if (status != PC_PERIPHERAL_OK) {
		return status;
	}
	pc_esp32c3_write(ESP32C3_RSA_INTERRUPT_ENA, 0);
	pc_esp32c3_write(ESP32C3_RSA_MODE, 512 / 32 - 1);
	for (unsigned i = 0; i < 8; i++) {
		pc_esp32c3_write(ESP32C3_RSA_X(i), a[i]);
	}
	/* The second factor lies in the upper half of where the product will be. */
	for (unsigned i = 0; i < 8; i++) {
		pc_esp32c3_write(ESP32C3_RSA_Z(i), 0);
		pc_esp32c3_write(ESP32C3_RSA_Z(8 + i), b[i]);
	}
	pc_esp32c3_write(ESP32C3_RSA_MULT_START, 1);
	if (pc_esp32c3_wait(ESP32C3_RSA_IDLE, 1)) {
		for (unsigned i = 0; i < 16; i++) {
			t[i] = pc_esp32c3_read(ESP32C3_RSA_Z(i));
			pc_esp32c3_write(ESP32C3_RSA_Z(i), 0);
		}
		for (unsigned i = 0; i < 8; i++) {
			pc_esp32c3_write(ESP32C3_RSA_X(i), 0);
		}
	} else {
		status = PC_PERIPHERAL_SILENT;
		pc_esp32c3_reset(ESP32C3_RSA_BIT); /* its memory is initialised anew */
	}
	pc_esp32c3_give_back(ESP32C3_RSA_BIT);
	return status;
}

/* ---- the check: casting out 2^32 - 1 ------------------------------------------------------------------------------ */

/* value modulo 2^32 - 1, 0 to 2^32 - 2. */
static uint32_t cast_out(uint64_t value) {
	value = (value & UINT32_MAX) + (value >> 32);
	value = (value & UINT32_MAX) + (value >> 32);
	/* Only 2^32 - 1 itself carries when 1 is added, and then it is 0. */
	return (uint32_t)(value + ((value + 1) >> 32));
}

static uint32_t remainder_of(const uint32_t *number, unsigned words) {
	uint64_t sum = 0;
	for (unsigned i = 0; i < words; i++) {
		sum += number[i];
	}
	return cast_out(sum);
}

static bool is_product(const uint32_t t[16], const uint32_t a[8], const uint32_t b[8]) {
	uint64_t expected = (uint64_t)remainder_of(a, 8) * remainder_of(b, 8);
	return cast_out(expected) == remainder_of(t, 16);
}

/* ---- known answers ------------------------------------------------------------------------------------------------ */

static const uint32_t ones[8] = {
	0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF};
/* (2^256 - 1)^2 = 2^512 - 2^257 + 1 */
static const uint32_t ones_squared[16] = {1, 0, 0, 0, 0, 0, 0, 0, 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF,
	0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF};
/* Two numbers in which no word stands twice, so that none can be in the wrong place unseen. */
static const uint32_t left[8] = {
	0x01234567, 0x89ABCDEF, 0xFEDCBA98, 0x76543210, 0x0F1E2D3C, 0x4B5A6978, 0x8796A5B4, 0xC3D2E1F0};
static const uint32_t right[8] = {
	0xDEADBEEF, 0x00000001, 0x80000000, 0x7FFFFFFF, 0xCAFEBABE, 0x13579BDF, 0x2468ACE0, 0xFFFFFFFE};
static const uint32_t left_right[16] = {0x760B3D29, 0x78E04566, 0x2CB33E34, 0x868E17E5, 0xD0145BD4, 0x2A5EF186,
	0x5ACB06E2, 0xF5B303EA, 0xDEA44B71, 0x8FABD403, 0x3B2C5CD5, 0xAD9C4AE0, 0x80FBC3B8, 0xF0145ACB, 0x1BCA9B81,
	0xC3D2E1EF};

static pc_peripheral_status test(void) {
	uint32_t t[16];
	pc_peripheral_status status = multiply(t, ones, ones);
	if (status == PC_PERIPHERAL_OK) {
		bool good = pc_differences(t, ones_squared, sizeof t) == 0;
		status = good ? multiply(t, left, right) : PC_PERIPHERAL_WRONG;
		if (status == PC_PERIPHERAL_OK && pc_differences(t, left_right, sizeof t) != 0) {
			status = PC_PERIPHERAL_WRONG;
		}
	}
	return status;
}

/* ---- the field ---------------------------------------------------------------------------------------------------- */

static const uint32_t p[8] = {
	0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0x00000000, 0x00000000, 0x00000000, 0x00000001, 0xFFFFFFFF};

/*
 * d = t / 2^256 modulo p, for t < 2^256 * p (Montgomery's reduction). p = 2^256 - 2^224 + 2^192 + 2^96 - 1 is -1 modulo
 * 2^32, so the multiple of p that clears word i is the word itself: m[i] * p adds m[i] to the words i + 3, i + 6 and i + 8,
 * and takes it from i + 7 and i. Column by column, with a signed carry.
 */
static void reduce(uint32_t d[8], const uint32_t t[16]) {
	uint32_t m[8];
	uint32_t high[9];
	int64_t column = 0;
	for (unsigned i = 0; i < 16; i++) {
		column += t[i];
		if (i >= 3 && i - 3 < 8) {
			column += m[i - 3];
		}
		if (i >= 6 && i - 6 < 8) {
			column += m[i - 6];
		}
		if (i >= 7 && i - 7 < 8) {
			column -= m[i - 7];
		}
		if (i >= 8) {
			column += m[i - 8];
			high[i - 8] = (uint32_t)column;
		} else {
			m[i] = (uint32_t)column;
		}
		column >>= 32; /* arithmetic; what m[i] takes away is the low half, so nothing else changes */
	}
	high[8] = (uint32_t)column;

	/* Below 2p: p is taken off once, unless that borrows. */
	uint32_t less[8];
	uint64_t borrow = 0;
	for (unsigned i = 0; i < 8; i++) {
		uint64_t difference = (uint64_t)high[i] - p[i] - borrow;
		less[i] = (uint32_t)difference;
		borrow = difference >> 63;
	}
	uint32_t keep = 0u - ((uint32_t)borrow & (high[8] ^ 1u));
	for (unsigned i = 0; i < 8; i++) {
		d[i] = less[i] ^ ((less[i] ^ high[i]) & keep);
	}
}

void pc_p256_mul(uint32_t d[8], const uint32_t a[8], const uint32_t b[8]) {
	uint32_t t[16];
	if (pc_peripheral_usable(&state, PC_ENGINE_P256_HARDWARE, test)) {
		pc_peripheral_status status = multiply(t, a, b);
		if (status == PC_PERIPHERAL_OK && !is_product(t, a, b)) {
			status = PC_PERIPHERAL_WRONG;
		}
		pc_peripheral_note(&state, PC_ENGINE_P256_HARDWARE, status);
		if (status == PC_PERIPHERAL_OK) {
			reduce(d, t);
			return;
		}
	}
	pc_p256_mul_software(d, a, b);
}

void pc_p256_square(uint32_t d[8], const uint32_t a[8]) {
	pc_p256_mul(d, a, a);
}

#endif
