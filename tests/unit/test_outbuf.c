/* Tests output that never waits for its reader: what is kept, what is left out, and how this is
 * reported. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/io/outbuf.h"
#include "lib/io/signals.h"

#define MOST 65536 /* bytes that are kept in these tests */

/* Opens a queue in front of a pipe whose other end is read only when the test reads it. */
struct outbuf_rig {
    int ends[2]; /* [0] the reader's */
    struct nonblock to;
    struct outbuf *o;
    FILE *text;
    char *got; /* all that was read, ended by a zero */
    size_t len;
};

static size_t gap(void *self, uint64_t left_out, char text[OUTBUF_GAP])
{
    (void)self;
    return (size_t)snprintf(text, OUTBUF_GAP, "gap %" PRIu64 "\n", left_out);
}

static void open_rig(struct outbuf_rig *r, int ends[2], bool ours)
{
    struct diag d;

    memset(r, 0, sizeof *r);
    r->ends[0] = ends[0];
    r->ends[1] = ends[1];
    nonblock_open(&r->to, ends[1], ours);
    assert_int_equal(outbuf_open(&r->o, &r->to, "the test", MOST, &d), 0);
    outbuf_on_gap(r->o, gap, r);
    r->text = outbuf_stream(r->o);
    assert_non_null(r->text);
}

static void open_pipe(struct outbuf_rig *r)
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    open_rig(r, ends, false);
}

static void close_rig(struct outbuf_rig *r)
{
    outbuf_close(r->o);
    close(r->ends[0]);
    close(r->ends[1]);
    free(r->got);
}

/* Reads what is available, up to `max` bytes. */
static void take(struct outbuf_rig *r, size_t max)
{
    struct pollfd p = {.fd = r->ends[0], .events = POLLIN};
    char bytes[4096];

    while (max && poll(&p, 1, 0) > 0 && (p.revents & POLLIN)) {
        ssize_t n = read(r->ends[0], bytes, max < sizeof bytes ? max : sizeof bytes);
        if (n <= 0)
            break;
        r->got = realloc(r->got, r->len + (size_t)n + 1);
        assert_non_null(r->got);
        memcpy(r->got + r->len, bytes, (size_t)n);
        r->len += (size_t)n;
        r->got[r->len] = '\0';
        max -= (size_t)n;
    }
}

static void flush(struct outbuf_rig *r)
{
    struct diag d;

    assert_int_equal(outbuf_flush(r->o, &d), 0);
}

/* Does what a polling loop does: writes as long as there is room, and reads what was written. */
static void take_all(struct outbuf_rig *r)
{
    flush(r);
    for (int i = 0; i < 10000; i++) {
        struct pollfd p = outbuf_poll(r->o);
        take(r, SIZE_MAX);
        if (!p.events)
            break;
        if (poll(&p, 1, 0) > 0)
            outbuf_polled(r->o, p.revents);
    }
    take(r, SIZE_MAX);
}

/* Writes lines "number xxx...", of 64 bytes. */
static void say(struct outbuf_rig *r, unsigned from, unsigned n)
{
    for (unsigned i = from; i < from + n; i++)
        fprintf(r->text, "%08u %.*s\n", i, 54,
                "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
}

/* Checks what was read: whole lines with ascending numbers. Returns how many, and what the last gap
 * says. */
static unsigned read_lines(const struct outbuf_rig *r, uint64_t *told)
{
    unsigned n = 0, last = 0;
    const char *at = r->got;

    *told = 0;
    while (at && *at) {
        const char *end = strchr(at, '\n');
        assert_non_null(end);
        if (strncmp(at, "gap ", 4) == 0) {
            *told = strtoull(at + 4, NULL, 10);
        } else {
            unsigned number = (unsigned)strtoul(at, NULL, 10);
            assert_int_equal(end - at, 63);
            assert_true(!n || number > last);
            last = number;
            n++;
        }
        at = end + 1;
    }
    return n;
}

static wave_time now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (wave_time)t.tv_sec * WAVE_S + (wave_time)t.tv_nsec;
}

static void a_reader_that_keeps_up_gets_every_line(void **state)
{
    uint64_t told;
    struct outbuf_rig r;

    (void)state;
    open_pipe(&r);
    for (unsigned i = 0; i < 100; i++) {
        say(&r, 100 * i, 100);
        take_all(&r);
    }
    assert_int_equal(read_lines(&r, &told), 10000);
    assert_int_equal(told, 0);
    assert_int_equal(outbuf_left_out(r.o), 0);
    close_rig(&r);
}

/* Far more is written than the pipe and the queue hold. The call returns, only whole lines are
 * missing, and the stream says how many. */
