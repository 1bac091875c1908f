/*
 * What was sent and has not been captured yet, in order. A captured segment of ours is matched to
 * its entry, which knows what no packet tells: the state we sent it in, and whether it was sent
 * before.
 */
#ifndef TCPWAVE_CMD_JOURNAL_H
#define TCPWAVE_CMD_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/seg.h"
#include "lib/core/state.h"

#define JOURNAL_ENTRIES 4096 /* a power of two; the oldest is forgotten when there are more */

struct journal_entry {
    uint32_t id; /* of the connection, or STACK_NONE */
    struct seq seq, ack;
    uint32_t len;
    uint16_t flags, wnd;
    uint8_t state; /* enum state: ours when it was sent */
    bool again;    /* its bytes, SYN or FIN were sent before */
    bool probe;    /* below what is next: says nothing new */
    bool missed;   /* journal_missed_by_ack() has given it out */
    struct opt opt;
};

struct journal {
    uint32_t head, tail; /* count up for ever; head is where the next one goes */
    struct journal_entry entry[JOURNAL_ENTRIES];
};

/* Empty before the first call when zeroed. */
void journal_add(struct journal *j, const struct journal_entry *e);

/*
 * What the capture lost of ours is known by what comes after it: by a later segment of ours, since
 * they are captured in order, or by an acknowledgement of the peer's. Each call takes out, or
 * marks, the oldest such entry and returns it, or NULL when there is none (left). Valid until the
 * next journal_add().
 */
const struct journal_entry *journal_missed_before(struct journal *j, const struct seg *ours);
const struct journal_entry *journal_missed_by_ack(struct journal *j, uint32_t id, struct seq ack);

/* The oldest entry, whatever it is; for the end of a run. */
const struct journal_entry *journal_missed(struct journal *j);

/* The oldest entry that is this segment, taken out together with those before it, or NULL: we did
 * not send it. Valid until the next journal_add(). */
const struct journal_entry *journal_take(struct journal *j, const struct seg *s);

/* How many there are. */
uint32_t journal_count(const struct journal *j);

/* Whether everything that was sent has been captured. */
bool journal_empty(const struct journal *j);

#endif
