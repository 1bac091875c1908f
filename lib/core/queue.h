/*
 * Bytes to send, from CLOSE's or SEND's call until they are acknowledged: a ring of bytes, and a
 * record of every segment in flight. Exists only while there are any. The scoreboard that the
 * records make is read and written by sack.c (what the peer says it has) and rack.c (what must be
 * lost).
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

/* A peer that offers tiny segments gets no more than this many in flight, so that neither memory
 * nor the time to look through the scoreboard is its to choose. */
#define QUEUE_RECORDS_MAX 16384

enum {
    QUEUE_SACKED = 1 << 0,       /* the peer has it, beyond a gap */
    QUEUE_LOST = 1 << 1,         /* taken for lost, and not sent again yet */
    QUEUE_RETRANSMITTED = 1 << 2 /* sent more than once: gives no RTT (Karn) */
};

/* One segment's data in flight. */
struct queue_record {
    struct seq first;
    uint32_t len; /* bytes, at least 1 */
    wave_time at; /* when it was last sent; no two are the same: see queue_sent() */
    uint8_t flags;
};

struct queue {
    struct ring ring; /* from the byte of number `base` on */
    uint32_t len;     /* bytes held, sent or not */
    struct seq base;  /* SND.UNA, or ISS+1 while the SYN is unacknowledged */

    struct queue_record *sent; /* ring, ascending, without holes, from `base` */
    uint32_t sent_capacity; /* a power of two */
    uint32_t sent_head, sents;
    uint32_t lost_from; /* no record before this index is QUEUE_LOST */
    wave_time sent_at;  /* the `at` of what was sent last */

    uint32_t out;          /* bytes in flight */
    uint32_t sacked, lost; /* bytes of them with that mark */
    uint32_t sacked_sents; /* records with QUEUE_SACKED */

    struct seq recover; /* recovery ends when this is acknowledged (RFC 6582, RFC 6675) */
    bool after_timeout; /* the recovery began with the retransmission timer: slow start */
    struct seq cwr_end; /* no second reduction by ECN before this is acknowledged */
    bool cwr;

    struct {          /* RFC 8985, section 5.2 */
        wave_time at; /* sending time of the latest delivered segment */
        wave_time rtt;
        struct seq fack; /* the highest number delivered */
        bool any;        /* the fields above are valid */
    } rack;              /* of this flight; what outlasts it is struct rack in the connection */
    struct hystart hystart;
    struct { /* RFC 8985, section 7.2 */
        bool out, retransmission;
        struct seq end;
    } tlp;
};

/* Appends up to `len` bytes; *q is made, based at `base`, when it is NULL. `limit` bounds what is
 * held. Returns how many were taken; 0 when full or memory is short. */
size_t queue_append(struct queue **q, struct env *e, struct seq base, const void *data, size_t len,
                    uint32_t limit);

/* Bytes held that lie at or beyond `next` (SND.NXT). `q` may be NULL. */
uint32_t queue_unsent(const struct queue *q, struct seq next);

/* Copies `len` held bytes from number `first` on. */
void queue_copy(const struct queue *q, struct seq first, uint32_t len, uint8_t *to);

/* Whether one more record can be kept; false leaves sending for later. */
bool queue_can_send(struct queue *q, struct env *e);

/* Records a segment sent for the first time; queue_can_send() said yes. What is sent at one instant
 * is told apart by a nanosecond each, since RACK goes by the order of sending: `at` may lie that
 * much ahead of `now`. */
void queue_sent(struct queue *q, struct seq first, uint32_t len, wave_time now);

/* The i-th record, 0 being the oldest. */
static inline struct queue_record *queue_at(const struct queue *q, uint32_t i)
{
    return &q->sent[(q->sent_head + i) & (q->sent_capacity - 1)];
}

/* Cuts record i so that it has `len` bytes; what is behind becomes a record of its own with the
 * same marks. False when memory is short. */
bool queue_split(struct queue *q, struct env *e, uint32_t i, uint32_t len);

/* Record i goes out again now. */
void queue_retransmitted(struct queue *q, uint32_t i, wave_time now);

/* Marks, keeping the counts. */
void queue_mark_lost(struct queue *q, uint32_t i);
void queue_mark_sacked(struct queue *q, uint32_t i);

/* Every record not SACKed is lost (RFC 6298, 5.4 and RFC 5681, 3.1: the timer fired). A SACKed
 * record at the front means that the peer reneged (RFC 2018, section 8): all marks go. */
void queue_all_lost(struct queue *q);

/* No record is lost: what was taken for that was only late. */
void queue_none_lost(struct queue *q);

/* Index of the first lost record, or UINT32_MAX. */
uint32_t queue_first_lost(struct queue *q);

/* RFC 6675's pipe: bytes believed to be on the way. `q` may be NULL. */
static inline uint32_t queue_pipe(const struct queue *q)
{
    return q ? q->out - q->sacked - q->lost : 0;
}

/* Removes the first `n` bytes, which are acknowledged. */
void queue_drop(struct queue *q, uint32_t n);

/* Frees *q, which is there, when it holds no byte. */
void queue_free_if_empty(struct queue **q, struct env *e);
void queue_free(struct queue **q, struct env *e);

#endif
