/*
 * Capture files: what is written, in both formats, is read by libpcap, packet by packet. In pcapng
 * each block is also parsed here, including the comments.
 */
#include <pcap/pcap.h>
#include <unistd.h>

#include "lib/show/pcapng.h"
#include "tests/fuzz/fuzz.h"

enum { PACKETS = 64, TEXT_MAX = 2048, COMMENT_MAX = 1024, FILE_ROOM = 1 << 20 };
enum { BLOCK_PACKET = 6, BLOCK_STATISTICS = 5, OPTION_COMMENT = 1 };

struct pcapfile_world {
    struct cursor in;
    char path[FUZZ_PATH];
    bool ng;
    struct pcapfile_packet packet[PACKETS];
    char comment[PACKETS][TEXT_MAX];
    unsigned count;
    char verdict[TEXT_MAX];
};

/* A text of the input's bytes, or of one byte many times over. */
static const char *some_text(struct cursor *in, char text[TEXT_MAX])
{
    const uint8_t how = cursor_u8(in);
    const size_t len = how & 1 ? cursor_u16(in) % TEXT_MAX : cursor_u8(in) % 64;
    const uint8_t byte = cursor_u8(in);

    for (size_t i = 0; i < len; i++) {
        text[i] = (char)(how & 2 && in->left ? cursor_u8(in) : byte);
        if (!text[i])
            text[i] = 'x';
    }
    text[len] = '\0';
    return text;
}

static void write_packets(struct pcapfile_world *w, struct pcapfile *file, struct diag *d)
{
    wave_time stamp = 1700000000 * WAVE_S;

    while (w->in.left > 0 && w->count < PACKETS) {
        struct pcapfile_packet *k = &w->packet[w->count];
        const uint8_t how = cursor_u8(&w->in);

        stamp += (wave_time)cursor_u32(&w->in) * (how & 1 ? 1 : WAVE_US);
        *k = (struct pcapfile_packet){.stamp = stamp, .outgoing = how & 2};
        k->captured = how & 4 ? cursor_u16(&w->in) : cursor_u8(&w->in);
        k->length = k->captured + (how & 8 ? cursor_u16(&w->in) : 0);
        k->ip = pattern_at(how);
        if (how & 16)
            k->comment = some_text(&w->in, w->comment[w->count]);
        require(pcapfile_packet(file, k, d) == 0);
        if (how & 32)
            require(pcapfile_flush(file, d) == 0);
        w->count++;
    }
}

static void read_packets(const struct pcapfile_world *w)
{
    char error[PCAP_ERRBUF_SIZE];
    pcap_t *p = pcap_open_offline_with_tstamp_precision(w->path, PCAP_TSTAMP_PRECISION_NANO, error);
    struct pcap_pkthdr *h;
    const u_char *bytes;

    if (!p)
        fprintf(stderr, "%s\n", error);
    require(p && pcap_datalink(p) == DLT_RAW);
    for (unsigned i = 0; i < w->count; i++) {
        const struct pcapfile_packet *k = &w->packet[i];

        require(pcap_next_ex(p, &h, &bytes) == 1);
        require((wave_time)h->ts.tv_sec == k->stamp / WAVE_S);
        require((wave_time)h->ts.tv_usec == k->stamp % WAVE_S);
        require(h->caplen == k->captured && h->len == k->length);
        require(memcmp(bytes, k->ip, k->captured) == 0);
    }
    require(pcap_next_ex(p, &h, &bytes) == PCAP_ERROR_BREAK);
    pcap_close(p);
}

static uint32_t word(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof v);
    return v;
}

/* The text, cut so that no character of UTF-8 is halved. */
static void hold_comment(const uint8_t *p, size_t len, const char *text)
{
    const size_t size = strlen(text);

    require(len <= COMMENT_MAX && len <= size && memcmp(p, text, len) == 0);
    require(size <= COMMENT_MAX ? len == size : ((unsigned char)text[len] & 0xc0) != 0x80 || !len);
}

/* draft-ietf-opsawg-pcapng, 3.5: code, length, value padded to four, and an end of options. The
 * comments are these, in this order. */
static void hold_options(const uint8_t *p, size_t len, const char *const text[2])
{
    unsigned comments = 0;
    size_t at = 0;

    while (at < len) {
        uint16_t head[2];

        require(len - at >= sizeof head);
        memcpy(head, p + at, sizeof head);
        at += sizeof head;
        if (head[0] == 0) {
            require(head[1] == 0 && at == len);
            break;
        }
        require((head[1] + 3u) / 4 * 4 <= len - at);
        if (head[0] == OPTION_COMMENT) {
            while (comments < 2 && !text[comments])
                comments++;
            require(comments < 2);
            hold_comment(p + at, head[1], text[comments++]);
        }
        at += (head[1] + 3u) / 4 * 4;
    }
    while (comments < 2 && !text[comments])
        comments++;
    require(comments == 2);
}

static void take_apart(const struct pcapfile_world *w, bool ended)
{
    static uint8_t bytes[FILE_ROOM * 8];
    FILE *f = fopen(w->path, "rb");
    size_t size, at = 0;
    unsigned packets = 0, statistics = 0;

    require(f);
    size = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    while (at < size) {
        const uint8_t *p = bytes + at;
        uint32_t total, fixed;

        require(size - at >= 12);
        total = word(p + 4);
        require(total % 4 == 0 && total >= 12 && total <= size - at);
        require(word(p + total - 4) == total);
        if (word(p) == BLOCK_PACKET) {
            const struct pcapfile_packet *k = &w->packet[packets++];
            /* The verdict stands on the last packet as well. */
            const bool last = ended && packets == w->count && w->verdict[0];
            const char *const text[2] = {k->comment, last ? w->verdict : NULL};

            require(packets <= w->count);
            fixed = 28 + (k->captured + 3) / 4 * 4;
            hold_options(p + fixed, total - fixed - 4, text);
        } else if (word(p) == BLOCK_STATISTICS) {
            const char *const text[2] = {w->verdict, NULL};

            statistics++;
            hold_options(p + 20, total - 24, text);
        }
        at += total;
    }
    require(packets == w->count && statistics == ended);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    static struct pcapfile_world w;
    struct pcapfile *file;
    struct diag d = {""};
    char interface[TEXT_MAX];
    uint8_t how;
    bool ended;

    pattern_fill();
    memset(&w.packet, 0, sizeof w.packet);
    w.count = 0;
    w.in = cursor_of(input, size);
    how = cursor_u8(&w.in);
    w.ng = how & 1;
    ended = w.ng && (how & 2);
    require(pcapfile_open(&file, fuzz_path(w.ng ? "pcapng" : "pcap", w.path), &d) == 0);
    require(pcapfile_begin(file, some_text(&w.in, interface), PCAPFILE_RAW, &d) == 0);
    some_text(&w.in, w.verdict);
    write_packets(&w, file, &d);
    if (how & 2)
        require(pcapfile_end(file, WAVE_S, w.verdict, 7, UINT64_MAX, &d) == 0);
    require(pcapfile_close(file, &d) == 0);
    read_packets(&w);
    if (w.ng)
        take_apart(&w, ended);
    unlink(w.path);
    return 0;
}
