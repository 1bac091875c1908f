/*
 * Parses the command line. The first argument names the command. All other arguments are looked up
 * in that command's tables (cmd/options.h), so that this file knows no option but --help. A value
 * is checked against the kind and the range in its row, and is stored in the command's struct.
 *
 * A mistake ends in one line that quotes what was written and says what to write: the nearest name,
 * or the command that does have the option.
 */
#include "cmd/cli.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/diag.h"
#include "lib/core/text.h"

#define USAGE(d, ...) diag_fail(d, WAVE_EINVAL, __VA_ARGS__)

/* Returns "--name", or "-n" for an option that has only a letter. */
#define OPTION_NAME 32
static const char *row_name(const struct option_row *row, char text[OPTION_NAME])
{
    if (row->name)
        snprintf(text, OPTION_NAME, "--%s", row->name);
    else
        snprintf(text, OPTION_NAME, "-%c", row->letter);
    return text;
}

const struct command *cli_command(const char *name)
{
    for (const struct command *const *c = commands; *c; c++) {
        if (strcmp((*c)->name, name) == 0)
            return *c;
    }
    return NULL;
}

/* Returns the command's row that has this name, which is `len` characters long, or this letter if
 * `name` is NULL; and in *group the group of that row. Returns NULL if there is no such row. */
static const struct option_row *find(const struct command *c, char letter, const char *name,
                                     size_t len, const struct option_group **group)
{
    for (const struct option_group *g = c->groups; g->rows; g++) {
        for (const struct option_row *row = g->rows; row->kind; row++) {
            if (name ? row->name && strlen(row->name) == len && memcmp(row->name, name, len) == 0
                     : row->letter == letter) {
                *group = g;
                return row;
            }
        }
    }
    return NULL;
}

/*
 * Suggestions for an unknown name
 */

/* Collects the known name that is nearest to the one that was written. */
struct nearest {
    const char *to;   /* what was written */
    const char *name; /* the best so far, or NULL */
    unsigned distance;
};

/* Takes `name` if it is nearer than the best so far. At most two letters may be wrong, and at most
 * half of them; a name that begins with what was written is one letter away. */
static void nearest_try(struct nearest *n, const char *name)
{
    size_t len = strlen(n->to);
    unsigned distance = text_distance(n->to, name);

    if (len >= 2 && strncmp(n->to, name, len) == 0)
        distance = 1;
    if (distance <= 2 && distance * 2 <= len && (!n->name || distance < n->distance)) {
        n->name = name;
        n->distance = distance;
    }
}

static int unknown_command(const char *name, struct diag *d)
{
    struct nearest n = {.to = name};

    if (name[0] == '-')
        return USAGE(d,
                     "the command comes before its options: tcpwave COMMAND %s ...; "
                     "\"tcpwave --help\" lists the commands",
                     name);
    for (const struct command *const *c = commands; *c; c++)
        nearest_try(&n, (*c)->name);
    nearest_try(&n, "help");
    if (n.name)
        return USAGE(d, "unknown command \"%s\"; did you mean \"%s\"?", name, n.name);
    if (strchr(name, ':'))
        return USAGE(d, "unknown command \"%s\"; did you mean \"tcpwave connect %s\"?", name, name);
    return USAGE(d, "unknown command \"%s\"; \"tcpwave --help\" lists them", name);
}

/* Reports an option that the command does not have. The message names another command that has it,
 * or the option of the nearest name. The option is the first `len` characters of `name`, without
 * dashes. */
static int unknown_option(const struct command *c, const char *name, size_t len, struct diag *d)
{
    char wanted[OPTION_NAME];
    struct nearest n = {.to = wanted};
    const struct option_group *g;

    snprintf(wanted, sizeof wanted, "%.*s", (int)(len < sizeof wanted ? len : sizeof wanted - 1),
             name);
    for (const struct command *const *other = commands; *other; other++) {
        if (find(*other, 0, wanted, strlen(wanted), &g))
            return USAGE(d, "%s has no option --%s; it belongs to %s", c->name, wanted,
                         (*other)->name);
    }
    for (g = c->groups; g->rows; g++) {
        for (const struct option_row *row = g->rows; row->kind; row++) {
            if (row->name)
                nearest_try(&n, row->name);
        }
    }
    if (n.name)
        return USAGE(d, "unknown option --%s; did you mean --%s?", wanted, n.name);
    return USAGE(d, "unknown option --%s; \"tcpwave %s --help\" lists them", wanted, c->name);
}

/*
 * Values
 */

static int bad_value(const struct option_row *row, const char *value, const char *why,
                     struct diag *d)
{
    char name[OPTION_NAME];
    return USAGE(d, "%s: \"%s\" %s", row_name(row, name), value, why);
}

