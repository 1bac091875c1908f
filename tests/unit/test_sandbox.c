/* Tests the sandbox from inside: each case is a process of its own, which enters it and makes a
 * call. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmd/enter_sandbox.h"
#include "lib/wire/sandbox.h"

static char path[] = "/tmp/tcpwave-test-XXXXXX";
static int file;    /* open for reading and writing, at `path` */
static int pair[2]; /* datagram sockets, connected to each other */
static int tcp;     /* a socket that is not connected */
static pid_t parent;

/* What the process has written to a pipe. */
static int report[2];
struct told {
    int call;
    uint32_t arch;
};

static void tell(int call, uint32_t arch)
{
    const struct told t = {call, arch};

    if (write(report[1], &t, sizeof t) != sizeof t)
        _exit(99);
}

static int setup(void **state)
{
    (void)state;
    parent = getpid();
    file = mkstemp(path);
    tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return file < 0 || tcp < 0 || write(file, "content", 7) != 7 ||
                   socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) < 0 || pipe(report) < 0
               ? -1
               : 0;
}

static int teardown(void **state)
{
    (void)state;
    return unlink(path);
}

/* Enters the sandbox, makes the call in it, and ends as wait(2) says. */
static int inside(int (*body)(void))
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

static bool none; /* there is no sandbox here: an old kernel, a container, sanitizers */

/* Returns whether the kernel accepts a filter that allows everything. */
static bool kernel_filters(void)
{
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {1, &allow};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void it_can_be_entered_or_says_why_not(void **state)
{
    int status;
    pid_t child = fork();

    (void)state;
    if (child == 0) {
        struct diag d = {""};
        if (sandbox_enter(tell, &d) != 0)
            _exit(strstr(d.text, "this build") || !kernel_filters() ? 0 : 1);
        prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
        _exit(2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    none = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (none)
        return;
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSYS);
    struct told t;
    assert_int_equal(read(report[0], &t, sizeof t), sizeof t);
    assert_int_equal(t.call, SYS_prctl);
}

/*
 * Stopped
 */

static struct sockaddr_in somewhere(void)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int do_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0);
}

static int do_socketpair(void)
{
    int s[2];
    return socketpair(AF_UNIX, SOCK_STREAM, 0, s);
}

static int do_connect(void)
{
    struct sockaddr_in to = somewhere();
    return connect(tcp, (struct sockaddr *)&to, sizeof to);
}

static int do_bind(void)
{
    struct sockaddr_in at = somewhere();
    return bind(tcp, (struct sockaddr *)&at, sizeof at);
}

static int do_listen(void)
{
    return listen(tcp, 1);
}

static int do_accept(void)
{
    return accept(tcp, NULL, NULL);
}

static int do_setsockopt(void)
{
    const int one = 1;
    return setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
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
    return (int)ptrace(PTRACE_ATTACH, parent, NULL, NULL);
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
    return chmod(path, 0777);
}

static int do_unlink(void)
{
    return unlink(path);
}

static int do_rename(void)
{
    return rename(path, path);
}

static int do_mkdir(void)
{
    return mkdir(path, 0777);
}

static int do_symlink(void)
{
    return symlink(path, path);
}

static int do_ftruncate(void)
{
    return ftruncate(file, 0);
}

static int do_dup(void)
{
    return dup(file);
}

static int do_dupfd(void)
{
    return fcntl(file, F_DUPFD, 0);
}

static int do_setfl(void)
{
    return fcntl(file, F_SETFL, O_NONBLOCK);
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
    return ioctl(tcp, SIOCSIFFLAGS, request);
}

static int do_shut_down(void)
{
    return shutdown(pair[0], SHUT_RDWR);
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
    struct told t;
    struct pollfd fd = {.fd = report[0], .events = POLLIN};

    if (none)
        skip();
    int status = inside(f->body);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSYS);
    assert_int_equal(poll(&fd, 1, 0), 1);
    assert_int_equal(read(report[0], &t, sizeof t), sizeof t);
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
static void who_blocks_the_signal_dies_too(void **state)
{
    struct pollfd fd = {.fd = report[0], .events = POLLIN};

    (void)state;
    if (none)
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
    if (none)
        skip();
    int status = inside(do_x32);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSYS);
}
#endif

/*
 * Calls that are stopped
 */

