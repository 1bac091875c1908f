/* Tests that what is queued reaches the kernel whole, once and in order, however much the kernel
 * takes at a time. A sendmmsg() and a transmit ring of this program play the kernel's part. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "lib/wire/builder.h"
#include "lib/wire/gso.h"
#include "lib/wire/tx_queue.h"

enum { FD = 42, MTU = 1500 };

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* What the kernel says to each call: how many it takes, or an errno, negative. The last one is for
 * all calls that follow. */
static int answers[16], answered, answer_count;
static uint32_t taken[256];
static unsigned taken_count;
static bool framed;     /* packets have a link layer's header */
static bool pieces;     /* they may come in two pieces, or as one frame that the kernel cuts */
static unsigned to_cut; /* how many of those came */
static bool sourced;    /* each has to name its source, as add() has it */

/* Takes an IPv4 packet that may be in two pieces: its sequence number, if it is complete. */
static void take_pieces(const struct msghdr *m)
{
    static uint8_t bytes[65536];
    const size_t front = framed ? GSO_PREFIX + L2_HEADER : 0;
    const uint8_t *head = m->msg_iov[0].iov_base;
    size_t len = 0;
    struct packet p;

    for (size_t i = 0; i < m->msg_iovlen; i++) {
        memcpy(bytes + len, m->msg_iov[i].iov_base, m->msg_iov[i].iov_len);
        len += m->msg_iov[i].iov_len;
    }
    assert_int_equal(ip_parse(bytes + front, (uint32_t)(len - front), &p), 0);
    if (framed && head[1]) { /* the kernel is to cut it */
        to_cut++;
        return;
    }
    assert_true(seg_checksum_ok(&p.flow, p.l4, p.l4_len));
    assert_int_equal(p.seg.flags & SEG_PSH, p.seg.seq.v == 2800 ? SEG_PSH : 0);
    for (uint32_t i = 0; i < p.seg.len; i++)
        assert_int_equal(p.seg.data[i], (uint8_t)((p.seg.seq.v + i) * 7));
    taken[taken_count++] = p.seg.seq.v;
}

static const uint8_t link_header[L2_HEADER] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 8, 0};

int sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags)
{
    int answer = answers[answered < answer_count - 1 ? answered++ : answer_count - 1];

    assert_int_equal(fd, FD);
    assert_true(flags & MSG_DONTWAIT);
    assert_true(n > 0);
    if (answer < 0) {
        errno = -answer;
        return -1;
    }
    if ((unsigned)answer < n)
        n = (unsigned)answer;
    for (unsigned i = 0; i < n; i++) {
        if (pieces) {
            take_pieces(&m[i].msg_hdr);
            continue;
        }
        if (framed) { /* IPv4: the sequence number */
            static const uint8_t nothing[GSO_PREFIX];
            const struct iovec *v = m[i].msg_hdr.msg_iov;
            const uint8_t *frame = v->iov_base, *ip = frame + GSO_PREFIX + L2_HEADER;
            struct packet p;
            assert_int_equal(m[i].msg_hdr.msg_iovlen, 1);
            assert_memory_equal(frame, nothing, GSO_PREFIX);
            assert_memory_equal(frame + GSO_PREFIX, link_header, L2_HEADER);
            memcpy(&taken[taken_count++], ip + 24, 4);
            assert_int_equal(ip_parse(ip, v->iov_len - GSO_PREFIX - L2_HEADER, &p), 0);
            assert_true(seg_checksum_ok(&p.flow, p.l4, p.l4_len));
            continue;
        }
        assert_int_equal(m[i].msg_hdr.msg_iovlen, 1);
        assert_int_equal(m[i].msg_hdr.msg_iov->iov_len % 4, 0);
        struct cmsghdr *c = CMSG_FIRSTHDR(&m[i].msg_hdr);
        assert_int_equal(c != NULL, sourced);
        if (c) {
            struct in_pktinfo info;
            assert_int_equal(c->cmsg_level, IPPROTO_IP);
            assert_int_equal(c->cmsg_type, IP_PKTINFO);
            assert_int_equal(c->cmsg_len, CMSG_LEN(sizeof info));
            memcpy(&info, CMSG_DATA(c), sizeof info);
            assert_int_equal(info.ipi_spec_dst.s_addr, htonl(0x0a000001));
            assert_int_equal(info.ipi_ifindex, 0);
        }
        memcpy(&taken[taken_count++], m[i].msg_hdr.msg_iov->iov_base, sizeof *taken);
    }
    return (int)n;
}

