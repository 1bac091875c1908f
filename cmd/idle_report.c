/* What `tcpwave idle` tells: a row for each sample, progress, and the verdict with its evidence. */
#include "cmd/idle.h"

#include <stdio.h>
#include <string.h>

#include "lib/core/addr.h"
#include "lib/core/icmp.h"
#include "lib/core/text.h"
#include "lib/report/human.h"

#define PROGRESS_LIVE WAVE_S /* on a terminal */
#define PROGRESS_JSON WAVE_MIN
#define KINDS (IDLE_VARIES + 1)

void idle_tell(struct idle *x, uint32_t number, const struct idle_sample *sample, const char *by,
               const char *note)
{
    const bool begins = x->search.pass != x->told_pass;
    struct session *s = x->session;
    struct report_event e = {.kind = REPORT_IDLE,
                             .connection = number,
                             .u.idle = {.silence = sample->silence,
                                        .outcome = idle_outcome_name(sample->outcome),
                                        .by = by,
                                        .note = note,
                                        .begins = begins ? x->search.pass : 0}};

    x->told_pass = x->search.pass;
    report_tell(&s->report, session_stamp(s), &e);
}

/*
 * Figures
 */

static const char *kind_name(enum idle_answer_kind kind)
{
    static const char *const name[KINDS] = {
        [IDLE_UNKNOWN] = "unknown", [IDLE_LONGER] = "longer", [IDLE_SHORTER] = "shorter",
        [IDLE_BETWEEN] = "between", [IDLE_AT] = "at",         [IDLE_VARIES] = "varies"};

    return name[kind];
}

static void counts(struct figures *f, const struct idle_answer *a)
{
    figures_group(f, "samples");
    for (unsigned i = 0; i <= IDLE_INCONCLUSIVE; i++)
        figures_count(f, idle_outcome_name((enum idle_outcome)i), a->samples[i]);
    figures_end(f);
}

static void time_or_unknown(struct figures *f, const char *name, wave_time t)
{
    if (t && t != WAVE_NEVER)
        figures_seconds(f, name, t);
    else
        figures_unknown(f, name);
}

/* Returns how often the peer did not hold a connection. */
static uint32_t not_held(const struct idle *x)
{
    uint32_t n = 0;

    for (unsigned i = 0; i < IDLE_UNHELD_KINDS; i++)
        n += x->unheld[i];
    return n;
}

/* Adds the members for JSON. */
static void members(const struct idle *x, const struct idle_answer *a, struct figures *f)
{
    const bool dies = a->died != WAVE_NEVER;

    figures_group(f, "idle");
    figures_text(f, "limit", kind_name(a->kind));
    time_or_unknown(f, "survived", a->survived);
    time_or_unknown(f, "died", a->died);
    figures_text(f, "outcome", dies ? idle_outcome_name(a->how) : NULL);
    figures_text(f, "by", idle_by(x, a));
    time_or_unknown(f, "keepalive", idle_keepalive(x, a));
    figures_count(f, "passes", x->search.pass);
    figures_count(f, "not_held", not_held(x));
    counts(f, a);
    figures_end(f);
}

/* Returns how many connections are silent now. */
static unsigned silent_now(const struct idle *x)
{
    unsigned n = 0;

    for (struct session_conn *c = session_first(x->session); c; c = session_next(x->session, c)) {
        const struct idle_conn *one = (const struct idle_conn *)(const void *)c;
        n += !one->control && one->step <= IDLE_QUIET;
    }
    return n;
}

static void progress_row(const struct idle *x, wave_time silence, wave_time left, struct figures *f)
{
    const unsigned n = silent_now(x);
    char t[2][HUMAN_TEXT];

    if (n)
        figures_row(f, "", "pass %u: %u connection%s silent for %s, at most %s to go",
                    x->search.pass, n, n == 1 ? "" : "s", human_duration(silence, t[0]),
                    human_duration(left, t[1]));
    else
        figures_row(f, "", "pass %u: waiting for answers", x->search.pass);
}

