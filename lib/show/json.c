/*
 * Builds one object for each event with Jansson and writes it as a line. Each kind of event has a
 * function that adds its members; the verdict's are the most.
 */
#include "lib/show/json.h"

#include <jansson.h>
#include <math.h>

#include "lib/core/addr.h"

/* Doubles are good for 15 digits. That is enough for the nanoseconds of an eleven-day run, without
 * digits of noise. */
#define JSON_LINE (JSON_COMPACT | JSON_REAL_PRECISION(15))

/* A line that is being built. Jansson reports missing memory only where a value is made or added,
 * and then omits the value. A line that has lost a part is not written. */
struct draft {
    bool lost;
};

/* Adds the value, which may be missing, to an object under that name, or to an array. */
static void put(struct draft *d, json_t *to, const char *name, json_t *value)
{
    int error = name ? json_object_set_new(to, name, value) : json_array_append_new(to, value);

    d->lost = d->lost || error;
}

static void put_count(struct draft *d, json_t *to, const char *name, uint64_t n)
{
    put(d, to, name, json_integer((json_int_t)n));
}

/* Makes a JSON string. JSON allows only UTF-8, but the name of a file in a message may have any
 * bytes. If the text is not UTF-8, each byte beyond ASCII becomes a question mark. */
static json_t *string(const char *text)
{
    json_t *whole = json_string(text);
    char ascii[1024];
    bool beyond = false;
    size_t n;

    if (whole)
        return whole;
    for (n = 0; n < sizeof ascii && text[n]; n++) {
        beyond = beyond || (text[n] & 0x80);
        ascii[n] = (char)(text[n] & 0x80 ? '?' : text[n]);
    }
    return beyond ? json_stringn(ascii, n) : NULL;
}

static void put_text(struct draft *d, json_t *to, const char *name, const char *text)
{
    put(d, to, name, text ? string(text) : json_null());
}

static void put_bool(struct draft *d, json_t *to, const char *name, bool boolean)
{
    put(d, to, name, json_boolean(boolean));
}

static void put_seconds(struct draft *d, json_t *to, const char *name, wave_time t)
{
    put(d, to, name, t == WAVE_NEVER ? json_null() : json_real((double)t / 1e9));
}

/* Adds the number, or null if it is not known. */
static void put_known(struct draft *d, json_t *to, const char *name, bool known, uint64_t n)
{
    put(d, to, name, known ? json_integer((json_int_t)n) : json_null());
}

static json_t *pair(struct draft *d, uint64_t first, uint64_t second)
{
    json_t *two = json_array();

    put_count(d, two, NULL, first);
    put_count(d, two, NULL, second);
    return two;
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

/* Makes the list of options that have no member of their own: [{"kind":34,"data":"..."}, ...]. */
static json_t *other_options(struct draft *d, const struct opt *o)
{
    json_t *list = json_array();
    size_t at = 0;

    while (o->raw && at < o->raw_len && o->raw[at] != OPT_KIND_EOL) {
        if (o->raw[at] == OPT_KIND_NOP) {
            at++;
            continue;
        }
        if (at + 1 >= o->raw_len || o->raw[at + 1] < 2 || at + o->raw[at + 1] > o->raw_len)
            break; /* an impossible length: what follows has no beginning */
        if (!decoded(o->raw[at])) {
            json_t *one = json_object();
            put_count(d, one, "kind", o->raw[at]);
            put(d, one, "data", hex(o->raw + at + 2, (size_t)o->raw[at + 1] - 2));
            put(d, list, NULL, one);
        }
        at += o->raw[at + 1];
    }
    return list;
}

static json_t *options(struct draft *d, const struct opt *o)
{
    json_t *all = json_object();

    if (o->has & OPT_MSS)
        put_count(d, all, "mss", o->mss);
    if (o->has & OPT_WSCALE)
        put_count(d, all, "wscale", o->wscale);
    if (o->has & OPT_SACK_PERMITTED)
        put_bool(d, all, "sack_permitted", true);
    if (o->has & OPT_SACK) {
        json_t *blocks = json_array();
        for (unsigned i = 0; i < o->sacks; i++)
            put(d, blocks, NULL, pair(d, o->sack[i].first.v, o->sack[i].end.v));
        put(d, all, "sack", blocks);
    }
    if (o->has & OPT_TIMESTAMP) {
        json_t *stamp = json_object();
        put_count(d, stamp, "val", o->tsval);
        put_count(d, stamp, "ecr", o->tsecr);
        put(d, all, "timestamp", stamp);
    }
    if (o->has & OPT_OTHER)
        put(d, all, "other", other_options(d, o));
    return all;
}

/* Adds which segment this one answers, outside any connection. The remarks go into `notes`. */
static void answer(struct draft *d, json_t *to, json_t *list, const struct report_answer *a)
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

    put_known(d, to, "answers", !a->stray, a->to);
    put_seconds(d, to, "rtt", a->stray ? WAVE_NEVER : a->rtt);
    for (size_t i = 0; i < sizeof remarks / sizeof remarks[0]; i++)
        if (remarks[i].is)
            put_text(d, list, NULL, remarks[i].name);
}

