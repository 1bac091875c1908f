/*
 * Builds IP packets with libnet, and copies what it can from templates (template.h).
 *
 * libnet keeps a chain of blocks; here they are always options, TCP, data, IP. Each block has a
 * name, its ptag, and is filled in once more for every segment. The block of the options stays even
 * when there are none (it is empty then), so that the order of the chain never changes. The block
 * of the data comes and goes with the data, as libnet_build_tcp() does it.
 *
 * When a block changes its length, libnet corrects the lengths in the blocks around it, relative to
 * their earlier values. We do not rely on that: we build the IP header last, with the length of
 * this segment.
 */
#include "lib/wire/builder.h"
#include "lib/core/addr.h"
#include "lib/core/ip.h"

#include <errno.h>
#include <libnet.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "lib/core/bytes.h"
#include "lib/core/diag.h"
#include "lib/wire/address.h"
#include "lib/wire/route.h"
#include "lib/wire/template.h"

#define TTL 64 /* RFC 1340 recommends it, and most hosts use it */

struct builder {
    libnet_t *net;
    bool v6;
    bool on_device; /* the socket sends through one interface only */
    uint16_t id; /* of the last IPv4 packet */
    libnet_ptag_t options, tcp, ip;
    struct template template[2][2]; /* index: without and with SYN; without and with timestamps */
};

/* Fails with WAVE_EPERM, and says how to get the privilege. */
static int not_permitted(struct diag *d)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    path[n > 0 ? n : 0] = '\0';
    return diag_fail(d, WAVE_EPERM,
                     "cannot open a raw socket: Operation not permitted; run with sudo, or give "
                     "the binary the capability: setcap cap_net_raw+ep %.160s",
                     n > 0 ? path : "tcpwave");
}

/*
 * Opens the raw socket in place of libnet. libnet_init() would ask the kernel some 6,500 times for
 * a slightly larger send buffer, which takes longer than the rest of a handshake, and it reports a
 * failure in words only. The kernel reduces the size that we ask for here to what it allows.
 */
static int open_socket(libnet_t *net, bool v6, struct diag *d)
{
    const int buffer = 1 << 20, one = 1;
    int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
    if (fd < 0 && (errno == EPERM || errno == EACCES))
        return not_permitted(d);
    if (fd < 0)
        return diag_fail(d, WAVE_ESYS, "cannot open a raw socket: %s", strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    /* Otherwise IPv6 would not route by the source of a local route: an address that is ours and
     * that no interface has. */
    if (v6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &one, sizeof one);
    net->fd = fd;
    net->injection_type = v6 ? LIBNET_RAW6 : LIBNET_RAW4;
    return 0;
}

static int bind_device(int fd, const char *device, struct diag *d)
{
    if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device)) == 0)
        return 0;
    return diag_fail(d, errno == EPERM ? WAVE_EPERM : WAVE_ESYS,
                     "cannot send through interface '%s': %s", device, strerror(errno));
}

/* Binds the socket to the source address. Without this the kernel would route each packet as if its
 * header had no source address. IPv6 also chooses a source address each time such a socket sends,
 * which takes a fifth of the time of a segment. */
static int bind_source(int fd, const struct builder_config *config, struct diag *d)
{
    char text[ADDR_PORT_TEXT];
    struct sockaddr_storage from;
    socklen_t size = address_socket(config->v6, config->source, 0, config->scope, &from);
    if (bind(fd, (struct sockaddr *)&from, size) == 0)
        return 0;
    return diag_fail(d, errno == EADDRNOTAVAIL ? WAVE_ENOROUTE : WAVE_ESYS,
                     "cannot send from %s: %s", addr_text(config->v6, config->source, text),
                     strerror(errno));
}

/* Opens the libnet handle and the socket, and draws the first IPv4 identification. */
static int set_up(struct builder *c, const struct builder_config *config, struct diag *d)
{
    char why[LIBNET_ERRBUF_SIZE] = "";
    int error = 0;
    c->v6 = config->v6;
    c->net = libnet_init(LIBNET_NONE, NULL, why);
    if (!c->net)
        return diag_fail(d, WAVE_ESYS, "libnet cannot begin: %.200s", why);
    if (!config->no_socket && (error = open_socket(c->net, config->v6, d)) < 0)
        return error;
    if (getrandom(&c->id, sizeof c->id, 0) != sizeof c->id)
        return diag_fail(d, WAVE_ESYS, "the kernel gives no random bytes: %s", strerror(errno));
    c->on_device = config->device != NULL;
    if (config->device)
        error = bind_device(libnet_getfd(c->net), config->device, d);
    if (error == 0 && config->source)
        error = bind_source(libnet_getfd(c->net), config, d);
    return error;
}

void builder_close(struct builder *c)
{
    if (!c)
        return;
    if (c->net)
        libnet_destroy(c->net);
    free(c);
}

