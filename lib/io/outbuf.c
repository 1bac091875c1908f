/*
 * The queue is one block of memory, which grows up to its bound. It holds `used` bytes from `head`
 * on:
 *
 *     | written | record | record | ... | record | open |
 *               ^ head                           the record that is not ended yet
 *
 * A second array holds the lengths of the records, so that a record of any kind can be written, or
 * left out, as a whole. `begun` bytes of the first record have been written already.
 */
#include "lib/io/outbuf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/core/diag.h"
#include "lib/io/signals.h"

#define FIRST_SIZE 16384  /* bytes of the queue at the beginning */
#define FIRST_RECORDS 256 /* entries of the array of lengths at the beginning */
#define STDIO_SIZE 4096   /* bytes of the stream's own buffer, as stdio has it for a pipe */
#define FILE_AT 32768     /* bytes that gather before a file is written to without a flush */
#define AGAIN_AT 65536    /* bytes that gather before we try a blocked reader once more */
#define LAST_ROOM ((size_t)1 << 20)
#define GAP_RECORD 0x80000000u /* flag in a record's length: the record reports a gap */
#define RECORD_MAX (GAP_RECORD - 1)
#define PATIENCE (60 * WAVE_S) /* an ended run waits this long for a reader that takes nothing */
#define HURRY (250 * WAVE_MS)  /* the same wait after a signal or at the end of --timeout */

struct outbuf {
    struct nonblock to;
    const char *name;
    FILE *stream; /* or NULL */
    outbuf_gap *gap;
    void *self;
    int error; /* errno of the first failure */

    uint8_t *bytes;
    size_t size, head, used;
    size_t open; /* bytes at the end that do not make a whole record yet */
    uint32_t *record;
    size_t record_size, first, records;
    size_t begun;
    size_t max;
    size_t untried; /* bytes that came since the descriptor took nothing, kept or left out */

    bool blocked;  /* the last write found no room */
    bool skipping; /* records are left out until the queue is half empty */
    bool rest;     /* bytes up to the end of this record belong to one that is left out */
    bool tells;    /* a gap has not been reported yet */
    bool last;
    uint64_t left_out;
};

int outbuf_open(struct outbuf **out, const struct nonblock *to, const char *name, size_t max,
                struct diag *d)
{
    struct outbuf *o = calloc(1, sizeof *o);

    if (!o)
        return diag_fail(d, WAVE_ENOMEM, "no memory to write to %s", name);
    o->to = *to;
    o->name = name;
    o->max = max;
    *out = o;
    return 0;
}

/*
 * Memory for the queue.
 */

static size_t bound(const struct outbuf *o)
{
    return o->last ? o->max + LAST_ROOM : o->max;
}

/* Makes room for `len` more bytes, within the bound. Returns false when there is none. */
static bool make_room(struct outbuf *o, size_t len)
{
    size_t size = o->size ? o->size : FIRST_SIZE;

    if (len > bound(o) || o->used > bound(o) - len)
        return false;
    if (o->head + o->used + len <= o->size)
        return true;
    if (o->head >= o->used && o->used + len <= o->size) {
        memcpy(o->bytes, o->bytes + o->head, o->used);
        o->head = 0;
        return true;
    }
    /* It doubles, so that we do not move all bytes for every record. */
    while (size < 2 * (o->used + len))
        size *= 2;
    uint8_t *bytes = malloc(size);
    if (!bytes)
        return false;
    if (o->used)
        memcpy(bytes, o->bytes + o->head, o->used);
    free(o->bytes);
    o->bytes = bytes;
    o->size = size;
    o->head = 0;
    return true;
}

static bool make_record_room(struct outbuf *o)
{
    size_t size = o->record_size ? 2 * o->record_size : FIRST_RECORDS;

    if (o->first + o->records < o->record_size)
        return true;
    if (o->first && o->first >= o->records) {
        memcpy(o->record, o->record + o->first, o->records * sizeof *o->record);
        o->first = 0;
        return true;
    }
    uint32_t *record = realloc(o->record, size * sizeof *record);
    if (!record)
        return false;
    o->record = record;
    o->record_size = size;
    return true;
}

/*
 * Adding records.
 */

/* Leaves out the record that is being put together, because it finds no room. */
static void leave_out(struct outbuf *o)
{
    o->used -= o->open;
    o->open = 0;
    o->skipping = o->rest = true;
}

static void append(struct outbuf *o, const void *bytes, size_t len)
{
    if (o->error || !len)
        return;
    o->untried += len;
    if (o->rest)
        return;
    if (o->skipping || o->open + len > RECORD_MAX || !make_room(o, len)) {
        leave_out(o);
        return;
    }
    memcpy(o->bytes + o->head + o->used, bytes, len);
    o->used += len;
    o->open += len;
}

