/*
 * --svg: the run as a picture. Rows are collected during the run, within bounds, and written at the
 * end, when it is known which segments were lost.
 *
 * Every error is WAVE_ESYS, or WAVE_ENOMEM, with *d filled in.
 */
#ifndef TCPWAVE_SHOW_SVG_H
#define TCPWAVE_SHOW_SVG_H

#include "lib/core/err.h"
#include "lib/io/outbuf.h"
#include "lib/show/picture.h"

#define SVG_ROWS 1000 /* for all connections together */
#define SVG_FLOWS 32  /* connections that are drawn; the rest are counted */

struct svg;

/* Creates the file ("-": standard output), as file_open_write() does, and writes nothing yet. */
int svg_open(struct svg **out, const char *path, enum picture_scale scale, struct diag *d);

/* A report_sink; `self` is a struct svg. A shortage of memory is reported by svg_end(). */
void svg_event(void *self, const struct report_event *event);

/* Writes the picture with the run's verdict. It may be called once, after the last event. It waits
 * for the reader as outbuf_finish() does, because a picture without its end is useless. */
int svg_end(struct svg *s, const struct report_verdict *verdict, struct outbuf_end *end,
            struct diag *d);

/* Closes and frees. NULL is allowed. */
void svg_close(struct svg *s);

#endif
