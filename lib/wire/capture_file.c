/*
 * The two formats. A pcap is a header and records. A pcapng is a row of blocks; each has its length
 * at both ends, and of those that are not known the length is all that is looked at. A block that
 * is larger than the buffer is taken as far as its packet reaches, and the rest is skipped.
 */
#include "lib/wire/capture_file.h"

#include <inttypes.h>
#include <pcap/dlt.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/diag.h"

enum {
    MAGIC_MICROSECONDS = 0xa1b2c3d4,
    MAGIC_NANOSECONDS = 0xa1b23c4d,
    MAGIC_PATCHED = 0xa1b2cd34, /* of an old libpcap: longer records */
    MAGIC_ORDER = 0x1a2b3c4d    /* of a pcapng's section */
};

enum {
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET = 2, /* obsolete */
    BLOCK_SIMPLE = 3,
    BLOCK_ENHANCED = 6
};

enum { OPTION_END = 0, OPTION_RESOLUTION = 9, OPTION_OFFSET = 14 };

#define PCAP_HEADER 24u
#define BLOCK_HEAD 8u /* type, length */
#define BLOCK_LEAST 12u
#define LINKTYPE_RAW 101 /* libpcap's DLT_RAW has another number in the file */

/* How an interface counts time: in units of 2^-shift or 10^-digits seconds, from an offset. */
struct interface {
    int dlt;
    uint32_t snap; /* bytes of a frame that it keeps; 0: all */
    bool binary;
    uint8_t digits; /* or the shift */
    int64_t offset; /* seconds */
};

struct capture_file {
    bool begun, pcapng, swapped, ended;
    bool has_section;
    bool old; /* a pcap before version 2.4: a packet's two lengths may be the other way round */
    uint32_t record_head; /* of a pcap */
    uint32_t interfaces;  /* of this section */
    uint32_t before;      /* interfaces of earlier sections */
    uint64_t skip;        /* bytes of the file that are of no use */
    uint64_t offset;      /* of buffer[at] in the file */
    size_t at, end;       /* what of the buffer is still to be read */
    int error;
    struct diag why;
    struct interface interface[CAPTURE_FILE_INTERFACES];
    uint8_t buffer[CAPTURE_FILE_BUFFER];
};

struct capture_file *capture_file_create(void)
{
    struct capture_file *f = malloc(sizeof *f);

    if (f)
        memset(f, 0, offsetof(struct capture_file, buffer));
    return f;
}

void capture_file_free(struct capture_file *f)
{
    free(f);
}

uint64_t capture_file_offset(const struct capture_file *f)
{
    return f->offset;
}

/* Read a number in the byte order of the file. */
static uint32_t get32(const struct capture_file *f, const uint8_t *at)
{
    uint32_t n;

    memcpy(&n, at, sizeof n);
    return f->swapped ? __builtin_bswap32(n) : n;
}

static uint16_t get16(const struct capture_file *f, const uint8_t *at)
{
    uint16_t n;

    memcpy(&n, at, sizeof n);
    return f->swapped ? __builtin_bswap16(n) : n;
}

/* Ends the reading with this error. */
static int fail(struct capture_file *f, int error)
{
    f->error = error;
    return error;
}

/* Returns what to return where bytes are missing. */
__attribute__((cold)) static int short_of_bytes(struct capture_file *f)
{
    if (!f->ended)
        return WAVE_EAGAIN;
    if (f->end == f->at && f->begun)
        return fail(f, WAVE_ENOTFOUND);
    diag_say(&f->why,
             f->begun ? "is cut off at byte %" PRIu64 ", within a record"
                      : "is no capture file: it ends after %" PRIu64 " bytes",
             f->offset + (f->end - f->at));
    return fail(f, f->begun ? WAVE_ETRUNC : WAVE_EMALFORMED);
}

/* Returns whether `n` bytes are there. If not, *error says what to return. */
static inline bool have(struct capture_file *f, size_t n, int *error)
{
    if (f->end - f->at >= n)
        return true;
    *error = short_of_bytes(f);
    return false;
}

__attribute__((cold)) static int corrupt(struct capture_file *f, const char *what)
{
    diag_say(&f->why, "is corrupt at byte %" PRIu64 ": %s", f->offset, what);
    return fail(f, WAVE_EMALFORMED);
}

