/*
 * time.c: time base, sleep and alarm of the MPS2 AN386 on the CMSDK dual timer.
 *
 * Counter 1 counts down from 2^32 at 25 MHz / 16 = 1.5625 MHz: 0.64 us a tick, and an interrupt every 45.8 minutes
 * extends it to 64 bits. Counter 2 is a one-shot alarm for the next deadline.
 */
#include "hal.h"
#include "mps2.h"

/* The width counts while stopped too: a load is cut to the width in force. */
#define STOP (DUAL_DIV16 | DUAL_32BIT)
#define RUN (STOP | DUAL_ENABLE | DUAL_INTENABLE)

static volatile uint32_t wraps;
static uint32_t wakeups;

void mps2_time_init(void) {
	MPS2_REG(MPS2_DUALTIMER, DUAL_CONTROL) = STOP;
	MPS2_REG(MPS2_DUALTIMER + DUAL_SECOND, DUAL_CONTROL) = STOP;
	MPS2_REG(MPS2_DUALTIMER, DUAL_INTCLEAR) = 1;
	MPS2_REG(MPS2_DUALTIMER + DUAL_SECOND, DUAL_INTCLEAR) = 1;
	MPS2_REG(MPS2_DUALTIMER, DUAL_LOAD) = UINT32_MAX;
	MPS2_REG(MPS2_DUALTIMER, DUAL_CONTROL) = RUN;
	pc_irq_enable(MPS2_IRQ_DUALTIMER);
}

void mps2_dualtimer(void) {
	if ((MPS2_REG(MPS2_DUALTIMER, DUAL_RAWINT) & 1u) != 0) {
		MPS2_REG(MPS2_DUALTIMER, DUAL_INTCLEAR) = 1;
		/* The interrupt comes with the last tick of a round: counted before that is over, it would be a round too many. */
		while (MPS2_REG(MPS2_DUALTIMER, DUAL_VALUE) == 0) {
		}
		wraps++;
	}
	MPS2_REG(MPS2_DUALTIMER + DUAL_SECOND, DUAL_INTCLEAR) = 1;
}

static uint64_t ticks(void) {
	uint32_t state = pc_irq_save();
	uint32_t low = ~MPS2_REG(MPS2_DUALTIMER, DUAL_VALUE);
	uint32_t high = wraps;
	/* A wrap whose handler has not run yet: it is newer than `low` only if `low` has started over. */
	if ((MPS2_REG(MPS2_DUALTIMER, DUAL_RAWINT) & 1u) != 0 && low < 0x80000000u) {
		high++;
	}
	pc_irq_restore(state);
	return (uint64_t)high << 32 | low;
}

uint64_t hal_now_us(void) {
	return ticks() * 16u / 25u;
}

void hal_idle(uint64_t deadline_us) {
	uint32_t state = pc_irq_save();
	if (!hal_events_pending()) {
		bool sleep = true;
		if (deadline_us != HAL_FOREVER) {
			uint64_t now = ticks();
			/* Rounded up, so that the deadline has come when the alarm rings. */
			uint64_t due = deadline_us > UINT64_MAX / 25u ? UINT64_MAX : (deadline_us * 25u + 15u) / 16u;
			sleep = due > now;
			uint64_t wait = sleep ? due - now : 0;
			if (sleep) {
				MPS2_REG(MPS2_DUALTIMER + DUAL_SECOND, DUAL_CONTROL) = STOP;
				MPS2_REG(MPS2_DUALTIMER + DUAL_SECOND, DUAL_INTCLEAR) = 1;
				MPS2_REG(MPS2_DUALTIMER + DUAL_SECOND, DUAL_LOAD) = wait > UINT32_MAX ? UINT32_MAX : (uint32_t)wait;
				MPS2_REG(MPS2_DUALTIMER + DUAL_SECOND, DUAL_CONTROL) = RUN | DUAL_ONESHOT;
			}
		}
		if (sleep) {
			pc_wait_for_interrupt();
			wakeups++;
			MPS2_REG(MPS2_DUALTIMER + DUAL_SECOND, DUAL_CONTROL) = STOP;
		}
	}
	pc_irq_restore(state);
}

uint32_t hal_wakeups(void) {
	return wakeups;
}
