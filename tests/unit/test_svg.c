/* Tests the picture: it is well-formed XML whatever the input is, its size is bounded, and it shows
 * what happened. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/report_rig.h"

#include "lib/show/svg.h"
#include "lib/show/xml.h"

#define DEPTH 16

/* Whether the text is one element, with what XML 1.0 wants of tags, attributes and entities. */
static bool entity(const char **at)
{
    static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strncmp(*at, known[i], strlen(known[i])) == 0) {
            *at += strlen(known[i]);
            return true;
        }
    return false;
}

static bool characters(const char **at, const char *until)
{
    while (**at && !strchr(until, **at)) {
        if (**at == '&' ? !entity(at) : (unsigned char)**at < 0x20 && **at != '\n')
            return false;
        if (**at && **at != '&' && !strchr(until, **at))
            ++*at;
    }
    return **at != '\0';
}

static bool name(const char **at, char text[32])
{
    size_t n = 0;

    while (isalnum((unsigned char)**at) || strchr("-:", **at)) {
        if (!**at || n + 1 == 32)
            return false;
        text[n++] = *(*at)++;
    }
    text[n] = '\0';
    return n > 0;
}

/* Parses a tag from "<" on. Returns +1 if it opens, 0 if it is complete, -1 if it closes, and -2 if
 * there is none. */
static int tag(const char **at, char text[32])
{
    bool closes = (*at)[1] == '/';
    char attribute[32];

    *at += closes ? 2 : 1;
    if (!name(at, text))
        return -2;
    while (**at == ' ') {
        ++*at;
        if (closes || !name(at, attribute) || strncmp(*at, "=\"", 2) != 0)
            return -2;
        *at += 2;
        if (!characters(at, "\"<") || *(*at)++ != '"')
            return -2;
    }
    bool whole = **at == '/';
    *at += whole;
    return *(*at)++ != '>' || (whole && closes) ? -2 : closes ? -1 : !whole;
}

static bool well_formed(const char *at)
{
    static const char prolog[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    char open[DEPTH][32], text[32];
    unsigned depth = 0, elements = 0;

    if (strncmp(at, prolog, strlen(prolog)) != 0)
        return false;
    for (at += strlen(prolog); *at;) {
        if (*at != '<') {
            if (!depth && *at != '\n')
                return false;
            if (depth ? !characters(&at, "<") : (at++, false))
                return false;
            continue;
        }
        int step = tag(&at, text);
        if (step == -2 || depth == DEPTH || (!depth && elements))
            return false;
        elements++;
        if (step > 0)
            strcpy(open[depth++], text);
        else if (step < 0 && (!depth || strcmp(open[--depth], text) != 0))
            return false;
    }
    return elements && !depth;
}

static struct outbuf_end at_the_end = {.signals = -1, .deadline = WAVE_NEVER};

static void the_checker_knows_what_is_not_well_formed(void **state)
{
#define PROLOG "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    static const char *const bad[] = {"",         "<a>",         "<a></b>",    "<a b=c/>",
                                      "<a/><b/>", "<a>&</a>",    "<a>&x;</a>", "<a b=\"<\"/>",
                                      "x<a/>",    "<a>\001</a>", "<a b=\"/>",  "</a>"};
    char text[200];
    (void)state;

    assert_true(well_formed(PROLOG "<a b=\"c&lt;\" d=\"\"><e/>f&amp;<g>h</g></a>\n"));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(text, sizeof text, PROLOG "%s", bad[i]);
        if (well_formed(text))
            fail_msg("\"%s\" is not well-formed", bad[i]);
    }
}

/*
 * Text
 */

static char *escaped(const char *text)
{
    char *out = NULL;
    size_t size;
    FILE *to = open_memstream(&out, &size);

    assert_non_null(to);
    xml_text(to, text);
    fclose(to);
    return out;
}

static void assert_escaped(const char *text, const char *expected)
{
    char *out = escaped(text);
    assert_string_equal(out, expected);
    free(out);
}

