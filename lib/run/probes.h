/*
 * What keepalive probes tell: ours whether the peer lives, and how fast it answers; the peer's how
 * it is configured. Of one connection.
 *
 * The engine says what a segment meant, the captured segments say when it was: a round trip lies
 * between two stamps of the capture, and no scheduler is in it.
 */
#ifndef TCPWAVE_RUN_PROBES_H
#define TCPWAVE_RUN_PROBES_H

#include "lib/core/histogram.h"
#include "lib/report/report.h"
#include "lib/run/session.h"

struct probes {
    uint32_t sent, answered, from_peer;
    uint32_t asked;     /* number of our probe that is not answered yet, or 0 */
    wave_time asked_at; /* when it was captured; WAVE_NEVER: it was not yet */
    /* Times of segments, since the run's first event; `any` once there was one. */
    bool any, heard;
    wave_time last_at;   /* of either side */
    wave_time heard_at;  /* of the peer */
    wave_time gap;       /* before the peer's last one, since the last of either side */
    wave_time silence;   /* the longest between two of the peer's */
    wave_time probed_at; /* of the peer's last probe */
    struct histogram rtt, after, apart;
};

/* For the stream of events: takes note of segments. */
void probes_watch(struct probes *p, const struct report_event *e);

/* For session_ops.event: counts, and reports each probe of ours once it is known what became of
 * it. */
void probes_event(struct probes *p, struct session *s, struct session_conn *c,
                  const struct event *e);

/* All in all. */
void probes_figures(const struct probes *p, struct figures *f);

#endif
