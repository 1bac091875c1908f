/*
 * Defines the options of send: the parsers for fields and TCP options, the checks, and the rows.
 * Values may contradict each other or the RFCs on purpose; only what cannot be sent, or would be
 * sent otherwise than asked for, is rejected.
 */
#include "cmd/send_options.h"

#include <string.h>

#include "cmd/send_match.h"
#include "lib/core/bytes.h"
#include "lib/core/seg.h"
#include "lib/core/text.h"
#include "lib/wire/crafted.h"
#include "lib/wire/wire.h"

#define NO_ROOM "leaves no room: the options of a segment are 40 bytes at most"
#define NOT_32 "is not a number from 0 to 4294967295"

void send_defaults(void *options)
{
    struct send_options *o = options;

    *o = (struct send_options){.flags = SEG_SYN,
                               .window = 64240,
                               .offset = SEND_UNSET,
                               .checksum = SEND_UNSET,
                               .ttl = 64,
                               .id = SEND_UNSET,
                               .flow_label = SEND_UNSET,
                               .count = 1,
                               .wait = WAVE_S};
}

wave_time send_interval(const struct send_options *s)
{
    if (s->rate == SEND_RATE_MAX)
        return 0;
    if (s->rate)
        return WAVE_S / s->rate;
    return s->interval ? s->interval : WAVE_S;
}

/* Parses the flags. The letters are tcpdump's, with letters for ACK and AE in addition; AE is N
 * since this bit was NS in RFC 3540. */
const char *send_parse_flags(void *options, const char *value)
{
    static const char letters[] = "FSRPAUEWN";
    struct send_options *o = options;
    uint32_t flags = 0;

    if (strcmp(value, "none") == 0) {
        o->flags = 0;
        return NULL;
    }
    for (const char *p = value; *p; p++) {
        const char *letter = strchr(letters, *p);
        if (!letter)
            return "has a letter that is none of SAFRPUEWN";
        if (flags & 1u << (letter - letters))
            return "has a flag twice";
        flags |= 1u << (letter - letters);
    }
    o->flags = flags;
    return flags ? NULL : "is empty; no flag at all is \"none\"";
}

/* Parses a number up to `max`. Returns false if it is none. */
static bool number(const char *text, uint64_t max, uint32_t *out)
{
    uint64_t n;

    if (text_number(text, &n) || n > max)
        return false;
    *out = (uint32_t)n;
    return true;
}

const char *send_parse_seq(void *options, const char *value)
{
    struct send_options *o = options;

    o->has_seq = number(value, UINT32_MAX, &o->seq);
    return o->has_seq ? NULL : NOT_32;
}

const char *send_parse_ack(void *options, const char *value)
{
    struct send_options *o = options;

    o->has_ack = number(value, UINT32_MAX, &o->ack);
    return o->has_ack ? NULL : NOT_32;
}

const char *send_parse_checksum(void *options, const char *value)
{
    struct send_options *o = options;

    return number(value, UINT16_MAX, &o->checksum) ? NULL : "is not a number from 0 to 65535";
}

const char *send_parse_rate(void *options, const char *value)
{
    struct send_options *o = options;
    uint64_t n;

    if (strcmp(value, "max") == 0) {
        o->rate = SEND_RATE_MAX;
        return NULL;
    }
    if (text_number(value, &n) || n < 1 || n > 10000000)
        return "is neither \"max\" nor a number from 1 to 10000000";
    o->rate = (uint32_t)n;
    return NULL;
}

/*
 * TCP options. Each is appended to those that were given before. An option's length includes kind
 * and length (RFC 9293, 3.1). Nothing is aligned: the user can ask for NOPs as for other options.
 */

/* Appends the kind and length of an option, and returns where its `len` bytes of value go, or NULL
 * if there is no room. */
static uint8_t *put_option(struct send_options *s, unsigned kind, size_t len)
{
    uint8_t *at = s->options + s->options_len;

    if (len + 2 > sizeof s->options - s->options_len)
        return NULL;
    at[0] = (uint8_t)kind;
    at[1] = (uint8_t)(len + 2);
    s->options_len += (uint8_t)(len + 2);
    return at + 2;
}

