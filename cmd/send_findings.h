/*
 * What `tcpwave send` finds beside the answers: why there are none, or none that counts. The
 * findings are those of connections (lib/report/diagnose.h), as far as segments outside any
 * connection can show them.
 */
#ifndef TCPWAVE_CMD_SEND_FINDINGS_H
#define TCPWAVE_CMD_SEND_FINDINGS_H

#include "cmd/send_match.h"
#include "cmd/target.h"
#include "lib/core/addr.h"
#include "lib/report/diagnose.h"
#include "lib/run/port.h"

/* Holds what was seen. Empty when zeroed. */
struct send_seen {
    struct report_flow flow;      /* its signs alone */
    uint64_t captured;            /* segments for us, with a good checksum */
    uint64_t bad_checksums;       /* and with a wrong one */
    uint64_t errors;              /* ICMP errors of other hosts */
    bool own_error;               /* this host told itself that the target is unreachable */
    wave_time waited; /* since our first segment left, for as long as nothing has come */
    wave_time look_at;            /* when the neighbour is asked for next; 0: at once */
    bool unreachable, is_gateway; /* the neighbour does not answer: */
    char neighbour[ADDR_TEXT];
};

/* Takes note of a segment that came: number `number` of them. `a`: what it answers, or NULL where
 * its checksum is wrong. Returns whether it is a RST to our SYN that does not acknowledge it, which
 * a TCP must ignore (RFC 9293, 3.10.7.3). */
bool send_seen_segment(struct send_seen *s, const struct match_plan *plan, uint32_t number,
                       const struct match_result *a);

/* Takes note of an ICMP error. */
void send_seen_icmp(struct send_seen *s, const struct port *port, const struct icmp *error);

/*
 * Looks whether the neighbour answers at all, while nothing has come. `first`: when our first
 * segment left. Returns when to look next; `pending`: the run is about to end, and what is not
 * known yet is waited for, so that WAVE_NEVER is returned when nothing more will be known. When the
 * neighbour has not answered for as long as the kernel asks, `unreachable` is set.
 */
wave_time send_look_at_neighbour(struct send_seen *s, struct port *port, bool v6, wave_time now,
                                 wave_time first, bool pending);

/* Says that the neighbour does not answer. */
void send_unreachable_text(const struct send_seen *s, const struct port *port, bool v6,
                           struct diag *d);

/* Says what the findings are drawn from beside what was seen. */
struct send_run {
    struct port *port;
    const struct match_plan *plan;
    const struct match *own; /* NULL: the capture does not show our segments */
    const struct target_list *names;
    bool v6, interface_named;
};

/* Adds what is found, and makes the outcome's sentence of what explains most. */
void send_diagnose(const struct send_seen *s, const struct send_run *r, struct outcome *o,
                   struct findings *list);

#endif
