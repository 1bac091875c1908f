/*
 * Writes the capture file. Each packet becomes a record in an outbuf, so that a slow reader of a
 * pipe costs packets and not time; how many were left out stands in the next block. In a regular
 * file, the last packet's block is rewritten at the end with the verdict as a second comment.
 */
#include "lib/show/pcapng.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/core/addr.h"
#include "lib/core/diag.h"
#include "lib/io/files.h"

static const uint16_t link_type[] = {[PCAPFILE_RAW] = 101, [PCAPFILE_ETHERNET] = 1};
#define ETHERNET_ADDRESSES (2 * MAC_BYTES) /* the bytes with which its header begins */
#define INTERFACE_TEXT 64 /* bytes of an interface's name */

/* pcapng: block types and option codes, in the byte order of the file, which is the writer's. */
enum { BLOCK_SECTION = 0x0a0d0d0a, BLOCK_INTERFACE = 1, BLOCK_STATISTICS = 5, BLOCK_PACKET = 6 };
enum {
    OPTION_END = 0,
    OPTION_COMMENT = 1,
    SECTION_APPLICATION = 4,
    INTERFACE_NAME = 2,
    INTERFACE_RESOLUTION = 9,
    PACKET_FLAGS = 2,
    PACKET_DROPCOUNT = 4,
    STATISTICS_RECEIVED = 4,
    STATISTICS_DROPPED = 5
};

enum { FLAGS_INBOUND = 1, FLAGS_OUTBOUND = 2 };

/* A comment is a line or a verdict; a longer one is cut. */
#define COMMENT_MAX 1024

/* The size of a packet whose block can get the verdict: as much as IP can carry. */
#define KEPT_MAX 65535

/* The options of a block while they are built: three comments at most. */
struct options_block {
    uint8_t bytes[3 * COMMENT_MAX + 128];
    uint32_t len;
};

struct pcapfile {
    struct file file;
    struct outbuf *out; /* a record is a block, or a packet of the older form */
    bool ng;
    char interface[INTERFACE_TEXT];
    uint32_t interfaces; /* blocks of interfaces so far; of the older form: whether it has begun */
    bool has_link[PCAPFILE_LINKS];
    uint32_t link_id[PCAPFILE_LINKS]; /* the number of the interface block for that link, with
                                         has_link */
    bool rewrites; /* what was written can be overwritten */
    int error;     /* errno of the first failure, which closing reports once more */
    off_t at;      /* in the file; counted, because asking costs a system call */
    char unsent[COMMENT_MAX]; /* what a rule kept off the wire since the last packet */
    uint64_t told; /* packets left out that a later packet's block mentions */
    struct {       /* the last packet's block, to which the verdict is added */
        off_t at;
        uint32_t options_at; /* relative to `at` */
        struct options_block options;
        uint8_t block[PCAPFILE_LINK + KEPT_MAX + sizeof(struct options_block) +
                      64]; /* up to the options */
    } last;
};

static uint32_t padding(uint32_t len)
{
    return -len & 3;
}

static void put_option(struct options_block *b, uint16_t code, const void *value, size_t len)
{
    uint16_t head[2] = {code, (uint16_t)len};
    uint32_t pad = padding((uint32_t)len);

    memcpy(b->bytes + b->len, head, sizeof head);
    memcpy(b->bytes + b->len + sizeof head, value, len);
    memset(b->bytes + b->len + sizeof head + len, 0, pad);
    b->len += (uint32_t)(sizeof head + len) + pad;
}

/* Returns the bytes of a text up to a bound. A text that is longer is cut before a character,
 * because comments are UTF-8. */
static size_t text_len(const char *text, size_t max)
{
    size_t len = strnlen(text, max);

    if (text[len]) {
        while (len && ((unsigned char)text[len] & 0xc0) == 0x80)
            len--;
    }
    return len;
}

static void put_text(struct options_block *b, uint16_t code, const char *text)
{
    put_option(b, code, text, text_len(text, COMMENT_MAX));
}

