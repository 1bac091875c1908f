/* Declares, parses and checks the options of `tcpwave read`. */
#include <stdio.h>
#include <string.h>

#include "cmd/read.h"
#include "lib/core/diag.h"
#include "lib/core/verdict.h"
#include "lib/report/flow_verdict.h"

#define FIELD(name) offsetof(struct read_options, name)

static const char *parse_flow(void *group, const char *value)
{
    struct read_options *o = group;

    o->has_flow = true;
    return read_select_parse(&o->flow, value);
}

/* Returns the code of a finding, or the word of a verdict, as a static string; NULL: it is none. */
static const char *code_of(const char *text, size_t len)
{
    const char *code;

    for (unsigned i = 0; (code = flow_finding_code(i)); i++)
        if (strlen(code) == len && memcmp(code, text, len) == 0)
            return code;
    for (unsigned v = VERDICT_REFUSED; v <= VERDICT_LOST; v++) {
        code = verdict_name(v);
        if (strlen(code) == len && memcmp(code, text, len) == 0)
            return code;
    }
    return NULL;
}

static const char *parse_fail_on(void *group, const char *value)
{
    struct read_options *o = group;

    for (const char *at = value; at;) {
        const char *comma = strchr(at, ',');
        const char *code = code_of(at, comma ? (size_t)(comma - at) : strlen(at));
        if (!code)
            return "has a part that is neither the code of a finding about flows nor a verdict";
        if (o->fail_ons == READ_CODES)
            return "has more codes than there are";
        o->fail_on[o->fail_ons++] = code;
        at = comma ? comma + 1 : NULL;
    }
    return NULL;
}

/* clang-format off */
static const struct option_row rows[] = {
    {KIND_FLAG, 0, "summary", NULL, "one line a flow (the default for more than one)",
     FIELD(summary), 0, 0, NULL},
    {KIND_FLAG, 0, "ladder", NULL, "the segments of a flow (the default for one)", FIELD(ladder), 0,
     0, NULL},
    {KIND_WORD, 0, "sort", "none|bytes|duration|retransmissions|start",
     "order of the lines (default: as flows end)", FIELD(sort), 0, 0, NULL},
    {KIND_FLAG, 0, "findings", NULL, "what went wrong, below each flow", FIELD(findings), 0, 0, NULL},
    {KIND_CUSTOM, 0, "flow", "FILTER", "only these: a number, ADDRESS, ADDRESS:PORT, :PORT",
     0, 0, 0, parse_flow},
    {KIND_TEXT, 0, "filter", "PCAP-FILTER", "only frames that pass this filter (pcap-filter(7))",
     FIELD(filter), 0, 0, NULL},
    {KIND_CUSTOM, 0, "fail-on", "CODE[,...]", "status 1 if a flow has this finding or verdict",
     0, 0, 0, parse_fail_on},
    OPTION_END};
/* clang-format on */

const struct option_group read_groups[] = {
    {"What is read", rows, 0}, {"What is shown", show_rows, FIELD(show)}, {NULL, NULL, 0}};

void read_defaults(void *options)
{
    (void)options;
}

int read_operands(void *options, char *const *text, unsigned count, struct diag *d)
{
    struct read_options *o = options;

    if (count > 1)
        return diag_fail(d, WAVE_EINVAL, "read takes one file, and \"%.100s\" is a second one",
                         text[1]);
    o->file = text[0];
    return 0;
}

const char *read_check(void *options)
{
    struct read_options *o = options;

    if (!o->file)
        return "read needs a capture file, or - for standard input";
    if (o->summary && (o->ladder || o->show.svg))
        return "--summary and --ladder, or --svg, exclude each other";
    if (o->ladder && o->sort != SORT_NONE)
        return "--sort is for the lines of --summary, and not for --ladder";
    return show_check(&o->show, NULL);
}
