/*
 * Draws the picture. From left to right: number and time, our state, our bar, the lane of arrows,
 * the peer's bar, the peer's state and how it is known. Text has one width, so that what fits is
 * known without measuring: COLUMN pixels for each character, which the widest of the fonts in
 * `style` does not exceed.
 */
#include "lib/show/picture.h"

#include <stdlib.h>
#include <string.h>

#include "lib/core/addr.h"
#include "lib/report/human.h"
#include "lib/show/xml.h"

enum {
    WIDTH = 1024,
    NUMBER_END = 38,
    TIME_END = 108,
    OUR_STATE_END = 216,
    LEFT = 230, /* middle of our bar */
    RIGHT = 718,
    PEER_STATE = 736,
    BAR = 12, /* width; half of it once the side has sent its FIN */
    ABOVE = 17,
    SLOPE = 14, /* the end of an arrow lies this much lower than its beginning */
    LINE = 13,
    PAD = 10,
    MARGIN = 24,
    LABEL_COLUMNS = 62, /* between the bars */
    CAUSE_COLUMNS = 46,
    TIME_UNIT = 44, /* PICTURE_TIME: pixels for the median of the gaps between rows */
    TIME_MAX = 240  /* and for the longest gap */
};

#define COLUMN 6.7 /* pixels */
#define ANGLE 1.68 /* degrees: SLOPE over the distance between the bars */
#define NOTHING (-1.0)

static const char style[] =
    "text{font:11px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',"
    "'Liberation Mono',monospace;fill:#1f2328}"
    ".title{font:600 18px system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif}"
    ".small{font-size:10px}.end{text-anchor:end}.mid{text-anchor:middle}.b,.doubt{font-weight:700}"
    ".dim{fill:#656d76}.doubt{fill:#9a6700}.ours{fill:#0969a2}.peer{fill:#1a7f37}.trouble{fill:#"
    "cf222e}"
    ".bg{fill:#fff}.panel{fill:#f6f8fa;stroke:#d0d7de}.box{fill:#f6f8fa;stroke:#8c959f}"
    "path{fill:none;stroke-width:1.6}.life{stroke:#afb8c1}.break{stroke:#8c959f}"
    "path.ours,rect.ours{stroke:#0969a2}path.peer,rect.peer{stroke:#1a7f37}"
    "path.trouble{stroke:#cf222e}path.line{fill:none}"
    ".lost,.icmp{stroke-dasharray:5 4}.probe{stroke-dasharray:2 3}"
    ".rest{stroke:#afb8c1;stroke-width:1;stroke-dasharray:1 5}"
    ".cross{stroke:#cf222e;stroke-width:2.4}"
    ".head,.bar{stroke-width:1;stroke-dasharray:none}"
    ".start{fill-opacity:.3}.open{fill-opacity:.95}.closing{fill-opacity:.55}.last{fill-opacity:.2}"
    ".assumed{fill-opacity:.08;stroke-dasharray:3 2}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.bg{fill:#0d1117}"
    ".dim{fill:#8b949e}.doubt{fill:#e3b341}.ours{fill:#58b8e8}.peer{fill:#56d364}"
    ".trouble{fill:#ff7b72}.panel{fill:#161b22;stroke:#30363d}.box{fill:#161b22;stroke:#6e7681}"
    ".life,.rest{stroke:#484f58}.break{stroke:#8b949e}"
    "path.ours,rect.ours{stroke:#58b8e8}path.peer,rect.peer{stroke:#56d364}"
    "path.trouble,.cross{stroke:#ff7b72}path.line{fill:none}}";

/* Where a row is drawn, and what is drawn between it and the row before. */
struct place {
    double y;         /* of the arrow's beginning, or of the first line of text */
    double gap;       /* the middle of a break in time, or NOTHING */
    wave_time length; /* the time that the break stands for */
};

