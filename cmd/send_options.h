/* Declares the options of send: the fields of its segments, how many there are, and how fast they
 * are sent. */
#ifndef TCPWAVE_CMD_SEND_OPTIONS_H
#define TCPWAVE_CMD_SEND_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd/options_data.h"
#include "cmd/options_show.h"
#include "cmd/options_where.h"
#include "cmd/target.h"
#include "lib/core/err.h"
#include "lib/core/opt.h"
#include "lib/core/time.h"

#define SEND_UNSET UINT32_MAX /* the option was not given; the field takes smaller values only */
#define SEND_RATE_MAX UINT32_MAX

struct send_options {
    struct target_name target;
    struct where_options where;
    uint32_t source_port; /* the first; 0: the kernel chooses one */
    struct data_options data;
    struct bytes hex; /* --hex: bytes to send; not together with `data` */
    struct show_options show;

    /* TCP. */
    uint32_t flags; /* SEG_..., default SYN */
    bool has_seq, has_ack;
    uint32_t seq, ack;
    uint32_t window;   /* as in the header; default 64240 */
    uint32_t urgent;   /* default 0 */
    uint32_t offset;   /* in words of 4 bytes, or SEND_UNSET: the true one */
    uint32_t reserved; /* default 0 */
    bool bad_checksum;
    uint32_t checksum; /* or SEND_UNSET: the right one */
    uint8_t options_len;
    uint8_t options[OPT_BYTES_MAX]; /* as bytes of the header, in the order given */

    /* IP. */
    uint32_t ttl; /* default 64 */
    uint32_t tos; /* default 0 */
    uint32_t id;  /* or SEND_UNSET: counts up from a random one */
    bool df;
    uint32_t fragment;   /* bytes of TCP in each fragment; 0: the packet is not fragmented */
    uint32_t flow_label; /* or SEND_UNSET: 0 */

    /* The run. */
    uint32_t count;     /* default 1 */
    uint32_t ports;     /* source ports used in turn; 0: one for each segment, up to 256 */
    uint32_t seq_step;  /* from one sequence number to the next; default 0 */
    wave_time interval; /* 0: not given, so 1 s */
    uint32_t rate;      /* segments a second, or SEND_RATE_MAX; 0: not given */
    wave_time wait;     /* for answers after the last segment; default 1 s */
    bool wait_all;      /* wait for all of `wait`, even if every segment has an answer */
    uint32_t limit;     /* 0: --rate-limit=on; 1: off */
};

/* Parse the options that need parsers of their own, into a struct send_options. Each returns NULL,
 * or what is wrong with the value, in a few words that follow it. */
const char *send_parse_flags(void *options, const char *value);
const char *send_parse_seq(void *options, const char *value);
const char *send_parse_ack(void *options, const char *value);
const char *send_parse_checksum(void *options, const char *value);
const char *send_parse_mss(void *options, const char *value);
const char *send_parse_wscale(void *options, const char *value);
const char *send_parse_sack_permitted(void *options, const char *value);
const char *send_parse_sack(void *options, const char *value);
const char *send_parse_timestamp(void *options, const char *value);
const char *send_parse_fast_open(void *options, const char *value);
const char *send_parse_user_timeout(void *options, const char *value);
const char *send_parse_md5(void *options, const char *value);
const char *send_parse_option(void *options, const char *value);
const char *send_parse_options(void *options, const char *value);
const char *send_parse_rate(void *options, const char *value);

/* The parts of send_command that concern its options. The functions are described at struct
 * command. */
extern const struct option_group send_groups[];
void send_defaults(void *options);
int send_operands(void *options, char *const *text, unsigned count, struct diag *d);
const char *send_check(void *options);

/* Checks the options that depend on the target's family, once it is known. Returns what is wrong,
 * as a message, or NULL. */
const char *send_check_family(const struct send_options *s, bool v6);

/* Returns the time from one segment to the next; 0: as fast as possible. */
wave_time send_interval(const struct send_options *s);

#endif
