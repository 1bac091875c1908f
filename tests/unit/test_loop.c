/* The loop over a simulated network, and over ports that refuse: what it sends, when it sleeps, and
 * how it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/run/loop.h"
#include "tests/unit/network.h"

/* One connection on a loop, which sends `send` bytes and then its FIN. */
struct loop_rig {
    struct port *port;
    struct stack *stack;
    struct loop loop;
    uint32_t id;
    uint32_t left, received;
    unsigned packets, rounds, refused, timeouts;
    bool keeps_open;
    wave_time established_at, closed_at;
    struct diag error;
};

static void read_all(struct loop_rig *r)
{
    struct conn *c = stack_conn(r->stack, r->id);
    const uint8_t *bytes;
    size_t n;

    while ((n = conn_peek(c, &bytes)) > 0) {
        r->received += (uint32_t)n;
        conn_consume(c, r->loop.now, n);
    }
    stack_changed(r->stack, r->loop.now, r->id);
}

static bool take(void *self, const struct wire_packet *p)
{
    struct loop_rig *r = self;
    struct flow flow = flow_reverse(&p->packet.flow);

    r->packets++;
    if (p->packet.kind == PACKET_ICMP)
        stack_icmp(r->stack, r->loop.now, &p->packet.icmp);
    else if (!p->outgoing)
        stack_input(r->stack, r->loop.now, &flow, &p->packet.seg);
    r->loop.ops->egress.events(r);
    return false;
}

static void events(void *self)
{
    struct loop_rig *r = self;
    struct event e;

    while (stack_event(r->stack, &e)) {
        if (e.kind == EVENT_DATA)
            read_all(r);
        if (e.kind != EVENT_STATE)
            continue;
        if (e.u.state.to == STATE_ESTABLISHED)
            r->established_at = e.at;
        if (e.u.state.to == STATE_CLOSED) {
            r->closed_at = e.at;
            r->loop.done = true;
        }
    }
}

static wave_time turn(void *self)
{
    static uint8_t data[65536];
    struct loop_rig *r = self;
    struct conn *c = stack_conn(r->stack, r->id);

    r->rounds++;
    if (!c || !state_synchronized((enum state)c->state))
        return WAVE_NEVER;
    if (r->left) {
        int sent = conn_send(c, r->loop.now, data, r->left < sizeof data ? r->left : sizeof data);
        r->left -= sent > 0 ? (uint32_t)sent : 0;
    }
    if (!r->left && !r->keeps_open && !(c->flags & CONN_FIN_QUEUED))
        conn_close(c, r->loop.now);
    stack_changed(r->stack, r->loop.now, r->id);
    return WAVE_NEVER;
}

static void send_failed(void *self, const struct flow *flow, const struct diag *d)
{
    struct loop_rig *r = self;

    (void)flow;
    r->refused++;
    r->error = *d;
}

static void signalled(void *self, int sig)
{
    (void)sig;
    ((struct loop_rig *)self)->loop.done = true;
}

static void timed_out(void *self)
{
    struct loop_rig *r = self;

    r->timeouts++;
    r->loop.done = true;
}

static void failed(void *self, const struct diag *d, bool deaf)
{
    struct loop_rig *r = self;

    (void)deaf;
    r->error = *d;
    r->loop.done = true;
}

static const struct loop_ops ops = {.egress = {.events = events, .send_failed = send_failed},
                                    .packet = take,
                                    .turn = turn,
                                    .signalled = signalled,
                                    .timed_out = timed_out,
                                    .failed = failed};

/* A rig over this port, whose far end is at 192.0.2.80:80. */
static struct loop_rig *rig_over(struct port *port, uint32_t bytes)
{
    struct loop_rig *r = calloc(1, sizeof *r);
    struct flow flow = {.local = addr_v4(192, 0, 2, 1),
                        .remote = addr_v4(192, 0, 2, 80),
                        .lport = 40000,
                        .rport = 80};
    struct conn_config cc;

    assert_non_null(r);
    conn_config_default(&cc, 1500, false);
    cc.time_wait = false;
    r->port = port;
    r->left = bytes;
    assert_int_equal(stack_create(&r->stack, &cc, 1, 3), 0);
    loop_init(&r->loop, port, r->stack, &ops, r);
    assert_int_equal(stack_connect(r->stack, r->loop.now, &flow, &r->id), 0);
    return r;
}