static json_t *segment_notes(struct draft *d, const struct report_segment *g)
{
    static const struct {
        unsigned bit;
        const char *name;
    } notes[] = {{TRACK_OUT_OF_ORDER, "out_of_order"},
                 {TRACK_DUPLICATE_ACK, "duplicate_ack"},
                 {TRACK_PROBE, "probe"},
                 {TRACK_PROBE_ANSWER, "probe_answer"},
                 {TRACK_WINDOW_PROBE, "window_probe"},
                 {TRACK_CHALLENGE, "challenge_ack"},
                 {TRACK_OUT_OF_WINDOW, "out_of_window"},
                 {TRACK_ZERO_WINDOW, "zero_window"}};
    json_t *list = json_array();

    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++)
        if (g->notes & notes[i].bit)
            put_text(d, list, NULL, notes[i].name);
    if (g->foreign)
        put_text(d, list, NULL, "not_ours");
    if (g->missed)
        put_text(d, list, NULL, "not_captured");
    if (g->repair)
        put_text(d, list, NULL, "repair");
    return list;
}

static void put_mac(struct draft *d, json_t *to, const uint8_t mac[REPORT_MAC])
{
    char text[MAC_TEXT];

    put_text(d, to, "mac", mac_text(mac, text));
}

/* Makes what a rule did to the segment. */
static json_t *impaired(struct draft *d, const struct impaired *i)
{
    static const struct {
        unsigned bit;
        const char *name;
    } acts[] = {{IMPAIRED_DROPPED, "dropped"},     {IMPAIRED_DUPLICATED, "duplicated"},
                {IMPAIRED_DELAYED, "delayed"},     {IMPAIRED_REORDERED, "reordered"},
                {IMPAIRED_CORRUPTED, "corrupted"}, {IMPAIRED_TRUNCATED, "truncated"},
                {IMPAIRED_REWRITTEN, "rewritten"}, {IMPAIRED_RESET, "reset"},
                {IMPAIRED_INVENTED, "invented"},   {IMPAIRED_BROKEN, "bad_checksum"}};
    json_t *o = json_object(), *list = json_array();

    for (size_t k = 0; k < sizeof acts / sizeof acts[0]; k++)
        if (i->acts & acts[k].bit)
            put_text(d, list, NULL, acts[k].name);
    put_count(d, o, "rule", i->rule);
    put_text(d, o, "words", i->words);
    put(d, o, "acts", list);
    put_text(d, o, "what", i->what);
    put_bool(d, o, "on_wire", i->on_wire);
    return o;
}