static void markup_is_text(void **state)
{
    (void)state;
    assert_escaped("<script>\"a\" & 'b'</script>",
                   "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/script&gt;");
    assert_escaped("]]>&amp;", "]]&gt;&amp;amp;");
}

#define NOT "\xef\xbf\xbd"

static void what_is_no_character_is_replaced(void **state)
{
    (void)state;
    assert_escaped("a\001b\033c\177", "a" NOT "b" NOT "c\177"); /* XML 1.0 allows DEL */
    assert_escaped("\t\n\r", "\t\n\r");
    assert_escaped("\xc3\xa4 \xe2\x80\xa6 \xf0\x9f\x98\x80",
                   "\xc3\xa4 \xe2\x80\xa6 \xf0\x9f\x98\x80");
    assert_escaped("\xff", NOT);
    assert_escaped("\xc3", NOT); /* cut off */
    assert_escaped("\xc3(", NOT "(");
    assert_escaped("\xc0\xbc", NOT NOT);     /* '<', longer than it may be */
    assert_escaped("\xed\xa0\x80", NOT);     /* a surrogate */
    assert_escaped("\xef\xbf\xbe", NOT);     /* U+FFFE */
    assert_escaped("\xf5\x80\x80\x80", NOT); /* beyond U+10FFFF */
}

/*
 * Pictures
 */

static const char *path(void)
{
    static char text[64];

    snprintf(text, sizeof text, "/tmp/test_svg.%d", (int)getpid());
    return text;
}

static char *contents(void)
{
    FILE *from = fopen(path(), "r");
    struct stat st;
    char *text;

    assert_non_null(from);
    assert_int_equal(fstat(fileno(from), &st), 0);
    text = calloc(1, (size_t)st.st_size + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)st.st_size, from), st.st_size);
    fclose(from);
    unlink(path());
    return text;
}

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;

    while ((text = strstr(text, what))) {
        n++;
        text += strlen(what);
    }
    return n;
}

static struct svg *start_picture(struct script *t, enum picture_scale scale)
{
    struct svg *s = NULL;
    struct diag d;

    script_start(t, &script_v4);
    assert_int_equal(svg_open(&s, path(), scale, &d), 0);
    report_add(&t->report, svg_event, s);
    return s;
}

/* Ends the picture and returns it as it was written. */
static char *end_picture(struct script *t, struct svg *s, const char *message)
{
    struct report_verdict v = {.command = "connect",
                               .verdict = VERDICT_OPEN,
                               .flow = &t->flow,
                               .by = "local",
                               .kind = "four-way",
                               .message = message};
    struct diag d = {""};
    char *text;

    assert_int_equal(svg_end(s, &v, &at_the_end, &d), 0);
    svg_close(s);
    script_finish(t);
    text = contents();
    assert_true(well_formed(text));
    return text;
}

static void a_handshake_is_three_arrows_between_two_bars(void **state)
{
    struct script t;
    struct svg *s = start_picture(&t, PICTURE_EVENT);
    (void)state;

    script_handshake(&t);
    char *text = end_picture(&t, s, "connected");
    assert_int_equal(count(text, "class=\"line "), 3);
    assert_int_equal(count(text, "class=\"line ours\""), 2);
    assert_int_equal(count(text, "class=\"head "), 3);
    assert_int_equal(count(text, "class=\"cross\""), 0);
    assert_non_null(strstr(text, "tcpwave connect 192.0.2.2:80</title>"));
    assert_non_null(strstr(text, "192.0.2.1:40000"));
    assert_non_null(strstr(text, ">SYN ACK</tspan>"));
    assert_non_null(strstr(text, ">SYN_SENT</text>"));
    assert_non_null(strstr(text, ">ESTABLISHED?</text>"));
    assert_non_null(strstr(text, "prefers-color-scheme:dark"));
    assert_null(strstr(text, "href"));
    assert_null(strstr(text, "url("));
    free(text);
}

