/*
 * What is shown: packets of both sides, changes of state, probes and errors pass through the report
 * into every renderer. Each line of JSON is an object; the ladder stays within its lines; the
 * picture is well-formed with any bytes in a message.
 */
#include <jansson.h>
#include <unistd.h>

#include "lib/core/bytes.h"
#include "lib/report/report.h"
#include "lib/show/json.h"
#include "lib/show/ladder.h"
#include "lib/show/summary.h"
#include "lib/show/svg.h"
#include "tests/fuzz/fuzz.h"

enum { DEPTH_MAX = 16, PICTURE_ROOM = 4 << 20, MESSAGE_ROOM = 40 };

struct report_world {
    struct cursor in;
    struct svg *svg; /* or NULL */
    char message[MESSAGE_ROOM];
    struct report report;
    struct report_flow flow;
    wave_time at;
    struct seq next[2]; /* behind what each side sent last; [0] is ours */
    uint8_t packet[4096];
};

/* An IPv4 or IPv6 packet of this segment, which begins behind the header. */
static size_t put_ip(uint8_t *p, const struct flow *f, size_t payload, uint8_t ttl)
{
    uint8_t *start = p;

    if (f->v6) {
        p = put_u32(p, 0x60000000);
        p = put_u16(p, (unsigned)payload);
        *p++ = 6;
        *p++ = ttl;
    } else {
        p = put_u32(p, 0x45000000 | (uint32_t)(payload + 20));
        p = put_u32(p, 0x00004000);
        *p++ = ttl;
        *p++ = 6;
        p = put_u16(p, 0);
    }
    memcpy(p, f->local.byte, f->v6 ? 16 : 4);
    p += f->v6 ? 16 : 4;
    memcpy(p, f->remote.byte, f->v6 ? 16 : 4);
    p += f->v6 ? 16 : 4;
    return (size_t)(p - start);
}

/* What a rule of --impair may have done to a segment, with words of any length. */
static const struct impaired *some_impairment(struct report_world *w, const struct seg *s)
{
    static struct impaired i;
    const uint16_t bits = cursor_u16(&w->in);

    i = (struct impaired){.acts = bits & 0x3ff,
                          .rule = 1 + (bits >> 10 & 31),
                          .words = "out:.#1 <drop> & \"more\"",
                          .on_wire = !(bits & (IMPAIRED_DROPPED | IMPAIRED_INVENTED)),
                          .shown = true,
                          .copy = bits >> 15,
                          .engine = *s};
    i.engine.flags ^= bits >> 8;
    memset(i.what, 'w', bits % IMPAIRED_TEXT);
    i.what[bits % 31] = i.what[bits % 31] ? ' ' : '\0';
    return &i;
}

static void segment(struct report_world *w, uint8_t what)
{
    static const uint16_t usual[] = {SEG_ACK,           SEG_SYN, SEG_SYN | SEG_ACK,
                                     SEG_FIN | SEG_ACK, SEG_RST, SEG_RST | SEG_ACK,
                                     SEG_PSH | SEG_ACK, 0};
    const unsigned from = what & 1;
    const uint8_t shape = cursor_u8(&w->in);
    struct flow flow = from ? flow_reverse(&w->flow.flow) : w->flow.flow;
    uint8_t options[OPT_BYTES_MAX] = {0}, *p;
    struct opt opt = {0};
    struct seq seq = w->next[from], ack = w->next[!from];
    const uint16_t flags = shape & 0x80 ? cursor_u16(&w->in) & 0xfff : usual[what >> 1 & 7];
    struct packet packet;
    struct report_seen seen = {.stamp = w->at, .out = !from, .probe = shape & 64};
    size_t len = shape & 8 ? cursor_u16(&w->in) % 2000 : 0, head;

    if (shape & 1)
        seq = fuzz_near(&w->in, seq);
    if (shape & 2)
        ack = fuzz_near(&w->in, ack);
    if (shape & 4)
        fuzz_options(&w->in, options, &opt);
    head = 20 + (opt.raw_len + 3u) / 4 * 4;
    p = w->packet + put_ip(w->packet, &flow, head + len, shape);
    p = put_u16(p, flow.lport);
    p = put_u16(p, flow.rport);
    p = put_u32(p, seq.v);
    p = put_u32(p, ack.v);
    p = put_u16(p, (unsigned)head / 4 << 12 | flags);
    p = put_u16(p, shape & 16 ? 0 : 512);
    p = put_u32(p, 0);
    memcpy(p, options, head - 20);
    p += head - 20;
    memcpy(p, pattern_at(what), len);
    p += len;
    require(ip_parse(w->packet, (size_t)(p - w->packet), &packet) == 0);
    require(packet.seg.len == len);
    if (shape & 32)
        seen.impaired = some_impairment(w, &packet.seg);
    if (!(shape & 1))
        w->next[from] = seg_end(&packet.seg);
    seen.foreign = (shape & 0x60) == 0x60;
    seen.sent_before = !from && (shape & 32);
    seen.local = (enum state)(what % STATE_UNKNOWN);
    seen.packet = &packet;
    seen.ip = w->packet;
    seen.ip_len = (uint32_t)(p - w->packet);
    report_segment(&w->report, &w->flow, &seen);
}

