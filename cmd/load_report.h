/*
 * What load tells: a line of progress once a second, and at the end a table; or the same as JSON
 * Lines.
 */
#ifndef TCPWAVE_CMD_LOAD_REPORT_H
#define TCPWAVE_CMD_LOAD_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd/options.h"
#include "cmd/report.h"
#include "cmd/spread.h"
#include "cmd/term.h"
#include "lib/wire/wire.h"

/* The figures so far. */
struct load_figures {
    wave_time elapsed;
    uint32_t opened, open;  /* in all, and now */
    const uint32_t *counts; /* of those that ended, REPORT_VERDICTS of them */
    double rate;            /* connections ended a second: since the last progress, or in all */
    uint64_t sent_bytes, received_bytes, retransmissions, unstamped;
    const struct spread *handshake, *first_byte, *close;
    struct wire_stats wire;
};

struct load_verdict {
    enum verdict verdict;
    int exit;
    const char *guard;
    const char *message;
};

struct load_report {
    const struct options *options;
    struct term term;
    bool progress; /* a line of progress stands on the terminal */
};

void load_report_init(struct load_report *r, const struct options *o);

/* A remark: shown to people only. */
void load_report_note(struct load_report *r, const char *text);

/* WAVE_ESYS or WAVE_ENOMEM, with *d filled in, when it could not be written. */
int load_report_progress(struct load_report *r, const struct load_figures *f, struct diag *d);

/* Returns the exit status, which is another one than the verdict's when the report could not be
 * written. */
int load_report_verdict(struct load_report *r, const struct load_figures *f,
                        const struct load_verdict *v);

#endif
