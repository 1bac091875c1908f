/* Tests the findings about this host by their facts alone: those that a network of one's own does
 * not bring about at will. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/how_to.h"
#include "lib/report/diagnose.h"

static const struct report_flow flow;
static struct findings found;

/* Returns the finding of that code, or NULL. */
static const struct finding *find(const struct facts_host *host, enum verdict verdict,
                                  const char *code)
{
    const struct facts k = {
        .flow = &flow, .host = host, .how_to = &command_words, .over = true, .verdict = verdict};

    memset(&found, 0, sizeof found);
    diagnose(&k, &found);
    for (unsigned i = 0; i < found.count; i++)
        if (strcmp(found.at[i].code, code) == 0)
            return &found.at[i];
    return NULL;
}

static void expect(const struct facts_host *host, const char *code, enum finding_severity severity,
                   const char *part)
{
    const struct finding *f = find(host, VERDICT_FAILED, code);

    assert_non_null(f);
    assert_int_equal(f->severity, severity);
    assert_non_null(strstr(f->message, part));
    assert_int_equal(found.count, 1);
}

static void the_clock_is_set(void **state)
{
    (void)state;
    expect(&(struct facts_host){.clock_step = 3600 * (int64_t)WAVE_S}, "clock-stepped",
           FINDING_INFO, "went forward by 1 h");
    expect(&(struct facts_host){.clock_step = -2 * (int64_t)WAVE_S}, "clock-stepped", FINDING_INFO,
           "went back by 2.00 s during the run: it was set");
    assert_null(find(&(struct facts_host){.clock_step = 0}, VERDICT_OPEN, "clock-stepped"));
}

static void other_addresses_are_told_where_this_one_failed(void **state)
{
    const struct facts_host one = {.addresses = 1, .address = "192.0.2.2"};
    const struct facts_host four = {.addresses = 4, .address = "2001:db8::2"};

    (void)state;
    expect(&one, "other-addresses", FINDING_INFO, "the name has another address, 192.0.2.2,");
    expect(&four, "other-addresses", FINDING_INFO,
           "4 other addresses, which were not tried: 2001:");
    assert_null(find(&one, VERDICT_OPEN, "other-addresses"));
    assert_null(find(&(struct facts_host){.addresses = 0}, VERDICT_FAILED, "other-addresses"));
}

/* What reached this host's TCP and was not captured came by another interface where one alone is
 * captured, and under other addresses where all are. */
static void answers_that_were_not_captured(void **state)
{
    struct facts_host host = {.counts_reached = true, .reached = 3, .interface = "eth0"};

    (void)state;
    host.one_interface = host.interface_named = true;
    expect(&host, "other-interface", FINDING_PROBLEM, "not captured on eth0");
    assert_non_null(strstr(found.at[0].advice, "leave out -i"));
    host.interface_named = false;
    expect(&host, "other-interface", FINDING_PROBLEM, "not captured on eth0");
    assert_null(strstr(found.at[0].advice, "-i"));
    host.one_interface = false;
    host.anywhere = true;
    expect(&host, "own-nat", FINDING_PROBLEM, "address translation rewrites our source");
    assert_null(find(&host, VERDICT_LOCAL, "own-nat")); /* it rejected what we sent */
    host.captured = 1;
    assert_null(find(&host, VERDICT_FAILED, "own-nat"));
    host.captured = 0;
    host.counts_reached = false;
    assert_null(find(&host, VERDICT_FAILED, "own-nat"));
}

/* The user had the loopback captured, and the target is another host. */
static void the_loopback_was_named_for_another_host(void **state)
{
    struct facts_host host = {.counts_reached = true,
                              .reached = 3,
                              .kept = 2,
                              .loopback = true,
                              .interface_named = true,
                              .interface = "lo"};

    (void)state;
    expect(&host, "other-interface", FINDING_PROBLEM, "not captured on lo");
    host.interface_named = false;
    expect(&host, "own-nat", FINDING_PROBLEM, "the target is an address of this host");
}

/* With -i as well, where no segment of ours was seen to leave: what is rewritten is not. */
static void address_translation_is_no_other_interface(void **state)
{
    struct facts_host host = {.counts_reached = true,
                              .reached = 3,
                              .kept = 2,
                              .one_interface = true,
                              .interface_named = true,
                              .interface = "eth0"};

    (void)state;
    expect(&host, "own-nat", FINDING_PROBLEM, "address translation rewrites our source");
    host.translated = "192.0.2.7:80";
    assert_null(find(&host, VERDICT_FAILED, "other-interface"));
    expect(&host, "own-nat", FINDING_INFO, "to 192.0.2.7:80, and we follow it");
    host.translated_more = true;
    expect(&host, "own-nat", FINDING_INFO, "to 192.0.2.7:80 and others, and we follow it");
    host.translated = NULL;
    host.kept = 0;
    host.answered_elsewhere = true;
    assert_null(find(&host, VERDICT_FAILED, "other-interface"));
    host.answered_elsewhere = false;
    assert_null(find(&host, VERDICT_LOCAL, "other-interface"));
}

