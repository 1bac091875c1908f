/* How a command enters the sandbox: what it closes first, and what it says when a call is stopped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/enter_sandbox.h"
#include "tests/unit/sandbox_rig.h"

/* As a command has it: the line that a user can cell.report. */
static void the_stopped_call_is_told_on_standard_error(void **state)
{
    const struct show_options o = {.verbose = 0};
    char text[512] = "", number[64];
    int status, ends[2];

    (void)state;
    if (cell.none)
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
        if ((left[i] = dup(cell.file)) < 0)
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_stopped_call_is_told_on_standard_error),
        cmocka_unit_test(without_a_sandbox_every_call_may_be_made),
        cmocka_unit_test(what_was_left_open_is_closed_however_much_it_is),
    };
    return cmocka_run_group_tests(tests, sandbox_setup, sandbox_teardown);
}
