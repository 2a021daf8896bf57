/*
 * nrf52840.h: the registers of the nRF52840 that this board uses, by our own names.
 *
 * Offsets and bit positions follow Nordic's "nRF52840 Product Specification" v1.7; the chapter is named at each block.
 * A task is triggered by writing 1; an event register reads 1 once the event has happened and is cleared by writing 0.
 */
#ifndef PERICARD_NRF52840_H
#define PERICARD_NRF52840_H

#include <stddef.h>
#include <stdint.h>

typedef volatile uint32_t nrf_register;

#define NRF_REGISTER(base, offset) (*(nrf_register *)((base) + (offset)))

/* Interrupt numbers equal the peripheral ID (bits 12..17 of the base address). */
#define NRF_IRQ_UARTE0 2u
#define NRF_IRQ_GPIOTE 6u
#define NRF_IRQ_RTC1 17u
#define NRF_IRQ_FPU 38u
#define NRF_IRQ_UARTE1 40u
#define NRF_IRQ_COUNT 48u

/* ---- CLOCK (5.4) and POWER (5.3): two blocks at one address ------------------------------------------------------ */

#define NRF_CLOCK_BASE 0x40000000u
#define NRF_CLOCK_TASKS_LFCLKSTART NRF_REGISTER(NRF_CLOCK_BASE, 0x008)
#define NRF_CLOCK_EVENTS_LFCLKSTARTED NRF_REGISTER(NRF_CLOCK_BASE, 0x104)
#define NRF_CLOCK_EVENTS_DONE NRF_REGISTER(NRF_CLOCK_BASE, 0x10C)
#define NRF_CLOCK_EVENTS_CTTO NRF_REGISTER(NRF_CLOCK_BASE, 0x110)
#define NRF_CLOCK_LFCLKSTAT NRF_REGISTER(NRF_CLOCK_BASE, 0x418)
#define NRF_CLOCK_LFCLKSRC NRF_REGISTER(NRF_CLOCK_BASE, 0x518)
#define NRF_CLOCK_CTIV NRF_REGISTER(NRF_CLOCK_BASE, 0x538)
#define NRF_LFCLKSRC_CRYSTAL 1u
#define NRF_LFCLKSTAT_RUNNING (1u << 16)

#define NRF_POWER_RESETREAS NRF_REGISTER(NRF_CLOCK_BASE, 0x400) /* write 1 to clear */
#define NRF_POWER_DCDCEN NRF_REGISTER(NRF_CLOCK_BASE, 0x578)
#define NRF_RESETREAS_PIN (1u << 0)
#define NRF_RESETREAS_WATCHDOG (1u << 1)
#define NRF_RESETREAS_SOFTWARE (1u << 2)
#define NRF_RESETREAS_LOCKUP (1u << 3)

/* ---- UARTE (6.34): UART with EasyDMA ----------------------------------------------------------------------------- */

typedef struct {
	nrf_register TASKS_STARTRX; /* 0x000 */
	nrf_register TASKS_STOPRX;
	nrf_register TASKS_STARTTX;
	nrf_register TASKS_STOPTX;
	uint32_t reserved0[7];
	nrf_register TASKS_FLUSHRX; /* 0x02C */
	uint32_t reserved1[52];
	nrf_register EVENTS_CTS; /* 0x100 */
	nrf_register EVENTS_NCTS;
	nrf_register EVENTS_RXDRDY;
	uint32_t reserved2[1];
	nrf_register EVENTS_ENDRX; /* 0x110 */
	uint32_t reserved3[2];
	nrf_register EVENTS_TXDRDY; /* 0x11C */
	nrf_register EVENTS_ENDTX;
	nrf_register EVENTS_ERROR;
	uint32_t reserved4[7];
	nrf_register EVENTS_RXTO; /* 0x144 */
	uint32_t reserved5[1];
	nrf_register EVENTS_RXSTARTED; /* 0x14C */
	nrf_register EVENTS_TXSTARTED;
	uint32_t reserved6[1];
	nrf_register EVENTS_TXSTOPPED; /* 0x158 */
	uint32_t reserved7[41];
	nrf_register SHORTS; /* 0x200 */
	uint32_t reserved8[63];
	nrf_register INTEN; /* 0x300 */
	nrf_register INTENSET;
	nrf_register INTENCLR;
	uint32_t reserved9[93];
	nrf_register ERRORSRC; /* 0x480, write 1 to clear */
	uint32_t reserved10[31];
	nrf_register ENABLE; /* 0x500 */
	uint32_t reserved11[1];
	nrf_register PSEL_RTS; /* 0x508 */
	nrf_register PSEL_TXD;
	nrf_register PSEL_CTS;
	nrf_register PSEL_RXD;
	uint32_t reserved12[3];
	nrf_register BAUDRATE; /* 0x524 */
	uint32_t reserved13[3];
	nrf_register RXD_PTR; /* 0x534 */
	nrf_register RXD_MAXCNT;
	nrf_register RXD_AMOUNT;
	uint32_t reserved14[1];
	nrf_register TXD_PTR; /* 0x544 */
	nrf_register TXD_MAXCNT;
	nrf_register TXD_AMOUNT;
	uint32_t reserved15[7];
	nrf_register CONFIG; /* 0x56C */
} nrf_uarte;

