/* Which flows --flow names: "3" is the third of the list; "192.0.2.1", "192.0.2.1:80",
 * "[2001:db8::1]:80" and ":80" are an address, a port, or both, of either side. With commas between
 * them all have to be met. */
#ifndef TCPWAVE_CMD_READ_SELECT_H
#define TCPWAVE_CMD_READ_SELECT_H

#include <stdbool.h>

#include "lib/report/flows.h"

#define READ_TERMS 4

struct read_select {
    uint32_t number; /* 0: any */
    unsigned terms;
    struct read_term {
        bool has_addr, v6, has_port;
        struct addr addr;
        uint16_t port;
    } term[READ_TERMS];
};

/* Parses the text. Returns NULL, or what is wrong with it. */
const char *read_select_parse(struct read_select *s, const char *text);

/* Returns whether the flow is one of those. */
bool read_select_has(const struct read_select *s, const struct watched *w);

#endif
