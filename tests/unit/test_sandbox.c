/* Which system calls the sandbox stops: the process dies of each, and names it first. Each case
 * makes its call in a process of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/sandbox_rig.h"

static void it_can_be_entered_or_says_why_not(void **state)
{
    struct sandbox_told t;
    int status = sandbox_try();

    (void)state;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return;
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSYS);
    assert_int_equal(read(cell.report[0], &t, sizeof t), sizeof t);
    assert_int_equal(t.call, SYS_prctl);
}

static struct sockaddr_in somewhere(void)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int do_socketpair(void)
{
    int s[2];
    return socketpair(AF_UNIX, SOCK_STREAM, 0, s);
}

static int do_connect(void)
{
    struct sockaddr_in to = somewhere();
    return connect(cell.tcp, (struct sockaddr *)&to, sizeof to);
}

static int do_bind(void)
{
    struct sockaddr_in at = somewhere();
    return bind(cell.tcp, (struct sockaddr *)&at, sizeof at);
}

static int do_listen(void)
{
    return listen(cell.tcp, 1);
}

static int do_accept(void)
{
    return accept(cell.tcp, NULL, NULL);
}

static int do_setsockopt(void)
{
    const int one = 1;
    return setsockopt(cell.tcp, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
}

static int do_execve(void)
{
    char *const argv[] = {(char[]){"true"}, NULL};
    return execve("/bin/true", argv, argv + 1);
}

static int do_fork(void)
{
    return fork() > 0;
}

static int do_vfork(void)
{
    pid_t child = vfork();
    if (child == 0)
        _exit(0);
    return child > 0;
}

static int do_ptrace(void)
{
    return (int)ptrace(PTRACE_ATTACH, cell.parent, NULL, NULL);
}

static int do_traceme(void)
{
    return (int)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static int do_vm_readv(void)
{
    char to[8];
    struct iovec here = {to, sizeof to}, there = {to, sizeof to};
    return (int)process_vm_readv(getpid(), &here, 1, &there, 1, 0);
}

static int do_kill(void)
{
    return kill(getpid(), SIGTERM);
}

static int do_tgkill(void)
{
    return (int)syscall(SYS_tgkill, getpid(), (pid_t)syscall(SYS_gettid), SIGTERM);
}

static int do_sigaction(void)
{
    return signal(SIGSYS, SIG_IGN) == SIG_ERR;
}

static int do_setuid(void)
{
    return setuid(getpid() ? 0 : 1);
}

static int do_prctl(void)
{
    return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static int do_chmod(void)
{
    return chmod(cell.path, 0777);
}

static int do_unlink(void)
{
    return unlink(cell.path);
}

static int do_rename(void)
{
    return rename(cell.path, cell.path);
}

static int do_mkdir(void)
{
    return mkdir(cell.path, 0777);
}

static int do_symlink(void)
{
    return symlink(cell.path, cell.path);
}

static int do_ftruncate(void)
{
    return ftruncate(cell.file, 0);
}

static int do_dup(void)
{
    return dup(cell.file);
}

static int do_dupfd(void)
{
    return fcntl(cell.file, F_DUPFD, 0);
}

static int do_setfl(void)
{
    return fcntl(cell.file, F_SETFL, O_NONBLOCK);
}

static int do_pipe(void)
{
    int ends[2];
    return pipe(ends);
}

static int do_eventfd(void)
{
    return eventfd(0, 0);
}

static int do_memfd(void)
{
    return memfd_create("x", 0);
}

static int do_map_code(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == NULL;
}

static int do_make_code(void)
{
    static char page[8192];
    char *aligned = page + (4096 - (uintptr_t)page % 4096) % 4096;
    return mprotect(aligned, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
}

static int do_type(void)
{
    return ioctl(STDIN_FILENO, TIOCSTI, "x");
}

static int do_promisc(void)
{
    char request[64] = "lo";
    return ioctl(cell.tcp, SIOCSIFFLAGS, request);
}

static int do_shut_down(void)
{
    return shutdown(cell.pair[0], SHUT_RDWR);
}

#ifdef SYS_clone3
static int do_clone3(void)
{
    return (int)syscall(SYS_clone3, NULL, 0);
}
#endif

#ifdef SYS_bpf
static int do_bpf(void)
{
    return (int)syscall(SYS_bpf, 0, NULL, 0);
}
#endif

#ifdef SYS_io_uring_setup
static int do_io_uring(void)
{
    return (int)syscall(SYS_io_uring_setup, 1, NULL);
}
#endif

static int do_unshare(void)
{
    return (int)syscall(SYS_unshare, 0);
}

static int do_keyctl(void)
{
    return (int)syscall(SYS_keyctl, 0, 0);
}

static int do_unknown(void)
{
    return (int)syscall(4000);
}

/* Describes a call that is stopped: the process must die of it and name it. `call` is its number,
 * or -1 for any number if libc has several ways to make it. */
