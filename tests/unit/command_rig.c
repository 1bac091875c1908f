#include "tests/unit/command_rig.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cmd/cli.h"
#include "lib/core/diag.h"
#include "lib/sim/prng.h"
#include "tests/live/schema.h"

#define WORDS 64
#define KEPT 60     /* events at each end of a run */
#define SHOWN 5     /* of those that are wrong */
#define PATIENCE 60 /* seconds of real time, for a run in which nothing happens any more */

/* For rig_schema(): lines of --json that were held against the schema, and those that it forbids.
 */
static unsigned long lines, wrong_lines;

void rig_init(struct command_rig *r, enum host_behaviour behaviour)
{
    *r = (struct command_rig){.network = network_with(behaviour), .random = 1, .signals = {-1, -1}};
}

void rig_init_family(struct command_rig *r, enum host_behaviour behaviour, bool v6)
{
    static const struct addr far = {{0x20, 0x01, 0x0d, 0xb8, [15] = 0x80}};
    static const struct addr near = {{0x20, 0x01, 0x0d, 0xb8, [15] = 0x01}};

    rig_init(r, behaviour);
    if (!v6)
        return;
    r->network.host.v6 = true;
    r->network.host.addr = far;
    r->network.local = near;
    conn_config_default(&r->network.host.engine, 1500, true);
    r->network.host.engine.time_wait = false;
}

void rig_at(struct command_rig *r, wave_time at, void (*act)(struct command_rig *r))
{
    assert_true(r->acts < RIG_ACTS);
    assert_true(!r->acts || r->act[r->acts - 1].at <= at);
    r->act[r->acts].at = at;
    r->act[r->acts++].act = act;
}

/*
 * What stands in place of the system
 */

static bool sees(void *self, wave_time at, bool outgoing, uint64_t number, const struct flow *flow,
                 const struct seg *s)
{
    struct command_rig *r = self;
    struct rig_segment *g;

    (void)number;
    if (r->segments == r->room) {
        r->room = r->room ? 2 * r->room : 64;
        r->segment = realloc(r->segment, r->room * sizeof *r->segment);
        assert_non_null(r->segment);
    }
    g = &r->segment[r->segments++];
    *g = (struct rig_segment){.at = at - PORT_SIM_BEGINS,
                              .out = outgoing,
                              .flow = *flow,
                              .seg = *s,
                              .first = s->len ? s->data[0] : 0};
    g->seg.data = NULL;
    g->lost = r->lose && r->lose(r, g);
    return g->lost;
}

static wave_time next_act(const struct command_rig *r)
{
    return r->acted < r->acts ? PORT_SIM_BEGINS + r->act[r->acted].at : WAVE_NEVER;
}

static wave_time acts(void *self, wave_time now)
{
    struct command_rig *r = self;

    while (next_act(r) <= now)
        r->act[r->acted++].act(r);
    return next_act(r);
}

static int open_port(void *self, struct port **out, const struct wire_config *config,
                     struct diag *d)
{
    struct command_rig *r = self;
    struct port_sim_config c = r->network;
    int error;

    c.inbound_only = config->inbound_only;
    if (config->has_source)
        c.local = config->source;
    else if (config->listen && !config->free_ports.max)
        c.local = (struct addr){0};
    if (config->lport)
        c.lport = config->lport;
    c.lports = config->free_ports.max ? config->free_ports.max : config->lports;
    error = port_sim_open(&r->port, &c, d);
    if (error)
        return error;
    port_sim_filter(r->port, sees, r);
    if (r->acts)
        port_sim_at(r->port, next_act(r), acts, r);
    *out = r->port;
    return 0;
}

static int route(void *self, const struct route_query *q, struct route *out, struct diag *d)
{
    const struct command_rig *r = self;

    (void)d;
    *out = (struct route){.ifindex = 1,
                          .interface = "sim",
                          .mtu = r->network.mtu ? r->network.mtu : 1500,
                          .source = q->has_source ? q->source : r->network.local};
    return 0;
}

static void random_bytes(void *self, void *to, size_t len)
{
    struct command_rig *r = self;
    uint8_t *byte = to;

    for (size_t i = 0; i < len; i++) {
        r->random = r->random * 6364136223846793005u + 1442695040888963407u;
        byte[i] = (uint8_t)(r->random >> 56);
    }
}