static void segment(struct draft *d, json_t *to, const struct report_segment *g, bool strangers)
{
    const struct seg *s = &g->packet->seg;
    bool ack = s->flags & SEG_ACK;
    char flags[SEG_FLAGS_TEXT];
    json_t *list;

    put_count(d, to, "number", g->number);
    if (strangers)
        put_text(d, to, "from", g->out ? "client" : "server");
    else
        put_text(d, to, "dir", g->out ? "out" : "in");
    put_count(d, to, "seq", s->seq.v);
    put_known(d, to, "ack", ack, s->ack.v);
    put_count(d, to, "rel_seq", g->rel_seq);
    put_known(d, to, "rel_ack", ack, g->rel_ack);
    put_text(d, to, "flags", seg_flags_text(s->flags, flags));
    put_count(d, to, "window", s->wnd);
    put_count(d, to, "window_bytes", g->window);
    put_count(d, to, "length", s->len);
    put_count(d, to, "ttl", g->packet->ttl);
    put(d, to, "options", options(d, &s->opt));
    put_bool(d, to, "retransmission", g->retransmission);
    if (g->repeats)
        put_count(d, to, "repeats", g->repeats);
    if (g->fragments)
        put_count(d, to, "fragments", g->fragments);
    if (g->mac)
        put_mac(d, to, g->mac);
    if (g->impaired)
        put(d, to, "impaired", impaired(d, g->impaired));
    list = segment_notes(d, g);
    if (g->answer)
        answer(d, to, list, g->answer);
    put(d, to, "notes", list);
}

static void state(struct draft *d, json_t *to, const struct report_state *s, bool strangers)
{
    const char *certainty = !s->peer && !strangers             ? "known"
                            : s->certainty == CERTAINTY_PROVED ? "proved"
                                                               : "assumed";

    if (strangers)
        put_text(d, to, "side", s->peer ? "server" : "client");
    else
        put_text(d, to, "side", s->peer ? "peer" : "local");
    put_text(d, to, "from", state_name(s->from));
    put_text(d, to, "to", state_name(s->to));
    put_text(d, to, "certainty", certainty);
    put_known(d, to, "evidence", s->evidence != 0, s->evidence);
    put_text(d, to, "cause", s->cause);
}

static json_t *quotes(struct draft *d, const struct icmp *e)
{
    const struct flow *flow = &e->flow;
    char local[ADDR_TEXT], remote[ADDR_TEXT];
    json_t *o = json_object();

    put_text(d, o, "source", addr_text(flow->v6, &flow->local, local));
    put_count(d, o, "source_port", flow->lport);
    put_text(d, o, "destination", addr_text(flow->v6, &flow->remote, remote));
    put_count(d, o, "destination_port", flow->rport);
    put_known(d, o, "seq", e->has_seq, e->seq.v);
    return o;
}

static void icmp(struct draft *d, json_t *to, const struct report_icmp *i)
{
    const struct icmp *e = &i->error;
    bool v6 = e->flow.v6;
    char from[ADDR_TEXT];

    put_count(d, to, "type", e->type);
    put_count(d, to, "code", e->code);
    put_text(d, to, "from", addr_text(v6, &e->from, from));
    put_text(d, to, "text", icmp_text(v6, e->type, e->code));
    if (e->meaning == ICMP_TOO_BIG)
        put_count(d, to, "mtu", e->mtu);
    put_bool(d, to, "fatal", i->fatal);
    if (i->answer) {
        json_t *list = json_array();
        answer(d, to, list, i->answer);
        put(d, to, "notes", list);
    }
    put(d, to, "quotes", quotes(d, e));
}

static json_t *side(struct draft *d, const struct flow *flow, bool peer, enum state now,
                    const char *certainty)
{
    char addr[ADDR_TEXT];
    json_t *o = json_object();

    put_text(d, o, "addr", addr_text(flow->v6, peer ? &flow->remote : &flow->local, addr));
    put_count(d, o, "port", peer ? flow->rport : flow->lport);
    put_text(d, o, "state", state_name(now));
    if (certainty)
        put_text(d, o, "certainty", certainty);
    return o;
}

