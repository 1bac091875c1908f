/*
 * next() reads frames until one holds a TCP segment, or an ICMP error about one. The clock is the
 * stamp of the latest frame. It never goes back, although the stamps in a file may.
 */
#include "lib/run/port_file.h"

#include <pcap/pcap.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/core/diag.h"
#include "lib/core/ip_reassembly.h"
#include "lib/wire/frame.h"

struct port_file {
    struct port port;
    struct wire_info info;
    pcap_t *pcap;
    const char *name;
    int dlt;
    bool ended;
    wave_time now;
    struct ip_reassembly *fragments; /* NULL: none came yet */
    struct wire_stats stats;
};

static struct port_file *file_of(const struct port *p)
{
    return (struct port_file *)(uintptr_t)p;
}

static int refuse_send(struct port *p, const struct flow *flow, const struct seg *s,
                       const struct wire_ip *ip, struct diag *d)
{
    (void)p;
    (void)flow;
    (void)s;
    (void)ip;
    return diag_fail(d, WAVE_ESYS, "segments cannot be sent to a capture file");
}

static int refuse_queue(struct port *p, const struct flow *flow, struct seq seq, const uint8_t *ip,
                        uint32_t len)
{
    (void)p;
    (void)flow;
    (void)seq;
    (void)ip;
    (void)len;
    return WAVE_EAGAIN;
}

static int port_file_flush(struct port *p, struct wire_unsent *unsent, struct diag *d)
{
    (void)p;
    (void)unsent;
    (void)d;
    return 0;
}

/* Every flow is followed. */
static bool wants_all(void *ctx, const struct flow *flow)
{
    (void)ctx;
    (void)flow;
    return true;
}

/* A packet that ip_parse() does not take may be a fragment. Returns what ip_parse() says of the
 * whole packet, which is then in *p; WAVE_EAGAIN while it is not complete; or what is wrong. */
static int take_fragment(struct port_file *f, struct wire_packet *p)
{
    struct ip_fragment one;
    int error = ip_fragment_parse(p->ip, p->ip_len, &one);

    return error ? error : wire_put_together(&f->fragments, wants_all, NULL, f->now, &one, p);
}

/* Reads one frame. Returns 0 and *out, or the reason why there is no packet in it. */
static int read_frame(struct port_file *f, const struct pcap_pkthdr *h, const uint8_t *bytes,
                      struct wire_packet *out)
{
    struct frame frame;
    struct wire_packet p = {.stamp = f->now};
    int error = frame_parse(f->dlt, bytes, h->caplen, &frame);

    if (error)
        return error;
    p.ip = bytes + frame.offset;
    p.ip_len = h->caplen - (uint32_t)frame.offset;
    p.mac = frame.source;
    error = ip_parse(p.ip, p.ip_len, &p.packet);
    if (error == WAVE_ENOTOURS)
        error = take_fragment(f, &p);
    if (error)
        return error;
    if (p.packet.length < p.ip_len)
        p.ip_len = p.packet.length; /* without the padding of a short Ethernet frame */
    *out = p;
    return 0;
}

static int port_file_next(struct port *p, struct wire_packet *out, struct diag *d)
{
    struct port_file *f = file_of(p);
    struct pcap_pkthdr *h;
    const uint8_t *bytes;

    while (!f->ended) {
        int status = pcap_next_ex(f->pcap, &h, &bytes);
        wave_time stamp;

        f->ended = status != 1;
        if (status == PCAP_ERROR)
            return diag_fail(d, WAVE_ESYS, "cannot read the rest of %s: %s", f->name,
                             pcap_geterr(f->pcap));
        if (f->ended)
            break;
        f->stats.received++;
        /* Because nanoseconds were asked for, tv_usec counts nanoseconds. */
        stamp = (wave_time)h->ts.tv_sec * WAVE_S + (wave_time)h->ts.tv_usec;
        if (stamp > f->now)
            f->now = stamp;
        status = read_frame(f, h, bytes, out);
        if (status == 0)
            return 1;
        wire_count_unread(&f->stats, status);
    }
    return 0;
}

static wave_time port_file_now(struct port *p)
{
    return file_of(p)->now;
}

/* The next packet is there immediately, or never. */
static bool port_file_wait(struct port *p, wave_time until, struct pollfd *fds, unsigned n)
{
    struct port_file *f = file_of(p);
    bool ready = n && poll(fds, n, 0) > 0;

    if (f->ended && until != WAVE_NEVER && until > f->now)
        f->now = until;
    return ready || !f->ended;
}

static struct wire_stats port_file_stats(struct port *p)
{
    struct wire_stats stats = file_of(p)->stats;

    stats.fragmented = ip_reassembly_counts(file_of(p)->fragments, file_of(p)->now);
    return stats;
}

/* NOLINTNEXTLINE(readability-non-const-parameter) ; as every port has it */
static bool port_file_rerouted(struct port *p, char interface[16])
{
    (void)p;
    (void)interface;
    return false;
}

static void port_file_close(struct port *p)
{
    pcap_close(file_of(p)->pcap); /* this closes the file too */
    ip_reassembly_free(file_of(p)->fragments);
    free(file_of(p));
}

static const struct port_ops ops = {.send = refuse_send,
                                    .queue = refuse_queue,
                                    .flush = port_file_flush,
                                    .next = port_file_next,
                                    .now = port_file_now,
                                    .stamp = port_file_now,
                                    .wait = port_file_wait,
                                    .stats = port_file_stats,
                                    .rerouted = port_file_rerouted,
                                    .close = port_file_close};

int port_file_open(struct port **out, FILE *file, const char *name, struct diag *d)
{
    char why[PCAP_ERRBUF_SIZE] = "";
    struct port_file *f = calloc(1, sizeof *f);
    pcap_t *pcap =
        f ? pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, why) : NULL;
    const bool memory = f;

    if (!pcap) {
        fclose(file);
        free(f);
        return memory ? diag_fail(d, WAVE_ESYS, "cannot read %s as a capture file: %s", name, why)
                      : diag_fail(d, WAVE_ENOMEM, "no memory to read %s", name);
    }
    f->pcap = pcap;
    f->name = name;
    f->dlt = pcap_datalink(pcap);
    if (!frame_known(f->dlt)) {
        diag_say(d, "cannot read %s: its link type, %s, is not known", name,
                 pcap_datalink_val_to_name(f->dlt) ? pcap_datalink_val_to_name(f->dlt)
                                                   : "a number that has no name");
        port_file_close(&f->port);
        return WAVE_ESYS;
    }
    f->info = (struct wire_info){.interface = "file", .mtu = UINT16_MAX, .guard = "none needed"};
    f->port = (struct port){.ops = &ops, .info = &f->info};
    *out = &f->port;
    return 0;
}

bool port_file_ended(const struct port *p)
{
    return file_of(p)->ended;
}
