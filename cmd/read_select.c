/* Parses and applies --flow. */
#include "cmd/read_select.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TERM_TEXT 64

static bool port_of(const char *text, uint16_t *port)
{
    char *end;
    const unsigned long n = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end || n > UINT16_MAX)
        return false;
    *port = (uint16_t)n;
    return true;
}

static bool address_of(const char *text, struct read_term *t)
{
    t->has_addr = true;
    t->v6 = strchr(text, ':') != NULL;
    return inet_pton(t->v6 ? AF_INET6 : AF_INET, text, t->addr.byte) == 1;
}

/* Parses an address, a port behind a colon, or both. Returns whether it is one. */
static bool term_of(char *text, struct read_term *t)
{
    char *colon = strrchr(text, ':'), *bracket = strchr(text, ']');

    if (*text == '[') {
        if (!bracket || (bracket[1] && bracket[1] != ':'))
            return false;
        *bracket = '\0';
        t->has_port = bracket[1] == ':';
        return address_of(text + 1, t) && (!t->has_port || port_of(bracket + 2, &t->port));
    }
    if (colon && strchr(text, ':') == colon) { /* more than one: an IPv6 address */
        *colon = '\0';
        t->has_port = true;
        return port_of(colon + 1, &t->port) && (!*text || address_of(text, t));
    }
    return address_of(text, t);
}

/* Parses one of the parts between commas. */
static const char *part_of(struct read_select *s, char *text)
{
    char *end;
    const unsigned long n = strtoul(text, &end, 10);

    if (*text >= '0' && *text <= '9' && !*end) {
        if (n == 0 || n > UINT32_MAX || s->number)
            return "is no number of a flow: they count from 1";
        s->number = (uint32_t)n;
        return NULL;
    }
    if (s->terms == READ_TERMS)
        return "has more parts than two sides can meet";
    return term_of(text, &s->term[s->terms++])
               ? NULL
               : "is no flow: give its number, an address, ADDRESS:PORT or :PORT";
}

const char *read_select_parse(struct read_select *s, const char *text)
{
    *s = (struct read_select){0};
    while (text) {
        const char *comma = strchr(text, ',');
        char part[TERM_TEXT];
        const int len = comma ? (int)(comma - text) : (int)strlen(text);
        const char *wrong;
        if (len >= TERM_TEXT || len == 0)
            return "is no flow: give its number, an address, ADDRESS:PORT or :PORT";
        snprintf(part, sizeof part, "%.*s", len, text);
        if ((wrong = part_of(s, part)))
            return wrong;
        text = comma ? comma + 1 : NULL;
    }
    return NULL;
}

static bool meets(const struct read_term *t, bool v6, const struct addr *addr, uint16_t port)
{
    return (!t->has_addr || (t->v6 == v6 && addr_eq(&t->addr, addr))) &&
           (!t->has_port || t->port == port);
}

bool read_select_has(const struct read_select *s, const struct watched *w)
{
    const struct flow *f = &w->flow;

    if (s->number && s->number != w->number)
        return false;
    for (unsigned i = 0; i < s->terms; i++)
        if (!meets(&s->term[i], f->v6, &f->local, f->lport) &&
            !meets(&s->term[i], f->v6, &f->remote, f->rport))
            return false;
    return true;
}