static int parse_number(const struct option_row *row, const char *value, uint32_t *out,
                        struct diag *d)
{
    uint64_t n;
    char why[96];
    int rc = row->kind == KIND_SIZE ? text_size(value, &n) : text_number(value, &n);

    if (rc || n < row->min || n > row->max) {
        snprintf(why, sizeof why, "is not a %s from %" PRIu64 " to %" PRIu64,
                 row->kind == KIND_SIZE ? "size (N, Nk, NM)" : "number", row->min, row->max);
        return bad_value(row, value, why, d);
    }
    *out = (uint32_t)n;
    return 0;
}

static int parse_duration(const struct option_row *row, const char *value, wave_time *out,
                          struct diag *d)
{
    char why[96], min[TEXT_DURATION], max[TEXT_DURATION];
    wave_time t;

    if (text_duration(value, &t))
        return bad_value(row, value, "is not a duration, such as 250us, 1.5s, 10m or 2h", d);
    if (t < row->min || t > row->max) {
        snprintf(why, sizeof why, "is not from %s to %s", text_duration_format(row->min, min),
                 text_duration_format(row->max, max));
        return bad_value(row, value, t == 0 ? "must be longer than zero" : why, d);
    }
    *out = t;
    return 0;
}

static int parse_word(const struct option_row *row, const char *value, uint32_t *out,
                      struct diag *d)
{
    char why[96];
    size_t len = strlen(value);
    uint32_t place = 0;

    for (const char *word = row->value;; place++) {
        size_t word_len = strcspn(word, "|");
        if (word_len == len && memcmp(word, value, len) == 0) {
            *out = place;
            return 0;
        }
        if (!word[word_len])
            break;
        word += word_len + 1;
    }
    snprintf(why, sizeof why, "is none of %s", row->value);
    return bad_value(row, value, why, d);
}

static int parse_data(const struct option_row *row, char *value, struct bytes *out, struct diag *d)
{
    const char *why;
    size_t len;

    if (text_unescape(value, &len, &why)) {
        /* The value has been decoded in part, so it cannot be quoted any more. */
        char name[OPTION_NAME];
        return USAGE(d, "%s: the text %s", row_name(row, name), why);
    }
    *out = (struct bytes){(uint8_t *)value, len};
    return 0;
}

static int parse_hex(const struct option_row *row, char *value, struct bytes *out, struct diag *d)
{
    size_t len;

    if (text_hex(value, (uint8_t *)value, strlen(value), &len)) {
        /* The value has been decoded in part, so it cannot be quoted any more. */
        char name[OPTION_NAME];
        return USAGE(d, "%s: not an even number of hexadecimal digits", row_name(row, name));
    }
    *out = (struct bytes){(uint8_t *)value, len};
    return 0;
}

static int parse_text(const struct option_row *row, const char *value, const char **out,
                      struct diag *d)
{
    if (!*value)
        return bad_value(row, value, "is empty", d);
    if (row->max && strlen(value) > row->max)
        return bad_value(row, value, "is too long", d);
    *out = value;
    return 0;
}

/* Stores the option's value in its field of the group's struct. `value` is NULL for an option that
 * takes none. */
static int store(const struct option_row *row, char *value, void *group, struct diag *d)
{
    void *field = (char *)group + row->field;

    assert(value || row->kind == KIND_FLAG || row->kind == KIND_REPEAT || row->kind == KIND_CUSTOM);
    switch (row->kind) {
    case KIND_FLAG:
        *(bool *)field = true;
        return 0;
    case KIND_REPEAT:
        *(uint8_t *)field += *(uint8_t *)field < UINT8_MAX;
        return 0;
    case KIND_NUMBER:
    case KIND_SIZE:
        return parse_number(row, value, field, d);
    case KIND_DURATION:
        return parse_duration(row, value, field, d);
    case KIND_WORD:
        return parse_word(row, value, field, d);
    case KIND_TEXT:
        return parse_text(row, value, field, d);
    case KIND_DATA:
        return parse_data(row, value, field, d);
    case KIND_HEX:
        return parse_hex(row, value, field, d);
    case KIND_CUSTOM: {
        const char *why = row->parse(group, value);
        return why ? bad_value(row, value ? value : "", why, d) : 0;
    }
    case KIND_END:
        break;
    }
    return WAVE_EINVAL; /* not reached: find() never returns the row that ends a group */
}

/*
 * Arguments
 */

/* Holds the position in argv while it is read. */
struct arguments {
    char **next; /* ended by NULL */
    struct command_line *line;
    char **operands; /* those found so far, in front of `next` */
    unsigned count;
};

/* Takes the next argument as the option's value, even if it begins with a dash. */
static int next_value(struct arguments *a, const struct option_row *row, char **value,
                      struct diag *d)
{
    char name[OPTION_NAME];