/* Adds whether the peer offered it; null if its SYN was not captured. */
static void put_offer(struct draft *d, json_t *to, const char *name, const struct report_flow *f,
                      bool offered)
{
    put(d, to, name, f->offered ? json_boolean(offered) : json_null());
}

static json_t *handshake(struct draft *d, const struct report_flow *f)
{
    const struct opt *o = &f->theirs;
    json_t *h = json_object();

    put_seconds(d, h, "rtt", f->rtt);
    put_count(d, h, "syn_sent", f->syn_sent);
    put_known(d, h, "mss", o->has & OPT_MSS, o->mss);
    put_known(d, h, "wscale", o->has & OPT_WSCALE, o->wscale);
    put_offer(d, h, "sack", f, o->has & OPT_SACK_PERMITTED);
    put_offer(d, h, "timestamps", f, o->has & OPT_TIMESTAMP);
    put_offer(d, h, "ecn", f, f->their_flags & SEG_ECE);
    return h;
}

static void connection(struct draft *d, json_t *to, const struct report_flow *f)
{
    bool proved = f->peer.certainty == CERTAINTY_PROVED;

    put(d, to, "local", side(d, &f->flow, false, f->local, NULL));
    put(d, to, "peer", side(d, &f->flow, true, f->peer.state, proved ? "proved" : "assumed"));
    put(d, to, "handshake", handshake(d, f));
    put_count(d, to, "sent_bytes", f->sent_bytes);
    put_count(d, to, "received_bytes", f->received_bytes);
    put_count(d, to, "retransmissions", f->retransmissions);
    if (f->unstamped)
        put_count(d, to, "unstamped", f->unstamped);
}

/* Makes the value of a figure; a group and a list are empty at first. */
static json_t *value(struct draft *d, const struct figure *f)
{
    switch (f->kind) {
    case FIGURE_COUNT:
        return json_integer((json_int_t)f->u.count);
    case FIGURE_REAL:
        return isfinite(f->u.real) ? json_real(f->u.real) : json_null();
    case FIGURE_SECONDS:
        return f->u.time == WAVE_NEVER ? json_null() : json_real((double)f->u.time / 1e9);
    case FIGURE_BOOL:
        return json_boolean(f->u.boolean);
    case FIGURE_TEXT:
        return f->u.text ? string(f->u.text) : json_null();
    case FIGURE_RANGE:
        return pair(d, f->u.range.first, f->u.range.last);
    case FIGURE_GROUP:
        return json_object();
    case FIGURE_LIST:
        return json_array();
    case FIGURE_UNKNOWN:
    case FIGURE_END:
        break;
    }
    return json_null();
}

static void figures(struct draft *d, json_t *to, const struct figures *f)
{
    json_t *open[FIGURES_DEPTH + 1] = {to};
    unsigned depth = 0;

    for (unsigned i = 0; i < f->items; i++) {
        const struct figure *item = &f->item[i];
        json_t *made;
        if (item->kind == FIGURE_END) {
            depth--;
            continue;
        }
        made = value(d, item);
        put(d, open[depth], item->name, made);
        if (d->lost) /* what was made may have been freed */
            return;
        if (item->kind == FIGURE_GROUP || item->kind == FIGURE_LIST)
            open[++depth] = made;
    }
}

static void finding(struct draft *d, json_t *to, const struct finding *f)
{
    json_t *evidence = json_array();

    for (unsigned i = 0; i < f->evidences; i++)
        put_count(d, evidence, NULL, f->evidence[i]);
    put_text(d, to, "code", f->code);
    put_text(d, to, "severity", finding_severity_name(f->severity));
    put_text(d, to, "certainty", finding_certainty_name(f->certainty));
    put_text(d, to, "subject", finding_subject_name(f->subject));
    put(d, to, "evidence", evidence);
    put_text(d, to, "message", f->message);
    put_text(d, to, "advice", f->advice[0] ? f->advice : NULL);
}

