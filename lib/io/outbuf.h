/*
 * Output that never makes the loop wait: a bounded queue of whole records in front of a descriptor
 * that is written to without blocking (lib/io/nonblock.h).
 *
 * Why. One loop runs the connection, its timers and its signals. If the loop waited for a reader
 * that pauses (a pager at its first page, a terminal after Ctrl-S, a program that is slower than
 * the network), all of them would stop. So the loop only writes what the descriptor takes now, and
 * keeps the rest here. The amount that is kept has a bound, since a reader may pause for ever.
 *
 * Records. What cannot be kept is left out in whole records: a line, or a packet of a capture file.
 * Each record that is left out is counted, and the count is reported in the stream as soon as there
 * is room. After the first record that finds no room, none is kept until the queue is half empty,
 * so that there are few gaps instead of one at every other line. Towards a pipe, every write ends
 * at the end of a record where that is possible (a pipe takes PIPE_BUF bytes as a whole or not at
 * all). So a run that has to end while its reader sleeps leaves no half of a line behind.
 *
 * Cost. Text goes through stdio as usual, and a reader that keeps up gets the same few writes. No
 * call asks whether the reader is ready.
 *
 * The end. outbuf_drain() gives the reader time to take what waits, and leaves out what it did not
 * take. outbuf_last() raises the bound for the last records, so that they are never left out for
 * lack of room. outbuf_finish() gives the reader time for those. After a signal, or at the end of
 * --timeout, both wait only a fraction of a second.
 */
#ifndef TCPWAVE_IO_OUTBUF_H
#define TCPWAVE_IO_OUTBUF_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/core/err.h"
#include "lib/core/time.h"
#include "lib/io/nonblock.h"

#define OUTBUF_MAX ((size_t)8 << 20) /* bytes kept for a reader; up to twice that in memory */
#define OUTBUF_GAP 256               /* bytes of room for the record that reports a gap */

struct outbuf;

/* poll(2) reports these events when the reader of a descriptor has gone. */
#define OUTBUF_GONE (POLLERR | POLLHUP | POLLNVAL)

/*
 * Creates a queue of at most `max` bytes in front of `to`, which it takes over. `name` is for
 * messages, and stays the caller's. Call it before the sandbox is entered. Returns 0, or
 * WAVE_ENOMEM with *d filled in.
 */
int outbuf_open(struct outbuf **out, const struct nonblock *to, const char *name, size_t max,
                struct diag *d);

/* Returns a text stream that writes into the queue, or NULL when there is no memory. Each line is a
 * record. So is a text that begins with '\r' when the stream is flushed: the next such text is
 * drawn over it. outbuf_close() closes the stream. */
FILE *outbuf_stream(struct outbuf *o);

/* Writes the record that stands where records were left out; `left_out` is their number so far.
 * Returns its length, or 0 for no such record. */
typedef size_t outbuf_gap(void *self, uint64_t left_out, char text[OUTBUF_GAP]);
/* Sets the function that words the gaps. Without one, gaps are not reported. */
void outbuf_on_gap(struct outbuf *o, outbuf_gap *gap, void *self);

/* Add bytes that are not text: a record consists of any number of pieces, and outbuf_end() ends it.
 * outbuf_end() returns false when the record was left out. */
void outbuf_put(struct outbuf *o, const void *bytes, size_t len);
bool outbuf_end(struct outbuf *o);

/* Writes what the descriptor takes now. Returns 0, or WAVE_ESYS with *d filled in after an error.
 * Every later call reports the same error, and discards what is written. */
int outbuf_flush(struct outbuf *o, struct diag *d);

/* Returns the errno of that error, or 0. */
int outbuf_error(const struct outbuf *o);

/* Returns what to poll for: POLLOUT while a part of the queue waits for room. poll(2) shows errors
 * in `revents` in any case. */
struct pollfd outbuf_poll(const struct outbuf *o);

/* Takes the result of that poll, and goes on writing when there is room. */
void outbuf_polled(struct outbuf *o, short revents);

/* Returns how many records were left out so far. Records that report a gap do not count. */
uint64_t outbuf_left_out(const struct outbuf *o);

/* Returns whether the output goes to a reader (a pipe, a terminal or a socket) and not to a
 * file. */
bool outbuf_has_reader(const struct outbuf *o);

/* Limits how long a run waits for its reader at the end. */
struct outbuf_end {
    int signals;        /* a descriptor of lib/io/signals.h, or -1 */
    wave_time deadline; /* end of --timeout, on CLOCK_MONOTONIC; WAVE_NEVER: none */
    bool hurried;       /* a signal has ended the run, so the wait is short */
    int signal;         /* number of a signal that came during the wait, or 0 */
};

/* Writes what waits, as long as the reader takes some of it, and leaves out the remainder except
 * the rest of a record that was begun. Call it before the last records are made, since they may
 * report outbuf_left_out(). */
void outbuf_drain(struct outbuf *o, struct outbuf_end *e);

/* Raises the bound for all later records: they are the last ones, and they are short. */
void outbuf_last(struct outbuf *o);

/* Writes the last records in the same way. Returns how many could not be written. */
uint64_t outbuf_finish(struct outbuf *o, struct outbuf_end *e);

/* Frees the queue, and closes what outbuf_open() took over. Bytes that were not written are lost.
 * `o` may be NULL. */
void outbuf_close(struct outbuf *o);

/* Prints one line for the user on standard error, with "tcpwave: " before it. Waits at most a
 * fraction of a second for a slow reader. */
void outbuf_say(const char *text);

#endif
