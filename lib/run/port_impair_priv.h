/*
 * What the parts of port_impair.h share. Three lists hold what cannot be passed on immediately.
 *
 *     out    segments of ours that wait: because a rule delays them, or because the port behind had
 *            no room. They are in the order in which they are to be sent.
 *     sent   what was sent and has not come out of the capture, in order, and among it what only
 *            next() can show: segments of ours that were dropped, and RSTs that a rule made for our
 *            engine.
 *     in     arrived segments that the engine takes in later.
 *
 * Rules are applied once to a segment, so send() never returns WAVE_EAGAIN: it would be called once
 * more with the same segment. What finds no room goes into `out`, and flush() sends it.
 *
 * port_impair_out.c sends, port_impair_in.c receives, and port_impair.c is the rest.
 */
#ifndef TCPWAVE_RUN_PORT_IMPAIR_PRIV_H
#define TCPWAVE_RUN_PORT_IMPAIR_PRIV_H

#include <stdint.h>

#include "lib/run/port_impair.h"

#define PACKET_MAX 65535

/* A segment of ours on its way out. */
struct parcel {
    struct parcel *next;
    wave_time due;
    bool waits; /* for another one of its flow to pass, until `due` at the latest */
    unsigned held_by; /* the rule that holds it back, for impair_held() */
    struct flow flow;
    struct seg seg; /* as it goes onto the wire */
    struct wire_ip ip;
    bool spoil; /* its checksum has to be wrong: by changing `bit` */
    uint32_t bit;
    struct impaired about; /* acts 0: nothing was done to it */
    uint8_t data[];
};

/* What was sent, or what only next() can show. */
struct sent {
    struct sent *next;
    struct flow flow; /* as the sender sees it */
    struct seg seg;   /* without its data and option bytes */
    struct impaired about;
    bool own;        /* it comes from no capture: */
    bool outgoing;   /* it is one of ours */
    wave_time since; /* the engine's clock */
    wave_time stamp;
    uint32_t ip_len;
    uint8_t ip[];
};

/* An arrived segment that the engine takes in later. */
struct arrival {
    struct arrival *next;
    wave_time due;
    bool waits;
    unsigned held_by;
    struct flow flow; /* as the sender sees it */
    struct impaired about;
    uint32_t fragments, ip_len;
    uint8_t bytes[]; /* the IP packet, then the data that the engine takes in */
};

struct port_impair {
    struct port port;
    struct port_ops ops;
    struct port *behind;
    struct impair *rules;
    bool quiet;
    struct parcel *out;
    bool stuck; /* the port behind had no room when flush() was called last */
    struct sent *sent, **sent_end;
    unsigned sent_count, own_count;
    struct arrival *in;

    /* What next() has returned last, and what it returns next; valid until the call after that. */
    struct sent *given_sent;
    struct arrival *given_arrival;
    struct impaired about;
    struct wire_packet pending; /* of the port behind, which comes after `own` entries */
    bool has_pending;
    unsigned own_first; /* how many of those, if it is pending */

    uint8_t packet[PACKET_MAX];
};

static inline struct port_impair *impair_of(const struct port *p)
{
    return (struct port_impair *)(void *)(uintptr_t)p;
}

/* Fails because there is no memory. */
int port_impair_no_memory(struct diag *d);

/* Returns the segment without what points into memory of others. */
struct seg port_impair_bare(const struct seg *s);

/* Removes the oldest entry of `sent` and returns it. */
struct sent *port_impair_sent_take(struct port_impair *x);

/* Sends the segment, or holds it if it is not its turn. Returns 0 or an error. */
int port_impair_dispatch(struct port_impair *x, const struct parcel *p, wave_time now,
                         struct diag *d);

/* When a segment is taken in. */
struct later {
    wave_time due;
    bool waits;
    unsigned held_by;
};

/* Puts a copy of an arrived segment into `in`; what is done to it stands in `about`. */
int port_impair_later(struct port_impair *x, const struct wire_packet *p,
                      const struct impaired *about, const struct later *when, struct diag *d);

/* Frees what next() has returned last. */
void port_impair_forget(struct port_impair *x);

/* Calls of the port. */
int port_impair_send(struct port *p, const struct flow *flow, const struct seg *s,
                     const struct wire_ip *ip, struct diag *d);
int port_impair_flush(struct port *p, struct wire_unsent *unsent, struct diag *d);
int port_impair_next(struct port *p, struct wire_packet *out, struct diag *d);

#endif
