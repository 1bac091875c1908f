/*
 * Closes the descriptors that were inherited, and enters the sandbox. The inherited ones are noted
 * when the program starts, in a table with one flag for each number, and closed when all of our own
 * are open. A system call that the sandbox stops is reported from a signal handler, which may use
 * only async-signal-safe functions.
 */
#include "cmd/enter_sandbox.h"

#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/io/apart.h"
#include "lib/io/outbuf.h"
#include "lib/wire/sandbox.h"

/*
 * Inherited descriptors. They stay open until ours are open, since a path on the command line may
 * lead to one: --file /dev/fd/63 is what a shell makes of <(command).
 */

#define INHERITED_MAX 65536 /* ours are below it: a new one gets the lowest free number */

static bool inherited[INHERITED_MAX];

static void note(long fd)
{
    if (fd > STDERR_FILENO && fd < INHERITED_MAX)
        inherited[fd] = true;
}

void enter_sandbox_begin(void)
{
    DIR *list = opendir("/proc/self/fd");
    const struct dirent *e;

    while (list && (e = readdir(list))) {
        char *end;
        long fd = strtol(e->d_name, &end, 10);
        if (end != e->d_name && !*end && fd != dirfd(list))
            note(fd);
    }
    if (list) {
        closedir(list);
        return;
    }
    /* There is no /proc, or no free descriptor to read it with. RLIMIT_NOFILE would not help, since
     * descriptors may have been opened before it was lowered: so try every number. */
    for (int fd = 0; fd < INHERITED_MAX; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            note(fd);
}

static void close_inherited(void)
{
    for (int fd = 0; fd < INHERITED_MAX; fd++) {
        if (inherited[fd])
            close(fd);
        inherited[fd] = false;
    }
#ifdef SYS_close_range
    syscall(SYS_close_range, INHERITED_MAX, ~0u, 0); /* Linux 5.9 */
#endif
}

/* Writes the number at `to` in this base, 10 or 16, and returns the end of it. A signal handler may
 * not call printf(3). */
static char *put_number(char *to, uint32_t number, unsigned base)
{
    char digits[10];
    unsigned n = 0;

    do
        digits[n++] = "0123456789abcdef"[number % base];
    while (number /= base);
    while (n)
        *to++ = digits[--n];
    return to;
}

/* Reports the system call that the sandbox stopped. It runs in a signal handler. */
static void tell(int call, uint32_t arch)
{
    char text[200], *at = stpcpy(text, "tcpwave: the sandbox stopped system call ");

    at = put_number(at, (uint32_t)call, 10);
    at = stpcpy(at, " (architecture 0x");
    at = put_number(at, arch, 16);
    at = stpcpy(at, "), which is a fault of tcpwave's, or an attack: please report it; "
                    "--no-sandbox runs without\n");
    /* If this fails as well, there is no way left to report it. */
    if (write(STDERR_FILENO, text, (size_t)(at - text)) < 0)
        return;
}

void enter_sandbox(const struct show_options *o)
{
    struct diag d = {"--no-sandbox was given"};
    char text[sizeof d + 16];

    apart_follow(); /* the privileges are gone, and with them what the kernel knew of this */
    close_inherited();
    json_object_seed(0); /* reads /dev/urandom; otherwise the first JSON object would do so */
    if ((o->no_sandbox || sandbox_enter(tell, &d) != 0) && o->verbose) {
        snprintf(text, sizeof text, "no sandbox: %s", d.text);
        outbuf_say(text);
    }
}