static void local(struct report_world *w)
{
    const uint8_t how = cursor_u8(&w->in);
    const struct report_change c = {(enum state)(how % STATE_UNKNOWN),
                                    (enum state)((how >> 4) % STATE_UNKNOWN), "a cause"};

    report_local(&w->report, &w->flow, w->at, &c, how & 1 ? how : 0);
}

static void other(struct report_world *w, uint8_t what)
{
    struct icmp e = {.type = 3, .flow = w->flow.flow, .from = addr_v4(203, 0, 113, 1)};
    const uint8_t arg = cursor_u8(&w->in);
    const struct report_probe probe = {.n = arg, .answered = arg & 1, .rtt = arg * WAVE_US};

    switch (what & 7) {
    case 0:
        report_flush(&w->report, &w->flow, w->at);
        break;
    case 1:
        report_silent(&w->report, &w->flow, w->at);
        break;
    case 2:
        e.type = arg;
        e.code = cursor_u8(&w->in);
        e.mtu = cursor_u16(&w->in);
        e.has_seq = arg & 1;
        e.seq = w->next[0];
        e.meaning = icmp_meaning(w->flow.flow.v6, e.type, e.code);
        report_icmp(&w->report, &w->flow, w->at, &e, arg & 4, arg & 2);
        break;
    case 3:
        report_probe(&w->report, &w->flow, w->at, &probe);
        break;
    case 4:
        report_note(&w->report, &w->flow, w->at, arg & 1,
                    "a note that is somewhat longer than most");
        break;
    case 5:
        report_wait(&w->report, &w->flow, w->at, arg & 1 ? "the peer's FIN" : NULL,
                    arg & 2 ? WAVE_NEVER : arg * WAVE_S);
        break;
    default:
        w->at += cursor_u16(&w->in) * (arg & 1 ? WAVE_S : WAVE_US);
        break;
    }
}

/* Makes a message of the input's last bytes, with anything that a name on the command line
 * may contain, except control characters. */
static void some_message(struct report_world *w, const uint8_t *bytes, size_t size)
{
    char *to = w->message;

    for (size_t i = size < MESSAGE_ROOM ? 0 : size - MESSAGE_ROOM + 1; i < size; i++)
        *to++ = bytes[i] < ' ' || bytes[i] == 0x7f ? ' ' : (char)bytes[i];
    *to = '\0';
}

/* Groups, lists and their ends in any order, and members of each kind. */
static void some_figures(struct report_world *w, struct figures *f)
{
    static const char name[][4] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m"};

    figures_clear(f);
    for (size_t i = 0; i < sizeof name / sizeof name[0]; i++) {
        const uint8_t how = cursor_u8(&w->in);
        figures_row(f, name[i], "%s", w->message);
        figures_list(f, name[i]);
        for (unsigned n = how & 15; n; n--)
            figures_range(f, how, n);
        for (unsigned n = how >> 5; n; n--)
            figures_list(f, NULL);
        for (unsigned n = 1u + (how >> 4); n; n--)
            figures_end(f);
    }
    while (f->depth || f->skipped)
        figures_end(f);
}

