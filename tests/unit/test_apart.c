/* Tests work in a process of its own: its result, the end of our time, signals, and that no process
 * is left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/io/apart.h"
#include "lib/io/signals.h"

#define LARGE 100000 /* more than a pipe takes at once */

static uint8_t result[LARGE];

static void fill(void *self, void *to)
{
    memset(to, *(const uint8_t *)self, LARGE);
}

static void block(void *self, void *to)
{
    (void)self;
    (void)to;
    for (;;)
        pause();
}

static void crash(void *self, void *to)
{
    (void)self;
    (void)to;
    _exit(1);
}

/* Does as `block`, and holds the pipe's end that `self` names until it is gone. */
static void block_with(void *self, void *to)
{
    close(((int *)self)[0]);
    block(NULL, to);
}

static struct apart started(const struct apart_work *w)
{
    struct apart a;
    struct diag d;

    assert_int_equal(apart_start(&a, w, &d), 0);
    return a;
}

static void expect_no_process(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void the_result_comes_back_whole(void **state)
{
    uint8_t value = 7;
    const struct apart_work w = {fill, &value, LARGE, SIGKILL};
    struct apart a = started(&w);
    int signal;

    (void)state;
    value = 8; /* the process has its own */
    memset(result, 0, sizeof result);
    assert_int_equal(apart_wait(&a, &w, WAVE_NEVER, -1, result, &signal), 0);
    assert_int_equal(signal, 0);
    for (size_t i = 0; i < LARGE; i++)
        assert_int_equal(result[i], 7);
    apart_end(&a);
    expect_no_process();
}

static void the_time_is_over_when_it_is(void **state)
{
    const struct apart_work w = {block, NULL, 1, SIGKILL};
    struct apart a = started(&w);
    const wave_time began = apart_now();
    int signal;

    (void)state;
    assert_int_equal(apart_wait(&a, &w, began + 50 * WAVE_MS, -1, result, &signal), WAVE_EAGAIN);
    assert_int_equal(signal, 0);
    assert_in_range(apart_now() - began, 50 * WAVE_MS, 10 * WAVE_S);
    apart_end(&a);
    expect_no_process();
}

static void a_signal_ends_the_wait(void **state)
{
    const struct apart_work w = {block, NULL, 1, SIGKILL};
    struct diag d;
    int signals = signals_open(&d), signal;
    struct apart a = started(&w);

    (void)state;
    assert_true(signals >= 0);
    kill(getpid(), SIGTERM);
    assert_int_equal(apart_wait(&a, &w, WAVE_NEVER, signals, result, &signal), WAVE_EAGAIN);
    assert_int_equal(signal, SIGTERM);
    apart_end(&a);
    signals_close(signals);
    expect_no_process();
}

static void a_process_that_crashes_has_no_result(void **state)
{
    const struct apart_work w = {crash, NULL, 1, SIGKILL};
    struct apart a = started(&w);
    int signal;

    (void)state;
    assert_int_equal(apart_wait(&a, &w, WAVE_NEVER, -1, result, &signal), WAVE_ESYS);
    apart_end(&a);
    expect_no_process();
}

/* A parent that is killed takes it along: the pipe of which it holds an end closes. */
static void it_does_not_outlive_its_parent(void **state)
{
    int held[2];
    struct pollfd end;
    pid_t parent;
    char byte;

    (void)state;
    assert_int_equal(pipe(held), 0);
    parent = fork();
    if (parent == 0) {
        const struct apart_work w = {block_with, held, 1, SIGKILL};
        struct apart a;
        struct diag d;
        if (apart_start(&a, &w, &d) != 0 || write(held[1], "", 1) != 1)
            _exit(1);
        block(NULL, NULL);
    }
    close(held[1]);
    assert_int_equal(read(held[0], &byte, 1), 1);
    kill(parent, SIGKILL);
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    end = (struct pollfd){.fd = held[0], .events = POLLIN};
    assert_int_equal(poll(&end, 1, 10000), 1);
    assert_int_equal(read(held[0], &byte, 1), 0);
    close(held[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_result_comes_back_whole),
        cmocka_unit_test(the_time_is_over_when_it_is),
        cmocka_unit_test(a_signal_ends_the_wait),
        cmocka_unit_test(a_process_that_crashes_has_no_result),
        cmocka_unit_test(it_does_not_outlive_its_parent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