/* Plays the ring, of which the kernel takes as much as of messages. */
struct tx_ring {
    uint32_t seq[WIRE_QUEUE_MAX];
    unsigned put, room, sent;
};

bool tx_ring_put(struct tx_ring *r, const uint8_t *link, size_t header, const uint8_t *packet,
                 size_t len)
{
    struct packet p;

    if (r->put == r->room)
        return false;
    assert_int_equal(header, L2_HEADER);
    assert_memory_equal(link, link_header, L2_HEADER);
    assert_true(header + len <= TX_RING_FRAME);
    assert_int_equal(ip_parse(packet, (uint32_t)len, &p), 0);
    assert_true(seg_checksum_ok(&p.flow, p.l4, p.l4_len));
    memcpy(&r->seq[r->put++], packet + 24, sizeof *r->seq);
    return true;
}

int tx_ring_send(struct tx_ring *r)
{
    int answer = answers[answered < answer_count - 1 ? answered++ : answer_count - 1];
    const unsigned put = r->put;

    r->put = 0;
    if (!put)
        answer = -EAGAIN;
    if (answer < 0) {
        errno = -answer;
        return -1;
    }
    if ((unsigned)answer > put)
        answer = (int)put;
    memcpy(taken + taken_count, r->seq, (unsigned)answer * sizeof *taken);
    taken_count += (unsigned)answer;
    r->sent += (unsigned)answer;
    return answer;
}

static struct tx_queue *begin(const int *says, int count)
{
    struct tx_queue *b;

    memcpy(answers, says, (size_t)count * sizeof *says);
    answered = 0;
    answer_count = count;
    taken_count = 0;
    assert_int_equal(tx_queue_open(&b, FD, MTU), 0);
    return b;
}

static void add(struct tx_queue *b, uint32_t i, size_t len)
{
    struct flow f = {.local = {{10, 0, 0, 1}}, .remote = {{10, 0, 0, 2}}, .rport = 80};
    uint8_t *at = tx_queue_room(b, len);

    assert_non_null(at);
    memset(at, (int)i, len);
    memcpy(at, &i, sizeof i);
    tx_queue_add(b, len, &f, seq_of(i), NULL);
}

static void add_all(struct tx_queue *b, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        add(b, i, 4 * (1 + i * 7 % 300));
}

static void expect_taken(uint32_t from, uint32_t to)
{
    assert_int_equal(taken_count, to - from);
    for (uint32_t i = from; i < to; i++)
        assert_int_equal(taken[i - from], i);
}

