/* Tests what a session keeps of a connection: a little for every one, and a record only for those
 * that are shown or reported. Peers connect to a listening session over a simulated network. */
#include "lib/run/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/core/diag.h"
#include "lib/sim/host.h"
#include "tests/unit/network.h"

#define PEERS 20
#define STARTS WAVE_S /* of the virtual clock */

/* With what a command keeps behind it. */
struct member {
    struct session_conn conn;
    uint64_t mark[3];
};

static struct session_lean_rig {
    struct port *port;
    struct session *session;
    unsigned dialled, ended;
    enum verdict verdict[2 * PEERS];
    char message[2 * PEERS][sizeof((struct outcome *)0)->message];
    uint32_t marks[2 * PEERS]; /* of those that ended: their first mark */
    bool keeps;                /* our side does not close */
    bool resets; /* the peers end their connections with RST half a second after the first came */
    bool again;  /* as many come once more when all have gone */
} rig;

static struct member *member_of(struct session_conn *c)
{
    return (struct member *)(void *)c;
}

/* Has the next peer connect. */
static void dial(wave_time now)
{
    struct flow flow = {.local = addr_v4(192, 0, 2, 80),
                        .remote = addr_v4(192, 0, 2, 1),
                        .lport = (uint16_t)(5000 + rig.dialled),
                        .rport = 80};
    uint32_t id;

    assert_int_equal(host_dial(port_sim_host(rig.port), now, &flow, &id), 0);
    rig.dialled++;
}

/* Has all peers reset their connections. */
static void reset_all(wave_time now)
{
    struct stack *s = host_stack(port_sim_host(rig.port));
    uint32_t cursor = 0, id;

    while ((id = stack_next(s, &cursor)) != STACK_NONE) {
        conn_abort(stack_conn(s, id), now);
        stack_changed(s, now, id);
    }
}

/* Does what the peers do: one connects every 10 ms. */
static wave_time peers_act(void *ctx, wave_time now)
{
    (void)ctx;
    if (rig.dialled == PEERS && rig.resets) {
        reset_all(now);
        return WAVE_NEVER;
    }
    if (rig.dialled < (rig.again ? 2 : 1) * PEERS)
        dial(now);
    if (rig.dialled % PEERS)
        return now + 10 * WAVE_MS;
    return rig.dialled > PEERS ? WAVE_NEVER
           : rig.resets        ? STARTS + WAVE_S / 2
           : rig.again         ? STARTS + 800 * WAVE_MS
                               : WAVE_NEVER;
}

static void opened(struct session *s, struct session_conn *c)
{
    struct member *m = member_of(c);

    (void)s;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(m->mark[i], 0);
        m->mark[i] = 1000 + rig.dialled;
    }
}

static void finish(struct session *s, struct session_conn *c)
{
    struct outcome o;

    session_outcome(s, c, &o);
    rig.verdict[rig.ended] = o.verdict;
    memcpy(rig.message[rig.ended], o.message, sizeof o.message);
    rig.marks[rig.ended++] = (uint32_t)member_of(c)->mark[0];
    session_release(s, c);
}

/* Closes our side from half a second after the first peer connected. Connections that are CLOSED
 * are released. */
static wave_time turn(struct session *s, wave_time now)
{
    struct session_conn *next;

    for (struct session_conn *c = session_first(s); c; c = next) {
        struct conn *e = session_engine(s, c);
        next = session_next(s, c);
        if (conn_state(e) == STATE_CLOSED && conn_expiry(e, now) > now) {
            finish(s, c);
        } else if (!rig.keeps && !rig.resets && now >= STARTS + WAVE_S / 2 &&
                   conn_state(e) == STATE_ESTABLISHED) {
            conn_close(e, now);
            session_changed(s, c, now);
        }
    }
    return now < STARTS + WAVE_S / 2 ? STARTS + WAVE_S / 2 : WAVE_NEVER;
}

static const struct session_ops ops = {
    .conn_size = sizeof(struct member), .turn = turn, .opened = opened};

