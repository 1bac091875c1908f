/*
 * The search for the silence that a connection survives: a state machine without a network. Its
 * caller opens connections, lets each be silent as long as it is told, and says what became of each
 * (a sample). The search says which silences to try next, until the answer is known.
 *
 * The model. There is a limit: what was silent for less is alive, what was silent for longer is
 * forgotten. The longest silence that was survived and the shortest that was not are the bracket
 * around it.
 *
 * Pass one. Silences from --from to --to, each longer than the one before it by the same factor,
 * all at the same time: the pass takes as long as its longest silence. It is over as soon as the
 * first connection is found dead, since those that are silent for longer would tell nothing more.
 *
 * Pass two and later ones. The bracket is divided by the same rule, into as many steps as
 * --precision asks for or as there are connections. Both ends of the bracket are tried once more
 * beside the steps, so that a chance death in the pass before is noticed. Such a pass is over with
 * the second death. With 12 connections and the default range, two passes narrow it to 5 percent.
 *
 * Ends that are seen. Where the peer closes or resets a connection in its silence, that moment is
 * the limit itself, and nothing is left to narrow. Such a pass goes on until three connections have
 * ended so, or all of them have. But a service that restarts ends all connections at once as well,
 * and that moment has nothing to do with their silence. So such ends are confirmed by one more
 * pass, in which a few connections, opened at another time, are silent for a little longer than
 * that. If connections end after the same silence once more, it is the limit. If none does, and
 * that silence is survived, the ends of the earlier pass were a single event: they change no
 * bracket, and the search goes on. Ends that some connections of the same pass outlived are no
 * such event, since that ends all.
 *
 * Contradictions. If a longer silence was survived than one that was not, no single limit explains
 * the samples: the limit varies, or is a matter of chance. One more pass then samples the range
 * between them to its end, and the answer is a range, with the counts.
 *
 * Samples that say nothing (this host was suspended, the peer spoke, no connection could be opened)
 * change no bracket. A pass that had too many of them is repeated.
 */
#ifndef TCPWAVE_RUN_IDLE_SEARCH_H
#define TCPWAVE_RUN_IDLE_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/time.h"

#define IDLE_PARALLEL 64  /* connections at a time, at most */
#define IDLE_PASSES 8     /* at most; the answer then is as narrow as it has become */
#define IDLE_PERCENT 1000 /* in units of the precision */
#define IDLE_SAMPLES (IDLE_PARALLEL * IDLE_PASSES)

/* What became of a connection that was silent. */
enum idle_outcome {
    IDLE_ALIVE,       /* it was answered as a connection that the peer still has */
    IDLE_RESET,       /* with RST */
    IDLE_SILENT,      /* nothing answered, while the control connection was answered */
    IDLE_ICMP,        /* an ICMP error answered, and nothing else */
    IDLE_CLOSED,      /* the peer closed it, with a FIN */
    IDLE_INCONCLUSIVE /* nothing follows from it */
};

/* Returns "alive", "reset", "silent", "icmp", "closed" or "inconclusive". */
const char *idle_outcome_name(enum idle_outcome o);

struct idle_sample {
    wave_time silence; /* as it was: between the last segment and our probe, or the end seen */
    enum idle_outcome outcome;
    bool seen; /* the end came by itself, in the silence */
};

struct idle_search_config {
    wave_time from, to; /* the shortest and the longest silence */
    uint32_t precision; /* thousandths of a percent that the bracket may be wide */
    uint32_t parallel;  /* connections at a time, 1 to IDLE_PARALLEL */
    bool once;          /* all of them are silent for `to`, in one pass: a test, and no search */
};

enum idle_answer_kind {
    IDLE_UNKNOWN, /* no sample says anything */
    IDLE_LONGER,  /* all survived: the limit, if any, is above `survived` */
    IDLE_SHORTER, /* none survived: the limit is below `died` */
    IDLE_BETWEEN, /* it is above `survived`, and at most `died` */
    IDLE_AT,      /* it is `died`, where the end was seen; see `confirmed` */
    IDLE_VARIES   /* deaths from `died` on, and survivals up to `survived`, which is not shorter */
};

struct idle_answer {
    enum idle_answer_kind kind;
    wave_time survived;    /* the longest silence; 0: none */
    wave_time died;        /* the shortest; WAVE_NEVER: none */
    wave_time died_last;   /* IDLE_AT: the longest after which an end was seen */
    uint32_t survivals;    /* IDLE_VARIES: within the range; else within the precision of
                              `survived` */
    uint32_t deaths;       /* likewise, of `died` */
    enum idle_outcome how; /* of the shortest death */
    bool alike;            /* all deaths were of that kind */
    bool confirmed;        /* no end that was seen still needs another pass to confirm it */
    uint32_t samples[IDLE_INCONCLUSIVE + 1]; /* all of them, by outcome; those of a single event
                                                are inconclusive */
    uint32_t event;                          /* samples of a single event (above) */
    wave_time event_at;                      /* after which silence it came, at the soonest */
    enum idle_outcome event_is;              /* of that one */
};

struct idle_search {
    struct idle_search_config config;
    unsigned pass;    /* the present one, from 1 */
    unsigned pending; /* its silences without a sample */
    unsigned begins;  /* its first sample */
    bool to_the_end;  /* it samples a range, and no death ends it */
    bool ranged;      /* such a pass was planned */
    struct idle_sample sample[IDLE_SAMPLES];
    uint8_t of_pass[IDLE_SAMPLES]; /* the pass of each */
    unsigned samples;
};

void idle_search_init(struct idle_search *s, const struct idle_search_config *config);

/* Begins the next pass: fills in its silences, ascending, and returns how many there are. 0: the
 * answer is known as well as it will be. */
unsigned idle_search_plan(struct idle_search *s, wave_time silence[IDLE_PARALLEL]);

/* Takes the sample of one of the silences of this pass. */
void idle_search_add(struct idle_search *s, const struct idle_sample *sample);

/* Returns whether this pass is over: the connections that are still silent can be given up. */
bool idle_search_pass_over(const struct idle_search *s);

/* Says what the samples so far show. It may be called at any time. */
void idle_search_answer(const struct idle_search *s, struct idle_answer *a);

/* Returns whether the ends that were seen in that pass, from 1, were a single event. */
bool idle_search_event(const struct idle_search *s, unsigned pass);

/* Returns an interval of keepalive that keeps the connection open: half of what was survived, or of
 * the shortest death in a range, in two digits; 0: none follows from the answer. A peer that closes
 * with a FIN goes by its own timer, which no probe stops. */
wave_time idle_answer_keepalive(const struct idle_answer *a);

#endif