struct drawing {
    const struct picture *p;
    FILE *to;
    double scale;             /* PICTURE_TIME: pixels a nanosecond; else 0 */
    bool assumed, half, lost, struck; /* drawn somewhere, so the legend explains it */
};

static const char *tone_class(enum tone tone)
{
    static const char *const name[] = {
        [TONE_PLAIN] = "",         [TONE_DIM] = "dim",   [TONE_BOLD] = "b",
        [TONE_OURS] = "ours",      [TONE_PEER] = "peer", [TONE_DOUBT] = "doubt",
        [TONE_TROUBLE] = "trouble"};
    return name[tone];
}

static void text_at(struct drawing *d, double x, double y, const char *classes, const char *text)
{
    fprintf(d->to, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">", x, y, classes);
    xml_text(d->to, text);
    fputs("</text>\n", d->to);
}

/*
 * Layout
 */

static unsigned text_lines(const char *text)
{
    unsigned n = 0;

    for (const char *next; *text || !n; text = next, n++)
        text_break(text, LABEL_COLUMNS, &next);
    return n;
}

static unsigned label_lines(const struct label *l)
{
    unsigned n = 0;

    for (unsigned at = 0; l && at < l->count; n++)
        at = label_fit(l, at, LABEL_COLUMNS, NULL);
    return n ? n : 1;
}

static unsigned lines(const struct picture_row *r)
{
    return r->kind == ROW_SEGMENT ? label_lines(r->label) : text_lines(r->text ? r->text : "");
}

/* Returns the distance from the row's own y to where the next row may begin. */
static double height(const struct picture_row *r)
{
    switch (r->kind) {
    case ROW_SEGMENT:
    case ROW_ICMP:
        return SLOPE + LINE * (lines(r) - 1) + PAD;
    case ROW_REMARK:
        return LINE * (lines(r) - 1) + PAD + 2;
    default:
        return 16;
    }
}

static double above(const struct picture_row *r)
{
    return r->kind == ROW_SEGMENT || r->kind == ROW_ICMP ? ABOVE : 16;
}

static int compare_times(const void *a, const void *b)
{
    wave_time x = *(const wave_time *)a, y = *(const wave_time *)b;

    return x < y ? -1 : x > y;
}

/* Returns the scale of PICTURE_TIME, at which the median of the gaps between rows is TIME_UNIT. */
static double scale_of(const struct picture_flow *f)
{
    wave_time *gap = f->rows > 1 ? malloc(f->rows * sizeof *gap) : NULL, median = 0;
    unsigned n = 0;

    if (!gap)
        return 0;
    for (unsigned i = 1; i < f->rows; i++)
        if (f->row[i].at > f->row[i - 1].at)
            gap[n++] = f->row[i].at - f->row[i - 1].at;
    if (n) {
        qsort(gap, n, sizeof *gap, compare_times);
        median = gap[n / 2];
    }
    free(gap);
    return median ? TIME_UNIT / (double)median : 0;
}

/* Returns how far our end of the row, to which its time belongs, lies below the row's own y. */
static double ours_below(const struct picture_row *r)
{
    return r->kind == ROW_ICMP || (r->kind == ROW_SEGMENT && !r->out) ? SLOPE : 0;
}

/* Places the rows of a connection below `top`. Returns the y where it ends. */
static double lay_out(struct drawing *d, const struct picture_flow *f, struct place *place,
                      double top)
{
    double y = top, last = 0;

    d->scale = d->p->scale == PICTURE_TIME ? scale_of(f) : 0;
    for (unsigned i = 0; i < f->rows; i++) {
        const struct picture_row *r = &f->row[i];
        bool told = r->kind == ROW_SILENCE || (i && f->row[i - 1].kind == ROW_SILENCE);
        double min = y + above(r), wanted = 0, ours = ours_below(r);
        place[i].gap = NOTHING;
        place[i].y = min;
        if (i && r->at > f->row[i - 1].at)
            place[i].length = r->at - f->row[i - 1].at;
        if (i && d->scale > 0 && !told)
            wanted = (double)place[i].length * d->scale;
        if (wanted > TIME_MAX) {
            place[i].y = min + 30;
            place[i].gap = y + 16;
        } else if (last + wanted > min + ours) {
            place[i].y = last + wanted - ours;
        }
        last = place[i].y + ours;
        y = place[i].y + height(r);
    }
    return y + 8;
}

