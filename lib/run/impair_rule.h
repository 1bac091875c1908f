/*
 * One rule of --impair: which segments it is about, and what is done to them. impair_rule_parse()
 * and impair_rule_print() are an inverse pair. impair.h applies rules.
 *
 *     DIRECTION:MATCH ACTION          out:.#1 drop    in:data,p=10% delay=200ms    out: dup
 *
 * DIRECTION is `out` or `in`. The last blank-separated word is the action. What stands between the
 * colon and the action are the items of the match, separated by commas or blanks; `#` may follow
 * another item directly. A segment has to pass all of them, and a rule without items is about every
 * segment. Counting (`#` and `every=`) counts the segments of one connection that pass all other
 * items.
 *
 *     flags        of S, F and R those that are named are set, and the others are clear. `.` is the
 *                  ACK flag. A SYN with `.` is a SYN-ACK, without it a SYN without ACK; `.` alone
 *                  is a segment with ACK and none of S, F and R. P, U, E and W only have to be set.
 *     data nodata  the segment carries data, or none
 *     #N #N-M #N-  the Nth segment, from the Nth to the Mth, from the Nth on; from 1
 *     every=N      each Nth segment
 *     p=PERCENT    by chance: a decimal number above 0 and up to 100, with at most six decimal
 *                  places and an optional %
 *     after=D      the connection's first segment was captured or sent that long ago or longer
 *     before=D     it was less long ago
 *     bytes=L-R    the segment carries one of these bytes of its sender's stream, counted from 1;
 *                  also bytes=L (one byte) and bytes=L- (from there on)
 *
 * An action on an option is only about segments that carry it, truncate=N about those with more
 * than N bytes of data, ack+=N about those with ACK, and rst never about a RST: what cannot be done
 * to a segment is not counted as a match either.
 *
 * Pure.
 */
#ifndef TCPWAVE_RUN_IMPAIR_RULE_H
#define TCPWAVE_RUN_IMPAIR_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/err.h"
#include "lib/core/time.h"

#define IMPAIR_RULES 32          /* of a run, at most */
#define IMPAIR_RULE_TEXT 192     /* bytes of a printed rule, with its NUL */
#define IMPAIR_LAST UINT32_MAX   /* in `last` and `byte_last`: there is no last one */
#define IMPAIR_ALWAYS 100000000u /* `chance` of 100 % */

enum impair_direction { IMPAIR_OUT, IMPAIR_IN };

enum impair_action {
    IMPAIR_DROP,
    IMPAIR_DUP,
    IMPAIR_DELAY,        /* `delay` */
    IMPAIR_REORDER,      /* the next segment overtakes it */
    IMPAIR_CORRUPT,      /* one bit; the checksum is then wrong */
    IMPAIR_CORRUPT_DATA, /* one byte of the data; the checksum is right */
    IMPAIR_TRUNCATE,     /* `number` bytes of data are kept */
    IMPAIR_WIN,          /* `number` bytes */
    IMPAIR_SEQ,          /* `number` is added */
    IMPAIR_ACK,          /* likewise */
    IMPAIR_FLAGS,        /* `set` */
    IMPAIR_STRIP,        /* `options` */
    IMPAIR_MSS,          /* `number` */
    IMPAIR_WSCALE,       /* `number` */
    IMPAIR_TS,           /* `number` is added to TSval */
    IMPAIR_TSECR,        /* `number` is added to TSecr */
    IMPAIR_SACK,         /* `number` is added to both ends of every block */
    IMPAIR_URG,          /* `number`; 0 clears the flag, too */
    IMPAIR_TTL,          /* `number` */
    IMPAIR_ECN,          /* `number`, an ECN_... value */
    IMPAIR_RST           /* the segment goes no further; a RST goes back to its sender */
};

/* The bits of `match`: the items that were given. */
enum {
    IMPAIR_BY_FLAGS = 1 << 0,
    IMPAIR_BY_DATA = 1 << 1,
    IMPAIR_BY_NO_DATA = 1 << 2,
    IMPAIR_BY_NUMBER = 1 << 3,
    IMPAIR_BY_EVERY = 1 << 4,
    IMPAIR_BY_CHANCE = 1 << 5,
    IMPAIR_BY_AFTER = 1 << 6,
    IMPAIR_BY_BEFORE = 1 << 7,
    IMPAIR_BY_BYTES = 1 << 8
};

struct impair_rule {
    const char *words; /* as the user wrote it; memory of the caller of impair_rule_parse() */
    bool optional;     /* it is a preset's, and need not match; no rule that is parsed has this */
    enum impair_direction direction;

    unsigned match;                 /* IMPAIR_BY_... */
    uint16_t flags;                 /* the letters that were named, SEG_... */
    uint32_t first, last;           /* #: of the segments that pass everything else, from 1 */
    uint32_t every;                 /* every=, from 1 */
    uint32_t chance;                /* p=, of IMPAIR_ALWAYS */
    wave_time after, before;        /* since the connection's first segment */
    uint32_t byte_first, byte_last; /* bytes=, from 1 */

    enum impair_action action;
    int64_t number; /* what `action` says; of those that add, -2^32 < number < 2^32 */
    wave_time delay;
    uint16_t set;    /* SEG_... */
    uint8_t options; /* OPT_... */
};

/*
 * Parses a rule into *out, whose `words` are `text`. Returns 0, or WAVE_EINVAL with *d filled in:
 * where the rule is wrong, as the number of a character and the text from there on, and what may
 * stand there; or why the action makes no sense for the match. *d follows the rule itself in a
 * message, as in "at character 5, 'X drop': ...".
 */
int impair_rule_parse(const char *text, struct impair_rule *out, struct diag *d);

/* Writes the rule in its shortest form, which impair_rule_parse() reads as the same rule. */
const char *impair_rule_print(const struct impair_rule *r, char text[IMPAIR_RULE_TEXT]);

#endif
