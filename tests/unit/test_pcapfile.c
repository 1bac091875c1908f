/* Tests the capture file. It is read back by libpcap, block by block, and by tshark if that is
 * installed. */
#include <fcntl.h>
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

#include <pcap/pcap.h>

#include "lib/show/pcapng.h"

#define STAMP (1700000000 * WAVE_S + 123456789)
#define DIRECTION_IN "3: we ESTABLISHED, peer SYN_RECEIVED (proved)"
#define VERDICT "open: connected to 192.0.2.1:80"

static char directory[] = "/tmp/tcpwave-test-XXXXXX";
static char path[64];

static int setup(void **state)
{
    (void)state;
    return mkdtemp(directory) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    return rmdir(directory);
}

/* The first bytes of an IPv4 packet; readers need not like the rest. Odd lengths need padding. */
static const uint8_t packet[41] = {0x45, 0, 0, 41, 0,   0, 0x40, 0, 64, 6,  0, 0,
                                   127,  0, 0, 1,  127, 0, 0,    1, 0,  80, 0, 80};

static const struct pcapfile_packet packets[] = {
    {.stamp = STAMP,
     .outgoing = true,
     .ip = packet,
     .captured = sizeof packet,
     .length = sizeof packet},
    {.stamp = STAMP + 1, .ip = packet, .captured = 38, .length = 4000, .comment = DIRECTION_IN},
    {.stamp = STAMP + 999999999,
     .outgoing = true,
     .ip = packet,
     .captured = 40,
     .length = 40,
     .comment = "\303\244"}};

enum { PACKETS = sizeof packets / sizeof packets[0] };

static void write_to(const char *to)
{
    const enum pcapfile_link expected = PCAPFILE_RAW;
    struct pcapfile *p;
    struct diag d = {""};

    assert_int_equal(pcapfile_open(&p, to, &d), 0);
    assert_int_equal(pcapfile_begin(p, "veth-with-name", expected, &d), 0);
    for (int i = 0; i < PACKETS; i++)
        assert_int_equal(pcapfile_packet(p, &packets[i], &d), 0);
    assert_int_equal(pcapfile_end(p, WAVE_S, VERDICT, 3, 1, &d), 0);
    assert_int_equal(pcapfile_close(p, &d), 0);
}

static void write_file(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", directory, name);
    write_to(path);
}

/* Checks that libpcap reads what was written, with times to the nanosecond. */
static void read_back(void)
{
    char error[PCAP_ERRBUF_SIZE];
    struct pcap_pkthdr *head;
    const uint8_t *bytes;
    pcap_t *in = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, error);

    if (!in)
        fail_msg("%s", error);
    assert_int_equal(pcap_datalink(in), DLT_RAW);
    for (int i = 0; i < PACKETS; i++) {
        assert_int_equal(pcap_next_ex(in, &head, &bytes), 1);
        assert_true((wave_time)head->ts.tv_sec * WAVE_S + (wave_time)head->ts.tv_usec ==
                    packets[i].stamp);
        assert_int_equal(head->caplen, packets[i].captured);
        assert_int_equal(head->len, packets[i].length);
        assert_memory_equal(bytes, packet, head->caplen);
    }
    assert_int_equal(pcap_next_ex(in, &head, &bytes), PCAP_ERROR_BREAK);
    pcap_close(in);
}

static size_t slurp(uint8_t *bytes, size_t room)
{
    FILE *in = fopen(path, "rb");

    assert_non_null(in);
    size_t len = fread(bytes, 1, room, in);
    assert_true(len < room);
    fclose(in);
    return len;
}

static uint32_t number(const uint8_t *at)
{
    uint32_t n;

    memcpy(&n, at, sizeof n);
    return n;
}

static void pcapng_is_read_by_libpcap(void **state)
{
    (void)state;
    write_file("a.pcapng");
    read_back();
    unlink(path);
}

/* A shell's >>: what was written cannot be written over, and the verdict stands in the statistics
 * alone. */
