/*
 * Captures with a packet socket whose ring has slots (TPACKET_V2). packet_ring.h says why. The
 * socket is opened, gets its filter, its ring and its receive buffer, and is bound last, so that no
 * frame comes before the filter is in force. packet_ring_next() then goes round the slots; it gives
 * the slot of the last frame back to the kernel when it is called once more.
 */
#include "lib/wire/packet_ring.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <pcap/pcap.h>
#include <pcap/sll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/core/diag.h"
#include "lib/wire/route.h"

#define BLOCK (64u << 10) /* bytes of a block; the memory within a block is contiguous */
#define FRONT 32          /* bytes before each frame: for a VLAN tag, or a header that we write */
#define MTU_SLOT 9216     /* longer frames, above all on lo, are read from the receive buffer */
#define MTU_DEFAULT 1500
#define LINK_MAX 18      /* bytes of an Ethernet header and of a second VLAN tag */
#define TAG 4            /* bytes of a VLAN tag */
#define LARGEST 65600    /* bytes of a frame: what IP can carry, with its link-layer header */
#define BUFFER (4 << 20) /* bytes asked of the kernel for frames that are longer than a slot */
#define LARGE 2          /* frames longer than a slot that we hold in our memory */
#define SNAPLEN 262144

/* Holds a frame that was longer than its slot. */
struct large_frame {
    uint32_t len; /* 0: no frame here */
    uint8_t bytes[FRONT + LARGEST];
};

struct packet_ring {
    int fd, dlt;
    uint8_t *ring;
    uint32_t slot, each, blocks; /* bytes of a slot, slots of a block, blocks */
    uint32_t at;                 /* the slot to read next */
    struct tpacket2_hdr *held;   /* the slot of the frame that was returned last, or NULL */
    struct large_frame *given;   /* that frame, when it was longer than its slot, or NULL */
    uint32_t buffer;             /* bytes of the receive buffer, as the kernel counts them */
    uint64_t received, dropped;  /* up to the last call of look() */
    bool down;                   /* the interface went down, and nothing has come since */
    uint8_t link[TAG + LINK_MAX]; /* the link-layer header of the frame that was returned last */
    struct large_frame large[LARGE];
};

static int failed(const char *device, const char *what, struct diag *d)
{
    return diag_fail(d, WAVE_ESYS, "cannot capture on %s: %s: %s", device, what, strerror(errno));
}

/* Returns whether the capture is on all interfaces. */
static bool anywhere(const struct capture_config *config)
{
    return strcmp(config->device, "any") == 0;
}

/* Opens another socket in the place of the first one, for frames with their link-layer header. */
static int whole_frames(struct packet_ring *s, const struct capture_config *config, struct diag *d)
{
    close(s->fd);
    s->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    return s->fd < 0 ? failed(config->device, "socket", d) : 0;
}

/*
 * Opens the socket. On Ethernet, and on several interfaces at once, it gives whole frames; of the
 * latter a slot says where the IP packet begins. On all other interfaces the kernel removes the
 * link-layer header, of any kind. The socket receives nothing before it is bound, and that is the
 * last step.
 */
static int open_socket(struct packet_ring *s, const struct capture_config *config, struct diag *d)
{
    struct ifreq ifr = {.ifr_name = ""};

    s->fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (s->fd < 0 && (errno == EPERM || errno == EACCES))
        return diag_fail(d, WAVE_EPERM,
                         "cannot capture on %s: Operation not permitted; run with sudo, or give "
                         "the binary the capability cap_net_raw",
                         config->device);
    if (s->fd < 0)
        return failed(config->device, "socket", d);
    s->dlt = anywhere(config) ? DLT_LINUX_SLL2 : DLT_RAW;
    if (anywhere(config))
        return whole_frames(s, config, d);
    strncpy(ifr.ifr_name, config->device, sizeof ifr.ifr_name - 1);
    if (ioctl(s->fd, SIOCGIFHWADDR, &ifr) < 0)
        return failed(config->device, "the kind of the interface", d);
    if (ifr.ifr_hwaddr.sa_family == ARPHRD_ETHER || ifr.ifr_hwaddr.sa_family == ARPHRD_LOOPBACK) {
        s->dlt = DLT_EN10MB;
        return whole_frames(s, config, d);
    }
    return 0;
}

