/* Tests two runs in one process, one within the other. Neither may affect the other: a run has no
 * state outside itself. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/command_rig.h"

/* In the midst of another run, a whole one of each kind of client. */
static void three_others(struct command_rig *r)
{
    struct command_rig other;

    (void)r;
    rig_init(&other, HOST_ECHO);
    assert_int_equal(rig_run(&other, "connect --json -d hello " RIG_PEER), 0);
    rig_expect_int(&other, "verdict", "received_bytes", 5);
    rig_free(&other);
    rig_init(&other, HOST_CLOSED);
    assert_int_equal(rig_run(&other, "halfclose --json " RIG_PEER), 4);
    rig_free(&other);
    rig_init(&other, HOST_DISCARD);
    assert_int_equal(rig_run(&other, "load --json --connections 3 " RIG_PEER), 0);
    rig_expect_int(&other, "verdict", "connections.open", 3);
    rig_free(&other);
}

/* Does nothing: the run with which the other is compared. */
static void nothing(struct command_rig *r)
{
    (void)r;
}

/* Runs a keepalive of three hours, and returns what it printed. The caller frees it. */
static char *keepalive(void (*meanwhile)(struct command_rig *r), size_t *len)
{
    struct command_rig r;
    char *text;

    rig_init(&r, HOST_ECHO);
    rig_at(&r, WAVE_H, meanwhile);
    assert_int_equal(rig_run(&r, "keepalive --json --for 3h " RIG_PEER), 0);
    rig_expect_int(&r, "verdict", "keepalive.answered", 1);
    text = malloc(r.text_len);
    assert_non_null(text);
    memcpy(text, r.text, r.text_len);
    *len = r.text_len;
    rig_free(&r);
    return text;
}

static void a_run_within_a_run_changes_nothing(void **state)
{
    size_t len[2];
    char *text[2];

    (void)state;
    text[0] = keepalive(nothing, &len[0]);
    text[1] = keepalive(three_others, &len[1]);
    assert_int_equal(len[0], len[1]);
    assert_memory_equal(text[0], text[1], len[0]);
    free(text[0]);
    free(text[1]);
}

static void a_run_after_a_run_prints_the_same(void **state)
{
    struct command_rig r[2];

    (void)state;
    for (int i = 0; i < 2; i++) {
        rig_init(&r[i], HOST_ANSWER);
        assert_int_equal(rig_run(&r[i], "connect -d question " RIG_PEER), 0);
    }
    assert_int_equal(r[0].text_len, r[1].text_len);
    assert_memory_equal(r[0].text, r[1].text, r[0].text_len);
    rig_free(&r[0]);
    rig_free(&r[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_within_a_run_changes_nothing),
        cmocka_unit_test(a_run_after_a_run_prints_the_same),
    };

    return cmocka_run_group_tests_name("cmd_two", tests, NULL, NULL);
}
