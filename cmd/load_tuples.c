/*
 * Chooses local ports. A tuple's number is port * pairs + pair. Each pair has a counter of ports
 * that were never used, and two lists, in the order in which connections ended: the ports that the
 * peer no longer has in TIME_WAIT, and those that it may still have. They are taken in this order,
 * so that to take or to give back a tuple costs the same however many there are.
 */
#include "cmd/load_tuples.h"

#include <stdlib.h>

#include "lib/core/err.h"

int load_tuples_init(struct load_tuples *p, uint32_t pairs, uint32_t ports, uint32_t cap)
{
    *p = (struct load_tuples){.pairs = pairs, .ports = ports, .able = pairs};
    p->cap = cap < ports ? cap : ports;
    p->pair = calloc(pairs, sizeof *p->pair);
    p->at = calloc((size_t)pairs * ports, sizeof *p->at);
    if (p->pair && p->at)
        return 0;
    load_tuples_free(p);
    return WAVE_ENOMEM;
}

void load_tuples_free(struct load_tuples *p)
{
    free(p->pair);
    free(p->at);
    p->pair = NULL;
    p->at = NULL;
}

uint32_t load_tuples_next_pair(struct load_tuples *p)
{
    uint32_t pair = p->turn;

    while (p->pair[pair].in_use >= p->cap)
        pair = pair + 1 < p->pairs ? pair + 1 : 0;
    p->turn = pair + 1 < p->pairs ? pair + 1 : 0;
    return pair;
}

/* Removes the first tuple of the list, which must not be empty, and returns it. */
static uint32_t first_of(struct load_tuples *p, struct load_tuple_list *row)
{
    const uint32_t tuple = row->first - 1;

    row->first = p->at[tuple].next;
    if (!row->first)
        row->last = 0;
    return tuple;
}

static uint32_t milliseconds(wave_time t)
{
    return (uint32_t)(t / WAVE_MS);
}

uint32_t load_tuples_take(struct load_tuples *p, uint32_t pair, wave_time now, bool *time_wait)
{
    struct load_tuples_of_pair *ports = &p->pair[pair];
    uint32_t tuple;

    *time_wait = false;
    ports->in_use++;
    if (ports->in_use == p->cap)
        p->able--;
    if (ports->fresh < p->ports)
        return ports->fresh++ * p->pairs + pair;
    if (ports->clean.first)
        return first_of(p, &ports->clean);
    tuple = first_of(p, &ports->time_wait);
    *time_wait = milliseconds(now) - p->at[tuple].since < LOAD_TIME_WAIT / WAVE_MS;
    return tuple;
}

void load_tuples_give(struct load_tuples *p, uint32_t tuple, wave_time now, bool held)
{
    struct load_tuples_of_pair *ports = &p->pair[load_tuple_pair(p, tuple)];
    struct load_tuple_list *row = held ? &ports->time_wait : &ports->clean;

    if (ports->in_use == p->cap)
        p->able++;
    ports->in_use--;
    p->at[tuple].next = 0;
    p->at[tuple].since = milliseconds(now);
    if (row->last)
        p->at[row->last - 1].next = tuple + 1;
    else
        row->first = tuple + 1;
    row->last = tuple + 1;
}
