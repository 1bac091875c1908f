/*
 * The host at the far end of a simulated path: the same engine as ours, and an application that
 * does one simple thing. The host accepts connections on one port, and can also open connections
 * itself.
 */
#ifndef TCPWAVE_SIM_HOST_H
#define TCPWAVE_SIM_HOST_H

#include "lib/core/stack.h"

#define HOST_ANSWER_TEXT "the answer\n"

/* Says what the application does with each connection, independently of which side opened it. */
enum host_behaviour {
    HOST_ECHO,             /* sends back what it gets, and closes after the peer's FIN */
    HOST_DISCARD,          /* reads, sends nothing, and closes after the peer's FIN */
    HOST_ANSWER,           /* sends one answer to the first data, and its FIN behind it */
    HOST_ANSWER_AFTER_FIN, /* reads to the peer's FIN, and only then sends its answer and closes */
    HOST_ANSWER_AND_FIN_FIRST, /* sends its answer and its FIN as soon as the connection is open */
    HOST_ANSWER_FIRST, /* sends its answer as soon as the connection is open, and closes after the
                          peer's FIN */
    HOST_NEVER_CLOSES, /* reads, and keeps its side open after the peer's FIN */
    HOST_RESETS,       /* aborts the connection at the first data */
    HOST_RESETS_FIN,   /* reads, and aborts the connection at the peer's FIN */
    HOST_NEVER_READS,  /* accepts, and never reads: its window closes */
    HOST_BREAKS_HALF_CLOSE, /* takes the peer's FIN for the end of both directions: of its answer
                               the first bytes leave, and a RST behind them */
    HOST_CLOSED, /* nothing listens: a SYN is answered with RST. Where the host opens connections,
                    it forgets each as soon as its SYN is sent */
    HOST_SILENT /* nothing is ever answered. Where the host opens connections, only SYNs are sent */
};

/* Says which connections the host opens by itself, one after the other. */
struct host_dials {
    uint32_t count;
    wave_time begin, every; /* when the first one is opened, and the time between two of them */
    struct flow flow;       /* as the host sees it; lport is that of the first one */
    uint16_t ports;         /* as many local ports take turns, from flow.lport on */
};

/* Says what kind of host to create. */
struct host_config {
    struct conn_config engine;
    enum host_behaviour behaviour;
    bool v6;
    struct addr addr;
    uint16_t port;       /* the port it listens on; 0: it does not listen */
    uint32_t half_open;  /* connections in SYN_RECEIVED before it answers with SYN cookies */
    wave_time vanish_at; /* from this time on it sends and receives nothing; WAVE_NEVER: it stays */
    wave_time
        reboot_at; /* at this time it forgets all connections; 0 and WAVE_NEVER: it never does */
    wave_time think; /* the application acts so long after each event; 0: immediately */
    uint64_t seed;
    struct host_dials dials;
};

struct host;

/* Creates a host. Returns 0, or WAVE_ENOMEM. */
int host_create(struct host **out, const struct host_config *config);
/* Frees the host and its connections; `h` may be NULL. */
void host_destroy(struct host *h);

/* Opens a connection from the host; `flow` is as the host sees it. Returns 0 and the connection's
 * number in *id, or an error of stack_connect(). */
int host_dial(struct host *h, wave_time now, const struct flow *flow, uint32_t *id);

/* Returns the host's connections, for a test that inspects the far end or acts in its place. */
struct stack *host_stack(struct host *h);

/* Takes in a segment that arrived at the host; `flow` is as the host sees it. */
void host_input(struct host *h, wave_time now, const struct flow *flow, const struct seg *s);

/* Takes in an ICMP error that arrived at the host. */
void host_icmp(struct host *h, wave_time now, const struct icmp *e);

/* Gives the next segment that the host sends; the same contract as stack_output(). */
bool host_output(struct host *h, wave_time now, struct flow *flow, struct seg *out, uint8_t *room);

/* host_tick() runs the host's timers; host_expiry() returns when it has to be called next, or
 * WAVE_NEVER. */
void host_tick(struct host *h, wave_time now);
wave_time host_expiry(struct host *h, wave_time now);

#endif
