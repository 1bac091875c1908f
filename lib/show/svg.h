/*
 * --svg: the run as a picture. Rows are collected while it lasts, within bounds, and written at the
 * end, when it is known which segments were lost.
 *
 * Every error is WAVE_ESYS, or WAVE_ENOMEM, with *d filled in.
 */
#ifndef TCPWAVE_SHOW_SVG_H
#define TCPWAVE_SHOW_SVG_H

#include "lib/core/err.h"
#include "lib/io/outbuf.h"
#include "lib/show/picture.h"

#define SVG_ROWS 1000 /* of all connections together */
#define SVG_FLOWS 32  /* connections that are drawn; the rest is counted */

struct svg;

/* Creates the file ("-": standard output), as file_open_write() does; writes nothing yet. */
int svg_open(struct svg **out, const char *path, enum picture_scale scale, struct diag *d);

/* A report_sink; `self` is a struct svg. What memory does not suffice for is told by svg_end(). */
void svg_event(void *self, const struct report_event *event);

/* Writes the picture, under the run's verdict. To be called at most once, after the last event.
 * What reads it is waited for as outbuf_finish() does: a picture without its end is none. */
int svg_end(struct svg *s, const struct report_verdict *verdict, struct outbuf_end *end,
            struct diag *d);

/* Closes and frees. NULL is taken. */
void svg_close(struct svg *s);

#endif