static void end_options(struct options_block *b)
{
    if (b->len)
        put_option(b, OPTION_END, "", 0);
}

static int failed(struct pcapfile *p, struct diag *d)
{
    if (!p->error)
        p->error = errno;
    return diag_fail(d, WAVE_ESYS, "cannot write to %s: %s", p->file.name, strerror(p->error));
}

static void put(struct pcapfile *p, const void *bytes, size_t len)
{
    p->at += (off_t)len;
    if (len)
        outbuf_put(p->out, bytes, len);
}

/* Ends a record, which is everything since the last call. *kept says whether it was kept. */
static int end_record(struct pcapfile *p, bool *kept, struct diag *d)
{
    *kept = outbuf_end(p->out);
    errno = outbuf_error(p->out);
    return errno ? failed(p, d) : 0;
}

/* Bytes in two parts. */
struct data {
    const void *first, *second;
    uint32_t first_len, second_len;
};

/* Writes a whole block: type, length, head, data padded to four bytes, options, length
 * (draft-ietf-opsawg-pcapng, 3.1). `data` may be NULL. */
static int put_block(struct pcapfile *p, uint32_t type, const void *head, uint32_t head_len,
                     const struct data *data, struct options_block *b, bool *kept, struct diag *d)
{
    static const uint8_t zero[4];
    const uint32_t data_len = data ? data->first_len + data->second_len : 0;
    end_options(b);
    uint32_t total = 12 + head_len + data_len + padding(data_len) + b->len;
    uint32_t start[2] = {type, total};

    put(p, start, sizeof start);
    put(p, head, head_len);
    if (data) {
        put(p, data->first, data->first_len);
        put(p, data->second, data->second_len);
    }
    put(p, zero, padding(data_len));
    put(p, b->bytes, b->len);
    put(p, &total, sizeof total);
    return end_record(p, kept, d);
}

static bool ends_in(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);
    return len > end_len && strcmp(text + len - end_len, end) == 0;
}

int pcapfile_open(struct pcapfile **out, const char *path, struct diag *d)
{
    struct pcapfile *p = calloc(1, sizeof *p);
    int rc = p ? file_open_write(&p->file, path, d)
               : diag_fail(d, WAVE_ENOMEM, "no memory to write to %s", path);

    if (rc == 0) {
        p->ng = !ends_in(path, ".pcap");
        if (p->file.regular)
            p->at = lseek(p->file.fd, 0, SEEK_CUR);
        /* After the shell's >>, each write goes to the end of the file, wherever it is meant
         * for. */
        p->rewrites = p->file.regular && !(fcntl(p->file.fd, F_GETFL) & O_APPEND);
        rc = outbuf_open(&p->out, &p->file.to, p->file.name, OUTBUF_MAX, d);
        if (rc)
            file_close(&p->file, NULL);
    }
    if (rc) {
        free(p);
        return rc;
    }
    *out = p;
    return 0;
}

/* Writes the header of draft-ietf-opsawg-pcap, section 4, with the magic of nanosecond stamps. */
static int begin_pcap(struct pcapfile *p, enum pcapfile_link link, bool *kept, struct diag *d)
{
    struct {
        uint32_t magic;
        uint16_t major, minor;
        uint32_t reserved[2], snaplen, linktype;
    } head = {.magic = 0xa1b23c4d,
              .major = 2,
              .minor = 4,
              .snaplen = 262144,
              .linktype = link_type[link]};

    put(p, &head, sizeof head);
    return end_record(p, kept, d);
}

/* Writes the block of an interface. */
static int begin_pcapng(struct pcapfile *p, enum pcapfile_link link, bool *kept, struct diag *d)
{
    struct {
        uint16_t linktype, reserved;
        uint32_t snaplen; /* 0: none */
    } description = {link_type[link], 0, 0};
    static const uint8_t nanoseconds = 9; /* 10^-9 s */
    struct options_block named = {.len = 0};

    put_text(&named, INTERFACE_NAME, p->interface);
    put_option(&named, INTERFACE_RESOLUTION, &nanoseconds, 1);
    return put_block(p, BLOCK_INTERFACE, &description, sizeof description, NULL, &named, kept, d);
}

