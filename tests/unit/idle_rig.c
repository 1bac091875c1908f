/* What the tests of `tcpwave idle` share. */
#include "tests/unit/idle_rig.h"

void idle_run(struct command_rig *r, const char *words)
{
    rig_init(r, HOST_DISCARD);
    r->disturbed = true;
    rig_run(r, words);
}

double idle_number(const struct command_rig *r, const char *path)
{
    const json_t *v = rig_get(r, "verdict", path);

    assert_non_null(v);
    assert_true(json_is_number(v));
    return json_number_value(v);
}

void idle_expect_finding(const struct command_rig *r, const char *name, const char *wanted)
{
    const json_t *list = rig_get(r, "verdict", "findings");
    const size_t n = json_array_size(list);

    assert_true(n > 0);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, n - 1), name)),
                        wanted);
}

void idle_expect_end(const char *words, const char *verdict, int status, const char *part)
{
    struct command_rig r;

    idle_run(&r, words);
    rig_expect_text(&r, "verdict", "verdict", verdict);
    rig_expect_part(&r, "verdict", "message", part);
    assert_int_equal(r.status, status);
    rig_free(&r);
}
