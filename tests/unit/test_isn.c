/* Tests SipHash against published values, and what RFC 6528 requires of ISNs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/core/isn.h"
#include "lib/core/siphash.h"

static const uint8_t secret[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
/* The same bytes as the key of the published vectors. */
static const struct siphash_key key = {{0x0706050403020100, 0x0f0e0d0c0b0a0908}};
static const struct flow flow = {
    .local = {{192, 0, 2, 1}}, .remote = {{192, 0, 2, 2}}, .lport = 40000, .rport = 80};

static void siphash_gives_the_published_values(void **state)
{
    static const struct {
        size_t len;
        uint64_t h13, h24;
    } v[] = {
        {0, 0xabac0158050fc4dc, 0x726fdb47dd0e0e31},  {1, 0xc9f49bf37d57ca93, 0x74f839c593dc67fd},
        {7, 0xd3927d989bb11140, 0xab0200f58b01d137},  {8, 0x369095118d299a8e, 0x93f5f5799a932462},
        {15, 0xd320d86d2a519956, 0xa129ca6149be45e5}, {40, 0xc1d2363299e41531, 0x0e3ea96b5304a7d0},
    };
    uint8_t bytes[40];

    (void)state;
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
        assert_true(siphash13(&key, bytes, v[i].len) == v[i].h13);
        assert_true(siphash24(&key, bytes, v[i].len) == v[i].h24);
    }
}

static void keys_for_two_purposes_or_of_two_secrets_differ(void **state)
{
    const uint8_t other[16] = {1};
    const struct siphash_key a = siphash_key(secret, 1), b = siphash_key(secret, 2),
                             c = siphash_key(other, 1), again = siphash_key(secret, 1);

    (void)state;
    assert_memory_not_equal(&a, &b, sizeof a);
    assert_memory_not_equal(&a, &c, sizeof a);
    assert_memory_equal(&a, &again, sizeof a);
    assert_true(a.k[0] != a.k[1]);
}

static void rfc9293_3_4_1_a_flows_isn_moves_by_one_every_4_microseconds(void **state)
{
    const struct seq first = isn(&key, &flow, 0);

    (void)state;
    assert_int_equal(isn(&key, &flow, 3999).v, first.v);
    assert_int_equal(seq_diff(isn(&key, &flow, 4000), first), 1);
    assert_int_equal(seq_diff(isn(&key, &flow, WAVE_S), first), 250000);
    /* It comes round in some 4.77 hours. */
    assert_int_equal(isn(&key, &flow, (wave_time)4000 << 32).v, first.v);
}

static void rfc6528_3_each_part_of_the_flow_and_the_key_give_another_origin(void **state)
{
    struct flow f = flow;
    uint8_t *byte = (uint8_t *)&f;
    const struct siphash_key other = {{1, 2}};
    const uint32_t origin = isn(&key, &flow, 0).v;

    (void)state;
    assert_int_not_equal(isn(&other, &flow, 0).v, origin);
    for (size_t i = 0; i < offsetof(struct flow, zero); i++) {
        if (!flow.v6 && i < offsetof(struct flow, lport) && i % 16 >= 4)
            continue; /* of an IPv4 address, these are zeros */
        byte[i] ^= 1;
        assert_int_not_equal(isn(&key, &f, 0).v, origin);
        byte[i] ^= 1;
    }
}

/* Neighbouring ports' origins have nothing in common: their differences fill all 32 bits evenly. */
static void rfc6528_3_origins_of_neighbouring_ports_are_unrelated(void **state)
{
    unsigned ones[32] = {0};
    struct flow f = flow;

    (void)state;
    for (unsigned port = 1; port <= 4096; port++) {
        uint32_t differs;

        f.lport = (uint16_t)port;
        differs = isn(&key, &f, 0).v;
        f.lport = (uint16_t)(port + 1);
        differs ^= isn(&key, &f, 0).v;
        for (unsigned bit = 0; bit < 32; bit++)
            ones[bit] += differs >> bit & 1;
    }
    /* Half of 4,096 with a standard deviation of 32: six of them either way. */
    for (unsigned bit = 0; bit < 32; bit++)
        assert_in_range(ones[bit], 2048 - 192, 2048 + 192);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash_gives_the_published_values),
        cmocka_unit_test(keys_for_two_purposes_or_of_two_secrets_differ),
        cmocka_unit_test(rfc9293_3_4_1_a_flows_isn_moves_by_one_every_4_microseconds),
        cmocka_unit_test(rfc6528_3_each_part_of_the_flow_and_the_key_give_another_origin),
        cmocka_unit_test(rfc6528_3_origins_of_neighbouring_ports_are_unrelated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
