/*
 * The stream of events that everything a person or a program sees comes from. The session tells
 * the report what was captured and what the engine did; the report numbers segments, counts times
 * from the run's first event, follows the flow with the tracker, and hands each event to its sinks
 * (ladder, JSON Lines, ...). A sink never looks into the engine.
 */
#ifndef TCPWAVE_REPORT_REPORT_H
#define TCPWAVE_REPORT_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/icmp.h"
#include "lib/core/ip.h"
#include "lib/core/state.h"
#include "lib/core/time.h"
#include "lib/core/track.h"
#include "lib/core/verdict.h"
#include "lib/report/expect.h"
#include "lib/report/figures.h"
#include "lib/report/findings.h"
#include "lib/report/recent_segments.h"
#include "lib/report/signs.h"

#define REPORT_STATES 8 /* of our own changes of state that wait for the segment they caused */

/* A SYN or SYN-ACK that was seen to go out. */
struct report_syn {
    wave_time stamp;
    bool has_timestamp;
    uint32_t tsval;
};

/* A change of our own state. */
struct report_change {
    enum state from, to;
    const char *cause; /* a few words, static */
};

/*
 * What is known of one connection from its segments. Read by the summary and the outcome; written
 * only here, but for the fields that the session fills in.
 */
struct report_flow {
    uint32_t connection; /* from 1 where a run has several, else 0 */
    struct flow flow;    /* as this host sees it */
    struct track track;
    struct track_view peer; /* as last told */
    enum state local;       /* as last told */

    bool has_iss, has_irs; /* a SYN of ours, of the peer's, was seen */
    struct seq iss, irs;
    bool has_base[2]; /* without a SYN, the first number seen is where counting starts */
    struct seq base[2];
    bool offered;                    /* `theirs` is what the peer's SYN offered */
    struct opt ours, theirs;         /* `raw` is NULL in both */
    uint16_t our_flags, their_flags; /* of the SYNs */
    uint32_t syn_sent;               /* SYNs or SYN-ACKs of ours that were captured */
    struct report_syn syn;           /* the last one */
    bool answered;                   /* one of them was */
    wave_time rtt;         /* of the handshake, between two capture stamps; WAVE_NEVER: not known */
    wave_time first, last; /* stamps of the first and the last segment */
    uint32_t segments[2];  /* [0] ours, [1] the peer's */
    uint32_t fin_seen[2];  /* number of the first segment with FIN of each side, or 0 */
    uint32_t fin[2];       /* the same, once it is taken for a FIN of this connection */
    uint32_t window[2];    /* as each side said last */
    bool fin_acked[2];     /* the other side acknowledged it */
    bool probed[2];        /* a probe of that side, behind which it sent nothing, has no answer */
    struct report_latest_ack { /* of our segments the first that acknowledged most */
        bool is, has_timestamp;
        struct seq ack;
        uint32_t tsval;
    } latest_ack;
    uint32_t tsval; /* of our last segment */

    struct report_change waiting[REPORT_STATES];
    unsigned waiting_count;
    struct signs signs;
    const char *found[FINDINGS_MAX]; /* codes of the findings that were told */
    unsigned founds;

    uint64_t sent_bytes, received_bytes; /* the session's: data, each byte once */
    uint32_t retransmissions; /* segments we sent again; the session's where nothing is shown */
    uint32_t unstamped; /* the session's: segments of the peer's without the timestamps that both
                           had agreed on */
};

enum report_kind {
    REPORT_SEGMENT,
    REPORT_STATE,
    REPORT_ICMP,
    REPORT_PROBE,
    REPORT_NOTE,
    REPORT_WAIT,
    REPORT_UNANSWERED,
    REPORT_PROGRESS,
    REPORT_FINDING,
    REPORT_EXPECT,
    REPORT_VERDICT
};

/* What an answer answers, outside any connection (`send`). */
struct report_answer {
    bool stray;        /* none of our segments; but for bad_checksum, no more is valid */
    uint64_t to;       /* the segment, from 1 */
    wave_time rtt;     /* WAVE_NEVER: not known */
    bool duplicate;    /* the segment had an answer already */
    bool late;         /* it took longer than --wait */
    bool out_of_order; /* one that was sent later was answered before */
    bool unexpected;   /* a bare ACK or a RST with numbers that do not follow from ours */
    bool bad_checksum;
};

