#include "lib/show/json.h"

#include <stdlib.h>
#include <string.h>

#include "lib/core/addr.h"
#include "lib/show/ending.h"

/* Doubles are good for 15 digits: nanoseconds of an eleven-day run, and no digits of noise. */
#define JSON_LINE (JSON_COMPACT | JSON_REAL_PRECISION(15))

/* Whether the line that is being put together has lost a part. Jansson leaves out what it finds no
 * memory for, and few of its functions say so. */
static bool lost;

static void *allocate(size_t size)
{
    void *p = malloc(size);

    lost = lost || !p;
    return p;
}

void render_json_begin(void)
{
    json_set_alloc_funcs(allocate, free);
    lost = false;
}

bool render_json_end(json_t *line, size_t flags, FILE *to)
{
    bool ok = line && !lost && json_dumpf(line, to, flags) == 0 && fputc('\n', to) != EOF;

    json_decref(line);
    return ok && !lost;
}

static json_t *seconds(wave_time t)
{
    return t == WAVE_NEVER ? json_null() : json_real((double)t / 1e9);
}

static json_t *text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

static json_t *number_or_null(bool known, uint64_t n)
{
    return known ? json_integer((json_int_t)n) : json_null();
}

static json_t *hex(const uint8_t *bytes, size_t len)
{
    char text[2 * OPT_BYTES_MAX + 1];
    size_t n = len < OPT_BYTES_MAX ? len : OPT_BYTES_MAX;

    /* cppcheck-suppress knownConditionTrueFalse ; an option of no data is not the only one */
    for (size_t i = 0; i < n; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return json_stringn(text, 2 * n);
}

static bool decoded(uint8_t kind)
{
    return kind == OPT_KIND_NOP || kind == OPT_KIND_MSS || kind == OPT_KIND_WSCALE ||
           kind == OPT_KIND_SACK_PERMITTED || kind == OPT_KIND_SACK || kind == OPT_KIND_TIMESTAMP;
}

/* The options that have no name of their own here: [{"kind":34,"data":"..."}, ...]. */
static json_t *other_options(const struct opt *o)
{
    json_t *list = json_array();
    size_t at = 0;

    while (o->raw && at < o->raw_len && o->raw[at] != OPT_KIND_EOL) {
        if (o->raw[at] == OPT_KIND_NOP) {
            at++;
            continue;
        }
        if (at + 1 >= o->raw_len || o->raw[at + 1] < 2 || at + o->raw[at + 1] > o->raw_len)
            break; /* a length that cannot be: what follows has no beginning */
        if (!decoded(o->raw[at]))
            json_array_append_new(list,
                                  json_pack("{s:i,s:o}", "kind", (int)o->raw[at], "data",
                                            hex(o->raw + at + 2, (size_t)o->raw[at + 1] - 2)));
        at += o->raw[at + 1];
    }
    return list;
}

static json_t *options(const struct opt *o)
{
    json_t *all = json_object();

    if (o->has & OPT_MSS)
        json_object_set_new(all, "mss", json_integer(o->mss));
    if (o->has & OPT_WSCALE)
        json_object_set_new(all, "wscale", json_integer(o->wscale));
    if (o->has & OPT_SACK_PERMITTED)
        json_object_set_new(all, "sack_permitted", json_true());
    if (o->has & OPT_SACK) {
        json_t *blocks = json_array();
        for (unsigned i = 0; i < o->sacks; i++)
            json_array_append_new(blocks, json_pack("[I,I]", (json_int_t)o->sack[i].first.v,
                                                    (json_int_t)o->sack[i].end.v));
        json_object_set_new(all, "sack", blocks);
    }
    if (o->has & OPT_TIMESTAMP)
        json_object_set_new(
            all, "timestamp",
            json_pack("{s:I,s:I}", "val", (json_int_t)o->tsval, "ecr", (json_int_t)o->tsecr));
    if (o->has & OPT_OTHER)
        json_object_set_new(all, "other", other_options(o));
    return all;
}

/* Outside any connection: what came answers that segment. The remarks go into `notes`. */
static void answer(json_t *to, json_t *list, const struct report_answer *a)
{
    const struct {
        bool is;
        const char *name;
    } remarks[] = {{a->stray, "stray"},
                   {a->duplicate, "duplicate"},
                   {a->late, "late"},
                   {a->out_of_order, "out_of_order"},
                   {a->unexpected, "unexpected"},
                   {a->bad_checksum, "bad_checksum"}};

    json_object_set_new(to, "answers", number_or_null(!a->stray, a->to));
    json_object_set_new(to, "rtt", seconds(a->stray ? WAVE_NEVER : a->rtt));
    for (size_t i = 0; i < sizeof remarks / sizeof remarks[0]; i++)
        if (remarks[i].is)
            json_array_append_new(list, json_string(remarks[i].name));
}

static void segment(json_t *to, const struct report_segment *g)
{
    static const struct {
        unsigned bit;
        const char *name;
    } notes[] = {{TRACK_OUT_OF_ORDER, "out_of_order"},
                 {TRACK_DUPLICATE_ACK, "duplicate_ack"},
                 {TRACK_PROBE, "probe"},
                 {TRACK_PROBE_ANSWER, "probe_answer"},
                 {TRACK_CHALLENGE, "challenge_ack"},
                 {TRACK_OUT_OF_WINDOW, "out_of_window"},
                 {TRACK_ZERO_WINDOW, "zero_window"}};
    const struct seg *s = &g->packet->seg;
    bool ack = s->flags & SEG_ACK;
    char flags[SEG_FLAGS_TEXT];
    json_t *list = json_array();

    json_object_set_new(to, "number", json_integer(g->number));
    json_object_set_new(to, "dir", json_string(g->out ? "out" : "in"));
    json_object_set_new(to, "seq", json_integer(s->seq.v));
    json_object_set_new(to, "ack", number_or_null(ack, s->ack.v));
    json_object_set_new(to, "rel_seq", json_integer(g->rel_seq));
    json_object_set_new(to, "rel_ack", number_or_null(ack, g->rel_ack));
    json_object_set_new(to, "flags", json_string(seg_flags_text(s->flags, flags)));
    json_object_set_new(to, "window", json_integer(s->wnd));
    json_object_set_new(to, "window_bytes", json_integer(g->window));
    json_object_set_new(to, "length", json_integer(s->len));
    json_object_set_new(to, "ttl", json_integer(g->packet->ttl));
    json_object_set_new(to, "options", options(&s->opt));
    json_object_set_new(to, "retransmission", json_boolean(g->retransmission));
    if (g->repeats)
        json_object_set_new(to, "repeats", json_integer(g->repeats));
    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++)
        if (g->notes & notes[i].bit)
            json_array_append_new(list, json_string(notes[i].name));
    if (g->foreign)
        json_array_append_new(list, json_string("not_ours"));
    if (g->missed)
        json_array_append_new(list, json_string("not_captured"));
    if (g->repair)
        json_array_append_new(list, json_string("repair"));
    if (g->answer)
        answer(to, list, g->answer);
    json_object_set_new(to, "notes", list);
}

