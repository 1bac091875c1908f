/*
 * Declares the network that tests of the wire use: a network namespace of their own, a peer's
 * namespace that is connected to it by veth, echo servers with the kernel's TCP in both; and what
 * all these tests do with a wire.
 */
#ifndef TCPWAVE_TESTS_UNIT_WIRE_NETNS_H
#define TCPWAVE_TESTS_UNIT_WIRE_NETNS_H

#include <stdbool.h>

#include "lib/wire/wire.h"

#define SERVER_PORT 7000
#define PATIENCE_MS 5000 /* before a packet that must come is given up; none is expected late */

/* Enters a network namespace of our own, as root or, through a user namespace, as anybody, and
 * brings its lo up. False, with the reason on standard output, where that is not allowed. */
bool netns_enter(void);

/* Runs a shell command; false, with a word on standard error, when it fails. */
bool netns_run(const char *command);

/*
 * Starts echo server 0 or 1 in a process of its own. With `apart` it has a namespace of its own:
 * our "wa" has 10.77.0.1, fd77::1 and fe80::1, its "wb" 10.77.0.2, fd77::2 and fe80::2; it routes,
 * and prohibits 10.78.0.0/24 and fd78::/64. False when that cannot be had.
 */
bool netns_start(int which, bool apart);
void netns_stop(void);

struct addr netns_addr(bool v6, const char *text);

/* wire_open(), and the test fails with the diagnosis if it does. */
struct wire *netns_open(const struct wire_config *config);

/* The flow to what `c` names from what the wire found. */
struct flow netns_flow(const struct wire *w, const struct wire_config *c);

/* The next packet in the wanted direction: false when none comes, or the test fails. */
bool netns_next_within(struct wire *w, bool outgoing, int ms, struct wire_packet *out);
void netns_next(struct wire *w, bool outgoing, struct wire_packet *out);

/* wire_send() and wire_flush(), of one segment; `ip` and `d` may be NULL. */
int netns_try_send(struct wire *w, const struct flow *f, const struct seg *s,
                   const struct wire_ip *ip, struct diag *d);

/* The same, and the test fails if it does. */
void netns_send(struct wire *w, const struct flow *f, const struct seg *s);

/* A SYN with a present-day host's options. */
extern const struct seg netns_syn;

#endif
