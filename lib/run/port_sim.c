/*
 * Three things happen at known times: the next arrival on the path, the far host's next timer, and
 * what the test asked for (port_sim_at()). wait() moves the clock to the earliest of them, lets it
 * happen, and goes on until a packet has come for the near end or `until` is reached.
 *
 * A captured packet, ours as it leaves or the peer's as it arrives, is stored as the bytes of an IP
 * packet and read with ip_parse(), exactly like one from an interface.
 */
#include "lib/run/port_sim.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/core/checksum.h"
#include "lib/core/diag.h"
#include "lib/core/icmp_build.h"
#include "lib/core/ip_build.h"
#include "lib/sim/hops.h"
#include "lib/sim/nat.h"
#include "lib/sim/syn_proxy.h"

#define LOOK_EVERY 64 /* waits between two looks at descriptors that nothing has to wait for */
#define BOX_MSS 1460  /* that the SYN proxy offers, less 20 with IPv6 */

enum { NEAR_END, FAR_END }; /* ends of the path */

struct captured {
    struct captured *next;
    wave_time at;
    bool outgoing;
    uint32_t len;
    uint8_t bytes[];
};

struct port_sim {
    struct port port;
    struct wire_info info;
    struct path path;
    struct host *host;
    wave_time now;
    wave_time began; /* by the clock on the wall, with `real` */
    uint64_t number;
    bool inbound_only, real, patient;
    uint32_t lports, window, hops;
    uint32_t listed[PORT_SIM_LOSE]; /* numbers of segments that will be lost, ascending; then 0 */
    unsigned looked; /* waits since the descriptors were polled */
    bool has_nat, has_syn_proxy;
    struct nat nat;
    struct syn_proxy syn_proxy;
    struct captured *first, **end; /* captured and not yet returned; where the next one is linked */
    struct captured *given;        /* what next() returned last; valid until the next call */
    struct wire_stats stats;
    port_sim_lose *lose;
    void *lose_ctx;
    wave_time act_at;
    wave_time (*act)(void *ctx, wave_time now);
    void *act_ctx;
    bool acted; /* since wait() last polled the descriptors */
    uint8_t room[CONN_ROOM];
};

static struct port_sim *sim_of(struct port *p)
{
    return (struct port_sim *)p;
}

/* Returns whether the network loses the next segment, which it counts by number. */
static bool loses_next(struct port_sim *s, bool outgoing, const struct flow *flow,
                       const struct seg *seg)
{
    bool lost = s->lose && s->lose(s->lose_ctx, s->now, outgoing, s->number + 1, flow, seg);

    if (s->listed[0] != s->number + 1)
        return lost;
    for (unsigned i = 0; i + 1 < PORT_SIM_LOSE; i++)
        s->listed[i] = s->listed[i + 1];
    s->listed[PORT_SIM_LOSE - 1] = 0;
    return true;
}

static void append(struct port_sim *s, struct captured *c)
{
    c->next = NULL;
    *s->end = c;
    s->end = &c->next;
}

static void take_first(struct port_sim *s)
{
    s->first = s->first->next;
    if (!s->first)
        s->end = &s->first;
}

/* Captures a segment; `flow` is as its sender sees it. If memory is short, the segment counts as
 * dropped by the capture. */
static void capture(struct port_sim *s, bool outgoing, const struct flow *flow, const uint8_t *tcp,
                    uint32_t len, const struct ip_fields *ip)
{
    size_t header = ip_build_size(flow->v6);
    struct captured *c = malloc(sizeof *c + header + len);

    s->stats.received++;
    if (!c) {
        s->stats.dropped++;
        return;
    }
    *c = (struct captured){.at = s->now, .outgoing = outgoing, .len = (uint32_t)header + len};
    ip_build(flow, CHECKSUM_TCP, ip, len, c->bytes);
    memcpy(c->bytes + header, tcp, len);
    append(s, c);
}

/* Captures an ICMP error. */
static void capture_icmp(struct port_sim *s, const struct icmp *e, uint8_t ttl)
{
    struct captured *c = malloc(sizeof *c + ICMP_PACKET);

    s->stats.received++;
    if (!c) {
        s->stats.dropped++;
        return;
    }
    *c = (struct captured){.at = s->now};
    c->len = (uint32_t)icmp_build(e, ttl, c->bytes);
    append(s, c);
}

