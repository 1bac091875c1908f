/*
 * Opens, feeds and closes what shows a run. The order matters: the files of --pcap and --svg are
 * opened before privileges are dropped, but with the rights of the user who called; the report's
 * stream is opened before the sandbox is entered. At the end, the capture file and the picture must
 * be closed with a verdict that already counts what their readers had to miss.
 */
#include "cmd/view.h"

#include <stdio.h>
#include <string.h>

#include "cmd/how_to.h"
#include "cmd/output.h"
#include "cmd/platform.h"
#include "lib/core/diag.h"
#include "lib/report/diagnose.h"
#include "lib/show/figures_table.h"
#include "lib/show/left_out.h"
#include "lib/show/summary.h"

int view_open_files(struct view *v, const struct show_options *o, struct diag *d)
{
    int error = o->pcap ? pcapfile_open(&v->pcap, o->pcap, d) : 0;

    v->show = o;
    if (!error && o->svg)
        error = svg_open(&v->svg, o->svg, (enum picture_scale)o->svg_scale, d);
    return error;
}

/* Writes the remark that takes the place of lines that were left out. */
static size_t tell_gap(void *self, uint64_t left_out, char text[OUTBUF_GAP])
{
    const struct view *v = self;

    return left_out_line(v->show->json, v->time(v->self), left_out, text);
}

/* Returns what packets of that interface begin with. Where several are captured, the first one
 * tells. */
static enum pcapfile_link link_of(const struct wire_info *info)
{
    if (!info->link)
        return PCAPFILE_LINKS;
    if (strcmp(info->link, "ethernet") == 0 || strcmp(info->link, "vlan") == 0)
        return PCAPFILE_ETHERNET;
    return strcmp(info->link, "cooked") == 0 ? PCAPFILE_LINKS : PCAPFILE_RAW;
}

int view_open(struct view *v, const struct wire_info *info, wave_time (*time)(void *self),
              void *self, struct diag *d)
{
    const struct show_options *o = v->show;
    int error = report_open(&v->out, o, d);

    if (error)
        return error;
    v->time = time;
    v->self = self;
    if (o->json || !o->quiet)
        outbuf_on_gap(v->out, tell_gap, v);
    output_term(&v->term, outbuf_stream(v->out), o);
    return v->pcap && info ? pcapfile_begin(v->pcap, info->interface, link_of(info), d) : 0;
}

static void follow_json(struct view *v, struct report *r)
{
    v->json = (struct render_json){v->term.to, false};
    report_add(r, render_json, &v->json);
}

void view_follow(struct view *v, struct report *r, bool folds_probes)
{
    const struct show_options *o = v->show;

    r->how_to = &command_words;
    if (v->svg)
        report_add(r, svg_event, v->svg);
    if (o->json) {
        follow_json(v, r);
    } else if (!o->quiet) {
        ladder_init(&v->ladder, &v->term, o->verbose);
        v->ladder.rows.folds_probes = folds_probes;
        v->ladder.simulated = platform_simulated(o);
        report_add(r, ladder_event, &v->ladder);
        report_add(r, summary_event, &v->term);
    }
}

void view_tabulate(struct view *v, struct report *r)
{
    if (v->show->json)
        follow_json(v, r);
    else if (!v->show->quiet)
        report_add(r, figures_table_event, &v->term);
}

void view_join(struct view *v, struct loop *l)
{
    l->report = v->out;
    l->reported = !v->show->quiet || v->show->json;
    l->capture = v->pcap ? pcapfile_outbuf(v->pcap) : NULL;
}

int view_save_packet(struct view *v, const struct wire_packet *p, const char *comment,
                     struct diag *d)
{
    struct pcapfile_packet k = {.stamp = p->stamp,
                                .outgoing = p->outgoing,
                                .ip = p->ip,
                                .captured = p->ip_len,
                                .length =
                                    p->packet.length > p->ip_len ? p->packet.length : p->ip_len,
                                 .link = p->link,
                                 .link_len = p->link_len,
                                 .comment = comment,
                                 .impaired = p->impaired};

    return v->pcap ? pcapfile_packet(v->pcap, &k, d) : 0;
}

/* Writes out the report so far, as much as its reader takes. */
static int flush_report(struct view *v, struct diag *d)
{
    int error = outbuf_flush(v->out, d);

    if (!error && v->json.failed)
        error = diag_fail(d, WAVE_ENOMEM, "cannot write the report: out of memory");
    return error;
}

int view_flush(struct view *v, struct diag *d)
{
    int error = flush_report(v, d);

    return !error && v->pcap ? pcapfile_flush(v->pcap, d) : error;
}

