/*
 * What an option is. Options come in groups: a table of rows, and a struct that holds what they ask
 * for. A command has a struct of its own, in which the structs of its groups stand beside the
 * fields that only this command has, and a list of its groups (cmd/command.h). Parsing, help,
 * completions and the manual's check all work from that list.
 *
 * Groups that several commands share are in cmd/options_*.h, each with its defaults and with a
 * check of what its options say together. An option whose words or range differ from one command to
 * the next stands in each command's own rows.
 *
 * Texts point into argv. Durations are nanoseconds. A field whose comment says "0: ..." was not
 * given when it is 0, since no option takes a 0 there.
 */
#ifndef TCPWAVE_CMD_OPTIONS_H
#define TCPWAVE_CMD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/time.h"
#include "lib/run/course.h"

/* What a value is, and so what the row's field is. */
enum option_kind {
    KIND_END,      /* the last row */
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

/* --data, its escapes decoded; NULL when there was none, which is not the same as none of length
 * 0. */
struct bytes {
    uint8_t *at;
    size_t len;
};

struct option_row {
    enum option_kind kind;
    char letter;       /* or 0 */
    const char *name;  /* without dashes; NULL when there is only a letter */
    const char *value; /* what help calls its value, or the words; NULL for a flag */
    const char *help;
    size_t field; /* offset in the struct of its group */
    uint64_t min, max;
    /* KIND_CUSTOM: reads the value (NULL when it takes none) into the struct of its group; what is
     * wrong with it in a few words, or NULL. */
    const char *(*parse)(void *group, const char *value);
};

#define OPTION_END                                                                                 \
    {                                                                                              \
        .kind = KIND_END                                                                           \
    }

#define OPTION_YEAR (8760 * WAVE_H) /* the longest duration that most options take */

/* Rows as a command has them. A group without rows ends the list. */
struct option_group {
    const char *heading;           /* in help; NULL: that of the group before goes on */
    const struct option_row *rows; /* ended by OPTION_END, in the order in which help shows them */
    size_t offset;                 /* of the group's struct in the command's */
};

#endif
