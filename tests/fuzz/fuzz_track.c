/*
 * The tracker between two sides that send anything. Its views stay in range; a state is proved only
 * by a segment that was seen; both sides are judged alike, independently of which one is called A;
 * and the shortcut for plain segments changes nothing.
 */
#include "lib/core/track_infer.h"
#include "tests/fuzz/fuzz.h"

struct track_pair {
    struct track t, mirror; /* `mirror` has the sides the other way round, and takes no shortcut */
    struct cursor in;
    wave_time now;
    uint32_t number;
    struct seq next[TRACK_SIDES]; /* behind each side's last segment */
};

static void hold(const struct track_pair *p, unsigned side)
{
    const struct track_view v = track_view(&p->t, (enum track_side)side);
    const struct track_view m = track_view(&p->mirror, (enum track_side) !side);

    require(v.state >= STATE_CLOSED && v.state < STATE_COUNT);
    require(v.certainty == CERTAINTY_ASSUMED || v.certainty == CERTAINTY_PROVED);
    require(v.state != STATE_UNKNOWN || v.certainty == CERTAINTY_ASSUMED);
    require(v.evidence <= p->number);
    require(v.certainty != CERTAINTY_PROVED || v.evidence > 0);
    require(v.cause && strlen(v.cause) < 64);
    require(v.state == m.state && v.certainty == m.certainty && v.evidence == m.evidence);
    require(memcmp(&p->t.half[side], &p->mirror.half[!side], sizeof p->t.half[side]) == 0);
}

/* The next segment of a side: what goes with how the last ones went, or nearly. */
static void segment(struct track_pair *p, unsigned side, uint8_t what)
{
    static const uint16_t usual[] = {SEG_ACK,           SEG_SYN, SEG_SYN | SEG_ACK,
                                     SEG_FIN | SEG_ACK, SEG_RST, SEG_RST | SEG_ACK,
                                     SEG_PSH | SEG_ACK, 0};
    const uint8_t shape = cursor_u8(&p->in);
    uint8_t option_bytes[OPT_BYTES_MAX];
    struct seg s = {.wnd = 0xffff};
    unsigned notes;

    s.flags = shape & 0x80 ? cursor_u16(&p->in) & 0x1ff : usual[what >> 2 & 7];
    s.seq = shape & 1 ? fuzz_near(&p->in, p->next[side]) : p->next[side];
    s.ack = shape & 2 ? fuzz_near(&p->in, p->next[!side]) : p->next[!side];
    if (shape & 4)
        s.wnd = cursor_u16(&p->in);
    if (shape & 8)
        s.len = 1 + cursor_u16(&p->in);
    if (shape & 16)
        fuzz_options(&p->in, option_bytes, &s.opt);
    if (shape & 32)
        s.seq = seq_sub(s.seq, 1);
    s.data = s.len ? pattern_at(0) : NULL;
    if (!(shape & 1) && !(s.flags & SEG_RST) && !(shape & 32))
        p->next[side] = seg_end(&s);
    p->number++;
    notes = track_segment(&p->t, p->now, (enum track_side)side, &s);
    require(notes < 2 * TRACK_WINDOW_PROBE);
    require(track_segment_in_full(&p->mirror, p->now, (enum track_side) !side, &s) == notes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct track_pair p = {.in = cursor_of(bytes, size)};

    pattern_fill();
    track_init(&p.t);
    track_init(&p.mirror);
    p.now = cursor_u8(&p.in) & 1 ? WAVE_NEVER / 2 : WAVE_S;
    p.next[TRACK_A] = seq_of(cursor_u8(&p.in) & 1 ? 0xfffffff0u : 1000);
    p.next[TRACK_B] = seq_of(cursor_u8(&p.in) & 1 ? 0x7ffffff0u : 2000);
    while (p.in.left > 0) {
        const uint8_t what = cursor_u8(&p.in);

        if (what < 240) {
            segment(&p, what & 1, what);
        } else if (what < 250) {
            p.now += cursor_u16(&p.in) * (what & 1 ? WAVE_MS : WAVE_S);
        } else {
            track_silent(&p.t, (enum track_side)(what & 1));
            track_silent(&p.mirror, (enum track_side) !(what & 1));
        }
        p.now += WAVE_US;
        hold(&p, TRACK_A);
        hold(&p, TRACK_B);
    }
    return 0;
}