static void some_findings(struct report_world *w, struct findings *found)
{
    const uint8_t how = cursor_u8(&w->in);
    struct finding f = {.code = "code",
                        .severity = how % 3,
                        .certainty = how & 1,
                        .subject = how % 3,
                        .evidence = {1, 2, 3, 4000000000u, 5, 6, 7, 8},
                        .evidences = how % (FINDING_EVIDENCE + 1)};

    found->count = 0;
    snprintf(f.message, sizeof f.message, "%s", w->message);
    snprintf(f.advice, sizeof f.advice, "%s", how & 8 ? w->message : "");
    for (unsigned n = how >> 4; n; n--)
        findings_add(found, &f);
}

static void verdict(struct report_world *w)
{
    static const char *const by[] = {"local", "peer", "both", "none"};
    static const char *const kind[] = {"four-way", "three-way", "simultaneous",
                                       "reset",    "abandoned", NULL};
    const uint8_t how = cursor_u8(&w->in);
    static struct figures figures;
    static struct findings found;
    struct report_verdict v = {.command = "connect",
                               .verdict = (enum verdict)(how % (VERDICT_LOST + 1)),
                               .exit = how,
                               .by = by[how & 3],
                               .kind = kind[how % 6],
                               .guard = how & 8 ? "nftables" : NULL,
                               .message = w->message};
    struct diag d = {""};

    if (!(how & 16))
        v.flow = &w->flow;
    if (how & 32) {
        some_figures(w, &figures);
        v.figures = &figures;
    }
    if (how & 64) {
        some_findings(w, &found);
        v.findings = &found;
    }
    report_verdict(&w->report, w->at, &v);
    if (w->svg)
        require(svg_end(w->svg, &v, &(struct outbuf_end){.signals = -1, .deadline = WAVE_NEVER},
                        &d) == 0);
}

/* Every line is one object that says what it is. */
static void parse_lines(const char *text)
{
    json_error_t error;

    while (*text) {
        const char *end = strchr(text, '\n');
        json_t *line;

        require(end);
        line = json_loadb(text, (size_t)(end - text), JSON_REJECT_DUPLICATES, &error);
        require(line && json_is_object(line));
        require(json_is_string(json_object_get(line, "event")));
        require(json_is_number(json_object_get(line, "time")));
        json_decref(line);
        text = end + 1;
    }
}

/* The drawing holds no byte that a terminal would obey, but those of colours and of lines drawn
 * over. */
static void look_at_drawing(const char *text)
{
    for (; *text; text++)
        require((unsigned char)*text >= ' ' || strchr("\n\r\033", *text));
}

/* A character of UTF-8 that XML allows (XML 1.0, productions 2 and 14), or one of its five
 * entities; *p moves behind it. */
