#include "cmd/pcapfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/files.h"
#include "lib/wire/diag.h"
#include "lib/wire/stamp.h"

#define LINKTYPE_RAW 101 /* the packet begins with its IPv4 or IPv6 header */

/* pcapng: block types and option codes, in the file's own byte order, which is the writer's. */
enum { BLOCK_SECTION = 0x0a0d0d0a, BLOCK_INTERFACE = 1, BLOCK_STATISTICS = 5, BLOCK_PACKET = 6 };
enum {
    OPTION_END = 0,
    OPTION_COMMENT = 1,
    SECTION_APPLICATION = 4,
    INTERFACE_NAME = 2,
    INTERFACE_RESOLUTION = 9,
    PACKET_FLAGS = 2,
    STATISTICS_RECEIVED = 4,
    STATISTICS_DROPPED = 5
};

enum { FLAGS_INBOUND = 1, FLAGS_OUTBOUND = 2 };

/* Comments are a line or a verdict; what is longer is cut. */
#define COMMENT_MOST 1024

/* Bytes of a packet that the verdict may join: what IP can carry. */
#define KEPT_MOST 65535

/* A block's options, as they are put together: two comments at most. */
struct options_block {
    uint8_t bytes[2 * COMMENT_MOST + 128];
    uint32_t len;
};