/* Writes filter instructions that discard what we send, where it is not wanted. A packet over lo
 * comes twice, leaving and arriving, and we keep the arrival. Returns the number of
 * instructions. */
static unsigned without_outgoing(const struct capture_config *config, struct sock_filter *f)
{
    const struct sock_filter leaving[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    const struct sock_filter leaving_lo[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_IFINDEX)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, LOOPBACK_IFINDEX, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };

    if (config->loopback || (config->filter.inbound_only && !config->filter.own_syns)) {
        memcpy(f, leaving, sizeof leaving);
        return sizeof leaving / sizeof *leaving;
    }
    if (anywhere(config)) {
        memcpy(f, leaving_lo, sizeof leaving_lo);
        return sizeof leaving_lo / sizeof *leaving_lo;
    }
    return 0;
}

/* Makes an instruction of a filter for IP packets count from where the IP packet begins, whatever
 * header stands before it. Offsets below zero are not in the packet. */
static void count_from_packet(struct sock_filter *f)
{
    const unsigned mode = BPF_MODE(f->code);
    const bool loads = BPF_CLASS(f->code) == BPF_LD || BPF_CLASS(f->code) == BPF_LDX;

    if (loads && (int32_t)f->k >= 0 && (mode == BPF_ABS || mode == BPF_IND || mode == BPF_MSH))
        f->k += (uint32_t)SKF_NET_OFF;
}

/* Attaches the compiled filter, with the instructions of without_outgoing() before it. */
static int attach(struct packet_ring *s, const struct capture_config *config,
                  const struct bpf_program *program, struct diag *d)
{
    struct sock_filter *f = calloc(program->bf_len + 5, sizeof *f);

    if (!f)
        return diag_fail(d, WAVE_ENOMEM, "out of memory");
    unsigned n = without_outgoing(config, f);
    for (unsigned i = 0; i < program->bf_len; i++) {
        const struct bpf_insn *from = &program->bf_insns[i];
        f[n + i] = (struct sock_filter){from->code, from->jt, from->jf, from->k};
        if (anywhere(config))
            count_from_packet(&f[n + i]);
    }
    struct sock_fprog all = {.len = (unsigned short)(n + program->bf_len), .filter = f};
    int error = setsockopt(s->fd, SOL_SOCKET, SO_ATTACH_FILTER, &all, sizeof all);
    free(f);
    return error < 0 ? failed(config->device, "the filter", d) : 0;
}

/* Compiles the filter and attaches it. libpcap compiles for the link type alone. The kernel has
 * removed the outer VLAN tag of a frame before the filter sees it, so `tags` in effect looks behind
 * one tag more. */
static int set_filter(struct packet_ring *s, const struct capture_config *config, struct diag *d)
{
    char text[FILTER_TEXT];
    struct bpf_program program;
    struct filter_query q = config->filter;
    bool ethernet = s->dlt == DLT_EN10MB;
    pcap_t *compiler = pcap_open_dead(ethernet ? DLT_EN10MB : DLT_RAW, SNAPLEN);

    if (!compiler)
        return diag_fail(d, WAVE_ENOMEM, "out of memory");
    q.any_device = false;
    q.tags = ethernet && !config->loopback;
    int error = 0;
    if (pcap_compile(compiler, &program, filter_text(&q, text), 1, PCAP_NETMASK_UNKNOWN) < 0) {
        error = diag_fail(d, WAVE_ESYS, "cannot capture on %s: %s", config->device,
                          pcap_geterr(compiler));
    } else {
        error = attach(s, config, &program, d);
        pcap_freecode(&program);
    }
    pcap_close(compiler);
    return error;
}

/* Returns the bytes of a slot. The kernel puts its own header into the slot, then room for 16 bytes
 * of the link-layer header, and then the frame without its link-layer header. */
static uint32_t slot_size(uint32_t mtu)
{
    uint32_t max = !mtu ? MTU_DEFAULT : mtu < MTU_SLOT ? mtu : MTU_SLOT;

    return TPACKET_ALIGN(TPACKET_ALIGN(TPACKET2_HDRLEN) + 16 + FRONT + LINK_MAX + max);
}

