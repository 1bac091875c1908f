/*
 * Packets that a capture holds twice. A capture of several interfaces, or of a mirrored port, sees
 * a packet once for each place that it passes; a network may also copy one. Both are told from a
 * retransmission, which is a packet of its own, by IPv4's identification, or by its timestamp;
 * where there is neither, a copy is what comes soon, at another place.
 */
#ifndef TCPWAVE_REPORT_DOUBLES_H
#define TCPWAVE_REPORT_DOUBLES_H

#include <stdint.h>

#include "lib/core/ip.h"
#include "lib/core/time.h"

#define DOUBLES_SETS 1024             /* of packets, a power of two, */
#define DOUBLES_WAYS 4                /* and so many in each, the newest ones */
#define DOUBLES_WITHIN (20 * WAVE_MS) /* a later one is another packet, */
#define DOUBLES_APART                                                                              \
    WAVE_S /* unless it is captured at another place, where two captures                           \
              were merged, and a number tells it from a retransmission */
#define DOUBLES_ALIKE WAVE_MS             /* no timer repeats data sooner */
#define DOUBLES_SYN_APART (200 * WAVE_MS) /* no host repeats a SYN sooner */

enum double_kind {
    DOUBLE_NONE,
    DOUBLE_ELSEWHERE, /* it was captured at another place before: it is the same packet */
    DOUBLE_COPY,      /* at the same place: the network has copied it */
    DOUBLE_ALIKE      /* at the same place, without an IP identification: the network has copied it,
                         or its sender was asked to repeat it at once */
};

/* Empty when zeroed. A set is one line of the processor's cache. */
struct doubles {
    struct doubles_set {
        _Alignas(64) uint32_t digest[DOUBLES_WAYS];
        uint32_t place[DOUBLES_WAYS]; /* 0: none */
        uint32_t tick[DOUBLES_WAYS];  /* its stamp: see doubles.c */
        uint32_t next;                /* whose turn it is to be replaced */
    } set[DOUBLES_SETS];
};

/* Takes note of a segment, captured at that place. A SYN is the same whatever options it has, since
 * a device on the way may change them. */
enum double_kind doubles_note(struct doubles *d, const struct packet *p, uint32_t place,
                              wave_time stamp);

#endif
