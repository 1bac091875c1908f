/*
 * What connections share: settings, memory and its bound, the event queue and the random source. A
 * stack has one env; so has a connection on its own in a test.
 */
#ifndef TCPWAVE_CORE_ENV_H
#define TCPWAVE_CORE_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/event.h"
#include "lib/core/time.h"

/* The algorithm of congestion avoidance. */
enum congestion {
    CONGESTION_CUBIC, /* RFC 9438: the default, as on most hosts */
    CONGESTION_RENO   /* RFC 5681 */
};

/* Settings of the engine. conn_config_default() fills in those of a present-day host. */
struct conn_config {
    uint32_t rcvbuf;         /* bytes, default 4 MiB: how much a peer may have in flight. The window
                                can express 65535 << 14 at most (RFC 7323, 2.3) */
    uint32_t sndbuf;         /* bytes, default 4 MiB: how much conn_send() accepts before it is
                                full; less than 2^31 */
    uint32_t mss;            /* the MSS we announce: MTU less the fixed headers (RFC 6691) */
    uint32_t initial_window; /* segments, default 10 (RFC 6928) */
    bool wscale, timestamps, sack; /* offered (all default true) */
    enum congestion congestion;
    bool ecn;              /* RFC 3168 negotiation; default false */
    bool nagle;            /* default false: a diagnostic tool sends its data immediately */
    bool unstamped_syn;    /* with `timestamps`: where the first SYNs got no answer, one without
                              timestamps is tried (conn_priv.h); default false */
    bool no_third_ack;     /* the handshake we opened is never completed: SYN-ACKs get no answer */
    wave_time msl;         /* default 2 minutes (RFC 9293, 3.4.2) */
    bool time_wait;        /* false: TIME_WAIT is left as soon as it is entered */
    wave_time rto_initial; /* 1 s (RFC 6298, 2.1) */
    wave_time rto_min;     /* 200 ms: the RTO is at least this much above SRTT. DEVIATES from the
                              minimum RTO of 1 s in RFC 6298, 2.4, as every host does */
    wave_time rto_max;     /* 120 s */
    uint32_t syn_retries;  /* SYNs or SYN-ACKs after the first; 7, which takes more than three
                              minutes (RFC 9293, MUST-23) */
    wave_time r2; /* how long data or a FIN may be unacknowledged before we give up; 100 s (RFC
                     9293, 3.8.3) */
    wave_time delayed_ack;        /* 40 ms; at most 500 ms (RFC 9293, 3.8.6.3) */
    bool keepalive;               /* default false (RFC 9293, MUST-24) */
    bool keepalive_garbage;       /* probes carry one byte */
    bool keepalive_last_byte;     /* the last probe before the peer is given up does */
    wave_time keepalive_idle;     /* 7200 s */
    wave_time keepalive_interval; /* 75 s */
    uint32_t keepalive_count;     /* 10 */
    uint32_t challenge_limit; /* challenge ACKs per second and connection, at most 15; 3 (RFC 5961,
                                 section 7) */
    uint8_t quick_acks; /* how many of the peer's first segments are acknowledged without delay, at
                           most 15; 10, its initial window (RFC 6928) */
    /* Misbehaviour on request, false by default. Each DEVIATES from the clause that it names. */
    bool deaf_to_keepalive; /* keepalive probes get no answer (RFC 9293, 3.8.4) */
    bool reneges; /* when a gap is filled, what SACK blocks reported beyond it is discarded,
                     which RFC 2018, 8 discourages */
    bool simultaneous_open; /* a listener answers a SYN with a SYN of its own and else ignores it, as
                               if its own had been under way (RFC 9293, 3.10.7.2) */
    uint8_t isn_secret[16]; /* RFC 6528's key, from which the stack's ISNs are computed */
    /* The cause reported when TIME_WAIT ends, a static string; NULL: "2 MSL passed". */
    const char *time_wait_end;
};

/* Fills in the default settings. `mtu` is that of the path's first hop, in bytes, and `v6` selects
 * the family; both determine the MSS. */
void conn_config_default(struct conn_config *c, uint32_t mtu, bool v6);

/* How a connection is probed, where that differs from conn_config's keepalive_... fields, which say
 * what each of these means. */
struct keepalive_times {
    wave_time idle, interval;
    uint32_t count;
    bool garbage, last_byte;
};

#define ENV_KEEPALIVE_TIMES 15 /* different ones among the connections of a stack */

/*
 * The event queue is bounded, and so is the number of events that one step makes: one call of
 * conn_input(), conn_icmp(), conn_tick(), conn_output() or of a user's call makes fewer than
 * ENV_STEP events. Sending and timers wait while ENV_WAITING events are queued (env_busy()):
 * conn_output() returns nothing, conn_tick() does nothing, and conn_expiry() is not later than
 * `now` until the events are pulled. The other half of the queue is for what cannot wait, the
 * arriving segments: pull the events after each of them.
 */
#define ENV_EVENTS 128
#define ENV_STEP 16
#define ENV_WAITING (ENV_EVENTS / 2)

/*
 * resize(ctx, old, old_size, new_size) is a realloc() that is given both sizes. With new_size 0 it
 * frees and returns NULL. For any other size it may return NULL, and `old` then stays valid.
 */
typedef void *env_resize(void *ctx, void *old, size_t old_size, size_t new_size);

/* The environment of a stack's connections. */
struct env {
    struct conn_config config;
    env_resize *resize;
    void *resize_ctx;
    size_t mem_used, mem_max; /* bytes in queues, over all connections */
    bool mem_short;           /* the last request for more memory failed */
    uint32_t train;           /* the most segments that conn_output() gives as one; 0: each alone */
    uint64_t random;          /* the state of env_random() */
    struct keepalive_times times[ENV_KEEPALIVE_TIMES]; /* of conn_keepalive_times() */
    unsigned times_count;
    uint64_t discarded[CHECK_COUNT], tolerated[CHECK_COUNT];
    uint64_t events_lost; /* events dropped because the caller did not pull them */
    uint32_t event_head, event_count;
    struct event event[ENV_EVENTS];
};

/* Fills in `e` with malloc()'s allocator and no memory bound. `seed` starts the random source. */
void env_init(struct env *e, const struct conn_config *config, uint64_t seed);

/* Resizes memory for queues, counted against mem_max. Returns NULL when the allocator fails or the
 * bound is reached. */
void *env_realloc(struct env *e, void *old, size_t old_size, size_t new_size);

/* Returns a random number that is not secret (jitter, timestamp offsets, cookies in tests). */
uint32_t env_random(struct env *e);

/* Takes the oldest event out of the queue; returns false when there is none. */
bool env_event(struct env *e, struct event *out);

/* Appends an event. When ENV_EVENTS are waiting, one is dropped: the oldest that reports neither a
 * state change nor the end of a connection, or, if there is none, the oldest of all. */
void env_emit(struct env *e, const struct event *event);

/* Returns whether so many events wait that they must be pulled before anything else is done. */
static inline bool env_busy(const struct env *e)
{
    return e->event_count >= ENV_WAITING;
}

#endif