/* Makes the ring, and maps it. Where the kernel has no memory for a ring of this size, a smaller
 * one has to do. */
static int set_ring(struct packet_ring *s, const struct capture_config *config, struct diag *d)
{
    const int version = TPACKET_V2, front = FRONT, copies = 1;
    uint32_t bytes = config->ring ? config->ring : CAPTURE_RING;
    int error;

    if (setsockopt(s->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) < 0 ||
        setsockopt(s->fd, SOL_PACKET, PACKET_RESERVE, &front, sizeof front) < 0 ||
        setsockopt(s->fd, SOL_PACKET, PACKET_COPY_THRESH, &copies, sizeof copies) < 0)
        return failed(config->device, "the ring", d);
    s->slot = slot_size(config->mtu);
    s->each = BLOCK / s->slot;
    for (s->blocks = (bytes + BLOCK - 1) / BLOCK;; s->blocks /= 2) {
        struct tpacket_req req = {.tp_block_size = BLOCK,
                                  .tp_block_nr = s->blocks,
                                  .tp_frame_size = s->slot,
                                  .tp_frame_nr = s->blocks * s->each};
        error = setsockopt(s->fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof req);
        if (error == 0 || errno != ENOMEM || s->blocks == 1)
            break;
    }
    if (error < 0)
        return failed(config->device, "the ring", d);
    void *ring =
        mmap(NULL, (size_t)s->blocks * BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
    if (ring == MAP_FAILED)
        return failed(config->device, "the ring", d);
    s->ring = ring;
    return 0;
}

/* Sets the size of the receive buffer, which holds frames longer than a slot. The administrator
 * limits what an unprivileged process may ask for (net.core.rmem_max). */
static void set_buffer(struct packet_ring *s)
{
    const int wanted = BUFFER;
    int got = 0;
    socklen_t size = sizeof got;

    if (setsockopt(s->fd, SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof wanted) < 0)
        setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted);
    if (getsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &got, &size) == 0 && got > 0)
        s->buffer = (uint32_t)got;
}

/* Binds the socket, which begins the capture. */
static int start(struct packet_ring *s, const struct capture_config *config, struct diag *d)
{
    const int one = 1;
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};

    /* Since Linux 4.20 the kernel then does not even run the filter on what we send. */
    if (config->loopback || config->filter.inbound_only)
        setsockopt(s->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one);
    if (!anywhere(config)) {
        to.sll_ifindex = (int)if_nametoindex(config->device);
        if (!to.sll_ifindex)
            return failed(config->device, "the interface", d);
    }
    if (bind(s->fd, (struct sockaddr *)&to, sizeof to) < 0)
        return failed(config->device, "bind", d);
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error) {
        errno = error;
        return failed(config->device, "bind", d);
    }
    return 0;
}

int packet_ring_open(struct packet_ring **out, const struct capture_config *config, struct diag *d)
{
    struct packet_ring *s = calloc(1, sizeof *s);

    if (!s)
        return diag_fail(d, WAVE_ENOMEM, "out of memory");
    s->fd = -1;
    int error = open_socket(s, config, d);
    if (!error)
        error = set_filter(s, config, d);
    if (!error)
        error = set_ring(s, config, d);
    if (!error) {
        set_buffer(s);
        error = start(s, config, d);
    }
    if (error) {
        packet_ring_close(s);
        return error;
    }
    *out = s;
    return 0;
}

void packet_ring_close(struct packet_ring *s)
{
    if (!s)
        return;
    if (s->ring)
        munmap(s->ring, (size_t)s->blocks * BLOCK);
    if (s->fd >= 0)
        close(s->fd);
    free(s);
}

/* Returns the slot to read next. */
static struct tpacket2_hdr *slot_at(const struct packet_ring *s)
{
    uint32_t block = s->at / s->each, within = s->at % s->each;

    return (struct tpacket2_hdr *)(void *)(s->ring + (size_t)block * BLOCK +
                                           (size_t)within * s->slot);
}

