/*
 * Reports the progress and the result of a load. Each report is a list of figures
 * (lib/report/figures.h), filled twice: with members for JSON, and with rows of text for a person.
 */
#include "cmd/load_report.h"

#include <stdio.h>

#include "lib/report/human.h"

static const struct {
    const char *name;
    unsigned permille;
} quantiles[] = {{"p50", 500}, {"p90", 900}, {"p99", 990}, {"p99.9", 999}, {"max", 1000}};

#define QUANTILES (sizeof quantiles / sizeof *quantiles)
#define CELL "%13s"
#define CELLS (QUANTILES * HUMAN_TEXT + 1) /* bytes for a row of cells, each at its longest */

/* Returns when progress was last reported. Remarks about left-out lines need no later time, and
 * this one needs no reading of the clock. */
static wave_time run_time(void *self)
{
    return ((const struct load_report *)self)->last;
}

int load_report_open(struct load_report *r, const struct wire_info *info, struct diag *d)
{
    r->last = 0;
    int error = view_open(&r->view, info, run_time, r, d);

    report_init(&r->report);
    if (!error)
        view_tabulate(&r->view, &r->report);
    return error;
}

/*
 * Members, for JSON
 */

/* Adds the figures that progress and verdict have in common. */
static void so_far(struct figures *to, const struct load_figures *f)
{
    figures_group(to, "connections");
    figures_count(to, "opened", f->opened);
    figures_count(to, "now", f->open);
    figures_verdicts(to, f->counts);
    figures_end(to);
    figures_real(to, "rate", f->rate);
    figures_count(to, "sent_bytes", f->sent_bytes);
    figures_count(to, "received_bytes", f->received_bytes);
    figures_count(to, "retransmissions", f->retransmissions);
    if (f->unstamped)
        figures_count(to, "unstamped", f->unstamped);
}

/* Adds the counters of capture and sending to progress. The verdict has them for every command. */
static void traffic(struct figures *to, const struct wire_stats *w)
{
    figures_group(to, "capture");
    figures_count(to, "received", w->received);
    figures_count(to, "dropped", w->dropped);
    figures_end(to);
    figures_group(to, "outgoing");
    figures_count(to, "segments", w->sent);
    figures_count(to, "no_room", w->retried);
    figures_end(to);
}

static void latency(struct figures *to, const char *name, const struct histogram *s)
{
    figures_group(to, name);
    figures_count(to, "count", s->count);
    for (size_t i = 0; i < QUANTILES; i++)
        figures_seconds(to, quantiles[i].name, histogram_permille(s, quantiles[i].permille));
    figures_end(to);
}

/* Adds the figures that only the verdict has. */
static void all_in_all(struct figures *to, const struct load_figures *f)
{
    figures_group(to, "latency");
    latency(to, "handshake", f->handshake);
    latency(to, "first_byte", f->first_byte);
    latency(to, "close", f->close);
    figures_end(to);
    figures_group(to, "ports");
    figures_count(to, "local", f->ports);
    figures_count(to, "reused", f->reuse.opened);
    figures_count(to, "refused", f->reuse.refused);
    figures_end(to);
}

/*
 * Rows, for a person
 */

/* Describes how the connections ended. Returns a text that is never empty. */
static const char *endings(const struct load_figures *f, char *text, size_t room)
{
    figures_verdicts_text(f->counts, "as asked", text, room);
    return *text ? text : "none ended";
}

static void progress_row(struct figures *to, const struct load_figures *f)
{
    char t[HUMAN_TEXT], opened[HUMAN_TEXT], open[HUMAN_TEXT], rate[HUMAN_TEXT], ended[200];

    figures_row(to, "", "%s  opened %s, open now %s, %s/s: %s", human_duration(f->elapsed, t),
                human_count(f->opened, opened), human_count(f->open, open),
                human_count((uint64_t)f->rate, rate), endings(f, ended, sizeof ended));
}

/* Adds the row about ports that were used again while the peer may still have had their last
 * connection, if there were any. */