/* Returns the y of what the row shows of a side: 0 is ours. */
static double side_y(const struct picture_row *r, const struct place *at, unsigned side)
{
    double ours = ours_below(r);

    if (side == 0)
        return at->y + ours;
    return at->y + (r->kind == ROW_SEGMENT && r->out ? SLOPE : 0);
}

/*
 * Bars of states
 */

static const char *phase(enum state s)
{
    switch (s) {
    case STATE_SYN_SENT:
    case STATE_SYN_RECEIVED:
        return "start";
    case STATE_ESTABLISHED:
        return "open";
    case STATE_FIN_WAIT_1:
    case STATE_FIN_WAIT_2:
    case STATE_CLOSE_WAIT:
    case STATE_CLOSING:
    case STATE_LAST_ACK:
        return "closing";
    default:
        return "last";
    }
}

static bool is_assumed(const struct track_view *v)
{
    return v->certainty == CERTAINTY_ASSUMED && v->state != STATE_UNKNOWN;
}

static bool same(const struct picture_row *a, const struct picture_row *b, unsigned side)
{
    if (a->closed[side] != b->closed[side])
        return false;
    return side ? a->peer.state == b->peer.state && is_assumed(&a->peer) == is_assumed(&b->peer)
                : a->local == b->local && a->local_assumed == b->local_assumed;
}

static void evidence(const struct track_view *v, char *text, size_t room)
{
    if (v->evidence)
        snprintf(text, room, "%s %u: %s", is_assumed(v) ? "assumed since" : "proved by",
                 v->evidence, v->cause ? v->cause : "");
    else
        snprintf(text, room, "nothing was received from it");
}

static void bar(struct drawing *d, const struct picture_row *r, unsigned side, double y, double end)
{
    enum state state = side ? r->peer.state : r->local;
    bool doubt = side ? is_assumed(&r->peer) : r->local_assumed;
    double width = r->closed[side] ? BAR / 2 : BAR;
    char how[160] = "";

    if (state == STATE_CLOSED || state == STATE_UNKNOWN || end - y < 1)
        return;
    if (side)
        evidence(&r->peer, how, sizeof how);
    fprintf(d->to,
            "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"2\" class=\"bar %s "
            "%s%s\"><title>%s%s%s</title></rect>\n",
            (side ? RIGHT : LEFT) - width / 2, y, width, end - y, side ? "peer" : "ours",
            phase(state), doubt ? " assumed" : "", state_name(state), side ? ", " : "", how);
    d->half |= r->closed[side];
}

static void state_text(struct drawing *d, const struct picture_row *r, unsigned side, double y)
{
    bool doubt = is_assumed(&r->peer), evident = r->peer.state != STATE_UNKNOWN;
    char name[24], how[160];

    if (!side) {
        snprintf(name, sizeof name, "%s%s", state_name(r->local), r->local_assumed ? "?" : "");
        text_at(d, OUR_STATE_END, y + 4, r->local_assumed ? "end doubt" : "end b ours", name);
        d->assumed |= r->local_assumed;
        return;
    }
    snprintf(name, sizeof name, "%s%s", state_name(r->peer.state), doubt ? "?" : "");
    text_at(d, PEER_STATE, y + 4, !evident ? "dim" : doubt ? "doubt" : "peer b", name);
    d->assumed |= doubt;
    if (!evident)
        return;
    evidence(&r->peer, how, sizeof how);
    if (strlen(how) > CAUSE_COLUMNS)
        snprintf(how + CAUSE_COLUMNS - 3, 4, "...");
    text_at(d, PEER_STATE, y + 15, "small dim", how);
}

