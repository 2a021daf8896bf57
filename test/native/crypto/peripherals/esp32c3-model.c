/*
 * esp32c3-model.c: the ESP32-C3's AES, SHA and RSA accelerators as a program sees them, register by register, from
 * Espressif's "ESP32-C3 Technical Reference Manual" v1.3: chapters 16.3.5 (clocks and resets), 18 (AES), 20 (RSA), 21 (SHA).
 *
 * As strict as the manual can be read. Time is counted in accesses: an operation takes some, meanwhile its unit is busy.
 * What the manual doesn't allow is a violation, which model_violation() tells: registers of a unit without clock or in reset,
 * writes while it works, a start before all that it takes is there, results read before the end, numbers left in registers.
 */
#include "esp32c3-model.h"
#include "model.h"
#include "plain.h"
#include "peripherals/esp32c3.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Accesses that an operation takes; the RSA memory to be initialised after a reset. */
enum { AES_TIME = 9, SHA_TIME = 25, RSA_TIME = 60, CLEAN_TIME = 300, FOREVER = -1 };

#define CRYPTO_BITS (ESP32C3_AES_BIT | ESP32C3_SHA_BIT | ESP32C3_RSA_BIT | ESP32C3_DS_BIT | ESP32C3_HMAC_BIT)
#define OTHER_CLOCKS (1u << 6 | 1u << 10) /* DMA, temperature sensor: somebody else's */
#define RSA_WORDS 96u

static char violation[200];

static struct { uint32_t clocks, resets, rsa_power; } sys;

static struct {
	uint32_t key[8], in[4], out[4], mode, dma;
	unsigned keys_written, in_written; /* bit sets */
	bool dma_written, has_result, result_is_secret;
	int busy;
} aes;

static struct {
	uint32_t h[8], m[16], mode;
	unsigned h_written, m_written;
	bool mode_written;
	int busy;
} sha;

static struct {
	uint32_t x[RSA_WORDS], y[RSA_WORDS], z[RSA_WORDS], m[RSA_WORDS], prime, mode, constant_time, search, position;
	unsigned x_written, z_written; /* of the first 32 words, since the last start */
	bool mode_written, interrupt_on, interrupt, has_result;
	int busy, cleaning;
} rsa;

static struct {
	model_fault kind;
	unsigned at;
	unsigned operations;
} faults[3];

__attribute__((format(printf, 1, 2))) static void violate(const char *format, ...) {
	if (violation[0] == 0) {
		va_list arguments;
		va_start(arguments, format);
		vsnprintf(violation, sizeof violation, format, arguments);
		va_end(arguments);
	}
}

static void start_up(void);

/* ---- faults ------------------------------------------------------------------------------------------------------ */

void model_set_fault(model_unit unit, model_fault fault, unsigned after) {
	start_up();
	faults[unit].kind = fault;
	faults[unit].at = faults[unit].operations + after;
}

unsigned model_operations(model_unit unit) {
	return faults[unit].operations;
}

/* What the next operation meets. */
static model_fault fault_of(model_unit unit) {
	unsigned now = faults[unit].operations;
	if (now < faults[unit].at || (faults[unit].kind == MODEL_ONCE && now > faults[unit].at)) {
		return MODEL_WORKS;
	}
	return faults[unit].kind;
}

static bool is_wrong(model_fault fault) {
	return fault == MODEL_WRONG || fault == MODEL_ONCE;
}

/* ---- resets, clocks, time ---------------------------------------------------------------------------------------- */

static void reset_aes(void) {
	memset(&aes, 0, sizeof aes);
}

static void reset_sha(void) {
	memset(&sha, 0, sizeof sha);
}

static void reset_rsa(void) {
	memset(&rsa, 0, sizeof rsa);
	rsa.interrupt_on = true;
	rsa.constant_time = 1;
	rsa.cleaning = CLEAN_TIME;
}

void model_power_on(void) {
	sys.clocks = OTHER_CLOCKS;
	sys.resets = CRYPTO_BITS;
	sys.rsa_power = ESP32C3_RSA_MEM_PD;
	reset_aes();
	reset_sha();
	reset_rsa();
	violation[0] = 0;
	for (unsigned unit = 0; unit < 3; unit++) {
		faults[unit].kind = MODEL_WORKS;
	}
}

static void start_up(void) {
	static bool done;
	if (!done) {
		done = true;
		model_power_on();
	}
}

static void end_of_rsa(void) {
	rsa.has_result = true;
	rsa.interrupt = rsa.interrupt_on;
}

