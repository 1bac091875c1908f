/*
 * Builds the seccomp filter from lists of system calls.
 *
 * The default action is SCMP_ACT_TRAP and not SCMP_ACT_KILL_PROCESS. With both, the call is not
 * carried out and the process dies. But a kernel that kills writes the reason only to its log,
 * which users cannot read and containers do not have. The handler cannot be circumvented: SIGSYS
 * gets its default action back as soon as it arrives, rt_sigaction(2) is not allowed for it, and
 * where it is blocked the kernel kills the process.
 *
 * Calls on files fail with an error instead, since libc and libpcap look for files at unexpected
 * times (a locale, /dev/tty when the heap is found to be corrupt, a counter below /sys) and do
 * without them.
 *
 * Calls are listed by name. The lists include those of other architectures and libcs: 64-bit times,
 * stat in all its forms, sendmsg(2) where there is no sendmmsg(2). A name that this libseccomp or
 * this architecture does not have is skipped.
 */
#include "lib/wire/sandbox.h"

#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/prctl.h>
#include <linux/sockios.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/core/diag.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41 /* Linux 5.17 */
#endif

#define SIZE(array) (sizeof(array) / sizeof *(array))

static const char *const allowed[] = {
    /* Descriptors that are already open. */
    "read", "readv", "pread64", "write", "writev", "pwrite64", "lseek", "_llseek", "close", "fstat",
    "fstat64", "poll", "ppoll", "ppoll_time64",
    /* Sending segments; asking the kernel, and receiving its answers. */
    "sendmmsg", "sendmsg", "sendto", "recvmsg", "recvfrom", "getsockopt", "getsockname",
    /* Memory. */
    "brk", "munmap", "mremap", "madvise",
    /* Time and random numbers. */
    "clock_gettime", "clock_gettime64", "gettimeofday", "time", "clock_getres",
    "clock_getres_time64", "nanosleep", "clock_nanosleep", "clock_nanosleep_time64", "getrandom",
    /* Calls that libc makes for itself; sysinfo(2) is called by qsort(3) in glibc before 2.37. */
    "futex", "futex_time64", "rseq", "rt_sigprocmask", "rt_sigreturn", "sigreturn",
    "restart_syscall", "getpid", "gettid", "sysinfo", "exit", "exit_group"};

/* clang-format off */
/* Calls that are allowed for one value of their first or second argument. The kernel uses 32 bits
 * of it. */
static const struct {
    const char *name;
    unsigned arg;
    uint32_t value;
} limited[] = {
    {"ioctl", 1, TCGETS},
#ifdef TCGETS2
    {"ioctl", 1, TCGETS2},
#endif
    {"ioctl", 1, TIOCGWINSZ},
    {"ioctl", 1, SIOCGIFFLAGS}, /* libpcap, when an interface is removed */
    {"ioctl", 1, SIOCGIFINDEX},
    {"ioctl", 1, SIOCGIFNAME},
    {"fcntl", 1, F_GETFD},
    {"fcntl", 1, F_GETFL},
    {"fcntl64", 1, F_GETFD},
    {"fcntl64", 1, F_GETFL},
    {"rt_sigaction", 0, SIGABRT}, /* abort(3) */
};
/* clang-format on */

/* Calls that name a file. */
static const char *const no_files[] = {
    "open", "openat", "openat2", "creat",   "access", "faccessat", "faccessat2", "readlink",
    "stat", "lstat",  "stat64",  "lstat64", "statfs", "statfs64",  "readlinkat"};

#define INT(arg, value) SCMP_CMP((arg), SCMP_CMP_MASKED_EQ, UINT32_MAX, (uint32_t)(value))
#define BITS(arg, mask, value) SCMP_CMP((arg), SCMP_CMP_MASKED_EQ, (mask), (value))

/* Adds one rule. A call that does not exist here is no error. */
static int add(scmp_filter_ctx f, uint32_t action, const char *name, unsigned n,
               const struct scmp_arg_cmp *args)
{
    int call = seccomp_syscall_resolve_name(name);

    if (call == __NR_SCMP_ERROR)
        return 0;
    int error = seccomp_rule_add_array(f, action, call, n, args);
    return error == -EDOM ? 0 : error;
}