static void side_states(struct drawing *d, const struct picture_flow *f, const struct place *place,
                        unsigned side, double top, double end)
{
    const double x = side ? RIGHT : LEFT;

    fprintf(d->to, "<path class=\"life\" d=\"M%.1f,%.1fV%.1f\"/>\n", x, top, end);
    for (unsigned i = 0; i < f->rows; i++) {
        const struct picture_row *r = &f->row[i];
        double from = side_y(r, &place[i], side), to = end;
        unsigned next = i + 1;
        if (i && same(r, &f->row[i - 1], side))
            continue;
        while (next < f->rows && same(r, &f->row[next], side))
            next++;
        if (next < f->rows)
            to = side_y(&f->row[next], &place[next], side);
        bar(d, r, side, from, to);
        state_text(d, r, side, from);
    }
}

/*
 * Rows
 */

/* Writes the number and the time of a row at our end of it. */
static void number_and_time(struct drawing *d, const struct picture_row *r, double y)
{
    char text[32];

    if (r->number) {
        snprintf(text, sizeof text, "%u", r->number);
        text_at(d, NUMBER_END, y + 4, "end dim", text);
    }
    snprintf(text, sizeof text, "%.6f", (double)r->at / 1e9);
    text_at(d, TIME_END, y + 4, "end", text);
}

/* Begins a line of text along an arrow, centred on `x`: the first line above it, the others
 * below. */
static void open_line(struct drawing *d, double x, double y, unsigned line, double angle,
                      const char *classes)
{
    const double middle = y + SLOPE / 2.0;

    fprintf(d->to,
            "<text x=\"%.1f\" y=\"%.1f\" class=\"mid %s\" transform=\"rotate(%.2f %.1f %.1f)\">", x,
            line ? middle + LINE * line : middle - 5, classes, angle, x, middle);
}

static void label_text(struct drawing *d, const struct picture_row *r, double y, double angle)
{
    const struct label *l = r->label;

    for (unsigned at = 0, line = 0; l && at < l->count; line++) {
        unsigned next = label_fit(l, at, LABEL_COLUMNS, NULL);
        open_line(d, (LEFT + RIGHT) / 2.0, y, line, angle, "");
        for (unsigned i = at; i < next; i++) {
            fprintf(d->to, "%s<tspan class=\"%s%s\">", i > at ? " " : "",
                    tone_class(l->piece[i].tone), i == 0 ? " b" : "");
            xml_text(d->to, l->piece[i].text);
            fputs("</tspan>", d->to);
        }
        fputs("</text>\n", d->to);
        at = next;
    }
}

static void cross(struct drawing *d, double x, double y)
{
    fprintf(d->to, "<path class=\"cross\" d=\"M%.1f,%.1fl10,10m0,-10l-10,10\"/>\n", x - 5, y - 5);
}

/* Draws the arrow from `from` to `to` across the lane, with its head; or with a cross if it was
 * lost, or if a rule stopped it. One that a rule made begins at a cross. */
static void arrow(struct drawing *d, const struct picture_row *r, double from, double to, double y,
                  const char *classes)
{
    const bool stops = r->lost || r->struck;
    double reach = stops ? 0.9 : 1, x = from + (to - from) * reach, end = y + SLOPE * reach;
    double back = to > from ? -10 : 10, tilt = back * SLOPE / (to - from);

    if (r->made) {
        from += (to - from) / 2;
        y += SLOPE / 2.0;
        cross(d, from, y);
    }
    fprintf(d->to, "<path class=\"line %s\" d=\"M%.1f,%.1fL%.1f,%.1f\"/>\n", classes, from, y, x,
            end);
    d->struck |= r->struck || r->made;
    if (!stops) {
        fprintf(d->to, "<path class=\"head %s\" d=\"M%.1f,%.1fl%.1f,%.1fv9z\"/>\n", classes, to,
                end, back, tilt - 4.5);
        return;
    }
    /* What a rule stopped has no way beyond the cross: the network never had it. */
    if (!r->struck)
        fprintf(d->to, "<path class=\"rest\" d=\"M%.1f,%.1fL%.1f,%.1f\"/>\n", x, end, to,
                y + SLOPE);
    cross(d, x, end);
    d->lost |= !r->struck;
}

