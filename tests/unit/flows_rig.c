#include "tests/unit/flows_rig.h"

#include <string.h>

#include "lib/io/heap.h"

struct flows_rig watching;

static void keep(void *self, const struct watched *w, const struct measure_room *room)
{
    (void)self;
    if (watching.overs < RIG_KEPT) {
        watching.kept[watching.overs] = *w;
        for (unsigned i = 0; i < TRACK_SIDES; i++)
            for (unsigned k = 0; k < 3; k++)
                watching.rtt[watching.overs][i][k] = measure_rtt(&w->measure.side[i].rtt, room,
                                                                 k == 0   ? 0
                                                                 : k == 1 ? 50
                                                                          : 95);
    }
    watching.overs++;
}

int flows_fresh(void **state)
{
    static const uint8_t secret[16] = {1};

    (void)state;
    memset(&watching, 0, sizeof watching);
    watching.now = 1700000000 * WAVE_S;
    watching.flow = (struct flow){
        .local = {{192, 0, 2, 1}}, .remote = {{192, 0, 2, 80}}, .lport = 40000, .rport = 80};
    watching.iss[TRACK_A] = 0xfffffff0u;
    watching.iss[TRACK_B] = 0x7ffffff0u;
    watching.window[TRACK_A] = watching.window[TRACK_B] = 60000;
    watching.ttl[TRACK_A] = watching.ttl[TRACK_B] = 64;
    watching.id[TRACK_A] = 100;
    watching.id[TRACK_B] = 65500;
    watching.place = 1;
    watching.flows = flows_create(siphash_key(secret, 1), heap_resize, keep, NULL);
    return watching.flows ? 0 : -1;
}

int flows_done(void **state)
{
    (void)state;
    flows_free(watching.flows);
    return 0;
}

void after_ms(uint32_t ms)
{
    watching.now += ms * WAVE_MS;
}

void flows_give(enum track_side from, uint16_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
    struct packet p = {.kind = PACKET_TCP,
                       .flow = from == TRACK_A ? watching.flow : flow_reverse(&watching.flow),
                       .ttl = watching.ttl[from],
                       .id = watching.id[from],
                       .length = 40 + len};
    const struct flows_segment s = {.at = watching.now,
                                    .packet = &p,
                                    .hash = flows_hash(watching.flows, &p.flow),
                                    .place = watching.place};

    p.seg = (struct seg){.seq = seq_of(watching.iss[from] + seq),
                         .ack = seq_of(flags & SEG_ACK ? watching.iss[!from] + ack : 0),
                         .flags = flags,
                         .wnd = watching.window[from],
                         .len = len,
                         .opt = watching.opt[from]};
    watching.taken = flows_segment(watching.flows, &s);
    watching.now += WAVE_MS;
    if (watching.id[from])
        watching.id[from]++;
}

void shake_hands(void)
{
    a(SYN, 0, 0, 0);
    b(SYN | ACK, 0, 1, 0);
    a(ACK, 1, 1, 0);
}

const struct watched *over(void)
{
    flows_end(watching.flows);
    assert_true(watching.overs > 0 && watching.overs <= RIG_KEPT);
    return &watching.kept[watching.overs - 1];
}

const struct flow_verdict *verdict_of(const struct watched *w)
{
    static struct flow_verdict v;

    flow_verdict(w, &v);
    return &v;
}

void all_findings(const struct watched *w, struct findings *list)
{
    struct findings full = {.count = 0};

    list->count = list->left_out = 0;
    flow_findings(w, list);
    flow_findings_in_full(w, &full);
    assert_int_equal(list->count, full.count);
    for (unsigned i = 0; i < full.count; i++)
        assert_string_equal(list->at[i].code, full.at[i].code);
}

bool has_finding(const struct watched *w, const char *code)
{
    struct findings list;

    all_findings(w, &list);
    for (unsigned i = 0; i < list.count; i++)
        if (strcmp(list.at[i].code, code) == 0)
            return true;
    return false;
}
