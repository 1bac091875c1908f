/*
 * Capture files as `read` takes them: the input is a whole file. It goes through the reader, link
 * layers, tunnels and fragments into the table of flows, and each flow into its verdict, its
 * findings, its line and its JSON; the first one is drawn as well. However the file is cut into
 * pieces, the records are the same; each segment is in exactly one flow; and the numbers of a flow
 * agree with each other.
 */
#include <jansson.h>

#include "lib/io/heap.h"
#include "lib/report/flow_rows.h"
#include "lib/show/flow_json.h"
#include "lib/show/flow_lines.h"
#include "lib/show/ladder.h"
#include "lib/wire/dissect.h"
#include "tests/fuzz/fuzz.h"

struct read_world {
    struct capture_file *file;
    struct dissect dissect;
    struct flows *flows;
    struct report report;
    struct report_flow drawn;
    uint32_t number; /* of the flow that is drawn */
    struct ladder ladder;
    struct term term;
    struct flow_lines lines;
    uint64_t segments, copies; /* given; that belong to no flow */
    uint32_t overs;
    uint64_t in_flows;
};

/* What is shown of a flow has to be JSON, and a line. */
static void show(const struct watched *w, const struct measure_room *room)
{
    static struct figures rows;
    struct findings list = {.count = 0};
    struct flow_verdict v;
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);

    require(to);
    flow_verdict(w, &v);
    flow_findings(w, &list);
    list.count = list.count > 1 ? 1 : list.count; /* a line for each */
    require(v.text && *v.text);
    require(flow_json(to, 0, w, &v, &list, room));
    fclose(to);
    for (char *line = text, *end; line < text + len; line = end + 1) {
        end = strchr(line, '\n');
        require(end);
        json_t *o = json_loadb(line, (size_t)(end - line), 0, NULL);
        require(o);
        json_decref(o);
    }
    free(text);
    figures_clear(&rows);
    flow_rows(&rows, w, &v, room);
    require(!rows.left_out);
}

static void side_holds(const struct measure_side *s, const struct measure_room *room)
{
    require(s->retransmissions == s->spurious + s->fast + s->timeouts);
    require(s->bytes <= s->data_bytes);
    require(s->data_segments <= s->segments);
    require(s->holes <= MEASURE_HOLES && s->marks <= MEASURE_MARKS);
    require((s->rtt.count == 0) == (measure_rtt(&s->rtt, room, 50) == WAVE_NEVER));
    if (s->rtt.count) {
        require(measure_rtt(&s->rtt, room, 0) <= measure_rtt(&s->rtt, room, 50));
        require(measure_rtt(&s->rtt, room, 50) <= measure_rtt(&s->rtt, room, 95));
    }
}

static void over(void *self, const struct watched *w, const struct measure_room *room)
{
    struct read_world *r = self;
    struct flow_verdict v;
    struct findings list = {.count = 0}, full = {.count = 0};

    r->overs++;
    for (unsigned i = 0; i < TRACK_SIDES; i++) {
        side_holds(&w->measure.side[i], room);
        r->in_flows += w->measure.side[i].segments;
    }
    require(strlen(w->zeek.history) < ZEEK_HISTORY);
    require(w->measure.last >= w->measure.first);
    show(w, room);
    flow_verdict(w, &v);
    flow_findings(w, &list);
    flow_findings_in_full(w, &full);
    require(list.count == full.count);
    flow_line(&r->lines, w, &v, &list);
}

static void draw(struct read_world *r, const struct flows_taken *t, const struct dissected *p)
{
    const struct report_seen seen = {.stamp = p->stamp,
                                     .out = t->from == TRACK_A,
                                     .packet = &p->packet,
                                     .ip = p->ip,
                                     .ip_len = p->ip_len,
                                     .fragments = p->fragments};

    if (!r->number) {
        r->number = t->flow->number;
        report_flow_strangers(&r->drawn, &t->flow->flow, 0);
    }
    if (t->flow->number != r->number)
        return;
    report_segment(&r->report, &r->drawn, &seen);
    for (unsigned i = 0; i < TRACK_SIDES; i++) { /* both trackers have seen the same */
        const struct track_view a = track_view(&r->drawn.track, i);
        const struct track_view b = track_view(&t->flow->track, i);
        require(a.state == b.state && a.certainty == b.certainty && a.evidence == b.evidence);
    }
}

