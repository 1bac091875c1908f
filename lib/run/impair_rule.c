/*
 * Parses a rule from left to right: the direction, the items of the match, then the action, and at
 * last whether they go together. Every complaint is made by wrong(), which names the place.
 */
#include "lib/run/impair_rule.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/core/diag.h"
#include "lib/core/seg.h"
#include "lib/core/text.h"

#define WORD 64                 /* bytes of an item or action, with a NUL; longer ones are wrong */
#define LONGEST (8760 * WAVE_H) /* of a duration: a year */
#define WINDOW_MAX (65535u << 14) /* RFC 7323, 2.3 */
#define SHOWN 40                  /* characters of the rest of a rule in a message */

#define FLAG_LETTERS "S F R P U E W and '.'"
#define ITEMS                                                                                      \
    "an item is flags (S F R P U E W .), data, nodata, #N, #N-M, every=N, p=PERCENT, "             \
    "after=DURATION, before=DURATION or bytes=L-R"
#define ACTIONS                                                                                    \
    "an action is drop, dup, delay=, reorder, corrupt, corrupt=data, truncate=, win=, seq+=, "     \
    "ack+=, flags=, strip=, mss=, wscale=, ts+=, tsecr+=, sack+=, urg=, ttl=, ecn= or rst"
#define STRIPS "strip= takes mss, wscale, sackok, sack, ts or all"

/* What is parsed, and where complaints go. */
struct parser {
    const char *text;
    struct impair_rule *rule;
    struct diag *d;
};

/* Complains about what stands at `at`. */
static int wrong(const struct parser *p, const char *at, const char *why)
{
    const unsigned place = (unsigned)(at - p->text) + 1;

    if (!*at)
        return diag_fail(p->d, WAVE_EINVAL, "at its end (character %u): %s", place, why);
    return diag_fail(p->d, WAVE_EINVAL, "at character %u, '%.*s%s': %s", place, SHOWN, at,
                     strlen(at) > SHOWN ? "..." : "", why);
}

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Copies `len` characters at `at` into `word`. Returns false if they do not fit. */
static bool copy(const char *at, size_t len, char word[WORD])
{
    if (len >= WORD)
        return false;
    memcpy(word, at, len);
    word[len] = '\0';
    return true;
}

/* Returns the flag that a letter names, or 0. */
static uint16_t flag_of(char letter)
{
    static const char letters[] = "FSRP.UEW"; /* from the lowest bit on */
    const char *found = letter ? strchr(letters, letter) : NULL;

    return found ? (uint16_t)(1u << (found - letters)) : 0;
}

/* Parses the letters from `at` to `end`. */
static int parse_flags(const struct parser *p, const char *at, const char *end, uint16_t *out)
{
    uint16_t flags = 0;

    for (; at < end; at++) {
        const uint16_t flag = flag_of(*at);
        if (!flag)
            return wrong(p, at, "a flag is one of " FLAG_LETTERS);
        if (flags & flag)
            return wrong(p, at, "this flag is named twice");
        flags |= flag;
    }
    *out = flags;
    return 0;
}

/* Parses a number between `min` and `max`. */
static bool number(const char *word, uint64_t min, uint64_t max, uint32_t *out)
{
    uint64_t n;

    if (text_number(word, &n) != 0 || n < min || n > max)
        return false;
    *out = (uint32_t)n;
    return true;
}

/* Parses N, N-M or N-, all from 1. */
static bool range(const char *word, uint32_t *first, uint32_t *last)
{
    char begin[WORD];
    const char *dash = strchr(word, '-');

    if (!dash) {
        if (!number(word, 1, IMPAIR_LAST - 1, first))
            return false;
        *last = *first;
        return true;
    }
    if (!copy(word, (size_t)(dash - word), begin) || !number(begin, 1, IMPAIR_LAST - 1, first))
        return false;
    *last = IMPAIR_LAST;
    return !dash[1] || (number(dash + 1, 1, IMPAIR_LAST - 1, last) && *first <= *last);
}

/* Parses a percentage above 0, with at most six decimal places. */
static bool percentage(const char *word, uint32_t *out)
{
    const char *p = word;
    uint64_t n = 0, unit = IMPAIR_ALWAYS / 100;

    if (*p < '0' || *p > '9')
        return false;
    for (; *p >= '0' && *p <= '9'; p++) {
        n = n * 10 + (unsigned)(*p - '0');
        if (n > 100)
            return false;
    }
    n *= unit;
    if (*p == '.') {
        if (p[1] < '0' || p[1] > '9')
            return false;
        for (p++; *p >= '0' && *p <= '9'; p++) {
            unit /= 10;
            if (!unit)
                return false;
            n += unit * (unsigned)(*p - '0');
        }
    }
    if (*p == '%')
        p++;
    *out = (uint32_t)n;
    return !*p && n && n <= IMPAIR_ALWAYS;
}