static void standard_output_that_appends_is_read_by_libpcap(void **state)
{
    int saved, fd;

    (void)state;
    snprintf(path, sizeof path, "%s/%s", directory, "appended.pcapng");
    fflush(stdout);
    saved = dup(STDOUT_FILENO);
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    assert_true(saved >= 0 && fd >= 0 && dup2(fd, STDOUT_FILENO) == STDOUT_FILENO);
    close(fd);
    write_to("-");
    assert_int_equal(dup2(saved, STDOUT_FILENO), STDOUT_FILENO);
    close(saved);
    read_back();
    unlink(path);
}

static void pcap_is_read_by_libpcap_and_has_the_nanosecond_magic(void **state)
{
    uint8_t bytes[1024];

    (void)state;
    write_file("a.pcap");
    read_back();
    assert_true(slurp(bytes, sizeof bytes) == 24 + 3 * 16 + 41 + 38 + 40);
    assert_true(number(bytes) == 0xa1b23c4d);
    unlink(path);
}

/* draft-ietf-opsawg-pcapng, 4.3: epb_dropcount is the number of packets that are missing between a
 * packet and the one before it. Here a reader sleeps, wakes up, and gets whole blocks. */
static void packets_that_a_sleeping_reader_missed_are_counted_in_the_next_block(void **state)
{
    enum { MANY = 300 };
    static uint8_t big[60000], back[4 << 20];
    struct pcapfile_packet k = {
        .stamp = STAMP, .outgoing = true, .ip = big, .captured = sizeof big, .length = sizeof big};
    struct pcapfile *p;
    struct diag d;
    uint64_t missing;
    size_t len = 0;
    unsigned found = 0;
    int fd;

    (void)state;
    snprintf(path, sizeof path, "%s/%s", directory, "fifo");
    assert_int_equal(mkfifo(path, 0600), 0);
    fd = open(path, O_RDONLY | O_NONBLOCK);
    assert_true(fd >= 0);
    assert_int_equal(pcapfile_open(&p, path, &d), 0);
    assert_int_equal(pcapfile_begin(p, "veth", PCAPFILE_RAW, &d), 0);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(pcapfile_packet(p, &k, &d), 0);
    missing = outbuf_left_out(pcapfile_outbuf(p));
    assert_true(missing > 0 && missing < MANY);
    for (bool more = true; more;) {
        struct pollfd poll_for = outbuf_poll(pcapfile_outbuf(p));
        ssize_t n = read(fd, back, sizeof back);
        more = n > 0 || poll_for.events;
        outbuf_polled(pcapfile_outbuf(p), POLLOUT);
    }
    for (int i = 0; i < 2; i++) { /* the first after the gap, and one more */
        assert_int_equal(pcapfile_packet(p, &k, &d), 0);
        assert_int_equal(pcapfile_flush(p, &d), 0);
        for (ssize_t n; (n = read(fd, back + len, sizeof back - len)) > 0 ||
                        outbuf_poll(pcapfile_outbuf(p)).events;) {
            len += n > 0 ? (size_t)n : 0;
            outbuf_polled(pcapfile_outbuf(p), POLLOUT);
        }
    }
    for (size_t at = 0; at < len; at += number(back + at + 4), found++) {
        const uint8_t *option = back + at + 28 + sizeof big + 8; /* behind epb_flags */
        uint64_t told = 0;
        assert_int_equal(number(back + at), 6);
        if ((number(option) & 0xffff) == 4)
            memcpy(&told, option + 4, sizeof told);
        assert_int_equal(told, found ? 0 : missing);
    }
    assert_int_equal(found, 2);
    assert_int_equal(pcapfile_close(p, &d), 0);
    close(fd);
    unlink(path);
}