static void what_finds_no_room_is_left_out_by_whole_lines_and_counted(void **state)
{
    uint64_t told;
    struct outbuf_rig r;
    unsigned n;

    (void)state;
    open_pipe(&r);
    say(&r, 0, 20000);
    take_all(&r);
    say(&r, 20000, 10);
    take_all(&r);
    n = read_lines(&r, &told);
    assert_true(outbuf_left_out(r.o) > 10000);
    assert_int_equal(told, outbuf_left_out(r.o));
    assert_int_equal(n + outbuf_left_out(r.o), 20010);
    assert_non_null(strstr(r.got, "00020009 ")); /* after the gap it goes on */
    close_rig(&r);
}

static void the_gap_is_told_without_a_further_line(void **state)
{
    uint64_t told;
    struct outbuf_rig r;

    (void)state;
    open_pipe(&r);
    say(&r, 0, 20000);
    take_all(&r);
    read_lines(&r, &told);
    assert_int_equal(told, outbuf_left_out(r.o));
    assert_true(told > 0);
    close_rig(&r);
}

/* A loop that is too busy to sleep does not poll. So the queue must retry by itself. */
static void a_reader_that_wakes_up_is_noticed_without_poll(void **state)
{
    uint64_t told;
    struct outbuf_rig r;

    (void)state;
    open_pipe(&r);
    say(&r, 0, 1200); /* 76,800 bytes: more than the pipe holds */
    flush(&r);
    take(&r, SIZE_MAX);
    say(&r, 1200, 1100); /* 70,400 */
    take(&r, SIZE_MAX);
    assert_true(read_lines(&r, &told) > 1200);
    close_rig(&r);
}

/* A run that has to leave while its reader sleeps leaves no half of a line in the pipe. */
static void a_full_pipe_ends_at_the_end_of_a_line(void **state)
{
    uint64_t told;
    struct outbuf_rig r;

    (void)state;
    open_pipe(&r);
    say(&r, 0, 5000);
    flush(&r);
    take(&r, SIZE_MAX);
    assert_true(r.len >= 60000);
    assert_int_equal(r.got[r.len - 1], '\n');
    read_lines(&r, &told);
    close_rig(&r);
}

/* The flag would affect all processes that share the open file description. */
static void a_shared_pipe_stays_blocking(void **state)
{
    struct outbuf_rig r;

    (void)state;
    open_pipe(&r);
    say(&r, 0, 5000);
    flush(&r);
    assert_int_equal(fcntl(r.ends[1], F_GETFL) & O_NONBLOCK, 0);
    assert_int_not_equal(outbuf_poll(r.o).fd, r.ends[1]);
    close_rig(&r);
}

/* If it cannot be reopened, only poll(2) says whether there is room. */
static void a_pipe_that_cannot_be_opened_again_makes_nobody_wait(void **state)
{
    const struct nonblock asked = {.how = NONBLOCK_POLL, .whole = PIPE_BUF};
    struct diag d;
    uint64_t told;
    struct outbuf_rig r;
    int ends[2];

    (void)state;
    memset(&r, 0, sizeof r);
    assert_int_equal(pipe(ends), 0);
    memcpy(r.ends, ends, sizeof ends);
    r.to = asked;
    r.to.fd = ends[1];
    assert_int_equal(outbuf_open(&r.o, &r.to, "the test", MOST, &d), 0);
    outbuf_on_gap(r.o, gap, &r);
    r.text = outbuf_stream(r.o);
    say(&r, 0, 20000);
    take_all(&r);
    assert_int_equal(read_lines(&r, &told) + outbuf_left_out(r.o), 20000);
    close_rig(&r);
}

static void a_socket_makes_nobody_wait(void **state)
{
    int ends[2];
    uint64_t told;
    struct outbuf_rig r;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    open_rig(&r, ends, false);
    say(&r, 0, 20000);
    take_all(&r);
    assert_int_equal(read_lines(&r, &told) + outbuf_left_out(r.o), 20000);
    assert_int_equal(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
    close_rig(&r);
}

/* The terminal that shows nothing more, as after Ctrl-S. */
static void a_terminal_that_is_stopped_makes_nobody_wait(void **state)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY), ends[2];
    struct outbuf_rig r;

    (void)state;
    if (master < 0 || grantpt(master) || unlockpt(master))
        skip();
    ends[0] = master;
    ends[1] = open(ptsname(master), O_RDWR | O_NOCTTY);
    if (ends[1] < 0)
        skip();
    open_rig(&r, ends, false);
    assert_true(r.to.terminal);
    say(&r, 0, 20000);
    flush(&r);
    assert_true(outbuf_left_out(r.o) > 0);
    assert_int_equal(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
    close_rig(&r);
}

