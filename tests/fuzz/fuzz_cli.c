/*
 * Whole command lines: the input is argv after the program's name, and each argument ends with NUL.
 * Every command line is either accepted, or rejected with a message. The small texts in it keep
 * their meaning when they are written out and parsed once more.
 */
#include <ctype.h>
#include <strings.h>

#include "cmd/cli.h"
#include "cmd/client_options.h"
#include "cmd/idle.h"
#include "cmd/listen_options.h"
#include "cmd/load_options.h"
#include "cmd/read.h"
#include "cmd/send_options.h"
#include "cmd/target.h"
#include "lib/core/text.h"
#include "lib/show/term.h"
#include "lib/sim/spec.h"
#include "tests/fuzz/fuzz.h"

enum { ARGUMENTS_MAX = 24 };

static void duration(const char *text)
{
    char room[TEXT_DURATION];
    const char *again;
    wave_time t = 7, u = 8;

    if (text_duration(text, &t) != 0) {
        require(t == 7);
        return;
    }
    again = text_duration_format(t, room);
    require(strlen(again) < sizeof room);
    require(t == WAVE_NEVER || (text_duration(again, &u) == 0 && t == u));
}

static void numbers(const char *text)
{
    uint64_t n = 7, size = 8;

    if (text_number(text, &n) == 0)
        require(text_size(text, &size) == 0 && size == n);
    else
        require(n == 7);
    text_size(text, &size);
}

static char *hex_of(const uint8_t *bytes, size_t len, const char *before)
{
    const size_t each = strlen(before) + 2;
    char *text = malloc(len * each + 1);

    require(text);
    *text = '\0';
    for (size_t i = 0; i < len; i++)
        snprintf(text + i * each, each + 1, "%s%02x", before, bytes[i]);
    return text;
}

/* Escapes, decoded in place: never longer than they were, and the same when each byte is written as
 * an escape of its own. */
static void escapes(const char *text)
{
    const size_t size = strlen(text);
    char *copy = strdup(text);
    const char *why = NULL;
    size_t len = 0;

    require(copy);
    if (text_unescape(copy, &len, &why) == 0) {
        char *again = hex_of((uint8_t *)copy, len, "\\x");
        size_t again_len = 0;

        require(len <= size && (strchr(text, '\\') || len == size));
        require(text_unescape(again, &again_len, &why) == 0 && again_len == len);
        require(memcmp(again, copy, len) == 0);
        free(again);
    } else {
        require(why && *why);
    }
    free(copy);
}

static void hex(const char *text)
{
    uint8_t room[64];
    const size_t size = strlen(text);
    size_t len = 0, digits = 0;
    char *again;

    while (isxdigit((unsigned char)text[digits]))
        digits++;
    if (text_hex(text, room, sizeof room, &len) != 0) {
        require(digits < size || size % 2 || size / 2 > sizeof room);
        return;
    }
    require(digits == size && len * 2 == size);
    again = hex_of(room, len, "");
    require(strcasecmp(again, text) == 0);
    free(again);
}

/*
 * Fields of a crafted segment: what was understood, written out again, gives the same bytes, and
 * what was refused leaves no trace in the options.
 */

typedef const char *parser(void *options, const char *value);

/* Whether `text` and then `again` mean the same. */
static void same(parser *parse, const struct send_options *first, const char *again)
{
    struct send_options o;

    memset(&o, 0, sizeof o);
    require(!parse(&o, again));
    require(o.options_len == first->options_len);
    require(memcmp(o.options, first->options, o.options_len) == 0);
    require(o.flags == first->flags);
}

static bool parsed(parser *parse, const char *text, struct send_options *o)
{
    const char *wrong;

    memset(o, 0, sizeof *o);
    wrong = parse(o, text);
    require(o->options_len <= OPT_BYTES_MAX);
    require(!wrong || (*wrong && o->options_len == 0));
    return !wrong;
}

static void flags(const char *text)
{
    static const char letters[] = "FSRPAUEWN";
    struct send_options o;
    char again[sizeof letters] = "";
    size_t n = 0;

    if (!parsed(send_parse_flags, text, &o))
        return;
    require(o.flags <= 0x1ff);
    for (unsigned bit = 0; bit < sizeof letters - 1; bit++)
        if (o.flags >> bit & 1)
            again[n++] = letters[bit];
    require(n == 0 ? strcmp(text, "none") == 0 : n == strlen(text));
    same(send_parse_flags, &o, n ? again : "none");
}

