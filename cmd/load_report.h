/*
 * What load tells: a line of progress once a second, and at the end a table; or the same as JSON
 * Lines.
 */
#ifndef TCPWAVE_CMD_LOAD_REPORT_H
#define TCPWAVE_CMD_LOAD_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd/options.h"
#include "lib/core/spread.h"
#include "lib/io/outbuf.h"
#include "lib/report/report.h"
#include "lib/show/term.h"
#include "lib/wire/wire.h"

/* The figures so far. */
struct load_figures {
    wave_time elapsed;
    uint32_t opened, open;  /* in all, and now */
    const uint32_t *counts; /* of those that ended, REPORT_VERDICTS of them */
    double rate;            /* connections ended a second: since the last progress, or in all */
    uint64_t sent_bytes, received_bytes, retransmissions;
    const struct spread *handshake, *first_byte, *close;
    struct wire_stats wire;
};

struct load_verdict {
    enum verdict verdict;
    int exit;
    const char *guard;
    const char *message;
    struct report_left_out left_out;
};

struct load_report {
    const struct options *options;
    struct outbuf *out;
    struct term term;
    wave_time last; /* of the run, when progress was last told */
    bool progress;  /* a line of progress stands on the terminal */
};

/* To be called before the sandbox is entered. WAVE_ENOMEM. */
int load_report_init(struct load_report *r, const struct options *o, struct diag *d);

/* A remark: shown to people only. */
void load_report_note(struct load_report *r, const char *text);

/* WAVE_ESYS or WAVE_ENOMEM, with *d filled in, when it could not be written. */
int load_report_progress(struct load_report *r, const struct load_figures *f, struct diag *d);

/* Before the verdict: what reads the report gets time to take what it has not taken yet, and `v`
 * tells what was left out. */
void load_report_settle(struct load_report *r, struct load_verdict *v, struct outbuf_end *end);

/* Returns the exit status, which is another one than the verdict's when the report could not be
 * written. */
int load_report_verdict(struct load_report *r, const struct load_figures *f,
                        const struct load_verdict *v, struct outbuf_end *end);

#endif
