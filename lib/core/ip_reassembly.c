/*
 * A packet's data is written to its final place as the fragments arrive. Two maps with a bit for
 * each eight bytes, the unit of fragment offsets, say which bytes are here and where a fragment
 * begins. So the number of fragments does not matter, and an overlap is told from a fragment that
 * came twice: that one has the same beginning, the same end and the same bytes.
 *
 * A place in the table has a packet in one of these states:
 *
 *   GATHERING  something is missing
 *   COMPLETE   it was given; its bytes stay for a while, so that late copies are known for copies
 *   REFUSED    its fragments overlapped, and those that are still to come are thrown away (RFC
 *              5722, section 4)
 *   UNWANTED   it is of a flow that does not matter
 */
#include "lib/core/ip_reassembly.h"

#include <stdlib.h>
#include <string.h>

#include "lib/core/bytes.h"
#include "lib/core/checksum.h"
#include "lib/core/cursor.h"
#include "lib/core/err.h"
#include "lib/core/ip.h"

#define LARGEST 65535u /* bytes of a packet's data, at most */
#define UNIT 8u        /* RFC 791, 3.1; RFC 8200, 4.5 */
#define MAP ((LARGEST / UNIT + 1) / 8)

enum { PROTOCOL_TCP = 6 };

enum extension {
    EXTENSION_HOP_BY_HOP = 0,
    EXTENSION_ROUTING = 43,
    EXTENSION_FRAGMENT = 44,
    EXTENSION_DESTINATION = 60
};

enum gathered_state { EMPTY, GATHERING, COMPLETE, REFUSED, UNWANTED };

struct gathered {
    enum gathered_state state;
    bool v6;
    bool named;   /* the first fragment is here, and its flow is wanted */
    bool counted; /* REFUSED: among those of wanted flows */
    bool told;    /* that a fragment is missing has been told and counted */
    bool copies;  /* all its fragments are copies of those of the packet that was here before */
    bool has_seq;
    uint8_t ecn; /* a bit for each code point that was seen */
    struct addr source, target;
    uint32_t id;
    wave_time since; /* when it came into this state */
    wave_time heard; /* when a fragment of it came last */
    struct seq seq;
    uint16_t lport, rport; /* with `named` */
    uint32_t total;      /* bytes of data; 0: the last fragment is not here */
    uint32_t end;        /* of the data that is here */
    uint32_t have;       /* bytes that are here */
    uint32_t former;     /* bytes of the packet that was here before */
    uint32_t fragments;  /* without copies */
    uint32_t header_len; /* 0: the first fragment is not here */
    uint32_t room;       /* bytes allocated */
    uint8_t *bytes;      /* IP_REASSEMBLY_HEADER bytes, of which the last are the headers; data */
    uint8_t here[MAP], begins[MAP];
};

struct ip_reassembly {
    ip_reassembly_wants *wants;
    void *ctx;
    ip_reassembly_lacks *lacks; /* or NULL */
    void *lacks_ctx;
    uint32_t bytes; /* allocated, in all */
    struct ip_reassembly_counts counts;
    struct gathered packet[IP_REASSEMBLY_PACKETS];
};

/*
 * Decoding.
 */

static bool is_extension(uint8_t kind)
{
    return kind == EXTENSION_HOP_BY_HOP || kind == EXTENSION_ROUTING ||
           kind == EXTENSION_DESTINATION;
}

static int parse_v4(struct cursor *c, struct ip_fragment *f)
{
    const uint8_t *head = cursor_bytes(c, IPV4_HEADER);
    unsigned field, length;

    if (!head)
        return WAVE_ETRUNC;
    f->header = head;
    f->header_len = (head[0] & 15u) * 4;
    length = (unsigned)head[2] << 8 | head[3];
    field = (unsigned)head[6] << 8 | head[7];
    if (!(field & 0x3fff) || head[9] != PROTOCOL_TCP)
        return WAVE_ENOTOURS;
    if (f->header_len < IPV4_HEADER || length < f->header_len)
        return WAVE_EMALFORMED;
    cursor_bytes(c, f->header_len - IPV4_HEADER);
    f->ecn = head[1] & 3;
    f->id = (uint32_t)head[4] << 8 | head[5];
    f->more = field & 0x2000;
    f->offset = (field & 0x1fff) * UNIT;
    f->protocol = head[9];
    f->protocol_at = 9;
    memcpy(f->source.byte, head + 12, 4);
    memcpy(f->target.byte, head + 16, 4);
    f->len = length - f->header_len;
    f->data = cursor_bytes(c, f->len);
    return c->short_ ? WAVE_ETRUNC : 0;
}