wave_time idle_progress(struct idle *x, wave_time now, bool now_for_sure)
{
    const struct session *s = x->session;
    const struct show_options *show = &x->options->show;
    const wave_time every = show->json ? PROGRESS_JSON : PROGRESS_LIVE;
    const wave_time left = x->pass_ends > now ? x->pass_ends - now : 0;
    struct figures *f = &x->figures;
    struct idle_answer a;

    if (!show->json && (show->quiet || !s->config.live))
        return WAVE_NEVER;
    if (!now_for_sure && now < x->told_at + every)
        return x->told_at + every;
    x->told_at = now;
    idle_search_answer(&x->search, &a);
    figures_clear(f);
    figures_group(f, "idle");
    figures_count(f, "pass", x->search.pass);
    figures_count(f, "silent", x->search.pending);
    figures_seconds(f, "elapsed", now - x->pass_began);
    figures_seconds(f, "left", left);
    time_or_unknown(f, "survived", a.survived);
    time_or_unknown(f, "died", a.died);
    figures_end(f);
    progress_row(x, now - x->pass_began, left, f);
    report_progress(&x->session->report, session_stamp(s), f);
    return now + every;
}

/*
 * The sentence
 */

static const char *state_text(const struct idle *x)
{
    static const char *const text[] = {[IDLE_ESTABLISHED] = "an established",
                                       [IDLE_HALF_CLOSED] = "a half-closed",
                                       [IDLE_SYN_RECEIVED] = "a half-open"};

    return text[x->options->state];
}

/* Writes the ends of the bracket as people read them. Seconds that are left out are rounded so that
 * the limit lies between the two; where both look the same, none are. */
static void bracket_text(const struct idle_answer *a, char low[HUMAN_TEXT], char high[HUMAN_TEXT])
{
    const wave_time unit = a->died < 2 * WAVE_MIN ? 10 * WAVE_MS : WAVE_S;

    human_duration(a->survived, low);
    human_duration((a->died + unit - 1) / unit * unit, high);
    if (strcmp(low, high) != 0)
        return;
    snprintf(low, HUMAN_TEXT, "%.3f s", (double)a->survived / (double)WAVE_S);
    snprintf(high, HUMAN_TEXT, "%.3f s", (double)a->died / (double)WAVE_S);
}

static const char *times(uint32_t n, char text[HUMAN_TEXT])
{
    if (n < 4)
        return n == 3 ? "three times" : n == 2 ? "twice" : n ? "once" : "never";
    snprintf(text, HUMAN_TEXT, "%u times", n);
    return text;
}

/* Returns what becomes of a forgotten connection, in words that follow "forgets it". */
static const char *manner(const struct idle_answer *a)
{
    if (!a->alike)
        return ", in several ways";
    switch (a->how) {
    case IDLE_RESET:
        return ", and a RST answers what comes later";
    case IDLE_ICMP:
        return ", and an ICMP error answers what comes later";
    case IDLE_SILENT:
        return " silently";
    default:
        return "";
    }
}

/* Returns how many connections died. */
static uint32_t dead(const struct idle_answer *a)
{
    return a->samples[IDLE_RESET] + a->samples[IDLE_SILENT] + a->samples[IDLE_ICMP] +
           a->samples[IDLE_CLOSED];
}

/* Says that the connection is forgotten, and by whom where that is known. */
static void say_forgotten(const struct idle *x, const struct idle_answer *a, struct text_out *w)
{
    const char *by = idle_by(x, a);

    if (a->how == IDLE_CLOSED && a->alike)
        text_add(w, "the peer closes %s connection with a FIN", state_text(x));
    else if (by)
        text_add(w, "%sthe %s forgets %s connection%s", idle_by_proved(x, a) ? "" : "likely ", by,
                 state_text(x), manner(a));
    else
        text_add(w, "%s connection is forgotten%s", state_text(x), manner(a));
}

static void say_between(const struct idle *x, const struct idle_answer *a, struct text_out *w)
{
    char low[HUMAN_TEXT], high[HUMAN_TEXT], n[HUMAN_TEXT];

    bracket_text(a, low, high);
    text_add(w, "between %s and %s of silence ", low, high);
    say_forgotten(x, a, w);
    text_add(w, "; %s or less was survived %s", low, times(a->samples[IDLE_ALIVE], n));
    text_add(w, ", %s or more was not, %s", high, times(dead(a), n));
}

/* Returns the time after which the other end acted, as it saw it: its timer began when our last
 * segment came there, and its own arrived here a round trip after we had sent that. */
static wave_time timer(const struct idle *x, const struct idle_answer *a)
{
    const wave_time grain = a->died < 10 * WAVE_S ? WAVE_S / 2 : WAVE_S;
    const wave_time t = a->died > x->rtt ? a->died - x->rtt : 0;

    return (t + grain / 2) / grain * grain;
}

/* Returns whether that is a round time. All ends must have come within a few hundredths of a second
 * of it: by chance that is rare. */
