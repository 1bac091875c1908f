/*
 * What `tcpwave load` finds beside its figures: why connections did not go as asked. What is
 * looked at for it is rare (what the engine discards, tolerates or repeats), or comes once or twice
 * in a connection (its end, the begin of the answer), so that it costs a run at full speed next to
 * nothing.
 */
#ifndef TCPWAVE_CMD_LOAD_FINDINGS_H
#define TCPWAVE_CMD_LOAD_FINDINGS_H

#include "lib/core/addr.h"
#include "lib/core/conn.h"
#include "lib/core/event.h"
#include "lib/core/icmp.h"
#include "lib/report/diagnose.h"
#include "lib/run/port.h"

struct load;
struct load_conn;

/* Holds what was seen. Empty when zeroed. */
struct load_seen {
    struct report_flow flow;     /* its signs alone */
    const struct seg *segment;   /* the one that is being handled, or NULL */
    uint64_t captured;           /* segments for us, with a good checksum */
    uint32_t queue_full;         /* connections that the peer did not accept at first */
    uint64_t icmps;              /* ICMP errors about what we sent, but those of the path MTU */
    struct icmp icmp;            /* the last one: `from`, type and code */
    uint64_t elsewhere;          /* SYN-ACKs for our ports from where we sent nothing: */
    struct addr answerer;        /* the last one's sender, */
    uint16_t answerer_port;      /* and its port */
    uint64_t unsent;             /* segments that the kernel rejected */
    struct facts_many many;      /* how many connections showed what */
    uint32_t passed;             /* connections of which large segments were acknowledged */
    uint32_t largest;            /* of the peer's segments whose data came in order, in bytes */
    wave_time look_at;           /* when the neighbours are asked for next */
    char unreachable[ADDR_TEXT]; /* the neighbour that does not answer, or "" */
    bool is_gateway;
};

/* The next functions are in load_signs.c. This one takes note of a segment of this connection that
 * the engine discarded. */
void load_seen_discarded(struct load *l, const struct conn *c, struct load_conn *x, enum check why);

/* Takes note of a segment over `flow` that belongs to no connection. */
void load_seen_stray(struct load *l, const struct flow *flow);

/* Takes note of an ICMP error that the engine has taken for one about this connection. */
void load_seen_icmp(struct load *l, const struct event *e);

/* Takes note of a connection that has ended. */
void load_seen_ended(struct load *l, const struct conn *c, struct load_conn *x);

/* Take note of an event of the engine's, before the connection goes on: a segment that was
 * tolerated; one that is repeated; smaller segments from now on;
 * data in order; the peer's FIN; a new state. Each counts once for a connection. */
void load_seen_tolerated(struct load *l, struct load_conn *x);
void load_seen_retransmission(struct load *l, const struct conn *c, struct load_conn *x,
                              const struct event *e);
void load_seen_mss(const struct load *l, const struct conn *c, struct load_conn *x);
void load_seen_data(struct load *l, const struct conn *c, struct load_conn *x);
void load_seen_fin(struct load *l, const struct conn *c, struct load_conn *x);
void load_seen_state(struct load *l, const struct conn *c, struct load_conn *x, enum state to);

/* Takes note of a connection that we give up now, or that has been silent for a while: what is held
 * beyond a gap will not come any more. */
void load_seen_gap(struct load *l, const struct conn *c);

/* Looks whether the next hops answer at all, while nothing has come, and fails the run where none
 * does. Returns when to look next. */
wave_time load_look_at_neighbours(struct load *l);

/* Adds what is found, and makes the outcome's sentence of what explains most. `rules` are those of
 * --impair. */
void load_diagnose(struct load *l, const struct impairments *rules, struct outcome *o,
                   struct findings *list);

#endif
