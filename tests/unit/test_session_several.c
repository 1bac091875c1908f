/* Tests a session with several connections that we open: each is numbered, probes its peer at its
 * own times, and has a verdict of its own. Over a simulated network, in virtual time. */
#include "lib/run/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/core/diag.h"
#include "lib/core/err.h"
#include "tests/unit/network.h"

#define SEVERAL 4
#define ENDS (30 * WAVE_S) /* after the beginning of the session */
#define COUNT_MAX 64

static struct several_rig {
    struct session *session;
    struct session_conn *conn[SEVERAL];
    wave_time probed[SEVERAL][COUNT_MAX]; /* when */
    unsigned probes[SEVERAL], answers[SEVERAL];
    wave_time begun;
} rig;

static const struct addr far_end = {{192, 0, 2, 80}};

/* How each is probed: the last one not at all. */
static struct keepalive_times times_of(unsigned i)
{
    return (struct keepalive_times){
        .idle = (i + 2) * WAVE_S, .interval = 500 * WAVE_MS, .count = 3};
}

static void event(struct session *s, struct session_conn *c, const struct event *e)
{
    unsigned i = 0;

    while (i < SEVERAL && rig.conn[i] != c)
        i++;
    assert_in_range(i, 0, SEVERAL - 1);
    if (e->kind == EVENT_STATE && e->u.state.to == STATE_ESTABLISHED && i < SEVERAL - 1) {
        struct keepalive_times times = times_of(i);
        assert_int_equal(conn_keepalive_times(session_engine(s, c), e->at, &times), 0);
        session_changed(s, c, e->at);
    }
    if (e->kind == EVENT_PROBE && rig.probes[i] < COUNT_MAX)
        rig.probed[i][rig.probes[i]++] = e->at;
    rig.answers[i] += e->kind == EVENT_PROBE_ANSWER;
}

static wave_time turn(struct session *s, wave_time now)
{
    if (now >= rig.begun + ENDS)
        session_stop(s, STOP_ASKED);
    return rig.begun + ENDS;
}

static const struct session_ops ops = {.turn = turn, .event = event};

static void begin(void)
{
    struct port_sim_config network = network_with(HOST_DISCARD);
    struct session_config config = {.command = "test",
                                    .max_connections = SEVERAL,
                                    .many = true,
                                    .shows = true,
                                    .linger = WAVE_S,
                                    .signals = -1};
    struct port *port;
    struct diag d;

    memset(&rig, 0, sizeof rig);
    network.lports = SEVERAL;
    conn_config_default(&config.engine, 1500, false);
    assert_int_equal(port_sim_open(&port, &network, &d), 0);
    rig.begun = port_now(port);
    assert_int_equal(session_open(&rig.session, port, &config, &ops, &rig, &d), 0);
    for (uint32_t i = 0; i < SEVERAL; i++)
        assert_int_equal(session_connect(rig.session, i, &far_end, 80, &rig.conn[i]), 0);
}

static void each_probes_at_its_own_times(void **state)
{
    (void)state;
    begin();
    session_run(rig.session);
    for (unsigned i = 0; i < SEVERAL - 1; i++) {
        const wave_time every = times_of(i).idle;
        assert_in_range(rig.probes[i], (ENDS - WAVE_S) / (every + 20 * WAVE_MS + WAVE_MS),
                        ENDS / every);
        assert_int_equal(rig.answers[i], rig.probes[i]);
        for (unsigned n = 1; n < rig.probes[i]; n++) /* idle from the answer, a round trip later */
            assert_in_range(rig.probed[i][n] - rig.probed[i][n - 1], every + 20 * WAVE_MS,
                            every + 21 * WAVE_MS);
    }
    assert_int_equal(rig.probes[SEVERAL - 1], 0);
    session_close(rig.session);
}

static void each_has_a_number_a_port_and_a_verdict(void **state)
{
    struct outcome o;

    (void)state;
    begin();
    session_run(rig.session);
    for (unsigned i = 0; i < SEVERAL; i++) {
        const struct report_flow *f = session_flow(rig.conn[i]);
        assert_int_equal(f->connection, i + 1);
        assert_int_equal(f->flow.lport, NETWORK_LPORT + i);
        session_outcome(rig.session, rig.conn[i], &o);
        assert_int_equal(o.verdict, VERDICT_OPEN);
    }
    session_close(rig.session);
}

static void a_second_one_between_the_same_ports_is_refused(void **state)
{
    struct session_conn *c = NULL;

    (void)state;
    begin();
    assert_int_equal(session_connect(rig.session, 0, &far_end, 80, &c), WAVE_EINUSE);
    assert_null(c);
    session_close(rig.session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_probes_at_its_own_times),
        cmocka_unit_test(each_has_a_number_a_port_and_a_verdict),
        cmocka_unit_test(a_second_one_between_the_same_ports_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
