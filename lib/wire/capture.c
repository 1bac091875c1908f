/*
 * Captures frames in one of two ways, which have the same interface. For many connections libpcap
 * captures: its ring keeps frames in blocks, which cost one wakeup for many frames. For a few
 * connections packet_ring.c captures, which delivers each frame immediately.
 */
#include "lib/wire/capture.h"

#include <linux/if_packet.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/core/diag.h"
#include "lib/wire/frame.h"
#include "lib/wire/packet_ring.h"

/* Frames are never cut off. With segmentation offload a frame is as long as an IP packet can be, or
 * longer (Linux's BIG TCP). */
#define SNAPLEN 262144
#define BLOCK_MS 1
#define MTU_DEFAULT 1500
#define OVERHEAD 128  /* bytes in a block beside each IP packet: headers and alignment */
#define ASK_EVERY 256 /* frames between two questions to libpcap about lost frames */

struct capture {
    struct packet_ring *slots; /* NULL: libpcap captures */
    pcap_t *pcap;
    int fd, dlt;
    bool nano;
    struct capture_room room;
    uint64_t dropped; /* libpcap's count when it was last asked */
    bool gap;         /* the count had gone up at that time */
    unsigned given;   /* frames since that time */
};

/* Fails with libpcap's reason, and says how to get a missing privilege. */
static int failed(struct capture *c, int status, const char *device, struct diag *d)
{
    const char *why = pcap_geterr(c->pcap);
    if (status == PCAP_ERROR_PERM_DENIED || status == PCAP_ERROR_PROMISC_PERM_DENIED)
        return diag_fail(d, WAVE_EPERM,
                         "cannot capture on %s: Operation not permitted; run with sudo, or give "
                         "the binary the capability cap_net_raw",
                         device);
    return diag_fail(d, WAVE_ESYS, "cannot capture on %s: %s%s%s", device, pcap_statustostr(status),
                     *why ? ": " : "", why);
}

/* Captures arriving frames only. libpcap 1.10 discards outgoing frames itself, but only after each
 * has taken a slot of the ring. Since Linux 4.20 the kernel need not make the copy; where it does
 * not know the option, libpcap's way still works. */
static void ignore_outgoing(pcap_t *pcap, bool own_syns)
{
    const int one = 1;
    if (!own_syns)
        pcap_setdirection(pcap, PCAP_D_IN);
    setsockopt(pcap_fileno(pcap), SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one);
}

/* Opens libpcap's ring in blocks. */
static int activate(struct capture *c, const struct capture_config *config, struct diag *d)
{
    char error[PCAP_ERRBUF_SIZE];
    const uint32_t ring = config->ring ? config->ring : CAPTURE_RING;
    pcap_set_snaplen(c->pcap, SNAPLEN);
    pcap_set_timeout(c->pcap, BLOCK_MS);
    pcap_set_buffer_size(c->pcap, (int)ring);
    /* Half of the ring, because the end of a block stays empty where the next frame does not
     * fit. */
    c->room.bytes = ring / 2;
    c->room.frames = ring / 2 / ((config->mtu ? config->mtu : MTU_DEFAULT) + OVERHEAD);
    c->nano = pcap_set_tstamp_precision(c->pcap, PCAP_TSTAMP_PRECISION_NANO) == 0;

    int status = pcap_activate(c->pcap);
    if (status < 0)
        return failed(c, status, config->device, d);
    if (pcap_setnonblock(c->pcap, 1, error) < 0)
        return diag_fail(d, WAVE_ESYS, "cannot capture on %s without blocking: %s", config->device,
                         error);
    /* The older header of the any device does not name the interface. Where there is no newer one,
     * the older one has to do. */
    pcap_set_datalink(c->pcap, DLT_LINUX_SLL2);
    /* A packet over lo is captured twice, leaving and arriving; we keep the arrival. */
    if (config->loopback || config->filter.inbound_only)
        ignore_outgoing(c->pcap, config->filter.own_syns);
    return 0;
}

static int set_filter(struct capture *c, const struct capture_config *config, struct diag *d)
{
    char text[FILTER_TEXT];
    struct bpf_program program;
    struct filter_query q = config->filter;
    q.any_device = c->dlt == DLT_LINUX_SLL2;
    q.tags = c->dlt == DLT_EN10MB && !config->loopback;
    int status = pcap_compile(c->pcap, &program, filter_text(&q, text), 1, PCAP_NETMASK_UNKNOWN);
    if (status < 0)
        return failed(c, status, config->device, d);
    status = pcap_setfilter(c->pcap, &program);
    pcap_freecode(&program);
    return status < 0 ? failed(c, status, config->device, d) : 0;
}

