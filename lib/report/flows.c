/*
 * The table has open addressing, with half of the hash beside the index of the flow, so that a
 * lookup touches one line of it and then only the flow that it looks for, and a removal no flow.
 * Three lists order the flows by when they were last heard of, so that those whose time is over
 * stand at the end.
 */
#include "lib/report/flows.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/report/doubles.h"

#define SLOTS (FLOWS_MAX * 2)
#define LINE 64       /* bytes that the processor fetches at once */
#define FLOWS_HOT 192 /* bytes of a side's numbers that most segments change */
#define FLOWS_PAGE ((size_t)2 << 20)
#define LAZY (WAVE_S / 4) /* a flow moves to the front of its list this often at most */
#define ISN_ROOM (1u << 20)

struct slot {
    uint32_t hash, id; /* id 0: empty */
};

struct flows {
    env_resize *resize;
    struct siphash_key key;
    flows_sink *over;
    void *self;
    wave_time now; /* the latest stamp; never goes back */
    uint32_t used, free;
    uint32_t head[FLOWS_LISTS], tail[FLOWS_LISTS]; /* 1 + index; the head was heard of last */
    struct flows_counts counts;
    struct measure_room *room;
    struct doubles doubles;
    struct slot slot[SLOTS];
    _Alignas(LINE) struct watched at[FLOWS_MAX];
};

/* A multiple of a huge page, so that it can lie in such pages: flows are met in any order, and the
 * processor knows the addresses of few pages of 4 KiB at a time. */
#define SIZE ((sizeof(struct flows) + FLOWS_PAGE - 1) / FLOWS_PAGE * FLOWS_PAGE)

struct flows *flows_create(struct siphash_key key, env_resize *resize, flows_sink *over, void *self)
{
    struct flows *f = resize(NULL, NULL, 0, SIZE);
    struct measure_room *room = measure_room_create(FLOWS_HISTOGRAMS);

    if (!f || !room) {
        if (f)
            resize(NULL, f, SIZE, 0);
        measure_room_free(room);
        return NULL;
    }
    /* A flow is cleared when it begins: pages that are not touched take no memory. */
    memset(f, 0, offsetof(struct flows, at));
    f->resize = resize;
    f->room = room;
    f->key = key;
    f->over = over;
    f->self = self;
    return f;
}

void flows_free(struct flows *f)
{
    if (!f)
        return;
    measure_room_free(f->room);
    f->resize(NULL, f, SIZE, 0);
}

const struct measure_room *flows_room(const struct flows *f)
{
    return f->room;
}

struct flows_counts flows_counts(const struct flows *f)
{
    return f->counts;
}

/*
 * The table
 */