const char *send_parse_mss(void *options, const char *value)
{
    struct send_options *o = options;
    uint32_t mss;

    if (!number(value, UINT16_MAX, &mss))
        return "is not a number from 0 to 65535";
    uint8_t *at = put_option(o, OPT_KIND_MSS, 2);
    if (!at)
        return NO_ROOM;
    put_u16(at, mss);
    return NULL;
}

const char *send_parse_wscale(void *options, const char *value)
{
    struct send_options *o = options;
    uint32_t shift;

    if (!number(value, UINT8_MAX, &shift))
        return "is not a number from 0 to 255";
    uint8_t *at = put_option(o, OPT_KIND_WSCALE, 1);
    if (!at)
        return NO_ROOM;
    *at = (uint8_t)shift;
    return NULL;
}

/* Parses two numbers with a colon between them at *text, and moves *text behind them. Returns false
 * if there are none. */
static bool pair(const char **text, uint32_t out[2])
{
    char part[24];

    for (int i = 0; i < 2; i++) {
        size_t len = strcspn(*text, i ? "," : ":");
        if (len >= sizeof part || (!i && !(*text)[len]))
            return false;
        memcpy(part, *text, len);
        part[len] = '\0';
        if (!number(part, UINT32_MAX, &out[i]))
            return false;
        *text += len + !i;
    }
    return true;
}

/* Parses SACK blocks: as many as 40 bytes of options hold (RFC 2018, section 3). */
const char *send_parse_sack(void *options, const char *value)
{
    struct send_options *o = options;
    uint32_t blocks[OPT_SACK_MAX][2];
    unsigned n = 0;

    for (const char *at = value;; at++) {
        if (n == OPT_SACK_MAX)
            return "has more than 4 blocks, which is what 40 bytes of options hold";
        if (!pair(&at, blocks[n++]))
            return "is not LEFT:RIGHT[,LEFT:RIGHT...] with numbers from 0 to 4294967295";
        if (!*at)
            break;
    }
    uint8_t *at = put_option(o, OPT_KIND_SACK, n * 8);
    if (!at)
        return NO_ROOM;
    for (unsigned i = 0; i < n; i++)
        at = put_u32(put_u32(at, blocks[i][0]), blocks[i][1]);
    return NULL;
}

const char *send_parse_sack_permitted(void *options, const char *value)
{
    struct send_options *o = options;

    (void)value;
    return put_option(o, OPT_KIND_SACK_PERMITTED, 0) ? NULL : NO_ROOM;
}

const char *send_parse_timestamp(void *options, const char *value)
{
    struct send_options *o = options;
    const char *at = value;
    uint32_t stamp[2];

    if (!pair(&at, stamp) || *at)
        return "is not VALUE:ECHO with numbers from 0 to 4294967295";
    uint8_t *to = put_option(o, OPT_KIND_TIMESTAMP, 8);
    if (!to)
        return NO_ROOM;
    put_u32(put_u32(to, stamp[0]), stamp[1]);
    return NULL;
}

/* Appends an option with a value of `min` to `max` bytes, given in hexadecimal. Returns NULL, or
 * what is wrong: `wrong` if the length is. */
static const char *put_hex(struct send_options *o, unsigned kind, const char *hex, size_t min,
                           size_t max, const char *wrong)
{
    uint8_t bytes[OPT_BYTES_MAX];
    size_t len;
    int error = text_hex(hex, bytes, sizeof bytes, &len);

    if (error == WAVE_ENOMEM)
        return NO_ROOM;
    if (error)
        return "is not an even number of hexadecimal digits";
    if (len < min || len > max)
        return wrong;
    uint8_t *at = put_option(o, kind, len);
    if (!at)
        return NO_ROOM;
    memcpy(at, bytes, len);
    return NULL;
}

/* Parses a TCP Fast Open cookie. An option without a cookie asks for one (RFC 7413, 4.1.1). */
const char *send_parse_fast_open(void *options, const char *value)
{
    struct send_options *o = options;
    static const char wrong[] = "is not a cookie of 4 to 16 bytes, an even number of them, in "
                                "hexadecimal, nor \"request\"";
    bool request = strcmp(value, "request") == 0;

    if (!request && strlen(value) % 4)
        return wrong;
    return put_hex(o, OPT_KIND_FAST_OPEN, request ? "" : value, request ? 0 : 4, 16, wrong);
}

