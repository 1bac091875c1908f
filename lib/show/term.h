/*
 * What a drawing may use of its stream: width, colour, characters beyond ASCII; and a line of it,
 * whose display columns are counted.
 */
#ifndef TCPWAVE_SHOW_TERM_H
#define TCPWAVE_SHOW_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct term {
    FILE *to;
    bool live; /* the stream is a terminal: lines may be overwritten */
    bool color;
    bool unicode;
    unsigned width; /* columns, at least 80 */
    bool transient; /* the current line is overwritten by the next one */
};

enum term_color { TERM_COLOR_AUTO, TERM_COLOR_ALWAYS, TERM_COLOR_NEVER };

/* What was asked for. Zero leaves it to the environment and the stream. */
struct term_config {
    enum term_color color;
    bool ascii;     /* no character beyond ASCII */
    unsigned width; /* columns; 0: the terminal's */
};

/* Determines all of it from the configuration, from the environment (NO_COLOR, TERM, COLUMNS,
 * locale) and from the descriptor `fd`; lines are written to `to`. */
void term_init(struct term *t, FILE *to, int fd, const struct term_config *config);

/* The meaning of a colour. */
enum tone {
    TONE_PLAIN,
    TONE_DIM,
    TONE_BOLD,
    TONE_OURS,   /* cyan: what we sent */
    TONE_PEER,   /* green: what the peer sent */
    TONE_DOUBT,  /* yellow: assumed, or retransmitted */
    TONE_TROUBLE /* red: RST, errors */
};

enum glyph {
    GLYPH_LIFE,
    GLYPH_CLOSED, /* a line of life after the FIN of its side */
    GLYPH_LINE,
    GLYPH_RIGHT,
    GLYPH_LEFT,
    GLYPH_MORE,
    GLYPH_STRUCK, /* where an arrow ends that did not get across */
    GLYPHS
};

/* Draws a line that the next one overwrites; only on a terminal. What exceeds the width is cut
 * off. */
void term_transient(struct term *t, enum tone tone, const char *text);

/* Removes that line. */
void term_clear(struct term *t);

#define LINE_TEXT 2048
#define LINE_PLACE 128 /* bytes */

struct line {
    struct term *term;
    size_t len;
    unsigned columns;
    char text[LINE_TEXT + LINE_PLACE];
};

void line_start(struct line *l, struct term *t);

/* Adds ASCII text. */
void line_text(struct line *l, enum tone tone, const char *text);
void line_printf(struct line *l, enum tone tone, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Returns where up to LINE_PLACE bytes of plain ASCII text may be written, which line_placed() then
 * adds: `end` is behind them. It saves a table of many lines a copy of each number. */
static inline char *line_place(struct line *l)
{
    return l->text + l->len;
}

static inline void line_placed(struct line *l, const char *end)
{
    const size_t n = (size_t)(end - (l->text + l->len));

    l->columns += (unsigned)n;
    l->len += n;
    if (l->len > LINE_TEXT - 1) /* it is full */
        l->len = LINE_TEXT - 1;
    l->text[l->len] = '\0';
}

/* Adds `count` of a glyph. */
void line_glyph(struct line *l, enum tone tone, enum glyph g, unsigned count);

/* Adds blanks up to the column, counted from 0; nothing if the line is longer. */
void line_to(struct line *l, unsigned column);

/* Writes the line and a newline, without trailing blanks, in place of a transient line. */
void line_end(struct line *l);

/* Finds where to break an ASCII text for `room` columns. Returns how many bytes stand on this line,
 * and in *next where the following line begins. */
size_t text_break(const char *text, size_t room, const char **next);

/* Shortens a name to so many columns, at its beginning, where paths differ least: what is missing
 * is an ellipsis. A character beyond ASCII counts as one column. Returns the name itself where it
 * fits, or `out`, of `room` bytes. */
const char *text_shortened(const char *name, size_t columns, bool unicode, char *out, size_t room);

#endif
