#include "tests/unit/sandbox_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/wire/sandbox.h"

struct sandbox_cell cell = {.path = "/tmp/tcpwave-test-XXXXXX"};

static void tell(int call, uint32_t arch)
{
    const struct sandbox_told t = {call, arch};

    if (write(cell.report[1], &t, sizeof t) != sizeof t)
        _exit(99);
}

/* Returns whether the kernel accepts a filter that allows everything. */
static bool kernel_filters(void)
{
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {1, &allow};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

int sandbox_try(void)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        struct diag d = {""};
        if (sandbox_enter(tell, &d) != 0)
            _exit(strstr(d.text, "this build") || !kernel_filters() ? 0 : 1);
        prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
        _exit(2);
    }
    return child > 0 && waitpid(child, &status, 0) == child ? status : -1;
}

int sandbox_setup(void **state)
{
    struct sandbox_told t;
    int status;

    (void)state;
    cell.parent = getpid();
    cell.file = mkstemp(cell.path);
    cell.tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (cell.file < 0 || cell.tcp < 0 || write(cell.file, "content", 7) != 7 ||
        socketpair(AF_UNIX, SOCK_DGRAM, 0, cell.pair) < 0 || pipe(cell.report) < 0)
        return -1;
    status = sandbox_try();
    cell.none = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!WIFSIGNALED(status))
        return 0;
    return read(cell.report[0], &t, sizeof t) == sizeof t ? 0 : -1;
}

int sandbox_teardown(void **state)
{
    (void)state;
    return unlink(cell.path);
}

int inside(int (*body)(void))
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        const struct rlimit no_core = {0, 0};
        struct diag d;
        setrlimit(RLIMIT_CORE, &no_core);
        if (sandbox_enter(tell, &d) != 0)
            _exit(98);
        _exit(body());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

int do_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0);
}
