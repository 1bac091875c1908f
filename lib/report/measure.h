/*
 * What is measured of a flow between two strangers, in each direction, as a watcher on the way can:
 * from segments and their times alone. Pure, and of a fixed size for each flow.
 *
 * Each number has the definition that the tools of the field use; it stands beside the number.
 * Where tools differ, the one that is followed is named. Whether a segment repeats what was sent
 * before is decided by the tracker (lib/core/track.h) and nowhere else; here such a segment is put
 * into one of three classes, which exclude each other: the network has duplicated it, it was
 * overtaken on its way, or its sender has retransmitted it.
 */
#ifndef TCPWAVE_REPORT_MEASURE_H
#define TCPWAVE_REPORT_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/ip.h"
#include "lib/core/time.h"
#include "lib/core/track.h"

#define MEASURE_HOLES 6 /* ranges of bytes that are missing, at a time */
#define MEASURE_MARKS 8 /* segments whose acknowledgement is waited for */
#define MEASURE_SAMPLES 8 /* round trips that are kept, before a histogram is needed */

/* Answers to a SYN that acknowledge something else (RFC 9293, 3.10.7.3). */
enum measure_astray { MEASURE_ASTRAY_RST = 1, MEASURE_ASTRAY_ACK = 2, MEASURE_ASTRAY_SYN_ACK = 4 };

/*
 * Round trips of one direction: from a segment to the acknowledgement that ends exactly where the
 * segment does, both as captured here (tcptrace's rtt; tshark's tcp.analysis.ack_rtt). None is
 * taken where it would be ambiguous (Karn: RFC 6298, section 3): when something was retransmitted
 * since, or when the receiver had reported a gap. Counted in units of 64 ns.
 */
struct measure_rtt {
    uint32_t count;
    uint32_t min, max;
    uint32_t histogram;               /* 1 + its index in the room; 0: the samples say all */
    uint32_t sample[MEASURE_SAMPLES]; /* as many as `count` says */
};

/* What a SYN offers. */
struct measure_syn {
    bool seen : 1;
    bool varies : 1;  /* when it was repeated, it offered something else */
    bool differs : 1; /* captured at another place, it offered something else: */
    uint8_t other;    /* OPT_... as it was there */
    uint8_t other_wscale;
    uint16_t other_mss;
    uint16_t flags; /* SEG_... */
    uint8_t has;    /* OPT_... */
    uint8_t wscale;
    uint16_t mss, window;
};

/* What one side sent. What nearly every segment changes stands first, so that it touches few lines
 * of the cache. */
struct measure_side {
    uint32_t segments, data_segments; /* all; those with data */
    uint64_t bytes;      /* of data, each once: what the sequence numbers show, and was captured */
    uint64_t data_bytes; /* of all segments with data, those included that came more than once */
    uint64_t ip_bytes;   /* of all packets, headers included (Zeek's orig_ip_bytes) */
    wave_time first, last;           /* stamps of any segment; valid if segments */
    wave_time first_data, last_data; /* valid if data_segments */
    wave_time idle;                  /* the longest time between two of its segments */
    uint32_t largest;                /* bytes of data in a segment */
    uint32_t in_flight;  /* the most bytes of data that were sent and not acknowledged, as seen here
                            (tcptrace's max owin; tshark's bytes_in_flight leaves out what SACK
                            acknowledges) */
    uint32_t window_max; /* the largest window that it offered, in bytes */
    uint8_t ttl;         /* of its segments without RST; the last one's */
    /* What the next segment is compared with. */
    bool has_ack, zero, has_tsval, has_id;
    uint8_t holes, marks, stride, since_mark;
    bool has_sack : 1, flight_open : 1;
    bool shrinks : 1;    /* a router has called its packets too big: see `shrunk` */
    uint8_t astray : 3;  /* MEASURE_ASTRAY_...: how it answered the other side's SYN */
    bool rst_ends : 1;   /* a RST of its that its receiver obeys came after the handshake, */
    bool after_rst : 1;  /* and it went on after that as if it had sent none */
    uint8_t rst_ttl;     /* of its first RST */
    uint8_t resent;      /* retransmissions with data since the last new acknowledgement, and */
    uint8_t outrun;      /* those that the next one has outrun: it echoes a timestamp from before
                            them (Eifel: RFC 3522). Up to 255, as `excused`; without `spurious` */
    uint8_t excused;     /* retransmissions of a SYN or FIN alone, by a timer, of what a router had
                            called too big, and those of which a D-SACK speaks beside its first */
    uint16_t id;         /* IPv4 identification of the segment that reaches highest */
    uint32_t tsval;      /* its timestamp */
    uint32_t run;        /* duplicate ACKs in a row */
    uint32_t window;     /* the last one offered, in bytes */
    uint32_t unanswered; /* times that a timer or a probe has sent something since the other side
                            sent anything */
    struct seq acked, sacked;
    struct measure_syn syn;