/*
 * The run
 */

/* The schema, which is read once. */
static const struct schema *schema(void)
{
    static struct schema *read;
    const char *srcdir = getenv("srcdir");
    char file[1024];

    snprintf(file, sizeof file, "%s/man/tcpwave.schema.json", srcdir ? srcdir : ".");
    if (!read)
        read = schema_load(file);
    assert_non_null(read);
    return read;
}

/* For rig_schema(): the first and the last lines of a long run have all kinds of them. */
static void check_lines(const struct command_rig *r)
{
    char why[SCHEMA_WHY], *line;

    for (size_t i = 0; i < r->events; i++) {
        if (i >= KEPT && i + KEPT < r->events)
            continue;
        lines++;
        if (schema_allows(schema(), r->event[i], why) || wrong_lines++ >= SHOWN)
            continue;
        line = json_dumps(r->event[i], JSON_COMPACT);
        print_error("%s: %s\n", why, line);
        free(line);
    }
}

/* Whether network and far end do nothing that a finding could be about. */
static bool is_undisturbed(const struct command_rig *r)
{
    const struct port_sim_config *n = &r->network;
    const struct path_impairment *way[] = {&n->forward, &n->reverse};

    for (unsigned i = 0; i < 2; i++)
        if (way[i]->loss || way[i]->duplication || way[i]->reordering || way[i]->corruption ||
            way[i]->mtu)
            return false;
    return !r->disturbed && !r->lose && n->host.vanish_at == WAVE_NEVER &&
           n->host.behaviour != HOST_RESETS && n->host.behaviour != HOST_RESETS_FIN &&
           n->host.behaviour != HOST_NEVER_READS;
}

static void expect_no_alarm(const struct command_rig *r)
{
    for (size_t i = 0; i < r->events; i++) {
        const json_t *e = r->event[i];
        if (strcmp(json_string_value(json_object_get(e, "event")), "finding") != 0 ||
            strcmp(json_string_value(json_object_get(e, "severity")), "info") == 0)
            continue;
        print_error("a false alarm, %s: %s\n", json_string_value(json_object_get(e, "code")),
                    json_string_value(json_object_get(e, "message")));
        fail();
    }
}

static void take_json(struct command_rig *r)
{
    char *line = r->text, *end;

    for (; (end = strchr(line, '\n')); line = end + 1) {
        json_error_t e;
        json_t *event = json_loadb(line, (size_t)(end - line), 0, &e);
        if (!event) {
            print_error("not JSON: %.*s\n", (int)(end - line), line);
            fail();
        }
        r->event = realloc(r->event, (r->events + 1) * sizeof *r->event);
        assert_non_null(r->event);
        r->event[r->events++] = event;
    }
    assert_true(*line == '\0'); /* the last line is whole */
    check_lines(r);
    if (is_undisturbed(r))
        expect_no_alarm(r);
}

/* What was written to the descriptor of the report. */
static void take_text(struct command_rig *r, FILE *report)
{
    off_t size = lseek(fileno(report), 0, SEEK_END);

    assert_true(size >= 0);
    r->text = calloc(1, (size_t)size + 1);
    assert_non_null(r->text);
    r->text_len = (size_t)size;
    assert_int_equal(pread(fileno(report), r->text, (size_t)size, 0), size);
}

static unsigned split(char *text, char *word[WORDS])
{
    static char name[] = "tcpwave";
    unsigned n = 0;
    char *save;

    word[n++] = name;
    for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
        assert_true(n < WORDS - 1);
        for (char *c = w; *c; c++)
            *c = *c == '~' ? ' ' : *c;
        word[n++] = w;
    }
    word[n] = NULL;
    return n;
}

void rig_expect_usage(const char *words, const char *part)
{
    struct command_line line;
    char *text = strdup(words), *word[WORDS];
    struct diag d = {""};

    assert_non_null(text);
    assert_int_equal(cli_parse((int)split(text, word), word, &line, &d), WAVE_EINVAL);
    if (!strstr(d.text, part)) {
        print_error("%s: %s\n", words, d.text);
        fail();
    }
    free(text);
}