static int open_blocks(struct capture *c, const struct capture_config *config, struct diag *d)
{
    char error_text[PCAP_ERRBUF_SIZE];
    c->pcap = pcap_create(config->device, error_text);
    if (!c->pcap)
        return diag_fail(d, WAVE_ESYS, "cannot capture on %s: %s", config->device, error_text);
    int error = activate(c, config, d);
    if (error)
        return error;
    c->dlt = pcap_datalink(c->pcap);
    if (!frame_known(c->dlt))
        return diag_fail(d, WAVE_ESYS,
                         "cannot read the frames of %s: its link type, %s, is not "
                         "one that is known here; choose another interface",
                         config->device, pcap_datalink_val_to_name(c->dlt));
    if ((error = set_filter(c, config, d)) < 0)
        return error;
    c->fd = pcap_get_selectable_fd(c->pcap);
    return 0;
}

static int open_packet_ring(struct capture *c, const struct capture_config *config, struct diag *d)
{
    int error = packet_ring_open(&c->slots, config, d);
    if (error)
        return error;
    c->fd = packet_ring_fd(c->slots);
    c->dlt = packet_ring_dlt(c->slots);
    c->room = packet_ring_room(c->slots);
    return 0;
}

int capture_open(struct capture **out, const struct capture_config *config, struct diag *d)
{
    struct capture *c = calloc(1, sizeof *c);
    if (!c)
        return diag_fail(d, WAVE_ENOMEM, "out of memory");
    int status = config->blocks ? open_blocks(c, config, d) : open_packet_ring(c, config, d);
    if (status < 0) {
        capture_close(c);
        return status;
    }
    *out = c;
    return 0;
}

void capture_close(struct capture *c)
{
    if (!c)
        return;
    packet_ring_close(c->slots);
    if (c->pcap)
        pcap_close(c->pcap);
    free(c);
}

struct capture_room capture_room(const struct capture *c)
{
    return c->room;
}

/* Asks libpcap whether its count of lost frames has gone up. libpcap does not say where in the ring
 * they were lost. */
static void look_for_gap(struct capture *c)
{
    struct pcap_stat s;
    uint64_t before = c->dropped;

    if (pcap_stats(c->pcap, &s) == 0)
        c->dropped = s.ps_drop;
    c->gap = c->dropped != before;
    c->given = 0;
}

int capture_next(struct capture *c, struct capture_frame *out, struct diag *d)
{
    struct pcap_pkthdr *header;
    const u_char *bytes;
    if (c->slots)
        return packet_ring_next(c->slots, out, d);
    int status = pcap_next_ex(c->pcap, &header, &bytes);
    if (status == 0 || ++c->given == ASK_EVERY)
        look_for_gap(c);
    if (status == 0)
        return 0;
    if (status < 0)
        return diag_fail(d, WAVE_ESYS, "the capture failed: %s", pcap_geterr(c->pcap));
    *out = (struct capture_frame){
        .stamp = (wave_time)header->ts.tv_sec * WAVE_S +
                 (wave_time)header->ts.tv_usec * (c->nano ? 1 : WAVE_US),
        .bytes = bytes,
        .caplen = header->caplen,
        .len = header->len,
        .gap = c->gap,
    };
    return 1;
}

void capture_own_syns(struct capture *c, bool wanted)
{
    const int ignore = !wanted;
    setsockopt(c->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &ignore, sizeof ignore);
}

int capture_fd(const struct capture *c)
{
    return c->fd;
}

int capture_dlt(const struct capture *c)
{
    return c->dlt;
}

void capture_stats(struct capture *c, uint64_t *received, uint64_t *dropped)
{
    struct pcap_stat s;
    *received = *dropped = 0;
    if (c->slots)
        packet_ring_stats(c->slots, received, dropped);
    else if (pcap_stats(c->pcap, &s) == 0) {
        *received = s.ps_recv;
        *dropped = s.ps_drop;
    }
}

bool capture_down(const struct capture *c)
{
    return c->slots && packet_ring_down(c->slots);
}
