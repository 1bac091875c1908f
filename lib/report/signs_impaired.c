/*
 * What the rules of --impair did to a connection, and which signs can no longer tell anything after
 * it. A rule can make the peer do what it would never do by itself: when our ACK was dropped, it
 * rightly retransmits, and when we changed a timestamp, it rightly ignores the segment. Neither the
 * path nor the peer is to blame then. So each sign has a list of what spoils it, and from the first
 * such impairment on it is not set on this connection.
 */
#include <stdio.h>
#include <string.h>

#include "lib/report/human.h"
#include "lib/report/report.h"
#include "lib/report/signs.h"

/*
 * What spoils each sign; what is not here depends only on what the peer's segments were like on the
 * wire, where no rule reaches them.
 *
 * - What the peer's segments are compared with is what we sent, as it was on the wire. After SYNs,
 *   sequence numbers, timestamps or options that a rule changed, it is not known which of them the
 *   peer went by.
 * - Where something depends on when we answered, or on whether we did, everything spoils it that
 * can delay our answer: also what kept the peer's segment from our engine.
 * - After what a rule made of the peer's segments, our engine may acknowledge what the peer never
 *   sent: then the peer rightly ignores our segments.
 * - Where the engine refused a segment, it went by what the rules let through.
 */
static const unsigned spoils[SIGN_COUNT] = {
    [SIGN_RST_ASTRAY] = IMPAIRED_OURS_CHANGED,
    [SIGN_ACK_ASTRAY] = IMPAIRED_OURS_CHANGED,
    [SIGN_SYN_ACK_ASTRAY] = IMPAIRED_OURS_CHANGED,
    [SIGN_SYN_ACK_AGAIN] = IMPAIRED_ANY,
    [SIGN_SYN_ACK_HEARD] = IMPAIRED_ANY,
    [SIGN_DATA_UNTAKEN] = IMPAIRED_ANY,
    [SIGN_UNSTAMPED] = IMPAIRED_OURS_CHANGED,
    [SIGN_UNOFFERED] = IMPAIRED_OURS_CHANGED,
    [SIGN_OLD_TIMESTAMP] = IMPAIRED_THEIRS_LATE | IMPAIRED_THEIRS_CHANGED,
    [SIGN_ECHO_ASTRAY] = IMPAIRED_OURS_CHANGED | IMPAIRED_OURS_LATE,
    [SIGN_WINDOW_BACK] = IMPAIRED_OURS_CHANGED,
    [SIGN_OVERRUN] = IMPAIRED_OURS_CHANGED,
    [SIGN_NEEDLESS] = IMPAIRED_OURS_CHANGED | IMPAIRED_THEIRS_CHANGED,
    [SIGN_CHALLENGED] = IMPAIRED_ANY,
    [SIGN_FIN_UNTAKEN] = IMPAIRED_OURS_CHANGED | IMPAIRED_THEIRS_CHANGED,
    [SIGN_SACK_ASTRAY] = IMPAIRED_OURS_CHANGED,
    [SIGN_QUOTE_ASTRAY] = IMPAIRED_OURS_CHANGED,
    [SIGN_RST_OUTSIDE] = IMPAIRED_OURS_CHANGED | IMPAIRED_THEIRS_CHANGED,
    [SIGN_ACK_UNSENT] = IMPAIRED_ANY,
    [SIGN_OTHER_ISN] = IMPAIRED_OURS_CHANGED | IMPAIRED_OURS_LATE,
    [SIGN_OTHER_ANSWER] = IMPAIRED_ANY,
    [SIGN_AFTER_RST] = IMPAIRED_ANY,
    [SIGN_LATE] = IMPAIRED_ANY,
    [SIGN_BEYOND_AGAIN] = IMPAIRED_ANY,
    [SIGN_FILLED] = IMPAIRED_ANY,
    [SIGN_JOINED] = IMPAIRED_OURS_CHANGED,
    [SIGN_CUT] = IMPAIRED_OURS_CHANGED,
    [SIGN_UNMARKED] = IMPAIRED_OURS_CHANGED,
    [SIGN_OURS_CUT] = IMPAIRED_ANY,
    [SIGN_PROBE_IGNORED] = IMPAIRED_OURS_CHANGED | IMPAIRED_THEIRS_CHANGED,
};

