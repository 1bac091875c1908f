/*
 * Reads the kernel's settings about local ports, and answers questions about single ports and runs
 * of consecutive ports from them.
 */
#include "lib/wire/local_ports.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define DEFAULT_LOW 32768 /* the kernel's default */
#define DEFAULT_HIGH 60999

static bool is_reserved(const struct local_ports *p, uint32_t port)
{
    return p->reserved[port / 64] >> port % 64 & 1;
}

/* Reads a port number at *at, and moves *at past it. Returns false when there is none. */
static bool read_port(const char **at, uint32_t *port)
{
    char *end;

    while (isspace((unsigned char)**at))
        ++*at;
    if (!isdigit((unsigned char)**at))
        return false;
    unsigned long n = strtoul(*at, &end, 10);
    if (n > UINT16_MAX)
        return false;
    *at = end;
    *port = (uint32_t)n;
    return true;
}

static void parse_range(struct local_ports *p, const char *text)
{
    uint32_t low, high;

    p->low = DEFAULT_LOW;
    p->high = DEFAULT_HIGH;
    if (!read_port(&text, &low) || !read_port(&text, &high) || low > high ||
        high < LOCAL_PORTS_FIRST)
        return;
    p->low = low < LOCAL_PORTS_FIRST ? LOCAL_PORTS_FIRST : low;
    p->high = high;
}

static void parse_reserved(struct local_ports *p, const char *text)
{
    uint32_t first, last;

    memset(p->reserved, 0, sizeof p->reserved);
    while (read_port(&text, &first)) {
        last = first;
        if (*text == '-' && (text++, !read_port(&text, &last)))
            return;
        for (uint32_t port = first; port <= last; port++)
            p->reserved[port / 64] |= (uint64_t)1 << port % 64;
        if (*text == ',')
            text++;
    }
}

void local_ports_parse(struct local_ports *p, const char *range, const char *reserved)
{
    parse_range(p, range);
    parse_reserved(p, reserved);
}

/* Returns the first line of a file, to be freed by the caller; NULL when there is none. */
static char *first_line(const char *path)
{
    char *line = NULL;
    size_t room = 0;
    FILE *f = fopen(path, "re");

    if (!f)
        return NULL;
    if (getline(&line, &room, f) < 0) {
        free(line);
        line = NULL;
    }
    fclose(f);
    return line;
}

void local_ports_read(struct local_ports *p)
{
    char *range = first_line("/proc/sys/net/ipv4/ip_local_port_range");
    char *reserved = first_line("/proc/sys/net/ipv4/ip_local_reserved_ports");

    local_ports_parse(p, range ? range : "", reserved ? reserved : "");
    free(range);
    free(reserved);
}

void local_ports_from(struct local_ports *p, uint16_t named)
{
    p->low = named;
    p->high = UINT16_MAX;
    p->reserved[named / 64] &= ~((uint64_t)1 << named % 64);
}

void local_ports_avoid(struct local_ports *p, uint16_t port)
{
    p->reserved[port / 64] |= (uint64_t)1 << port % 64;
}

bool local_ports_usable(const struct local_ports *p, uint32_t port)
{
    return port >= p->low && port <= p->high && !is_reserved(p, port);
}

uint32_t local_ports_count(const struct local_ports *p)
{
    uint32_t n = 0;

    for (uint32_t port = p->low; port <= p->high; port++)
        n += !is_reserved(p, port);
    return n;
}

uint32_t local_ports_random(const struct local_ports *p)
{
    uint32_t n;

    if (getrandom(&n, sizeof n, 0) != sizeof n)
        n = 0;
    return p->low + n % (p->high - p->low + 1);
}

/* Returns the first such run that begins from `from` to `until`, both included, or 0. */
static uint32_t find_run(const struct local_ports *p, uint32_t from, uint32_t until, uint32_t count)
{
    uint32_t side_by_side = 0;

    for (uint32_t port = from; port <= p->high; port++) {
        side_by_side = is_reserved(p, port) ? 0 : side_by_side + 1;
        if (side_by_side == count)
            return port - count + 1;
        if (side_by_side == 0 && port >= until)
            break;
    }
    return 0;
}

uint32_t local_ports_run(const struct local_ports *p, uint32_t from, uint32_t count)
{
    if (from < p->low || from > p->high)
        from = p->low;
    uint32_t first = find_run(p, from, p->high, count);
    return first ? first : find_run(p, p->low, from, count);
}