/* Multiplies two words to 128 bits, and folds them. */
static uint64_t fold(uint64_t a, uint64_t b)
{
    const unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Of IPv4 each side fits into a word. */
static uint64_t hash_v4(const struct flows *f, const struct flow *flow)
{
    const uint64_t *k = f->key.k;
    uint32_t addr[2];

    memcpy(&addr[0], flow->local.byte, 4);
    memcpy(&addr[1], flow->remote.byte, 4);
    const uint64_t local = (uint64_t)addr[0] << 16 | flow->lport,
                   remote = (uint64_t)addr[1] << 16 | flow->rport;
    const bool order = local < remote;
    const uint64_t low = order ? local : remote, high = order ? remote : local;

    return fold(fold(low ^ k[0], high ^ k[1]) ^ k[0], k[1] | 1);
}

/* Of IPv6 the lower side comes first as well. */
__attribute__((noinline)) static uint64_t hash_v6(const struct flows *f, const struct flow *flow)
{
    const uint64_t *k = f->key.k;
    const int order = memcmp(&flow->local, &flow->remote, sizeof flow->local);
    const bool back = order > 0 || (order == 0 && flow->lport > flow->rport);
    const uint64_t ports = back ? (uint64_t)flow->rport << 16 | flow->lport
                                : (uint64_t)flow->lport << 16 | flow->rport;
    uint64_t low[2], high[2], n;

    memcpy(low, back ? &flow->remote : &flow->local, sizeof low);
    memcpy(high, back ? &flow->local : &flow->remote, sizeof high);
    n = fold(low[0] ^ k[0], low[1] ^ k[1]);
    n = fold(n ^ high[0] ^ k[0], high[1] ^ k[1]);
    return fold(n ^ ports ^ k[0], k[1] | 1);
}

/* Products with a secret are enough, since nothing shows a hash to those who write a capture. */
uint64_t flows_hash(const struct flows *f, const struct flow *flow)
{
    return flow->v6 ? hash_v6(f, flow) : hash_v4(f, flow);
}

static uint32_t slot_of(uint64_t hash)
{
    return (uint32_t)hash % SLOTS;
}

void flows_prefetch(const struct flows *f, uint64_t hash)
{
    __builtin_prefetch(&f->slot[slot_of(hash)]);
}

void flows_prefetch_more(const struct flows *f, uint64_t hash)
{
    const struct slot *s = &f->slot[slot_of(hash)];

    if (!s->id)
        return;
    const struct watched *w = &f->at[s->id - 1];
    __builtin_prefetch(w, 1);
    for (size_t i = 0; i < sizeof w->track; i += LINE)
        __builtin_prefetch((const char *)&w->track + i, 1);
    __builtin_prefetch(&w->measure, 1);
    for (unsigned side = 0; side < TRACK_SIDES; side++)
        for (size_t i = 0; i < FLOWS_HOT; i += LINE)
            __builtin_prefetch((const char *)&w->measure.side[side] + i, 1);
}

/* Returns whether `flow` is that of `w`, and, in *from, which side has sent it. */
static bool is_of(const struct watched *w, const struct flow *flow, enum track_side *from)
{
    const struct flow *k = &w->flow;

    if (flow->v6 != k->v6)
        return false;
    if (flow->lport == k->lport && flow->rport == k->rport && addr_eq(&flow->local, &k->local) &&
        addr_eq(&flow->remote, &k->remote)) {
        *from = TRACK_A;
        return true;
    }
    *from = TRACK_B;
    return flow->lport == k->rport && flow->rport == k->lport &&
           addr_eq(&flow->local, &k->remote) && addr_eq(&flow->remote, &k->local);
}

static inline struct watched *find(struct flows *f, const struct flow *flow, uint64_t hash,
                                   enum track_side *from)
{
    for (uint32_t i = slot_of(hash); f->slot[i].id; i = (i + 1) % SLOTS)
        if (f->slot[i].hash == (uint32_t)hash && is_of(&f->at[f->slot[i].id - 1], flow, from))
            return &f->at[f->slot[i].id - 1];
    return NULL;
}

/* Takes an entry out, and moves those behind it up, so that no gap lies before them. */
static void remove_slot(struct flows *f, const struct watched *w)
{
    uint32_t i = slot_of(w->hash);

    while (f->slot[i].id != w->id)
        i = (i + 1) % SLOTS;
    for (uint32_t k = (i + 1) % SLOTS; f->slot[k].id; k = (k + 1) % SLOTS) {
        if ((k - slot_of(f->slot[k].hash)) % SLOTS >= (k - i) % SLOTS) {
            f->slot[i] = f->slot[k];
            i = k;
        }
    }
    f->slot[i].id = 0;
}

/*
 * The lists
 */

static struct watched *by_id(struct flows *f, uint32_t id)
{
    return id ? &f->at[id - 1] : NULL;
}

static void unlink_flow(struct flows *f, struct watched *w)
{
    if (w->prev)
        by_id(f, w->prev)->next = w->next;
    else
        f->head[w->list] = w->next;
    if (w->next)
        by_id(f, w->next)->prev = w->prev;
    else
        f->tail[w->list] = w->prev;
}

static void link_flow(struct flows *f, struct watched *w, enum flows_list list)
{
    w->list = (uint8_t)list;
    w->prev = 0;
    w->next = f->head[list];
    if (w->next)
        by_id(f, w->next)->prev = w->id;
    else
        f->tail[list] = w->id;
    f->head[list] = w->id;
}

static enum flows_list list_of(const struct watched *w)
{
    const struct track *t = &w->track;
    const enum state a = track_state(t, TRACK_A), b = track_state(t, TRACK_B);

    if (a == STATE_CLOSED || b == STATE_CLOSED || a == STATE_TIME_WAIT || b == STATE_TIME_WAIT)
        return FLOWS_CLOSED;
    return w->measure.side[TRACK_A].segments && w->measure.side[TRACK_B].segments ? FLOWS_OPEN
                                                                                  : FLOWS_OPENING;
}

/* Has a flow that is to be forgotten next at hand. */
static void fetch(const struct flows *f, uint32_t id)
{
    if (!id)
        return;
    for (size_t i = 0; i < sizeof f->at[0]; i += LINE)
        __builtin_prefetch((const char *)&f->at[id - 1] + i);
}

/* Hands a flow out, and forgets it. */
static void forget(struct flows *f, struct watched *w)
{
    fetch(f, w->prev);
    f->over(f->self, w, f->room);
    measure_end(&w->measure, f->room);
    unlink_flow(f, w);
    remove_slot(f, w);
    w->next = f->free;
    f->free = w->id;
    f->counts.now--;
}

/* Forgets what is over and was not heard of for long enough. */
static void expire(struct flows *f)
{
    static const wave_time stays[] = {FLOWS_CLOSED_FOR, FLOWS_OPENING_FOR};

    for (unsigned i = 0; i < 2; i++)
        for (struct watched *w; (w = by_id(f, f->tail[i])) && f->now - w->measure.last > stays[i];)
            forget(f, w);
}

/* Forgets the flow that is the first to make room. */
static void make_room(struct flows *f)
{
    const uint32_t *tail = f->tail;
    const uint32_t id = tail[FLOWS_CLOSED]    ? tail[FLOWS_CLOSED]
                        : tail[FLOWS_OPENING] ? tail[FLOWS_OPENING]
                                              : tail[FLOWS_OPEN];
    struct watched *w = &f->at[id - 1];

    w->cut = w->list != FLOWS_CLOSED;
    f->counts.forgotten += w->cut;
    forget(f, w);
}

/* Returns a flow that may be filled in. */
static struct watched *take_room(struct flows *f)
{
    struct watched *w;

    if (!f->free && f->used < FLOWS_MAX) {
        w = &f->at[f->used++];
        w->id = f->used;
        return w;
    }
    if (!f->free)
        make_room(f);
    w = by_id(f, f->free);
    f->free = w->next;
    return w;
}

/*
 * A flow
 */

/* Returns whether the sender of a flow's first segment is its client. */
static bool from_client(const struct packet *p, bool *known)
{
    const struct flow *k = &p->flow;

    *known = p->seg.flags & SEG_SYN;
    if (*known)
        return !(p->seg.flags & SEG_ACK);
    return !(k->lport < 1024 && k->rport >= 1024);
}

static struct watched *begin(struct flows *f, const struct flows_segment *s, enum track_side *from)
{
    struct watched *w = take_room(f);
    const uint32_t id = w->id;
    bool known, client = from_client(s->packet, &known);
    uint32_t i;

    memset(w, 0, offsetof(struct watched, measure)); /* which measure_init() clears */
    w->id = id;
    w->flow = client ? s->packet->flow : flow_reverse(&s->packet->flow);
    w->number = ++f->counts.flows;
    w->hash = (uint32_t)s->hash;
    w->sides_known = known;
    w->place = s->place;
    w->tunnel = s->tunnel;
    track_init(&w->track);
    measure_init(&w->measure, s->at);
    if (!client)
        zeek_turned(&w->zeek);
    for (i = slot_of(s->hash); f->slot[i].id; i = (i + 1) % SLOTS)
        ;
    f->slot[i] = (struct slot){w->hash, id};
    link_flow(f, w, FLOWS_OPENING);
    f->counts.now++;
    if (f->counts.now > f->counts.most)
        f->counts.most = f->counts.now;
    *from = client ? TRACK_A : TRACK_B;
    return w;
}

/* Gives the segment to the tracker, and notes what was known before it. */
static void track(struct watched *w, const struct flows_segment *s, struct measured *g)
{
    measure_before(&w->measure, g);
    g->notes = track_segment(&w->track, s->at, g->from, &s->packet->seg);
}

/* Returns whether a SYN has begun another connection between the same ports: the tracker has taken
 * it, and what its side had sent before is forgotten. */
static bool began_anew(const struct watched *w, const struct measured *g)
{
    const struct seg *s = &g->packet->seg;
    struct seq next;

    return (s->flags & (SEG_SYN | SEG_ACK)) == SEG_SYN && w->measure.side[g->from].segments &&
           g->notes == TRACK_NEW && g->had[g->from] && track_next(&w->track, g->from, &next) &&
           seq_eq(next, seg_end(s)) && !seq_eq(g->before[g->from], seg_end(s));
}

/* Returns whether a SYN with the number of the last one begins another connection all the same:
 * that one was established, and is over. To the tracker it is the old SYN, come late, of which this
 * would be a packet of its own. */
static bool repeats_isn(const struct watched *w, const struct flows_segment *s,
                        enum track_side from, enum double_kind kind)
{
    const struct measure_side *x = &w->measure.side[from], *y = &w->measure.side[!from];

    return (s->packet->seg.flags & (SEG_SYN | SEG_ACK)) == SEG_SYN && w->list == FLOWS_CLOSED &&
           kind == DOUBLE_NONE && x->syn.seen && x->has_ack && y->syns && y->has_ack;
}

/* Returns how many numbers the side has used, with some room below for what is still to come of a
 * connection that begins there; 0 if its SYN was not seen. */
static uint32_t used(const struct measure_side *x)
{
    const uint64_t n = x->bytes + x->not_captured + ISN_ROOM;

    return !x->syn.seen ? 0 : n < 1u << 30 ? (uint32_t)n : 1u << 30;
}

/* RFC 9293, 3.4.1: another connection begins above the numbers of the last one, of which segments
 * may be on their way for two minutes. A flow that is over is forgotten sooner. */
static bool within(struct seq isn, struct seq next, uint32_t used)
{
    return seq_lt(isn, next) && next.v - isn.v <= used;
}

/* Ends the flow as it was before the SYN, and begins the next one with it. */
static struct watched *anew(struct flows *f, struct watched *w, const struct track *before,
                            const struct flows_segment *s, struct measured *g)
{
    const uint32_t client = used(&w->measure.side[g->from]),
                   server = used(&w->measure.side[!g->from]);
    const struct seq client_next = g->before[g->from], server_next = g->before[!g->from];

    w->track = *before;
    forget(f, w);
    w = begin(f, s, &g->from);
    w->again = true;
    w->isn_reused[g->from] = within(s->packet->seg.seq, client_next, client);
    w->last_used = server;
    w->last_next = server_next;
    track(w, s, g);
    return w;
}

/* Gives a SYN to the tracker. Returns its flow, which it may have begun. */
__attribute__((noinline)) static struct watched *track_syn(struct flows *f, struct watched *w,
                                                           const struct flows_segment *s,
                                                           struct measured *g,
                                                           enum double_kind kind)
{
    const struct track before = w->track;

    track(w, s, g);
    if (began_anew(w, g) || ((g->notes & TRACK_RETRANSMISSION) && repeats_isn(w, s, g->from, kind)))
        return anew(f, w, &before, s, g);
    return w;
}

/* Returns whether all of a segment's bytes were sent before it; a probe of one byte counts too. */
static bool sent_before(const struct measured *g)
{
    return (g->notes & (TRACK_RETRANSMISSION | TRACK_PROBE | TRACK_WINDOW_PROBE)) &&
           g->had[g->from] && seq_leq(seg_end(&g->packet->seg), g->before[g->from]);
}

/* A RST counts if its receiver obeys it: one that is only within the window is answered with a
 * challenge ACK (RFC 5961, section 3). */
static void note_end(struct watched *w, const struct measured *g)
{
    const struct seg *s = &g->packet->seg;
    const bool obeyed = !(s->flags & SEG_RST) || track_state(&w->track, g->from) == STATE_CLOSED;
    struct watched_end *e = s->flags & SEG_RST   ? &w->rst[g->from]
                            : s->flags & SEG_FIN ? &w->fin[g->from]
                                                 : NULL;

    if (e && obeyed && !e->segment && !(g->notes & TRACK_OUT_OF_WINDOW))
        *e = (struct watched_end){w->track.number, g->at};
}

static void enlist(struct flows *f, struct watched *w, const struct seg *s, wave_time last)
{
    enum flows_list list = (enum flows_list)w->list;

    if ((s->flags & (SEG_SYN | SEG_FIN | SEG_RST)) || list != FLOWS_OPEN)
        list = list_of(w);
    if (list == w->list && w->measure.last - last < LAZY && f->now - last < LAZY)
        return;
    unlink_flow(f, w);
    link_flow(f, w, list);
}

struct flows_taken flows_segment(struct flows *f, const struct flows_segment *s)
{
    const struct seg *seg = &s->packet->seg;
    struct measured g = {.at = s->at, .packet = s->packet};
    struct watched *w;
    enum double_kind kind;
    wave_time last;

    if (s->at > f->now) {
        f->now = s->at;
        expire(f);
    }
    w = find(f, &s->packet->flow, s->hash, &g.from);
    kind = doubles_note(&f->doubles, s->packet, s->place, s->at);
    if (w && kind == DOUBLE_ELSEWHERE) {
        w->elsewhere++;
        f->counts.elsewhere++;
        if (seg->flags & SEG_SYN)
            measure_syn_elsewhere(&w->measure, g.from, seg);
        return (struct flows_taken){.flow = NULL};
    }
    if (!w)
        w = begin(f, s, &g.from);
    f->counts.segments++;
    g.twice = kind == DOUBLE_COPY ||
              (kind == DOUBLE_ALIKE && !measure_asked(&w->measure, (enum track_side) !g.from));
    if (seg->flags & SEG_SYN)
        w = track_syn(f, w, s, &g, kind);
    else
        track(w, s, &g);
    const uint64_t unseen = w->measure.side[!g.from].not_captured;
    last = w->measure.last;
    measure_segment(&w->measure, f->room, &w->track, &g);
    zeek_segment(&w->zeek, g.from, seg, sent_before(&g),
                 w->measure.side[!g.from].not_captured > unseen);
    if ((seg->flags & SEG_SYN) && (seg->flags & SEG_ACK) && w->last_used)
        w->isn_reused[g.from] |= within(seg->seq, w->last_next, w->last_used);
    w->fragments += s->fragments != 0;
    note_end(w, &g);
    enlist(f, w, seg, last);
    return (struct flows_taken){w, g.from, g.notes};
}

struct watched *flows_icmp(struct flows *f, const struct icmp *e)
{
    enum track_side from;
    struct watched *w = find(f, &e->flow, flows_hash(f, &e->flow), &from);

    if (!w) {
        f->counts.strays++;
        return NULL;
    }
    f->counts.icmps++;
    w->icmps++;
    w->icmp = *e;
    if (e->meaning == ICMP_TOO_BIG)
        measure_too_big(&w->measure, from);
    return w;
}

void flows_incomplete(struct flows *f, const struct flow *flow, struct seq seq)
{
    enum track_side from;
    struct watched *w = find(f, flow, flows_hash(f, flow), &from);

    if (!w)
        return;
    if (!w->incomplete[from]++ || seq_gt(seq, w->incomplete_last[from]))
        w->incomplete_last[from] = seq;
}

/* Flows in the order of their numbers: the number above, 1 + the index below. A heap sort, since
 * qsort() may ask the system for memory. */
static void sift(uint64_t *list, uint32_t at, uint32_t n)
{
    const uint64_t key = list[at];

    for (uint32_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && list[child] < list[child + 1])
            child++;
        if (key >= list[child])
            break;
        list[at] = list[child];
    }
    list[at] = key;
}

