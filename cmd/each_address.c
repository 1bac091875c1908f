/*
 * Runs a client for each address of a name. A run gives up its privileges and enters the sandbox,
 * so that no other could follow it: each is a process of its own (lib/io/apart.h), and we only wait
 * for it, hand signals on, and count.
 */
#include "cmd/each_address.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/platform.h"
#include "cmd/resolve.h"
#include "cmd/view.h"
#include "lib/core/addr.h"
#include "lib/core/diag.h"
#include "lib/io/apart.h"
#include "lib/show/summary.h"

/* The time that a run has to end by itself before a signal is handed on to it: one from a terminal
 * comes to both of us. */
#define SIGNAL_GRACE (100 * WAVE_MS)

#define ROWS 15 /* addresses that have a row in the summary */

/* Holds what comes back from a run. */
struct each_result {
    int status;
    wave_time origin;
    uint64_t captured, dropped, sent, no_room;
};

/* Holds the state of all runs together. */
struct each {
    const struct client *x;
    const struct client_options *options;
    const struct client_ops *ops;
    struct target_list list;
    wave_time deadline;
    int signals;
    int signal; /* that came, or 0 */

    uint32_t counts[REPORT_VERDICTS];
    uint32_t ended; /* runs that have a verdict */
    int worst;      /* status */
    struct each_result sum;
    struct figures figures;
    struct view view;
};

/* Holds one run. */
struct each_run {
    struct each *each;
    uint32_t index;
    wave_time deadline, share; /* `share`: of --timeout; 0: there is none */
};

/* Writes the path with a number before its suffix: "run.pcapng" becomes "run-2.pcapng". */
static const char *numbered(const char *path, uint32_t number, char to[PATH_MAX])
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    const char *name = slash ? slash + 1 : path;
    const char *dot = path ? strrchr(name, '.') : NULL;

    if (!path || strcmp(path, "-") == 0)
        return path;
    if (!dot || dot == name)
        dot = name + strlen(name);
    snprintf(to, PATH_MAX, "%.*s-%u%s", (int)(dot - path), path, number, dot);
    return to;
}

/* Does one run, in its process. */
static void run_one(void *self, void *result)
{
    const struct each_run *r = self;
    struct each *e = r->each;
    struct each_result *to = result;
    struct client_options o = *e->options;
    struct client *x = malloc(sizeof *x);
    struct target_list one = {.at = {e->list.at[r->index]}, .count = 1};
    char pcap[PATH_MAX], svg[PATH_MAX], output[PATH_MAX];
    const uint32_t number = r->index + 1;

    platform_signals_close(o.show.platform, e->signals);
    o.show.connection = number;
    o.show.origin = e->sum.origin;
    o.show.timeout = r->share;
    o.show.pcap = numbered(o.show.pcap, number, pcap);
    o.show.svg = numbered(o.show.svg, number, svg);
    o.output = numbered(o.output, number, output);
    to->status = VERDICT_LOCAL;
    if (!x)
        return;
    *x = *e->x;
    to->status = client_run_at(x, &o, e->ops, &one, false, r->deadline);
    to->origin = x->origin;
    to->captured = x->stats.received;
    to->dropped = x->stats.dropped;
    to->sent = x->stats.sent;
    to->no_room = x->stats.retried;
    free(x);
}

/* Waits for a run, and hands signals on to it. */
static int await(struct each *e, struct apart *a, const struct apart_work *w,
                 struct each_result *result)
{
    wave_time until = WAVE_NEVER;
    int rc, signal;

    do {
        rc = apart_wait(a, w, until, e->signals, result, &signal);
        if (rc == WAVE_EAGAIN && !signal)
            apart_signal(a, e->signal);
        if (signal)
            e->signal = signal;
        until = signal ? apart_now() + SIGNAL_GRACE : WAVE_NEVER;
    } while (rc == WAVE_EAGAIN);
    return rc;
}

/* Does one run. A process that ends without a result was ended by a signal, or could not begin. */
static void perform(struct each_run *r, struct each_result *result)
{
    struct each *e = r->each;
    const struct apart_work w = {run_one, r, sizeof *result, SIGTERM};
    struct apart a;
    struct diag d;

    *result = (struct each_result){.status = VERDICT_LOCAL};
    if (e->options->show.platform) {
        run_one(r, result);
    } else if (apart_start(&a, &w, &d) != 0) {
        result->status = view_refuse(e->ops->command, &e->options->show, &d);
    } else {
        if (await(e, &a, &w, result) != 0)
            result->status = e->signal ? 128 + e->signal : VERDICT_LOCAL;
        apart_end(&a);
    }
}

/* Counts a run, and adds its row. */
static void count(struct each *e, uint32_t index, const struct each_result *r)
{
    const struct target *t = &e->list.at[index];
    const enum verdict v = r->status > VERDICT_LOST ? VERDICT_FAILED : (enum verdict)r->status;
    char address[ADDR_TEXT];

    e->counts[v]++;
    e->ended++;
    if (r->status > e->worst)
        e->worst = r->status;
    if (!e->sum.origin)
        e->sum.origin = r->origin;
    e->sum.captured += r->captured;
    e->sum.dropped += r->dropped;
    e->sum.sent += r->sent;
    e->sum.no_room += r->no_room;
    if (index < ROWS)
        figures_row(&e->figures, index ? "" : "addresses", "%s: %s",
                    addr_text(t->v6, &t->addr, address), verdict_name(v));
}

