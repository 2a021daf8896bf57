/*
 * xs-platform.h: XS's view of this platform. XS's own headers include it as XSPLATFORM.
 *
 * No parser, no debugger connection, no threads. The C heap that XS asks for (its tables, number conversion) comes from
 * the machine's one arena through pc_malloc, so a device has exactly one pool that can run out.
 */
#ifndef PERICARD_XS_PLATFORM_H
#define PERICARD_XS_PLATFORM_H

#include <ctype.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define mxMachinePlatform \
	void *host; \
	int promise_jobs;

#define mxUseDefaultBuildKeys 1
#define mxUseDefaultSharedChunks 1

void *pc_malloc(size_t size);
void *pc_calloc(size_t count, size_t size);
void *pc_realloc(void *data, size_t size);
void pc_free(void *data);

#define c_malloc pc_malloc
#define c_calloc pc_calloc
#define c_realloc pc_realloc
#define c_free pc_free
#define c_malloc_uint32 pc_malloc
#define c_free_uint32 pc_free

typedef struct {
	int64_t tv_sec;
	int64_t tv_usec;
} pc_timeval;
struct pc_timezone {
	int tz_minuteswest;
	int tz_dsttime;
};
/* Wall-clock time: seconds since 1970 once time.set() was called, else since power-on. */
int pc_gettimeofday(pc_timeval *now, struct pc_timezone *zone);
#define c_timeval pc_timeval
#define c_timezone pc_timezone
#define c_gettimeofday pc_gettimeofday

/* What the engine reports goes to the console; libc's streams, and their heap, stay out of the image. */
int pc_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
int pc_vprintf(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));
#define c_printf pc_printf
#define c_vprintf pc_vprintf

/* The device's time zone is UTC. `time` is in seconds since 1970-01-01. */
struct tm *pc_utc(const time_t *time);
time_t pc_utc_seconds(struct tm *parts);
#define c_localtime pc_utc
#define c_mktime pc_utc_seconds

/* Behind Math.random(): quick, and for nothing that must be hard to guess. */
int pc_rand(void);
#define c_rand pc_rand
#define c_srand(seed)
#define C_RAND_MAX 0x7FFFFFFF

#define C_PATH_MAX 128
#define c_signal(signum, handler)

#ifndef EOF
#define EOF (-1)
#endif

#endif
