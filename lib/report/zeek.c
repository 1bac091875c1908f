/* Zeek's view of an endpoint is coarser than TCP's states: whether it has sent a SYN, is taken to
 * be established, has sent a FIN, or a RST. */
#include "lib/report/zeek.h"

#include <string.h>

enum { INACTIVE, SYN_SENT, SYN_ACK_SENT, PARTIAL, ESTABLISHED, CLOSED, RESET };

enum {
    LETTER_SYN = 1,
    LETTER_FIN = 2,
    LETTER_RST = 4,
    LETTER_ACK = 8,
    LETTER_DATA = 16,
    LETTER_BOTH = 32,
    LETTER_MIXED = 64
};

static void letter(struct zeek *z, enum track_side from, char c)
{
    if (z->length + 1 < ZEEK_HISTORY)
        z->history[z->length++] = (char)(from == TRACK_A ? c : c - 'A' + 'a');
}

/* Gives a letter that a side has once. Returns whether it had it already. */
static bool once(struct zeek *z, enum track_side from, unsigned bit, char c)
{
    if (z->letters[from] & bit)
        return true;
    z->letters[from] |= (uint8_t)bit;
    letter(z, from, c);
    return false;
}

/* Gives a letter that a side has once for each number. */
static void for_each(struct zeek *z, enum track_side from, unsigned bit, char c, uint32_t *last,
                     uint32_t number)
{
    if (once(z, from, bit, c) && *last != number)
        letter(z, from, c);
    *last = number;
}

/* Gives a letter at the 1st time, the 10th, the 100th. */
static void scaled(struct zeek *z, enum track_side from, char c, uint32_t *count)
{
    uint32_t power = 1;

    ++*count;
    while (power < *count && power <= UINT32_MAX / 10)
        power *= 10;
    if (power == *count)
        letter(z, from, c);
}

void zeek_turned(struct zeek *z)
{
    z->history[z->length++] = '^';
}

static void history(struct zeek *z, enum track_side from, const struct seg *s)
{
    const bool syn = s->flags & SEG_SYN, fin = s->flags & SEG_FIN, rst = s->flags & SEG_RST;

    if (fin && rst)
        once(z, from, LETTER_BOTH, 'I');
    else if (syn + fin + rst > 1)
        once(z, from, LETTER_MIXED, 'Q');
    else if (syn)
        for_each(z, from, LETTER_SYN, s->flags & SEG_ACK ? 'H' : 'S', &z->syn[from], s->seq.v);
    else if (fin)
        for_each(z, from, LETTER_FIN, 'F', &z->fin[from], s->seq.v + s->len);
    else if (rst)
        for_each(z, from, LETTER_RST, 'R', &z->rst[from], s->seq.v);
    else if (s->len)
        once(z, from, LETTER_DATA, 'D');
    else if (s->flags & SEG_ACK)
        once(z, from, LETTER_ACK, 'A');
}

static void enter(struct zeek *z, enum track_side side, uint8_t state)
{
    z->before[side] = z->state[side];
    z->state[side] = state;
}

/* The first segment of a side. */
static void first(struct zeek *z, enum track_side from, const struct seg *s)
{
    const enum track_side peer = from == TRACK_A ? TRACK_B : TRACK_A;

    if ((s->flags & SEG_SYN) && from == TRACK_A) {
        enter(z, from, s->flags & SEG_ACK ? SYN_ACK_SENT : SYN_SENT);
    } else if (s->flags & SEG_SYN) {
        if (z->state[peer] == SYN_SENT)
            enter(z, peer, ESTABLISHED);
        enter(z, from, ESTABLISHED);
    }
    if (s->flags & SEG_FIN)
        enter(z, from, CLOSED);
    if (s->flags & SEG_RST)
        enter(z, from, RESET);
    if (z->state[from] != INACTIVE || (from == TRACK_B && !s->len && z->state[peer] == SYN_SENT))
        return;
    enter(z, from, (s->flags & SEG_ACK) && z->state[peer] == ESTABLISHED ? ESTABLISHED : PARTIAL);
}

