/*
 * rv32.h: RV32I, with or without M, A, F and C: see machine.h. Encodings: The RISC-V Instruction Set Manual, volume I, 2.3.
 *
 * LUI and AUIPC take the upper 20 bits of a number, and the instruction that goes with them adds the lower 12, which have a
 * sign: so the upper part is that of the number + 0x800. A patch of an upper part has to know the lower bits for the carry: of
 * an address, table and addend tell them; of a displacement, the instruction that has them.
 */
#ifndef PERICARD_RELOCATION_RV32_H
#define PERICARD_RELOCATION_RV32_H

/* Instructions: for copying words, for a unit, for a patch; patches of a part of a unit, words that are copied or
 * wiped, bytes and words that are compared in one step. */
#define WORDS_WORK(words) ((words)*3u)
#define UNIT_WORK 130u
#define PATCH_WORK 64u
#define PART_PATCHES 22u
#define COPIED 1280u
#define WIPED 2560u
#define COMPARED 80u
#define COMPARE_WORK 110u
#define COMPARED_WORD_WORK 4u
#define SCANNED 240u

/* ---- words ------------------------------------------------------------------------------------------------------- */

static void copy_words(uint32_t *to, const uint32_t *from, uint32_t count) {
	for (; count >= 8; count -= 8, to += 8, from += 8) {
		uint32_t a = from[0], b = from[1], c = from[2], d = from[3];
		uint32_t e = from[4], f = from[5], g = from[6], h = from[7];
		to[0] = a, to[1] = b, to[2] = c, to[3] = d;
		to[4] = e, to[5] = f, to[6] = g, to[7] = h;
	}
	for (; count > 0; count--) {
		*to++ = *from++;
	}
}

/* Are `count` words the same? */
static bool same_words(const uint32_t *a, const uint32_t *b, uint32_t count) {
	for (; count >= 4; count -= 4, a += 4, b += 4) {
		if (((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3])) != 0) {
			return false;
		}
	}
	for (; count > 0; count--) {
		if (*a++ != *b++) {
			return false;
		}
	}
	return true;
}

static void trap_words(uint32_t *to, uint32_t count) {
	for (; count >= 8; count -= 8, to += 8) {
		to[0] = to[1] = to[2] = to[3] = PC_RELOCATION_TRAP;
		to[4] = to[5] = to[6] = to[7] = PC_RELOCATION_TRAP;
	}
	for (; count > 0; count--) {
		*to++ = PC_RELOCATION_TRAP;
	}
}

/* ---- fields ------------------------------------------------------------------------------------------------------ */

/* The lower part, 12 bits: of a store (S-type) or of a load, ADDI or JALR (I-type), which the opcode tells. */
static inline bool is_store(uint32_t raw) {
	return (raw & 0x7Bu) == 0x23u; /* STORE, STORE-FP */
}

static inline uint32_t low_part(uint32_t raw) {
	return is_store(raw) ? (raw >> 20 & 0xFE0u) | (raw >> 7 & 0x1Fu) : raw >> 20;
}

static inline uint32_t add_to_low(uint32_t raw, uint32_t shift) {
	if (is_store(raw)) {
		uint32_t value = low_part(raw) + shift;
		return (raw & 0x01FFF07Fu) | (value & 0xFE0u) << 20 | (value & 0x1Fu) << 7;
	}
	return raw + (shift << 20);
}

/* The upper part of a number whose lower bits are `low`, when `shift` is added to it. */
static inline uint32_t carry_to_high(uint32_t low, uint32_t shift) {
	return (((low + 0x800u) & 0xFFFu) + shift) >> 12;
}

/* JAL: imm[20|10:1|11|19:12], the displacement modulo 2^21. */
static inline uint32_t add_to_jump(uint32_t raw, uint32_t shift) {
	uint32_t value = (raw >> 31) << 20 | (raw >> 12 & 0xFFu) << 12 | (raw >> 20 & 1u) << 11 | (raw >> 21 & 0x3FFu) << 1;
	value += shift;
	return (raw & 0xFFFu) | (value >> 20 & 1u) << 31 | (value >> 1 & 0x3FFu) << 21 | (value >> 11 & 1u) << 20 |
		   (value >> 12 & 0xFFu) << 12;
}

/* AUIPC, and JALR in the upper half: one displacement of 32 bits. */
static inline uint64_t add_to_call(uint32_t high, uint32_t low, uint32_t shift) {
	uint32_t value = (high & 0xFFFFF000u) + (uint32_t)((int32_t)low >> 20) + shift;
	high = (high & 0xFFFu) | ((value + 0x800u) & 0xFFFFF000u);
	low = (low & 0xFFFFFu) | value << 20;
	return (uint64_t)low << 32 | high;
}

/* ---- patches ----------------------------------------------------------------------------------------------------- */

