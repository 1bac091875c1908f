/*
 * Signs: what findings may be based on, noticed segment by segment. A sign is no conclusion: it
 * says that a segment of some kind was seen, how often, and which segments were the first and the
 * last. The conclusions are made in lib/report/diagnose.h.
 *
 * Most segments of a connection are plain data and acknowledgements, and leave no sign: for them
 * the cost is a few comparisons.
 */
#ifndef TCPWAVE_REPORT_SIGNS_H
#define TCPWAVE_REPORT_SIGNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/addr.h"
#include "lib/core/event.h"
#include "lib/core/icmp.h"
#include "lib/core/seg.h"
#include "lib/core/seq.h"
#include "lib/core/time.h"

#define SIGNS_MAC MAC_BYTES
#define SIGN_SEGMENTS 4 /* numbers of segments that a sign keeps: the first three and the last */

enum sign_kind {
    SIGN_RST_ASTRAY,     /* the peer's RST to our SYN, which acknowledges no SYN of ours */
    SIGN_ACK_ASTRAY,     /* the peer's ACK of something else than our SYN, without SYN or RST */
    SIGN_SYN_ACK_ASTRAY, /* the peer's SYN-ACK of something else than our SYN */
    SIGN_SYN_ACK,        /* the peer's SYN-ACK of our SYN, each time it came */
    SIGN_SYN_ACK_AGAIN,  /* the same, repeated after we had acknowledged it, while the peer has
                            acknowledged nothing behind our SYN */
    SIGN_SYN_ACK_HEARD,  /* such a one that echoes a timestamp of ours from after the handshake */
    SIGN_DATA_UNTAKEN,   /* such a one after we had sent data */
    SIGN_UNSTAMPED,      /* no timestamps on the peer's segment, though both agreed on them */
    SIGN_UNOFFERED,      /* an option on the peer's segment that its SYN did not offer */
    SIGN_OLD_TIMESTAMP,  /* refused for its timestamp (RFC 7323, 5.3, R1), which no delay on the way
                            explains */
    SIGN_ECHO_ASTRAY,    /* the peer echoes a timestamp that we never sent */
    SIGN_WINDOW_SHUT,    /* the peer's window became 0 */
    SIGN_WINDOW_PROBED,  /* our window probe */
    SIGN_SHUT_ANSWER,    /* the peer answered a window probe with a window of 0 */
    SIGN_WINDOW_BACK,   /* the peer's first segment after its SYN takes back most of the window that
                           the SYN had offered */
    SIGN_OVERRUN,       /* the peer's data beyond the window that we offered */
    SIGN_NEEDLESS,      /* the peer repeats what it must know that we have */
    SIGN_CHALLENGED,    /* a RST or SYN of the peer's, or an ACK of quite other numbers, that drew a
                           challenge ACK (RFC 5961) */
    SIGN_FIN_UNTAKEN,   /* our FIN was repeated, and later than a round trip afterwards the peer's
                           ACK still stops before it; one for each repetition */
    SIGN_SACK_ASTRAY,   /* a SACK block of the peer's for what we never sent */
    SIGN_QUOTE_ASTRAY,  /* an ICMP error quotes a sequence number that we never sent */
    SIGN_RST_OUTSIDE,   /* the peer's RST outside of the window, after the handshake */
    SIGN_ACK_UNSENT,    /* the peer acknowledges what we never sent, after the handshake */
    SIGN_OTHER_ISN,     /* a SYN-ACK of our SYN with another ISN than the one that opened the
                           connection, where we had sent one SYN */
    SIGN_AFTER_RST,     /* new data of the peer's behind its RST */
    SIGN_COPY,          /* the peer's packet came twice */
    SIGN_LATE,          /* the peer's segment, overtaken on the way */
    SIGN_SYN_ACK_TTL,   /* what followed the SYN-ACK has another TTL */
    SIGN_FOREIGN_RST,   /* this host's kernel, or another program, sent a RST on our flow */
    SIGN_MISSED,        /* a segment that our capture lost */
    SIGN_KEPT,          /* one of ours, though the capture shows one that we sent after it */
    SIGN_JOINED,        /* a segment larger than the MSS allows: an offload joined several */
    SIGN_UNMARKED,      /* the peer's data without ECT, though ECN was agreed on */
    SIGN_MARKED,        /* the peer's data with ECT */
    SIGN_CUT,           /* a full segment of the peer's, shorter than the MSS of both sides */
    SIGN_PROBED,        /* a keepalive probe of ours without data */
    SIGN_PROBE_IGNORED, /* such a one that nothing had answered when the next one was sent */
    SIGN_BYTE_ANSWERED, /* the answer to a keepalive probe with a byte */
    SIGN_BEYOND_GAP,    /* the peer's data or FIN beyond bytes that never came, so far */
    SIGN_BEYOND_AGAIN,  /* the peer repeats the first bytes beyond them, as if these were next */
    SIGN_FILLED,        /* the peer repeated what had been lost on its way here */
    SIGN_FRAGMENTED,    /* the peer's segment arrived in IP fragments */
    SIGN_STAMPED_SYN,   /* our SYN with timestamps */
    SIGN_UNSTAMPED_HEARD, /* the answer to a SYN of ours without timestamps, where others had them
                           */
    SIGN_OTHER_ANSWER,    /* a SYN-ACK beside a RST, both of which answer our one SYN */
    SIGN_OTHER_MAC, /* the peer's segment from another link-layer address than the one before */
    SIGN_OURS_CUT,  /* a smaller segment of ours was acknowledged, and the larger one from the same
                       sequence number never was, although it was repeated */
    SIGN_IMPAIRED,  /* a segment to which a rule of --impair did something */
    SIGN_COUNT
};

