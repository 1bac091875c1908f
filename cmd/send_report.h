/*
 * What `tcpwave send` tells: its answers counted and judged, and each of them as a line in
 * tcpdump's notation.
 */
#ifndef TCPWAVE_CMD_SEND_REPORT_H
#define TCPWAVE_CMD_SEND_REPORT_H

#include "cmd/send_match.h"
#include "lib/core/addr.h"
#include "lib/core/histogram.h"
#include "lib/report/report.h"
#include "lib/show/term.h"

#define TALLY_RANGES 8

/* Empty when zeroed. */
struct tally {
    uint64_t first[ANSWER_KINDS]; /* a segment's first answer, by kind */
    uint64_t duplicates, late, out_of_order, strays, malformed;
    struct histogram rtt;
    double mean, m2; /* of the same, in nanoseconds: Welford's sums */
    bool has_icmp;
    struct icmp icmp; /* the last error */
    /* Segments without an answer, from 1, first to last; `more` are not named. */
    struct tally_range {
        uint64_t first, last;
    } unanswered[TALLY_RANGES];
    unsigned ranges;
    uint64_t more;
};

/* `error` is the ICMP error of ANSWER_ICMP, else NULL. */
void tally_answer(struct tally *t, const struct match_result *a, const struct icmp *error);
void tally_unanswered(struct tally *t, uint64_t i);

/* Anything but RST, ICMP and silence is VERDICT_OPEN; else RST outdoes ICMP, and ICMP silence. */
enum verdict tally_verdict(const struct tally *t);

#define TALLY_MESSAGE 320
/* One sentence for a person, about so many segments to `peer` ("192.0.2.1:80"). */
void tally_message(const struct tally *t, uint64_t sent, uint64_t answered, const char *peer,
                   char text[TALLY_MESSAGE]);

/* What the tally does not know. */
struct tally_run {
    const struct flow *flow; /* the first of `ports` source ports that took turns */
    uint16_t ports;
    uint64_t sent, answered;
    double rate, reached;                     /* segments a second; asked: 0 is as fast as can be */
    char local[ADDR_TEXT], remote[ADDR_TEXT]; /* filled in here; the figures point to them */
};

/* All of it. The figures live as long as *r. */
void tally_figures(const struct tally *t, struct tally_run *r, struct figures *f);

/* A report_sink: a line for each answer and each segment without one. */
struct send_lines {
    struct term *term;
    bool verbose; /* our own segments, too; IP ID, window and options */
};
void send_line(void *self, const struct report_event *e);

#endif
