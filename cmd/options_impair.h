/* Declares the options that impair segments on purpose, --impair and --impair-seed, and puts the
 * rules in front of a port. */
#ifndef TCPWAVE_CMD_OPTIONS_IMPAIR_H
#define TCPWAVE_CMD_OPTIONS_IMPAIR_H

#include "cmd/options.h"
#include "lib/report/impairments.h"
#include "lib/run/impair.h"
#include "lib/run/port.h"

/* Holds their values; all zero at first. */
struct impair_options {
    struct impair_rule rule[IMPAIR_RULES];
    unsigned count;
    uint32_t seed;                   /* 0: not given, which means 1 */
    char wrong[sizeof(struct diag)]; /* what is wrong with a rule */
};

extern const struct option_row impair_rows[];

/*
 * Replaces *port by one that impairs what passes it, unless no rule was given: then nothing is
 * done, and *rules is NULL. *rules has to be closed after the port. `quiet` is described at
 * port_impair_open(). Returns 0, or WAVE_ENOMEM with *d filled in; the port is then closed.
 */
int impair_put_on(const struct impair_options *o, bool quiet, struct port **port,
                  struct impair **rules, struct diag *d);

/* Adds to the list what each rule has done so far. `rules` is a struct impair, or NULL. */
void impair_list(const void *rules, struct impairments *list);

#endif
