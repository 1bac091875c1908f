/* Tests the table of presets and its list. What each of them does is in test_cmd_preset.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/command.h"
#include "cmd/connect.h"
#include "cmd/listen_options.h"
#include "cmd/preset.h"
#include "lib/core/diag.h"

/* The rules are text, and the table is not checked when it is compiled. */
static void each_rule_parses(void **state)
{
    unsigned rules = 0;

    (void)state;
    for (const struct preset *p = presets; p->name; p++) {
        const char *const *lists[] = {p->rules, p->listen_rules, p->connect_rules};
        for (unsigned i = 0; i < 3; i++)
            for (unsigned n = 0; lists[i][n]; n++, rules++) {
                struct impair_rule rule;
                struct diag d;
                assert_true(n < PRESET_RULES - 1);
                if (impair_rule_parse(lists[i][n], &rule, &d) != 0)
                    fail_msg("%s: %s: %s", p->name, lists[i][n], d.text);
            }
    }
    assert_true(rules > 30);
}

/* A name stands twice only where the two commands do different things. */
static void each_name_stands_once(void **state)
{
    (void)state;
    for (const struct preset *p = presets; p->name; p++) {
        assert_true(strlen(p->name) < 24 && strlen(p->help) < 56);
        for (const struct preset *q = presets; q < p; q++)
            assert_true(strcmp(p->name, q->name) != 0 || !(p->commands & q->commands));
    }
}

static void the_list_of_presets_is_that_of_the_command(void **state)
{
    const struct listen_options l = {.preset.help = true}, none = {.discard = true};
    const struct connect_options c = {.preset.help = true};
    FILE *to = tmpfile();
    char text[8192];
    size_t n;

    (void)state;
    assert_non_null(to);
    assert_false(listen_tell(&none, to));
    assert_int_equal(ftell(to), 0);
    assert_true(listen_tell(&l, to));
    rewind(to);
    n = fread(text, 1, sizeof text - 1, to);
    text[n] = '\0';
    assert_non_null(strstr(text, "\nbacklog-full "));
    rewind(to);
    assert_true(connect_command.tell(&c, to));
    n = (size_t)ftell(to);
    rewind(to);
    n = fread(text, 1, n, to);
    text[n] = '\0';
    assert_null(strstr(text, "backlog-full "));
    assert_non_null(strstr(text, "\nvanish "));
    fclose(to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_parses),
        cmocka_unit_test(each_name_stands_once),
        cmocka_unit_test(the_list_of_presets_is_that_of_the_command),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
