/*
 * Sequence numbers (RFC 9293, section 3.4): arithmetic modulo 2^32, compared by the sign of their
 * difference. They have their own type, so that a < b, which is wrong at the wrap-around, does not
 * compile. Host byte order.
 */
#ifndef TCPWAVE_CORE_SEQ_H
#define TCPWAVE_CORE_SEQ_H

#include <stdbool.h>
#include <stdint.h>

/* A sequence number. */
struct seq {
    uint32_t v;
};

static inline struct seq seq_of(uint32_t v)
{
    return (struct seq){v};
}

/* Return the sequence number n after a, and n before a. */
static inline struct seq seq_add(struct seq a, uint32_t n)
{
    return (struct seq){a.v + n};
}

static inline struct seq seq_sub(struct seq a, uint32_t n)
{
    return (struct seq){a.v - n};
}

/* Returns how far a lies beyond b: negative when a comes before b. */
static inline int32_t seq_diff(struct seq a, struct seq b)
{
    return (int32_t)(a.v - b.v);
}

/* Compare a with b: equal, before, not after, after, not before. The results are meaningful while
 * the two are less than 2^31 apart. */
static inline bool seq_eq(struct seq a, struct seq b)
{
    return a.v == b.v;
}

static inline bool seq_lt(struct seq a, struct seq b)
{
    return seq_diff(a, b) < 0;
}

static inline bool seq_leq(struct seq a, struct seq b)
{
    return seq_diff(a, b) <= 0;
}

static inline bool seq_gt(struct seq a, struct seq b)
{
    return seq_diff(a, b) > 0;
}

static inline bool seq_geq(struct seq a, struct seq b)
{
    return seq_diff(a, b) >= 0;
}

/* Return the later and the earlier of two. */
static inline struct seq seq_max(struct seq a, struct seq b)
{
    return seq_lt(a, b) ? b : a;
}

static inline struct seq seq_min(struct seq a, struct seq b)
{
    return seq_lt(a, b) ? a : b;
}

/* Returns whether first <= x < first + length, which is the form of all window tests in RFC 9293,
 * 3.4. */
static inline bool seq_within(struct seq x, struct seq first, uint32_t length)
{
    return x.v - first.v < length;
}

#endif
