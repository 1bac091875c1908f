/*
 * The members of a flow, and of each of its two directions. A capture may have a hundred thousand
 * flows, so that lines are written digit by digit, and not by a library that makes an object of
 * each number.
 */
#include "lib/show/flow_json.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "lib/core/addr.h"
#include "lib/core/icmp.h"

#define ROOM 16384 /* bytes of a line, at most; the longest one has 5000 */

/* A line that is being written. */
struct draft {
    size_t len;
    bool first; /* no comma before the next member */
    bool full;
    char text[ROOM];
};

static void raw(struct draft *d, const char *text, size_t len)
{
    if (len > sizeof d->text - d->len) {
        d->full = true;
        return;
    }
    memcpy(d->text + d->len, text, len);
    d->len += len;
}

static void byte(struct draft *d, char c)
{
    raw(d, &c, 1);
}

/* Writes a string. What is not printable ASCII becomes a question mark: nothing here should have
 * it. */
static void string(struct draft *d, const char *text)
{
    byte(d, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            byte(d, '\\');
        byte(d, (char)(*text >= ' ' && *text < 0x7f ? *text : '?'));
    }
    byte(d, '"');
}

/* Writes a number with at least so many digits. */
static void number(struct draft *d, uint64_t n, unsigned least)
{
    char digits[20];
    unsigned at = sizeof digits;

    do
        digits[--at] = (char)('0' + n % 10);
    while ((n /= 10) || sizeof digits - at < least);
    raw(d, digits + at, sizeof digits - at);
}

/* Writes the name of the next member. */
static void name(struct draft *d, const char *text)
{
    if (!d->first)
        byte(d, ',');
    d->first = false;
    byte(d, '"');
    raw(d, text, strlen(text));
    raw(d, "\":", 2);
}

static void begin(struct draft *d, const char *text)
{
    if (text)
        name(d, text);
    byte(d, '{');
    d->first = true;
}

static void end(struct draft *d)
{
    byte(d, '}');
    d->first = false;
}

static void put_null(struct draft *d, const char *text)
{
    name(d, text);
    raw(d, "null", 4);
}

static void put_count(struct draft *d, const char *text, uint64_t n)
{
    name(d, text);
    number(d, n, 1);
}

static void put_known(struct draft *d, const char *text, bool known, uint64_t n)
{
    if (known)
        put_count(d, text, n);
    else
        put_null(d, text);
}

static void put_bool(struct draft *d, const char *text, bool is)
{
    name(d, text);
    raw(d, is ? "true" : "false", is ? 4 : 5);
}

static void put_text(struct draft *d, const char *text, const char *value)
{
    if (!value) {
        put_null(d, text);
        return;
    }
    name(d, text);
    string(d, value);
}

/* Writes nanoseconds as seconds, exactly, without zeros at the end. */
static void put_seconds(struct draft *d, const char *text, wave_time t)
{
    if (t == WAVE_NEVER) {
        put_null(d, text);
        return;
    }
    name(d, text);
    number(d, t / WAVE_S, 1);
    byte(d, '.');
    number(d, t % WAVE_S, 9);
    while (d->text[d->len - 1] == '0' && d->text[d->len - 2] != '.')
        d->len--;
}

/* Writes a rate, which is not negative. */
static void put_rate(struct draft *d, const char *text, double rate)
{
    name(d, text);
    number(d, (uint64_t)rate, 1);
    byte(d, '.');
    number(d, (uint64_t)((rate - (double)(uint64_t)rate) * 1000), 3);
}

/* Writes a stamp as a date of UTC (RFC 3339), with nanoseconds. */
static void put_date(struct draft *d, const char *text, wave_time stamp)
{
    const time_t whole = (time_t)(stamp / WAVE_S);
    struct tm utc;
    char day[40], date[64];

    if (!gmtime_r(&whole, &utc) || !strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &utc)) {
        put_null(d, text);
        return;
    }
    snprintf(date, sizeof date, "%s.%09" PRIu64 "Z", day, stamp % WAVE_S);
    put_text(d, text, date);
}

static void rtt(struct draft *d, const struct measure_rtt *r, const struct measure_room *room)
{
    begin(d, "rtt");
    put_count(d, "samples", r->count);
    put_seconds(d, "min", measure_rtt(r, room, 0));
    put_seconds(d, "median", measure_rtt(r, room, 50));
    put_seconds(d, "p95", measure_rtt(r, room, 95));
    end(d);
}

static void offers(struct draft *d, const struct measure_syn *s)
{
    if (!s->seen) {
        put_null(d, "offers");
        return;
    }
    begin(d, "offers");
    put_known(d, "mss", s->has & OPT_MSS, s->mss);
    put_known(d, "wscale", s->has & OPT_WSCALE, s->wscale);
    put_bool(d, "sack", s->has & OPT_SACK_PERMITTED);
    put_bool(d, "timestamps", s->has & OPT_TIMESTAMP);
    put_count(d, "window", s->window);
    if (s->differs) {
        put_known(d, "mss_elsewhere", s->other & OPT_MSS, s->other_mss);
        put_known(d, "wscale_elsewhere", s->other & OPT_WSCALE, s->other_wscale);
        put_bool(d, "sack_elsewhere", s->other & OPT_SACK_PERMITTED);
        put_bool(d, "timestamps_elsewhere", s->other & OPT_TIMESTAMP);
    }
    end(d);
}

