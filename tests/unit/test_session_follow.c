/* Tests that a flow of a session is followed without an engine, gets one while it lives, loses it
 * and gets another. The segments that no engine makes are made here, field by field, and the peer
 * is a simulated host, which would reset a connection whose numbers do not go on. */
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

#define STEP (100 * WAVE_MS)
#define ISS 5000
#define TSVAL 70000

/* What a connection is like. */
struct follow_case {
    bool v6;
    bool passive;      /* the peer opens it */
    uint8_t our_scale; /* of our SYN; 0: it has no window scale */
    bool their_scale;  /* the peer's SYN has one */
};

#define THEIR_SHIFT 7 /* what conn_config_default() comes to, for a buffer of 4 MiB */
#define BUFFER (4u << 20)
#define OUR_WINDOW 60000 /* the field of a SYN that no engine has made, and of the first ACK */

static struct follow_rig {
    struct follow_case is;
    struct session *session;
    struct session_conn *conn;
    wave_time begun;
    unsigned step;
    uint32_t ours; /* segments of ours that were captured when the engine was given up */
} rig;

static const struct addr far_end = {{192, 0, 2, 80}};
static const struct addr far_end6 = {{0x20, 0x01, 0x0d, 0xb8, [15] = 0x80}};
static const struct addr near_end6 = {{0x20, 0x01, 0x0d, 0xb8, [15] = 1}};

/* Returns the scale of our windows. */
static unsigned our_shift(void)
{
    return rig.is.their_scale ? rig.is.our_scale : 0;
}

/* Returns the window field. Once an engine has offered more, the edge stays where it is. */
static uint16_t window_field(void)
{
    const struct track *t = &rig.conn->record->flow.track;

    return rig.ours ? (uint16_t)((t->half[0].edge.v - t->half[1].next.v) >> our_shift())
                    : OUR_WINDOW;
}

/* Sends a segment of the flow that no engine has made. */
static void put(uint16_t flags, uint32_t len, uint32_t tsval)
{
    static const uint8_t bytes[16];
    const struct session_record *r = rig.conn->record;
    struct seg seg = {.seq = r->flow.has_iss ? r->flow.track.half[0].next : seq_of(ISS),
                      .ack = r->flow.track.half[1].next,
                      .flags = flags,
                      .wnd = window_field(),
                      .len = len,
                      .data = len ? bytes : NULL};
    struct diag d;

    seg.opt.has = OPT_TIMESTAMP;
    seg.opt.tsval = tsval;
    seg.opt.tsecr = r->ts_recent;
    if (flags & SEG_SYN) {
        seg.opt.has |= OPT_MSS | (rig.is.our_scale ? OPT_WSCALE : 0);
        seg.opt.mss = rig.is.v6 ? 1440 : 1460;
        seg.opt.wscale = rig.is.our_scale;
    }
    assert_int_equal(rig.session->port->ops->send(rig.session->port, &r->flow.flow, &seg, NULL, &d),
                     0);
}

/* Returns whether the peer has acknowledged all that we sent. */
static bool all_acknowledged(void)
{
    const struct track *t = &rig.conn->record->flow.track;

    return seq_eq(t->half[1].acked, t->half[0].next);
}

static void engine_sends(struct session *s, wave_time now, const char *text)
{
    struct conn *e = session_engine(s, rig.conn);

    assert_non_null(e);
    assert_int_equal(conn_send(e, now, text, strlen(text)), strlen(text));
    session_changed(s, rig.conn, now);
}

/* Returns the far end's side of the connection. */
static const struct conn *theirs(void)
{
    struct stack *stack = host_stack(port_sim_host(rig.session->port));
    uint32_t at = 0;

    return stack_conn(stack, stack_next(stack, &at));
}

/* Returns whether the edge is where its field says, which is rounded to the scale (RFC 7323, 2.3),
 * or at the end of the buffer, beyond what the field can say. */
static bool edge_is(struct seq edge, const struct conn *sender, unsigned shift)
{
    uint32_t seen = conn_snd_una(sender).v + conn_snd_wnd(sender);

    return edge.v - seen < 1u << shift || seen - edge.v < 1u << shift ||
           (conn_snd_wnd(sender) == (uint32_t)UINT16_MAX << shift && edge.v - seen < BUFFER);
}

