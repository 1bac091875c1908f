/*
 * The wire's state, which wire.c sets up and sends from, and wire_arrival.c reads packets into.
 */
#ifndef TCPWAVE_WIRE_WIRE_PRIVATE_H
#define TCPWAVE_WIRE_WIRE_PRIVATE_H

#include "lib/wire/capture.h"
#include "lib/wire/capture_clock.h"
#include "lib/wire/copies.h"
#include "lib/wire/guard.h"
#include "lib/wire/guards.h"
#include "lib/wire/own_nat.h"
#include "lib/wire/wire.h"

struct builder;
struct l2_send;
struct tx_queue;
struct tx_ring;
struct mnl_socket;

struct wire {
    struct builder *builder;
    struct tx_queue *tx_queue;
    struct l2_send *l2_send; /* NULL: there is no such way, or it is not wanted */
    struct tx_ring *tx_ring; /* NULL: short frames are sent as all others */
    wave_time began;         /* when the queue's first packet was queued */
    bool framed;             /* the last segment was queued as a frame */
    struct capture *capture;
    struct capture_clock stamp;
    struct guard *guard;   /* one for each port; NULL: none */
    struct mnl_socket *nl; /* to ask for the route again, and for neighbours; NULL: it is lo's */
    struct guards *guards; /* of scattered ports, then, which lie within `lports` */
    struct flow flow; /* the one of ours, or the first; listening: remote is zero, local may be */
    uint16_t lports;  /* from flow.lport on */
    bool listen;
    bool bound; /* the raw socket sends from flow.local alone, and is routed so */
    bool on_device; /* the raw socket sends by the one interface alone, and is routed so */
    bool broken;
    bool inbound_only;
    bool anywhere; /* the capture is on all interfaces, though the route leads through one */
    bool follows;  /* what comes to our ports from another remote is captured as well */
    bool asks_nat; /* it is not taken for granted that what we send goes where we send it, since
                      it is not captured, or goes past the rules */
    bool watching; /* our own SYNs are captured now, though inbound_only */
    struct own_nat nat;
    struct copies copies;
    struct ip_reassembly *fragments; /* NULL: none came yet */
    struct copies_way way;           /* by which interface the peer's packets come in */
    wave_time opened;                /* when it was */
    wave_time seen_at; /* when the route's interface was last found to be there */
    bool gap;          /* frames were lost since the last packet that was given */
    struct wire_info info;
    struct wire_stats stats; /* but for the capture's own, which it keeps */
};

/* Begins to capture our own SYNs where they are waited for, or ends it. */
void wire_watch(struct wire *w, wave_time now);

#endif
