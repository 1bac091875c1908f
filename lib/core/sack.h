/*
 * The sender's side of selective acknowledgement: RFC 2018, section 5, and RFC 2883.
 */
#ifndef TCPWAVE_CORE_SACK_H
#define TCPWAVE_CORE_SACK_H

#include "lib/core/opt.h"
#include "lib/core/queue.h"
#include "lib/core/rack.h"

/* What the blocks of one segment said. */
struct sack_result {
    uint32_t bytes; /* newly SACKed */
    bool dsack;     /* the first block reports a duplicate (RFC 2883, section 4) */
};

/* Marks the records that the blocks of a segment with acknowledgement number `ack` cover. Blocks
 * outside of ack..next are ignored (RFC 2018, section 5; a peer may send anything). Each newly
 * marked record is passed to rack_delivered(), which needs `echo`. `q` may be NULL: then only
 * D-SACK is detected. */
struct sack_result sack_input(struct rack *r, struct queue *q, const struct opt *o, struct seq ack,
                              struct seq next, wave_time now, wave_time min_rtt, wave_time echo);

#endif
