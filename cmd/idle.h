/*
 * `tcpwave idle`: for how long a connection may be silent before the path or the peer forgets it.
 *
 * The run. lib/run/idle_search.h says which silences to try. For each, a connection is opened, left
 * alone for that long, and then probed:
 *
 *     opening       the handshake
 *     proving       a probe right behind it, so that the peer shows that it holds the connection
 *     again         the peer does not hold it: it is opened once more after a pause
 *     half closing  with --state half-closed: our FIN, until it is acknowledged
 *     silent        nothing is sent. A segment of the peer's begins the silence again. If the peer
 *                   closes or resets the connection meanwhile, that was seen, and is the sample
 *     completing    with --state syn-received: the third segment of the handshake is sent (below)
 *     asked         one liveness probe, without data; after a second without an answer a few more,
 *                   with a byte that the peer has had
 *     data          no answer: one byte of data, which the engine retransmits until --give-up. In
 *                   half-closed, where we can send no data, a probe a second for that time
 *     in doubt      still no answer, or a RST: until the control connection shows that the path is
 *                   alive
 *     inquest       it is forgotten. A SYN from the same port is sent (see below)
 *     closing       it is alive, and is closed with FIN
 *
 * With --state syn-received the third segment of the handshake is held back (conn_hold()), so that
 * the peer stays in SYN_RECEIVED while we are silent. It repeats its SYN-ACK meanwhile, which does
 * not begin the silence again, and gives up after a while: that is its own limit, and a path that
 * forgets sooner has another. After the silence the third segment is sent, and then the probe:
 * alive means that the handshake could still be completed. In this order, since a peer with SYN
 * cookies knows nothing of the connection before that segment.
 *
 * Held by the peer. A handshake that is complete here need not be complete there. Where the queue
 * of connections that wait for accept() is full, Linux drops the third segment of the handshake. If
 * the SYN-ACK was a cookie, the peer then knows nothing of the connection, and answers the next
 * segment with RST; else it stays in SYN_RECEIVED and repeats its SYN-ACK. So each connection is
 * probed at once, and its silence begins with the answer. An acknowledgement of ours follows that,
 * so that each place on the path sees the same silence: from one segment of ours to the next. In
 * SYN_RECEIVED a host answers the probe as well. One that is established tells by a D-SACK that it
 * knows the byte of the probe, or it is given the time in which it would have repeated its SYN-ACK.
 * Twice is too often: once may be a loss, or the end of a deferred accept. In half-closed the proof
 * comes before our FIN, since afterwards a RST could be the peer's answer to the FIN; and the
 * acknowledgement of the FIN, which is a number of its own (RFC 9293, 3.4), is one more. A
 * connection that is not held tells nothing of silence: it is opened again some times, each after a
 * longer pause, and then left out. In syn-received no connection is meant to exist there, and
 * nothing is proved.
 *
 * An answer to the first probe or to any retransmission means alive: what was lost on the way was
 * not forgotten. What died is a sample only once the control connection, which is never silent for
 * long, has been answered after the probe; so a dead path is never taken for one that forgets.
 *
 * The control connection. Keepalive probes keep it open. If nothing answers them any more, a new
 * one is opened: where its SYN is not answered either, the peer is lost and the run ends. Where it
 * is refused, it is tried again for some seconds, since after a reboot the service is there later
 * than its host. One that never had an answer to a probe has shown that the path forgets even that
 * fast, or that RST is all it has for a probe, and the next one is probed more often. If RST
 * answers a probe, something has lost its memory, and the silences of that time say nothing; the
 * same where nothing answers any more one that was answered before: path or host were away. A peer
 * that closes it has done so although it was not silent on the wire; another one is opened.
 *
 * Who forgot. After a death, the same port sends a SYN. A host that still has the connection
 * answers with an acknowledgement of the old numbers (RFC 5961, 4.2), which can be no answer to
 * that SYN: so the peer still had the connection, and the path forgot it. The same follows where
 * the peer's own segments still came while nothing of ours was acknowledged. If the SYN is
 * accepted, the peer has forgotten the connection too, or a NAT shows it another port. Then the TTL
 * of the RST decides (signs_rst_elsewhere()): that of another place was sent on the path, that of
 * the peer's other segments probably by the peer. Without a RST it is not known. An ICMP error from
 * another address than the peer's comes from the path.
 *
 * In half-closed nothing of ours is in flight, and the engine ignores every error (RFC 5927, 4.1).
 * One that quotes the very number of our probe, while it waits for its answer, says how the
 * connection died. It ends nothing: that nothing answers is found out without it.
 *
 * A peer that speaks. Where the peer sends keepalives or data of its own, no silence longer than
 * its interval can be made. After two passes that told nothing for this reason, the run ends.
 *
 * A single event. Where a service restarts, all its connections end together, which lib/run/
 * idle_search.h tells from a limit by another pass. What was seen in the earlier one then says
 * nothing of who forgets, so that all this is counted for each pass.
 *
 * Clocks. The run's clocks do not move when the wall clock is set. They stand while this host is
 * suspended, and the path's do not: a silence in which the host was suspended says nothing, and is
 * given up as soon as that is noticed.
 */