static void expect(struct draft *d, json_t *to, const struct expect *e)
{
    put_text(d, to, "script", e->script);
    put_count(d, to, "line", e->line);
    put_bool(d, to, "passed", e->passed);
    put_text(d, to, "expected", e->expected);
    put_text(d, to, "got", e->got);
}

static void left_out(struct draft *d, json_t *to, const struct report_left_out *l)
{
    json_t *o;

    if (!l->lines && !l->packets && !l->bytes)
        return;
    o = json_object();
    put_count(d, o, "lines", l->lines);
    put_count(d, o, "packets", l->packets);
    put_count(d, o, "bytes", l->bytes);
    put(d, to, "left_out", o);
}

/* Adds the members about the run as a whole. */
static void run(struct draft *d, json_t *to, const struct report_verdict *v)
{
    json_t *capture = json_object(), *outgoing = json_object();

    put_text(d, to, "guard", v->guard);
    if (v->simulated)
        put_text(d, to, "simulated", v->simulated);
    put_count(d, capture, "received", v->captured);
    put_count(d, capture, "dropped", v->dropped);
    put(d, to, "capture", capture);
    put_count(d, outgoing, "segments", v->sent);
    put_count(d, outgoing, "no_room", v->no_room);
    put(d, to, "outgoing", outgoing);
}

/* Adds how many segments of the peer's were discarded, by reason. */
static void ignored(struct draft *d, json_t *to, const struct report_flow *f)
{
    static const char *const name[CHECK_COUNT] = {[CHECK_BAD_ACK_IN_HANDSHAKE] =
                                                      "bad_ack_in_handshake",
                                                  [CHECK_NO_SYN] = "no_syn",
                                                  [CHECK_PAWS] = "old_timestamp",
                                                  [CHECK_SEQUENCE] = "outside_window",
                                                  [CHECK_RST_SEQUENCE] = "rst_not_at_edge",
                                                  [CHECK_SYN_IN_WINDOW] = "syn_in_window",
                                                  [CHECK_NO_ACK] = "no_ack",
                                                  [CHECK_ACK_TOO_OLD] = "ack_too_old",
                                                  [CHECK_ACK_UNSENT] = "ack_unsent",
                                                  [CHECK_CLOSED] = "closed",
                                                  [CHECK_MEMORY] = "no_memory"};
    json_t *o = json_object();

    for (unsigned i = 0; i < CHECK_COUNT; i++)
        if (name[i] && f->signs.refused[i])
            put_count(d, o, name[i], f->signs.refused[i]);
    put(d, to, "ignored", o);
}

/* Adds the findings, and what was discarded of the peer's. */
static void conclusions(struct draft *d, json_t *to, const struct report_verdict *v)
{
    json_t *list = json_array();

    if (v->flow && !v->flow->strangers)
        ignored(d, to, v->flow);
    for (unsigned i = 0; v->findings && i < v->findings->count; i++) {
        json_t *one = json_object();
        finding(d, one, &v->findings->at[i]);
        put(d, list, NULL, one);
    }
    put(d, to, "findings", list);
}

/* Adds the rules of --impair, and how often each of them matched. */
static void impairments(struct draft *d, json_t *to, const struct impairments *rules)
{
    json_t *list;

    if (!rules || !rules->count)
        return;
    list = json_array();
    for (unsigned i = 0; i < rules->count; i++) {
        json_t *one = json_object();
        put_text(d, one, "rule", rules->at[i].rule);
        put_count(d, one, "matched", rules->at[i].matched);
        put_count(d, one, "seen", rules->at[i].seen);
        put_count(d, one, "held", rules->at[i].held);
        put(d, list, NULL, one);
    }
    put(d, to, "impairments", list);
}

/* The other addresses of the peer's name. */
static void addresses(struct draft *d, json_t *to, const struct report_verdict *v)
{
    json_t *list = json_array();
    char text[ADDR_TEXT];

    for (uint32_t i = 0; i < v->address_count; i++)
        put(d, list, NULL, json_string(addr_text(v->addresses[i].v6, &v->addresses[i].addr, text)));
    put(d, to, "addresses", list);
}

