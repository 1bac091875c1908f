#include "cmd/load_options.h"

#include <stddef.h>

#include "cmd/options.h"

void load_options_default(struct load_options *l)
{
    l->concurrency = 100;
}

const char *load_parse_source(struct options *o, const char *value)
{
    struct load_options *l = &o->load;
    struct addr addr;
    bool v6;

    if (!target_literal(value, &v6, &addr))
        return "is not an IPv4 or IPv6 address";
    if (o->has_source && v6 != o->source.v6)
        return "is of another family than the source before it";
    for (unsigned i = 0; i < l->sources; i++)
        if (addr_eq(&l->source[i], &addr))
            return "stands there twice";
    if (l->sources == LOAD_SOURCES)
        return "is one too many: 256 sources are the most";
    if (!o->has_source) {
        o->has_source = true;
        o->source.v6 = v6;
        o->source.addr = addr;
    }
    l->source[l->sources++] = addr;
    return NULL;
}
