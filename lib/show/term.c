/*
 * Finds out what the stream can show, and writes lines whose display columns are counted. A colour
 * is a tone with a meaning; a glyph has an ASCII form.
 */
#include "lib/show/term.h"

#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH_LEAST 80
#define WIDTH_MAX 250

static unsigned width_of(int fd, unsigned asked)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    unsigned long width = asked;

    if (!width && ioctl(fd, TIOCGWINSZ, &size) == 0)
        width = size.ws_col;
    if (!width && columns)
        width = strtoul(columns, NULL, 10);
    if (width < WIDTH_LEAST)
        return WIDTH_LEAST;
    return width > WIDTH_MAX ? WIDTH_MAX : (unsigned)width;
}

/* Reads the locale of the environment without making it the program's, whose numbers and messages
 * are the same everywhere. */
static bool locale_is_utf8(void)
{
    locale_t l = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
    if (!l)
        return false;
    bool utf8 = strcmp(nl_langinfo_l(CODESET, l), "UTF-8") == 0;
    freelocale(l);
    return utf8;
}

void term_init(struct term *t, FILE *to, int fd, const struct term_config *config)
{
    const char *kind = getenv("TERM");
    const char *no_color = getenv("NO_COLOR");
    bool smart = isatty(fd) && kind && strcmp(kind, "dumb") != 0;

    t->to = to;
    t->live = smart;
    t->color = config->color == TERM_COLOR_ALWAYS ||
               (config->color == TERM_COLOR_AUTO && smart && !(no_color && no_color[0]));
    t->unicode = !config->ascii && locale_is_utf8();
    t->width = width_of(fd, config->width);
    t->transient = false;
}

void line_start(struct line *l, struct term *t)
{
    l->term = t;
    l->len = 0;
    l->columns = 0;
    l->text[0] = '\0';
}

/* Adds so many bytes, or those for which there is room. */
static void raw(struct line *l, const char *text, size_t n)
{
    if (n >= LINE_TEXT - l->len)
        n = LINE_TEXT - l->len - 1;
    memcpy(l->text + l->len, text, n);
    l->len += n;
    l->text[l->len] = '\0';
}

static const char *const escapes[] = {
    [TONE_PLAIN] = "",          [TONE_DIM] = "\033[2m",   [TONE_BOLD] = "\033[1m",
    [TONE_OURS] = "\033[36m",   [TONE_PEER] = "\033[32m", [TONE_DOUBT] = "\033[33m",
    [TONE_TROUBLE] = "\033[31m"};

#define ERASE_LINE "\r\033[K"

void term_transient(struct term *t, enum tone tone, const char *text)
{
    const bool colored = t->color && tone != TONE_PLAIN;

    if (!t->live)
        return;
    fprintf(t->to, ERASE_LINE "%s%.*s%s", colored ? escapes[tone] : "", (int)t->width - 1, text,
            colored ? "\033[0m" : "");
    fflush(t->to);
    t->transient = true;
}

void term_clear(struct term *t)
{
    if (t->transient)
        fputs(ERASE_LINE, t->to);
    t->transient = false;
}

static void tone_on(struct line *l, enum tone tone)
{
    if (l->term->color && tone != TONE_PLAIN)
        raw(l, escapes[tone], strlen(escapes[tone]));
}

static void tone_off(struct line *l, enum tone tone)
{
    if (l->term->color && tone != TONE_PLAIN)
        raw(l, "\033[0m", strlen("\033[0m"));
}

void line_text(struct line *l, enum tone tone, const char *text)
{
    const size_t n = strlen(text);

    tone_on(l, tone);
    raw(l, text, n);
    l->columns += (unsigned)n;
    tone_off(l, tone);
}

void line_printf(struct line *l, enum tone tone, const char *format, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    line_text(l, tone, text);
}

void line_glyph(struct line *l, enum tone tone, enum glyph g, unsigned count)
{
    static const char *const unicode[GLYPHS] = {"│", "┊", "─", "▶", "◀", "⋮", "✗"};
    static const char *const ascii[GLYPHS] = {"|", "!", "-", ">", "<", ":", "X"};

    const char *bytes = l->term->unicode ? unicode[g] : ascii[g];

    if (!count)
        return;
    tone_on(l, tone);
    for (unsigned i = 0; i < count; i++)
        raw(l, bytes, strlen(bytes));
    tone_off(l, tone);
    l->columns += count;
}

void line_to(struct line *l, unsigned column)
{
    static const char blanks[] = "                                ";

    while (l->columns < column) {
        const unsigned missing = column - l->columns;
        const unsigned n = missing < sizeof blanks - 1 ? missing : (unsigned)sizeof blanks - 1;
        memcpy(line_place(l), blanks, sizeof blanks - 1); /* a fixed number is copied at once */
        line_placed(l, line_place(l) + n);
    }
}

void line_end(struct line *l)
{
    while (l->len && l->text[l->len - 1] == ' ')
        l->len--;
    term_clear(l->term);
    l->text[l->len] = '\n';
    fwrite(l->text, 1, l->len + 1, l->term->to);
    l->text[l->len] = '\0';
}

size_t text_break(const char *text, size_t room, const char **next)
{
    size_t take = strlen(text);

    if (take > room) {
        for (take = room; take > room / 2 && text[take] != ' '; take--)
            ;
        if (text[take] != ' ')
            take = room; /* a word without a blank in reach */
    }
    for (*next = text + take; **next == ' ';)
        ++*next;
    return take;
}

static bool begins_character(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80; /* of UTF-8 */
}

const char *text_shortened(const char *name, size_t columns, bool unicode, char *out, size_t room)
{
    const char *ellipsis = unicode ? "\u2026" : "...", *at = name + strlen(name);
    const size_t dots = unicode ? 1 : 3;
    size_t have = 0;

    for (const char *c = name; *c; c++)
        have += begins_character(*c);
    if (have <= columns)
        return name;
    for (size_t left = columns > dots ? columns - dots : 0; left && at > name; left--)
        do
            at--;
        while (at > name && !begins_character(*at));
    snprintf(out, room, "%s%s", ellipsis, at);
    return out;
}
