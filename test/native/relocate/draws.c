/*
 * draws.c: many layouts of a small table: is each drawn as often as any other? `draws COUNT`. Prints for permutations, gaps and
 * offset the chi-square statistic and the degrees of freedom.
 */
#include "crc.h"
#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNITS 5u
#define PERMUTATIONS 120u
#define GAP_LOG2 2u
#define OFFSETS 11u
#define SIZE 3u

static void put16(uint8_t *to, uint32_t value) {
	to[0] = (uint8_t)value;
	to[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *to, uint32_t value) {
	put16(to, value);
	put16(to + 2, value >> 16);
}

static double chi_square(const unsigned long *counts, unsigned cells) {
	double total = 0, sum = 0;
	for (unsigned i = 0; i < cells; i++) {
		total += (double)counts[i];
	}
	for (unsigned i = 0; i < cells; i++) {
		double difference = (double)counts[i] - total / cells;
		sum += difference * difference / (total / cells);
	}
	return sum;
}

int main(int count, char **arguments) {
	static uint8_t data[PC_RELOCATION_HEADER + UNITS * 8 + 4] __attribute__((aligned(4)));
	static uint32_t code[UNITS * SIZE];
	static unsigned long orders[PERMUTATIONS], gaps[UNITS - 1][1 << GAP_LOG2], offsets[OFFSETS];
	unsigned long draws = count == 2 ? strtoul(arguments[1], NULL, 0) : 1000;
	put32(data, PC_RELOCATION_MAGIC);
	data[4] = PC_RELOCATION_VERSION;
	data[5] = PC_RELOCATION_MACHINE;
	data[6] = GAP_LOG2;
	put16(data + 8, UNITS);
	put16(data + 10, 1);
	put32(data + 16, UNITS * SIZE);
	put32(data + 20, UNITS * SIZE + (UNITS - 1) * ((1u << GAP_LOG2) - 1) + OFFSETS - 1);
	put32(data + 24, sizeof data);
	for (uint32_t i = 0; i < UNITS; i++) {
		put16(data + PC_RELOCATION_HEADER + 8 * i, i * SIZE);
		put16(data + PC_RELOCATION_HEADER + 8 * i + 2, SIZE);
		data[PC_RELOCATION_HEADER + 8 * i + 6] = 2;
	}
	put32(data + 28, pc_crc32(pc_crc32(0, data, 28), data + 32, sizeof data - 32));
	pc_relocation_table table;
	if (pc_relocation_open(&table, data, sizeof data) != PC_RELOCATION_OK || table.offsets != OFFSETS) {
		return 1;
	}
	host *h = host_make(&table, code, 0x8000, 0x20000000);
	pc_relocator *r = &h->relocator;
	for (unsigned long i = 0; i < draws; i++) {
		(void)pc_relocate_start(r, 0, false);
		while (pc_relocate_step(r) == PC_RELOCATE_MORE) {
		}
		const pc_layout *layout = &r->layout[r->running];
		unsigned number = 0;
		uint32_t end = 0;
		for (uint32_t k = 0; k < UNITS; k++) {
			unsigned smaller = 0;
			for (uint32_t l = k + 1; l < UNITS; l++) {
				smaller += layout->order[l] < layout->order[k];
			}
			number = number * (UNITS - k) + smaller; /* Lehmer's code */
			uint32_t place = layout->place[layout->order[k]];
			if (k == 0) {
				offsets[place]++;
			} else {
				gaps[k - 1][place - end]++;
			}
			end = place + SIZE;
		}
		orders[number]++;
	}
	printf("%.1f %u\n", chi_square(orders, PERMUTATIONS), PERMUTATIONS - 1);
	printf("%.1f %u\n", chi_square(offsets, OFFSETS), OFFSETS - 1);
	for (uint32_t k = 0; k < UNITS - 1; k++) {
		printf("%.1f %u\n", chi_square(gaps[k], 1u << GAP_LOG2), (1u << GAP_LOG2) - 1);
	}
	host_free(h);
	return 0;
}
