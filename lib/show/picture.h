/*
 * The ladder as a picture, in SVG: a bar of states for each side, sloped arrows between them. Here
 * is what is drawn and how it is written; svg.h is where the rows come from.
 */
#ifndef TCPWAVE_SHOW_PICTURE_H
#define TCPWAVE_SHOW_PICTURE_H

#include <stdio.h>

#include "lib/report/report.h"
#include "lib/show/label.h"
#include "lib/show/rows.h"

enum picture_scale {
    PICTURE_EVENT, /* each row takes what it needs */
    PICTURE_TIME   /* rows stand as far apart as they are in time, but never too close to read */
};

struct picture_row {
    enum row_kind kind;
    wave_time at, since; /* since the run's first event */
    enum tone tone;      /* of `text` */
    char *text;          /* of all but segments */

    uint32_t number; /* of a segment */
    bool out, rst, probe;
    bool router;     /* of ICMP: it is not the peer's own */
    bool lost;       /* it had to be sent again, and nobody said that it had it twice */
    bool unanswered; /* the peer never acknowledged it */
    struct seq seq, end;
    struct label *label; /* NULL: none */

    enum state local; /* each side's state from here on */
    struct track_view peer;
    bool closed[2]; /* our side, the peer's, has sent its FIN */
};

/* A connection. */
struct picture_flow {
    uint32_t connection; /* 0: the only one */
    struct flow flow;
    enum verdict verdict;
    char *message; /* its own verdict, or NULL */
    struct picture_row *row;
    unsigned rows;
    uint64_t left_out; /* rows beyond the bound */
};

struct picture {
    enum picture_scale scale;
    const char *title;   /* "tcpwave connect 192.0.2.1:80" */
    const char *summary; /* lines, as they stand on a terminal */
    const struct picture_flow *flow;
    unsigned flows;
    uint32_t more; /* connections that are not drawn */
};

/* Writes it. Errors are the stream's. */
void picture_write(const struct picture *p, FILE *to);

#endif