static void tcp_options(const char *text)
{
    struct send_options o;
    struct opt opt;
    char again[128] = "", *bytes;
    size_t n = 0;

    if (parsed(send_parse_option, text, &o)) {
        const uint8_t *p = o.options;

        require(o.options_len >= 1);
        if (o.options_len > 1) {
            require(p[1] == o.options_len);
            bytes = hex_of(p + 2, o.options_len - 2u, "");
            snprintf(again, sizeof again, "%u:%s", p[0], bytes);
            free(bytes);
            same(send_parse_option, &o, again);
        } else {
            same(send_parse_option, &o, p[0] ? "nop" : "eol");
        }
    }
    if (parsed(send_parse_options, text, &o)) {
        bytes = hex_of(o.options, o.options_len, "");
        same(send_parse_options, &o, bytes);
        free(bytes);
    }
    if (parsed(send_parse_sack, text, &o)) {
        struct cursor in = cursor_of(o.options, o.options_len);

        require(cursor_u8(&in) == OPT_KIND_SACK && cursor_u8(&in) == o.options_len);
        while (in.left > 0) {
            const uint32_t first = cursor_u32(&in), end = cursor_u32(&in);
            n += (size_t)snprintf(again + n, sizeof again - n, "%s%u:%u", n ? "," : "", first, end);
        }
        require(!in.short_);
        same(send_parse_sack, &o, again);
    }
    if (parsed(send_parse_timestamp, text, &o)) {
        opt_parse(o.options, o.options_len, &opt);
        require(opt.has == OPT_TIMESTAMP);
        snprintf(again, sizeof again, "0x%x:%u", opt.tsval, opt.tsecr);
        same(send_parse_timestamp, &o, again);
    }
    if (parsed(send_parse_mss, text, &o)) {
        opt_parse(o.options, o.options_len, &opt);
        require(opt.has == OPT_MSS);
        snprintf(again, sizeof again, "%u", opt.mss);
        same(send_parse_mss, &o, again);
    }
    if (parsed(send_parse_wscale, text, &o)) {
        snprintf(again, sizeof again, "0x%x", o.options[2]);
        same(send_parse_wscale, &o, again);
    }
    if (parsed(send_parse_fast_open, text, &o))
        require(o.options_len == 2 ||
                (o.options_len >= 6 && o.options_len <= 18 && o.options_len % 2 == 0));
    if (parsed(send_parse_md5, text, &o))
        require(o.options_len == 18);
    if (parsed(send_parse_user_timeout, text, &o))
        require(o.options_len == 4);
}

/* SPEC of --sim: what was understood, printed, means the same; what was not has a place. */
static void network(const char *text)
{
    char printed[SIM_SPEC_TEXT], again[SIM_SPEC_TEXT];
    struct sim_spec s, t;
    struct sim_spec_error e = {.allowed = ""};

    if (sim_spec_parse(text, &s, &e) != 0) {
        require(e.at <= strlen(text) && *e.allowed && memchr(e.allowed, '\0', sizeof e.allowed));
        return;
    }
    require(s.rtt <= WAVE_H && s.loss <= 10000 && s.hops <= HOPS_MAX && s.loses <= SIM_LOSE_MAX);
    sim_spec_print(&s, printed);
    require(strlen(printed) < SIM_SPEC_TEXT - 1);
    if (!*printed)
        return;
    require(sim_spec_parse(printed, &t, &e) == 0);
    require(strcmp(sim_spec_print(&t, again), printed) == 0);
}

static void target(const char *text)
{
    struct target_name name;
    struct diag d = {""};
    struct addr addr;
    bool v6;

    for (int passive = 0; passive < 2; passive++) {
        memset(&name, 0x5a, sizeof name);
        if (target_parse(text, passive, &name, &d) != 0) {
            require(*d.text && memchr(d.text, '\0', sizeof d.text));
            continue;
        }
        require(memchr(name.host, '\0', sizeof name.host));
        require(memchr(name.zone, '\0', sizeof name.zone));
        require(memchr(name.service, '\0', sizeof name.service));
        require(passive || name.host[0]);
        require(name.literal == TARGET_ANY || target_literal(name.host, &v6, &addr));
    }
}

