/*
 * The course of a connection from its handshake to its end. It is the same for every command that
 * follows it:
 *
 *     handshake     done by the engine
 *     data          our data is given to the engine and, if asked for, acknowledged by the peer
 *     answer        if our data asks for one: until it has begun, or is complete
 *     hold          for the duration of --hold
 *     peer          with --close=passive: until the peer's FIN has come
 *     close         as --close asks for
 *     linger        our FIN is acknowledged: until the peer's FIN comes, or until --linger has
 * passed TIME_WAIT     done by the engine
 *
 * The course examines the connection, the time, and what its caller knows of the data. It closes
 * the connection when that is due, and returns what it waits for and until when. It moves no data,
 * keeps no queue and ends no run: the caller does. The caller asks it at that time, and whenever
 * something has happened to the connection. Pure.
 */
#ifndef TCPWAVE_RUN_COURSE_H
#define TCPWAVE_RUN_COURSE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/conn.h"

/* How we close. The order is that of the words of --close in the table of options. */
enum close_how {
    CLOSE_ACTIVE,  /* our FIN after our data */
    CLOSE_PASSIVE, /* the peer's FIN first */
    CLOSE_ABORT,   /* RST */
    CLOSE_VANISH,  /* we send nothing more */
    CLOSE_DEFAULT  /* --close was not given; each command replaces it with its own default */
};

/* What we wait for after our data and before our close. */
enum course_answer {
    COURSE_ANSWER_NONE,
    COURSE_ANSWER_BEGINS, /* the peer's first data or FIN, for COURSE_BEGINS at most; then the
                             hold begins */
    COURSE_ANSWER_PAUSES  /* that, and a pause after it; the hold begins with the end of our data */
};

/* A peer that has sent nothing for this long after our data is assumed not to answer. */
#define COURSE_BEGINS WAVE_S

/* Many servers (nginx, inetd's children) discard their answer when a FIN comes immediately after
 * the request. Therefore our FIN waits for an answer to begin, and then for a pause of this
 * length. */
#define COURSE_PAUSES (250 * WAVE_MS)

/* The settings that all connections of a run share. */
struct course_config {
    enum close_how close;
    enum course_answer answer;
    bool serves;          /* our data may depend on the peer's, so waiting for ours means waiting
                             for the peer's */
    bool acknowledged;    /* no step follows before our data is acknowledged */
    bool hold_after_peer; /* with CLOSE_PASSIVE: the hold begins with the peer's FIN */
    bool resets_data;     /* the peer's first data is answered with RST */
    wave_time hold;       /* 0: none */
    wave_time linger;     /* for a peer that acknowledged our FIN and sends nothing */
};

/* The step that a connection has reached. */
enum course_step {
    COURSE_HANDSHAKE, /* or not all of our data is sent */
    COURSE_ANSWER,    /* COURSE_ANSWER_BEGINS: nothing has come since our data */
    COURSE_HOLD,      /* open, until everything that has to precede the close has happened */
    COURSE_CLOSING,   /* we have closed with FIN */
    COURSE_LEFT,      /* we have ended it with RST, or without any segment, as asked */
    COURSE_CUT        /* the caller ended it early */
};

/* The position of one connection in its course; all zero at the beginning. It is one word because a
 * run may have a million connections. */
struct course {
    uint64_t word;
};

/* What the caller knows and the connection does not. */
struct course_facts {
    bool fed;              /* the engine has been given all our data */
    bool gave;             /* there was some */
    bool got;              /* the peer has sent data */
    bool disordered;       /* segments were lost: a pause may be a retransmission timeout */
    bool reader_busy;      /* data of the peer's waits for a reader of ours */
    wave_time quiet_since; /* when the peer last sent something, or we last took some of it */
};

/* What a connection waits for. */
enum course_wait {
    COURSE_WAITS_NOT,
    COURSE_WAITS_SYN_ACK,
    COURSE_WAITS_SYN_ACKED,
    COURSE_WAITS_OUR_DATA,
    COURSE_WAITS_THEIR_DATA,
    COURSE_WAITS_DATA_ACKED,
    COURSE_WAITS_ANSWER,
    COURSE_WAITS_HOLD,
    COURSE_WAITS_THEIR_FIN,
    COURSE_WAITS_FIN_ACKED,
    COURSE_WAITS_TIME_WAIT
};

enum course_act {
    COURSE_WAIT,     /* do nothing before `until` unless something happens */
    COURSE_CLOSED,   /* the connection has just been closed in one way or another: send what it
                        has to send, and call again */
    COURSE_LINGERED, /* the peer has been silent for too long: end the connection with RST */
    COURSE_OVER      /* the connection is CLOSED */
};

struct course_turn {
    enum course_act act;
    enum course_wait waits;
    wave_time until; /* WAVE_NEVER: an event of the engine ends the wait. Where a timer of the
                        engine ends it, as in TIME_WAIT, `until` is for display only, and
                        `engine` is set */
    bool engine;
};

/* Takes the connection as far as it gets at `now`, and returns what to do next. */
struct course_turn course_go(struct course *x, const struct course_config *g, struct conn *c,
                             const struct course_facts *f, wave_time now);

/* Closes the connection immediately, in the given way, at any step. CLOSE_PASSIVE sends a FIN
 * like CLOSE_ACTIVE. */
void course_close(struct course *x, enum close_how how, struct conn *c, wave_time now);

/* Returns what is waited for in words, such as "the peer's FIN"; NULL for COURSE_WAITS_NOT. */
const char *course_text(enum course_wait waits);

static inline enum course_step course_step(const struct course *x)
{
    return (enum course_step)(x->word & 7);
}

/* Returns when the current step began. */
static inline wave_time course_since(const struct course *x)
{
    return x->word >> 3;
}

/* Sets step and time, for steps that only the caller knows of. Times are below 2^61 ns. */
static inline void course_set(struct course *x, enum course_step step, wave_time since)
{
    x->word = since << 3 | step;
}

#endif