static void tick(void) {
	start_up();
	aes.busy -= aes.busy > 0;
	sha.busy -= sha.busy > 0;
	if (rsa.busy > 0 && --rsa.busy == 0) {
		end_of_rsa();
	}
	bool powered = (sys.rsa_power & (ESP32C3_RSA_MEM_PD | ESP32C3_RSA_MEM_FORCE_PD)) == 0;
	bool running = (sys.clocks & ESP32C3_RSA_BIT) != 0 && (sys.resets & (ESP32C3_RSA_BIT | ESP32C3_DS_BIT)) == 0;
	rsa.cleaning -= rsa.cleaning > 0 && powered && running;
}

static bool reachable(uint32_t address, uint32_t bit, uint32_t held_by) {
	if ((sys.clocks & bit) == 0) {
		violate("0x%08X: its unit has no clock", (unsigned)address);
		return false;
	}
	if ((sys.resets & (bit | held_by)) != 0) {
		violate("0x%08X: its unit is held in reset", (unsigned)address);
		return false;
	}
	return true;
}

static uint32_t no_such(uint32_t address, const char *access) {
	violate("0x%08X can't be %s", (unsigned)address, access);
	return 0;
}

static void write_system(uint32_t address, uint32_t value) {
	switch (address) {
	case ESP32C3_SYSTEM_PERIP_CLK_EN1:
		if ((value & ~CRYPTO_BITS) != (sys.clocks & ~CRYPTO_BITS)) {
			violate("clocks of others were switched: 0x%X", (unsigned)value);
		}
		sys.clocks = value;
		break;
	case ESP32C3_SYSTEM_PERIP_RST_EN1:
		if ((value & ~CRYPTO_BITS) != (sys.resets & ~CRYPTO_BITS)) {
			violate("others were reset: 0x%X", (unsigned)value);
		}
		sys.resets = value;
		if ((value & (ESP32C3_AES_BIT | ESP32C3_DS_BIT)) != 0) {
			reset_aes();
		}
		if ((value & (ESP32C3_SHA_BIT | ESP32C3_DS_BIT | ESP32C3_HMAC_BIT)) != 0) {
			reset_sha();
		}
		if ((value & (ESP32C3_RSA_BIT | ESP32C3_DS_BIT)) != 0) {
			reset_rsa();
		}
		break;
	case ESP32C3_SYSTEM_RSA_PD_CTRL:
		sys.rsa_power = value;
		break;
	default:
		(void)no_such(address, "written");
	}
}

static uint32_t read_system(uint32_t address) {
	switch (address) {
	case ESP32C3_SYSTEM_PERIP_CLK_EN1:
		return sys.clocks;
	case ESP32C3_SYSTEM_PERIP_RST_EN1:
		return sys.resets;
	case ESP32C3_SYSTEM_RSA_PD_CTRL:
		return sys.rsa_power;
	default:
		return no_such(address, "read");
	}
}

/* ---- AES (chapter 18) --------------------------------------------------------------------------------------------- */

static bool all_zero(const uint32_t *words, unsigned count) {
	uint32_t any = 0;
	for (unsigned i = 0; i < count; i++) {
		any |= words[i];
	}
	return any == 0;
}

static void to_bytes(uint8_t *bytes, const uint32_t *words, unsigned count) {
	for (unsigned i = 0; i < 4 * count; i++) {
		bytes[i] = (uint8_t)(words[i / 4] >> 8 * (i % 4));
	}
}

static void from_bytes(uint32_t *words, const uint8_t *bytes, unsigned count) {
	memset(words, 0, 4 * count);
	for (unsigned i = 0; i < 4 * count; i++) {
		words[i / 4] |= (uint32_t)bytes[i] << 8 * (i % 4);
	}
}