struct pcapfile {
    struct file file;
    FILE *to;
    bool ng;
    bool rewrites; /* what was written can be written over */
    int error;     /* errno of the first failure, which closing tells again */
    off_t at;      /* in the file; counted, since to ask costs a system call */
    struct {       /* the last packet's block, whose options the verdict joins */
        off_t at;
        uint32_t options_at; /* from there */
        struct options_block options;
        uint8_t block[KEPT_MOST + sizeof(struct options_block) + 64]; /* up to the options */
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

/* Cut at a character's beginning: comments are UTF-8. */
static void put_text(struct options_block *b, uint16_t code, const char *text)
{
    size_t len = strnlen(text, COMMENT_MOST);

    if (text[len]) {
        while (len && ((unsigned char)text[len] & 0xc0) == 0x80)
            len--;
    }
    put_option(b, code, text, len);
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

static int put(struct pcapfile *p, const void *bytes, size_t len, struct diag *d)
{
    p->at += (off_t)len;
    return len == 0 || fwrite(bytes, len, 1, p->to) == 1 ? 0 : failed(p, d);
}

/* A whole block: type, length, head, data padded to four, options, length again
 * (draft-ietf-opsawg-pcapng, 3.1). */
static int put_block(struct pcapfile *p, uint32_t type, const void *head, uint32_t head_len,
                     const void *data, uint32_t data_len, struct options_block *b, struct diag *d)
{
    static const uint8_t zero[4];
    end_options(b);
    uint32_t total = 12 + head_len + data_len + padding(data_len) + b->len;
    uint32_t start[2] = {type, total};

    if (put(p, start, sizeof start, d) || put(p, head, head_len, d) || put(p, data, data_len, d) ||
        put(p, zero, padding(data_len), d) || put(p, b->bytes, b->len, d) ||
        put(p, &total, sizeof total, d))
        return WAVE_ESYS;
    return 0;
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
        /* Standard output stays open when this stream is closed. */
        int fd = p->file.fd == STDOUT_FILENO ? dup(STDOUT_FILENO) : p->file.fd;
        p->to = fd < 0 ? NULL : fdopen(fd, "wb");
        if (!p->to)
            rc = failed(p, d);
        else if (p->file.regular)
            p->at = ftello(p->to);
        /* A shell's >> puts each write at the end, whatever place it names. */
        p->rewrites = !rc && p->file.regular && !(fcntl(fd, F_GETFL) & O_APPEND);
    }
    if (rc) {
        if (p && p->file.fd > STDERR_FILENO)
            close(p->file.fd);
        free(p);
        return rc;
    }
    *out = p;
    return 0;
}

/* draft-ietf-opsawg-pcap, section 4, with the magic of nanosecond stamps. */
static int begin_pcap(struct pcapfile *p, struct diag *d)
{
    struct {
        uint32_t magic;
        uint16_t major, minor;
        uint32_t reserved[2], snaplen, linktype;
    } head = {
        .magic = 0xa1b23c4d, .major = 2, .minor = 4, .snaplen = 262144, .linktype = LINKTYPE_RAW};
    return put(p, &head, sizeof head, d);
}

int pcapfile_begin(struct pcapfile *p, const char *interface, struct diag *d)
{
    struct {
        uint32_t byte_order;
        uint16_t major, minor;
        uint64_t length; /* of the section: not known */
    } section = {0x1a2b3c4d, 1, 0, UINT64_MAX};
    struct {
        uint16_t linktype, reserved;
        uint32_t snaplen; /* 0: none */
    } description = {LINKTYPE_RAW, 0, 0};
    static const uint8_t nanoseconds = 9; /* 10^-9 s */
    struct options_block application = {.len = 0}, named = {.len = 0};

    if (!p->ng)
        return begin_pcap(p, d);
    put_text(&application, SECTION_APPLICATION, "tcpwave");
    put_text(&named, INTERFACE_NAME, interface);
    put_option(&named, INTERFACE_RESOLUTION, &nanoseconds, 1);
    int rc = put_block(p, BLOCK_SECTION, &section, sizeof section, NULL, 0, &application, d);
    if (rc)
        return rc;
    return put_block(p, BLOCK_INTERFACE, &description, sizeof description, NULL, 0, &named, d);
}

static int packet_pcap(struct pcapfile *p, const struct pcapfile_packet *k, struct diag *d)
{
    /* Seconds of 32 bits, without a sign: until 2106. */
    uint32_t head[4] = {(uint32_t)(k->stamp / WAVE_S), (uint32_t)(k->stamp % WAVE_S), k->captured,
                        k->length};
    int rc = put(p, head, sizeof head, d);
    return rc ? rc : put(p, k->ip, k->captured, d);
}

static void keep_last(struct pcapfile *p, const void *head, uint32_t head_len,
                      const struct pcapfile_packet *k, const struct options_block *b)
{
    const uint32_t type = BLOCK_PACKET, data_at = 8 + head_len;

    p->last.at = p->at;
    p->last.options_at = data_at + k->captured + padding(k->captured);
    p->last.options = *b;
    memcpy(p->last.block, &type, sizeof type);
    memcpy(p->last.block + 8, head, head_len);
    memcpy(p->last.block + data_at, k->ip, k->captured);
    memset(p->last.block + data_at + k->captured, 0, padding(k->captured));
}

int pcapfile_packet(struct pcapfile *p, const struct pcapfile_packet *k, struct diag *d)
{
    uint32_t head[5] = {0, (uint32_t)(k->stamp >> 32), (uint32_t)k->stamp, k->captured, k->length};
    uint32_t flags = k->outgoing ? FLAGS_OUTBOUND : FLAGS_INBOUND;
    struct options_block b = {.len = 0};

    if (!p->ng)
        return packet_pcap(p, k, d);
    if (k->comment)
        put_text(&b, OPTION_COMMENT, k->comment);
    put_option(&b, PACKET_FLAGS, &flags, sizeof flags);
    p->last.options.len = 0;
    if (p->rewrites && k->captured <= KEPT_MOST)
        keep_last(p, head, sizeof head, k, &b);
    return put_block(p, BLOCK_PACKET, head, sizeof head, k->ip, k->captured, &b, d);
}

int pcapfile_flush(struct pcapfile *p, struct diag *d)
{
    return fflush(p->to) == 0 ? 0 : failed(p, d);
}

/* Makes the last packet's block longer by a second comment: where people look for it. In a single
 * write, since a run that is killed between two would leave a block that ends elsewhere than its
 * head says, and so one packet less than there was. */
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
    if (fflush(p->to) != 0)
        return failed(p, d);
    ssize_t n = pwrite(p->file.fd, block, total, p->last.at);
    if (n >= 0 && n < (ssize_t)total)
        errno = ENOSPC;
    p->at = p->last.at + (off_t)total;
    return n != (ssize_t)total || fseeko(p->to, p->at, SEEK_SET) < 0 ? failed(p, d) : 0;
}

int pcapfile_end(struct pcapfile *p, const char *verdict, uint64_t received, uint64_t dropped,
                 struct diag *d)
{
    struct options_block b = {.len = 0};

    if (!p->ng)
        return 0;
    if (tell_verdict(p, verdict, d))
        return WAVE_ESYS;
    wave_time stamp = stamp_now();
    uint32_t head[3] = {0, (uint32_t)(stamp >> 32), (uint32_t)stamp};
    put_text(&b, OPTION_COMMENT, verdict);
    put_option(&b, STATISTICS_RECEIVED, &received, sizeof received);
    put_option(&b, STATISTICS_DROPPED, &dropped, sizeof dropped);
    return put_block(p, BLOCK_STATISTICS, head, sizeof head, NULL, 0, &b, d);
}

int pcapfile_close(struct pcapfile *p, struct diag *d)
{
    int rc = 0;

    if (!p)
        return 0;
    if (fclose(p->to) != 0 || p->error)
        rc = failed(p, d);
    free(p);
    return rc;
}
