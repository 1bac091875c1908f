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
#define PATIENCE_MS 5000 /* the longest wait for a packet that must come; it comes sooner */

/* Enters a network namespace of our own, as root or, through a user namespace, as any user, and
 * brings its lo up. Returns false, with the reason on standard output, if that is not allowed. */
bool netns_enter(void);

/* Runs a shell command. Returns false, with a message on standard error, if it fails. */
bool netns_run(const char *command);

/*
 * Starts echo server 0 or 1 in a process of its own. With `apart` it has a namespace of its own:
 * our "wa" has 10.77.0.1, fd77::1 and fe80::1, its "wb" 10.77.0.2, fd77::2 and fe80::2; it routes,
 * and prohibits 10.78.0.0/24 and fd78::/64. Returns false if that is not possible.
 */
bool netns_start(int which, bool apart);
void netns_stop(void);

struct addr netns_addr(bool v6, const char *text);

/* Calls wire_open(). If it fails, the test fails with its diagnosis. */
struct wire *netns_open(const struct wire_config *config);

/* Returns the flow from the address and port that the wire has chosen to those that `c` names. */
struct flow netns_flow(const struct wire *w, const struct wire_config *c);

/* Wait for the next packet in the wanted direction. If none comes, the first returns false, and
 * with the second the test fails. */
bool netns_next_within(struct wire *w, bool outgoing, int ms, struct wire_packet *out);
void netns_next(struct wire *w, bool outgoing, struct wire_packet *out);

/* Sends one segment by wire_send() and wire_flush(), and returns their result. `ip` and `d` may be
 * NULL. */
int netns_try_send(struct wire *w, const struct flow *f, const struct seg *s,
                   const struct wire_ip *ip, struct diag *d);

/* Does the same. If it fails, the test fails. */
void netns_send(struct wire *w, const struct flow *f, const struct seg *s);

/* A SYN with the options of a present-day host. */
extern const struct seg netns_syn;

#endif
