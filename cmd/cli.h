/*
 * The command line: one table of options, from which parsing, help, completions and the manual's
 * check all come.
 */
#ifndef TCPWAVE_CMD_CLI_H
#define TCPWAVE_CMD_CLI_H

#include <stdint.h>

#include "cmd/command.h"
#include "cmd/options.h"
#include "lib/core/err.h"

/* What a value is, and so what `field` of struct options is. */
enum option_kind {
    KIND_END,      /* the last row */
    KIND_HEADING,  /* no option: `name` stands over the rows that follow in help */
    KIND_FLAG,     /* no value; bool */
    KIND_REPEAT,   /* no value, counted; uint8_t */
    KIND_NUMBER,   /* least to most; uint32_t */
    KIND_SIZE,     /* as KIND_NUMBER, with k, M or G; uint32_t */
    KIND_DURATION, /* least to most, in nanoseconds; wave_time */
    KIND_WORD,     /* one of those in `value`, "auto|always|never": its place there; uint32_t */
    KIND_TEXT,     /* as it stands, not empty; const char * */
    KIND_DATA,     /* with C escapes; struct bytes */
    KIND_HEX,      /* pairs of hexadecimal digits; struct bytes */
    KIND_CUSTOM    /* parse() does it */
};

struct option_row {
    enum option_kind kind;
    char letter;       /* or 0 */
    const char *name;  /* without dashes; NULL when there is only a letter */
    const char *value; /* what help calls its value, or the words; NULL for a flag */
    const char *help;
    unsigned commands; /* bits of command.h; a name may stand in several rows for other ones */
    size_t field;      /* offset in struct options */
    uint64_t least, most;
    /* KIND_CUSTOM: reads the value (NULL when it takes none); what is wrong with it in a few words,
     * or NULL. */
    const char *(*parse)(struct options *o, const char *value);
};

/* Ended by KIND_END. In the order in which help shows them. */
extern const struct option_row option_table[];

/* What is in force when nothing is asked for. */
void options_default(struct options *o);

/* What the options say together, and defaults that depend on others: what is wrong, or NULL. */
const char *options_check(struct options *o);

/*
 * Reads argv, in which escapes of data are decoded in place. 0 and *out; or WAVE_EINVAL with the
 * reason in *d, and out->command set as far as it was understood. With out->help or out->version
 * nothing else is to be done but to show it.
 */
int cli_parse(int argc, char **argv, struct options *out, struct diag *d);

/* The command of that name, or NULL. */
const struct command *cli_command(const char *name);

#endif
