/*
 * Tests the reassembly of IP fragments, clause by clause: RFC 791, RFC 815, RFC 1122, RFC 3168, RFC
 * 5722, RFC 6946, RFC 7112, RFC 8200. Both families, unless a rule is for one of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/core/checksum.h"
#include "lib/core/err.h"
#include "lib/core/ip.h"
#include "lib/core/ip_build.h"
#include "lib/core/ip_reassembly.h"

static const struct flow flow4 = {
    .local = {{192, 0, 2, 80}}, .remote = {{192, 0, 2, 1}}, .lport = 80, .rport = 40000};
static const struct flow flow6 = {.local = {{0xfd, [15] = 2}},
                                  .remote = {{0xfd, [15] = 1}},
                                  .lport = 80,
                                  .rport = 40000,
                                  .v6 = 1};

#define DATA 3000
#define TCP (DATA + SEG_HEADER)

/* A packet of 3,020 bytes of TCP, to be cut, and a room. */
struct cut {
    struct flow flow;
    uint32_t id;
    uint8_t tos;
    uint8_t tcp[70000];
    uint32_t len;
    wave_time now;
    struct ip_reassembly *r;
    struct ip_whole whole;
    uint8_t packet[70000]; /* the last fragment */
    uint32_t packet_len;
    uint8_t options; /* IPv4: bytes of them; IPv6: of a destination options header */
};

static bool wants(void *ctx, const struct flow *flow)
{
    const struct cut *c = ctx;

    return flow->rport == c->flow.rport && flow->lport == c->flow.lport;
}

static void fill(struct cut *c, uint8_t with)
{
    static uint8_t data[DATA];
    struct seg s = {
        .seq = seq_of(1000), .flags = SEG_ACK | SEG_PSH, .wnd = 500, .len = DATA, .data = data};

    for (uint32_t i = 0; i < DATA; i++)
        data[i] = (uint8_t)(i * 7 + with);
    assert_int_equal(seg_build(&c->flow, &s, c->tcp, sizeof c->tcp), TCP);
    c->len = TCP;
}

static int setup(void **state, const struct flow *flow)
{
    struct cut *c = calloc(1, sizeof *c);

    assert_non_null(c);
    c->flow = *flow;
    c->id = 4711;
    c->now = 1000 * WAVE_S;
    c->r = ip_reassembly_create(wants, c);
    assert_non_null(c->r);
    fill(c, 0);
    *state = c;
    return 0;
}

static int setup4(void **state)
{
    return setup(state, &flow4);
}

static int setup6(void **state)
{
    return setup(state, &flow6);
}

static int teardown(void **state)
{
    struct cut *c = *state;

    ip_reassembly_free(c->r);
    free(c);
    return 0;
}

static void put_v4(struct cut *c, uint32_t from, uint32_t len, bool more)
{
    struct ip_fields fields = {.ttl = 61, .tos = c->tos, .id = (uint16_t)c->id};
    uint8_t *p = c->packet;
    uint32_t header = 20u + c->options;

    ip_build(&c->flow, 6, &fields, len + c->options, p);
    p[0] = (uint8_t)(0x45 + c->options / 4);
    memset(p + 20, 1, c->options);
    p[6] = (uint8_t)((more ? 0x20 : 0) | from >> 11);
    p[7] = (uint8_t)(from >> 3);
    memcpy(p + header, c->tcp + from, len);
    c->packet_len = header + len;
}

static void put_v6(struct cut *c, uint32_t from, uint32_t len, bool more)
{
    struct ip_fields fields = {.ttl = 61, .tos = c->tos};
    uint8_t *p = c->packet +
                 ip_build(&c->flow, c->options ? 60 : 44, &fields, len + 8 + c->options, c->packet);

    if (c->options) {
        const uint8_t padded[8] = {44, 0, 1, 4};
        memcpy(p, padded, sizeof padded);
        p += 8;
    }
    const uint8_t head[8] = {6,
                             0,
                             (uint8_t)(from >> 8),
                             (uint8_t)((from & 0xf8) | more),
                             (uint8_t)(c->id >> 24),
                             (uint8_t)(c->id >> 16),
                             (uint8_t)(c->id >> 8),
                             (uint8_t)c->id};
    memcpy(p, head, sizeof head);
    memcpy(p + 8, c->tcp + from, len);
    c->packet_len = (uint32_t)(p + 8 - c->packet) + len;
}

