/* Declares the option that describes the simulated network of a target sim:PORT: --sim. */
#ifndef TCPWAVE_CMD_OPTIONS_SIM_H
#define TCPWAVE_CMD_OPTIONS_SIM_H

#include "cmd/options.h"
#include "cmd/options_show.h"
#include "cmd/options_where.h"
#include "cmd/simulated.h"
#include "cmd/target.h"

struct sim_options {
    bool given;
    struct sim_spec spec; /* if given */
    struct simulated system;
    char wrong[400]; /* room for a message */
};

extern const struct option_row sim_rows[];

/* Checks --sim against the target and the options that have no meaning without a network. If the
 * target is sim:PORT, everything that the run needs of the system comes from the simulation from
 * now on, and a run without --timeout ends after a simulated week. Returns what is wrong, as a
 * message, or NULL. */
const char *sim_check(struct sim_options *o, const struct target_name *target,
                      const struct where_options *where, struct show_options *show);

#endif
