/* Tests the table of state transitions against a list that was written down from RFC 9293 by hand.
 * */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/core/state.h"

/* Every edge there is, as figure 5 and section 3.10 of RFC 9293 have them. */
static const struct {
    const char *from, *to, *why;
} edge[] = {
    {"CLOSED", "LISTEN", "figure 5: passive OPEN"},
    {"CLOSED", "SYN_SENT", "figure 5: active OPEN, snd SYN"},
    {"LISTEN", "SYN_SENT", "figure 5: SEND, snd SYN"},
    {"LISTEN", "SYN_RECEIVED", "figure 5: rcv SYN, snd SYN,ACK"},
    {"LISTEN", "CLOSED", "figure 5: CLOSE"},
    {"SYN_SENT", "CLOSED", "figure 5: CLOSE; 3.10.7.3: RST"},
    {"SYN_SENT", "SYN_RECEIVED", "figure 5: rcv SYN, snd SYN,ACK"},
    {"SYN_SENT", "ESTABLISHED", "figure 5: rcv SYN,ACK, snd ACK"},
    {"SYN_RECEIVED", "ESTABLISHED", "figure 5: rcv ACK of SYN"},
    {"SYN_RECEIVED", "FIN_WAIT_1", "figure 5: CLOSE, snd FIN"},
    {"SYN_RECEIVED", "LISTEN", "note 1: RST, and the OPEN was passive"},
    {"SYN_RECEIVED", "CLOSED", "3.10.7.4: RST, and the OPEN was active"},
    {"ESTABLISHED", "FIN_WAIT_1", "figure 5: CLOSE, snd FIN"},
    {"ESTABLISHED", "CLOSE_WAIT", "figure 5: rcv FIN, snd ACK"},
    {"ESTABLISHED", "CLOSED", "3.10.7.4: RST"},
    {"FIN_WAIT_1", "FIN_WAIT_2", "figure 5: rcv ACK of FIN"},
    {"FIN_WAIT_1", "CLOSING", "figure 5: rcv FIN, snd ACK"},
    {"FIN_WAIT_1", "TIME_WAIT", "3.10.7.4, eighth: FIN that acknowledges ours"},
    {"FIN_WAIT_1", "CLOSED", "3.10.7.4: RST"},
    {"FIN_WAIT_2", "TIME_WAIT", "figure 5: rcv FIN, snd ACK"},
    {"FIN_WAIT_2", "CLOSED", "3.10.7.4: RST"},
    {"CLOSE_WAIT", "LAST_ACK", "figure 5: CLOSE, snd FIN"},
    {"CLOSE_WAIT", "CLOSED", "3.10.7.4: RST"},
    {"CLOSING", "TIME_WAIT", "figure 5: rcv ACK of FIN"},
    {"CLOSING", "CLOSED", "3.10.7.4: RST"},
    {"LAST_ACK", "CLOSED", "figure 5: rcv ACK of FIN"},
    {"TIME_WAIT", "CLOSED", "figure 5: Timeout=2MSL"},
};

static bool listed(const char *from, const char *to)
{
    for (size_t i = 0; i < sizeof edge / sizeof *edge; i++)
        if (strcmp(edge[i].from, from) == 0 && strcmp(edge[i].to, to) == 0)
            return true;
    return false;
}

static void rfc9293_figure_5_exactly_these_edges_exist(void **state)
{
    size_t found = 0;

    (void)state;
    for (int from = 0; from < STATE_COUNT; from++)
        for (int to = 0; to < STATE_COUNT; to++) {
            const char *a = state_name((enum state)from), *b = state_name((enum state)to);

            if (state_edge((enum state)from, (enum state)to) != listed(a, b))
                fail_msg("%s -> %s: the table and the list differ", a, b);
            found += state_edge((enum state)from, (enum state)to);
        }
    /* Every name in the list was met, so that a misspelt one cannot hide. */
    assert_int_equal(found, sizeof edge / sizeof *edge);
}

static void rfc9293_3_3_2_names_are_the_rfcs(void **state)
{
    static const char *const name[] = {"CLOSED",      "LISTEN",     "SYN_SENT",   "SYN_RECEIVED",
                                       "ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2", "CLOSE_WAIT",
                                       "CLOSING",     "LAST_ACK",   "TIME_WAIT",  "UNKNOWN"};
    (void)state;
    for (int s = 0; s < STATE_COUNT; s++)
        assert_string_equal(state_name((enum state)s), name[s]);
    assert_non_null(state_name((enum state)99));
}

static void rfc9293_3_5_synchronized_states_are_the_eight_after_the_handshake(void **state)
{
    (void)state;
    for (int s = 0; s < STATE_COUNT; s++) {
        const char *name = state_name((enum state)s);
        bool is = strcmp(name, "CLOSED") && strcmp(name, "LISTEN") && strcmp(name, "SYN_SENT") &&
                  strcmp(name, "SYN_RECEIVED") && strcmp(name, "UNKNOWN");

        assert_int_equal(state_synchronized((enum state)s), is);
    }
}

static void what_is_no_state_has_no_edge(void **state)
{
    (void)state;
    assert_false(state_edge((enum state)99, STATE_CLOSED));
    assert_false(state_edge(STATE_CLOSED, (enum state)99));
    assert_false(state_edge((enum state) - 1, STATE_CLOSED));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc9293_figure_5_exactly_these_edges_exist),
        cmocka_unit_test(rfc9293_3_3_2_names_are_the_rfcs),
        cmocka_unit_test(rfc9293_3_5_synchronized_states_are_the_eight_after_the_handshake),
        cmocka_unit_test(what_is_no_state_has_no_edge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
