/* Defines the rows of -4, -6, --interface, --source and --source-port, and checks that they agree
 * on one address family. */
#include "cmd/options_where.h"

static const char *parse_source(void *group, const char *value)
{
    struct where_options *w = group;

    w->has_source = target_literal(value, &w->source.v6, &w->source.addr);
    return w->has_source ? NULL : "is not an IPv4 or IPv6 address";
}

#define FIELD(name) offsetof(struct where_options, name)

/* clang-format off */
const struct option_row where_rows[] = {
    {KIND_FLAG, '4', NULL, NULL, "IPv4 only", FIELD(ipv4), 0, 0, NULL},
    {KIND_FLAG, '6', NULL, NULL, "IPv6 only", FIELD(ipv6), 0, 0, NULL},
    {KIND_TEXT, 'i', "interface", "NAME", "interface for sending and capture, not the route's",
     FIELD(interface), 0, 15, NULL},
    OPTION_END};

const struct option_row where_source_row[] = {
    {KIND_CUSTOM, 's', "source", "ADDR", "local address, one of this host's",
     0, 0, 0, parse_source},
    OPTION_END};

const struct option_row where_port_row[] = {
    {KIND_NUMBER, 'p', "source-port", "PORT", "local port (default: a free one)",
     0, 1, 65535, NULL},
    OPTION_END};
/* clang-format on */

const char *where_check(const struct where_options *w, enum target_family target)
{
    if (w->ipv4 && w->ipv6)
        return "-4 and -6 exclude each other";
    if (w->ipv4 && target == TARGET_IPV6)
        return "-4 was given, but the target is an IPv6 address";
    if (w->ipv6 && target == TARGET_IPV4)
        return "-6 was given, but the target is an IPv4 address";
    if (!w->has_source)
        return NULL;
    if (w->ipv4 && w->source.v6)
        return "-4 was given, but --source is an IPv6 address";
    if (w->ipv6 && !w->source.v6)
        return "-6 was given, but --source is an IPv4 address";
    if (target != TARGET_ANY && (target == TARGET_IPV6) != w->source.v6)
        return "the target and --source are addresses of different families";
    return NULL;
}

enum target_family where_family(const struct where_options *w)
{
    if (w->ipv4 || (w->has_source && !w->source.v6))
        return TARGET_IPV4;
    return w->ipv6 || w->has_source ? TARGET_IPV6 : TARGET_ANY;
}
