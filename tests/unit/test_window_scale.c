/* Tests a buffer that needs a window scale (RFC 7323, 2): how much of it is offered, and that as
 * much is accepted. */
#include "tests/unit/engine.h"

/* Rounding to the scale must not add up: after any number of segments the edge is no further away
 * than the buffer reaches. */
static void rfc7323_2_4_rounding_does_not_drift_beyond_the_buffer(void **state)
{
    (void)state;
    rig_start(&variants[1]);
    rig.env.config.rcvbuf = 4 << 20;
    establish(RTT);
    uint32_t next = 1;
    while (next + 1000 <= rig.edge) {
        in(ACK, next, 1, WND, 1000);
        next += 1000;
        pass(50 * WAVE_MS);
    }
    check(rig.edge - 1 <= (4u << 20) + 127, "%u bytes were offered", rig.edge - 1);
    take(next - 1);
}

static void a_four_mebibyte_buffer_is_offered_and_filled(void **state)
{
    (void)state;
    rig_start(&variants[1]);
    rig.env.config.rcvbuf = 4 << 20;
    establish(RTT);
    uint32_t next = 1;
    while (next < 1 + (4u << 20)) {
        uint32_t room = rig.edge - next;
        if (room == 0)
            break;
        uint32_t n = room < 60000 ? room : 60000;
        in(ACK, next, 1, WND, n);
        next += n;
        pass(100 * WAVE_MS);
    }
    check(next - 1 >= (4u << 20) - 65536, "only %u bytes fit", next - 1);
    take(next - 1);
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(rfc7323_2_4_rounding_does_not_drift_beyond_the_buffer),
        cmocka_unit_test(a_four_mebibyte_buffer_is_offered_and_filled),
    };
    return run_cases(cases, COUNT(cases));
}
