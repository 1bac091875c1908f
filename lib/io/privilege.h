/*
 * Giving up privileges for the rest of the process's life.
 */
#ifndef TCPWAVE_IO_PRIVILEGE_H
#define TCPWAVE_IO_PRIVILEGE_H

#include <sys/types.h>

#include "lib/core/err.h"

/* Names the user who called: under sudo, or in a set-user-ID binary, the user behind it; otherwise
 * the user that the process runs as. */
struct privilege_user {
    uid_t uid;
    gid_t gid;
};
/* Returns that user, from SUDO_UID and SUDO_GID or from the real ids. It cannot fail. */
struct privilege_user privilege_caller(void);

/* Takes the groups of user `w`, or only its own group when the user is not in the password
 * database. Returns 0, or -1 with errno set, like setgroups(2). */
int privilege_groups(const struct privilege_user *w);

/*
 * Makes the process run as the user who called, with that user's groups; under sudo, or in a
 * set-user-ID binary, that is not root. No capability remains in any set (except those in the
 * bounding set that the kernel does not let us drop), and none can come back through execve(2). It
 * may be called several times. Returns 0, or WAVE_ESYS with *d filled in; the process must then not
 * go on.
 */
int privilege_drop(struct diag *d);

#endif
