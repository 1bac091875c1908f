/*
 * How a user asks this program for what a text advises or refers to. The texts of this folder and
 * of the renderers know that it can be asked for; the words for it are the command line's, which
 * hands them in (cmd/how_to.c). They come to the renderers with each event.
 */
#ifndef TCPWAVE_REPORT_HOW_TO_H
#define TCPWAVE_REPORT_HOW_TO_H

#include <stddef.h>

enum how_to_what {
    HOW_TO_CONNECT,        /* make a connection as an application does */
    HOW_TO_TRY_ADDRESSES,  /* try all addresses of a name */
    HOW_TO_STAY_OPEN,      /* close after the peer has */
    HOW_TO_NAME_SOURCE,    /* choose our address, */
    HOW_TO_NAME_PORT,      /* our port, */
    HOW_TO_NAME_INTERFACE, /* and the interface */
    HOW_TO_SHOW_NOTHING,
    HOW_TO_SEND_DATA,
    HOW_TO_PROBE_WITH_DATA,
    HOW_TO_SHRINK_WINDOW,
    HOW_TO_SHRINK_SEGMENTS,
    HOW_TO_OMIT_SACK,
    HOW_TO_OMIT_TIMESTAMPS,
    HOW_TO_LIMIT_NUMBER, /* of connections at a time */
    HOW_TO_IMPAIR,       /* have rules change segments */
    HOW_TO_MISBEHAVE,
    HOW_TO_ALL
};

struct how_to {
    const char *words[HOW_TO_ALL];
};

/* Returns the words for it; `h` may be NULL, where no one reads them. */
static inline const char *how_to(const struct how_to *h, enum how_to_what what)
{
    return h ? h->words[what] : "an option";
}

#endif