static void segment(struct drawing *d, const struct picture_row *r, double y)
{
    const double left = LEFT + BAR / 2.0 + 1, right = RIGHT - BAR / 2.0 - 1;
    char classes[40];

    snprintf(classes, sizeof classes, "%s%s",
             r->rst   ? "trouble"
             : r->out ? "ours"
                      : "peer",
             r->lost || r->unanswered ? " lost"
             : r->probe               ? " probe"
                                      : "");
    arrow(d, r, r->out ? left : right, r->out ? right : left, y, classes);
    label_text(d, r, y, r->out ? ANGLE : -ANGLE);
    number_and_time(d, r, r->out ? y : y + SLOPE);
}

static void icmp(struct drawing *d, const struct picture_row *r, double y)
{
    const double left = LEFT + BAR / 2.0 + 1, right = RIGHT - BAR / 2.0 - 1;
    double from = r->router ? left + (right - left) * 0.9 : right;
    const char *at = r->text ? r->text : "", *next;

    if (r->router)
        fprintf(d->to, "<path class=\"head trouble\" d=\"M%.1f,%.1fl6,6l-6,6l-6,-6z\"/>\n", from,
                y - 6);
    arrow(d, r, from, left, y, "trouble icmp");
    for (unsigned line = 0; *at; line++, at = next) {
        size_t take = text_break(at, LABEL_COLUMNS, &next);
        open_line(d, (left + from) / 2, y, line, -ANGLE * (right - left) / (from - left),
                  "trouble");
        xml_textn(d->to, at, take);
        fputs("</text>\n", d->to);
    }
    number_and_time(d, r, y + SLOPE);
}

static void remark(struct drawing *d, const struct picture_row *r, double y)
{
    const char *at = r->text ? r->text : "", *next;

    number_and_time(d, r, y);
    for (double line = y + 4; *at; line += LINE, at = next) {
        size_t take = text_break(at, LABEL_COLUMNS, &next);
        fprintf(d->to, "<text x=\"%.1f\" y=\"%.1f\" class=\"mid %s\">", (LEFT + RIGHT) / 2.0, line,
                tone_class(r->tone));
        xml_textn(d->to, at, take);
        fputs("</text>\n", d->to);
    }
}

/* Draws both lines of life broken: time is not to scale here. */
static void silence(struct drawing *d, double y, const char *length)
{
    char text[64];

    for (unsigned side = 0; side < 2; side++) {
        double x = side ? RIGHT : LEFT;
        fprintf(d->to,
                "<rect class=\"bg\" x=\"%.1f\" y=\"%.1f\" width=\"20\" height=\"7\"/>\n"
                "<path class=\"break\" d=\"M%.1f,%.1fq4.5,-5 9,0t9,0m-18,7q4.5,-5 9,0t9,0\"/>\n",
                x - 10, y - 3.5, x - 9, y - 3.5);
    }
    snprintf(text, sizeof text, "... %s ...", length);
    text_at(d, (LEFT + RIGHT) / 2.0, y + 4, "mid dim", text);
}

static void left_out(struct drawing *d, const struct picture_row *r, double y)
{
    fprintf(d->to,
            "<rect class=\"panel\" x=\"%d\" y=\"%.1f\" width=\"%d\" height=\"22\" rx=\"11\"/>\n",
            LEFT + 20, y - 11, RIGHT - LEFT - 40);
    text_at(d, (LEFT + RIGHT) / 2.0, y + 4, "mid b", r->text ? r->text : "");
    number_and_time(d, r, y);
}