static bool is_round(const struct idle *x, const struct idle_answer *a)
{
    const wave_time t = timer(x, a) + x->rtt, slack = 30 * WAVE_MS;

    return a->deaths >= 2 && t > x->rtt && a->died + slack >= t && a->died_last <= t + slack;
}

/* Says that connections were seen to end, and when. */
static void say_ended(const struct idle *x, const struct idle_answer *a, struct text_out *w)
{
    const bool fin = a->how == IDLE_CLOSED;
    char first[HUMAN_TEXT], last[HUMAN_TEXT], range[2 * HUMAN_TEXT + 8];

    human_duration(a->died, first);
    human_duration(a->died_last, last);
    if (strcmp(first, last) != 0)
        snprintf(range, sizeof range, "%s to %s", first, last);
    else
        snprintf(range, sizeof range, "%s", first);
    if (fin && x->options->state == IDLE_HALF_CLOSED) {
        text_add(w, "the peer sends its own FIN %s after ours", range);
        return;
    }
    if (fin)
        say_forgotten(x, a, w);
    else
        text_add(w, "%s connection is reset%s%s", state_text(x),
                 idle_by(x, a) ? ", likely by the " : "", idle_by(x, a) ? idle_by(x, a) : "");
    text_add(w, "%s after %s%s", !fin && idle_by(x, a) ? "," : "", range,
             x->options->keepalive ? "" : " of silence");
}

static void say_at(const struct idle *x, const struct idle_answer *a, struct text_out *w)
{
    char n[HUMAN_TEXT];

    say_ended(x, a, w);
    text_add(w, "; seen %s", times(a->deaths, n));
    if (!a->confirmed)
        text_add(w, ", at one time only, so that it may be a single event, such as a restart");
    if (is_round(x, a))
        text_add(w, "; without the round trip that is %s, a round time",
                 human_duration(timer(x, a), n));
    if (idle_blame(x).control && x->options->state == IDLE_ESTABLISHED)
        text_add(w, "; keepalive probes do not prevent it: the control connection was %s as well",
                 a->how == IDLE_CLOSED ? "closed" : "reset");
}

static void say_varies(const struct idle *x, const struct idle_answer *a, struct text_out *w)
{
    char low[HUMAN_TEXT], high[HUMAN_TEXT], n[2][HUMAN_TEXT];

    text_add(w, "no single limit: ");
    say_forgotten(x, a, w);
    text_add(
        w,
        " after %s already, and %s was survived; in that range %s connections died, and %s lived",
        human_duration(a->died, low), human_duration(a->survived, high),
        human_count(a->deaths, n[0]), human_count(a->survivals, n[1]));
}

/* Says what a search has found. */
static void say_found(const struct idle *x, const struct idle_answer *a, struct text_out *w)
{
    char t[HUMAN_TEXT];

    switch (a->kind) {
    case IDLE_UNKNOWN:
        text_add(w, "no connection was silent long enough to say anything");
        break;
    case IDLE_LONGER:
        text_add(w, "nothing forgets %s connection within %s of silence, the longest that %s",
                 state_text(x), human_duration(a->survived, t),
                 x->done && !x->hindered ? "was tried" : "is over");
        break;
    case IDLE_SHORTER:
        text_add(w, "within %s of silence, the shortest that was tried, ",
                 human_duration(a->died, t));
        say_forgotten(x, a, w);
        text_add(w, "; give a shorter --from");
        break;
    case IDLE_BETWEEN:
        say_between(x, a, w);
        break;
    case IDLE_AT:
        say_at(x, a, w);
        break;
    case IDLE_VARIES:
        say_varies(x, a, w);
        break;
    }
    if (idle_keepalive(x, a))
        text_add(w, "; suggested keepalive: %s", human_duration(idle_keepalive(x, a), t));
}

/* Says what a test has found: --at-least, or --keepalive. */
static void say_tested(const struct idle *x, const struct idle_answer *a, struct text_out *w)
{
    const struct idle_options *o = x->options;
    const uint32_t lived = a->samples[IDLE_ALIVE];
    char t[HUMAN_TEXT], all[HUMAN_TEXT];

    if (a->kind == IDLE_UNKNOWN)
        text_add(w, "no connection was silent long enough to say anything");
    else if (o->keepalive)
        text_add(w, "a probe every %s %s %s connection open for %s",
                 human_duration(o->keepalive, t), dead(a) ? "does not hold" : "holds",
                 state_text(x), human_duration(o->to, all));
    else
        text_add(w, "%s connection %s %s of silence", state_text(x),
                 dead(a) ? "does not survive" : "survives", human_duration(o->at_least, t));
    if (lived || dead(a))
        text_add(w, "; %u of %u lived", lived, lived + dead(a));
    if (dead(a)) {
        text_add(w, ": ");
        if (a->kind == IDLE_AT)
            say_ended(x, a, w);
        else
            say_forgotten(x, a, w);
    }
}

