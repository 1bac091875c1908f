/* Tests the files of the command line: streams that never wait for a reader, and traps in shared
 * directories. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/options_data.h"
#include "cmd/output.h"
#include "lib/io/files.h"
#include "lib/io/signals.h"

static char directory[] = "/tmp/tcpwave-test-XXXXXX";

static int setup(void **state)
{
    (void)state;
    return mkdtemp(directory) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    return rmdir(directory);
}

static const char *in(const char *name)
{
    static char path[2][128];
    static unsigned turn;

    turn ^= 1;
    snprintf(path[turn], sizeof path[turn], "%s/%s", directory, name);
    return path[turn];
}

static void make(const char *name, const char *content)
{
    FILE *to = fopen(in(name), "w");

    assert_non_null(to);
    fputs(content, to);
    assert_int_equal(fclose(to), 0);
}

static void data_is_a_stream_that_ends(void **state)
{
    struct data_options o = {.text = {(uint8_t[]){'a', 'b', 'c'}, 3}};
    struct source s;
    struct diag d;
    char to[8];

    (void)state;
    assert_int_equal(source_open(&s, o.text.at, o.text.len, o.file, &d), 0);
    assert_int_equal(source_fd(&s), -1);
    assert_int_equal(source_read(&s, to, 2, &d), 2);
    assert_memory_equal(to, "ab", 2);
    assert_int_equal(source_read(&s, to, 2, &d), 1);
    assert_int_equal(to[0], 'c');
    assert_int_equal(source_read(&s, to, 2, &d), 0);
    source_close(&s);
}

static void nothing_to_send_is_an_empty_stream(void **state)
{
    struct data_options o = {.file = NULL};
    struct source s;
    struct diag d;
    char to[1];

    (void)state;
    assert_int_equal(source_open(&s, o.text.at, o.text.len, o.file, &d), 0);
    assert_int_equal(source_read(&s, to, 1, &d), 0);
    source_close(&s);
}

static void a_file_is_read_to_its_end(void **state)
{
    struct data_options o = {.file = in("in")};
    struct source s;
    struct diag d;
    char to[8];

    (void)state;
    make("in", "hello");
    assert_int_equal(source_open(&s, o.text.at, o.text.len, o.file, &d), 0);
    assert_int_equal(source_fd(&s), -1);
    assert_int_equal(source_read(&s, to, sizeof to, &d), 5);
    assert_memory_equal(to, "hello", 5);
    assert_int_equal(source_read(&s, to, sizeof to, &d), 0);
    source_close(&s);
    unlink(in("in"));
}

static void what_cannot_be_read_is_named(void **state)
{
    struct file f = FILE_NONE;
    struct diag d;

    (void)state;
    assert_int_equal(file_open_read(&f, in("missing"), &d), WAVE_ESYS);
    assert_non_null(strstr(d.text, "missing: No such file or directory"));
    assert_int_equal(file_open_read(&f, directory, &d), WAVE_ESYS);
    assert_non_null(strstr(d.text, "Is a directory"));
    assert_int_equal(f.fd, -1);
}

static void an_empty_pipe_makes_nobody_wait(void **state)
{
    struct diag d;
    int ends[2];
    char to[8];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    struct file f = {.fd = ends[0], .name = "pipe"};
    assert_int_equal(file_read(&f, to, sizeof to, &d), WAVE_EAGAIN);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(file_read(&f, to, sizeof to, &d), 1);
    assert_int_equal(file_read(&f, to, sizeof to, &d), WAVE_EAGAIN);
    close(ends[1]);
    assert_int_equal(file_read(&f, to, sizeof to, &d), 0);
    assert_int_equal(file_close(&f, &d), 0);
    assert_int_equal(f.fd, -1);
}

static void a_full_pipe_makes_nobody_wait(void **state)
{
    static char bytes[65536], back[PIPE_BUF];
    struct diag d;
    int ends[2], n;
    size_t written = 0;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    struct file f = {.fd = ends[1], .name = "pipe"};
    nonblock_open(&f.to, ends[1], false);
    while ((n = file_write(&f, bytes, sizeof bytes, &d)) > 0)
        written += (size_t)n;
    assert_int_equal(n, WAVE_EAGAIN);
    assert_true(written >= PIPE_BUF);
    assert_int_equal(read(ends[0], back, PIPE_BUF), PIPE_BUF);
    assert_int_equal(file_write(&f, bytes, sizeof bytes, &d), PIPE_BUF);
    close(ends[0]);
    signals_ignore_pipe();
    assert_int_equal(file_write(&f, bytes, 1, &d), WAVE_ESYS);
    assert_string_equal(d.text, "cannot write to pipe: Broken pipe");
    file_close(&f, NULL);
}

static void a_file_is_emptied_and_written(void **state)
{
    struct file f;
    struct diag d;
    struct stat st;

    (void)state;
    make("out", "older and longer");
    assert_int_equal(file_open_write(&f, in("out"), &d), 0);
    assert_true(f.regular);
    assert_int_equal(file_write(&f, "new", 3, &d), 3);
    assert_int_equal(file_close(&f, &d), 0);
    assert_int_equal(stat(in("out"), &st), 0);
    assert_int_equal(st.st_size, 3);
    unlink(in("out"));
}

static void a_link_is_followed_but_not_in_a_shared_directory(void **state)
{
    struct file f = FILE_NONE;
    struct diag d;
    struct stat st;

    (void)state;
    make("victim", "precious");
    assert_int_equal(symlink("victim", in("link")), 0);

    assert_int_equal(chmod(directory, 01777), 0);
    assert_int_equal(file_open_write(&f, in("link"), &d), WAVE_ESYS);
    assert_non_null(strstr(d.text, "symbolic link"));
    assert_int_equal(f.fd, -1);
    assert_int_equal(stat(in("victim"), &st), 0);
    assert_int_equal(st.st_size, 8);
    assert_int_equal(file_open_write(&f, in("victim"), &d), 0); /* our own is ours */
    file_close(&f, NULL);

    assert_int_equal(chmod(directory, 0700), 0);
    assert_int_equal(file_open_write(&f, in("link"), &d), 0);
    file_close(&f, NULL);
    assert_int_equal(stat(in("victim"), &st), 0);
    assert_int_equal(st.st_size, 0);
    unlink(in("link"));
    unlink(in("victim"));
}

