/*
 * Drives one engine in a test: plays the peer and the clock, with the brevity of packetdrill.
 *
 *     drive(STATE_ESTABLISHED);
 *     in(FIN | ACK, 1, 1, WND, 0);     the peer's segment: flags, seq, ack, window, bytes of data
 *     out(ACK, 1, 2, 0);               what must be sent next: flags, seq, ack, bytes of data
 *     nothing();                       and no more than that
 *
 * Numbers are relative: seq of in() and ack of out() to the peer's ISN, the other two to ours. So 1
 * is always the first byte of data. Windows are in bytes. Data follows a pattern of its place in
 * the stream, and every byte that is sent or delivered is compared with it. What must hold for
 * every segment and every event is checked in any case: see verify_segment() and take_events() in
 * engine.c.
 *
 * There is one rig in a program; cases run one after the other, each on a fresh one.
 */
#ifndef TCPWAVE_TESTS_ENGINE_H
#define TCPWAVE_TESTS_ENGINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/core/conn.h"
#include "lib/core/err.h"

enum {
    FIN = SEG_FIN,
    SYN = SEG_SYN,
    RST = SEG_RST,
    PSH = SEG_PSH,
    ACK = SEG_ACK,
    URG = SEG_URG,
    ECE = SEG_ECE,
    CWR = SEG_CWR
};

#define WND 60000          /* the window that the peer usually offers */
#define RCVBUF 32768       /* receive buffer of the engine, unless a case changes it */
#define RTT (10 * WAVE_MS) /* round trip of the handshake that drive() plays */
#define ANY_LEN UINT32_MAX /* out() accepts any length */
#define SEEN_MAX 1024

/* Holds the engine under test, its peer, and what was seen of them. */
struct engine_rig {
    struct env env;
    struct conn c;
    wave_time now;
    uint32_t iss, irs;

    /* Says what the SYN of the peer offers. */
    struct {
        bool wscale, timestamps, sack, no_mss;
        uint8_t shift;
        uint16_t mss;
    } peer;
    uint32_t peer_clock; /* added to the milliseconds of its timestamps */

    /* Says what is in force, according to both SYNs on the wire. */
    struct opt our_syn, their_syn;
    bool scaled, stamped, sacked;

    struct seg reset; /* conn_input()'s caller must reset: INPUT_RESET */
    bool reset_due;
    struct seg out; /* the last segment that was sent; `room` holds its data */
    uint8_t room[CONN_ROOM];
    uint32_t echo;    /* its timestamp */
    uint32_t edge;    /* right edge of the windows offered so far, relative to the peer's ISN */
    bool garbage;     /* a probe's byte need not follow the pattern */
    uint32_t sent;    /* the end of the data sent so far, relative to our ISN */
    uint32_t queued;  /* the next byte that push() sends, relative to our ISN */
    uint32_t read;    /* the next byte that take() reads, relative to the peer's ISN */
    enum state state; /* according to the events */
    uint32_t told_data, told_acked; /* bytes, according to the events */
    bool sends_itself;              /* the case calls conn_send() beside push() */
    wave_time last_event;
    struct event log[512];
    bool taken[512];
    size_t events;
    struct {
        uint32_t seq, len;
        uint16_t flags;
        uint8_t ecn;
    } seen[SEEN_MAX]; /* the segments of burst() */
    size_t bursts;
};

extern struct engine_rig rig;

/* Describes a variant of the peer and of us: ISNs near a wrap, options on or off. The cases of
 * every state run in all variants. */
struct variant {
    const char *name;
    uint32_t iss, irs;
    bool options;
};

extern const struct variant variants[];
extern const size_t variant_count;

/* Starts a fresh engine, CLOSED, over IPv4, with an MTU of 1500, and frees the one before. */
void rig_start(const struct variant *v);
void rig_stop(void);

/* Calls conn_init() once more, so that settings which a case has changed in rig.env.config take
 * effect. drive() and establish() do this themselves. */
void renew(void);

/* Takes a fresh rig into state `s` by calls and segments, on the shortest path: by an active open,
 * except for LISTEN and SYN_RECEIVED, which come from conn_listen(). */
void drive(enum state s);

/* Writes the same state into the fields, without a call of the engine but conn_init(). */
void build(enum state s);

/* Play the handshake of drive() only, actively and passively, for a case that has changed
 * rig.env.config or rig.peer. `rtt` is the round trip that the engine can measure. */
void establish(wave_time rtt);
void establish_passive(wave_time rtt);

/* Plays a simultaneous open: SYN_RECEIVED, from SYN_SENT. */
void simultaneous(void);

/*
 * The wire. The macros pass on their position, so that a failure names the line of the case.
 */
