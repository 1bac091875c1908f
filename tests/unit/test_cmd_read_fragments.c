/* Tests what read finds in capture files where a fragment of a packet is missing, over both
 * families, and that fragments which are all there are no finding. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/core/checksum.h"
#include "lib/core/ip_build.h"
#include "tests/unit/command_rig.h"
#include "tests/unit/made_capture.h"

#define DATA 1600 /* bytes of a packet that is cut in two */
#define CUT 800   /* bytes of TCP in its first fragment */

enum { FIRST = 1, LAST = 2, WHOLE = 4 }; /* parts of a packet */

static bool over_v6;

static void begin(bool v6)
{
    over_v6 = v6;
    made_begin();
}

/* The bytes of TCP from `from` to `end` as a fragment of the packet, of which `all` belong to it.
 */
static void put_part(const uint8_t *packet, size_t from, size_t end, size_t all)
{
    const size_t head = over_v6 ? 40 : 20, len = end - from;
    uint8_t part[1500];
    size_t at = head;

    memcpy(part, packet, head);
    if (over_v6) {
        const uint8_t extension[] = {
            part[6], 0, (uint8_t)(from >> 8), (uint8_t)((from & 0xf8) | (end < all)), 0,
            0,       0, (uint8_t)made.id};
        part[6] = 44;
        part[4] = (uint8_t)((len + 8) >> 8);
        part[5] = (uint8_t)(len + 8);
        memcpy(part + at, extension, sizeof extension);
        at += sizeof extension;
    } else {
        uint16_t sum = 0;
        part[2] = (uint8_t)((head + len) >> 8);
        part[3] = (uint8_t)(head + len);
        part[6] = (uint8_t)((from / 8) >> 8 | (end < all ? 0x20 : 0));
        part[7] = (uint8_t)(from / 8);
        memcpy(part + 10, &sum, sizeof sum);
        sum = checksum_finish(checksum_add(0, part, head));
        memcpy(part + 10, &sum, sizeof sum);
    }
    memcpy(part + at, packet + head + from, len);
    made_put(part, at + len);
}

/* A segment of the client, or of the server, of which those parts are captured. */
static void segment(bool server, uint16_t flags, uint32_t seq, uint32_t ack, uint32_t len,
                    unsigned parts)
{
    const struct flow up = {.v6 = over_v6,
                            .local = {{over_v6 ? 0xfd : 192, 0, 2, 1}},
                            .remote = {{over_v6 ? 0xfd : 192, 0, 2, 80}},
                            .lport = 40001,
                            .rport = 80};
    const struct flow f = server ? flow_reverse(&up) : up;
    const struct ip_fields fields = {.ttl = 64, .id = ++made.id};
    static const uint8_t data[DATA];
    const struct seg s = {.seq = seq_of(seq + (server ? 5000 : 1000)),
                          .ack = seq_of(flags & SEG_ACK ? ack + (server ? 1000 : 5000) : 0),
                          .flags = flags,
                          .wnd = 60000,
                          .len = len,
                          .data = data};
    const size_t head = over_v6 ? 40 : 20;
    uint8_t packet[DATA + 100];
    const size_t n = (size_t)seg_build(&f, &s, packet + head, sizeof packet - head);

    ip_build(&f, CHECKSUM_TCP, &fields, (uint32_t)n, packet);
    if (parts & WHOLE)
        made_put(packet, head + n);
    if (parts & FIRST)
        put_part(packet, 0, CUT, n);
    if (parts & LAST)
        put_part(packet, CUT, n, n);
}

static void opens(void)
{
    segment(false, SEG_SYN, 0, 0, 0, WHOLE);
    segment(true, SEG_SYN | SEG_ACK, 0, 1, 0, WHOLE);
    segment(false, SEG_ACK, 1, 1, 0, WHOLE);
}

static void closes(uint32_t sent)
{
    segment(false, SEG_FIN | SEG_ACK, 1, sent + 1, 0, WHOLE);
    segment(true, SEG_FIN | SEG_ACK, sent + 1, 2, 0, WHOLE);
    segment(false, SEG_ACK, 2, sent + 2, 0, WHOLE);
}

