#include "lib/wire/batch.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/wire/address.h"
#include "lib/wire/join.h"
#include "lib/wire/stencil.h"

#define LARGEST 65535u
/* Where a packet's data begins when it is there before its headers, which have to fit. */
#define AHEAD (DIRECT_HEADER + 40 + 60)
#define CONTROL CMSG_SPACE(sizeof(struct in6_pktinfo)) /* the larger one */

struct batch {
    int fd, link_fd;
    const struct sockaddr_ll *link;
    size_t link_header; /* bytes */
    bool by_source;
    bool joins; /* the kernel takes joined segments, as far as is known */
    bool bare;  /* frames have no prefix: none is joined */
    uint64_t by_link;

    unsigned first, count; /* packets: from the first not taken yet to the last queued */
    size_t used, size;     /* bytes of `arena` */
    size_t start;          /* where batch_room() has the next packet begin */
    struct iovec packet[WIRE_BATCH];
    struct wire_unsent what[WIRE_BATCH];
    bool direct[WIRE_BATCH]; /* with `header` */
    bool unsummed[WIRE_BATCH];
    uint8_t header[WIRE_BATCH][DIRECT_HEADER];

    /* What is handed over, laid out anew each time. */
    struct mmsghdr message[WIRE_BATCH];
    unsigned carries[WIRE_BATCH]; /* packets */
    struct sockaddr_storage to[WIRE_BATCH];
    _Alignas(struct cmsghdr) uint8_t control[WIRE_BATCH][CONTROL];
    uint8_t head[WIRE_BATCH][JOIN_HEAD_MAX];
    struct iovec part[2 * WIRE_BATCH];

    uint8_t arena[];
};

int batch_open(struct batch **out, int fd, uint32_t mtu)
{
    size_t size = (size_t)WIRE_BATCH * (AHEAD + mtu) + AHEAD + BATCH_DATA;
    struct batch *b;

    b = malloc(sizeof *b + size); /* untouched pages of a large MTU cost nothing */
    if (!b)
        return WAVE_ENOMEM;
    b->fd = fd;
    b->first = b->count = 0;
    b->used = 0;
    b->size = size;
    b->joins = true;
    b->bare = false;
    b->by_source = false;
    b->link_header = 0;
    b->by_link = 0;
    memset(b->control, 0, sizeof b->control); /* their padding is handed over as it is */
    *out = b;
    return 0;
}

void batch_by_source(struct batch *b)
{
    b->by_source = true;
}

void batch_link(struct batch *b, int fd, const struct sockaddr_ll *to, size_t header)
{
    b->link_fd = fd;
    b->link = to;
    b->link_header = header;
}

void batch_apart(struct batch *b)
{
    b->joins = false;
}

void batch_flood(struct batch *b)
{
    b->joins = false;
    b->bare = true;
}

void batch_close(struct batch *b)
{
    free(b);
}

bool batch_empty(const struct batch *b)
{
    return b->count == 0;
}

uint8_t *batch_room(struct batch *b, size_t len)
{
    if (b->count == WIRE_BATCH || DIRECT_HEADER + len > b->size - b->used)
        return NULL;
    b->start = b->used + DIRECT_HEADER; /* room for a bare frame's header before it */
    return b->arena + b->start;
}

uint8_t *batch_data_room(struct batch *b)
{
    if (b->count == WIRE_BATCH || AHEAD + BATCH_DATA > b->size - b->used)
        return NULL;
    return b->arena + b->used + AHEAD;
}

uint8_t *batch_room_around(struct batch *b, size_t len, size_t data)
{
    b->start = b->used + AHEAD - (len - data);
    return b->arena + b->start;
}

void batch_add(struct batch *b, size_t len, const struct flow *flow, struct seq seq,
               const uint8_t *header)
{
    unsigned i = b->count++;

    b->packet[i] = (struct iovec){b->arena + b->start, len};
    b->what[i] = (struct wire_unsent){*flow, seq};
    b->direct[i] = header != NULL;
    b->unsummed[i] = false;
    if (header)
        memcpy(b->header[i], header, b->link_header);
    b->used = b->start + len;
}

void batch_unsummed(struct batch *b)
{
    b->unsummed[b->count - 1] = true;
}

static void sum_up(struct batch *b, unsigned at)
{
    if (b->unsummed[at])
        stencil_sum(b->packet[at].iov_base, b->packet[at].iov_len);
    b->unsummed[at] = false;
}