_Static_assert(offsetof(nrf_uarte, CONFIG) == 0x56C, "UARTE register map");

#define NRF_UARTE0 ((nrf_uarte *)0x40002000u)
#define NRF_UARTE1 ((nrf_uarte *)0x40028000u)
#define NRF_UARTE_INT_ENDRX (1u << 4)
#define NRF_UARTE_INT_ENDTX (1u << 8)
#define NRF_UARTE_INT_ERROR (1u << 9)
#define NRF_UARTE_ENABLED 8u
#define NRF_UARTE_CONFIG_HWFC 1u
#define NRF_PSEL_DISCONNECTED 0xFFFFFFFFu

/* ---- RTC (6.22): 24-bit counter on the 32768 Hz clock ------------------------------------------------------------ */

#define NRF_RTC1_BASE 0x40011000u
#define NRF_RTC1_TASKS_START NRF_REGISTER(NRF_RTC1_BASE, 0x000)
#define NRF_RTC1_TASKS_CLEAR NRF_REGISTER(NRF_RTC1_BASE, 0x008)
#define NRF_RTC1_EVENTS_COMPARE(n) NRF_REGISTER(NRF_RTC1_BASE, 0x140u + 4u * (n))
#define NRF_RTC1_INTENSET NRF_REGISTER(NRF_RTC1_BASE, 0x304)
#define NRF_RTC1_INTENCLR NRF_REGISTER(NRF_RTC1_BASE, 0x308)
#define NRF_RTC1_COUNTER NRF_REGISTER(NRF_RTC1_BASE, 0x504)
#define NRF_RTC1_PRESCALER NRF_REGISTER(NRF_RTC1_BASE, 0x508)
#define NRF_RTC1_CC(n) NRF_REGISTER(NRF_RTC1_BASE, 0x540u + 4u * (n))
#define NRF_RTC_INT_COMPARE(n) (1u << (16 + (n)))

/* ---- RNG (6.19) --------------------------------------------------------------------------------------------------- */

#define NRF_RNG_BASE 0x4000D000u
#define NRF_RNG_TASKS_START NRF_REGISTER(NRF_RNG_BASE, 0x000)
#define NRF_RNG_TASKS_STOP NRF_REGISTER(NRF_RNG_BASE, 0x004)
#define NRF_RNG_EVENTS_VALRDY NRF_REGISTER(NRF_RNG_BASE, 0x100)
#define NRF_RNG_CONFIG NRF_REGISTER(NRF_RNG_BASE, 0x504)
#define NRF_RNG_VALUE NRF_REGISTER(NRF_RNG_BASE, 0x508)
#define NRF_RNG_BIAS_CORRECTION 1u

/* ---- ECB (6.8): AES-128 of one block, which it reads and writes by DMA ------------------------------------------------ */

#define NRF_ECB_BASE 0x4000E000u
#define NRF_ECB_TASKS_STARTECB NRF_REGISTER(NRF_ECB_BASE, 0x000)
#define NRF_ECB_TASKS_STOPECB NRF_REGISTER(NRF_ECB_BASE, 0x004)
#define NRF_ECB_EVENTS_ENDECB NRF_REGISTER(NRF_ECB_BASE, 0x100)
#define NRF_ECB_EVENTS_ERRORECB NRF_REGISTER(NRF_ECB_BASE, 0x104)
#define NRF_ECB_ECBDATAPTR NRF_REGISTER(NRF_ECB_BASE, 0x504)

/* ---- NVMC (4.3): flash controller --------------------------------------------------------------------------------- */

#define NRF_NVMC_BASE 0x4001E000u
#define NRF_NVMC_READY NRF_REGISTER(NRF_NVMC_BASE, 0x400)
#define NRF_NVMC_CONFIG NRF_REGISTER(NRF_NVMC_BASE, 0x504)
#define NRF_NVMC_ERASEPAGEPARTIAL NRF_REGISTER(NRF_NVMC_BASE, 0x518)
#define NRF_NVMC_ERASEPAGEPARTIALCFG NRF_REGISTER(NRF_NVMC_BASE, 0x51C)
#define NRF_NVMC_ICACHECNF NRF_REGISTER(NRF_NVMC_BASE, 0x540)
#define NRF_NVMC_READ_ONLY 0u
#define NRF_NVMC_WRITE_ENABLE 1u
#define NRF_NVMC_ERASE_ENABLE 2u
#define NRF_NVMC_PAGE 4096u

/* ---- GPIO (6.9) and GPIOTE (6.10) --------------------------------------------------------------------------------- */

typedef struct {
	uint32_t reserved0[1];
	nrf_register OUT; /* 0x504 */
	nrf_register OUTSET;
	nrf_register OUTCLR;
	nrf_register IN;
	nrf_register DIR;
	nrf_register DIRSET;
	nrf_register DIRCLR;
	nrf_register LATCH; /* 0x520, write 1 to clear */
	nrf_register DETECTMODE;
	uint32_t reserved1[118];
	nrf_register PIN_CNF[32]; /* 0x700 */
} nrf_gpio;

