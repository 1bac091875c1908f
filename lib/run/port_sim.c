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
    /* Captured and not yet returned, as whole IP packets, and where the next one is linked. */
    struct delayed_packet *first, **end;
    struct delayed_packet *given; /* what next() returned last; valid until the next call */
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

static void take_first(struct port_sim *s)
{
    s->first = s->first->next;
    if (!s->first)
        s->end = &s->first;
}

/* Captures a packet, which is the port's from now on. */
static void append(struct port_sim *s, struct delayed_packet *c)
{
    s->stats.received++;
    c->at = s->now;
    c->next = NULL;
    *s->end = c;
    s->end = &c->next;
}

/* Puts the IP header before the segment of a packet. */
static void add_ip_header(struct delayed_packet *c, const struct flow *flow,
                          const struct ip_fields *f)
{
    const uint32_t header = (uint32_t)ip_build_size(flow->v6);

    c->start -= header;
    ip_build(flow, CHECKSUM_TCP, f, c->len, c->bytes + c->start);
    c->len += header;
}

/* Captures a segment that end `from` sends; `flow` is as its sender sees it. If memory is short,
 * the segment counts as dropped by the capture. */
static void capture(struct port_sim *s, unsigned from, const struct flow *flow,
                    const struct seg *seg, const struct ip_fields *f)
{
    const uint32_t header = SEG_HEADER + (uint32_t)opt_size(&seg->opt);
    struct delayed_packet *c = packet_pool_take(&s->path.pool, from, seg->len, NULL);
    int len;

    if (!c) {
        s->stats.received++;
        s->stats.dropped++;
        return;
    }
    c->start = PACKET_DATA_AT - header;
    len = seg_build(flow, seg, packet_segment(c), c->room - c->start);
    if (len <= 0) {
        packet_pool_give(&s->path.pool, c);
        return;
    }
    c->len = (uint32_t)len;
    add_ip_header(c, flow, f);
    append(s, c);
}

/* Captures an ICMP error. */
static void capture_icmp(struct port_sim *s, const struct icmp *e, uint8_t ttl)
{
    struct delayed_packet *c = packet_pool_take(&s->path.pool, FAR_END, ICMP_PACKET, NULL);

    if (!c) {
        s->stats.received++;
        s->stats.dropped++;
        return;
    }
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

    if (room > UINT16_MAX)
        return diag_fail(d, WAVE_ETRUNC, "%u bytes of data do not fit into an IP packet", seg->len);
    if (!s->inbound_only) /* first, since the data may stand in what is sent */
        capture(s, NEAR_END, flow, seg, &f);
    lost |= loses_next(s, true, flow, seg);
    if (near_sends(s, flow, seg, ttl, lost) != 0)
        return diag_fail(d, WAVE_ESYS, "no memory for a segment");
    s->stats.sent++;
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
    struct delayed_packet *c = s->first;
    struct wire_packet packet;

    if (s->given)
        packet_pool_give(&s->path.pool, s->given);
    s->given = c;
    if (!c)
        return 0;
    take_first(s);
    packet = (struct wire_packet){.stamp = c->at,
                                  .outgoing = c->from == NEAR_END,
                                  .ip = c->bytes + c->start,
                                  .ip_len = c->len};
    if (ip_parse(packet.ip, packet.ip_len, &packet.packet) != 0)
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

/* Returns where the far host writes the data of its next segment. */
static uint8_t *room_for_far(struct port_sim *s)
{
    uint8_t *room = s->info.mtu <= PACKET_PLACE ? packet_pool_place(&s->path.pool) : NULL;

    return room ? room : s->room;
}

/* Sends everything that the far host has to send now. */
static void far_sends(struct port_sim *s)
{
    struct syn_proxy_sends sends;
    struct flow flow;
    struct seg seg;

    while (host_output(s->host, s->now, &flow, &seg, room_for_far(s))) {
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

/* Delivers a segment of ours to the far side. */
static void arrive_far(struct port_sim *s, struct delayed_packet *c)
{
    struct flow flow = flow_reverse(&c->flow);
    struct seg seg;

    if (seg_parse(packet_segment(c), c->len, &seg) != 0) {
        s->path.counts.bad_checksum++;
        return;
    }
    s->path.counts.delivered++;
    seg.ecn = c->ecn;
    in_to_host(s, &flow, &seg);
}

/* Delivers a packet, and gives it back unless it is captured as it is. */
static void arrive(struct port_sim *s, struct delayed_packet *c)
{
    const struct ip_fields f = {
        .ttl = (uint8_t)(HOPS_TTL - s->hops), .df = true, .tos = c->ecn, .id = (uint16_t)c->number};

    if (c->icmp && c->from == FAR_END) {
        host_icmp(s->host, s->now, path_error_of(c));
    } else if (c->icmp) {
        capture_icmp(s, path_error_of(c), HOPS_TTL);
    } else if (c->corrupted) {
        s->path.counts.bad_checksum++;
        s->stats.malformed += c->from == FAR_END;
    } else if (c->from == NEAR_END) {
        arrive_far(s, c);
    } else {
        s->path.counts.delivered++;
        add_ip_header(c, &c->flow, &f);
        append(s, c);
        return;
    }
    packet_pool_give(&s->path.pool, c);
}

void port_sim_deliver(struct port *p, const struct flow *flow, const struct seg *seg, uint8_t ttl)
{
    struct port_sim *s = sim_of(p);
    const struct ip_fields f = {
        .ttl = ttl ? ttl : HOPS_TTL, .tos = seg->ecn, .df = true, .id = (uint16_t)++s->number};

    capture(s, FAR_END, flow, seg, &f);
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
        arrive(s, path_take(&s->path));
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
    struct delayed_packet *c;

    while ((c = s->first)) {
        take_first(s);
        packet_pool_give(&s->path.pool, c);
    }
    if (s->given)
        packet_pool_give(&s->path.pool, s->given);
    path_free(&s->path);
    host_destroy(s->host);
    if (s->has_nat)
        nat_free(&s->nat);
    if (s->has_syn_proxy)
        syn_proxy_free(&s->syn_proxy);
    free(s);
}

/* Has the engine write the data of its next segment into the packet that will carry them, if every
 * segment fits there. */
static uint8_t *port_sim_room(struct port *p)
{
    struct port_sim *s = sim_of(p);

    return s->info.mtu <= PACKET_PLACE ? packet_pool_place(&s->path.pool) : NULL;
}

static const struct port_ops ops = {.send = port_sim_send,
                                    .room = port_sim_room,
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
