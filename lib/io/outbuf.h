/*
 * Output that never makes the loop wait: a bounded queue of whole records in front of a descriptor
 * that is written to without blocking (lib/io/nonblock.h).
 *
 * Why. One loop runs the connection, its timers and its signals. A reader that pauses (a pager at
 * its first page, a terminal after Ctrl-S, a program that is slower than the network) would stop
 * all of them if the loop waited for it. So the loop only hands over what the descriptor takes now,
 * and keeps the rest here. What is kept has a bound, since a reader may pause for ever.
 *
 * Records. What cannot be kept is left out by whole records: a line, or a packet of a capture file.
 * A record is counted when it is left out, and the count is told in the stream as soon as there is
 * room again. After the first record that finds no room, none is taken until the queue is half
 * empty, so that there are few gaps, and not one at every other line. Towards a pipe every write
 * ends at the end of a record wherever it can (PIPE_BUF bytes are taken as a whole or not at all),
 * so that a run that has to leave while its reader sleeps leaves no half of a line behind.
 *
 * Cost. Text goes through stdio as before, and a reader that keeps up gets the same few writes; no
 * call asks it whether it is ready.
 *
 * The end. outbuf_drain() gives the reader time to take what waits, and leaves out what it did not
 * take; outbuf_last() lifts the bound for the last records, which are then never left out for want
 * of room; outbuf_finish() gives the reader time for those. A signal or the end of --timeout leaves
 * both a fraction of a second.
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

#define OUTBUF_MAX ((size_t)8 << 20)  /* bytes that are kept for a reader; twice that of memory */
#define OUTBUF_GAP 256                /* room for the record that tells of a gap */

struct outbuf;

/* What poll(2) says of a descriptor that nobody reads any more. */
#define OUTBUF_GONE (POLLERR | POLLHUP | POLLNVAL)

/*
 * A queue of at most `max` bytes in front of `to`, which it takes over; `name` is for messages,
 * and stays the caller's. To be opened before the sandbox is entered. WAVE_ENOMEM.
 */
int outbuf_open(struct outbuf **out, const struct nonblock *to, const char *name, size_t max,
                struct diag *d);

/* A stream of text: each line is a record, and so is a text that begins with '\r' when the stream
 * is flushed, which the next one is drawn over. Closed by outbuf_close(). NULL: no memory. */
FILE *outbuf_stream(struct outbuf *o);

/* Words what stands where records were left out: how many of them so far, as a whole record;
 * returns its length, 0 for none. */
typedef size_t outbuf_gap(void *self, uint64_t left_out, char text[OUTBUF_GAP]);
void outbuf_on_gap(struct outbuf *o, outbuf_gap *gap, void *self);

/* Bytes that are no text: a record is put together of any number of pieces, and ended. False when
 * it was left out. */
void outbuf_put(struct outbuf *o, const void *bytes, size_t len);
bool outbuf_end(struct outbuf *o);

/* Hands over what the descriptor takes now. WAVE_ESYS, with *d filled in, after an error; it is
 * told each time, and what is written after it goes nowhere. */
int outbuf_flush(struct outbuf *o, struct diag *d);

/* The errno of that error, or 0. */
int outbuf_error(const struct outbuf *o);

/* What to poll for: POLLOUT as long as something waits that did not find room. Errors show in
 * `revents` in any case. */
struct pollfd outbuf_poll(const struct outbuf *o);

/* What poll said of it: goes on writing when there is room. */
void outbuf_polled(struct outbuf *o, short revents);

/* Records left out so far; that of a gap is none. */
uint64_t outbuf_left_out(const struct outbuf *o);

/* Whether there is a reader's descriptor at the other end, and no file. */
bool outbuf_has_reader(const struct outbuf *o);

/* How long a run waits for its reader at the end. */
struct outbuf_end {
    int signals;        /* a descriptor of lib/io/signals.h, or -1 */
    wave_time deadline; /* of --timeout, CLOCK_MONOTONIC; WAVE_NEVER */
    bool hurried;       /* a signal has ended the run: the wait is a short one */
    int signal;         /* that came meanwhile, or 0 */
};

/* Writes what waits, for as long as its reader takes some of it; what is left then is left out, but
 * for the rest of a record that was begun. To be called before the last records are made, since
 * they may tell outbuf_left_out(). */
void outbuf_drain(struct outbuf *o, struct outbuf_end *e);

/* What follows is kept whatever the bound says: it is the end, and short. */
void outbuf_last(struct outbuf *o);

/* Writes the last records likewise: how many were not written. */
uint64_t outbuf_finish(struct outbuf *o, struct outbuf_end *e);

/* Frees, and closes what outbuf_open() took over. What was not written is lost. NULL is taken. */
void outbuf_close(struct outbuf *o);

/* One line for a person, "tcpwave: " before it, on standard error. Waits a fraction of a second
 * for a reader that is late, and no longer. */
void outbuf_say(const char *text);

#endif