static void pass(struct capture_file *f, size_t n)
{
    f->at += n;
    f->offset += n;
}

/* Returns libpcap's number of a link type of a file: LINKTYPE_RAW is the only one of those that
 * frame.h knows whose numbers differ. The upper bits say whether frames end with a checksum. */
static int dlt_of(uint32_t linktype)
{
    const int type = (int)(linktype & 0xffff);

    return type == LINKTYPE_RAW ? DLT_RAW : type;
}

/* Scales a fraction of a second to nanoseconds. */
static wave_time scaled(uint64_t ticks, const struct interface *i)
{
    static const uint64_t tens[] = {1,      10,      100,      1000,      10000,
                                    100000, 1000000, 10000000, 100000000, 1000000000};
    uint64_t whole, part, unit;

    if (i->binary) {
        whole = ticks >> i->digits;
        part = i->digits ? ticks & (UINT64_MAX >> (64 - i->digits)) : 0;
        part = (uint64_t)((unsigned __int128)part * WAVE_S >> i->digits);
    } else if (i->digits <= 9) {
        unit = tens[i->digits];
        whole = ticks / unit;
        part = ticks % unit * tens[9 - i->digits];
    } else {
        unit = tens[i->digits - 9];
        whole = ticks / unit / WAVE_S;
        part = ticks / unit % WAVE_S;
    }
    if (i->offset > 0)
        whole += (uint64_t)i->offset;
    else
        whole = whole > (uint64_t)-i->offset ? whole - (uint64_t)-i->offset : 0;
    return whole > WAVE_NEVER / 2 / WAVE_S ? 0 : whole * WAVE_S + part;
}

/*
 * pcap
 */

static int begin_pcap(struct capture_file *f, uint32_t magic)
{
    const uint8_t *head;
    int error;

    if (!have(f, PCAP_HEADER, &error))
        return error;
    head = f->buffer + f->at;
    if (get16(f, head + 4) != 2)
        return corrupt(f, "its version of pcap is not 2");
    f->interfaces = 1;
    f->interface[0] = (struct interface){.dlt = dlt_of(get32(f, head + 20) & 0x03ffffff),
                                         .digits = (uint8_t)(magic == MAGIC_NANOSECONDS ? 9 : 6)};
    f->record_head = magic == MAGIC_PATCHED ? 24 : 16;
    f->old = get16(f, head + 6) < 4;
    f->begun = true;
    pass(f, PCAP_HEADER);
    return 0;
}

static int next_pcap(struct capture_file *f, struct capture_record *out)
{
    const struct interface *i = &f->interface[0];
    const uint8_t *head;
    uint32_t caplen, length;
    int error;

    if (!have(f, f->record_head, &error))
        return error;
    head = f->buffer + f->at;
    caplen = get32(f, head + 8);
    length = get32(f, head + 12);
    if (f->old && caplen > length) {
        caplen = length;
        length = get32(f, head + 8);
    }
    if (caplen > CAPTURE_FILE_PACKET)
        return corrupt(f, "a packet is longer than any that is captured");
    if (!have(f, f->record_head + caplen, &error))
        return error;
    *out = (struct capture_record){.stamp = (wave_time)get32(f, head) * WAVE_S +
                                            (wave_time)get32(f, head + 4) *
                                                (i->digits == 9 ? 1 : WAVE_US),
                                   .dlt = i->dlt,
                                   .bytes = head + f->record_head,
                                   .caplen = caplen,
                                   .length = length};
    pass(f, f->record_head + caplen);
    return 0;
}

/*
 * pcapng
 */

/* Reads the block that says in which byte order the blocks behind it are. */
static int section(struct capture_file *f, const uint8_t *at)
{
    if (get16(f, at + 12) != 1)
        return corrupt(f, "its version of pcapng is not 1");
    f->before += f->interfaces;
    f->interfaces = 0;
    f->has_section = true;
    return 0;
}

