/*
 * Queues packets in one arena, and hands them to the kernel with sendmmsg(). hand_over() takes the
 * first packets in the queue that go the same way, as frames or as packets for the kernel to route.
 * It fills in one message for each (or one for several, with segmentation offload), and removes
 * what the kernel has taken. Where there is a transmit ring, short frames go there.
 */
#include "lib/wire/tx_queue.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/wire/address.h"
#include "lib/wire/gso.h"
#include "lib/wire/template.h"

/* Room before each packet, for what a frame has there: the prefix and the link-layer header. */
#define FRONT (GSO_PREFIX + L2_HEADER)
/* Where a packet's data begins in its room when it is written before its headers. The longest
 * headers have to fit before it. */
#define AHEAD (FRONT + IPV6_HEADER + SEG_HEADER_MAX)
/* The memory for packets is limited to this: over lo, with its large MTU, half as many fit. */
#define ROOM_MAX ((size_t)64 * (AHEAD + 65535))
#define CONTROL CMSG_SPACE(sizeof(struct in6_pktinfo)) /* room for the larger of the two */
/* A packet that the kernel has refused so often, and nothing else in between, is given up. With the
 * pauses between (lib/run/egress.c) that takes a quarter of a second at first. */
#define TRIES_MAX 32
#define TRIES_MIN 4
#define REFUSALS 16 /* targets that are remembered */

/* Names the ways that a packet can take. */
enum way {
    WAY_ROUTED, /* as a packet, which the kernel routes */
    WAY_FRAME,  /* as a frame, with `header` */
    WAY_RING    /* as a frame, through the transmit ring */
};

/* A target for which the kernel has refused a packet until it was given up. */
struct refusal {
    bool v6;
    struct addr remote;
    uint16_t port;
    size_t len; /* of the smallest such packet */
};

struct tx_queue {
    int fd, link_fd;
    const struct sockaddr_ll *link;
    size_t link_header;   /* bytes of the link-layer header */
    struct tx_ring *ring; /* NULL: there is none */
    bool by_source;
    bool gso;  /* the kernel has accepted GSO segments so far */
    bool bare; /* frames have no prefix, so GSO is not possible */
    uint64_t by_link;

    unsigned tries, patience; /* how often in a row the kernel had no room; how often is borne */
    uint64_t given_up;        /* segments */
    struct refusal refusal[REFUSALS];
    unsigned refusals, oldest; /* how many there are; the one to overwrite where there is no room */

    unsigned first, count; /* the first packet that was not taken yet; the number of packets
                              queued */
    size_t used, size;     /* bytes of `arena` */
    size_t start;          /* where the next packet begins, set by tx_queue_room() */
    struct iovec packet[WIRE_QUEUE_MAX];
    struct wire_unsent what[WIRE_QUEUE_MAX];
    enum way way[WIRE_QUEUE_MAX];
    bool no_checksum[WIRE_QUEUE_MAX];
    uint16_t train[WIRE_QUEUE_MAX]; /* the size of its segments; 0: the packet is one */
    uint8_t header[WIRE_QUEUE_MAX][L2_HEADER];

    /* The messages for the kernel, filled in for each call. */
    struct mmsghdr message[WIRE_QUEUE_MAX];
    unsigned carries[WIRE_QUEUE_MAX]; /* packets in each message */
    struct sockaddr_storage to[WIRE_QUEUE_MAX];
    _Alignas(struct cmsghdr) uint8_t control[WIRE_QUEUE_MAX][CONTROL];
    uint8_t head[WIRE_QUEUE_MAX][GSO_HEAD_MAX];
    struct iovec part[2 * WIRE_QUEUE_MAX];

    uint8_t arena[];
};

int tx_queue_open(struct tx_queue **out, int fd, uint32_t mtu)
{
    size_t size = (size_t)WIRE_QUEUE_MAX * (AHEAD + mtu);
    struct tx_queue *b;

    size = (size < ROOM_MAX ? size : ROOM_MAX) + AHEAD + TX_QUEUE_DATA;
    b = malloc(sizeof *b + size); /* pages of a large MTU that are never touched cost nothing */
    if (!b)
        return WAVE_ENOMEM;
    b->fd = fd;
    b->first = b->count = 0;
    b->used = 0;
    b->size = size;
    b->gso = true;
    b->bare = false;
    b->by_source = false;
    b->link_header = 0;
    b->ring = NULL;
    b->by_link = 0;
    b->tries = 0;
    b->patience = TRIES_MAX;
    b->given_up = 0;
    b->refusals = b->oldest = 0;
    memset(b->control, 0, sizeof b->control); /* the padding is handed to the kernel as it is */
    *out = b;
    return 0;
}

