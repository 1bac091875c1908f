/*
 * Writes the texts about output that its reader did not take in time, and waits at the end for the
 * reader of the report.
 */
#include "lib/show/left_out.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/report/human.h"

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

size_t left_out_line(bool json, wave_time at, uint64_t left_out, char text[OUTBUF_GAP])
{
    char n[HUMAN_TEXT];
    int len;

    human_count(left_out, n);
    if (json)
        len = snprintf(text, OUTBUF_GAP,
                       "{\"event\":\"note\",\"time\":%.6f,\"text\":\"%s line%s left out so far: "
                       "the reader does not keep up\",\"left_out\":%" PRIu64 "}\n",
                       (double)at / 1e9, n, plural(left_out), left_out);
    else
        len = snprintf(text, OUTBUF_GAP,
                       "     ... %s line%s left out so far: the reader does not keep up\n", n,
                       plural(left_out));
    return len > 0 && len < OUTBUF_GAP ? (size_t)len : 0;
}

const char *left_out_text(const struct report_left_out *l, char text[OUTBUF_GAP])
{
    char lines[HUMAN_TEXT], packets[HUMAN_TEXT], bytes[HUMAN_TEXT];
    int n = 0;

    text[0] = '\0';
    if (l->lines)
        n +=
            snprintf(text, OUTBUF_GAP, "%s line%s", human_count(l->lines, lines), plural(l->lines));
    if (l->packets)
        n += snprintf(text + n, OUTBUF_GAP - (size_t)n, "%s%s packet%s of the capture",
                      n ? " and " : "", human_count(l->packets, packets), plural(l->packets));
    if (n)
        n += snprintf(text + n, OUTBUF_GAP - (size_t)n,
                      " left out, since the reader did not keep up");
    if (l->bytes)
        snprintf(text + n, OUTBUF_GAP - (size_t)n, "%s%s received byte%s not written",
                 n ? "; " : "", human_count(l->bytes, bytes), plural(l->bytes));
    return text;
}

/* Says on standard error that the reader of the report stopped reading, and what its last lines
 * are. */
static void tell_unread(uint64_t lines, const struct left_out_verdict *t)
{
    char text[800], n[HUMAN_TEXT]; /* the sentence of a verdict, and ours */

    snprintf(text, sizeof text,
             "the reader of the report stopped reading, and its last %s line%s not written; %s: %s",
             human_count(lines, n), lines == 1 ? " was" : "s were", verdict_name(t->verdict),
             t->message);
    outbuf_say(text);
}

int left_out_tell(struct outbuf *o, const struct diag *d, const struct left_out_verdict *t,
                  struct outbuf_end *end)
{
    struct diag late;
    uint64_t left = d ? 0 : outbuf_finish(o, end);

    if (!d && outbuf_flush(o, &late) != 0)
        d = &late;
    if (d) {
        outbuf_say(t->verdict == VERDICT_LOCAL ? t->message : d->text);
        return t->exit < 128 ? VERDICT_LOCAL : t->exit;
    }
    if (left) {
        tell_unread(left, t);
        return end->signal ? 128 + end->signal : t->exit;
    }
    if (t->quiet && t->verdict == VERDICT_LOCAL)
        outbuf_say(t->message);
    return t->exit;
}
