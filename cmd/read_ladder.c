/* Draws by the report and its sinks, as every command does; the report has a flow of two strangers.
 */
#include "cmd/read_ladder.h"

#include <stdlib.h>

#include "lib/core/diag.h"
#include "lib/io/outbuf.h"

int read_ladder_begin(struct read_ladder *l, enum read_mode mode, struct view *view,
                      struct report *report, struct diag *d)
{
    l->mode = mode;
    l->view = view;
    l->report = report;
    report_init(report);
    if (mode == READ_SUMMARY) {
        view_tabulate(view, report);
        return 0;
    }
    view_follow(view, report, false);
    if (mode != READ_UNDECIDED)
        return 0;
    l->held = open_memstream(&l->text, &l->len);
    if (!l->held)
        return diag_fail(d, WAVE_ENOMEM, "no memory for the drawing");
    view->term.to = l->held;
    l->live = view->term.live;
    view->term.live = false; /* no line is drawn over another one in memory */
    return 0;
}

/* Ends the drawing into memory, and shows it or not. */
static void release(struct read_ladder *l, bool shown)
{
    l->view->term.to = outbuf_stream(l->view->out);
    l->view->term.live = l->live;
    if (fclose(l->held) == 0 && shown)
        fwrite(l->text, 1, l->len, l->view->term.to);
    free(l->text);
    l->text = NULL;
    l->held = NULL;
}

static void draw(struct read_ladder *l, const struct flows_taken *t, const struct dissected *p)
{
    const struct report_seen seen = {.stamp = p->stamp,
                                     .out = t->from == TRACK_A,
                                     .packet = &p->packet,
                                     .ip = p->ip,
                                     .ip_len = p->ip_len,
                                     .fragments = p->fragments};

    report_segment(l->report, &l->flow, &seen);
    if (l->held && (fflush(l->held) != 0 || l->len > READ_HELD)) {
        release(l, true);
        l->mode = READ_LADDER;
    }
}

bool read_ladder_segment(struct read_ladder *l, const struct flows_taken *t,
                         const struct dissected *p)
{
    if (l->mode == READ_SUMMARY)
        return false;
    if (!l->number) {
        l->number = t->flow->number;
        report_flow_strangers(&l->flow, &t->flow->flow, l->view->show->json ? l->number : 0);
    }
    if (t->flow->number == l->number) {
        draw(l, t, p);
        return false;
    }
    l->others += t->flow->track.number == 1;
    if (l->mode != READ_UNDECIDED)
        return false;
    release(l, false);
    report_init(l->report);
    view_tabulate(l->view, l->report);
    l->mode = READ_SUMMARY;
    return true;
}

void read_ladder_icmp(struct read_ladder *l, const struct watched *w, wave_time stamp,
                      const struct icmp *e)
{
    if (l->mode != READ_SUMMARY && w->number == l->number)
        report_icmp(l->report, &l->flow, stamp, e, false, false);
}

void read_ladder_end(struct read_ladder *l)
{
    if (!l->held)
        return;
    release(l, l->number != 0);
    l->mode = l->number ? READ_LADDER : READ_SUMMARY;
    if (l->number)
        return;
    report_init(l->report);
    view_tabulate(l->view, l->report);
}

void read_ladder_free(struct read_ladder *l)
{
    if (l->held)
        fclose(l->held);
    free(l->text);
}
