/*
 * Gives up all privileges for good. privilege_drop() empties the bounding set where it may, becomes
 * the user who called, clears every capability set, and sets no_new_privs. The order matters: each
 * step needs a privilege that a later step takes away.
 */
#include "lib/io/privilege.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lib/core/diag.h"

/* Reads a number that sudo left in the environment. We believe the environment only when root
 * called, since root may become any user anyway. */
static bool environment_id(const char *name, uint32_t *out)
{
    const char *text = getenv(name);
    char *end;
    if (!text || *text < '0' || *text > '9')
        return false;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno || *end || value >= UINT32_MAX)
        return false;
    *out = (uint32_t)value;
    return true;
}

struct privilege_user privilege_caller(void)
{
    struct privilege_user w = {getuid(), getgid()};
    uint32_t uid, gid;
    if (w.uid == 0 && environment_id("SUDO_UID", &uid) && environment_id("SUDO_GID", &gid))
        w = (struct privilege_user){uid, gid};
    return w;
}

int privilege_groups(const struct privilege_user *w)
{
    const struct passwd *p = getpwuid(w->uid);
    return p ? initgroups(p->pw_name, w->gid) : setgroups(1, &w->gid);
}

/* Takes the user, the group and the supplementary groups of the caller. */
static int become(const struct privilege_user *w, struct diag *d)
{
    if (geteuid() == w->uid && getuid() == w->uid)
        return 0;
    /* Only root may set groups; a set-user-ID binary of another user never had other groups than
     * the caller's. In a user namespace the groups or the user may not exist (EPERM, EINVAL). Root
     * of that namespace is the caller already, and only the capabilities remain to be given up. */
    if (geteuid() == 0 && privilege_groups(w) < 0 && errno != EPERM && errno != EINVAL)
        return diag_fail(d, WAVE_ESYS, "cannot take the groups of user %u: %s", w->uid,
                         strerror(errno));
    if ((setresgid(w->gid, w->gid, w->gid) < 0 || setresuid(w->uid, w->uid, w->uid) < 0) &&
        errno != EINVAL)
        return diag_fail(d, WAVE_ESYS, "cannot give up root and become user %u: %s", w->uid,
                         strerror(errno));
    return 0;
}

int privilege_drop(struct diag *d)
{
    struct privilege_user w = privilege_caller();

    /* The bounding set comes first, because dropping from it takes CAP_SETPCAP, which goes with the
     * other capabilities. A binary that has only cap_net_raw lacks CAP_SETPCAP; there no_new_privs
     * has the same effect. */
    capng_get_caps_process();
    if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP)) {
        capng_clear(CAPNG_SELECT_BOUNDS);
        capng_apply(CAPNG_SELECT_BOUNDS);
    }
    int error = become(&w, d);
    if (error)
        return error;
    capng_get_caps_process();
    capng_clear(CAPNG_SELECT_CAPS);
    int failed = capng_apply(CAPNG_SELECT_CAPS);
    if (failed)
        return diag_fail(d, WAVE_ESYS, "cannot drop the capabilities (libcap-ng error %d)", failed);
    capng_clear(CAPNG_SELECT_AMBIENT);
    capng_apply(CAPNG_SELECT_AMBIENT); /* it is empty already, since the permitted set bounds it */
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return diag_fail(d, WAVE_ESYS, "cannot set no_new_privs: %s", strerror(errno));
    if (capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE)
        return diag_fail(d, WAVE_ESYS, "the capabilities are still there after they were dropped");
    return 0;
}