/* What rules did so far to segments of ours, and shifted by IMPAIRED_SHIFT, to the peer's: some
 * were kept from their receiver, came late or twice, or were changed. */
enum {
    IMPAIRED_OURS_LOST = 1 << 0,
    IMPAIRED_OURS_LATE = 1 << 1,
    IMPAIRED_OURS_CHANGED = 1 << 2,
    IMPAIRED_SHIFT = 3,
    IMPAIRED_THEIRS_LATE = IMPAIRED_OURS_LATE << IMPAIRED_SHIFT,
    IMPAIRED_THEIRS_CHANGED = IMPAIRED_OURS_CHANGED << IMPAIRED_SHIFT,
    IMPAIRED_OURS = 7,
    IMPAIRED_ANY = 63
};

#define SIGNS_ACTS 9 /* kinds of what a rule can do */
#define SIGNS_TRAIN                                                                                \
    16 /* segments that a host sends at once, and that the network may copy as a whole (RFC 6928)  \
        */

struct sign {
    uint32_t count;
    uint32_t segment[SIGN_SEGMENTS];
};

/* A FIN or RST of the peer's that counted. */
struct signs_end {
    bool first;       /* before our FIN, and before any RST of ours */
    bool pending;     /* something of ours was unacknowledged */
    bool after_data;  /* we had sent data */
    bool bare;        /* it stands right behind the peer's SYN: no byte was sent between them */
    bool answers;     /* it came when a probe of ours waited for its answer */
    bool before_fin;  /* our FIN had been sent, and this RST acknowledges less than it */
    bool answers_fin; /* it came within two round trips of our first FIN, is not before it, and the
                         peer had sent neither data nor a FIN of its own since */
    bool other_mac;   /* it came from another link-layer address than the segment before it */
    uint8_t ttl;      /* 0: not known */
    struct seq seq;   /* where it stands */
    bool impaired;    /* a rule had done something before it, which may be why it came */
    uint32_t segment; /* its number */
    wave_time stamp;
    wave_time quiet; /* for how long neither side had sent anything but probes */
};

/* Empty when all zero. */
struct signs {
    struct sign of[SIGN_COUNT];
    uint32_t refused[CHECK_COUNT]; /* segments of the peer's that the engine did not take */
    bool changed;                  /* since the findings were looked for last */
    unsigned impaired;             /* IMPAIRED_OURS_... and the like, so far */
    bool made_rst, made_fin;   /* our engine was given a RST, or a FIN, that the wire never had */
    uint32_t changed_segments; /* segments to which rules did something, */
    uint32_t acts[2][SIGNS_ACTS]; /* and what; [0] ours, [1] the peer's */

    wave_time active;   /* the last segment of either side that was no probe and no answer */
    struct signs_icmp { /* errors about what we sent after the handshake: */
        uint32_t count; /* since the peer was heard last */
        uint8_t type, code; /* of the last one, and who sent it */
        struct addr from;
    } icmp;
    wave_time opened;   /* when the SYN-ACK came, or our SYN-ACK was acknowledged; 0: not yet */
    uint32_t opened_by; /* the number of that segment, */
    struct seq opened_isn;     /* and its sequence number, where it is a SYN-ACK */
    struct signs_end fin, rst; /* the peer's; `segment` is 0 where there was none */