static void hostile_words_stay_words(void **state)
{
    struct script t;
    struct svg *s = start_picture(&t, PICTURE_EVENT);
    (void)state;

    script_handshake(&t);
    report_note(&t.report, &t.flow, t.at, true, "</text><script>alert('1')</script>\001\xff&");
    char *text = end_picture(&t, s, "\"]]><!-- &bogus; \033[31m");
    assert_null(strstr(text, "<script"));
    assert_null(strstr(text, "<!--"));
    assert_non_null(strstr(text, "&lt;script&gt;"));
    free(text);
}

static const struct step our_data = {.out = true,
                                     .flags = SEG_ACK,
                                     .seq = 1,
                                     .ack = 1,
                                     .len = 100,
                                     .wnd = 502,
                                     .local = STATE_ESTABLISHED};

static void say_lost(struct script *t)
{
    struct step retransmission = our_data;

    script_handshake(t);
    script_say(t, &our_data);
    retransmission.retransmission = true;
    script_say(t, &retransmission);
}

static void say_ack(struct script *t, bool twice)
{
    struct step ack = {.flags = SEG_ACK, .seq = 1, .ack = 101, .local = STATE_ESTABLISHED};

    if (twice) {
        ack.opt = (struct opt){.has = OPT_SACK, .sacks = 1};
        ack.opt.sack[0] = (struct sack_block){seq_of(OUR_ISN + 1), seq_of(OUR_ISN + 101)};
    }
    script_say(t, &ack);
}

static void what_had_to_be_sent_again_ends_in_a_cross(void **state)
{
    struct script t;
    struct svg *s = start_picture(&t, PICTURE_EVENT);
    (void)state;

    say_lost(&t);
    say_ack(&t, false);
    char *text = end_picture(&t, s, "connected");
    assert_int_equal(count(text, "class=\"cross\""), 1);
    assert_int_equal(count(text, ">lost?</tspan>"), 1);
    assert_int_equal(count(text, ">retransmission of 4</tspan>"), 1);
    assert_int_equal(count(text, "unanswered"), 0);
    free(text);
}

/* RFC 2883: the peer had both copies. */
static void what_arrived_twice_was_not_lost(void **state)
{
    struct script t;
    struct svg *s = start_picture(&t, PICTURE_EVENT);
    (void)state;

    say_lost(&t);
    say_ack(&t, true);
    char *text = end_picture(&t, s, "connected");
    assert_int_equal(count(text, "class=\"cross\""), 0);
    assert_int_equal(count(text, ">lost?</tspan>"), 0);
    free(text);
}

static void what_was_never_acknowledged_is_unanswered(void **state)
{
    struct script t;
    struct svg *s = start_picture(&t, PICTURE_EVENT);
    (void)state;

    script_handshake(&t);
    script_say(&t, &our_data);
    char *text = end_picture(&t, s, "connected");
    assert_int_equal(count(text, ">unanswered</tspan>"), 1);
    free(text);
}

static void a_silence_and_what_is_left_out_are_told(void **state)
{
    struct script t;
    struct svg *s = start_picture(&t, PICTURE_EVENT);
    struct step step = our_data;
    (void)state;

    script_handshake(&t);
    t.at += 9 * WAVE_S;
    for (unsigned i = 0; i < 100; i++, step.seq += 100)
        script_say(&t, &step);
    char *text = end_picture(&t, s, "connected");
    assert_int_equal(count(text, "... 9.00 s ..."), 1);
    assert_int_equal(count(text, "class=\"break\""), 2);
    assert_int_equal(count(text, ">76 segments, "), 1);
    assert_int_equal(count(text, "class=\"line "), 3 + ROWS_PLAIN);
    free(text);
}

/* Finds where our arrows begin. */
static unsigned tails(const char *text, double y[], unsigned room)
{
    static const char mark[] = "class=\"line ours lost\" d=\"M";
    unsigned n = 0;

    for (; n < room && (text = strstr(text, mark)); n++) {
        text = strchr(text + strlen(mark), ',') + 1;
        y[n] = strtod(text, NULL);
    }
    return n;
}