    if (!*a->next)
        return USAGE(d, "%s needs a value: %s", row_name(row, name), row->value);
    *value = *a->next++;
    return 0;
}

/* Parses --name, --name=value or --name value. */
static int long_option(struct arguments *a, char *text, struct diag *d)
{
    char *name = text + 2, *equals = strchr(name, '='), *value = equals ? equals + 1 : NULL;
    size_t len = strcspn(name, "=");

    const struct option_group *group;

    if (strcmp(name, "help") == 0) {
        a->line->help = true;
        return 0;
    }
    const struct option_row *row = find(a->line->command, 0, name, len, &group);
    if (!row)
        return unknown_option(a->line->command, name, len, d);
    if (!row->value && value)
        return USAGE(d, "--%s takes no value", row->name);
    if (row->value && !value && next_value(a, row, &value, d))
        return WAVE_EINVAL;
    return store(row, value, (char *)a->line->options + group->offset, d);
}

/* Parses -v, -vv4, -p80, -p 80 or -vp80. Each letter is an option; the first one that takes a value
 * takes the rest of the argument, or the next argument if there is no rest. */
static int short_options(struct arguments *a, char *text, struct diag *d)
{
    for (char *letter = text + 1; *letter; letter++) {
        const struct option_group *group;

        if (*letter == 'h') {
            a->line->help = true;
            return 0;
        }
        const struct option_row *row = find(a->line->command, *letter, NULL, 0, &group);
        if (!row)
            return USAGE(d, "unknown option -%c; \"tcpwave %s --help\" lists them", *letter,
                         a->line->command->name);
        char *value = row->value && letter[1] ? letter + 1 : NULL;
        if (row->value && !value && next_value(a, row, &value, d))
            return WAVE_EINVAL;
        if (store(row, value, (char *)a->line->options + group->offset, d))
            return WAVE_EINVAL;
        if (value)
            break;
    }
    return 0;
}

/* Moves an operand to the front of argv, as getopt(3) does: it changes places with an argument that
 * has been parsed already. */
static void operand(struct arguments *a)
{
    char **at = a->next - 1, *text = *at;

    *at = a->operands[a->count];
    a->operands[a->count++] = text;
}

/* Parses everything behind the command's name. */
static int parse_arguments(struct arguments *a, struct diag *d)
{
    bool options = true; /* until "--" */

    while (*a->next && !a->line->help) {
        char *text = *a->next++;
        int rc = 0;

        if (!options || text[0] != '-' || !text[1])
            operand(a);
        else if (strcmp(text, "--") == 0)
            options = false;
        else
            rc = text[1] == '-' ? long_option(a, text, d) : short_options(a, text, d);
        if (rc)
            return rc;
    }
    return 0;
}

/* Hands the operands to the command, and has it check all of its options together. */
static int check(const struct arguments *a, struct diag *d)
{
    const struct command *c = a->line->command;
    void *options = a->line->options;

    if (!a->count)
        return USAGE(d, "a target is missing: tcpwave %s [options] %s", c->name, c->target);
    if (c->operands(options, a->operands, a->count, d))
        return WAVE_EINVAL;
    const char *wrong = c->check(options);
    return wrong ? USAGE(d, "%s", wrong) : 0;
}

/* Parses the options of the command in `line`; `rest` is what stands behind the command's name. */
static int parse_options(struct command_line *line, char **rest, struct diag *d)
{
    struct arguments a = {.next = rest, .operands = rest, .line = line};
    int rc;

    line->options = calloc(1, line->command->size);
    if (!line->options)
        return diag_fail(d, WAVE_ENOMEM, "no memory for the options");
    line->command->defaults(line->options);
    rc = parse_arguments(&a, d);
    if (!rc && !line->help && line->command->tell)
        line->told = line->command->tell(line->options, stdout);
    if (!rc && !line->help && !line->told)
        rc = check(&a, d);
    if (rc || line->help || line->told)
        cli_free(line);
    return rc;
}

void cli_free(struct command_line *line)
{
    free(line->options);
    line->options = NULL;
}

int cli_parse(int argc, char **argv, struct command_line *out, struct diag *d)
{
    *out = (struct command_line){.command = NULL};
    if (argc < 2)
        return USAGE(d, "a command is missing");

    const char *name = argv[1];
    out->help = strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0;
    out->version = strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0;
    if (out->help || out->version)
        return 0;
    if (strcmp(name, "help") == 0) {
        out->help = out->manual = true;
        name = argv[2];
        if (!name)
            return 0;
    }
    out->command = cli_command(name);
    if (!out->command)
        return unknown_command(name, d);
    return out->help ? 0 : parse_options(out, argv + 2, d);
}
