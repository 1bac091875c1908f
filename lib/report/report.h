/*
 * The stream of events from which everything is made that a person or a program sees. The session
 * informs the report of what was captured and of what the engine did. The report numbers the
 * segments, counts times from the run's first event, follows the flow with the tracker, and hands
 * each event to its sinks (ladder, JSON Lines, ...). A sink never examines the engine.
 */
#ifndef TCPWAVE_REPORT_REPORT_H
#define TCPWAVE_REPORT_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/icmp.h"
#include "lib/core/impaired.h"
#include "lib/core/ip.h"
#include "lib/core/state.h"
#include "lib/core/time.h"
#include "lib/core/track.h"
#include "lib/core/verdict.h"
#include "lib/report/expect.h"
#include "lib/report/figures.h"
#include "lib/report/findings.h"
#include "lib/report/how_to.h"
#include "lib/report/impairments.h"
#include "lib/report/recent_segments.h"
#include "lib/report/signs.h"

#define REPORT_STATES 8 /* changes of our own state that may wait for the segment they caused */

/* A SYN or SYN-ACK of ours that was captured. */
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
 * What is known of one connection from its segments. The summary and the outcome read it; it is
 * written only here, except for the fields that the session fills in.
 */
struct report_flow {
    uint32_t connection; /* from 1 if the run has several; 0 otherwise */
    struct flow flow;    /* as this host sees it */
    struct track track;
    struct track_view peer; /* as last reported */
    enum state local;       /* as last reported */
    bool strangers; /* it is a flow of a capture file, between two others: in the place of us
                       stands its client, in that of the peer its server */
    struct track_view client; /* of strangers, as last reported */

    bool asks_older; /* our SYN is to show whether the peer still has an older connection of ours */
    bool has_iss, has_irs; /* a SYN of ours, and of the peer's, was captured */
    struct seq iss, irs;
    bool has_base[2]; /* without a SYN, numbers count from the first one that was captured */
    struct seq base[2];
    bool offered;                    /* `theirs` is what the peer's SYN offered */
    struct opt ours, theirs;         /* `raw` is NULL in both */
    uint16_t our_flags, their_flags; /* of the SYNs */
    uint32_t syn_sent;               /* SYNs or SYN-ACKs of ours that were captured */
    struct report_syn syn;           /* the last one */
    bool answered;                   /* one of them was answered */
    wave_time rtt;         /* of the handshake, between two capture stamps; WAVE_NEVER: not known */
    wave_time first, last; /* stamps of the first and the last segment */
    uint32_t segments[2];  /* [0] ours, [1] the peer's */
    uint32_t fin_seen[2];  /* number of the first segment with FIN of each side, or 0 */
    uint32_t fin[2];       /* the same, once it counts as a FIN of this connection */
    uint32_t window[2];    /* as each side last announced it */
    bool fin_acked[2];     /* the other side acknowledged it */
    bool probed[2];        /* the last probe of that side, after which it sent nothing, has no
                              answer */
    struct report_latest_ack { /* the first of our segments that acknowledged most */
        bool is, has_timestamp;
        struct seq ack;
        uint32_t tsval;
    } latest_ack;
    uint32_t tsval; /* of our last segment */

    struct report_change waiting[REPORT_STATES];
    unsigned waiting_count;
    uint32_t syn_window; /* of the peer's SYN-ACK */
    struct signs signs;
    const char *found[FINDINGS_MAX]; /* codes of the findings that were reported */
    unsigned founds;

    uint64_t sent_bytes, received_bytes; /* filled in by the session: data, each byte once */
    uint32_t retransmissions;            /* of ours, among the segments that were reported */
    uint32_t unstamped; /* filled in by the session: segments of the peer's without the
                           timestamps that both had agreed on */
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
    REPORT_IDLE,
    REPORT_VERDICT
};

/* What an answer answers, outside any connection (`send`). */
struct report_answer {
    bool stray;        /* it answers none of our segments; apart from bad_checksum, no other
                          field is valid */
    uint64_t to;       /* the number of the segment, from 1 */
    wave_time rtt;     /* WAVE_NEVER: not known */
    bool duplicate;    /* the segment had an answer before */
    bool late;         /* it took longer than --wait */
    bool out_of_order; /* a segment that was sent later was answered before this one */
    bool unexpected;   /* a bare ACK, or a RST whose numbers do not follow from ours */
    bool bad_checksum;
};

#define REPORT_MAC SIGNS_MAC /* bytes of a link-layer address */