/* What is shown stands in every command's struct of options, at a place of its own. */
static struct show_options *show_of(const struct command_line *line)
{
    for (const struct option_group *g = line->command->groups; g->rows; g++)
        if (g->rows == show_rows || g->rows == show_plain_rows || g->rows == show_table_rows)
            return (struct show_options *)((char *)line->options + g->offset);
    fail();
    return NULL;
}

int rig_run(struct command_rig *r, const char *words)
{
    struct command_line line;
    struct show_options *show;
    char *text = strdup(words), *word[WORDS];
    FILE *report = fdopen(memfd_create("report", MFD_CLOEXEC), "w+");
    struct diag d;

    assert_non_null(text);
    assert_non_null(report);
    assert_int_equal(pipe(r->signals), 0);
    if (cli_parse((int)split(text, word), word, &line, &d) != 0) {
        print_error("%s: %s\n", words, d.text);
        fail();
    }
    r->platform = (struct platform){.open = open_port,
                                    .route = route,
                                    .random = random_bytes,
                                    .now = PORT_SIM_BEGINS,
                                    .report = report,
                                    .signals = r->signals[0],
                                    .self = r};
    local_ports_parse(&r->platform.ports, "40000 49999", "");
    show = show_of(&line);
    if (show->platform) { /* the target is sim:PORT, which brings its own network */
        show->platform->report = report;
        show->platform->signals = r->signals[0];
        show->platform->confines = false;
    } else {
        show->platform = &r->platform;
    }
    alarm(PATIENCE);
    r->status = line.command->run(line.options);
    alarm(0);
    r->port = NULL;
    take_text(r, report);
    if (show->json)
        take_json(r);
    fclose(report);
    close(r->signals[0]);
    close(r->signals[1]);
    cli_free(&line);
    free(text);
    return r->status;
}

void rig_free(struct command_rig *r)
{
    for (size_t i = 0; i < r->events; i++)
        json_decref(r->event[i]);
    free(r->event);
    free(r->segment);
    free(r->text);
}

size_t rig_expect_repeatable(enum host_behaviour behaviour, uint32_t loss, uint64_t seed,
                             const char *words)
{
    struct command_rig r[2];
    size_t len;

    for (int i = 0; i < 2; i++) {
        rig_init(&r[i], behaviour);
        r[i].network.forward.loss = r[i].network.reverse.loss = loss;
        r[i].network.seed = seed;
        rig_run(&r[i], words);
    }
    assert_string_equal(r[0].text, r[1].text);
    len = r[0].text_len;
    rig_free(&r[0]);
    rig_free(&r[1]);
    return len;
}

/*
 * For an act
 */

wave_time rig_now(struct command_rig *r)
{
    return port_now(r->port) - PORT_SIM_BEGINS;
}

void rig_signal(struct command_rig *r, int signal)
{
    struct signalfd_siginfo info = {.ssi_signo = (uint32_t)signal};

    assert_int_equal(write(r->signals[1], &info, sizeof info), sizeof info);
}

void rig_interrupt(struct command_rig *r)
{
    rig_signal(r, SIGINT);
}

void rig_terminate(struct command_rig *r)
{
    rig_signal(r, SIGTERM);
}

void rig_dial(struct command_rig *r, uint16_t from, uint16_t lport)
{
    struct flow flow = {.local = r->network.host.addr,
                        .remote = r->network.local,
                        .lport = from,
                        .rport = lport,
                        .v6 = r->network.host.v6};

    assert_true(r->dials < sizeof r->dialled / sizeof *r->dialled);
    assert_int_equal(
        host_dial(port_sim_host(r->port), port_now(r->port), &flow, &r->dialled[r->dials++]), 0);
}

struct conn *rig_far(struct command_rig *r, unsigned n, uint32_t *id)
{
    struct stack *s = host_stack(port_sim_host(r->port));
    uint32_t cursor = 0;

    do
        *id = stack_next(s, &cursor);
    while (n-- && *id != STACK_NONE);
    assert_true(*id != STACK_NONE);
    return stack_conn(s, *id);
}

