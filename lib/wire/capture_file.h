/*
 * Reads capture files: pcap (draft-ietf-opsawg-pcap) and pcapng (draft-ietf-opsawg-pcapng), of
 * either byte order, with stamps of any resolution, and with interfaces of different link types in
 * one file, which libpcap refuses.
 *
 * This file is pure: the caller reads the bytes, from a file or from a pipe, and puts them into the
 * reader's buffer. A record points into that buffer, so that nothing is copied. Files come from
 * strangers: every length is checked before it is used, and what is kept has a bound.
 *
 *     for (;;) {
 *         error = capture_file_next(f, &record, &d);
 *         if (error == 0)
 *             ...record...
 *         else if (error == WAVE_EAGAIN)
 *             capture_file_filled(f, read(fd, capture_file_room(f, &room), room));
 *         else
 *             the end, or what is wrong
 *     }
 */
#ifndef TCPWAVE_WIRE_CAPTURE_FILE_H
#define TCPWAVE_WIRE_CAPTURE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/err.h"
#include "lib/core/time.h"

#define CAPTURE_FILE_BUFFER (1u << 20)   /* bytes of the file that are in memory at a time */
#define CAPTURE_FILE_PACKET (256u << 10) /* a longer packet shows that the file is corrupt */
#define CAPTURE_FILE_INTERFACES 1024     /* of one section of a pcapng */

struct capture_file;

/* A captured frame. */
struct capture_record {
    wave_time stamp;         /* since 1970 */
    int dlt;                 /* libpcap's number of its link type (DLT_...) */
    uint32_t interface;      /* from 0, in the order of the file, over all of its sections */
    const uint8_t *bytes;    /* valid until capture_file_filled() is called */
    uint32_t caplen, length; /* bytes that were kept, and that the frame had */
};

/* Returns a new reader; NULL when memory is out. */
struct capture_file *capture_file_create(void);
void capture_file_free(struct capture_file *f);

/*
 * Gives the next frame. Returns 0 and *out; WAVE_EAGAIN when the file's next bytes are needed;
 * WAVE_ENOTFOUND at the end of the file; WAVE_EMALFORMED when it is no capture file, or contradicts
 * itself; WAVE_ETRUNC when it ends within a record. With the last two *d says what and where, as
 * the end of a sentence that the name of the file begins, and every later call returns the same.
 */
int capture_file_next(struct capture_file *f, struct capture_record *out, struct diag *d);

/* Returns where the file's next bytes go, and in *room how many at most, which is never 0 after
 * WAVE_EAGAIN. What was given before is moved, so records are no longer valid. */
uint8_t *capture_file_room(struct capture_file *f, size_t *room);

/* Says that so many bytes were read; 0: the file has ended. */
void capture_file_filled(struct capture_file *f, size_t bytes);

/* Returns the number of bytes of all records so far. */
uint64_t capture_file_offset(const struct capture_file *f);

#endif
