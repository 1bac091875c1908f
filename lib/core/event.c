/*
 * The names of the checks that can discard a segment.
 */
#include "lib/core/event.h"

const char *check_name(enum check c)
{
    static const char *const name[CHECK_COUNT] = {
        [CHECK_NONE] = "acceptable",
        [CHECK_BAD_ACK_IN_HANDSHAKE] = "ACK of data never sent, in the handshake",
        [CHECK_NO_SYN] = "no SYN where one is needed",
        [CHECK_PAWS] = "old timestamp (PAWS)",
        [CHECK_NO_TIMESTAMP] = "timestamp missing though negotiated",
        [CHECK_SEQUENCE] = "outside the window",
        [CHECK_RST_SEQUENCE] = "RST in the window, but not at its left edge",
        [CHECK_SYN_IN_WINDOW] = "SYN on a synchronized connection",
        [CHECK_NO_ACK] = "no ACK bit",
        [CHECK_ACK_TOO_OLD] = "ACK too old",
        [CHECK_ACK_UNSENT] = "ACK of data never sent",
        [CHECK_CLOSED] = "data for a side that no longer reads",
        [CHECK_MEMORY] = "no memory to hold it",
    };

    return (unsigned)c < CHECK_COUNT ? name[c] : "unknown check";
}