/* Ends the record. Returns true when the record was kept. */
static bool end_record(struct outbuf *o, uint32_t mark)
{
    const bool empty = !o->open && !o->rest;

    if (o->error || empty)
        return !o->error;
    if (!o->rest && !make_record_room(o))
        leave_out(o);
    if (o->rest) {
        o->rest = false;
        o->left_out++;
        o->tells = true;
        return false;
    }
    o->record[o->first + o->records++] = (uint32_t)o->open | mark;
    o->open = 0;
    return true;
}

/* Appends a record that reports the gap. No record is open at that point: while records are left
 * out, nothing is kept. */
static void tell_gap(struct outbuf *o)
{
    char text[OUTBUF_GAP];
    const bool rest = o->rest;
    size_t len = o->gap ? o->gap(o->self, o->left_out, text) : 0;

    o->skipping = o->tells = o->rest = false;
    append(o, text, len);
    end_record(o, GAP_RECORD);
    o->rest = rest;
}

/*
 * Writing bytes.
 */

static size_t length(const struct outbuf *o, size_t i)
{
    return o->record[o->first + i] & RECORD_MAX;
}

/* Returns how many bytes to write with one call: as many whole records as the descriptor takes as a
 * whole. A record that is longer than that is written alone, and may be taken in parts. */
static size_t next_piece(const struct outbuf *o)
{
    size_t n = length(o, 0) - o->begun;

    if (!o->to.whole)
        return o->used - o->open;
    for (size_t i = 1; i < o->records && n + length(o, i) <= o->to.whole; i++)
        n += length(o, i);
    return n;
}

/* Removes the first `n` bytes, which have been written. */
static void written(struct outbuf *o, size_t n)
{
    o->head += n;
    o->used -= n;
    n += o->begun;
    while (o->records && n >= length(o, 0)) {
        n -= length(o, 0);
        o->first++;
        o->records--;
    }
    o->begun = n;
    if (!o->records)
        o->first = 0;
    if (!o->used)
        o->head = 0;
}

static void fail(struct outbuf *o)
{
    o->error = errno;
    o->used = o->open = o->begun = o->head = o->first = o->records = 0;
    o->blocked = o->skipping = o->rest = o->tells = false;
}

/* Writes while the descriptor takes bytes and at least `min` of them wait. */
static void write_out(struct outbuf *o, size_t min)
{
    if (o->error)
        return;
    o->blocked = false;
    while (o->records && o->used - o->open >= min) {
        ssize_t n = nonblock_write(&o->to, o->bytes + o->head, next_piece(o));
        if (n < 0 && errno != EAGAIN) {
            fail(o);
            return;
        }
        if (n <= 0) {
            o->blocked = true;
            o->untried = 0;
            break;
        }
        written(o, (size_t)n);
    }
}

/* Writes in the same way, and reports a gap once there is room. */
static void push_from(struct outbuf *o, size_t min)
{
    write_out(o, min);
    if (o->tells && o->used <= o->max / 2) {
        tell_gap(o);
        if (!o->blocked)
            write_out(o, min);
    }
}

static void push(struct outbuf *o)
{
    push_from(o, 1);
}

/* Writes only full pieces while the run goes on; a flush writes the rest. It tries a blocked reader
 * once more after AGAIN_AT bytes, because a loop that never sleeps does not poll the descriptor. */
static void push_some(struct outbuf *o)
{
    const size_t min = o->to.how == NONBLOCK_PLAIN ? FILE_AT : STDIO_SIZE;

    if (!o->blocked || o->untried >= AGAIN_AT)
        push_from(o, min);
}

/*
 * The public functions.
 */

void outbuf_on_gap(struct outbuf *o, outbuf_gap *gap, void *self)
{
    o->gap = gap;
    o->self = self;
}

void outbuf_put(struct outbuf *o, const void *bytes, size_t len)
{
    append(o, bytes, len);
}

bool outbuf_end(struct outbuf *o)
{
    bool taken = end_record(o, 0);

    push_some(o);
    return taken;
}

/* Takes the text that stdio writes. The text may begin and end anywhere, also within a line. */
static ssize_t take_text(void *cookie, const char *text, size_t len)
{
    struct outbuf *o = cookie;
    const char *at = text, *end = text + len, *line;

    while ((line = memchr(at, '\n', (size_t)(end - at)))) {
        append(o, at, (size_t)(line + 1 - at));
        end_record(o, 0);
        at = line + 1;
    }
    append(o, at, (size_t)(end - at));
    push_some(o);
    return (ssize_t)len;
}

FILE *outbuf_stream(struct outbuf *o)
{
    if (!o->stream) {
        o->stream = fopencookie(o, "w", (cookie_io_functions_t){.write = take_text});
        if (o->stream)
            setvbuf(o->stream, NULL, _IOFBF, STDIO_SIZE);
    }
    return o->stream;
}

/* Moves all text that was printed so far into the queue. A line that begins with '\r', which the
 * next one is drawn over, has no end and is worth nothing later. So it is written now or, while
 * records are left out, not at all. */
