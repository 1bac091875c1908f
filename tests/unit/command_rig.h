/*
 * Runs a whole command over a simulated network in virtual time, from the words of a command line
 * to its exit status. What it printed is parsed, and each segment that crossed the path is kept
 * with its time to the nanosecond. All times here count from the beginning of the run.
 */
#ifndef TCPWAVE_TESTS_COMMAND_RIG_H
#define TCPWAVE_TESTS_COMMAND_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "cmd/platform.h"
#include "lib/run/port_sim.h"

#define RIG_DELAY (10 * WAVE_MS) /* of the path, in each direction */
#define RIG_GRAIN 16384 /* nanoseconds by which a timer of the engine may be late (stack.h) */
#define RIG_ACTS 64
#define RIG_LPORT 40000

/* These are the far end, and the near end's address. */
#define RIG_PEER "192.0.2.80:80"
#define RIG_LOCAL "192.0.2.1"
#define RIG_PEER6 "[2001:db8::80]:80"

/* Holds a segment as either side sent it, whether it was lost or not. */
struct rig_segment {
    wave_time at;
    bool out; /* ours */
    bool lost;
    struct flow flow; /* as its sender sees it */
    struct seg seg;   /* without its data */
    uint8_t first;    /* the first byte of its data */
};

/* Holds a run, before and after it. */
struct command_rig {
    /* These may be changed before rig_run(). */
    struct port_sim_config network;
    bool (*lose)(struct command_rig *r, const struct rig_segment *s); /* or NULL */
    void *user;

    /* These are the result. */
    int status;
    char *text; /* everything that was printed */
    size_t text_len;
    json_t **event; /* of --json, one for each line */
    size_t events;
    struct rig_segment *segment;
    size_t segments;

    /* These are for the rig alone. */
    struct platform platform;
    struct port *port;
    struct {
        wave_time at;
        void (*act)(struct command_rig *r);
    } act[RIG_ACTS];
    unsigned acts, acted;
    size_t room;
    uint64_t random;
    int signals[2];
    bool disturbed;         /* by an act: an error, a reset, a forged segment */
    uint32_t dialled[1024]; /* ids of rig_dial(), in order */
    unsigned dials;
};

/* Sets up a network whose far end has that behaviour, at 192.0.2.80, port 80. */
void rig_init(struct command_rig *r, enum host_behaviour behaviour);

/* Does the same for either family. Over IPv6 the ends are 2001:db8::1 and 2001:db8::80. */
void rig_init_family(struct command_rig *r, enum host_behaviour behaviour, bool v6);

/* Has `act` called at that time, while the command runs. Acts must be added in order of time. */
void rig_at(struct command_rig *r, wave_time at, void (*act)(struct command_rig *r));

/* Runs `tcpwave WORDS`. Where nothing disturbs the run, a finding that is more than information
 * fails the case. Returns its exit status. A word has no blank in it. */
int rig_run(struct command_rig *r, const char *words);

/* Frees what rig_run() left. Afterwards the rig may be initialised once more. */
void rig_free(struct command_rig *r);

/* Checks that the same run prints the same bytes twice, over a path with that seed which loses
 * `loss` in each direction (path.h). Returns how many bytes. */
size_t rig_expect_repeatable(enum host_behaviour behaviour, uint32_t loss, uint64_t seed,
                             const char *words);

/*
 * For an act
 */

/* Returns the time. */
wave_time rig_now(struct command_rig *r);

/* Sends a signal to the command. */
void rig_signal(struct command_rig *r, int signal);

/* A segment that the far end did not send arrives from its address, on our last segment's flow. */
void rig_forge(struct command_rig *r, const struct seg *s, uint8_t ttl);

/* Do the same as acts, with SIGINT and SIGTERM. */
void rig_interrupt(struct command_rig *r);
void rig_terminate(struct command_rig *r);

/* Has the far end open a connection from its port `from` to our `lport`. */
void rig_dial(struct command_rig *r, uint16_t from, uint16_t lport);

/* Returns connection `n` of the far end, counted from 0 among those that exist. */
struct conn *rig_far(struct command_rig *r, unsigned n, uint32_t *id);

/* Have the far end send text over that connection, close its side, reset it, or drop it silently.
 */
void rig_far_send(struct command_rig *r, unsigned n, const char *text);
void rig_far_close(struct command_rig *r, unsigned n);
void rig_far_reset(struct command_rig *r, unsigned n);
void rig_far_forget(struct command_rig *r, unsigned n);

/* Sends us an ICMP error of that type and code about the segment that we sent last. */
void rig_icmp(struct command_rig *r, uint8_t type, uint8_t code);

/*
 * What is expected
 */

/* Returns the value at `path`, such as "peer.state", of the last event of that name, or NULL. */
const json_t *rig_get(const struct command_rig *r, const char *event, const char *path);

/* Counts the events of that name whose text at `path` is `text`, or all of them if `path` is NULL.
 */
unsigned rig_count(const struct command_rig *r, const char *event, const char *path,
                   const char *text);

/* Check the value at `path` of the last event of that name. */
void rig_expect_int(const struct command_rig *r, const char *event, const char *path,
                    int64_t wanted);
void rig_expect_bool(const struct command_rig *r, const char *event, const char *path, bool wanted);
void rig_expect_text(const struct command_rig *r, const char *event, const char *path,
                     const char *wanted);
/* Checks that the text contains `part`. */
void rig_expect_part(const struct command_rig *r, const char *event, const char *path,
                     const char *part);
/* Checks a time in seconds, to the nanosecond. */
void rig_expect_time(const struct command_rig *r, const char *event, const char *path,
                     wave_time wanted);

/* Checks that what was printed contains `part` this many times. */
void rig_expect_printed(const struct command_rig *r, const char *part, unsigned times);

/* Checks the states of one side, in order, as in "CLOSED SYN_SENT ESTABLISHED". */
void rig_expect_states(const struct command_rig *r, const char *side, const char *wanted);

/* Checks the verdict: its word, the exit status of the process and in the verdict, and when it was
 * reported, to the nanosecond. */
void rig_expect_verdict(const struct command_rig *r, const char *verdict, int status, wave_time at);

/* Does the same when that time follows from `timers` timers of the engine, one after the other,
 * each of which may be late by RIG_GRAIN. */
void rig_expect_verdict_after(const struct command_rig *r, unsigned timers, const char *verdict,
                              int status, wave_time at);

/* Checks a time that follows from so many timers. */
#define rig_expect_after(timers, is, wanted)                                                       \
    assert_in_range(is, wanted, (wanted) + (wave_time)(timers)*RIG_GRAIN)

/* Returns segment `n`, counted from 1, of those with all of `flags` set that we sent (or, without
 * `out`, the far end). */
const struct rig_segment *rig_segment(const struct command_rig *r, bool out, unsigned flags,
                                      unsigned n);

/* Returns how many of these segments there are. */
unsigned rig_segments(const struct command_rig *r, bool out, unsigned flags);

/* Is the last case of each file. It checks every line of --json so far against the schema. */
void rig_schema(void **state);

#endif
