/*
 * Two engines over a simulated link. Each has a user that sends, reads and closes as the test tells
 * it to, and memory that is counted. What must hold at every step of every run is checked here: the
 * engine's invariants, the transitions between its states, and each byte that a user reads.
 *
 * A check that fails ends the cmocka case and prints the run's seed. TRACE=1 in the environment
 * prints every segment.
 */
#ifndef TCPWAVE_TESTS_UNIT_SIM_H
#define TCPWAVE_TESTS_UNIT_SIM_H

#include "lib/core/conn.h"
#include "lib/sim/link.h"
#include "lib/sim/prng.h"

/* When a user calls CLOSE. */
enum sim_close {
    SIM_CLOSE_NEVER,     /* the test itself does, if anybody */
    SIM_CLOSE_SENT,      /* when everything was given to SEND */
    SIM_CLOSE_AFTER_PEER /* and the peer's FIN has arrived, too */
};

/* What a user does of its own accord. All zero: it reads all there is, at once, and no more. */
struct sim_user {
    uint64_t total;        /* bytes to send */
    uint32_t write_max;    /* bytes a call, random from 1; 0: as many as there is room for */
    uint32_t read_max;     /* the same of reading */
    wave_time write_pause; /* between two calls, random, at most this */
    wave_time read_pause;
    wave_time read_from; /* does not read before */
    bool never_reads;
    enum sim_close close;
    wave_time close_after; /* from when it could */
};

/* The allocator of one end. */
struct sim_memory {
    size_t bytes, blocks;           /* held now */
    uint64_t calls;                 /* that asked for memory */
    uint64_t fail_from, fail_count; /* those calls, counted from 1, get none */
    uint64_t failed;
};

#define SIM_PATH 512

struct sim_end {
    struct env env;
    struct conn conn;
    struct sim_user user;
    struct sim_memory memory;
    uint64_t key;            /* of the stream of bytes it sends */
    uint64_t sent, received; /* by the user's calls */
    bool closed;             /* CLOSE was called */
    wave_time next_write, next_read, close_at;
    char path[SIM_PATH]; /* the states it went through, "SYN_SENT ESTABLISHED ..." */
    enum state state;    /* the last of them */
    uint32_t events[EVENT_MSS + 1];
    struct event last[EVENT_MSS + 1]; /* the latest event of each kind */
};

/* Segments as they left, for a test to look at. */
#define SIM_LOG 4096
struct sim_log {
    size_t count; /* those beyond SIM_LOG are counted only */
    struct sim_seen {
        wave_time at;
        enum link_end from;
        struct seg seg; /* no data, no raw options */
    } seen[SIM_LOG];
    char text[SIM_LOG]; /* of sim_log_text() */
};

struct sim {
    struct link *link;
    struct prng prng;
    uint64_t seed;
    struct sim_end end[2]; /* by enum link_end */
    bool quick;            /* users act before the engine answers, not after */
    bool traced;
    wave_time heard[2]; /* when a segment last reached that end */
    struct sim_log log;
    link_watch *watch; /* a test's own beside it, or NULL; link_set_watch() is taken */
    void *watch_ctx;
};

/* Present-day defaults for a path of `mtu` bytes over IPv4. */
struct conn_config sim_config(uint32_t mtu);

/* Two closed connections over a link without impairment. `a` and `b` may be the same. */
struct sim *sim_new(uint64_t seed, const struct conn_config *a, const struct conn_config *b);

/* Frees it all; fails when an end then still holds memory. */
void sim_delete(struct sim *s);

/* The same impairment in both directions. */
void sim_impair(struct sim *s, const struct path_impairment *m);

/* A passive open. It has no time and makes no event: the path begins with what follows. */
void sim_listen(struct sim *s, enum link_end end, struct seq iss);

/* A opens actively, B passively, with these ISNs. Nothing is sent yet. */
void sim_open(struct sim *s, struct seq iss_a, struct seq iss_b);

/* sim_open(), and runs until both are ESTABLISHED; fails if they do not get there. */
void sim_establish(struct sim *s);

/* Forgets what was recorded and sent of a connection, which is freed and closed: a host that
 * crashed and came back. */
void sim_restart(struct sim *s, enum link_end end);

/* Runs until `until`, or until both are CLOSED and have read everything; true for the latter. */
bool sim_run(struct sim *s, wave_time until);

/* sim_run() for that much longer. */
bool sim_run_for(struct sim *s, wave_time time);

/* Runs until the end is in that state; fails when it is not within `within`. */
void sim_until_state(struct sim *s, enum link_end end, enum state state, wave_time within);

/* Both users got every byte the other's sent, both connections are CLOSED, and nothing is held. */
void sim_assert_complete(struct sim *s);

/* Nothing is allocated by either end, by its own account and by the allocator's. */
void sim_assert_no_memory(struct sim *s);

static inline struct conn *sim_conn(struct sim *s, enum link_end end)
{
    return &s->end[end].conn;
}

/* The log in words: "A:S B:S. A:. A:.(100) B:. ..."; PSH is left out, since it says nothing about
 * the exchange. */
const char *sim_log_text(struct sim *s);
void sim_log_clear(struct sim *s);

/* Ends the case with a message that names the seed. */
void sim_fail(const struct sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
