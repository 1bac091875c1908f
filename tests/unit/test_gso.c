/*
 * Tests segments that are joined for segmentation offload: which ones may be joined, and that
 * cutting the large segment by the rules of the kernel and of network cards gives back every byte
 * of those it was made of. The segments come from a builder without a socket.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <linux/virtio_net.h>

#include "lib/core/bytes.h"
#include "lib/core/checksum.h"
#include "lib/core/seg.h"
#include "lib/wire/builder.h"
#include "lib/wire/gso.h"
#include "lib/wire/template.h"

enum { MOST = 64, ROOM = 2048, DATA = 1448 };

static const uint8_t link_header[L2_HEADER] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};

struct gso_made {
    struct builder *builder;
    struct flow flow;
    struct seg next; /* the segment that follows on */
    uint8_t bytes[MOST][ROOM];
    struct iovec packet[MOST];
    unsigned count;
};

static uint8_t data[ROOM * MOST];

static uint16_t id_of(const struct gso_made *m, unsigned i)
{
    return (uint16_t)(m->bytes[i][4] << 8 | m->bytes[i][5]);
}

static struct gso_made *begin(bool v6)
{
    static struct gso_made m;
    struct builder_config config = {.v6 = v6, .no_socket = true};

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 31 + (i >> 8));
    m = (struct gso_made){.flow = {.local = {{10, 0, 0, 1, 5, 6}},
                                   .remote = {{10, 0, 0, 2, 7, 8}},
                                   .lport = 40000,
                                   .rport = 80,
                                   .v6 = v6},
                          .next = {.seq = seq_of(0xfffff000),
                                   .ack = seq_of(77),
                                   .flags = SEG_ACK,
                                   .wnd = 500,
                                   .opt = {.has = OPT_TIMESTAMP, .tsval = 5, .tsecr = 6}}};
    if (!v6) {
        memset(m.flow.local.byte + 4, 0, 12);
        memset(m.flow.remote.byte + 4, 0, 12);
    }
    assert_int_equal(builder_open(&m.builder, &config, NULL), 0);
    do { /* where identifications begin is random: not so near the end that they wrap */
        assert_int_equal(builder_build(m.builder, &m.flow, &m.next, NULL, m.bytes[0], NULL), 0);
    } while (!v6 && id_of(&m, 0) > 65000);
    return &m;
}

static void add(struct gso_made *m, uint32_t len)
{
    unsigned i = m->count++;

    m->next.len = len;
    m->next.data = len ? data + i * ROOM : NULL;
    assert_int_equal(builder_build(m->builder, &m->flow, &m->next, NULL, m->bytes[i], NULL), 0);
    m->packet[i] = (struct iovec){m->bytes[i], builder_size(m->builder, &m->next)};
    m->next.seq = seq_add(m->next.seq, len);
}

static void add_series(struct gso_made *m, unsigned n)
{
    while (n--)
        add(m, DATA);
}

static void end(struct gso_made *m)
{
    builder_close(m->builder);
}