/* Says that connections ended together, and that this was no limit. */
static void say_event(const struct idle_answer *a, struct text_out *w)
{
    char t[HUMAN_TEXT];

    if (a->event)
        text_add(w,
                 "; %s %s after %s in a single event, since that silence was survived at another "
                 "time",
                 a->event == 1 ? "a connection was" : "connections were",
                 a->event_is == IDLE_CLOSED ? "closed" : "reset", human_duration(a->event_at, t));
}

/* Says that the peer itself ends each silence. */
static void say_hindered(const struct idle *x, struct text_out *w)
{
    char t[HUMAN_TEXT];

    if (x->hindered && x->spoke_count)
        text_add(
            w,
            "; the peer itself sends at intervals of about %s, so that a longer silence cannot "
            "be made",
            human_duration(x->spoke_sum / x->spoke_count, t));
}

static const char advice[] =
    "its accept queue is likely full: try fewer at a time (--parallel), or "
    "look at the queue there (ss -ltn: Recv-Q beyond Send-Q)";

/* Says that the peer did not hold connections, which were left out. */
static void say_left_out(const struct idle *x, struct text_out *w)
{
    const bool one = x->left_out == 1;

    if (x->left_out)
        text_add(w,
                 "; %u connection%s left out, since the peer did not take %s, or did not hold %s "
                 "after the handshake: %s",
                 x->left_out, one ? " is" : "s are", one ? "it" : "them", one ? "it" : "them",
                 advice);
}

/* Says why the run ended before the answer was known. */
static void say_why(const struct idle *x, struct text_out *w)
{
    const struct session *s = x->session;
    char t[HUMAN_TEXT];

    if (x->done)
        return;
    if (s->stop == STOP_SIGNAL)
        text_add(w, "interrupted by a signal; so far: ");
    else if (s->stop == STOP_TIMEOUT)
        text_add(
            w, "the timeout of %s ran out; so far: ", human_duration(x->options->show.timeout, t));
}

static bool is_test(const struct idle *x)
{
    return x->options->keepalive || x->options->at_least;
}

/* Returns whether what was asked is known, and as it should be. */
static bool went_well(const struct idle *x, const struct idle_answer *a)
{
    if (!x->done || a->kind == IDLE_UNKNOWN || (x->hindered && a->kind == IDLE_LONGER))
        return false;
    return !is_test(x) || !dead(a);
}

/* Says what was seen of connections that the peer did not hold. */
static void unheld_rows(const struct idle *x, struct figures *f)
{
    static const char *const seen[IDLE_UNHELD_KINDS] = {
        [IDLE_UNHELD_RST] = "a RST answered the first probe",
        [IDLE_UNHELD_SILENT] = "nothing answered the first probes",
        [IDLE_UNHELD_SYN_ACK] = "the peer repeated its SYN-ACK",
        [IDLE_UNHELD_FIN] = "nothing acknowledged our FIN",
        [IDLE_UNHELD_REFUSED] = "a RST answered our SYN, while another connection was open",
        [IDLE_UNHELD_SYN] = "nothing answered our SYNs, while another connection was open"};
    const char *label = "not held";

    for (unsigned i = 0; i < IDLE_UNHELD_KINDS; i++) {
        if (!x->unheld[i])
            continue;
        figures_row(f, label, "%u time%s: %s", x->unheld[i], x->unheld[i] == 1 ? "" : "s", seen[i]);
        label = "";
    }
    if (*label)
        return;
    figures_row(f, "",
                "so does a peer whose accept queue is full: try fewer at a time (--parallel),");
    figures_row(f, "", "or look at the queue there (ss -ltn: Recv-Q beyond Send-Q)");
}

