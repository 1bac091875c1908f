/*
 * The last step of every command before it reads what a stranger wrote: nothing stays open that is
 * not ours, and no more can be opened. One place for all of them.
 */
#ifndef TCPWAVE_CMD_ENTER_SANDBOX_H
#define TCPWAVE_CMD_ENTER_SANDBOX_H

#include "cmd/options_show.h"

/* Takes note of what whoever called left open beyond the standard streams. To be called first of
 * all, before anything is opened here. */
void enter_sandbox_begin(void);

/*
 * To be called once, after wire_open(), signals_open() and term_init(), and before the first byte
 * of a packet, of standard input or of a file is read. Closes what was left open, and puts the
 * sandbox (lib/wire/sandbox.h) in force unless --no-sandbox says no. Where there is none the run
 * goes on, and -v says so on standard error.
 */
void enter_sandbox(const struct show_options *o);

#endif