static void far_changed(struct command_rig *r, uint32_t id)
{
    stack_changed(host_stack(port_sim_host(r->port)), port_now(r->port), id);
}

void rig_far_send(struct command_rig *r, unsigned n, const char *text)
{
    uint32_t id;
    struct conn *c = rig_far(r, n, &id);

    assert_int_equal(conn_send(c, port_now(r->port), text, strlen(text)), strlen(text));
    far_changed(r, id);
}

void rig_far_close(struct command_rig *r, unsigned n)
{
    uint32_t id;
    struct conn *c = rig_far(r, n, &id);

    assert_int_equal(conn_close(c, port_now(r->port)), 0);
    far_changed(r, id);
}

void rig_far_reset(struct command_rig *r, unsigned n)
{
    uint32_t id;
    struct conn *c = rig_far(r, n, &id);

    r->disturbed = true;
    conn_abort(c, port_now(r->port));
    far_changed(r, id);
}

void rig_far_forget(struct command_rig *r, unsigned n)
{
    uint32_t id;
    struct conn *c = rig_far(r, n, &id);

    r->disturbed = true;
    conn_vanish(c, port_now(r->port));
    far_changed(r, id);
}

const struct rig_segment *rig_last(const struct command_rig *r, bool out)
{
    const struct rig_segment *s = NULL;

    for (size_t i = 0; i < r->segments; i++)
        if (r->segment[i].out == out)
            s = &r->segment[i];
    assert_non_null(s);
    return s;
}

void rig_forge(struct command_rig *r, const struct seg *s, uint8_t ttl)
{
    const struct flow flow = flow_reverse(&rig_last(r, true)->flow);

    r->disturbed = true;
    port_sim_deliver(r->port, &flow, s, ttl);
}

void rig_icmp(struct command_rig *r, uint8_t type, uint8_t code)
{
    const struct rig_segment *s = rig_last(r, true);
    struct icmp e = {.type = type, .code = code, .has_seq = true};

    r->disturbed = true;
    e.flow = s->flow;
    e.seq = s->seg.seq;
    e.from = s->flow.remote;
    e.meaning = icmp_meaning(s->flow.v6, type, code);
    port_sim_icmp(r->port, &e);
}

/*
 * What is expected
 */

static const json_t *walk(const json_t *value, const char *path)
{
    char key[64];

    while (value && path && *path) {
        size_t n = strcspn(path, ".");
        assert_true(n < sizeof key);
        memcpy(key, path, n);
        key[n] = '\0';
        value = json_object_get(value, key);
        path += n + (path[n] == '.');
    }
    return value;
}

static bool is_named(const json_t *event, const char *name)
{
    return strcmp(json_string_value(json_object_get(event, "event")), name) == 0;
}

const json_t *rig_get(const struct command_rig *r, const char *event, const char *path)
{
    for (size_t i = r->events; i-- > 0;)
        if (is_named(r->event[i], event))
            return walk(r->event[i], path);
    return NULL;
}

unsigned rig_count(const struct command_rig *r, const char *event, const char *path,
                   const char *text)
{
    unsigned n = 0;

    for (size_t i = 0; i < r->events; i++) {
        const char *is = path ? json_string_value(walk(r->event[i], path)) : NULL;
        n += is_named(r->event[i], event) && (!path || (is && strcmp(is, text) == 0));
    }
    return n;
}

/* The value, or a failure that shows what was printed. */
static const json_t *must(const struct command_rig *r, const char *event, const char *path)
{
    const json_t *value = rig_get(r, event, path);

    if (!value) {
        print_error("no %s: %s in\n%s", event, path, r->text);
        fail();
    }
    return value;
}

static wave_time nanoseconds(const json_t *seconds)
{
    return (wave_time)(json_number_value(seconds) * 1e9 + 0.5);
}

void rig_expect_int(const struct command_rig *r, const char *event, const char *path,
                    int64_t wanted)
{
    int64_t is = json_integer_value(must(r, event, path));

    if (is != wanted) {
        print_error("%s: %s is %ld, not %ld, in\n%s", event, path, (long)is, (long)wanted, r->text);
        fail();
    }
}