static void state(json_t *to, const struct report_state *s)
{
    const char *certainty = !s->peer                           ? "known"
                            : s->certainty == CERTAINTY_PROVED ? "proved"
                                                               : "assumed";

    json_object_set_new(to, "side", json_string(s->peer ? "peer" : "local"));
    json_object_set_new(to, "from", json_string(state_name(s->from)));
    json_object_set_new(to, "to", json_string(state_name(s->to)));
    json_object_set_new(to, "certainty", json_string(certainty));
    json_object_set_new(to, "evidence", number_or_null(s->evidence != 0, s->evidence));
    json_object_set_new(to, "cause", text_or_null(s->cause));
}

static void icmp(json_t *to, const struct report_icmp *i)
{
    const struct icmp *e = &i->error;
    bool v6 = e->flow.v6;
    char from[ADDR_TEXT], local[ADDR_TEXT], remote[ADDR_TEXT];

    json_object_set_new(to, "type", json_integer(e->type));
    json_object_set_new(to, "code", json_integer(e->code));
    json_object_set_new(to, "from", json_string(addr_text(v6, &e->from, from)));
    json_object_set_new(to, "text", json_string(icmp_text(v6, e->type, e->code)));
    if (e->meaning == ICMP_TOO_BIG)
        json_object_set_new(to, "mtu", json_integer(e->mtu));
    json_object_set_new(to, "fatal", json_boolean(i->fatal));
    if (i->answer) {
        json_t *list = json_array();
        answer(to, list, i->answer);
        json_object_set_new(to, "notes", list);
    }
    json_object_set_new(to, "quotes",
                        json_pack("{s:s,s:i,s:s,s:i,s:o}", "source",
                                  addr_text(v6, &e->flow.local, local), "source_port",
                                  (int)e->flow.lport, "destination",
                                  addr_text(v6, &e->flow.remote, remote), "destination_port",
                                  (int)e->flow.rport, "seq", number_or_null(e->has_seq, e->seq.v)));
}