/* draft-ietf-opsawg-pcapng, 3.1: the total length stands at both ends, in whole words. */
static void pcapng_blocks_are_whole(void **state)
{
    static const uint32_t types[] = {0x0a0d0d0a, 1, 6, 6, 6, 5};
    uint8_t bytes[2048];
    size_t at = 0, block = 0;

    (void)state;
    write_file("a.pcapng");
    for (size_t len = slurp(bytes, sizeof bytes); at < len; block++) {
        uint32_t total = number(bytes + at + 4);
        assert_true(block < sizeof types / sizeof types[0]);
        assert_true(number(bytes + at) == types[block]);
        assert_true(total % 4 == 0 && total >= 12 && total <= len - at);
        assert_true(number(bytes + at + total - 4) == total);
        at += total;
    }
    assert_int_equal(block, sizeof types / sizeof types[0]);
    unlink(path);
}

/* A header of the link layer, and one of lo. */
static const uint8_t ethernet[14] = {2, 0, 0, 0, 9, 2, 2, 0, 0, 0, 9, 1, 8, 0}, lo[14] = {[12] = 8};

/* Writes packets that begin with these: E Ethernet, L lo, - nothing. */
static void write_links(const char *name, enum pcapfile_link expected, const char *links)
{
    struct pcapfile *p;
    struct diag d = {""};

    snprintf(path, sizeof path, "%s/%s", directory, name);
    assert_int_equal(pcapfile_open(&p, path, &d), 0);
    assert_int_equal(pcapfile_begin(p, "any", expected, &d), 0);
    for (; *links; links++) {
        struct pcapfile_packet k = packets[0];
        k.link = *links == 'E' ? ethernet : *links == 'L' ? lo : NULL;
        k.link_len = k.link ? 14 : 0;
        assert_int_equal(pcapfile_packet(p, &k, &d), 0);
    }
    assert_int_equal(pcapfile_end(p, WAVE_S, VERDICT, 3, 1, &d), 0);
    assert_int_equal(pcapfile_close(p, &d), 0);
}

/* Of the file's packets: E, L or - for what they begin with; behind a slash, the link types of the
 * interface blocks, in order. */
static void expect_links(const char *wanted)
{
    uint8_t bytes[4096];
    char is[32] = "", types[16] = "/";
    uint16_t type[4];
    unsigned n = 0;
    size_t len = slurp(bytes, sizeof bytes);

    for (size_t at = 0; at < len; at += number(bytes + at + 4)) {
        const uint8_t *data = bytes + at + 28;
        if (number(bytes + at) == 1) {
            memcpy(&type[n], bytes + at + 8, 2);
            strcat(types, type[n++] == 1 ? "E" : "-");
        }
        if (number(bytes + at) != 6)
            continue;
        assert_true(number(bytes + at + 8) < n);
        if (type[number(bytes + at + 8)] == 1) {
            assert_int_equal(number(bytes + at + 20), 14 + sizeof packet);
            assert_int_equal(number(bytes + at + 24), 14 + sizeof packet);
            strcat(is, memcmp(data, ethernet, 14) == 0 ? "E" : "L");
            data += 14;
        } else {
            assert_int_equal(number(bytes + at + 20), sizeof packet);
            strcat(is, "-");
        }
        assert_memory_equal(data, packet, sizeof packet);
    }
    strcat(is, types);
    assert_string_equal(is, wanted);
    unlink(path);
}

static void packets_keep_the_header_of_their_link(void **state)
{
    static const struct {
        enum pcapfile_link expected;
        const char *packets, *wanted;
    } file[] = {{PCAPFILE_ETHERNET, "EEE", "EEE/E"},   {PCAPFILE_RAW, "---", "---/-"},
                {PCAPFILE_LINKS, "EE", "EE/E"},        {PCAPFILE_LINKS, "--", "--/-"},
                {PCAPFILE_LINKS, "LL", "--/-"},        {PCAPFILE_LINKS, "LELE", "-ELE/-E"},
                {PCAPFILE_LINKS, "E-E-L", "E-E-L/E-"}, {PCAPFILE_RAW, "-E-E", "-E-E/-E"},
                {PCAPFILE_ETHERNET, "LE", "LE/E"},     {PCAPFILE_LINKS, "", "/-"},
                {PCAPFILE_ETHERNET, "", "/E"}};

    (void)state;
    for (size_t i = 0; i < sizeof file / sizeof file[0]; i++) {
        write_links("links.pcapng", file[i].expected, file[i].packets);
        expect_links(file[i].wanted);
    }
}