/* A SYN was seen to leave with another source. What goes past the rules is answered. */
static void the_source_was_seen_rewritten(void **state)
{
    struct facts_host host = {.counts_reached = true,
                              .reached = 3,
                              .source_translated = "192.0.2.1:50000",
                              .interface = "eth0"};
    const struct finding *f;

    (void)state;
    expect(&host, "own-nat", FINDING_PROBLEM, "to 192.0.2.1:50000, where answers are not looked");
    assert_int_equal(found.at[0].certainty, FINDING_PROVED);
    assert_null(strstr(found.at[0].message, "link layer"));
    host.past_rules = true;
    f = find(&host, VERDICT_OPEN, "own-nat");
    assert_non_null(f);
    assert_int_equal(f->severity, FINDING_INFO);
    assert_non_null(strstr(f->message, "did not pass it, on the link layer"));
    host.captured = 7; /* the peer answers, and it is not for this that the run failed */
    f = find(&host, VERDICT_FAILED, "own-nat");
    assert_non_null(f);
    assert_int_equal(f->severity, FINDING_INFO);
    assert_null(find(&host, VERDICT_LOCAL, "own-nat"));
}

/* What comes to another port and is redirected to ours. */
static void a_listener_s_port_is_redirected_to(void **state)
{
    struct facts_host host = {.counts_reached = true,
                              .reached = 3,
                              .anywhere = true,
                              .listens = true,
                              .interface = "any"};

    (void)state;
    expect(&host, "own-nat", FINDING_PROBLEM, "sends them here");
    assert_int_equal(found.at[0].certainty, FINDING_LIKELY);
    host.captured = 1;
    assert_null(find(&host, VERDICT_FAILED, "own-nat"));
    host.captured = 0;
    host.reached = 0;
    assert_null(find(&host, VERDICT_FAILED, "own-nat"));
    host.reached = 3;
    host.one_interface = true;
    expect(&host, "other-interface", FINDING_PROBLEM, "segments reached this host's TCP");
}

/* What a rule of this host redirects to itself is answered by loopback: that is no other way. */
static void this_host_answers_itself(void **state)
{
    struct facts_host host = {.other = 3, .other_interface = "lo", .interface = "eth0"};

    (void)state;
    expect(&host, "own-nat", FINDING_INFO, "answers in the target's name came by lo");
    assert_int_equal(found.at[0].certainty, FINDING_LIKELY);
    host.other_interface = "eth1";
    expect(&host, "other-interface", FINDING_INFO,
           "what we send leaves by eth0, and the peer's segments came in by eth1");
    host.other_interface = "lo";
    assert_null(find(&host, VERDICT_LOCAL, "own-nat"));
    assert_int_equal(found.count, 0);
}

/* What is sent to an own address goes by loopback, unless a rule sends it on. */
static void an_own_address_is_sent_on(void **state)
{
    struct facts_host host = {
        .counts_reached = true, .reached = 3, .kept = 2, .loopback = true, .interface = "lo"};

    (void)state;
    expect(&host, "own-nat", FINDING_PROBLEM, "sends it on to another host");
    assert_int_equal(found.at[0].certainty, FINDING_LIKELY);
    host.kept = 0; /* it came by loopback, and something else counted what reached us */
    assert_null(find(&host, VERDICT_FAILED, "own-nat"));
    host.left_unknown = true; /* there are many connections */
    expect(&host, "own-nat", FINDING_PROBLEM, "sends it on to another host");
    host.left_unknown = false;
    host.kept = 2;
    host.lost = 1; /* the capture may have lost it */
    assert_null(find(&host, VERDICT_FAILED, "own-nat"));
    host.lost = 0;
    host.captured = 1;
    assert_null(find(&host, VERDICT_FAILED, "own-nat"));
    host.captured = 0;
    assert_null(find(&host, VERDICT_LOCAL, "own-nat"));
}

/* An answer from elsewhere, which reached this host's TCP, is no sign of a source that it rewrites.
 */
