/* Tests the reader of capture files on files made by hand, in both formats and byte orders, given
 * at once and byte by byte; and on files that are cut off, or contradict themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pcap/dlt.h>

#include "lib/wire/capture_file.h"

/* A file that is being made. */
struct made {
    uint8_t bytes[4096];
    size_t len;
    bool big; /* byte order */
};

static void put(struct made *m, uint64_t n, unsigned bytes)
{
    assert_true(m->len + bytes <= sizeof m->bytes);
    for (unsigned i = 0; i < bytes; i++) {
        const unsigned shift = 8 * (m->big ? bytes - 1 - i : i);
        m->bytes[m->len++] = shift < 64 ? (uint8_t)(n >> shift) : 0;
    }
}

static void put_text(struct made *m, const char *text, size_t padded)
{
    for (size_t i = 0; i < padded; i++)
        m->bytes[m->len++] = i < strlen(text) ? (uint8_t)text[i] : 0;
}

static void pcap_header(struct made *m, uint32_t magic, uint32_t linktype)
{
    put(m, magic, 4);
    put(m, 2, 2);
    put(m, 4, 2);
    put(m, 0, 8);
    put(m, 65535, 4);
    put(m, linktype, 4);
}

static void pcap_record(struct made *m, uint32_t seconds, uint32_t fraction, const char *data,
                        uint32_t length)
{
    put(m, seconds, 4);
    put(m, fraction, 4);
    put(m, strlen(data), 4);
    put(m, length, 4);
    put_text(m, data, strlen(data));
}

static void section(struct made *m)
{
    put(m, 0x0a0d0d0a, 4);
    put(m, 28, 4);
    put(m, 0x1a2b3c4d, 4);
    put(m, 1, 4); /* 1.0, of which the order shows in the parts */
    m->len -= 4;
    put(m, 1, 2);
    put(m, 0, 2);
    put(m, UINT64_MAX, 8);
    put(m, 28, 4);
}

/* An interface with a resolution and an offset; 0 and 0: without options. */
static void interface(struct made *m, uint16_t linktype, uint8_t resolution, int64_t offset)
{
    const uint32_t total = resolution ? 20 + 8 + 12 + 4 : 20;

    put(m, 1, 4);
    put(m, total, 4);
    put(m, linktype, 2);
    put(m, 0, 2);
    put(m, 0, 4);
    if (resolution) {
        put(m, 9, 2);
        put(m, 1, 2);
        m->bytes[m->len] = resolution;
        m->len += 1;
        put(m, 0, 3);
        put(m, 14, 2);
        put(m, 8, 2);
        put(m, (uint64_t)offset, 8);
        put(m, 0, 4);
    }
    put(m, total, 4);
}

static void enhanced(struct made *m, uint32_t interface, uint64_t ticks, const char *data,
                     uint32_t length)
{
    const uint32_t padded = (uint32_t)(strlen(data) + 3) & ~3u;

    put(m, 6, 4);
    put(m, 32 + padded, 4);
    put(m, interface, 4);
    put(m, ticks >> 32, 4);
    put(m, ticks & UINT32_MAX, 4);
    put(m, strlen(data), 4);
    put(m, length, 4);
    put_text(m, data, padded);
    put(m, 32 + padded, 4);
}

static void simple(struct made *m, const char *data)
{
    const uint32_t padded = (uint32_t)(strlen(data) + 3) & ~3u;

    put(m, 3, 4);
    put(m, 16 + padded, 4);
    put(m, strlen(data), 4);
    put_text(m, data, padded);
    put(m, 16 + padded, 4);
}

/* A block of a kind that no reader knows. */
static void unknown(struct made *m, uint32_t total)
{
    put(m, 0x0bad, 4);
    put(m, total, 4);
    for (uint32_t i = 12; i < total; i += 4)
        put(m, 0xffffffff, 4);
    put(m, total, 4);
}

/* What a file holds: a line for each record, and how it ends. */
struct held {
    struct capture_record record[16];
    char data[16][64];
    unsigned count;
    int end;
    struct diag why;
};

