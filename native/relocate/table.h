/*
 * table.h: the relocation table: which functions move, where calls enter them, and what to patch when they have moved.
 *
 * The format is docs/relocation.md, byte by byte; tools/build/relocation.ts writes it. This core owns no memory, reads only
 * inside of [data, data + size) and never writes. pc_relocation_open() checks every field, so that whoever uses an opened
 * table needs no checks of their own: no offset, index or size of it can lead outside of the code, the arena or itself.
 */
#ifndef PERICARD_RELOCATION_TABLE_H
#define PERICARD_RELOCATION_TABLE_H

#include <stddef.h>
#include <stdint.h>

#define PC_RELOCATION_MAGIC 0x4C524350u /* "PCRL" */
#define PC_RELOCATION_VERSION 1u
#define PC_RELOCATION_THUMB 1u /* machine: Armv7-M, Thumb-2 */
#define PC_RELOCATION_RV32 2u  /* machine: RV32I with or without M, A, F, C; little-endian */
#define PC_RELOCATION_HEADER 32u
#define PC_RELOCATION_ALIGN_LOG2 6u      /* the widest alignment of a unit, and what code and halves have: 64 bytes */
#define PC_RELOCATION_UNITS 1023u        /* the most units */
#define PC_RELOCATION_OUTSIDE 1023u      /* target of a patch: a place that never moves */
#define PC_RELOCATION_HALF_WORDS 0xFFFFu /* the most words of a half: a place is a 16-bit number of words */

/* The machine whose code moves: chosen when this is compiled, as nobody has two. */
#ifndef PC_RELOCATION_MACHINE
#ifdef __riscv
#define PC_RELOCATION_MACHINE PC_RELOCATION_RV32
#else
#define PC_RELOCATION_MACHINE PC_RELOCATION_THUMB
#endif
#endif

/* What is between units, and all that has been wiped; and bit 0 of a function's address. */
#if PC_RELOCATION_MACHINE == PC_RELOCATION_THUMB
#define PC_RELOCATION_TRAP 0xDEDEDEDEu /* UDF #0xDE, twice */
#define PC_RELOCATION_ADDRESS_BIT 1u
#else
#define PC_RELOCATION_TRAP 0u /* "defined illegal", twice (RISC-V ISA manual, volume I, 1.5) */
#define PC_RELOCATION_ADDRESS_BIT 0u
#endif

/* A piece of code that moves as a whole: a function, or an assembler section of several. */
typedef struct {
	uint16_t offset;    /* in the canonical code, words */
	uint16_t size;      /* words, > 0 */
	uint16_t patches;   /* words in the list of patches */
	uint8_t align_log2; /* 2..PC_RELOCATION_ALIGN_LOG2 */
	uint8_t zero;
} pc_relocation_unit;

/* A function that is called from outside or whose address is taken: its number is that of its slot in the dispatch table. */
typedef struct {
	uint16_t unit;
	uint16_t offset; /* in the unit, halfwords */
} pc_relocation_entry;

/* What is done at a place. "Delta" of a unit is its address now less its canonical address; undoing takes the delta off. */
#if PC_RELOCATION_MACHINE == PC_RELOCATION_THUMB
typedef enum {
	PC_PATCH_ABS32 = 0,    /* word += delta(target) */
	PC_PATCH_REL32 = 1,    /* word += delta(target) - delta(unit) */
	PC_PATCH_BRANCH24 = 2, /* BL, B.W (T4): displacement += delta(target) - delta(unit) */
	PC_PATCH_BRANCH19 = 3, /* B<c>.W (T3): the same */
	PC_PATCH_MOVW = 4, /* imm16 += low half of address(target) + addend, less that of the canonical one, modulo 2^16 */
	PC_PATCH_MOVT = 5, /* the same for the high half; the addend is the next word of the list */
	PC_PATCH_PREL31 = 6, /* as REL32 in the lower 31 bits */
	PC_PATCHES
} pc_patch_kind;
#else
/* An address is in two parts: the upper 20 bits of address + 0x800, and the lower 12 bits. */
typedef enum {
	PC_PATCH_ABS32 = 0, /* word += delta(target) */
	PC_PATCH_REL32 = 1, /* word += delta(target) - delta(unit) */
	PC_PATCH_CALL = 2,  /* AUIPC and JALR behind it, 8 bytes: displacement += delta(target) - delta(unit) */
	PC_PATCH_JAL = 3,   /* displacement += delta(target) - delta(unit) */
	PC_PATCH_HI20 =
		4, /* LUI: upper part of address(target) + addend, less that of the canonical one; the addend is the next
						  word of the list */
	PC_PATCH_LO12 = 5,       /* of a load, a store or ADDI: lower part += delta(target) */
	PC_PATCH_PCREL_HI20 = 6, /* AUIPC: upper part of displacement + delta(target) - delta(unit), less that of the
								displacement; the next word is the place of a PCREL_LO12 that belongs to it, halfwords */
	PC_PATCH_PCREL_LO12 = 7, /* lower part += delta(target) - delta(unit) */
	PC_PATCHES
} pc_patch_kind;
#endif