/* The older form has one link type for all packets. */
static void of_the_older_form_all_packets_have_one_link(void **state)
{
    static const struct {
        enum pcapfile_link expected;
        const char *packets;
        int dlt;
    } file[] = {{PCAPFILE_ETHERNET, "EE-L", DLT_EN10MB},
                {PCAPFILE_RAW, "-EL-", DLT_RAW},
                {PCAPFILE_LINKS, "E-EL", DLT_EN10MB},
                {PCAPFILE_LINKS, "LE-E", DLT_RAW},
                {PCAPFILE_LINKS, "", DLT_RAW}};
    char error[PCAP_ERRBUF_SIZE];
    struct pcap_pkthdr *head;
    const uint8_t *bytes;

    (void)state;
    for (size_t i = 0; i < sizeof file / sizeof file[0]; i++) {
        const unsigned size = file[i].dlt == DLT_EN10MB ? 14 : 0;
        write_links("links.pcap", file[i].expected, file[i].packets);
        pcap_t *in = pcap_open_offline(path, error);
        assert_non_null(in);
        assert_int_equal(pcap_datalink(in), file[i].dlt);
        for (const char *k = file[i].packets; *k; k++) {
            assert_int_equal(pcap_next_ex(in, &head, &bytes), 1);
            assert_int_equal(head->caplen, size + sizeof packet);
            assert_int_equal(head->len, size + sizeof packet);
            if (size)
                assert_memory_equal(bytes, *k == 'E' ? ethernet : lo, size);
            assert_memory_equal(bytes + size, packet, sizeof packet);
        }
        assert_int_equal(pcap_next_ex(in, &head, &bytes), PCAP_ERROR_BREAK);
        pcap_close(in);
        unlink(path);
    }
}

/* Runs `command` with the file's name behind it, and returns its standard output in *text. Returns
 * false if there is no tshark. */
static bool tshark(const char *command, char *text, size_t room)
{
    char line[256];

    if (system("command -v tshark >/dev/null 2>&1"))
        return false;
    snprintf(line, sizeof line, "%s -r %s 2>/dev/null", command, path);
    FILE *in = popen(line, "r");
    assert_non_null(in);
    size_t len = fread(text, 1, room - 1, in);
    text[len] = '\0';
    assert_int_equal(pclose(in), 0);
    return true;
}

static void tshark_reads_comments_directions_and_the_interface(void **state)
{
    char text[1024];

    (void)state;
    write_file("a.pcapng");
    bool there = tshark("tshark -T fields -E separator='|' -e frame.packet_flags_direction "
                        "-e frame.interface_name -e frame.time_epoch -e frame.comment",
                        text, sizeof text);
    unlink(path);
    if (!there)
        skip();
    for (char *p = text; (p = strstr(p, "0x")); p += 2) /* as one version writes numbers */
        memmove(p, p + 9, strlen(p + 9) + 1);
    assert_string_equal(text, "2|veth-with-name|1700000000.123456789|\n"
                              "1|veth-with-name|1700000000.123456790|" DIRECTION_IN "\n"
                              "2|veth-with-name|1700000001.123456788|\303\244," VERDICT "\n");
}

static void the_verdict_is_the_comment_of_the_statistics(void **state)
{
    uint8_t bytes[2048];

    (void)state;
    write_file("a.pcapng");
    size_t len = slurp(bytes, sizeof bytes);
    uint32_t total = number(bytes + len - 4);
    const uint8_t *block = bytes + len - total;
    assert_int_equal(number(block), 5);
    assert_int_equal(number(block + 20), 1 | (uint32_t)strlen(VERDICT) << 16);
    assert_memory_equal(block + 24, VERDICT, strlen(VERDICT));
    unlink(path);
}