struct report_segment {
    bool out;                  /* we sent it */
    bool foreign;              /* and yet it was not us: this host's kernel, or another program */
    bool missed;               /* the capture lost it: ours is known from the sent log, the peer's
                                  from what came behind it, and may have been several segments */
    bool repair;               /* the peer repeats it for the sake of what our capture lost */
    uint32_t number;           /* from 1, within the connection */
    uint32_t rel_seq, rel_ack; /* from each side's ISN */
    uint32_t window;           /* bytes, scaled where both SYNs were seen to offer scaling */
    bool window_changed;       /* since the last segment of the same side */
    bool retransmission;
    uint32_t repeats; /* number of the segment that it repeats; 0: none, or that was not seen */
    bool half_closed; /* it acknowledges the first FIN, and its own side stays open */
    unsigned notes;   /* TRACK_... */
    enum state local; /* ours: when it was sent, or after it was taken in; never an earlier one
                         than in the row before */
    bool local_changed, peer_changed;
    struct track_view peer;      /* after it */
    const struct packet *packet; /* valid during the call */
    const uint8_t *ip;           /* the packet's bytes, likewise */
    uint32_t ip_len;
    const struct report_answer *answer; /* outside any connection, of what came; else NULL */
};

struct report_state {
    bool peer;
    enum state from, to;
    enum certainty certainty; /* of the peer's */
    uint32_t evidence;        /* number of a segment, or 0 */
    const char *cause;
};

struct report_icmp {
    struct icmp error;
    bool fatal;                         /* it ended the handshake */
    const struct report_answer *answer; /* outside any connection; else NULL */
};

/* Nothing answered it in time. */
struct report_unanswered {
    uint64_t number; /* of the segment, from 1 */
    wave_time waited;
};

struct report_probe {
    uint32_t n;
    bool answered;
    bool reset;    /* RST answered it, whose segment was told before: the peer does not live */
    wave_time rtt; /* WAVE_NEVER: not known */
};

struct report_note {
    bool trouble;
    const char *text;
};

/* A finding: as it became known, or told with the verdict. */
struct report_found {
    const struct finding *finding;
    bool at_end;
};

struct report_wait {
    const char *what; /* "the peer's FIN", ...; NULL: no longer waiting */
    wave_time left;   /* WAVE_NEVER: no end is set */
};

/* What was not written, since what was to read it did not take it in time. */
struct report_left_out {
    uint64_t lines;   /* of the report */
    uint64_t packets; /* of --pcap */
    uint64_t bytes;   /* received, for --output */
};

/* An address of the peer's name, beside the one that is tried. */
struct report_address {
    bool v6;
    struct addr addr;
};

#define REPORT_VERDICTS (VERDICT_LOST + 1) /* counts, where several are counted */

struct report_verdict {
    const char *command;
    enum verdict verdict;
    int exit; /* the process's; differs from the verdict only after a signal */
    struct report_flow *flow;       /* NULL: no connection was there to speak of */
    const char *by;                 /* who closed: "local", "peer", "both", "none" */
    const char *kind;               /* how, or NULL when nothing was closed */
    const char *guard;              /* or NULL: nothing was opened */
    bool several;                   /* the run was one of several connections */
    bool per_connection;            /* of one of them: the run's own verdict comes later */
    /* What the command found out beside the flow; each may be NULL. */
    const struct figures *figures;
    const struct findings *findings;
    const struct expects *expects;
    const struct report_address *addresses; /* the others of the name; NULL: not known */
    uint32_t address_count;
    uint64_t captured, dropped; /* frames of the capture */
    uint64_t sent, no_room;     /* segments the kernel took, and how often it had no room for one */
    struct report_left_out left_out;
    const char *message;
};

