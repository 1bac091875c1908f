/*
 * Measures the least that full cycles can cost, with a client that has no TCP. It shows how much of
 * the time of `tcpwave load` the two kernels take themselves, and how much its engine takes. The
 * client derives each segment from the one that came in, and remembers nothing: SYN-ACK causes FIN,
 * and FIN causes ACK and the next SYN. Frames are made in place and handed over 64 at a time,
 * with sendmmsg(2); answers come through a ring in blocks, and one socket for each port keeps the
 * kernel silent, both as load does it. It works on an undisturbed veth only, because it does not
 * retransmit.
 *
 *     bare_load INTERFACE OUR-MAC THEIR-MAC OUR-IPV4 THEIR-IPV4 PORT CONNECTIONS CONCURRENCY
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

enum {
    BATCH = 64,
    BLOCK = 1 << 16,
    BLOCKS = 128,
    SLOT = 2048,
    PORT_FIRST = 10000,
    ISN_STEP = 1 << 20
};

struct bare_load_frame {
    struct ether_header ether;
    struct iphdr ip;
    struct tcphdr tcp;
} __attribute__((packed));

static struct bare_load_frame template, frame[BATCH];
static struct iovec part[BATCH];
static struct mmsghdr message[BATCH];
static unsigned queued;
static int fd;
static uint16_t port, ports, next_port;
static uint32_t isn;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static uint32_t add(uint32_t sum, const void *bytes, size_t len)
{
    for (const uint8_t *p = bytes; len > 1; p += 2, len -= 2)
        sum += (uint32_t)p[0] << 8 | p[1];
    return sum;
}

static uint16_t finish(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return htons((uint16_t)~sum);
}

static void flush(void)
{
    for (unsigned at = 0; at < queued;) {
        int n = sendmmsg(fd, message + at, queued - at, MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN && errno != ENOBUFS)
            die("sendmmsg");
        at += n > 0 ? (unsigned)n : 0;
    }
    queued = 0;
}

static void put(uint16_t lport, uint32_t seq, uint32_t ack, unsigned flags)
{
    struct bare_load_frame *f = &frame[queued];

    *f = template;
    f->tcp.source = htons(lport);
    f->tcp.seq = htonl(seq);
    f->tcp.ack_seq = htonl(ack);
    ((uint8_t *)&f->tcp)[13] = (uint8_t)flags;
    f->ip.check = finish(add(0, &f->ip, sizeof f->ip));
    f->tcp.check =
        finish(add(add(IPPROTO_TCP + sizeof f->tcp, &f->ip.saddr, 8), &f->tcp, sizeof f->tcp));
    if (++queued == BATCH)
        flush();
}

static void open_one(void)
{
    put((uint16_t)(PORT_FIRST + next_port), isn += ISN_STEP, 0, TH_SYN);
    next_port = (uint16_t)((next_port + 1) % ports);
}

static void guard(struct in_addr local)
{
    struct rlimit r;
    struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog program = {1, &nothing};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = local};

    getrlimit(RLIMIT_NOFILE, &r);
    r.rlim_cur = r.rlim_max;
    setrlimit(RLIMIT_NOFILE, &r);
    for (unsigned i = 0; i < ports; i++) {
        int s = socket(AF_INET, SOCK_STREAM, 0);
        at.sin_port = htons((uint16_t)(PORT_FIRST + i));
        if (setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0 ||
            bind(s, (struct sockaddr *)&at, sizeof at) < 0 || listen(s, 1) < 0)
            die("guard");
    }
}

static uint8_t *open_ring(unsigned index, int *ring)
{
    /* Arriving TCP from that port. */
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 3, 0),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, sizeof(struct ether_header) + sizeof(struct iphdr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 65535),
        BPF_STMT(BPF_RET | BPF_K, 0)};
    struct sock_fprog program = {6, code};
    struct tpacket_req3 q = {.tp_block_size = BLOCK,
                             .tp_block_nr = BLOCKS,
                             .tp_frame_size = SLOT,
                             .tp_frame_nr = BLOCK / SLOT * BLOCKS,
                             .tp_retire_blk_tov = 1};
    struct sockaddr_ll here = {
        .sll_family = AF_PACKET, .sll_ifindex = (int)index, .sll_protocol = htons(ETH_P_ALL)};
    int version = TPACKET_V3;
    uint8_t *at;

    *ring = socket(AF_PACKET, SOCK_RAW, 0);
    if (setsockopt(*ring, SOL_PACKET, PACKET_VERSION, &version, sizeof version) < 0 ||
        setsockopt(*ring, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0 ||
        setsockopt(*ring, SOL_PACKET, PACKET_RX_RING, &q, sizeof q) < 0)
        die("ring");
    at = mmap(NULL, (size_t)BLOCK * BLOCKS, PROT_READ | PROT_WRITE, MAP_SHARED, *ring, 0);
    if (at == MAP_FAILED || bind(*ring, (struct sockaddr *)&here, sizeof here) < 0)
        die("ring");
    return at;
}