/* Begins the part of the file that packets with that link belong to. *kept says whether it is
 * there. */
static int begin_link(struct pcapfile *p, enum pcapfile_link link, bool *kept, struct diag *d)
{
    int rc = p->ng ? begin_pcapng(p, link, kept, d) : begin_pcap(p, link, kept, d);

    if (*kept) {
        p->has_link[link] = true;
        p->link_id[link] = p->interfaces++;
    }
    return rc;
}

int pcapfile_begin(struct pcapfile *p, const char *interface, enum pcapfile_link link,
                   struct diag *d)
{
    struct {
        uint32_t byte_order;
        uint16_t major, minor;
        uint64_t length; /* of the section: unknown */
    } section = {0x1a2b3c4d, 1, 0, UINT64_MAX};
    struct options_block application = {.len = 0};
    bool kept;
    int rc = 0;

    snprintf(p->interface, sizeof p->interface, "%s", interface);
    put_text(&application, SECTION_APPLICATION, "tcpwave");
    if (p->ng)
        rc = put_block(p, BLOCK_SECTION, &section, sizeof section, NULL, &application, &kept, d);
    return rc || link == PCAPFILE_LINKS ? rc : begin_link(p, link, &kept, d);
}

/* Returns what the packet begins with in the file. The header of a packet over lo has no addresses;
 * it is left out, unless other packets of the file have one. */
static enum pcapfile_link link_of(const struct pcapfile *p, const struct pcapfile_packet *k)
{
    static const uint8_t none[ETHERNET_ADDRESSES];

    if (!p->ng && p->interfaces)
        return p->has_link[PCAPFILE_ETHERNET] ? PCAPFILE_ETHERNET : PCAPFILE_RAW;
    if (k->link_len < ETHERNET_HEADER || k->link_len > PCAPFILE_LINK ||
        (memcmp(k->link, none, sizeof none) == 0 && !p->has_link[PCAPFILE_ETHERNET]))
        return PCAPFILE_RAW;
    return PCAPFILE_ETHERNET;
}

/* Returns the packet's bytes in the file. In the older form a packet that has no header gets one
 * without addresses where the others have one. */
static struct data data_of(const struct pcapfile_packet *k, enum pcapfile_link link)
{
    static const uint8_t v4[ETHERNET_HEADER] = {[ETHERNET_ADDRESSES] = 0x08, 0x00},
                         v6[ETHERNET_HEADER] = {[ETHERNET_ADDRESSES] = 0x86, 0xdd};
    struct data data = {.second = k->ip, .second_len = k->captured};

    if (link == PCAPFILE_RAW)
        return data;
    data.first = k->link_len ? k->link : k->captured && k->ip[0] >> 4 == 6 ? v6 : v4;
    data.first_len = k->link_len ? k->link_len : ETHERNET_HEADER;
    return data;
}

static int packet_pcap(struct pcapfile *p, const struct pcapfile_packet *k, const struct data *data,
                       struct diag *d)
{
    /* Seconds are 32 bits without a sign: enough until 2106. */
    uint32_t head[4] = {(uint32_t)(k->stamp / WAVE_S), (uint32_t)(k->stamp % WAVE_S),
                        data->first_len + k->captured, data->first_len + k->length};
    bool kept;

    put(p, head, sizeof head);
    put(p, data->first, data->first_len);
    put(p, data->second, data->second_len);
    return end_record(p, &kept, d);
}