static void row(struct drawing *d, const struct picture_row *r, const struct place *at)
{
    char length[HUMAN_TEXT];

    if (at->gap > 0)
        silence(d, at->gap, human_duration(at->length, length));
    fputs("<g>", d->to);
    if (r->words) {
        fputs("<title>", d->to);
        xml_text(d->to, r->words);
        fputs("</title>", d->to);
    }
    fputc('\n', d->to);
    switch (r->kind) {
    case ROW_SEGMENT:
        segment(d, r, at->y);
        break;
    case ROW_ICMP:
        icmp(d, r, at->y);
        break;
    case ROW_SILENCE:
        silence(d, at->y, r->text ? r->text : "");
        break;
    case ROW_LEFT_OUT:
        left_out(d, r, at->y);
        break;
    case ROW_REMARK:
    case ROW_PEER:
    case ROW_END:
        remark(d, r, at->y);
        break;
    }
    fputs("</g>\n", d->to);
}

/*
 * The whole picture
 */

static void end_box(struct drawing *d, double x, double y, const char *who, const char *name,
                    const char *tone)
{
    char text[ADDR_PORT_TEXT + 16];
    double width;

    snprintf(text, sizeof text, "%s %s", who, name);
    width = (double)strlen(text) * COLUMN + 24;
    fprintf(d->to,
            "<rect class=\"box\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"24\" rx=\"5\"/>\n",
            x - width / 2, y, width);
    snprintf(text, sizeof text, "mid b %s", tone);
    fprintf(d->to, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">%s ", x, y + 16, text, who);
    xml_text(d->to, name);
    fputs("</text>\n", d->to);
}

/* Writes the connection's name and its verdict. Returns the y where it ends. */
static double flow_title(struct drawing *d, const struct picture_flow *f, double y)
{
    char text[ROWS_TEXT + 64];
    const char *at = text, *next;

    if (!f->connection)
        return y;
    snprintf(text, sizeof text, "connection %u%s%s%s%s", f->connection, f->message ? ": " : "",
             f->message ? verdict_name(f->verdict) : "", f->message ? ": " : "",
             f->message ? f->message : "");
    for (y += 10; *at; y += LINE + 2, at = next) {
        size_t take = text_break(at, (size_t)((WIDTH - 2 * MARGIN) / COLUMN), &next);
        fprintf(d->to, "<text x=\"%d\" y=\"%.1f\" class=\"b\">", MARGIN, y + 12);
        xml_textn(d->to, at, take);
        fputs("</text>\n", d->to);
    }
    return y + 4;
}

static double flow(struct drawing *d, const struct picture_flow *f, double y)
{
    struct place *place = calloc(f->rows ? f->rows : 1, sizeof *place);
    char ours[ADDR_PORT_TEXT], theirs[ADDR_PORT_TEXT], text[96], number[HUMAN_TEXT];
    double end, head = flow_title(d, f, y) + 10;

    if (!place)
        return y;
    end = lay_out(d, f, place, head + 32);
    side_states(d, f, place, 0, head + 24, end);
    side_states(d, f, place, 1, head + 24, end);
    end_box(d, LEFT, head, f->strangers ? "client" : "us",
            addr_port_text(f->flow.v6, &f->flow.local, f->flow.lport, ours), "ours");
    end_box(d, RIGHT, head, f->strangers ? "server" : "peer",
            addr_port_text(f->flow.v6, &f->flow.remote, f->flow.rport, theirs), "peer");
    for (unsigned i = 0; i < f->rows; i++)
        row(d, &f->row[i], &place[i]);
    free(place);
    if (d->scale > 0) {
        snprintf(text, sizeof text, "%d pixels down are %s", TIME_UNIT,
                 human_duration((wave_time)(TIME_UNIT / d->scale), number));
        text_at(d, TIME_END, end + 4, "small dim end", "");
        text_at(d, (LEFT + RIGHT) / 2.0, end + 12, "small dim mid", text);
        end += 18;
    }
    if (f->left_out) {
        snprintf(text, sizeof text, "and %s more rows, which have no room here",
                 human_count(f->left_out, number));
        text_at(d, (LEFT + RIGHT) / 2.0, end + 14, "mid doubt", text);
        end += 22;
    }
    return end + 10;
}