/* Any later one. */
static void later(struct zeek *z, enum track_side from, const struct seg *s)
{
    const enum track_side peer = from == TRACK_A ? TRACK_B : TRACK_A;
    const uint8_t state = z->state[from];

    if (state == RESET)
        return;
    if (state == PARTIAL && (s->flags & (SEG_SYN | SEG_ACK)) == SEG_SYN &&
        z->state[peer] == INACTIVE)
        enter(z, from, SYN_SENT);
    if ((s->flags & SEG_FIN) && !(s->flags & SEG_RST) && state != CLOSED) {
        enter(z, from, CLOSED);
        /* A FIN and then a RST is a normal end, once the other side's FIN comes. */
        if ((state == ESTABLISHED || state == PARTIAL) && z->state[peer] == RESET &&
            z->before[peer] == CLOSED)
            enter(z, peer, CLOSED);
    }
    if ((s->flags & SEG_RST) && !(state == CLOSED && z->state[peer] == CLOSED))
        enter(z, from, RESET);
}

/* Returns whether the side is established, or has sent its FIN after it was: only then is a gap
 * taken for one. */
static bool clean(const struct zeek *z, enum track_side side)
{
    return z->state[side] == ESTABLISHED ||
           (z->state[side] == CLOSED && z->before[side] == ESTABLISHED);
}

/* Takes a segment that gives a letter or moves a side. It stands apart, so that all others are not
 * charged with the registers that it needs. */
__attribute__((noinline)) static void telling(struct zeek *z, enum track_side from,
                                              const struct seg *s, bool repeated, bool missing)
{
    const enum track_side peer = from == TRACK_A ? TRACK_B : TRACK_A;

    history(z, from, s);
    /* A window means nothing where the other side has sent its FIN, or this one its RST. */
    if (!s->wnd && !(s->flags & SEG_RST) && z->state[peer] != CLOSED && z->state[from] != RESET)
        scaled(z, from, 'W', &z->zero[from]);
    if (repeated && s->len && z->state[from] != RESET)
        scaled(z, from, 'T', &z->repeated[from]);
    z->data[from] |= s->len > 0 && !(s->flags & SEG_RST);
    if (z->state[from] == INACTIVE)
        first(z, from, s);
    else
        later(z, from, s);
    if (missing && clean(z, TRACK_A) && clean(z, TRACK_B)) /* of what the other side sent */
        scaled(z, peer, 'G', &z->missing[peer]);
}

void zeek_segment(struct zeek *z, enum track_side from, const struct seg *s, bool repeated,
                  bool missing)
{
    const unsigned had = s->len ? LETTER_DATA : LETTER_ACK;

    /* Most segments are not telling. */
    if ((s->flags & (SEG_SYN | SEG_FIN | SEG_RST)) || !(z->letters[from] & had) || !s->wnd ||
        repeated || missing || z->state[from] < PARTIAL)
        telling(z, from, s, repeated, missing);
}

/* Returns whether the originator sent a SYN and then a RST, and nothing else that counts. */
static bool given_up(const struct zeek *z)
{
    const char *h = z->history + (z->history[0] == '^');
    const char *rst = strchr(h, 'R');

    return h[0] == 'S' && rst && strcspn(h, "HAFGIQ") > (size_t)(rst - h);
}

const char *zeek_state(const struct zeek *z)
{
    const uint8_t a = z->state[TRACK_A], b = z->state[TRACK_B];
    const bool no_a = a == INACTIVE || a == PARTIAL, no_b = b == INACTIVE || b == PARTIAL;

    if (b == RESET) {
        if (a == SYN_SENT || a == SYN_ACK_SENT ||
            (a == RESET && !z->data[TRACK_A] && !z->data[TRACK_B]))
            return "REJ";
        return no_a ? "RSTRH" : "RSTR";
    }
    if (a == RESET)
        return !no_b ? "RSTO" : given_up(z) ? "RSTOS0" : "OTH";
    if (a == CLOSED && b == CLOSED)
        return "SF";
    if (a == CLOSED)
        return no_b ? "SH" : "S2";
    if (b == CLOSED)
        return no_a ? "SHR" : "S3";
    if (a == SYN_SENT && b == INACTIVE)
        return "S0";
    return a == ESTABLISHED && b == ESTABLISHED ? "S1" : "OTH";
}
