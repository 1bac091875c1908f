/*
 * Parses and resolves targets. Parsing looks only at the form, and rejects addresses to which no
 * connection is possible; resolving looks up the service, the zone's interface and the host's name.
 */
#include "cmd/target.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/diag.h"
#include "lib/core/text.h"
#include "lib/wire/family.h"

#define MALFORMED(d, ...) diag_fail(d, WAVE_EINVAL, __VA_ARGS__)

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

bool target_literal(const char *text, bool *v6, struct addr *out)
{
    struct addr addr = {{0}};

    if (inet_pton(AF_INET, text, addr.byte) == 1) {
        *v6 = false;
        *out = addr;
        return true;
    }
    if (inet_pton(AF_INET6, text, addr.byte) == 1) {
        *v6 = true;
        *out = addr;
        return true;
    }
    return false;
}

static bool is_zero(const struct addr *a)
{
    return addr_eq(a, &(struct addr){{0}});
}

static bool is_link_local(bool v6, const struct addr *a)
{
    return v6 && a->byte[0] == 0xfe && (a->byte[1] & 0xc0) == 0x80;
}

/* Returns why no connection to this address is possible (RFC 9293, 3.9.2.3, MUST-46), or NULL. */
static const char *not_a_peer(bool v6, const struct addr *a)
{
    static const struct addr broadcast = {{255, 255, 255, 255}};
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

    if (is_zero(a))
        return "is the unspecified address; this host is 127.0.0.1 and [::1]";
    if (v6 ? a->byte[0] == 0xff : (a->byte[0] & 0xf0) == 0xe0)
        return "is a multicast address, and TCP has one peer";
    if (!v6 && addr_eq(a, &broadcast))
        return "is the broadcast address, and TCP has one peer";
    if (v6 && memcmp(a->byte, mapped, sizeof mapped) == 0)
        return "is an IPv4-mapped IPv6 address; write it as IPv4";
    return NULL;
}

/*
 * Parsing
 */

/* The parts of a target's text; `host` is without brackets. */
struct split {
    const char *host, *service;
    size_t host_len, service_len;
    bool brackets, url;
};

/* The scheme in front of "://", if `text` is a URL (RFC 3986, 3.1); its length, or 0. */
static size_t url_scheme(const char *text)
{
    size_t len = strspn(text, LETTERS DIGITS "+-.");

    return len && strchr(LETTERS, text[0]) && strncmp(text + len, "://", 3) == 0 ? len : 0;
}

/* A scheme's name is looked up as a service where the URL has no port. */
static void url_service(const char *scheme, size_t len, struct split *out)
{
    static const struct {
        const char *scheme, *port;
    } known[] = {{"http", "80"}, {"https", "443"}, {"ws", "80"}, {"wss", "443"}};

    out->service = scheme;
    out->service_len = len;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strlen(known[i].scheme) == len && strncasecmp(scheme, known[i].scheme, len) == 0) {
            out->service = known[i].port;
            out->service_len = strlen(known[i].port);
        }
    }
}

/* SCHEME://[USER[:PASSWORD]@]HOST[:[PORT]][/PATH][?QUERY][#FRAGMENT] (RFC 3986, 3.2). Only host and
 * port are used. No message quotes the text, which may have a password in it. */
static int split_url(const char *text, size_t scheme_len, struct split *out, struct diag *d)
{
    const char *host = text + scheme_len + 3;
    const char *end = host + strcspn(host, "/?#");
    const char *at, *port;

    while ((at = memchr(host, '@', (size_t)(end - host))))
        host = at + 1;
    *out = (struct split){.host = host, .brackets = *host == '[', .url = true};
    if (out->brackets) {
        const char *close = memchr(host, ']', (size_t)(end - host));
        if (!close)
            return MALFORMED(d, "the URL's host has no closing bracket; write [IPv6]:PORT");
        if (close + 1 < end && close[1] != ':')
            return MALFORMED(d, "the URL has something other than a port behind its host; write "
                                "[IPv6]:PORT");
        out->host = host + 1;
        out->host_len = (size_t)(close - host - 1);
        port = close + 1;
    } else {
        port = memchr(host, ':', (size_t)(end - host));
        port = port ? port : end;
        out->host_len = (size_t)(port - host);
    }
    if (end - port > 1) { /* a colon and digits; an empty port is as none (RFC 3986, 3.2.3) */
        out->service = port + 1;
        out->service_len = (size_t)(end - port - 1);
        if (strspn(out->service, DIGITS) < out->service_len)
            return MALFORMED(d, "the URL's port is not a number; write HOST:PORT");
    } else {
        url_service(text, scheme_len, out);
    }
    return 0;
}