void tx_queue_route_by_source(struct tx_queue *b)
{
    b->by_source = true;
}

void tx_queue_link_layer(struct tx_queue *b, int fd, const struct sockaddr_ll *to, size_t header)
{
    b->link_fd = fd;
    b->link = to;
    b->link_header = header;
}

void tx_queue_use_ring(struct tx_queue *b, struct tx_ring *ring)
{
    b->ring = ring;
}

void tx_queue_no_gso(struct tx_queue *b)
{
    b->gso = false;
}

void tx_queue_bypass_qdisc(struct tx_queue *b)
{
    b->gso = false;
    b->bare = true;
}

void tx_queue_close(struct tx_queue *b)
{
    free(b);
}

bool tx_queue_empty(const struct tx_queue *b)
{
    return b->count == 0;
}

uint8_t *tx_queue_room(struct tx_queue *b, size_t len)
{
    if (b->count == WIRE_QUEUE_MAX || FRONT + len > b->size - b->used)
        return NULL;
    b->start = b->used + FRONT;
    return b->arena + b->start;
}

uint8_t *tx_queue_data_room(struct tx_queue *b)
{
    if (b->count == WIRE_QUEUE_MAX || AHEAD + TX_QUEUE_DATA > b->size - b->used)
        return NULL;
    return b->arena + b->used + AHEAD;
}

uint8_t *tx_queue_room_around(struct tx_queue *b, size_t len, size_t data)
{
    b->start = b->used + AHEAD - (len - data);
    return b->arena + b->start;
}

static enum way way_of(const struct tx_queue *b, size_t len, const uint8_t *header)
{
    if (!header)
        return WAY_ROUTED;
    return b->ring && b->link_header + len <= TX_RING_FRAME ? WAY_RING : WAY_FRAME;
}

void tx_queue_add(struct tx_queue *b, size_t len, const struct flow *flow, struct seq seq,
                  const uint8_t *header)
{
    unsigned i = b->count++;

    b->packet[i] = (struct iovec){b->arena + b->start, len};
    b->what[i] = (struct wire_unsent){*flow, seq};
    b->way[i] = way_of(b, len, header);
    b->no_checksum[i] = false;
    b->train[i] = 0;
    if (header)
        memcpy(b->header[i], header, b->link_header);
    b->used = b->start + len;
}

void tx_queue_no_checksum(struct tx_queue *b)
{
    b->no_checksum[b->count - 1] = true;
}

void tx_queue_train(struct tx_queue *b, uint16_t size)
{
    b->train[b->count - 1] = size;
    if (b->way[b->count - 1] == WAY_RING)
        b->way[b->count - 1] = WAY_FRAME;
}

bool tx_queue_takes_trains(const struct tx_queue *b)
{
    return b->gso; /* frames without a prefix have no GSO: tx_queue_bypass_qdisc() */
}

/* Fills in the TCP checksum of a packet that has none. */
static void add_checksums(struct tx_queue *b, unsigned at)
{
    if (b->no_checksum[at])
        template_checksum(b->packet[at].iov_base, b->packet[at].iov_len);
    b->no_checksum[at] = false;
}

/* Completes a packet that is sent alone as a frame in one piece: its checksums, the link-layer
 * header before it, and before that `prefix` bytes, which say that nothing is left to do. */
static struct iovec one_piece(struct tx_queue *b, unsigned at, size_t prefix)
{
    const struct iovec *packet = &b->packet[at];
    const size_t front = prefix + b->link_header;
    uint8_t *frame = (uint8_t *)packet->iov_base - front;

    add_checksums(b, at);
    memset(frame, 0, prefix);
    memcpy(frame + prefix, b->header[at], b->link_header);
    return (struct iovec){frame, front + packet->iov_len};
}

/* Makes messages of the next `n` packets as frames without a prefix. Returns the number of
 * messages. */
