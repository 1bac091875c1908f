/*
 * What the rows of the table share (find_peer.c, find_path.c, find_local.c): the sentence, the
 * advice and the evidence of a finding.
 */
#ifndef TCPWAVE_REPORT_FIND_H
#define TCPWAVE_REPORT_FIND_H

#include "lib/report/diagnose.h"
#include "lib/report/human.h"

/* Returns whether a rule of an impairment has done something by now, to this connection or, where
 * only the run is known, to any. */
static inline bool impaired(const struct facts *k)
{
    return k->flow->signs.impaired || impairments_matched(k->impairments);
}

/* Returns the words with which a user asks for it. */
static inline const char *ask(const struct facts *k, enum how_to_what what)
{
    return how_to(k->how_to, what);
}

/* Set the sentence, and the advice. */
void finding_say(struct finding *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
void finding_advise(struct finding *f, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Add as evidence the segments that show a sign, or the segment of that number. */
void finding_cite(struct finding *f, const struct sign *s);
void finding_cite_segment(struct finding *f, uint32_t number);

/* Returns how often the sign was seen. */
static inline uint32_t count(const struct facts *k, enum sign_kind kind)
{
    return signs_count(&k->flow->signs, kind);
}

/* Returns on how many of many connections that was seen; 0 where there is one. */
static inline uint32_t on_many(const struct facts *k, enum many_kind kind)
{
    return k->many ? k->many->count[kind] : 0;
}

/* Returns whether so many connections explain why a run of many failed. */
static inline bool many_failed(const struct facts *k, uint32_t n)
{
    return k->many && k->verdict != VERDICT_OPEN && n >= k->many->failed - k->many->failed / 2;
}

/* Makes the finding a warning where it is about some of many connections, and they do not explain
 * why the run failed. */
static inline void weigh_many(const struct facts *k, uint32_t n, struct finding *f)
{
    if (n && !many_failed(k, n))
        f->severity = FINDING_WARNING;
}

#define ON_SOME (2 * HUMAN_TEXT + 32) /* bytes of on_some() */

/* Writes on how many connections it was seen, as the sentence begins: "on 3 of 40 connections ".
 * Writes nothing for 0, and where there is one connection. Returns text. */
const char *on_some(const struct facts *k, uint32_t n, char text[ON_SOME]);

/* Returns whether segments of ours did not leave this host while others did: the capture, which
 * lost nothing, shows these alone. A few may have other reasons. */
static inline bool kept_here(const struct facts *k)
{
    const uint32_t kept = count(k, SIGN_KEPT);

    return k->host && !k->host->lost && kept >= 3 && kept >= k->flow->segments[0] / 10;
}

/* Returns whether the peer's windows are read with too small a scale, since a device on the way
 * changed that of its SYN-ACK: they are then larger than they look. No scale makes a window as
 * small as some are (RFC 7323, 2.3). */
static inline bool scale_rewritten(const struct facts *k)
{
    const struct signs *s = &k->flow->signs;

    return count(k, SIGN_WINDOW_BACK) &&
           !(k->over && s->narrow_since && s->narrow < k->flow->syn_window >> 14);
}

/* Adds as evidence the segments that show the sign. */
static inline void cite(const struct facts *k, enum sign_kind kind, struct finding *f)
{
    finding_cite(f, &k->flow->signs.of[kind]);
}

#endif
