/*
 * Moves the data of one connection. transfer_feed() reads the source into a buffer and gives it to
 * the engine as it has room; transfer_drain() writes what the engine has received to the output.
 */
#include "lib/run/transfer.h"

#include <limits.h>

int transfer_open(struct transfer *x, const struct transfer_config *config, struct diag *d)
{
    int error;

    x->ended = x->starved = x->waits_for_source = x->waits_for_out = false;
    x->at = x->buffer;
    x->have = 0;
    x->taken = 0;
    x->read_bytes = config->read_bytes;
    x->out = FILE_NONE;
    error = source_open(&x->source, config->data, config->len, config->file, d);
    if (!error && config->output) {
        error = file_open_write(&x->out, config->output, d);
        if (error)
            source_close(&x->source);
    }
    return error;
}

int transfer_close(struct transfer *x, struct diag *d)
{
    source_close(&x->source);
    return x->out.fd < 0 ? 0 : file_close(&x->out, d);
}

/* Reads on when nothing is left. Returns how many bytes there are, 0 if there are none now or at
 * the end, or WAVE_ESYS. They are read to where the connection will store them, if it knows that
 * place, and otherwise into the buffer. If the connection has no room, one byte is enough to show
 * whether this is the end. */
static int refill(struct transfer *x, const struct conn *c, struct diag *d)
{
    uint8_t *to;
    size_t room;
    int n;

    if (x->have || x->ended)
        return (int)x->have;
    room = conn_send_place(c, &to);
    if (!room) {
        to = x->buffer;
        room = conn_send_room(c) ? sizeof x->buffer : 1;
    }
    n = source_read(&x->source, to, room, d);
    x->waits_for_source = n == WAVE_EAGAIN;
    if (n == WAVE_EAGAIN)
        return 0;
    if (n < 0)
        return n;
    x->ended = n == 0;
    x->at = to;
    x->have = (size_t)n;
    return n;
}

int transfer_feed(struct transfer *x, struct conn *c, wave_time now, struct diag *d)
{
    int total = 0, n = 0;

    x->starved = false;
    while (total < INT_MAX / 2) {
        /* At the end of the data the source is read even without room, so that a close need not
         * wait for one more acknowledgement. */
        if (!conn_send_room(c) && x->have)
            break;
        n = refill(x, c, d);
        if (n <= 0)
            break;
        n = conn_send(c, now, x->at, x->have);
        if (n <= 0) {
            x->starved = n == 0 && conn_send_room(c);
            n = 0; /* no room, or closed: the state decides what comes next */
            break;
        }
        x->at += n;
        x->have -= (size_t)n;
        total += n;
    }
    return n < 0 ? n : total;
}

bool transfer_fed(const struct transfer *x)
{
    return x->ended && !x->have;
}

int transfer_drain(struct transfer *x, struct conn *c, wave_time now, struct diag *d)
{
    const uint8_t *data;
    size_t len, left = x->read_bytes ? x->read_bytes : INT_MAX / 2;
    int total = 0;

    x->waits_for_out = false;
    while (left > 0 && (len = conn_peek(c, &data)) > 0) {
        int n = (int)(len < left ? len : left);
        if (x->out.fd >= 0)
            n = file_write(&x->out, data, (size_t)n, d);
        if (n == WAVE_EAGAIN) {
            x->waits_for_out = true;
            break;
        }
        if (n < 0)
            return n;
        conn_consume(c, now, (size_t)n);
        x->taken += (unsigned)n;
        total += n;
        left -= (size_t)n;
    }
    return total;
}

unsigned transfer_poll(const struct transfer *x, struct pollfd *fds)
{
    unsigned n = 0;

    if (x->waits_for_source && source_fd(&x->source) >= 0)
        fds[n++] = (struct pollfd){.fd = source_fd(&x->source), .events = POLLIN};
    if (x->waits_for_out)
        fds[n++] = (struct pollfd){.fd = x->out.to.fd, .events = POLLOUT};
    return n;
}
