/*
 * Writes a capture file for read.sh: a long transfer with losses, and many short flows of ten
 * segments each, a thousand of them at a time, all in one pcap of Ethernet frames.
 *
 *     make_capture FILE MEGABYTES FLOWS
 *
 * The frames of the transfer and those of the short flows take turns. Every 200th segment of the
 * transfer is missing and comes once more, after three duplicate acknowledgements.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/bytes.h"
#include "lib/core/checksum.h"
#include "lib/core/ip_build.h"
#include "lib/core/time.h"

#define MSS 1448
#define AT_ONCE 1000

static FILE *file;
static uint64_t now = 1700000000u * WAVE_S;

/* Writes a segment, as its sender sees the flow, 700 ns after the last one. */
static void frame(const struct flow *f, uint16_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
    static uint8_t data[MSS];
    static uint16_t id;
    struct seg s = {.seq = seq_of(seq),
                    .ack = seq_of(ack),
                    .flags = flags,
                    .wnd = 65000,
                    .len = len,
                    .data = data,
                    .opt = {.has = OPT_TIMESTAMP, .tsval = (uint32_t)(now / WAVE_MS), .tsecr = 1}};
    struct ip_fields fields = {.ttl = 64, .df = true};
    uint8_t packet[1600] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0};
    uint32_t head[4];

    fields.id = ++id;
    if (flags & SEG_SYN)
        s.opt = (struct opt){.has = OPT_MSS | OPT_WSCALE | OPT_SACK_PERMITTED | OPT_TIMESTAMP,
                             .mss = 1460,
                             .wscale = 10,
                             .tsval = 1};
    packet[11] = f->local.byte[3]; /* each side has a card of its own */
    const int n = seg_build(f, &s, packet + 34, sizeof packet - 34);
    ip_build(f, CHECKSUM_TCP, &fields, (uint32_t)n, packet + 14);
    now += 700;
    head[0] = (uint32_t)(now / WAVE_S);
    head[1] = (uint32_t)(now % WAVE_S);
    head[2] = head[3] = 34 + (uint32_t)n;
    fwrite(head, sizeof head, 1, file);
    fwrite(packet, head[2], 1, file);
}

/* One step of a short flow: handshake, request, answer, close. */
static void step(uint32_t flow, unsigned i)
{
    const struct flow a = {.local = {{10, 9, (uint8_t)(flow >> 16), 1}},
                           .remote = {{10, 9, 0, 2}},
                           .lport = (uint16_t)flow,
                           .rport = 80};
    const struct flow b = flow_reverse(&a);
    const uint32_t s = flow * 7919, t = flow * 104729;

    switch (i) {
    case 0:
        frame(&a, SEG_SYN, s, 0, 0);
        break;
    case 1:
        frame(&b, SEG_SYN | SEG_ACK, t, s + 1, 0);
        break;
    case 2:
        frame(&a, SEG_ACK, s + 1, t + 1, 0);
        break;
    case 3:
        frame(&a, SEG_ACK | SEG_PSH, s + 1, t + 1, 100);
        break;
    case 4:
        frame(&b, SEG_ACK, t + 1, s + 101, 0);
        break;
    case 5:
        frame(&b, SEG_ACK | SEG_PSH, t + 1, s + 101, 400);
        break;
    case 6:
        frame(&a, SEG_ACK, s + 101, t + 401, 0);
        break;
    case 7:
        frame(&a, SEG_ACK | SEG_FIN, s + 101, t + 401, 0);
        break;
    case 8:
        frame(&b, SEG_ACK | SEG_FIN, t + 401, s + 102, 0);
        break;
    default:
        frame(&a, SEG_ACK, s + 102, t + 402, 0);
    }
}

static const struct flow bulk = {
    .local = {{10, 9, 0, 3}}, .remote = {{10, 9, 0, 4}}, .lport = 40000, .rport = 5001};

/* The next few segments of the transfer, from `*sent` on. */
static void transfer(uint32_t *sent, uint32_t *segments)
{
    const struct flow back = flow_reverse(&bulk);
    const uint32_t from = *sent;

    if (++*segments % 200 == 0) { /* the first of these is lost */
        for (uint32_t i = 1; i <= 3; i++) {
            frame(&bulk, SEG_ACK, 1 + from + i * MSS, 1, MSS);
            frame(&back, SEG_ACK, 1, 1 + from, 0);
        }
        frame(&bulk, SEG_ACK, 1 + from, 1, MSS);
        frame(&back, SEG_ACK, 1, 1 + from + 4 * MSS, 0);
        *sent += 4 * MSS;
        return;
    }
    frame(&bulk, SEG_ACK, 1 + from, 1, MSS);
    frame(&bulk, SEG_ACK, 1 + from + MSS, 1, MSS);
    frame(&back, SEG_ACK, 1, 1 + from + 2 * MSS, 0);
    *sent += 2 * MSS;
}

int main(int argc, char **argv)
{
    static const uint32_t header[] = {0xa1b23c4d, 0x00040002, 0, 0, 65535, 1};
    const uint64_t megabytes = argc == 4 ? strtoull(argv[2], NULL, 10) : 0;
    const uint32_t flows = argc == 4 ? (uint32_t)strtoul(argv[3], NULL, 10) : 0;
    const uint32_t rounds = (flows + AT_ONCE - 1) / AT_ONCE * AT_ONCE * 10;
    uint64_t total = 0, share = rounds ? megabytes * 1000000 / rounds : 0;
    uint32_t sent = 0, segments = 0, n = 0;

    if (argc != 4 || !(file = fopen(argv[1], "wb"))) {
        fprintf(stderr, "usage: make_capture FILE MEGABYTES FLOWS\n");
        return 2;
    }
    fwrite(header, sizeof header, 1, file);
    frame(&bulk, SEG_SYN, 0, 0, 0);
    const struct flow back = flow_reverse(&bulk);
    frame(&back, SEG_SYN | SEG_ACK, 0, 1, 0);
    frame(&bulk, SEG_ACK, 1, 1, 0);
    for (uint32_t block = 0; block < flows; block += AT_ONCE)
        for (unsigned i = 0; i < 10; i++)
            for (uint32_t k = block; k < block + AT_ONCE && k < flows; k++) {
                step(k, i);
                for (n++; total < share * n; total += 2 * MSS)
                    transfer(&sent, &segments);
            }
    for (; total < megabytes * 1000000; total += 2 * MSS)
        transfer(&sent, &segments);
    return fclose(file) == 0 ? 0 : 1;
}