static void an_answer_from_elsewhere_is_not_our_nat(void **state)
{
    const struct facts_host host = {.counts_reached = true,
                                    .reached = 1,
                                    .anywhere = true,
                                    .answered_elsewhere = true,
                                    .answerer = "192.0.2.7:80",
                                    .interface = "eth0"};

    (void)state;
    expect(&host, "answer-from-elsewhere", FINDING_PROBLEM, "came from 192.0.2.7:80");
}

static void a_target_among_our_ports(void **state)
{
    (void)state;
    expect(&(struct facts_host){.kept_clear = 45000}, "port-shadowed", FINDING_INFO,
           "port 45000 of this host is a target of this run");
    assert_null(find(&(struct facts_host){.kept_clear = 0}, VERDICT_OPEN, "port-shadowed"));
}

static void a_full_accept_queue_counts_connections(void **state)
{
    struct facts_host host = {.queue_full = 157};

    (void)state;
    expect(&host, "accept-queue-full", FINDING_PROBLEM, "on 157 connections the peer sent");
    assert_int_equal(find(&host, VERDICT_OPEN, "accept-queue-full")->severity, FINDING_WARNING);
    host.queue_full = 1;
    assert_null(find(&host, VERDICT_FAILED, "accept-queue-full"));
}

/* One answer to a SYN that fits no SYN of ours, beside many connections that failed otherwise. */
static void a_single_stray_answer_does_not_explain_many_failures(void **state)
{
    static struct report_flow astray;
    struct facts_host host = {.failed = 157};
    const struct facts k = {.flow = &astray,
                            .host = &host,
                            .how_to = &command_words,
                            .over = true,
                            .verdict = VERDICT_FAILED};

    (void)state;
    for (unsigned kind = 0; kind < 3; kind++) {
        static const enum sign_kind kinds[] = {SIGN_ACK_ASTRAY, SIGN_SYN_ACK_ASTRAY,
                                               SIGN_RST_ASTRAY};
        memset(&astray, 0, sizeof astray);
        signs_note(&astray.signs, kinds[kind], 0);
        for (host.failed = 0; host.failed < 3; host.failed++) {
            memset(&found, 0, sizeof found);
            diagnose(&k, &found);
            assert_int_equal(found.count, 1);
            assert_int_equal(found.at[0].severity,
                             host.failed > 1 ? FINDING_INFO : FINDING_PROBLEM);
        }
    }
}

/* The guard had counted nothing when we answered the SYN-ACK, and counts one segment less at the
 * end. */
static void the_syn_ack_alone_is_stopped(void **state)
{
    static struct report_flow opened;
    struct facts_host host = {.counts_reached = true,
                              .each_reached = true,
                              .reached = 3,
                              .captured = 4,
                              .first_stopped = true};
    const struct facts k = {.flow = &opened,
                            .host = &host,
                            .how_to = &command_words,
                            .over = true,
                            .verdict = VERDICT_OPEN};

    (void)state;
    opened.signs.opened = 1;
    opened.signs.opened_by = 2;
    for (unsigned i = 0; i < 3; i++) {
        host.first_stopped = i != 1;
        host.reached = i == 2 ? 4 : 3; /* it came late */
        memset(&found, 0, sizeof found);
        diagnose(&k, &found);
        assert_int_equal(found.count, i == 0);
        if (i)
            continue;
        assert_string_equal(found.at[0].code, "own-firewall");
        assert_int_equal(found.at[0].severity, FINDING_PROBLEM);
        assert_int_equal(found.at[0].certainty, FINDING_LIKELY);
        assert_int_equal(found.at[0].evidence[0], 2);
        assert_string_equal(found.at[0].message,
                            "this host's own rules stopped the peer's SYN-ACK, "
                            "and not what came after it");
    }
}

/* What came after our address or route had gone was stopped by no rule. */
static void a_host_that_could_not_go_on_stopped_nothing(void **state)
{
    const struct facts_host host = {
        .counts_reached = true, .each_reached = true, .reached = 9, .captured = 14};

    (void)state;
    expect(&host, "own-firewall", FINDING_WARNING, "rules stopped 5 of the 14 segments");
    assert_null(find(&host, VERDICT_LOCAL, "own-firewall"));
}

static void what_is_advised_is_said_in_the_words_of_the_command(void **state)
{
    static const struct how_to other = {{[HOW_TO_NAME_INTERFACE] = "/interface"}};
    const struct facts_host host = {.copies = 2};
    struct facts k = {.flow = &flow, .host = &host, .how_to = &other, .over = true};

    (void)state;
    assert_string_equal(find(&host, VERDICT_OPEN, "captured-twice")->advice,
                        "-i names the one to capture on");
    memset(&found, 0, sizeof found);
    diagnose(&k, &found);
    assert_string_equal(found.at[0].advice, "/interface names the one to capture on");
    memset(&found, 0, sizeof found);
    k.how_to = NULL;
    diagnose(&k, &found);
    assert_string_equal(found.at[0].advice, "an option names the one to capture on");
}