#ifndef TCPWAVE_CMD_IDLE_H
#define TCPWAVE_CMD_IDLE_H

#include "cmd/options_close.h"
#include "cmd/options_impair.h"
#include "cmd/options_show.h"
#include "cmd/options_sim.h"
#include "cmd/options_tcp.h"
#include "cmd/options_where.h"
#include "cmd/target.h"
#include "lib/run/idle_search.h"
#include "lib/run/session.h"

/* The words of --state, in this order. */
#define IDLE_STATE_WORDS "established|half-closed|syn-received"
enum idle_state { IDLE_ESTABLISHED, IDLE_HALF_CLOSED, IDLE_SYN_RECEIVED };

struct idle_options {
    struct target_name target;
    struct where_options where;
    uint32_t source_port; /* the first of those that are used; 0: the kernel's range */
    uint32_t ports;       /* how many of them */
    wave_time from, to;   /* the shortest and the longest silence */
    uint32_t precision;   /* thousandths of a percent */
    uint32_t parallel;    /* connections at a time; 0: the default of the mode */
    uint32_t state;       /* enum idle_state */
    wave_time keepalive;  /* --keepalive: it is tried for `to`; 0: not asked */
    wave_time at_least;   /* --at-least; 0: not asked */
    struct end_options end;
    struct tcp_options tcp;
    struct impair_options impair;
    struct show_options show;
    struct sim_options sim;
};

extern const struct option_group idle_groups[];
void idle_defaults(void *options);
int idle_operands(void *options, char *const *text, unsigned count, struct diag *d);
const char *idle_check(void *options);

/* The steps of a connection, as above. */
enum idle_step {
    IDLE_OPENING,
    IDLE_PROVING,
    IDLE_AGAIN,
    IDLE_HALF_CLOSING,
    IDLE_QUIET,
    IDLE_COMPLETING,
    IDLE_ASKED,
    IDLE_DATA,
    IDLE_IN_DOUBT,
    IDLE_INQUEST,
    IDLE_CLOSING,
    IDLE_OVER /* nothing is to be done but to release it */
};

/* Why it is said that the peer does not hold a connection. */
enum idle_unheld {
    IDLE_UNHELD_RST,     /* a RST answered the first probe, or the third segment of the handshake */
    IDLE_UNHELD_SILENT,  /* nothing answered the first probes */
    IDLE_UNHELD_SYN_ACK, /* the peer repeats its SYN-ACK */
    IDLE_UNHELD_FIN,     /* nothing acknowledged our FIN */
    IDLE_UNHELD_REFUSED, /* our SYN was refused, while the control connection was open */
    IDLE_UNHELD_SYN,     /* nothing answered our SYNs, or an ICMP error did, likewise */
    IDLE_UNHELD_KINDS
};

/* What is known of whether the peer holds it. */
enum idle_proof { IDLE_UNPROVED, IDLE_HELD, IDLE_UNHELD };

