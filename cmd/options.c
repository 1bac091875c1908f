#include <string.h>

#include "cmd/cli.h"
#include "cmd/send_match.h"
#include "lib/core/text.h"
#include "lib/wire/wire.h"

static const char *parse_source(struct options *o, const char *value)
{
    o->has_source = target_literal(value, &o->source.v6, &o->source.addr);
    return o->has_source ? NULL : "is not an IPv4 or IPv6 address";
}

/* RFC 9293, 3.4.2: an MSL of two minutes, and TIME_WAIT is two of them. */
static const char *parse_time_wait(struct options *o, const char *value)
{
    o->keep_time_wait = true;
    if (strcmp(value, "full") == 0) {
        o->time_wait = TIME_WAIT_FULL;
        return NULL;
    }
    if (text_duration(value, &o->time_wait) || o->time_wait > 24 * WAVE_H)
        return "is neither \"full\" nor a duration up to 24h, such as 500ms, 30s or 2m";
    return NULL;
}

#define ACTIVE (CONNECT | HALFCLOSE | KEEPALIVE)
#define CONNECTING (ACTIVE | LISTEN | LOAD)
#define TALKING (CONNECTING & ~LOAD) /* what is said matters, too */
#define COMMON (CONNECTING | SEND)
#define PROBING (KEEPALIVE | LISTEN)
#define FIELD(name) offsetof(struct options, name)
#define YEAR (8760 * WAVE_H)
#define WEEKS (1000 * WAVE_H) /* a probe that comes later is no probe */

/* RFC 7323, section 2.3: 65535 shifted by 14 is the largest window there can be. */
#define WINDOW_MOST (65535u << 14)

