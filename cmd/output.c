#include "cmd/output.h"

#include <unistd.h>

#include "cmd/platform.h"
#include "lib/core/diag.h"

FILE *report_stream(const struct show_options *o)
{
    if (o->platform)
        return o->platform->report;
    return o->stdout_taken ? stderr : stdout;
}

int report_open(struct outbuf **out, const struct show_options *o, struct diag *d)
{
    const int fd = fileno(report_stream(o));
    struct nonblock to;
    int error;

    if (o->quiet && !o->json) /* nothing is written, and the descriptor need not be asked about */
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