static int split(const char *text, bool passive, struct split *out, struct diag *d)
{
    const char *form = passive ? "[ADDR:]PORT" : "HOST:PORT";
    const char *colon = strrchr(text, ':');
    size_t scheme_len = url_scheme(text);

    if (scheme_len && passive)
        return MALFORMED(d, "a URL is not an address to listen on; write %s", form);
    if (scheme_len)
        return split_url(text, scheme_len, out, d);
    if (text[0] == '[') {
        const char *end = strchr(text, ']');
        if (!end)
            return MALFORMED(d, "\"%s\" has no closing bracket; write [IPv6]:PORT", text);
        if (end[1] != ':')
            return MALFORMED(d, "\"%s\" has no port; write [IPv6]:PORT", text);
        *out = (struct split){
            .host = text + 1, .host_len = (size_t)(end - text - 1), .brackets = true};
        out->service = end + 2;
    } else if (!colon) {
        if (!passive)
            return MALFORMED(d, "\"%s\" has no port; write %s", text, form);
        *out = (struct split){.host = "", .service = text};
    } else if (strchr(text, ':') != colon) {
        return MALFORMED(d, "\"%s\" has several colons; write an IPv6 address in brackets: [%s]%s",
                         text, text, ":PORT");
    } else if (!colon[1]) {
        return MALFORMED(d, "\"%s\": the port behind the colon is missing; write %s", text, form);
    } else {
        bool any = passive && colon == text + 1 && text[0] == '*';
        *out = (struct split){.host = text, .host_len = any ? 0 : (size_t)(colon - text)};
        out->service = colon + 1;
    }
    out->service_len = strlen(out->service);
    return 0;
}

/* Decimal, or hexadecimal behind 0x, as every number of the command line. */
static bool is_number(const char *text)
{
    return (*text && strspn(text, DIGITS) == strlen(text)) || strncmp(text, "0x", 2) == 0;
}

static int parse_service(const struct split *s, struct target_name *name, struct diag *d)
{
    char text[TARGET_SERVICE] = "";
    uint64_t port;

    if (!s->service_len)
        return MALFORMED(d, "the port behind the colon is missing");
    /* Zeros may stand before a number, but no more than there is room for. */
    bool fits = s->service_len < sizeof text;
    memcpy(text, s->service, fits ? s->service_len : sizeof text - 1);
    if (is_number(text)) {
        if (!fits || text_number(text, &port) || port < 1 || port > UINT16_MAX)
            return MALFORMED(d, "there is no port %s%s; ports are 1 to 65535", text,
                             fits ? "" : "...");
        name->port = (uint16_t)port;
    } else if (!fits || strspn(text, LETTERS DIGITS "-_.+") != strlen(text) ||
               !strpbrk(text, LETTERS) || text[0] == '-') {
        /* RFC 6335, 5.1 allows these characters, and /etc/services has some more. */
        return MALFORMED(d, "\"%s\" is neither a port from 1 to 65535 nor a service's name", text);
    }
    memcpy(name->service, text, sizeof text);
    return 0;
}

/* Returns whether the resolver would read the name as an address, in a form that few people know: a
 * name whose last part is a number (10.1 is 10.0.0.1, 010 is 8). */
static bool looks_like_address(const char *host)
{
    const char *dot = strrchr(host, '.');
    const char *last = dot ? dot + 1 : host;

    return *last && (strspn(last, DIGITS) == strlen(last) || strncasecmp(last, "0x", 2) == 0);
}

/* Returns whether this can be the name of a host. Bytes beyond ASCII are allowed, since an
 * internationalised name may be in the hosts file. */
static bool is_host_name(const char *host)
{
    for (const char *p = host; *p; p++) {
        if (!((unsigned char)*p & 0x80) && !strchr(LETTERS DIGITS "-._", *p))
            return false;
    }
    return host[0] && host[0] != '-' && host[0] != '.';
}

/* Splits "fe80::1%eth0", which brackets surround; in a URL it is "fe80::1%25eth0" (RFC 6874). */
static int parse_zone(struct target_name *name, struct diag *d)
{
    char *percent = strchr(name->host, '%');

    if (!percent)
        return 0;
    if (name->url && strncmp(percent, "%25", 3) == 0 && percent[3]) {
        *percent = '\0';
        percent += 2;
    }
    if (!percent[1] || strlen(percent + 1) >= sizeof name->zone)
        return MALFORMED(d, "\"%s\" has no interface behind its %%", name->host);
    memcpy(name->zone, percent + 1, strlen(percent + 1) + 1);
    *percent = '\0';
    return 0;
}

