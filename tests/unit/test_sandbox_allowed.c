/* What a process can do in the sandbox: which calls fail there, and which work. */
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
#include <linux/if_packet.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/sandbox_rig.h"

/*
 * Refused: the call fails, and the process goes on
 */

static int try_files(void)
{
    struct stat st;
    char to[8];

    if (open(cell.path, O_RDONLY) >= 0 || errno != EACCES)
        return 1;
    if (open(cell.path, O_WRONLY) >= 0 || errno != EACCES)
        return 2;
    if (openat(AT_FDCWD, "/tmp/tcpwave-never", O_WRONLY | O_CREAT, 0600) >= 0 || errno != EACCES)
        return 3;
    if (fopen("/etc/passwd", "r") || errno != EACCES)
        return 4;
    if (stat(cell.path, &st) == 0 || errno != EACCES)
        return 5;
    if (access(cell.path, R_OK) == 0 || errno != EACCES)
        return 6;
    if (readlink("/proc/self/exe", to, sizeof to) >= 0 || errno != EACCES)
        return 7;
    return 0;
}

static void no_file_can_be_opened(void **state)
{
    (void)state;
    if (cell.none)
        skip();
    assert_int_equal(inside(try_files), 0);
    assert_int_equal(access("/tmp/tcpwave-never", F_OK), -1);
}

static int try_known(void)
{
    struct tpacket_req none_at_all = {0};

    if (setsockopt(cell.tcp, SOL_PACKET, PACKET_RX_RING, &none_at_all, sizeof none_at_all) == 0 ||
        errno != EPERM)
        return 1;
    if (prctl(0x53564d41, 0, 0, 0, 0) == 0 || errno != EINVAL) /* PR_SET_VMA */
        return 2;
    return 0;
}

static void what_libraries_do_without_is_only_refused(void **state)
{
    (void)state;
    if (cell.none)
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
    FILE *stream = fdopen(cell.file, "r+");

    if (!stream || lseek(cell.file, 0, SEEK_SET) != 0 || read(cell.file, to, 7) != 7 ||
        memcmp(to, "content", 7))
        return 1;
    if (pread(cell.file, to, 4, 3) != 4 || readv(cell.file, &part, 1) != 0 ||
        fstat(cell.file, &st) != 0)
        return 2;
    if (fseek(stream, 0, SEEK_SET) != 0 || fputs("content", stream) < 0 || fflush(stream) != 0)
        return 3;
    if (writev(cell.file, &part, 0) != 0 || isatty(cell.file) ||
        ioctl(cell.file, TIOCGWINSZ, &size) == 0)
        return 4;
    return fclose(stream) == 0 && close(cell.tcp) == 0 ? 0 : 5;
}

static int use_sockets(void)
{
    struct iovec part = {(char[]){"x"}, 1};
    struct mmsghdr m = {.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}};
    struct pollfd fd = {.fd = cell.pair[1], .events = POLLIN};
    struct timespec at_once = {0, 0};
    char to[4];
    int error;
    socklen_t len = sizeof error;

    if (sendmmsg(cell.pair[0], &m, 1, MSG_DONTWAIT) != 1 || poll(&fd, 1, 0) != 1)
        return 1;
    if (recv(cell.pair[1], to, sizeof to, 0) != 1 || ppoll(&fd, 1, &at_once, NULL) != 0)
        return 2;
    if (send(cell.pair[0], "y", 1, 0) != 1 || sendmsg(cell.pair[0], &m.msg_hdr, 0) != 1)
        return 3;
    if (recvmsg(cell.pair[1], &m.msg_hdr, MSG_DONTWAIT) != 1)
        return 4;
    return getsockopt(cell.pair[0], SOL_SOCKET, SO_ERROR, &error, &len);
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
    localtime_r(&now, &tm); /* of UTC, since there is no cell.file to say otherwise */
    sigemptyset(&set);
    return sigprocmask(SIG_SETMASK, &set, NULL);
}

struct allowed {
    int (*body)(void);
};

static void the_calls_are_allowed(void **state)
{
    const struct allowed *a = *state;

    if (cell.none)
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
    if (cell.none)
        skip();
    int status = inside(use_exit);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    status = inside(use_abort);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    status = inside(use_assert);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
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
        cmocka_unit_test(no_file_can_be_opened),
        cmocka_unit_test(what_libraries_do_without_is_only_refused),
        ALLOWED("descriptors can be read, written and asked", use_descriptors),
        ALLOWED("messages can be sent and received", use_sockets),
        ALLOWED("memory can be had and given back", use_memory),
        ALLOWED("there is time and chance", use_time),
        ALLOWED("libc works", use_libc),
        cmocka_unit_test(it_can_end_by_itself),
    };
    return cmocka_run_group_tests(tests, sandbox_setup, sandbox_teardown);
}
