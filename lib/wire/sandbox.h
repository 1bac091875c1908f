/*
 * What a process may still ask the kernel for once all is open: a seccomp filter, which holds until
 * the process ends.
 *
 *     allowed     reading, writing and waiting on descriptors that are open; segments and questions
 *                 to the kernel over sockets that exist; memory that cannot be executed; the clock,
 *                 random bytes, and an end
 *     refused     with an error, as if it were not permitted or not known: files, whatever for, and
 *                 the few calls that libraries are known to make and to do without
 *     stopped     all else: the process dies of SIGSYS, and says of which call
 *
 * No socket, no descriptor of any kind is opened; nothing is connected, bound or accepted, no
 * program run, no process made, traced or signalled, no option of a socket set.
 */
#ifndef TCPWAVE_WIRE_SANDBOX_H
#define TCPWAVE_WIRE_SANDBOX_H

#include <stdint.h>

#include "lib/core/err.h"

/* Told of the call that was stopped: its number, and whose number that is (AUDIT_ARCH_... of
 * <linux/audit.h>). It runs in a signal handler, and the process dies when it returns. */
typedef void sandbox_stopped(int call, uint32_t arch);

/*
 * Puts the filter in force. Everything is open by then, and the privileges are dropped
 * (privilege_drop(): the filter takes no_new_privs, and sets it where it is missing). SIGSYS is
 * handled from then on. May be called again, to no further effect than one more filter.
 *
 * WAVE_ESYS, with *d filled in, when there is none: a kernel without seccomp, a container that
 * forbids it, or a build whose own instruments (sanitizers, coverage) need more than is allowed.
 * The process can go on as it is then.
 */
int sandbox_enter(sandbox_stopped *tell, struct diag *d);

#endif