/* Reads the options of an interface: a row of code, length, value. */
static void interface_options(struct capture_file *f, struct interface *i, const uint8_t *at,
                              size_t left)
{
    while (left >= 4) {
        const uint16_t code = get16(f, at), len = get16(f, at + 2);
        const size_t padded = 4 + ((len + 3u) & ~3u);

        if (code == OPTION_END || padded > left)
            return;
        if (code == OPTION_RESOLUTION && len == 1) {
            i->binary = at[4] & 0x80;
            i->digits = at[4] & 0x7f;
            if (i->digits > (i->binary ? 63 : 18))
                i->digits = i->binary ? 63 : 18;
        }
        if (code == OPTION_OFFSET && len == 8) {
            uint64_t n;
            memcpy(&n, at + 4, sizeof n);
            n = f->swapped ? __builtin_bswap64(n) : n;
            i->offset = (int64_t)n > INT32_MAX * (int64_t)4 || (int64_t)n < -INT32_MAX * (int64_t)4
                            ? 0
                            : (int64_t)n;
        }
        at += padded;
        left -= padded;
    }
}

/* Reads the description of an interface, of which `block` bytes are there. */
static int interface(struct capture_file *f, const uint8_t *at, size_t block)
{
    struct interface *i;

    if (f->interfaces == CAPTURE_FILE_INTERFACES)
        return corrupt(f, "it has more interfaces than can be followed");
    i = &f->interface[f->interfaces++];
    *i =
        (struct interface){.dlt = dlt_of(get16(f, at + 8)), .snap = get32(f, at + 12), .digits = 6};
    interface_options(f, i, at + 16, block - 20);
    return 0;
}

/* Where the parts of a block that holds a packet stand. */
struct packet_block {
    uint32_t interface;
    bool stamped;
    uint32_t head; /* bytes before the packet */
    uint32_t caplen, length;
};

static struct packet_block packet_block(const struct capture_file *f, uint32_t type,
                                        const uint8_t *at, uint32_t total)
{
    struct packet_block b = {.head = 28, .stamped = true};

    if (type == BLOCK_SIMPLE) {
        const uint32_t snap = f->interfaces ? f->interface[0].snap : 0;
        b.stamped = false;
        b.head = 12;
        b.length = get32(f, at + 8);
        b.caplen = snap && snap < b.length ? snap : b.length;
        if (b.caplen > total - 16)
            b.caplen = total - 16;
        return b;
    }
    b.interface = type == BLOCK_PACKET ? get16(f, at + 8) : get32(f, at + 8);
    b.caplen = get32(f, at + 20);
    b.length = get32(f, at + 24);
    return b;
}

/* Gives the packet of a block, of which all is there up to the packet's end. */
static int packet(struct capture_file *f, const struct packet_block *b, struct capture_record *out)
{
    const uint8_t *at = f->buffer + f->at;
    const struct interface *i = &f->interface[b->interface];
    const uint64_t ticks = b->stamped ? (uint64_t)get32(f, at + 12) << 32 | get32(f, at + 16) : 0;

    *out = (struct capture_record){.stamp = scaled(ticks, i),
                                   .dlt = i->dlt,
                                   .interface = f->before + b->interface,
                                   .bytes = at + b->head,
                                   .caplen = b->caplen,
                                   .length = b->length};
    return 0;
}

/* Reads a block that holds a packet. `total` is its length. */
static int take_packet(struct capture_file *f, uint32_t type, uint32_t total,
                       struct capture_record *out)
{
    const uint32_t least = type == BLOCK_SIMPLE ? 16 : 32;
    struct packet_block b;
    int error;

    if (total < least)
        return corrupt(f, "the block of a packet is too short");
    if (!have(f, least - 4, &error))
        return error;
    b = packet_block(f, type, f->buffer + f->at, total);
    if (b.caplen > CAPTURE_FILE_PACKET || b.caplen > total - least)
        return corrupt(f, "a packet is longer than its block, or than any that is captured");
    if (b.interface >= f->interfaces)
        return corrupt(f, "a packet is of an interface that the file does not describe");
    const size_t needed = total <= CAPTURE_FILE_BUFFER ? total : b.head + b.caplen;
    if (!have(f, needed, &error))
        return error;
    if (needed == total && get32(f, f->buffer + f->at + total - 4) != total)
        return corrupt(f, "the two lengths of a block differ");
    packet(f, &b, out);
    pass(f, needed);
    f->skip = total - needed;
    return 0;
}