static void keep_last(struct pcapfile *p, const void *head, uint32_t head_len,
                      const struct data *data, const struct options_block *b)
{
    const uint32_t type = BLOCK_PACKET, data_at = 8 + head_len;
    const uint32_t len = data->first_len + data->second_len;

    p->last.at = p->at;
    p->last.options_at = data_at + len + padding(len);
    p->last.options = *b;
    memcpy(p->last.block, &type, sizeof type);
    memcpy(p->last.block + 8, head, head_len);
    if (data->first_len)
        memcpy(p->last.block + data_at, data->first, data->first_len);
    memcpy(p->last.block + data_at + data->first_len, data->second, data->second_len);
    memset(p->last.block + data_at + len, 0, padding(len));
}

/* Returns the comment of a packet, with what a rule did to it. */
static const char *comment_of(const struct pcapfile_packet *k, char text[COMMENT_MAX])
{
    const char *comment = k->comment ? k->comment : "";

    if (!k->impaired)
        return comment;
    snprintf(text, COMMENT_MAX, "%.*s%simpaired by rule %u: %s", (int)text_len(comment, 600),
             comment, *comment ? "; " : "", k->impaired->rule, k->impaired->what);
    return text;
}

/* Remembers a packet that was on no wire, for the comment of the next one. */
static void keep_unsent(struct pcapfile *p, const struct pcapfile_packet *k)
{
    const size_t at = strlen(p->unsent);
    const char *lead = at ? "\n" : "on no wire, and so not in this file:\n";
    char text[COMMENT_MAX];
    const char *comment = comment_of(k, text);

    /* The first ones are enough. */
    if (at + IMPAIRED_TEXT < sizeof p->unsent / 2)
        snprintf(p->unsent + at, sizeof p->unsent - at, "%s%.*s", lead,
                 (int)text_len(comment, sizeof p->unsent - 1 - at - strlen(lead)), comment);
    else if (strcmp(p->unsent + at - 3, "...") != 0)
        snprintf(p->unsent + at, sizeof p->unsent - at, "\n...");
}

static int packet_pcapng(struct pcapfile *p, const struct pcapfile_packet *k,
                         const struct data *data, enum pcapfile_link link, struct diag *d)
{
    uint32_t head[5] = {p->link_id[link], (uint32_t)(k->stamp >> 32), (uint32_t)k->stamp,
                        data->first_len + k->captured, data->first_len + k->length};
    uint32_t flags = k->outgoing ? FLAGS_OUTBOUND : FLAGS_INBOUND;
    struct options_block b = {.len = 0};
    const uint64_t left_out = outbuf_left_out(p->out), before = left_out - p->told;
    char text[COMMENT_MAX];
    bool kept;
    int rc;

    if (k->comment || k->impaired)
        put_text(&b, OPTION_COMMENT, comment_of(k, text));
    if (*p->unsent)
        put_text(&b, OPTION_COMMENT, p->unsent);
    *p->unsent = '\0';
    put_option(&b, PACKET_FLAGS, &flags, sizeof flags);
    if (before) /* between this packet and the one before it in the file (draft, 4.3) */
        put_option(&b, PACKET_DROPCOUNT, &before, sizeof before);
    p->last.options.len = 0;
    if (p->rewrites && k->captured <= KEPT_MAX)
        keep_last(p, head, sizeof head, data, &b);
    rc = put_block(p, BLOCK_PACKET, head, sizeof head, data, &b, &kept, d);
    if (kept)
        p->told = left_out;
    return rc;
}

int pcapfile_packet(struct pcapfile *p, const struct pcapfile_packet *k, struct diag *d)
{
    const enum pcapfile_link link = link_of(p, k);
    const struct data data = data_of(k, link);
    bool begun = true;
    int rc = 0;

    if (k->impaired && !k->impaired->shown)
        return 0;
    if (k->impaired && !k->impaired->on_wire) {
        keep_unsent(p, k);
        return 0;
    }
    if (!p->has_link[link])
        rc = begin_link(p, link, &begun, d);
    if (rc || !begun) /* a reader that does not keep up misses this packet: it is counted so */
        return rc;
    return p->ng ? packet_pcapng(p, k, &data, link, d) : packet_pcap(p, k, &data, d);
}