#define BEGIN(...)                                                                                 \
    begin((const int[]){__VA_ARGS__}, sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

static void a_full_batch_goes_out_in_order(void **state)
{
    struct tx_queue *b = BEGIN(WIRE_QUEUE_MAX);
    struct wire_unsent u;
    int error = -1;

    (void)state;
    assert_int_equal(tx_queue_flush(b, &error, &u), 0);
    assert_int_equal(error, 0);
    for (int round = 0; round < 3; round++) {
        taken_count = 0;
        add_all(b, WIRE_QUEUE_MAX);
        assert_null(tx_queue_room(b, 4));
        assert_int_equal(tx_queue_flush(b, &error, &u), WIRE_QUEUE_MAX);
        assert_int_equal(error, 0);
        expect_taken(0, WIRE_QUEUE_MAX);
    }
    tx_queue_close(b);
}

/* ip(7), IP_PKTINFO: without it a socket that is bound to no address is routed as if there were no
 * source, past the rules for it. */
static void each_packet_names_the_source_that_it_is_routed_by(void **state)
{
    struct tx_queue *b = BEGIN(10, WIRE_QUEUE_MAX);
    struct wire_unsent u;
    int error = -1;

    (void)state;
    sourced = true;
    tx_queue_route_by_source(b);
    add_all(b, WIRE_QUEUE_MAX);
    assert_int_equal(tx_queue_flush(b, &error, &u), WIRE_QUEUE_MAX);
    expect_taken(0, WIRE_QUEUE_MAX);
    sourced = false;
    tx_queue_close(b);
}

static void what_the_kernel_takes_by_and_by_is_all_there(void **state)
{
    struct tx_queue *b = BEGIN(5, -EINTR, 1, 30, -EINTR, 64);
    struct wire_unsent u;
    int error = -1;

    (void)state;
    add_all(b, 50);
    assert_int_equal(tx_queue_flush(b, &error, &u), 50);
    assert_int_equal(error, 0);
    expect_taken(0, 50);
    tx_queue_close(b);
}

static void without_room_the_rest_stays_and_more_joins_it(void **state)
{
    struct tx_queue *b = BEGIN(3, -ENOBUFS, -EAGAIN, 2, -EAGAIN, 64);
    struct wire_unsent u;
    int error = -1;

    (void)state;
    add_all(b, 10);
    assert_int_equal(tx_queue_flush(b, &error, &u), 3);
    assert_int_equal(error, ENOBUFS);
    assert_int_equal(tx_queue_flush(b, &error, &u), 0);
    assert_int_equal(error, EAGAIN);
    assert_int_equal(u.seq.v, 3);
    add(b, 10, 8);
    assert_int_equal(tx_queue_flush(b, &error, &u), 2);
    assert_int_equal(error, EAGAIN);
    add(b, 11, 8);
    assert_int_equal(tx_queue_flush(b, &error, &u), 7);
    assert_int_equal(error, 0);
    expect_taken(0, 12);
    tx_queue_close(b);
}

/* A rule drops them at the interface: packet sockets say ENOBUFS then, for ever. */
static void what_is_refused_again_and_again_holds_up_nothing(void **state)
{
    struct tx_queue *b = BEGIN(2, -ENOBUFS);
    struct wire_unsent u;
    int error = -1, tries = 1;

    (void)state;
    add_all(b, 10);
    assert_int_equal(tx_queue_flush(b, &error, &u), 2);
    for (; error && tries < 100; tries++)
        assert_int_equal(tx_queue_flush(b, &error, &u), 0);
    assert_int_equal(tries, 32);
    assert_true(tx_queue_empty(b));
    assert_int_equal(tx_queue_given_up(b), 8);

    add(b, 2, 8); /* the next one gets no more time until one was taken */
    assert_int_equal(tx_queue_flush(b, &error, &u), 0);
    assert_int_equal(error, 0);
    assert_int_equal(tx_queue_given_up(b), 9);
    answers[0] = 64;
    answered = 0;
    add(b, 2, 8);
    assert_int_equal(tx_queue_flush(b, &error, &u), 1);
    expect_taken(0, 3);

    add(b, 3, 8);
    for (tries = 1, error = -1; error && tries < 100; tries++)
        assert_int_equal(tx_queue_flush(b, &error, &u), 0);
    assert_int_equal(tries, 1 + 16);
    assert_int_equal(tx_queue_given_up(b), 10);
    tx_queue_close(b);
}

/* That is no rule: the socket itself holds no more. */
static void a_full_socket_is_waited_for(void **state)
{
    struct tx_queue *b = BEGIN(-EAGAIN);
    struct wire_unsent u;
    int error;

    (void)state;
    add(b, 0, 8);
    for (int i = 0; i < 200; i++) {
        assert_int_equal(tx_queue_flush(b, &error, &u), 0);
        assert_int_equal(error, EAGAIN);
    }
    assert_int_equal(tx_queue_given_up(b), 0);
    tx_queue_close(b);
}

static void one_that_is_refused_is_named_and_holds_nothing_up(void **state)
{
    struct tx_queue *b = BEGIN(4, -EMSGSIZE, 64);
    struct wire_unsent u;
    int error = -1;

    (void)state;
    add_all(b, 9);
    assert_int_equal(tx_queue_flush(b, &error, &u), 4);
    assert_int_equal(error, EMSGSIZE);
    assert_int_equal(u.seq.v, 4);
    assert_int_equal(u.flow.rport, 80);
    expect_taken(0, 4);
    taken_count = 0;
    assert_int_equal(tx_queue_flush(b, &error, &u), 4);
    assert_int_equal(error, 0);
    expect_taken(5, 9);
    tx_queue_close(b);
}

static void the_largest_packet_fits_an_empty_batch(void **state)
{
    struct tx_queue *b = BEGIN(64);
    struct wire_unsent u;
    int error;

    (void)state;
    add(b, 0, 65532);
    assert_int_equal(tx_queue_flush(b, &error, &u), 1);
    assert_non_null(tx_queue_room(b, 65535));
    tx_queue_close(b);
}

static void a_batch_of_the_mtu_fits(void **state)
{
    struct tx_queue *b = BEGIN(64);

    (void)state;
    for (uint32_t i = 0; i < WIRE_QUEUE_MAX; i++)
        add(b, i, MTU);
    assert_null(tx_queue_room(b, 4));
    tx_queue_close(b);
}

/* The segments could be joined, but the kernel rejects it. */
static void what_cannot_be_joined_goes_one_by_one(void **state)
{
    static const struct sockaddr_ll to;
    struct tx_queue *b = BEGIN(-EINVAL, -EAGAIN, 64);
    struct builder_config config = {.no_socket = true};
    struct flow f = {.local = {{10, 0, 0, 1}}, .remote = {{10, 0, 0, 2}}, .rport = 80};
    struct wire_unsent u;
    struct builder *c;
    int error = -1;

    (void)state;
    framed = true;
    assert_int_equal(builder_open(&c, &config, NULL), 0);
    tx_queue_link_layer(b, FD, &to, L2_HEADER);
    for (uint32_t i = 0; i < 8; i++) {
        static const uint8_t data[400];
        struct seg s = {.seq = seq_of(i * 400), .flags = SEG_ACK, .len = 400, .data = data};
        uint8_t *at = tx_queue_room(b, builder_size(c, &s));
        bool no_checksum = false;
        assert_int_equal(builder_build_no_checksum(c, &f, &s, NULL, at, &no_checksum, NULL), 0);
        assert_true(no_checksum);
        tx_queue_add(b, builder_size(c, &s), &f, s.seq, link_header);
        tx_queue_no_checksum(b);
    }
    assert_int_equal(tx_queue_flush(b, &error, &u), 0);
    assert_int_equal(error, EAGAIN);
    assert_int_equal(tx_queue_flush(b, &error, &u), 8);
    assert_int_equal(error, 0);
    assert_int_equal(tx_queue_l2_sent(b), 8);
    assert_int_equal(taken_count, 8);
    for (uint32_t i = 0; i < 8; i++)
        assert_int_equal(taken[i], htonl(i * 400));
    framed = false;
    builder_close(c);
    tx_queue_close(b);
}

/* Queues a segment of `len` bytes of data as a frame. */
static void add_frame(struct tx_queue *b, struct builder *c, uint32_t seq, uint32_t len)
{
    static const uint8_t data[1400];
    const struct flow f = {.local = {{10, 0, 0, 1}}, .remote = {{10, 0, 0, 2}}, .rport = 80};
    const struct seg s = {.seq = seq_of(seq), .flags = SEG_ACK, .len = len, .data = data};
    uint8_t *at = tx_queue_room(b, builder_size(c, &s));
    bool no_checksum = false;

    assert_int_equal(builder_build_no_checksum(c, &f, &s, NULL, at, &no_checksum, NULL), 0);
    tx_queue_add(b, builder_size(c, &s), &f, s.seq, link_header);
    if (no_checksum)
        tx_queue_no_checksum(b);
}

/* Long frames between short ones, and a kernel that takes some and then some more. */
static void short_frames_go_through_the_ring_and_keep_their_place(void **state)
{
    static const struct sockaddr_ll to;
    static const uint32_t len[] = {0, 0, 100, 1400, 0, TX_RING_FRAME - L2_HEADER - 40,
                                   0, 0, 0,   900,  0, TX_RING_FRAME - L2_HEADER - 39};
    struct tx_queue *b = BEGIN(2, 64, 64, 1, -EAGAIN, 1, -ENOBUFS, 64);
    struct builder_config config = {.no_socket = true};
    struct tx_ring ring = {.room = 2};
    struct wire_unsent u;
    struct builder *c;
    int error = -1;

    (void)state;
    framed = true;
    assert_int_equal(builder_open(&c, &config, NULL), 0);
    tx_queue_link_layer(b, FD, &to, L2_HEADER);
    tx_queue_use_ring(b, &ring);
    for (uint32_t i = 0; i < COUNT(len); i++)
        add_frame(b, c, i, len[i]);
    assert_int_equal(tx_queue_flush(b, &error, &u), 5);
    assert_int_equal(error, EAGAIN);
    assert_int_equal(u.seq.v, 5);
    assert_int_equal(tx_queue_flush(b, &error, &u), 1);
    assert_int_equal(error, ENOBUFS);
    assert_int_equal(tx_queue_flush(b, &error, &u), 6);
    assert_int_equal(error, 0);
    assert_int_equal(taken_count, COUNT(len));
    for (uint32_t i = 0; i < COUNT(len); i++)
        assert_int_equal(taken[i], htonl(i));
    assert_int_equal(ring.sent, 9);
    assert_int_equal(tx_queue_l2_sent(b), COUNT(len));
    framed = false;
    builder_close(c);
    tx_queue_close(b);
}

/* Queues a train of eight segments of 400 bytes, the last one shorter, as a frame or not. */
static void add_train(struct tx_queue *b, bool frame)
{
    static const struct sockaddr_ll to;
    static uint8_t data[3000];
    const struct wire_ip ip = {.id = 7};
    const struct flow f = {.local = {{10, 0, 0, 1}}, .remote = {{10, 0, 0, 2}}, .rport = 80};
    const struct seg s = {
        .flags = SEG_ACK | SEG_PSH, .len = sizeof data, .data = data, .train = 400};
    struct builder_config config = {.no_socket = true};
    struct builder *c;
    bool no_checksum;

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7);
    framed = frame;
    pieces = true;
    to_cut = 0;
    assert_int_equal(builder_open(&c, &config, NULL), 0);
    tx_queue_link_layer(b, FD, &to, L2_HEADER);
    uint8_t *at = tx_queue_room(b, builder_size(c, &s));
    assert_int_equal(builder_build_no_checksum(c, &f, &s, &ip, at, &no_checksum, NULL), 0);
    assert_true(no_checksum);
    tx_queue_add(b, builder_size(c, &s), &f, s.seq, frame ? link_header : NULL);
    tx_queue_no_checksum(b);
    tx_queue_train(b, s.train);
    builder_close(c);
}

