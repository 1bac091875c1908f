/*
 * What connections share: settings, memory and its bound, the event queue, the random
 * source and the challenge-ACK limit. One env a stack, or one for a lone connection in a test.
 */
#ifndef TCPWAVE_CORE_ENV_H
#define TCPWAVE_CORE_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/event.h"
#include "lib/core/time.h"

enum congestion {
    CONGESTION_CUBIC, /* RFC 9438: the default, as it is of hosts */
    CONGESTION_RENO   /* RFC 5681 */
};

/* Settings of the engine. conn_config_default() fills in a present-day host's. */
struct conn_config {
    uint32_t rcvbuf;         /* bytes, default 4 MiB: what a peer may have in flight. 65535 << 14 is
                                the most that can be told to it (RFC 7323, 2.3) */
    uint32_t sndbuf;         /* bytes, default 4 MiB: what conn_send() takes before it is full; less
                                than 2^31 */
    uint32_t mss;            /* MSS we announce: MTU less the fixed headers (RFC 6691) */
    uint32_t initial_window; /* segments, default 10 (RFC 6928) */
    bool wscale, timestamps, sack; /* offered (all default true) */
    enum congestion congestion;
    bool ecn;              /* RFC 3168 negotiation; default false */
    bool nagle;            /* default false: a diagnostic sends what it is told at once */
    bool no_third_ack;     /* never completes the handshake we opened: SYN-ACKs go unanswered */
    wave_time msl;         /* default 2 minutes (RFC 9293, 3.4.2) */
    bool time_wait;        /* false: TIME_WAIT is entered and left at once */
    wave_time rto_initial; /* 1 s (RFC 6298, 2.1) */
    wave_time rto_min;     /* 200 ms: what the RTO is above SRTT at least; DEVIATES from RFC 6298,
                              2.4's least RTO of 1 s, as every host does */
    wave_time rto_max;     /* 120 s */
    uint32_t syn_retries; /* SYNs and SYN-ACKs after the first; 7: three minutes and more (RFC 9293,
                             MUST-23) */
    wave_time r2; /* data or FIN unacknowledged this long: give up; 100 s (RFC 9293, 3.8.3) */
    wave_time delayed_ack;    /* 40 ms; at most 500 ms (RFC 9293, 3.8.6.3) */
    bool keepalive;           /* default false (RFC 9293, MUST-24) */
    bool keepalive_garbage;   /* probes carry one byte */
    bool keepalive_last_byte; /* of those that are not answered, the last one does */
    wave_time keepalive_idle; /* 7200 s */
    wave_time keepalive_interval; /* 75 s */
    uint32_t keepalive_count;     /* 10 */
    uint32_t challenge_limit; /* challenge ACKs a second and connection, 15 at most; 3 (RFC 5961,
                                 section 7) */
    uint8_t quick_acks; /* the peer's first segments, acknowledged without delay; 10, its initial
                           window (RFC 6928) */
    uint8_t isn_secret[16]; /* RFC 6528's key; the stack's ISNs come from it */
    /* What the change of state at the end of TIME_WAIT is told with, static; NULL: 2 MSL passed. */
    const char *time_wait_end;
};

/* `mtu` is the path's first hop's in bytes, `v6` the family: they give the MSS. */
void conn_config_default(struct conn_config *c, uint32_t mtu, bool v6);

/*
 * The queue of events has a bound, and so have the events of a step. One call of conn_input(),
 * conn_icmp(), conn_tick(), conn_output() or of the user's makes fewer than ENV_STEP events. What
 * sends and what runs timers waits while ENV_WAITING events are there (env_busy()): output then has
 * nothing, the tick does nothing, and the expiry says "at once" until events were pulled. The other
 * half of the queue is for what cannot wait, the segments that arrive: pull after each of them.
 */
#define ENV_EVENTS 128
#define ENV_STEP 16
#define ENV_WAITING (ENV_EVENTS / 2)

/*
 * resize(ctx, old, old_size, new_size): realloc() with the sizes told; new_size 0 frees and
 * returns NULL. May return NULL for any other size, which loses nothing: `old` stays.
 */
typedef void *env_resize(void *ctx, void *old, size_t old_size, size_t new_size);

struct env {
    struct conn_config config;
    env_resize *resize;
    void *resize_ctx;
    size_t mem_used, mem_max; /* bytes of queues, over all connections */
    bool mem_short;           /* the last time that more was wanted, there was none */
    uint64_t random;          /* state of env_random() */
    uint64_t discarded[CHECK_COUNT], tolerated[CHECK_COUNT];
    uint64_t events_lost; /* events that were given up because the caller did not pull them */
    uint32_t event_head, event_count;
    struct event event[ENV_EVENTS];
};

/* Fills in `e`: malloc's allocator, no memory bound, `seed` for what is random. */
void env_init(struct env *e, const struct conn_config *config, uint64_t seed);

/* Memory for queues, counted against mem_max. NULL when the allocator or the bound says no. */
void *env_realloc(struct env *e, void *old, size_t old_size, size_t new_size);

/* A number that is not secret (jitter, timestamps' offset, cookies of tests). */
uint32_t env_random(struct env *e);

/* The next event, oldest first; false when there is none. */
bool env_event(struct env *e, struct event *out);

/* Puts an event at the end. When ENV_EVENTS are waiting, the oldest is given up that tells neither
 * of a change of state nor of a connection's end; if there is none, the oldest of all. */
void env_emit(struct env *e, const struct event *event);

/* Whether so many events wait that nothing more should be caused before they are pulled. */
static inline bool env_busy(const struct env *e)
{
    return e->event_count >= ENV_WAITING;
}

#endif
