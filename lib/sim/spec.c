/*
 * A SPEC is a list of NAME=VALUE, separated by commas. The table of properties has for each name a
 * kind and a field; the kinds that only one property has are parsed and printed by functions of
 * their own. Values are compared with the defaults when they are printed, so that the text is
 * short.
 */
#include "lib/sim/spec.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/core/err.h"
#include "lib/core/text.h"

#define VALUE 96 /* characters of a value, at most, and the NUL */
#define DURATION_MAX (8760 * WAVE_H)
#define RTT_MAX WAVE_H
#define RATE_MAX 1000000000000u /* 1000 gbit */
#define MTU_MIN 68              /* RFC 791, 3.2 */

enum kind { DURATION, PERCENT, NUMBER, SIZE, SEED, RATE, LOSE, MTU, NAT, PEER, SPEED, FLAG };

struct property {
    const char *name;
    enum kind kind;
    size_t field;
    uint64_t min, max;
    const char *allowed;
};

#define FIELD(name) offsetof(struct sim_spec, name)
#define A_PERCENTAGE "a percentage from 0% to 100%, such as 5% or 0.25%"

/* In the order in which they are printed. */
static const struct property properties[] = {
    {"peer", PEER, FIELD(peer), 0, 0, NULL},
    {"think", DURATION, FIELD(think), 0, DURATION_MAX, "a duration, such as 5ms"},
    {"rtt", DURATION, FIELD(rtt), 0, RTT_MAX, "a duration from 0s to 1h, such as 20ms"},
    {"jitter", DURATION, FIELD(jitter), 0, RTT_MAX, "a duration from 0s to 1h, such as 2ms"},
    {"loss", PERCENT, FIELD(loss), 0, 0, A_PERCENTAGE},
    {"lose", LOSE, FIELD(lose), 1, UINT32_MAX,
     "up to 8 ascending numbers of segments, such as 2 or 2+5"},
    {"dup", PERCENT, FIELD(duplication), 0, 0, A_PERCENTAGE},
    {"reorder", PERCENT, FIELD(reordering), 0, 0, A_PERCENTAGE},
    {"corrupt", PERCENT, FIELD(corruption), 0, 0, A_PERCENTAGE},
    {"ce", PERCENT, FIELD(marking), 0, 0, A_PERCENTAGE},
    {"rate", RATE, FIELD(rate), 1000, RATE_MAX, "a rate from 1kbit to 1000gbit, such as 10mbit"},
    {"queue", SIZE, FIELD(queue), 1, UINT32_MAX, "a number of bytes, such as 64k"},
    {"mtu", MTU, FIELD(mtu), MTU_MIN, 65535,
     "a number of bytes from 68 to 65535, and /silent behind it for no ICMP"},
    {"hops", NUMBER, FIELD(hops), 0, HOPS_MAX, "a number of routers from 0 to 60"},
    {"nat", NAT, FIELD(nat), WAVE_US, DURATION_MAX,
     "a duration longer than 0s, such as 5m, and /rst behind it for a RST"},
    {"syn-proxy", FLAG, FIELD(syn_proxy), 0, 0, NULL},
    {"dials", NUMBER, FIELD(dials), 1, SIM_DIALS_MAX, "a number from 1 to 1000000"},
    {"every", DURATION, FIELD(every), 0, DURATION_MAX, "a duration, such as 100ms"},
    {"seed", SEED, FIELD(seed), 0, UINT64_MAX, "a number"},
    {"speed", SPEED, FIELD(real), 0, 0, "virtual or real"},
};

#define PROPERTIES (sizeof properties / sizeof properties[0])

/* In the order of the manual; what is said of each there must fit host.h. */
static const struct {
    const char *name;
    enum host_behaviour peer;
} peers[] = {{"echo", HOST_ECHO},
             {"discard", HOST_DISCARD},
             {"answer", HOST_ANSWER},
             {"answers-after-fin", HOST_ANSWER_AFTER_FIN},
             {"speaks-first", HOST_ANSWER_FIRST},
             {"closes-first", HOST_ANSWER_AND_FIN_FIRST},
             {"never-closes", HOST_NEVER_CLOSES},
             {"half-close-breaks", HOST_BREAKS_HALF_CLOSE},
             {"never-reads", HOST_NEVER_READS},
             {"resets", HOST_RESETS},
             {"resets-fin", HOST_RESETS_FIN},
             {"closed", HOST_CLOSED},
             {"silent", HOST_SILENT}};

#define PEERS (sizeof peers / sizeof peers[0])

