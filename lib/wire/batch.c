#include "lib/wire/batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/wire/address.h"

#define LARGEST 65535u

struct batch {
    int fd, link_fd;
    const struct sockaddr_ll *link;
    uint64_t by_link;
    unsigned first, count; /* packets: from the first not taken yet to the last queued */
    size_t used, size;     /* bytes of `arena` */
    struct mmsghdr message[WIRE_BATCH];
    struct iovec parts[WIRE_BATCH][2]; /* link layer's header, if any, and packet */
    uint8_t header[WIRE_BATCH][DIRECT_HEADER];
    bool direct[WIRE_BATCH]; /* it has one */
    struct sockaddr_storage to[WIRE_BATCH];
    struct wire_unsent what[WIRE_BATCH];
    uint8_t arena[];
};

int batch_open(struct batch **out, int fd, uint32_t mtu)
{
    size_t size = (size_t)WIRE_BATCH * mtu;
    struct batch *b;

    if (size < LARGEST)
        size = LARGEST;
    b = malloc(sizeof *b + size); /* untouched pages of a large MTU cost nothing */
    if (!b)
        return WAVE_ENOMEM;
    b->fd = fd;
    b->first = b->count = 0;
    b->used = 0;
    b->size = size;
    b->by_link = 0;
    *out = b;
    return 0;
}

void batch_link(struct batch *b, int fd, const struct sockaddr_ll *to)
{
    b->link_fd = fd;
    b->link = to;
}

void batch_close(struct batch *b)
{
    free(b);
}

uint8_t *batch_room(struct batch *b, size_t len)
{
    return b->count < WIRE_BATCH && len <= b->size - b->used ? b->arena + b->used : NULL;
}

static struct msghdr as_frame(struct batch *b, unsigned i, const uint8_t *header)
{
    memcpy(b->header[i], header, DIRECT_HEADER);
    b->parts[i][0] = (struct iovec){b->header[i], DIRECT_HEADER};
    memcpy(&b->to[i], b->link, sizeof *b->link);
    return (struct msghdr){.msg_name = &b->to[i],
                           .msg_namelen = sizeof *b->link,
                           .msg_iov = b->parts[i],
                           .msg_iovlen = 2};
}

static struct msghdr as_packet(struct batch *b, unsigned i, const struct flow *flow)
{
    /* No port: a raw socket takes an IPv6 one for a protocol. No scope: the socket is bound to the
     * interface where a link-local address needs one. */
    socklen_t size = address_socket(flow->v6, &flow->remote, 0, 0, &b->to[i]);
    return (struct msghdr){
        .msg_name = &b->to[i], .msg_namelen = size, .msg_iov = &b->parts[i][1], .msg_iovlen = 1};
}

void batch_add(struct batch *b, size_t len, const struct flow *flow, struct seq seq,
               const uint8_t *header)
{
    unsigned i = b->count++;

    b->parts[i][1] = (struct iovec){b->arena + b->used, len};
    b->what[i] = (struct wire_unsent){*flow, seq};
    b->direct[i] = header != NULL;
    b->message[i].msg_hdr = header ? as_frame(b, i, header) : as_packet(b, i, flow);
    b->used += len;
}

/* Hands over what comes first and goes the same way; as sendmmsg(). */
static int hand_over(struct batch *b)
{
    unsigned n = 1;
    bool direct = b->direct[b->first];

    while (b->first + n < b->count && b->direct[b->first + n] == direct)
        n++;
    int taken = sendmmsg(direct ? b->link_fd : b->fd, b->message + b->first, n, MSG_DONTWAIT);
    if (direct && taken > 0)
        b->by_link += (unsigned)taken;
    return taken;
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

static bool passing(int error)
{
    return error == EAGAIN || error == ENOBUFS;
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