/* Adds the numbers of a direction that are plain counts. */
static void counts(struct draft *d, const struct measure_side *s)
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
        put_count(d, all[i].name, all[i].n);
}

static void side(struct draft *d, const struct watched *w, enum track_side which,
                 const struct measure_room *room)
{
    const struct measure_side *s = &w->measure.side[which];
    const struct flow *f = &w->flow;
    const struct track_view v = track_view(&w->track, which);
    char addr[ADDR_TEXT];

    begin(d, flow_side_name(which));
    put_text(d, "addr", addr_text(f->v6, which == TRACK_A ? &f->local : &f->remote, addr));
    put_count(d, "port", which == TRACK_A ? f->lport : f->rport);
    put_text(d, "state", state_name(v.state));
    put_text(d, "certainty", v.certainty == CERTAINTY_PROVED ? "proved" : "assumed");
    counts(d, s);
    put_seconds(d, "zero_window_time", measure_zero_for(s, w->measure.last));
    put_seconds(d, "idle", s->idle);
    put_rate(d, "throughput", measure_throughput(s));
    put_rate(d, "goodput", measure_goodput(s));
    rtt(d, &s->rtt, room);
    offers(d, &s->syn);
    put_known(d, "ttl", s->ttl != 0, s->ttl);
    end(d);
}

static void handshake(struct draft *d, const struct watched *w)
{
    const struct measure *m = &w->measure;

    begin(d, "handshake");
    put_seconds(d, "rtt", measure_handshake(m));
    put_seconds(d, "to_server", m->to_server);
    put_seconds(d, "to_client", m->to_client);
    put_count(d, "syns", m->side[TRACK_A].syns);
    put_count(d, "syn_acks", m->side[TRACK_B].syns);
    end(d);
}

static void closing(struct draft *d, const struct watched *w, const struct flow_verdict *v)
{
    bool doubt = false;

    for (unsigned i = 0; i < TRACK_SIDES; i++)
        doubt |= w->rst[i].segment && flow_rst_doubtful(w, i);
    begin(d, "close");
    put_text(d, "by", v->by);
    put_text(d, "kind", v->kind);
    if (w->rst[TRACK_A].segment || w->rst[TRACK_B].segment)
        put_bool(d, "rst_doubtful", doubt);
    end(d);
}

/* Begins the line of an event about a flow. */
static void event(struct draft *d, const char *what, wave_time at, const struct watched *w)
{
    d->len = 0;
    d->full = false;
    begin(d, NULL);
    put_text(d, "event", what);
    put_seconds(d, "time", at);
    put_count(d, "connection", w->number);
}

static bool write_line(FILE *to, struct draft *d)
{
    end(d);
    byte(d, '\n');
    return !d->full && fwrite(d->text, 1, d->len, to) == d->len;
}

static bool finding(FILE *to, struct draft *d, wave_time at, const struct watched *w,
                    const struct finding *f)
{
    event(d, "finding", at, w);
    put_text(d, "code", f->code);
    put_text(d, "severity", finding_severity_name(f->severity));
    put_text(d, "certainty", finding_certainty_name(f->certainty));
    put_text(d, "subject", finding_subject_name(f->subject));
    name(d, "evidence");
    byte(d, '[');
    for (unsigned i = 0; i < f->evidences; i++) {
        if (i)
            byte(d, ',');
        number(d, f->evidence[i], 1);
    }
    byte(d, ']');
    put_text(d, "message", f->message);
    put_text(d, "advice", f->advice[0] ? f->advice : NULL);
    return write_line(to, d);
}

static wave_time since(wave_time stamp, wave_time origin)
{
    return stamp > origin ? stamp - origin : 0;
}

bool flow_json(FILE *to, wave_time origin, const struct watched *w, const struct flow_verdict *v,
               const struct findings *list, const struct measure_room *room)
{
    const struct measure *m = &w->measure;
    const wave_time last = since(m->last, origin);
    const struct finding *strongest = flow_strongest(list);
    struct draft d;
    bool good = true;

    for (unsigned i = 0; i < list->count; i++)
        good = finding(to, &d, last, w, &list->at[i]) && good;
    event(&d, "flow", last, w);
    side(&d, w, TRACK_A, room);
    side(&d, w, TRACK_B, room);
    put_bool(&d, "sides_known", w->sides_known);
    put_date(&d, "date", m->first);
    put_seconds(&d, "start", since(m->first, origin));
    put_seconds(&d, "duration", m->last - m->first);
    put_seconds(&d, "idle", m->idle);
    handshake(&d, w);
    closing(&d, w, v);
    put_text(&d, "history", w->zeek.history);
    put_text(&d, "conn_state", zeek_state(&w->zeek));
    put_text(&d, "verdict", verdict_name(v->verdict));
    put_text(&d, "message", v->text);
    put_text(&d, "finding", strongest ? strongest->code : NULL);
    put_bool(&d, "reopened", w->again);
    put_bool(&d, "forgotten", w->cut);
    put_count(&d, "elsewhere", w->elsewhere);
    put_count(&d, "fragmented", w->fragments);
    put_count(&d, "icmp_errors", w->icmps);
    return write_line(to, &d) && good;
}
