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
#include "tests/unit/network.h"

#define RIG_DELAY NETWORK_DELAY /* of the path, each way */
#define RIG_GRAIN 16384 /* nanoseconds that a timer of the engine may be late by (stack.h) */
#define RIG_ACTS 64
#define RIG_LPORT NETWORK_LPORT

/* The far end; and the near end's address. */
#define RIG_PEER "192.0.2.80:80"
#define RIG_LOCAL "192.0.2.1"
#define RIG_PEER6 "[2001:db8::80]:80"

/* A segment as it was sent, by either side, lost or not. */
struct rig_segment {
    wave_time at;
    bool out; /* ours */
    bool lost;
    struct flow flow; /* as its sender sees it */
    struct seg seg;   /* without its data */
    uint8_t first;    /* byte of the data */
};

struct command_rig {
    /* To be changed before rig_run(). */
    struct port_sim_config network;
    bool (*lose)(struct command_rig *r, const struct rig_segment *s); /* or NULL */
    void *user;

    /* What came of it. */
    int status;
    char *text; /* all that was printed */
    size_t text_len;
    json_t **event; /* of --json, a line each */
    size_t events;
    struct rig_segment *segment;
    size_t segments;

    /* The rig's own. */
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

/* A network whose far end has that manner, on 192.0.2.80, port 80. */
void rig_init(struct command_rig *r, enum host_behaviour behaviour);

/* The same; over IPv6 it is between 2001:db8::1 and 2001:db8::80. */
void rig_init_family(struct command_rig *r, enum host_behaviour behaviour, bool v6);

/* `act` is called at that time, while the command runs; in order of time. */
void rig_at(struct command_rig *r, wave_time at, void (*act)(struct command_rig *r));

/* Runs `tcpwave WORDS`; a target sim:PORT has the network of --sim, and not that of the rig. Where
 * nothing disturbs the run, a finding that is more than information fails the case. Returns its
 * exit status. A blank within a word is written as `~`. */
int rig_run(struct command_rig *r, const char *words);

/* Frees what rig_run() left: the rig may be initialised again. */
void rig_free(struct command_rig *r);

/* The same run twice, over a path with that seed which loses `loss` each way (path.h), prints the
 * same bytes. Returns how many. */
size_t rig_expect_repeatable(enum host_behaviour behaviour, uint32_t loss, uint64_t seed,
                             const char *words);

/* The words are a usage error with `part` in its message: nothing is run. */
void rig_expect_usage(const char *words, const char *part);

/*
 * For an act
 */

/* The time. */
wave_time rig_now(struct command_rig *r);

/* A signal comes to the command. */
void rig_signal(struct command_rig *r, int signal);

/* The last segment that our side (or the other) sent. */
const struct rig_segment *rig_last(const struct command_rig *r, bool out);

/* A segment that the far end did not send arrives from its address, on our last segment's flow. */
void rig_forge(struct command_rig *r, const struct seg *s, uint8_t ttl);

/* Do the same as acts, with SIGINT and SIGTERM. */
void rig_interrupt(struct command_rig *r);
void rig_terminate(struct command_rig *r);

/* The far end opens a connection from that port of its own to our `lport`. */
void rig_dial(struct command_rig *r, uint16_t from, uint16_t lport);

/* The connection of the far end's number `n`, from 0, of those that are there. */
struct conn *rig_far(struct command_rig *r, unsigned n, uint32_t *id);

/* The far end sends text over it, closes its side, resets it, or forgets it without a word. */
void rig_far_send(struct command_rig *r, unsigned n, const char *text);
void rig_far_close(struct command_rig *r, unsigned n);
void rig_far_reset(struct command_rig *r, unsigned n);
void rig_far_forget(struct command_rig *r, unsigned n);

/* An ICMP error of that type and code comes for the segment of ours that was sent last. */
void rig_icmp(struct command_rig *r, uint8_t type, uint8_t code);

/*
 * What is expected
 */

/* The value at `path`, such as "peer.state", of the last event of that name; NULL: none. */
const json_t *rig_get(const struct command_rig *r, const char *event, const char *path);

/* Events of that name whose text at `path` is `text`; NULL for `path`: all of them. */
unsigned rig_count(const struct command_rig *r, const char *event, const char *path,
                   const char *text);

void rig_expect_int(const struct command_rig *r, const char *event, const char *path,
                    int64_t wanted);
void rig_expect_bool(const struct command_rig *r, const char *event, const char *path, bool wanted);
void rig_expect_null(const struct command_rig *r, const char *event, const char *path);
void rig_expect_text(const struct command_rig *r, const char *event, const char *path,
                     const char *wanted);
/* The text has `part` in it. */
void rig_expect_part(const struct command_rig *r, const char *event, const char *path,
                     const char *part);
/* A time in seconds, to the nanosecond. */
void rig_expect_time(const struct command_rig *r, const char *event, const char *path,
                     wave_time wanted);

/* What was printed has `part` in it, as often as it is said. */
void rig_expect_printed(const struct command_rig *r, const char *part, unsigned times);

/* The states of one side, in order, as in "CLOSED SYN_SENT ESTABLISHED"; NULL for `connection` 0:
 * whichever. */
void rig_expect_states(const struct command_rig *r, const char *side, const char *wanted);

/* The verdict: word, exit status here and there, and when it was told, to the nanosecond. */
void rig_expect_verdict(const struct command_rig *r, const char *verdict, int status, wave_time at);

/* The same where that time came by `timers` of the engine's, one after the other. */
void rig_expect_verdict_after(const struct command_rig *r, unsigned timers, const char *verdict,
                              int status, wave_time at);

/* A time that came by so many timers. */
#define rig_expect_after(timers, is, wanted)                                                       \
    assert_in_range(is, wanted, (wanted) + (wave_time)(timers)*RIG_GRAIN)

/* The segment number `n`, from 1, with all of `flags` set that our side (or the other) sent. */
const struct rig_segment *rig_segment(const struct command_rig *r, bool out, unsigned flags,
                                      unsigned n);

/* How many of them there are. */
unsigned rig_segments(const struct command_rig *r, bool out, unsigned flags);

/* The last case of each file: every line of --json so far is what the schema allows. */
void rig_schema(void **state);

#endif
