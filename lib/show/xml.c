/* Escapes text for XML. Each UTF-8 sequence is checked, and replaced if XML does not allow it. */
#include "lib/show/xml.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* Returns the length of the UTF-8 sequence at `at` (RFC 3629, section 4), or 0 if it is not one. */
static size_t sequence(const unsigned char *at, size_t left, uint32_t *code)
{
    static const uint32_t min[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = at[0] < 0x80             ? 1
                 : (at[0] & 0xe0) == 0xc0 ? 2
                 : (at[0] & 0xf0) == 0xe0 ? 3
                 : (at[0] & 0xf8) == 0xf0 ? 4
                                          : 0;

    if (!len || len > left)
        return 0;
    *code = len == 1 ? at[0] : at[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (at[i] & 0x3f);
    }
    return *code < min[len] ? 0 : len;
}

/* Returns whether XML 1.0 allows the character (production 2: Char). */
static bool allowed(uint32_t code)
{
    return code == '\t' || code == '\n' || code == '\r' || (code >= 0x20 && code <= 0xd7ff) ||
           (code >= 0xe000 && code <= 0xfffd) || (code >= 0x10000 && code <= 0x10ffff);
}

void xml_textn(FILE *to, const char *text, size_t len)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t left = strnlen(text, len);

    while (left) {
        uint32_t code = 0;
        size_t n = sequence(at, left, &code);
        if (!n || !allowed(code))
            fputs(REPLACEMENT, to);
        else if (code == '&')
            fputs("&amp;", to);
        else if (code == '<')
            fputs("&lt;", to);
        else if (code == '>')
            fputs("&gt;", to);
        else if (code == '"')
            fputs("&quot;", to);
        else if (code == '\'')
            fputs("&#39;", to);
        else
            fwrite(at, n, 1, to);
        n = n ? n : 1;
        at += n;
        left -= n;
    }
}

void xml_text(FILE *to, const char *text)
{
    xml_textn(to, text, strlen(text));
}
