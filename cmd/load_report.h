/*
 * What load tells: progress once a second and, with the verdict, the figures of the whole run.
 */
#ifndef TCPWAVE_CMD_LOAD_REPORT_H
#define TCPWAVE_CMD_LOAD_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd/view.h"
#include "lib/core/histogram.h"
#include "lib/report/report.h"
#include "lib/wire/wire.h"

/* Ports that were used again while the peer may have held their last connection. */
struct load_reuse {
    uint32_t opened; /* connections tried over them */
    uint32_t
        refused; /* and how many of those a RST answered: each tried over another port, or... */
    uint32_t given_up; /* ...counted as refused, after other such ports had been tried */
};

/* The figures so far. */
struct load_figures {
    wave_time elapsed;
    uint32_t opened, open;  /* in all, and now */
    const uint32_t *counts; /* of those that ended, REPORT_VERDICTS of them */
    double rate;            /* connections ended a second: since the last progress, or in all */
    uint64_t sent_bytes, received_bytes, retransmissions, unstamped;
    const struct histogram *handshake, *first_byte, *close;
    uint32_t ports; /* local ones that are held */
    struct load_reuse reuse;
    struct wire_stats wire;
};

struct load_report {
    struct view view;
    struct report report;
    struct figures figures; /* of the event that is told next */
    wave_time last;         /* of the run, when progress was last told */
};

/* After view_open_files() of `view`, and before the sandbox is entered: opens the report. Its
 * errors are view_open()'s. */
int load_report_open(struct load_report *r, const char *interface, struct diag *d);

/* WAVE_ESYS or WAVE_ENOMEM, with *d filled in, when it could not be written. */
int load_report_progress(struct load_report *r, const struct load_figures *f, struct diag *d);

/* Settles the output and tells the verdict, as view_drain() and view_end(). Returns the exit
 * status. */
int load_report_verdict(struct load_report *r, const struct load_figures *f,
                        struct report_verdict *v, wave_time stamp, struct outbuf_end *end,
                        struct diag *failure);

#endif
