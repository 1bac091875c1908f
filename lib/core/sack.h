/*
 * The sender's side of selective acknowledgement: RFC 2018, section 5, and RFC 2883.
 */
#ifndef TCPWAVE_CORE_SACK_H
#define TCPWAVE_CORE_SACK_H

#include "lib/core/opt.h"
#include "lib/core/queue.h"
#include "lib/core/rack.h"

struct sack_result {
    uint32_t bytes; /* newly SACKed */
    bool dsack;     /* the first block reports a duplicate (RFC 2883, section 4) */
};

/* Marks what the blocks of a segment that acknowledges `ack` cover. Blocks outside of
 * una..next are ignored (RFC 2018, section 5; a peer's nonsense). Newly marked records are told
 * to rack_delivered(), which wants `echo`. `q` may be NULL: then only D-SACK is looked for. */
struct sack_result sack_input(struct rack *r, struct queue *q, const struct opt *o, struct seq ack,
                              struct seq next, wave_time now, wave_time min_rtt, wave_time echo);

#endif
