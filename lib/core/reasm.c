/*
 * Reassembly. Arriving data is written to its final place in the ring, even beyond a gap; a list of
 * runs says which bytes beyond the first gap are present. When a gap is filled, the first run
 * becomes readable without being copied.
 */
#include "lib/core/reasm.h"

#include <string.h>

#define RUNS_FIRST 4u

static struct reasm *reasm_make(struct env *e)
{
    struct reasm *r = env_realloc(e, NULL, 0, sizeof *r);

    if (r)
        memset(r, 0, sizeof *r);
    return r;
}

void reasm_free(struct reasm **r, struct env *e)
{
    if (!*r)
        return;
    ring_free(&(*r)->ring, e);
    if ((*r)->run)
        env_realloc(e, (*r)->run, (*r)->run_capacity * sizeof(struct reasm_run), 0);
    env_realloc(e, *r, sizeof **r, 0);
    *r = NULL;
}

static void free_if_empty(struct reasm **r, struct env *e)
{
    if (*r && (*r)->ready == 0 && (*r)->runs == 0 && !(*r)->has_fin)
        reasm_free(r, e);
}

static bool runs_grow(struct reasm *r, struct env *e)
{
    uint32_t capacity = r->run_capacity ? r->run_capacity * 2 : RUNS_FIRST;
    struct reasm_run *run;

    if (r->runs < r->run_capacity)
        return true;
    if (capacity > REASM_RUNS_MAX)
        return false;
    run = env_realloc(e, r->run, r->run_capacity * sizeof *run, capacity * sizeof *run);
    if (!run)
        return false;
    r->run = run;
    r->run_capacity = capacity;
    return true;
}

/* Writes the part of first..end that no run covers yet. The first copy of a byte counts, so that a
 * forged overlap cannot change data that was already acknowledged or SACKed. */
static void put_holes(struct reasm *r, struct seq next, struct seq first, struct seq end,
                      const uint8_t *data)
{
    struct seq at = first;

    for (uint32_t i = 0; i <= r->runs && seq_lt(at, end); i++) {
        struct seq hole_end = i < r->runs ? seq_min(r->run[i].first, end) : end;
        if (seq_lt(at, hole_end))
            ring_put(&r->ring, r->ready + (at.v - next.v), data + (at.v - first.v),
                     hole_end.v - at.v);
        if (i < r->runs)
            at = seq_max(at, r->run[i].end);
    }
}

/* Adds first..end to the list and merges the runs that it touches or overlaps into one. Returns
 * false when the list is full. The first part that was already present is recorded for D-SACK (RFC
 * 2883, section 4). */
static bool runs_add(struct reasm *r, struct env *e, struct seq first, struct seq end,
                     struct reasm_result *result)
{
    uint32_t i = 0, j;

    while (i < r->runs && seq_lt(r->run[i].end, first))
        i++;
    for (j = i; j < r->runs && seq_leq(r->run[j].first, end); j++) {
        struct seq from = seq_max(first, r->run[j].first), to = seq_min(end, r->run[j].end);
        if (seq_lt(from, to) && !result->duplicate) {
            result->duplicate = true;
            result->dup = (struct sack_block){from, to};
        }
    }
    if (i == j) {
        if (!runs_grow(r, e))
            return false;
        memmove(&r->run[i + 1], &r->run[i], (r->runs - i) * sizeof r->run[0]);
        r->run[i] = (struct reasm_run){first, end, 0};
        r->runs++;
    } else {
        r->run[i].first = seq_min(first, r->run[i].first);
        r->run[i].end = seq_max(end, r->run[j - 1].end);
        memmove(&r->run[i + 1], &r->run[j], (r->runs - j) * sizeof r->run[0]);
        r->runs -= j - i - 1;
    }
    r->run[i].stamp = ++r->stamp;
    return true;
}

struct reasm_result reasm_insert(struct reasm **rp, struct env *e, struct seq next,
                                 struct seq first, const uint8_t *data, uint32_t len,
                                 uint32_t limit)
{
    struct reasm_result result = {0};
    struct seq end = seq_add(first, len);
    uint32_t gap = first.v - next.v, need;
    struct reasm *r = *rp ? *rp : reasm_make(e);
    bool joins;

    *rp = r;
    need = r ? r->ready + gap + len : 0;
    if (!r || (need > limit && need > r->ring.capacity) || !ring_grow(&r->ring, e, need) ||
        (r->has_fin && seq_gt(end, r->fin))) {
        result.discarded = true;
        free_if_empty(rp, e);
        return result;
    }
    put_holes(r, next, first, end, data);
    result.filled = gap == 0 && r->runs > 0;
    /* Data that arrives in order and leaves the first gap open needs no run, so it is never
     * discarded for lack of one. Otherwise a full list would keep out the very bytes that can empty
     * it. */
    joins = r->runs > 0 && seq_leq(r->run[0].first, end);
    if ((gap > 0 || joins) && !runs_add(r, e, first, end, &result)) {
        result.discarded = true;
        free_if_empty(rp, e);
        return result;
    }
    if (gap > 0) {
        result.out_of_order = true;
        return result;
    }
    if (joins) { /* the first run now starts at RCV.NXT */
        result.advanced = r->run[0].end.v - next.v;
        memmove(&r->run[0], &r->run[1], (r->runs - 1) * sizeof r->run[0]);
        r->runs--;
    } else {
        result.advanced = len;
    }
    result.out_of_order = r->runs > 0;
    r->ready += result.advanced;
    return result;
}

bool reasm_fin(struct reasm **rp, struct env *e, struct seq fin)
{
    struct reasm *r = *rp ? *rp : reasm_make(e);

    if (!r)
        return false;
    *rp = r;
    r->has_fin = true;
    r->fin = fin;
    return true;
}

uint32_t reasm_peek(const struct reasm *r, const uint8_t **data)
{
    uint32_t run;

    *data = NULL;
    if (!r || r->ready == 0)
        return 0;
    *data = r->ring.bytes + r->ring.start;
    run = r->ring.capacity - r->ring.start;
    return r->ready < run ? r->ready : run;
}

uint32_t reasm_ready(const struct reasm *r)
{
    return r ? r->ready : 0;
}

void reasm_consume(struct reasm **rp, struct env *e, uint32_t n)
{
    struct reasm *r = *rp;

    if (!r)
        return;
    if (n > r->ready)
        n = r->ready;
    ring_drop(&r->ring, n);
    r->ready -= n;
    free_if_empty(rp, e);
}

void reasm_drop_gaps(struct reasm **rp, struct env *e)
{
    if (!*rp)
        return;
    (*rp)->runs = 0;
    (*rp)->has_fin = false;
    free_if_empty(rp, e);
}

unsigned reasm_sack(const struct reasm *r, struct sack_block *block, unsigned max)
{
    unsigned n = 0;
    uint32_t below = UINT32_MAX; /* stamps are unique: each pass takes the next older one */

    if (!r)
        return 0;
    while (n < max) {
        const struct reasm_run *best = NULL;
        for (uint32_t i = 0; i < r->runs; i++)
            if (r->run[i].stamp < below && (!best || r->run[i].stamp > best->stamp))
                best = &r->run[i];
        if (!best)
            break;
        block[n++] = (struct sack_block){best->first, best->end};
        below = best->stamp;
    }
    return n;
}