static void trigger_aes(uint32_t value) {
	unsigned key_words = aes.mode == 0 ? 4 : 8;
	if (value != 1) {
		violate("AES_TRIGGER takes 1");
	} else if (!aes.dma_written || aes.dma != 0) {
		violate("AES triggered without AES_DMA_ENABLE being 0");
	} else if (aes.mode != 0 && aes.mode != 2) {
		violate("AES triggered in mode %u, which encrypts nothing", (unsigned)aes.mode);
	} else if ((aes.keys_written & ((1u << key_words) - 1)) != (1u << key_words) - 1) {
		violate("AES triggered with a part of the key");
	} else if (aes.in_written != 0xF) {
		violate("AES triggered with a part of the text");
	}
	/* Zeros with a key of zeros: nothing is asked for, something is overwritten. */
	bool wipes = all_zero(aes.key, 8) && all_zero(aes.in, 4);
	model_fault fault = wipes ? MODEL_WORKS : fault_of(MODEL_AES);
	faults[MODEL_AES].operations += !wipes;
	aes.in_written = 0;
	aes.busy = fault == MODEL_SILENT ? FOREVER : AES_TIME;
	aes.has_result = true;
	aes.result_is_secret = !wipes;
	if (fault != MODEL_IDLE) {
		uint8_t key[32];
		uint8_t text[16];
		to_bytes(key, aes.key, 8);
		to_bytes(text, aes.in, 4);
		plain_aes(key, 4 * key_words, text, text);
		from_bytes(aes.out, text, 4);
		aes.out[2] ^= !is_wrong(fault) ? 0 : 1u << 21;
	}
}

static void write_aes(uint32_t address, uint32_t value) {
	if (aes.busy != 0) {
		violate("0x%08X written while AES works", (unsigned)address);
	}
	if (address < ESP32C3_AES_KEY(8)) {
		unsigned n = (address - ESP32C3_AES_KEY(0)) / 4;
		aes.key[n] = value;
		aes.keys_written |= 1u << n;
	} else if (address < ESP32C3_AES_TEXT_IN(4)) {
		unsigned n = (address - ESP32C3_AES_TEXT_IN(0)) / 4;
		aes.in[n] = value;
		aes.in_written |= 1u << n;
	} else if (address == ESP32C3_AES_MODE) {
		aes.mode = value;
		aes.keys_written = 0; /* of another size perhaps: whoever changes the mode writes a key */
	} else if (address == ESP32C3_AES_DMA_ENABLE) {
		aes.dma = value;
		aes.dma_written = true;
	} else if (address == ESP32C3_AES_TRIGGER) {
		trigger_aes(value);
	} else {
		(void)no_such(address, "written");
	}
}

static uint32_t read_aes(uint32_t address) {
	if (address == ESP32C3_AES_STATE) {
		/* Nobody takes it from who has it: then there is a key in it. */
		return aes.busy != 0 || (fault_of(MODEL_AES) == MODEL_TAKEN && all_zero(aes.key, 8));
	}
	if (address >= ESP32C3_AES_TEXT_OUT(0) && address < ESP32C3_AES_TEXT_OUT(4)) {
		if (aes.busy != 0 || !aes.has_result) {
			violate("AES_TEXT_OUT read before the end");
		}
		return aes.out[(address - ESP32C3_AES_TEXT_OUT(0)) / 4];
	}
	return no_such(address, "read");
}

/* ---- SHA (chapter 21) ---------------------------------------------------------------------------------------------- */

static uint32_t swapped(uint32_t word) {
	return word >> 24 | (word >> 8 & 0xFF00) | (word << 8 & 0xFF0000) | word << 24;
}

static void run_sha(uint32_t value, bool continues) {
	if (value != 1) {
		violate("SHA_START and SHA_CONTINUE take 1");
	} else if (sha.busy != 0) {
		violate("SHA started while it works");
	} else if (!sha.mode_written || sha.mode != ESP32C3_SHA_MODE_SHA256) {
		violate("SHA started in mode %u, which isn't SHA-256", (unsigned)sha.mode);
	} else if (sha.m_written != 0xFFFF) {
		violate("SHA started with a part of the message block");
	} else if (continues && sha.h_written != 0xFF) {
		violate("SHA continued with a part of the hash value");
	} else if (!continues) {
		violate("SHA_START is not modelled");
	}
	model_fault fault = fault_of(MODEL_SHA);
	faults[MODEL_SHA].operations++;
	sha.m_written = 0;
	sha.busy = fault == MODEL_SILENT ? FOREVER : SHA_TIME;
	if (fault != MODEL_IDLE) {
		uint32_t state[8];
		uint8_t block[64];
		for (unsigned i = 0; i < 8; i++) {
			state[i] = swapped(sha.h[i]);
		}
		to_bytes(block, sha.m, 16);
		plain_sha256(state, block);
		for (unsigned i = 0; i < 8; i++) {
			sha.h[i] = swapped(state[i]);
		}
		sha.h[5] ^= !is_wrong(fault) ? 0 : 1u << 7;
	}
}