static void read_in_pieces(const struct made *m, size_t piece, struct held *h)
{
    struct capture_file *f = capture_file_create();
    size_t given = 0, room;

    assert_non_null(f);
    memset(h, 0, sizeof *h);
    for (;;) {
        struct capture_record *r = &h->record[h->count];
        int error = capture_file_next(f, r, &h->why);
        if (error == 0) {
            assert_true(h->count < 15 && r->caplen < sizeof h->data[0]);
            memcpy(h->data[h->count], r->bytes, r->caplen);
            h->count++;
            continue;
        }
        h->end = error;
        if (error != WAVE_EAGAIN)
            break;
        uint8_t *to = capture_file_room(f, &room);
        size_t n = m->len - given < piece ? m->len - given : piece;
        assert_true(room > 0);
        memcpy(to, m->bytes + given, n);
        given += n;
        capture_file_filled(f, n);
    }
    struct diag twice;
    assert_int_equal(capture_file_next(f, &h->record[15], &twice), h->end);
    capture_file_free(f);
}

static void read_all(const struct made *m, struct held *h)
{
    struct held bytewise;

    read_in_pieces(m, sizeof m->bytes, h);
    read_in_pieces(m, 1, &bytewise);
    assert_int_equal(bytewise.count, h->count);
    assert_int_equal(bytewise.end, h->end);
    assert_string_equal(bytewise.why.text, h->why.text);
    assert_memory_equal(bytewise.data, h->data, sizeof h->data);
}

static void record_is(const struct held *h, unsigned i, wave_time stamp, int dlt,
                      uint32_t interface, const char *data, uint32_t length)
{
    assert_true(i < h->count);
    assert_int_equal(h->record[i].stamp, stamp);
    assert_int_equal(h->record[i].dlt, dlt);
    assert_int_equal(h->record[i].interface, interface);
    assert_string_equal(h->data[i], data);
    assert_int_equal(h->record[i].caplen, strlen(data));
    assert_int_equal(h->record[i].length, length);
}

static void pcap_of_either_order_and_resolution(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct made m = {.big = i & 1};
        struct held h;
        const bool nano = i & 2;
        pcap_header(&m, nano ? 0xa1b23c4d : 0xa1b2c3d4, 1);
        pcap_record(&m, 1700000000, 123456, "hello", 5);
        pcap_record(&m, 4000000000u, 7, "cut", 1500);
        read_all(&m, &h);
        assert_int_equal(h.end, WAVE_ENOTFOUND);
        assert_int_equal(h.count, 2);
        record_is(&h, 0, 1700000000 * WAVE_S + 123456 * (nano ? 1 : WAVE_US), DLT_EN10MB, 0,
                  "hello", 5);
        record_is(&h, 1, 4000000000u * WAVE_S + 7 * (nano ? 1 : WAVE_US), DLT_EN10MB, 0, "cut",
                  1500);
    }
}

/* Before version 2.4 a packet's length stood before what was captured of it. */
static void pcap_of_an_old_version(void **state)
{
    (void)state;
    for (uint64_t minor = 2; minor <= 4; minor++) {
        struct made m = {0};
        struct held h;
        put(&m, 0xa1b2c3d4, 4);
        put(&m, 2, 2);
        put(&m, minor, 2);
        put(&m, 0, 8);
        put(&m, 68, 4);
        put(&m, 1, 4);
        put(&m, 1700000000, 4);
        put(&m, 0, 4);
        put(&m, minor == 2 ? 1500 : 3, 4);
        put(&m, minor == 2 ? 3 : 1500, 4);
        put_text(&m, "cut", 3);
        pcap_record(&m, 1700000001, 0, "hello", 5);
        read_all(&m, &h);
        assert_int_equal(h.end, WAVE_ENOTFOUND);
        assert_int_equal(h.count, 2);
        record_is(&h, 0, 1700000000 * WAVE_S, DLT_EN10MB, 0, "cut", 1500);
        record_is(&h, 1, 1700000001 * WAVE_S, DLT_EN10MB, 0, "hello", 5);
    }
}

