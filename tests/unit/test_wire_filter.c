/*
 * Tests the filter of the capture, compiled by libpcap and run over packets made by hand: our
 * packets pass on every link type, with and without VLAN tags, and those of a similar flow do not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <pcap/pcap.h>

#include "lib/core/seg.h"
#include "lib/wire/filter.h"

static const uint8_t macs[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};

static const struct flow flow4 = {
    .local = {{10, 0, 0, 1}}, .remote = {{10, 0, 0, 2}}, .lport = 4000, .rport = 80};
static const struct flow flow6 = {
    .local = {{0xfd, [15] = 1}}, .remote = {{0xfd, [15] = 2}}, .lport = 4000, .rport = 80, .v6 = 1};

struct wire_filter_made {
    uint8_t bytes[256];
    size_t len;
};

static void put(struct wire_filter_made *m, const void *bytes, size_t len)
{
    memcpy(m->bytes + m->len, bytes, len);
    m->len += len;
}

static void put16(struct wire_filter_made *m, unsigned v)
{
    put(m, (uint8_t[]){(uint8_t)(v >> 8), (uint8_t)v}, 2);
}

/* The link header of `dlt`, with `tags` VLAN tags. */
static void put_link(struct wire_filter_made *m, int dlt, bool v6, int tags)
{
    unsigned type = v6 ? 0x86dd : 0x0800;
    *m = (struct wire_filter_made){.len = 0};
    if (dlt == DLT_EN10MB) {
        put(m, macs, sizeof macs);
        while (tags-- > 0) {
            put16(m, 0x8100);
            put16(m, 5);
        }
        put16(m, type);
    } else if (dlt == DLT_LINUX_SLL2) {
        put16(m, type);
        m->len += 18;
    }
}

static void put_ip(struct wire_filter_made *m, const struct flow *f, uint8_t protocol, unsigned len)
{
    if (f->v6) {
        put(m, (uint8_t[]){0x60, 0, 0, 0, 0, (uint8_t)len, protocol, 64}, 8);
        put(m, f->local.byte, 16);
        put(m, f->remote.byte, 16);
    } else {
        put(m, (uint8_t[]){0x45, 0, 0, (uint8_t)(20 + len), 0, 0, 0x40, 0, 64, protocol, 0, 0}, 12);
        put(m, f->local.byte, 4);
        put(m, f->remote.byte, 4);
    }
}

static void make_tcp(struct wire_filter_made *m, int dlt, const struct flow *f, int tags)
{
    struct seg s = {.flags = SEG_ACK};
    put_link(m, dlt, f->v6, tags);
    put_ip(m, f, 6, 20);
    int n = seg_build(f, &s, m->bytes + m->len, sizeof m->bytes - m->len);
    assert_int_equal(n, 20);
    m->len += (size_t)n;
}

static void make_icmp(struct wire_filter_made *m, int dlt, const struct flow *f, uint8_t type)
{
    put_link(m, dlt, f->v6, 0);
    put_ip(m, f, f->v6 ? 58 : 1, 36);
    m->bytes[m->len] = type;
    m->len += 36;
}

struct compiled {
    struct bpf_program program;
    pcap_t *pcap;
    int dlt;
};

static void compile(struct compiled *c, int dlt, struct filter_query q)
{
    char text[FILTER_TEXT];
    q.tags = dlt == DLT_EN10MB;
    q.any_device = dlt == DLT_LINUX_SLL2;
    c->dlt = dlt;
    c->pcap = pcap_open_dead(dlt, 65535);
    assert_non_null(c->pcap);
    if (pcap_compile(c->pcap, &c->program, filter_text(&q, text), 1, PCAP_NETMASK_UNKNOWN) < 0)
        fail_msg("%s: %s", text, pcap_geterr(c->pcap));
}

static void done(struct compiled *c)
{
    pcap_freecode(&c->program);
    pcap_close(c->pcap);
}

static bool passes(const struct compiled *c, const struct wire_filter_made *m)
{
    struct pcap_pkthdr h = {.caplen = (uint32_t)m->len, .len = (uint32_t)m->len};
    return pcap_offline_filter(&c->program, &h, m->bytes) != 0;
}

static bool tcp_passes(const struct compiled *c, const struct flow *f, int tags)
{
    struct wire_filter_made m;
    make_tcp(&m, c->dlt, f, tags);
    return passes(c, &m);
}

