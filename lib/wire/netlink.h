/*
 * One request to the kernel over netlink, and all of its answers.
 */
#ifndef TCPWAVE_WIRE_NETLINK_H
#define TCPWAVE_WIRE_NETLINK_H

#include <libmnl/libmnl.h>

/* Provides room for a request, aligned for its header. It is large enough for all requests that we
 * make. */
union netlink_request {
    struct nlmsghdr header;
    char bytes[1024];
};

/* Opens a socket to `bus` (NETLINK_...). Returns NULL, with errno set, on failure. */
struct mnl_socket *netlink_open(int bus);

/*
 * Sends the request, and passes each message of the answer to `each`, as mnl_cb_run() does, until
 * the answer is complete. A request that is no dump must ask for an acknowledgement (NLM_F_ACK),
 * because that is what ends its answer. Returns 0 or the kernel's errno, negative.
 */
int netlink_ask(struct mnl_socket *nl, struct nlmsghdr *request, mnl_cb_t each, void *data);

#endif
