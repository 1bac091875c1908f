/*
 * --pcap: the run's packets as a file, with nanosecond stamps and, in pcapng, a comment on each.
 * The format is pcapng (draft-ietf-opsawg-pcapng) unless the name ends in ".pcap", which is the
 * older format (draft-ietf-opsawg-pcap) without comments. Packets have their Ethernet header where
 * they came with one; others are raw IP. pcapng then has an interface block for each of the two;
 * the older format has one link type, that of the first packet, so that of later ones the header is
 * left out, or is empty.
 *
 * Every error is WAVE_ESYS with *d filled in. After an error, the file has what was written until
 * then.
 */
#ifndef TCPWAVE_SHOW_PCAPNG_H
#define TCPWAVE_SHOW_PCAPNG_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/err.h"
#include "lib/core/impaired.h"
#include "lib/core/time.h"
#include "lib/io/outbuf.h"

struct pcapfile;

/* Creates the file ("-": standard output), as file_open_write() does, and writes nothing yet. Also
 * returns WAVE_ENOMEM. */
int pcapfile_open(struct pcapfile **out, const char *path, struct diag *d);

/* What packets begin with: their IPv4 or IPv6 header, or an Ethernet header before that. */
enum pcapfile_link { PCAPFILE_RAW, PCAPFILE_ETHERNET, PCAPFILE_LINKS };

/* Writes the headers. It must be called once, before the first packet. `link` is what the packets
 * are expected to begin with; PCAPFILE_LINKS: the first one tells. */
int pcapfile_begin(struct pcapfile *p, const char *interface, enum pcapfile_link link,
                   struct diag *d);

#define PCAPFILE_LINK 32 /* bytes of a link-layer header */

struct pcapfile_packet {
    wave_time stamp; /* as in struct wire_packet */
    bool outgoing;
    const uint8_t *ip;   /* the packet's bytes */
    uint32_t captured;   /* how many bytes `ip` has */
    uint32_t length;     /* of the packet; at least `captured` */
    const uint8_t *link; /* its Ethernet header, or NULL */
    uint32_t link_len;   /* PCAPFILE_LINK at most */
    const char *comment; /* or NULL; such as "3: we ESTABLISHED, peer ESTABLISHED (assumed)" */
    const struct impaired *impaired; /* what a rule did to it, or NULL; the comment says it */
};

/* Writes a packet. One that a rule kept off the wire is not written, since no reader of the file
 * may count it as sent: the next packet, or the end of the file, has a comment that names it. A
 * packet that is given once more, when a rule lets the engine take it, is not written twice. */
int pcapfile_packet(struct pcapfile *p, const struct pcapfile_packet *k, struct diag *d);

/* Writes out what is buffered, for a reader that follows the file; called when the run is idle.
 * What a pipe has no room for stays buffered; pcapfile_outbuf() has the descriptor to poll. */
int pcapfile_flush(struct pcapfile *p, struct diag *d);

/* Returns the queue behind the file. Packets that it leaves out because the reader does not keep up
 * are counted in the next packet's block. */
struct outbuf *pcapfile_outbuf(struct pcapfile *p);

/* Writes the verdict as the comment of an Interface Statistics Block, with the capture's counters;
 * in a regular file also as a second comment on the last packet, since few readers show the former.
 * It may be called once, after the last packet; the file is complete without it. `stamp` is the
 * time of the end. */
int pcapfile_end(struct pcapfile *p, wave_time stamp, const char *verdict, uint64_t received,
                 uint64_t dropped, struct diag *d);

/* Writes the rest, and waits for the reader as outbuf_finish() does. What the reader does not take
 * is reported on standard error. */
int pcapfile_finish(struct pcapfile *p, struct outbuf_end *end, struct diag *d);

/* Closes and frees. NULL is allowed. An error that appears only now is returned, and an earlier one
 * is returned once more. */
int pcapfile_close(struct pcapfile *p, struct diag *d);

#endif
