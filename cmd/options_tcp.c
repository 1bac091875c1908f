/* Defines the rows of the options that concern our TCP, and hands them to the engine. */
#include "cmd/options_tcp.h"

#define FIELD(name) offsetof(struct tcp_options, name)

/* The largest window that can be announced is 65535 shifted by 14 (RFC 7323, 2.3). */
#define WINDOW_MAX (65535u << 14)

/* clang-format off */
const struct option_row tcp_syn_row[] = {
    {KIND_NUMBER, 0, "syn-retries", "N", "retransmissions of an unanswered SYN (default 3: 15s)",
     FIELD(syn_retries), 0, 10, NULL},
    OPTION_END};

const struct option_row tcp_give_up_row[] = {
    {KIND_DURATION, 0, "give-up", "DURATION",
     "a peer that acknowledges nothing for this long is lost (default 100s)",
     FIELD(give_up), WAVE_MS, OPTION_YEAR, NULL},
    OPTION_END};

const struct option_row tcp_mss_row[] = {
    {KIND_NUMBER, 0, "mss", "BYTES", "largest segment to announce (default: from the MTU)",
     FIELD(mss), 1, 65535, NULL},
    OPTION_END};

const struct option_row tcp_window_row[] = {
    {KIND_SIZE, 0, "window", "BYTES", "receive buffer (default 4M)",
     FIELD(window), 1, WINDOW_MAX, NULL},
    OPTION_END};

const struct option_row tcp_rows[] = {
    {KIND_FLAG, 0, "ecn", NULL, "ask for ECN", FIELD(ecn), 0, 0, NULL},
    {KIND_FLAG, 0, "no-sack", NULL, "do not offer SACK", FIELD(no_sack), 0, 0, NULL},
    {KIND_FLAG, 0, "no-timestamps", NULL, "do not offer timestamps",
     FIELD(no_timestamps), 0, 0, NULL},
    {KIND_FLAG, 0, "no-wscale", NULL, "do not offer window scaling", FIELD(no_wscale), 0, 0, NULL},
    {KIND_NUMBER, 0, "ttl", "N", "time to live, or hop limit (default 64)",
     FIELD(ttl), 1, 255, NULL},
    {KIND_NUMBER, 0, "tos", "N", "type of service, or traffic class; a multiple of 4",
     FIELD(tos), 0, 255, NULL},
    OPTION_END};
/* clang-format on */

const char *tcp_check(const struct tcp_options *o)
{
    return o->tos & 3 ? "--tos must be a multiple of 4: its two low bits belong to ECN" : NULL;
}

void tcp_configure(const struct tcp_options *o, struct conn_config *c)
{
    if (o->mss)
        c->mss = o->mss;
    c->wscale = !o->no_wscale;
    c->timestamps = !o->no_timestamps;
    c->sack = !o->no_sack;
    c->ecn = o->ecn;
    c->syn_retries = o->syn_retries;
    c->r2 = o->give_up;
}
