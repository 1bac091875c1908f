/*
 * What the tracker knows about a side, with a cause in words.
 */
#include "lib/core/track.h"

#include "lib/core/track_infer.h"

/* The texts of the causes. The first column describes A and calls B "the peer"; the second
 * describes B and calls A "we". */
static const char *const causes[CAUSE_COUNT][TRACK_SIDES] = {
    [CAUSE_NONE] = {"no segment shows it yet", "no segment shows it yet"},
    [CAUSE_SYN] = {"it sent its SYN", "it sent its SYN"},
    [CAUSE_SYN_REPEATED] = {"it retransmits its SYN", "it retransmits its SYN"},
    [CAUSE_SYN_ACK] = {"it sent its SYN-ACK", "it sent its SYN-ACK"},
    [CAUSE_SYN_ACK_REPEATED] = {"it retransmits its SYN-ACK", "it retransmits its SYN-ACK"},
    [CAUSE_SYN_CROSSED] = {"the peer's SYN crossed its own", "our SYN crossed its own"},
    [CAUSE_SYN_ACK_SENT] = {"the peer answered its SYN", "we answered its SYN"},
    [CAUSE_HANDSHAKE_SENT] = {"the peer acknowledged its SYN", "we acknowledged its SYN"},
    [CAUSE_ACKED_SYN] = {"it acknowledged the peer's SYN", "it acknowledged our SYN"},
    [CAUSE_ACKED_DATA] = {"it acknowledged the peer's data", "it acknowledged our data"},
    [CAUSE_DATA] = {"it sends data", "it sends data"},
    [CAUSE_ACK] = {"it sends ACKs, and has sent no FIN", "it sends ACKs, and has sent no FIN"},
    [CAUSE_ANSWER] = {"it answered the peer's probe", "it answered our probe"},
    [CAUSE_PROBE] = {"it probes the peer", "it probes us"},
    [CAUSE_FIN_SENT] = {"the peer sent its FIN", "we sent our FIN"},
    [CAUSE_ACKED_FIN] = {"it acknowledged the peer's FIN", "it acknowledged our FIN"},
    [CAUSE_FIN] = {"it sent its FIN", "it sent its FIN"},
    [CAUSE_FIN_REPEATED] = {"it retransmits its FIN", "it retransmits its FIN"},
    [CAUSE_FIN_AND_ACK] = {"its FIN acknowledges the peer's", "its FIN acknowledges ours"},
    [CAUSE_FIN_CROSSED] = {"the peer's FIN crossed its own", "our FIN crossed its own"},
    [CAUSE_FIN_ACK_SENT] = {"the peer acknowledged its FIN", "we acknowledged its FIN"},
    [CAUSE_ACKED_AFTER_FIN] = {"it has the peer's ACK of its FIN", "it has our ACK of its FIN"},
    [CAUSE_REFUSED] = {"RST answered the SYN", "RST answered the SYN"},
    [CAUSE_RST] = {"it sent RST", "it sent RST"},
    [CAUSE_RST_SENT] = {"the peer sent RST", "we sent RST"},
    [CAUSE_FOLLOWED] = {"the peer acknowledged later segments", "we acknowledged later segments"},
    [CAUSE_MISFITS] = {"it contradicts what was seen", "it contradicts what was seen"},
    [CAUSE_STOPS] = {"its ACKs stop before the peer's FIN", "its ACKs stop before our FIN"},
};

/* Returns what is known about a side, in words that `who` uses of its peer. */
static struct track_view view(const struct track *t, enum track_side side, enum track_side who)
{
    const struct track_half *h = &t->half[side];
    struct track_view v = {.state = h->state,
                           .certainty = h->certainty,
                           .evidence = h->evidence,
                           .cause = causes[h->cause][who]};

    if (h->certainty == CERTAINTY_PROVED && (seen(h, SEEN_SILENT) || h->misfits >= TRACK_MISFITS)) {
        v.certainty = CERTAINTY_ASSUMED;
        v.cause = seen(h, SEEN_SILENT) ? "it no longer answers" : causes[CAUSE_MISFITS][who];
    }
    return v;
}

struct track_view track_view(const struct track *t, enum track_side side)
{
    return view(t, side, side);
}

struct track_view track_view_stranger(const struct track *t, enum track_side side)
{
    return view(t, side, TRACK_A);
}
