/* Reports what load does: its progress once a second and, with the verdict, the figures of the
 * whole run. */
#ifndef TCPWAVE_CMD_LOAD_REPORT_H
#define TCPWAVE_CMD_LOAD_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd/view.h"
#include "lib/core/histogram.h"
#include "lib/report/report.h"
#include "lib/wire/wire.h"

/* Counts uses of ports whose last connection the peer may still have had in TIME_WAIT. */
struct load_reuse {
    uint32_t opened;   /* attempts to connect over such a port */
    uint32_t
        refused;  /* attempts that a RST answered: each was made over another port, or... */
    uint32_t given_up; /* ...counted as refused, after other such ports had been tried */
};

/* Holds the figures so far. */
struct load_figures {
    wave_time elapsed;
    uint32_t opened, open;  /* connections in all, and now */
    const uint32_t *counts; /* connections that ended, by verdict: REPORT_VERDICTS numbers */
    double rate;            /* connections ended a second: since the last progress, or in all */
    uint64_t sent_bytes, received_bytes, retransmissions, unstamped;
    const struct histogram *handshake, *first_byte, *close;
    uint32_t ports; /* local ports that the run holds */
    struct load_reuse reuse;
    struct wire_stats wire;
};

/* Holds the streams and files that show a run. */
struct load_report {
    struct view view;
    struct report report;
    struct figures figures; /* of the event that is reported next */
    wave_time last;         /* the time of the last progress, since the run began */
};

/* Opens the report. To be called after view_open_files() of `view`, and before the sandbox is
 * entered. Its errors are those of view_open(). */
int load_report_open(struct load_report *r, const struct wire_info *info, struct diag *d);

/* Reports progress. Returns WAVE_ESYS or WAVE_ENOMEM, with *d filled in, if it could not be
 * written. */
int load_report_progress(struct load_report *r, const struct load_figures *f, struct diag *d);

/* Drains the output and reports the verdict, by view_drain() and view_end(). Returns the exit
 * status. */
int load_report_verdict(struct load_report *r, const struct load_figures *f,
                        struct report_verdict *v, wave_time stamp, struct outbuf_end *end,
                        struct diag *failure);

#endif
