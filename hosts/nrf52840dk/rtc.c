/*
 * rtc.c: time and sleep on RTC1.
 *
 * RTC1 counts the 32768 Hz crystal, so one tick is 15625/512 us. Its 24 bits wrap every 512 s: nrf_rtc_ticks() extends
 * them to 64 by adding what has passed since it last looked, which is right as long as it looks at least once a wrap.
 * Compare channel 1 sees to that every 256 s and is the only wake-up of a device that has nothing to do; channel 0 is
 * the alarm of hal_idle() and is armed only while sleeping towards a deadline.
 */
#include "board.h"

#define COUNTER_MASK 0x00FFFFFFu
#define HALF_WRAP 0x00800000u
/* A compare value is seen for certain only if it is at least two ticks ahead of the counter (6.22.7). */
#define NEAREST_ALARM 2u
/* Longest sleep on one alarm; the keeper on channel 1 ends it earlier anyway. */
#define FARTHEST_ALARM 0x00C00000u
/* Beyond this many microseconds (584 years / 512) a deadline can't be scaled to ticks: treat it as "never". */
#define FARTHEST_DEADLINE (UINT64_MAX / 512u - 15625u)

#define FPU_EXCEPTION_FLAGS 0x9Fu

static uint64_t ticks_at_last_look;
static volatile uint32_t wakeups;

static uint64_t ticks_now(void) {
	const uint32_t state = pc_irq_save();
	const uint32_t counter = NRF_RTC1_COUNTER;
	const uint32_t passed = (counter - (uint32_t)ticks_at_last_look) & COUNTER_MASK;
	const uint64_t now = ticks_at_last_look + passed;
	ticks_at_last_look = now;
	pc_irq_restore(state);
	return now;
}

void nrf_rtc_init(void) {
	/* The crystal takes a quarter of a second to start; until then the LFCLK runs from the RC oscillator, so there is
	 * nothing to wait for but the clock being there at all: RTC registers read wrong before (erratum 20). */
	NRF_CLOCK_EVENTS_LFCLKSTARTED = 0;
	NRF_CLOCK_LFCLKSRC = NRF_LFCLKSRC_CRYSTAL;
	NRF_CLOCK_TASKS_LFCLKSTART = 1;
	while ((NRF_CLOCK_LFCLKSTAT & NRF_LFCLKSTAT_RUNNING) == 0) {
	}
	NRF_RTC1_PRESCALER = 0;
	NRF_RTC1_TASKS_CLEAR = 1;
	NRF_RTC1_EVENTS_COMPARE(0) = 0;
	NRF_RTC1_EVENTS_COMPARE(1) = 0;
	NRF_RTC1_CC(1) = HALF_WRAP;
	NRF_RTC1_INTENSET = NRF_RTC_INT_COMPARE(1);
	NRF_RTC1_TASKS_START = 1;
	pc_irq_enable(NRF_IRQ_RTC1);
}

void nrf_rtc1_handler(void) {
	if (NRF_RTC1_EVENTS_COMPARE(1) != 0) {
		NRF_RTC1_EVENTS_COMPARE(1) = 0;
		const uint64_t now = ticks_now();
		NRF_RTC1_CC(1) = ((uint32_t)now + HALF_WRAP) & COUNTER_MASK;
	}
	if (NRF_RTC1_EVENTS_COMPARE(0) != 0) {
		NRF_RTC1_EVENTS_COMPARE(0) = 0;
		NRF_RTC1_INTENCLR = NRF_RTC_INT_COMPARE(0);
	}
	(void)NRF_RTC1_EVENTS_COMPARE(0); /* let the clears arrive before the handler returns, or it is entered again */
}

uint64_t hal_now_us(void) {
	return ticks_now() * 15625u / 512u;
}

uint32_t hal_wakeups(void) {
	return wakeups;
}

/* The first tick at which hal_now_us() is at or past `deadline_us`. */
static uint64_t deadline_tick(uint64_t deadline_us) {
	return (deadline_us * 512u + 15624u) / 15625u;
}

static void sleep_until_interrupt(void) {
	/* An FPU exception flag left over from a computation keeps the FPU's interrupt pending, and WFI would return at
	 * once for ever (erratum 87). */
	uint32_t fpscr;
	__asm__ volatile("vmrs %0, fpscr" : "=r"(fpscr));
	__asm__ volatile("vmsr fpscr, %0" : : "r"(fpscr & ~FPU_EXCEPTION_FLAGS));
	PC_NVIC_ICPR(NRF_IRQ_FPU / 32u) = 1u << NRF_IRQ_FPU % 32u;
	pc_wait_for_interrupt();
	wakeups++;
}

void hal_idle(uint64_t deadline_us) {
	const bool timed = deadline_us < FARTHEST_DEADLINE;
	const uint64_t deadline = timed ? deadline_tick(deadline_us) : UINT64_MAX;
	for (;;) {
		/* Interrupts stay masked from the check to the WFI, which a pending interrupt ends all the same: nothing that
		 * happens in between is slept over. */
		const uint32_t state = pc_irq_save();
		const uint64_t now = ticks_now();
		if (hal_events_pending() || now >= deadline) {
			pc_irq_restore(state);
			break;
		}
		if (timed) {
			const uint64_t left = deadline - now;
			if (left < NEAREST_ALARM + 1u) {
				/* Too near for the compare unit: at most 92 us, spent with interrupts on. */
				pc_irq_restore(state);
				continue;
			}
			const uint32_t ahead = left < FARTHEST_ALARM ? (uint32_t)left : FARTHEST_ALARM;
			NRF_RTC1_CC(0) = ((uint32_t)now + ahead) & COUNTER_MASK;
			NRF_RTC1_EVENTS_COMPARE(0) = 0;
			NRF_RTC1_INTENSET = NRF_RTC_INT_COMPARE(0);
		}
		sleep_until_interrupt();
		pc_irq_restore(state); /* the handler that ended the sleep runs here */
	}
	if (timed) {
		NRF_RTC1_INTENCLR = NRF_RTC_INT_COMPARE(0);
		NRF_RTC1_EVENTS_COMPARE(0) = 0;
	}
}