/* A line that the next one is drawn over goes out when it is flushed, though it has no end, and is
 * no line that could be missed. */
static void a_line_to_be_drawn_over_is_written_at_once(void **state)
{
    struct outbuf_rig r;

    (void)state;
    open_pipe(&r);
    fputs("\r\033[Kwaiting", r.text);
    flush(&r);
    take(&r, SIZE_MAX);
    assert_string_equal(r.got, "\r\033[Kwaiting");
    fputs("half a line", r.text);
    flush(&r);
    take(&r, SIZE_MAX);
    assert_string_equal(r.got, "\r\033[Kwaiting");
    fputs(", and its end\n", r.text);
    flush(&r);
    take(&r, SIZE_MAX);
    assert_string_equal(r.got, "\r\033[Kwaitinghalf a line, and its end\n");
    close_rig(&r);
}

/* The bytes of a record contain its length and its number. Some records are longer than PIPE_BUF.
 */
static void records_that_are_no_text_are_left_out_as_a_whole(void **state)
{
    static uint8_t bytes[9000];
    uint32_t head[2], kept = 0, found = 0, last = 0;
    struct outbuf_rig r;

    (void)state;
    open_pipe(&r);
    for (uint32_t i = 1; i <= 300; i++) {
        head[0] = 100 + i % 7 * 1400;
        head[1] = i;
        memset(bytes, (int)i, sizeof bytes);
        outbuf_put(r.o, head, sizeof head);
        outbuf_put(r.o, bytes, head[0]);
        kept += outbuf_end(r.o);
        if (i == 200)
            take_all(&r);
    }
    outbuf_on_gap(r.o, NULL, NULL);
    take_all(&r);
    assert_true(outbuf_left_out(r.o) > 0);
    assert_int_equal(kept + outbuf_left_out(r.o), 300);
    for (size_t at = 0; at < r.len;) {
        if (strncmp(r.got + at, "gap ", 4) == 0) { /* of the first time that it was read */
            at += strcspn(r.got + at, "\n") + 1;
            continue;
        }
        memcpy(head, r.got + at, sizeof head);
        assert_true(head[1] > last && head[1] <= 300);
        assert_int_equal(head[0], 100 + head[1] % 7 * 1400);
        assert_true(at + sizeof head + head[0] <= r.len);
        assert_int_equal((uint8_t)r.got[at + sizeof head + head[0] - 1], (uint8_t)head[1]);
        last = head[1];
        at += sizeof head + head[0];
        found++;
    }
    assert_int_equal(found, kept);
    close_rig(&r);
}

/* The verdict is kept though the queue is full, and what it says of the lines left out is right. */
static void the_last_lines_are_kept_when_all_others_are_left_out(void **state)
{
    struct outbuf_end end = {.signals = -1, .deadline = WAVE_NEVER, .hurried = true};
    uint64_t told, left_out;
    struct outbuf_rig r;
    wave_time from = now();
    unsigned n;

    (void)state;
    open_pipe(&r);
    say(&r, 0, 20000);
    outbuf_drain(r.o, &end);
    left_out = outbuf_left_out(r.o);
    outbuf_last(r.o);
    say(&r, 20000, 5000); /* more than the queue's bound */
    assert_int_equal(outbuf_finish(r.o, &end), 5000);
    assert_true(now() - from < 2 * WAVE_S);
    assert_int_equal(outbuf_left_out(r.o), left_out);
    take_all(&r);
    n = read_lines(&r, &told);
    assert_int_equal(told, left_out);
    assert_int_equal(n + left_out, 25000);
    assert_non_null(strstr(r.got, "00024999 "));
    close_rig(&r);
}

/* Starts a child that sleeps for so long, and then reads everything. */
static pid_t reader(const struct outbuf_rig *r, unsigned ms)
{
    pid_t pid = fork();
    char bytes[4096];

    if (pid == 0) {
        close(r->ends[1]);
        close(r->to.fd);
        usleep(1000 * ms);
        while (read(r->ends[0], bytes, sizeof bytes) > 0)
            ;
        _exit(0);
    }
    return pid;
}

static void a_late_reader_is_waited_for_at_the_end(void **state)
{
    struct outbuf_end end = {.signals = -1, .deadline = WAVE_NEVER};
    struct outbuf_rig r;
    pid_t pid;

    (void)state;
    open_pipe(&r);
    say(&r, 0, 1900); /* as much as pipe and queue hold */
    pid = reader(&r, 700);
    outbuf_drain(r.o, &end);
    outbuf_last(r.o);
    say(&r, 1900, 1);
    assert_int_equal(outbuf_finish(r.o, &end), 0);
    assert_int_equal(outbuf_left_out(r.o), 0);
    close_rig(&r);
    waitpid(pid, NULL, 0);
}