static int parse_host(const struct split *s, struct target_name *name, struct diag *d)
{
    bool v6;
    struct addr addr;

    if (s->host_len >= sizeof name->host)
        return MALFORMED(d, "the host's name is longer than %d characters", TARGET_HOST - 1);
    memcpy(name->host, s->host, s->host_len);
    if (!s->host_len)
        return name->passive && !s->brackets ? 0
                                             : MALFORMED(d, "the host before the port is "
                                                            "missing");
    if (s->brackets && parse_zone(name, d))
        return WAVE_EINVAL;
    if (target_literal(name->host, &v6, &addr) && v6 == s->brackets) {
        const char *wrong = name->passive && is_zero(&addr) ? NULL : not_a_peer(v6, &addr);
        name->literal = v6 ? TARGET_IPV6 : TARGET_IPV4;
        return wrong ? MALFORMED(d, "%s %s", name->host, wrong) : 0;
    }
    if (s->brackets)
        return MALFORMED(d, "\"%s\" is not an IPv6 address", name->host);
    if (looks_like_address(name->host))
        return MALFORMED(d, "\"%s\" is not an IPv4 address", name->host);
    if (!is_host_name(name->host))
        return MALFORMED(d, "\"%s\" cannot be a host's name", name->host);
    return 0;
}

int target_parse(const char *text, bool passive, struct target_name *out, struct diag *d)
{
    struct target_name name = {.passive = passive};
    struct split s = {.brackets = false};

    if (split(text, passive, &s, d))
        return WAVE_EINVAL;
    name.url = s.url;
    if (parse_host(&s, &name, d) || parse_service(&s, &name, d))
        return WAVE_EINVAL;
    name.sim = !s.url && strcasecmp(name.host, "sim") == 0;
    *out = name;
    return 0;
}

int target_single(char *const *text, unsigned count, bool passive, struct target_name *out,
                  struct diag *d)
{
    if (count == 1)
        return target_parse(text[0], passive, out, d);
    if (!strchr(text[0], ':') && *text[1] && strspn(text[1], DIGITS) == strlen(text[1]))
        return MALFORMED(d, "one target is wanted; did you mean \"%s:%s\"?", text[0], text[1]);
    return MALFORMED(d, "one target is wanted, and here are two: \"%s\" and \"%s\"", text[0],
                     text[1]);
}

/*
 * Looking it up.
 */

static int resolve_port(const struct target_name *name, uint16_t *port, struct diag *d)
{
    const struct servent *service;

    *port = name->port;
    if (name->port)
        return 0;
    service = getservbyname(name->service, "tcp");
    if (!service)
        return diag_fail(d, WAVE_ENOTFOUND,
                         "unknown service \"%s\": it is not in /etc/services; write the number of "
                         "its port",
                         name->service);
    *port = ntohs((uint16_t)service->s_port);
    return 0;
}

/* An interface's name, or its number as RFC 4007, 11.2 has it. */
static int resolve_zone(const char *zone, uint32_t *scope, struct diag *d)
{
    char name[IF_NAMESIZE];
    uint64_t number;

    *scope = 0;
    if (!zone[0])
        return 0;
    *scope = if_nametoindex(zone);
    if (!*scope && text_number(zone, &number) == 0 && number <= INT32_MAX &&
        if_indextoname((unsigned)number, name))
        *scope = (uint32_t)number;
    if (!*scope)
        return diag_fail(d, WAVE_ENOTFOUND,
                         "unknown interface \"%s\"; \"ip link\" lists this host's", zone);
    return 0;
}

static void take_address(const struct addrinfo *info, struct target *t)
{
    t->addr = (struct addr){{0}};
    t->v6 = info->ai_family == AF_INET6;
    if (t->v6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, info->ai_addr, sizeof in6);
        memcpy(t->addr.byte, &in6.sin6_addr, 16);
        t->scope = in6.sin6_scope_id;
    } else {
        struct sockaddr_in in;
        memcpy(&in, info->ai_addr, sizeof in);
        memcpy(t->addr.byte, &in.sin_addr, 4);
        t->scope = 0;
    }
}