static void end_trains(struct tx_queue *b)
{
    framed = pieces = false;
    tx_queue_close(b);
}

static void a_train_goes_as_one_frame(void **state)
{
    struct tx_queue *b = BEGIN(-EAGAIN, 64);
    struct wire_unsent u;
    int error = -1;

    (void)state;
    add_train(b, true);
    assert_int_equal(tx_queue_flush(b, &error, &u), 0);
    assert_int_equal(error, EAGAIN);
    assert_true(tx_queue_takes_trains(b));
    assert_int_equal(tx_queue_flush(b, &error, &u), 8);
    assert_int_equal(error, 0);
    assert_int_equal(to_cut, 1);
    assert_int_equal(taken_count, 0);
    assert_int_equal(tx_queue_l2_sent(b), 8);
    end_trains(b);
}

/* Where the kernel rejects the frame, it is cut here. The kernel may have no room in between, and
 * may reject one of the segments. */
static void a_train_that_is_rejected_goes_one_by_one(void **state)
{
    static const uint32_t wanted[] = {0, 400, 1200, 1600, 2000, 2400, 2800};
    struct tx_queue *b = BEGIN(-EINVAL, 1, 1, -EAGAIN, -EMSGSIZE, 64);
    struct wire_unsent u;
    int error = -1;

    (void)state;
    add_train(b, true);
    assert_int_equal(tx_queue_flush(b, &error, &u), 2);
    assert_int_equal(error, EAGAIN);
    assert_false(tx_queue_takes_trains(b));
    assert_int_equal(tx_queue_flush(b, &error, &u), 0);
    assert_int_equal(error, EMSGSIZE);
    assert_int_equal(u.seq.v, 800);
    assert_int_equal(tx_queue_flush(b, &error, &u), 5);
    assert_int_equal(error, 0);
    assert_true(tx_queue_empty(b));
    assert_int_equal(taken_count, COUNT(wanted));
    assert_memory_equal(taken, wanted, sizeof wanted);
    assert_int_equal(tx_queue_l2_sent(b), 7);
    end_trains(b);
}