static void gather(struct outbuf *o)
{
    if (o->stream)
        fflush(o->stream);
    if (o->stream && o->open && o->bytes[o->head + o->used - o->open] == '\r')
        end_record(o, GAP_RECORD);
}

int outbuf_flush(struct outbuf *o, struct diag *d)
{
    gather(o);
    if (!o->blocked || o->untried >= AGAIN_AT)
        push(o);
    if (!o->error)
        return 0;
    return diag_fail(d, WAVE_ESYS, "cannot write to %s: %s", o->name,
                     o->error == EPIPE && o->stream ? "its reader is gone" : strerror(o->error));
}

int outbuf_error(const struct outbuf *o)
{
    return o->error;
}

struct pollfd outbuf_poll(const struct outbuf *o)
{
    return (struct pollfd){.fd = o->error || o->to.how == NONBLOCK_PLAIN ? -1 : o->to.fd,
                           .events = o->blocked ? POLLOUT : 0};
}

void outbuf_polled(struct outbuf *o, short revents)
{
    if (o->blocked && (revents & (POLLOUT | OUTBUF_GONE)))
        push(o);
}

uint64_t outbuf_left_out(const struct outbuf *o)
{
    return o->left_out;
}

bool outbuf_has_reader(const struct outbuf *o)
{
    return o->to.how != NONBLOCK_PLAIN;
}

/*
 * The end of a run.
 */

static wave_time now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (wave_time)t.tv_sec * WAVE_S + (wave_time)t.tv_nsec;
}

/* Waits until the descriptor has room, a signal comes, or the time `until` is reached. */
static void wait_for_room(struct outbuf *o, struct outbuf_end *e, wave_time at, wave_time until)
{
    struct pollfd fds[] = {{.fd = o->to.fd, .events = POLLOUT},
                           {.fd = e->signals, .events = POLLIN}};
    wave_time left = until > at ? until - at : 0;
    struct timespec t = {(time_t)(left / WAVE_S), (long)(left % WAVE_S)};
    int sig;

    if (ppoll(fds, 2, &t, NULL) <= 0)
        return;
    if ((fds[1].revents & POLLIN) && (sig = signals_next(e->signals)) != 0) {
        e->signal = sig;
        e->hurried = true;
    }
    if (fds[0].revents)
        push(o);
}

static wave_time later(wave_time a, wave_time b)
{
    return a > b ? a : b;
}

/* Returns until when to wait for the reader, counted from `at`. */
static wave_time patience(const struct outbuf_end *e, wave_time at)
{
    return e->hurried ? at + HURRY : time_min(at + PATIENCE, e->deadline);
}

static void drain_until_done(struct outbuf *o, struct outbuf_end *e)
{
    wave_time at = now(), hurry = at + HURRY, until;
    size_t left;
    bool hurried = e->hurried;

    gather(o);
    push(o);
    until = later(patience(e, at), hurry);
    while (!o->error && o->records && at < until && e->hurried == hurried) {
        left = o->used;
        wait_for_room(o, e, at, until);
        at = now();
        if (o->used < left && !e->hurried) /* the reader is slow, but it still reads */
            until = later(patience(e, at), hurry);
    }
    if (e->deadline <= at)
        e->hurried = true;
}

/* Leaves out all that waits, except the rest of a record whose beginning was written. */
static void cut(struct outbuf *o)
{
    const size_t keep = o->begun ? 1 : 0;
    const bool any = o->records > keep;

    for (size_t i = keep; i < o->records; i++)
        o->left_out += !(o->record[o->first + i] & GAP_RECORD);
    o->used = keep ? length(o, 0) - o->begun : 0;
    o->records = keep;
    o->open = 0;
    if (any && o->left_out)
        tell_gap(o);
}

void outbuf_drain(struct outbuf *o, struct outbuf_end *e)
{
    drain_until_done(o, e);
    if (!o->error && o->records)
        cut(o);
}

void outbuf_last(struct outbuf *o)
{
    gather(o);
    o->last = true;
    if (o->tells)
        tell_gap(o);
}

uint64_t outbuf_finish(struct outbuf *o, struct outbuf_end *e)
{
    uint64_t n = 0;

    drain_until_done(o, e);
    for (size_t i = 0; i < o->records; i++)
        n += !(o->record[o->first + i] & GAP_RECORD);
    return n;
}

void outbuf_close(struct outbuf *o)
{
    if (!o)
        return;
    if (o->stream)
        fclose(o->stream);
    nonblock_close(&o->to);
    free(o->bytes);
    free(o->record);
    free(o);
}

void outbuf_say(const char *text)
{
    char line[sizeof(struct diag) + 128];
    struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
    int n = snprintf(line, sizeof line, "tcpwave: %s\n", text);

    if (n >= (int)sizeof line) {
        n = (int)sizeof line - 1;
        line[n - 1] = '\n';
    }
    fflush(stderr);
    if (poll(&p, 1, (int)(HURRY / WAVE_MS)) > 0 && write(STDERR_FILENO, line, (size_t)n) < 0)
        return; /* there is no place left to report this */
}
