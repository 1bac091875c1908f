/*
 * Giving privileges up, once and for all.
 */
#ifndef TCPWAVE_IO_PRIVILEGE_H
#define TCPWAVE_IO_PRIVILEGE_H

#include <sys/types.h>

#include "lib/core/err.h"

/* Who called: under sudo, or when the binary is set-uid, that user; else who we are. */
struct privilege_user {
    uid_t uid;
    gid_t gid;
};
struct privilege_user privilege_caller(void);

/* Takes that user's groups, or just its own when it is on no list. As setgroups(2). */
int privilege_groups(const struct privilege_user *w);

/*
 * From here on the process is whoever called it: under sudo, or when the binary is set-uid, that
 * user and that user's groups. No capability is left in any set (of the bounding set, what the
 * kernel lets us drop), and none can come back through execve(2). May be called again.
 * WAVE_ESYS with *d filled in; the process must then not go on.
 */
int privilege_drop(struct diag *d);

#endif