/* What a patch adds to the number that is in its place. */
static inline uint32_t shift_of(const pc_relocator *r, unsigned half, uint32_t unit_delta, uint32_t word) {
	uint32_t target = pc_patch_target(word);
	uint32_t shift = target == PC_RELOCATION_OUTSIDE ? 0 : delta(r, half, target);
	pc_patch_kind kind = pc_patch_kind_of(word);
	bool absolute = kind == PC_PATCH_ABS32 || kind == PC_PATCH_HI20 || kind == PC_PATCH_LO12;
	return absolute ? shift : shift - unit_delta;
}

/* What is added to the upper 20 bits of HI20 and PCREL_HI20 for a shift. `low`: the instruction that the latter's lower part is
 * in, as the canonical code has it. */
static inline uint32_t high_shift(const pc_relocator *r, const uint32_t *patch, uint32_t low, uint32_t shift) {
	if (pc_patch_kind_of(*patch) == PC_PATCH_HI20) {
		low = r->code_address + 4u * r->table->units[pc_patch_target(*patch)].offset + patch[1];
	} else {
		low = low_part(low);
	}
	return carry_to_high(low, shift);
}

/* A patch that is no call. `canonical` and `code`: the unit. The lower part that tells a carry is taken from the canonical one:
 * in the other it may have been patched already, or not yet. */
__attribute__((noinline)) static void patch_other(const pc_relocator *r, unsigned half, uint32_t unit,
	const uint8_t *canonical, uint8_t *code, const uint32_t *patch, uint32_t sign) {
	uint8_t *place = code + pc_patch_place(*patch);
	uint32_t shift = shift_of(r, half, delta(r, half, unit), *patch), raw = read_place(place), low = 0;
	switch (pc_patch_kind_of(*patch)) {
	case PC_PATCH_JAL:
		raw = add_to_jump(raw, sign * shift);
		break;
	case PC_PATCH_PCREL_HI20:
		low = read_place(canonical + 2u * patch[1]);
		/* fallthrough */
	case PC_PATCH_HI20:
		raw += sign * high_shift(r, patch, low, shift) << 12;
		break;
	case PC_PATCH_LO12:
	case PC_PATCH_PCREL_LO12:
		raw = add_to_low(raw, sign * shift);
		break;
	default:
		raw += sign * shift;
		break;
	}
	write_place(place, raw);
}

/* Applies the patches [patch, end) of a unit, or takes them off: `sign` is 1 or its negative. Most are calls: their loop is apart,
 * so that all it needs stays in registers. */
static inline void patch_unit(
	const pc_relocator *r, unsigned half, uint32_t unit, const uint32_t *patch, const uint32_t *end, uint32_t sign) {
	const pc_relocation_unit *units = r->table->units;
	const uint16_t *places = r->layout[half].place;
	const uint8_t *canonical = (const uint8_t *)(r->code + units[unit].offset);
	uint8_t *code = (uint8_t *)(r->half[half] + places[unit]);
	uint32_t own = (uint32_t)places[unit] - units[unit].offset; /* words */
	uint32_t out = sign * (r->code_address - r->half_address[half] - 4u * own), factor = 4u * sign;
	while (patch < end) {
		uint32_t word = *patch;
		while (pc_patch_kind_of(word) == PC_PATCH_CALL) {
			uint8_t *place = code + pc_patch_place(word);
			uint32_t target = pc_patch_target(word), shift = out;
			if (target != PC_RELOCATION_OUTSIDE) {
				shift = factor * ((uint32_t)places[target] - units[target].offset - own);
			}
			uint64_t raw = add_to_call(read_place(place), read_place(place + 4), shift);
			write_place(place, (uint32_t)raw);
			write_place(place + 4, (uint32_t)(raw >> 32));
			if (++patch == end) {
				return;
			}
			word = *patch;
		}
		patch_other(r, half, unit, canonical, code, patch, sign);
		patch += pc_patch_size(word);
	}
}

/* The word of a patched place, of a unit that is at `moved`, without the patch; the one at `part` bytes of the place. */
static inline uint32_t undo_patch(const pc_relocator *r, unsigned half, uint32_t unit_delta, const uint8_t *moved,
	const uint32_t *patch, uint32_t part) {
	const uint8_t *place = moved + pc_patch_place(*patch);
	uint32_t shift = shift_of(r, half, unit_delta, *patch), raw = read_place(place), low = 0;
	switch (pc_patch_kind_of(*patch)) {
	case PC_PATCH_CALL:
		return (uint32_t)(add_to_call(raw, read_place(place + 4), 0u - shift) >> 8 * part);
	case PC_PATCH_JAL:
		return add_to_jump(raw, 0u - shift);
	case PC_PATCH_PCREL_HI20:
		low = add_to_low(read_place(moved + 2u * patch[1]), 0u - shift);
		/* fallthrough */
	case PC_PATCH_HI20:
		return raw - (high_shift(r, patch, low, shift) << 12);
	case PC_PATCH_LO12:
	case PC_PATCH_PCREL_LO12:
		return add_to_low(raw, 0u - shift);
	default:
		return raw - shift;
	}
}

#endif