/*
 * The match
 */

/* Notes that an item of this kind was given. */
static int add(const struct parser *p, const char *at, unsigned kind)
{
    if (p->rule->match & kind)
        return wrong(p, at, "there is such an item already");
    p->rule->match |= kind;
    if ((p->rule->match & IMPAIR_BY_NO_DATA) &&
        (p->rule->match & (IMPAIR_BY_DATA | IMPAIR_BY_BYTES)))
        return wrong(p, at, "no segment has data and none");
    return 0;
}

/* The items that have a value. */
static const struct {
    const char *name;
    unsigned kind;
    const char *takes;
} valued[] = {
    {"every=", IMPAIR_BY_EVERY, "every= takes a number from 1 on"},
    {"p=", IMPAIR_BY_CHANCE,
     "p= takes a percentage above 0 and up to 100, with at most six decimal places"},
    {"after=", IMPAIR_BY_AFTER, "after= takes a duration: a number with us, ms, s, m or h"},
    {"before=", IMPAIR_BY_BEFORE,
     "before= takes a duration above 0: a number with us, ms, s, m or h"},
    {"bytes=", IMPAIR_BY_BYTES, "bytes= takes L-R, L- or L: bytes of data, counted from 1"}};

static bool duration(const char *word, wave_time min, wave_time *out)
{
    return text_duration(word, out) == 0 && *out >= min && *out <= LONGEST;
}

/* Parses the value of an item. */
static bool take_value(struct impair_rule *r, unsigned kind, const char *value)
{
    switch (kind) {
    case IMPAIR_BY_EVERY:
        return number(value, 1, UINT32_MAX, &r->every);
    case IMPAIR_BY_CHANCE:
        return percentage(value, &r->chance);
    case IMPAIR_BY_AFTER:
        return duration(value, 0, &r->after);
    case IMPAIR_BY_BEFORE:
        return duration(value, 1, &r->before);
    default:
        return range(value, &r->byte_first, &r->byte_last);
    }
}

/* Parses one item, the characters from `at` to `end`. */
static int parse_item(const struct parser *p, const char *at, const char *end)
{
    struct impair_rule *r = p->rule;
    char word[WORD];

    if (!copy(at, (size_t)(end - at), word))
        return wrong(p, at, ITEMS);
    if (*word == '#') {
        if (!range(word + 1, &r->first, &r->last))
            return wrong(p, at + 1, "# takes N, N-M or N-: segments that match, counted from 1");
        return add(p, at, IMPAIR_BY_NUMBER);
    }
    for (unsigned i = 0; i < sizeof valued / sizeof *valued; i++) {
        const size_t len = strlen(valued[i].name);
        if (strncmp(word, valued[i].name, len) != 0)
            continue;
        if (!take_value(r, valued[i].kind, word + len))
            return wrong(p, at + len, valued[i].takes);
        return add(p, at, valued[i].kind);
    }
    if (strcmp(word, "data") == 0)
        return add(p, at, IMPAIR_BY_DATA);
    if (strcmp(word, "nodata") == 0)
        return add(p, at, IMPAIR_BY_NO_DATA);
    if (!flag_of(*word))
        return wrong(p, at, ITEMS);
    if (parse_flags(p, at, end, &r->flags) != 0)
        return WAVE_EINVAL;
    return add(p, at, IMPAIR_BY_FLAGS);
}

/* Parses the items from `at` to `end`. */
static int parse_match(const struct parser *p, const char *at, const char *end)
{
    bool comma = true; /* an item has to stand before the next comma */

    while (at < end) {
        const char *from = at;

        if (blank(*at)) {
            at++;
            continue;
        }
        if (*at == ',') {
            if (comma)
                return wrong(p, at, "an item is missing before this comma; " ITEMS);
            comma = true;
            at++;
            continue;
        }
        for (at++; at < end && !blank(*at) && *at != ',' && *at != '#'; at++)
            ;
        if (parse_item(p, from, at) != 0)
            return WAVE_EINVAL;
        comma = false;
    }
    if (comma && p->rule->match)
        return wrong(p, end, "an item is missing after the last comma; " ITEMS);
    return 0;
}

/*
 * The action
 */

