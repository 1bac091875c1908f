/*
 * The states of RFC 9293, section 3.3.2, and the edges between them: one table,
 * that the engine may not step outside of.
 */
#ifndef TCPWAVE_CORE_STATE_H
#define TCPWAVE_CORE_STATE_H

#include <stdbool.h>

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
    STATE_UNKNOWN, /* only of a peer of which nothing is known yet; the engine never has it */
    STATE_COUNT
};

/* "SYN_SENT" and so on, as contract and manual write them; never NULL. */
const char *state_name(enum state s);

/* Whether RFC 9293 has an edge from `from` to `to` (section 3.3.2, figure 5, and the
 * events of 3.10: any state but CLOSED may fall to CLOSED by RST, ABORT or timeout). */
bool state_edge(enum state from, enum state to);

/* States in which both SYNs have been acknowledged (RFC 9293 calls them synchronized):
 * ESTABLISHED and every one after it. */
bool state_synchronized(enum state s);

#endif
