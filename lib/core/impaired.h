/*
 * What was done to a segment on purpose (--impair, lib/run/impair.h). It goes along with the packet
 * from the port to the report, so that no output can take it for the doing of the network or the
 * peer.
 *
 * A packet that carries this is what crossed the wire, or would have crossed it if it had not been
 * dropped. `engine` is the other side of the change: the segment as our engine made it, or as our
 * engine takes it in. The tracker, the signs and the report go by the wire; the engine and the sent
 * log go by `engine`.
 */
#ifndef TCPWAVE_CORE_IMPAIRED_H
#define TCPWAVE_CORE_IMPAIRED_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/seg.h"

#define IMPAIRED_TEXT 96 /* bytes of a description, with its NUL */

enum impaired_act {
    IMPAIRED_DROPPED = 1 << 0,
    IMPAIRED_DUPLICATED = 1 << 1, /* it is one of the two, or is taken in twice */
    IMPAIRED_DELAYED = 1 << 2,
    IMPAIRED_REORDERED = 1 << 3,
    IMPAIRED_CORRUPTED = 1 << 4, /* a bit was changed */
    IMPAIRED_TRUNCATED = 1 << 5,
    IMPAIRED_REWRITTEN = 1 << 6, /* fields of the header or options were changed */
    IMPAIRED_RESET = 1 << 7,     /* it was dropped, and a RST answers it */
    IMPAIRED_INVENTED = 1 << 8,  /* a rule made it: that RST */
    IMPAIRED_BROKEN = 1 << 9     /* corrupted so that its checksum is wrong: no host takes it */
};

struct impaired {
    unsigned acts;     /* IMPAIRED_... bits */
    unsigned rule;     /* number of the first rule that matched, from 1 */
    const char *words; /* of that rule, as the user wrote it; valid as long as the port */
    bool on_wire; /* it crossed the wire: no segment of ours that was dropped, and no RST that was
                     made for our engine alone */
    bool shown;   /* this is the time to report it; false: it was reported before, when it arrived */
    bool taken;   /* the engine has to take in `engine` now; always false for segments of ours */
    bool copy;    /* of ours: the second of two; the sent log has one entry for both */
    struct seg engine;
    char what[IMPAIRED_TEXT]; /* what was done, in plain words: "dropped", "delayed by 200 ms",
                                 "sent with window 0 instead of 65535" */
};

#endif