static void the_deadline_ends_the_wait(void **state)
{
    wave_time from = now();
    struct outbuf_end end = {.signals = -1, .deadline = from + WAVE_S};
    struct outbuf_rig r;

    (void)state;
    open_pipe(&r);
    say(&r, 0, 1900);
    outbuf_drain(r.o, &end);
    assert_true(outbuf_left_out(r.o) > 0);
    assert_true(now() - from >= WAVE_S - 10 * WAVE_MS);
    outbuf_last(r.o);
    say(&r, 1900, 1);
    assert_int_equal(outbuf_finish(r.o, &end), 1);
    assert_true(now() - from < 2 * WAVE_S);
    close_rig(&r);
}

static void a_signal_ends_the_wait(void **state)
{
    struct outbuf_end end = {.deadline = WAVE_NEVER};
    wave_time from = now();
    struct diag d;
    struct outbuf_rig r;
    pid_t pid;

    (void)state;
    open_pipe(&r);
    end.signals = signals_open(&d);
    assert_true(end.signals >= 0);
    pid = fork();
    if (pid == 0) {
        usleep(300000);
        kill(getppid(), SIGTERM);
        _exit(0);
    }
    say(&r, 0, 1900);
    outbuf_drain(r.o, &end);
    assert_int_equal(end.signal, SIGTERM);
    assert_true(end.hurried);
    assert_true(outbuf_left_out(r.o) > 0);
    assert_true(now() - from < 2 * WAVE_S);
    waitpid(pid, NULL, 0);
    signals_close(end.signals);
    close_rig(&r);
}

static void a_reader_that_is_gone_is_an_error_each_time(void **state)
{
    struct outbuf_end end = {.signals = -1, .deadline = WAVE_NEVER};
    struct diag d;
    struct outbuf_rig r;

    (void)state;
    signals_ignore_pipe();
    open_pipe(&r);
    close(r.ends[0]);
    say(&r, 0, 1);
    assert_int_equal(outbuf_flush(r.o, &d), WAVE_ESYS);
    assert_string_equal(d.text, "cannot write to the test: its reader is gone");
    say(&r, 1, 100000);
    assert_int_equal(outbuf_flush(r.o, &d), WAVE_ESYS);
    assert_int_equal(outbuf_error(r.o), EPIPE);
    assert_int_equal(outbuf_left_out(r.o), 0);
    outbuf_drain(r.o, &end);
    assert_int_equal(outbuf_finish(r.o, &end), 0);
    close_rig(&r);
}

/* A file has no reader that could be slow: nothing of it is ever left out. */
static void a_file_gets_everything(void **state)
{
    char path[] = "/tmp/tcpwave-test-XXXXXX";
    int ends[2];
    struct outbuf_rig r;

    (void)state;
    ends[1] = mkstemp(path);
    assert_true(ends[1] >= 0);
    ends[0] = open(path, O_RDONLY);
    unlink(path);
    open_rig(&r, ends, true);
    assert_false(outbuf_has_reader(r.o));
    say(&r, 0, 20000);
    flush(&r);
    assert_int_equal(lseek(ends[1], 0, SEEK_CUR), 64 * 20000);
    assert_int_equal(outbuf_left_out(r.o), 0);
    close_rig(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_that_keeps_up_gets_every_line),
        cmocka_unit_test(what_finds_no_room_is_left_out_by_whole_lines_and_counted),
        cmocka_unit_test(the_gap_is_told_without_a_further_line),
        cmocka_unit_test(a_reader_that_wakes_up_is_noticed_without_poll),
        cmocka_unit_test(a_full_pipe_ends_at_the_end_of_a_line),
        cmocka_unit_test(a_shared_pipe_stays_blocking),
        cmocka_unit_test(a_pipe_that_cannot_be_opened_again_makes_nobody_wait),
        cmocka_unit_test(a_socket_makes_nobody_wait),
        cmocka_unit_test(a_terminal_that_is_stopped_makes_nobody_wait),
        cmocka_unit_test(a_line_to_be_drawn_over_is_written_at_once),
        cmocka_unit_test(records_that_are_no_text_are_left_out_as_a_whole),
        cmocka_unit_test(the_last_lines_are_kept_when_all_others_are_left_out),
        cmocka_unit_test(a_late_reader_is_waited_for_at_the_end),
        cmocka_unit_test(the_deadline_ends_the_wait),
        cmocka_unit_test(a_signal_ends_the_wait),
        cmocka_unit_test(a_reader_that_is_gone_is_an_error_each_time),
        cmocka_unit_test(a_file_gets_everything),
    };

    alarm(60); /* what waits for ever fails */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