static struct loop_rig *rig(const struct port_sim_config *c, uint32_t bytes)
{
    struct port *port;
    struct diag d;

    assert_int_equal(port_sim_open(&port, c, &d), 0);
    return rig_over(port, bytes);
}

static void rig_free(struct loop_rig *r)
{
    stack_destroy(r->stack);
    port_close(r->port);
    free(r);
}

/* A whole exchange: every byte comes back, and both sides close. */
static void test_exchange(void **state)
{
    struct port_sim_config c = network_with(HOST_ECHO);
    struct loop_rig *r = rig(&c, 300000);

    (void)state;
    loop_run(&r->loop);
    assert_int_equal(r->received, 300000);
    assert_int_equal(r->established_at, WAVE_S + 20 * WAVE_MS); /* one round trip */
    assert_int_equal(stack_conn(r->stack, r->id)->end, END_CLOSED);
    assert_int_equal(r->refused, 0);
    rig_free(r);
}

/* The same seed gives the same run, losses and all. */
static void test_same_seed(void **state)
{
    struct port_sim_config c = network_with(HOST_ECHO);
    wave_time ended[2];
    unsigned packets[2];

    (void)state;
    c.forward.loss = c.reverse.loss = 300;
    for (int i = 0; i < 2; i++) {
        struct loop_rig *r = rig(&c, 200000);
        loop_run(&r->loop);
        assert_int_equal(r->received, 200000);
        assert_true(port_sim_path(r->port)->counts.lost > 0);
        ended[i] = r->closed_at;
        packets[i] = r->packets;
        rig_free(r);
    }
    assert_int_equal(ended[0], ended[1]);
    assert_int_equal(packets[0], packets[1]);
}

/* A SYN to a closed port: RST after one round trip. */
static void test_refused(void **state)
{
    struct port_sim_config c = network_with(HOST_CLOSED);
    struct loop_rig *r = rig(&c, 0);

    (void)state;
    loop_run(&r->loop);
    assert_int_equal(stack_conn(r->stack, r->id)->end, END_REFUSED);
    assert_int_equal(r->closed_at, WAVE_S + 20 * WAVE_MS);
    rig_free(r);
}

/* The deadline ends a run to the nanosecond, however long nothing happens. */
static void test_deadline(void **state)
{
    struct port_sim_config c = network_with(HOST_SILENT);
    struct loop_rig *r = rig(&c, 0);

    (void)state;
    r->loop.deadline = r->loop.now + 3 * WAVE_S;
    loop_run(&r->loop);
    assert_int_equal(r->timeouts, 1);
    assert_int_equal(r->loop.now, 4 * WAVE_S);
    rig_free(r);
}

/* Two hours of silence take no more rounds than something happens. */
static void test_sleeps(void **state)
{
    struct port_sim_config c = network_with(HOST_ECHO);
    struct loop_rig *r = rig(&c, 10);

    (void)state;
    r->keeps_open = true;
    r->loop.deadline = r->loop.now + 7200 * WAVE_S;
    loop_run(&r->loop);
    assert_int_equal(r->received, 10);
    assert_true(r->rounds < 100);
    rig_free(r);
}

/*
 * Ports in front of the simulated one
 */

struct wrapped {
    struct port port;
    struct port_ops ops;
    struct port *inner;
    unsigned full;     /* so many flushes find no room */
    uint32_t mtu;      /* segments with more data are too big, as the kernel says */
    bool queued_big;
    struct wire_unsent big;
    unsigned flushes;
    wave_time first_full, last_full;
};

static int wrapped_send(struct port *p, const struct flow *flow, const struct seg *s,
                        const struct wire_ip *ip, struct diag *d)
{
    struct wrapped *w = (struct wrapped *)p;

    if (w->mtu && s->len > w->mtu) {
        w->queued_big = true;
        w->big = (struct wire_unsent){*flow, s->seq};
        return 0;
    }
    return w->inner->ops->send(w->inner, flow, s, ip, d);
}

