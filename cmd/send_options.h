/*
 * What only `tcpwave send` is asked: the fields of its segments, how many there are and how fast.
 */
#ifndef TCPWAVE_CMD_SEND_OPTIONS_H
#define TCPWAVE_CMD_SEND_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/opt.h"
#include "lib/core/time.h"

struct options;

#define SEND_UNSET UINT32_MAX /* of a field that takes less: not given */
#define SEND_RATE_MAX UINT32_MAX

struct send_options {
    /* TCP. */
    uint32_t flags; /* SEG_..., default SYN */
    bool has_seq, has_ack;
    uint32_t seq, ack;
    uint32_t window;   /* as in the header; default 64240 */
    uint32_t urgent;   /* default 0 */
    uint32_t offset;   /* in words, or SEND_UNSET: the true one */
    uint32_t reserved; /* default 0 */
    bool bad_checksum;
    uint32_t checksum; /* or SEND_UNSET: the right one */
    uint8_t options_len;
    uint8_t options[OPT_BYTES_MAX]; /* in the order given */

    /* IP. */
    uint32_t ttl; /* default 64 */
    uint32_t tos; /* default 0 */
    uint32_t id;  /* or SEND_UNSET: counting up from a random one */
    bool df;
    uint32_t fragment;   /* bytes of TCP a piece; 0: whole */
    uint32_t flow_label; /* or SEND_UNSET: 0 */

    /* The run. */
    uint32_t count;     /* default 1 */
    uint32_t ports;     /* source ports used in turn; 0: as many as there are segments, to 256 */
    uint32_t seq_step;  /* from one sequence number to the next; default 0 */
    wave_time interval; /* 0: not given, 1 s */
    uint32_t rate;      /* a second, or SEND_RATE_MAX: as fast as can be; 0: not given */
    wave_time wait;     /* for answers after the last segment; default 1 s */
    bool wait_all;      /* all of `wait`, even when everything has been answered */
    uint32_t limit;     /* 0: --rate-limit=on; 1: off */
};

/* Those of the table of options that need parsers of their own: what is wrong, or NULL. */
const char *send_parse_flags(struct options *o, const char *value);
const char *send_parse_seq(struct options *o, const char *value);
const char *send_parse_ack(struct options *o, const char *value);
const char *send_parse_checksum(struct options *o, const char *value);
const char *send_parse_mss(struct options *o, const char *value);
const char *send_parse_wscale(struct options *o, const char *value);
const char *send_parse_sack_permitted(struct options *o, const char *value);
const char *send_parse_sack(struct options *o, const char *value);
const char *send_parse_timestamp(struct options *o, const char *value);
const char *send_parse_fast_open(struct options *o, const char *value);
const char *send_parse_user_timeout(struct options *o, const char *value);
const char *send_parse_md5(struct options *o, const char *value);
const char *send_parse_option(struct options *o, const char *value);
const char *send_parse_options(struct options *o, const char *value);
const char *send_parse_rate(struct options *o, const char *value);

/* What is in force when nothing is asked for. */
void send_options_default(struct send_options *s);

/* For the table of commands: what the options say together. */
const char *send_check(const struct options *o);

/* The same for what depends on the target's family, known at last. */
const char *send_check_family(const struct send_options *s, bool v6);

/* The time from one segment to the next; 0: as fast as can be. */
wave_time send_interval(const struct send_options *s);

#endif
