/*
 * cortex-m4.h: what each instruction of a Cortex-M4F costs, in cycles of the core, with memory that never makes it wait.
 *
 * The figures are those of Arm's Cortex-M4 Technical Reference Manual (ARM 100166, chapter 3.3 and table 7-1), with one
 * number for what it gives as a range: a pipeline reload costs 2 (of 1 to 3), a division 6 (of 2 to 12). The manual's one
 * more cycle where an FPU result is consumed by the next instruction is left out.
 */
#ifndef PERICARD_CORTEX_M4_H
#define PERICARD_CORTEX_M4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
	PC_COST_PLAIN,  /* `cycles` in any case */
	PC_COST_MEMORY, /* `cycles`, or 1 if it does not access memory: its condition is false */
	PC_COST_LOAD,   /* the same; a single load: 1 right behind a load or store that it pipelines with */
	PC_COST_STORE,  /* the same; a single store */
} pc_cost_kind;

typedef struct {
	uint8_t cycles;
	uint8_t kind;
	bool divides;  /* SDIV, UDIV: takes a time of its own for each pair of operands */
	int8_t target; /* register that a single load writes, else -1 */
	int8_t base;   /* registers that a single load or store takes its address from, else -1 */
	int8_t index;
} pc_cost;

/* Cycles that a taken branch, or any other write of the program counter, adds. */
#define PC_COST_RELOAD 2u

/* Bytes of the Thumb instruction at `code`: 2 or 4. Reads 2. */
uint8_t pc_instruction_size(const uint8_t *code);

/* The cost of the Thumb instruction at `code`. Reads as many bytes as it has. */
pc_cost pc_instruction_cost(const uint8_t *code);

/* Does the load pipeline behind `before`, the instruction before it? `stores`: behind a store too. */
bool pc_load_pipelines(const pc_cost *load, const pc_cost *before, bool stores);

/* Cycles that an access to memory of `size` bytes adds if it is not aligned. */
unsigned pc_unaligned_cost(uint64_t address, unsigned size);

#endif
