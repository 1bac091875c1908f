#include "cmd/load_places.h"

#include <stdlib.h>

#include "lib/core/err.h"

int load_places_init(struct load_places *p, uint32_t pairs, uint32_t ports, uint32_t cap)
{
    *p = (struct load_places){.pairs = pairs, .ports = ports, .able = pairs};
    p->cap = cap < ports ? cap : ports;
    p->pair = calloc(pairs, sizeof *p->pair);
    p->at = calloc((size_t)pairs * ports, sizeof *p->at);
    if (p->pair && p->at)
        return 0;
    load_places_free(p);
    return WAVE_ENOMEM;
}

void load_places_free(struct load_places *p)
{
    free(p->pair);
    free(p->at);
    p->pair = NULL;
    p->at = NULL;
}

uint32_t load_places_turn(struct load_places *p)
{
    uint32_t pair = p->turn;

    while (p->pair[pair].in_use >= p->cap)
        pair = pair + 1 < p->pairs ? pair + 1 : 0;
    p->turn = pair + 1 < p->pairs ? pair + 1 : 0;
    return pair;
}

static uint32_t first_of(struct load_places *p, struct load_row *row)
{
    const uint32_t place = row->first - 1;

    row->first = p->at[place].next;
    if (!row->first)
        row->last = 0;
    return place;
}

static uint32_t milliseconds(wave_time t)
{
    return (uint32_t)(t / WAVE_MS);
}

uint32_t load_places_take(struct load_places *p, uint32_t pair, wave_time now, bool *rests)
{
    struct load_pair_ports *ports = &p->pair[pair];
    uint32_t place;

    *rests = false;
    ports->in_use++;
    if (ports->in_use == p->cap)
        p->able--;
    if (ports->fresh < p->ports)
        return ports->fresh++ * p->pairs + pair;
    if (ports->clean.first)
        return first_of(p, &ports->clean);
    place = first_of(p, &ports->rests);
    *rests = milliseconds(now) - p->at[place].since < LOAD_REST / WAVE_MS;
    return place;
}

void load_places_give(struct load_places *p, uint32_t place, wave_time now, bool held)
{
    struct load_pair_ports *ports = &p->pair[load_place_pair(p, place)];
    struct load_row *row = held ? &ports->rests : &ports->clean;

    if (ports->in_use == p->cap)
        p->able++;
    ports->in_use--;
    p->at[place].next = 0;
    p->at[place].since = milliseconds(now);
    if (row->last)
        p->at[row->last - 1].next = place + 1;
    else
        row->first = place + 1;
    row->last = place + 1;
}