struct report_segment {
    bool out;                  /* we sent it */
    bool foreign;              /* it has our addresses, but this host's kernel or another program
                                  sent it */
    bool missed;               /* the capture lost it: ours is known from the sent log; the
                                  peer's follows from what came after it, and may have been
                                  several segments */
    bool repair;               /* the peer retransmits it because our capture lost something */
    bool struck;               /* it did not get across, because a rule stopped it: ours is on no
                                  wire, and the peer's was not taken in */
    uint32_t number;           /* from 1, within the connection */
    uint32_t rel_seq, rel_ack; /* relative to each side's ISN */
    uint32_t window;           /* bytes, scaled if both SYNs were captured and offer scaling */
    bool window_changed;       /* since the last segment of the same side */
    bool retransmission;
    uint32_t repeats; /* number of the segment that it retransmits; 0: none, or one that was not
                         captured */
    bool half_closed; /* it acknowledges the first FIN, and its own side stays open */
    unsigned notes;   /* TRACK_... */
    enum state local; /* ours: when it was sent, or after it was processed; never an earlier
                         state than in the row before */
    bool local_changed, peer_changed;
    struct track_view client;    /* of strangers: after it; `local` is its state */
    struct track_view peer;      /* after it */
    const struct packet *packet; /* valid during the call */
    const uint8_t *ip;           /* the packet's bytes, likewise */
    uint32_t ip_len;
    uint32_t fragments; /* it arrived in so many; 0: in one piece */
    const uint8_t *mac; /* REPORT_MAC bytes, likewise: the link-layer address that the peer's came
                           from, where it is not that of the peer's last segment; else NULL */
    const struct report_answer *answer; /* outside any connection, for what came; NULL otherwise */
    const struct impaired *impaired; /* what a rule did to it on purpose, likewise; NULL: nothing */
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
    const struct report_answer *answer; /* outside any connection; NULL otherwise */
};

/* A segment that was not answered in time. */
struct report_unanswered {
    uint64_t number; /* of the segment, from 1 */
    wave_time waited;
};

struct report_probe {
    uint32_t n;
    bool answered;
    bool reset;    /* RST answered it, and that segment was reported before: the connection is
                      gone */
    wave_time rtt; /* WAVE_NEVER: not known */
};

struct report_note {
    bool trouble;
    const char *text;
};

/* A finding, reported when it became known or with the verdict. */
struct report_found {
    const struct finding *finding;
    bool at_end;
};

struct report_wait {
    const char *what; /* "the peer's FIN", ...; NULL: no longer waiting */
    wave_time left;   /* WAVE_NEVER: without end */
};

/* What became of a connection that was silent for so long (`idle`). */
struct report_idle {
    wave_time silence;
    const char *outcome; /* "alive", "reset", ...; static */
    const char *by;      /* "path" or "peer"; NULL: not known */
    const char *note;    /* a few words for a person, static; NULL: nothing more is known */
    uint32_t begins;     /* it is the first sample of that pass, from 1; 0: it is another one */
};

/* What was not written because its reader did not take it in time. */
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

#define REPORT_VERDICTS (VERDICT_LOST + 1) /* counters, one for each verdict */

struct report_verdict {
    const char *command;
    enum verdict verdict;
    int exit; /* the exit status of the process; differs from the verdict's only after a signal */
    struct report_flow *flow; /* NULL: there was no connection */
    const char *by;           /* which side closed: "local", "peer", "both", "none" */
    const char *kind;         /* how, or NULL if nothing was closed */
    const char *guard;        /* NULL: nothing was opened */
    const char *simulated;    /* the SPEC of a simulated network; NULL: the network is real */
    bool several;             /* the run had several connections */
    bool per_connection;      /* the verdict of one of them: the run's own verdict comes
                                 later */
    /* What the command found out beside the flow; each may be NULL. */
    const struct figures *figures;
    const struct findings *findings;
    const struct expects *expects;
    const struct impairments *impairments;  /* the rules of --impair */
    const struct report_address *addresses; /* the others of the name; NULL: not known */
    uint32_t address_count;
    uint64_t captured, dropped; /* frames of the capture */
    uint64_t sent, no_room;     /* segments that the kernel took, and how often it had no room
                                   for one */
    struct report_left_out left_out;
    const char *message;
};

struct report_event {
    enum report_kind kind;
    wave_time at;                   /* since the run's first event */
    uint32_t connection;            /* 0: the run has only one, or the event belongs to none */
    const struct report_flow *flow; /* NULL: the event belongs to none */
    const struct how_to *how_to;    /* the report's */
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
        struct report_idle idle;
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
    const struct how_to *how_to; /* how a user asks for things, as the command says it; NULL: in no
                                    words */
    bool started;
    wave_time origin; /* stamp of the first event */
    unsigned waiting; /* changes of our state, of all flows, whose segment has not been captured */
    bool ending;      /* a verdict is being reported */
    struct recent_segments recent;
};

