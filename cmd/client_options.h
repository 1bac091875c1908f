/* The options that connect, halfclose and keepalive share: each of them makes one connection. */
#ifndef TCPWAVE_CMD_CLIENT_OPTIONS_H
#define TCPWAVE_CMD_CLIENT_OPTIONS_H

#include "cmd/options_close.h"
#include "cmd/options_data.h"
#include "cmd/options_show.h"
#include "cmd/options_tcp.h"
#include "cmd/options_where.h"
#include "cmd/target.h"
#include "lib/core/err.h"

/* A command's own struct begins with this one, so that the functions below are its hooks too
 * (struct command). */
struct client_options {
    struct target_name target; /* its form is checked; target_resolve() looks it up */
    struct where_options where;
    uint32_t source_port; /* 0: chosen by the kernel */
    struct data_options data;
    const char *output; /* -o: a path, "-" is standard output; NULL: none */
    struct end_options end;
    struct tcp_options tcp;
    bool verify; /* a harmless probe after each step that left something assumed */
    struct show_options show;
};

extern const struct option_row client_verify_row[]; /* --verify; struct client_options */

void client_defaults(void *options);
int client_operands(void *options, char *const *text, unsigned count, struct diag *d);
const char *client_check(void *options);

#endif
