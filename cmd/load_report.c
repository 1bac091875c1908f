#include "cmd/load_report.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "lib/core/diag.h"
#include "lib/io/files.h"
#include "lib/report/human.h"
#include "lib/show/ending.h"
#include "lib/show/json.h"

#define JSON_LINE (JSON_COMPACT | JSON_REAL_PRECISION(9))

static const struct {
    const char *name;
    unsigned permille;
} quantiles[] = {{"p50", 500}, {"p90", 900}, {"p99", 990}, {"p99.9", 999}, {"max", 1000}};

#define QUANTILES (sizeof quantiles / sizeof *quantiles)

/* When progress was last told: more often the clock need not be asked. */
static wave_time run_time(void *self)
{
    return ((const struct load_report *)self)->last;
}

int load_report_open(struct load_report *r, const char *interface, struct diag *d)
{
    r->show = r->view.show;
    r->progress = false;
    r->last = 0;
    return view_open(&r->view, interface, run_time, r, d);
}

/* Takes the line of progress off the terminal. */
static void clear_progress(struct load_report *r)
{
    if (r->progress)
        fputs("\r\033[K", r->view.term.to);
    r->progress = false;
}

void load_report_note(struct load_report *r, const char *text)
{
    if (r->show->quiet || r->show->json)
        return;
    clear_progress(r);
    fprintf(r->view.term.to, "%s\n", text);
}

/*
 * JSON Lines
 */

static json_t *json_spread(const struct spread *s)
{
    json_t *o = json_object();

    json_object_set_new(o, "count", json_integer((json_int_t)s->count));
    for (size_t i = 0; i < QUANTILES; i++)
        json_object_set_new(o, quantiles[i].name,
                            s->count
                                ? json_real((double)spread_permille(s, quantiles[i].permille) / 1e9)
                                : json_null());
    return o;
}

static json_t *json_figures(const char *event, const struct load_figures *f)
{
    render_json_begin();

    json_t *o = json_object(), *c = json_object();

    json_object_set_new(c, "opened", json_integer(f->opened));
    json_object_set_new(c, "now", json_integer(f->open));
    for (int v = 0; v < REPORT_VERDICTS; v++)
        if (v != VERDICT_USAGE)
            json_object_set_new(c, verdict_name((enum verdict)v), json_integer(f->counts[v]));
    json_object_set_new(o, "event", json_string(event));
    json_object_set_new(o, "time", json_real((double)f->elapsed / 1e9));
    json_object_set_new(o, "connections", c);
    json_object_set_new(o, "rate", json_real(f->rate));
    json_object_set_new(o, "sent_bytes", json_integer((json_int_t)f->sent_bytes));
    json_object_set_new(o, "received_bytes", json_integer((json_int_t)f->received_bytes));
    json_object_set_new(o, "retransmissions", json_integer((json_int_t)f->retransmissions));
    if (f->unstamped)
        json_object_set_new(o, "unstamped", json_integer((json_int_t)f->unstamped));
    json_object_set_new(o, "capture",
                        json_pack("{s:I,s:I}", "received", (json_int_t)f->wire.received, "dropped",
                                  (json_int_t)f->wire.dropped));
    json_object_set_new(o, "outgoing",
                        json_pack("{s:I,s:I}", "segments", (json_int_t)f->wire.sent, "no_room",
                                  (json_int_t)f->wire.retried));
    return o;
}

static int json_write(struct load_report *r, json_t *o, struct diag *d)
{
    bool written = render_json_end(o, JSON_LINE, r->view.term.to);
    int error = view_flush(&r->view, d);

    if (!error && !written)
        error = diag_fail(d, WAVE_ENOMEM, "cannot write the report: out of memory");
    return error;
}

static int json_verdict(struct load_report *r, const struct load_figures *f,
                        const struct report_verdict *v, struct diag *d)
{
    json_t *o = json_figures("verdict", f);

    json_object_set_new(o, "command", json_string("load"));
    json_object_set_new(o, "verdict", json_string(verdict_name(v->verdict)));
    json_object_set_new(o, "exit", json_integer(v->exit));
    json_object_set_new(o, "latency",
                        json_pack("{s:o,s:o,s:o}", "handshake", json_spread(f->handshake),
                                  "first_byte", json_spread(f->first_byte), "close",
                                  json_spread(f->close)));
    json_object_set_new(o, "ports",
                        json_pack("{s:I,s:I,s:I}", "local", (json_int_t)f->ports, "reused",
                                  (json_int_t)f->reuse.opened, "refused",
                                  (json_int_t)f->reuse.refused));
    json_object_set_new(o, "guard", v->guard ? json_string(v->guard) : json_null());
    ending_json(o, &v->left_out);
    json_object_set_new(o, "message", json_string(v->message));
    return json_write(r, o, d);
}

/*
 * Text
 */

