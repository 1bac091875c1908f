/* Text within XML. What comes from outside (names on the command line, a peer's bytes in a message)
 * is never markup, and never breaks the file. */
#ifndef TCPWAVE_SHOW_XML_H
#define TCPWAVE_SHOW_XML_H

#include <stddef.h>
#include <stdio.h>

/*
 * Writes `text` as character data that may stand in an attribute too: & < > " ' as entities; bytes
 * that are no UTF-8, and characters that XML 1.0 (section 2.2) does not allow, as U+FFFD. Errors
 * are the stream's.
 */
void xml_text(FILE *to, const char *text);

/* As xml_text(), of the first `len` bytes at most. */
void xml_textn(FILE *to, const char *text, size_t len);

#endif
