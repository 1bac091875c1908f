/*
 * Causes faults of a host on purpose. It is preloaded (LD_PRELOAD) into the program under test by
 * faults_host.sh, which builds it. Each of these variables in the environment asks for a fault:
 *
 *     FAULT_SEND=N           every Nth sendmmsg(2) takes nothing, with ENOBUFS and EAGAIN in turn
 *     FAULT_SEND_ALL=MS      all of them fail, from the first one that comes that long after the
 *                            first, until as long again has passed
 *     FAULT_STOP=N           the process stops itself (SIGSTOP) after the Nth sendmmsg(2)
 *     FAULT_CLOCK=MS:BY      MS milliseconds after the first reading of the wall clock, the
 *                            clock is set by BY milliseconds: in clock_gettime(2), and in the
 *                            stamps of what is captured from then on
 *     FAULT_MEMORY=N         the Nth allocation fails. What libpcap does to open a capture does not
 *                            count: version 1.10.3 ends the process, or worse, when it finds no
 *                            memory there
 *     FAULT_MEMORY_ALL=N     the Nth allocation fails, and all that follow
 *     FAULT_MEMORY_COUNT=F   writes the number of allocations to that file at the end
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pcap/pcap.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

static long asked(const char *name)
{
    const char *text = getenv(name);

    return text ? atol(text) : 0;
}

static void *real(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

/* CLOCK_MONOTONIC in milliseconds. */
static long now_ms(void)
{
    static int (*get)(clockid_t, struct timespec *);
    struct timespec t;

    if (!get)
        *(void **)&get = real("clock_gettime");
    get(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/*
 * Sending
 */

int sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags)
{
    static int (*send_them)(int, struct mmsghdr *, unsigned, int);
    static long calls, each, pause = -1, first, stop;
    int taken;

    if (!send_them) {
        *(void **)&send_them = real("sendmmsg");
        each = asked("FAULT_SEND");
        pause = asked("FAULT_SEND_ALL");
        stop = asked("FAULT_STOP");
        first = now_ms();
    }
    calls++;
    if ((each && calls % each == 0) ||
        (pause && now_ms() - first >= pause && now_ms() - first < 2 * pause)) {
        errno = calls % 2 ? EAGAIN : ENOBUFS;
        return -1;
    }
    taken = send_them(fd, m, n, flags);
    if (calls == stop)
        raise(SIGSTOP);
    return taken;
}

/*
 * The wall clock
 */

static struct {
    long after, by; /* milliseconds */
    long long at;   /* of the real wall clock, in milliseconds; 0: not known yet */
} step;

static long long wall_ms(const struct timespec *t)
{
    return (long long)t->tv_sec * 1000 + t->tv_nsec / 1000000;
}

/* The time that the clock shows after it was set: seconds, and what is left in nanoseconds. */
static struct timespec stepped(struct timespec t)
{
    long long ns = (long long)t.tv_sec * 1000000000 + t.tv_nsec + step.by * 1000000LL;

    return (struct timespec){(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
}

int clock_gettime(clockid_t which, struct timespec *t)
{
    static int (*get)(clockid_t, struct timespec *);
    const char *how;
    int error;

    if (!get) {
        *(void **)&get = real("clock_gettime");
        how = getenv("FAULT_CLOCK");
        if (how && sscanf(how, "%ld:%ld", &step.after, &step.by) != 2)
            abort();
    }
    error = get(which, t);
    if (error || which != CLOCK_REALTIME || !step.by)
        return error;
    if (!step.at)
        step.at = wall_ms(t) + step.after;
    if (wall_ms(t) >= step.at)
        *t = stepped(*t);
    return 0;
}

/* In nanoseconds, as the program asks for. */
int pcap_next_ex(pcap_t *p, struct pcap_pkthdr **header, const u_char **bytes)
{
    static int (*next)(pcap_t *, struct pcap_pkthdr **, const u_char **);
    int status;

    if (!next)
        *(void **)&next = real("pcap_next_ex");
    status = next(p, header, bytes);
    if (status == 1 && step.at) {
        struct timespec t = {(*header)->ts.tv_sec, (*header)->ts.tv_usec};
        if (wall_ms(&t) >= step.at) {
            t = stepped(t);
            (*header)->ts.tv_sec = t.tv_sec;
            (*header)->ts.tv_usec = t.tv_nsec;
        }
    }
    return status;
}

/* The same in packet_ring.c's capture, whose ring no function of a library reads. */
void slots_stamped(uint64_t *stamp);
void slots_stamped(uint64_t *stamp)
{
    struct timespec t = {(time_t)(*stamp / 1000000000), (long)(*stamp % 1000000000)};

    if (step.at && wall_ms(&t) >= step.at)
        *stamp += (uint64_t)step.by * 1000000;
}

/*
 * Memory
 */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

static struct {
    int known, spare;
    long calls, fail, from;
} memory;

static int fails(void)
{
    long n;

    if (memory.spare)
        return 0;
    n = ++memory.calls;
    if (!memory.known) {
        memory.known = 1;
        memory.fail = asked("FAULT_MEMORY");
        memory.from = asked("FAULT_MEMORY_ALL");
    }
    if ((memory.fail && n == memory.fail) || (memory.from && n >= memory.from)) {
        errno = ENOMEM;
        return 1;
    }
    return 0;
}

int pcap_activate(pcap_t *p)
{
    int (*activate)(pcap_t *);
    int status;

    memory.spare++;
    *(void **)&activate = real("pcap_activate");
    status = activate(p);
    memory.spare--;
    return status;
}

int pcap_compile(pcap_t *p, struct bpf_program *program, const char *text, int optimize,
                 bpf_u_int32 mask)
{
    int (*compile)(pcap_t *, struct bpf_program *, const char *, int, bpf_u_int32);
    int status;

    memory.spare++;
    *(void **)&compile = real("pcap_compile");
    status = compile(p, program, text, optimize, mask);
    memory.spare--;
    return status;
}

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
    return fails() ? NULL : __libc_realloc(p, size);
}

__attribute__((destructor)) static void tell(void)
{
    const char *name = getenv("FAULT_MEMORY_COUNT");
    FILE *to;

    memory.fail = memory.from = 0;
    if (!name || !(to = fopen(name, "w")))
        return;
    fprintf(to, "%ld\n", memory.calls);
    fclose(to);
}