static void character(const unsigned char **p)
{
    static const char *const entity[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&apos;", "&#39;"};
    const unsigned char c = **p;
    const unsigned more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;

    require(c >= ' ' || c == '\n' || c == '\t');
    require(c < 0x80 || (c >= 0xc2 && c <= 0xf4));
    if (c == '&') {
        for (unsigned i = 0; i < sizeof entity / sizeof *entity; i++)
            if (strncmp((const char *)*p, entity[i], strlen(entity[i])) == 0) {
                *p += strlen(entity[i]);
                return;
            }
        require(!"an entity that XML knows");
    }
    (*p)++;
    for (unsigned i = 0; i < more; i++, (*p)++)
        require((**p & 0xc0) == 0x80);
}

/* Within a tag: attributes with values in quotes, in which no tag begins. */
static const unsigned char *attributes(const unsigned char *p)
{
    while (*p != '>' && !(*p == '/' && p[1] == '>')) {
        require(*p && *p != '<');
        if (*p++ != '"')
            continue;
        while (*p != '"') {
            require(*p && *p != '<');
            character(&p);
        }
        p++;
    }
    return p;
}

/* Whether the text is well-formed: each element is closed, and within the one it began in. */
static void look_at_picture(const char *text)
{
    const unsigned char *p = (const unsigned char *)text, *name[DEPTH_MAX];
    size_t length[DEPTH_MAX];
    unsigned depth = 0;

    while (*p) {
        if (*p != '<') {
            character(&p);
        } else if (p[1] == '?' || p[1] == '!') {
            p = (const unsigned char *)strchr((const char *)p, '>');
            require(p++);
        } else if (p[1] == '/') {
            require(depth-- > 0);
            require(memcmp(p + 2, name[depth], length[depth]) == 0 && p[2 + length[depth]] == '>');
            p += 3 + length[depth];
        } else {
            require(depth < DEPTH_MAX);
            name[depth] = ++p;
            length[depth] = strcspn((const char *)p, " \n/>");
            require(length[depth] > 0);
            p = attributes(p + length[depth]);
            depth += *p == '>';
            p += *p == '>' ? 1 : 2;
        }
    }
    require(depth == 0 && p > (const unsigned char *)text);
}

static void take_picture(struct report_world *w, const char *path)
{
    static char text[PICTURE_ROOM];
    FILE *f;
    size_t n;

    svg_close(w->svg);
    f = fopen(path, "rb");
    require(f);
    n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    unlink(path);
    text[n] = '\0';
    require(n < sizeof text - 1 && strlen(text) == n);
    look_at_picture(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct report_world w;
    char *text[2] = {NULL, NULL};
    size_t length[2];
    FILE *to[2];
    struct flow flow = {
        .local = {{192, 0, 2, 1}}, .remote = {{192, 0, 2, 2}}, .lport = 40000, .rport = 80};

    pattern_fill();
    memset(&w, 0, sizeof w);
    w.in = cursor_of(bytes, size);

    const uint8_t how = cursor_u8(&w.in);
    flow.v6 = how & 1;
    report_init(&w.report);
    report_flow_init(&w.flow, &flow, how & 2 ? 3 : 0);
    w.at = 1000 * WAVE_S;
    w.next[0] = seq_of(how & 4 ? 0xfffffff0u : 1);
    w.next[1] = seq_of(how & 8 ? 0x7ffffff0u : 1);
    for (int i = 0; i < 2; i++) {
        to[i] = open_memstream(&text[i], &length[i]);
        require(to[i]);
    }

    struct term term = {.to = to[1],
                        .live = how & 16,
                        .color = how & 32,
                        .unicode = how & 64,
                        .width = 80u + (how >> 7) * 60u};
    struct render_json json = {to[0], false};
    struct ladder ladder;
    struct diag d = {""};
    char path[FUZZ_PATH];
    const uint8_t shown = cursor_u8(&w.in);

    ladder_init(&ladder, &term, shown % 3);
    if (shown & 0x80) {
        const enum picture_scale scale = shown & 0x40 ? PICTURE_TIME : PICTURE_EVENT;
        require(svg_open(&w.svg, fuzz_path("svg", path), scale, &d) == 0);
        report_add(&w.report, svg_event, w.svg);
    }
    some_message(&w, bytes, size);
    report_add(&w.report, render_json, &json);
    report_add(&w.report, ladder_event, &ladder);
    report_add(&w.report, summary_event, &term);
    while (w.in.left > 0) {
        const uint8_t what = cursor_u8(&w.in);

        if (what < 160)
            segment(&w, what);
        else if (what < 190)
            local(&w);
        else
            other(&w, what);
        w.at += 100 * WAVE_US;
    }
    verdict(&w);
    if (w.svg)
        take_picture(&w, path);
    for (int i = 0; i < 2; i++)
        fclose(to[i]);
    require(!json.failed);
    parse_lines(text[0]);
    look_at_drawing(text[1]);
    free(text[0]);
    free(text[1]);
    return 0;
}
