/*
 * Opens the ring, fills its slots in turn, and asks the kernel to send what they hold. The kernel
 * goes round the slots as we do. It takes the frames until one is refused, and stays there; so the
 * slots that it has not taken are emptied, and the next frame is put into the first of them.
 */
#include "lib/wire/tx_ring.h"

#include <errno.h>
#include <linux/virtio_net.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define SLOT 256
/* A frame has to leave the socket's buffer before its slot is free, and the buffer holds fewer. */
#define SLOTS 1024u
#define BLOCK 16384u /* bytes of memory that the kernel allocates in one piece */
/* Where the kernel looks for what is to be sent (packet_mmap.rst). */
#define FRONT (TPACKET2_HDRLEN - sizeof(struct sockaddr_ll))

_Static_assert(FRONT + sizeof(struct virtio_net_hdr) + TX_RING_FRAME <= SLOT,
               "a frame has room in a slot");

struct tx_ring {
    int fd;
    struct sockaddr_ll to;
    uint8_t *slots;
    unsigned at;  /* the slot of the next frame */
    unsigned put; /* frames before it that were not handed over yet */
};

static struct tpacket2_hdr *slot(const struct tx_ring *r, unsigned i)
{
    return (struct tpacket2_hdr *)(void *)(r->slots + (size_t)(i % SLOTS) * SLOT);
}

/* Makes the ring. The socket is bound to no protocol, and so receives nothing (l2_send.c). */
static bool set_up(struct tx_ring *r)
{
    const int version = TPACKET_V2, one = 1;
    const struct tpacket_req ring = {.tp_block_size = BLOCK,
                                     .tp_block_nr = SLOTS * SLOT / BLOCK,
                                     .tp_frame_size = SLOT,
                                     .tp_frame_nr = SLOTS};
    void *slots;

    r->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (r->fd < 0 || setsockopt(r->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) < 0 ||
        setsockopt(r->fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof one) < 0 ||
        setsockopt(r->fd, SOL_PACKET, PACKET_TX_RING, &ring, sizeof ring) < 0)
        return false;
    slots = mmap(NULL, (size_t)SLOTS * SLOT, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
    if (slots == MAP_FAILED)
        return false;
    r->slots = slots;
    return true;
}

struct tx_ring *tx_ring_open(const struct sockaddr_ll *to)
{
    struct tx_ring *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    r->to = *to;
    if (set_up(r))
        return r;
    tx_ring_close(r);
    return NULL;
}

void tx_ring_close(struct tx_ring *r)
{
    if (!r)
        return;
    if (r->slots)
        munmap(r->slots, (size_t)SLOTS * SLOT);
    if (r->fd >= 0)
        close(r->fd);
    free(r);
}

bool tx_ring_put(struct tx_ring *r, const uint8_t *link, size_t header, const uint8_t *packet,
                 size_t len)
{
    struct tpacket2_hdr *h = slot(r, r->at);
    uint8_t *to = (uint8_t *)h + FRONT;
    /* As much as this is copied when the frame is sent; the rest would be lent. */
    const struct virtio_net_hdr all = {.hdr_len = (uint16_t)(header + len)};

    if (__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) != TP_STATUS_AVAILABLE)
        return false;
    memcpy(to, &all, sizeof all);
    memcpy(to + sizeof all, link, header);
    memcpy(to + sizeof all + header, packet, len);
    h->tp_len = (uint32_t)(sizeof all + header + len);
    __atomic_store_n(&h->tp_status, TP_STATUS_SEND_REQUEST, __ATOMIC_RELEASE);
    r->at = (r->at + 1) % SLOTS;
    r->put++;
    return true;
}

/* Returns how many of the frames that were put the kernel has taken. */
static unsigned count_taken(const struct tx_ring *r)
{
    unsigned n = 0;

    while (n < r->put) {
        const struct tpacket2_hdr *h = slot(r, r->at + SLOTS - r->put + n);
        const uint32_t status = __atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE);
        if (status == TP_STATUS_SEND_REQUEST || status == TP_STATUS_WRONG_FORMAT)
            break;
        n++;
    }
    return n;
}

/* Empties the slots whose frames the kernel has not taken. */
static void take_back(struct tx_ring *r, unsigned n)
{
    for (; n > 0; n--) {
        r->at = (r->at + SLOTS - 1) % SLOTS;
        __atomic_store_n(&slot(r, r->at)->tp_status, TP_STATUS_AVAILABLE, __ATOMIC_RELEASE);
    }
    r->put = 0;
}

int tx_ring_send(struct tx_ring *r)
{
    unsigned taken;
    int error = EAGAIN;

    if (r->put &&
        sendto(r->fd, NULL, 0, MSG_DONTWAIT, (const struct sockaddr *)&r->to, sizeof r->to) < 0)
        error = errno;
    taken = count_taken(r);
    take_back(r, r->put - taken);
    errno = error;
    return taken ? (int)taken : -1;
}