/* Reads a block without a packet, or skips it. */
static int take_other(struct capture_file *f, uint32_t type, uint32_t total)
{
    size_t needed = type == BLOCK_SECTION || type == BLOCK_INTERFACE ? total : BLOCK_HEAD;
    const uint8_t *at;
    int error;

    if ((type == BLOCK_SECTION && total < 28) || (type == BLOCK_INTERFACE && total < 20))
        return corrupt(f, "the header of a section or an interface is too short");
    if (needed > CAPTURE_FILE_BUFFER / 2) /* long comments */
        needed = CAPTURE_FILE_BUFFER / 2;
    if (!have(f, needed, &error))
        return error;
    at = f->buffer + f->at;
    if (needed == total && get32(f, at + total - 4) != total)
        return corrupt(f, "the two lengths of a block differ");
    error = type == BLOCK_SECTION     ? section(f, at)
            : type == BLOCK_INTERFACE ? interface(f, at, needed)
                                      : 0;
    if (error)
        return error;
    pass(f, needed);
    f->skip = total - needed;
    return 0;
}

/* Finds out the byte order of a section from its header, whose first twelve bytes are there. */
static int order(struct capture_file *f, const uint8_t *at)
{
    uint32_t magic;

    memcpy(&magic, at + 8, sizeof magic);
    f->swapped = magic == __builtin_bswap32(MAGIC_ORDER);
    return magic == MAGIC_ORDER || f->swapped
               ? 0
               : corrupt(f, "the byte order of a section is not known");
}

/* Reads blocks until one holds a packet. */
__attribute__((noinline)) static int next_pcapng(struct capture_file *f, struct capture_record *out)
{
    for (;;) {
        const uint8_t *at;
        uint32_t type, total;
        int error;

        if (f->skip) {
            const size_t there = f->end - f->at, n = f->skip < there ? f->skip : there;
            pass(f, n);
            f->skip -= n;
        }
        if (!have(f, f->skip ? 1 : BLOCK_LEAST, &error))
            return error;
        if (f->skip)
            continue;
        at = f->buffer + f->at;
        type = get32(f, at);
        if (type == BLOCK_SECTION && (error = order(f, at)))
            return error;
        total = get32(f, at + 4);
        if (total < BLOCK_LEAST || total % 4)
            return corrupt(f, "the length of a block is impossible");
        if (type != BLOCK_SECTION && !f->has_section)
            return corrupt(f, "its first block is no section header");
        if (type == BLOCK_ENHANCED || type == BLOCK_PACKET || type == BLOCK_SIMPLE)
            return take_packet(f, type, total, out);
        error = take_other(f, type, total);
        if (error)
            return error;
    }
}

/* Finds out the format from the first four bytes. */
__attribute__((cold)) static int begin(struct capture_file *f)
{
    uint32_t magic;
    int error;

    if (!have(f, 4, &error))
        return error;
    memcpy(&magic, f->buffer + f->at, sizeof magic);
    if (magic == BLOCK_SECTION) { /* which reads the same in either order */
        f->pcapng = f->begun = true;
        return 0;
    }
    f->swapped = __builtin_bswap32(magic) == MAGIC_MICROSECONDS ||
                 __builtin_bswap32(magic) == MAGIC_NANOSECONDS ||
                 __builtin_bswap32(magic) == MAGIC_PATCHED;
    if (f->swapped)
        magic = __builtin_bswap32(magic);
    if (magic == MAGIC_MICROSECONDS || magic == MAGIC_NANOSECONDS || magic == MAGIC_PATCHED)
        return begin_pcap(f, magic);
    diag_say(&f->why,
             "is no capture file: it begins with neither pcap's nor pcapng's magic number");
    return fail(f, WAVE_EMALFORMED);
}

int capture_file_next(struct capture_file *f, struct capture_record *out, struct diag *d)
{
    int error = f->error;

    if (!error && !f->begun)
        error = begin(f);
    if (!error)
        error = f->pcapng ? next_pcapng(f, out) : next_pcap(f, out);
    if (__builtin_expect(error == WAVE_EMALFORMED || error == WAVE_ETRUNC, 0))
        *d = f->why;
    return error;
}

uint8_t *capture_file_room(struct capture_file *f, size_t *room)
{
    if (f->at) {
        memmove(f->buffer, f->buffer + f->at, f->end - f->at);
        f->end -= f->at;
        f->at = 0;
    }
    *room = sizeof f->buffer - f->end;
    return f->buffer + f->end;
}

void capture_file_filled(struct capture_file *f, size_t bytes)
{
    f->end += bytes;
    f->ended = f->ended || bytes == 0;
}