    /* About ours, with which the peer's segments are compared. */
    bool has_edge;
    struct seq
        edge; /* the right edge of the window that we offered, as far as the peer may see it */
    uint32_t max_window; /* the largest one that we offered */
    bool has_high;
    struct seq high;    /* what we sent, up to here */
    bool far;           /* it is so far beyond our ISN that the two are not to be compared */
    struct seq acked;   /* what we acknowledged, up to here */
    wave_time acked_at; /* when we acknowledged that much first */
    uint32_t stamps[2]; /* first and last timestamp that we sent */
    bool has_stamps;
    uint32_t open_stamp; /* of our first segment behind the SYN, where the SYN had another one */
    bool has_open_stamp;
    wave_time unstamped_at; /* when we sent a SYN without timestamps that waits for its answer; 0:
                               none does */
    bool stamped_heard;     /* an answer came that may be to one with timestamps */
    struct signs_stuck {    /* our data that we repeat: */
        struct seq seq;
        uint32_t len, times; /* its segment from there, and how often it was sent so far */
        uint32_t cut;        /* a smaller one was sent from there; 0: not */
        uint32_t segment;    /* its number */
    } stuck;
    uint32_t cut_from, cut_to; /* with SIGN_OURS_CUT: the sizes of the two */
    struct seq large_seq; /* the newest of our largest segments whose fate is open: its number, */
    uint32_t large;       /* and size; 0: none */
    uint32_t passed;      /* size of the largest that reached the peer as a whole */
    bool fin_sent;        /* our FIN was seen: `high` is the number behind it */
    wave_time fin_at[3];  /* when we sent it: first, the last time but one, last */
    bool fin_asked[2]; /* the latter two: no segment of the peer's has told yet whether it has it */
    uint32_t fin_theirs;                   /* bytes of the peer's data when we sent it first */
    struct seq fin_edge;                   /* the edge that we had offered when we sent it last */
    bool more_sent;                        /* we sent new data after the peer's FIN */
    bool unanswered_probe, probe_has_byte; /* our last keepalive probe has no answer; it had one */
    bool bare_answered;                    /* a keepalive probe without data was answered */
    bool window_probed;                    /* our last window probe has no answer */

    /* About the peer's. */
    uint32_t theirs;   /* bytes of data of the peer's, modulo 2^32 */
    uint32_t data[2];  /* segments with data: ours and the peer's */
    uint32_t resent;   /* segments with data that we repeated */
    uint32_t unneeded; /* of which the peer said that it had them (RFC 2883) */
    bool shut;         /* the peer's window is 0 */
    wave_time shut_since;
    wave_time shut_for; /* how long it was shut, in all, before `shut_since` */
    wave_time shut_told;    /* with `shut`: when the peer said so last */
    wave_time narrow_since; /* since when its window is open, and so small that hardly anything
                               fits; 0: it is not */
    uint32_t narrow;        /* with it: the largest window since then, */
    bool narrow_full;       /* and data of ours has filled it */
    uint8_t ttl;        /* of the peer's segments but RST and SYN-ACK; 0: none seen */
    uint8_t syn_ttl;    /* of its SYN or SYN-ACK; 0: none seen */
    bool ttl_varies;    /* the former has changed */
    bool spoke;         /* it has sent something else than SYN and RST */
    unsigned offered; /* OPT_... of the SYN that opened the connection: a later one adds nothing */
    wave_time syn_acked; /* its last SYN-ACK that counted */
    bool has_their_ack;
    struct seq their_ack; /* what the peer acknowledged, up to here */
    bool has_their_stamp;
    uint32_t their_stamp; /* the latest timestamp of the peer's */
    wave_time gap_since;  /* since when something is missing; 0: nothing is */
    struct seq their_end; /* with it: behind all that the peer sent */
    struct seq beyond;    /* with it: the first bytes beyond what is missing */
    wave_time gap_heard;  /* with it: when the peer was heard last */
    uint32_t gap_acks;    /* and how often we have asked for what is missing */
    uint32_t largest;     /* data of a segment of the peer's, in bytes */
    wave_time gap_at;     /* the last time at which something was missing */
    struct signs_last {   /* its last segments with data that are no copies, in a ring */
        struct seq seq;
        struct seq ack;
        uint32_t len, tsval, tsecr;
        uint16_t id, wnd; /* id: IPv4 identification */
        bool has_tsval;
        wave_time stamp;
    } last_data[SIGNS_TRAIN];
    uint32_t lasts; /* how many there were; the index of the next one, modulo SIGNS_TRAIN */
    bool ids_vary;  /* different segments had different identifications */
    struct seq old; /* with SIGN_OLD_TIMESTAMP or `has_old`: what was refused last */
    bool has_old;
    uint32_t storm;    /* challenges so far that followed each other closely */
    wave_time stormed; /* when the last one came */
    bool storms;       /* there were many */
    uint32_t echoes;   /* challenges that came at once after a segment of ours, one for each */
    bool challenge;    /* the last one has no answer of ours yet */
    wave_time answered; /* when we answered the last one; 0: not, or we have sent more since */
    wave_time asked;    /* when we sent the last segment; 0: a challenge has come since */
    uint32_t fragments; /* that the segments of SIGN_FRAGMENTED came in */
    bool has_mac;
    uint8_t mac[SIGNS_MAC];     /* of the peer's last segment */
    uint8_t macs[2][SIGNS_MAC]; /* the first two that differ, with SIGN_OTHER_MAC */
};

