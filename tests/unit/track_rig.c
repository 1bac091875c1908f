/* Drives one tracker with scripted segments. See track_rig.h. */
#include "tests/unit/track_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/track_twice.h"

struct track_rig watched;

int fresh(void **unused)
{
    (void)unused;
    watched = (struct track_rig){
        .now = 7 * WAVE_S, .iss = {0xffffffff, 0x7ffffffe}, .window = {60000, 60000}};
    track_init(&watched.t);
    return 0;
}

void wait_ms(uint32_t milliseconds)
{
    watched.now += milliseconds * WAVE_MS;
}

unsigned give(enum track_side from, uint16_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
    static const uint8_t data[70000];
    struct seg s = {.seq = seq_of(watched.iss[from] + seq),
                    .flags = flags,
                    .wnd = watched.window[from],
                    .len = len,
                    .data = len ? data : NULL};
    if (flags & ACK)
        s.ack = seq_of(watched.iss[!from] + ack);
    if (flags & SYN)
        s.opt = watched.options;
    wait_ms(1);
    return track_twice(&watched.t, watched.now, from, &s);
}

void side_is(enum track_side side, enum state state, unsigned certainty, int line)
{
    struct track_view v = track_view(&watched.t, side);
    if (v.state != state || v.certainty != certainty)
        fail_msg("line %d: %s is %s %s (segment %u: %s), not %s %s", line,
                 side == TRACK_A ? "A" : "B", state_name(v.state),
                 v.certainty == CERTAINTY_PROVED ? "proved" : "assumed", v.evidence, v.cause,
                 state_name(state), certainty == CERTAINTY_PROVED ? "proved" : "assumed");
}

void evidence_is(enum track_side side, uint32_t number, const char *cause)
{
    struct track_view v = track_view(&watched.t, side);
    assert_int_equal(v.evidence, number);
    assert_string_equal(v.cause, cause);
}

void open_actively(void)
{
    a(SYN, 0, 0, 0);
    b(SYN | ACK, 0, 1, 0);
    a(ACK, 1, 1, 0);
}

void established(void)
{
    open_actively();
    a(ACK, 1, 1, 100);
    b(ACK, 1, 101, 0);
    b(ACK, 1, 101, 100);
    a(ACK, 101, 101, 0);
    peer_is(ESTABLISHED, PROVED);
    we_are(ESTABLISHED, PROVED);
    wait_ms(LATE);
}

void half_closed(void)
{
    established();
    a(FIN | ACK, 101, 101, 0);
    b(ACK, 101, 102, 0);
}

void half_closed_by_the_peer(void)
{
    established();
    b(FIN | ACK, 101, 101, 0);
    a(ACK, 101, 102, 0);
}

void closed_by_us(void)
{
    half_closed();
    b(FIN | ACK, 101, 102, 0);
    a(ACK, 102, 102, 0);
}