/* Cuts the frame of the first `n` packets, and holds each piece against the packet. */
static void cut_and_compare(const struct gso_made *m, unsigned n)
{
    static uint8_t large[GSO_HEAD_MAX + MOST * ROOM], piece[ROOM];
    struct virtio_net_hdr prefix;
    size_t skip, len = gso_head(m->packet, n, 0, link_header, L2_HEADER, large, &skip), at;

    for (unsigned i = 0; i < n; i++) {
        memcpy(large + len, (const uint8_t *)m->packet[i].iov_base + skip,
               m->packet[i].iov_len - skip);
        len += m->packet[i].iov_len - skip;
    }
    memcpy(&prefix, large, sizeof prefix);
    assert_memory_equal(large + GSO_PREFIX, link_header, L2_HEADER);
    assert_int_equal(prefix.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
    assert_int_equal(prefix.gso_type,
                     m->flow.v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4);
    const uint8_t *ip = large + GSO_PREFIX + L2_HEADER;
    size_t ip_len = prefix.csum_start - L2_HEADER, headers = prefix.hdr_len - L2_HEADER;
    assert_int_equal(ip_len, m->flow.v6 ? 40 : 20);
    assert_int_equal(prefix.csum_offset, 16);
    assert_int_equal(ip[m->flow.v6 ? 4 : 2] << 8 | ip[m->flow.v6 ? 5 : 3],
                     len - GSO_PREFIX - L2_HEADER - (m->flow.v6 ? 40 : 0));
    if (!m->flow.v6)
        assert_int_equal(checksum_finish(checksum_add(0, ip, 20)), 0);

    at = GSO_PREFIX + L2_HEADER + headers;
    for (unsigned i = 0; i < n; i++) {
        size_t some = len - at < prefix.gso_size ? len - at : prefix.gso_size;
        uint8_t *tcp = piece + ip_len;
        uint16_t sum;
        memcpy(piece, ip, headers);
        memcpy(piece + headers, large + at, some);
        at += some;
        if (m->flow.v6) {
            put_u16(piece + 4, (unsigned)(headers - 40 + some));
        } else {
            put_u16(piece + 2, (unsigned)(headers + some));
            put_u16(piece + 4, ((unsigned)ip[4] << 8 | ip[5]) + i);
            put_u16(piece + 10, 0);
            sum = checksum_finish(checksum_add(0, piece, 20));
            memcpy(piece + 10, &sum, sizeof sum);
        }
        put_u32(tcp + 4, 0xfffff000 + i * prefix.gso_size);
        if (i + 1 < n)
            tcp[13] &= (uint8_t) ~(SEG_PSH | SEG_FIN);
        /* The field holds the sum of the large one's pseudo-header, which the pieces replace. */
        memcpy(&sum, tcp + 16, sizeof sum);
        assert_int_equal(
            sum, (uint16_t)~checksum_finish(checksum_pseudo(
                     &m->flow, CHECKSUM_TCP, (uint32_t)(len - GSO_PREFIX - L2_HEADER - ip_len))));
        put_u16(tcp + 16, 0);
        uint32_t l4 = (uint32_t)(headers - ip_len + some);
        sum = checksum_finish(checksum_add(checksum_pseudo(&m->flow, CHECKSUM_TCP, l4), tcp, l4));
        memcpy(tcp + 16, &sum, sizeof sum);
        assert_int_equal(m->packet[i].iov_len, headers + some);
        assert_memory_equal(piece, m->packet[i].iov_base, headers + some);
    }
    assert_int_equal(at, len);
}

static void cut_again_it_is_what_it_was(bool v6)
{
    struct gso_made *m = begin(v6);

    add_series(m, 20);
    m->next.flags = SEG_ACK | SEG_PSH | SEG_FIN;
    add(m, 333);
    assert_int_equal(gso_count(m->packet, m->count), 21);
    cut_and_compare(m, 21);
    cut_and_compare(m, 2);
    end(m);
}

static void over_ipv4_it_is_cut_into_what_it_was(void **state)
{
    (void)state;
    cut_again_it_is_what_it_was(false);
}

static void over_ipv6_it_is_cut_into_what_it_was(void **state)
{
    (void)state;
    cut_again_it_is_what_it_was(true);
}

static void no_more_than_an_ip_packet_holds(void **state)
{
    struct gso_made *m = begin(false);

    (void)state;
    add_series(m, 60);
    assert_int_equal(gso_count(m->packet, 60), (65535 - 52) / DATA);
    cut_and_compare(m, (65535 - 52) / DATA);
    end(m);
}

/* Builds `n` segments one by one, and a train of the same segments. */
static struct iovec make_train(struct gso_made *m, unsigned n, uint32_t last)
{
    static uint8_t bytes[MOST * ROOM], joined[MOST * ROOM];
    struct seg train = m->next;
    bool no_checksum = false;

    add_series(m, n - 1);
    m->next.flags = train.flags |= SEG_PSH;
    add(m, last);
    for (unsigned i = 0; i < n; i++)
        memcpy(joined + (size_t)i * DATA, data + (size_t)i * ROOM, i + 1 < n ? DATA : last);
    train.len = (n - 1) * DATA + last;
    train.data = joined;
    train.train = DATA;
    assert_int_equal(seg_count(&train), n);
    const struct wire_ip same_id = {.id = id_of(m, 0)};
    assert_int_equal(builder_build_no_checksum(m->builder, &m->flow, &train, &same_id, bytes,
                                               &no_checksum, NULL),
                     0);
    assert_true(no_checksum);
    return (struct iovec){bytes, builder_size(m->builder, &train)};
}

/* The identifications after a train go on where those of its segments end. */
static void a_train_takes_as_many_numbers_as_its_segments(void **state)
{
    struct gso_made *m = begin(false);

    (void)state;
    make_train(m, 30, 5);
    add(m, 5);
    assert_int_equal(id_of(m, 30), (uint16_t)(id_of(m, 29) + 31));
    end(m);
}

/* As one frame it has the headers that its segments, joined, would have. */
static void a_train_has_the_headers_of_its_segments(void **state)
{
    (void)state;
    for (int v6 = 0; v6 < 2; v6++)
        for (uint32_t last = 1; last <= DATA; last += DATA - 1) {
            struct gso_made *m = begin(v6);
            struct iovec train = make_train(m, 40, last);
            uint8_t one[GSO_HEAD_MAX], each[GSO_HEAD_MAX];
            size_t skip, skipped;

            assert_int_equal(gso_segments(&train, DATA), 40);
            size_t len = gso_head(m->packet, 40, 0, link_header, L2_HEADER, each, &skipped);
            assert_int_equal(gso_head(&train, 1, DATA, link_header, L2_HEADER, one, &skip), len);
            assert_int_equal(skip, skipped);
            assert_memory_equal(one, each, len);
            end(m);
        }
}

/* Cut one by one, it gives back every byte of its segments. */
static void a_train_can_be_cut(void **state)
{
    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        struct gso_made *m = begin(v6);
        struct iovec train = make_train(m, 30, 700);

        for (unsigned i = 0; i < 29; i++) {
            uint8_t head[GSO_HEAD_MAX];
            const uint8_t *wanted = m->packet[i].iov_base;
            size_t skip = gso_first(&train, DATA, head);

            assert_memory_equal(head, wanted, skip);
            assert_memory_equal((uint8_t *)train.iov_base + skip, wanted + skip, DATA);
            assert_int_equal(gso_cut(&train, DATA), i < 28);
        }
        assert_int_equal(train.iov_len, m->packet[29].iov_len);
        template_checksum(train.iov_base, train.iov_len);
        assert_memory_equal(train.iov_base, m->packet[29].iov_base, train.iov_len);
        end(m);
    }
}

