/* Opens the report's stream. A reader that is slow, or stops reading, must not stop TCP, so all
 * output goes through a buffer (lib/io/outbuf.h) that is written when the descriptor has room. */
#include "cmd/output.h"

#include <unistd.h>

#include "cmd/platform.h"
#include "lib/core/diag.h"

FILE *report_stream(const struct show_options *o)
{
    if (o->platform && o->platform->report)
        return o->platform->report;
    return o->stdout_taken ? stderr : stdout;
}

int report_open(struct outbuf **out, const struct show_options *o, struct diag *d)
{
    const int fd = fileno(report_stream(o));
    struct nonblock to;
    int error;

    if (o->quiet && !o->json) /* nothing will be written, so the descriptor needs no preparation */
        to = (struct nonblock){.fd = fd, .how = NONBLOCK_POLL};
    else
        nonblock_open(&to, fd, false);
    error = outbuf_open(out, &to, fd == STDOUT_FILENO ? "standard output" : "standard error",
                        OUTBUF_MAX, d);
    if (!error && !outbuf_stream(*out)) {
        outbuf_close(*out);
        *out = NULL;
        error = diag_fail(d, WAVE_ENOMEM, "no memory for the report");
    }
    return error;
}

void output_term(struct term *t, FILE *to, const struct show_options *o)
{
    const struct term_config c = {
        .color = (enum term_color)o->color, .ascii = o->ascii, .width = o->width};

    term_init(t, to, fileno(report_stream(o)), &c);
}
