/*
 * A SYN proxy, as firewalls have it before a server (RFC 4987, section 3.7; Linux SYNPROXY). It
 * answers a SYN itself, with a cookie as its sequence number and a window of 0, and keeps nothing.
 * Only when the client acknowledges that, it opens the connection to the server in the client's
 * name, and then opens the window. From then on it lets segments pass, and translates the server's
 * sequence numbers, since the server has chosen others than the proxy. It offers and passes on no
 * option but the MSS, since it cannot know which of them the server will agree to.
 */
#ifndef TCPWAVE_SIM_SYN_PROXY_H
#define TCPWAVE_SIM_SYN_PROXY_H

#include "lib/core/seg.h"
#include "lib/core/time.h"
#include "lib/sim/flow_map.h"

struct syn_proxy_conn {
    struct seq client, proxy; /* ISNs */
    uint32_t shift;           /* the proxy's numbers minus those of the server, when it is open */
    uint16_t mss, window;     /* of the client */
    bool open;                /* the server has answered */
};

struct syn_proxy {
    struct siphash_key key;
    uint16_t mss; /* that it offers */
    struct flow_map map;
    struct syn_proxy_conn *conn;
};

/* What it sends because of one segment: at most one to each side. The segments share the data of
 * the one that caused them. */
struct syn_proxy_sends {
    bool to_client, to_server;
    struct seg client, server;
};

/* Makes a proxy that knows no connection. Returns 0, and syn_proxy_free() frees it, or
 * WAVE_ENOMEM. */
int syn_proxy_init(struct syn_proxy *p, uint16_t mss, uint64_t seed);
void syn_proxy_free(struct syn_proxy *p);

/* Take a segment of the client's or of the server's. `flow` is as the server sees it. */
void syn_proxy_from_client(struct syn_proxy *p, wave_time now, const struct flow *flow,
                           const struct seg *s, struct syn_proxy_sends *out);
void syn_proxy_from_server(struct syn_proxy *p, const struct flow *flow, const struct seg *s,
                           struct syn_proxy_sends *out);

#endif
