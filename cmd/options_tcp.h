/* What our TCP offers, and how long it tries. */
#ifndef TCPWAVE_CMD_OPTIONS_TCP_H
#define TCPWAVE_CMD_OPTIONS_TCP_H

#include "cmd/options.h"
#include "lib/core/conn.h"

struct tcp_options {
    uint32_t syn_retries; /* SYNs after the first, default 3 */
    wave_time give_up;    /* R2: unacknowledged this long is lost; default 100 s */
    uint32_t mss;         /* announced; 0: from the MTU */
    uint32_t window;      /* receive buffer in bytes; 0: the command's */
    bool no_wscale, no_timestamps, no_sack; /* not offered */
    bool ecn;                               /* RFC 3168 negotiation is asked for */
    uint32_t ttl;                           /* or hop limit, default 64 */
    uint32_t tos;                           /* DSCP and ECN byte; its two low bits are 0 */
};

#define TCP_DEFAULT ((struct tcp_options){.syn_retries = 3, .give_up = 100 * WAVE_S, .ttl = 64})

/* All of struct tcp_options, in this order; a command's own rows may stand between them. */
extern const struct option_row tcp_syn_row[];     /* --syn-retries */
extern const struct option_row tcp_give_up_row[]; /* --give-up */
extern const struct option_row tcp_mss_row[];     /* --mss */
extern const struct option_row tcp_window_row[];  /* --window */
extern const struct option_row tcp_rows[];        /* --ecn, what is not offered, --ttl and --tos */

/* What is wrong with them, or NULL. */
const char *tcp_check(const struct tcp_options *o);

/* What the engine is told of them, but for the window, which depends on the command. */
void tcp_configure(const struct tcp_options *o, struct conn_config *c);

#endif