/* What a death itself shows of where it was caused. */
enum idle_clue {
    IDLE_NO_CLUE,
    IDLE_HEARD,        /* the peer's own segments still came */
    IDLE_RST_BETWEEN,  /* the RST has another TTL than the peer's other segments */
    IDLE_RST_PEER,     /* the RST has the same */
    IDLE_ICMP_BETWEEN, /* an ICMP error came from another address than the peer's */
    IDLE_ICMP_PEER     /* it came from the peer's */
};

struct idle_conn {
    struct session_conn conn; /* the session's part; must be first */
    enum idle_step step;
    bool control;              /* it is the control connection */
    uint32_t port;             /* index of its local port */
    uint32_t number;           /* in the inquest: that of the connection that died */
    wave_time wanted;          /* the silence */
    unsigned tries;            /* how often it was opened before, and the peer did not hold it */
    enum idle_unheld unheld;   /* with IDLE_UNHELD: why */
    uint32_t syn_acks;         /* of the peer's when it was probed for that; */
    uint32_t syn_acks_crossed; /* until the first answer */
    bool answered;             /* there was one */
    wave_time begun;           /* when it was open; in half-closed, when our FIN was sent */
    wave_time since;           /* when the last segment came or went */
    wave_time asked_at;        /* when it was probed first */
    wave_time next_at;         /* when the present step ends */
    wave_time pause;           /* between two probes */
    uint32_t received;         /* bytes of the peer's */
    unsigned repeats;          /* probes after the first one */
    wave_time asleep;          /* platform_asleep() when the silence began */
    uint32_t arrived;          /* segments of the peer's until then */
    unsigned interrupted;      /* how often the peer's own segments began it again */
    bool icmp;                 /* an error has come */
    bool heard;                /* the peer's segments came, and none acknowledged our data */
    bool old_acked;            /* in the inquest: the peer acknowledged the old numbers */
    enum idle_clue clue;       /* of the death, likewise */
    struct idle_sample sample; /* with IDLE_IN_DOUBT and IDLE_INQUEST */
};

/* Who forgot, as far as the deaths and the inquests show (see above). `had` counts those
 * of `path` in which the peer still had the connection, which is proof. An inquest without an
 * answer is counted only if there was a clue. `control` counts the control connections that the
 * peer ended although they were probed. */
struct idle_blame {
    uint32_t path, had, peer, unknown, control;
};

/* The state of a run. */
struct idle {
    const struct idle_options *options;
    struct target target;
    struct session *session;
    struct idle_search search;
    struct idle_conn *control; /* NULL: none is open */
    wave_time control_every;   /* its probes */
    bool control_asked;        /* one of them is not answered */
    wave_time refused_since;   /* another control connection was refused first; 0: none was */
    wave_time control_next;    /* when the next one is opened after that */
    bool control_answered;     /* the present one has had an answer to a probe */
    unsigned control_fails;    /* control connections in a row that had none, or were not opened */
    uint32_t controls;
    wave_time control_silent; /* the silence that a control connection did not survive; or 0 */
    uint32_t ports, next_port;
    unsigned open; /* connections other than the control connection */
    struct idle_blame blame[IDLE_PASSES + 1]; /* of each pass */
    wave_time rtt; /* smoothed, of the connection whose end was seen last */
    wave_time
        repeated; /* syn-received: how long after the first SYN-ACK the peer's last one came */
    struct addr icmp_from; /* where the last ICMP error came from that was a sample's outcome, */
    uint8_t icmp_type, icmp_code;
    bool has_icmp;                   /* if there was one */
    wave_time asleep;                /* platform_asleep() when it was looked at last */
    wave_time pass_began, pass_ends; /* ends: when its longest silence does */
    wave_time told_at;               /* when progress was told last */
    bool lost;                       /* the peer answers no more */
    bool done;                       /* the search ended by itself */
    unsigned told_pass;              /* the pass of the sample that was told last */
    uint32_t unheld[IDLE_UNHELD_KINDS]; /* how often the peer did not hold a connection */
    uint32_t left_out;                  /* connections that were given up for that */
    unsigned unheld_now;                /* those of this pass */
    bool control_unheld;                /* the peer did not hold a control connection either */
    unsigned spoken;                 /* samples of this pass that the peer's segments spoilt */
    unsigned stalled;                /* passes in a row that told nothing because of that */
    bool hindered;                   /* the search ended for this */
    struct idle_answer before;       /* the answer when the present pass began */
    wave_time spoke_sum;             /* of the times between two segments of the peer's */
    unsigned spoke_count;            /* how many there are in it */
    const char *doubt;               /* why samples said nothing, for a person; NULL: none */
    struct figures figures;
};