/* Sends one of our segments over the path, or has a router drop it whose number the TTL reaches.
 * Returns 0 or WAVE_ENOMEM. */
static int near_sends(struct port_sim *s, const struct flow *flow, const struct seg *seg,
                      uint8_t ttl, bool lost)
{
    const uint32_t router = hops_expires(s->hops, ttl);
    const wave_time delay = s->path.direction[NEAR_END].impairment.delay;
    struct icmp e;

    s->number++;
    if (!router)
        return path_send(&s->path, s->now, NEAR_END, flow, seg, s->number, lost);
    s->path.counts.sent++;
    s->path.counts.lost++;
    hops_error(&e, flow, seg->seq, router);
    return path_error(&s->path, time_add(s->now, 2 * hops_way(s->hops, delay, router)), NEAR_END,
                      &e);
}

/* Sends a segment over the path; `lost`: it does not get across. */
static int put(struct port *p, const struct flow *flow, const struct seg *seg,
               const struct wire_ip *ip, bool lost, struct diag *d)
{
    struct port_sim *s = sim_of(p);
    size_t room = SEG_HEADER + opt_size(&seg->opt) + seg->len;
    uint8_t ttl = ip && ip->ttl ? ip->ttl : HOPS_TTL;
    struct ip_fields f = {.ttl = ttl,
                          .tos = (uint8_t)((ip ? ip->tos : 0) | seg->ecn),
                          .df = !ip || !ip->no_df,
                          .id = ip && ip->id ? ip->id : (uint16_t)(s->number + 1)};
    int len;

    if (room > UINT16_MAX)
        return diag_fail(d, WAVE_ETRUNC, "%u bytes of data do not fit into an IP packet", seg->len);
    lost |= loses_next(s, true, flow, seg);
    if (near_sends(s, flow, seg, ttl, lost) != 0)
        return diag_fail(d, WAVE_ESYS, "no memory for a segment");
    s->stats.sent++;
    if (s->inbound_only)
        return 0;
    len = seg_build(flow, seg, s->room, sizeof s->room);
    if (len > 0)
        capture(s, true, flow, s->room, (uint32_t)len, &f);
    return 0;
}

static int port_sim_send(struct port *p, const struct flow *flow, const struct seg *seg,
                         const struct wire_ip *ip, struct diag *d)
{
    return put(p, flow, seg, ip, false, d);
}

/* Queues an IP packet that was built elsewhere. If it is a TCP segment, it is sent over the path,
 * and with a wrong checksum it is lost there: the far end would discard it. */
static int port_sim_queue(struct port *p, const struct flow *flow, struct seq seq,
                          const uint8_t *ip, uint32_t len)
{
    struct packet packet;
    struct wire_ip fields = {0};

    (void)seq;
    if (ip_parse(ip, len, &packet) != 0 || packet.kind != PACKET_TCP)
        return 0; /* no host would understand it */
    fields = (struct wire_ip){
        .ttl = packet.ttl, .tos = packet.tos, .id = packet.id, .no_df = !packet.df};
    return put(p, flow, &packet.seg, &fields,
               !seg_checksum_ok(&packet.flow, packet.l4, packet.l4_len), NULL);
}

static int port_sim_flush(struct port *p, struct wire_unsent *unsent, struct diag *d)
{
    (void)p;
    (void)unsent;
    (void)d;
    return 0;
}

static int port_sim_next(struct port *p, struct wire_packet *out, struct diag *d)
{
    struct port_sim *s = sim_of(p);
    struct captured *c = s->first;
    struct wire_packet packet;

    free(s->given);
    s->given = c;
    if (!c)
        return 0;
    take_first(s);
    packet = (struct wire_packet){
        .stamp = c->at, .outgoing = c->outgoing, .ip = c->bytes, .ip_len = c->len};
    if (ip_parse(c->bytes, c->len, &packet.packet) != 0)
        return diag_fail(d, WAVE_ESYS,
                         "the simulated network delivered something that is not a packet");
    *out = packet;
    return 1;
}

static wave_time port_sim_now(struct port *p)
{
    return sim_of(p)->now;
}