static void packet(struct read_world *r, const struct capture_record *record)
{
    struct dissected p;

    require(record->caplen <= CAPTURE_FILE_PACKET);
    if (dissect_frame(&r->dissect, record, &p) != 0)
        return;
    require(p.ip_len > 0 && p.place);
    require(p.fragments ||
            (p.ip >= record->bytes && p.ip + p.ip_len <= record->bytes + record->caplen));
    if (p.packet.kind == PACKET_ICMP) {
        flows_icmp(r->flows, &p.packet.icmp);
        return;
    }
    const struct flows_segment s = {.at = p.stamp,
                                    .packet = &p.packet,
                                    .hash = flows_hash(r->flows, &p.packet.flow),
                                    .place = p.place,
                                    .fragments = p.fragments};
    const struct flow back = flow_reverse(&p.packet.flow);
    require(flows_hash(r->flows, &back) == s.hash);
    const struct flows_taken t = flows_segment(r->flows, &s);
    r->segments++;
    r->copies += !t.flow;
    if (t.flow)
        draw(r, &t, &p);
}

/* Gives the file in pieces of that size. Returns a digest of its records and its end. */
static uint64_t read_file(struct read_world *r, const uint8_t *bytes, size_t size, size_t piece)
{
    struct capture_record record;
    uint64_t digest = 1;
    struct diag d;
    int error;

    r->file = capture_file_create();
    require(r->file);
    while ((error = capture_file_next(r->file, &record, &d)) == 0 || error == WAVE_EAGAIN) {
        size_t room;
        if (error == 0) {
            digest = (digest ^ record.stamp ^ record.caplen ^ (uint64_t)record.dlt << 32) *
                     0x100000001b3u;
            for (uint32_t i = 0; i < record.caplen; i++)
                digest = (digest ^ record.bytes[i]) * 0x100000001b3u;
            if (r->flows)
                packet(r, &record);
            continue;
        }
        uint8_t *to = capture_file_room(r->file, &room);
        require(room > 0);
        const size_t n = size < piece ? size : piece;
        memcpy(to, bytes, n);
        bytes += n;
        size -= n;
        capture_file_filled(r->file, n);
    }
    require(capture_file_offset(r->file) > 0 || error != WAVE_ENOTFOUND);
    capture_file_free(r->file);
    return (digest ^ (unsigned)-error) * 0x100000001b3u;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const uint8_t secret[16] = {1};
    static struct read_world r;
    struct read_world bare = {.flows = NULL};
    char *text = NULL;
    size_t len = 0;

    struct flows *table = r.flows;

    memset(&r, 0, sizeof r);
    r.flows = table ? table : flows_create(siphash_key(secret, 1), heap_resize, over, &r);
    r.term = (struct term){.to = open_memstream(&text, &len), .width = 80};
    require(r.flows && r.term.to);
    r.lines = (struct flow_lines){
        .term = &r.term, .findings = size & 1, .width = size & 4 ? 80 + size % 120 : 0};
    report_init(&r.report);
    ladder_init(&r.ladder, &r.term, size & 2);
    report_add(&r.report, ladder_event, &r.ladder);
    const uint64_t whole = read_file(&r, bytes, size, size ? size : 1);
    require(read_file(&bare, bytes, size, 1 + size % 7) == whole);
    flows_end(r.flows);
    const struct flows_counts c = flows_counts(r.flows);
    require(c.flows == r.overs && c.now == 0);
    require(c.segments + c.elsewhere == r.segments && c.elsewhere == r.copies);
    require(c.segments == r.in_flows);
    flows_reset(r.flows);
    dissect_end(&r.dissect);
    fclose(r.term.to);
    free(text);
    return 0;
}
