/*
 * The kernel's answers about routes, interfaces and neighbours: the parsers, compared with a simple
 * walk over the attributes. Messages are assembled from attributes that the parsers know, with
 * lengths that may be wrong. A message ends where its memory ends, so that reading beyond it is
 * noticed.
 */
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "lib/wire/neigh.h"
#include "lib/wire/route.h"
#include "tests/fuzz/fuzz.h"

enum { MESSAGE_ROOM = 4096 };

struct message {
    _Alignas(struct nlmsghdr) uint8_t bytes[MESSAGE_ROOM];
    size_t len;
};

static void put(struct message *m, const void *bytes, size_t len)
{
    if (m->len + len + NLMSG_ALIGNTO > sizeof m->bytes)
        return;
    memcpy(m->bytes + m->len, bytes, len);
    m->len += (len + 3) / 4 * 4;
}

static void put_attribute(struct message *m, struct cursor *in, unsigned depth)
{
    static const uint16_t kinds[] = {
        RTA_OIF,     RTA_PREFSRC, RTA_GATEWAY,   RTA_VIA,        RTA_METRICS,
        IFLA_IFNAME, IFLA_MTU,    IFLA_LINKINFO, IFLA_INFO_KIND, NDA_LLADDR,
    };
    const uint8_t how = cursor_u8(in), lie = cursor_u8(in);
    const size_t at = m->len;
    struct nlattr a = {.nla_type = how < 200 ? kinds[how % 10] : cursor_u16(in)};

    put(m, &a, sizeof a);
    if (depth < 2 && (lie & 1)) {
        for (unsigned n = lie >> 1 & 3; n > 0; n--)
            put_attribute(m, in, depth + 1);
        a.nla_len = (uint16_t)(m->len - at);
    } else {
        static const uint8_t sizes[] = {4, 16, 6, 5, 0, 1, 15, 20};
        const size_t len = sizes[lie >> 1 & 7];
        const uint8_t *p =
            how & 1 && in->left >= 5 ? (const uint8_t *)"vlan" : cursor_bytes(in, len);

        a.nla_len = (uint16_t)(sizeof a + len);
        if (how & 1 && in->left >= 5)
            a.nla_len = sizeof a + 5;
        if (p)
            put(m, p, a.nla_len - sizeof a);
    }
    if ((lie & 0xf0) == 0xf0)
        a.nla_len = cursor_u16(in);
    if (at + sizeof a <= sizeof m->bytes)
        memcpy(m->bytes + at, &a, sizeof a);
}

/* The attributes of a stretch of bytes, as <linux/netlink.h> has them: the next one at *at, or NULL
 * when what is left is none. */
static const uint8_t *attribute(const uint8_t *bytes, size_t len, size_t *at, uint16_t *type,
                                size_t *payload)
{
    struct nlattr a;
    const uint8_t *p = bytes + *at;

    if (*at > len || len - *at < sizeof a)
        return NULL;
    memcpy(&a, p, sizeof a);
    if (a.nla_len < sizeof a || a.nla_len > len - *at)
        return NULL;
    *at += (a.nla_len + 3u) / 4 * 4;
    *type = a.nla_type & NLA_TYPE_MASK;
    *payload = a.nla_len - sizeof a;
    return p + sizeof a;
}

/* Takes a number of four bytes, or more of which the rest is not looked at. */
static void number(const uint8_t *p, size_t len, uint32_t *out)
{
    if (len >= 4)
        memcpy(out, p, 4);
}

static uint32_t mtu_in(const uint8_t *bytes, size_t len)
{
    const uint8_t *p;
    size_t at = 0, n;
    uint16_t type;
    uint32_t mtu = 0;

    while ((p = attribute(bytes, len, &at, &type, &n)))
        if (type == RTAX_MTU)
            number(p, n, &mtu);
    return mtu;
}

static void hold_route(const uint8_t *bytes, size_t len, const struct route_answer *r)
{
    struct rtmsg rtm;
    const uint8_t *p;
    size_t at = 0, n, width;
    uint16_t type;
    uint32_t oif = 0, mtu = 0;
    const uint8_t *source = NULL, *gateway = NULL;
    bool via = false;

    memcpy(&rtm, bytes, sizeof rtm);
    width = rtm.rtm_family == AF_INET6 ? 16 : 4;
    bytes += sizeof rtm;
    len -= sizeof rtm;
    while ((p = attribute(bytes, len, &at, &type, &n))) {
        if (type == RTA_OIF)
            number(p, n, &oif);
        if (type == RTA_PREFSRC && n == width)
            source = p;
        if (type == RTA_GATEWAY && n == width)
            gateway = p;
        via = via || type == RTA_VIA;
        if (type == RTA_METRICS)
            mtu = mtu_in(p, n);
    }
    require(r->type == rtm.rtm_type && r->oif == oif && r->mtu == mtu);
    require(r->foreign_gateway == via);
    require(r->has_source == (source != NULL) && r->has_gateway == (gateway != NULL));
    require(!source || memcmp(source, r->source.byte, width) == 0);
    require(!gateway || memcmp(gateway, r->gateway.byte, width) == 0);
}

