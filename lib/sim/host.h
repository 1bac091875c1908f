/*
 * The host at the far end of a simulated path: the same engine as ours, with an application on it
 * that does one simple thing. It answers connections on one port; it can also open some itself.
 */
#ifndef TCPWAVE_SIM_HOST_H
#define TCPWAVE_SIM_HOST_H

#include "lib/core/stack.h"

#define HOST_ANSWER_TEXT "the answer\n"

/* What the application does with each connection, whichever side opened it. */
enum host_behaviour {
    HOST_ECHO,             /* sends back what it gets, and closes after the peer's FIN */
    HOST_DISCARD,          /* reads, sends nothing, and closes after the peer's FIN */
    HOST_ANSWER,           /* sends one answer to the first data, and its FIN behind it */
    HOST_ANSWER_AFTER_FIN, /* reads to the peer's FIN, and only then sends its answer and closes */
    HOST_ANSWER_AND_FIN_FIRST, /* sends its answer and its FIN as soon as the connection is open */
    HOST_ANSWER_FIRST, /* sends its answer as soon as that, and closes after the peer's FIN */
    HOST_NEVER_CLOSES, /* reads, and keeps its side open after the peer's FIN */
    HOST_RESETS,       /* aborts the connection at the first data */
    HOST_RESETS_FIN,   /* reads, and aborts the connection at the peer's FIN */
    HOST_NEVER_READS,  /* accepts, and never reads: its window closes */
    HOST_CLOSED,       /* nothing listens: a SYN is answered with RST */
    HOST_SILENT        /* nothing is ever answered */
};

struct host_config {
    struct conn_config engine;
    enum host_behaviour behaviour;
    bool v6;
    struct addr addr;
    uint16_t port;       /* it listens on; 0: it does not listen */
    uint32_t half_open;  /* connections in SYN_RECEIVED before SYN cookies begin */
    wave_time vanish_at; /* it falls silent then; WAVE_NEVER: it does not */
    uint64_t seed;
};

struct host;

/* WAVE_ENOMEM. */
int host_create(struct host **out, const struct host_config *config);
void host_destroy(struct host *h);

/* Opens a connection from it; `flow` as the host sees it. The errors of stack_connect(). */
int host_dial(struct host *h, wave_time now, const struct flow *flow, uint32_t *id);

/* Its connections; for a test that wants to look at the other end, or to act in its place. */
struct stack *host_stack(struct host *h);

/* A segment that arrived at it; `flow` as the host sees it. */
void host_input(struct host *h, wave_time now, const struct flow *flow, const struct seg *s);

/* An ICMP error that arrived at it. */
void host_icmp(struct host *h, wave_time now, const struct icmp *e);

/* The next segment that it sends, as stack_output(). */
bool host_output(struct host *h, wave_time now, struct flow *flow, struct seg *out, uint8_t *room);

/* Runs its timers; when it wants that next. */
void host_tick(struct host *h, wave_time now);
wave_time host_expiry(struct host *h, wave_time now);

#endif