void report_init(struct report *r);

/* Makes times count from this stamp instead of that of the first event. Earlier events have the
 * time 0. */
void report_begin(struct report *r, wave_time stamp);

/* Returns the time with which an event of this stamp is reported. */
wave_time report_time(const struct report *r, wave_time stamp);

/* Adds a sink, of which there may be REPORT_SINKS. */
void report_add(struct report *r, report_sink *event, void *self);

void report_flow_init(struct report_flow *f, const struct flow *flow, uint32_t connection);

/* Does the same for a flow of a capture file; `local` of the flow is its client. What the tracker
 * says of its segments is not corrected, and no signs are looked for. */
void report_flow_strangers(struct report_flow *f, const struct flow *flow, uint32_t connection);

/* What the session knows of a captured segment beyond its bytes. */
struct report_seen {
    wave_time stamp;
    bool out;
    bool foreign;
    bool sent_before; /* of ours, from the sent log: its bytes, SYN or FIN were sent before */
    bool probe;  /* of ours, from the sent log: it lies below everything unacknowledged, and asks
                    for an answer */
    bool missed; /* the capture lost it; `packet` is reconstructed, `ip` is NULL */
    bool passed; /* `missed`, of ours: the capture shows one that we sent after it */
    bool repair; /* the peer retransmits it because our capture lost something */
    bool gap;    /* the capture may have lost segments since the flow's last one */
    enum state local;
    const struct packet *packet;
    const uint8_t *ip;
    uint32_t ip_len;
    uint32_t fragments; /* it arrived in so many, and was put together; 0: in one piece */
    const uint8_t *mac; /* REPORT_MAC bytes: where it came from; NULL: not known */
    const struct impaired *impaired; /* what a rule did to it; NULL: nothing. `packet` is then what
                                        crossed the wire, or would have */
};

/* Returns whether the segment's receiver can have taken it, or its sender has sent it: it was on
 * the wire, and a rule has not broken its checksum on the way out. Of any other one nothing
 * follows. */
bool report_counts(const struct report_seen *seen);

/* Reports a captured segment: gives it to the tracker and to the sinks, followed by the changes of
 * state that it caused. Changes of our own state that made us send a segment wait for that segment
 * (see report_local()). */
void report_segment(struct report *r, struct report_flow *f, const struct report_seen *seen);

/* Reports a change of our state. With `evidence`, the captured segment that caused it, it is
 * reported immediately. Without (a call of the user's, a timer), it waits for the segment that we
 * send in the new state, so that the stream stays in the order of the wire. */
void report_local(struct report *r, struct report_flow *f, wave_time stamp,
                  const struct report_change *change, uint32_t evidence);

/* Reports now the changes that wait for a segment, because none will come. */
void report_flush(struct report *r, struct report_flow *f, wave_time stamp);

/* Reports that the peer has not answered for so long that it counts as gone. */
void report_silent(struct report *r, struct report_flow *f, wave_time stamp);

/* `sent`: our engine has sent what the error quotes, though the capture may not have shown it yet:
 * a tunnel of this host rejects a packet that is too large before it leaves. */
void report_icmp(struct report *r, struct report_flow *f, wave_time stamp, const struct icmp *e,
                 bool sent, bool fatal);
void report_probe(struct report *r, struct report_flow *f, wave_time stamp,
                  const struct report_probe *probe);
void report_note(struct report *r, struct report_flow *f, wave_time stamp, bool trouble,
                 const char *text);
void report_wait(struct report *r, struct report_flow *f, wave_time stamp, const char *what,
                 wave_time left);

/* Reports the progress of a run by its figures so far. */
void report_progress(struct report *r, wave_time stamp, const struct figures *figures);

/* Reports what was expected of the peer, and what came. `f` may be NULL. */
void report_expect(struct report *r, struct report_flow *f, wave_time stamp,
                   const struct expect *expect);

/* Reports a finding about this flow, or about the run if `f` is NULL. For a flow, each code is
 * reported once. */
void report_finding(struct report *r, struct report_flow *f, wave_time stamp,
                    const struct finding *finding);

/* Reports an event outside any connection; its kind and `u` are filled in. */
void report_tell(struct report *r, wave_time stamp, struct report_event *e);

/* Reports the verdict. Its findings that were not reported yet come before it, each as an event. */
void report_verdict(struct report *r, wave_time stamp, const struct report_verdict *verdict);

#endif