/* The counts that are not zero: "1,000 open, 12 refused". */
static void put_counts(FILE *to, const uint32_t *counts)
{
    char n[HUMAN_TEXT];
    const char *comma = "";

    for (int v = 0; v < REPORT_VERDICTS; v++)
        if (counts[v]) {
            fprintf(to, "%s%s %s", comma, human_count(counts[v], n),
                    v == VERDICT_OPEN ? "as asked" : verdict_name((enum verdict)v));
            comma = ", ";
        }
    if (!*comma)
        fputs("none ended", to);
}

int load_report_progress(struct load_report *r, const struct load_figures *f, struct diag *d)
{
    FILE *to = r->view.term.to;
    char t[HUMAN_TEXT], opened[HUMAN_TEXT], open[HUMAN_TEXT], rate[HUMAN_TEXT];

    r->last = f->elapsed;
    if (r->show->json)
        return json_write(r, json_figures("progress", f), d);
    if (r->show->quiet || !r->view.term.live)
        return 0;
    clear_progress(r);
    fprintf(to, "%s  opened %s, open now %s, %s/s: ", human_duration(f->elapsed, t),
            human_count(f->opened, opened), human_count(f->open, open),
            human_count((uint64_t)f->rate, rate));
    put_counts(to, f->counts);
    r->progress = true;
    return view_flush(&r->view, d);
}

static void put_latency(FILE *to, const char *name, const struct spread *s)
{
    char t[HUMAN_TEXT];

    if (!s->count)
        return;
    fprintf(to, "%-12s", name);
    for (size_t i = 0; i < QUANTILES; i++)
        fprintf(to, "%13s", human_duration(spread_permille(s, quantiles[i].permille), t));
    fputc('\n', to);
}

/* Nothing is said of ports that were only used once the peer was done with them. */
static void put_ports(FILE *to, const struct load_figures *f)
{
    char n[HUMAN_TEXT], reused[HUMAN_TEXT], refused[HUMAN_TEXT];

    if (!f->reuse.opened)
        return;
    fprintf(to,
            "ports       %s local; %s SYN%s over one that the peer may still have had in "
            "TIME_WAIT, %s of them refused and followed by one over another\n",
            human_count(f->ports, n), human_count(f->reuse.opened, reused),
            f->reuse.opened == 1 ? "" : "s",
            human_count(f->reuse.refused - f->reuse.given_up, refused));
}

static void put_table(struct load_report *r, const struct load_figures *f,
                      const struct report_verdict *v)
{
    FILE *to = r->view.term.to;
    char n[HUMAN_TEXT], t[HUMAN_TEXT], rate[HUMAN_TEXT], again[HUMAN_TEXT];
    char left_out[OUTBUF_GAP];

    fprintf(to, "\nconnections %s opened in %s, %s/s: ", human_count(f->opened, n),
            human_duration(f->elapsed, t), human_count((uint64_t)(f->rate + 0.5), rate));
    put_counts(to, f->counts);
    fprintf(to, "\nsegments    %s sent, %s sent again; capture: %s received, ",
            human_count(f->wire.sent, n), human_count(f->retransmissions, again),
            human_count(f->wire.received, t));
    fprintf(to, "%s dropped%s\n", human_count(f->wire.dropped, n),
            f->wire.dropped ? " (and sent again)" : "");
    if (f->unstamped)
        fprintf(to, "timestamps  agreed on, and missing on %s segment%s, taken all the same\n",
                human_count(f->unstamped, n), f->unstamped == 1 ? "" : "s");
    if (f->wire.retried)
        fprintf(to, "sending     the kernel had no room %s time%s: each time sent after a pause\n",
                human_count(f->wire.retried, n), f->wire.retried == 1 ? "" : "s");
    put_ports(to, f);
    if (f->sent_bytes || f->received_bytes)
        fprintf(to, "data        %s sent, %s received\n", human_bytes(f->sent_bytes, n),
                human_bytes(f->received_bytes, t));
    if (f->handshake->count) {
        fprintf(to, "%-12s", "latency");
        for (size_t i = 0; i < QUANTILES; i++)
            fprintf(to, "%13s", quantiles[i].name);
        fputc('\n', to);
    }
    put_latency(to, "  handshake", f->handshake);
    put_latency(to, "  first byte", f->first_byte);
    put_latency(to, "  close", f->close);
    if (v->left_out.lines || v->left_out.packets)
        fprintf(to, "output      %s\n", ending_text(&v->left_out, left_out));
    fprintf(to, "verdict     %s: %s\n", verdict_name(v->verdict), v->message);
}

int load_report_verdict(struct load_report *r, const struct load_figures *f,
                        struct report_verdict *v, wave_time stamp, struct outbuf_end *end,
                        struct diag *failure)
{
    struct diag d;

    view_settle(&r->view, v, stamp, end, failure);
    clear_progress(r);
    if (r->show->json && json_verdict(r, f, v, &d) != 0)
        r->view.json.failed = true;
    else if (!r->show->json && !r->show->quiet)
        put_table(r, f, v);
    return view_end(&r->view, v, end);
}