/* Makes the verdict local, since a file that shows the run could not be written. This failure of
 * our host takes precedence over what the peer did, but the status of a signal stays. */
static void file_failed(struct report_verdict *verdict, const struct diag *d, struct diag *failure)
{
    if (verdict->verdict == VERDICT_LOCAL)
        return;
    *failure = *d;
    verdict->verdict = VERDICT_LOCAL;
    verdict->message = failure->text;
    if (verdict->exit < 128)
        verdict->exit = VERDICT_LOCAL;
}

void view_drain(struct view *v, struct report_verdict *verdict, wave_time stamp,
                struct outbuf_end *end, struct diag *failure)
{
    struct outbuf *capture = v->pcap ? pcapfile_outbuf(v->pcap) : NULL;
    struct diag d;

    outbuf_drain(v->out, end);
    if (capture)
        outbuf_drain(capture, end);
    verdict->left_out.lines = outbuf_left_out(v->out);
    verdict->left_out.packets = capture ? outbuf_left_out(capture) : 0;
    if (end->signal && verdict->exit < 128)
        verdict->exit = 128 + end->signal;
    outbuf_last(v->out);
    if (capture &&
        (pcapfile_end(v->pcap, stamp, verdict->message, verdict->captured, verdict->dropped, &d) ||
         pcapfile_finish(v->pcap, end, &d)))
        file_failed(verdict, &d, failure);
    if (v->svg && svg_end(v->svg, verdict, end, &d))
        file_failed(verdict, &d, failure);
}

int view_end(struct view *v, const struct report_verdict *verdict, struct outbuf_end *end)
{
    const struct left_out_verdict t = {verdict->verdict, verdict->exit, verdict->message,
                                       v->show->quiet && !v->show->json};
    struct diag d;
    int error = flush_report(v, &d);

    return left_out_tell(v->out, error ? &d : NULL, &t, end);
}

void view_close(struct view *v)
{
    struct diag d;

    pcapfile_close(v->pcap, &d);
    svg_close(v->svg);
    outbuf_close(v->out);
}

void view_note_url(const struct show_options *o, const struct target_name *name)
{
    char text[TARGET_HOST + sizeof name->zone + TARGET_SERVICE + 80];
    const bool v6 = name->literal == TARGET_IPV6;

    if (!name->url || o->quiet || o->json)
        return;
    snprintf(text, sizeof text, "of that URL only host and port are used: %s%s%s%s%s:%s",
             v6 ? "[" : "", name->host, name->zone[0] ? "%" : "", name->zone, v6 ? "]" : "",
             name->service);
    outbuf_say(text);
}

/* Reports the verdict of a run that could not begin, and what is found. */
static int refuse(const struct command *c, const struct show_options *o, const struct diag *d,
                  int signal, const struct findings *found)
{
    struct report r;
    struct render_json j = {report_stream(o), false};
    struct report_verdict v = {.command = c->name,
                               .verdict = signal ? VERDICT_FAILED : VERDICT_LOCAL,
                               .exit = signal ? 128 + signal : VERDICT_LOCAL,
                               .findings = found,
                               .message = d->text};
    struct report_event e = {.connection = o->connection};

    outbuf_say(d->text);
    if (!o->json)
        return v.exit;
    report_init(&r);
    if (o->origin)
        report_begin(&r, o->origin);
    report_add(&r, render_json, &j);
    for (unsigned i = 0; i < found->count; i++) {
        e.kind = REPORT_FINDING;
        e.u.found = (struct report_found){&found->at[i], true};
        report_tell(&r, platform_stamp(o->platform), &e);
    }
    e.kind = REPORT_VERDICT;
    e.u.verdict = v;
    report_tell(&r, platform_stamp(o->platform), &e);
    fflush(j.to);
    return v.exit;
}

int view_refuse(const struct command *c, const struct show_options *o, const struct diag *d)
{
    return view_refuse_by(c, o, d, 0);
}

int view_refuse_by(const struct command *c, const struct show_options *o, const struct diag *d,
                   int signal)
{
    return refuse(c, o, d, signal, &(struct findings){.count = 0});
}

int view_refuse_to_open(const struct command *c, const struct show_options *o, int error,
                        const struct diag *d)
{
    static const struct report_flow none;
    const struct facts_host host = {.itself = error == WAVE_ESELF};
    const struct facts k = {.flow = &none,
                            .host = &host,
                            .how_to = &command_words,
                            .over = true,
                            .verdict = VERDICT_LOCAL};
    struct findings found = {.count = 0};

    diagnose(&k, &found);
    return refuse(c, o, d, 0, &found);
}
