/*
 * twin.h: which twin of a kernel is compiled. Both are in every build; the other one compiles to nothing.
 *
 * The assembly is for Cortex-M with the DSP extension (M4, M7, M33): UMAAL, SEL. All else, and everything where
 * PC_KERNELS_PORTABLE is defined, takes portable C. For assembler files too, so only macros are here.
 */
#ifndef PERICARD_KERNELS_TWIN_H
#define PERICARD_KERNELS_TWIN_H

#if defined(__ARM_FEATURE_DSP) && __ARM_ARCH_PROFILE == 'M' && !defined(__ARM_BIG_ENDIAN) && \
	!defined(PC_KERNELS_PORTABLE)
#define PC_KERNELS_ASSEMBLY 1
#else
#define PC_KERNELS_ASSEMBLY 0
#endif

#endif
