/*
 * What a drawing may use of the stream it goes to: width, colour, characters beyond ASCII; and a
 * line of it, whose display columns are counted.
 */
#ifndef TCPWAVE_SHOW_TERM_H
#define TCPWAVE_SHOW_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct term {
    FILE *to;
    bool live; /* somebody watches: lines may be drawn over */
    bool color;
    bool unicode;
    unsigned width; /* columns, at least 80 */
    bool transient; /* a line stands there that the next one takes the place of */
};

enum term_color { TERM_COLOR_AUTO, TERM_COLOR_ALWAYS, TERM_COLOR_NEVER };

/* What was asked for. Zero leaves it to the environment and the stream. */
struct term_config {
    enum term_color color;
    bool ascii;     /* no character beyond ASCII */
    unsigned width; /* columns; 0: the terminal's */
};

/* From what was asked for, the environment (NO_COLOR, TERM, COLUMNS, locale) and the stream that
 * `fd` is; `to` is what the lines are written to. */
void term_init(struct term *t, FILE *to, int fd, const struct term_config *config);

/* What a colour says. */
enum tone {
    TONE_PLAIN,
    TONE_DIM,
    TONE_BOLD,
    TONE_OURS,   /* cyan: what we sent */
    TONE_PEER,   /* green: what the peer sent */
    TONE_DOUBT,  /* yellow: assumed, or sent again */
    TONE_TROUBLE /* red: RST, errors */
};

enum glyph {
    GLYPH_LIFE,
    GLYPH_CLOSED, /* a line of life after its side's FIN */
    GLYPH_LINE,
    GLYPH_RIGHT,
    GLYPH_LEFT,
    GLYPH_MORE,
    GLYPHS
};

/* A line that the next one takes the place of; only where somebody watches. What is too long for
 * the width is cut off. */
void term_transient(struct term *t, enum tone tone, const char *text);

/* Takes it away. */
void term_clear(struct term *t);

struct line {
    struct term *term;
    char text[2048];
    size_t len;
    unsigned columns;
};

void line_start(struct line *l, struct term *t);

/* Text of ASCII. */
void line_text(struct line *l, enum tone tone, const char *text);
void line_printf(struct line *l, enum tone tone, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* `count` of a glyph. */
void line_glyph(struct line *l, enum tone tone, enum glyph g, unsigned count);

/* Blanks up to the column, counted from 0; nothing when it is passed. */
void line_to(struct line *l, unsigned column);

/* Writes the line and its end, without blanks before that, in place of a transient one. */
void line_end(struct line *l);

/* Where a text of ASCII is broken that has `room` columns: how many bytes stand on this line, and
 * in *next where the following line begins. */
size_t text_break(const char *text, size_t room, const char **next);

#endif