/* Adds the rules that need more than one value of one argument. */
static int add_special(scmp_filter_ctx f)
{
    const struct scmp_arg_cmp no_exec[] = {BITS(2, PROT_EXEC, 0)};
    const struct scmp_arg_cmp by_number[] = {BITS(3, AT_EMPTY_PATH, AT_EMPTY_PATH)};
    const struct scmp_arg_cmp by_path[] = {BITS(3, AT_EMPTY_PATH, 0)};
    const struct scmp_arg_cmp statx_by_number[] = {BITS(2, AT_EMPTY_PATH, AT_EMPTY_PATH)};
    const struct scmp_arg_cmp statx_by_path[] = {BITS(2, AT_EMPTY_PATH, 0)};
    const struct scmp_arg_cmp naming[] = {INT(0, PR_SET_VMA)};
    const struct scmp_arg_cmp outgoing[] = {INT(1, SOL_PACKET), INT(2, PACKET_IGNORE_OUTGOING)};
    const struct scmp_arg_cmp ring[] = {INT(1, SOL_PACKET), INT(2, PACKET_RX_RING)};
    static const int ends[] = {SIGABRT, SIGSYS};
    int error = 0;

    for (size_t i = 0; i < SIZE(ends) && !error; i++) {
        const struct scmp_arg_cmp process[] = {INT(0, getpid()), INT(2, ends[i])};
        const struct scmp_arg_cmp thread[] = {INT(0, syscall(SYS_gettid)), INT(1, ends[i])};
        error = add(f, SCMP_ACT_ALLOW, "tgkill", 2, process);
        if (!error)
            error = add(f, SCMP_ACT_ALLOW, "tkill", 2, thread);
    }
    const struct {
        const char *name;
        const struct scmp_arg_cmp *args;
        uint32_t action;
        unsigned n;
    } special[] = {
        {"mmap", no_exec, SCMP_ACT_ALLOW, 1},
        {"mmap2", no_exec, SCMP_ACT_ALLOW, 1},
        {"mprotect", no_exec, SCMP_ACT_ALLOW, 1},
        {"newfstatat", by_number, SCMP_ACT_ALLOW, 1},
        {"fstatat64", by_number, SCMP_ACT_ALLOW, 1},
        {"statx", statx_by_number, SCMP_ACT_ALLOW, 1},
        {"newfstatat", by_path, SCMP_ACT_ERRNO(EACCES), 1},
        {"fstatat64", by_path, SCMP_ACT_ERRNO(EACCES), 1},
        {"statx", statx_by_path, SCMP_ACT_ERRNO(EACCES), 1},
        /* glibc names its memory where a tunable asks for it; it does not need to succeed. */
        {"prctl", naming, SCMP_ACT_ERRNO(EINVAL), 1},
        /* libpcap removes its ring before it closes the socket, but closing removes the ring as
         * well. The kernel's code behind this option has been a way to root more than once, so it
         * stays closed. */
        /* Whether the capture sees our own SYNs. */
        {"setsockopt", outgoing, SCMP_ACT_ALLOW, 2},
        {"setsockopt", ring, SCMP_ACT_ERRNO(EPERM), 2},
    };
    for (size_t i = 0; i < SIZE(special) && !error; i++)
        error = add(f, special[i].action, special[i].name, special[i].n, special[i].args);
    return error;
}

static int add_all(scmp_filter_ctx f)
{
    int error = 0;

    for (size_t i = 0; i < SIZE(allowed) && !error; i++)
        error = add(f, SCMP_ACT_ALLOW, allowed[i], 0, NULL);
    for (size_t i = 0; i < SIZE(limited) && !error; i++) {
        const struct scmp_arg_cmp is[] = {INT(limited[i].arg, limited[i].value)};
        error = add(f, SCMP_ACT_ALLOW, limited[i].name, 1, is);
    }
    for (size_t i = 0; i < SIZE(no_files) && !error; i++)
        error = add(f, SCMP_ACT_ERRNO(EACCES), no_files[i], 0, NULL);
    return error ? error : add_special(f);
}

static sandbox_stopped *told;

/* Handles SIGSYS. The signal's default action is already restored when this runs. The first process
 * of a PID namespace does not die of a signal that it sends to itself, so _exit() follows. */
static void stopped(int sig, siginfo_t *info, void *context)
{
    (void)context;
    told(info->si_syscall, info->si_arch);
    raise(sig);
    _exit(128 + sig);
}

static int handle(sandbox_stopped *tell, struct sigaction *before)
{
    struct sigaction action = {.sa_sigaction = stopped,
                               .sa_flags = SA_SIGINFO | SA_RESETHAND | SA_NODEFER};

    told = tell;
    sigemptyset(&action.sa_mask);
    return sigaction(SIGSYS, &action, before) < 0 ? -errno : 0;
}

/* The runtimes of sanitizers and of coverage open files, map code and create processes when they
 * report. configure defines WAVE_SANITIZERS for the sanitizers that it was asked for; the symbols
 * below belong to code that the compiler inserts. */
/* NOLINTBEGIN(clang-diagnostic-reserved-identifier): the names are the runtimes' own */
extern void __gcov_exit(void) __attribute__((weak));
extern int __llvm_profile_runtime __attribute__((weak));
/* NOLINTEND(clang-diagnostic-reserved-identifier) */

static bool instrumented(void)
{
#if defined WAVE_SANITIZERS || defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
    return true;
#else
    return __gcov_exit || &__llvm_profile_runtime;
#endif
}

static int load(scmp_filter_ctx f, sandbox_stopped *tell)
{
    struct sigaction before;
    int error = add_all(f);

    if (error)
        return error;
    /* Kernels before 5.16 slow filtered processes down, to protect those that run untrusted code.
     * We run none, and say so. The oldest kernels do not know this attribute, and that is no
     * error. */
    seccomp_attr_set(f, SCMP_FLTATR_CTL_SSB, 1);
    error = handle(tell, &before);
    if (error)
        return error;
    error = seccomp_load(f);
    if (error)
        sigaction(SIGSYS, &before, NULL);
    return error;
}

int sandbox_enter(sandbox_stopped *tell, struct diag *d)
{
    if (instrumented())
        return diag_fail(d, WAVE_ESYS, "this build has sanitizers or counts coverage");
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_TRAP);
    if (!f)
        return diag_fail(d, WAVE_ESYS, "this kernel has no seccomp filters, or memory is out");
    int error = load(f, tell);
    seccomp_release(f);
    if (error)
        return diag_fail(d, WAVE_ESYS, "the kernel takes no seccomp filter: %s", strerror(-error));
    return 0;
}