/* Reads IPv6's headers up to the fragment header, and that one. Returns 0 with the cursor behind
 * it. */
static int fragment_header(struct cursor *c, uint8_t kind, struct ip_fragment *f)
{
    f->protocol_at = 6;
    while (kind != EXTENSION_FRAGMENT) {
        const uint8_t *head = is_extension(kind) ? cursor_bytes(c, 8) : NULL;
        if (!head)
            return c->short_ ? WAVE_EMALFORMED : WAVE_ENOTOURS;
        /* While segments are left, the IP destination is not the flow's (RFC 8200, 8.1). */
        if (kind == EXTENSION_ROUTING && head[3] != 0)
            return WAVE_ENOTOURS;
        f->protocol_at = (uint32_t)(head - f->header);
        kind = head[0];
        cursor_bytes(c, head[1] * 8u);
    }
    f->header_len = (uint32_t)(c->at - f->header);
    f->protocol = cursor_u8(c);
    cursor_u8(c);
    const unsigned field = cursor_u16(c);
    f->id = cursor_u32(c);
    f->more = field & 1;
    f->offset = field & 0xfff8u;
    if (c->short_)
        return WAVE_EMALFORMED;
    return f->more || f->offset ? 0 : WAVE_ENOTOURS;
}

static int parse_v6(struct cursor *c, struct ip_fragment *f)
{
    const uint8_t *head = cursor_bytes(c, IPV6_HEADER);
    size_t payload;
    int error;

    if (!head)
        return WAVE_ETRUNC;
    if (!is_extension(head[6]) && head[6] != EXTENSION_FRAGMENT)
        return WAVE_ENOTOURS;
    payload = (size_t)head[4] << 8 | head[5];
    if (payload > c->left)
        return WAVE_ETRUNC;
    c->left = payload; /* what comes after is the padding of a short frame */
    f->header = head;
    f->v6 = true;
    f->ecn = head[1] >> 4 & 3;
    memcpy(f->source.byte, head + 8, 16);
    memcpy(f->target.byte, head + 24, 16);
    error = fragment_header(c, head[6], f);
    if (error)
        return error;
    f->len = (uint32_t)c->left;
    f->data = c->at;
    return 0;
}

int ip_fragment_parse(const uint8_t *bytes, size_t caplen, struct ip_fragment *out)
{
    struct cursor c = cursor_of(bytes, caplen);
    struct ip_fragment f = {.v6 = false};
    int error;

    if (caplen == 0)
        return WAVE_ETRUNC;
    error = bytes[0] >> 4 == 4   ? parse_v4(&c, &f)
            : bytes[0] >> 4 == 6 ? parse_v6(&c, &f)
                                 : WAVE_ENOTOURS;
    if (error)
        return error;
    /* RFC 8200, 4.5 has the last two rules in words; RFC 791, 3.2 implies them. */
    if (!f.len || f.header_len > IP_REASSEMBLY_HEADER || (f.more && f.len % UNIT) ||
        f.offset + f.len > LARGEST)
        return WAVE_EMALFORMED;
    *out = f;
    return 0;
}

/*
 * The maps.
 */

static bool has_bit(const uint8_t *map, uint32_t unit)
{
    return map[unit / 8] >> unit % 8 & 1;
}

static void set_bit(uint8_t *map, uint32_t unit)
{
    map[unit / 8] = (uint8_t)(map[unit / 8] | 1u << unit % 8);
}

static uint8_t *data_at(const struct gathered *p, uint32_t offset)
{
    return p->bytes + IP_REASSEMBLY_HEADER + offset;
}

static bool same_bytes(const struct gathered *p, const struct ip_fragment *f)
{
    return memcmp(data_at(p, f->offset), f->data, f->len) == 0;
}

/* How a fragment lies to those that are here. */
enum lies { LIES_APART, LIES_TWICE, LIES_OVER };

static enum lies lies(const struct gathered *p, const struct ip_fragment *f)
{
    const uint32_t first = f->offset / UNIT, end = (f->offset + f->len + UNIT - 1) / UNIT;
    uint32_t here = 0, begins = 0;

    for (uint32_t i = first; i < end; i++) {
        here += has_bit(p->here, i);
        begins += has_bit(p->begins, i);
    }
    if (!here)
        return LIES_APART;
    /* One fragment lies exactly here when the first unit begins it, and what follows is missing, or
     * begins another one, or is behind the end. */
    if (f->offset + f->len <= p->end && here == end - first && begins == 1 &&
        has_bit(p->begins, first) &&
        (f->offset + f->len == p->end || !has_bit(p->here, end) || has_bit(p->begins, end)) &&
        same_bytes(p, f))
        return LIES_TWICE;
    return LIES_OVER;
}