/* clang-format off */
const struct option_row option_table[] = {
    {KIND_HEADING, 0, "Where from and where to", NULL, NULL, 0, 0, 0, 0, NULL},
    {KIND_FLAG, '4', NULL, NULL, "IPv4 only", COMMON, FIELD(ipv4), 0, 0, NULL},
    {KIND_FLAG, '6', NULL, NULL, "IPv6 only", COMMON, FIELD(ipv6), 0, 0, NULL},
    {KIND_TEXT, 'i', "interface", "NAME", "send and capture there, not where the route leads",
     COMMON, FIELD(interface), 0, 15, NULL},
    {KIND_CUSTOM, 's', "source", "ADDR", "local address, one of this host's",
     COMMON & ~LOAD, 0, 0, 0, parse_source},
    {KIND_CUSTOM, 's', "source", "ADDR", "local address; may be given several times",
     LOAD, 0, 0, 0, load_parse_source},
    {KIND_NUMBER, 'p', "source-port", "PORT", "local port (default: a free one)",
     ACTIVE | SEND, FIELD(source_port), 1, 65535, NULL},
    {KIND_NUMBER, 'p', "source-port", "PORT",
     "first local port; free ones from there on (default: of the kernel's range)",
     LOAD, FIELD(source_port), 1, 65535, NULL},

    {KIND_HEADING, 0, "What to send and receive", NULL, NULL, 0, 0, 0, 0, NULL},
    {KIND_DATA, 'd', "data", "TEXT", "send this; \\r \\n \\t \\0 \\xHH \\\\ are understood",
     COMMON, FIELD(data), 0, 0, NULL},
    {KIND_TEXT, 'f', "file", "PATH", "send this file; - is standard input",
     ACTIVE | SEND, FIELD(file), 0, 0, NULL},
    {KIND_HEX, 0, "hex", "HEX", "send these bytes, two digits each",
     SEND, FIELD(hex), 0, 0, NULL},
    {KIND_TEXT, 'o', "output", "PATH", "write received bytes there; - is standard output",
     TALKING, FIELD(output), 0, 0, NULL},
    {KIND_FLAG, 0, "echo", NULL, "send back what is received",
     LISTEN, FIELD(echo), 0, 0, NULL},
    {KIND_FLAG, 0, "discard", NULL, "read, and send nothing (the default)",
     LISTEN, FIELD(discard), 0, 0, NULL},
    {KIND_TEXT, 0, "serve", "FILE", "send this file to everyone who connects",
     LISTEN, FIELD(serve), 0, 0, NULL},

    {KIND_HEADING, 0, "Connections", NULL, NULL, 0, 0, 0, 0, NULL},
    {KIND_NUMBER, 0, "connections", "N", "end after so many",
     LISTEN, FIELD(connections), 1, UINT32_MAX, NULL},
    {KIND_NUMBER, 0, "connections", "N",
     "in all (default: until --timeout or Ctrl-C)",
     LOAD, FIELD(connections), 1, UINT32_MAX, NULL},
    {KIND_NUMBER, 0, "concurrency", "N", "at a time (default 100)",
     LOAD, FIELD(load.concurrency), 1, 1 << 24, NULL},
    {KIND_NUMBER, 0, "rate", "N", "new ones a second, at most (default: as fast as they are answered)",
     LOAD, FIELD(load.rate), 1, LOAD_RATE_MAX, NULL},
    {KIND_WORD, 0, "rate-limit", "on|off",
     "off allows more than 1,000 new ones a second to public addresses (default on)",
     LOAD, FIELD(load.limit), 0, 0, NULL},
    {KIND_NUMBER, 0, "max", "N", "connections at a time (default 4096)",
     LISTEN, FIELD(max), 1, 1 << 20, NULL},
    {KIND_NUMBER, 0, "half-open", "N", "half-open ones before SYN cookies are sent (default 256)",
     LISTEN, FIELD(half_open), 1, 1 << 20, NULL},

    {KIND_HEADING, 0, "Close", NULL, NULL, 0, 0, 0, 0, NULL},
    {KIND_WORD, 0, "close", "active|passive|abort|vanish",
     "our FIN first (the default); the peer's first; RST; nothing at all",
     CONNECT | LOAD, FIELD(close), 0, 0, NULL},
    {KIND_WORD, 0, "close", "active|passive|abort|vanish",
     "our FIN after our data (the default with --serve and --data); the peer's first (otherwise); "
     "RST; nothing at all",
     LISTEN, FIELD(close), 0, 0, NULL},
    {KIND_DURATION, 0, "hold", "DURATION", "stay before closing",
     CONNECT | LISTEN | LOAD, FIELD(hold), 0, YEAR, NULL},
    {KIND_DURATION, 0, "linger", "DURATION",
     "wait so long for a peer that acknowledged our FIN and then says nothing (default 5s)",
     CONNECTING, FIELD(linger), 0, YEAR, NULL},
    {KIND_CUSTOM, 0, "time-wait", "DURATION|full",
     "keep TIME_WAIT so long; full is 2 MSL, 4m (default: enter and leave it at once)",
     TALKING, 0, 0, 0, parse_time_wait},

    {KIND_HEADING, 0, "Keepalive", NULL, NULL, 0, 0, 0, 0, NULL},
    {KIND_FLAG, 0, "keepalive", NULL, "probe silent peers; the options below turn it on too",
     LISTEN, FIELD(keepalive), 0, 0, NULL},
    {KIND_DURATION, 0, "idle", "DURATION", "silence before the first probe (default 2h)",
     PROBING, FIELD(keep_idle), WAVE_US, WEEKS, NULL},
    {KIND_DURATION, 0, "interval", "DURATION", "between probes (default 75s)",
     PROBING, FIELD(keep_interval), WAVE_US, WEEKS, NULL},
    {KIND_NUMBER, 0, "count", "N", "unanswered probes until the peer is lost (default 10)",
     PROBING, FIELD(keep_count), 1, 255, NULL},
    {KIND_FLAG, 0, "garbage", NULL, "probes carry one byte, as old hosts want it",
     PROBING, FIELD(keep_garbage), 0, 0, NULL},
    {KIND_DURATION, 0, "for", "DURATION", "end with success after this",
     KEEPALIVE, FIELD(keep_for), 1, YEAR, NULL},

    {KIND_HEADING, 0, "TCP", NULL, NULL, 0, 0, 0, 0, NULL},
    {KIND_NUMBER, 0, "syn-retries", "N", "repeat an unanswered SYN so often (default 3: 15s)",
     ACTIVE | LOAD, FIELD(syn_retries), 0, 10, NULL},
    {KIND_DURATION, 0, "give-up", "DURATION",
     "a peer that acknowledges nothing for so long is lost (default 100s)",
     CONNECTING, FIELD(give_up), WAVE_MS, YEAR, NULL},
    {KIND_FLAG, 0, "no-ack", NULL, "never send the third segment of the handshake",
     CONNECT, FIELD(no_ack), 0, 0, NULL},
    {KIND_FLAG, 0, "verify", NULL, "probe the peer wherever its state is only assumed",
     ACTIVE, FIELD(verify), 0, 0, NULL},
    {KIND_NUMBER, 0, "mss", "BYTES", "largest segment to announce (default: from the MTU)",
     CONNECTING, FIELD(mss), 1, 65535, NULL},
    {KIND_SIZE, 0, "window", "BYTES", "receive buffer (default 4M)",
     TALKING, FIELD(window), 1, WINDOW_MOST, NULL},
    {KIND_FLAG, 0, "ecn", NULL, "ask for ECN", CONNECTING, FIELD(ecn), 0, 0, NULL},
    {KIND_FLAG, 0, "no-sack", NULL, "do not offer SACK",
     CONNECTING, FIELD(no_sack), 0, 0, NULL},
    {KIND_FLAG, 0, "no-timestamps", NULL, "do not offer timestamps",
     CONNECTING, FIELD(no_timestamps), 0, 0, NULL},
    {KIND_FLAG, 0, "no-wscale", NULL, "do not offer window scaling",
     CONNECTING, FIELD(no_wscale), 0, 0, NULL},
    {KIND_NUMBER, 0, "ttl", "N", "time to live, or hop limit (default 64)",
     CONNECTING, FIELD(ttl), 1, 255, NULL},
    {KIND_NUMBER, 0, "tos", "N", "type of service, or traffic class; a multiple of 4",
     CONNECTING, FIELD(tos), 0, 255, NULL},

    {KIND_HEADING, 0, "The TCP header", NULL, NULL, 0, 0, 0, 0, NULL},
    {KIND_CUSTOM, 0, "flags", "SAFRPUEWN|none", "the nine flags; N is AE, E is ECE, W is CWR "
     "(default S)", SEND, 0, 0, 0, send_parse_flags},
    {KIND_CUSTOM, 0, "seq", "N", "sequence number (default: a random one)",
     SEND, 0, 0, UINT32_MAX, send_parse_seq},
    {KIND_CUSTOM, 0, "ack", "N", "acknowledgement number, with or without the flag (default: a "
     "random one with it, else 0)", SEND, 0, 0, UINT32_MAX, send_parse_ack},
    {KIND_NUMBER, 0, "window", "N", "as it stands in the header (default 64240)",
     SEND, FIELD(send.window), 0, 65535, NULL},
    {KIND_NUMBER, 0, "urgent", "N", "urgent pointer (default 0)",
     SEND, FIELD(send.urgent), 0, 65535, NULL},
    {KIND_NUMBER, 0, "data-offset", "N", "in words of 4 bytes, true or not (default: true)",
     SEND, FIELD(send.offset), 0, 15, NULL},
    {KIND_NUMBER, 0, "reserved", "N", "the three reserved bits (default 0)",
     SEND, FIELD(send.reserved), 0, 7, NULL},
    {KIND_FLAG, 0, "bad-checksum", NULL, "a wrong checksum",
     SEND, FIELD(send.bad_checksum), 0, 0, NULL},
    {KIND_CUSTOM, 0, "checksum", "N", "this checksum, right or not (default: the right one)",
     SEND, 0, 0, 65535, send_parse_checksum},

    {KIND_HEADING, 0, "TCP options, in the order given, padded with zeros", NULL, NULL, 0, 0, 0, 0,
     NULL},
    {KIND_CUSTOM, 0, "mss", "BYTES", "maximum segment size",
     SEND, 0, 0, 65535, send_parse_mss},
    {KIND_CUSTOM, 0, "wscale", "SHIFT", "window scale", SEND, 0, 0, 255, send_parse_wscale},
    {KIND_CUSTOM, 0, "sack-permitted", NULL, "SACK permitted",
     SEND, 0, 0, 0, send_parse_sack_permitted},
    {KIND_CUSTOM, 0, "sack", "L:R[,L:R...]", "SACK blocks, up to 4",
     SEND, 0, 0, 0, send_parse_sack},
    {KIND_CUSTOM, 0, "timestamp", "VAL:ECR", "timestamps", SEND, 0, 0, 0, send_parse_timestamp},
    {KIND_CUSTOM, 0, "fast-open", "HEX|request", "a TFO cookie, or the request for one",
     SEND, 0, 0, 0, send_parse_fast_open},
    {KIND_CUSTOM, 0, "user-timeout", "Ns|Nm", "user timeout",
     SEND, 0, 0, 0, send_parse_user_timeout},
    {KIND_CUSTOM, 0, "md5", "HEX", "TCP-MD5, with this digest of 16 bytes",
     SEND, 0, 0, 0, send_parse_md5},
    {KIND_CUSTOM, 0, "option", "KIND[:HEX]", "any option; nop and eol are one byte alone",
     SEND, 0, 0, 0, send_parse_option},
    {KIND_CUSTOM, 0, "options", "HEX", "option bytes as they stand, lengths included",
     SEND, 0, 0, 0, send_parse_options},

    {KIND_HEADING, 0, "The IP header", NULL, NULL, 0, 0, 0, 0, NULL},
    {KIND_NUMBER, 0, "ttl", "N", "time to live, or hop limit (default 64)",
     SEND, FIELD(send.ttl), 0, 255, NULL},
    {KIND_NUMBER, 0, "tos", "N", "DSCP and ECN, or traffic class: the whole byte (default 0)",
     SEND, FIELD(send.tos), 0, 255, NULL},
    {KIND_NUMBER, 0, "id", "N", "identification (default: counting up)",
     SEND, FIELD(send.id), 0, 65535, NULL},
    {KIND_FLAG, 0, "df", NULL, "don't fragment", SEND, FIELD(send.df), 0, 0, NULL},
    {KIND_NUMBER, 0, "fragment", "N", "in fragments of N bytes of TCP, a multiple of 8",
     SEND, FIELD(send.fragment), 8, 65528, NULL},
    {KIND_NUMBER, 0, "flow-label", "N", "IPv6's flow label (default 0)",
     SEND, FIELD(send.flow_label), 0, 0xfffff, NULL},

    {KIND_HEADING, 0, "How many, how fast", NULL, NULL, 0, 0, 0, 0, NULL},
    {KIND_NUMBER, 'c', "count", "N", "segments to send (default 1)",
     SEND, FIELD(send.count), 1, UINT32_MAX, NULL},
    {KIND_DURATION, 0, "interval", "DURATION", "from one to the next (default 1s)",
     SEND, FIELD(send.interval), WAVE_US, YEAR, NULL},
    {KIND_CUSTOM, 0, "rate", "N|max", "so many a second, or as fast as can be",
     SEND, 0, 1, SEND_RATE_MAX, send_parse_rate},
    {KIND_WORD, 0, "rate-limit", "on|off",
     "off allows more than 1,000 a second to any address (default on: to loopback, private and "
     "link-local ones)", SEND, FIELD(send.limit), 0, 0, NULL},
    {KIND_NUMBER, 0, "ports", "N", "source ports that take turns, counting up (default: one each, "
     "up to 256; 1 with --source-port)", SEND, FIELD(send.ports), 1, WIRE_PORTS, NULL},
    {KIND_NUMBER, 0, "seq-step", "N", "from one sequence number to the next (default 0)",
     SEND, FIELD(send.seq_step), 0, MATCH_STEP, NULL},
    {KIND_DURATION, 0, "wait", "DURATION", "for answers after the last segment (default 1s); less "
     "when all are answered", SEND, FIELD(send.wait), 1, YEAR, NULL},
    {KIND_FLAG, 0, "wait-all", NULL, "the whole of it, for late and double answers",
     SEND, FIELD(send.wait_all), 0, 0, NULL},

    {KIND_HEADING, 0, "What is shown", NULL, NULL, 0, 0, 0, 0, NULL},
    {KIND_DURATION, 0, "timeout", "DURATION", "end the whole run after this",
     COMMON, FIELD(timeout), 1, YEAR, NULL},
    {KIND_FLAG, 0, "json", NULL, "one JSON object a line instead of the drawing",
     COMMON, FIELD(json), 0, 0, NULL},
    {KIND_TEXT, 0, "pcap", "FILE", "write the packets there, as pcapng; as pcap if *.pcap",
     COMMON, FIELD(pcap), 0, 0, NULL},
    {KIND_TEXT, 0, "svg", "FILE", "draw the exchange there, as a picture (SVG)",
     TALKING, FIELD(svg), 0, 0, NULL},
    {KIND_WORD, 0, "svg-scale", "event|time",
     "distances in the picture: as rows need (the default); to scale",
     TALKING, FIELD(svg_scale), 0, 0, NULL},
    {KIND_FLAG, 'q', "quiet", NULL, "only the exit status", COMMON, FIELD(quiet), 0, 0, NULL},
    {KIND_REPEAT, 'v', "verbose", NULL, "absolute numbers; twice: bytes too",
     COMMON, FIELD(verbose), 0, 0, NULL},
    {KIND_WORD, 0, "color", "auto|always|never", "colour; NO_COLOR is honoured",
     COMMON, FIELD(color), 0, 0, NULL},
    {KIND_FLAG, 0, "ascii", NULL, "draw with ASCII alone", TALKING, FIELD(ascii), 0, 0, NULL},
    {KIND_NUMBER, 0, "width", "COLUMNS", "of the drawing (default: the terminal's)",
     TALKING, FIELD(width), 80, 250, NULL},
    {KIND_FLAG, 0, "no-sandbox", NULL, "for debuggers: any system call may be made",
     COMMON, FIELD(no_sandbox), 0, 0, NULL},
    {KIND_END, 0, NULL, NULL, NULL, 0, 0, 0, 0, NULL}};
