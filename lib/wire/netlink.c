/*
 * Sends one netlink request, and collects its answers with libmnl.
 */
#include "lib/wire/netlink.h"

#include <errno.h>

/* libmnl advises this size for dumps; the kernel fills buffers up to it. */
#define ANSWER_SIZE 32768

struct mnl_socket *netlink_open(int bus)
{
    struct mnl_socket *nl = mnl_socket_open2(bus, SOCK_CLOEXEC);
    if (nl && mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0) {
        int error = errno;
        mnl_socket_close(nl);
        errno = error;
        return NULL;
    }
    return nl;
}

int netlink_ask(struct mnl_socket *nl, struct nlmsghdr *request, mnl_cb_t each, void *data)
{
    static unsigned int number; /* answers to an earlier request, which failed, carry another
                                   number */
    _Alignas(struct nlmsghdr) char answer[ANSWER_SIZE];

    request->nlmsg_seq = ++number;
    if (mnl_socket_sendto(nl, request, request->nlmsg_len) < 0)
        return -errno;
    for (;;) {
        ssize_t n = mnl_socket_recvfrom(nl, answer, sizeof answer);
        if (n < 0)
            return -errno;
        int more = mnl_cb_run(answer, (size_t)n, request->nlmsg_seq, mnl_socket_get_portid(nl),
                              each, data);
        if (more < 0)
            return -errno;
        if (more == MNL_CB_STOP)
            return 0;
    }
}