/*
 * The table.
 */

static void release(struct ip_reassembly *r, struct gathered *p)
{
    r->bytes -= p->room;
    free(p->bytes);
    p->bytes = NULL;
    p->room = p->former = 0;
    p->state = EMPTY;
}

/* Counts a packet that a fragment is missing of. */
static void count_missing(struct ip_reassembly_counts *c, const struct gathered *p)
{
    if (p->copies || p->told)
        return;
    if (!p->named) {
        c->nameless++;
        return;
    }
    c->missing++;
    if (p->has_seq && (!c->has_seq || seq_gt(p->seq, c->seq))) {
        c->seq = p->seq;
        c->has_seq = true;
    }
}

/* The same of a packet that is given up. */
static void give_up(struct ip_reassembly *r, const struct gathered *p)
{
    const struct flow flow = {
        .local = p->source, .remote = p->target, .lport = p->lport, .rport = p->rport, .v6 = p->v6};

    count_missing(&r->counts, p);
    if (r->lacks && p->named && p->has_seq && !p->copies && !p->told)
        r->lacks(r->lacks_ctx, &flow, p->seq);
}

static void expire(struct ip_reassembly *r, wave_time now)
{
    for (unsigned i = 0; i < IP_REASSEMBLY_PACKETS; i++) {
        struct gathered *p = &r->packet[i];
        const wave_time stays = p->state == GATHERING ? IP_REASSEMBLY_TIME : IP_REASSEMBLY_LATE;
        if (p->state == EMPTY || now < time_add(p->since, stays))
            continue;
        if (p->state == GATHERING)
            give_up(r, p);
        release(r, p);
    }
}

/* Gives up the packet that is missed least: the oldest that is not waited for, or else the oldest
 * of all. Number `keep` stays. */
static struct gathered *give_up_one(struct ip_reassembly *r, unsigned keep)
{
    struct gathered *least = NULL;

    for (unsigned i = 0; i < IP_REASSEMBLY_PACKETS; i++) {
        struct gathered *p = &r->packet[i];
        const bool waits = p->state == GATHERING;
        if (p->state == EMPTY || i == keep)
            continue;
        if (!least || waits < (least->state == GATHERING) ||
            (waits == (least->state == GATHERING) && p->since < least->since))
            least = p;
    }
    if (!least)
        return NULL;
    r->counts.crowded_out += least->state == GATHERING && !least->copies && least->named;
    release(r, least);
    return least;
}

static bool is_of(const struct gathered *p, const struct ip_fragment *f)
{
    return p->state != EMPTY && p->id == f->id && p->v6 == f->v6 &&
           addr_eq(&p->source, &f->source) && addr_eq(&p->target, &f->target);
}

/* Begins a packet in that place. The bytes of the one before stay, to be compared with. */
static void begin(struct gathered *p, wave_time now, const struct ip_fragment *f)
{
    p->former = p->state == COMPLETE ? p->total : 0;
    p->copies = p->former > 0;
    p->state = GATHERING;
    p->v6 = f->v6;
    p->named = p->has_seq = p->counted = p->told = false;
    p->ecn = 0;
    p->source = f->source;
    p->target = f->target;
    p->id = f->id;
    p->since = p->heard = now;
    p->total = p->end = p->have = p->fragments = p->header_len = 0;
    memset(p->here, 0, sizeof p->here);
    memset(p->begins, 0, sizeof p->begins);
}

/* The place of the fragment's packet. */
static struct gathered *place_of(struct ip_reassembly *r, wave_time now,
                                 const struct ip_fragment *f)
{
    struct gathered *free_place = NULL;

    for (unsigned i = 0; i < IP_REASSEMBLY_PACKETS; i++) {
        struct gathered *p = &r->packet[i];
        /* Where the sender counts no identification, another first fragment of the same one begins
         * another packet. */
        if (is_of(p, f) && p->state != COMPLETE && (p->state != UNWANTED || f->offset))
            return p;
        if (is_of(p, f)) {
            begin(p, now, f);
            return p;
        }
        if (p->state == EMPTY)
            free_place = p;
    }
    if (!free_place)
        free_place = give_up_one(r, IP_REASSEMBLY_PACKETS);
    begin(free_place, now, f);
    return free_place;
}

