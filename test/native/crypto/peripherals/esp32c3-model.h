/* esp32c3-model.h: what only the register model of the ESP32-C3 has (the rest: model.h). */
#ifndef PERICARD_TEST_ESP32C3_MODEL_H
#define PERICARD_TEST_ESP32C3_MODEL_H

/* As after power-on: nothing is clocked, everything is held in reset, no fault, no violation. Counts go on. */
void model_power_on(void);

#endif
