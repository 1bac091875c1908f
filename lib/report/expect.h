/*
 * Expectations: what a script expected at a line of it, and what came. Here are the type and the
 * list only, as with findings. The texts live as long as the list.
 */
#ifndef TCPWAVE_REPORT_EXPECT_H
#define TCPWAVE_REPORT_EXPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPECTS_MAX 128
#define EXPECT_ROW 400 /* bytes of expect_text() */

struct expect {
    const char *script;
    uint32_t line;
    bool passed;
    const char *expected;
    const char *got; /* NULL: nothing came */
};

/* Empty when zeroed. */
struct expects {
    struct expect at[EXPECTS_MAX];
    unsigned count;
    unsigned left_out; /* for which there was no room */
    unsigned failed;   /* of all */
};

void expects_add(struct expects *list, const struct expect *e);

/* For a person: "a.lua:12: expected SYN ACK, got RST". */
const char *expect_text(const struct expect *e, char text[EXPECT_ROW]);

#endif