/* Makes room for data up to `end`. */
static bool grow(struct ip_reassembly *r, struct gathered *p, uint32_t end)
{
    uint32_t room = p->room ? p->room : 2048;
    uint8_t *bytes;

    if (IP_REASSEMBLY_HEADER + end <= p->room)
        return true;
    while (room < IP_REASSEMBLY_HEADER + end)
        room *= 2;
    while (r->bytes + (room - p->room) > IP_REASSEMBLY_BYTES)
        if (!give_up_one(r, (unsigned)(p - r->packet)))
            return false;
    bytes = realloc(p->bytes, room);
    if (!bytes)
        return false;
    memset(bytes + p->room, 0, room - p->room);
    r->bytes += room - p->room;
    p->bytes = bytes;
    p->room = room;
    return true;
}

/*
 * A fragment.
 */

/* The first fragment says which flow it is. Returns where TCP's header is in its data, or
 * WAVE_EMALFORMED where IPv6's is not all here, or WAVE_ENOTOURS. */
static int find_tcp(const struct ip_fragment *f)
{
    struct cursor c = cursor_of(f->data, f->len);
    uint8_t kind = f->protocol;

    while (is_extension(kind)) {
        const uint8_t *head = cursor_bytes(&c, 8);
        if (!head)
            return WAVE_EMALFORMED;
        kind = head[0];
        cursor_bytes(&c, head[1] * 8u);
    }
    if (c.short_)
        return WAVE_EMALFORMED;
    if (kind != PROTOCOL_TCP)
        return WAVE_ENOTOURS;
    return f->v6 && c.left < SEG_HEADER ? WAVE_EMALFORMED : (int)(f->len - c.left);
}

/* Whether the flow of the first fragment, whose TCP header is at `at`, is wanted. */
static bool wanted(const struct ip_reassembly *r, const struct ip_fragment *f, int at)
{
    struct flow flow = {.local = f->source, .remote = f->target, .v6 = f->v6};
    struct cursor c = cursor_of(f->data, f->len);

    if (at < 0)
        return false;
    cursor_bytes(&c, (size_t)at);
    flow.lport = cursor_u16(&c);
    flow.rport = cursor_u16(&c);
    return !c.short_ && r->wants(r->ctx, &flow);
}

static void refuse(struct ip_reassembly *r, struct gathered *p, wave_time now)
{
    const bool named = p->named;

    release(r, p);
    p->state = REFUSED;
    p->since = now;
    p->counted = named;
    r->counts.refused += named;
}

/* Returns whether the fragment belongs to no packet that is being put together; `at` is as
 * find_tcp() has it. */
static bool throw_away(struct ip_reassembly *r, struct gathered *p, wave_time now,
                       const struct ip_fragment *f, int at)
{
    if (p->state == REFUSED && !f->offset && !p->counted && wanted(r, f, at)) {
        p->counted = true;
        r->counts.refused++;
    } else if (p->state == GATHERING && !f->offset && !p->named) {
        p->named = wanted(r, f, at);
        if (!p->named) {
            release(r, p);
            p->state = UNWANTED;
            p->since = now;
        }
    }
    return p->state != GATHERING;
}

/* Keeps what the first fragment alone says. */
static void keep_header(struct gathered *p, const struct ip_fragment *f, int at)
{
    uint8_t *header = p->bytes + IP_REASSEMBLY_HEADER - f->header_len;
    struct cursor c = cursor_of(f->data, f->len);

    memcpy(header, f->header, f->header_len);
    header[f->protocol_at] = f->protocol;
    p->header_len = f->header_len;
    cursor_bytes(&c, (size_t)at);
    p->lport = cursor_u16(&c);
    p->rport = cursor_u16(&c);
    p->seq = seq_of(cursor_u32(&c));
    p->has_seq = !c.short_;
}

/* Whether the fragment contradicts what is known of the packet's length. */
static bool contradicts(const struct gathered *p, const struct ip_fragment *f)
{
    const uint32_t end = f->offset + f->len;

    if (p->total)
        return end > p->total || (!f->more && end != p->total);
    return !f->more && end < p->end;
}

static bool conflicts(const struct gathered *p, const struct ip_fragment *f)
{
    return lies(p, f) == LIES_OVER || contradicts(p, f);
}

static void keep_data(struct gathered *p, wave_time now, const struct ip_fragment *f)
{
    const uint32_t end = f->offset + f->len;

    p->heard = now;
    p->copies = p->copies && end <= p->former && same_bytes(p, f);
    memcpy(data_at(p, f->offset), f->data, f->len);
    set_bit(p->begins, f->offset / UNIT);
    for (uint32_t i = f->offset / UNIT; i * UNIT < end; i++)
        set_bit(p->here, i);
    p->have += f->len;
    p->fragments++;
    p->ecn = (uint8_t)(p->ecn | 1u << f->ecn);
    if (end > p->end)
        p->end = end;
    if (!f->more)
        p->total = end;
}

