/* Defines the row of --verify, and the defaults, operand and check that connect, halfclose and
 * keepalive have in common. All other rows come from the shared groups (cmd/options_*.h). */
#include "cmd/client_options.h"

/* clang-format off */
const struct option_row client_verify_row[] = {
    {KIND_FLAG, 0, "verify", NULL, "probe the peer wherever its state is only assumed",
     offsetof(struct client_options, verify), 0, 0, NULL},
    OPTION_END};
/* clang-format on */

void client_defaults(void *options)
{
    struct client_options *o = options;

    o->end = END_DEFAULT;
    o->tcp = TCP_DEFAULT;
}

int client_operands(void *options, char *const *text, unsigned count, struct diag *d)
{
    struct client_options *o = options;

    return target_single(text, count, false, &o->target, d);
}

const char *client_check(void *options)
{
    struct client_options *o = options;
    const char *wrong = where_check(&o->where, o->target.literal);

    if (!wrong)
        wrong = sim_check(&o->sim, &o->target, &o->where, &o->show);
    if (!wrong)
        wrong = data_check(&o->data);
    if (!wrong)
        wrong = show_check(&o->show, o->output);
    return wrong ? wrong : tcp_check(&o->tcp);
}
