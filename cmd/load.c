#include "cmd/load.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cmd/addr.h"
#include "cmd/command.h"
#include "cmd/confine.h"
#include "cmd/human.h"
#include "cmd/session.h"
#include "cmd/signals.h"
#include "lib/wire/diag.h"

#define ANSWER_BEGINS WAVE_S  /* a peer that says nothing to our data is closed after this */
#define RECEIVE_BUFFER 65535  /* of each connection: what it sends is thrown away at once */
#define KEEP_FREE (16 << 20)  /* bytes of heap, as in session.c */
#define BLOCKS_FROM 200       /* connections at a time: fewer are waited for one by one */
#define RING (8u << 20)       /* some 50,000 frames without data in blocks, else 5,000 */
#define RING_EACH (80u << 10) /* not in blocks: room for a connection's whole window */

/* Of one connection, in bytes: the engine's, ours, and the table's with its room to grow. */
#define MEMORY_EACH (sizeof(struct conn) + sizeof(struct load_conn) + sizeof(uint32_t) + 16)

static uint32_t ring_size(const struct load *l)
{
    if (l->plan.concurrency >= BLOCKS_FROM || l->plan.concurrency * RING_EACH < RING)
        return RING;
    return l->plan.concurrency * RING_EACH;
}

static int open_wire(struct load *l, struct diag *d)
{
    const struct options *o = l->options;
    const struct load_plan *p = &l->plan;
    struct wire_config c = {.v6 = p->v6,
                            .listen = true,
                            .interface = p->interface[0] ? p->interface : NULL,
                            .scope = p->scope,
                            .lport = (uint16_t)o->source_port,
                            .scattered = p->ports,
                            .inbound_only = !o->pcap,
                            .direct = true,
                            .blocks = p->concurrency >= BLOCKS_FROM,
                            .ring = ring_size(l)};

    return wire_open(&l->wire, &c, d);
}

static int open_engine(struct load *l, struct diag *d)
{
    const struct options *o = l->options;
    struct conn_config c;
    uint64_t seed;

    conn_config_default(&c, l->plan.mtu, l->plan.v6);
    if (getrandom(c.isn_secret, sizeof c.isn_secret, 0) != sizeof c.isn_secret ||
        getrandom(&seed, sizeof seed, 0) != sizeof seed)
        return diag_fail(d, WAVE_ESYS,
                         "cannot choose sequence numbers: the system gives no random bytes");
    if (o->mss)
        c.mss = o->mss;
    c.rcvbuf = RECEIVE_BUFFER;
    c.wscale = !o->no_wscale;
    c.timestamps = !o->no_timestamps;
    c.sack = !o->no_sack;
    c.ecn = o->ecn;
    c.syn_retries = o->syn_retries;
    c.r2 = o->give_up;
    c.time_wait = false;
    if (stack_create(&l->stack, &c, l->plan.concurrency, seed) != 0)
        return diag_fail(d, WAVE_ENOMEM, "no memory for the connections");
    return 0;
}

/* What each connection needs beside the engine. */
static int open_places(struct load *l, struct diag *d)
{
    const uint32_t n = l->plan.concurrency, places = l->plan.places;
    const bool again = places != l->options->connections; /* each is used more than once */

    l->conn = calloc(n, sizeof *l->conn);
    l->place = again ? malloc(places * sizeof *l->place) : NULL;
    if (!l->conn || (again && !l->place))
        return diag_fail(d, WAVE_ENOMEM, "no memory for %u connections", n);
    for (uint32_t i = 0; again && i < places; i++)
        l->place[i] = i;
    l->places = places;
    l->queue[LOAD_Q_ANSWER].length = ANSWER_BEGINS;
    l->queue[LOAD_Q_HOLD].length = l->options->hold;
    l->queue[LOAD_Q_LINGER].length = l->options->linger;
    return 0;
}

static int open_all(struct load *l, struct diag *d)
{
    const struct options *o = l->options;
    int error = 0;

    if (o->pcap)
        error = pcapfile_open(&l->pcap, o->pcap, d);
    if (!error)
        error = open_wire(l, d);
    if (!error)
        error = open_engine(l, d);
    if (!error)
        error = open_places(l, d);
    if (!error) {
        l->signals = signals_open(d);
        error = l->signals < 0 ? l->signals : 0;
    }
    if (!error && l->pcap)
        error = pcapfile_begin(l->pcap, wire_info(l->wire)->interface, d);
    return error;
}