/* Starts a session that listens, and to which PEERS peers connect. */
static void begin(bool shows)
{
    struct port_sim_config network = network_with(HOST_DISCARD);
    struct session_config config = {.command = "test",
                                    .max_connections = 2 * PEERS,
                                    .many = true,
                                    .shows = shows,
                                    .timeout = WAVE_S,
                                    .linger = WAVE_S,
                                    .signals = -1};
    struct stack_listener at = {.any = true, .port = 80, .half_open = 256, .answer_rst = true};
    struct diag d;

    rig = (struct session_lean_rig){.port = NULL};
    network.lport = 80;
    network.forward.delay = network.reverse.delay = WAVE_MS;
    network.inbound_only = !shows;
    conn_config_default(&config.engine, 1500, false);
    config.engine.time_wait = false;
    assert_int_equal(port_sim_open(&rig.port, &network, &d), 0);
    assert_int_equal(session_open(&rig.session, rig.port, &config, &ops, &rig, &d), 0);
    assert_int_equal(stack_listen(rig.session->stack, &at), 0);
    port_sim_at(rig.port, STARTS, peers_act, NULL);
}

static void listen_to(bool shows)
{
    begin(shows);
    session_run(rig.session);
}

static void all_are_told(enum verdict verdict)
{
    assert_int_equal(rig.ended, PEERS);
    for (unsigned i = 0; i < PEERS; i++)
        assert_int_equal(rig.verdict[i], verdict);
}

static void without_a_record_the_verdict_is_the_same(void **state)
{
    (void)state;
    listen_to(true);
    all_are_told(VERDICT_OPEN);
    assert_non_null(strstr(rig.message[0], "connected to 192.0.2.80:5000"));
    session_close(rig.session);
    listen_to(false);
    all_are_told(VERDICT_OPEN);
    assert_string_equal(rig.message[0], ""); /* there is no report without a reader */
    session_close(rig.session);
}

static void a_reset_is_told_without_a_record(void **state)
{
    (void)state;
    begin(false);
    rig.resets = true;
    session_run(rig.session);
    all_are_told(VERDICT_RESET);
    session_close(rig.session);
}

/* Cuts the connections off while they are open, so that they can still be examined. */
static void cut_off(bool shows)
{
    begin(shows);
    rig.keeps = true;
    session_run(rig.session);
    assert_int_equal(rig.session->opened, PEERS);
}

static void of_those_that_are_not_shown_there_is_no_record(void **state)
{
    unsigned n = 0;

    (void)state;
    cut_off(false);
    for (struct session_conn *c = session_first(rig.session); c;
         c = session_next(rig.session, c), n++) {
        assert_null(c->record);
        assert_null(session_flow(c));
    }
    assert_int_equal(n, PEERS);
    session_close(rig.session);
}

static void those_that_are_shown_are_numbered_as_they_came(void **state)
{
    unsigned n = 0;

    (void)state;
    cut_off(true);
    for (struct session_conn *c = session_first(rig.session); c; c = session_next(rig.session, c)) {
        assert_int_equal(session_flow(c)->connection, ++n);
        assert_int_equal(session_flow(c)->flow.rport, 4999 + n);
        assert_ptr_equal(session_of_flow(session_flow(c)), c);
    }
    for (struct session_conn *c = session_last(rig.session); c; c = session_prev(rig.session, c))
        assert_int_equal(session_flow(c)->connection, n--);
    assert_int_equal(n, 0);
    session_close(rig.session);
}

/* Slots that were released are reused, and nothing of their former content is left. */
static void a_connection_in_a_used_slot_is_a_new_one_and_the_last(void **state)
{
    (void)state;
    begin(true);
    rig.again = true; /* the first ones are closed by then */
    session_run(rig.session);
    assert_int_equal(rig.session->opened, 2 * PEERS);
    assert_true(rig.session->slab.made <= PEERS + 1);
    for (unsigned i = 1; i < rig.ended; i++)
        assert_true(rig.marks[i] > rig.marks[i - 1]);
    session_close(rig.session);
}

static void a_single_connection_has_a_record_though_it_is_not_shown(void **state)
{
    struct session_conn *c;

    (void)state;
    begin(false);
    rig.session->many = false;
    assert_int_equal(session_connect(rig.session, 0, &(struct addr){{192, 0, 2, 80}}, 81, &c), 0);
    assert_non_null(c->record);
    session_close(rig.session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_record_the_verdict_is_the_same),
        cmocka_unit_test(a_reset_is_told_without_a_record),
        cmocka_unit_test(of_those_that_are_not_shown_there_is_no_record),
        cmocka_unit_test(those_that_are_shown_are_numbered_as_they_came),
        cmocka_unit_test(a_connection_in_a_used_slot_is_a_new_one_and_the_last),
        cmocka_unit_test(a_single_connection_has_a_record_though_it_is_not_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
