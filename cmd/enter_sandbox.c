#include "cmd/enter_sandbox.h"

#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/io/outbuf.h"
#include "lib/wire/sandbox.h"

/*
 * Descriptors that were inherited. They are left alone until ours are open, since a path of the
 * command line may lead to one: --file /dev/fd/63 is how a shell writes <(command).
 */

#define INHERITED_MAX 65536 /* ours are below: a new one gets the lowest number that is free */

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
    /* No /proc, or no descriptor left to read it by. A limit says nothing of what was opened before
     * it was lowered. */
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

/* In decimal or hexadecimal: printf(3) is not for signal handlers. */
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

static void tell(int call, uint32_t arch)
{
    char text[200], *at = stpcpy(text, "tcpwave: the sandbox stopped system call ");

    at = put_number(at, (uint32_t)call, 10);
    at = stpcpy(at, " (architecture 0x");
    at = put_number(at, arch, 16);
    at = stpcpy(at, "), which is a fault of tcpwave's, or an attack: please report it; "
                    "--no-sandbox runs without\n");
    /* There is nobody left to tell of a failure. */
    if (write(STDERR_FILENO, text, (size_t)(at - text)) < 0)
        return;
}

void enter_sandbox(const struct show_options *o)
{
    struct diag d = {"--no-sandbox was given"};
    char text[sizeof d + 16];

    close_inherited();
    json_object_seed(0); /* it reads /dev/urandom, and would do so with the first object */
    if ((o->no_sandbox || sandbox_enter(tell, &d) != 0) && o->verbose) {
        snprintf(text, sizeof text, "no sandbox: %s", d.text);
        outbuf_say(text);
    }
}
