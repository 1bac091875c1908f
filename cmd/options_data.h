/* What to send, and where to write what is received: --data, --file, --output. */
#ifndef TCPWAVE_CMD_OPTIONS_DATA_H
#define TCPWAVE_CMD_OPTIONS_DATA_H

#include "cmd/options.h"

struct data_options {
    struct bytes text; /* -d; never together with `file` */
    const char *file;  /* -f: a path, "-" is standard input; NULL: none */
};

extern const struct option_row data_rows[]; /* --data and --file */

/* For commands that have only one of them. */
extern const struct option_row data_text_row[];   /* --data, in a struct bytes */
extern const struct option_row data_output_row[]; /* --output, in a const char *: a path, "-" is
                                                     standard output; NULL: none */

/* What is wrong with them together, or NULL. */
const char *data_check(const struct data_options *o);

#endif