#define SIGNS_FAR (1u << 30) /* numbers that are further apart are not compared */

struct report_flow;
struct report_seen;
struct report_segment;

/* Examines a segment that was reported, before its changes of state are reported. */
void signs_segment(struct report_flow *f, const struct report_seen *seen,
                   const struct report_segment *g);

/* Returns whether an arriving segment's link-layer address, which is known, is not that of the last
 * one. */
bool signs_other_mac(const struct signs *s, const struct report_seen *seen);

/* Records what a segment of ours offers and sends; signs_segment() calls it. */
void signs_ours(struct report_flow *f, const struct report_seen *seen,
                const struct report_segment *g);

/* Records that the engine discarded the flow's last segment, which is the peer's `s`, for that
 * reason. `fresh`: it begins where new data would. Not to be
 * called for what a rule did something to: that says nothing about the peer. */
void signs_refused(struct report_flow *f, enum check why, const struct seg *s, bool fresh);

/* Records that an ICMP error quotes this sequence number of ours, which we never sent. */
void signs_quoted(struct report_flow *f, struct seq seq);

/* Records an ICMP error about a segment that we did send. */
void signs_icmp(struct report_flow *f, const struct icmp *error);

/* Adds a sign, unless it is spoiled; `number` is that of a segment, or 0. */
void signs_note(struct signs *s, enum sign_kind kind, uint32_t number);

/* Records what a rule did to a segment, if one did. */
void signs_impaired(struct signs *s, const struct report_seen *seen, uint32_t number);

/* Returns whether that has spoiled the sign, so that it would not tell anything. */
bool signs_spoiled(const struct signs *s, enum sign_kind kind);

/* Writes what rules did, such as "2 of ours dropped, 1 of the peer's delayed". Returns text. */
const char *signs_impaired_text(const struct signs *s, char *text, size_t room);

/* Returns how often the sign was seen. */
static inline uint32_t signs_count(const struct signs *s, enum sign_kind kind)
{
    return s->of[kind].count;
}

/* Returns for how long in all the peer's window has been zero by then. */
wave_time signs_shut_for(const struct signs *s, wave_time now);

/* Returns how many routers are on the way if the host starts with one of the usual TTLs. */
static inline unsigned signs_routers(uint8_t ttl)
{
    return ttl <= 64 ? 64u - ttl : ttl <= 128 ? 128u - ttl : 255u - ttl;
}

/* Returns the TTL of the peer's segments; 0: none is known. */
static inline uint8_t signs_ttl(const struct signs *s)
{
    return s->ttl ? s->ttl : s->syn_ttl;
}

/* Returns whether the TTL of the peer's RST can be compared with that of its other segments. */
bool signs_rst_comparable(const struct signs *s);

/* Returns whether that TTL shows that the RST came from another place: the segments of one host
 * have one TTL, unless the route changes in between. A host that sends RSTs with another TTL than
 * the segments of its connections is as far away with both. */
bool signs_rst_elsewhere(const struct signs *s);

/* Returns whether the RST that ended the connection came from another link-layer address than what
 * came before it. */
static inline bool signs_rst_other_mac(const struct signs *s)
{
    return s->rst.segment && s->rst.other_mac;
}

/* Returns whether that place is nearer to us than the peer. What is further away may be the peer,
 * and what answered before it a SYN proxy. */
static inline bool signs_rst_between(const struct signs *s)
{
    return signs_rst_elsewhere(s) && signs_routers(s->rst.ttl) < signs_routers(signs_ttl(s));
}

#endif