static bool icmp_passes(const struct compiled *c, const struct flow *f, uint8_t type)
{
    struct wire_filter_made m;
    make_icmp(&m, c->dlt, f, type);
    return passes(c, &m);
}

static const int types[] = {DLT_EN10MB, DLT_LINUX_SLL2, DLT_RAW};
#define TYPES (sizeof types / sizeof *types)

static void a_connection_both_ways(void **state)
{
    const struct flow *f = *state;
    struct flow back = flow_reverse(f), other = *f, elsewhere = *f;
    other.lport++;
    elsewhere.remote.byte[3] ^= 1;
    for (size_t i = 0; i < TYPES; i++) {
        struct compiled c;
        compile(&c, types[i], (struct filter_query){.flow = *f});
        assert_true(tcp_passes(&c, f, 0));
        assert_true(tcp_passes(&c, &back, 0));
        assert_false(tcp_passes(&c, &other, 0));
        assert_false(tcp_passes(&c, &elsewhere, 0));
        assert_false(tcp_passes(&c, f->v6 ? &flow4 : &flow6, 0));
        done(&c);
    }
}

static void inbound_only(void **state)
{
    const struct flow *f = *state;
    struct flow back = flow_reverse(f);
    struct compiled c;
    compile(&c, DLT_EN10MB, (struct filter_query){.flow = *f, .inbound_only = true});
    assert_false(tcp_passes(&c, f, 0));
    assert_true(tcp_passes(&c, &back, 0));
    done(&c);
}

static void behind_vlan_tags(void **state)
{
    const struct flow *f = *state;
    struct flow back = flow_reverse(f), other = *f;
    struct compiled c;
    other.rport++;
    compile(&c, DLT_EN10MB, (struct filter_query){.flow = *f});
    for (int tags = 1; tags <= 2; tags++) {
        assert_true(tcp_passes(&c, f, tags));
        assert_true(tcp_passes(&c, &back, tags));
        assert_false(tcp_passes(&c, &other, tags));
    }
    done(&c);
}

static void icmp_errors_to_us_and_no_echoes(void **state)
{
    const struct flow *f = *state;
    struct flow to_us = *f, to_other;
    to_us.remote = f->local; /* from any router */
    to_us.local.byte[3] = 77;
    to_other = to_us;
    to_other.remote.byte[3] ^= 9;
    for (size_t i = 0; i < TYPES; i++) {
        struct compiled c;
        compile(&c, types[i], (struct filter_query){.flow = *f});
        assert_true(icmp_passes(&c, &to_us, f->v6 ? 1 : 3));
        assert_true(icmp_passes(&c, &to_us, f->v6 ? 3 : 11));
        assert_false(icmp_passes(&c, &to_us, f->v6 ? 128 : 8));
        assert_false(icmp_passes(&c, &to_us, f->v6 ? 129 : 0));
        assert_false(icmp_passes(&c, &to_other, f->v6 ? 1 : 3));
        done(&c);
    }
}

static void listening_on_any_address(void **state)
{
    const struct flow *f = *state;
    struct flow served = flow_reverse(f), out, other;
    struct filter_query q = {.listen = true, .flow = {.lport = f->rport, .v6 = f->v6}};
    other = served;
    out = served;
    other.lport++;
    for (size_t i = 0; i < TYPES; i++) {
        struct compiled c;
        compile(&c, types[i], q);
        assert_true(tcp_passes(&c, f, 0));
        assert_true(tcp_passes(&c, &out, 0));
        assert_false(tcp_passes(&c, &other, 0));
        done(&c);
    }
    q.flow.local = f->local; /* an address, to which `f` does not go */
    struct compiled c;
    compile(&c, DLT_EN10MB, q);
    assert_false(tcp_passes(&c, f, 0));
    q.flow.local = f->remote;
    done(&c);
    compile(&c, DLT_EN10MB, q);
    assert_true(tcp_passes(&c, f, 0));
    done(&c);
}

/* A fragment, of which the first one alone has the ports: behind it stands anything. */
static void make_fragment(struct wire_filter_made *m, const struct compiled *c,
                          const struct flow *f, uint8_t protocol, unsigned field, int tags)
{
    static const uint8_t data[24] = {0xff, 0xff, 0xff, 0xff};

    put_link(m, c->dlt, f->v6, tags);
    if (f->v6) {
        put_ip(m, f, 44, 32);
        put(m, (uint8_t[]){protocol, 0, (uint8_t)(field >> 8), (uint8_t)field, 0, 0, 0, 1}, 8);
    } else {
        put_ip(m, f, protocol, 24);
        m->bytes[m->len - 14] = (uint8_t)(field >> 8);
        m->bytes[m->len - 13] = (uint8_t)field;
    }
    put(m, data, sizeof data);
}