void rig_expect_bool(const struct command_rig *r, const char *event, const char *path, bool wanted)
{
    assert_true(json_is_boolean(must(r, event, path)));
    assert_int_equal(json_is_true(must(r, event, path)), wanted);
}

void rig_expect_null(const struct command_rig *r, const char *event, const char *path)
{
    assert_true(json_is_null(must(r, event, path)));
}

void rig_expect_text(const struct command_rig *r, const char *event, const char *path,
                     const char *wanted)
{
    const char *is = json_string_value(must(r, event, path));

    if (!is || strcmp(is, wanted) != 0) {
        print_error("%s: %s is '%s', not '%s', in\n%s", event, path, is ? is : "", wanted, r->text);
        fail();
    }
}

void rig_expect_part(const struct command_rig *r, const char *event, const char *path,
                     const char *part)
{
    const char *is = json_string_value(must(r, event, path));

    if (!is || !strstr(is, part)) {
        print_error("%s: %s is '%s', without '%s'\n", event, path, is ? is : "", part);
        fail();
    }
}

void rig_expect_time(const struct command_rig *r, const char *event, const char *path,
                     wave_time wanted)
{
    wave_time is = nanoseconds(must(r, event, path));

    if (is != wanted) {
        print_error("%s: %s is %lu ns, not %lu, in\n%s", event, path, (unsigned long)is,
                    (unsigned long)wanted, r->text);
        fail();
    }
}

void rig_expect_printed(const struct command_rig *r, const char *part, unsigned times)
{
    unsigned n = 0;

    for (const char *at = r->text; (at = strstr(at, part)); at += strlen(part))
        n++;
    if (n != times) {
        print_error("'%s' was printed %u times, not %u:\n%s", part, n, times, r->text);
        fail();
    }
}

void rig_expect_states(const struct command_rig *r, const char *side, const char *wanted)
{
    char states[512] = "";
    size_t used = 0;

    for (size_t i = 0; i < r->events; i++) {
        const json_t *e = r->event[i];
        if (!is_named(e, "state") || strcmp(json_string_value(walk(e, "side")), side) != 0)
            continue;
        if (!used)
            used +=
                (size_t)snprintf(states, sizeof states, "%s", json_string_value(walk(e, "from")));
        used += (size_t)snprintf(states + used, sizeof states - used, " %s",
                                 json_string_value(walk(e, "to")));
        assert_true(used < sizeof states);
    }
    assert_string_equal(states, wanted);
}

void rig_expect_verdict_after(const struct command_rig *r, unsigned timers, const char *verdict,
                              int status, wave_time at)
{
    wave_time is;

    rig_expect_text(r, "verdict", "verdict", verdict);
    rig_expect_int(r, "verdict", "exit", status);
    assert_int_equal(r->status, status);
    is = nanoseconds(must(r, "verdict", "time"));
    if (is < at || is > at + timers * (wave_time)RIG_GRAIN) {
        print_error("the verdict came at %lu ns, not %lu, of\n%s", (unsigned long)is,
                    (unsigned long)at, r->text);
        fail();
    }
}

void rig_expect_verdict(const struct command_rig *r, const char *verdict, int status, wave_time at)
{
    rig_expect_verdict_after(r, 0, verdict, status, at);
}

static const struct rig_segment *find(const struct command_rig *r, bool out, unsigned flags,
                                      unsigned n, unsigned *seen)
{
    *seen = 0;
    for (size_t i = 0; i < r->segments; i++) {
        const struct rig_segment *s = &r->segment[i];
        if (s->out == out && (s->seg.flags & flags) == flags && ++*seen == n)
            return s;
    }
    return NULL;
}

const struct rig_segment *rig_segment(const struct command_rig *r, bool out, unsigned flags,
                                      unsigned n)
{
    unsigned seen;
    const struct rig_segment *s = find(r, out, flags, n, &seen);

    assert_non_null(s);
    return s;
}

unsigned rig_segments(const struct command_rig *r, bool out, unsigned flags)
{
    unsigned seen;

    find(r, out, flags, 0, &seen);
    return seen;
}

void rig_schema(void **state)
{
    (void)state;
    assert_true(lines > 0);
    assert_int_equal(wrong_lines, 0);
}