static unsigned fill_frames(struct tx_queue *b, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        b->part[i] = one_piece(b, b->first + i, 0);
        b->carries[i] = 1;
        /* No address, because the socket is bound to its interface: l2_send_bypass_qdisc(). */
        b->message[i].msg_hdr = (struct msghdr){.msg_iov = &b->part[i], .msg_iovlen = 1};
    }
    return n;
}

/* Returns how many packets from `at` on, before `end`, can be sent as one frame. A train is a frame
 * of its own. */
static unsigned count_joined(const struct tx_queue *b, unsigned at, unsigned end)
{
    unsigned n = 1, max;

    if (b->train[at] || !b->gso || !gso_has_data(&b->packet[at]))
        return 1;
    max = gso_count(b->packet + at, end - at);
    while (n < max && !b->train[at + n])
        n++;
    return n;
}

/* Makes the parts of one frame of the first `k` packets from `at` on: its headers, and the data of
 * each. Returns where the next part goes. */
static struct iovec *join(struct tx_queue *b, unsigned at, unsigned k, uint8_t *head,
                          struct iovec *part)
{
    size_t skip,
        len = gso_head(b->packet + at, k, b->train[at], b->header[at], b->link_header, head, &skip);

    *part++ = (struct iovec){head, len};
    for (unsigned i = at; i < at + k; i++)
        *part++ =
            (struct iovec){(uint8_t *)b->packet[i].iov_base + skip, b->packet[i].iov_len - skip};
    return part;
}

/* Makes messages of the next `n` packets as frames with a prefix, and combines packets where
 * possible. Returns the number of frames. */
static unsigned fill_gso_frames(struct tx_queue *b, unsigned n)
{
    struct iovec *part = b->part;
    unsigned frames = 0;

    for (unsigned at = b->first, end = b->first + n; at < end; at += b->carries[frames++]) {
        struct msghdr *m = &b->message[frames].msg_hdr;
        unsigned k = count_joined(b, at, end);
        b->carries[frames] = k;
        *m = (struct msghdr){.msg_name = (void *)(uintptr_t)b->link,
                             .msg_namelen = sizeof *b->link,
                             .msg_iov = part};
        if (k > 1 || b->train[at])
            part = join(b, at, k, b->head[frames], part);
        else
            *part++ = one_piece(b, at, GSO_PREFIX);
        m->msg_iovlen = (size_t)(part - m->msg_iov);
    }
    return frames;
}

/* Sets the source address by which the kernel is to route message `i` (ip(7), IP_PKTINFO; RFC 3542,
 * 6.2). */
static void fill_source(struct tx_queue *b, unsigned i, const struct flow *f)
{
    struct msghdr *m = &b->message[i].msg_hdr;
    union {
        struct in_pktinfo v4;
        struct in6_pktinfo v6;
    } info = {.v6 = {.ipi6_ifindex = 0}};
    size_t size = f->v6 ? sizeof info.v6 : sizeof info.v4;
    struct cmsghdr *c;

    if (f->v6)
        memcpy(&info.v6.ipi6_addr, f->local.byte, sizeof info.v6.ipi6_addr);
    else
        memcpy(&info.v4.ipi_spec_dst, f->local.byte, sizeof info.v4.ipi_spec_dst);
    m->msg_control = b->control[i];
    m->msg_controllen = CMSG_SPACE(size);
    c = CMSG_FIRSTHDR(m);
    c->cmsg_level = f->v6 ? IPPROTO_IPV6 : IPPROTO_IP;
    c->cmsg_type = f->v6 ? IPV6_PKTINFO : IP_PKTINFO;
    c->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(c), &info, size);
}

/* Makes messages of the next `n` packets for the kernel to route. Returns the number of
 * messages. */
static unsigned fill_packets(struct tx_queue *b, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        const struct flow *f = &b->what[b->first + i].flow;
        /* No port: a raw socket takes an IPv6 port for a protocol. No scope: where a link-local
         * address needs an interface, the socket is bound to it. */
        socklen_t size = address_socket(f->v6, &f->remote, 0, 0, &b->to[i]);
        b->carries[i] = 1;
        b->message[i].msg_hdr = (struct msghdr){.msg_name = &b->to[i],
                                                .msg_namelen = size,
                                                .msg_iov = &b->packet[b->first + i],
                                                .msg_iovlen = 1};
        if (b->by_source)
            fill_source(b, i, f);
    }
    return n;
}