static double legend(struct drawing *d, double y)
{
    static const char scale[] = "Time runs down to scale, except where rows would be too "
                                "close to read, and in long silences (~).";
    char struck[120];

    y += 14;
    if (d->assumed) {
        text_at(d, MARGIN, y, "small dim",
                "A pale bar, and a state with ?: assumed, no segment "
                "has proved it.");
        y += LINE;
    }
    if (d->half) {
        text_at(d, MARGIN, y, "small dim", "A narrow bar: that side has sent its FIN.");
        y += LINE;
    }
    if (d->lost) {
        text_at(d, MARGIN, y, "small dim", "A cross: it had to be retransmitted.");
        y += LINE;
    }
    if (d->struck) {
        snprintf(struck, sizeof struck,
                 "A cross with nothing beyond it: tcpwave stopped the segment there, or made it "
                 "(%s).",
                 how_to(d->p->how_to, HOW_TO_IMPAIR));
        text_at(d, MARGIN, y, "small dim", struck);
        y += LINE;
    }
    if (d->p->scale == PICTURE_TIME) {
        text_at(d, MARGIN, y, "small dim", scale);
        y += LINE;
    }
    return y;
}

/* Writes the summary as a terminal shows it. Returns the y where it ends. */
static double summary(struct drawing *d, double y)
{
    unsigned count = 0;

    for (const char *c = d->p->summary; *c; c++)
        count += *c == '\n';
    fprintf(d->to,
            "<rect class=\"panel\" x=\"%d\" y=\"%.1f\" width=\"%d\" height=\"%u\" rx=\"6\"/>\n",
            MARGIN, y, WIDTH - 2 * MARGIN, count * (LINE + 2) + 14);
    y += 18;
    for (const char *at = d->p->summary, *end; (end = strchr(at, '\n')); at = end + 1) {
        fprintf(d->to, "<text x=\"%d\" y=\"%.1f\" xml:space=\"preserve\"%s>", MARGIN + 12, y,
                at == d->p->summary ? " class=\"b\"" : "");
        xml_textn(d->to, at, (size_t)(end - at));
        fputs("</text>\n", d->to);
        y += LINE + 2;
    }
    return y;
}

static double body(struct drawing *d)
{
    const struct picture *p = d->p;
    char text[64];
    double y;

    text_at(d, MARGIN, 36, "title", p->title);
    y = summary(d, 50);
    for (unsigned i = 0; i < p->flows; i++)
        y = flow(d, &p->flow[i], y);
    if (p->more) {
        snprintf(text, sizeof text, "and %u more connections, which have no room here", p->more);
        text_at(d, MARGIN, y + 14, "doubt", text);
        y += 22;
    }
    return legend(d, y);
}

void picture_write(const struct picture *p, FILE *to)
{
    struct drawing d = {.p = p};
    char *text = NULL;
    size_t size;
    double bottom;

    /* The height is written before what determines it, so the rest is drawn into memory first. */
    d.to = open_memstream(&text, &size);
    if (!d.to)
        return;
    bottom = body(&d) + 10;
    if (fclose(d.to) != 0 || !text) {
        free(text);
        return;
    }
    fprintf(to,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\" width=\"%d\" "
            "height=\"%.0f\" role=\"img\" aria-labelledby=\"title desc\">\n<title id=\"title\">",
            WIDTH, bottom, WIDTH, bottom);
    xml_text(to, p->title);
    fputs("</title>\n<desc id=\"desc\">", to);
    xml_text(to, p->summary);
    fprintf(to, "</desc>\n<style>%s</style>\n", style);
    fprintf(to, "<rect class=\"bg\" width=\"%d\" height=\"%.0f\"/>\n", WIDTH, bottom);
    fwrite(text, 1, size, to);
    fputs("</svg>\n", to);
    free(text);
}