struct forbidden {
    int (*body)(void);
    int call;
};

static void the_call_is_stopped(void **state)
{
    const struct forbidden *f = *state;
    struct sandbox_told t;
    struct pollfd fd = {.fd = cell.report[0], .events = POLLIN};

    if (cell.none)
        skip();
    int status = inside(f->body);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSYS);
    assert_int_equal(poll(&fd, 1, 0), 1);
    assert_int_equal(read(cell.report[0], &t, sizeof t), sizeof t);
    if (f->call >= 0)
        assert_int_equal(t.call, f->call);
    assert_int_not_equal(t.arch, 0);
}

static int do_blocked(void)
{
    sigset_t set;

    sigfillset(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return socket(AF_INET, SOCK_STREAM, 0);
}

/* The one way left to keep the handler from being run ends the process all the same. */
static void a_process_that_blocks_the_signal_dies_too(void **state)
{
    struct pollfd fd = {.fd = cell.report[0], .events = POLLIN};

    (void)state;
    if (cell.none)
        skip();
    int status = inside(do_blocked);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSYS);
    assert_int_equal(poll(&fd, 1, 0), 0);
}

#ifdef __x86_64__
static int do_x32(void)
{
    return (int)syscall(0x40000000 | SYS_read, -1, NULL, 0);
}

static void another_architectures_calls_are_no_way_round(void **state)
{
    (void)state;
    if (cell.none)
        skip();
    int status = inside(do_x32);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSYS);
}
#endif

#define STOPPED(name, body, call)                                                                  \
    {                                                                                              \
        name " is stopped", the_call_is_stopped, NULL, NULL, &(struct forbidden)                   \
        {                                                                                          \
            body, call                                                                             \
        }                                                                                          \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_can_be_entered_or_says_why_not),
        STOPPED("socket", do_socket, SYS_socket),
        STOPPED("socketpair", do_socketpair, SYS_socketpair),
        STOPPED("connect", do_connect, SYS_connect),
        STOPPED("bind", do_bind, SYS_bind),
        STOPPED("listen", do_listen, SYS_listen),
        STOPPED("accept", do_accept, -1),
        STOPPED("setsockopt", do_setsockopt, SYS_setsockopt),
        STOPPED("shutdown", do_shut_down, SYS_shutdown),
        STOPPED("execve", do_execve, SYS_execve),
        STOPPED("fork", do_fork, -1),
        STOPPED("vfork", do_vfork, -1),
        STOPPED("ptrace of another", do_ptrace, SYS_ptrace),
        STOPPED("ptrace of itself", do_traceme, SYS_ptrace),
        STOPPED("process_vm_readv", do_vm_readv, SYS_process_vm_readv),
        STOPPED("kill", do_kill, SYS_kill),
        STOPPED("tgkill with SIGTERM", do_tgkill, SYS_tgkill),
        STOPPED("sigaction for SIGSYS", do_sigaction, -1),
        STOPPED("setuid", do_setuid, -1),
        STOPPED("prctl", do_prctl, SYS_prctl),
        STOPPED("chmod", do_chmod, -1),
        STOPPED("unlink", do_unlink, -1),
        STOPPED("rename", do_rename, -1),
        STOPPED("mkdir", do_mkdir, -1),
        STOPPED("symlink", do_symlink, -1),
        STOPPED("ftruncate", do_ftruncate, -1),
        STOPPED("dup", do_dup, -1),
        STOPPED("fcntl to duplicate", do_dupfd, -1),
        STOPPED("fcntl to set flags", do_setfl, -1),
        STOPPED("pipe", do_pipe, -1),
        STOPPED("eventfd", do_eventfd, -1),
        STOPPED("memfd_create", do_memfd, -1),
        STOPPED("mmap of code", do_map_code, -1),
        STOPPED("mprotect to code", do_make_code, SYS_mprotect),
        STOPPED("ioctl to type on a terminal", do_type, SYS_ioctl),
        STOPPED("ioctl to change an interface", do_promisc, SYS_ioctl),
        STOPPED("unshare", do_unshare, SYS_unshare),
        STOPPED("keyctl", do_keyctl, SYS_keyctl),
        STOPPED("a call that does not exist", do_unknown, 4000),
#ifdef SYS_clone3
        STOPPED("clone3", do_clone3, SYS_clone3),
#endif
#ifdef SYS_bpf
        STOPPED("bpf", do_bpf, SYS_bpf),
#endif
#ifdef SYS_io_uring_setup
        STOPPED("io_uring_setup", do_io_uring, SYS_io_uring_setup),
#endif
        cmocka_unit_test(a_process_that_blocks_the_signal_dies_too),
#ifdef __x86_64__
        cmocka_unit_test(another_architectures_calls_are_no_way_round),
#endif
    };
    return cmocka_run_group_tests(tests, sandbox_setup, sandbox_teardown);
}