static void write_sha(uint32_t address, uint32_t value) {
	if (address >= ESP32C3_SHA_H(0) && address < ESP32C3_SHA_H(8)) {
		unsigned n = (address - ESP32C3_SHA_H(0)) / 4;
		if (sha.busy != 0) {
			violate("SHA_H written while SHA works");
		}
		sha.h[n] = value;
		sha.h_written |= 1u << n;
	} else if (address >= ESP32C3_SHA_M(0) && address < ESP32C3_SHA_M(16)) {
		unsigned n = (address - ESP32C3_SHA_M(0)) / 4;
		sha.m[n] = value; /* the next block may be written while one is worked on (21.4.2.1, note 1) */
		sha.m_written |= 1u << n;
	} else if (address == ESP32C3_SHA_MODE) {
		if (sha.busy != 0) {
			violate("SHA_MODE written while SHA works");
		}
		sha.mode = value;
		sha.mode_written = true;
		sha.h_written = 0; /* of another algorithm perhaps */
	} else if (address == ESP32C3_SHA_START || address == ESP32C3_SHA_CONTINUE) {
		run_sha(value, address == ESP32C3_SHA_CONTINUE);
	} else {
		(void)no_such(address, "written");
	}
}

static uint32_t read_sha(uint32_t address) {
	if (address == ESP32C3_SHA_BUSY) {
		return sha.busy != 0 || fault_of(MODEL_SHA) == MODEL_TAKEN;
	}
	if (address >= ESP32C3_SHA_H(0) && address < ESP32C3_SHA_H(8)) {
		if (sha.busy != 0) {
			violate("SHA_H read while SHA works");
		}
		return sha.h[(address - ESP32C3_SHA_H(0)) / 4];
	}
	return no_such(address, "read");
}

/* ---- RSA (chapter 20) ---------------------------------------------------------------------------------------------- */

static void multiply_rsa(uint32_t value) {
	unsigned words = (rsa.mode + 1) / 2; /* of a factor: RSA_MODE is N / 16 - 1 for factors of N bits */
	if (value != 1) {
		violate("RSA_MULT_START takes 1");
	} else if (rsa.busy != 0) {
		violate("RSA started while it works");
	} else if (!rsa.mode_written || rsa.mode % 2 == 0 || words > 16) {
		violate("RSA_MODE %u is no multiplication of up to 512 bits", (unsigned)rsa.mode);
		return;
	}
	uint32_t factor = words < 32 ? (1u << words) - 1 : UINT32_MAX;
	if ((rsa.x_written & factor) != factor) {
		violate("RSA started with a part of X");
	} else if ((rsa.z_written >> words & factor) != factor) {
		violate("RSA started with a part of Y, which is in the upper half of Z");
	} else if (!all_zero(rsa.z, words)) {
		violate("RSA started with something in the lower half of Z");
	}
	model_fault fault = fault_of(MODEL_RSA);
	faults[MODEL_RSA].operations++;
	rsa.x_written = 0;
	rsa.z_written = 0;
	rsa.has_result = false;
	rsa.busy = fault == MODEL_SILENT ? FOREVER : RSA_TIME;
	if (fault == MODEL_IDLE) {
		return;
	}
	uint32_t product[32] = {0};
	for (unsigned i = 0; i < words; i++) {
		uint64_t carry = 0;
		for (unsigned j = 0; j < words; j++) {
			carry += (uint64_t)rsa.x[i] * rsa.z[words + j] + product[i + j];
			product[i + j] = (uint32_t)carry;
			carry >>= 32;
		}
		product[i + words] = (uint32_t)carry;
	}
	memcpy(rsa.z, product, 8 * words);
	rsa.z[words] ^= !is_wrong(fault) ? 0 : 1u << 30;
}

static uint32_t *rsa_memory(uint32_t address) {
	uint32_t offset = address - ESP32C3_RSA;
	uint32_t *const blocks[] = {rsa.m, rsa.z, rsa.y, rsa.x};
	if (offset >= 0x800 || offset % 0x200 >= 4 * RSA_WORDS) {
		return NULL;
	}
	if (rsa.busy != 0) {
		violate("0x%08X accessed while RSA works", (unsigned)address);
	}
	if ((sys.rsa_power & (ESP32C3_RSA_MEM_PD | ESP32C3_RSA_MEM_FORCE_PD)) != 0) {
		violate("0x%08X: the RSA memory has no power", (unsigned)address);
	} else if (rsa.cleaning > 0) {
		violate("0x%08X accessed before RSA_CLEAN was 1", (unsigned)address);
	}
	return blocks[offset / 0x200] + offset % 0x200 / 4;
}