int pcapfile_flush(struct pcapfile *p, struct diag *d)
{
    int rc = outbuf_flush(p->out, d);

    errno = outbuf_error(p->out);
    return rc ? failed(p, d) : 0;
}

int pcapfile_finish(struct pcapfile *p, struct outbuf_end *end, struct diag *d)
{
    char text[sizeof(struct diag)];

    if (pcapfile_flush(p, d) != 0)
        return WAVE_ESYS;
    if (outbuf_finish(p->out, end)) {
        snprintf(text, sizeof text,
                 "the reader of %.200s stopped reading: the end of the capture is missing",
                 p->file.name);
        outbuf_say(text);
    }
    return pcapfile_flush(p, d);
}

struct outbuf *pcapfile_outbuf(struct pcapfile *p)
{
    return p->out;
}

/* Adds the verdict to the last packet's block as a second comment, where people look for it. It
 * does so in a single write: if the run were killed between two writes, the block would end
 * elsewhere than its head says, and the file would have one packet less. */
static int tell_verdict(struct pcapfile *p, const char *verdict, struct diag *d)
{
    struct options_block *b = &p->last.options;
    uint8_t *block = p->last.block;
    uint32_t total;

    if (!b->len || p->last.at < 0 || !*verdict)
        return 0;
    put_text(b, OPTION_COMMENT, verdict);
    end_options(b);
    total = p->last.options_at + b->len + 4;
    memcpy(block + 4, &total, sizeof total);
    memcpy(block + p->last.options_at, b->bytes, b->len);
    memcpy(block + total - 4, &total, sizeof total);
    if (pcapfile_flush(p, d) != 0)
        return WAVE_ESYS;
    ssize_t n = pwrite(p->file.fd, block, total, p->last.at);
    if (n >= 0 && n < (ssize_t)total)
        errno = ENOSPC;
    p->at = p->last.at + (off_t)total;
    return n != (ssize_t)total || lseek(p->file.fd, p->at, SEEK_SET) < 0 ? failed(p, d) : 0;
}

int pcapfile_end(struct pcapfile *p, wave_time stamp, const char *verdict, uint64_t received,
                 uint64_t dropped, struct diag *d)
{
    struct options_block b = {.len = 0};
    const uint64_t left_out = outbuf_left_out(p->out);
    char text[120];
    bool kept;

    outbuf_last(p->out);
    if (!p->interfaces && begin_link(p, PCAPFILE_RAW, &kept, d)) /* no packet came */
        return WAVE_ESYS;
    if (!p->ng)
        return 0;
    if (tell_verdict(p, verdict, d))
        return WAVE_ESYS;
    uint32_t head[3] = {0, (uint32_t)(stamp >> 32), (uint32_t)stamp};
    put_text(&b, OPTION_COMMENT, verdict);
    if (*p->unsent)
        put_text(&b, OPTION_COMMENT, p->unsent);
    if (left_out) {
        snprintf(text, sizeof text, "%" PRIu64 " packets were left out: the reader did not keep up",
                 left_out);
        put_text(&b, OPTION_COMMENT, text);
    }
    put_option(&b, STATISTICS_RECEIVED, &received, sizeof received);
    put_option(&b, STATISTICS_DROPPED, &dropped, sizeof dropped);
    return put_block(p, BLOCK_STATISTICS, head, sizeof head, NULL, &b, &kept, d);
}

int pcapfile_close(struct pcapfile *p, struct diag *d)
{
    int rc = 0;

    if (!p)
        return 0;
    rc = pcapfile_flush(p, d);
    outbuf_close(p->out);
    p->file.to.opened = false; /* closed with the file */
    if (file_close(&p->file, rc ? NULL : d) != 0)
        rc = WAVE_ESYS;
    free(p);
    return rc;
}
