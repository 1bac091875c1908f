/*
 * The ladder as a picture, in SVG: a bar of states for each side, and sloped arrows between them.
 * This is what is drawn and how it is written; svg.h collects the rows.
 */
#ifndef TCPWAVE_SHOW_PICTURE_H
#define TCPWAVE_SHOW_PICTURE_H

#include <stdio.h>

#include "lib/report/report.h"
#include "lib/show/label.h"
#include "lib/show/rows.h"

enum picture_scale {
    PICTURE_EVENT, /* each row takes the height that it needs */
    PICTURE_TIME   /* rows are as far apart as they are in time, but never too close to read */
};

struct picture_row {
    enum row_kind kind;
    wave_time at, since; /* since the run's first event */
    enum tone tone;      /* of `text` */
    char *text;          /* for all rows but segments */

    uint32_t number; /* of a segment */
    bool out, rst, probe;
    bool router;     /* of ICMP: the error comes from a router and not from the peer */
    bool lost;       /* it was retransmitted, and no D-SACK says that both copies arrived */
    bool unanswered; /* the peer never acknowledged it */
    bool struck;     /* a rule of --impair stopped it */
    bool made;       /* a rule made it for our engine, and it was on no wire */
    char *words;     /* what a rule did to it, or NULL */
    struct seq seq, end;
    struct label *label; /* NULL: none */

    enum state local; /* the state of each side from here on */
    bool local_assumed; /* of a stranger's client */
    struct track_view peer;
    bool closed[2]; /* our side, the peer's, has sent its FIN */
};

/* One connection. */
struct picture_flow {
    uint32_t connection; /* 0: there is only one */
    struct flow flow;
    bool strangers; /* its sides are a client and a server, and not us and a peer */
    enum verdict verdict;
    char *message; /* its own verdict, or NULL */
    struct picture_row *row;
    unsigned rows;
    uint64_t left_out; /* rows that did not fit */
};

struct picture {
    enum picture_scale scale;
    const char *title;   /* "tcpwave connect 192.0.2.1:80" */
    const char *summary; /* lines, as on a terminal */
    const struct picture_flow *flow;
    unsigned flows;
    uint32_t more; /* connections that are not drawn */
    const struct how_to *how_to; /* as in struct report_event */
};

/* Writes the picture. Errors stay in the stream. */
void picture_write(const struct picture *p, FILE *to);

#endif
