/*
 * Reads the link-layer header of a captured frame. There is one reader for each link type. A reader
 * leaves the cursor at the IP packet, and returns the EtherType of what stands there.
 */
#include "lib/wire/frame.h"

#include <pcap/dlt.h>
#include <string.h>

#include "lib/core/bytes.h"
#include "lib/core/cursor.h"
#include "lib/core/err.h"

enum {
    TYPE_IPV4 = 0x0800,
    TYPE_IPV6 = 0x86dd,
    TYPE_VLAN = 0x8100,    /* IEEE 802.1Q, the customer's tag */
    TYPE_SERVICE = 0x88a8, /* IEEE 802.1ad, the provider's tag */
    TYPE_QINQ = 0x9100,    /* the provider's tag before there was a standard */
    TYPE_PPPOE = 0x8864    /* a PPPoE session: RFC 2516, section 4 */
};

#define LENGTH_MAX 1500 /* IEEE 802.3: a type that is no larger is the frame's length */

#define TAGS_MAX 2
#define SLL_OUTGOING 4 /* PACKET_OUTGOING of <linux/if_packet.h>; the header has the same value */

static bool is_tag(uint16_t type)
{
    return type == TYPE_VLAN || type == TYPE_SERVICE || type == TYPE_QINQ;
}

/* Returns the EtherType of a PPP protocol. */
static uint16_t ppp_type(uint16_t protocol)
{
    return protocol == 0x0021 ? TYPE_IPV4 : protocol == 0x0057 ? TYPE_IPV6 : 0;
}

/* Reads LLC and SNAP (RFC 1042): both SAPs aa, control 03, an organisation code, which is 0 where
 * an EtherType follows. */
static uint16_t llc(struct cursor *c)
{
    static const uint8_t snap[] = {0xaa, 0xaa, 3, 0, 0, 0};

    for (size_t i = 0; i < sizeof snap; i++)
        if (cursor_u8(c) != snap[i])
            return 0;
    return cursor_u16(c);
}

/* Skips up to TAGS_MAX tags, and returns the type behind them, or behind the header of LLC or of a
 * PPPoE session. A third tag stays, and its type is then not IP. */
static uint16_t untag(struct cursor *c, uint16_t type, struct frame *f)
{
    while (is_tag(type) && f->tags < TAGS_MAX) {
        cursor_bytes(c, 2); /* priority and VLAN number */
        type = cursor_u16(c);
        f->tags++;
    }
    if (type == TYPE_PPPOE) {
        cursor_bytes(c, 6); /* version and code, session, length */
        return ppp_type(cursor_u16(c));
    }
    return type <= LENGTH_MAX ? llc(c) : type;
}

/* Returns the address, or NULL where it is empty, as on lo. */
static const uint8_t *address(const uint8_t *bytes)
{
    static const uint8_t none[FRAME_ADDRESS];

    return bytes && memcmp(bytes, none, sizeof none) != 0 ? bytes : NULL;
}

/* Reads LINKTYPE_ETHERNET: destination, source, type. */
static uint16_t ethernet(struct cursor *c, struct frame *f)
{
    const uint8_t *head = cursor_bytes(c, 2 * FRAME_ADDRESS + 2);

    if (!head)
        return 0;
    f->source = address(head + FRAME_ADDRESS);
    return untag(c, get_u16(head + 2 * FRAME_ADDRESS), f);
}

/* Reads LINKTYPE_LINUX_SLL: packet type, ARPHRD, address length, address, protocol. */
static uint16_t cooked(struct cursor *c, struct frame *f)
{
    f->has_outgoing = true;
    f->outgoing = cursor_u16(c) == SLL_OUTGOING;
    cursor_bytes(c, 2);
    const bool known = cursor_u16(c) == FRAME_ADDRESS;
    const uint8_t *from = cursor_bytes(c, 8);
    f->source = known ? address(from) : NULL;
    return untag(c, cursor_u16(c), f);
}

/* Reads LINKTYPE_LINUX_SLL2: protocol, reserved, interface, ARPHRD, packet type, address length,
 * address. */