static inline struct idle_conn *idle_of(struct session_conn *c)
{
    return (struct idle_conn *)(void *)c;
}

static inline void idle_go_to(struct idle_conn *c, enum idle_step step, wave_time until)
{
    c->step = step;
    c->next_at = until;
}

/* idle_open.c: opens a connection from the next port that is free, or from the one that is named.
 * Returns NULL if there is none. */
struct idle_conn *idle_open(struct idle *x, const uint32_t *named);
/* Closes a connection that is of no more use: with FIN, if it is open. */
void idle_close(struct idle *x, struct idle_conn *c, wave_time now);
/* Begin and go on with the proof that the peer holds the connection. The latter says in next_at
 * when to come back, and why the peer does not hold it. */
void idle_prove_begin(struct idle *x, struct idle_conn *c, wave_time now);
enum idle_proof idle_prove(struct idle *x, struct idle_conn *c, struct conn *e, wave_time now);
/* Returns whether the peer has repeated its SYN-ACK too often. */
bool idle_is_repeating(const struct idle_conn *c);
/* The peer does not hold it: opens it once more later, or leaves it out. Both return when to come
 * back; `c` may be released. */
wave_time idle_not_held(struct idle *x, struct idle_conn *c, enum idle_unheld why, wave_time now);
wave_time idle_opening(struct idle *x, struct idle_conn *c, struct conn *e, wave_time now);

/* idle_turn.c: takes the sample of a connection, which may be released by this. */
void idle_sample_is(struct idle *x, struct idle_conn *c, struct idle_sample sample,
                    const char *note, wave_time now);
/* Returns whether the connection has ended, by the peer or by what answers in its place, and fills
 * in how. */
bool idle_has_ended(const struct conn *e, enum idle_outcome *how);
/* Returns how long to wait for the answer to a first probe. */
wave_time idle_patience(const struct conn *e);

/* What happens with the connections. */
wave_time idle_turn(struct session *s, wave_time now);
void idle_event(struct session *s, struct session_conn *c, const struct event *e);
void idle_icmp(struct session *s, struct session_conn *c, const struct icmp *e);

/* idle_blame.c: sums up who forgot, without the passes that a single event ended. */
struct idle_blame idle_blame(const struct idle *x);

/* idle_blame.c: return an interval of keepalive that keeps connections open (0: none is known, or
 * none does, since the control connection, which was probed, ended as well); "path" or "peer", or
 * NULL if it is not known who forgets; and whether that is proved. */
wave_time idle_keepalive(const struct idle *x, const struct idle_answer *a);
const char *idle_by(const struct idle *x, const struct idle_answer *a);
bool idle_by_proved(const struct idle *x, const struct idle_answer *a);

/* idle_findings.c: adds what follows from the answer. */
void idle_diagnose(const struct idle *x, const struct idle_answer *a, struct findings *list);

/* idle_report.c: what is told. */
void idle_tell(struct idle *x, uint32_t number, const struct idle_sample *sample, const char *by,
               const char *note);
/* Returns when progress is to be told next. */
wave_time idle_progress(struct idle *x, wave_time now, bool now_for_sure);
/* Fills in the outcome and the figures of the whole run, and its findings. */
void idle_conclude(struct idle *x, struct outcome *o, struct findings *list);

#endif