/* Makes the fragment of these bytes; `more` follow. */
static void put(struct cut *c, uint32_t from, uint32_t len, bool more)
{
    if (c->flow.v6)
        put_v6(c, from, len, more);
    else
        put_v4(c, from, len, more);
}

/* What comes of the fragment in c->packet. It is read from memory that ends where it does. */
static int arrive(struct cut *c)
{
    uint8_t *copy = malloc(c->packet_len);
    struct ip_fragment f;

    assert_non_null(copy);
    memcpy(copy, c->packet, c->packet_len);
    int r = ip_fragment_parse(copy, c->packet_len, &f);
    if (r == 0)
        r = ip_reassembly_add(c->r, c->now, &f, &c->whole);
    free(copy);
    return r;
}

/* The same of those bytes; the last ones are known by their end. */
static int take(struct cut *c, uint32_t from, uint32_t len)
{
    put(c, from, len, from + len < c->len);
    return arrive(c);
}

/* The whole packet is as if it had never been cut. */
static void is_whole(struct cut *c, uint32_t fragments)
{
    struct packet p;

    assert_int_equal(c->whole.fragments, fragments);
    assert_int_equal(ip_parse(c->whole.bytes, c->whole.len, &p), 0);
    assert_int_equal(p.length, c->whole.len);
    assert_true(flow_eq(&p.flow, &c->flow));
    assert_int_equal(p.l4_len, c->len);
    assert_memory_equal(p.l4, c->tcp, c->len);
    assert_true(seg_checksum_ok(&p.flow, p.l4, p.l4_len));
    assert_int_equal(p.ttl, 61);
    if (!c->flow.v6) {
        const size_t header = (c->whole.bytes[0] & 15u) * 4;
        assert_int_equal(p.id, c->id);
        assert_int_equal(c->whole.bytes[6] & 0x3f, 0);
        assert_int_equal(c->whole.bytes[7], 0);
        assert_int_equal(checksum_finish(checksum_add(0, c->whole.bytes, header)), 0);
    }
}

static struct ip_reassembly_counts counts(const struct cut *c)
{
    return ip_reassembly_counts(c->r, c->now);
}

static void rfc791_3_2_fragments_in_order(void **state)
{
    struct cut *c = *state;

    assert_int_equal(take(c, 0, 1480), WAVE_EAGAIN);
    assert_int_equal(take(c, 1480, 1480), WAVE_EAGAIN);
    assert_int_equal(take(c, 2960, 60), 0);
    is_whole(c, 3);
    assert_int_equal(counts(c).packets, 1);
    assert_int_equal(counts(c).fragments, 3);
    assert_int_equal(counts(c).missing, 0);
    assert_int_equal(counts(c).nameless, 0);
}

/* RFC 815: in any order. */
static void rfc815_fragments_backwards_and_mixed(void **state)
{
    struct cut *c = *state;
    static const uint32_t order[] = {7, 3, 0, 5, 1, 6, 2, 4};

    assert_int_equal(take(c, 2960, 60), WAVE_EAGAIN);
    assert_int_equal(take(c, 1480, 1480), WAVE_EAGAIN);
    assert_int_equal(take(c, 0, 1480), 0);
    is_whole(c, 3);
    c->id++;
    for (int i = 0; i < 8; i++) {
        const uint32_t from = order[i] * 400, len = order[i] == 7 ? 220 : 400;
        assert_int_equal(take(c, from, len), i == 7 ? 0 : WAVE_EAGAIN);
    }
    is_whole(c, 8);
}

/* The smallest fragments there are, of the largest packet. */
static void fragments_of_eight_bytes(void **state)
{
    struct cut *c = *state;
    const uint32_t first = c->flow.v6 ? 24 : 8;

    c->len = c->flow.v6 ? 65535 : 65515;
    memset(c->tcp + TCP, 5, c->len - TCP);
    for (uint32_t from = first; from < c->len; from += 8)
        assert_int_equal(take(c, from, c->len - from < 8 ? c->len - from : 8), WAVE_EAGAIN);
    assert_int_equal(take(c, 0, first), 0);
    assert_int_equal(c->whole.len, 65535 + (c->flow.v6 ? 40 : 0));
    assert_memory_equal(c->whole.bytes + c->whole.len - c->len, c->tcp, c->len);
}