/* Adds the address, unless it is there already, as a file of hosts may have it twice. */
static void add_address(struct target_list *list, const struct target *t)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const struct target *a = &list->at[i];
        if (a->v6 == t->v6 && addr_eq(&a->addr, &t->addr) && a->scope == t->scope)
            return;
    }
    if (list->count < TARGET_ADDRESSES)
        list->at[list->count++] = *t;
    else
        list->more++;
}

/* Resolves a host's name, and takes its addresses that can be a peer; `t` has what they share.
 * AI_ADDRCONFIG is not set, since it would hide ::1 on a host that has no other IPv6 address;
 * getaddrinfo() puts addresses that cannot be reached last anyway (RFC 6724, rule 1). */
static int resolve_name(const char *host, enum target_family family, struct target *t,
                        struct target_list *out, struct diag *d)
{
    static const char *const what[] = {"an address", "an IPv4 address", "an IPv6 address"};
    static const int af[] = {AF_UNSPEC, AF_INET, AF_INET6};
    struct addrinfo hints = {.ai_family = af[family], .ai_socktype = SOCK_STREAM};
    struct addrinfo *list;
    const char *why, *wrong = NULL;
    int error = getaddrinfo(host, NULL, &hints, &list);

    if (error == EAI_NONAME && family == TARGET_ANY)
        return diag_fail(d, WAVE_ENOTFOUND, "unknown host \"%s\": no such name", host);
    if (error)
        return diag_fail(d, WAVE_ENOTFOUND, "unknown host \"%s\": cannot find %s of it: %s", host,
                         what[family], gai_strerror(error));
    for (const struct addrinfo *i = list; i; i = i->ai_next) {
        take_address(i, t);
        why = not_a_peer(t->v6, &t->addr);
        if (!why)
            add_address(out, t);
        else if (!wrong)
            wrong = why;
    }
    freeaddrinfo(list);
    if (!out->count)
        return diag_fail(d, WAVE_ENOTFOUND, "unknown host \"%s\": its address %s", host,
                         wrong ? wrong : "is of another family");
    return 0;
}

/* Gives each address the zone's interface, and says where one is needed and there is none. */
static int apply_zone(const struct target_name *name, uint32_t scope, struct target_list *list,
                      struct diag *d)
{
    for (uint32_t i = 0; i < list->count; i++) {
        struct target *t = &list->at[i];
        if (scope)
            t->scope = scope;
        if (is_link_local(t->v6, &t->addr) && !t->scope && !name->passive)
            return diag_fail(d, WAVE_ENOTFOUND,
                             "%s is a link-local address and needs an interface: "
                             "[%s%%IFACE]:%s",
                             name->host, name->host, name->service);
    }
    return 0;
}

struct addr target_simulated(bool v6, bool near)
{
    if (v6)
        return (struct addr){{0x20, 0x01, 0x0d, 0xb8, [15] = near ? 0x01 : 0x80}};
    return addr_v4(192, 0, 2, near ? 1 : 80);
}

bool target_is_looked_up(const struct target_name *name)
{
    return !name->port || (name->host[0] && !name->literal);
}

int target_resolve_all(const struct target_name *name, enum target_family family,
                       struct target_list *out, struct diag *d)
{
    struct target t = {.v6 = family == TARGET_IPV6, .any = !name->host[0]};
    struct target_list list = {.count = 0};
    uint32_t scope;
    int rc = resolve_port(name, &t.port, d);

    if (rc || (rc = resolve_zone(name->zone, &scope, d)))
        return rc;
    if (name->sim) {
        t.addr = target_simulated(t.v6, name->passive);
    } else if (name->literal) {
        if (family && family != name->literal)
            return MALFORMED(d, "%s is not an %s address", name->host,
                             family == TARGET_IPV4 ? "IPv4" : "IPv6");
        target_literal(name->host, &t.v6, &t.addr);
        t.any = is_zero(&t.addr);
    } else if (!t.any) {
        rc = resolve_name(name->host, family, &t, &list, d);
        if (rc)
            return rc;
    } else if (!family) {
        t.v6 = family_default_v6();
    }
    if (!list.count)
        list.at[list.count++] = t;
    rc = apply_zone(name, scope, &list, d);
    if (!rc)
        *out = list;
    return rc;
}

int target_resolve(const struct target_name *name, enum target_family family, struct target *out,
                   struct diag *d)
{
    struct target_list list;
    int rc = target_resolve_all(name, family, &list, d);

    if (!rc)
        *out = list.at[0];
    return rc;
}
