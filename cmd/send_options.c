#include "cmd/send_options.h"

#include <string.h>

#include "cmd/command.h"
#include "cmd/options.h"
#include "lib/core/bytes.h"
#include "lib/core/seg.h"
#include "lib/core/text.h"
#include "lib/wire/forge.h"
#include "lib/wire/wire.h"

#define NO_ROOM "leaves no room: the options of a segment are 40 bytes at most"
#define NOT_32 "is not a number from 0 to 4294967295"
#define RATE_LIMIT_INTERVAL WAVE_MS /* 1,000 a second */

void send_options_default(struct send_options *s)
{
    *s = (struct send_options){.flags = SEG_SYN,
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

/* tcpdump's letters, but that ACK and AE have letters, too; AE had the N of RFC 3540's NS. */
const char *send_parse_flags(struct options *o, const char *value)
{
    static const char letters[] = "FSRPAUEWN";
    uint32_t flags = 0;

    if (strcmp(value, "none") == 0) {
        o->send.flags = 0;
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
    o->send.flags = flags;
    return flags ? NULL : "is empty; no flag at all is \"none\"";
}

/* Decimal, or hexadecimal behind 0x. */
static bool number(const char *text, uint64_t most, uint32_t *out)
{
    uint8_t bytes[8];
    size_t len;
    uint64_t n = 0;

    if (text[0] == '0' && text[1] == 'x') {
        /* Whole bytes, so that an odd digit gets its zero. */
        char even[2 * sizeof bytes + 2] = "0";
        size_t digits = strlen(text + 2);
        if (digits >= sizeof even - 1)
            return false;
        memcpy(even + digits % 2, text + 2, digits + 1);
        if (text_hex(even, bytes, sizeof bytes, &len) || !len)
            return false;
        for (size_t i = 0; i < len; i++)
            n = n << 8 | bytes[i];
    } else if (text_number(text, &n)) {
        return false;
    }
    if (n > most)
        return false;
    *out = (uint32_t)n;
    return true;
}

const char *send_parse_seq(struct options *o, const char *value)
{
    o->send.has_seq = number(value, UINT32_MAX, &o->send.seq);
    return o->send.has_seq ? NULL : NOT_32;
}

const char *send_parse_ack(struct options *o, const char *value)
{
    o->send.has_ack = number(value, UINT32_MAX, &o->send.ack);
    return o->send.has_ack ? NULL : NOT_32;
}

const char *send_parse_checksum(struct options *o, const char *value)
{
    return number(value, UINT16_MAX, &o->send.checksum) ? NULL : "is not a number from 0 to 65535";
}

const char *send_parse_rate(struct options *o, const char *value)
{
    uint64_t n;

    if (strcmp(value, "max") == 0) {
        o->send.rate = SEND_RATE_MAX;
        return NULL;
    }
    if (text_number(value, &n) || n < 1 || n > 10000000)
        return "is neither \"max\" nor a number from 1 to 10000000";
    o->send.rate = (uint32_t)n;
    return NULL;
}

/*
 * TCP options, put behind those that were given before. Kind and length are counted in (RFC 9293,
 * 3.1); nothing is aligned: NOPs are options like others.
 */

/* Room for an option of `len` bytes behind its kind and length, or NULL. */
static uint8_t *put_option(struct options *o, unsigned kind, size_t len)
{
    struct send_options *s = &o->send;
    uint8_t *at = s->options + s->options_len;

    if (len + 2 > sizeof s->options - s->options_len)
        return NULL;
    at[0] = (uint8_t)kind;
    at[1] = (uint8_t)(len + 2);
    s->options_len += (uint8_t)(len + 2);
    return at + 2;
}

const char *send_parse_mss(struct options *o, const char *value)
{
    uint32_t mss;

    if (!number(value, UINT16_MAX, &mss))
        return "is not a number from 0 to 65535";
    uint8_t *at = put_option(o, OPT_KIND_MSS, 2);
    if (!at)
        return NO_ROOM;
    put_u16(at, mss);
    return NULL;
}

const char *send_parse_wscale(struct options *o, const char *value)
{
    uint32_t shift;

    if (!number(value, UINT8_MAX, &shift))
        return "is not a number from 0 to 255";
    uint8_t *at = put_option(o, OPT_KIND_WSCALE, 1);
    if (!at)
        return NO_ROOM;
    *at = (uint8_t)shift;
    return NULL;
}

/* Two numbers with a colon between, at *text, which moves behind them. */
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

/* RFC 2018, section 3: as many blocks as 40 bytes hold. */
const char *send_parse_sack(struct options *o, const char *value)
{
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

const char *send_parse_sack_permitted(struct options *o, const char *value)
{
    (void)value;
    return put_option(o, OPT_KIND_SACK_PERMITTED, 0) ? NULL : NO_ROOM;
}

const char *send_parse_timestamp(struct options *o, const char *value)
{
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

/* Whatever bytes, of which there may be `least` to `most`; why not, or NULL. */
static const char *put_hex(struct options *o, unsigned kind, const char *hex, size_t least,
                           size_t most, const char *wrong)
{
    uint8_t bytes[OPT_BYTES_MAX];
    size_t len;
    int error = text_hex(hex, bytes, sizeof bytes, &len);

    if (error == WAVE_ENOMEM)
        return NO_ROOM;
    if (error)
        return "is not an even number of hexadecimal digits";
    if (len < least || len > most)
        return wrong;
    uint8_t *at = put_option(o, kind, len);
    if (!at)
        return NO_ROOM;
    memcpy(at, bytes, len);
    return NULL;
}

/* RFC 7413, 4.1.1: without a cookie it asks for one. */
const char *send_parse_fast_open(struct options *o, const char *value)
{
    static const char wrong[] = "is not a cookie of 4 to 16 bytes, an even number of them, in "
                                "hexadecimal, nor \"request\"";
    bool request = strcmp(value, "request") == 0;

    if (!request && strlen(value) % 4)
        return wrong;
    return put_hex(o, OPT_KIND_FAST_OPEN, request ? "" : value, request ? 0 : 4, 16, wrong);
}

/* RFC 2385, 3.0: the digest is given, not computed. */
const char *send_parse_md5(struct options *o, const char *value)
{
    return put_hex(o, OPT_KIND_MD5, value, 16, 16,
                   "is not a digest of 16 bytes, which is 32 hexadecimal digits");
}

/* RFC 5482, 3.1: fifteen bits of seconds, or of minutes. */
const char *send_parse_user_timeout(struct options *o, const char *value)
{
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

/* One byte alone: NOP and end of list have no length. */
static const char *put_byte(struct options *o, unsigned kind)
{
    struct send_options *s = &o->send;

    if (s->options_len == sizeof s->options)
        return NO_ROOM;
    s->options[s->options_len++] = (uint8_t)kind;
    return NULL;
}

const char *send_parse_option(struct options *o, const char *value)
{
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

/* Exactly these bytes, with lengths that may lie. */
const char *send_parse_options(struct options *o, const char *value)
{
    struct send_options *s = &o->send;
    size_t len;
    int error =
        text_hex(value, s->options + s->options_len, sizeof s->options - s->options_len, &len);

    if (error)
        return error == WAVE_ENOMEM ? NO_ROOM : "is not an even number of hexadecimal digits";
    s->options_len += (uint8_t)len;
    return NULL;
}

/*
 * What they say together.
 */

static bool is_v4(const struct options *o)
{
    return o->target.literal == TARGET_IPV4 || options_family(o) == TARGET_IPV4;
}

static bool is_v6(const struct options *o)
{
    return o->target.literal == TARGET_IPV6 || options_family(o) == TARGET_IPV6;
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

const char *send_check(const struct options *o)
{
    const struct send_options *s = &o->send;
    const char *wrong = check_run(s, o->source_port);

    if (!wrong && is_v4(o))
        wrong = send_check_family(s, false);
    if (!wrong && is_v6(o))
        wrong = send_check_family(s, true);
    if (wrong)
        return wrong;
    if (s->bad_checksum && s->checksum != SEND_UNSET)
        return "--bad-checksum and --checksum exclude each other";
    if ((o->data.at != NULL) + (o->file != NULL) + (o->hex.at != NULL) > 1)
        return "--data, --file and --hex exclude each other";
    if (s->fragment % 8)
        return "--fragment must be a multiple of 8: fragments are cut there (RFC 791, 3.2)";
    /* What IPv6 could carry beyond that is not worth a limit of its own. */
    if (o->data.len > forge_room(false, s->options_len) ||
        o->hex.len > forge_room(false, s->options_len))
        return "the data does not fit into an IP packet: 65495 bytes do, less those of the options";
    return NULL;
}