/* Returns the slot of the last frame to the kernel. */
static void give_back(struct packet_ring *s)
{
    if (s->given)
        s->given->len = 0;
    if (s->held)
        __atomic_store_n(&s->held->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    s->given = NULL;
    s->held = NULL;
}

/* Returns whether the long frame is the one whose beginning is in the slot. */
static bool belongs(const struct large_frame *l, const struct tpacket2_hdr *h)
{
    return l->len == h->tp_len &&
           memcmp(l->bytes + FRONT, (const uint8_t *)h + h->tp_mac, h->tp_snaplen) == 0;
}

/* Returns the whole of a frame that is longer than its slot, or NULL when it is longer than any
 * frame should be. Two processors that capture at the same time may queue their frames in another
 * order than that of their slots; a frame that comes too early waits here. */
static struct large_frame *read_large(struct packet_ring *s, const struct tpacket2_hdr *h)
{
    for (unsigned i = 0; i < LARGE; i++) {
        struct large_frame *l = &s->large[i];
        if (!l->len) {
            ssize_t n = recv(s->fd, l->bytes + FRONT, LARGEST, MSG_DONTWAIT | MSG_TRUNC);
            if (n <= 0)
                continue;
            l->len = n <= LARGEST ? (uint32_t)n : 0;
        }
        if (l->len && belongs(l, h))
            return l;
    }
    return NULL;
}

/* Puts the VLAN tag that the kernel has removed back behind the two addresses, with which the
 * header at `from` begins. Returns where it begins now. */
static uint8_t *put_tag(const struct tpacket2_hdr *h, const uint8_t *from)
{
    const uint16_t tag[2] = {
        htons((h->tp_status & TP_STATUS_VLAN_TPID_VALID) ? h->tp_vlan_tpid : ETH_P_8021Q),
        htons(h->tp_vlan_tci)};
    uint8_t *to = (uint8_t *)(uintptr_t)from - TAG;

    memmove(to, from, 2 * (size_t)ETH_ALEN);
    memcpy(to + 2 * (size_t)ETH_ALEN, tag, sizeof tag);
    return to;
}

/* Copies an Ethernet header of that length, which is about to be written over. */
static void keep_link(struct packet_ring *s, const struct tpacket2_hdr *h, uint32_t len,
                      struct capture_frame *out)
{
    memcpy(s->link + TAG, out->bytes, len);
    out->link = s->link + TAG;
    out->link_len = len;
    if (h->tp_status & TP_STATUS_VLAN_VALID) {
        out->link = put_tag(h, out->link);
        out->link_len += TAG;
    }
}

/* Writes the header that libpcap uses for several interfaces (LINKTYPE_LINUX_SLL2) before the IP
 * packet of a frame, in the place of the frame's own. */
static void put_cooked(struct packet_ring *s, const struct tpacket2_hdr *h,
                       struct capture_frame *out)
{
    const struct sockaddr_ll *from = (const void *)((const uint8_t *)h + TPACKET_ALIGN(sizeof *h));
    const bool ethernet = from->sll_hatype == ARPHRD_ETHER || from->sll_hatype == ARPHRD_LOOPBACK;
    uint32_t skip = h->tp_net > h->tp_mac ? (uint32_t)(h->tp_net - h->tp_mac) : 0;
    struct sll2_header head = {.sll2_protocol = from->sll_protocol,
                               .sll2_if_index = htonl((uint32_t)from->sll_ifindex),
                               .sll2_hatype = htons(from->sll_hatype),
                               .sll2_pkttype = from->sll_pkttype,
                               .sll2_halen = from->sll_halen};

    if (skip > out->caplen)
        skip = out->caplen;
    if (ethernet && skip >= ETH_HLEN && skip <= LINK_MAX)
        keep_link(s, h, skip, out);
    uint8_t *to = (uint8_t *)(uintptr_t)out->bytes + skip - sizeof head;
    memcpy(head.sll2_addr, from->sll_addr, sizeof head.sll2_addr);
    memcpy(to, &head, sizeof head);
    out->bytes = to;
    out->caplen += (uint32_t)sizeof head - skip;
    out->len += (uint32_t)sizeof head - skip;
}

/* tests/live/fault.c defines this function and is preloaded: it sets the clock that stamps the
 * frames. In the program itself the function does not exist. */
extern void slots_stamped(wave_time *stamp) __attribute__((weak));

/* Adds up what was received and lost since the last call; the kernel counts from there. Returns the
 * number of lost frames since then. */
static uint64_t look(struct packet_ring *s)
{
    struct tpacket_stats t = {0, 0};
    socklen_t size = sizeof t;

    if (getsockopt(s->fd, SOL_PACKET, PACKET_STATISTICS, &t, &size) < 0)
        return 0;
    s->received += t.tp_packets;
    s->dropped += t.tp_drops;
    return t.tp_drops;
}

/* Returns whether the interface was removed and did not just go down. The kernel then takes the
 * socket off the interface. An interface that went down may come up, and the capture then continues
 * by itself. */
static bool removed(const struct packet_ring *s)
{
    struct sockaddr_ll at = {.sll_ifindex = 0};
    socklen_t size = sizeof at;

    return getsockname(s->fd, (struct sockaddr *)&at, &size) == 0 && at.sll_ifindex < 0;
}

/* Finds out why no frame waits: the interface may be gone. An interface goes down before it is
 * removed, and the kernel does not report the removal separately. */
static int idle(struct packet_ring *s, struct diag *d)
{
    int error = 0;
    socklen_t size = sizeof error;

    if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        error = errno;
    s->down = s->down || error == ENETDOWN;
    if (s->down && removed(s))
        error = ENETDOWN;
    else if (!error || error == ENETDOWN)
        return 0;
    return diag_fail(d, WAVE_ESYS, "the capture failed: %s",
                     error == ENETDOWN ? "the interface was removed" : strerror(error));
}

/* Fills in *out from the slot. */
static void describe(struct packet_ring *s, struct tpacket2_hdr *h, uint32_t status,
                     struct capture_frame *out)
{
    *out = (struct capture_frame){.stamp = (wave_time)h->tp_sec * WAVE_S + h->tp_nsec,
                                  .bytes = (const uint8_t *)h + h->tp_mac,
                                  .caplen = h->tp_snaplen,
                                  .len = h->tp_len,
                                  .gap = (status & TP_STATUS_LOSING) != 0};
    if (slots_stamped)
        slots_stamped(&out->stamp);
    if (status & TP_STATUS_COPY) {
        s->given = read_large(s, h);
        if (s->given) {
            out->bytes = s->given->bytes + FRONT;
            out->caplen = s->given->len;
        }
    }
    if (s->dlt == DLT_LINUX_SLL2) {
        put_cooked(s, h, out);
    } else if (s->dlt == DLT_EN10MB && (status & TP_STATUS_VLAN_VALID) && out->caplen >= 12) {
        out->bytes = put_tag(h, out->bytes);
        out->caplen += TAG;
        out->len += TAG;
    }
}

int packet_ring_next(struct packet_ring *s, struct capture_frame *out, struct diag *d)
{
    give_back(s);
    struct tpacket2_hdr *h = slot_at(s);
    uint32_t status = __atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE);
    if (!(status & TP_STATUS_USER))
        return idle(s, d);
    s->down = false;
    s->held = h;
    s->at = (s->at + 1) % (s->blocks * s->each);
    describe(s, h, status, out);
    if (out->gap) /* the kernel marks all frames until it is asked */
        look(s);
    if (out->caplen < out->len) { /* the receive buffer had no room for the rest */
        s->dropped++;
        out->gap = true;
    }
    return 1;
}

/* Returns the room of the ring and of the receive buffer. The kernel counts the memory that a frame
 * occupies in the receive buffer. That is usually little more than the frame's bytes when a sender
 * on this machine made it, and up to twice as much when a network card merged it from several
 * segments. */
struct capture_room packet_ring_room(const struct packet_ring *s)
{
    return (struct capture_room){.frames = s->blocks * s->each, .bytes = s->buffer / 2};
}

int packet_ring_fd(const struct packet_ring *s)
{
    return s->fd;
}

int packet_ring_dlt(const struct packet_ring *s)
{
    return s->dlt;
}

void packet_ring_stats(struct packet_ring *s, uint64_t *received, uint64_t *dropped)
{
    look(s);
    *received = s->received;
    *dropped = s->dropped;
}

bool packet_ring_down(const struct packet_ring *s)
{
    return s->down;
}
