/* The options of `tcpwave read`. */
#ifndef TCPWAVE_CMD_READ_H
#define TCPWAVE_CMD_READ_H

#include "cmd/command.h"
#include "cmd/options_show.h"
#include "cmd/read_select.h"

enum read_sort_by { SORT_NONE, SORT_BYTES, SORT_DURATION, SORT_RETRANSMISSIONS, SORT_START };

#define READ_CODES 32 /* of --fail-on */

struct read_options {
    struct show_options show;
    const char *file; /* "-": standard input */
    bool summary, ladder, findings;
    bool has_flow;
    struct read_select flow; /* all, if none was given */
    const char *filter;      /* of libpcap; NULL: none */
    uint32_t sort;           /* enum read_sort_by */
    const char *fail_on[READ_CODES];
    unsigned fail_ons;
};

extern const struct option_group read_groups[];

void read_defaults(void *options);
int read_operands(void *options, char *const *text, unsigned count, struct diag *d);
const char *read_check(void *options);

#endif
