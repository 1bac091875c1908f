/* The members of a flow, and of each of its two directions. */
#include "lib/show/flow_json.h"

#include <inttypes.h>
#include <jansson.h>
#include <time.h>

#include "lib/core/addr.h"
#include "lib/core/icmp.h"

#define JSON_LINE (JSON_COMPACT | JSON_REAL_PRECISION(15))

static void put(json_t *to, const char *name, json_t *value, bool *lost)
{
    *lost |= json_object_set_new(to, name, value) != 0;
}

static json_t *count(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *seconds(wave_time t)
{
    return t == WAVE_NEVER ? json_null() : json_real((double)t / 1e9);
}

/* Writes a stamp as a date of UTC (RFC 3339), with nanoseconds. */
static json_t *date(wave_time stamp)
{
    const time_t whole = (time_t)(stamp / WAVE_S);
    struct tm utc;
    char day[40], text[64];

    if (!gmtime_r(&whole, &utc) || !strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &utc))
        return json_null();
    snprintf(text, sizeof text, "%s.%09" PRIu64 "Z", day, stamp % WAVE_S);
    return json_string(text);
}

static json_t *rtt(const struct measure_rtt *r, const struct measure_room *room, bool *lost)
{
    json_t *o = json_object();

    put(o, "samples", count(r->count), lost);
    put(o, "min", seconds(measure_rtt(r, room, 0)), lost);
    put(o, "median", seconds(measure_rtt(r, room, 50)), lost);
    put(o, "p95", seconds(measure_rtt(r, room, 95)), lost);
    return o;
}

static json_t *offers(const struct measure_syn *s, bool *lost)
{
    json_t *o;

    if (!s->seen)
        return json_null();
    o = json_object();
    put(o, "mss", s->has & OPT_MSS ? count(s->mss) : json_null(), lost);
    put(o, "wscale", s->has & OPT_WSCALE ? count(s->wscale) : json_null(), lost);
    put(o, "sack", json_boolean(s->has & OPT_SACK_PERMITTED), lost);
    put(o, "timestamps", json_boolean(s->has & OPT_TIMESTAMP), lost);
    put(o, "window", count(s->window), lost);
    if (s->differs)
        put(o, "mss_elsewhere", s->other & OPT_MSS ? count(s->other_mss) : json_null(), lost);
    return o;
}

/* Adds the numbers of a direction that are plain counts. */
static void counts(json_t *o, const struct measure_side *s, bool *lost)
{
    const struct {
        const char *name;
        uint64_t n;
    } all[] = {{"segments", s->segments},
               {"bytes", s->bytes},
               {"ip_bytes", s->ip_bytes},
               {"retransmissions", s->retransmissions},
               {"retransmitted_bytes", s->retransmitted_bytes},
               {"spurious", s->spurious},
               {"fast", s->fast},
               {"timeouts", s->timeouts},
               {"out_of_order", s->out_of_order},
               {"duplicates", s->duplicates},
               {"gaps", s->gaps},
               {"missing", measure_missing(s)},
               {"not_captured", s->not_captured},
               {"duplicate_acks", s->duplicate_acks},
               {"dsacks", s->dsacks},
               {"zero_windows", s->zero_windows},
               {"window_full", s->window_full},
               {"window_max", s->window_max},
               {"keepalives", s->keepalives},
               {"window_probes", s->window_probes},
               {"challenge_acks", s->challenges},
               {"unacceptable", s->unacceptable},
               {"resets", s->resets},
               {"initial_window", s->initial_window},
               {"in_flight", s->in_flight},
               {"largest", s->largest}};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        put(o, all[i].name, count(all[i].n), lost);
}

static json_t *side(const struct watched *w, enum track_side which, const struct measure_room *room,
                    bool *lost)
{
    const struct measure_side *s = &w->measure.side[which];
    const struct flow *f = &w->flow;
    const struct track_view v = track_view(&w->track, which);
    char addr[ADDR_TEXT];
    json_t *o = json_object();

    put(o, "addr", json_string(addr_text(f->v6, which == TRACK_A ? &f->local : &f->remote, addr)),
        lost);
    put(o, "port", count(which == TRACK_A ? f->lport : f->rport), lost);
    put(o, "state", json_string(state_name(v.state)), lost);
    put(o, "certainty", json_string(v.certainty == CERTAINTY_PROVED ? "proved" : "assumed"), lost);
    counts(o, s, lost);
    put(o, "zero_window_time", seconds(measure_zero_for(s, w->measure.last)), lost);
    put(o, "idle", seconds(s->idle), lost);
    put(o, "throughput", json_real(measure_throughput(s)), lost);
    put(o, "goodput", json_real(measure_goodput(s)), lost);
    put(o, "rtt", rtt(&s->rtt, room, lost), lost);
    put(o, "offers", offers(&s->syn, lost), lost);
    put(o, "ttl", s->ttl ? count(s->ttl) : json_null(), lost);
    return o;
}

