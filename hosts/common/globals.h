/* globals.h: the globals that every module sees: trace and console. */
#ifndef PERICARD_GLOBALS_H
#define PERICARD_GLOBALS_H

void pc_globals_define(void *machine);

#endif