static uint16_t cooked2(struct cursor *c, struct frame *f)
{
    uint16_t type = cursor_u16(c);
    cursor_bytes(c, 2);
    f->ifindex = cursor_u32(c);
    cursor_bytes(c, 2);
    f->has_outgoing = true;
    f->outgoing = cursor_u8(c) == SLL_OUTGOING;
    const bool known = cursor_u8(c) == FRAME_ADDRESS;
    const uint8_t *from = cursor_bytes(c, 8);
    f->source = known ? address(from) : NULL;
    return untag(c, type, f);
}

/* Handles frames without a header (tun, WireGuard, most of PPP on Linux): the version nibble shows
 * which IP it is. */
static uint16_t raw(struct cursor *c, struct frame *f)
{
    (void)f;
    struct cursor peek = *c;
    uint8_t version = cursor_u8(&peek) >> 4;
    c->short_ = peek.short_;
    return version == 4 ? TYPE_IPV4 : version == 6 ? TYPE_IPV6 : 0;
}

/* Reads PPP: RFC 1662, 3.1. Address and control (ff 03) and the protocol's first byte may be
 * compressed away (RFC 1661, 6.5 and 6.6): a protocol whose first byte is odd has only that one
 * byte. */
static uint16_t ppp(struct cursor *c, struct frame *f)
{
    (void)f;
    uint8_t first = cursor_u8(c);
    if (first == 0xff) {
        cursor_u8(c);
        first = cursor_u8(c);
    }
    uint16_t protocol = first & 1 ? first : (uint16_t)(first << 8 | cursor_u8(c));
    return ppp_type(protocol);
}

/* Reads a PPPoE session without an Ethernet header: version and code, session, length, protocol. */
static uint16_t pppoe(struct cursor *c, struct frame *f)
{
    (void)f;
    cursor_bytes(c, 6);
    return ppp_type(cursor_u16(c));
}

/* Reads IEEE 802.11: a data frame that is not encrypted and holds one packet. Frame control,
 * duration, three addresses, sequence control; a fourth address between two access points; two
 * bytes for QoS; four more where frame control says so; LLC. `padded`: the header was filled up to
 * a multiple of four bytes. */
static uint16_t wireless_data(struct cursor *c, struct frame *f, bool padded)
{
    const uint8_t kind = cursor_u8(c), flags = cursor_u8(c);
    const bool qos = kind & 0x80, bridged = (flags & 3) == 3;
    size_t header = 24;

    if ((kind & 0x0f) != 0x08 || (kind & 0x40) || (flags & 0x40)) /* no data, or encrypted */
        return 0;
    cursor_bytes(c, 8); /* duration, receiver */
    f->source = address(cursor_bytes(c, FRAME_ADDRESS));
    cursor_bytes(c, 8); /* third address, sequence control */
    if (bridged)
        cursor_bytes(c, FRAME_ADDRESS);
    header += bridged ? FRAME_ADDRESS : 0;
    if (qos && (cursor_u16(c) & 0x8000)) /* an A-MSDU: several packets */
        return 0;
    header += qos ? 2 : 0;
    if (qos && (flags & 0x80)) {
        cursor_bytes(c, 4);
        header += 4;
    }
    if (padded)
        cursor_bytes(c, -header % 4);
    return llc(c);
}

static uint16_t wireless(struct cursor *c, struct frame *f)
{
    return wireless_data(c, f, false);
}

/* Reads a little-endian number, as radiotap has them. */
static uint32_t little(struct cursor *c, unsigned bytes)
{
    const uint8_t *at = cursor_bytes(c, bytes);
    uint32_t n = 0;

    for (unsigned i = 0; at && i < bytes; i++)
        n |= (uint32_t)at[i] << 8 * i;
    return n;
}

/* Reads the radiotap header (radiotap.org): version, length, words of which bits say what follows.
 * Of these the flags matter, which stand behind a time of eight bytes: one of them says that the
 * frame's header was padded. */
