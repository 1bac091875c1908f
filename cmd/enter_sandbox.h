/*
 * Puts the sandbox in force. This is the last step of every command before it reads bytes that a
 * peer or another user wrote: it closes every descriptor that is not ours, and afterwards no other
 * can be opened. All commands take this step here.
 */
#ifndef TCPWAVE_CMD_ENTER_SANDBOX_H
#define TCPWAVE_CMD_ENTER_SANDBOX_H

#include "cmd/options_show.h"

/* Notes which descriptors the caller left open beyond the standard streams. To be called before the
 * program opens any of its own. */
void enter_sandbox_begin(void);

/*
 * Closes the descriptors that enter_sandbox_begin() noted, and enters the sandbox
 * (lib/wire/sandbox.h) unless --no-sandbox was given. To be called once, after wire_open(),
 * signals_open() and term_init(), and before the first byte of a packet, of standard input or of a
 * file is read. If the kernel has no such sandbox the run goes on without it, and with -v a line on
 * standard error says so.
 */
void enter_sandbox(const struct show_options *o);

#endif