/* A word of the list of patches: bits 0..14 halfword in the unit, 15..17 kind, 18..27 target, 28..31 zero. */
static inline uint32_t pc_patch_place(uint32_t word) {
	return (word & 0x7FFFu) * 2u;
}

static inline pc_patch_kind pc_patch_kind_of(uint32_t word) {
	return (pc_patch_kind)(word >> 15 & 7u);
}

static inline uint32_t pc_patch_target(uint32_t word) {
	return word >> 18 & 0x3FFu;
}

/* Words that a patch takes in the list, and bytes of the place. */
static inline uint32_t pc_patch_size(uint32_t word) {
#if PC_RELOCATION_MACHINE == PC_RELOCATION_THUMB
	pc_patch_kind kind = pc_patch_kind_of(word);
	return kind == PC_PATCH_MOVW || kind == PC_PATCH_MOVT ? 2 : 1;
#else
	pc_patch_kind kind = pc_patch_kind_of(word);
	return kind == PC_PATCH_HI20 || kind == PC_PATCH_PCREL_HI20 ? 2 : 1;
#endif
}

static inline uint32_t pc_patch_width(uint32_t word) {
#if PC_RELOCATION_MACHINE == PC_RELOCATION_THUMB
	(void)word;
	return 4;
#else
	return pc_patch_kind_of(word) == PC_PATCH_CALL ? 8 : 4;
#endif
}

typedef enum {
	PC_RELOCATION_OK = 0,
	PC_RELOCATION_TRUNCATED, /* fewer bytes than the header, or than it says; or not aligned to 4 */
	PC_RELOCATION_NO_TABLE,  /* not a relocation table */
	PC_RELOCATION_FORMAT,    /* another version or machine, or a reserved field that is not zero */
	PC_RELOCATION_CRC,       /* damaged */
	PC_RELOCATION_BAD_UNIT, /* a unit is outside of the code, overlaps another or has no size; or too many or too few */
	PC_RELOCATION_BAD_ENTRY, /* an entry is outside of its unit, or out of order */
	PC_RELOCATION_BAD_PATCH, /* a patch is outside of its unit, overlaps another, or has no such kind or target */
	PC_RELOCATION_BAD_SPACE, /* the units with their gaps don't fit into a half */
} pc_relocation_status;

/* How many bits there are in a layout, in 1/65536 bits, rounded down: log2 of the number of layouts that a draw chooses from
 * with equal chances. A random number generator of a lower strength bounds what they are worth. */
typedef struct {
	uint32_t permutation; /* log2(units!) */
	uint32_t gaps;        /* of units that are aligned to more than a word, only what survives the rounding */
	uint32_t offset;
	uint32_t layout; /* the sum */
} pc_relocation_entropy;

typedef struct {
	const uint8_t *data;
	uint32_t size;
	const pc_relocation_unit *units;
	const pc_relocation_entry *entries;
	const uint32_t *patches;
	uint16_t unit_count;
	uint16_t entry_count;
	uint32_t patch_words;
	uint32_t code_words; /* the canonical code */
	uint32_t half_words; /* one half of the arena */
	uint32_t offsets;    /* the first unit is 0..offsets - 1 words into the half, and then aligned */
	pc_relocation_entropy bits;
	uint8_t gap_log2; /* before each other unit is a gap of 0..2^gap_log2 - 1 words */
} pc_relocation_table;

/* Describes what an opened table has in its header and where its lists are, as pc_relocation_open() does, and looks at nothing
 * else: neither `offsets` nor `bits` are set. To compare with what was kept since. */
pc_relocation_status pc_relocation_describe(pc_relocation_table *table, const uint8_t *data, size_t size);

/* Checks the table in data[0..size) and describes it in *table, which refers to data. Trailing bytes are an error. */
pc_relocation_status pc_relocation_open(pc_relocation_table *table, const uint8_t *data, size_t size);

#endif