static int wrapped_flush(struct port *p, struct wire_unsent *u, struct diag *d)
{
    struct wrapped *w = (struct wrapped *)p;

    w->flushes++;
    if (w->queued_big) {
        w->queued_big = false;
        *u = w->big;
        return WAVE_ETRUNC;
    }
    if (w->full) {
        w->full--;
        if (!w->first_full)
            w->first_full = port_now(w->inner);
        w->last_full = port_now(w->inner);
        return WAVE_EAGAIN;
    }
    return w->inner->ops->flush(w->inner, u, d);
}

static int wrapped_next(struct port *p, struct wire_packet *out, struct diag *d)
{
    struct wrapped *w = (struct wrapped *)p;
    return w->inner->ops->next(w->inner, out, d);
}

static wave_time wrapped_now(struct port *p)
{
    return port_now(((struct wrapped *)p)->inner);
}

static bool wrapped_wait(struct port *p, wave_time until, struct pollfd *fds, unsigned n)
{
    struct wrapped *w = (struct wrapped *)p;
    return w->inner->ops->wait(w->inner, until, fds, n);
}

static void wrapped_close(struct port *p)
{
    port_close(((struct wrapped *)p)->inner);
}

static void wrap(struct wrapped *w, struct port *inner)
{
    *w = (struct wrapped){.inner = inner};
    w->ops = (struct port_ops){.send = wrapped_send,
                               .flush = wrapped_flush,
                               .next = wrapped_next,
                               .now = wrapped_now,
                               .stamp = wrapped_now,
                               .wait = wrapped_wait,
                               .close = wrapped_close};
    w->port = (struct port){
        .ops = &w->ops, .info = inner->info, .virtual_time = inner->virtual_time};
}

/* Sets up the network of an echo host, wrapped. */
static void wrapped_echo(struct wrapped *w)
{
    struct port_sim_config c = network_with(HOST_ECHO);
    struct port *port;
    struct diag d;

    assert_int_equal(port_sim_open(&port, &c, &d), 0);
    wrap(w, port);
}

/* A kernel without room is asked again after a pause that doubles from 100 us to 10 ms. */
static void test_no_room(void **state)
{
    struct wrapped w;
    struct loop_rig *r;

    (void)state;
    wrapped_echo(&w);
    w.full = 9;
    r = rig_over(&w.port, 1000);
    loop_run(&r->loop);
    assert_int_equal(r->received, 1000);
    /* 0.1 + 0.2 + 0.4 + 0.8 + 1.6 + 3.2 + 6.4 + 10 ms lie between the first and the last. */
    assert_int_equal(w.last_full - w.first_full, 22700 * WAVE_US);
    assert_int_equal(r->refused, 0);
    rig_free(r);
}

/* RFC 1191, 6.3: a segment beyond the MTU lowers it at once, and the data goes in smaller ones. */
static void test_too_big(void **state)
{
    struct wrapped w;
    struct loop_rig *r;

    (void)state;
    wrapped_echo(&w);
    w.mtu = 1000;
    r = rig_over(&w.port, 20000);
    loop_run(&r->loop);
    assert_int_equal(r->received, 20000);
    assert_true(r->closed_at < 2 * WAVE_S); /* no retransmission timeout was needed */
    assert_int_equal(r->refused, 0);
    rig_free(r);
}

/* After the run what is owed still goes out, and what is under way is still taken in. */
static void test_drain(void **state)
{
    struct port_sim_config c = network_with(HOST_NEVER_CLOSES);
    struct loop_rig *r = rig(&c, 10);
    unsigned packets;

    (void)state;
    r->keeps_open = true;
    r->loop.deadline = r->loop.now + WAVE_S;
    loop_run(&r->loop);
    packets = r->packets;
    conn_abort(stack_conn(r->stack, r->id), r->loop.now);
    stack_changed(r->stack, r->loop.now, r->id);
    loop_drain(&r->loop, 50 * WAVE_MS, 2 * WAVE_S);
    assert_int_equal(r->packets, packets + 1); /* our RST, captured */
    assert_int_equal(stack_count(host_stack(port_sim_host(r->port))), 0);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exchange), cmocka_unit_test(test_same_seed),
        cmocka_unit_test(test_refused),  cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_sleeps),   cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_too_big),  cmocka_unit_test(test_drain),
    };

    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