static json_t *handshake(const struct watched *w, bool *lost)
{
    const struct measure *m = &w->measure;
    json_t *o = json_object();

    put(o, "rtt", seconds(measure_handshake(m)), lost);
    put(o, "to_server", seconds(m->to_server), lost);
    put(o, "to_client", seconds(m->to_client), lost);
    put(o, "syns", count(m->side[TRACK_A].syns), lost);
    put(o, "syn_acks", count(m->side[TRACK_B].syns), lost);
    return o;
}

static json_t *closing(const struct watched *w, const struct flow_verdict *v, bool *lost)
{
    json_t *o = json_object();
    bool doubt = false;

    for (unsigned i = 0; i < TRACK_SIDES; i++)
        doubt |= w->rst[i].segment && flow_rst_doubtful(w, i);
    put(o, "by", json_string(v->by), lost);
    put(o, "kind", v->kind ? json_string(v->kind) : json_null(), lost);
    if (w->rst[TRACK_A].segment || w->rst[TRACK_B].segment)
        put(o, "rst_doubtful", json_boolean(doubt), lost);
    return o;
}

/* Begins the line of an event about a flow. */
static json_t *event(const char *name, wave_time at, const struct watched *w, bool *lost)
{
    json_t *o = json_object();

    put(o, "event", json_string(name), lost);
    put(o, "time", seconds(at), lost);
    put(o, "connection", count(w->number), lost);
    return o;
}

static bool write_line(FILE *to, json_t *o, bool lost)
{
    const bool good = !lost && json_dumpf(o, to, JSON_LINE) == 0 && fputc('\n', to) != EOF;

    json_decref(o);
    return good;
}

static bool finding(FILE *to, wave_time at, const struct watched *w, const struct finding *f)
{
    bool lost = false;
    json_t *o = event("finding", at, w, &lost), *evidence = json_array();

    for (unsigned i = 0; i < f->evidences; i++)
        lost |= json_array_append_new(evidence, count(f->evidence[i])) != 0;
    put(o, "code", json_string(f->code), &lost);
    put(o, "severity", json_string(finding_severity_name(f->severity)), &lost);
    put(o, "certainty", json_string(finding_certainty_name(f->certainty)), &lost);
    put(o, "subject", json_string(finding_subject_name(f->subject)), &lost);
    put(o, "evidence", evidence, &lost);
    put(o, "message", json_string(f->message), &lost);
    put(o, "advice", f->advice[0] ? json_string(f->advice) : json_null(), &lost);
    return write_line(to, o, lost);
}

static wave_time since(wave_time stamp, wave_time origin)
{
    return stamp > origin ? stamp - origin : 0;
}

bool flow_json(FILE *to, wave_time origin, const struct watched *w, const struct flow_verdict *v,
               const struct findings *list, const struct measure_room *room)
{
    const struct measure *m = &w->measure;
    const wave_time end = since(m->last, origin);
    const struct finding *strongest = flow_strongest(list);
    bool lost = false, good = true;
    json_t *o;

    for (unsigned i = 0; i < list->count; i++)
        good = finding(to, end, w, &list->at[i]) && good;
    o = event("flow", end, w, &lost);
    put(o, "client", side(w, TRACK_A, room, &lost), &lost);
    put(o, "server", side(w, TRACK_B, room, &lost), &lost);
    put(o, "sides_known", json_boolean(w->sides_known), &lost);
    put(o, "date", date(m->first), &lost);
    put(o, "start", seconds(since(m->first, origin)), &lost);
    put(o, "duration", seconds(m->last - m->first), &lost);
    put(o, "idle", seconds(m->idle), &lost);
    put(o, "handshake", handshake(w, &lost), &lost);
    put(o, "close", closing(w, v, &lost), &lost);
    put(o, "history", json_string(w->zeek.history), &lost);
    put(o, "conn_state", json_string(zeek_state(&w->zeek)), &lost);
    put(o, "verdict", json_string(verdict_name(v->verdict)), &lost);
    put(o, "message", json_string(v->text), &lost);
    put(o, "finding", strongest ? json_string(strongest->code) : json_null(), &lost);
    put(o, "reopened", json_boolean(w->again), &lost);
    put(o, "forgotten", json_boolean(w->cut), &lost);
    put(o, "elsewhere", count(w->elsewhere), &lost);
    put(o, "fragmented", count(w->fragments), &lost);
    put(o, "icmp_errors", count(w->icmps), &lost);
    return write_line(to, o, lost) && good;
}
