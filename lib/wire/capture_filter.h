/* A filter in libpcap's language (pcap-filter(7)) for frames of a capture file. It is compiled for
 * each link type that is known, before the sandbox is entered: names of ports and hosts need files.
 */
#ifndef TCPWAVE_WIRE_CAPTURE_FILTER_H
#define TCPWAVE_WIRE_CAPTURE_FILTER_H

#include <stdbool.h>

#include "lib/core/err.h"
#include "lib/wire/capture_file.h"

struct capture_filter;

/* Compiles the expression. Returns 0, WAVE_ENOMEM, or WAVE_EINVAL when it fits no link type, with
 * *d filled in. */
int capture_filter_open(struct capture_filter **out, const char *expression, struct diag *d);
void capture_filter_close(struct capture_filter *f); /* NULL is allowed */

/* Returns whether the frame passes. One of a link type for which the expression has no meaning does
 * not. */
bool capture_filter_passes(const struct capture_filter *f, const struct capture_record *r);

#endif