static void rows(const struct idle *x, const struct idle_answer *a, struct figures *f)
{
    const struct idle_blame blame = idle_blame(x);
    char text[128] = "", router[ADDR_TEXT], t[HUMAN_TEXT];

    for (unsigned i = 0; i < IDLE_INCONCLUSIVE; i++)
        human_add(text, sizeof text, a->samples[i], idle_outcome_name((enum idle_outcome)i));
    figures_row(f, "samples", "%u in %u pass%s%s%s", x->search.samples, x->search.pass,
                x->search.pass == 1 ? "" : "es", *text ? ": " : "", text);
    if (a->event)
        figures_row(f, "", "%u say nothing: they ended in a single event", a->event);
    if (a->samples[IDLE_INCONCLUSIVE] > a->event)
        figures_row(f, "", "%u say nothing: %s", a->samples[IDLE_INCONCLUSIVE] - a->event,
                    x->doubt ? x->doubt : "they were not finished");
    unheld_rows(x, f);
    if (blame.had)
        figures_row(f, "who", "the peer still had %u of the connections that died", blame.had);
    else if (a->samples[IDLE_RESET] && blame.path)
        figures_row(f, "who", "likely the path: the RST has another TTL than the peer's segments");
    else if (a->samples[IDLE_RESET] && blame.peer)
        figures_row(f, "who",
                    "likely the peer, or a device as far away: the RST has the TTL of the peer's "
                    "segments");
    if (x->has_icmp)
        figures_row(f, "icmp", "%s (type %u, code %u), from %s",
                    icmp_text(x->target.v6, x->icmp_type, x->icmp_code), x->icmp_type, x->icmp_code,
                    addr_text(x->target.v6, &x->icmp_from, router));
    if (x->repeated)
        figures_row(f, "peer", "repeated its SYN-ACK until %s after the first one",
                    human_duration(x->repeated, t));
    if (x->control_silent)
        figures_row(f, "control", "did not survive %s of silence; probed more often then",
                    human_duration(x->control_silent, t));
}

/* Returns whether the peer answers, and takes no connections any more. */
static bool refuses(const struct idle *x)
{
    return x->control && conn_end(session_engine(x->session, &x->control->conn)) == END_REFUSED;
}

/* Returns whether the run ended since the peer holds no control connection. */
static bool unheld(const struct idle *x)
{
    return x->control_unheld && x->control && x->control->step == IDLE_PROVING;
}

/* Says that the peer was lost while connections were silent. */
static void say_lost(const struct idle *x, const struct idle_answer *a, struct text_out *w)
{
    char name[ADDR_PORT_TEXT], t[HUMAN_TEXT];

    if (refuses(x)) {
        text_add(w, "%s refuses new connections since the control connection ended",
                 addr_port_text(x->target.v6, &x->target.addr, x->target.port, name));
        return;
    }
    if (unheld(x)) {
        text_add(w,
                 "%s completes handshakes and does not hold the connections: neither the control "
                 "connection nor others in its place; %s",
                 addr_port_text(x->target.v6, &x->target.addr, x->target.port, name), advice);
        return;
    }
    text_add(
        w,
        "%s stopped answering: neither the control connection, which was never silent for long, "
        "nor a new one",
        addr_port_text(x->target.v6, &x->target.addr, x->target.port, name));
    if (a->survived)
        text_add(w, "; until then %s of silence was survived", human_duration(a->survived, t));
}

void idle_conclude(struct idle *x, struct outcome *o, struct findings *list)
{
    struct session *s = x->session;
    struct text_out w = {o->message, sizeof o->message, 0};
    struct idle_answer a;

    idle_search_answer(&x->search, &a);
    *o = (struct outcome){.verdict = VERDICT_FAILED};
    figures_clear(&x->figures);
    if (s->stop == STOP_LOCAL) {
        o->verdict = VERDICT_LOCAL;
        text_add(&w, "%s", s->error.text);
    } else if (x->lost) {
        o->verdict = refuses(x) || unheld(x) ? VERDICT_FAILED : VERDICT_LOST;
        say_lost(x, &a, &w);
    } else if (!x->search.pass && x->control) { /* the first connection was not opened */
        session_outcome(s, &x->control->conn, o);
        return;
    } else {
        o->verdict = went_well(x, &a) ? VERDICT_OPEN : VERDICT_FAILED;
        say_why(x, &w);
        if (is_test(x))
            say_tested(x, &a, &w);
        else
            say_found(x, &a, &w);
        say_event(&a, &w);
        say_hindered(x, &w);
        say_left_out(x, &w);
    }
    o->exit = s->signal ? 128 + s->signal : (int)o->verdict;
    idle_diagnose(x, &a, list);
    members(x, &a, &x->figures);
    rows(x, &a, &x->figures);
}
