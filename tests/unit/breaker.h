/*
 * A host that breaks the rules: an engine of the simulator, and a layer between it and the link.
 *
 * What is true of such a host is a matter of definition. The layer may repeat, cut, delay or extend
 * what the engine sends, or let it send more than it was offered; the host is then in the state of
 * its engine. Once the layer says something about the connection that the engine did not say (a
 * FIN, a RST, an ACK of its own), the host has lied. From then on no state of it is true, and only
 * the honest side can be judged.
 */
#ifndef TCPWAVE_TESTS_UNIT_BREAKER_H
#define TCPWAVE_TESTS_UNIT_BREAKER_H

#include "tests/unit/sim.h"

enum {
    BREAK_WINDOW = 1 << 0, /* it reads windows as larger than they are, and overruns them */
    BREAK_REPEAT = 1 << 1, /* it repeats what it has sent */
    BREAK_CUT = 1 << 2,    /* it leaves off the end of segments with data */
    BREAK_STAMP = 1 << 3,  /* its timestamps are wrong */
    BREAK_OFFER = 1 << 4,  /* the windows it offers go up and down, also to 0 */
    BREAK_UNSENT = 1 << 5, /* it also acknowledges data that was never sent */
    BREAK_DEAF = 1 << 6,   /* it drops segments with FIN */
    BREAK_LIES = 1 << 7,   /* it sends FIN, RST, SYN and ACK where they do not belong, and numbers
                              that are not its own */
    BREAK_ALL = (1 << 8) - 1
};

enum { BREAKER_KEPT = 8, BREAKER_BYTES = 1500 };

/* Holds the layer between one end and the link. */
struct breaker {
    struct sim *sim;
    enum link_end end;
    unsigned rules; /* BREAK_... */
    uint32_t often; /* in 1/10000 */
    struct prng prng;
    uint8_t shift; /* BREAK_WINDOW: windows are read with this shift */
    bool lied;
    const struct breaker_kept *repeating; /* the segment that it is repeating, or NULL */
    uint32_t kept; /* segments that it has sent; `keep` holds the last BREAKER_KEPT of them */
    struct breaker_kept {
        struct seg seg;
        enum state state; /* of the engine when it sent this segment */
        uint8_t data[BREAKER_BYTES];
    } keep[BREAKER_KEPT];
};

/* Makes that end a host that breaks rules. `rules` are those that it may break; which of them it
 * breaks, and how often, is drawn from the seed. To be called before anything is sent. */
void breaker_init(struct breaker *b, struct sim *sim, enum link_end end, unsigned rules,
                  uint64_t seed);

#endif
