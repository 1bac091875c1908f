/*
 * Writes a capture of very many flows to standard output, as a stream: a pcap of Ethernet frames,
 * which takes no room however long it is. read.sh and tests/live/read_memory.sh show with it that
 * the memory of `read` is bounded.
 *
 *     make_capture FLOWS HALF_OPEN
 *
 * FLOWS flows of ten segments each, from handshake to close, a thousand of them at a time; then
 * HALF_OPEN flows in which nothing comes behind the SYN-ACK. 700 ns pass between two frames. Frames
 * are made once and patched, so that the reader is the slower side; checksums are left open,
 * as they are in a capture of a host's own traffic.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/bytes.h"
#include "lib/core/checksum.h"
#include "lib/core/ip_build.h"
#include "lib/core/time.h"

#define AT_ONCE 1000u
#define STEPS 10
#define RECORD 16
#define LINK 14
#define IP (RECORD + LINK)
#define TCP (IP + 20)
#define PORTS 60000u /* flows of one address */

/* What the client (0) or the server (1) sends in each step; numbers count from the ISNs. */
static const struct {
    unsigned from, flags, seq, ack, len;
} steps[STEPS] = {
    {0, SEG_SYN, 0, 0, 0},
    {1, SEG_SYN | SEG_ACK, 0, 1, 0},
    {0, SEG_ACK, 1, 1, 0},
    {0, SEG_ACK | SEG_PSH, 1, 1, 100},
    {1, SEG_ACK, 1, 101, 0},
    {1, SEG_ACK | SEG_PSH, 1, 101, 400},
    {0, SEG_ACK, 101, 401, 0},
    {0, SEG_ACK | SEG_FIN, 101, 401, 0},
    {1, SEG_ACK | SEG_FIN, 401, 102, 0},
    {0, SEG_ACK, 102, 402, 0},
};

static struct frame {
    uint32_t len;
    uint8_t bytes[600];
} frames[STEPS];

static uint64_t now = 1700000000u * WAVE_S;

static void make_frames(void)
{
    static const struct flow client = {
        .local = {{10, 0, 0, 1}}, .remote = {{192, 0, 2, 80}}, .lport = 1, .rport = 80};
    static const uint8_t data[400];

    for (unsigned i = 0; i < STEPS; i++) {
        struct frame *f = &frames[i];
        const struct flow flow = steps[i].from ? flow_reverse(&client) : client;
        const struct ip_fields fields = {.ttl = 64, .df = true, .id = (uint16_t)(i + 1)};
        struct seg s = {
            .flags = (uint16_t)steps[i].flags, .wnd = 65000, .len = steps[i].len, .data = data};
        const uint8_t link[LINK] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, (uint8_t)(2 + steps[i].from),
                                    8, 0};
        int n;

        if (s.flags & SEG_SYN)
            s.opt = (struct opt){
                .has = OPT_MSS | OPT_WSCALE | OPT_SACK_PERMITTED, .mss = 1460, .wscale = 10};
        n = seg_build(&flow, &s, f->bytes + TCP, sizeof f->bytes - TCP);
        memcpy(f->bytes + RECORD, link, LINK);
        ip_build(&flow, CHECKSUM_TCP, &fields, (uint32_t)n, f->bytes + IP);
        f->len = LINK + 20 + (uint32_t)n;
    }
}

/* Writes that step of that flow. */
static void step(uint32_t flow, unsigned i)
{
    const uint32_t isn[2] = {flow * 7919, flow * 104729};
    const unsigned from = steps[i].from;
    const uint32_t net = 10u << 24 | flow / PORTS;
    const uint16_t port = (uint16_t)(1024 + flow % PORTS);
    struct frame *f = &frames[i];
    uint32_t head[4] = {(uint32_t)(now / WAVE_S), (uint32_t)(now % WAVE_S), f->len, f->len};

    now += 700;
    memcpy(f->bytes, head, sizeof head);
    put_u32(f->bytes + IP + (from ? 16 : 12), net);
    put_u16(f->bytes + TCP + (from ? 2 : 0), port);
    put_u32(f->bytes + TCP + 4, isn[from] + steps[i].seq);
    if (steps[i].flags & SEG_ACK)
        put_u32(f->bytes + TCP + 8, isn[!from] + steps[i].ack);
    fwrite_unlocked(f->bytes, RECORD + f->len, 1, stdout);
}

int main(int argc, char **argv)
{
    static const uint32_t header[] = {0xa1b23c4d, 0x00040002, 0, 0, 65535, 1};
    const uint32_t flows = argc == 3 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
    const uint32_t half_open = argc == 3 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;

    if (argc != 3) {
        fprintf(stderr, "usage: make_capture FLOWS HALF_OPEN\n");
        return 2;
    }
    make_frames();
    setvbuf(stdout, NULL, _IOFBF, 1 << 18);
    fwrite(header, sizeof header, 1, stdout);
    for (uint32_t block = 0; block < flows && !ferror(stdout); block += AT_ONCE)
        for (unsigned i = 0; i < STEPS; i++)
            for (uint32_t k = block; k < block + AT_ONCE && k < flows; k++)
                step(k, i);
    for (uint32_t k = 0; k < half_open && !ferror(stdout); k++) {
        step(flows + k, 0);
        step(flows + k, 1);
    }
    return fclose(stdout) == 0 ? 0 : 1;
}
