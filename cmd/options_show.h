/* Declares the options that say what is shown of a run, and where; and --timeout and --no-sandbox,
 * which every run has as well. */
#ifndef TCPWAVE_CMD_OPTIONS_SHOW_H
#define TCPWAVE_CMD_OPTIONS_SHOW_H

#include "cmd/options.h"

struct show_options {
    wave_time timeout;       /* of the whole run; 0: none but the protocol's own */
    bool json, quiet, ascii; /* ascii: no character beyond ASCII in the drawing */
    uint8_t verbose;         /* how often -v was given */
    uint32_t color;          /* enum term_color, as given; term_init() asks about NO_COLOR */
    uint32_t width;          /* columns; 0: the terminal's */
    const char *pcap;        /* a path, "-" is standard output; NULL: none */
    const char *svg;         /* likewise */
    uint32_t svg_scale;      /* enum picture_scale */
    bool no_sandbox;         /* enter_sandbox() puts no filter in force */
    bool stdout_taken;       /* received bytes, capture or picture go to standard output, so that
                                the report goes to standard error; set by show_check() */

    uint32_t connection; /* the number of a run's connection, where each of several has a run of its
                            own; 0: it is the only one */
    wave_time origin;    /* then: the stamp that times count from; 0: the run's first event */

    struct platform *platform; /* NULL: the system; sim_check() and unit tests set it, platform.h */
};

extern const struct option_row show_rows[];       /* for commands that draw connections */
extern const struct option_row show_plain_rows[]; /* for commands that show segments in rows */
extern const struct option_row show_table_rows[]; /* for commands that show no segments */

/* Returns what is wrong with the options together, as a message, or NULL, and sets stdout_taken.
 * `output` is the path of --output, or NULL. */
const char *show_check(struct show_options *o, const char *output);

/* Returns whether segments are shown anywhere, so that they have to be captured and reported. */
static inline bool show_any(const struct show_options *o)
{
    return o->json || o->pcap || o->svg || !o->quiet;
}

#endif
