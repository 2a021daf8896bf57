/*
 * choice.h: which peripherals a build computes with, from the board's manifest ("defines": { "crypto": ... }).
 *
 * aesHal    the board has an AES block that hal_aes128_encrypt() of hosts/common/hal.h reaches (nRF52840: ECB)
 * esp32c3   the accelerators of the ESP32-C3: AES, SHA, RSA
 *
 * Without either everything is software, and the files of this folder compile to nothing. Tests set the macros themselves.
 */
#ifndef PERICARD_PERIPHERALS_CHOICE_H
#define PERICARD_PERIPHERALS_CHOICE_H

#if defined(__has_include)
#if __has_include("mc.defines.h")
#include "mc.defines.h"
#endif
#endif

#ifndef PC_ENGINE_AES_HAL
#ifdef MODDEF_CRYPTO_AESHAL
#define PC_ENGINE_AES_HAL MODDEF_CRYPTO_AESHAL
#else
#define PC_ENGINE_AES_HAL 0
#endif
#endif

#ifndef PC_ENGINE_ESP32C3
#ifdef MODDEF_CRYPTO_ESP32C3
#define PC_ENGINE_ESP32C3 MODDEF_CRYPTO_ESP32C3
#else
#define PC_ENGINE_ESP32C3 0
#endif
#endif

#define PC_ENGINE_AES_PERIPHERAL (PC_ENGINE_AES_HAL || PC_ENGINE_ESP32C3)

#endif
