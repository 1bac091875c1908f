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

/* Says when a user calls CLOSE. */
enum sim_close {
    SIM_CLOSE_NEVER,     /* only the test may close */
    SIM_CLOSE_SENT,      /* when everything has been given to SEND */
    SIM_CLOSE_AFTER_PEER /* when the peer's FIN has arrived as well */
};

/* Says what a user does on its own. All zero: it reads everything immediately, and does nothing
 * else. */
struct sim_user {
    uint64_t total;        /* bytes to send */
    uint32_t write_max;    /* bytes in a call, random from 1; 0: as many as there is room for */
    uint32_t read_max;     /* the same for reading */
    wave_time write_pause; /* between two calls, random up to this */
    wave_time read_pause;
    wave_time read_from; /* the user does not read before */
    bool never_reads;
    enum sim_close close;
    wave_time close_after; /* delay of CLOSE after it has become possible */
};

/* Counts the memory of one end, and lets allocations fail. */
struct sim_memory {
    size_t bytes, blocks;           /* held now */
    uint64_t calls;                 /* calls that asked for memory */
    uint64_t fail_from, fail_count; /* these calls fail, counted from 1 */
    uint64_t failed;
};

#define SIM_PATH 512

/* Holds one end of the connection. */
struct sim_end {
    struct env env;
    struct conn conn;
    struct sim_user user;
    struct sim_memory memory;
    uint64_t key;            /* of the stream of bytes that it sends */
    uint64_t sent, received; /* bytes, by the user's calls */
    bool closed;             /* CLOSE was called */
    wave_time next_write, next_read, close_at;
    char path[SIM_PATH]; /* the states that it went through, "SYN_SENT ESTABLISHED ..." */
    enum state state;    /* the last of them */
    uint32_t events[EVENT_MSS + 1];
    struct event last[EVENT_MSS + 1]; /* the latest event of each kind */
};

/* Records the segments as they were sent, for a test to examine. */
#define SIM_LOG 4096
struct sim_log {
    size_t count; /* segments beyond SIM_LOG are only counted */
    struct sim_seen {
        wave_time at;
        enum link_end from;
        struct seg seg; /* no data, no raw options */
    } seen[SIM_LOG];
    char text[SIM_LOG]; /* of sim_log_text() */
};

/* Holds a run. */
struct sim {
    struct link *link;
    struct prng prng;
    uint64_t seed;
    struct sim_end end[2]; /* by enum link_end */
    bool quick;            /* users act before the engine answers, not after */
    bool traced;
    wave_time heard[2]; /* when a segment last reached that end */
    struct sim_log log;
    link_watch *watch; /* a test's own, or NULL; the rig uses link_set_watch() itself */
    void *watch_ctx;
};

/* Returns present-day defaults for a path of `mtu` bytes over IPv4. */
struct conn_config sim_config(uint32_t mtu);

/* Creates two closed connections over a link without impairment. `a` and `b` may be the same. */
struct sim *sim_new(uint64_t seed, const struct conn_config *a, const struct conn_config *b);

/* Frees everything. The case fails if an end still holds memory afterwards. */
void sim_delete(struct sim *s);

/* Sets the same impairment in both directions. */
void sim_impair(struct sim *s, const struct path_impairment *m);

/* Opens passively. This has no time and causes no event: `path` begins with what follows. */
void sim_listen(struct sim *s, enum link_end end, struct seq iss);

/* Opens A actively and B passively, with these ISNs. Nothing is sent yet. */
void sim_open(struct sim *s, struct seq iss_a, struct seq iss_b);

/* Calls sim_open(), and runs until both are ESTABLISHED. The case fails if they do not get there.
 */
void sim_establish(struct sim *s);

/* Frees and closes a connection, and drops what was recorded and sent of it: a host that crashed
 * and came back. */
void sim_restart(struct sim *s, enum link_end end);

/* Runs until `until`, or until both are CLOSED and have read everything. Returns true for the
 * latter. */
bool sim_run(struct sim *s, wave_time until);

/* Calls sim_run() for that much longer. */
bool sim_run_for(struct sim *s, wave_time time);

/* Runs until the end is in that state. The case fails if it is not within `within`. */
void sim_until_state(struct sim *s, enum link_end end, enum state state, wave_time within);

/* Checks that both users got every byte that the other has sent, that both connections are CLOSED,
 * and that no memory is held. */
void sim_assert_complete(struct sim *s);

/* Checks that neither end holds memory, by its own account and by the allocator's. */
void sim_assert_no_memory(struct sim *s);

static inline struct conn *sim_conn(struct sim *s, enum link_end end)
{
    return &s->end[end].conn;
}

/* Returns the log in words: "A:S B:S. A:. A:.(100) B:. ...". PSH is left out, since it says nothing
 * about the exchange. */
const char *sim_log_text(struct sim *s);
void sim_log_clear(struct sim *s);

/* Ends the case with a message that names the seed. */
void sim_fail(const struct sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
