/* Tests the words and statuses that scripts rely on. They are repeated here on purpose, so that a
 * change is noticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/core/event.h"
#include "lib/core/verdict.h"

static void the_status_of_each_word_is_the_contracts(void **state)
{
    static const char *const word[] = {"open",    "failed",   "usage", "local", "refused",
                                       "dropped", "rejected", "reset", "lost"};
    (void)state;
    for (int status = 0; status < 9; status++)
        assert_string_equal(verdict_name((enum verdict)status), word[status]);
}

static void a_verdict_that_is_none_has_a_word_too(void **state)
{
    (void)state;
    assert_string_equal(verdict_name((enum verdict)9), "unknown");
    assert_string_equal(verdict_name((enum verdict) - 1), "unknown");
}

static void every_check_has_words_of_its_own(void **state)
{
    (void)state;
    for (int a = 0; a < CHECK_COUNT; a++) {
        assert_non_null(check_name((enum check)a));
        assert_true(strlen(check_name((enum check)a)) > 3);
        for (int b = 0; b < a; b++)
            assert_string_not_equal(check_name((enum check)a), check_name((enum check)b));
    }
    assert_non_null(check_name(CHECK_COUNT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_status_of_each_word_is_the_contracts),
        cmocka_unit_test(a_verdict_that_is_none_has_a_word_too),
        cmocka_unit_test(every_check_has_words_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
