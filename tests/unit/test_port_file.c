/* Tests a capture file as a port: its packets come in order and with their times, and a file that
 * is truncated or no capture file is reported. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/core/checksum.h"
#include "lib/core/ip_build.h"
#include "lib/run/port_file.h"
#include "lib/show/pcapng.h"

#define STAMP (1700000000 * WAVE_S + 123456789)

static char path[] = "/tmp/tcpwave-port-XXXXXX.pcap";

static const struct flow flow = {
    .local = {{192, 0, 2, 1}}, .remote = {{192, 0, 2, 80}}, .lport = 40000, .rport = 80};

/* An IP packet with this segment: its length. */
static uint32_t build(const struct flow *f, const struct seg *s, uint8_t *to)
{
    static const struct ip_fields fields = {.ttl = 57, .df = true, .id = 4711};
    uint8_t tcp[200];
    int len = seg_build(f, s, tcp, sizeof tcp);

    assert_true(len >= SEG_HEADER);
    size_t header = ip_build(f, CHECKSUM_TCP, &fields, (uint32_t)len, to);
    memcpy(to + header, tcp, (size_t)len);
    return (uint32_t)header + (uint32_t)len;
}

/* Writes a file of two segments, one in each direction, with a packet between them that is no TCP.
 */
static void write_file(void)
{
    static const uint8_t udp[28] = {0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17};
    struct flow back = flow_reverse(&flow);
    struct seg syn = {.seq = seq_of(1000), .flags = SEG_SYN, .wnd = 65535};
    struct seg ack = {
        .seq = seq_of(5000), .ack = seq_of(1001), .flags = SEG_SYN | SEG_ACK, .wnd = 29200};
    struct pcapfile *p;
    uint8_t bytes[200];
    struct diag d;
    int fd = mkstemps(path, 5);

    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(pcapfile_open(&p, path, &d), 0);
    assert_int_equal(pcapfile_begin(p, "eth0", PCAPFILE_RAW, &d), 0);
    uint32_t len = build(&flow, &syn, bytes);
    struct pcapfile_packet k = {
        .stamp = STAMP, .outgoing = true, .ip = bytes, .captured = len, .length = len};
    assert_int_equal(pcapfile_packet(p, &k, &d), 0);
    k = (struct pcapfile_packet){.stamp = STAMP + 1,
                                 .outgoing = false,
                                 .ip = udp,
                                 .captured = sizeof udp,
                                 .length = sizeof udp};
    assert_int_equal(pcapfile_packet(p, &k, &d), 0);
    len = build(&back, &ack, bytes);
    k = (struct pcapfile_packet){.stamp = STAMP + 20 * WAVE_MS,
                                 .outgoing = false,
                                 .ip = bytes,
                                 .captured = len,
                                 .length = len};
    assert_int_equal(pcapfile_packet(p, &k, &d), 0);
    assert_int_equal(pcapfile_close(p, &d), 0);
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    strcpy(path, "/tmp/tcpwave-port-XXXXXX.pcap");
    return 0;
}

static void test_packets(void **state)
{
    struct wire_packet w;
    struct port *p;
    struct diag d;

    (void)state;
    write_file();
    assert_int_equal(port_file_open(&p, fopen(path, "rb"), path, &d), 0);
    assert_int_equal(p->ops->next(p, &w, &d), 1);
    assert_int_equal(w.stamp, STAMP);
    assert_int_equal(port_now(p), STAMP);
    assert_false(w.outgoing);
    assert_true(flow_eq(&w.packet.flow, &flow));
    assert_int_equal(w.packet.seg.flags, SEG_SYN);
    assert_int_equal(w.packet.ttl, 57);
    assert_int_equal(p->ops->next(p, &w, &d), 1);
    assert_int_equal(w.stamp, STAMP + 20 * WAVE_MS);
    assert_int_equal(w.packet.seg.ack.v, 1001);
    assert_false(port_file_ended(p));
    assert_int_equal(p->ops->next(p, &w, &d), 0);
    assert_true(port_file_ended(p));
    assert_int_equal(p->ops->stats(p).received, 3);
    assert_int_equal(p->ops->stats(p).unrelated, 1);
    port_close(p);
}