/* RFC 791, 3.2: packets are told apart by addresses and identification. */
static void rfc791_3_2_packets_at_a_time_are_told_apart(void **state)
{
    struct cut *c = *state;

    for (c->id = 1; c->id <= 10; c->id++)
        assert_int_equal(take(c, 0, 1480), WAVE_EAGAIN);
    c->id = 1;
    c->flow.local.byte[3] ^= 1;
    assert_int_equal(take(c, 1480, c->len - 1480), WAVE_EAGAIN);
    c->flow.local.byte[3] ^= 1;
    for (c->id = 10; c->id > 0; c->id--) {
        assert_int_equal(take(c, 1480, c->len - 1480), 0);
        is_whole(c, 2);
    }
}

/* RFC 791, 3.2: options come from the first fragment; RFC 8200, 4.5: so do the headers before. */
static void headers_are_those_of_the_first_fragment(void **state)
{
    struct cut *c = *state;

    assert_int_equal(take(c, 1480, c->len - 1480), WAVE_EAGAIN);
    c->options = 8;
    assert_int_equal(take(c, 0, 1480), 0);
    is_whole(c, 2);
    assert_int_equal(c->whole.len, c->len + 8 + (c->flow.v6 ? 40 : 20));
}

/* RFC 8200, 4.5, and RFC 791, 3.2: only the last fragment has any length. */
static void lengths_that_cannot_be_are_refused(void **state)
{
    struct cut *c = *state;

    put(c, 0, 1481, true);
    assert_int_equal(arrive(c), WAVE_EMALFORMED);
    put(c, 8, 0, true);
    assert_int_equal(arrive(c), WAVE_EMALFORMED);
    put(c, 65528, 16, false); /* ends at 65,544 */
    assert_int_equal(arrive(c), WAVE_EMALFORMED);
    put(c, 0, 1480, true);
    c->packet_len--;
    assert_int_equal(arrive(c), WAVE_ETRUNC);
    c->packet_len = 30;
    assert_int_equal(arrive(c), WAVE_ETRUNC);
}

/* A packet with its header is at most 65,535 bytes long: fragments can be made that exceed it. */
static void a_packet_beyond_the_largest_is_refused(void **state)
{
    struct cut *c = *state;

    c->len = 65535;
    c->options = c->flow.v6 ? 8 : 0;
    for (uint32_t from = 0; from < c->len; from += 32768)
        assert_int_equal(take(c, from, c->len - from < 32768 ? c->len - from : 32768), WAVE_EAGAIN);
    assert_int_equal(counts(c).packets, 0);
    assert_int_equal(counts(c).refused, 1);
}

/* RFC 6946: such a packet is no fragment. */
static void rfc6946_atomic_fragments_are_whole(void **state)
{
    struct cut *c = *state;

    put(c, 0, c->len, false);
    assert_int_equal(arrive(c), WAVE_ENOTOURS);
}

static void other_protocols_are_not_taken(void **state)
{
    struct cut *c = *state;

    put(c, 0, 1480, true);
    if (c->flow.v6)
        c->packet[40] = 17;
    else
        c->packet[9] = 17;
    assert_int_equal(arrive(c), c->flow.v6 ? WAVE_EAGAIN : WAVE_ENOTOURS);
    c->now += 2 * WAVE_S;
    assert_int_equal(counts(c).missing, 0);
    assert_int_equal(counts(c).nameless, 0);
}

/* RFC 8200, 4.5: only the first fragment tells what the packet carries. */
static void rfc8200_4_5_next_header_of_the_first_counts(void **state)
{
    struct cut *c = *state;

    put(c, 1480, c->len - 1480, false);
    c->packet[40] = 59;
    assert_int_equal(arrive(c), WAVE_EAGAIN);
    assert_int_equal(take(c, 0, 1480), 0);
    is_whole(c, 2);
}

/* RFC 8200, 4.5; RFC 7112: the first fragment has all headers. */
static void rfc7112_a_first_fragment_without_the_tcp_header(void **state)
{
    struct cut *c = *state;

    assert_int_equal(take(c, 0, 16), WAVE_EMALFORMED);
    assert_int_equal(take(c, 16, c->len - 16), WAVE_EAGAIN);
    assert_int_equal(take(c, 0, 24), WAVE_EAGAIN); /* overlaps */
    assert_int_equal(counts(c).packets, 0);
}

