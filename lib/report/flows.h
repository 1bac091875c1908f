/*
 * The flows of a capture, each between two strangers: who they are, in which state the tracker has
 * each of them, and what was measured (measure.h). Pure.
 *
 * Memory is bounded. A flow has a fixed size, sizeof(struct watched); a long one has in addition a
 * histogram of round trips for each direction. There is room for FLOWS_MAX flows at a time and for
 * FLOWS_HISTOGRAMS histograms. A flow that is over is handed out and forgotten once
 * FLOWS_CLOSED_FOR have passed; one whose SYN nothing has answered, after FLOWS_OPENING_FOR. Where
 * there is no room for a new one, the one that has been over for longest goes first, then the one
 * whose SYN has waited longest, and then the one that was silent for longest. If more of it comes
 * later, that is another flow of which the beginning was not seen.
 *
 * Side A is the client: the sender of the SYN, or the receiver of the SYN-ACK. Where neither was
 * seen it is a guess: the side with a port above 1023, if only one has; or else the one whose
 * segment came first.
 */
#ifndef TCPWAVE_REPORT_FLOWS_H
#define TCPWAVE_REPORT_FLOWS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/env.h"
#include "lib/core/icmp.h"
#include "lib/core/ip.h"
#include "lib/core/siphash.h"
#include "lib/core/track.h"
#include "lib/report/measure.h"
#include "lib/report/zeek.h"

#define FLOWS_MAX 65536u        /* a power of two */
#define FLOWS_HISTOGRAMS 16384u /* of long flows; a flow without shows its first round trips */
#define FLOWS_CLOSED_FOR WAVE_MIN
#define FLOWS_OPENING_FOR (135 * WAVE_S) /* longer than a host waits between two SYNs */

/* In which list a flow is; the first is the first to make room. */
enum flows_list { FLOWS_CLOSED, FLOWS_OPENING, FLOWS_OPEN, FLOWS_LISTS };

/* A FIN or RST that counted. */
struct watched_end {
    uint32_t segment; /* its number; 0: there was none */
    wave_time at;
};

struct watched {
    _Alignas(64) struct flow flow; /* as the client has it: local is the client */
    uint32_t number;               /* from 1, in the order of first segments */
    uint32_t hash;
    uint32_t next, prev; /* in its list, or in that of free ones: 1 + index */
    uint32_t id;         /* 1 + its own index */
    uint8_t list;
    bool sides_known; /* which side is the client was seen, and not guessed */
    bool isn_reused[TRACK_SIDES]; /* the last connection between the same ports used its numbers */
    bool again;       /* there was a connection before it, between the same ports */
    bool cut;         /* it was forgotten for want of room */
    uint8_t tunnel;   /* as the caller gave it; of the first segment */
    uint32_t elsewhere; /* packets that were captured at a second place as well */
    uint32_t place;     /* of the first segment */
    uint32_t fragments; /* segments that came in IP fragments */
    uint32_t incomplete[TRACK_SIDES]; /* packets of a side's of which a fragment never came, */
    struct seq incomplete_last[TRACK_SIDES]; /* and where the last of them begins */
    uint32_t icmps;     /* ICMP errors about it, of which this is the last: */
    struct icmp icmp;
    struct watched_end fin[TRACK_SIDES], rst[TRACK_SIDES];
    _Alignas(64) struct track track;
    struct zeek zeek;
    uint32_t last_used;   /* numbers that the server used in the last connection, 0: not known, */
    struct seq last_next; /* which end here */
    _Alignas(64) struct measure measure;
};

_Static_assert(sizeof(struct watched) <= 1536, "a flow has a fixed size, which the manual states");

struct flows;

/* Is given each flow that is over, before it is forgotten. */
typedef void flows_sink(void *self, const struct watched *w, const struct measure_room *room);

/* Returns an empty table, whose memory is from `resize`; NULL when there is none. Without the key no
 * collision can be chosen. */
struct flows *flows_create(struct siphash_key key, env_resize *resize, flows_sink *over,
                           void *self);
void flows_free(struct flows *f);

/* What is known of a segment beyond its bytes. */
struct flows_segment {
    wave_time at;
    const struct packet *packet;
    uint64_t hash;      /* flows_hash() */
    uint32_t place;     /* see lib/report/doubles.h */
    uint32_t fragments; /* it came in so many */
    uint8_t tunnel;
};

/* What became of it. */
struct flows_taken {
    struct watched *flow; /* NULL: it was another capture of a packet that was seen already */
    enum track_side from;
    unsigned notes; /* TRACK_... */
};

/* Returns the hash of a flow; it is the same for both directions. */
uint64_t flows_hash(const struct flows *f, const struct flow *flow);

/* Asks the processor to have the flow at hand soon. In two steps, for a row of segments each. */
void flows_prefetch(const struct flows *f, uint64_t hash);
void flows_prefetch_more(const struct flows *f, uint64_t hash);

/* Takes a segment. */
struct flows_taken flows_segment(struct flows *f, const struct flows_segment *s);

/* Takes an ICMP error; returns the flow that it is about, or NULL. */
struct watched *flows_icmp(struct flows *f, const struct icmp *e);

/* Takes note of a packet that could not be put together: its flow, as its sender sees it, and where
 * its data begins. */
void flows_incomplete(struct flows *f, const struct flow *flow, struct seq seq);

/* Hands out all flows that are left, in the order of their numbers. */
void flows_end(struct flows *f);

/* Makes the table as if it were new, after flows_end(). */
void flows_reset(struct flows *f);

/* Returns the room that flows in the table use, for measure_rtt(). */
const struct measure_room *flows_room(const struct flows *f);

struct flows_counts {
    uint64_t segments;         /* each once */
    uint64_t elsewhere;        /* captured at a second place as well */
    uint64_t icmps, strays;    /* ICMP errors about a flow; about none that was seen */
    uint32_t flows, now, most; /* so far; at this time; at the same time */
    uint32_t forgotten;        /* for want of room */
};
struct flows_counts flows_counts(const struct flows *f);

#endif
