/*
 * Expectations: what a script expected at one of its lines, and what came. Like findings.h, this is
 * only the type and the list. The texts must live as long as the list.
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

/* A list of expectations; empty when all zero. */
struct expects {
    struct expect at[EXPECTS_MAX];
    unsigned count;
    unsigned left_out; /* for which there was no room */
    unsigned failed;   /* of all */
};

void expects_add(struct expects *list, const struct expect *e);

/* Writes the expectation for a person, such as "a.lua:12: expected SYN ACK, got RST". Returns
 * text. */
const char *expect_text(const struct expect *e, char text[EXPECT_ROW]);

#endif
