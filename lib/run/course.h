/*
 * The course of a connection, from its handshake to its end, the same for each command that goes
 * it:
 *
 *     handshake     the engine's
 *     data          ours is given to the connection and, where that matters, acknowledged
 *     answer        where our data calls for one: until it has begun, or is complete
 *     hold          for as long as was asked for
 *     peer          to close second: until the peer's FIN
 *     close         in the way that was asked for
 *     linger        our FIN is acknowledged: until the peer's, or so much silence
 *     TIME_WAIT     the engine's
 *
 * The course looks at the connection, at the time and at what its caller knows of the data, closes
 * the connection when the time for that has come, and says what it waits for until when. It moves
 * no data, keeps no queue and ends no run: that is its caller's. A caller asks again at that time,
 * and whenever something happened to the connection. Pure.
 */
#ifndef TCPWAVE_RUN_COURSE_H
#define TCPWAVE_RUN_COURSE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/conn.h"

/* In the order in which the words of --close stand in the table of options. */
enum close_how {
    CLOSE_ACTIVE,  /* our FIN after our data */
    CLOSE_PASSIVE, /* the peer's FIN first */
    CLOSE_ABORT,   /* RST */
    CLOSE_VANISH,  /* nothing at all */
    CLOSE_DEFAULT  /* not a word: none was given. No command sees it */
};

/* What our data calls for, before the connection is closed. */
enum course_answer {
    COURSE_ANSWER_NONE,
    COURSE_ANSWER_BEGINS, /* data or FIN of the peer's, within COURSE_BEGINS; then comes the hold */
    COURSE_ANSWER_PAUSES  /* that, and a pause after it; the hold counts from our data on */
};

/* A peer that has said nothing to our data for so long does not answer. */
#define COURSE_BEGINS WAVE_S

/* Many servers (nginx, inetd's children) drop what they were going to say when a FIN comes on the
 * heels of the request. So our FIN waits for an answer to begin, and for it to pause this long. */
#define COURSE_PAUSES (250 * WAVE_MS)

/* The same for all connections of a run. */
struct course_config {
    enum close_how close;
    enum course_answer answer;
    bool serves;       /* our data may depend on the peer's: to wait for it is to wait for that */
    bool acknowledged; /* nothing goes on before our data is acknowledged */
    bool hold_after_peer; /* with CLOSE_PASSIVE: the hold begins with the peer's FIN */
    wave_time hold;       /* 0: none */
    wave_time linger;     /* for a peer that acknowledged our FIN and says nothing */
};

/* How far a connection has come. */
enum course_step {
    COURSE_HANDSHAKE, /* or our data is still to be given */
    COURSE_ANSWER,    /* COURSE_ANSWER_BEGINS: nothing has come for our data yet */
    COURSE_HOLD,      /* open, until all is as it has to be for the close */
    COURSE_CLOSING,   /* our FIN was asked for */
    COURSE_LEFT,      /* ended by us with RST or without a word, as was asked for */
    COURSE_CUT        /* ended by its caller before its time */
};

/* Of one connection; at its beginning when zeroed. One word, since there may be a million. */
struct course {
    uint64_t word;
};

/* What the caller knows that the connection does not. */
struct course_facts {
    bool fed;         /* the connection has been given all our data */
    bool gave;        /* and there was any */
    bool got;         /* data of the peer's came */
    bool disordered;  /* segments were seen to be lost: a pause may be a retransmission timeout */
    bool reader_busy; /* data of the peer's waits until a reader of ours has caught up */
    wave_time quiet_since; /* of the last that the peer had to say, or that we took of it */
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
    COURSE_WAIT,     /* nothing is to be done before `until`, if nothing happens */
    COURSE_CLOSED,   /* the connection has just been closed, one way or the other: what it has to
                        send goes out, and the course is to be asked again */
    COURSE_LINGERED, /* the peer has been silent for too long: the caller is to end it with RST */
    COURSE_OVER      /* it is CLOSED */
};

struct course_turn {
    enum course_act act;
    enum course_wait waits;
    wave_time until; /* WAVE_NEVER: an event of the engine's will end the wait. Where the engine
                        ends it, as in TIME_WAIT, it is told for who watches, and `engine` is set */
    bool engine;
};

/* Takes the connection as far as it gets now. */
struct course_turn course_go(struct course *x, const struct course_config *g, struct conn *c,
                             const struct course_facts *f, wave_time now);

/* Closes it at once, as is asked for, whatever it would still have waited for. CLOSE_PASSIVE is a
 * FIN, too. */
void course_close(struct course *x, enum close_how how, struct conn *c, wave_time now);

/* In words: "the peer's FIN"; NULL for COURSE_WAITS_NOT. */
const char *course_text(enum course_wait waits);

static inline enum course_step course_step(const struct course *x)
{
    return (enum course_step)(x->word & 7);
}

/* When that step began. */
static inline wave_time course_since(const struct course *x)
{
    return x->word >> 3;
}

/* Sets both: for what only its caller knows of. Times are below 2^61 ns. */
static inline void course_set(struct course *x, enum course_step step, wave_time since)
{
    x->word = since << 3 | step;
}

#endif
