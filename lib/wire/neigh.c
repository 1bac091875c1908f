/*
 * Asks the kernel for an entry of its neighbour table over rtnetlink.
 */
#include "lib/wire/neigh.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/wire/address.h"
#include "lib/wire/netlink.h"

#define TICKS 100 /* a second: the kernel's USER_HZ, but on alpha and ia64 */

/* These are the states in which an address can be used. A stale address is as good for us as for
 * the kernel's own next packet: the kernel would send to it, and probe the neighbour meanwhile. */
#define USABLE (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT)

bool neigh_parse(const struct nlmsghdr *nlh, uint8_t mac[NEIGH_MAC], bool *stale)
{
    if (nlh->nlmsg_type != RTM_NEWNEIGH || mnl_nlmsg_get_payload_len(nlh) < sizeof(struct ndmsg))
        return false;
    const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
    struct nlattr *a;
    if (!(ndm->ndm_state & USABLE))
        return false;
    mnl_attr_for_each(a, nlh, sizeof *ndm)
    {
        if (mnl_attr_get_type(a) == NDA_LLADDR && mnl_attr_get_payload_len(a) == NEIGH_MAC) {
            memcpy(mac, mnl_attr_get_payload(a), NEIGH_MAC);
            *stale = ndm->ndm_state & NUD_STALE;
            return true;
        }
    }
    return false;
}

struct neigh_answer {
    uint8_t mac[NEIGH_MAC];
    bool is, stale;
};

/* Keeps the address that this message has, if any. */
static int each(const struct nlmsghdr *nlh, void *data)
{
    struct neigh_answer *a = data;
    a->is = neigh_parse(nlh, a->mac, &a->stale) || a->is;
    return MNL_CB_OK;
}

/* Asks for the entry of `hop` on that interface. */
static int ask(struct mnl_socket *nl, int ifindex, bool v6, const struct addr *hop, mnl_cb_t cb,
               void *data)
{
    union netlink_request request = {.bytes = {0}};
    struct nlmsghdr *nlh = mnl_nlmsg_put_header(request.bytes);
    nlh->nlmsg_type = RTM_GETNEIGH;
    nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    struct ndmsg *ndm = mnl_nlmsg_put_extra_header(nlh, sizeof *ndm);
    ndm->ndm_family = v6 ? AF_INET6 : AF_INET;
    ndm->ndm_ifindex = ifindex;
    mnl_attr_put(nlh, NDA_DST, address_size(v6), hop->byte);
    return netlink_ask(nl, nlh, cb, data);
}

int neigh_find(struct mnl_socket *nl, int ifindex, bool v6, const struct addr *hop,
               uint8_t mac[NEIGH_MAC], bool *stale)
{
    struct neigh_answer a = {.is = false};
    int error = ask(nl, ifindex, v6, hop, each, &a);
    if (error < 0)
        return error;
    if (!a.is)
        return -ENOENT;
    memcpy(mac, a.mac, NEIGH_MAC);
    *stale = a.stale;
    return 0;
}

/* An entry without an answer, and how long ago something was sent there last. */
struct silence {
    bool is;
    wave_time used; /* WAVE_NEVER: not known */
};

static int each_silent(const struct nlmsghdr *nlh, void *data)
{
    const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
    struct silence *s = data;
    struct nda_cacheinfo info;
    struct nlattr *a;

    if (nlh->nlmsg_type != RTM_NEWNEIGH || mnl_nlmsg_get_payload_len(nlh) < sizeof *ndm)
        return MNL_CB_OK;
    s->is = ndm->ndm_state & (NUD_INCOMPLETE | NUD_FAILED);
    mnl_attr_for_each(a, nlh, sizeof *ndm)
    {
        if (mnl_attr_get_type(a) != NDA_CACHEINFO || mnl_attr_get_payload_len(a) < sizeof info)
            continue;
        memcpy(&info, mnl_attr_get_payload(a), sizeof info);
        s->used = info.ndm_used * (WAVE_S / TICKS);
    }
    return MNL_CB_OK;
}

bool neigh_silent(struct mnl_socket *nl, int ifindex, bool v6, const struct addr *hop)
{
    struct silence s = {.used = WAVE_NEVER};

    return ask(nl, ifindex, v6, hop, each_silent, &s) == 0 && s.is;
}

bool neigh_asked_for(struct mnl_socket *nl, int ifindex, bool v6, const struct addr *hop,
                     wave_time within)
{
    struct silence s = {.used = WAVE_NEVER};

    return ask(nl, ifindex, v6, hop, each_silent, &s) == 0 && s.is && s.used <= within;
}