static void sort(uint64_t *list, uint32_t n)
{
    for (uint32_t i = n / 2; i > 0; i--)
        sift(list, i - 1, n);
    for (uint32_t i = n; i > 1; i--) {
        const uint64_t key = list[0];
        list[0] = list[i - 1];
        list[i - 1] = key;
        sift(list, 0, i - 1);
    }
}

void flows_end(struct flows *f)
{
    uint64_t *list = malloc((f->counts.now + 1) * sizeof *list);
    uint32_t n = 0;

    for (unsigned i = 0; list && i < FLOWS_LISTS; i++)
        for (struct watched *w = by_id(f, f->head[i]); w; w = by_id(f, w->next))
            list[n++] = (uint64_t)w->number << 32 | w->id;
    if (list)
        sort(list, n);
    for (uint32_t i = 0; i < n; i++) {
        fetch(f, i + 1 < n ? (uint32_t)list[i + 1] : 0);
        forget(f, &f->at[(uint32_t)list[i] - 1]);
    }
    free(list);
    for (unsigned i = 0; i < FLOWS_LISTS; i++) /* without memory, in any order */
        while (f->tail[i])
            forget(f, by_id(f, f->tail[i]));
}

void flows_reset(struct flows *f)
{
    memset(&f->doubles, 0, sizeof f->doubles);
    memset(&f->counts, 0, sizeof f->counts);
    f->now = 0;
    f->used = f->free = 0;
}
