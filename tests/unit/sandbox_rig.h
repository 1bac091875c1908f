/* What the tests of the sandbox share: each makes calls in a process of its own, which has entered
 * the sandbox. */
#ifndef TCPWAVE_TESTS_UNIT_SANDBOX_RIG_H
#define TCPWAVE_TESTS_UNIT_SANDBOX_RIG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What there is to make calls with. The sandboxed processes inherit it. */
struct sandbox_cell {
    char path[32];
    int file;    /* open for reading and writing, at `path`; it holds "content" */
    int pair[2]; /* datagram sockets, connected to each other */
    int tcp;     /* a socket that is not connected */
    pid_t parent;
    int report[2]; /* a pipe, to which a process that is stopped writes a struct sandbox_told */
    bool none;     /* there is no sandbox here: an old kernel, a container, sanitizers */
};
extern struct sandbox_cell cell;

/* The call that a process was stopped for. */
struct sandbox_told {
    int call;
    uint32_t arch;
};

/* Group fixtures. */
int sandbox_setup(void **state);
int sandbox_teardown(void **state);

/* Enters the sandbox in a process of its own, which then makes a call that is stopped. Returns what
 * wait(2) says of that process. It ends by itself where there is no sandbox: with 0 for a reason
 * that is known (the build, or the kernel), and with 1 for another one. */
int sandbox_try(void);

/* Enters the sandbox, makes the call in it, and ends as wait(2) says. */
int inside(int (*body)(void));

/* Makes a socket: a call that is stopped. */
int do_socket(void);

#endif