/*
 * The network
 */

/* Sends a segment of the far side over the path. */
static void far_sends_one(struct port_sim *s, const struct flow *flow, const struct seg *seg)
{
    bool lost = loses_next(s, false, flow, seg);

    path_send(&s->path, s->now, FAR_END, flow, seg, ++s->number, lost);
}

/* Takes a segment of the host's, or of its SYN proxy's, out through the NAT. */
static void out_through_nat(struct port_sim *s, const struct flow *flow, const struct seg *seg)
{
    struct seg rst;

    switch (s->has_nat ? nat_pass(&s->nat, s->now, flow, seg) : NAT_PASSES) {
    case NAT_PASSES:
        far_sends_one(s, flow, seg);
        break;
    case NAT_RESETS:
        nat_reset(seg, &rst);
        host_input(s->host, s->now, flow, &rst);
        break;
    case NAT_DROPS:
        break;
    }
}

/* Hands on what the SYN proxy sends. */
static void proxy_sends(struct port_sim *s, const struct flow *flow,
                        const struct syn_proxy_sends *sends)
{
    if (sends->to_server)
        host_input(s->host, s->now, flow, &sends->server);
    if (sends->to_client)
        out_through_nat(s, flow, &sends->client);
}

/* Takes a segment that has arrived at the far side in to the host. `flow` is as the host sees it.
 */
static void in_to_host(struct port_sim *s, const struct flow *flow, const struct seg *seg)
{
    struct syn_proxy_sends sends;
    struct seg rst;

    switch (s->has_nat ? nat_pass(&s->nat, s->now, flow, seg) : NAT_PASSES) {
    case NAT_PASSES:
        break;
    case NAT_RESETS:
        nat_reset(seg, &rst);
        far_sends_one(s, flow, &rst);
        return;
    case NAT_DROPS:
        return;
    }
    if (!s->has_syn_proxy) {
        host_input(s->host, s->now, flow, seg);
        return;
    }
    syn_proxy_from_client(&s->syn_proxy, s->now, flow, seg, &sends);
    proxy_sends(s, flow, &sends);
}

/* Sends everything that the far host has to send now. */
static void far_sends(struct port_sim *s)
{
    struct syn_proxy_sends sends;
    struct flow flow;
    struct seg seg;

    while (host_output(s->host, s->now, &flow, &seg, s->room)) {
        if (s->has_syn_proxy) {
            syn_proxy_from_server(&s->syn_proxy, &flow, &seg, &sends);
            proxy_sends(s, &flow, &sends);
        } else {
            out_through_nat(s, &flow, &seg);
        }
    }
}

void port_sim_icmp(struct port *p, const struct icmp *e)
{
    capture_icmp(sim_of(p), e, HOPS_TTL);
}

static void arrive(struct port_sim *s, const struct delayed_packet *c)
{
    struct flow flow = flow_reverse(&c->flow);
    struct ip_fields f = {.ttl = (uint8_t)(HOPS_TTL - s->hops), .df = true};
    struct seg seg;

    if (c->icmp && c->from == FAR_END) {
        host_icmp(s->host, s->now, path_error_of(c));
        return;
    }
    if (c->icmp) {
        capture_icmp(s, path_error_of(c), HOPS_TTL);
        return;
    }
    if (c->corrupted || seg_parse(c->bytes, c->len, &seg) != 0) {
        s->path.counts.bad_checksum++;
        s->stats.malformed += c->from == FAR_END;
        return;
    }
    s->path.counts.delivered++;
    seg.ecn = c->ecn;
    f.tos = c->ecn;
    f.id = (uint16_t)c->number;
    if (c->from == NEAR_END)
        in_to_host(s, &flow, &seg);
    else
        capture(s, false, &c->flow, c->bytes, c->len, &f);
}

void port_sim_deliver(struct port *p, const struct flow *flow, const struct seg *seg, uint8_t ttl)
{
    struct port_sim *s = sim_of(p);
    const struct ip_fields f = {
        .ttl = ttl ? ttl : HOPS_TTL, .tos = seg->ecn, .df = true, .id = (uint16_t)++s->number};
    int len = seg_build(flow, seg, s->room, sizeof s->room);

    if (len > 0)
        capture(s, false, flow, s->room, (uint32_t)len, &f);
}