static void where(const struct where_options *o, const struct target_name *to)
{
    require(!(o->ipv4 && o->ipv6));
    require(memchr(to->host, '\0', sizeof to->host));
}

static void tcp(const struct tcp_options *o)
{
    require(o->ttl >= 1 && o->ttl <= 255 && o->tos <= 255 && o->tos % 4 == 0);
}

static void show(const struct show_options *o)
{
    require(o->color <= TERM_COLOR_NEVER && !(o->quiet && o->verbose));
}

static void client(const struct client_options *o)
{
    where(&o->where, &o->target);
    tcp(&o->tcp);
    show(&o->show);
    require(o->source_port <= 65535);
    require(!o->data.text.at || (!o->data.file && o->data.text.len <= 1u << 20));
}

static void listening(const struct listen_options *o)
{
    where(&o->where, &o->target);
    tcp(&o->tcp);
    show(&o->show);
    require(o->close.how < CLOSE_DEFAULT && !(o->echo && o->data.at));
    require(!o->data.at || o->data.len <= 1u << 20);
}

static void sending(const struct send_options *o)
{
    where(&o->where, &o->target);
    show(&o->show);
    require(o->source_port <= 65535 && o->ttl <= 255 && o->tos <= 255);
    require(!o->data.text.at || o->data.text.len <= 1u << 20);
    require(o->options_len <= OPT_BYTES_MAX && o->flags <= 0x1ff);
    require(o->window <= 65535 && o->urgent <= 65535 && o->reserved <= 7);
    require(o->fragment % 8 == 0);
}

static void loading(const struct load_options *o)
{
    require(o->targets >= 1 && o->targets <= LOAD_TARGETS && o->sources <= LOAD_SOURCES);
    for (unsigned i = 0; i < o->targets; i++)
        where(&o->where, &o->target[i]);
    tcp(&o->tcp);
    show(&o->show);
    require(o->source_port <= 65535 && (!o->data.at || o->data.len <= 1u << 20));
    require(o->close.how < CLOSE_DEFAULT && o->where.has_source == (o->sources > 0));
}

static void reading(const struct read_options *o)
{
    show(&o->show);
}

static void idling(const struct idle_options *o)
{
    where(&o->where, &o->target);
    tcp(&o->tcp);
    show(&o->show);
    require(o->source_port <= 65535);
}

static void command_line(int argc, char **argv)
{
    struct command_line l;
    struct diag d = {""};

    if (cli_parse(argc, argv, &l, &d) != 0) {
        require(*d.text && memchr(d.text, '\0', sizeof d.text) && !l.options);
        return;
    }
    require(l.command || l.help || l.version);
    require((l.options != NULL) == !(l.help || l.version));
    if (!l.options)
        return;
    if (l.command == &listen_command)
        listening(l.options);
    else if (l.command == &send_command)
        sending(l.options);
    else if (l.command == &load_command)
        loading(l.options);
    else if (l.command == &read_command)
        reading(l.options);
    else if (l.command == &idle_command)
        idling(l.options);
    else
        client(l.options);
    cli_free(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    static char name[] = "tcpwave";
    char *argv[ARGUMENTS_MAX + 2] = {name};
    int argc = 1;
    size_t at = 0;

    if (size > 1u << 16)
        return 0;
    while (at < size && argc <= ARGUMENTS_MAX) {
        const uint8_t *end = memchr(input + at, '\0', size - at);
        const size_t len = end ? (size_t)(end - input) - at : size - at;

        argv[argc] = strndup((const char *)input + at, len);
        require(argv[argc]);
        duration(argv[argc]);
        numbers(argv[argc]);
        escapes(argv[argc]);
        target(argv[argc]);
        hex(argv[argc]);
        flags(argv[argc]);
        tcp_options(argv[argc]);
        network(argv[argc]);
        require(text_distance(argv[argc], argv[argc - 1]) ==
                text_distance(argv[argc - 1], argv[argc]));
        argc++;
        at += len + 1;
    }
    command_line(argc, argv);
    for (int i = 1; i < argc; i++)
        free(argv[i]);
    return 0;
}