static void a_rule_sends_what_is_ours_elsewhere(void **state)
{
    struct facts_host host = {.kept = 3, .redirected = true, .interface = "eth0"};

    (void)state;
    expect(&host, "own-nat", FINDING_PROBLEM, "redirects to this host itself");
    assert_null(find(&host, VERDICT_OPEN, "own-nat"));
    host.redirected = false; /* then a rule may drop it */
    expect(&host, "own-firewall", FINDING_PROBLEM, "none of the 3 segments that we sent left");

    host = (struct facts_host){.source_translated = "192.0.2.1:50000", .interface = "eth0"};
    expect(&host, "own-nat", FINDING_PROBLEM, "rewrites our source to 192.0.2.1:50000, where");
    host.unsent = 7;
    expect(&host, "own-nat", FINDING_PROBLEM, "and 7 segments found no port there");
    assert_int_equal(find(&host, VERDICT_OPEN, "own-nat")->severity, FINDING_WARNING);
    host.translated = "192.0.2.7:80";
    host.targets_clash = true;
    expect(&host, "own-nat", FINDING_PROBLEM,
           "several targets of the run to one place, 192.0.2.7:80");
    host = (struct facts_host){.unsent = 7, .interface = "eth0"}; /* a rule drops some */
    assert_null(find(&host, VERDICT_FAILED, "own-nat"));
}

/* Clients come, and nothing of ours leaves; or some of it. */
static void a_listener_is_kept_from_answering(void **state)
{
    struct facts_host host = {.counts_reached = true,
                              .reached = 4,
                              .captured = 4,
                              .kept = 4,
                              .listens = true,
                              .anywhere = true,
                              .interface = "any"};

    (void)state;
    expect(&host, "own-firewall", FINDING_PROBLEM, "none of the 4 segments that we sent left");
    assert_null(strstr(found.at[0].advice, "any"));
    assert_non_null(find(&host, VERDICT_OPEN, "own-firewall"));
    host.anywhere = false; /* they may leave by another one */
    host.one_interface = true;
    assert_null(find(&host, VERDICT_OPEN, "own-firewall"));
    host.one_interface = false;
    host.listens = false; /* one that connects and is answered has sent what it got an answer to */
    assert_null(find(&host, VERDICT_FAILED, "own-firewall"));

    host.listens = host.anywhere = true;
    host.kept = 0;
    host.sent = 40;
    host.passed_over = 4;
    expect(&host, "own-firewall", FINDING_PROBLEM, "4 of the 40 segments that we sent did not");
    assert_int_equal(find(&host, VERDICT_OPEN, "own-firewall")->severity, FINDING_WARNING);
    host.passed_over = 3; /* less than a tenth */
    assert_null(find(&host, VERDICT_FAILED, "own-firewall"));
    host.passed_over = 4;
    host.lost = 1; /* the capture may have lost them */
    assert_null(find(&host, VERDICT_FAILED, "own-firewall"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_clock_is_set),
        cmocka_unit_test(other_addresses_are_told_where_this_one_failed),
        cmocka_unit_test(the_loopback_was_named_for_another_host),
        cmocka_unit_test(answers_that_were_not_captured),
        cmocka_unit_test(address_translation_is_no_other_interface),
        cmocka_unit_test(the_source_was_seen_rewritten),
        cmocka_unit_test(a_listener_s_port_is_redirected_to),
        cmocka_unit_test(this_host_answers_itself),
        cmocka_unit_test(an_own_address_is_sent_on),
        cmocka_unit_test(an_answer_from_elsewhere_is_not_our_nat),
        cmocka_unit_test(a_target_among_our_ports),
        cmocka_unit_test(a_single_stray_answer_does_not_explain_many_failures),
        cmocka_unit_test(the_syn_ack_alone_is_stopped),
        cmocka_unit_test(a_host_that_could_not_go_on_stopped_nothing),
        cmocka_unit_test(a_full_accept_queue_counts_connections),
        cmocka_unit_test(a_rule_sends_what_is_ours_elsewhere),
        cmocka_unit_test(a_listener_is_kept_from_answering),
        cmocka_unit_test(what_is_advised_is_said_in_the_words_of_the_command),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