/* RFC 8200, 4.5: an exact copy may be told from an overlap. */
static void a_fragment_that_comes_twice_is_no_overlap(void **state)
{
    struct cut *c = *state;

    for (int i = 0; i < 3; i++)
        assert_int_equal(take(c, 1480, 1480), WAVE_EAGAIN);
    for (int i = 0; i < 3; i++)
        assert_int_equal(take(c, 2960, 60), WAVE_EAGAIN);
    assert_int_equal(take(c, 0, 1480), 0);
    is_whole(c, 3);
    assert_int_equal(counts(c).refused, 0);
}

/* RFC 5722, section 4: the packet is discarded, with what is still to come of it. */
static void refused(struct cut *c, uint32_t from, uint32_t len, bool more)
{
    const uint64_t before = counts(c).refused;

    c->id++;
    assert_int_equal(take(c, 0, 800), WAVE_EAGAIN);
    assert_int_equal(take(c, 1600, 800), WAVE_EAGAIN);
    put(c, from, len, more);
    assert_int_equal(arrive(c), WAVE_EAGAIN);
    assert_int_equal(take(c, 0, 800), WAVE_EAGAIN);
    assert_int_equal(take(c, 800, 800), WAVE_EAGAIN);
    assert_int_equal(take(c, 2400, c->len - 2400), WAVE_EAGAIN);
    assert_int_equal(counts(c).refused, before + 1);
    assert_int_equal(counts(c).packets, 0);
    c->now += 2 * WAVE_S;
    assert_int_equal(counts(c).missing, 0); /* it is not taken for one that misses something */
}

static void rfc5722_overlaps_refuse_the_packet(void **state)
{
    struct cut *c = *state;

    refused(c, 0, 808, true);    /* the same beginning, and more */
    refused(c, 0, 792, true);    /* less */
    refused(c, 400, 400, true);  /* the end of one */
    refused(c, 792, 16, true);   /* across its end */
    refused(c, 1592, 16, true);  /* across a beginning */
    refused(c, 800, 2000, true); /* over all of one */
    refused(c, 1608, 8, true);   /* within */
    refused(c, 800, 400, false); /* a last fragment before what is here */
}

static void rfc5722_the_same_place_with_other_bytes_is_an_overlap(void **state)
{
    struct cut *c = *state;

    assert_int_equal(take(c, 0, 1480), WAVE_EAGAIN);
    c->tcp[100] ^= 1;
    assert_int_equal(take(c, 0, 1480), WAVE_EAGAIN);
    assert_int_equal(take(c, 1480, c->len - 1480), WAVE_EAGAIN);
    assert_int_equal(counts(c).refused, 1);
    assert_int_equal(counts(c).packets, 0);
}

static void ends_that_contradict_each_other(void **state)
{
    struct cut *c = *state;

    assert_int_equal(take(c, 0, 800), WAVE_EAGAIN);
    put(c, 1600, 80, false);
    assert_int_equal(arrive(c), WAVE_EAGAIN);
    put(c, 2400, 80, false); /* another end */
    assert_int_equal(arrive(c), WAVE_EAGAIN);
    assert_int_equal(counts(c).refused, 1);
    c->id++;
    put(c, 0, 800, true);
    assert_int_equal(arrive(c), WAVE_EAGAIN);
    put(c, 1600, 80, false);
    assert_int_equal(arrive(c), WAVE_EAGAIN);
    put(c, 1680, 80, true); /* beyond the end */
    assert_int_equal(arrive(c), WAVE_EAGAIN);
    assert_int_equal(counts(c).refused, 2);
}

/* A second later that identification may be another packet's. */
static void a_refused_packet_is_forgotten(void **state)
{
    struct cut *c = *state;

    refused(c, 0, 808, true);
    c->now += IP_REASSEMBLY_LATE;
    assert_int_equal(take(c, 0, 1480), WAVE_EAGAIN);
    assert_int_equal(take(c, 1480, c->len - 1480), 0);
    is_whole(c, 2);
}