void sim_spec_default(struct sim_spec *s)
{
    *s = (struct sim_spec){.rtt = 20 * WAVE_MS,
                           .mtu = 1500,
                           .seed = 1,
                           .peer = HOST_ECHO,
                           .vanish_at = WAVE_NEVER,
                           .reboot_at = WAVE_NEVER,
                           .dials = 1,
                           .every = 100 * WAVE_MS};
}

const char *sim_spec_peer(enum host_behaviour peer)
{
    for (size_t i = 0; i < PEERS; i++)
        if (peers[i].peer == peer)
            return peers[i].name;
    return "echo";
}

/*
 * Parsing
 */

/* What the parser knows: the text, where it is, and where to say what is wrong. */
struct parser {
    const char *text, *at;
    struct sim_spec *to;
    struct sim_spec_error *error;
    uint32_t seen; /* a bit for each property that was given */
};

static int wrong(const struct parser *p, const char *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int wrong(const struct parser *p, const char *at, const char *format, ...)
{
    va_list ap;

    p->error->at = (size_t)(at - p->text);
    va_start(ap, format);
    vsnprintf(p->error->allowed, sizeof p->error->allowed, format, ap);
    va_end(ap);
    return WAVE_EINVAL;
}

/* Appends ", name" to a list, as far as there is room. */
static void add_name(char *list, size_t room, const char *name)
{
    size_t used = strlen(list);

    snprintf(list + used, room - used, "%s%s", used ? ", " : "", name);
}

/* Says which names are allowed here: all that were not given. */
static int wrong_name(const struct parser *p, const char *at)
{
    char names[160] = "";

    for (size_t i = 0; i < PROPERTIES; i++)
        if (!(p->seen & 1u << i))
            add_name(names, sizeof names, properties[i].name);
    return wrong(p, at, "one of %s", names);
}

static int wrong_peer(const struct parser *p, const char *at)
{
    char names[180] = "";

    for (size_t i = 0; i < PEERS; i++)
        add_name(names, sizeof names, peers[i].name);
    add_name(names, sizeof names, "vanishes@TIME");
    add_name(names, sizeof names, "reboots@TIME");
    return wrong(p, at, "%s", names);
}

/* Parses a decimal number with at most two decimals, and a % that may be left out, into 1/10000. */
static bool percentage(const char *text, uint32_t *out)
{
    uint32_t n = 0;
    unsigned decimals = 0;
    const char *c = text;

    for (; *c >= '0' && *c <= '9' && n <= 100; c++)
        n = n * 10 + (uint32_t)(*c - '0');
    if (c == text)
        return false;
    if (*c == '.' && c[1] >= '0' && c[1] <= '9')
        for (c++; *c >= '0' && *c <= '9' && decimals < 2; c++, decimals++)
            n = n * 10 + (uint32_t)(*c - '0');
    for (; decimals < 2; decimals++)
        n *= 10;
    c += *c == '%';
    *out = n;
    return !*c && n <= 10000;
}

static const struct {
    const char *name;
    uint64_t bits;
} rates[] = {{"gbit", 1000000000}, {"mbit", 1000000}, {"kbit", 1000}, {"bit", 1}};

#define RATES (sizeof rates / sizeof rates[0])

static bool rate(char *text, uint64_t *out)
{
    char *unit = text + strspn(text, "0123456789");
    uint64_t n, factor = 0;

    for (size_t i = 0; i < RATES; i++)
        if (strcmp(unit, rates[i].name) == 0)
            factor = rates[i].bits;
    *unit = '\0';
    return factor && text_number(text, &n) == 0 && !__builtin_mul_overflow(n, factor, out);
}

static bool duration(const char *text, uint64_t *out)
{
    wave_time t;

    if (text_duration(text, &t) != 0)
        return false;
    *out = t;
    return true;
}

/* Parses "2+5". The numbers ascend, so that there is one way to write them. */
static bool lose(char *text, struct sim_spec *s)
{
    char *save;
    uint64_t n, last = 0;

    if (!*text || text[0] == '+' || text[strlen(text) - 1] == '+' || strstr(text, "++"))
        return false;
    for (char *one = strtok_r(text, "+", &save); one; one = strtok_r(NULL, "+", &save)) {
        if (s->loses == SIM_LOSE_MAX || text_number(one, &n) != 0 || n <= last || n > UINT32_MAX)
            return false;
        last = n;
        s->lose[s->loses++] = (uint32_t)n;
    }
    return s->loses > 0;
}

/* Cuts the suffix off the text, and returns whether it was there. */
static bool cut(char *text, const char *suffix)
{
    size_t len = strlen(text), tail = strlen(suffix);

    if (len < tail || strcmp(text + len - tail, suffix) != 0)
        return false;
    text[len - tail] = '\0';
    return true;
}

/* Parses "vanishes@1h" and "reboots@1h", whose peer sends back what it gets until then. */
static int peer_at(struct parser *p, const char *at, const char *value)
{
    const char *time = strchr(value, '@');
    const bool vanishes = strncmp(value, "vanishes@", 9) == 0;
    wave_time t;

    if (!vanishes && strncmp(value, "reboots@", 8) != 0)
        return wrong_peer(p, at);
    if (text_duration(time + 1, &t) != 0 || t > DURATION_MAX)
        return wrong(p, at + (time + 1 - value), "a duration, such as 1h: when the peer %s",
                     vanishes ? "vanishes" : "reboots");
    p->to->has_peer = true;
    *(vanishes ? &p->to->vanish_at : &p->to->reboot_at) = t;
    return 0;
}

static int peer(struct parser *p, const char *at, const char *value)
{
    if (strchr(value, '@'))
        return peer_at(p, at, value);
    for (size_t i = 0; i < PEERS; i++)
        if (strcmp(peers[i].name, value) == 0) {
            p->to->peer = peers[i].peer;
            p->to->has_peer = true;
            return 0;
        }
    return wrong_peer(p, at);
}

/* Stores a number of the kinds that are one, if it is from `min` to `max`. */
static int store(struct parser *p, const struct property *q, const char *at, uint64_t n)
{
    char *field = (char *)p->to + q->field;

    if (n < q->min || n > q->max)
        return wrong(p, at, "%s", q->allowed);
    switch (q->kind) {
    case DURATION:
    case NAT:
    case SEED:
    case RATE:
        *(uint64_t *)field = n;
        return 0;
    default:
        *(uint32_t *)field = (uint32_t)n;
        return 0;
    }
}

static int value_of(struct parser *p, const struct property *q, const char *at, char value[VALUE])
{
    uint64_t n = 0;
    bool good = false;

    switch (q->kind) {
    case PEER:
        return peer(p, at, value);
    case SPEED:
        p->to->real = strcmp(value, "real") == 0;
        return p->to->real || strcmp(value, "virtual") == 0 ? 0 : wrong(p, at, "%s", q->allowed);
    case PERCENT:
        return percentage(value, (uint32_t *)((char *)p->to + q->field))
                   ? 0
                   : wrong(p, at, "%s", q->allowed);
    case LOSE:
        return lose(value, p->to) ? 0 : wrong(p, at, "%s", q->allowed);
    case NAT:
        p->to->nat_resets = cut(value, "/rst");
        good = duration(value, &n);
        break;
    case DURATION:
        good = duration(value, &n);
        break;
    case RATE:
        good = rate(value, &n);
        break;
    case SIZE:
        good = text_size(value, &n) == 0;
        break;
    case MTU:
        p->to->silent_mtu = cut(value, "/silent");
        good = text_number(value, &n) == 0;
        break;
    case NUMBER:
    case SEED:
        good = text_number(value, &n) == 0;
        break;
    case FLAG:
        break;
    }
    return good ? store(p, q, at, n) : wrong(p, at, "%s", q->allowed);
}

/* Parses one property, and moves on to the comma behind it or to the end. */
static int property(struct parser *p)
{
    const char *name = p->at, *end = name + strcspn(name, ","),
               *equals = name + strcspn(name, "=,");
    size_t len = (size_t)(equals - name), i = 0;
    char value[VALUE];

    while (i < PROPERTIES &&
           (strlen(properties[i].name) != len || memcmp(properties[i].name, name, len) != 0))
        i++;
    if (i == PROPERTIES || p->seen & 1u << i)
        return wrong_name(p, name);
    p->seen |= 1u << i;
    p->at = end;
    if (properties[i].kind == FLAG) {
        *((bool *)((char *)p->to + properties[i].field)) = true;
        return *equals == '='
                   ? wrong(p, equals, "a comma or the end: %s takes no value", properties[i].name)
                   : 0;
    }
    if (*equals != '=')
        return wrong(p, equals, "= and a value of %s", properties[i].name);
    if (end - equals - 1 >= VALUE)
        return properties[i].kind == PEER ? wrong_peer(p, equals + 1)
                                          : wrong(p, equals + 1, "%s", properties[i].allowed);
    memcpy(value, equals + 1, (size_t)(end - equals - 1));
    value[end - equals - 1] = '\0';
    return value_of(p, &properties[i], equals + 1, value);
}

int sim_spec_parse(const char *text, struct sim_spec *out, struct sim_spec_error *e)
{
    struct sim_spec s;
    struct parser p = {.text = text, .at = text, .to = &s, .error = e};

    sim_spec_default(&s);
    for (;;) {
        if (property(&p) != 0)
            return WAVE_EINVAL;
        if (!*p.at)
            break;
        p.at++;
    }
    if (s.queue && !s.rate)
        return wrong(&p, p.at, "rate as well: a queue only grows where the rate is limited");
    *out = s;
    return 0;
}

/*
 * Printing
 */

static const char *rate_text(uint64_t n, char text[VALUE])
{
    size_t i = 0;

    while (n % rates[i].bits)
        i++;
    snprintf(text, VALUE, "%" PRIu64 "%s", n / rates[i].bits, rates[i].name);
    return text;
}

static const char *percent_text(uint32_t n, char text[VALUE])
{
    if (n % 100)
        snprintf(text, VALUE, n % 10 ? "%u.%02u%%" : "%u.%u%%", n / 100,
                 n % 10 ? n % 100 : n % 100 / 10);
    else
        snprintf(text, VALUE, "%u%%", n / 100);
    return text;
}

static const char *peer_text(const struct sim_spec *s, char text[VALUE])
{
    char time[TEXT_DURATION];

    if (s->vanish_at != WAVE_NEVER)
        snprintf(text, VALUE, "vanishes@%s", text_duration_format(s->vanish_at, time));
    else if (s->reboot_at != WAVE_NEVER)
        snprintf(text, VALUE, "reboots@%s", text_duration_format(s->reboot_at, time));
    else
        snprintf(text, VALUE, "%s", sim_spec_peer(s->peer));
    return text;
}

static bool lose_text(const struct sim_spec *s, char text[VALUE])
{
    size_t used = 0;

    for (uint32_t i = 0; i < s->loses; i++)
        used += (size_t)snprintf(text + used, VALUE - used, "%s%u", i ? "+" : "", s->lose[i]);
    return s->loses > 0;
}

/* Writes the property's value, and returns whether it has to be printed. */
static bool value_text(const struct sim_spec *s, const struct sim_spec *usual,
                       const struct property *q, char text[VALUE])
{
    const char *field = (const char *)s + q->field, *other = (const char *)usual + q->field;
    char time[TEXT_DURATION];
    const uint64_t *wide = (const uint64_t *)field;
    const uint32_t *narrow = (const uint32_t *)field;

    switch (q->kind) {
    case PEER:
        peer_text(s, text);
        return s->has_peer;
    case SPEED:
        snprintf(text, VALUE, "real");
        return s->real;
    case FLAG:
        return *(const bool *)field;
    case LOSE:
        return lose_text(s, text);
    case PERCENT:
        percent_text(*narrow, text);
        break;
    case MTU:
        snprintf(text, VALUE, "%u%s", *narrow, s->silent_mtu ? "/silent" : "");
        return *narrow != usual->mtu || s->silent_mtu;
    case NUMBER:
    case SIZE:
        snprintf(text, VALUE, "%u", *narrow);
        break;
    case SEED:
        snprintf(text, VALUE, "%" PRIu64, *wide);
        return *wide != usual->seed;
    case RATE:
        rate_text(*wide, text);
        return *wide != 0;
    case NAT:
        snprintf(text, VALUE, "%s%s", text_duration_format(*wide, time),
                 s->nat_resets ? "/rst" : "");
        return *wide != 0;
    case DURATION:
        snprintf(text, VALUE, "%s", text_duration_format(*wide, time));
        return *wide != *(const uint64_t *)other;
    }
    return *narrow != *(const uint32_t *)other;
}

const char *sim_spec_print(const struct sim_spec *s, char text[SIM_SPEC_TEXT])
{
    struct sim_spec usual;
    char value[VALUE];
    size_t used = 0;

    sim_spec_default(&usual);
    text[0] = '\0';
    for (size_t i = 0; i < PROPERTIES; i++) {
        const struct property *q = &properties[i];
        if (!value_text(s, &usual, q, value))
            continue;
        used += (size_t)snprintf(text + used, SIM_SPEC_TEXT - used, "%s%s%s%s", used ? "," : "",
                                 q->name, q->kind == FLAG ? "" : "=", q->kind == FLAG ? "" : value);
    }
    return text;
}