/* What was on no wire is no packet of the file: a reader would count it as sent, and find the
 * peer's answers wrong. */
static void what_a_rule_kept_off_the_wire_is_named_beside_the_next_packet(void **state)
{
    static const struct impaired
        dropped = {.acts = IMPAIRED_DROPPED, .rule = 1, .shown = true, .what = "dropped"},
        changed = {.acts = IMPAIRED_REWRITTEN,
                   .rule = 2,
                   .on_wire = true,
                   .shown = true,
                   .what = "sent with window 0 instead of 65535"},
        later = {.acts = IMPAIRED_DELAYED, .rule = 3, .on_wire = true, .what = "delayed by 1 s"};
    static const char beside[] = "on no wire, and so not in this file:\n"
                                 "2: we SYN_SENT; impaired by rule 1: dropped\n"
                                 "3: we SYN_SENT; impaired by rule 1: dropped";
    static uint8_t bytes[8192];
    struct pcapfile_packet k = packets[0];
    struct pcapfile *p;
    struct diag d;
    size_t len;

    (void)state;
    for (unsigned ng = 0; ng < 2; ng++) {
        snprintf(path, sizeof path, "%s/%s", directory, ng ? "i.pcapng" : "i.pcap");
        assert_int_equal(pcapfile_open(&p, path, &d), 0);
        assert_int_equal(pcapfile_begin(p, "lo", PCAPFILE_RAW, &d), 0);
        k.impaired = &dropped;
        k.comment = "2: we SYN_SENT";
        assert_int_equal(pcapfile_packet(p, &k, &d), 0);
        k.comment = "3: we SYN_SENT";
        assert_int_equal(pcapfile_packet(p, &k, &d), 0);
        k.impaired = &changed;
        k.comment = "4: we SYN_SENT";
        assert_int_equal(pcapfile_packet(p, &k, &d), 0);
        k.impaired = &later; /* it was shown, and written, when it arrived */
        assert_int_equal(pcapfile_packet(p, &k, &d), 0);
        k.impaired = &dropped;
        k.comment = "5: we SYN_SENT";
        assert_int_equal(pcapfile_packet(p, &k, &d), 0);
        assert_int_equal(pcapfile_end(p, WAVE_S, VERDICT, 3, 1, &d), 0);
        assert_int_equal(pcapfile_close(p, &d), 0);
        len = slurp(bytes, sizeof bytes);
        if (!ng)
            assert_int_equal(len, 24 + 16 + sizeof packet);
        else {
            char *at = memmem(bytes, len, beside, sizeof beside - 1);
            assert_non_null(at);
            assert_non_null(
                memmem(bytes, len, "4: we SYN_SENT; impaired by rule 2: sent with window 0", 54));
            assert_null(memmem(bytes, len, "delayed", 7));
            /* At the end there is no next packet. */
            assert_non_null(memmem(at, len - (size_t)(at - (char *)bytes),
                                   "5: we SYN_SENT; impaired by rule 1", 34));
        }
        unlink(path);
    }
}

/* Very many of them do not make a comment without end. */
static void many_that_were_dropped_make_one_comment(void **state)
{
    static const struct impaired dropped = {.rule = 1, .shown = true, .what = "dropped"};
    static uint8_t bytes[8192];
    struct pcapfile_packet k = packets[0];
    struct pcapfile *p;
    struct diag d;

    (void)state;
    snprintf(path, sizeof path, "%s/many.pcapng", directory);
    assert_int_equal(pcapfile_open(&p, path, &d), 0);
    assert_int_equal(pcapfile_begin(p, "lo", PCAPFILE_RAW, &d), 0);
    k.impaired = &dropped;
    k.comment = "2: we SYN_SENT";
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(pcapfile_packet(p, &k, &d), 0);
    assert_int_equal(pcapfile_packet(p, &packets[0], &d), 0);
    assert_int_equal(pcapfile_end(p, WAVE_S, VERDICT, 3, 1, &d), 0);
    assert_int_equal(pcapfile_close(p, &d), 0);
    assert_non_null(memmem(bytes, slurp(bytes, sizeof bytes), "dropped\n...", 11));
    unlink(path);
}

