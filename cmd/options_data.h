/* Declares the options that say what to send, and where to write what is received: --data, --file
 * and --output. */
#ifndef TCPWAVE_CMD_OPTIONS_DATA_H
#define TCPWAVE_CMD_OPTIONS_DATA_H

#include "cmd/options.h"

struct data_options {
    struct bytes text; /* -d; not together with `file` */
    const char *file;  /* -f: a path, "-" is standard input; NULL: none */
};

extern const struct option_row data_rows[]; /* --data and --file */

/* The rows for commands that have only one of these options. */
extern const struct option_row data_text_row[];   /* --data, in a struct bytes */
extern const struct option_row data_output_row[]; /* --output, in a const char *: a path, "-" is
                                                     standard output; NULL: none */

/* Returns what is wrong with the options together, as a message, or NULL. */
const char *data_check(const struct data_options *o);

#endif
