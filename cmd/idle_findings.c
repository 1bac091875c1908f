/* The finding of `tcpwave idle`: what forgets or ends a silent connection, and what to do. */
#include <stdio.h>
#include <string.h>

#include "cmd/idle.h"
#include "lib/report/find.h"
#include "lib/report/human.h"

/* Findings that segments alone cannot show, in the form of the tables of lib/report/find_*.c. */
static const struct {
    const char *code;
    enum finding_severity severity;
    enum finding_subject subject;
} row[] = {
    {"forgotten-when-idle", FINDING_WARNING, FINDING_PATH},
    {"closed-when-idle", FINDING_INFO, FINDING_PEER},
    {"reset-when-idle", FINDING_PROBLEM, FINDING_PEER},
};

enum { FORGOTTEN, CLOSED, RESET };

/* Writes the silence after which connections end. If no shorter one was survived, it is not known
 * at which time within it that happened. */
static const char *when(const struct idle *x, const struct idle_answer *a,
                        char text[2 * HUMAN_TEXT + 16])
{
    char low[HUMAN_TEXT], high[HUMAN_TEXT];

    if (a->kind == IDLE_AT)
        snprintf(text, 2 * HUMAN_TEXT + 16, "after %s", human_duration(a->died, high));
    else if (a->kind == IDLE_SHORTER || x->options->keepalive || x->options->at_least)
        snprintf(text, 2 * HUMAN_TEXT + 16, "within %s", human_duration(a->died, high));
    else if (a->kind == IDLE_VARIES)
        snprintf(text, 2 * HUMAN_TEXT + 16, "after %s to %s", human_duration(a->died, low),
                 human_duration(a->survived, high));
    else
        snprintf(text, 2 * HUMAN_TEXT + 16, "after %s to %s", human_duration(a->survived, low),
                 human_duration(a->died, high));
    return text;
}

static void advise(const struct idle *x, const struct idle_answer *a, struct finding *f)
{
    const wave_time interval = x->options->keepalive ? 0 : idle_keepalive(x, a);
    char t[HUMAN_TEXT];

    if (x->options->state == IDLE_SYN_RECEIVED)
        finding_advise(f, "no probe holds a half-open connection: a client has to answer the "
                          "SYN-ACK, or to retransmit its third segment, within that time");
    else if (interval)
        finding_advise(f,
                       "have one of the ends send keepalive probes every %s (SO_KEEPALIVE with "
                       "TCP_KEEPIDLE, or net.ipv4.tcp_keepalive_time)",
                       human_duration(interval, t));
    else if (a->kind == IDLE_AT)
        finding_advise(f, "lengthen the idle timeout of the server, or send something of the "
                          "application's before it is over: probes of TCP do not count for it");
}

void idle_diagnose(const struct idle *x, const struct idle_answer *a, struct findings *list)
{
    const char *by = idle_by(x, a);
    const bool path = by && strcmp(by, "path") == 0;
    const unsigned which = a->how == IDLE_CLOSED ? CLOSED
                           : a->how == IDLE_RESET && !path && (by || a->kind == IDLE_AT)
                               ? RESET
                               : FORGOTTEN;
    struct finding f = {.code = row[which].code,
                        .severity = row[which].severity,
                        .subject = row[which].subject,
                        .certainty = idle_by_proved(x, a) ? FINDING_PROVED : FINDING_LIKELY};
    const char *some = a->kind == IDLE_VARIES ? "some " : "";
    char text[2 * HUMAN_TEXT + 16];

    if (a->died == WAVE_NEVER || !a->alike || (which == FORGOTTEN && by && !path) ||
        (which == FORGOTTEN && idle_blame(x).unknown))
        return;
    if (a->kind == IDLE_AT && (a->died < WAVE_S || x->lost || !a->confirmed))
        return; /* no timer of silence, the end of the peer itself, or perhaps a single event */
    if (which == FORGOTTEN)
        finding_say(&f, "something on the path forgets %sconnections %s of silence", some,
                    when(x, a, text));
    else if (which == RESET && a->kind != IDLE_AT)
        finding_say(&f, "the peer forgets %sconnections %s of silence, and answers with RST", some,
                    when(x, a, text));
    else
        finding_say(&f, "%sconnections are %s %s%s", some, which == CLOSED ? "closed" : "reset",
                    when(x, a, text),
                    x->options->keepalive ? ", in spite of keepalive probes" : " of silence");
    advise(x, a, &f);
    findings_add(list, &f);
}
