/*
 * The names of the states, and the table of permitted state changes.
 */
#include "lib/core/state.h"

const char *state_name(enum state s)
{
    static const char *const name[STATE_COUNT] = {
        [STATE_CLOSED] = "CLOSED",           [STATE_LISTEN] = "LISTEN",
        [STATE_SYN_SENT] = "SYN_SENT",       [STATE_SYN_RECEIVED] = "SYN_RECEIVED",
        [STATE_ESTABLISHED] = "ESTABLISHED", [STATE_FIN_WAIT_1] = "FIN_WAIT_1",
        [STATE_FIN_WAIT_2] = "FIN_WAIT_2",   [STATE_CLOSE_WAIT] = "CLOSE_WAIT",
        [STATE_CLOSING] = "CLOSING",         [STATE_LAST_ACK] = "LAST_ACK",
        [STATE_TIME_WAIT] = "TIME_WAIT",     [STATE_UNKNOWN] = "UNKNOWN",
    };

    return (unsigned)s < STATE_COUNT ? name[s] : "UNKNOWN";
}

#define TO(s) (1u << STATE_##s)

bool state_edge(enum state from, enum state to)
{
    /* RFC 9293, section 3.3.2, figure 5. Edges that only the text has are beside their clause. RST,
     * ABORT and timeouts lead from everywhere to CLOSED. */
    static const unsigned edges[STATE_COUNT] = {
        [STATE_CLOSED] = TO(LISTEN) | TO(SYN_SENT),
        [STATE_LISTEN] = TO(SYN_RECEIVED) | TO(SYN_SENT) /* SEND */ | TO(CLOSED),
        [STATE_SYN_SENT] = TO(SYN_RECEIVED) | TO(ESTABLISHED) | TO(CLOSED),
        /* An RST leads to LISTEN after a passive open (3.10.7.4, second check). A FIN does not lead
         * from here, since the ACK is checked before it and has made the connection ESTABLISHED. */
        [STATE_SYN_RECEIVED] = TO(ESTABLISHED) | TO(FIN_WAIT_1) | TO(LISTEN) | TO(CLOSED),
        [STATE_ESTABLISHED] = TO(FIN_WAIT_1) | TO(CLOSE_WAIT) | TO(CLOSED),
        /* To TIME_WAIT when the peer's FIN also acknowledges ours (3.10.7.4, eighth check). */
        [STATE_FIN_WAIT_1] = TO(FIN_WAIT_2) | TO(CLOSING) | TO(TIME_WAIT) | TO(CLOSED),
        [STATE_FIN_WAIT_2] = TO(TIME_WAIT) | TO(CLOSED),
        [STATE_CLOSE_WAIT] = TO(LAST_ACK) | TO(CLOSED),
        [STATE_CLOSING] = TO(TIME_WAIT) | TO(CLOSED),
        [STATE_LAST_ACK] = TO(CLOSED),
        [STATE_TIME_WAIT] = TO(CLOSED),
    };

    return (unsigned)from < STATE_COUNT && (unsigned)to < STATE_COUNT && edges[from] >> to & 1;
}

bool state_synchronized(enum state s)
{
    return s >= STATE_ESTABLISHED && s <= STATE_TIME_WAIT;
}