static json_t *side(const struct flow *flow, bool peer, enum state now, const char *certainty)
{
    char addr[ADDR_TEXT];
    json_t *o = json_object();

    addr_text(flow->v6, peer ? &flow->remote : &flow->local, addr);
    json_object_set_new(o, "addr", json_string(addr));
    json_object_set_new(o, "port", json_integer(peer ? flow->rport : flow->lport));
    json_object_set_new(o, "state", json_string(state_name(now)));
    if (certainty)
        json_object_set_new(o, "certainty", json_string(certainty));
    return o;
}

static json_t *handshake(const struct report_flow *f)
{
    const struct opt *o = &f->theirs;
    bool known = f->offered;
    json_t *h = json_object();

    json_object_set_new(h, "rtt", seconds(f->rtt));
    json_object_set_new(h, "syn_sent", json_integer(f->syn_sent));
    json_object_set_new(h, "mss", number_or_null(o->has & OPT_MSS, o->mss));
    json_object_set_new(h, "wscale", number_or_null(o->has & OPT_WSCALE, o->wscale));
    json_object_set_new(h, "sack", known ? json_boolean(o->has & OPT_SACK_PERMITTED) : json_null());
    json_object_set_new(h, "timestamps",
                        known ? json_boolean(o->has & OPT_TIMESTAMP) : json_null());
    json_object_set_new(h, "ecn", known ? json_boolean(f->their_flags & SEG_ECE) : json_null());
    return h;
}

static void connection(json_t *to, const struct report_flow *f)
{
    bool proved = f->peer.certainty == CERTAINTY_PROVED;

    json_object_set_new(to, "local", side(&f->flow, false, f->local, NULL));
    json_object_set_new(to, "peer",
                        side(&f->flow, true, f->peer.state, proved ? "proved" : "assumed"));
    json_object_set_new(to, "handshake", handshake(f));
    json_object_set_new(to, "sent_bytes", json_integer((json_int_t)f->sent_bytes));
    json_object_set_new(to, "received_bytes", json_integer((json_int_t)f->received_bytes));
    json_object_set_new(to, "retransmissions", json_integer(f->retransmissions));
    if (f->unstamped)
        json_object_set_new(to, "unstamped", json_integer(f->unstamped));
}

static json_t *counts(const struct report_verdict *v)
{
    json_t *o = json_pack("{s:I,s:I}", "opened", (json_int_t)v->opened, "syn_cookies",
                          (json_int_t)v->cookies);

    for (int i = 0; i < REPORT_VERDICTS; i++)
        if (i != VERDICT_USAGE)
            json_object_set_new(o, verdict_name((enum verdict)i),
                                json_integer((json_int_t)v->counts[i]));
    return o;
}

static json_t *spread(const struct spread_figures *s)
{
    return !s->count
               ? json_null()
               : json_pack("{s:o,s:o,s:o,s:o}", "min", seconds(s->least), "median",
                           seconds(s->median), "p95", seconds(s->p95), "max", seconds(s->most));
}

static json_t *keepalive(const struct report_keepalive *k)
{
    return json_pack("{s:I,s:I,s:o,s:o,s:{s:I,s:o,s:o}}", "sent", (json_int_t)k->sent, "answered",
                     (json_int_t)k->answered, "rtt", spread(&k->rtt), "longest_silence",
                     seconds(k->silence), "peer", "probes", (json_int_t)k->peer_probes, "after",
                     spread(&k->peer_after), "apart", spread(&k->peer_apart));
}

static json_t *port_of(const struct flow *flow, bool peer)
{
    char addr[ADDR_TEXT];

    return json_pack("{s:s,s:i}", "addr",
                     addr_text(flow->v6, peer ? &flow->remote : &flow->local, addr), "port",
                     (int)(peer ? flow->rport : flow->lport));
}

static json_t *crafted(const struct report_send *s)
{
    json_t *ranges = json_array(), *o;

    for (unsigned i = 0; i < s->ranges; i++)
        json_array_append_new(ranges, json_pack("[I,I]", (json_int_t)s->unanswered[i].first,
                                                (json_int_t)s->unanswered[i].last));
    o = json_pack("{s:I,s:I,s:o,s:I,s:{s:I,s:I,s:I,s:I,s:I}}", "sent", (json_int_t)s->sent,
                  "answered", (json_int_t)s->answered, "unanswered", ranges, "unanswered_more",
                  (json_int_t)s->more, "answers", "syn_ack", (json_int_t)s->syn_ack, "rst",
                  (json_int_t)s->rst, "ack", (json_int_t)s->ack, "other", (json_int_t)s->other,
                  "icmp", (json_int_t)s->icmp);
    json_object_update_new(o, json_pack("{s:I,s:I,s:I,s:I,s:I,s:i}", "duplicates",
                                        (json_int_t)s->duplicates, "late", (json_int_t)s->late,
                                        "out_of_order", (json_int_t)s->out_of_order, "strays",
                                        (json_int_t)s->strays, "malformed",
                                        (json_int_t)s->malformed, "ports", (int)s->ports));
    json_object_set_new(o, "rtt", spread(&s->rtt));
    json_object_set_new(o, "rtt_stddev", seconds(s->rtt.count ? s->rtt_stddev : WAVE_NEVER));
    json_object_set_new(o, "rate", s->rate > 0 ? json_real(s->rate) : json_null());
    json_object_set_new(o, "rate_reached", s->sent > 1 ? json_real(s->reached) : json_null());
    return o;
}

