/* Declares the options that say what our TCP offers, and how long it tries. */
#ifndef TCPWAVE_CMD_OPTIONS_TCP_H
#define TCPWAVE_CMD_OPTIONS_TCP_H

#include "cmd/options.h"
#include "lib/core/conn.h"

struct tcp_options {
    uint32_t syn_retries; /* retransmissions of the SYN; default 3 */
    wave_time give_up;    /* R2: the peer is lost when it acknowledges nothing for this long;
                             default 100 s */
    uint32_t mss;         /* announced, in bytes; 0: computed from the MTU */
    uint32_t window;      /* receive buffer in bytes; 0: the command's default */
    bool no_wscale, no_timestamps, no_sack; /* do not offer this option */
    bool ecn;                               /* ask for ECN (RFC 3168) */
    uint32_t ttl;                           /* or hop limit; default 64 */
    uint32_t tos;                           /* DSCP and ECN byte; its two low bits are 0 */
};

#define TCP_DEFAULT ((struct tcp_options){.syn_retries = 3, .give_up = 100 * WAVE_S, .ttl = 64})

/* The rows of a struct tcp_options, in the order of help. They are in several tables, so that a
 * command can put rows of its own between them or leave some out. */
extern const struct option_row tcp_syn_row[];     /* --syn-retries */
extern const struct option_row tcp_give_up_row[]; /* --give-up */
extern const struct option_row tcp_mss_row[];     /* --mss */
extern const struct option_row tcp_window_row[];  /* --window */
extern const struct option_row tcp_rows[];        /* --ecn, --no-..., --ttl and --tos */

/* Returns what is wrong with the options, as a message, or NULL. */
const char *tcp_check(const struct tcp_options *o);

/* Writes the options into the engine's configuration, all but the window, which depends on the
 * command. */
void tcp_configure(const struct tcp_options *o, struct conn_config *c);

#endif
