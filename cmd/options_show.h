/* What is shown of a run, and where; --timeout and --no-sandbox, which every run has as well. */
#ifndef TCPWAVE_CMD_OPTIONS_SHOW_H
#define TCPWAVE_CMD_OPTIONS_SHOW_H

#include "cmd/options.h"

struct show_options {
    wave_time timeout;       /* of the whole run; 0: none but the protocol's own */
    bool json, quiet, ascii; /* ascii: no character beyond ASCII in the drawing */
    uint8_t verbose;         /* how often -v stood there */
    uint32_t color;          /* enum term_color, as given: NO_COLOR is term.h's to ask */
    uint32_t width;          /* columns; 0: the terminal's */
    const char *pcap;        /* a path, "-" is standard output; NULL: none */
    const char *svg;         /* likewise */
    uint32_t svg_scale;      /* enum picture_scale */
    bool no_sandbox;         /* enter_sandbox() puts no filter in force */
    bool stdout_taken;       /* by received bytes, capture or picture: all else goes to standard
                                error. show_check() says so */

    const struct platform *platform; /* NULL: the system; set by unit tests alone, see platform.h */
};

extern const struct option_row show_rows[];       /* of commands that draw connections */
extern const struct option_row show_plain_rows[]; /* and of those that do not */

/* What is wrong with them, or NULL; `output` is the path of --output, or NULL. */
const char *show_check(struct show_options *o, const char *output);

/* Whether segments are shown to anyone, so that they have to be looked at. */
static inline bool show_any(const struct show_options *o)
{
    return o->json || o->pcap || o->svg || !o->quiet;
}

#endif
