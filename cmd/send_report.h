/*
 * Reports what `tcpwave send` finds: counts the answers, derives the verdict from them, and prints
 * each answer as a line in tcpdump's notation.
 */
#ifndef TCPWAVE_CMD_SEND_REPORT_H
#define TCPWAVE_CMD_SEND_REPORT_H

#include "cmd/send_match.h"
#include "lib/core/addr.h"
#include "lib/core/histogram.h"
#include "lib/report/report.h"
#include "lib/show/term.h"

#define TALLY_RANGES 8 /* ranges of unanswered segments that are listed, at most */

/* Counts the answers of a run. It is empty when zeroed. */
struct tally {
    uint64_t first[ANSWER_KINDS]; /* first answers to a segment, by kind */
    uint64_t duplicates, late, out_of_order, strays, malformed;
    struct histogram rtt;
    double mean, m2; /* of the round trips, in nanoseconds: Welford's sums, for the deviation */
    bool has_icmp;
    struct icmp icmp; /* the last ICMP error */
    /* Ranges of segments without an answer, numbered from 1; `more` others are not listed. */
    struct tally_range {
        uint64_t first, last;
    } unanswered[TALLY_RANGES];
    unsigned ranges;
    uint64_t more;
    uint64_t odd_rst; /* first answers by a RST that does not acknowledge our SYN */
    bool elsewhere;   /* and segments for our port came from other addresses or ports */
    bool came;        /* something came, whether it counts or not */
};

/* Counts an answer. `error` is the ICMP error of ANSWER_ICMP, else NULL. */
void tally_answer(struct tally *t, const struct match_result *a, const struct icmp *error);
/* Counts segment `i`, from 0, as unanswered. Segments must come in order. */
void tally_unanswered(struct tally *t, uint64_t i);

/* Returns the verdict: VERDICT_OPEN if there was any answer but RST and ICMP; otherwise a RST
 * counts more than an ICMP error, and an ICMP error more than silence. A RST that does not
 * acknowledge our SYN counts for nothing. */
enum verdict tally_verdict(const struct tally *t);

#define TALLY_MESSAGE 320
/* Writes the verdict's message: one sentence about `sent` segments to `peer` ("192.0.2.1:80"), of
 * which `answered` were answered. */
void tally_message(const struct tally *t, uint64_t sent, uint64_t answered, const char *peer,
                   char text[TALLY_MESSAGE]);

/* Holds what the figures need beside the tally. */
struct tally_run {
    const struct flow *flow; /* its local port is the first of `ports` that took turns */
    uint16_t ports;
    uint64_t sent, answered;
    double rate, reached; /* segments a second, as asked for and as sent; rate 0: as fast as
                             possible */
    char local[ADDR_TEXT], remote[ADDR_TEXT]; /* filled in by tally_figures() */
};

/* Fills in the figures of the verdict. They point into *r, which must outlive them. */
void tally_figures(const struct tally *t, struct tally_run *r, struct figures *f);

/* Says how send_line() prints. */
struct send_lines {
    struct term *term;
    bool verbose; /* show our own segments too, and IP ID, window and options */
};
/* Prints a line for each answer and each segment without one. It is a report_sink; `self` is a
 * struct send_lines. */
void send_line(void *self, const struct report_event *e);

#endif