/* Puts the header right. False: there cannot be such a packet. */
static bool finish_header(const struct gathered *p, uint8_t *header)
{
    const uint32_t len = p->header_len - (p->v6 ? IPV6_HEADER : 0) + p->total;
    const bool congested = p->ecn >> ECN_CE & 1;
    uint16_t sum = 0;

    /* RFC 3168, 5.3: one mark counts, unless a fragment could not have been marked. */
    if (len > LARGEST || (congested && (p->ecn & 1)))
        return false;
    if (p->v6) {
        put_u16(header + 4, len);
        if (congested)
            header[1] |= ECN_CE << 4;
        return true;
    }
    put_u16(header + 2, len);
    header[6] &= 0x40; /* don't-fragment stays as it was */
    header[7] = 0;
    if (congested)
        header[1] |= ECN_CE;
    memcpy(header + 10, &sum, sizeof sum);
    sum = checksum_finish(checksum_add(0, header, p->header_len));
    memcpy(header + 10, &sum, sizeof sum);
    return true;
}

static int complete(struct ip_reassembly *r, struct gathered *p, wave_time now,
                    struct ip_whole *out)
{
    uint8_t *header = p->bytes + IP_REASSEMBLY_HEADER - p->header_len;

    if (!finish_header(p, header)) {
        refuse(r, p, now);
        return WAVE_EAGAIN;
    }
    p->state = COMPLETE;
    p->since = now;
    r->counts.packets++;
    r->counts.fragments += p->fragments;
    *out = (struct ip_whole){header, p->header_len + p->total, p->fragments};
    return 0;
}

int ip_reassembly_add(struct ip_reassembly *r, wave_time now, const struct ip_fragment *f,
                      struct ip_whole *out)
{
    const int at = f->offset ? 0 : find_tcp(f);
    struct gathered *p;

    if (at == WAVE_EMALFORMED)
        return at;
    expire(r, now);
    p = place_of(r, now, f);
    if (p->state == GATHERING && now >= p->heard + IP_REASSEMBLY_PAUSE && conflicts(p, f)) {
        give_up(r, p);
        begin(p, now, f);
    }
    if (throw_away(r, p, now, f, at))
        return WAVE_EAGAIN;
    if (conflicts(p, f)) {
        refuse(r, p, now);
        return WAVE_EAGAIN;
    }
    if (lies(p, f) == LIES_TWICE)
        return WAVE_EAGAIN;
    if (!grow(r, p, f->offset + f->len)) {
        r->counts.crowded_out += p->named;
        release(r, p);
        return WAVE_EAGAIN;
    }
    keep_data(p, now, f);
    if (!f->offset)
        keep_header(p, f, at);
    return p->header_len && p->total && p->have == p->total ? complete(r, p, now, out)
                                                            : WAVE_EAGAIN;
}

/*
 * The whole.
 */

struct ip_reassembly *ip_reassembly_create(ip_reassembly_wants *wants, void *ctx)
{
    struct ip_reassembly *r = calloc(1, sizeof *r);

    if (r) {
        r->wants = wants;
        r->ctx = ctx;
    }
    return r;
}

void ip_reassembly_tell(struct ip_reassembly *r, ip_reassembly_lacks *lacks, void *ctx)
{
    r->lacks = lacks;
    r->lacks_ctx = ctx;
}

void ip_reassembly_look(struct ip_reassembly *r, wave_time now)
{
    for (unsigned i = 0; r && i < IP_REASSEMBLY_PACKETS; i++) {
        struct gathered *p = &r->packet[i];
        if (p->state != GATHERING || now < time_add(p->since, IP_REASSEMBLY_LATE))
            continue;
        give_up(r, p);
        p->told = true;
    }
}

void ip_reassembly_free(struct ip_reassembly *r)
{
    for (unsigned i = 0; r && i < IP_REASSEMBLY_PACKETS; i++)
        free(r->packet[i].bytes);
    free(r);
}

struct ip_reassembly_counts ip_reassembly_counts(const struct ip_reassembly *r, wave_time now)
{
    struct ip_reassembly_counts c = {.packets = 0};

    if (!r)
        return c;
    c = r->counts;
    for (unsigned i = 0; i < IP_REASSEMBLY_PACKETS; i++)
        if (r->packet[i].state == GATHERING && now >= r->packet[i].since + IP_REASSEMBLY_LATE)
            count_missing(&c, &r->packet[i]);
    return c;
}
