/*
 * Looks up the targets of a run, within --timeout. A look-up may take as long as the name servers
 * like, and no call of the C library can be ended early: so it is done in a process of its own,
 * which is ended when the time is over or a signal comes.
 */
#ifndef TCPWAVE_CMD_RESOLVE_H
#define TCPWAVE_CMD_RESOLVE_H

#include "cmd/options_show.h"
#include "cmd/target.h"
#include "lib/report/report.h"

/* Holds what the look-ups of a run share. */
struct resolve {
    const struct show_options *show;
    wave_time deadline; /* the end of --timeout, by platform_now(), or WAVE_NEVER */
    int signal;         /* that ended a look-up, or 0 */
};

/* Begins the time of --timeout. */
void resolve_begin(struct resolve *r, const struct show_options *show);

/* Looks a target up, as target_resolve_all() does. WAVE_ENOTFOUND, with *d filled in, also if
 * --timeout or a signal ended the look-up. */
int resolve_all(struct resolve *r, const struct target_name *name, enum target_family family,
                struct target_list *out, struct diag *d);

/* Does the same, and takes the first address. */
int resolve_first(struct resolve *r, const struct target_name *name, enum target_family family,
                  struct target *out, struct diag *d);

/* Lists the addresses of a name beside the first one, in the verdict and at `to`, which lives as
 * long. Does nothing where `names` is NULL. */
void resolve_others(const struct target_list *names, struct report_address to[TARGET_ADDRESSES],
                    struct report_verdict *v);

#endif