/* clang-format on */

void options_default(struct options *o)
{
    *o = (struct options){.syn_retries = 3,
                          .ttl = 64,
                          .close = CLOSE_DEFAULT,
                          .linger = 5 * WAVE_S,
                          .give_up = 100 * WAVE_S,
                          .half_open = 256,
                          .max = 4096};
    send_options_default(&o->send);
    load_options_default(&o->load);
}

/* -4, -6, the literal target and --source are of one family. */
static const char *check_family(const struct options *o)
{
    enum target_family target = o->target.literal;

    if (o->ipv4 && o->ipv6)
        return "-4 and -6 exclude each other";
    if (o->ipv4 && target == TARGET_IPV6)
        return "-4 was given, but the target is an IPv6 address";
    if (o->ipv6 && target == TARGET_IPV4)
        return "-6 was given, but the target is an IPv4 address";
    if (!o->has_source)
        return NULL;
    if (o->ipv4 && o->source.v6)
        return "-4 was given, but --source is an IPv6 address";
    if (o->ipv6 && !o->source.v6)
        return "-6 was given, but --source is an IPv4 address";
    if (target != TARGET_ANY && (target == TARGET_IPV6) != o->source.v6)
        return "the target and --source are addresses of different families";
    return NULL;
}

/* RFC 1122, 4.2.3.6 and RFC 9293, 3.8.4: two hours. 0 marked what was not given. */
static void keepalive_defaults(struct options *o)
{
    o->keepalive |= o->command->bit == KEEPALIVE || o->keep_garbage || o->keep_idle ||
                    o->keep_interval || o->keep_count;
    if (!o->keep_idle)
        o->keep_idle = 2 * WAVE_H;
    if (!o->keep_interval)
        o->keep_interval = 75 * WAVE_S;
    if (!o->keep_count)
        o->keep_count = 10;
}

/* Who reads until the other closes, or sends back what comes, has no data of its own whose end
 * could be a reason to close first. */
static void close_default(struct options *o)
{
    bool reads = o->command->bit == LISTEN && !o->serve && !o->data.at;

    if (o->close == CLOSE_DEFAULT)
        o->close = reads ? CLOSE_PASSIVE : CLOSE_ACTIVE;
}

const char *options_check(struct options *o)
{
    const char *wrong = check_family(o);

    if (wrong)
        return wrong;
    if (o->data.at && o->file)
        return "--data and --file exclude each other";
    if (o->echo + o->discard + (o->serve != NULL) + (o->data.at != NULL) > 1)
        return "--echo, --discard, --serve and --data exclude each other";
    if (options_stdout_taken(o) > 1)
        return "two of --output, --pcap and --svg cannot both be standard output";
    if (o->quiet && o->verbose)
        return "--quiet and --verbose exclude each other";
    if (o->tos & 3)
        return "--tos must be a multiple of 4: its two low bits belong to ECN";
    close_default(o);
    keepalive_defaults(o);
    return NULL;
}