/* Returns whether the kernel may accept the same packet later. */
static bool is_transient(int error)
{
    return error == EAGAIN || error == ENOBUFS || error == EINTR;
}

/* Returns how many segments the packet has. */
static unsigned count_segments(const struct tx_queue *b, unsigned at)
{
    return b->train[at] ? gso_segments(&b->packet[at], b->train[at]) : 1;
}

/* Removes the first `n` packets from the queue. Returns how many segments they had. */
static unsigned remove_first(struct tx_queue *b, unsigned n)
{
    unsigned segments = 0;

    while (n--)
        segments += count_segments(b, b->first++);
    if (b->first == b->count) {
        b->first = b->count = 0;
        b->used = 0;
    }
    return segments;
}

/* Removes the first segment from the queue. */
static void remove_segment(struct tx_queue *b)
{
    const unsigned at = b->first;
    const uint16_t size = b->train[at];

    if (!size) {
        remove_first(b, 1);
        return;
    }
    if (!gso_cut(&b->packet[at], size)) {
        b->train[at] = 0;
        b->no_checksum[at] = true;
        add_checksums(b, at);
    }
    b->what[at].seq = seq_add(b->what[at].seq, size);
}

/* Returns whether the packet is a train that cannot be sent as one frame. */
static bool is_cut(const struct tx_queue *b, unsigned at)
{
    return b->train[at] && !(b->way[at] == WAY_FRAME && b->gso);
}

/* Makes a message of the first segment of a train that cannot be sent as one frame. */
static void fill_first(struct tx_queue *b)
{
    const unsigned at = b->first;
    const bool frame = b->way[at] == WAY_FRAME;
    size_t front, headers;
    struct msghdr *m = &b->message[0].msg_hdr;

    if (frame) {
        front = GSO_PREFIX + b->link_header;
        memset(b->head[0], 0, GSO_PREFIX);
        memcpy(b->head[0] + GSO_PREFIX, b->header[at], b->link_header);
        *m =
            (struct msghdr){.msg_name = (void *)(uintptr_t)b->link, .msg_namelen = sizeof *b->link};
    } else {
        front = 0;
        fill_packets(b, 1);
    }
    headers = gso_first(&b->packet[at], b->train[at], b->head[0] + front);
    b->part[0] = (struct iovec){b->head[0], front + headers};
    b->part[1] = (struct iovec){(uint8_t *)b->packet[at].iov_base + headers, b->train[at]};
    m->msg_iov = b->part;
    m->msg_iovlen = 2;
}

/* Hands over the first segment of such a train. Returns 1, or -1 with errno set. */
static int hand_over_first(struct tx_queue *b)
{
    const bool frame = b->way[b->first] == WAY_FRAME;

    fill_first(b);
    if (sendmmsg(frame ? b->link_fd : b->fd, b->message, 1, MSG_DONTWAIT) < 0)
        return -1;
    b->by_link += frame;
    remove_segment(b);
    return 1;
}

/* Hands over the first `n` packets, which go through the ring. Returns how many were taken, or -1
 * with errno set. */
static int hand_to_ring(struct tx_queue *b, unsigned n)
{
    int taken;

    for (unsigned i = b->first; i < b->first + n; i++) {
        add_checksums(b, i);
        if (!tx_ring_put(b->ring, b->header[i], b->link_header, b->packet[i].iov_base,
                         b->packet[i].iov_len))
            break;
    }
    taken = tx_ring_send(b->ring);
    if (taken > 0) {
        remove_first(b, (unsigned)taken);
        b->by_link += (unsigned)taken;
    }
    return taken;
}

/* Returns how many packets from the first one on go the same way. */
static unsigned count_same_way(const struct tx_queue *b)
{
    unsigned n = 1;

    while (b->first + n < b->count && b->way[b->first + n] == b->way[b->first] &&
           !is_cut(b, b->first + n))
        n++;
    return n;
}

/* Hands over the first packets that go the same way, and removes what the kernel has taken. Returns
 * how many segments that is, or -1 with errno set. */
