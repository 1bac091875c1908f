/*
 * The states of RFC 9293, section 3.3.2, and the edges between them, in one table that the engine
 * must not leave.
 */
#ifndef TCPWAVE_CORE_STATE_H
#define TCPWAVE_CORE_STATE_H

#include <stdbool.h>

/* The states of a connection. */
enum state {
    STATE_CLOSED,
    STATE_LISTEN,
    STATE_SYN_SENT,
    STATE_SYN_RECEIVED,
    STATE_ESTABLISHED,
    STATE_FIN_WAIT_1,
    STATE_FIN_WAIT_2,
    STATE_CLOSE_WAIT,
    STATE_CLOSING,
    STATE_LAST_ACK,
    STATE_TIME_WAIT,
    STATE_UNKNOWN, /* a peer about which nothing is known yet; the engine never uses it */
    STATE_COUNT
};

/* Returns the name, "SYN_SENT" and so on, as users see it; never NULL. */
const char *state_name(enum state s);

/* Returns whether RFC 9293 has an edge from `from` to `to` (section 3.3.2, figure 5, and the events
 * of 3.10: RST, ABORT and timeouts lead from any state but CLOSED to CLOSED). */
bool state_edge(enum state from, enum state to);

/* Returns whether both SYNs have been acknowledged (RFC 9293 calls these states synchronized):
 * ESTABLISHED and all states after it. */
bool state_synchronized(enum state s);

#endif