    /* Each segment that the tracker calls repeated is counted in one of these. */
    uint32_t duplicates;      /* the same packet, with the same IP identification, came twice at the
                                 same place: the network has copied it. Pure ACKs included */
    uint32_t out_of_order;    /* it fills a gap, and was sent before what showed the gap: by its
                                 timestamp, its IP identification, or because it came sooner than its
                                 sender can have been asked (RFC 4737; tshark's out_of_order) */
    uint32_t retransmissions; /* all others, SYN and FIN included, but no probes of a window that is
                                 shut: they are sent whether or not the last one came */
    /* Of the retransmissions: */
    uint32_t spurious; /* the other side had acknowledged all of it, in a segment that passed here
                          before (tshark's spurious_retransmission) */
    uint32_t fast;     /* the receiver was reporting a gap, by two duplicate ACKs (as tshark counts;
                          RFC 5681 asks for three, RFC 8985 for none) or by SACK, and the sender had
                          not paused for TRACK_REPEAT_MIN */
    uint32_t timeouts; /* the others: a timer has caused it, RTO or probe timeout (RFC 6298; RFC
                          8985, 7) */
    uint64_t retransmitted_bytes;

    uint64_t not_captured; /* bytes that the receiver acknowledged, and that were never seen here */
    uint32_t gaps;         /* segments beyond bytes that had not come (tshark's lost_segment) */
    uint32_t duplicate_acks; /* RFC 5681, section 2 (tshark's duplicate_ack); none where the window
                                is shut, since it answers a probe */
    uint32_t dsacks;         /* RFC 2883 */
    uint32_t zero_windows;  /* segments that offer a window of 0, without SYN, FIN and RST (tshark's
                               zero_window) */
    uint32_t window_full;   /* segments of new data that end where the receiver's window does
                               (tshark's window_full) */
    uint32_t keepalives;    /* RFC 9293, 3.8.4 */
    uint32_t window_probes; /* RFC 9293, 3.8.6.1 */
    uint32_t challenges;    /* challenge ACKs (RFC 5961) */
    uint32_t unacceptable;  /* segments that the other side cannot have taken */
    uint32_t syns, fins, resets;
    uint32_t initial_window; /* bytes of data before the first of them was acknowledged (tcptrace's
                                initial window) */
    struct seq shrunk;       /* what it had sent when a router called its packets too big */
    wave_time zero_for, zero_since; /* for how long its window was 0: see measure_zero_for() */
    wave_time asked_at;             /* when the first of `unanswered` was sent, */
    uint16_t asked_len;             /* and the bytes of data in the last of them */
    uint16_t took; /* the most bytes that one acknowledgement has added, up to 65535 */
    uint32_t resent_tsval;          /* the timestamp of the first of `resent` */
    wave_time gap_since;

    /* What stands from the samples of this on counts as far as other fields say; a flow begins
     * without it being cleared, and a short one does not touch most of it. */
    struct measure_rtt rtt; /* from what it sent to the other side's acknowledgement */
    struct measure_mark {
        struct seq end;
        uint32_t at;     /* in units of 64 ns, modulo 2^32 */
        uint32_t weight; /* segments that it stands for: itself, and those that have none */
    } mark[MEASURE_MARKS];
    struct measure_hole {
        struct seq first, end;
    } hole[MEASURE_HOLES]; /* the oldest first */
};