/* Parses a TCP-MD5 digest (RFC 2385, 3.0). It is sent as given: no digest is computed. */
const char *send_parse_md5(void *options, const char *value)
{
    struct send_options *o = options;

    return put_hex(o, OPT_KIND_MD5, value, 16, 16,
                   "is not a digest of 16 bytes, which is 32 hexadecimal digits");
}

/* Parses a user timeout: fifteen bits of seconds or minutes, and a bit for the unit (RFC 5482,
 * 3.1). */
const char *send_parse_user_timeout(void *options, const char *value)
{
    struct send_options *o = options;
    static const char wrong[] = "is not Ns or Nm, with 0 to 32767 seconds or minutes";
    char digits[16];
    size_t len = strlen(value);
    uint32_t n;

    if (len < 2 || len >= sizeof digits || !strchr("sm", value[len - 1]))
        return wrong;
    memcpy(digits, value, len - 1);
    digits[len - 1] = '\0';
    if (!number(digits, 0x7fff, &n))
        return wrong;
    uint8_t *at = put_option(o, OPT_KIND_USER_TIMEOUT, 2);
    if (!at)
        return NO_ROOM;
    put_u16(at, (value[len - 1] == 'm' ? 0x8000u : 0) | n);
    return NULL;
}

/* Appends an option of one byte: NOP and end of list have no length. */
static const char *put_byte(struct send_options *s, unsigned kind)
{
    if (s->options_len == sizeof s->options)
        return NO_ROOM;
    s->options[s->options_len++] = (uint8_t)kind;
    return NULL;
}

const char *send_parse_option(void *options, const char *value)
{
    struct send_options *o = options;
    const char *colon = strchr(value, ':');
    char kind_text[8] = "";
    size_t len = colon ? (size_t)(colon - value) : strlen(value);
    uint32_t kind;

    if (strcmp(value, "nop") == 0)
        return put_byte(o, OPT_KIND_NOP);
    if (strcmp(value, "eol") == 0)
        return put_byte(o, OPT_KIND_EOL);
    if (len < sizeof kind_text)
        /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): it is zeros before */
        memcpy(kind_text, value, len);
    if (!number(kind_text, UINT8_MAX, &kind))
        return "is not KIND[:HEX] with a kind from 0 to 255, nor nop or eol";
    if (!colon && kind <= OPT_KIND_NOP)
        return put_byte(o, kind);
    return put_hex(o, kind, colon ? colon + 1 : "", 0, OPT_BYTES_MAX - 2, NO_ROOM);
}

/* Appends exactly these bytes. The lengths among them may be wrong. */
const char *send_parse_options(void *options, const char *value)
{
    struct send_options *s = options;
    size_t len;
    int error =
        text_hex(value, s->options + s->options_len, sizeof s->options - s->options_len, &len);

    if (error)
        return error == WAVE_ENOMEM ? NO_ROOM : "is not an even number of hexadecimal digits";
    s->options_len += (uint8_t)len;
    return NULL;
}

/*
 * Checks of the options together
 */

static bool is_v4(const struct send_options *o)
{
    return o->target.literal == TARGET_IPV4 || where_family(&o->where) == TARGET_IPV4;
}

static bool is_v6(const struct send_options *o)
{
    return o->target.literal == TARGET_IPV6 || where_family(&o->where) == TARGET_IPV6;
}

static const char *check_run(const struct send_options *s, uint32_t source_port)
{
    if (s->rate && s->interval)
        return "--rate and --interval exclude each other";
    if (source_port && s->ports && source_port + s->ports - 1 > UINT16_MAX)
        return "--source-port and --ports: there is no port beyond 65535";
    return NULL;
}

const char *send_check_family(const struct send_options *s, bool v6)
{
    if (!v6 && s->flow_label != SEND_UNSET)
        return "--flow-label is IPv6's, and the target is an IPv4 address";
    if (v6 && s->df)
        return "--df is IPv4's, and the target is an IPv6 address: IPv6 never fragments on the way";
    if (v6 && s->id != SEND_UNSET && !s->fragment)
        return "--id is IPv4's, and the target is an IPv6 address: IPv6 has one in fragments only "
               "(--fragment)";
    if (!v6 && s->id == 0 && !s->df)
        return "--id 0 needs --df: without it the kernel puts an ID of its own in its place";
    return NULL;
}