static void ports_row(struct figures *to, const struct load_figures *f)
{
    char n[HUMAN_TEXT], reused[HUMAN_TEXT], refused[HUMAN_TEXT];

    if (!f->reuse.opened)
        return;
    figures_row(to, "ports",
                "%s local; %s SYN%s from one that the peer may still have had in "
                "TIME_WAIT, %s of them refused and followed by one from another",
                human_count(f->ports, n), human_count(f->reuse.opened, reused),
                f->reuse.opened == 1 ? "" : "s",
                human_count(f->reuse.refused - f->reuse.given_up, refused));
}

static void traffic_rows(struct figures *to, const struct load_figures *f)
{
    char n[HUMAN_TEXT], again[HUMAN_TEXT], received[HUMAN_TEXT], dropped[HUMAN_TEXT];

    figures_row(to, "segments", "%s sent, %s retransmitted; capture: %s received, %s dropped%s",
                human_count(f->wire.sent, n), human_count(f->retransmissions, again),
                human_count(f->wire.received, received), human_count(f->wire.dropped, dropped),
                f->wire.dropped ? " (and retransmitted)" : "");
    if (f->unstamped)
        figures_row(to, "timestamps",
                    "agreed on, but missing on %s segment%s: accepted all the same",
                    human_count(f->unstamped, n), f->unstamped == 1 ? "" : "s");
    if (f->wire.retried)
        figures_row(to, "sending", "the kernel had no room %s time%s: each time sent after a pause",
                    human_count(f->wire.retried, n), f->wire.retried == 1 ? "" : "s");
    ports_row(to, f);
    if (f->sent_bytes || f->received_bytes)
        figures_row(to, "data", "%s sent, %s received", human_bytes(f->sent_bytes, n),
                    human_bytes(f->received_bytes, received));
}

static void latency_row(struct figures *to, const char *name, const struct histogram *s)
{
    char cells[CELLS], t[HUMAN_TEXT];
    int n = 0;

    if (!s->count)
        return;
    for (size_t i = 0; i < QUANTILES; i++)
        n += snprintf(cells + n, sizeof cells - (size_t)n, CELL,
                      human_duration(histogram_permille(s, quantiles[i].permille), t));
    figures_row(to, name, "%s", cells);
}

static void latency_rows(struct figures *to, const struct load_figures *f)
{
    char cells[CELLS];
    int n = 0;

    if (f->handshake->count) {
        for (size_t i = 0; i < QUANTILES; i++)
            n += snprintf(cells + n, sizeof cells - (size_t)n, CELL, quantiles[i].name);
        figures_row(to, "latency", "%s", cells);
    }
    latency_row(to, "  handshake", f->handshake);
    latency_row(to, "  first byte", f->first_byte);
    latency_row(to, "  close", f->close);
}

static void rows(struct figures *to, const struct load_figures *f)
{
    char n[HUMAN_TEXT], t[HUMAN_TEXT], rate[HUMAN_TEXT], ended[200];

    figures_row(to, "connections", "%s opened in %s, %s/s: %s", human_count(f->opened, n),
                human_duration(f->elapsed, t), human_count((uint64_t)(f->rate + 0.5), rate),
                endings(f, ended, sizeof ended));
    traffic_rows(to, f);
    latency_rows(to, f);
}

/*
 * Reporting
 */

int load_report_progress(struct load_report *r, const struct load_figures *f, struct diag *d)
{
    r->last = f->elapsed;
    if (!r->view.show->json && (r->view.show->quiet || !r->view.term.live))
        return 0;
    figures_clear(&r->figures);
    so_far(&r->figures, f);
    traffic(&r->figures, &f->wire);
    progress_row(&r->figures, f);
    report_progress(&r->report, r->report.origin + f->elapsed, &r->figures);
    return view_flush(&r->view, d);
}

int load_report_verdict(struct load_report *r, const struct load_figures *f,
                        struct report_verdict *v, wave_time stamp, struct outbuf_end *end,
                        struct diag *failure)
{
    figures_clear(&r->figures);
    so_far(&r->figures, f);
    all_in_all(&r->figures, f);
    rows(&r->figures, f);
    v->figures = &r->figures;
    view_drain(&r->view, v, stamp, end, failure);
    report_verdict(&r->report, r->report.origin + f->elapsed, v);
    return view_end(&r->view, v, end);
}