/* Does the runs, as far as time and signals let it. */
static void run_all(struct each *e)
{
    for (uint32_t i = 0; i < e->list.count && !e->signal; i++) {
        const wave_time now = platform_now(e->options->show.platform);
        struct each_run r = {.each = e, .index = i, .deadline = WAVE_NEVER};
        struct each_result result;

        if (e->deadline != WAVE_NEVER) {
            if (now >= e->deadline)
                return;
            r.share = (e->deadline - now) / (e->list.count - i);
            r.deadline = now + r.share;
        }
        perform(&r, &result);
        count(e, i, &result);
    }
}

static wave_time run_time(void *self)
{
    (void)self;
    return 0;
}

/* Opens the last verdict's view: files belong to the runs. */
static int open_view(struct each *e, struct show_options *show, struct report *r, struct diag *d)
{
    show->pcap = show->svg = NULL;
    if (view_open_files(&e->view, show, d) != 0 || view_open(&e->view, NULL, run_time, e, d) != 0)
        return WAVE_ESYS;
    report_init(r);
    if (e->sum.origin)
        report_begin(r, e->sum.origin);
    if (show->json)
        view_follow(&e->view, r, false);
    else if (!show->quiet)
        report_add(r, summary_event, &e->view.term);
    return 0;
}

/* Says how the runs ended. */
static void say(const struct each *e, char *text, size_t room)
{
    const uint32_t untried = e->list.count - e->ended + e->list.more;
    const char *name = e->options->target.host;
    char counts[200], rest[100] = "";

    if (e->signal)
        snprintf(rest, sizeof rest, "; ended by a signal");
    else if (untried)
        snprintf(rest, sizeof rest, "; %u %s not tried%s", untried, untried == 1 ? "was" : "were",
                 e->ended < e->list.count ? ", since the timeout ran out" : "");
    snprintf(text, room, "%u address%s of %s: %s%s", e->list.count + e->list.more,
             e->list.count + e->list.more == 1 ? "" : "es", name,
             e->ended ? figures_verdicts_text(e->counts, "open", counts, sizeof counts)
                      : "none was tried",
             rest);
}

/* Reports the last verdict, and returns the exit status. */
static int conclude(struct each *e)
{
    struct show_options show = e->options->show;
    struct outbuf_end end = {.signals = e->signals,
                             .deadline = platform_deadline(show.platform, e->deadline),
                             .hurried = e->signal != 0};
    const bool all = e->ended == e->list.count && !e->list.more;
    char message[600];
    struct report_verdict v = {.command = e->ops->command->name,
                               .exit = e->worst || all ? e->worst : VERDICT_FAILED,
                               .several = true,
                               .figures = &e->figures,
                               .captured = e->sum.captured,
                               .dropped = e->sum.dropped,
                               .sent = e->sum.sent,
                               .no_room = e->sum.no_room,
                               .message = message};
    struct report r;
    struct diag d, failure;

    v.verdict = v.exit > VERDICT_LOST ? VERDICT_FAILED : (enum verdict)v.exit;
    if (e->signal)
        v.exit = 128 + e->signal;
    figures_group(&e->figures, "connections");
    figures_count(&e->figures, "opened", e->ended);
    figures_verdicts(&e->figures, e->counts);
    figures_end(&e->figures);
    say(e, message, sizeof message);
    if (open_view(e, &show, &r, &d) != 0)
        return view_refuse(e->ops->command, &show, &d);
    view_drain(&e->view, &v, platform_stamp(show.platform), &end, &failure);
    report_verdict(&r, platform_stamp(show.platform), &v);
    return view_end(&e->view, &v, &end);
}

static int run(struct each *e)
{
    const struct client_options *o = e->options;
    struct resolve names;
    struct diag d;
    int status;

    view_note_url(&o->show, &o->target);
    resolve_begin(&names, &o->show);
    e->deadline = names.deadline;
    if (resolve_all(&names, &o->target, where_family(&o->where), &e->list, &d) != 0 ||
        platform_signals(o->show.platform, &e->signals, &d) != 0)
        return view_refuse_by(e->ops->command, &o->show, &d, names.signal);
    run_all(e);
    status = conclude(e);
    platform_signals_close(o->show.platform, e->signals);
    view_close(&e->view);
    return status;
}

int each_address_run(const struct client *x, const struct client_options *o,
                     const struct client_ops *ops)
{
    struct each *e = calloc(1, sizeof *e);
    int status;

    if (!e)
        return client_no_memory(o, ops);
    e->x = x;
    e->options = o;
    e->ops = ops;
    e->signals = -1;
    status = run(e);
    free(e);
    return status;
}

const char *each_address_check(const struct client_options *o)
{
    if (o->target.sim)
        return "--each-address is for a name with several addresses, and sim:PORT has one";
    if (o->data.file && strcmp(o->data.file, "-") == 0)
        return "--each-address sends the data to every address, and standard input can be read "
               "only once: write it to a file";
    if (o->show.svg && strcmp(o->show.svg, "-") == 0)
        return "--each-address makes a picture for every address: name a file for --svg";
    return NULL;
}