/* Checks the options that only send has. */
static const char *check_fields(const struct send_options *o)
{
    const char *wrong = check_run(o, o->source_port);

    if (!wrong && is_v4(o))
        wrong = send_check_family(o, false);
    if (!wrong && is_v6(o))
        wrong = send_check_family(o, true);
    if (wrong)
        return wrong;
    if (o->bad_checksum && o->checksum != SEND_UNSET)
        return "--bad-checksum and --checksum exclude each other";
    if ((o->data.text.at != NULL) + (o->data.file != NULL) + (o->hex.at != NULL) > 1)
        return "--data, --file and --hex exclude each other";
    if (o->fragment % 8)
        return "--fragment must be a multiple of 8: fragments are cut there (RFC 791, 3.2)";
    /* IPv6 could carry a few bytes more, but this does not justify a limit of its own. */
    if (o->data.text.len > crafted_room(false, o->options_len) ||
        o->hex.len > crafted_room(false, o->options_len))
        return "the data does not fit into an IP packet: 65495 bytes do, less those of the options";
    return NULL;
}

const char *send_check(void *options)
{
    struct send_options *o = options;
    const char *wrong = where_check(&o->where, o->target.literal);

    if (!wrong && o->target.sim)
        wrong = "sim:PORT is for commands that make connections; a host of that name is sim.:PORT";
    if (!wrong)
        wrong = data_check(&o->data);
    if (!wrong)
        wrong = show_check(&o->show, NULL);
    return wrong ? wrong : check_fields(o);
}

int send_operands(void *options, char *const *text, unsigned count, struct diag *d)
{
    struct send_options *o = options;

    return target_single(text, count, false, &o->target, d);
}

/*
 * Rows
 */

#define FIELD(name) offsetof(struct send_options, name)

/* clang-format off */
static const struct option_row hex_row[] = {
    {KIND_HEX, 0, "hex", "HEX", "send these bytes, two digits each", FIELD(hex), 0, 0, NULL},
    OPTION_END};

static const struct option_row header_rows[] = {
    {KIND_CUSTOM, 0, "flags", "SAFRPUEWN|none", "the nine flags; N is AE, E is ECE, W is CWR "
     "(default S)", 0, 0, 0, send_parse_flags},
    {KIND_CUSTOM, 0, "seq", "N", "sequence number (default: a random one)",
     0, 0, UINT32_MAX, send_parse_seq},
    {KIND_CUSTOM, 0, "ack", "N", "acknowledgement number, with or without the flag (default: a "
     "random one with it, else 0)", 0, 0, UINT32_MAX, send_parse_ack},
    {KIND_NUMBER, 0, "window", "N", "as it stands in the header (default 64240)",
     FIELD(window), 0, 65535, NULL},
    {KIND_NUMBER, 0, "urgent", "N", "urgent pointer (default 0)", FIELD(urgent), 0, 65535, NULL},
    {KIND_NUMBER, 0, "data-offset", "N", "in words of 4 bytes, correct or not (default: correct)",
     FIELD(offset), 0, 15, NULL},
    {KIND_NUMBER, 0, "reserved", "N", "the three reserved bits (default 0)",
     FIELD(reserved), 0, 7, NULL},
    {KIND_FLAG, 0, "bad-checksum", NULL, "a wrong checksum", FIELD(bad_checksum), 0, 0, NULL},
    {KIND_CUSTOM, 0, "checksum", "N", "this checksum, correct or not (default: the correct one)",
     0, 0, 65535, send_parse_checksum},
    OPTION_END};

