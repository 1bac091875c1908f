/* What happened, as one word and one exit status. Scripts depend on both. */
#ifndef TCPWAVE_CORE_VERDICT_H
#define TCPWAVE_CORE_VERDICT_H

/* The verdicts; each value is the exit status. */
enum verdict {
    VERDICT_OPEN = 0,     /* what was asked for happened */
    VERDICT_FAILED = 1,   /* an expectation was not met */
    VERDICT_USAGE = 2,    /* nothing was sent; has no word in JSON */
    VERDICT_LOCAL = 3,    /* this host could not do it */
    VERDICT_REFUSED = 4,  /* an RST answered the SYN */
    VERDICT_DROPPED = 5,  /* nothing answered */
    VERDICT_REJECTED = 6, /* an ICMP error answered */
    VERDICT_RESET = 7,    /* an RST came after the handshake */
    VERDICT_LOST = 8      /* the peer stopped answering after the handshake */
};

/* Returns the word: "open", "failed", "usage", "local", "refused", "dropped", "rejected", "reset",
 * "lost". */
const char *verdict_name(enum verdict v);

#endif