enum value {
    VALUE_NONE,
    VALUE_NUMBER,
    VALUE_ADD,
    VALUE_DELAY,
    VALUE_FLAGS,
    VALUE_STRIP,
    VALUE_ECN
};

#define ADDS "takes a number other than 0, which may be negative, of 32 bits"

static const struct {
    const char *name;
    enum impair_action action;
    enum value value;
    uint32_t min, max;
    const char *takes;
} actions[] = {
    {"drop", IMPAIR_DROP, VALUE_NONE, 0, 0, NULL},
    {"dup", IMPAIR_DUP, VALUE_NONE, 0, 0, NULL},
    {"delay=", IMPAIR_DELAY, VALUE_DELAY, 0, 0,
     "delay= takes a duration above 0: a number with us, ms, s, m or h"},
    {"reorder", IMPAIR_REORDER, VALUE_NONE, 0, 0, NULL},
    {"corrupt", IMPAIR_CORRUPT, VALUE_NONE, 0, 0, NULL},
    {"corrupt=data", IMPAIR_CORRUPT_DATA, VALUE_NONE, 0, 0, NULL},
    {"truncate=", IMPAIR_TRUNCATE, VALUE_NUMBER, 0, 65535,
     "truncate= takes a number of bytes, up to 65535"},
    {"win=", IMPAIR_WIN, VALUE_NUMBER, 0, WINDOW_MAX,
     "win= takes a window in bytes, up to 1073725440"},
    {"seq+=", IMPAIR_SEQ, VALUE_ADD, 0, 0, "seq+= " ADDS},
    {"ack+=", IMPAIR_ACK, VALUE_ADD, 0, 0, "ack+= " ADDS},
    {"flags=", IMPAIR_FLAGS, VALUE_FLAGS, 0, 0,
     "flags= takes letters of " FLAG_LETTERS ", or none"},
    {"strip=", IMPAIR_STRIP, VALUE_STRIP, 0, 0, STRIPS},
    {"mss=", IMPAIR_MSS, VALUE_NUMBER, 0, 65535, "mss= takes a number up to 65535"},
    {"wscale=", IMPAIR_WSCALE, VALUE_NUMBER, 0, 255, "wscale= takes a number up to 255"},
    {"ts+=", IMPAIR_TS, VALUE_ADD, 0, 0, "ts+= " ADDS},
    {"tsecr+=", IMPAIR_TSECR, VALUE_ADD, 0, 0, "tsecr+= " ADDS},
    {"sack+=", IMPAIR_SACK, VALUE_ADD, 0, 0, "sack+= " ADDS},
    {"urg=", IMPAIR_URG, VALUE_NUMBER, 0, 65535, "urg= takes an urgent pointer, up to 65535"},
    {"ttl=", IMPAIR_TTL, VALUE_NUMBER, 1, 255, "ttl= takes a number from 1 to 255"},
    {"ecn=", IMPAIR_ECN, VALUE_ECN, 0, 3, "ecn= takes none, ect1, ect0, ce or a number up to 3"},
    {"rst", IMPAIR_RST, VALUE_NONE, 0, 0, NULL}};

#define ACTION_COUNT (sizeof actions / sizeof *actions)

static const struct {
    const char *name;
    uint8_t options;
} strips[] = {{"mss", OPT_MSS},   {"wscale", OPT_WSCALE}, {"sackok", OPT_SACK_PERMITTED},
              {"sack", OPT_SACK}, {"ts", OPT_TIMESTAMP},  {"all", UINT8_MAX}};

static const char *const ecn_words[] = {"none", "ect1", "ect0", "ce"};

static bool parse_strip(const char *word, uint8_t *out)
{
    for (unsigned i = 0; i < sizeof strips / sizeof *strips; i++) {
        if (strcmp(word, strips[i].name) == 0) {
            *out = strips[i].options;
            return true;
        }
    }
    return false;
}

/* Parses a number to add. */
static bool parse_sum(const char *word, int64_t *out)
{
    const bool negative = *word == '-';
    uint32_t n;

    if (!number(word + negative, 1, UINT32_MAX, &n))
        return false;
    *out = negative ? -(int64_t)n : (int64_t)n;
    return true;
}

static bool parse_ecn(const char *word, int64_t *out)
{
    uint32_t n;

    for (unsigned i = 0; i < 4; i++) {
        if (strcmp(word, ecn_words[i]) == 0) {
            *out = i;
            return true;
        }
    }
    if (!number(word, 0, 3, &n))
        return false;
    *out = n;
    return true;
}

