/* The options that only load has. */
#ifndef TCPWAVE_CMD_LOAD_OPTIONS_H
#define TCPWAVE_CMD_LOAD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd/target.h"
#include "lib/core/flow.h"

#define LOAD_TARGETS 64
#define LOAD_SOURCES 256
#define LOAD_RATE_MAX 10000000

struct load_options {
    uint32_t concurrency; /* connections at a time; default 100 */
    uint32_t rate;        /* new ones a second; 0: as fast as they are answered */
    uint32_t limit;       /* --rate-limit: 0 on, 1 off */
    struct target_name more[LOAD_TARGETS - 1]; /* targets beyond the first */
    unsigned more_count;
    struct addr source[LOAD_SOURCES]; /* of the family that options.source tells */
    unsigned sources;
};

struct options;

void load_options_default(struct load_options *l);

/* --source, which may stand there several times: what is wrong, or NULL. */
const char *load_parse_source(struct options *o, const char *value);

#endif
