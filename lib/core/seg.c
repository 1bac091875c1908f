/*
 * Parses and builds TCP segments.
 */
#include "lib/core/seg.h"

#include <limits.h>
#include <string.h>

#include "lib/core/bytes.h"
#include "lib/core/checksum.h"
#include "lib/core/cursor.h"
#include "lib/core/err.h"

int seg_parse_cut(const uint8_t *bytes, size_t there, size_t len, struct seg *out)
{
    size_t options, data;

    if (there > len)
        there = len;
    if (there < SEG_HEADER)
        return WAVE_ETRUNC;
    if (bytes[12] >> 4 < SEG_HEADER / 4)
        return WAVE_EMALFORMED;
    data = (bytes[12] >> 4) * 4u;
    if (data > len || (data > there && there == len))
        return WAVE_ETRUNC;

    out->seq = seq_of(get_u32(bytes + 4));
    out->ack = seq_of(get_u32(bytes + 8));
    out->flags = get_u16(bytes + 12) & 0x1ff;
    out->wnd = get_u16(bytes + 14);
    out->urp = get_u16(bytes + 18);
    out->ecn = 0;
    out->reserved = bytes[12] >> 1 & 7;
    options = (data < there ? data : there) - SEG_HEADER;
    opt_parse(bytes + SEG_HEADER, options, &out->opt);
    if (data > there)
        out->opt.has = (uint8_t)((out->opt.has & ~OPT_MALFORMED) | OPT_CUT);
    out->len = (uint32_t)(len - data);
    out->data = out->len && there == len ? bytes + data : NULL;
    return 0;
}

int seg_parse(const uint8_t *bytes, size_t len, struct seg *out)
{
    return seg_parse_cut(bytes, len, len, out);
}

void seg_ports(const uint8_t *bytes, uint16_t *source, uint16_t *destination)
{
    struct cursor c = cursor_of(bytes, 4);

    *source = cursor_u16(&c);
    *destination = cursor_u16(&c);
}

int seg_build(const struct flow *flow, const struct seg *s, uint8_t *bytes, size_t room)
{
    const size_t header = SEG_HEADER + opt_size(&s->opt);
    const size_t total = header + s->len;
    uint8_t *p = bytes;
    uint16_t sum;

    if (total > room || total > INT_MAX)
        return WAVE_EINVAL;
    p = put_u16(p, flow->lport);
    p = put_u16(p, flow->rport);
    p = put_u32(p, s->seq.v);
    p = put_u32(p, s->ack.v);
    p = put_u16(p, (unsigned)header / 4 << 12 | (s->reserved & 7u) << 9 | (s->flags & 0x1ffu));
    p = put_u16(p, s->wnd);
    p = put_u16(p, 0); /* the checksum field counts as zero in the computation */
    p = put_u16(p, s->urp);
    p += opt_build(&s->opt, p);
    if (s->len && s->data != p)
        memcpy(p, s->data, s->len);

    sum = checksum_finish(
        checksum_add(checksum_pseudo(flow, CHECKSUM_TCP, (uint32_t)total), bytes, total));
    memcpy(bytes + SEG_CHECKSUM_AT, &sum, sizeof sum);
    return (int)total;
}

bool seg_checksum_ok(const struct flow *flow, const uint8_t *bytes, size_t len)
{
    if (len < SEG_HEADER || len > UINT32_MAX)
        return false;
    return checksum_finish(
               checksum_add(checksum_pseudo(flow, CHECKSUM_TCP, (uint32_t)len), bytes, len)) == 0;
}

const char *seg_flags_text(uint16_t flags, char text[SEG_FLAGS_TEXT])
{
    /* tcpdump's letters in tcpdump's order, which is that of the bits from the lowest on. */
    static const char letter[] = "FSRP.UEWe";
    char *p = text;

    for (unsigned bit = 0; bit < sizeof letter - 1; bit++)
        if (flags >> bit & 1)
            *p++ = letter[bit];
    *p = '\0';
    return p == text ? memcpy(text, "none", sizeof "none") : text;
}