/* Parses the value of action number `i`, which stands at `at` in the rule. */
static int parse_value(const struct parser *p, unsigned i, const char *word, const char *at)
{
    struct impair_rule *r = p->rule;
    uint32_t n = 0;
    bool ok = true;

    switch (actions[i].value) {
    case VALUE_NONE:
        break;
    case VALUE_NUMBER:
        ok = number(word, actions[i].min, actions[i].max, &n);
        r->number = n;
        break;
    case VALUE_ADD:
        ok = parse_sum(word, &r->number);
        break;
    case VALUE_DELAY:
        ok = duration(word, 1, &r->delay);
        break;
    case VALUE_STRIP:
        ok = parse_strip(word, &r->options);
        break;
    case VALUE_ECN:
        ok = parse_ecn(word, &r->number);
        break;
    case VALUE_FLAGS:
        if (strcmp(word, "none") == 0 || !*word)
            ok = *word;
        else
            return parse_flags(p, at, at + strlen(word), &r->set);
        break;
    }
    return ok ? 0 : wrong(p, at, actions[i].takes);
}

/* Parses the action, the characters from `at` to `end`. */
static int parse_action(const struct parser *p, const char *at, const char *end)
{
    char word[WORD];

    if (!copy(at, (size_t)(end - at), word))
        return wrong(p, at, ACTIONS);
    for (unsigned i = 0; i < ACTION_COUNT; i++) {
        const size_t len = strlen(actions[i].name);
        const bool found = actions[i].value == VALUE_NONE
                               ? strcmp(word, actions[i].name) == 0
                               : strncmp(word, actions[i].name, len) == 0;
        if (!found)
            continue;
        p->rule->action = actions[i].action;
        return parse_value(p, i, word + len, at + len);
    }
    return wrong(p, at, ACTIONS);
}

/*
 * What goes together
 */

/* Returns why the action makes no sense for segments of these flags, or NULL. */
static const char *senseless_for_flags(const struct impair_rule *r)
{
    const bool syn = r->flags & SEG_SYN, rst = r->flags & SEG_RST;
    const bool plain_syn = syn && !(r->flags & SEG_ACK);
    const uint8_t of_syn = OPT_MSS | OPT_WSCALE | OPT_SACK_PERMITTED;

    switch (r->action) {
    case IMPAIR_STRIP:
        if (r->options == OPT_SACK && syn)
            return "a SYN carries no SACK blocks";
        return !syn && (r->options & of_syn) && r->options != UINT8_MAX
                   ? "only a SYN or SYN-ACK carries this option"
                   : NULL;
    case IMPAIR_MSS:
    case IMPAIR_WSCALE:
        return syn ? NULL : "only a SYN or SYN-ACK carries this option";
    case IMPAIR_SACK:
        return syn ? "a SYN carries no SACK blocks" : NULL;
    case IMPAIR_ACK:
        return plain_syn ? "a SYN without ACK acknowledges nothing" : NULL;
    case IMPAIR_TSECR:
        return plain_syn ? "a SYN without ACK echoes no timestamp" : NULL;
    case IMPAIR_WIN:
        return rst ? "the window of a RST means nothing" : NULL;
    case IMPAIR_RST:
        return rst ? "a RST is never answered with a RST" : NULL;
    default:
        return NULL;
    }
}

/* Returns why the rule makes no sense, or NULL. */
static const char *senseless(const struct impair_rule *r)
{
    const bool with_data = r->match & (IMPAIR_BY_DATA | IMPAIR_BY_BYTES);

    if ((r->match & IMPAIR_BY_AFTER) && (r->match & IMPAIR_BY_BEFORE) && r->after >= r->before)
        return "no segment comes after= the one time and before= the other";
    if (r->action == IMPAIR_TRUNCATE && !with_data)
        return "truncate needs 'data' in the match: of a segment without data nothing can be cut "
               "off";
    if (r->action == IMPAIR_CORRUPT_DATA && !with_data)
        return "corrupt=data needs 'data' in the match";
    if (r->action == IMPAIR_TTL && r->direction == IMPAIR_IN)
        return "ttl= is for 'out': our TCP does not look at the TTL of what arrives";
    return r->match & IMPAIR_BY_FLAGS ? senseless_for_flags(r) : NULL;
}

