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

#include "lib/core/checksum.h"
#include "lib/core/diag.h"
#include "lib/core/ip_build.h"

#define SIM_TTL 64

enum { NEAR_END, FAR_END }; /* ends of the path */

struct captured {
    struct captured *next;
    wave_time at;
    bool outgoing;
    bool icmp; /* `error` is what came, and there are no bytes */
    struct icmp error;
    uint32_t len;
    uint8_t bytes[];
};

struct port_sim {
    struct port port;
    struct wire_info info;
    struct path path;
    struct host *host;
    wave_time now;
    uint64_t number;
    bool inbound_only;
    uint32_t lports, window;
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

/* Sends a segment over the path; `lost`: it does not get across. */
static int put(struct port *p, const struct flow *flow, const struct seg *seg,
               const struct wire_ip *ip, bool lost, struct diag *d)
{
    struct port_sim *s = sim_of(p);
    size_t room = SEG_HEADER + opt_size(&seg->opt) + seg->len;
    uint8_t ttl = ip && ip->ttl ? ip->ttl : SIM_TTL;
    struct ip_fields f = {.ttl = ttl,
                          .tos = (uint8_t)((ip ? ip->tos : 0) | seg->ecn),
                          .df = !ip || !ip->no_df,
                          .id = ip && ip->id ? ip->id : (uint16_t)(s->number + 1)};
    int len;

    lost |= s->lose && s->lose(s->lose_ctx, s->now, true, s->number + 1, flow, seg);
    if (room > UINT16_MAX)
        return diag_fail(d, WAVE_ETRUNC, "%u bytes of data do not fit into an IP packet", seg->len);
    if (path_send(&s->path, s->now, NEAR_END, flow, seg, ++s->number, lost) != 0)
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
    packet = (struct wire_packet){.stamp = c->at, .outgoing = c->outgoing};
    if (c->icmp) {
        packet.packet = (struct packet){.kind = PACKET_ICMP,
                                        .flow = flow_reverse(&c->error.flow),
                                        .ttl = SIM_TTL,
                                        .icmp = c->error};
        packet.packet.flow.local = c->error.from;
    } else {
        packet.ip = c->bytes;
        packet.ip_len = c->len;
        if (ip_parse(c->bytes, c->len, &packet.packet) != 0)
            return diag_fail(d, WAVE_ESYS,
                             "the simulated network delivered something that is not a packet");
    }
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

/* Sends everything that the far host has to send now. */
static void far_sends(struct port_sim *s)
{
    struct flow flow;
    struct seg seg;

    while (host_output(s->host, s->now, &flow, &seg, s->room)) {
        bool lost = s->lose && s->lose(s->lose_ctx, s->now, false, s->number + 1, &flow, &seg);
        path_send(&s->path, s->now, FAR_END, &flow, &seg, ++s->number, lost);
    }
}

void port_sim_icmp(struct port *p, const struct icmp *e)
{
    struct port_sim *s = sim_of(p);
    struct captured *k = malloc(sizeof *k);

    s->stats.received++;
    if (!k) {
        s->stats.dropped++;
        return;
    }
    *k = (struct captured){.at = s->now, .icmp = true, .error = *e};
    append(s, k);
}

/* Delivers a router's error to the sender of a packet that was too big (RFC 1191, section 4). */
static void arrive_error(struct port_sim *s, const struct delayed_packet *c)
{
    struct icmp e = {.type = c->flow.v6 ? 2 : 3,
                     .code = c->flow.v6 ? 0 : 4,
                     .mtu = c->mtu,
                     .flow = c->flow,
                     .has_seq = true,
                     .seq = c->seq,
                     .meaning = ICMP_TOO_BIG,
                     .from = c->flow.v6 ? (struct addr){{0x20, 0x01, 0x0d, 0xb8, [15] = 0xfe}}
                                        : addr_v4(192, 0, 2, 254)};

    if (c->from == FAR_END)
        host_icmp(s->host, s->now, &e);
    else
        port_sim_icmp(&s->port, &e);
}

static void arrive(struct port_sim *s, const struct delayed_packet *c)
{
    static const struct ip_fields fields = {.ttl = SIM_TTL, .df = true};
    struct flow flow = flow_reverse(&c->flow);
    struct ip_fields f = fields;
    struct seg seg;

    if (c->mtu) {
        arrive_error(s, c);
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
        host_input(s->host, s->now, &flow, &seg);
    else
        capture(s, false, &c->flow, c->bytes, c->len, &f);
}

void port_sim_deliver(struct port *p, const struct flow *flow, const struct seg *seg, uint8_t ttl)
{
    struct port_sim *s = sim_of(p);
    const struct ip_fields f = {
        .ttl = ttl ? ttl : SIM_TTL, .tos = seg->ecn, .df = true, .id = (uint16_t)++s->number};
    int len = seg_build(flow, seg, s->room, sizeof s->room);

    if (len > 0)
        capture(s, false, flow, s->room, (uint32_t)len, &f);
}

/* Lets the earliest thing happen, if it is due by `until`. Returns whether one was. */
static bool happen(struct port_sim *s, wave_time until)
{
    wave_time arrival = path_next(&s->path), timer = host_expiry(s->host, s->now);
    wave_time next = time_min(time_min(arrival, timer), s->act_at);

    if (next > until || next == WAVE_NEVER)
        return false;
    if (next > s->now)
        s->now = next;
    if (s->act_at <= s->now) {
        s->act_at = s->act(s->act_ctx, s->now);
        s->acted = true;
    } else if (arrival <= timer) {
        struct delayed_packet *c = path_take(&s->path);
        arrive(s, c);
        free(c);
    } else {
        host_tick(s->host, s->now);
    }
    far_sends(s);
    return true;
}

static bool port_sim_wait(struct port *p, wave_time until, struct pollfd *fds, unsigned n)
{
    struct port_sim *s = sim_of(p);
    bool ready = n && poll(fds, n, 0) > 0;

    far_sends(s);
    while (!ready && !s->first && happen(s, until)) {
        if (s->acted) /* it may have made a descriptor ready */
            ready = n && poll(fds, n, 0) > 0;
        s->acted = false;
    }
    if (ready || s->first)
        return true;
    if (until == WAVE_NEVER) { /* only a descriptor can still end the wait */
        return n && poll(fds, n, -1) > 0;
    }
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

int port_sim_open(struct port **out, const struct port_sim_config *config, struct diag *d)
{
    struct port_sim *s = calloc(1, sizeof *s);

    if (!s || host_create(&s->host, &config->host) != 0) {
        free(s);
        return diag_fail(d, WAVE_ENOMEM, "no memory for a simulated network");
    }
    s->end = &s->first;
    path_init(&s->path, config->seed);
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
    s->port = (struct port){.ops = &ops, .info = &s->info, .virtual_time = true};
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