/* Builds the options and the TCP header with its data. Returns their length in bytes, or -1. */
static int build_tcp(struct builder *c, const struct flow *flow, const struct seg *s)
{
    uint8_t options[OPT_BYTES_MAX];
    uint32_t options_len = (uint32_t)opt_build(&s->opt, options);
    uint32_t len = SEG_HEADER + options_len + s->len;

    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a template at NULL is not `c` at NULL */
    c->options = libnet_build_tcp_options(options, options_len, c->net, c->options);
    if (c->options < 0)
        return -1;
    c->tcp = libnet_build_tcp(flow->lport, flow->rport, s->seq.v, s->flags & SEG_ACK ? s->ack.v : 0,
                              (uint8_t)s->flags, s->wnd, 0, s->urp, (uint16_t)len,
                              s->len ? s->data : NULL, s->len, c->net, c->tcp);
    if (c->tcp < 0)
        return -1;
    /* libnet knows eight flags and no reserved bits, so we put the others in here. libnet computes
     * the checksum when it assembles the packet, so the checksum covers them. */
    uint8_t *header = libnet_getpbuf(c->net, c->tcp);
    header[12] |= (uint8_t)((s->reserved & 7) << 1 | (s->flags & SEG_AE) >> 8);
    return (int)len;
}

/* Returns the IPv4 identification of the next packet, the first of `n` that count on from it. */
static uint16_t next_id(struct builder *c, const struct wire_ip *ip, uint32_t n)
{
    /* The kernel would replace an identification of 0 with a number of its own. */
    uint16_t first = c->id + n > UINT16_MAX ? 1 : (uint16_t)(c->id + 1);

    c->id = (uint16_t)(first + n - 1);
    return ip->id ? ip->id : first;
}

static uint8_t ttl_of(const struct wire_ip *ip)
{
    return ip->ttl ? ip->ttl : TTL;
}

/* Builds the IP header around `len` bytes of TCP. Returns 0, or -1. */
static int build_ip(struct builder *c, const struct flow *flow, uint32_t len, uint8_t tos,
                    const struct wire_ip *ip)
{
    uint8_t ttl = ttl_of(ip);
    if (c->v6) {
        struct libnet_in6_addr from, to;
        memcpy(&from, flow->local.byte, sizeof from);
        memcpy(&to, flow->remote.byte, sizeof to);
        c->ip = libnet_build_ipv6(tos, ip->flow_label & 0xfffff, (uint16_t)len, IPPROTO_TCP, ttl,
                                  from, to, NULL, 0, c->net, c->ip);
    } else {
        uint32_t from, to;
        memcpy(&from, flow->local.byte, sizeof from);
        memcpy(&to, flow->remote.byte, sizeof to);
        c->ip = libnet_build_ipv4((uint16_t)(IPV4_HEADER + len), tos, next_id(c, ip, 1),
                                  ip->no_df ? 0 : IP_DF, ttl, IPPROTO_TCP, 0, from, to, NULL, 0,
                                  c->net, c->ip);
    }
    return c->ip < 0 ? -1 : 0;
}

/* Fails after a libnet call failed. The chain of blocks may be half changed then, so the next
 * segment begins a new chain. */
static int build_failed(struct builder *c, struct diag *d)
{
    int error =
        diag_fail(d, WAVE_ESYS, "libnet cannot build the segment: %.200s", libnet_geterror(c->net));
    libnet_clear_packet(c->net);
    c->options = c->tcp = c->ip = LIBNET_PTAG_INITIALIZER;
    return error;
}

static const struct wire_ip plain;

/* Returns the traffic class: DSCP from `ip`, ECN from the segment. */
static uint8_t tos_of(const struct seg *s, const struct wire_ip *ip)
{
    return (uint8_t)((ip->tos & ~3) | (s->ecn & 3));
}

int builder_fd(const struct builder *c)
{
    return libnet_getfd(c->net);
}

size_t builder_size(const struct builder *c, const struct seg *s)
{
    return (c->v6 ? IPV6_HEADER : IPV4_HEADER) + SEG_HEADER + opt_size(&s->opt) + (size_t)s->len;
}

int builder_build_unpatched(struct builder *c, const struct flow *flow, const struct seg *s,
                            const struct wire_ip *ip, uint8_t *bytes, struct diag *d)
{
    uint8_t *packet = NULL;
    uint32_t packet_len;

    if (!ip)
        ip = &plain;
    int len = build_tcp(c, flow, s);
    if (len < 0 || build_ip(c, flow, (uint32_t)len, tos_of(s, ip), ip) < 0 ||
        libnet_pblock_coalesce(c->net, &packet, &packet_len) < 0)
        return build_failed(c, d);
    memcpy(bytes, packet, packet_len);
    free(packet);
    /* libnet 1.1.6 confuses bits of the flow label (RFC 8200, section 3). */
    if (c->v6)
        put_u32(bytes, 6u << 28 | (uint32_t)tos_of(s, ip) << 20 | (ip->flow_label & 0xfffff));
    return 0;
}