static void later_fragments_pass_by_addresses(void **state)
{
    const struct flow *f = *state;
    struct flow back = flow_reverse(f), elsewhere, other;
    struct wire_filter_made m;

    other = elsewhere = back;
    elsewhere.remote.byte[3] ^= 9; /* to another host */
    other.local.byte[3] ^= 9;      /* from another host */
    for (size_t i = 0; i < TYPES; i++) {
        struct compiled c;
        compile(&c, types[i], (struct filter_query){.flow = *f});
        for (int tags = 0; tags <= (types[i] == DLT_EN10MB ? 2 : 0); tags++) {
            make_fragment(&m, &c, &back, 6, f->v6 ? 64 << 3 | 1 : 0x2040, tags); /* one between */
            assert_true(passes(&c, &m));
            make_fragment(&m, &c, &back, 6, f->v6 ? 64 << 3 : 0x0040, tags); /* the last one */
            assert_true(passes(&c, &m));
            make_fragment(&m, &c, &elsewhere, 6, f->v6 ? 64 << 3 : 0x0040, tags);
            assert_false(passes(&c, &m));
            if (f->v6) /* what there is behind extension headers is looked at later */
                continue;
            make_fragment(&m, &c, &back, 17, 0x0040, tags); /* of UDP */
            assert_false(passes(&c, &m));
            make_fragment(&m, &c, f, 6, 0x0040, tags); /* our own */
            assert_false(passes(&c, &m));
            make_fragment(&m, &c, &other, 6, 0x0040, tags);
            assert_false(passes(&c, &m));
            make_fragment(&m, &c, &back, 6, 0x4000, tags); /* no fragment, and not our port */
            assert_false(passes(&c, &m));
        }
        done(&c);
        compile(&c, types[i], (struct filter_query){.flow = *f, .listen = true});
        make_fragment(&m, &c, &other, 6, f->v6 ? 64 << 3 : 0x0040, 0);
        assert_true(passes(&c, &m)); /* from any host */
        done(&c);
    }
}

/* RFC 8200, 4: TCP's ports stand behind the header, where the filter does not look. */
static void an_extension_header_is_let_through(void **state)
{
    (void)state;
    struct wire_filter_made m;
    struct compiled c;
    compile(&c, DLT_RAW, (struct filter_query){.flow = flow6});
    struct flow back = flow_reverse(&flow6);
    m.len = 0;
    put_ip(&m, &back, 60, 28);
    m.len += 28;
    assert_true(passes(&c, &m));
    back.local.byte[14] = back.remote.byte[14] = 9;
    m.len = 0;
    put_ip(&m, &back, 60, 28);
    m.len += 28;
    assert_false(passes(&c, &m));
    done(&c);
}

/* On the any device a packet over lo is met leaving and arriving. */
static void lo_s_leaving_packets_are_left_out(void **state)
{
    const struct flow *f = *state;
    struct compiled c;
    struct wire_filter_made m;
    compile(&c, DLT_LINUX_SLL2, (struct filter_query){.flow = *f});
    make_tcp(&m, DLT_LINUX_SLL2, f, 0);
    m.bytes[7] = 1;  /* interface */
    m.bytes[10] = 4; /* outgoing */
    assert_false(passes(&c, &m));
    m.bytes[7] = 2;
    assert_true(passes(&c, &m));
    m.bytes[7] = 1;
    m.bytes[10] = 0;
    assert_true(passes(&c, &m));
    done(&c);
}

#define BOTH(function)                                                                             \
    {#function " ipv4", function, NULL, NULL, &v4},                                                \
    {                                                                                              \
#function " ipv6", function, NULL, NULL, &v6                                               \
    }

int main(void)
{
    struct flow v4 = flow4, v6 = flow6;
    const struct CMUnitTest tests[] = {
        BOTH(a_connection_both_ways),
        BOTH(inbound_only),
        BOTH(behind_vlan_tags),
        BOTH(icmp_errors_to_us_and_no_echoes),
        BOTH(listening_on_any_address),
        BOTH(lo_s_leaving_packets_are_left_out),
        BOTH(later_fragments_pass_by_addresses),
        cmocka_unit_test(an_extension_header_is_let_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
