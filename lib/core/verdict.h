/* What happened, in one word and one exit status: the contract with scripts. */
#ifndef TCPWAVE_CORE_VERDICT_H
#define TCPWAVE_CORE_VERDICT_H

enum verdict {
    VERDICT_OPEN = 0,     /* what was asked for happened */
    VERDICT_FAILED = 1,   /* an expectation was not met */
    VERDICT_USAGE = 2,    /* nothing was sent; has no word in JSON */
    VERDICT_LOCAL = 3,    /* this host could not */
    VERDICT_REFUSED = 4,  /* RST answered the SYN */
    VERDICT_DROPPED = 5,  /* nothing answered */
    VERDICT_REJECTED = 6, /* an ICMP error answered */
    VERDICT_RESET = 7,    /* RST after the handshake */
    VERDICT_LOST = 8      /* the peer stopped answering after the handshake */
};

/* The word: "open", "failed", "usage", "local", "refused", "dropped", "rejected", "reset",
 * "lost". The value of the enum is the exit status. */
const char *verdict_name(enum verdict v);

#endif