bool signs_spoiled(const struct signs *s, enum sign_kind kind)
{
    return s->impaired & spoils[kind];
}

/* The acts, and what they do to a segment of ours; shifted, the same for the peer's. */
static const struct {
    unsigned act, does;
    const char *words;
} acts[SIGNS_ACTS] = {
    {IMPAIRED_DROPPED, IMPAIRED_OURS_LOST, "dropped"},
    {IMPAIRED_DUPLICATED, IMPAIRED_OURS_LATE, "duplicated"},
    {IMPAIRED_DELAYED, IMPAIRED_OURS_LATE, "delayed"},
    {IMPAIRED_REORDERED, IMPAIRED_OURS_LATE, "reordered"},
    {IMPAIRED_CORRUPTED, IMPAIRED_OURS_LOST | IMPAIRED_OURS_CHANGED, "corrupted"},
    {IMPAIRED_TRUNCATED, IMPAIRED_OURS_CHANGED, "truncated"},
    {IMPAIRED_REWRITTEN, IMPAIRED_OURS_CHANGED, "rewritten"},
    {IMPAIRED_RESET, IMPAIRED_OURS_LOST | IMPAIRED_OURS_CHANGED, "answered with RST"},
    {IMPAIRED_INVENTED, IMPAIRED_OURS_CHANGED, NULL}};

/* Records which ends of the connection the engine was given by a rule, not by the peer. */
static void made(struct signs *s, const struct report_seen *seen)
{
    const struct impaired *i = seen->impaired;
    const unsigned wire = i->acts & IMPAIRED_INVENTED ? 0 : seen->packet->seg.flags;
    const unsigned new_flags = i->engine.flags & ~wire;

    if (i->acts & (IMPAIRED_DROPPED | IMPAIRED_RESET | IMPAIRED_BROKEN))
        return; /* it is not given to the engine */
    s->made_rst |= (new_flags & SEG_RST) != 0;
    s->made_fin |= (new_flags & SEG_FIN) != 0;
}

void signs_impaired(struct signs *s, const struct report_seen *seen, uint32_t number)
{
    const struct impaired *i = seen->impaired;

    if (!i)
        return;
    for (unsigned k = 0; k < SIGNS_ACTS; k++) {
        /* What is answered with RST is dropped as well. */
        if (!(i->acts & acts[k].act) ||
            (acts[k].act == IMPAIRED_DROPPED && (i->acts & IMPAIRED_RESET)))
            continue;
        s->impaired |= seen->out ? acts[k].does : acts[k].does << IMPAIRED_SHIFT;
        /* The copy is counted with the segment of which it is one. */
        s->acts[!seen->out][k] += !i->copy;
    }
    if (!(i->acts & IMPAIRED_INVENTED))
        s->changed_segments += !i->copy;
    if (!seen->out)
        made(s, seen);
    signs_note(s, SIGN_IMPAIRED, number);
}

const char *signs_impaired_text(const struct signs *s, char *text, size_t room)
{
    char number[HUMAN_TEXT];
    size_t n = 0;

    text[0] = '\0';
    for (unsigned side = 0; side < 2; side++)
        for (unsigned k = 0; k < SIGNS_ACTS && n < room; k++)
            if (acts[k].words && s->acts[side][k])
                n += (size_t)snprintf(text + n, room - n, "%s%s of %s %s", n ? ", " : "",
                                      human_count(s->acts[side][k], number),
                                      side ? "the peer's" : "ours", acts[k].words);
    return text;
}