static void somebody_elses_file_in_a_shared_directory_is_left_alone(void **state)
{
    struct file f = FILE_NONE;
    struct diag d;
    struct stat st;

    (void)state;
    make("trap", "bait");
    if (chown(in("trap"), 65534, 65534) < 0) {
        unlink(in("trap"));
        skip(); /* only root can lay it */
    }
    assert_int_equal(chmod(in("trap"), 0666), 0);
    assert_int_equal(chmod(directory, 01777), 0);
    assert_int_equal(file_open_write(&f, in("trap"), &d), WAVE_ESYS);
    assert_int_equal(stat(in("trap"), &st), 0);
    assert_int_equal(st.st_size, 4);
    assert_int_equal(chmod(directory, 0700), 0);
    unlink(in("trap"));
}

/* Runs in a child, which may change its user and environment. Returns 0 on success. */
static int under_sudo(void)
{
    struct file f = FILE_NONE;
    struct diag d;
    struct stat st;

    setenv("SUDO_UID", "65534", 1);
    setenv("SUDO_GID", "65534", 1);
    if (file_open_read(&f, in("secret"), &d) != WAVE_ESYS || !strstr(d.text, "Permission denied"))
        return 1;
    if (file_open_write(&f, in("theirs"), &d) || fstat(f.fd, &st) || st.st_uid != 65534 ||
        st.st_gid != 65534)
        return 2;
    file_close(&f, NULL);
    return geteuid() == 0 && getegid() == 0 ? 0 : 3; /* back to root, for the sockets */
}

static void under_sudo_files_are_the_callers(void **state)
{
    int status;

    (void)state;
    if (geteuid() != 0)
        skip();
    make("secret", "for root alone");
    assert_int_equal(chmod(in("secret"), 0600), 0);
    assert_int_equal(chmod(directory, 0777), 0);
    /* User 65534 may not exist, as in a namespace of one user: then there is no user to change to.
     */
    bool possible = chown(in("secret"), 65534, 65534) == 0 && chown(in("secret"), 0, 0) == 0;
    pid_t child = fork();
    if (child == 0)
        _exit(possible ? under_sudo() : 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    unlink(in("secret"));
    unlink(in("theirs"));
    assert_int_equal(chmod(directory, 0700), 0);
    if (!possible)
        skip();
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void standard_streams_stay_open(void **state)
{
    struct file f;
    struct diag d;

    (void)state;
    assert_int_equal(file_open_write(&f, "-", &d), 0);
    assert_int_equal(f.fd, STDOUT_FILENO);
    assert_int_equal(file_close(&f, &d), 0);
    assert_true(fcntl(STDOUT_FILENO, F_GETFD) >= 0);
}

static void reports_leave_standard_output_to_who_asked_for_it(void **state)
{
    struct show_options o = {.quiet = false};

    (void)state;
    assert_null(show_check(&o, NULL));
    assert_ptr_equal(report_stream(&o), stdout);
    assert_null(show_check(&o, "-"));
    assert_ptr_equal(report_stream(&o), stderr);
    assert_null(show_check(&o, "-x"));
    assert_ptr_equal(report_stream(&o), stdout);
    o.pcap = "-";
    assert_null(show_check(&o, "-x"));
    assert_ptr_equal(report_stream(&o), stderr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_is_a_stream_that_ends),
        cmocka_unit_test(nothing_to_send_is_an_empty_stream),
        cmocka_unit_test(a_file_is_read_to_its_end),
        cmocka_unit_test(what_cannot_be_read_is_named),
        cmocka_unit_test(an_empty_pipe_makes_nobody_wait),
        cmocka_unit_test(a_full_pipe_makes_nobody_wait),
        cmocka_unit_test(a_file_is_emptied_and_written),
        cmocka_unit_test(a_link_is_followed_but_not_in_a_shared_directory),
        cmocka_unit_test(somebody_elses_file_in_a_shared_directory_is_left_alone),
        cmocka_unit_test(under_sudo_files_are_the_callers),
        cmocka_unit_test(standard_streams_stay_open),
        cmocka_unit_test(reports_leave_standard_output_to_who_asked_for_it),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