static void write_rsa(uint32_t address, uint32_t value) {
	uint32_t *word = rsa_memory(address);
	if (word != NULL) {
		*word = value;
		if (word >= rsa.x && word < rsa.x + 32) {
			rsa.x_written |= 1u << (word - rsa.x);
		} else if (word >= rsa.z && word < rsa.z + 32) {
			rsa.z_written |= 1u << (word - rsa.z);
		}
		return;
	}
	if (rsa.busy != 0) {
		violate("0x%08X written while RSA works", (unsigned)address);
	}
	switch (address - ESP32C3_RSA) {
	case 0x800:
		rsa.prime = value;
		break;
	case 0x804:
		rsa.mode = value;
		rsa.mode_written = true;
		break;
	case 0x80C:
	case 0x810:
		violate("RSA: modular operations are not modelled");
		break;
	case 0x814:
		multiply_rsa(value);
		break;
	case 0x81C:
		rsa.interrupt = rsa.interrupt && value != 1;
		break;
	case 0x820:
		rsa.constant_time = value;
		break;
	case 0x824:
		rsa.search = value;
		break;
	case 0x828:
		rsa.position = value;
		break;
	case 0x82C:
		rsa.interrupt_on = value != 0;
		break;
	default:
		(void)no_such(address, "written");
	}
}

static uint32_t read_rsa(uint32_t address) {
	uint32_t *word = rsa_memory(address);
	if (word != NULL) {
		if (word >= rsa.z && word < rsa.z + RSA_WORDS && !rsa.has_result) {
			violate("RSA: Z read without a result");
		}
		return *word;
	}
	switch (address - ESP32C3_RSA) {
	case 0x808:
		return rsa.cleaning == 0;
	case 0x818:
		return rsa.busy == 0 && fault_of(MODEL_RSA) != MODEL_TAKEN;
	default:
		return no_such(address, "read");
	}
}

/* ---- the bus -------------------------------------------------------------------------------------------------------- */

void pc_esp32c3_model_write(uint32_t address, uint32_t value) {
	tick();
	if ((address & ~0xFFFu) == ESP32C3_SYSTEM) {
		write_system(address, value);
	} else if ((address & ~0xFFFu) == ESP32C3_AES) {
		if (reachable(address, ESP32C3_AES_BIT, ESP32C3_DS_BIT)) {
			write_aes(address, value);
		}
	} else if ((address & ~0xFFFu) == ESP32C3_SHA) {
		if (reachable(address, ESP32C3_SHA_BIT, ESP32C3_DS_BIT | ESP32C3_HMAC_BIT)) {
			write_sha(address, value);
		}
	} else if ((address & ~0xFFFu) == ESP32C3_RSA) {
		if (reachable(address, ESP32C3_RSA_BIT, ESP32C3_DS_BIT)) {
			write_rsa(address, value);
		}
	} else {
		(void)no_such(address, "written");
	}
}

uint32_t pc_esp32c3_model_read(uint32_t address) {
	tick();
	if ((address & ~0xFFFu) == ESP32C3_SYSTEM) {
		return read_system(address);
	}
	if ((address & ~0xFFFu) == ESP32C3_AES) {
		return reachable(address, ESP32C3_AES_BIT, ESP32C3_DS_BIT) ? read_aes(address) : 0;
	}
	if ((address & ~0xFFFu) == ESP32C3_SHA) {
		return reachable(address, ESP32C3_SHA_BIT, ESP32C3_DS_BIT | ESP32C3_HMAC_BIT) ? read_sha(address) : 0;
	}
	if ((address & ~0xFFFu) == ESP32C3_RSA) {
		return reachable(address, ESP32C3_RSA_BIT, ESP32C3_DS_BIT) ? read_rsa(address) : 0;
	}
	return no_such(address, "read");
}

const char *model_violation(void) {
	start_up();
	if (aes.busy != 0 || sha.busy != 0 || rsa.busy != 0) {
		violate("an accelerator is left working");
	} else if (!all_zero(aes.key, 8) || !all_zero(aes.in, 4) || aes.result_is_secret) {
		violate("key or text is left in AES");
	} else if (!all_zero(sha.h, 8) || !all_zero(sha.m, 16)) {
		violate("a message is left in SHA");
	} else if (!all_zero(rsa.x, RSA_WORDS) || !all_zero(rsa.z, RSA_WORDS)) {
		violate("numbers are left in RSA");
	} else if (rsa.interrupt) {
		violate("an interrupt of RSA is left pending");
	}
	return violation[0] != 0 ? violation : NULL;
}
