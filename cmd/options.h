/*
 * Declares how options are described. Options come in groups. A group is a table of rows, and a
 * struct that holds the values. A command has a struct of its own, which contains the structs of
 * its groups and the fields that only this command has, and a list of its groups (cmd/command.h).
 * Parsing, help, completions and the test of the manual all work from that list.
 *
 * Groups that several commands share are in cmd/options_*.h, each with its defaults and with a
 * check of its options together. An option whose words or range differ between commands stands in
 * each command's own rows.
 *
 * Texts point into argv. Durations are in nanoseconds. Where the comment of a field says "0: ...",
 * 0 means that the option was not given; the option itself takes no 0.
 */
#ifndef TCPWAVE_CMD_OPTIONS_H
#define TCPWAVE_CMD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/time.h"
#include "lib/run/course.h"

/* Says what a value is, and so which type the row's field has. */
enum option_kind {
    KIND_END,      /* the last row */
    KIND_FLAG,     /* no value; bool */
    KIND_REPEAT,   /* no value, counted; uint8_t */
    KIND_NUMBER,   /* from `min` to `max`; uint32_t */
    KIND_SIZE,     /* bytes from `min` to `max`, with k, M or G; uint32_t */
    KIND_DURATION, /* from `min` to `max`, in nanoseconds; wave_time */
    KIND_WORD,     /* one of the words in `value`, "auto|always|never": its index; uint32_t */
    KIND_TEXT,     /* any text but the empty one; const char * */
    KIND_DATA,     /* with C escapes; struct bytes */
    KIND_HEX,      /* pairs of hexadecimal digits; struct bytes */
    KIND_CUSTOM    /* parsed by the row's parse() */
};

/* Holds bytes from the command line, such as those of --data with its escapes decoded. `at` is NULL
 * if the option was not given, which differs from data of length 0. */
struct bytes {
    uint8_t *at;
    size_t len;
};

/* Describes one option. */
struct option_row {
    enum option_kind kind;
    char letter;       /* or 0 */
    const char *name;  /* without dashes; NULL if the option has only a letter */
    const char *value; /* the name of its value in help, or the words; NULL for a flag */
    const char *help;
    size_t field; /* offset in the struct of its group */
    uint64_t min, max;
    /* KIND_CUSTOM: parses the value, which is NULL if the option takes none, into the struct of its
     * group. Returns NULL, or what is wrong with the value, in a few words that follow it. */
    const char *(*parse)(void *group, const char *value);
};

#define OPTION_END                                                                                 \
    {                                                                                              \
        .kind = KIND_END                                                                           \
    }

#define OPTION_YEAR (8760 * WAVE_H) /* the longest duration that most options take */

/* Places a table of rows in a command. A group without rows ends a command's list. */
struct option_group {
    const char *heading;           /* in help; NULL: it continues that of the group before */
    const struct option_row *rows; /* ended by OPTION_END, in the order in which help shows them */
    size_t offset;                 /* of the group's struct in the command's */
};

#endif
