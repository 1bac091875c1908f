/*
 * Evaluates the keepalive probes of one connection. Ours show whether the peer lives and how fast
 * it answers; the peer's show how its keepalive is configured.
 *
 * The engine knows what a segment meant, and the captured segments know when it was. Therefore a
 * round trip lies between two stamps of the capture and contains no delay of the scheduler.
 */
#ifndef TCPWAVE_RUN_PROBES_H
#define TCPWAVE_RUN_PROBES_H

#include "lib/core/histogram.h"
#include "lib/report/report.h"
#include "lib/run/session.h"

struct probes {
    uint32_t sent, answered, from_peer;
    uint32_t asked;     /* number of our probe that is not yet answered, or 0 */
    wave_time asked_at; /* when it was captured; WAVE_NEVER: not yet */
    /* Times of segments since the run's first event, valid once `any` is set. */
    bool any, heard;
    wave_time last_at;   /* of either side */
    wave_time heard_at;  /* of the peer's last segment */
    wave_time gap;       /* between the peer's last segment and the one before it, of either side */
    wave_time silence;   /* the longest between two segments of the peer's */
    wave_time probed_at; /* of the peer's last probe */
    struct histogram rtt, after, apart;
};

/* Takes an event of the report: notes the times of segments. */
void probes_watch(struct probes *p, const struct report_event *e);

/* Takes an event of the engine, for session_ops.event: counts, and reports each probe of ours as
 * soon as its result is known. */
void probes_event(struct probes *p, struct session *s, struct session_conn *c,
                  const struct event *e);

/* Adds the rows and members of the verdict. */
void probes_figures(const struct probes *p, struct figures *f);

#endif
