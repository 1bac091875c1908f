/*
 * --pcap: the run's packets as a file, with nanosecond stamps and, in pcapng, a comment on each.
 * pcapng (draft-ietf-opsawg-pcapng) unless the name ends in ".pcap", which is the older form
 * (draft-ietf-opsawg-pcap) and has no comments. Packets are raw IP (LINKTYPE_RAW, 101).
 *
 * Every error is WAVE_ESYS with *d filled in. After one the file is as good as what was written.
 */
#ifndef TCPWAVE_SHOW_PCAPNG_H
#define TCPWAVE_SHOW_PCAPNG_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/err.h"
#include "lib/core/time.h"
#include "lib/io/outbuf.h"

struct pcapfile;

/* Creates the file ("-": standard output), as file_open_write() does; writes nothing yet. Also
 * WAVE_ENOMEM. */
int pcapfile_open(struct pcapfile **out, const char *path, struct diag *d);

/* Writes the headers. To be called once, before the first packet. */
int pcapfile_begin(struct pcapfile *p, const char *interface, struct diag *d);

struct pcapfile_packet {
    wave_time stamp; /* struct wire_packet's */
    bool outgoing;
    const uint8_t *ip;   /* the packet's bytes */
    uint32_t captured;   /* how many are there */
    uint32_t length;     /* of the packet; at least `captured` */
    const char *comment; /* or NULL; such as "3: we ESTABLISHED, peer ESTABLISHED (assumed)" */
};

int pcapfile_packet(struct pcapfile *p, const struct pcapfile_packet *k, struct diag *d);

/* Hands what is buffered to the system, for whoever follows the file: when the run goes idle. What
 * a pipe has no room for stays; pcapfile_outbuf() tells what to poll for. */
int pcapfile_flush(struct pcapfile *p, struct diag *d);

/* The queue behind it. Packets that it leaves out, since what reads them does not keep up, are
 * counted in the next packet's block. */
struct outbuf *pcapfile_outbuf(struct pcapfile *p);

/* Writes the verdict as the comment of an Interface Statistics Block, with what the capture
 * counted; in a regular file also as a second comment on the last packet, since few readers show
 * the former. To be called at most once, after the last packet; the file is whole without it.
 * `stamp` is that of the end. */
int pcapfile_end(struct pcapfile *p, wave_time stamp, const char *verdict, uint64_t received,
                 uint64_t dropped, struct diag *d);

/* Hands over the rest, and waits for what reads it as outbuf_finish() does; what it does not take
 * is told on standard error. */
int pcapfile_finish(struct pcapfile *p, struct outbuf_end *end, struct diag *d);

/* Closes and frees. NULL is taken. What only closing brings to light is an error too, and an
 * earlier one is told again. */
int pcapfile_close(struct pcapfile *p, struct diag *d);

#endif
