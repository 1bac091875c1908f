/*
 * What was sent and has not been captured yet, in order. A captured segment of ours is matched to
 * its entry, which knows what no packet tells: the state we sent it in, and whether it was sent
 * before.
 */
#ifndef TCPWAVE_RUN_SENT_LOG_H
#define TCPWAVE_RUN_SENT_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/seg.h"
#include "lib/core/state.h"

#define SENT_LOG_ENTRIES 4096 /* a power of two; the oldest is forgotten when there are more */

struct sent_entry {
    uint32_t id; /* of the connection, or STACK_NONE */
    struct seq seq, ack;
    uint32_t len;
    uint16_t flags, wnd;
    uint8_t state; /* enum state: ours when it was sent */
    bool again;    /* its bytes, SYN or FIN were sent before */
    bool probe;    /* below what is next: says nothing new */
    bool missed;   /* sent_log_missed_by_ack() has given it out */
    struct opt opt;
};

struct sent_log {
    uint32_t head, tail; /* count up for ever; head is where the next one goes */
    struct sent_entry entry[SENT_LOG_ENTRIES];
};

/* Empty before the first call when zeroed. */
void sent_log_add(struct sent_log *j, const struct sent_entry *e);

/*
 * What the capture lost of ours is known by what comes after it: by a later segment of ours, since
 * they are captured in order, or by an acknowledgement of the peer's. Each call takes out, or
 * marks, the oldest such entry and returns it, or NULL when there is none (left). Valid until the
 * next sent_log_add().
 */
const struct sent_entry *sent_log_missed_before(struct sent_log *j, const struct seg *ours);
const struct sent_entry *sent_log_missed_by_ack(struct sent_log *j, uint32_t id, struct seq ack);

/* The oldest entry, whatever it is; for the end of a run. */
const struct sent_entry *sent_log_missed(struct sent_log *j);

/* The oldest entry that is this segment, taken out together with those before it, or NULL: we did
 * not send it. Valid until the next sent_log_add(). */
const struct sent_entry *sent_log_take(struct sent_log *j, const struct seg *s);

/* How many there are. */
uint32_t sent_log_count(const struct sent_log *j);

/* Whether everything that was sent has been captured. */
bool sent_log_empty(const struct sent_log *j);

#endif