static const struct option_row tcp_option_rows[] = {
    {KIND_CUSTOM, 0, "mss", "BYTES", "maximum segment size", 0, 0, 65535, send_parse_mss},
    {KIND_CUSTOM, 0, "wscale", "SHIFT", "window scale", 0, 0, 255, send_parse_wscale},
    {KIND_CUSTOM, 0, "sack-permitted", NULL, "SACK permitted", 0, 0, 0, send_parse_sack_permitted},
    {KIND_CUSTOM, 0, "sack", "L:R[,L:R...]", "SACK blocks, up to 4", 0, 0, 0, send_parse_sack},
    {KIND_CUSTOM, 0, "timestamp", "VAL:ECR", "timestamps", 0, 0, 0, send_parse_timestamp},
    {KIND_CUSTOM, 0, "fast-open", "HEX|request", "a TFO cookie, or the request for one",
     0, 0, 0, send_parse_fast_open},
    {KIND_CUSTOM, 0, "user-timeout", "Ns|Nm", "user timeout", 0, 0, 0, send_parse_user_timeout},
    {KIND_CUSTOM, 0, "md5", "HEX", "TCP-MD5, with this digest of 16 bytes",
     0, 0, 0, send_parse_md5},
    {KIND_CUSTOM, 0, "option", "KIND[:HEX]", "any option; nop and eol are one byte alone",
     0, 0, 0, send_parse_option},
    {KIND_CUSTOM, 0, "options", "HEX", "option bytes as they stand, lengths included",
     0, 0, 0, send_parse_options},
    OPTION_END};

static const struct option_row ip_rows[] = {
    {KIND_NUMBER, 0, "ttl", "N", "time to live, or hop limit (default 64)",
     FIELD(ttl), 0, 255, NULL},
    {KIND_NUMBER, 0, "tos", "N", "DSCP and ECN, or traffic class: the whole byte (default 0)",
     FIELD(tos), 0, 255, NULL},
    {KIND_NUMBER, 0, "id", "N", "identification (default: counting up)",
     FIELD(id), 0, 65535, NULL},
    {KIND_FLAG, 0, "df", NULL, "don't fragment", FIELD(df), 0, 0, NULL},
    {KIND_NUMBER, 0, "fragment", "N", "in fragments of N bytes of TCP, a multiple of 8",
     FIELD(fragment), 8, 65528, NULL},
    {KIND_NUMBER, 0, "flow-label", "N", "IPv6's flow label (default 0)",
     FIELD(flow_label), 0, 0xfffff, NULL},
    OPTION_END};

static const struct option_row count_rows[] = {
    {KIND_NUMBER, 'c', "count", "N", "segments to send (default 1)",
     FIELD(count), 1, UINT32_MAX, NULL},
    {KIND_DURATION, 0, "interval", "DURATION", "time from one segment to the next (default 1s)",
     FIELD(interval), WAVE_US, OPTION_YEAR, NULL},
    {KIND_CUSTOM, 0, "rate", "N|max", "segments a second, or as fast as possible",
     0, 1, SEND_RATE_MAX, send_parse_rate},
    {KIND_WORD, 0, "rate-limit", "on|off",
     "off allows more than 1,000 a second to any address (default on: to loopback, private and "
     "link-local ones)", FIELD(limit), 0, 0, NULL},
    {KIND_NUMBER, 0, "ports", "N", "source ports that take turns, counting up (default: one each, "
     "up to 256; 1 with --source-port)", FIELD(ports), 1, WIRE_PORTS, NULL},
    {KIND_NUMBER, 0, "seq-step", "N", "from one sequence number to the next (default 0)",
     FIELD(seq_step), 0, MATCH_STEP, NULL},
    {KIND_DURATION, 0, "wait", "DURATION", "time to wait for answers after the last segment "
     "(default 1s); less when all are answered", FIELD(wait), 1, OPTION_YEAR, NULL},
    {KIND_FLAG, 0, "wait-all", NULL, "wait for all of it, for late and duplicate answers",
     FIELD(wait_all), 0, 0, NULL},
    OPTION_END};

const struct option_group send_groups[] = {
    {"Addresses and ports", where_rows, FIELD(where)},
    {NULL, where_source_row, FIELD(where)},
    {NULL, where_port_row, FIELD(source_port)},
    {"What to send and receive", data_rows, FIELD(data)},
    {NULL, hex_row, 0},
    {"The TCP header", header_rows, 0},
    {"TCP options, in the order given, padded with zeros", tcp_option_rows, 0},
    {"The IP header", ip_rows, 0},
    {"How many, how fast", count_rows, 0},
    {"What is shown", show_plain_rows, FIELD(show)},
    {NULL, NULL, 0}};
/* clang-format on */