static uint16_t radiotap(struct cursor *c, struct frame *f)
{
    struct cursor fields = *c;
    uint32_t present, word;
    uint8_t flags = 0;
    size_t words = 1;

    little(&fields, 2);
    const uint32_t length = little(&fields, 2);
    present = word = little(&fields, 4);
    for (; (word & 0x80000000u) && !fields.short_; words++)
        word = little(&fields, 4);
    if (present & 1) /* aligned to eight bytes */
        cursor_bytes(&fields, 8 + (words % 2 ? 0 : 4));
    if (present & 2)
        flags = cursor_u8(&fields);
    if (fields.short_ || length > c->left || c->left - fields.left > length) {
        c->short_ = true;
        return 0;
    }
    cursor_bytes(c, length);
    return wireless_data(c, f, flags & 0x20);
}

/* Reads BSD loopback: the address family, in the byte order of the host that captured (DLT_NULL) or
 * of the network (DLT_LOOP). Families are small numbers, so the value shows its byte order. AF_INET
 * is 2 everywhere; AF_INET6 is 10, 24, 28 or 30, depending on the system. */
static uint16_t loopback(struct cursor *c, struct frame *f)
{
    (void)f;
    uint32_t family = cursor_u32(c);
    if (family > 0xffff)
        family = __builtin_bswap32(family);
    switch (family) {
    case 2:
        return TYPE_IPV4;
    case 10:
    case 24:
    case 28:
    case 30:
        return TYPE_IPV6;
    default:
        return 0;
    }
}

typedef uint16_t reader(struct cursor *c, struct frame *f);

/* Returns the reader of a link type; NULL: it is not known. */
static reader *reader_of(int dlt)
{
    switch (dlt) {
    case DLT_EN10MB:
        return ethernet;
    case DLT_LINUX_SLL:
        return cooked;
    case DLT_LINUX_SLL2:
        return cooked2;
    case DLT_RAW:
    case DLT_IPV4:
    case DLT_IPV6:
        return raw;
    case DLT_PPP:
    case DLT_PPP_SERIAL:
        return ppp;
    case DLT_PPP_ETHER:
        return pppoe;
    case DLT_IEEE802_11:
        return wireless;
    case DLT_IEEE802_11_RADIO:
        return radiotap;
    case DLT_NULL:
    case DLT_LOOP:
        return loopback;
    default:
        return NULL;
    }
}

bool frame_known(int dlt)
{
    return reader_of(dlt) != NULL;
}

/* Reads what most frames are: Ethernet with IP directly behind it. Returns whether it is that. */
static bool plain_ethernet(const uint8_t *bytes, size_t len, struct frame *out)
{
    const size_t head = 2 * FRAME_ADDRESS + 2;
    const uint16_t type = len >= head ? get_u16(bytes + 2 * FRAME_ADDRESS) : 0;

    if (type != TYPE_IPV4 && type != TYPE_IPV6)
        return false;
    *out = (struct frame){
        .offset = head, .v6 = type == TYPE_IPV6, .source = address(bytes + FRAME_ADDRESS)};
    return true;
}

__attribute__((noinline)) static int parse_in_full(int dlt, const uint8_t *bytes, size_t len,
                                                   struct frame *out)
{
    reader *read = reader_of(dlt);
    if (!read)
        return WAVE_ENOTOURS;

    struct frame f = {0};
    struct cursor c = cursor_of(bytes, len);
    uint16_t type = read(&c, &f);
    if (c.short_)
        return WAVE_ETRUNC;
    if (type != TYPE_IPV4 && type != TYPE_IPV6)
        return WAVE_ENOTOURS;
    f.offset = len - c.left;
    f.v6 = type == TYPE_IPV6;
    *out = f;
    return 0;
}

int frame_parse(int dlt, const uint8_t *bytes, size_t len, struct frame *out)
{
    if (dlt == DLT_EN10MB && plain_ethernet(bytes, len, out))
        return 0;
    return parse_in_full(dlt, bytes, len, out);
}
