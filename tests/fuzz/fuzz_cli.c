/*
 * Whole command lines: the input is argv behind the program's name, each argument ended by NUL.
 * Every one is either understood or refused with a word about it, and the small texts in it mean
 * the same when they are written again.
 */
#include "cmd/cli.h"
#include "cmd/target.h"
#include "cmd/text.h"
#include "tests/fuzz/fuzz.h"

enum { ARGUMENTS_MOST = 24 };

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

/* Escapes, decoded in place: never longer than they were. */
static void escapes(const char *text)
{
    const size_t size = strlen(text);
    char *copy = strdup(text);
    const char *why = NULL;
    size_t len = 0;

    require(copy);
    if (text_unescape(copy, &len, &why) == 0)
        require(len <= size && (strchr(text, '\\') || len == size));
    else
        require(why && *why);
    free(copy);
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

static void command_line(int argc, char **argv)
{
    struct options o;
    struct diag d = {""};

    if (cli_parse(argc, argv, &o, &d) != 0) {
        require(*d.text && memchr(d.text, '\0', sizeof d.text));
        return;
    }
    require(o.command || o.help || o.version);
    if (o.help || o.version)
        return;
    require(!(o.ipv4 && o.ipv6));
    require(memchr(o.target.host, '\0', sizeof o.target.host));
    require(o.color <= COLOR_NEVER && o.ttl <= 255 && o.tos <= 255 && o.source_port <= 65535);
    require(!o.data.at || o.data.len <= 1u << 20);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    static char name[] = "tcpwave";
    char *argv[ARGUMENTS_MOST + 2] = {name};
    int argc = 1;
    size_t at = 0;

    if (size > 1u << 16)
        return 0;
    while (at < size && argc <= ARGUMENTS_MOST) {
        const uint8_t *end = memchr(input + at, '\0', size - at);
        const size_t len = end ? (size_t)(end - input) - at : size - at;

        argv[argc] = strndup((const char *)input + at, len);
        require(argv[argc]);
        duration(argv[argc]);
        numbers(argv[argc]);
        escapes(argv[argc]);
        target(argv[argc]);
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