static void pcap_says_raw_ip_by_its_own_number(void **state)
{
    (void)state;
    struct made m = {0};
    struct held h;
    pcap_header(&m, 0xa1b2c3d4, 101 | 0xf0000000);
    pcap_record(&m, 1, 2, "x", 1);
    read_all(&m, &h);
    record_is(&h, 0, WAVE_S + 2 * WAVE_US, DLT_RAW, 0, "x", 1);
}

static void pcapng_with_several_interfaces_and_sections(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct made m = {.big = i & 1};
        struct held h;
        section(&m);
        interface(&m, 1, 0, 0);
        unknown(&m, 40);
        interface(&m, 113, 9, 100);
        interface(&m, 101, 0x8a, -1); /* 1024ths of a second */
        enhanced(&m, 0, 1700000000000001, "ether", 60);
        enhanced(&m, 1, 1000000001, "cooked", 6);
        enhanced(&m, 2, 3 * 1024 + 512, "raw", 3);
        simple(&m, "simple");
        m.big = !m.big;
        section(&m);
        interface(&m, 276, 0, 0);
        enhanced(&m, 0, 5, "other", 5);
        read_all(&m, &h);
        assert_int_equal(h.end, WAVE_ENOTFOUND);
        assert_int_equal(h.count, 5);
        record_is(&h, 0, 1700000000 * WAVE_S + WAVE_US, DLT_EN10MB, 0, "ether", 60);
        record_is(&h, 1, 101 * WAVE_S + 1, DLT_LINUX_SLL, 1, "cooked", 6);
        record_is(&h, 2, 2 * WAVE_S + WAVE_S / 2, DLT_RAW, 2, "raw", 3);
        record_is(&h, 3, 0, DLT_EN10MB, 0, "simple", 6);
        record_is(&h, 4, 5 * WAVE_US, DLT_LINUX_SLL2, 3, "other", 5);
    }
}

/* Every file that ends within a record gives what is before it, and says so. */
static void a_cut_file_is_read_as_far_as_it_goes(void **state)
{
    (void)state;
    struct made whole = {0}, m;
    struct held h;
    size_t first;
    section(&whole);
    interface(&whole, 1, 9, 0);
    enhanced(&whole, 0, 1, "one", 3);
    first = whole.len;
    enhanced(&whole, 0, 2, "two", 3);
    for (size_t n = first + 1; n < whole.len; n++) {
        m = whole;
        m.len = n;
        read_all(&m, &h);
        assert_int_equal(h.count, 1);
        assert_int_equal(h.end, WAVE_ETRUNC);
        assert_non_null(strstr(h.why.text, "cut off"));
    }
    m = (struct made){0};
    pcap_header(&m, 0xa1b2c3d4, 1);
    pcap_record(&m, 1, 2, "one", 3);
    pcap_record(&m, 1, 2, "two", 3);
    m.len--;
    read_all(&m, &h);
    assert_int_equal(h.count, 1);
    assert_int_equal(h.end, WAVE_ETRUNC);
}

static void corrupt(const struct made *m, size_t at, uint32_t value, const char *why)
{
    struct made bad = *m;
    struct held h;

    memcpy(bad.bytes + at, &value, sizeof value);
    read_all(&bad, &h);
    assert_int_equal(h.end, WAVE_EMALFORMED);
    if (!strstr(h.why.text, why))
        fail_msg("\"%s\" does not say \"%s\"", h.why.text, why);
}

