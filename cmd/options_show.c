/* Defines the rows of the options that say what is shown, in three tables: with the options of
 * the drawing, without them, and where no segment is shown. */
#include "cmd/options_show.h"

#define FIELD(name) offsetof(struct show_options, name)

/* clang-format off */
#define ROWS_OF_THE_RUN(json_text)                                                                 \
    {KIND_DURATION, 0, "timeout", "DURATION", "end the whole run after this time",                 \
     FIELD(timeout), 1, OPTION_YEAR, NULL},                                                        \
    {KIND_FLAG, 0, "json", NULL, json_text, FIELD(json), 0, 0, NULL},                              \
    {KIND_TEXT, 0, "pcap", "FILE", "capture file to write: pcapng, or pcap if *.pcap",             \
     FIELD(pcap), 0, 0, NULL}

#define ROWS_OF_THE_REPORT(verbose_text)                                                           \
    {KIND_FLAG, 'q', "quiet", NULL, "only the exit status", FIELD(quiet), 0, 0, NULL},             \
    {KIND_REPEAT, 'v', "verbose", NULL, verbose_text, FIELD(verbose), 0, 0, NULL},                  \
    {KIND_WORD, 0, "color", "auto|always|never", "colour; NO_COLOR is honoured",                   \
     FIELD(color), 0, 0, NULL}

#define ROW_OF_THE_SANDBOX                                                                         \
    {KIND_FLAG, 0, "no-sandbox", NULL, "allow any system call, for debuggers",                     \
     FIELD(no_sandbox), 0, 0, NULL}

const struct option_row show_rows[] = {
    ROWS_OF_THE_RUN("one JSON object a line instead of the drawing"),
    {KIND_TEXT, 0, "svg", "FILE", "picture of the run to write (SVG)",
     FIELD(svg), 0, 0, NULL},
    {KIND_WORD, 0, "svg-scale", "event|time",
     "distances in the picture: as rows need (the default); to scale", FIELD(svg_scale), 0, 0, NULL},
    ROWS_OF_THE_REPORT("all header fields; twice: bytes too"),
    {KIND_FLAG, 0, "ascii", NULL, "draw with ASCII alone", FIELD(ascii), 0, 0, NULL},
    {KIND_NUMBER, 0, "width", "COLUMNS", "width of the drawing (default: the terminal's)",
     FIELD(width), 80, 250, NULL},
    ROW_OF_THE_SANDBOX,
    OPTION_END};

const struct option_row show_plain_rows[] = {
    ROWS_OF_THE_RUN("one JSON object a line instead of the drawing"),
    ROWS_OF_THE_REPORT("all header fields; twice: bytes too"),
    ROW_OF_THE_SANDBOX,
    OPTION_END};

const struct option_row show_table_rows[] = {
    ROWS_OF_THE_RUN("one JSON object a line instead of text"),
    ROWS_OF_THE_REPORT("accepted, and without effect"),
    ROW_OF_THE_SANDBOX,
    OPTION_END};
/* clang-format on */

static unsigned is_stdout(const char *path)
{
    return path && path[0] == '-' && !path[1];
}

const char *show_check(struct show_options *o, const char *output)
{
    const unsigned taken = is_stdout(output) + is_stdout(o->pcap) + is_stdout(o->svg);

    o->stdout_taken = taken > 0;
    if (taken > 1)
        return "two of --output, --pcap and --svg cannot both be standard output";
    if (o->quiet && o->verbose)
        return "--quiet and --verbose exclude each other";
    return NULL;
}
