/* What the tests of `tcpwave idle` share: runs of the whole command (command_rig.h) with a peer
 * that discards what it receives, and what their verdicts say. */
#ifndef TCPWAVE_TESTS_IDLE_RIG_H
#define TCPWAVE_TESTS_IDLE_RIG_H

#include "tests/unit/command_rig.h"

/* A peer that answers no probe with a D-SACK, as this one, is given this time before the silence of
 * a connection begins. The first connection is the control connection, and the others follow it. */
#define IDLE_PROOF (1300 * WAVE_MS)

/* Runs the words. Findings are expected. */
void idle_run(struct command_rig *r, const char *words);

/* The number at `path` of the verdict. */
double idle_number(const struct command_rig *r, const char *path);

/* Of the run's last finding, the text of that name is `wanted`. */
void idle_expect_finding(const struct command_rig *r, const char *name, const char *wanted);

/* Runs the words, and expects that verdict, that status, and a part of the message. */
void idle_expect_end(const char *words, const char *verdict, int status, const char *part);

#endif