struct measure {
    wave_time first, last;   /* stamps of the flow */
    wave_time idle, idle_at; /* the longest silence of both sides, and when it began */
    bool has[TRACK_SIDES];   /* of each side, after the last segment: `next` is known */
    struct seq next[TRACK_SIDES];
    /* The handshake; WAVE_NEVER: not known. A round trip is known if SYN and SYN-ACK were sent
     * once. */
    wave_time syn_at, syn_ack_at;
    wave_time to_server, to_client; /* from here: SYN to SYN-ACK, SYN-ACK to ACK. Their sum is the
                                       connection's (tshark's initial_rtt) */
    struct measure_side side[TRACK_SIDES];
};

/* A segment, as the tracker has taken it. */
struct measured {
    wave_time at;
    enum track_side from;
    const struct packet *packet;
    unsigned notes;                 /* TRACK_... */
    bool twice;                     /* the network has copied it: see measure_side.duplicates */
    bool had[TRACK_SIDES];          /* before it, of each side: track_next() was known, */
    struct seq before[TRACK_SIDES]; /* and was this; filled in by measure_before() */
};

/* Room for the histograms of long flows, shared by all of them. */
struct measure_room;

/* Returns room for so many; NULL when memory is out. */
struct measure_room *measure_room_create(uint32_t histograms);
void measure_room_free(struct measure_room *r);

/* Begins with a flow's first segment, at that stamp. */
void measure_init(struct measure *m, wave_time at);

/* Gives back what the flow has of the room. */
void measure_end(struct measure *m, struct measure_room *r);

/* Notes what is known before the tracker takes the segment. */
static inline void measure_before(const struct measure *m, struct measured *g)
{
    for (unsigned i = 0; i < TRACK_SIDES; i++) {
        g->had[i] = m->has[i];
        g->before[i] = m->next[i];
    }
}

/* Takes a segment into account. `t` has taken it. */
void measure_segment(struct measure *m, struct measure_room *r, const struct track *t,
                     const struct measured *g);

/* Takes note of a SYN that was captured at another place. */
void measure_syn_elsewhere(struct measure *m, enum track_side from, const struct seg *s);

/* Returns the smallest round trip that `percent` of all do not exceed, accurate to 3 % where there
 * are more than MEASURE_SAMPLES; 0 gives the smallest one. WAVE_NEVER: none was measured. */
wave_time measure_rtt(const struct measure_rtt *rtt, const struct measure_room *r,
                      unsigned percent);

/* Returns for how long the side's window was 0 by then. */
wave_time measure_zero_for(const struct measure_side *s, wave_time now);

/* Returns the round trip of the handshake, or WAVE_NEVER. */
wave_time measure_handshake(const struct measure *m);

/* Returns the bytes that never came, and lie below others that did. */
uint64_t measure_missing(const struct measure_side *s);

/* Takes an ICMP error that calls the side's packets too big (RFC 1191, RFC 8201). */
void measure_too_big(struct measure *m, enum track_side from);

/* Returns how many segments with data a side has lost, as far as it shows: the retransmissions
 * whose bytes the receiver, side `o`, is not known to have had before, by its D-SACKs (RFC 3708) or
 * by the timestamps that it echoes; and without those for which a router has asked. */
uint32_t measure_lost(const struct measure_side *s, const struct measure_side *o);

/* Returns bytes a second of all data that the side sent, retransmissions included, over the time
 * from its first to its last segment with data; 0 if that is no time. */
double measure_throughput(const struct measure_side *s);

/* The same of each byte once (RFC 2647, 3.7). */
double measure_goodput(const struct measure_side *s);

/* Returns whether a side has shown by its acknowledgements that it misses something, so that the
 * other one may have repeated that at once. */
bool measure_asked(const struct measure *m, enum track_side side);

/* Returns whether the segment says that its sender got something twice (RFC 2883, section 4). */
bool measure_is_dsack(const struct seg *s);

#endif
