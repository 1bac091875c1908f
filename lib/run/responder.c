/*
 * Sends and receives the data of a listener's connections. responder_move() serves one connection:
 * it gives the engine as many bytes as it may hold, from the data, the file or what was received,
 * and takes what has come.
 */
#include "lib/run/responder.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/core/diag.h"

/* On one connection, as much data waits to be sent for the first time as the network and the peer
 * would accept immediately, so that the acknowledgement of a whole window finds the next window
 * ready; and at least this many bytes wait. A full send buffer for each of thousands of connections
 * would only cost memory. */
#define BACKLOG 65536u

static int open_source(struct responder *v, const struct responder_config *config, struct diag *d)
{
    int error = file_open_read(&v->source, config->serve, d);

    if (error)
        return error;
    if (!v->source.regular) {
        file_close(&v->source, NULL);
        return diag_fail(d, WAVE_ESYS,
                         "cannot serve %s: it is not a regular file, so it can be read only once",
                         config->serve);
    }
    return 0;
}

int responder_open(struct responder *v, const struct responder_config *config, struct diag *d)
{
    int error = 0;

    v->kind = config->kind;
    v->data = config->data;
    v->data_len = config->len;
    v->after_fin = config->after_fin;
    v->read_bytes = config->read_bytes;
    v->source = v->out = FILE_NONE;
    v->waits_for_out = v->reads_later = v->starved = false;
    if (v->kind == RESPONDER_FILE)
        error = open_source(v, config, d);
    if (!error && config->output) {
        error = file_open_write(&v->out, config->output, d);
        if (error)
            file_close(&v->source, NULL);
    }
    return error;
}

int responder_close(struct responder *v, struct diag *d)
{
    file_close(&v->source, NULL);
    return v->out.fd < 0 ? 0 : file_close(&v->out, d);
}

const char *responder_text(const struct responder *v)
{
    static const char *const text[] = {[RESPONDER_DISCARD] = "receives, and sends nothing",
                                       [RESPONDER_ECHO] = "sends back what it receives",
                                       [RESPONDER_DATA] = "sends its data to every client",
                                       [RESPONDER_FILE] = "sends its file to every client"};

    return text[v->kind];
}

/* Returns how many bytes may be added to what waits to be sent. */
static size_t room_in(const struct conn *c)
{
    size_t flight = conn_flight(c), unacked = conn_unacked(c);
    size_t waiting = unacked > flight ? unacked - flight : 0, room = conn_send_room(c);
    size_t window = conn_window(c);
    size_t max = window > BACKLOG ? window : BACKLOG;

    if (waiting >= max)
        return 0;
    return room < max - waiting ? room : max - waiting;
}

/* Provides our next bytes from offset `at`, up to `room`. Returns how many, 0 at the end, or
 * WAVE_ESYS. The file is read for each connection instead of being mapped: if another program
 * truncated a mapped file, SIGBUS would end the process. */
static int next_bytes(struct responder *v, uint64_t at, size_t room, const uint8_t **bytes,
                      struct diag *d)
{
    ssize_t n;

    if (room > RESPONDER_ROOM)
        room = RESPONDER_ROOM;
    if (v->kind == RESPONDER_DATA) {
        size_t left = v->data_len - (size_t)at;
        *bytes = v->data + at;
        return (int)(left < room ? left : room);
    }
    if (v->kind != RESPONDER_FILE)
        return 0;
    *bytes = v->buffer;
    do
        n = pread(v->source.fd, v->buffer, room, (off_t)at);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return diag_fail(d, WAVE_ESYS, "cannot read %s: %s", v->source.name, strerror(errno));
    return (int)n;
}

static int give(struct responder *v, struct responder_conn *p, struct conn *c, wave_time now,
                struct diag *d)
{
    const uint8_t *bytes;
    bool moved = false;

    if (v->after_fin && !conn_fin_received(c))
        return 0;
    while (!p->ended) {
        size_t room = room_in(c);
        /* One byte is asked for even if there is no room, so that the end is noticed and our FIN
         * need not wait for one more acknowledgement. */
        int n = next_bytes(v, p->given, room ? room : 1, &bytes, d);
        if (n < 0)
            return n;
        p->ended = n == 0;
        if (!n || !room)
            break;
        n = conn_send(c, now, bytes, (size_t)n);
        v->starved |= n == 0;
        if (n <= 0)
            break; /* no memory, or closed: the state decides what comes next */
        p->given += (uint64_t)n;
        moved = true;
    }
    return moved;
}

/* Takes what was received. Returns how many bytes, 0 if there is no room for them now, or
 * WAVE_ESYS. */
static int take_some(struct responder *v, struct conn *c, wave_time now, const uint8_t *bytes,
                     size_t len, struct diag *d)
{
    int n = (int)(len < (1u << 30) ? len : 1u << 30);

    if (v->kind == RESPONDER_ECHO) {
        size_t room = room_in(c);
        int sent = room ? conn_send(c, now, bytes, len < room ? len : room) : 0;
        v->starved |= room && sent == 0;
        /* After our own FIN nothing can be sent back: what still comes is discarded. */
        return sent == WAVE_ESTATE ? n : sent;
    }
    if (v->out.fd < 0)
        return n;
    n = file_write(&v->out, bytes, len, d);
    v->waits_for_out |= n == WAVE_EAGAIN;
    return n == WAVE_EAGAIN ? 0 : n;
}

static int take(struct responder *v, struct responder_conn *p, struct conn *c, wave_time now,
                struct diag *d)
{
    const uint8_t *bytes;
    bool moved = false;
    size_t len, left = v->read_bytes ? v->read_bytes : SIZE_MAX;

    while (left > 0 && (len = conn_peek(c, &bytes)) > 0) {
        int n = take_some(v, c, now, bytes, len < left ? len : left, d);
        if (n < 0)
            return n;
        if (!n)
            break;
        if (v->kind == RESPONDER_ECHO)
            p->given += (uint64_t)n;
        p->taken += (uint64_t)n;
        conn_consume(c, now, (size_t)n);
        left -= (size_t)n;
        moved = true;
    }
    return moved;
}

int responder_move(struct responder *v, struct responder_conn *p, struct conn *c, wave_time now,
                   struct diag *d)
{
    int taken = v->reads_later ? 0 : take(v, p, c, now, d), given;

    if (taken < 0)
        return taken;
    given = give(v, p, c, now, d);
    return given < 0 ? given : taken || given;
}

bool responder_given(const struct responder *v, const struct responder_conn *p,
                     const struct conn *c)
{
    const uint8_t *bytes;

    if (v->kind == RESPONDER_ECHO)
        return (p->given || conn_fin_received(c)) && !conn_peek(c, &bytes);
    return p->ended;
}

unsigned responder_poll(const struct responder *v, struct pollfd *fds)
{
    if (!v->waits_for_out)
        return 0;
    fds[0] = (struct pollfd){.fd = v->out.to.fd, .events = POLLOUT};
    return 1;
}