static void a_train_that_the_kernel_routes_goes_one_by_one(void **state)
{
    static const uint32_t wanted[] = {0, 400, 800, 1200, 1600, 2000, 2400, 2800};
    struct tx_queue *b = BEGIN(64);
    struct wire_unsent u;
    int error = -1;

    (void)state;
    add_train(b, false);
    assert_int_equal(tx_queue_flush(b, &error, &u), 8);
    assert_int_equal(error, 0);
    assert_int_equal(taken_count, COUNT(wanted));
    assert_memory_equal(taken, wanted, sizeof wanted);
    assert_int_equal(tx_queue_l2_sent(b), 0);
    end_trains(b);
}

/* Data that stands in the batch before its headers do makes the same packets as data from
 * elsewhere, up to the largest. */
static void data_may_be_there_before_its_headers(void **state)
{
    static const uint32_t lengths[] = {1, 400, 1460, 65535 - 40, 1448};
    static uint8_t elsewhere[65536], wanted[65536];
    const struct flow f = {.local = {{10, 0, 0, 1}}, .remote = {{10, 0, 0, 2}}, .rport = 80};
    const struct wire_ip ip = {.id = 7};
    struct builder_config config = {.no_socket = true};
    struct tx_queue *b = BEGIN(-EAGAIN);
    struct builder *c;

    (void)state;
    for (size_t i = 0; i < sizeof elsewhere; i++)
        elsewhere[i] = (uint8_t)(i * 7);
    assert_int_equal(builder_open(&c, &config, NULL), 0);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct seg s = {.flags = SEG_ACK, .len = lengths[i], .data = elsewhere};
        size_t size = builder_size(c, &s);
        uint8_t *room = tx_queue_data_room(b);
        assert_int_equal(builder_build_unpatched(c, &f, &s, &ip, wanted, NULL), 0);
        if (!room) { /* the largest took it */
            assert_int_equal(i, 4);
            break;
        }
        memcpy(room, elsewhere, s.len);
        s.data = room;
        uint8_t *at = tx_queue_room_around(b, size, s.len);
        assert_ptr_equal(at + size - s.len, room);
        assert_int_equal(builder_build(c, &f, &s, &ip, at, NULL), 0);
        assert_memory_equal(at, wanted, size);
        tx_queue_add(b, size, &f, s.seq, NULL);
    }
    builder_close(c);
    tx_queue_close(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_batch_goes_out_in_order),
        cmocka_unit_test(each_packet_names_the_source_that_it_is_routed_by),
        cmocka_unit_test(what_the_kernel_takes_by_and_by_is_all_there),
        cmocka_unit_test(without_room_the_rest_stays_and_more_joins_it),
        cmocka_unit_test(what_is_refused_again_and_again_holds_up_nothing),
        cmocka_unit_test(a_full_socket_is_waited_for),
        cmocka_unit_test(one_that_is_refused_is_named_and_holds_nothing_up),
        cmocka_unit_test(the_largest_packet_fits_an_empty_batch),
        cmocka_unit_test(a_batch_of_the_mtu_fits),
        cmocka_unit_test(what_cannot_be_joined_goes_one_by_one),
        cmocka_unit_test(short_frames_go_through_the_ring_and_keep_their_place),
        cmocka_unit_test(a_train_goes_as_one_frame),
        cmocka_unit_test(a_train_that_is_rejected_goes_one_by_one),
        cmocka_unit_test(a_train_that_the_kernel_routes_goes_one_by_one),
        cmocka_unit_test(data_may_be_there_before_its_headers),
    };
    return cmocka_run_group_tests_name("tx_queue", tests, NULL, NULL);
}