static void read_it(struct command_rig *r)
{
    char words[200];

    fclose(made.file);
    snprintf(words, sizeof words, "read --json %s", made.path);
    rig_init(r, HOST_ECHO);
    r->disturbed = true;
    rig_run(r, words);
    unlink(made.path);
}

/* The only flow has that finding alone, with that severity; NULL: none. */
static void expect(struct command_rig *r, const char *code, const char *part, int64_t incomplete)
{
    read_it(r);
    rig_expect_printed(r, "\"code\":\"fragments\"", code != NULL);
    if (code)
        rig_expect_printed(r, part, 1);
    rig_expect_int(r, "verdict", "read.file.incomplete", incomplete);
    rig_free(r);
}

static void a_fragment_that_never_comes(void **state)
{
    struct command_rig r;

    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        begin(v6); /* each time it is sent */
        opens();
        for (unsigned i = 0; i < 4; i++) {
            segment(true, SEG_ACK, 1, 1, DATA, FIRST);
            made.now += (200u << i) * WAVE_MS;
        }
        segment(false, SEG_ACK, 1, 1, 0, WHOLE);
        expect(&r, "fragments",
               "\"fragments\",\"severity\":\"problem\",\"certainty\":\"likely\",\"subject\":"
               "\"path\",\"evidence\":[],\"message\":\"IP fragments of 4 packets of the server's "
               "never came, so that they could not be put together\"",
               4);

        begin(v6); /* the segment comes in another packet, which is not cut */
        opens();
        segment(true, SEG_ACK, 1, 1, DATA, FIRST);
        made.now += 200 * WAVE_MS;
        segment(true, SEG_ACK, 1, 1, 800, WHOLE);
        segment(true, SEG_ACK, 801, 1, 800, WHOLE);
        made.now += 2 * WAVE_S;
        closes(DATA);
        expect(&r, "fragments",
               "\"fragments\",\"severity\":\"warning\",\"certainty\":\"likely\",\"subject\":"
               "\"path\",\"evidence\":[],\"message\":\"IP fragments of 1 packet of the server's "
               "never came, so that it could not be put together\"",
               1);
    }
}

/* The client has what the capture has not: a filter left it out. */
static void a_filter_by_ports(void **state)
{
    struct command_rig r;

    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        begin(v6);
        opens();
        segment(true, SEG_ACK, 1, 1, DATA, FIRST);
        segment(false, SEG_ACK, 1, DATA + 1, 0, WHOLE);
        made.now += 2 * WAVE_S;
        closes(DATA);
        expect(&r, "fragments",
               "\"subject\":\"local\",\"evidence\":[],\"message\":\"IP fragments of 1 packet of "
               "the server's are not in the capture, and what they carried was acknowledged\"",
               1);
    }
}

static void fragments_that_are_all_there(void **state)
{
    struct command_rig r;

    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        begin(v6);
        opens();
        segment(true, SEG_ACK, 1, 1, DATA, FIRST | LAST);
        segment(false, SEG_ACK, 1, DATA + 1, 0, WHOLE);
        made.now += 2 * WAVE_S;
        closes(DATA);
        expect(&r, NULL, NULL, 0);

        begin(v6); /* the capture ends before it could come */
        opens();
        segment(true, SEG_ACK, 1, 1, DATA, FIRST);
        made.now += 500 * WAVE_MS;
        segment(false, SEG_ACK, 1, 1, 0, WHOLE);
        expect(&r, NULL, NULL, 0);

        begin(v6); /* without the first one it is of no flow */
        opens();
        segment(true, SEG_ACK, 1, 1, DATA, LAST);
        segment(true, SEG_ACK, 1, 1, DATA, FIRST | LAST);
        segment(true, SEG_ACK, 1 + DATA, 1, DATA, LAST);
        made.now += 2 * WAVE_S;
        segment(false, SEG_ACK, 1, DATA + 1, 0, WHOLE);
        expect(&r, NULL, NULL, 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fragment_that_never_comes),
        cmocka_unit_test(a_filter_by_ports),
        cmocka_unit_test(fragments_that_are_all_there),
        cmocka_unit_test(rig_schema),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