static int try_files(void)
{
    struct stat st;
    char to[8];

    if (open(path, O_RDONLY) >= 0 || errno != EACCES)
        return 1;
    if (open(path, O_WRONLY) >= 0 || errno != EACCES)
        return 2;
    if (openat(AT_FDCWD, "/tmp/tcpwave-never", O_WRONLY | O_CREAT, 0600) >= 0 || errno != EACCES)
        return 3;
    if (fopen("/etc/passwd", "r") || errno != EACCES)
        return 4;
    if (stat(path, &st) == 0 || errno != EACCES)
        return 5;
    if (access(path, R_OK) == 0 || errno != EACCES)
        return 6;
    if (readlink("/proc/self/exe", to, sizeof to) >= 0 || errno != EACCES)
        return 7;
    return 0;
}

static void files_cannot_be_opened_whatever_for(void **state)
{
    (void)state;
    if (none)
        skip();
    assert_int_equal(inside(try_files), 0);
    assert_int_equal(access("/tmp/tcpwave-never", F_OK), -1);
}

static int try_known(void)
{
    struct tpacket_req none_at_all = {0};

    if (setsockopt(tcp, SOL_PACKET, PACKET_RX_RING, &none_at_all, sizeof none_at_all) == 0 ||
        errno != EPERM)
        return 1;
    if (prctl(0x53564d41, 0, 0, 0, 0) == 0 || errno != EINVAL) /* PR_SET_VMA */
        return 2;
    return 0;
}

static void what_libraries_do_without_is_only_refused(void **state)
{
    (void)state;
    if (none)
        skip();
    assert_int_equal(inside(try_known), 0);
}

/*
 * Allowed
 */

static int use_descriptors(void)
{
    char to[16];
    struct stat st;
    struct iovec part = {to, 4};
    struct winsize size;
    FILE *stream = fdopen(file, "r+");

    if (!stream || lseek(file, 0, SEEK_SET) != 0 || read(file, to, 7) != 7 ||
        memcmp(to, "content", 7))
        return 1;
    if (pread(file, to, 4, 3) != 4 || readv(file, &part, 1) != 0 || fstat(file, &st) != 0)
        return 2;
    if (fseek(stream, 0, SEEK_SET) != 0 || fputs("content", stream) < 0 || fflush(stream) != 0)
        return 3;
    if (writev(file, &part, 0) != 0 || isatty(file) || ioctl(file, TIOCGWINSZ, &size) == 0)
        return 4;
    return fclose(stream) == 0 && close(tcp) == 0 ? 0 : 5;
}

static int use_sockets(void)
{
    struct iovec part = {(char[]){"x"}, 1};
    struct mmsghdr m = {.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}};
    struct pollfd fd = {.fd = pair[1], .events = POLLIN};
    struct timespec at_once = {0, 0};
    char to[4];
    int error;
    socklen_t len = sizeof error;

    if (sendmmsg(pair[0], &m, 1, MSG_DONTWAIT) != 1 || poll(&fd, 1, 0) != 1)
        return 1;
    if (recv(pair[1], to, sizeof to, 0) != 1 || ppoll(&fd, 1, &at_once, NULL) != 0)
        return 2;
    if (send(pair[0], "y", 1, 0) != 1 || sendmsg(pair[0], &m.msg_hdr, 0) != 1)
        return 3;
    if (recvmsg(pair[1], &m.msg_hdr, MSG_DONTWAIT) != 1)
        return 4;
    return getsockopt(pair[0], SOL_SOCKET, SO_ERROR, &error, &len);
}

static int use_memory(void)
{
    enum { LARGE = 64 << 20 };
    char *p = malloc(LARGE);
    int round = 0;

    if (!p)
        return 1;
    memset(p, 1, LARGE);
    p = realloc(p, 2 * LARGE);
    if (!p)
        return 2;
    free(p);
    for (; round < 1000; round++) { /* the heap grows, and is given back */
        p = malloc(100000);
        if (!p)
            return 3;
        memset(p, 1, 100000);
    }
    free(p);
    return 0;
}

static int use_time(void)
{
    struct timespec t = {0, 1};
    struct timeval tv;
    char bytes[16];

    /* As a kernel or a libc without the vDSO has it. */
    if (syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t) < 0 ||
        syscall(SYS_gettimeofday, &tv, NULL) < 0)
        return 1;
    t = (struct timespec){0, 1};
    if (nanosleep(&t, NULL) < 0)
        return 2;
    return getrandom(bytes, sizeof bytes, 0) == sizeof bytes ? 0 : 3;
}

