/*
 * One question to the kernel over netlink, and all of its answers.
 */
#ifndef TCPWAVE_WIRE_NETLINK_H
#define TCPWAVE_WIRE_NETLINK_H

#include <libmnl/libmnl.h>

/* Room for a request, aligned for its header; a page holds any that is asked here. */
union netlink_request {
    struct nlmsghdr header;
    char bytes[1024];
};

/* Opens a socket to `bus` (NETLINK_...), or returns NULL with errno set. */
struct mnl_socket *netlink_open(int bus);

/*
 * Sends the request and gives each message of the answer to `each` (as mnl_cb_run() does), until
 * the answer is complete. A request that is no dump must ask for an acknowledgement (NLM_F_ACK),
 * which is what ends its answer. Returns 0 or the kernel's errno, negative.
 */
int netlink_ask(struct mnl_socket *nl, struct nlmsghdr *request, mnl_cb_t each, void *data);

#endif