int impair_rule_parse(const char *text, struct impair_rule *out, struct diag *d)
{
    struct impair_rule r = {.words = text};
    const struct parser p = {text, &r, d};
    const char *at = text, *end = text + strlen(text), *action, *why;

    if (strncmp(at, "out:", 4) == 0) {
        at += 4;
    } else if (strncmp(at, "in:", 3) == 0) {
        r.direction = IMPAIR_IN;
        at += 3;
    } else {
        return wrong(&p, at, "a rule begins with 'out:' or 'in:'");
    }
    while (end > at && blank(end[-1]))
        end--;
    for (action = end; action > at && !blank(action[-1]); action--)
        ;
    if (action == end || action == at)
        return wrong(&p, text + strlen(text), "a blank and an action are missing; " ACTIONS);
    if (parse_match(&p, at, action) != 0 || parse_action(&p, action, end) != 0)
        return WAVE_EINVAL;
    why = senseless(&r);
    if (why)
        return wrong(&p, action, why);
    *out = r;
    return 0;
}

/*
 * Printing
 */

static void print_range(struct text_out *p, uint32_t first, uint32_t last)
{
    text_add(p, "%" PRIu32, first);
    if (last == IMPAIR_LAST)
        text_add(p, "-");
    else if (last != first)
        text_add(p, "-%" PRIu32, last);
}

static void print_chance(struct text_out *p, uint32_t chance)
{
    const uint32_t unit = IMPAIR_ALWAYS / 100;
    char places[8];
    size_t len = 6;

    snprintf(places, sizeof places, "%06" PRIu32, chance % unit);
    while (len && places[len - 1] == '0')
        len--;
    text_add(p, "p=%" PRIu32 "%s%.*s%%", chance / unit, len ? "." : "", (int)len, places);
}

static void print_match(struct text_out *p, const struct impair_rule *r)
{
    char text[TEXT_DURATION > SEG_FLAGS_TEXT ? TEXT_DURATION : SEG_FLAGS_TEXT];
    const size_t begin = p->used;

    for (unsigned kind = 1; kind <= IMPAIR_BY_BYTES; kind <<= 1) {
        if (!(r->match & kind) || kind == IMPAIR_BY_NUMBER)
            continue;
        if (p->used > begin)
            text_add(p, ",");
        if (kind == IMPAIR_BY_FLAGS)
            text_add(p, "%s", seg_flags_text(r->flags, text));
        else if (kind == IMPAIR_BY_DATA || kind == IMPAIR_BY_NO_DATA)
            text_add(p, kind == IMPAIR_BY_DATA ? "data" : "nodata");
        else if (kind == IMPAIR_BY_EVERY)
            text_add(p, "every=%" PRIu32, r->every);
        else if (kind == IMPAIR_BY_CHANCE)
            print_chance(p, r->chance);
        else if (kind == IMPAIR_BY_AFTER)
            text_add(p, "after=%s", text_duration_format(r->after, text));
        else if (kind == IMPAIR_BY_BEFORE)
            text_add(p, "before=%s", text_duration_format(r->before, text));
        else {
            text_add(p, "bytes=");
            print_range(p, r->byte_first, r->byte_last);
        }
    }
    if (r->match & IMPAIR_BY_NUMBER) {
        text_add(p, "#");
        print_range(p, r->first, r->last);
    }
}

static void print_action(struct text_out *p, const struct impair_rule *r)
{
    char text[TEXT_DURATION > SEG_FLAGS_TEXT ? TEXT_DURATION : SEG_FLAGS_TEXT];
    unsigned i = 0;

    while (actions[i].action != r->action)
        i++;
    text_add(p, " %s", actions[i].name);
    switch (actions[i].value) {
    case VALUE_NONE:
        break;
    case VALUE_NUMBER:
    case VALUE_ADD:
        text_add(p, "%" PRId64, r->number);
        break;
    case VALUE_DELAY:
        text_add(p, "%s", text_duration_format(r->delay, text));
        break;
    case VALUE_FLAGS:
        text_add(p, "%s", seg_flags_text(r->set, text));
        break;
    case VALUE_ECN:
        text_add(p, "%s", ecn_words[r->number]);
        break;
    case VALUE_STRIP:
        for (unsigned s = 0; s < sizeof strips / sizeof *strips; s++)
            if (strips[s].options == r->options)
                text_add(p, "%s", strips[s].name);
        break;
    }
}

/* NOLINTNEXTLINE(readability-non-const-parameter) ; it is written through `p` */
const char *impair_rule_print(const struct impair_rule *r, char text[IMPAIR_RULE_TEXT])
{
    struct text_out p = {.text = text, .room = IMPAIR_RULE_TEXT};

    text_add(&p, r->direction == IMPAIR_OUT ? "out:" : "in:");
    print_match(&p, r);
    print_action(&p, r);
    return text;
}
