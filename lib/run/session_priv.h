/*
 * What the files of a session share. Nothing else includes this header.
 */
#ifndef TCPWAVE_RUN_SESSION_PRIV_H
#define TCPWAVE_RUN_SESSION_PRIV_H

#include "lib/run/session.h"

#define SESSION_EVENTS ENV_EVENTS /* what the engine stores of them, at most */

/* session.c: the connections. */

/* Returns the connection with this id, or NULL. */
struct session_conn *session_find(struct session *s, uint32_t id);

/* Returns the connection with a flow for which the stack has none, or none any more; NULL: there is
 * none. Called rarely, as it goes through all of them. */
struct session_conn *session_find_flow(struct session *s, const struct flow *flow);

/* Adds a connection that the stack has opened. Returns NULL if memory is short. */
struct session_conn *session_add_conn(struct session *s, uint32_t id, const struct flow *flow);

/* Takes one step of the closing that session_fail() began. Returns when the next step is due. */
wave_time session_close_step(struct session *s, wave_time now);

/* session_loop.c: the session in its loop. */

/* Connects the session to its loop. */
void session_loop_init(struct session *s);

/* session_events.c: what the engine did. */

/* Pulls the engine's events. Our states are those after them. Returns how many there are. */
unsigned session_pull_events(struct session *s, struct event events[SESSION_EVENTS]);

/* Reports the events. `evidence` is the captured segment of connection `of` that caused them, or
 * 0. */
void session_tell_events(struct session *s, const struct event *events, unsigned n, wave_time stamp,
                         const struct session_conn *of, uint32_t evidence);

/* session_capture.c: what the capture shows. */

/* Handles a captured packet; `self` is the session. Returns true if what it causes may wait. */
bool session_take_packet(void *self, const struct wire_packet *p);

/* Reports a segment of ours that the capture lost. Without it, the tracker would find that the
 * peer's answers fit nothing. `passed`: the capture shows a later one of ours. */
void session_missed(struct session *s, const struct sent_entry *j, wave_time stamp, bool passed);

/* session_findings.c: the way to the peer. */

/* Checks the route after retransmissions: it may lead elsewhere by now. */
void session_look_at_route(struct session *s, wave_time now);

/* Ends the run if the next hop does not answer. Returns when to check next. */
wave_time session_look_at_neighbour(struct session *s, wave_time now);

/* session_impaired.c: what differs over a port that impairs segments on purpose. */

/* Returns whether a segment of ours that was not captured can have been lost by the capture. Over
 * such a port it may be held back instead, and only a loss that the capture has reported counts. */
bool session_may_miss(const struct session *s);

/* Returns the next entry of the sent log that the capture must have lost before this segment of
 * ours, or NULL. */
const struct sent_entry *session_missed_before(struct session *s, const struct wire_packet *p);

/* Removes and returns the entry of the sent log for a captured segment of ours, by the form in
 * which the engine made it; NULL: we did not send it, or it is the second of two. */
const struct sent_entry *session_sent(struct session *s, const struct wire_packet *p);

#endif
