/*
 * Limits what the process may ask of the kernel once everything is open: a seccomp filter, which
 * holds until the process ends.
 *
 *     allowed     reading, writing and waiting on descriptors that are open; sending segments and
 *                 asking the kernel over sockets that exist; memory that is not executable; the
 *                 clock, random bytes, and the end of the process
 *     denied      with an error, as if it were not permitted or not known: every call that names a
 *                 file, and the few calls that libraries make and can do without
 *     stopped     all else: the process dies of SIGSYS, and names the call
 *
 * So no socket and no other descriptor can be opened. Nothing can be connected, bound or accepted.
 * No program can be run. No process can be created, traced or signalled. No socket option can be
 * set.
 */
#ifndef TCPWAVE_WIRE_SANDBOX_H
#define TCPWAVE_WIRE_SANDBOX_H

#include <stdint.h>

#include "lib/core/err.h"

/* This function is called with the number of the call that was stopped, and the architecture of
 * that number (AUDIT_ARCH_... of <linux/audit.h>). It runs in a signal handler; when it returns,
 * the process dies. */
typedef void sandbox_stopped(int call, uint32_t arch);

/*
 * Puts the filter in force. Call it when everything is open and the privileges are dropped (see
 * privilege_drop(); the filter needs no_new_privs, and sets it where it is missing). From then on
 * SIGSYS is handled. A second call only adds one more filter.
 *
 * Returns 0, or WAVE_ESYS with *d filled in when there can be no filter: a kernel without seccomp,
 * a container that forbids it, or a build whose instrumentation (sanitizers, coverage) needs more
 * than is allowed. The process can then go on without it.
 */
int sandbox_enter(sandbox_stopped *tell, struct diag *d);

#endif
