#include "lib/wire/batch.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "lib/wire/address.h"

#define LARGEST 65535u

struct batch {
    int fd;
    unsigned first, count; /* packets: from the first not taken yet to the last queued */
    size_t used, size;     /* bytes of `arena` */
    struct mmsghdr message[WIRE_BATCH];
    struct iovec bytes[WIRE_BATCH];
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
    *out = b;
    return 0;
}

void batch_close(struct batch *b)
{
    free(b);
}

uint8_t *batch_room(struct batch *b, size_t len)
{
    return b->count < WIRE_BATCH && len <= b->size - b->used ? b->arena + b->used : NULL;
}

void batch_add(struct batch *b, size_t len, const struct flow *flow, struct seq seq)
{
    unsigned i = b->count++;

    b->bytes[i] = (struct iovec){b->arena + b->used, len};
    b->what[i] = (struct wire_unsent){*flow, seq};
    b->message[i] = (struct mmsghdr){
        .msg_hdr = {.msg_name = &b->to[i],
                    /* No port: a raw socket takes an IPv6 one for a protocol. No scope: the socket
                     * is bound to the interface where a link-local address needs one. */
                    .msg_namelen = address_socket(flow->v6, &flow->remote, 0, 0, &b->to[i]),
                    .msg_iov = &b->bytes[i],
                    .msg_iovlen = 1}};
    b->used += len;
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
        int n = sendmmsg(b->fd, b->message + b->first, b->count - b->first, MSG_DONTWAIT);
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