_Static_assert(offsetof(nrf_gpio, PIN_CNF) == 0x200, "GPIO register map");

#define NRF_P0 ((nrf_gpio *)0x50000500u)
#define NRF_P1 ((nrf_gpio *)0x50000800u)
#define NRF_PIN_OUTPUT (1u << 0)
#define NRF_PIN_INPUT_DISCONNECTED (1u << 1)
#define NRF_PIN_PULL_DOWN (1u << 2)
#define NRF_PIN_PULL_UP (3u << 2)
#define NRF_PIN_OPEN_DRAIN (6u << 8) /* S0D1: standard 0, disconnected 1 */
#define NRF_PIN_SENSE_HIGH (2u << 16)
#define NRF_PIN_SENSE_LOW (3u << 16)
#define NRF_PIN_SENSE_MASK (3u << 16)

#define NRF_GPIOTE_BASE 0x40006000u
#define NRF_GPIOTE_EVENTS_PORT NRF_REGISTER(NRF_GPIOTE_BASE, 0x17C)
#define NRF_GPIOTE_INTENSET NRF_REGISTER(NRF_GPIOTE_BASE, 0x304)
#define NRF_GPIOTE_INT_PORT (1u << 31)

/* ---- TWI (the legacy two-wire master; same registers as in the nRF52832 Product Specification, chapter 51) -------- */

typedef struct {
	nrf_register TASKS_STARTRX; /* 0x000 */
	uint32_t reserved0[1];
	nrf_register TASKS_STARTTX; /* 0x008 */
	uint32_t reserved1[2];
	nrf_register TASKS_STOP; /* 0x014 */
	uint32_t reserved2[1];
	nrf_register TASKS_SUSPEND; /* 0x01C */
	nrf_register TASKS_RESUME;
	uint32_t reserved3[56];
	nrf_register EVENTS_STOPPED; /* 0x104 */
	nrf_register EVENTS_RXDREADY;
	uint32_t reserved4[4];
	nrf_register EVENTS_TXDSENT; /* 0x11C */
	uint32_t reserved5[1];
	nrf_register EVENTS_ERROR; /* 0x124 */
	uint32_t reserved6[54];
	nrf_register SHORTS; /* 0x200 */
	uint32_t reserved7[176];
	nrf_register ERRORSRC; /* 0x4C4, write 1 to clear */
	uint32_t reserved8[14];
	nrf_register ENABLE; /* 0x500 */
	uint32_t reserved9[1];
	nrf_register PSEL_SCL; /* 0x508 */
	nrf_register PSEL_SDA;
	uint32_t reserved10[2];
	nrf_register RXD; /* 0x518 */
	nrf_register TXD;
	uint32_t reserved11[1];
	nrf_register FREQUENCY; /* 0x524 */
	uint32_t reserved12[24];
	nrf_register ADDRESS; /* 0x588 */
} nrf_twi;

_Static_assert(offsetof(nrf_twi, ADDRESS) == 0x588, "TWI register map");

#define NRF_TWI0 ((nrf_twi *)0x40003000u)
#define NRF_TWI1 ((nrf_twi *)0x40004000u)
#define NRF_TWI_ENABLED 5u
#define NRF_TWI_SHORT_BB_SUSPEND 1u
#define NRF_TWI_SHORT_BB_STOP 2u
#define NRF_TWI_ERROR_OVERRUN 1u
#define NRF_TWI_ERROR_ADDRESS_NACK 2u
#define NRF_TWI_ERROR_DATA_NACK 4u

/* ---- WDT (6.36) --------------------------------------------------------------------------------------------------- */

#define NRF_WDT_BASE 0x40010000u
#define NRF_WDT_TASKS_START NRF_REGISTER(NRF_WDT_BASE, 0x000)
#define NRF_WDT_RUNSTATUS NRF_REGISTER(NRF_WDT_BASE, 0x400)
#define NRF_WDT_CRV NRF_REGISTER(NRF_WDT_BASE, 0x504)
#define NRF_WDT_RREN NRF_REGISTER(NRF_WDT_BASE, 0x508)
#define NRF_WDT_CONFIG NRF_REGISTER(NRF_WDT_BASE, 0x50C)
#define NRF_WDT_RR0 NRF_REGISTER(NRF_WDT_BASE, 0x600)
#define NRF_WDT_CONFIG_SLEEP 1u /* keep running while the CPU sleeps; pause while a debugger halts it */
#define NRF_WDT_RELOAD 0x6E524635u

/* ---- UICR (4.5), which the MPU leaves out (pc_mpu_read) ------------------------------------------------------------ */

#define NRF_UICR_BASE 0x10001000u
#define NRF_UICR_SIZE 0x308u      /* as far as registers go, REGOUT0 the last */
#define NRF_UICR_APPROTECT 0x208u /* offset */

#endif
