/*
 * mps2.h: the peripherals of the MPS2 FPGA image AN386 (Arm DAI 0386): CMSDK UART, timers and watchdog. Names and
 * offsets follow the Cortex-M System Design Kit reference manual (DDI 0479).
 */
#ifndef PERICARD_MPS2_H
#define PERICARD_MPS2_H

#include "cortex-m.h"

#define MPS2_CLOCK 25000000u

/* The dual timer is the time base: counter 1 runs free, counter 2 is the alarm. */
#define MPS2_DUALTIMER 0x40002000u
#define DUAL_LOAD 0x00u
#define DUAL_VALUE 0x04u
#define DUAL_CONTROL 0x08u
#define DUAL_INTCLEAR 0x0Cu
#define DUAL_RAWINT 0x10u
#define DUAL_SECOND 0x20u /* offset of counter 2 */
#define DUAL_ENABLE (1u << 7)
#define DUAL_INTENABLE (1u << 5)
#define DUAL_DIV16 (1u << 2)
#define DUAL_32BIT (1u << 1)
#define DUAL_ONESHOT (1u << 0)

#define MPS2_UART(n) (0x40004000u + 0x1000u * (n))
#define UART_DATA 0x00u
#define UART_STATE 0x04u
#define UART_CTRL 0x08u
#define UART_INTCLEAR 0x0Cu
#define UART_BAUDDIV 0x10u
#define UART_STATE_TXFULL (1u << 0)
#define UART_STATE_RXFULL (1u << 1)
#define UART_STATE_RXOVERRUN (1u << 3)
#define UART_CTRL_TX (1u << 0)
#define UART_CTRL_RX (1u << 1)
#define UART_CTRL_TXINT (1u << 2)
#define UART_CTRL_RXINT (1u << 3)
#define UART_INT_TX (1u << 0)
#define UART_INT_RX (1u << 1)

#define MPS2_WATCHDOG 0x40008000u
#define WATCHDOG_LOAD 0x000u
#define WATCHDOG_CONTROL 0x008u
#define WATCHDOG_INTCLEAR 0x00Cu
#define WATCHDOG_LOCK 0xC00u
#define WATCHDOG_UNLOCK 0x1ACCE551u

#define MPS2_GPIO(n) (0x40010000u + 0x1000u * (n))

#define MPS2_IRQ_UART_RX(n) (2u * (n))
#define MPS2_IRQ_UART_TX(n) (2u * (n) + 1u)
#define MPS2_IRQ_DUALTIMER 10u
#define MPS2_IRQ_COUNT 32u

#define MPS2_REG(base, offset) PC_REGISTER((base) + (offset))

void mps2_uart0_rx(void);
void mps2_uart0_tx(void);
void mps2_uart1_rx(void);
void mps2_uart1_tx(void);
void mps2_dualtimer(void);
void mps2_time_init(void);

/* Reads the UART's STATE. Right after this load a harness may deliver the next input byte, so that bytes arrive at exact
 * instructions; called whenever the receive register may have become empty. */
uint32_t pc_uart_rx_gate(unsigned port);

#endif