/* A packet in fragments is given once its last one is read. */
static void test_fragments(void **state)
{
    struct seg s = {.seq = seq_of(7), .flags = SEG_ACK, .len = 100, .data = (uint8_t[100]){1, 2}};
    struct wire_packet w;
    struct pcapfile *p;
    struct port *port;
    uint8_t bytes[200], part[200];
    struct diag d;
    int fd = mkstemps(path, 5);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(pcapfile_open(&p, path, &d), 0);
    assert_int_equal(pcapfile_begin(p, "eth0", PCAPFILE_RAW, &d), 0);
    const uint32_t len = build(&flow, &s, bytes);
    for (unsigned i = 0; i < 2; i++) {
        const uint32_t from = i ? 64 : 0, n = i ? len - 20 - 64 : 64;
        memcpy(part, bytes, 20);
        memcpy(part + 20, bytes + 20 + from, n);
        part[3] = (uint8_t)(20 + n);
        part[6] = i ? 0 : 0x20;
        part[7] = (uint8_t)(from / 8);
        struct pcapfile_packet k = {
            .stamp = STAMP + i, .outgoing = true, .ip = part, .captured = 20 + n, .length = 20 + n};
        assert_int_equal(pcapfile_packet(p, &k, &d), 0);
    }
    assert_int_equal(pcapfile_close(p, &d), 0);

    assert_int_equal(port_file_open(&port, fopen(path, "rb"), path, &d), 0);
    assert_int_equal(port->ops->next(port, &w, &d), 1);
    assert_int_equal(w.stamp, STAMP + 1);
    assert_int_equal(w.fragments, 2);
    assert_int_equal(w.packet.seg.seq.v, 7);
    assert_int_equal(w.packet.seg.len, 100);
    assert_memory_equal(w.packet.l4, bytes + 20, len - 20);
    assert_int_equal(port->ops->stats(port).fragmented.packets, 1);
    assert_int_equal(port->ops->next(port, &w, &d), 0);
    assert_int_equal(port->ops->stats(port).unrelated, 0);
    port_close(port);
}

/* A file that is cut off gives what is whole, and then says so once. */
static void test_cut_off(void **state)
{
    struct wire_packet w;
    struct port *p;
    struct diag d = {""};
    struct stat whole;

    (void)state;
    write_file();
    assert_int_equal(stat(path, &whole), 0);
    assert_int_equal(truncate(path, whole.st_size - 10), 0);
    assert_int_equal(port_file_open(&p, fopen(path, "rb"), path, &d), 0);
    assert_int_equal(p->ops->next(p, &w, &d), 1);
    assert_int_equal(p->ops->next(p, &w, &d), WAVE_ESYS);
    assert_non_null(strstr(d.text, path));
    assert_true(port_file_ended(p));
    assert_int_equal(p->ops->next(p, &w, &d), 0);
    port_close(p);
}

static void test_no_capture(void **state)
{
    struct port *p = NULL;
    struct diag d = {""};
    FILE *file;

    (void)state;
    write_file();
    file = fopen(path, "r+b");
    fputs("this is no capture file, whatever its name says", file);
    rewind(file);
    assert_int_equal(port_file_open(&p, file, path, &d), WAVE_ESYS);
    assert_null(p);
    assert_non_null(strstr(d.text, "as a capture file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_packets, teardown),
        cmocka_unit_test_teardown(test_fragments, teardown),
        cmocka_unit_test_teardown(test_cut_off, teardown),
        cmocka_unit_test_teardown(test_no_capture, teardown),
    };

    return cmocka_run_group_tests_name("port_file", tests, NULL, NULL);
}