static void a_long_comment_is_cut_between_characters(void **state)
{
    static char comment[4001];
    struct pcapfile_packet k = packets[0];
    struct pcapfile *p;
    struct diag d;
    uint8_t bytes[2048];
    size_t at = 0;

    (void)state;
    comment[0] = 'x';
    for (int i = 1; i < 4000; i++)
        comment[i] = i % 2 ? '\303' : '\244';
    comment[3999] = '\0';
    k.comment = comment;
    snprintf(path, sizeof path, "%s/long.pcapng", directory);
    assert_int_equal(pcapfile_open(&p, path, &d), 0);
    assert_int_equal(pcapfile_begin(p, "lo", PCAPFILE_RAW, &d), 0);
    assert_int_equal(pcapfile_packet(p, &k, &d), 0);
    assert_int_equal(pcapfile_close(p, &d), 0);
    slurp(bytes, sizeof bytes);
    at += number(bytes + at + 4); /* section */
    at += number(bytes + at + 4); /* interface */
    assert_int_equal(number(bytes + at), 6);
    assert_int_equal(number(bytes + at + 28 + 44), 1 | 1023 << 16);
    unlink(path);
}

/* The first step that notices the failure reports it; no step passes over it. */
static void a_full_disk_is_reported(void **state)
{
    struct pcapfile *p;
    struct diag d = {""};

    (void)state;
    if (access("/dev/full", W_OK) < 0)
        skip();
    assert_int_equal(pcapfile_open(&p, "/dev/full", &d), 0);
    assert_int_equal(pcapfile_begin(p, "lo", PCAPFILE_RAW, &d), 0);
    assert_int_equal(pcapfile_packet(p, &packets[0], &d), 0);
    assert_int_equal(pcapfile_flush(p, &d), WAVE_ESYS);
    assert_non_null(strstr(d.text, "cannot write to /dev/full: No space left"));
    d.text[0] = '\0';
    assert_int_equal(pcapfile_close(p, &d), WAVE_ESYS);
    assert_non_null(strstr(d.text, "No space left"));
}

static void a_file_that_cannot_be_written_is_reported(void **state)
{
    struct pcapfile *p = NULL;
    struct diag d = {""};

    (void)state;
    snprintf(path, sizeof path, "%s/missing/a.pcapng", directory);
    assert_int_equal(pcapfile_open(&p, path, &d), WAVE_ESYS);
    assert_null(p);
    assert_non_null(strstr(d.text, "No such file or directory"));
    assert_int_equal(pcapfile_open(&p, directory, &d), WAVE_ESYS);
    assert_null(p);
    assert_int_equal(pcapfile_close(NULL, &d), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pcapng_is_read_by_libpcap),
        cmocka_unit_test(standard_output_that_appends_is_read_by_libpcap),
        cmocka_unit_test(pcap_is_read_by_libpcap_and_has_the_nanosecond_magic),
        cmocka_unit_test(packets_that_a_sleeping_reader_missed_are_counted_in_the_next_block),
        cmocka_unit_test(pcapng_blocks_are_whole),
        cmocka_unit_test(packets_keep_the_header_of_their_link),
        cmocka_unit_test(of_the_older_form_all_packets_have_one_link),
        cmocka_unit_test(tshark_reads_comments_directions_and_the_interface),
        cmocka_unit_test(the_verdict_is_the_comment_of_the_statistics),
        cmocka_unit_test(what_a_rule_kept_off_the_wire_is_named_beside_the_next_packet),
        cmocka_unit_test(many_that_were_dropped_make_one_comment),
        cmocka_unit_test(a_long_comment_is_cut_between_characters),
        cmocka_unit_test(a_full_disk_is_reported),
        cmocka_unit_test(a_file_that_cannot_be_written_is_reported),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