static void close_all(struct load *l)
{
    struct diag d;

    if (l->signals >= 0)
        signals_close(l->signals);
    stack_destroy(l->stack);
    wire_close(l->wire);
    pcapfile_close(l->pcap, &d);
    free(l->conn);
    free(l->place);
    load_plan_free(&l->plan);
    free(l);
}

/* What the run is going to be, before it begins. */
static void announce(struct load *l)
{
    const struct load_plan *p = &l->plan;
    const struct wire_info *info = wire_info(l->wire);
    char text[200], n[HUMAN_TEXT], bytes[HUMAN_TEXT], ring[HUMAN_TEXT], c[HUMAN_TEXT];

    if (p->polite) {
        snprintf(text, sizeof text,
                 "at most %s new connections a second, since a target's address is public "
                 "(--rate-limit=off lifts that)",
                 human_count(p->rate, n));
        load_report_note(&l->report, text);
    }
    if (!l->options->verbose)
        return;
    snprintf(text, sizeof text,
             "%s at a time over %u pair%s of source and target and %u source port%s from %u on, "
             "guard %s, interface %s",
             human_count(p->concurrency, n), p->pairs, p->pairs == 1 ? "" : "s", p->ports,
             p->ports == 1 ? "" : "s", info->lport, info->guard, info->interface);
    load_report_note(&l->report, text);
    snprintf(text, sizeof text,
             "memory: %s for %s connections, %s for the capture, and what data waits to be sent",
             human_bytes((uint64_t)p->concurrency * MEMORY_EACH, bytes),
             human_count(p->concurrency, c), human_bytes(ring_size(l), ring));
    load_report_note(&l->report, text);
}

/* Why there was no end of its own. */
static void interrupted(const struct load *l, struct load_verdict *v, char *text, size_t room)
{
    const uint32_t cut = l->counts[VERDICT_FAILED];
    const uint32_t bad = load_ended(l) - l->counts[VERDICT_OPEN];

    if (l->failed) {
        snprintf(text, room, "%s", l->error.text);
        v->verdict = VERDICT_LOCAL;
        v->exit = l->signal ? 128 + l->signal : VERDICT_LOCAL;
        return;
    }
    v->verdict = VERDICT_FAILED;
    snprintf(text, room, "%s; %u of %u connections did not go as asked, %u of them were cut off",
             l->signal ? "interrupted by a signal" : "the timeout ran out", bad, l->opened, cut);
    if (l->signal) {
        v->exit = 128 + l->signal;
        return;
    }
    /* Where no number was asked for, the timeout is how the run was meant to end. */
    if (!l->options->connections && bad == cut)
        v->verdict = VERDICT_OPEN;
    v->exit = (int)v->verdict;
}

static int conclude(struct load *l)
{
    struct load_verdict v = {.guard = wire_info(l->wire)->guard};
    uint32_t bad = load_ended(l) - l->counts[VERDICT_OPEN];
    char text[sizeof(struct diag) + 80], n[HUMAN_TEXT], of[HUMAN_TEXT];

    if (l->failed || l->signal || l->timed_out) {
        interrupted(l, &v, text, sizeof text);
    } else if (bad) {
        v.verdict = VERDICT_FAILED;
        v.exit = VERDICT_FAILED;
        snprintf(text, sizeof text, "%s of %s connections did not go as asked", human_count(bad, n),
                 human_count(l->opened, of));
    } else {
        snprintf(text, sizeof text, "all of %s connections went as asked",
                 human_count(l->opened, n));
    }
    v.message = text;
    return load_tell_end(l, &v);
}

static int run(struct load *l)
{
    struct wire_stats stats;
    struct diag d;

    load_report_init(&l->report, l->options);
    confine(l->options);
    announce(l);
    load_loop(l);
    if (l->timed_out && stack_env(l->stack)->mem_short)
        load_fail(l, &(struct diag){"the timeout ran out, and there was no memory for data"});
    stats = wire_stats(l->wire);
    if (l->pcap && (pcapfile_end(l->pcap, "", stats.received, stats.dropped, &d) ||
                    pcapfile_flush(l->pcap, &d)))
        load_fail(l, &d);
    return conclude(l);
}

int load_run(const struct options *o)
{
    struct load *l = calloc(1, sizeof *l);
    struct diag d = {"no memory for the run"};
    int status;

    if (!l)
        return session_refuse(o, &d);
    l->options = o;
    l->signals = -1;
    mallopt(M_TRIM_THRESHOLD, KEEP_FREE);
    mallopt(M_MMAP_THRESHOLD, KEEP_FREE);
    if (load_plan(&l->plan, o, &d) != 0 || open_all(l, &d) != 0)
        status = session_refuse(o, &d);
    else
        status = run(l);
    close_all(l);
    return status;
}