static void verdict(json_t *to, const struct report_verdict *v)
{
    json_object_set_new(to, "command", json_string(v->command));
    json_object_set_new(to, "verdict", json_string(verdict_name(v->verdict)));
    json_object_set_new(to, "exit", json_integer(v->exit));
    if (v->flow)
        connection(to, v->flow);
    if (v->by)
        json_object_set_new(to, "close",
                            json_pack("{s:s,s:o}", "by", v->by, "kind", text_or_null(v->kind)));
    if (v->half_close)
        json_object_set_new(
            to, "half_close",
            json_pack("{s:I,s:I,s:o,s:b}", "bytes", (json_int_t)v->half_close->bytes, "segments",
                      (json_int_t)v->half_close->segments, "seconds",
                      seconds(v->half_close->duration), "honoured", v->half_close->honoured));
    if (v->send) {
        json_object_set_new(to, "local", port_of(v->send->flow, false));
        json_object_set_new(to, "peer", port_of(v->send->flow, true));
        json_object_set_new(to, "send", crafted(v->send));
    }
    if (v->keepalive)
        json_object_set_new(to, "keepalive", keepalive(v->keepalive));
    if (v->counts)
        json_object_set_new(to, "connections", counts(v));
    if (!v->per_connection) {
        json_object_set_new(to, "guard", text_or_null(v->guard));
        json_object_set_new(to, "capture",
                            json_pack("{s:I,s:I}", "received", (json_int_t)v->captured, "dropped",
                                      (json_int_t)v->dropped));
        json_object_set_new(to, "outgoing",
                            json_pack("{s:I,s:I}", "segments", (json_int_t)v->sent, "no_room",
                                      (json_int_t)v->no_room));
    }
    ending_json(to, &v->left_out);
    json_object_set_new(to, "message", json_string(v->message ? v->message : ""));
}

static void fill(json_t *to, const struct report_event *e)
{
    switch (e->kind) {
    case REPORT_SEGMENT:
        segment(to, &e->u.segment);
        break;
    case REPORT_STATE:
        state(to, &e->u.state);
        break;
    case REPORT_ICMP:
        icmp(to, &e->u.icmp);
        break;
    case REPORT_PROBE:
        json_object_set_new(to, "n", json_integer(e->u.probe.n));
        json_object_set_new(to, "answered", json_boolean(e->u.probe.answered));
        json_object_set_new(to, "rtt", seconds(e->u.probe.answered ? e->u.probe.rtt : WAVE_NEVER));
        break;
    case REPORT_NOTE:
        json_object_set_new(to, "text", json_string(e->u.note.text));
        break;
    case REPORT_UNANSWERED:
        json_object_set_new(to, "number", json_integer((json_int_t)e->u.unanswered.number));
        json_object_set_new(to, "waited", seconds(e->u.unanswered.waited));
        break;
    case REPORT_VERDICT:
        verdict(to, &e->u.verdict);
        break;
    case REPORT_WAIT:
        break;
    }
}

void render_json(void *self, const struct report_event *e)
{
    static const char *const name[] = {
        [REPORT_SEGMENT] = "segment",       [REPORT_STATE] = "state",    [REPORT_ICMP] = "icmp",
        [REPORT_PROBE] = "probe",           [REPORT_NOTE] = "note",      [REPORT_WAIT] = "wait",
        [REPORT_UNANSWERED] = "unanswered", [REPORT_VERDICT] = "verdict"};
    struct render_json *j = self;

    if (e->kind == REPORT_WAIT)
        return;
    render_json_begin();
    json_t *line = json_object();
    json_object_set_new(line, "event", json_string(name[e->kind]));
    json_object_set_new(line, "time", seconds(e->at));
    if (e->connection)
        json_object_set_new(line, "connection", json_integer(e->connection));
    fill(line, e);
    if (!render_json_end(line, JSON_LINE, j->to))
        j->failed = true;
}