/* Returns when the next thing happens. */
static wave_time next_thing(struct port_sim *s)
{
    return time_min(time_min(path_next(&s->path), host_expiry(s->host, s->now)), s->act_at);
}

/* Lets the thing happen that is due next, at time `next`. */
static void happen(struct port_sim *s, wave_time next)
{
    if (next > s->now)
        s->now = next;
    if (s->act_at <= s->now) {
        s->act_at = s->act(s->act_ctx, s->now);
        s->acted = true;
    } else if (path_next(&s->path) <= s->now) {
        struct delayed_packet *c = path_take(&s->path);
        arrive(s, c);
        path_give(&s->path, c);
    } else {
        host_tick(s->host, s->now);
    }
    far_sends(s);
}

/*
 * The clock and the descriptors
 */

static wave_time wall_clock(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (wave_time)t.tv_sec * WAVE_S + (wave_time)t.tv_nsec;
}

/* Waits until the clock on the wall has come to `until` as well. Returns true if a descriptor was
 * ready before that; our clock is then where that on the wall is. */
static bool sleep_real(struct port_sim *s, wave_time until, struct pollfd *fds, unsigned n)
{
    wave_time now;

    while ((now = wall_clock() - s->began + PORT_SIM_BEGINS) < until) {
        const wave_time left = time_min(until - now, WAVE_H);
        const struct timespec t = {(time_t)(left / WAVE_S), (long)(left % WAVE_S)};
        if (ppoll(fds, n, &t, NULL) > 0) {
            now = wall_clock() - s->began + PORT_SIM_BEGINS;
            if (now > s->now)
                s->now = time_min(now, until);
            return true;
        }
    }
    return false;
}

/* Returns whether a reader or writer has to be waited for: the first descriptor is that of signals,
 * for which no clock has to stand. */
static bool someone_is_awaited(const struct pollfd *fds, unsigned n)
{
    for (unsigned i = 1; i < n; i++)
        if (fds[i].fd >= 0 && fds[i].events)
            return true;
    return false;
}

/* Looks at the descriptors before the clock moves. Returns whether one is ready. */
static bool look(struct port_sim *s, struct pollfd *fds, unsigned n)
{
    const bool stands = s->patient && !s->real && someone_is_awaited(fds, n);

    if (!n)
        return false;
    if (s->patient && !stands && ++s->looked < LOOK_EVERY) {
        for (unsigned i = 0; i < n; i++)
            fds[i].revents = 0;
        return false;
    }
    s->looked = 0;
    return poll(fds, n, stands ? -1 : 0) > 0;
}

static bool port_sim_wait(struct port *p, wave_time until, struct pollfd *fds, unsigned n)
{
    struct port_sim *s = sim_of(p);
    bool ready = look(s, fds, n);
    wave_time next;

    far_sends(s);
    while (!ready && (next = next_thing(s)) <= until && next != WAVE_NEVER &&
           (!s->first || (s->patient && next <= s->now))) {
        ready = s->real && sleep_real(s, next, fds, n);
        if (ready)
            break;
        happen(s, next);
        if (s->acted) /* it may have made a descriptor ready */
            ready = n && poll(fds, n, 0) > 0;
        s->acted = false;
    }
    if (ready || s->first)
        return true;
    if (until == WAVE_NEVER) { /* only a descriptor can still end the wait */
        return n && poll(fds, n, -1) > 0;
    }
    if (until > s->now && s->real && sleep_real(s, until, fds, n))
        return true;
    if (until > s->now)
        s->now = until;
    return false;
}

static struct wire_stats port_sim_stats(struct port *p)
{
    return sim_of(p)->stats;
}

/* NOLINTNEXTLINE(readability-non-const-parameter) ; as every port has it */
static bool port_sim_rerouted(struct port *p, char interface[16])
{
    (void)p;
    interface[0] = '\0';
    return false;
}

static uint16_t port_sim_lport(const struct port *p, uint32_t i)
{
    return (uint16_t)(p->info->lport + i);
}

static uint32_t port_sim_lports(const struct port *p)
{
    return ((const struct port_sim *)p)->lports;
}