static void hold_link(const uint8_t *bytes, size_t len, const struct route_link *l)
{
    struct ifinfomsg ifi;
    const uint8_t *p;
    size_t at = 0, n, name_len = 0;
    uint16_t type;
    uint32_t mtu = 0;
    const uint8_t *name = NULL;

    memcpy(&ifi, bytes, sizeof ifi);
    while ((p = attribute(bytes + sizeof ifi, len - sizeof ifi, &at, &type, &n))) {
        if (type == IFLA_MTU)
            number(p, n, &mtu);
        if (type == IFLA_IFNAME) {
            name = p;
            name_len = n < 15 ? n : 15;
        }
    }
    require(l->ifindex == ifi.ifi_index && l->mtu == mtu);
    require(l->up == !!(ifi.ifi_flags & IFF_UP));
    require(l->loopback == !!(ifi.ifi_flags & IFF_LOOPBACK));
    require(memchr(l->name, '\0', sizeof l->name));
    require(name ? memcmp(name, l->name, name_len) == 0 : !*l->name);
}

/* Of use is what the kernel itself would send its next packet to. */
static void hold_neighbour(const uint8_t *bytes, size_t len, bool is, const uint8_t *mac,
                           bool stale)
{
    const uint16_t usable = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT;
    const uint8_t *p, *want = NULL;
    size_t at = 0, n;
    struct ndmsg ndm;
    uint16_t type;

    memcpy(&ndm, bytes, sizeof ndm);
    while ((p = attribute(bytes + sizeof ndm, len - sizeof ndm, &at, &type, &n)))
        if (type == NDA_LLADDR && n == NEIGH_MAC && !want)
            want = p;
    if (!(ndm.ndm_state & usable))
        want = NULL;
    require(is == (want != NULL));
    require(!is || memcmp(mac, want, NEIGH_MAC) == 0);
    require(!is || stale == ((ndm.ndm_state & NUD_STALE) != 0));
}

static int look(const struct nlmsghdr *nlh, void *data)
{
    const uint8_t *bytes = (const uint8_t *)nlh + NLMSG_HDRLEN;
    const size_t len = nlh->nlmsg_len - NLMSG_HDRLEN, padded = NLMSG_ALIGN(len);
    struct route_answer r;
    struct route_link l;
    uint8_t mac[NEIGH_MAC];
    bool is, stale = false;

    (void)data;
    is = route_parse_answer(nlh, &r);
    require(is == (nlh->nlmsg_type == RTM_NEWROUTE && len >= sizeof(struct rtmsg)));
    if (is)
        hold_route(bytes, padded, &r);
    is = route_parse_link(nlh, &l);
    require(is == (nlh->nlmsg_type == RTM_NEWLINK && len >= sizeof(struct ifinfomsg)));
    if (is)
        hold_link(bytes, padded, &l);
    is = neigh_parse(nlh, mac, &stale);
    require(!is || (nlh->nlmsg_type == RTM_NEWNEIGH && len >= sizeof(struct ndmsg)));
    if (nlh->nlmsg_type == RTM_NEWNEIGH && len >= sizeof(struct ndmsg))
        hold_neighbour(bytes, padded, is, mac, stale);
    return MNL_CB_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const uint16_t types[] = {RTM_NEWROUTE, RTM_NEWLINK, RTM_NEWNEIGH, NLMSG_ERROR};
    static const uint8_t heads[] = {sizeof(struct rtmsg), sizeof(struct ifinfomsg),
                                    sizeof(struct ndmsg), sizeof(struct nlmsgerr)};
    static struct message m;
    struct cursor in = cursor_of(bytes, size);
    const uint8_t how = cursor_u8(&in);
    struct nlmsghdr head = {.nlmsg_type = types[how & 3]};
    uint8_t fixed[sizeof(struct nlmsgerr)] = {0}, *exact;
    size_t len;

    memset(&m, 0, sizeof m);
    put(&m, &head, sizeof head);
    for (unsigned i = 0; i < heads[how & 3]; i++)
        fixed[i] = i < 12 ? cursor_u8(&in) : 0;
    put(&m, fixed, heads[how & 3]);
    while (in.left > 0)
        put_attribute(&m, &in, 0);
    len = how & 0x40 ? (how & 0x80 ? m.len / 2 : m.len - 3) : m.len;
    head.nlmsg_len = (uint32_t)len;
    memcpy(m.bytes, &head, sizeof head);
    /* So that a sanitizer sees where it ends: messages are padded to four bytes, and libmnl goes to
     * the end of the padding. */
    exact = malloc(NLMSG_ALIGN(len));
    require(exact);
    memcpy(exact, m.bytes, NLMSG_ALIGN(len));
    mnl_cb_run(exact, len, 0, 0, look, NULL);
    free(exact);
    return 0;
}