static void what_contradicts_itself_is_named(void **state)
{
    (void)state;
    struct made m = {0}, p = {0};
    section(&m);
    interface(&m, 1, 0, 0);
    enhanced(&m, 0, 1, "one", 3);
    corrupt(&m, 0, 0x12345678, "magic number");
    corrupt(&m, 8, 0x12345678, "byte order");
    corrupt(&m, 12, 7, "version");
    corrupt(&m, 4, 24, "too short");
    corrupt(&m, 24, 32, "two lengths");
    corrupt(&m, 32, 16, "too short");
    corrupt(&m, 52, 33, "impossible");
    corrupt(&m, 52, 4, "impossible");
    corrupt(&m, 56, 1, "does not describe");
    corrupt(&m, 68, 5, "longer than its block");
    corrupt(&m, 80, 32, "two lengths");
    pcap_header(&p, 0xa1b2c3d4, 1);
    pcap_record(&p, 1, 2, "one", 3);
    corrupt(&p, 4, 3, "version");
    corrupt(&p, 32, 0x7fffffff, "longer than any");
    memmove(m.bytes, m.bytes + 28, m.len - 28); /* no section */
    m.len -= 28;
    struct held h;
    read_all(&m, &h);
    assert_int_equal(h.end, WAVE_EMALFORMED);
}

static void what_is_no_capture_file(void **state)
{
    (void)state;
    struct made m = {0};
    struct held h;
    read_all(&m, &h);
    assert_int_equal(h.end, WAVE_EMALFORMED);
    assert_non_null(strstr(h.why.text, "no capture file"));
    put_text(&m, "#!/bin/sh", 9);
    read_all(&m, &h);
    assert_int_equal(h.end, WAVE_EMALFORMED);
    assert_non_null(strstr(h.why.text, "no capture file"));
}

/* A block of any length is stepped over, and a packet whose block is larger than the buffer,
 * because of its options, is still given. */
static void blocks_larger_than_the_buffer(void **state)
{
    (void)state;
    struct capture_file *f = capture_file_create();
    static const uint8_t filler[4096];
    struct made m = {0};
    struct capture_record r;
    struct diag d;
    uint64_t fill = 0;
    unsigned part = 0, packets = 0;
    int error;

    assert_non_null(f);
    section(&m);
    interface(&m, 1, 0, 0);
    put(&m, 0x0bad, 4);
    put(&m, 12 + 3 * CAPTURE_FILE_BUFFER, 4);
    while ((error = capture_file_next(f, &r, &d)) == 0 || error == WAVE_EAGAIN) {
        size_t room, n;
        packets += error == 0;
        if (error == 0) {
            assert_memory_equal(r.bytes, "big!", 4);
            continue;
        }
        uint8_t *to = capture_file_room(f, &room);
        if (fill) {
            n = room < sizeof filler ? room : sizeof filler;
            /* cppcheck-suppress knownConditionTrueFalse ; the last piece is smaller */
            if (n > fill)
                n = (size_t)fill;
            memcpy(to, filler, n);
            fill -= n;
        } else if (m.len) {
            n = m.len;
            memcpy(to, m.bytes, n);
            m.len = 0;
            fill = part == 0 ? 3 * CAPTURE_FILE_BUFFER : part == 1 ? 2 * CAPTURE_FILE_BUFFER : 0;
        } else {
            n = 0;
            if (part++ == 0) { /* the end of the unknown block, and the head of the packet's */
                put(&m, 12 + 3 * CAPTURE_FILE_BUFFER, 4);
                put(&m, 6, 4);
                put(&m, 36 + 2 * CAPTURE_FILE_BUFFER, 4);
                put(&m, 0, 12);
                put(&m, 4, 4);
                put(&m, 4, 4);
                put_text(&m, "big!", 4);
                continue;
            }
            if (part == 2) {
                put(&m, 36 + 2 * CAPTURE_FILE_BUFFER, 4);
                continue;
            }
        }
        capture_file_filled(f, n);
    }
    assert_int_equal(error, WAVE_ENOTFOUND);
    assert_int_equal(packets, 1);
    capture_file_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pcap_of_either_order_and_resolution),
        cmocka_unit_test(pcap_of_an_old_version),
        cmocka_unit_test(pcap_says_raw_ip_by_its_own_number),
        cmocka_unit_test(pcapng_with_several_interfaces_and_sections),
        cmocka_unit_test(a_cut_file_is_read_as_far_as_it_goes),
        cmocka_unit_test(what_contradicts_itself_is_named),
        cmocka_unit_test(what_is_no_capture_file),
        cmocka_unit_test(blocks_larger_than_the_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
