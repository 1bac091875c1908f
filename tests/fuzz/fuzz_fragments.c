/*
 * Reassembly of IP fragments. The first byte chooses: the rest is packets as they are, each with a
 * length before it; or a program that sends fragments of a few packets, in any order, overlapping,
 * repeated, missing, with the time going on. What is given as a whole is no fragment, has the right
 * lengths and checksum, and each of its bytes was sent at that place.
 */
#include "lib/core/bytes.h"
#include "lib/core/checksum.h"
#include "lib/core/err.h"
#include "lib/core/ip.h"
#include "lib/core/ip_build.h"
#include "lib/core/ip_reassembly.h"
#include "tests/fuzz/fuzz.h"

enum { ROOM = 2048 };

struct fragments_world {
    struct cursor in;
    struct ip_reassembly *r;
    struct ip_reassembly_counts counts;
    wave_time now;
    uint64_t given, taken;
    uint8_t packet[ROOM];
    uint32_t len;
};

static bool wants(void *ctx, const struct flow *flow)
{
    (void)ctx;
    return (flow->lport ^ flow->rport) % 4 != 3;
}

/* The counts only go up, but for what was late and came all the same. */
static void look(struct fragments_world *w)
{
    const struct ip_reassembly_counts c = ip_reassembly_counts(w->r, w->now);

    require(c.packets == w->given && c.fragments <= w->taken);
    require(c.refused >= w->counts.refused && c.crowded_out >= w->counts.crowded_out);
    w->counts = c;
}

static void whole(const struct ip_whole *p)
{
    const bool v6 = p->bytes[0] >> 4 == 6;
    const uint32_t length = (uint32_t)p->bytes[v6 ? 4 : 2] << 8 | p->bytes[v6 ? 5 : 3];
    struct ip_fragment f;
    struct packet parsed;

    require(p->fragments >= 2);
    require(p->len == length + (v6 ? IPV6_HEADER : 0));
    if (v6) {
        require(p->len >= IPV6_HEADER + SEG_HEADER);
    } else {
        require((p->bytes[6] & 0x3f) == 0 && p->bytes[7] == 0);
        require(checksum_finish(checksum_add(0, p->bytes, (p->bytes[0] & 15u) * 4)) == 0);
        require(ip_fragment_parse(p->bytes, p->len, &f) == WAVE_ENOTOURS);
    }
    if (ip_parse(p->bytes, p->len, &parsed) == 0)
        require(parsed.length == p->len);
}

/* Returns whether the packet in w->packet completed one. */
static bool arrive(struct fragments_world *w, struct ip_whole *out)
{
    uint8_t *copy = malloc(w->len ? w->len : 1);
    struct ip_fragment f;
    int error;

    require(copy);
    memcpy(copy, w->packet, w->len);
    error = ip_fragment_parse(copy, w->len, &f);
    if (error == 0) {
        require(f.data >= copy && f.data + f.len <= copy + w->len && f.len > 0);
        require(f.header == copy && f.header_len <= w->len && f.protocol_at < f.header_len);
        w->taken++;
        error = ip_reassembly_add(w->r, w->now, &f, out);
        require(error == 0 || error == WAVE_EAGAIN || error == WAVE_EMALFORMED);
    }
    free(copy);
    if (error)
        return false;
    w->given++;
    whole(out);
    return true;
}

static void raw(struct fragments_world *w)
{
    while (w->in.left > 2) {
        const uint32_t len = cursor_u16(&w->in) % ROOM;
        const uint8_t *bytes;
        struct ip_whole out;

        w->len = len < w->in.left ? len : (uint32_t)w->in.left;
        bytes = cursor_bytes(&w->in, w->len);
        memcpy(w->packet, bytes, w->len);
        w->now += (wave_time)w->len * WAVE_MS;
        arrive(w, &out);
        look(w);
    }
}

/* What packet `id` has at that place of its data, in one of two versions. */
static uint8_t byte_at(uint32_t id, bool other, uint32_t place)
{
    return pattern_at(id * 4096 + (other ? 1000 : 0))[place];
}

static void put(struct fragments_world *w, bool v6, uint8_t id, bool other, uint32_t from,
                uint32_t len, bool more)
{
    const struct flow flow = v6 ? (struct flow){.local = {{0xfd, [15] = 1}}, .v6 = 1}
                                : (struct flow){.local = {{10, 0, 0, 1}}};
    const struct ip_fields fields = {.ttl = 64, .tos = other ? 3 : 2, .id = id};
    uint8_t *p = w->packet + ip_build(&flow, v6 ? 44 : 6, &fields, len + (v6 ? 8 : 0), w->packet);

    if (v6) {
        *p++ = 6;
        *p++ = 0;
        p = put_u16(p, from | more);
        p = put_u32(p, id);
    } else {
        put_u16(w->packet + 6, from / 8 | (more ? 0x2000 : 0));
    }
    for (uint32_t i = 0; i < len; i++)
        *p++ = byte_at(id, other, from + i);
    w->len = (uint32_t)(p - w->packet);
}

/* Every unit of eight bytes came from one fragment. */
static void was_sent(const struct ip_whole *p, bool v6, uint8_t id)
{
    const uint32_t header = v6 ? IPV6_HEADER : IPV4_HEADER;

    for (uint32_t at = 0; at < p->len - header; at += 8) {
        bool first = true, second = true;
        for (uint32_t i = at; i < at + 8 && i < p->len - header; i++) {
            first = first && p->bytes[header + i] == byte_at(id, false, i);
            second = second && p->bytes[header + i] == byte_at(id, true, i);
        }
        require(first || second);
    }
}

static void program(struct fragments_world *w)
{
    while (w->in.left >= 4) {
        const uint8_t how = cursor_u8(&w->in), at = cursor_u8(&w->in), size = cursor_u8(&w->in),
                      wait = cursor_u8(&w->in);
        const bool v6 = how & 1, more = how & 2, other = how & 4;
        const uint8_t id = how >> 4;
        const uint32_t from = at % 32 * 8u, units = size % 8u + 1;
        struct ip_whole out;

        w->now += wait & 0x80 ? (wave_time)wait * WAVE_S : (wave_time)wait * WAVE_MS;
        put(w, v6, id, other, from, units * 8 - (more ? 0 : size >> 5), more);
        if (arrive(w, &out))
            was_sent(&out, v6, id);
        look(w);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct fragments_world w = {.in = cursor_of(bytes, size), .now = WAVE_S};

    pattern_fill();
    w.r = ip_reassembly_create(wants, NULL);
    require(w.r);
    if (cursor_u8(&w.in) & 1)
        raw(&w);
    else
        program(&w);
    ip_reassembly_free(w.r);
    return 0;
}
