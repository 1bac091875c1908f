/*
 * Does a client's run once for every address of the name (connect --each-address), one after the
 * other, each with a verdict of its own; a last verdict counts them.
 */
#ifndef TCPWAVE_CMD_EACH_ADDRESS_H
#define TCPWAVE_CMD_EACH_ADDRESS_H

#include "cmd/client.h"

/*
 * Runs the command, and returns the worst exit status. `x` is as client_run() takes it, and each
 * run begins with a copy of it. Each has an equal share of what is left of --timeout; a file that
 * the run writes has the number of its connection in its name.
 */
int each_address_run(const struct client *x, const struct client_options *o,
                     const struct client_ops *ops);

/* Returns what keeps the options from being used for several runs, as a message, or NULL. */
const char *each_address_check(const struct client_options *o);

#endif
