/* Text within XML. What comes from outside (names on the command line, a peer's bytes in a message)
 * never becomes markup and never breaks the file. */
#ifndef TCPWAVE_SHOW_XML_H
#define TCPWAVE_SHOW_XML_H

#include <stddef.h>
#include <stdio.h>

/*
 * Writes `text` as character data that is valid in an attribute too: & < > " ' as entities; bytes
 * that are not UTF-8, and characters that XML 1.0 (section 2.2) does not allow, as U+FFFD. Errors
 * stay in the stream.
 */
void xml_text(FILE *to, const char *text);

/* Writes the first `len` bytes at most, as xml_text() does. */
void xml_textn(FILE *to, const char *text, size_t len);

#endif
