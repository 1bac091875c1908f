/*
 * What `tcpwave send` tells: its answers counted and judged, and each of them as a line in
 * tcpdump's notation.
 */
#ifndef TCPWAVE_CMD_SEND_REPORT_H
#define TCPWAVE_CMD_SEND_REPORT_H

#include "cmd/send_match.h"
#include "lib/core/spread.h"
#include "lib/report/report.h"
#include "lib/show/term.h"

/* Empty when zeroed. */
struct tally {
    uint64_t first[ANSWER_KINDS]; /* a segment's first answer, by kind */
    uint64_t duplicates, late, out_of_order, strays, malformed;
    struct spread rtt;
    double mean, m2; /* of the same, in nanoseconds: Welford's sums */
    bool has_icmp;
    struct icmp icmp;        /* the last error */
    struct report_send told; /* `unanswered`, `ranges` and `more` of it */
};

/* `error` is the ICMP error of ANSWER_ICMP, else NULL. */
void tally_answer(struct tally *t, const struct answer *a, const struct icmp *error);
void tally_unanswered(struct tally *t, uint64_t i);

/* Anything but RST, ICMP and silence is VERDICT_OPEN; else RST outdoes ICMP, and ICMP silence. */
enum verdict tally_verdict(const struct tally *t);

#define TALLY_MESSAGE 320
/* One sentence for a person, about so many segments to `peer` ("192.0.2.1:80"). */
void tally_message(const struct tally *t, uint64_t sent, uint64_t answered, const char *peer,
                   char text[TALLY_MESSAGE]);

/* All of it, but for what is not the tally's: flow, ports, sent, answered and the rates. */
void tally_report(const struct tally *t, struct report_send *out);

/* A report_sink: a line for each answer and each segment without one. */
struct send_lines {
    struct term *term;
    bool verbose; /* our own segments, too; IP ID, window and options */
};
void send_line(void *self, const struct report_event *e);

#endif