/* Makes the template for segments like this one. */
static bool make_template(struct builder *c, struct template *t, const struct flow *flow,
                          const struct seg *s, const struct wire_ip *ip)
{
    struct seg bare = *s;
    uint8_t bytes[TEMPLATE_MAX];

    bare.len = 0;
    if (builder_build_unpatched(c, flow, &bare, ip, bytes, NULL) != 0)
        return false;
    template_store(t, &bare, bytes, builder_size(c, &bare), ip);
    return true;
}

/* Returns the template for this segment, and makes it first when there is none that fits. Returns
 * NULL when the segment has to be built from the beginning. */
static const struct template *template_for(struct builder *c, const struct flow *flow,
                                           const struct seg *s, const struct wire_ip *ip)
{
    struct template *t = &c->template[(s->flags & SEG_SYN) != 0][(s->opt.has & OPT_TIMESTAMP) != 0];

    if (!template_fits(s))
        return NULL;
    return template_matches(t, s, ip) || make_template(c, t, flow, s, ip) ? t : NULL;
}

/* Makes the common templates in advance. libnet allocates memory each time it builds a packet, and
 * a run that has no memory left must still be able to send data, FIN and RST. */
static int prepare(struct builder *c, struct diag *d)
{
    const struct flow flow = {.v6 = c->v6};

    for (unsigned stamped = 0; stamped < 2; stamped++) {
        const struct seg s = {.flags = SEG_ACK, .opt.has = stamped ? OPT_TIMESTAMP : 0};
        if (!template_for(c, &flow, &s, &plain))
            return diag_fail(d, WAVE_ENOMEM, "out of memory");
    }
    return 0;
}

int builder_open(struct builder **out, const struct builder_config *config, struct diag *d)
{
    struct builder *c = calloc(1, sizeof *c);
    if (!c)
        return diag_fail(d, WAVE_ENOMEM, "out of memory");
    int error = set_up(c, config, d);
    if (error == 0)
        error = prepare(c, d);
    if (error) {
        builder_close(c);
        return error;
    }
    *out = c;
    return 0;
}

int builder_build_no_checksum(struct builder *c, const struct flow *flow, const struct seg *s,
                              const struct wire_ip *ip, uint8_t *bytes, bool *no_checksum,
                              struct diag *d)
{
    const struct template *t;

    if (!ip)
        ip = &plain;
    t = template_for(c, flow, s, ip);
    *no_checksum = t != NULL;
    if (!t)
        return builder_build_unpatched(c, flow, s, ip, bytes, d);
    template_write(t, flow, s, tos_of(s, ip), ttl_of(ip), next_id(c, ip, seg_count(s)), bytes);
    return 0;
}

int builder_build(struct builder *c, const struct flow *flow, const struct seg *s,
                  const struct wire_ip *ip, uint8_t *bytes, struct diag *d)
{
    bool no_checksum = false;
    int error = builder_build_no_checksum(c, flow, s, ip, bytes, &no_checksum, d);

    if (no_checksum)
        template_checksum(bytes, builder_size(c, s));
    return error;
}

int builder_send_error(const struct builder *c, const struct flow *flow, int error, struct diag *d)
{
    const struct addr *remote = &flow->remote, *local = &flow->local;
    char to[ADDR_PORT_TEXT], from[ADDR_PORT_TEXT], why[ROUTE_REFUSAL];
    addr_text(c->v6, remote, to);
    switch (error) {
    case EAGAIN:
    case ENOBUFS:
        return WAVE_EAGAIN;
    case EMSGSIZE:
        return diag_fail(d, WAVE_ETRUNC, "the segment is larger than the MTU on the way to %s", to);
    case EPERM:
        return diag_fail(d, WAVE_ESYS,
                         "cannot send to %s: Operation not permitted; a firewall rule of this host "
                         "drops what it sends, or its address translation has no port left for it",
                         to);
    case ENETDOWN:
        return diag_fail(
            d, WAVE_ESYS,
            "cannot send to %s: %s; see whether interface, address and route are still "
            "there",
            to, strerror(error));
    case EINVAL:
        if (address_link_local(c->v6, remote))
            return diag_fail(d, WAVE_ESYS,
                             "cannot answer %s, a link-local address, without knowing its "
                             "interface; name it with --interface",
                             to);
        return diag_fail(d, WAVE_ESYS,
                         "cannot send to %s from %s: Invalid argument; see whether that address is "
                         "still this host's, and whether a blackhole rule or route swallows it "
                         "('ip rule', 'ip route show table all')",
                         to, addr_text(c->v6, local, from));
    default:
        return diag_fail(d, WAVE_ESYS, "cannot send to %s from %s: %s%s", to,
                         addr_text(c->v6, local, from), route_refusal(error, why),
                         c->on_device && error == ENETUNREACH
                             ? "; or a rule redirects it to this host itself (nft list ruleset), "
                               "which is not reached by the interface that was named"
                             : "");
    }
}