static void verdict(struct draft *d, json_t *to, const struct report_verdict *v)
{
    put_text(d, to, "command", v->command);
    put_text(d, to, "verdict", verdict_name(v->verdict));
    put(d, to, "exit", json_integer(v->exit));
    if (v->flow && !v->flow->strangers)
        connection(d, to, v->flow);
    if (v->by) {
        json_t *close = json_object();
        put_text(d, close, "by", v->by);
        put_text(d, close, "kind", v->kind);
        put(d, to, "close", close);
    }
    if (v->figures)
        figures(d, to, v->figures);
    if (!v->per_connection)
        run(d, to, v);
    if (v->addresses)
        addresses(d, to, v);
    impairments(d, to, v->impairments);
    conclusions(d, to, v);
    left_out(d, to, &v->left_out);
    put_text(d, to, "message", v->message ? v->message : "");
}

static void fill(struct draft *d, json_t *to, const struct report_event *e)
{
    switch (e->kind) {
    case REPORT_SEGMENT:
        segment(d, to, &e->u.segment, e->flow && e->flow->strangers);
        break;
    case REPORT_STATE:
        state(d, to, &e->u.state, e->flow && e->flow->strangers);
        break;
    case REPORT_ICMP:
        icmp(d, to, &e->u.icmp);
        break;
    case REPORT_PROBE:
        put_count(d, to, "n", e->u.probe.n);
        put_bool(d, to, "answered", e->u.probe.answered);
        put_seconds(d, to, "rtt", e->u.probe.answered ? e->u.probe.rtt : WAVE_NEVER);
        break;
    case REPORT_NOTE:
        put_text(d, to, "text", e->u.note.text);
        break;
    case REPORT_UNANSWERED:
        put_count(d, to, "number", e->u.unanswered.number);
        put_seconds(d, to, "waited", e->u.unanswered.waited);
        break;
    case REPORT_PROGRESS:
        figures(d, to, e->u.progress);
        break;
    case REPORT_FINDING:
        finding(d, to, e->u.found.finding);
        break;
    case REPORT_EXPECT:
        expect(d, to, e->u.expect);
        break;
    case REPORT_IDLE:
        put_seconds(d, to, "silence", e->u.idle.silence);
        put_text(d, to, "outcome", e->u.idle.outcome);
        put_text(d, to, "by", e->u.idle.by);
        put_text(d, to, "note", e->u.idle.note);
        break;
    case REPORT_VERDICT:
        verdict(d, to, &e->u.verdict);
        break;
    case REPORT_WAIT:
        break;
    }
}

void render_json(void *self, const struct report_event *e)
{
    static const char *const name[] = {[REPORT_SEGMENT] = "segment",
                                       [REPORT_STATE] = "state",
                                       [REPORT_ICMP] = "icmp",
                                       [REPORT_PROBE] = "probe",
                                       [REPORT_NOTE] = "note",
                                       [REPORT_WAIT] = "wait",
                                       [REPORT_UNANSWERED] = "unanswered",
                                       [REPORT_PROGRESS] = "progress",
                                       [REPORT_FINDING] = "finding",
                                       [REPORT_EXPECT] = "expect",
                                       [REPORT_IDLE] = "idle",
                                       [REPORT_VERDICT] = "verdict"};
    struct render_json *j = self;
    struct draft d = {false};
    json_t *line;

    if (e->kind == REPORT_WAIT)
        return;
    line = json_object();
    put_text(&d, line, "event", name[e->kind]);
    put_seconds(&d, line, "time", e->at);
    if (e->connection)
        put_count(&d, line, "connection", e->connection);
    fill(&d, line, e);
    if (d.lost || json_dumpf(line, j->to, JSON_LINE) != 0 || fputc('\n', j->to) == EOF)
        j->failed = true;
    json_decref(line);
}