static void time_to_scale_is_to_scale(void **state)
{
    struct script t;
    struct svg *s = start_picture(&t, PICTURE_TIME);
    struct step step = our_data;
    double y[6];
    (void)state;

    /* 10, 10, 10, 20 and 40 ms apart: the median is the unit. */
    for (unsigned i = 0; i < 6; i++, step.seq += 100) {
        script_say(&t, &step);
        t.at += (i < 3 ? 10 : i == 3 ? 20 : 40) * WAVE_MS - 100 * WAVE_US;
    }
    char *text = end_picture(&t, s, "connected");
    assert_int_equal(tails(text, y, 6), 6);
    double unit = y[1] - y[0];
    assert_true(unit > 10);
    assert_float_equal(y[2] - y[1], unit, 1.5);
    assert_float_equal(y[4] - y[3], 2 * unit, 1.5);
    assert_float_equal(y[5] - y[4], 4 * unit, 1.5);
    free(text);
}

static void the_picture_is_bounded(void **state)
{
    static struct report_flow flow[SVG_FLOWS + 20];
    struct script t;
    struct svg *s = start_picture(&t, PICTURE_EVENT);
    (void)state;

    for (unsigned i = 0; i < SVG_FLOWS + 20; i++) {
        struct report_verdict v = {.command = "listen", .per_connection = true, .message = "done"};
        report_flow_init(&t.flow, &script_v4, i + 1);
        script_handshake(&t);
        struct step step = our_data;
        for (unsigned k = 0; k < 200; k++) { /* never plain: both windows and states move */
            step.flags = k % 2 ? SEG_ACK | SEG_FIN : SEG_ACK | SEG_RST;
            script_say(&t, &step);
        }
        flow[i] = t.flow;
        v.flow = &flow[i];
        report_verdict(&t.report, t.at, &v);
    }
    char *text = end_picture(&t, s, "connected");
    assert_true(count(text, "class=\"line ") <= SVG_ROWS);
    assert_true(count(text, "class=\"line ") > SVG_ROWS / 2);
    assert_true(strlen(text) < 1500000);
    assert_non_null(strstr(text, "and 20 more connections"));
    assert_non_null(strstr(text, "more rows"));
    free(text);
}

static void a_full_disk_is_told(void **state)
{
    struct report_verdict v = {.command = "connect", .message = "connected"};
    struct svg *s = NULL;
    struct diag d = {""};
    (void)state;

    if (access("/dev/full", W_OK) != 0)
        skip();
    assert_int_equal(svg_open(&s, "/dev/full", PICTURE_EVENT, &d), 0);
    assert_int_equal(svg_end(s, &v, &at_the_end, &d), WAVE_ESYS);
    assert_non_null(strstr(d.text, "/dev/full: No space left"));
    svg_close(s);
    assert_int_equal(svg_open(&s, "/no/such/place.svg", PICTURE_EVENT, &d), WAVE_ESYS);
    assert_non_null(strstr(d.text, "/no/such/place.svg"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_checker_knows_what_is_not_well_formed),
        cmocka_unit_test(markup_is_text),
        cmocka_unit_test(what_is_no_character_is_replaced),
        cmocka_unit_test(a_handshake_is_three_arrows_between_two_bars),
        cmocka_unit_test(hostile_words_stay_words),
        cmocka_unit_test(what_had_to_be_sent_again_ends_in_a_cross),
        cmocka_unit_test(what_arrived_twice_was_not_lost),
        cmocka_unit_test(what_was_never_acknowledged_is_unanswered),
        cmocka_unit_test(a_silence_and_what_is_left_out_are_told),
        cmocka_unit_test(time_to_scale_is_to_scale),
        cmocka_unit_test(the_picture_is_bounded),
        cmocka_unit_test(a_full_disk_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