static int hand_over(struct tx_queue *b)
{
    const enum way way = b->way[b->first];
    unsigned n, packets = 0, segments;

    if (is_cut(b, b->first))
        return hand_over_first(b);
    n = count_same_way(b);
    if (way == WAY_RING)
        return hand_to_ring(b, n);
    n = way == WAY_ROUTED ? fill_packets(b, n)
        : b->bare         ? fill_frames(b, n)
                          : fill_gso_frames(b, n);
    int taken = sendmmsg(way == WAY_FRAME ? b->link_fd : b->fd, b->message, n, MSG_DONTWAIT);
    if (taken < 0 && (b->carries[0] > 1 || b->train[b->first]) && !is_transient(errno)) {
        b->gso = false; /* send each segment alone, to see whether GSO was the reason */
        errno = EINTR;
    }
    if (taken < 0)
        return -1;
    for (int i = 0; i < taken; i++)
        packets += b->carries[i];
    segments = remove_first(b, packets);
    b->by_link += way == WAY_FRAME ? segments : 0;
    return (int)segments;
}

uint64_t tx_queue_l2_sent(const struct tx_queue *b)
{
    return b->by_link;
}

uint64_t tx_queue_given_up(const struct tx_queue *b)
{
    return b->given_up;
}

/*
 * A packet socket says ENOBUFS where the interface's queue is full, and also where a rule that the
 * packet meets there (nft's egress hook, traffic control) drops it: that one would stay for ever,
 * and hold up those behind it. So it is given up after a while, and so is each one behind it, until
 * the kernel takes one. Where that happens several times, the first one has less time.
 *
 * A rule goes by the target, or by that and the size. So the target is remembered: what is as large
 * and for it is tried once, and does not hold up what is for others, until the kernel takes such a
 * packet.
 */

/* Returns the refusal that the packet is like, or NULL. */
static struct refusal *find_refusal(struct tx_queue *b, unsigned at)
{
    const struct flow *f = &b->what[at].flow;

    for (unsigned i = 0; i < b->refusals; i++) {
        struct refusal *r = &b->refusal[i];
        if (r->port == f->rport && r->v6 == f->v6 && addr_eq(&r->remote, &f->remote))
            return r;
    }
    return NULL;
}

static void remember_refusal(struct tx_queue *b, unsigned at)
{
    const size_t len = b->packet[at].iov_len;
    struct refusal *r = find_refusal(b, at);

    if (!r) {
        r = &b->refusal[b->refusals < REFUSALS ? b->refusals++ : b->oldest++ % REFUSALS];
        *r = (struct refusal){b->what[at].flow.v6, b->what[at].flow.remote, b->what[at].flow.rport,
                              len};
    }
    r->len = len < r->len ? len : r->len;
}

/* Returns whether the first packet is given up, which the kernel has refused for that reason. */
static bool is_given_up(struct tx_queue *b, int error)
{
    const struct refusal *r = error == ENOBUFS ? find_refusal(b, b->first) : NULL;
    const bool known = r && b->packet[b->first].iov_len >= r->len;

    if (error != ENOBUFS || (!known && ++b->tries < b->patience))
        return false;
    if (!known)
        remember_refusal(b, b->first);
    b->given_up++;
    return true;
}

/* Takes note that the kernel took the packets from number `at` to before `end`. */
static void kernel_takes(struct tx_queue *b, unsigned at, unsigned end)
{
    if (b->tries >= b->patience && b->patience > TRIES_MIN)
        b->patience /= 2;
    b->tries = 0;
    for (; b->refusals && at < end; at++) {
        struct refusal *r = find_refusal(b, at);
        if (r && b->packet[at].iov_len >= r->len)
            *r = b->refusal[--b->refusals];
    }
}

unsigned tx_queue_flush(struct tx_queue *b, int *error, struct wire_unsent *unsent)
{
    unsigned taken = 0;

    while (b->first < b->count) {
        const unsigned first = b->first, count = b->count;
        int n = hand_over(b);
        if (n > 0) {
            taken += (unsigned)n;
            kernel_takes(b, first, b->count ? b->first : count);
        } else if (is_given_up(b, errno)) {
            remove_segment(b);
        } else if (errno != EINTR) {
            *error = errno;
            *unsent = b->what[b->first];
            if (!is_transient(*error))
                remove_segment(b);
            return taken;
        }
    }
    *error = 0;
    return taken;
}
