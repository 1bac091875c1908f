/*
 * The send queue: data from the call of conn_send() until it is acknowledged. It is a ring of
 * bytes, and a record of every segment in flight. It exists only while it has data. The records are
 * the scoreboard, which sack.c updates from the peer's SACK blocks, and rack.c from what must be
 * lost by now.
 */
#ifndef TCPWAVE_CORE_QUEUE_H
#define TCPWAVE_CORE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/env.h"
#include "lib/core/hystart.h"
#include "lib/core/ring.h"
#include "lib/core/seq.h"

/* A peer that announces tiny segments gets no more than this many in flight. This bounds the
 * memory, and the time to search the scoreboard. */
#define QUEUE_RECORDS_MAX 16384

/* The bits of queue_record.flags. */
enum {
    QUEUE_SACKED = 1 << 0,       /* the peer has it; it lies beyond a gap */
    QUEUE_LOST = 1 << 1,         /* assumed lost, and not retransmitted yet */
    QUEUE_RETRANSMITTED = 1 << 2 /* sent more than once: gives no RTT sample (Karn) */
};

/* One segment's data in flight. */
struct queue_record {
    struct seq first;
    uint32_t len; /* bytes, at least 1 */
    wave_time at; /* when it was last sent; unique: see queue_sent() */
    uint8_t flags;
};

/* The send queue of a connection. */
struct queue {
    struct ring ring; /* begins with the byte at sequence number `base` */
    uint32_t len;     /* bytes held, sent or not */
    struct seq base;  /* SND.UNA, or ISS+1 while the SYN is unacknowledged */

    struct queue_record *sent; /* ring, ascending and without holes, begins at `base` */
    uint32_t sent_capacity;    /* a power of two */
    uint32_t sent_head, sents;
    uint32_t lost_from; /* no record before this index is QUEUE_LOST */
    wave_time sent_at;  /* the `at` of the last segment sent */

    uint32_t out;          /* bytes in flight */
    uint32_t sacked, lost; /* bytes of these with that mark */
    uint32_t sacked_sents; /* records with QUEUE_SACKED */

    struct seq recover; /* recovery ends when this is acknowledged (RFC 6582, RFC 6675) */
    bool after_timeout; /* the retransmission timer began the recovery: slow start */
    struct seq cwr_end; /* ECN makes no second reduction before this is acknowledged */
    bool cwr;

    struct {          /* RFC 8985, section 5.2 */
        wave_time at; /* sending time of the latest delivered segment */
        wave_time rtt;
        struct seq fack; /* the highest sequence number delivered */
        bool any;        /* the fields above are valid */
    } rack;              /* for this flight; struct rack in the connection outlasts it */
    struct hystart hystart;
    struct { /* RFC 8985, section 7.2 */
        bool out, retransmission;
        struct seq end;
    } tlp;
};

/* Appends up to `len` bytes. When *q is NULL it is allocated, with `base` as its first sequence
 * number. `limit` bounds the bytes held. Returns how many bytes were accepted; 0 when the queue is
 * full or memory is short. */
size_t queue_append(struct queue **q, struct env *e, struct seq base, const void *data, size_t len,
                    uint32_t limit);

/* Points *at to where the next bytes to append will lie, and returns how many fit there: 0 when
 * that is not known before they are appended. `q` may be NULL. queue_append() does not copy bytes
 * that were written there. */
uint32_t queue_place(const struct queue *q, uint32_t limit, uint8_t **at);

/* Returns how many bytes lie at or beyond `next` (SND.NXT). `q` may be NULL. */
uint32_t queue_unsent(const struct queue *q, struct seq next);

/* Copies `len` bytes from sequence number `first` on. */
void queue_copy(const struct queue *q, struct seq first, uint32_t len, uint8_t *to);

/* Returns whether there is room for one more record, and allocates it if necessary. When it returns
 * false, sending must wait. */
bool queue_can_send(struct queue *q, struct env *e);

/* Records a segment that is sent for the first time, after queue_can_send() returned true. RACK
 * depends on the order of sending, so segments sent at the same time get times one nanosecond
 * apart: `at` can be slightly ahead of `now`. */
void queue_sent(struct queue *q, struct seq first, uint32_t len, wave_time now);

/* Returns the i-th record; 0 is the oldest. */
static inline struct queue_record *queue_at(const struct queue *q, uint32_t i)
{
    return &q->sent[(q->sent_head + i) & (q->sent_capacity - 1)];
}

/* Cuts record i to `len` bytes; the rest becomes a record with the same marks. Returns false when
 * memory is short. */
bool queue_split(struct queue *q, struct env *e, uint32_t i, uint32_t len);

/* Records that record i is retransmitted now. */
void queue_retransmitted(struct queue *q, uint32_t i, wave_time now);

/* Set a mark and update the totals. */
void queue_mark_lost(struct queue *q, uint32_t i);
void queue_mark_sacked(struct queue *q, uint32_t i);

/* Marks every record that is not SACKed as lost (RFC 6298, 5.4 and RFC 5681, 3.1: the timer fired).
 * If the first record is SACKed, the peer has reneged (RFC 2018, section 8), and all SACK marks are
 * removed before. */
void queue_all_lost(struct queue *q);

/* Removes all lost marks: the segments were only late. */
void queue_none_lost(struct queue *q);

/* Returns the index of the first lost record, or UINT32_MAX. */
uint32_t queue_first_lost(struct queue *q);

/* Returns RFC 6675's pipe: the bytes believed to be in the network. `q` may be NULL. */
static inline uint32_t queue_pipe(const struct queue *q)
{
    return q ? q->out - q->sacked - q->lost : 0;
}

/* Removes the first `n` bytes, which were acknowledged. */
void queue_drop(struct queue *q, uint32_t n);

/* Frees *q, which must exist, when it holds no data. */
void queue_free_if_empty(struct queue **q, struct env *e);
/* Frees *q, if it exists. */
void queue_free(struct queue **q, struct env *e);

#endif