static uint32_t port_sim_window(const struct port *p, uint32_t mss)
{
    (void)mss;
    return ((const struct port_sim *)p)->window;
}

static void port_sim_close(struct port *p)
{
    struct port_sim *s = sim_of(p);
    struct captured *c;

    while ((c = s->first)) {
        take_first(s);
        free(c);
    }
    free(s->given);
    path_free(&s->path);
    host_destroy(s->host);
    if (s->has_nat)
        nat_free(&s->nat);
    if (s->has_syn_proxy)
        syn_proxy_free(&s->syn_proxy);
    free(s);
}

static const struct port_ops ops = {.send = port_sim_send,
                                    .queue = port_sim_queue,
                                    .flush = port_sim_flush,
                                    .next = port_sim_next,
                                    .now = port_sim_now,
                                    .stamp = port_sim_now,
                                    .wait = port_sim_wait,
                                    .stats = port_sim_stats,
                                    .rerouted = port_sim_rerouted,
                                    .lport = port_sim_lport,
                                    .lports = port_sim_lports,
                                    .window = port_sim_window,
                                    .close = port_sim_close};

/* Puts the routers on the path, and the boxes before the host. Returns 0 or WAVE_ENOMEM. */
static int place_boxes(struct port_sim *s, const struct port_sim_config *c)
{
    const uint16_t mss = c->host.v6 ? BOX_MSS - 20 : BOX_MSS;
    const uint32_t middle = (c->hops + 1) / 2;

    s->hops = c->hops;
    if (middle) {
        s->path.router[0] = hops_router(false, middle);
        s->path.router[1] = hops_router(true, middle);
    }
    if (c->nat && nat_init(&s->nat, c->nat, c->nat_resets, c->seed) != 0)
        return WAVE_ENOMEM;
    s->has_nat = c->nat != 0;
    if (c->syn_proxy && syn_proxy_init(&s->syn_proxy, mss, c->seed) != 0)
        return WAVE_ENOMEM;
    s->has_syn_proxy = c->syn_proxy;
    return 0;
}

int port_sim_open(struct port **out, const struct port_sim_config *config, struct diag *d)
{
    struct port_sim *s = calloc(1, sizeof *s);

    if (s) {
        s->end = &s->first;
        path_init(&s->path, config->seed);
    }
    if (!s || host_create(&s->host, &config->host) != 0 || place_boxes(s, config) != 0) {
        if (s)
            port_sim_close(&s->port);
        return diag_fail(d, WAVE_ENOMEM, "no memory for a simulated network");
    }
    memcpy(s->listed, config->lose, sizeof s->listed);
    s->real = config->real;
    s->patient = config->patient;
    s->began = s->real ? wall_clock() : 0;
    s->path.direction[NEAR_END].impairment = config->forward;
    s->path.direction[FAR_END].impairment = config->reverse;
    s->now = PORT_SIM_BEGINS; /* in some places 0 means "never set" */
    s->act_at = WAVE_NEVER;
    s->inbound_only = config->inbound_only;
    s->lports = config->lports ? config->lports : 1;
    s->window = config->window ? config->window : UINT32_MAX;
    s->info = (struct wire_info){.interface = "sim",
                                 .ifindex = 1,
                                 .mtu = config->mtu ? config->mtu : 1500,
                                 .local = config->local,
                                 .lport = config->lport,
                                 .guard = "none needed",
                                 .link = "raw"};
    s->port =
        (struct port){.ops = &ops, .info = &s->info, .virtual_time = true, .paced = config->real};
    *out = &s->port;
    return 0;
}

struct host *port_sim_host(struct port *p)
{
    return sim_of(p)->host;
}

struct path *port_sim_path(struct port *p)
{
    return &sim_of(p)->path;
}

void port_sim_filter(struct port *p, port_sim_lose *lose, void *ctx)
{
    sim_of(p)->lose = lose;
    sim_of(p)->lose_ctx = ctx;
}

void port_sim_at(struct port *p, wave_time at, wave_time (*act)(void *ctx, wave_time now),
                 void *ctx)
{
    sim_of(p)->act_at = at;
    sim_of(p)->act = act;
    sim_of(p)->act_ctx = ctx;
}