struct report_event {
    enum report_kind kind;
    wave_time at;                   /* since the run's first event */
    uint32_t connection;            /* 0: the run has one only, or the event belongs to none */
    const struct report_flow *flow; /* or NULL */
    union {
        struct report_segment segment;
        struct report_state state;
        struct report_icmp icmp;
        struct report_probe probe;
        struct report_note note;
        struct report_wait wait;
        struct report_unanswered unanswered;
        const struct figures *progress;
        struct report_found found;
        const struct expect *expect;
        struct report_verdict verdict;
    } u;
};

typedef void report_sink(void *self, const struct report_event *event);

#define REPORT_SINKS 6

struct report {
    struct {
        report_sink *event;
        void *self;
    } sink[REPORT_SINKS];
    unsigned sinks;
    bool started;
    wave_time origin; /* stamp of the first event */
    unsigned waiting; /* changes of our state, over all flows, whose segment is still to be seen */
    bool ending;      /* a verdict is being told */
    struct recent_segments recent;
};

void report_init(struct report *r);

/* Times count from this stamp on, and not from that of the first event: what was told before has
 * the time 0. */
void report_begin(struct report *r, wave_time stamp);

/* The time that an event of this stamp is told with. */
wave_time report_time(const struct report *r, wave_time stamp);

/* Adds a sink; there is room for REPORT_SINKS. */
void report_add(struct report *r, report_sink *event, void *self);

void report_flow_init(struct report_flow *f, const struct flow *flow, uint32_t connection);

/* What the session knows of a captured segment beyond its bytes. */
struct report_seen {
    wave_time stamp;
    bool out;
    bool foreign;
    bool retransmission; /* of ours, by the sent log: its bytes, SYN or FIN were sent before */
    bool probe;  /* likewise: it lies below all that is unacknowledged, and asks */
    bool missed; /* the capture lost it; `packet` is made up, ip is NULL */
    bool repair; /* the peer repeats it for the sake of what our capture lost */
    bool gap;    /* the capture may have lost segments since the flow's last one */
    enum state local;
    const struct packet *packet;
    const uint8_t *ip;
    uint32_t ip_len;
};

/* A captured segment: gives it to the tracker and to the sinks, followed by the changes of state
 * that it caused. Those of our own that led to a segment we sent wait for it (see
 * report_local()). */
void report_segment(struct report *r, struct report_flow *f, const struct report_seen *seen);

/* Our state moved. With `evidence`, the captured segment that did it, it is told at once; without
 * (the user's call, a timer), it waits for the segment that our new state sends, so that the
 * stream stays in the order of the wire. */
void report_local(struct report *r, struct report_flow *f, wave_time stamp,
                  const struct report_change *change, uint32_t evidence);

/* Tells the changes that wait for a segment now: none will come. */
void report_flush(struct report *r, struct report_flow *f, wave_time stamp);

/* The peer owed an answer for long enough to be taken for gone. */
void report_silent(struct report *r, struct report_flow *f, wave_time stamp);

void report_icmp(struct report *r, struct report_flow *f, wave_time stamp, const struct icmp *e,
                 bool fatal);
void report_probe(struct report *r, struct report_flow *f, wave_time stamp,
                  const struct report_probe *probe);
void report_note(struct report *r, struct report_flow *f, wave_time stamp, bool trouble,
                 const char *text);
void report_wait(struct report *r, struct report_flow *f, wave_time stamp, const char *what,
                 wave_time left);

/* How far a run has come, by its figures so far. */
void report_progress(struct report *r, wave_time stamp, const struct figures *figures);

/* What was expected of the peer, and what came. `f` may be NULL. */
void report_expect(struct report *r, struct report_flow *f, wave_time stamp,
                   const struct expect *expect);

/* A finding about this flow, or about the run where `f` is NULL; of a flow each code is told
 * once. */
void report_finding(struct report *r, struct report_flow *f, wave_time stamp,
                    const struct finding *finding);

/* Outside any connection: tells the event, of which kind and `u` are filled in. */
void report_tell(struct report *r, wave_time stamp, struct report_event *e);

/* The findings of the verdict that were not told yet are told first, each as an event of its
 * own. */
void report_verdict(struct report *r, wave_time stamp, const struct report_verdict *verdict);

#endif