/* Lays out the next `n` packets as frames without a prefix, each in one piece; returns how many. */
static unsigned lay_bare_frames(struct batch *b, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        const struct iovec *packet = &b->packet[b->first + i];
        sum_up(b, b->first + i);
        uint8_t *frame = (uint8_t *)packet->iov_base - b->link_header;
        memcpy(frame, b->header[b->first + i], b->link_header);
        b->part[i] = (struct iovec){frame, b->link_header + packet->iov_len};
        b->carries[i] = 1;
        /* No name: the socket is bound to its interface, direct_flood(). */
        b->message[i].msg_hdr = (struct msghdr){.msg_iov = &b->part[i], .msg_iovlen = 1};
    }
    return n;
}

/* Lays out the next `n` packets as frames; returns how many those are. */
static unsigned lay_frames(struct batch *b, unsigned n)
{
    struct iovec *part = b->part;
    unsigned frames = 0;

    for (unsigned at = b->first, end = b->first + n; at < end; at += b->carries[frames++]) {
        unsigned k = b->joins ? join_count(b->packet + at, end - at) : 1;
        if (k == 1)
            sum_up(b, at);
        size_t skip, head = join_head(b->packet + at, k, b->header[at], b->link_header,
                                      b->head[frames], &skip);
        b->carries[frames] = k;
        b->message[frames].msg_hdr = (struct msghdr){.msg_name = (void *)(uintptr_t)b->link,
                                                     .msg_namelen = sizeof *b->link,
                                                     .msg_iov = part,
                                                     .msg_iovlen = 1 + k};
        *part++ = (struct iovec){b->head[frames], head};
        for (unsigned i = at; i < at + k; i++)
            *part++ = (struct iovec){(uint8_t *)b->packet[i].iov_base + skip,
                                     b->packet[i].iov_len - skip};
    }
    return frames;
}

/* Names the source that the kernel is to route message `i` by (ip(7), IP_PKTINFO; RFC 3542, 6.2).
 */
static void lay_source(struct batch *b, unsigned i, const struct flow *f)
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

/* The same as packets for the kernel to route. */
static unsigned lay_packets(struct batch *b, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        const struct flow *f = &b->what[b->first + i].flow;
        /* No port: a raw socket takes an IPv6 one for a protocol. No scope: the socket is bound to
         * the interface where a link-local address needs one. */
        socklen_t size = address_socket(f->v6, &f->remote, 0, 0, &b->to[i]);
        b->carries[i] = 1;
        b->message[i].msg_hdr = (struct msghdr){.msg_name = &b->to[i],
                                                .msg_namelen = size,
                                                .msg_iov = &b->packet[b->first + i],
                                                .msg_iovlen = 1};
        if (b->by_source)
            lay_source(b, i, f);
    }
    return n;
}

static bool passing(int error)
{
    return error == EAGAIN || error == ENOBUFS || error == EINTR;
}

/* Hands over what comes first and goes the same way. Returns how many packets were taken, or -1
 * with errno set. */
static int hand_over(struct batch *b)
{
    unsigned n = 1, packets = 0;
    bool direct = b->direct[b->first];

    while (b->first + n < b->count && b->direct[b->first + n] == direct)
        n++;
    n = !direct ? lay_packets(b, n) : b->bare ? lay_bare_frames(b, n) : lay_frames(b, n);
    int taken = sendmmsg(direct ? b->link_fd : b->fd, b->message, n, MSG_DONTWAIT);
    if (taken < 0 && b->carries[0] > 1 && !passing(errno)) {
        b->joins = false; /* each on its own, then, to see whether that was it */
        errno = EINTR;
    }
    if (taken < 0)
        return -1;
    for (int i = 0; i < taken; i++)
        packets += b->carries[i];
    b->by_link += direct ? packets : 0;
    return (int)packets;
}

uint64_t batch_direct(const struct batch *b)
{
    return b->by_link;
}

static void forget(struct batch *b, unsigned n)
{
    b->first += n;
    if (b->first == b->count) {
        b->first = b->count = 0;
        b->used = 0;
    }
}

unsigned batch_flush(struct batch *b, int *error, struct wire_unsent *unsent)
{
    unsigned taken = 0;

    while (b->first < b->count) {
        int n = hand_over(b);
        if (n > 0) {
            taken += (unsigned)n;
            forget(b, (unsigned)n);
        } else if (errno != EINTR) {
            *error = errno;
            *unsent = b->what[b->first];
            if (!passing(*error))
                forget(b, 1);
            return taken;
        }
    }
    *error = 0;
    return taken;
}
