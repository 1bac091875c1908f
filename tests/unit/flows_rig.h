/*
 * Drives a table of flows in a test. `a` sends from 192.0.2.1:40000 and `b` from 192.0.2.80:80;
 * numbers are relative to each side's ISN, and a millisecond passes between two segments unless
 * after_ms() says more.
 *
 *     a(SYN, 0, 0, 0);          flags, seq, ack, bytes of data
 *     b(SYN | ACK, 0, 1, 0);
 *     const struct watched *w = over();    the flow as it was handed out
 */
#ifndef TCPWAVE_TESTS_UNIT_FLOWS_RIG_H
#define TCPWAVE_TESTS_UNIT_FLOWS_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/report/flow_verdict.h"
#include "lib/report/flows.h"

enum { FIN = SEG_FIN, SYN = SEG_SYN, RST = SEG_RST, ACK = SEG_ACK };

#define RIG_KEPT 64 /* flows that were handed out, of which the first ones are kept */

/* What a case may change: the next segments are made from this. */
struct flows_rig {
    struct flows *flows;
    wave_time now;
    struct flow flow; /* as `a` has it */
    uint32_t iss[TRACK_SIDES];
    uint16_t window[TRACK_SIDES], id[TRACK_SIDES]; /* the id counts up; 0: none */
    uint8_t ttl[TRACK_SIDES];
    struct opt opt[TRACK_SIDES]; /* of each segment */
    uint32_t place;
    struct flows_taken taken; /* of the last segment */
    uint32_t overs;           /* flows that were handed out */
    struct watched kept[RIG_KEPT];
    wave_time rtt[RIG_KEPT][TRACK_SIDES][3]; /* min, median and p95, as measure_rtt() said then */
};

extern struct flows_rig watching;

int flows_fresh(void **state);
int flows_done(void **state);

void after_ms(uint32_t ms);
void flows_give(enum track_side from, uint16_t flags, uint32_t seq, uint32_t ack, uint32_t len);

#define a(...) flows_give(TRACK_A, __VA_ARGS__)
#define b(...) flows_give(TRACK_B, __VA_ARGS__)

/* Plays a handshake of three segments. */
void shake_hands(void);

/* Ends the capture, and returns the flow that was handed out last. */
const struct watched *over(void);

/* The verdict and the findings of the flow. That nothing is found where nothing is remarkable is
 * checked against every row. */
const struct flow_verdict *verdict_of(const struct watched *w);
void all_findings(const struct watched *w, struct findings *list);
bool has_finding(const struct watched *w, const char *code);

#endif