/* Checks that our engine and the peer's agree on the connection, while nothing is on its way. */
static void agree(struct session *s)
{
    const struct conn *our = session_engine(s, rig.conn), *their = theirs();

    assert_int_equal(conn_state(our), STATE_ESTABLISHED);
    assert_int_equal(conn_passive(our), rig.is.passive);
    assert_int_equal(conn_iss(our).v, conn_irs(their).v);
    assert_int_equal(conn_irs(our).v, conn_iss(their).v);
    assert_int_equal(conn_snd_nxt(our).v, conn_rcv_nxt(their).v);
    assert_int_equal(conn_rcv_nxt(our).v, conn_snd_nxt(their).v);
    assert_true(edge_is(conn_rcv_edge(our), their, our_shift()));
    assert_true(edge_is(conn_rcv_edge(their), our, our_shift() ? THEIR_SHIFT : 0));
}

/* Checks that the windows are those of the segments that no engine has made, and of a scale that
 * holds only if both sides have offered one (RFC 7323, 2.2). The peer has said no window but that
 * of its SYN-ACK, which is not scaled, unless it opened the connection. */
static void has_scale(struct session *s)
{
    const struct conn *our = session_engine(s, rig.conn);
    const bool scaled = rig.is.passive && rig.is.our_scale && rig.is.their_scale;

    assert_int_equal(conn_rcv_edge(our).v - conn_rcv_nxt(our).v, OUR_WINDOW << our_shift());
    assert_int_equal(conn_snd_wnd(our) > UINT16_MAX, scaled);
}

/* Opens the connection: our SYN, or the peer's. */
static void open_it(wave_time now)
{
    const struct flow flow = flow_reverse(&rig.conn->record->flow.flow);
    uint32_t id;

    if (rig.is.passive)
        assert_int_equal(host_dial(port_sim_host(rig.session->port), now, &flow, &id), 0);
    else
        put(SEG_SYN, 0, TSVAL);
}

static void give_up(struct session *s)
{
    rig.ours = rig.conn->record->flow.segments[0];
    assert_int_equal(session_give_up(s, rig.conn), 0);
    assert_int_equal(session_give_up(s, rig.conn), WAVE_ESTATE);
    assert_null(session_engine(s, rig.conn));
}

static void act(struct session *s, wave_time now)
{
    switch (rig.step++) {
    case 0:
        open_it(now);
        break;
    case 1: /* the peer's SYN or SYN-ACK is not acknowledged yet */
        assert_int_equal(session_adopt(s, rig.conn), WAVE_ESTATE);
        put(rig.is.passive ? SEG_SYN | SEG_ACK : SEG_ACK, 0, TSVAL + 100);
        break;
    case 2:
        if (rig.is.passive) /* the window of a SYN-ACK is not scaled */
            put(SEG_ACK, 0, TSVAL + 150);
        break;
    case 3:
        assert_int_equal(session_adopt(s, rig.conn), 0);
        assert_int_equal(session_adopt(s, rig.conn), WAVE_ESTATE);
        agree(s);
        has_scale(s);
        engine_sends(s, now, "hello");
        break;
    case 4:
        assert_true(all_acknowledged());
        assert_int_equal(conn_unacked(session_engine(s, rig.conn)), 0);
        give_up(s);
        put(SEG_ACK | SEG_PSH, 3, TSVAL + 400);
        break;
    case 5: /* the one segment, and no RST for its acknowledgement */
        assert_int_equal(rig.conn->record->flow.segments[0], rig.ours + 1);
        assert_true(all_acknowledged());
        assert_int_equal(session_adopt(s, rig.conn), 0);
        agree(s);
        engine_sends(s, now, "and on");
        break;
    case 6:
        assert_true(all_acknowledged());
        agree(s);
        conn_close(session_engine(s, rig.conn), now);
        session_changed(s, rig.conn, now);
        break;
    default:
        session_stop(s, STOP_ASKED);
        break;
    }
}

static wave_time turn(struct session *s, wave_time now)
{
    while (!s->loop.done && now >= rig.begun + rig.step * STEP)
        act(s, now);
    return rig.begun + rig.step * STEP;
}

static const struct session_ops ops = {.turn = turn};

