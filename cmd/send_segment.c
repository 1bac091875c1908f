/*
 * The segment that `tcpwave send` sends: its data and numbers, and all its fields as the options
 * say.
 */
#include "cmd/send.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "cmd/platform.h"
#include "lib/io/signals.h"

/* Reads all data that is to be sent. It has to fit into one packet. */
static int read_data(struct send *s, struct source *source, struct diag *d)
{
    uint32_t room = crafted_room(s->target.v6, s->options->options_len);
    int n = 1;

    if (s->options->hex.at) {
        memcpy(s->data, s->options->hex.at, s->options->hex.len);
        s->segment.len = (uint32_t)s->options->hex.len;
    }
    while (n != 0 && !s->options->hex.at) {
        struct pollfd fd = {.fd = source_fd(source), .events = POLLIN};
        n = source_read(source, s->data + s->segment.len, room + 1 - s->segment.len, d);
        if (n == WAVE_EAGAIN) {
            signals_wait(&fd);
            continue;
        }
        if (n < 0)
            return n;
        s->segment.len += (uint32_t)n;
        if (s->segment.len > room)
            return diag_fail(d, WAVE_ESYS,
                             "%s has more than %u bytes, which is what one segment can carry",
                             s->options->data.file ? s->options->data.file : "the data", room);
    }
    s->segment.data = s->data;
    return 0;
}

/* Chooses the numbers: random ones where the user gave none, so that no other run has the same. */
static int choose_numbers(struct send *s, struct diag *d)
{
    const struct send_options *o = s->options;
    uint32_t random[3];

    if (platform_random(s->options->show.platform, random, sizeof random) != 0)
        return diag_fail(d, WAVE_ESYS, "the system gives no random bytes: %s", strerror(errno));
    s->segment.seq = o->has_seq ? o->seq : random[0];
    s->segment.ack = o->has_ack ? o->ack : o->flags & SEG_ACK ? random[1] : 0;
    s->segment.id = o->id != SEND_UNSET ? o->id : random[2] >> (s->target.v6 ? 0 : 16);
    return 0;
}

static void fill_segment(struct send *s)
{
    const struct send_options *o = s->options;
    const struct wire_info *info = s->port->info;
    struct crafted_segment *f = &s->segment;

    f->flow = (struct flow){.local = info->local,
                            .remote = s->target.addr,
                            .lport = info->lport,
                            .rport = s->target.port,
                            .v6 = s->target.v6};
    f->flags = (uint16_t)o->flags;
    f->wnd = (uint16_t)o->window;
    f->urp = (uint16_t)o->urgent;
    f->reserved = (uint8_t)o->reserved;
    f->has_offset = o->offset != SEND_UNSET;
    f->offset = f->has_offset ? (uint8_t)o->offset : 0;
    f->checksum_how = o->bad_checksum             ? CRAFTED_WRONG
                      : o->checksum != SEND_UNSET ? CRAFTED_GIVEN
                                                  : CRAFTED_RIGHT;
    f->checksum = (uint16_t)o->checksum;
    f->options_len = o->options_len;
    memcpy(f->options, o->options, o->options_len);
    f->ttl = (uint8_t)o->ttl;
    f->tos = (uint8_t)o->tos;
    f->df = o->df;
    f->flow_label = o->flow_label != SEND_UNSET ? o->flow_label : 0;
    f->fragment = o->fragment;
}

/* Returns whether our own segments can be parsed when they are captured: not if they are fragments,
 * nor if the header claims to be longer than the segment. */
static bool readable(const struct crafted_segment *f)
{
    uint32_t len = SEG_HEADER + ((f->options_len + 3u) & ~3u) + f->len;

    return !f->fragment && (!f->has_offset || (f->offset >= 5 && f->offset * 4u <= len));
}

int send_plan(struct send *s, struct source *source, struct diag *d)
{
    const struct send_options *o = s->options;
    uint32_t mtu = s->port->info->mtu, len;
    int error = read_data(s, source, d);

    if (!error)
        error = choose_numbers(s, d);
    if (error)
        return error;
    fill_segment(s);
    if ((error = crafted_open(&s->crafted, d)) ||
        (error = crafted_build(s->crafted, &s->segment, d)))
        return error;
    crafted_fragment(s->crafted, 0, &len);
    if (mtu && len > mtu)
        return diag_fail(d, WAVE_ESYS,
                         "an IP packet of %u bytes is larger than the MTU of %s, %u; --fragment N "
                         "sends it in pieces",
                         len, s->port->info->interface, mtu);
    s->captured_too = !s->bulk && readable(&s->segment);
    s->plan = (struct match_plan){.seq = s->segment.seq,
                                  .ack = s->segment.ack,
                                  .flags = s->segment.flags,
                                  .len = s->segment.len + !!(s->segment.flags & SEG_SYN) +
                                         !!(s->segment.flags & SEG_FIN),
                                  .step = o->seq_step,
                                  .lport = s->port->info->lport,
                                  .ports = s->plan.ports,
                                  .wait = o->wait,
                                  .count = o->count};
    return match_open(&s->match, &s->plan) ? diag_fail(d, WAVE_ENOMEM, "out of memory") : 0;
}
