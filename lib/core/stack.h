/*
 * Many connections: a pool of struct conn identified by index and generation, a table from flow to
 * connection, one timing wheel, listeners with SYN cookies, and RSTs for segments that belong to no
 * connection. Like conn.h it does no I/O: segments and times go in, segments and events come out.
 */
#ifndef TCPWAVE_CORE_STACK_H
#define TCPWAVE_CORE_STACK_H

#include "lib/core/conn.h"

struct stack;

#define STACK_NONE 0u /* an id that no connection has */

/* Makes a stack for at most `max` connections (1 to 2^24); pool and table grow with use. `seed`
 * starts env.random. config->isn_secret is the secret of ISNs, cookies and the table, and is read
 * only here. Returns 0, WAVE_ENOMEM or WAVE_EINVAL (`max`). */
int stack_create(struct stack **out, const struct conn_config *config, uint32_t max, uint64_t seed);

/* Frees everything and sends nothing. `s` may be NULL. */
void stack_destroy(struct stack *s);

/* Returns what the connections share. Its settings may be changed before the first connection. */
struct env *stack_env(struct stack *s);

/* Opens a connection actively; its ISN is chosen as in RFC 6528. Returns 0, WAVE_EINUSE when the
 * flow already has a connection, or WAVE_ENOMEM when there are `max` connections or memory is
 * short. */
int stack_connect(struct stack *s, wave_time now, const struct flow *flow, uint32_t *id);

/* Goes on with an established connection of that flow (conn_adopt()). Returns what stack_connect()
 * returns, and WAVE_EINVAL if the numbers contradict each other. */
int stack_adopt(struct stack *s, wave_time now, const struct flow *flow,
                const struct conn_numbers *n, uint32_t *id);

/* Where a listener listens, and how it answers. */
struct stack_listener {
    bool v6;
    bool any; /* any local address; `addr` is ignored */
    struct addr addr;
    uint16_t port;
    uint32_t half_open; /* connections in SYN_RECEIVED before SYN cookies are used; 0: always */
    bool answer_rst;    /* answer segments to this port that fit no connection with an RST */
};

/* Answers SYNs to this address and port from now on. Returns 0, WAVE_EINUSE for a second listener
 * there, or WAVE_ENOMEM. */
int stack_listen(struct stack *s, const struct stack_listener *l);

/* Removes all listeners: no new connections are accepted, and existing ones continue. */
void stack_unlisten(struct stack *s);

/* Returns the connection with that id, or NULL when it was released. A CLOSED connection remains
 * until stack_release(), though its flow can be used again immediately. The only exception is a
 * connection that a listener accepted and that an RST returns from SYN_RECEIVED to LISTEN (RFC
 * 9293, 3.10.7.4): it is released by the stack. */
struct conn *stack_conn(struct stack *s, uint32_t id);

/* Must be called after any conn_...() call of the user's on this connection, so that stack_output()
 * and stack_expiry() see what it has to send. */
void stack_changed(struct stack *s, wave_time now, uint32_t id);

/* Frees the connection's slot. Its id names no other connection until the slot has been used 255
 * more times. */
void stack_release(struct stack *s, uint32_t id);

/* Return the number of connections, and the id of the next one at or after *cursor (start with 0),
 * or STACK_NONE. */
uint32_t stack_count(const struct stack *s);
uint32_t stack_next(struct stack *s, uint32_t *cursor);

/* Return the number of accepted connections in SYN_RECEIVED, of SYN cookies sent so far, and of
 * RSTs and cookies that were dropped because output was not called in time. */
uint32_t stack_half_open(const struct stack *s);
uint64_t stack_cookies(const struct stack *s);
uint64_t stack_replies_lost(const struct stack *s);

/* Processes a segment that arrived. `flow` is as this host sees it. Returns the id of the
 * connection that it belonged to or opened, or STACK_NONE. */
uint32_t stack_input(struct stack *s, wave_time now, const struct flow *flow,
                     const struct seg *seg);

/* Processes an ICMP error that arrived. Returns the same as stack_input(). */
uint32_t stack_icmp(struct stack *s, wave_time now, const struct icmp *e);

/* Builds the next segment to send: RSTs and cookies first, then the connections in turn, as
 * conn_output() does. *id is STACK_NONE for a segment without a connection. Returns false when
 * there is nothing to send, and also while too many events wait; stack_expiry() is then not later
 * than `now`. Pull the events after each call. */
bool stack_output(struct stack *s, wave_time now, struct flow *flow, struct seg *out, uint8_t *room,
                  uint32_t *id);

/* Takes the next event out of the queue; returns false when there is none. */
bool stack_event(struct stack *s, struct event *out);

/*
 * The same as conn_tick() and conn_expiry(), over all connections. stack_tick() stops early when
 * the event queue is half full, and stack_expiry() is then not later than `now`: pull the
 * events and call again. The expiry is late by no more than the wheel's resolution, 17 us. It may
 * be early: the wheel then examines the connection and moves it to a finer level, nine times at
 * most before its time comes.
 */
void stack_tick(struct stack *s, wave_time now);
wave_time stack_expiry(struct stack *s, wave_time now);

#endif