/* RFC 1122, 3.3.2; RFC 8200, 4.5: sixty seconds from the first one to arrive. */
static void sixty_seconds_and_no_more(void **state)
{
    struct cut *c = *state;

    assert_int_equal(take(c, 0, 1480), WAVE_EAGAIN);
    c->now += IP_REASSEMBLY_TIME - 1;
    assert_int_equal(take(c, 1480, c->len - 1480), 0);
    is_whole(c, 2);
    c->id++;
    assert_int_equal(take(c, 0, 1480), WAVE_EAGAIN);
    c->now += IP_REASSEMBLY_TIME;
    assert_int_equal(take(c, 1480, c->len - 1480), WAVE_EAGAIN);
    assert_int_equal(counts(c).packets, 1);
    assert_int_equal(counts(c).missing, 1);
    assert_true(counts(c).has_seq);
    assert_int_equal(counts(c).seq.v, 1000);
}

/* What has not come within a second counts as missing, but may still come. */
static void what_is_late_is_missing(void **state)
{
    struct cut *c = *state;

    assert_int_equal(take(c, 0, 1480), WAVE_EAGAIN);
    assert_int_equal(counts(c).missing, 0);
    c->now += IP_REASSEMBLY_LATE;
    assert_int_equal(counts(c).missing, 1);
    assert_int_equal(counts(c).nameless, 0);
    c->id++;
    assert_int_equal(take(c, 1480, c->len - 1480), WAVE_EAGAIN);
    c->now += IP_REASSEMBLY_LATE;
    assert_int_equal(counts(c).missing, 1);
    assert_int_equal(counts(c).nameless, 1);
}

/* Of flows that are not wanted nothing is kept, nor counted. */
static void strangers_are_not_counted(void **state)
{
    struct cut *c = *state;
    const uint16_t theirs = 5;

    for (int i = 0; i < 1000; i++) {
        c->id++;
        memcpy(c->tcp, &theirs, sizeof theirs);
        assert_int_equal(take(c, 0, 1480), WAVE_EAGAIN);
        assert_int_equal(take(c, 1480, 1480), WAVE_EAGAIN);
    }
    c->now += 2 * WAVE_S;
    assert_int_equal(counts(c).missing, 0);
    assert_int_equal(counts(c).crowded_out, 0);
    /* An identification that was theirs can be ours at once. */
    fill(c, 1);
    assert_int_equal(take(c, 0, 1480), WAVE_EAGAIN);
    assert_int_equal(take(c, 1480, c->len - 1480), 0);
    is_whole(c, 2);
}

/* The network copies packets: a whole copy is a packet, and part of one is nothing that misses. */
static void a_packet_that_comes_twice_is_given_twice(void **state)
{
    struct cut *c = *state;

    for (int i = 0; i < 2; i++) {
        assert_int_equal(take(c, 0, 1480), WAVE_EAGAIN);
        assert_int_equal(take(c, 1480, c->len - 1480), 0);
        is_whole(c, 2);
    }
    assert_int_equal(take(c, 1480, c->len - 1480), WAVE_EAGAIN);
    c->now += 10 * WAVE_S;
    assert_int_equal(counts(c).missing, 0);
    assert_int_equal(counts(c).nameless, 0);
    assert_int_equal(counts(c).packets, 2);
}

/* Some hosts give every packet the same identification. */
static void the_same_identification_for_each_packet(void **state)
{
    struct cut *c = *state;

    for (uint8_t i = 0; i < 20; i++) {
        fill(c, i);
        assert_int_equal(take(c, 0, 1480), WAVE_EAGAIN);
        assert_int_equal(take(c, 1480, c->len - 1480), 0);
        is_whole(c, 2);
    }
    fill(c, 99);
    assert_int_equal(take(c, 0, 1480), WAVE_EAGAIN);
    c->now += 2 * WAVE_S;
    assert_int_equal(counts(c).missing, 1);
}

/* The same, and a fragment of each is lost: the next packet is no overlap with what is left of it,
 * since it comes later than fragments of one packet do. */
static void the_same_identification_and_a_fragment_is_missing(void **state)
{
    struct cut *c = *state;

    for (uint8_t i = 0; i < 5; i++) {
        fill(c, i);
        assert_int_equal(take(c, 0, 1480), WAVE_EAGAIN);
        c->now += 200 * WAVE_MS;
    }
    assert_int_equal(counts(c).refused, 0);
    assert_int_equal(counts(c).missing, 4);
    fill(c, 9);
    assert_int_equal(take(c, 0, 1480), WAVE_EAGAIN);
    c->now += 10 * WAVE_MS;
    assert_int_equal(take(c, 1480, c->len - 1480), 0);
    is_whole(c, 2);
    assert_int_equal(counts(c).missing, 5);
    fill(c, 10);
    assert_int_equal(take(c, 0, 1480), WAVE_EAGAIN);
    c->now += IP_REASSEMBLY_PAUSE - 1;
    fill(c, 11);
    assert_int_equal(take(c, 0, 1480), WAVE_EAGAIN);
    assert_int_equal(counts(c).refused, 1);
}