struct at {
    const char *file;
    int line;
};
#define HERE ((struct at){__FILE__, __LINE__})

/* Makes a segment of the peer, with the options that are in force. */
struct seg make(unsigned flags, uint32_t seq, uint32_t ack, uint32_t wnd, uint32_t len);

/* Gives a segment to the engine. If it returns INPUT_RESET, the RST of conn_reset_for() is the next
 * segment that is sent. */
#define feed(s) feed_at(HERE, s, INPUT_DONE)
#define in(flags, seq, ack, wnd, len) feed(make(flags, seq, ack, wnd, len))
#define out(flags, seq, ack, len) out_at(HERE, 0, 0, flags, seq, ack, len)
/* Expects that the next segment is sent no sooner than `lo` and no later than `hi` from now. */
#define out_between(lo, hi, flags, seq, ack, len) out_at(HERE, lo, hi, flags, seq, ack, len)
#define nothing() silent_at(HERE, 0)
/* Expects that nothing is sent for that long. The clock moves on by it. */
#define silent(duration) silent_at(HERE, duration)
/* Expects an acknowledgement of everything before `ack`, immediately or delayed as RFC
 * 9293, 3.8.6.3 allows. It may be on a segment with data. */
#define acknowledges(ack) acknowledges_at(HERE, ack)
#define expect_state(s) expect_state_at(HERE, s)
#define expect_end(e) check(rig.c.end == (e), "the connection's end is %d, not %s", rig.c.end, #e)
/* Expects CLOSED, with this end, and with nothing left to send. */
#define expect_closed(e)                                                                           \
    do {                                                                                           \
        expect_state(STATE_CLOSED);                                                                \
        expect_end(e);                                                                             \
        nothing();                                                                                 \
    } while (0)
#define check(condition, ...) check_at(HERE, condition, __VA_ARGS__)

void feed_at(struct at at, struct seg s, enum conn_input expected);
void out_at(struct at at, wave_time lo, wave_time hi, unsigned flags, uint32_t seq, uint32_t ack,
            uint32_t len);
void silent_at(struct at at, wave_time duration);
void acknowledges_at(struct at at, uint32_t ack);
void expect_state_at(struct at at, enum state s);
void check_at(struct at at, bool condition, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Waits for the next segment that is sent within `duration`, and puts it into rig.out. Returns
 * false if there is none; then the clock has moved on by `duration`. */
bool next_out(wave_time duration);

/* Puts everything that is sent now, without time passing, into rig.seen. Returns how many bytes of
 * data it was. */
uint32_t burst(void);

/* Return the numbers in rig.out, relative. */
uint32_t out_seq(void);
uint32_t out_ack(void);
uint32_t out_window(void); /* in bytes */

/*
 * The user.
 */
void push(uint32_t n);         /* SEND of that many bytes, all of which must be accepted */
void take(uint32_t n);         /* RECEIVE of exactly n bytes in order, compared with the pattern */
uint32_t readable(void);       /* bytes that conn_peek() shows, compared with the pattern */
void shut(void);               /* CLOSE, which must succeed */
void pass(wave_time duration); /* time passes; what is sent meanwhile is discarded */

/* Numbers of the connection, relative. entry() records all of them, and the state. */
struct entry {
    enum state state;
    uint32_t una, nxt, rcv;
};
struct entry entry(void);
uint32_t snd_una(void);
uint32_t snd_nxt(void);
uint32_t rcv_nxt(void);
uint32_t rto_us(void);  /* the RTO in force, before back-off, in microseconds */
uint32_t eff_mss(void); /* data a full segment carries, options deducted (RFC 6691) */

/*
 * Events. An event is found once only. forget() drops all that have come so far.
 */
const struct event *event_find(enum event_kind kind);
#define expect_event(kind) expect_event_at(HERE, kind)
#define expect_no_event(kind) check(!event_find(kind), "an event " #kind " came")
const struct event *expect_event_at(struct at at, enum event_kind kind);
void forget(void);

/*
 * main() of a program of cases.
 */

/* Runs the cases of a mechanism. Each starts on a fresh CLOSED rig with every option (variants[1]).
 */
int run_cases(const struct CMUnitTest *cases, size_t n);

/* Runs the cases of a state. Each starts in it, in all variants. The cases of the groups that apply
 * to this state are added. */
int run_state(enum state s, const struct CMUnitTest *cases, size_t n);

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Holds cases that apply to several states, and those states. The last group of a list is empty. */
struct group {
    unsigned states; /* bits, 1 << enum state */
    const struct CMUnitTest *cases;
    size_t n;
};
extern const struct group handshake_groups[], synchronized_groups[], sending_groups[];

#endif
