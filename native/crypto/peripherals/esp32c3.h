/*
 * esp32c3.h: registers of the ESP32-C3's accelerators, and who may use them.
 *
 * Addresses, offsets and bits follow Espressif's "ESP32-C3 Technical Reference Manual" v1.3; the chapter is named at each
 * block. All registers are 32 bits wide and accessed through the two functions below and nothing else: volatile memory on
 * the chip, a model of the registers (test/native/crypto/peripherals/esp32c3-model.c) on any other processor.
 */
#ifndef PERICARD_PERIPHERALS_ESP32C3_H
#define PERICARD_PERIPHERALS_ESP32C3_H

#include "peripheral.h"

#ifdef __riscv

static inline uint32_t pc_esp32c3_read(uint32_t address) {
	return *(const volatile uint32_t *)(uintptr_t)address;
}

static inline void pc_esp32c3_write(uint32_t address, uint32_t value) {
	*(volatile uint32_t *)(uintptr_t)address = value;
}

#else

uint32_t pc_esp32c3_model_read(uint32_t address);
void pc_esp32c3_model_write(uint32_t address, uint32_t value);

static inline uint32_t pc_esp32c3_read(uint32_t address) {
	return pc_esp32c3_model_read(address);
}

static inline void pc_esp32c3_write(uint32_t address, uint32_t value) {
	pc_esp32c3_model_write(address, value);
}

#endif

/* ---- System registers (chapter 16): clocks, resets, power of the RSA memory --------------------------------------- */

#define ESP32C3_SYSTEM 0x600C0000u
#define ESP32C3_SYSTEM_PERIP_CLK_EN1 (ESP32C3_SYSTEM + 0x014u)
#define ESP32C3_SYSTEM_PERIP_RST_EN1 (ESP32C3_SYSTEM + 0x01Cu)
#define ESP32C3_SYSTEM_RSA_PD_CTRL (ESP32C3_SYSTEM + 0x038u)
/* Bits of PERIP_CLK_EN1 and PERIP_RST_EN1. A reset of DS holds AES, SHA and RSA, one of HMAC holds SHA (table 16.3-2). */
#define ESP32C3_AES_BIT (1u << 1)
#define ESP32C3_SHA_BIT (1u << 2)
#define ESP32C3_RSA_BIT (1u << 3)
#define ESP32C3_DS_BIT (1u << 4)
#define ESP32C3_HMAC_BIT (1u << 5)
#define ESP32C3_RSA_MEM_PD (1u << 0)
#define ESP32C3_RSA_MEM_FORCE_PD (1u << 2)

/* ---- AES (chapter 18), "typical" mode: a block through registers --------------------------------------------------- */

#define ESP32C3_AES 0x6003A000u
#define ESP32C3_AES_KEY(n) (ESP32C3_AES + 0x000u + 4u * (n))      /* 0 to 7; byte 4n of the key is bits 0 to 7 */
#define ESP32C3_AES_TEXT_IN(n) (ESP32C3_AES + 0x020u + 4u * (n))  /* 0 to 3; likewise */
#define ESP32C3_AES_TEXT_OUT(n) (ESP32C3_AES + 0x030u + 4u * (n)) /* read only */
#define ESP32C3_AES_MODE (ESP32C3_AES + 0x040u)
#define ESP32C3_AES_TRIGGER (ESP32C3_AES + 0x048u)
#define ESP32C3_AES_STATE (ESP32C3_AES + 0x04Cu)
#define ESP32C3_AES_DMA_ENABLE (ESP32C3_AES + 0x090u)
#define ESP32C3_AES_MODE_ENCRYPT_128 0u
#define ESP32C3_AES_MODE_ENCRYPT_256 2u
#define ESP32C3_AES_STATE_IDLE 0u

/* ---- SHA (chapter 21), "typical" mode: a block through registers --------------------------------------------------- */

#define ESP32C3_SHA 0x6003B000u
#define ESP32C3_SHA_MODE (ESP32C3_SHA + 0x000u)
#define ESP32C3_SHA_START (ESP32C3_SHA + 0x010u)    /* from the standard's initial value */
#define ESP32C3_SHA_CONTINUE (ESP32C3_SHA + 0x014u) /* from what is in H */
#define ESP32C3_SHA_BUSY (ESP32C3_SHA + 0x018u)
#define ESP32C3_SHA_H(n) (ESP32C3_SHA + 0x040u + 4u * (n)) /* 0 to 7; byte 4n of the digest is bits 0 to 7 */
#define ESP32C3_SHA_M(n) (ESP32C3_SHA + 0x080u + 4u * (n)) /* 0 to 15; likewise of the message block */
#define ESP32C3_SHA_MODE_SHA256 2u

/* ---- RSA (chapter 20): multiplication of large numbers -------------------------------------------------------------- */

#define ESP32C3_RSA 0x6003C000u
#define ESP32C3_RSA_Z(n) (ESP32C3_RSA + 0x200u + 4u * (n)) /* words of numbers, least significant first */
#define ESP32C3_RSA_X(n) (ESP32C3_RSA + 0x600u + 4u * (n))
#define ESP32C3_RSA_MODE (ESP32C3_RSA + 0x804u)
#define ESP32C3_RSA_CLEAN (ESP32C3_RSA + 0x808u) /* 1 once the memories are initialised */
#define ESP32C3_RSA_MULT_START (ESP32C3_RSA + 0x814u)
#define ESP32C3_RSA_IDLE (ESP32C3_RSA + 0x818u)
#define ESP32C3_RSA_INTERRUPT_ENA (ESP32C3_RSA + 0x82Cu) /* 1 after a reset */

/* ---- who may use them ----------------------------------------------------------------------------------------------- */

/*
 * Others may work with the accelerators too: ESP-IDF's mbedtls, its drivers of DS and HMAC. Whoever builds this into such a
 * system sets pc_esp32c3_sharing once, before any cryptography, to functions that take and give back its locks; clocks and
 * resets are then that system's. NULL, as at first: the accelerators are ours alone, and their clocks are switched on at
 * first use. `which` is one of ESP32C3_AES_BIT, _SHA_BIT, _RSA_BIT. take() must not wait: false is "busy", and software
 * does the work.
 */
typedef struct {
	bool (*take)(uint32_t which);
	void (*give_back)(uint32_t which);
} pc_esp32c3_shared;

extern const pc_esp32c3_shared *pc_esp32c3_sharing;

/* Takes one accelerator: clocked, out of reset, idle. Where it isn't OK there is nothing to give back. */
pc_peripheral_status pc_esp32c3_take(uint32_t which);
void pc_esp32c3_give_back(uint32_t which);
/* Resets one, with all that is in its registers. For one that doesn't end. */
void pc_esp32c3_reset(uint32_t which);
/* Polls a register until it has `value`. False if it never has. */
bool pc_esp32c3_wait(uint32_t address, uint32_t value);

#endif