static void begin(const struct follow_case *is, bool shows)
{
    struct port_sim_config network = network_with(HOST_DISCARD);
    struct session_config config = {.command = "test",
                                    .max_connections = 1,
                                    .shows = shows,
                                    .v6 = is->v6,
                                    .linger = WAVE_S,
                                    .signals = -1};
    struct port *port;
    struct diag d;

    memset(&rig, 0, sizeof rig);
    rig.is = *is;
    conn_config_default(&config.engine, 1500, is->v6);
    config.engine.time_wait = false;
    if (is->v6) {
        conn_config_default(&network.host.engine, 1500, true);
        network.host.engine.time_wait = false;
        network.host.v6 = true;
        network.host.addr = far_end6;
        network.local = near_end6;
    }
    network.host.engine.wscale = is->their_scale;
    if (is->passive)
        network.host.port = 0;
    assert_int_equal(port_sim_open(&port, &network, &d), 0);
    rig.begun = port_now(port);
    assert_int_equal(session_open(&rig.session, port, &config, &ops, &rig, &d), 0);
}

/* A flow gets an engine, loses it and gets another, which closes. */
static void passes_on(const struct follow_case *is)
{
    const struct addr *far = is->v6 ? &far_end6 : &far_end;
    const struct report_flow *f;

    begin(is, true);
    assert_int_equal(session_follow(rig.session, 0, far, 80, &rig.conn), 0);
    session_run(rig.session);
    assert_int_equal(rig.step, 8);
    f = session_flow(rig.conn);
    assert_int_not_equal(f->fin_seen[0], 0);
    assert_int_not_equal(f->fin_seen[1], 0);
    assert_int_equal(conn_end(session_engine(rig.session, rig.conn)), END_CLOSED);
    assert_int_equal(f->peer.state, STATE_CLOSED);
    session_close(rig.session);
}

static void a_flow_gets_an_engine_loses_it_and_gets_another(void **state)
{
    (void)state;
    passes_on(&(struct follow_case){.their_scale = true});
}

static void a_flow_over_ipv6_does(void **state)
{
    (void)state;
    passes_on(&(struct follow_case){.v6 = true, .our_scale = 3, .their_scale = true});
}

/* RFC 7323, 2.2: a scale is in force if both SYNs have it. */
static void rfc7323_2_2_a_flow_with_window_scaling_does(void **state)
{
    (void)state;
    passes_on(&(struct follow_case){.our_scale = 5, .their_scale = true});
    passes_on(&(struct follow_case){.our_scale = 14, .their_scale = true});
    passes_on(&(struct follow_case){.our_scale = 5, .their_scale = false});
}

static void a_flow_that_the_peer_opened_does(void **state)
{
    (void)state;
    passes_on(&(struct follow_case){.passive = true, .their_scale = true});
    passes_on(&(struct follow_case){.passive = true, .our_scale = 5, .their_scale = true});
    passes_on(
        &(struct follow_case){.passive = true, .v6 = true, .our_scale = 9, .their_scale = true});
}

static void a_flow_is_followed_once(void **state)
{
    struct session_conn *second = NULL;
    (void)state;

    begin(&(struct follow_case){.v6 = false}, true);
    assert_int_equal(session_follow(rig.session, 0, &far_end, 80, &rig.conn), 0);
    assert_int_equal(session_follow(rig.session, 0, &far_end, 80, &second), WAVE_EINUSE);
    assert_null(second);
    session_release(rig.session, rig.conn);
    assert_int_equal(rig.session->followed, 0);
    session_close(rig.session);
}

static void nothing_is_followed_where_nothing_is_shown(void **state)
{
    struct session_conn *c = NULL;
    (void)state;

    begin(&(struct follow_case){.v6 = false}, false);
    assert_int_equal(session_follow(rig.session, 0, &far_end, 80, &c), WAVE_ESTATE);
    assert_null(c);
    session_close(rig.session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flow_gets_an_engine_loses_it_and_gets_another),
        cmocka_unit_test(a_flow_over_ipv6_does),
        cmocka_unit_test(rfc7323_2_2_a_flow_with_window_scaling_does),
        cmocka_unit_test(a_flow_that_the_peer_opened_does),
        cmocka_unit_test(a_flow_is_followed_once),
        cmocka_unit_test(nothing_is_followed_where_nothing_is_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
