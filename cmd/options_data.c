/* Defines the rows of --data, --file and --output. */
#include "cmd/options_data.h"

#define FIELD(name) offsetof(struct data_options, name)

/* clang-format off */
#define TEXT_ROW(field)                                                                            \
    {KIND_DATA, 'd', "data", "TEXT", "data to send; \\r \\n \\t \\0 \\xHH \\\\ are understood",    \
     field, 0, 0, NULL}

const struct option_row data_rows[] = {
    TEXT_ROW(FIELD(text)),
    {KIND_TEXT, 'f', "file", "PATH", "file to send; - is standard input", FIELD(file), 0, 0, NULL},
    OPTION_END};

const struct option_row data_text_row[] = {
    TEXT_ROW(0),
    OPTION_END};

const struct option_row data_output_row[] = {
    {KIND_TEXT, 'o', "output", "PATH", "file for received bytes; - is standard output",
     0, 0, 0, NULL},
    OPTION_END};
/* clang-format on */

const char *data_check(const struct data_options *o)
{
    return o->text.at && o->file ? "--data and --file exclude each other" : NULL;
}
