/*
 * clock.c: the wall clock behind JavaScript's Date, and the dice behind Math.random. The clock starts at 1970 at power-on and is right once time.set() was called.
 */
#include "hal.h"
#include "machine.h"

#include "xs-platform.h"

static uint64_t epoch_us; /* wall-clock time at hal_now_us() == 0 */

void pc_time_set(double seconds) {
	epoch_us = (uint64_t)(seconds * 1e6) - hal_now_us();
}

int pc_gettimeofday(pc_timeval *now, struct pc_timezone *zone) {
	uint64_t us = epoch_us + hal_now_us();
	now->tv_sec = (int64_t)(us / 1000000u);
	now->tv_usec = (int64_t)(us % 1000000u);
	if (zone != NULL) {
		zone->tz_minuteswest = 0;
		zone->tz_dsttime = 0;
	}
	return 0;
}

struct tm *pc_utc(const time_t *time) {
	static struct tm parts;
	return gmtime_r(time, &parts);
}

int pc_rand(void) {
	/* xorshift32 (Marsaglia 2003), started from noise where the board has some. */
	static uint32_t state;
	if (state == 0) {
		uint8_t seed[4] = {0};
		(void)hal_entropy(seed, sizeof seed);
		state = ((uint32_t)seed[0] | (uint32_t)seed[1] << 8 | (uint32_t)seed[2] << 16 | (uint32_t)seed[3] << 24) ^
				(uint32_t)hal_now_us();
		state = state == 0 ? 0x9E3779B9u : state;
	}
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return (int)(state & C_RAND_MAX);
}

/* Days since 1970-01-01 of a date in the proleptic Gregorian calendar; the year is taken to begin in March. */
static int64_t days_from_civil(int64_t year, int64_t month, int64_t day) {
	year += month > 2 ? 0 : -1;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t of_era = year - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

time_t pc_utc_seconds(struct tm *parts) {
	int64_t months = (int64_t)parts->tm_year * 12 + parts->tm_mon;
	int64_t year = 1900 + (months >= 0 ? months : months - 11) / 12;
	int64_t month = months - (year - 1900) * 12 + 1;
	int64_t days = days_from_civil(year, month, 1) + parts->tm_mday - 1;
	return (time_t)(((days * 24 + parts->tm_hour) * 60 + parts->tm_min) * 60 + parts->tm_sec);
}
