/*
 * Many connections: a pool of struct conn named by index and generation, a table from flow to
 * connection, one timing wheel, listeners with SYN cookies, and resets for what belongs to nobody.
 * As pure as conn.h: segments and time in, segments and events out.
 */
#ifndef TCPWAVE_CORE_STACK_H
#define TCPWAVE_CORE_STACK_H

#include "lib/core/conn.h"

struct stack;

#define STACK_NONE 0u /* an id that no connection has */

/* A stack for at most `max` connections (1 to 2^24); pool and table grow as they are used.
 * `seed` feeds env.random; config->isn_secret is the secret of ISNs, cookies and the table, and
 * read here only. WAVE_ENOMEM, WAVE_EINVAL. */
int stack_create(struct stack **out, const struct conn_config *config, uint32_t max, uint64_t seed);

/* Frees everything; sends nothing. NULL is taken. */
void stack_destroy(struct stack *s);

/* What its connections share: settings may be changed before the first connection. */
struct env *stack_env(struct stack *s);

/* Opens a connection actively; its ISN is RFC 6528's. WAVE_EINUSE when the flow has one already,
 * WAVE_ENOMEM when `max` are there. */
int stack_connect(struct stack *s, wave_time now, const struct flow *flow, uint32_t *id);

struct stack_listener {
    bool v6;
    bool any; /* every local address; `addr` is not looked at */
    struct addr addr;
    uint16_t port;
    uint32_t half_open; /* connections in SYN_RECEIVED before SYN cookies begin; 0: always */
    bool answer_rst;    /* whether a segment to this port that fits nothing is answered with RST */
};

/* Answers SYNs to this address and port from now on. WAVE_EINUSE for a second one. */
int stack_listen(struct stack *s, const struct stack_listener *l);

/* No new connections; those that are there go on. */
void stack_unlisten(struct stack *s);

/* The connection of that id, or NULL when it was released. It stays, CLOSED, until
 * stack_release(), though its flow may be used again at once. Only one that a listener made and a
 * RST takes back from SYN_RECEIVED to LISTEN (RFC 9293, 3.10.7.4) is gone by itself. */
struct conn *stack_conn(struct stack *s, uint32_t id);

/* To be called after any conn_...() call of the user's on this connection: what it owes is then
 * seen by stack_output() and stack_expiry(). */
void stack_changed(struct stack *s, wave_time now, uint32_t id);

/* Gives the connection's slot back. Its id does not name another one until the slot has been used
 * 255 times more. */
void stack_release(struct stack *s, uint32_t id);

/* Connections that are there, and the id of the next one at or after *cursor (start with 0), or
 * STACK_NONE. */
uint32_t stack_count(const struct stack *s);
uint32_t stack_next(struct stack *s, uint32_t *cursor);

/* Connections in SYN_RECEIVED that a listener made, SYN cookies made so far, and resets and cookies
 * that were never sent because nobody asked for output in time. */
uint32_t stack_half_open(const struct stack *s);
uint64_t stack_cookies(const struct stack *s);
uint64_t stack_replies_lost(const struct stack *s);

/* A segment that arrived. `flow` is as this host sees it. Returns the connection's id that it
 * belonged to or made, or STACK_NONE. */
uint32_t stack_input(struct stack *s, wave_time now, const struct flow *flow,
                     const struct seg *seg);

/* An ICMP error that arrived. Returns as stack_input(). */
uint32_t stack_icmp(struct stack *s, wave_time now, const struct icmp *e);

/* The next segment to send: resets and cookies first, then the connections in turn. As
 * conn_output(); *id is STACK_NONE for what belongs to no connection. False, too, while too many
 * events wait, and stack_expiry() then says "at once": pull them after each call. */
bool stack_output(struct stack *s, wave_time now, struct flow *flow, struct seg *out, uint8_t *room,
                  uint32_t *id);

/* The next event; false when there is none. */
bool stack_event(struct stack *s, struct event *out);

/*
 * As conn_tick() and conn_expiry(), over all. stack_tick() stops early when the event queue is half
 * full; stack_expiry() then says "at once", so drain it and call again. The expiry is never late
 * by more than the wheel's grain, 17 us. It may be early: the wheel then looks at the connection
 * again from nearer by, nine times at most before its time comes.
 */
void stack_tick(struct stack *s, wave_time now);
wave_time stack_expiry(struct stack *s, wave_time now);

#endif