/* On an interface without a link layer the IP header comes first, and the kernel must know this. */
static void without_a_link_layer_nothing_stands_before_ip(void **state)
{
    struct gso_made *m = begin(false);
    uint8_t framed[GSO_HEAD_MAX], bare[GSO_HEAD_MAX];
    struct virtio_net_hdr with, without;
    size_t skip, len;

    (void)state;
    add_series(m, 3);
    len = gso_head(m->packet, 3, 0, link_header, L2_HEADER, framed, &skip);
    assert_int_equal(gso_head(m->packet, 3, 0, link_header, 0, bare, &skip), len - L2_HEADER);
    assert_memory_equal(bare + GSO_PREFIX, framed + GSO_PREFIX + L2_HEADER,
                        len - GSO_PREFIX - L2_HEADER);
    memcpy(&with, framed, GSO_PREFIX);
    memcpy(&without, bare, GSO_PREFIX);
    assert_int_equal(without.csum_start, with.csum_start - L2_HEADER);
    assert_int_equal(without.hdr_len, with.hdr_len - L2_HEADER);
    assert_int_equal(without.gso_size, with.gso_size);
    end(m);
}

/* The third segment cannot be joined with the two before it. */
enum odd {
    GAP,
    OTHER_ACK,
    OTHER_WINDOW,
    OTHER_TIME,
    OTHER_PORT,
    OTHER_ADDRESS,
    OTHER_ECN,
    NO_OPTION,
    RESET,
    CWR,
    NO_DATA,
    MORE_DATA,
    ODDITIES
};

static void make_odd(struct gso_made *m, enum odd what)
{
    uint32_t len = DATA;

    switch (what) {
    case GAP:
        m->next.seq = seq_add(m->next.seq, 1);
        break;
    case OTHER_ACK:
        m->next.ack = seq_add(m->next.ack, 1);
        break;
    case OTHER_WINDOW:
        m->next.wnd++;
        break;
    case OTHER_TIME:
        m->next.opt.tsval++;
        break;
    case OTHER_PORT:
        m->flow.lport++;
        break;
    case OTHER_ADDRESS:
        m->flow.remote.byte[3]++;
        break;
    case OTHER_ECN:
        m->next.ecn = ECN_ECT0;
        break;
    case NO_OPTION:
        m->next.opt.has = 0;
        break;
    case RESET:
        m->next.flags |= SEG_RST;
        break;
    case CWR:
        m->next.flags |= SEG_CWR;
        break;
    case NO_DATA:
        len = 0;
        break;
    case MORE_DATA:
        len = DATA + 1;
        break;
    case ODDITIES:
        break;
    }
    add(m, len);
}

static void what_differs_is_not_joined(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++)
        for (unsigned what = 0; what <= ODDITIES; what++) {
            struct gso_made *m = begin(v6);
            add_series(m, 2);
            make_odd(m, (enum odd)what);
            assert_int_equal(gso_count(m->packet, 3), what == ODDITIES ? 3 : 2);
            end(m);
        }
}

static void nothing_follows_a_push_a_fin_or_a_short_one(void **state)
{
    (void)state;
    for (unsigned how = 0; how < 3; how++) {
        struct gso_made *m = begin(how & 1);
        add_series(m, 2);
        m->next.flags = SEG_ACK | (how == 0 ? SEG_PSH : how == 1 ? SEG_FIN : 0);
        add(m, how == 2 ? DATA - 1 : DATA);
        m->next.flags = SEG_ACK;
        add(m, DATA - 1);
        assert_int_equal(gso_count(m->packet, 4), 3);
        end(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(over_ipv4_it_is_cut_into_what_it_was),
        cmocka_unit_test(over_ipv6_it_is_cut_into_what_it_was),
        cmocka_unit_test(no_more_than_an_ip_packet_holds),
        cmocka_unit_test(a_train_takes_as_many_numbers_as_its_segments),
        cmocka_unit_test(a_train_has_the_headers_of_its_segments),
        cmocka_unit_test(a_train_can_be_cut),
        cmocka_unit_test(without_a_link_layer_nothing_stands_before_ip),
        cmocka_unit_test(what_differs_is_not_joined),
        cmocka_unit_test(nothing_follows_a_push_a_fin_or_a_short_one),
    };
    return cmocka_run_group_tests_name("gso", tests, NULL, NULL);
}