/* Never more than that many packets; those that are not waited for go first, then the oldest. */
static void packets_are_bounded(void **state)
{
    struct cut *c = *state;

    for (c->id = 0; c->id < IP_REASSEMBLY_PACKETS + 10; c->id++, c->now++)
        assert_int_equal(take(c, 0, 8 * 8), WAVE_EAGAIN);
    assert_int_equal(counts(c).crowded_out, 10);
    c->id = 10;
    assert_int_equal(take(c, 64, c->len - 64), 0);
    is_whole(c, 2);
    c->id = 9;
    assert_int_equal(take(c, 64, c->len - 64), WAVE_EAGAIN); /* in the place of the complete one */
    assert_int_equal(counts(c).crowded_out, 10);
}

/* Fragments at the far end of packets take the most memory. */
static void bytes_are_bounded(void **state)
{
    struct cut *c = *state;

    c->len = 65000;
    for (c->id = 0; c->id < 60; c->id++, c->now++) {
        assert_int_equal(take(c, 0, 64), WAVE_EAGAIN);
        assert_int_equal(take(c, 64000, 800), WAVE_EAGAIN);
    }
    assert_true(counts(c).crowded_out >= 60 - IP_REASSEMBLY_BYTES / 65536);
    assert_true(counts(c).crowded_out < 50);
}

/* RFC 3168, 5.3. */
static void rfc3168_5_3_congestion_marks(void **state)
{
    struct cut *c = *state;
    struct packet p;

    c->tos = ECN_ECT0;
    assert_int_equal(take(c, 0, 1480), WAVE_EAGAIN);
    c->tos = ECN_CE;
    assert_int_equal(take(c, 1480, c->len - 1480), 0);
    assert_int_equal(ip_parse(c->whole.bytes, c->whole.len, &p), 0);
    assert_int_equal(p.seg.ecn, ECN_CE);
    is_whole(c, 2);
    c->id++;
    c->tos = ECN_NOT;
    assert_int_equal(take(c, 0, 1480), WAVE_EAGAIN);
    c->tos = ECN_CE;
    assert_int_equal(take(c, 1480, c->len - 1480), WAVE_EAGAIN);
    assert_int_equal(counts(c).packets, 1);
}

#define BOTH(function)                                                                             \
    {#function " ipv4", function, setup4, teardown, NULL},                                         \
    {                                                                                              \
#function " ipv6", function, setup6, teardown, NULL                                        \
    }
#define V6(function)                                                                               \
    {                                                                                              \
#function, function, setup6, teardown, NULL                                                \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(rfc791_3_2_fragments_in_order),
        BOTH(rfc815_fragments_backwards_and_mixed),
        BOTH(fragments_of_eight_bytes),
        BOTH(rfc791_3_2_packets_at_a_time_are_told_apart),
        BOTH(headers_are_those_of_the_first_fragment),
        BOTH(lengths_that_cannot_be_are_refused),
        BOTH(a_packet_beyond_the_largest_is_refused),
        BOTH(rfc6946_atomic_fragments_are_whole),
        BOTH(other_protocols_are_not_taken),
        V6(rfc8200_4_5_next_header_of_the_first_counts),
        V6(rfc7112_a_first_fragment_without_the_tcp_header),
        BOTH(a_fragment_that_comes_twice_is_no_overlap),
        BOTH(rfc5722_overlaps_refuse_the_packet),
        BOTH(rfc5722_the_same_place_with_other_bytes_is_an_overlap),
        BOTH(ends_that_contradict_each_other),
        BOTH(a_refused_packet_is_forgotten),
        BOTH(sixty_seconds_and_no_more),
        BOTH(what_is_late_is_missing),
        BOTH(strangers_are_not_counted),
        BOTH(a_packet_that_comes_twice_is_given_twice),
        BOTH(the_same_identification_for_each_packet),
        BOTH(the_same_identification_and_a_fragment_is_missing),
        BOTH(packets_are_bounded),
        BOTH(bytes_are_bounded),
        BOTH(rfc3168_5_3_congestion_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
