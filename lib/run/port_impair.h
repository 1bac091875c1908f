/*
 * A port that stands in front of another one and impairs what passes, in both directions, as the
 * rules of impair.h say. What it did to a packet goes along with it (lib/core/impaired.h).
 *
 * Ours. send() applies the rules. A segment that was changed is sent as the rules left it, or built
 * here and queued if its checksum has to be wrong. When the port behind gives a captured segment of
 * ours, next() recognises it by its form on the wire and attaches what was done to it. A segment
 * that was dropped, or delayed, is nowhere in the capture yet: a list of all that was sent keeps
 * its place, and next() gives a dropped one between those that were sent before and after it, with
 * the time at which it was dropped. If what was sent before it does not come out of the capture
 * within PORT_IMPAIR_PATIENCE, it is given without waiting any longer.
 *
 * Theirs. next() applies the rules, and gives every segment once when it arrives, to be shown, and
 * as often as the engine has to take it in:
 *
 *     dropped, corrupted   shown, not taken
 *     delayed, reordered   shown when it arrives; taken, and not shown, when its time has come
 *     duplicated           shown and taken; taken once more
 *     rewritten            shown as it was on the wire; `impaired->engine` is what is taken
 *     answered with RST    shown, not taken; our RST is a captured segment of ours, as any other
 *
 * A segment is what the capture gives: where an offload has merged several of the peer's, they are
 * one, and the rules treat and count them as one.
 *
 * When it is time, wait() lets next() give what was held back, and flush() sends it; wait() does
 * not sleep beyond that. Over a port in virtual time, the same rules, seed and segments give the
 * same run, to the byte.
 */
#ifndef TCPWAVE_RUN_PORT_IMPAIR_H
#define TCPWAVE_RUN_PORT_IMPAIR_H

#include "lib/run/impair.h"
#include "lib/run/port.h"

#define PORT_IMPAIR_PATIENCE (10 * WAVE_MS)

/*
 * Opens the port over `behind`, which belongs to it from then on. `rules` belong to the caller and
 * must outlive the port. `quiet`: nothing is shown, so that segments of ours are sent as the rules
 * say and nothing is remembered of them; arriving ones are given as always. Returns 0, or
 * WAVE_ENOMEM with *d filled in; `behind` is then closed.
 */
int port_impair_open(struct port **out, struct port *behind, struct impair *rules, bool quiet,
                     struct diag *d);

#endif