static void prepare(char **argv)
{
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(argv[1])};

    memcpy(template.ether.ether_shost, ether_aton(argv[2]), ETH_ALEN);
    memcpy(template.ether.ether_dhost, ether_aton(argv[3]), ETH_ALEN);
    template.ether.ether_type = htons(ETH_P_IP);
    template.ip = (struct iphdr){.version = 4,
                                 .ihl = 5,
                                 .tot_len = htons(sizeof template.ip + sizeof template.tcp),
                                 .frag_off = htons(IP_DF),
                                 .ttl = 64,
                                 .protocol = IPPROTO_TCP,
                                 .saddr = inet_addr(argv[4]),
                                 .daddr = inet_addr(argv[5])};
    template.tcp.dest = htons(port);
    template.tcp.doff = sizeof template.tcp / 4;
    template.tcp.window = 0xffff;
    fd = socket(AF_PACKET, SOCK_RAW, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof to) < 0)
        die("packet socket");
    for (unsigned i = 0; i < BATCH; i++) {
        part[i] = (struct iovec){&frame[i], sizeof frame[i]};
        message[i].msg_hdr = (struct msghdr){.msg_iov = &part[i], .msg_iovlen = 1};
    }
}

/* Answers what stands in one frame; true when that was the end of a cycle. */
static bool answer(const uint8_t *bytes)
{
    const struct iphdr *ip = (const void *)(bytes + sizeof(struct ether_header));
    const struct tcphdr *tcp = (const void *)((const uint8_t *)ip + ip->ihl * 4);
    const uint32_t seq = ntohl(tcp->ack_seq), ack = ntohl(tcp->seq) + 1;

    if (tcp->syn)
        put(ntohs(tcp->dest), seq, ack, TH_FIN | TH_ACK);
    if (tcp->fin)
        put(ntohs(tcp->dest), seq, ack, TH_ACK);
    return tcp->fin;
}

static unsigned long run(uint8_t *ring, int ring_fd, unsigned long max, unsigned long at_once)
{
    unsigned long opened = 0, done = 0;
    unsigned at = 0;

    for (; opened < at_once && opened < max; opened++)
        open_one();
    while (done < max) {
        struct tpacket_block_desc *block = (void *)(ring + (size_t)at * BLOCK);
        struct tpacket_hdr_v1 *head = &block->hdr.bh1;
        struct pollfd p = {.fd = ring_fd, .events = POLLIN};
        const uint8_t *packet = (const uint8_t *)block;

        if (!(__atomic_load_n(&head->block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER)) {
            flush();
            if (poll(&p, 1, 2000) == 0)
                break; /* something was lost, and with it a cycle */
            continue;
        }
        packet += head->offset_to_first_pkt;
        for (unsigned i = 0; i < head->num_pkts; i++) {
            const struct tpacket3_hdr *h = (const void *)packet;
            if (answer(packet + h->tp_mac)) {
                done++;
                if (opened < max)
                    opened++, open_one();
            }
            packet += h->tp_next_offset;
        }
        __atomic_store_n(&head->block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
        at = (at + 1) % BLOCKS;
    }
    flush();
    return done;
}

int main(int argc, char **argv)
{
    struct timespec began, ended;
    unsigned long max, at_once, done;
    uint8_t *ring;
    int ring_fd;

    if (argc != 9) {
        fprintf(stderr, "usage: bare_load INTERFACE OUR-MAC THEIR-MAC OUR-IPV4 THEIR-IPV4 PORT "
                        "CONNECTIONS CONCURRENCY\n");
        return 2;
    }
    port = (uint16_t)atoi(argv[6]);
    max = strtoul(argv[7], NULL, 10);
    at_once = strtoul(argv[8], NULL, 10);
    ports = (uint16_t)(at_once + at_once / 8 + 64);
    prepare(argv);
    guard((struct in_addr){template.ip.saddr});
    ring = open_ring(if_nametoindex(argv[1]), &ring_fd);
    clock_gettime(CLOCK_MONOTONIC, &began);
    done = run(ring, ring_fd, max, at_once);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    printf("done %lu of %lu rate %.0f\n", done, max,
           (double)done / ((double)(ended.tv_sec - began.tv_sec) +
                           (double)(ended.tv_nsec - began.tv_nsec) / 1e9));
    return done == max ? 0 : 1;
}