static int compare(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static int use_libc(void)
{
    static int many[4096];
    char text[64];
    time_t now = time(NULL);
    struct tm tm;
    sigset_t set;

    qsort(many, sizeof many / sizeof *many, sizeof *many, compare);
    snprintf(text, sizeof text, "%f %s", 0.1, strerror(ENOENT));
    localtime_r(&now, &tm); /* of UTC, since there is no file to say otherwise */
    sigemptyset(&set);
    return sigprocmask(SIG_SETMASK, &set, NULL);
}

struct allowed {
    int (*body)(void);
};

static void the_calls_are_allowed(void **state)
{
    const struct allowed *a = *state;

    if (none)
        skip();
    assert_int_equal(inside(a->body), 0);
}

static int use_exit(void)
{
    exit(7);
}

static int use_abort(void)
{
    abort();
}

static int use_assert(void)
{
    int null = STDERR_FILENO;

    close(null);
    assert(null == 0);
    return 0;
}

static void it_can_end_by_itself(void **state)
{
    (void)state;
    if (none)
        skip();
    int status = inside(use_exit);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    status = inside(use_abort);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    status = inside(use_assert);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

/* As a command has it: the line that a user can report. */
static void the_stopped_call_is_told_on_standard_error(void **state)
{
    const struct show_options o = {.verbose = 0};
    char text[512] = "", number[64];
    int status, ends[2];

    (void)state;
    if (none)
        skip();
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        enter_sandbox(&o);
        _exit(do_socket());
    }
    close(ends[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSYS);
    assert_true(read(ends[0], text, sizeof text - 1) > 0);
    snprintf(number, sizeof number, "the sandbox stopped system call %d (architecture 0x",
             (int)SYS_socket);
    assert_non_null(strstr(text, number));
    assert_string_equal(strchr(text, '\n'), "\n");
    close(ends[0]);
}

static void without_a_sandbox_every_call_may_be_made(void **state)
{
    const struct show_options o = {.no_sandbox = true};
    int status;
    pid_t child = fork();

    (void)state;
    if (child == 0) {
        enter_sandbox(&o);
        _exit(do_socket() < 0 ? 1 : 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Opens descriptors before and after enter_sandbox_begin(), which runs under the limit `max`. */
static int close_what_was_left_open(rlim_t max)
{
    enum { MANY = 400 };
    const struct show_options o = {.no_sandbox = true};
    struct rlimit limit;
    int left[MANY];

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 1;
    for (int i = 0; i < MANY; i++)
        if ((left[i] = dup(file)) < 0)
            return 2;
    const struct rlimit less = {max ? max : limit.rlim_cur, limit.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &less) != 0)
        return 3;
    enter_sandbox_begin();
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 4;
    int ours = dup(STDERR_FILENO);
    enter_sandbox(&o);
    for (int i = 0; i < MANY; i++)
        if (fcntl(left[i], F_GETFD) >= 0 || errno != EBADF)
            return 5;
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            return 6;
    return fcntl(ours, F_GETFD) < 0 ? 7 : 0;
}

/* The second time with no descriptor to spare, so that /proc cannot be read. */
static void what_was_left_open_is_closed_however_much_it_is(void **state)
{
    (void)state;
    for (rlim_t max = 0; max <= 3; max += 3) {
        int status;
        pid_t child = fork();

        if (child == 0)
            _exit(close_what_was_left_open(max));
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

#define STOPPED(name, body, call)                                                                  \
    {                                                                                              \
        name " is stopped", the_call_is_stopped, NULL, NULL, &(struct forbidden)                   \
        {                                                                                          \
            body, call                                                                             \
        }                                                                                          \
    }
#define ALLOWED(name, body)                                                                        \
    {                                                                                              \
        name, the_calls_are_allowed, NULL, NULL, &(struct allowed)                                 \
        {                                                                                          \
            body                                                                                   \
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
        STOPPED("a call that nobody knows", do_unknown, 4000),
#ifdef SYS_clone3
        STOPPED("clone3", do_clone3, SYS_clone3),
#endif
#ifdef SYS_bpf
        STOPPED("bpf", do_bpf, SYS_bpf),
#endif
#ifdef SYS_io_uring_setup
        STOPPED("io_uring_setup", do_io_uring, SYS_io_uring_setup),
#endif
        cmocka_unit_test(who_blocks_the_signal_dies_too),
#ifdef __x86_64__
        cmocka_unit_test(another_architectures_calls_are_no_way_round),
#endif
        cmocka_unit_test(files_cannot_be_opened_whatever_for),
        cmocka_unit_test(what_libraries_do_without_is_only_refused),
        ALLOWED("descriptors can be read, written and asked", use_descriptors),
        ALLOWED("messages can be sent and received", use_sockets),
        ALLOWED("memory can be had and given back", use_memory),
        ALLOWED("there is time and chance", use_time),
        ALLOWED("libc works", use_libc),
        cmocka_unit_test(it_can_end_by_itself),
        cmocka_unit_test(the_stopped_call_is_told_on_standard_error),
        cmocka_unit_test(without_a_sandbox_every_call_may_be_made),
        cmocka_unit_test(what_was_left_open_is_closed_however_much_it_is),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
