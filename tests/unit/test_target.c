/* Tests targets: what they mean, which are malformed, and which are only unknown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <net/if.h>
#include <netdb.h>

#include "cmd/target.h"

static const struct addr loopback6 = {{[15] = 1}};

static void refused(const char *text, bool passive, const char *words)
{
    struct target_name name = {.port = 4711};
    struct diag d = {""};

    assert_int_equal(target_parse(text, passive, &name, &d), WAVE_EINVAL);
    assert_int_equal(name.port, 4711);
    if (!strstr(d.text, words))
        fail_msg("\"%s\": \"%s\" does not say \"%s\"", text, d.text, words);
    assert_null(strchr(d.text, '\n'));
}

static struct target_name parsed(const char *text, bool passive)
{
    struct target_name name;
    struct diag d = {""};

    if (target_parse(text, passive, &name, &d))
        fail_msg("\"%s\": %s", text, d.text);
    return name;
}

static struct target resolved(const char *text, bool passive, enum target_family family)
{
    struct target_name name = parsed(text, passive);
    struct target t;
    struct diag d = {""};

    if (target_resolve(&name, family, &t, &d))
        fail_msg("\"%s\": %s", text, d.text);
    return t;
}

static void unknown(const char *text, enum target_family family, int error, const char *words)
{
    struct target_name name = parsed(text, false);
    struct target t = {.port = 4711};
    struct diag d = {""};

    assert_int_equal(target_resolve(&name, family, &t, &d), error);
    assert_int_equal(t.port, 4711);
    if (!strstr(d.text, words))
        fail_msg("\"%s\": \"%s\" does not say \"%s\"", text, d.text, words);
}

static void literal_addresses_need_no_lookup(void **state)
{
    struct target t = resolved("192.0.2.7:80", false, TARGET_ANY);

    (void)state;
    assert_false(t.v6 || t.any);
    assert_int_equal(t.port, 80);
    assert_true(addr_eq(&t.addr, &(struct addr){{192, 0, 2, 7}}));

    t = resolved("[::1]:65535", false, TARGET_IPV6);
    assert_true(t.v6);
    assert_false(t.any);
    assert_int_equal(t.port, 65535);
    assert_int_equal(t.scope, 0);
    assert_true(addr_eq(&t.addr, &loopback6));
}

static void names_and_their_parts_are_taken_apart(void **state)
{
    struct target_name name = parsed("www.example.org:http", false);

    (void)state;
    assert_string_equal(name.host, "www.example.org");
    assert_string_equal(name.service, "http");
    assert_int_equal(name.port, 0);
    assert_int_equal(name.literal, TARGET_ANY);

    name = parsed("[fe80::1%eth0]:22", false);
    assert_string_equal(name.host, "fe80::1");
    assert_string_equal(name.zone, "eth0");
    assert_int_equal(name.port, 22);
    assert_int_equal(name.literal, TARGET_IPV6);

    /* Looks like a number, but ends in letters. */
    assert_int_equal(parsed("1.example:1", false).literal, TARGET_ANY);
}

static void ports_are_1_to_65535(void **state)
{
    (void)state;
    refused("a:0", false, "no port 0");
    refused("a:65536", false, "no port 65536");
    refused("a:99999999999999999999", false, "1 to 65535");
    refused("a:0000000000000000000000000000000000000000000000000000000000000080", false, "no port");
    refused("a:-1", false, "neither a port");
    refused("a:+1", false, "neither a port");
    refused("a:8 0", false, "neither a port");
    refused("a:80/tcp", false, "neither a port");
    refused("a:", false, "missing");
    refused("a", false, "no port");
    refused("a:0x0", false, "no port 0x0");
    refused("a:0x10000", false, "no port 0x10000");
    refused("a:0x", false, "no port 0x");
    assert_int_equal(parsed("a:1", false).port, 1);
    assert_int_equal(parsed("a:0x50", false).port, 80);
    assert_int_equal(parsed("0x1F90", true).port, 8080);
}

static void from_url(const char *text, const char *host, const char *zone, uint16_t port)
{
    struct target_name name = parsed(text, false);

    assert_true(name.url);
    assert_string_equal(name.host, host);
    assert_string_equal(name.zone, zone);
    assert_int_equal(name.port, port);
}

/* RFC 3986, 3.2: what stands before and behind host and port is not looked at. */
static void a_url_is_taken_apart_for_host_and_port(void **state)
{
    (void)state;
    from_url("http://host:8080/path", "host", "", 8080);
    from_url("http://www.example.org", "www.example.org", "", 80);
    from_url("https://www.example.org/", "www.example.org", "", 443);
    from_url("HTTPS://www.example.org?a:b@c", "www.example.org", "", 443);
    from_url("http://h:81?query=[x]", "h", "", 81);
    from_url("http://h:81#fragment/@", "h", "", 81);
    from_url("http://h:/", "h", "", 80);
    from_url("ws://h/", "h", "", 80);
    from_url("wss://h/", "h", "", 443);
    from_url("http://user:80@h:81/a@b:82", "h", "", 81);
    from_url("http://user@name:pass@h/", "h", "", 80);
    from_url("http://[2001:db8::1]/", "2001:db8::1", "", 80);
    from_url("http://u:p@[2001:db8::1]:8080", "2001:db8::1", "", 8080);
    from_url("http://[fe80::1%25eth0]/", "fe80::1", "eth0", 80);
    from_url("http://[fe80::1%eth0]/", "fe80::1", "eth0", 80);
    from_url("http://192.0.2.7:08080/", "192.0.2.7", "", 8080);
    assert_int_equal(parsed("http://192.0.2.7/", false).literal, TARGET_IPV4);
    assert_false(parsed("host:80", false).url);
    /* "%25" is an escape in a URL alone. */
    assert_string_equal(parsed("[fe80::1%25eth0]:80", false).zone, "25eth0");
}

static void another_scheme_is_looked_up_as_a_service(void **state)
{
    struct target_name name = parsed("ldap+x://h/", false);

    (void)state;
    assert_int_equal(name.port, 0);
    assert_string_equal(name.service, "ldap+x");
    unknown("no-such-service://127.0.0.1/", TARGET_ANY, WAVE_ENOTFOUND, "write the number");
    if (!getservbyname("ftp", "tcp"))
        skip();
    assert_int_equal(resolved("ftp://127.0.0.1/pub", false, TARGET_ANY).port, 21);
    assert_int_equal(resolved("ftp://127.0.0.1:2121/pub", false, TARGET_ANY).port, 2121);
}

static void what_cannot_be_a_port_is_told_what_to_write(void **state)
{
    (void)state;
    refused("ftp:", false, "write HOST:PORT");
    refused("ftp:", true, "write [ADDR:]PORT");
    refused("http:///path", false, "host before the port is missing");
    refused("http://", false, "host before the port is missing");
    refused("http://user@/", false, "host before the port is missing");
    refused("http://:80/", false, "host before the port is missing");
    refused("http://h:http/", false, "write HOST:PORT");
    refused("http://h:0x50/", false, "write HOST:PORT");
    refused("http://h:80:81/", false, "write HOST:PORT");
    refused("http://h:0/", false, "1 to 65535");
    refused("http://h:65536/", false, "1 to 65535");
    refused("http://::1/", false, "write HOST:PORT");
    refused("http://[::1/", false, "write [IPv6]:PORT");
    refused("http://[::1]80/", false, "write [IPv6]:PORT");
    refused("http://a b/", false, "cannot be a host");
    refused("http://224.0.0.1/", false, "multicast");
    refused("http://h:80/", true, "write [ADDR:]PORT");
    refused("://h:80", false, "several colons");
    refused("1http://h", false, "neither a port");
}

static void a_password_in_a_url_is_not_repeated(void **state)
{
    static const char *const bad[] = {"http://u:secret@[::1/",   "http://u:secret@h:x/",
                                      "http://u:secret@h:0/",    "http://u:secret@/",
                                      "http://u:secret@[::1]x/", "http://u:secret@a b/"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct target_name name;
        struct diag d = {""};
        assert_int_equal(target_parse(bad[i], false, &name, &d), WAVE_EINVAL);
        assert_null(strstr(d.text, "secret"));
    }
}

static void malformed_targets_say_what_is_wrong(void **state)
{
    char longest[300];

    (void)state;
    refused("", false, "no port");
    refused(":80", false, "host before the port is missing");
    refused("*:80", false, "cannot be a host");
    refused("::1:80", false, "brackets");
    refused("[::1", false, "closing bracket");
    refused("[::1]", false, "no port");
    refused("[::1]80", false, "no port");
    refused("[]:80", false, "missing");
    refused("[::1%]:80", false, "no interface");
    refused("[::1%abcdefghijklmnop]:80", false, "no interface");
    refused("[127.0.0.1]:80", false, "not an IPv6 address");
    refused("[example.org]:80", false, "not an IPv6 address");
    refused("10.0.0.256:80", false, "not an IPv4 address");
    refused("10.1:80", false, "not an IPv4 address");
    refused("0x7f000001:80", false, "not an IPv4 address");
    refused("a b:80", false, "cannot be a host");
    refused("-a:80", false, "cannot be a host");
    refused("user@a:80", false, "cannot be a host");
    memset(longest, 'a', sizeof longest);
    strcpy(longest + 254, ":80");
    refused(longest, false, "longer than 253");
    strcpy(longest + 253, ":80");
    assert_int_equal(strlen(parsed(longest, false).host), 253);
}

static void rfc9293_must46_addresses_nobody_can_connect_to_are_refused(void **state)
{
    (void)state;
    refused("0.0.0.0:80", false, "unspecified");
    refused("[::]:80", false, "unspecified");
    refused("224.0.0.1:80", false, "multicast");
    refused("239.255.255.255:80", false, "multicast");
    refused("[ff02::1]:80", false, "multicast");
    refused("255.255.255.255:80", false, "broadcast");
    refused("[::ffff:192.0.2.1]:80", false, "write it as IPv4");
    parsed("223.255.255.255:80", false);
    parsed("240.0.0.1:80", false);
}

static void listen_takes_a_port_alone_and_wildcards(void **state)
{
    static const char *const any[] = {"80", ":80", "*:80", "0.0.0.0:80"};

    (void)state;
    for (size_t i = 0; i < sizeof any / sizeof any[0]; i++) {
        struct target t = resolved(any[i], true, TARGET_IPV4);
        assert_true(t.any);
        assert_false(t.v6);
        assert_int_equal(t.port, 80);
    }
    assert_true(resolved("[::]:80", true, TARGET_ANY).v6);
    assert_true(resolved("[::]:80", true, TARGET_ANY).any);
    assert_true(resolved("80", true, TARGET_IPV6).v6);
    assert_true(resolved("80", true, TARGET_ANY).any); /* of a family that the host has */
    assert_false(resolved("127.0.0.1:80", true, TARGET_ANY).any);
    refused("0", true, "no port 0");
    refused("", true, "missing");
    refused("[]:80", true, "missing");
    refused("224.0.0.1:80", true, "multicast");
}

static void unknown_names_are_not_malformed(void **state)
{
    (void)state;
    unknown("localhost:no-such-service", TARGET_ANY, WAVE_ENOTFOUND, "unknown service");
    /* RFC 6761, 6.4: no resolver knows a name under .invalid, with or without a network. */
    unknown("host.invalid:80", TARGET_ANY, WAVE_ENOTFOUND, "unknown host \"host.invalid\"");
    unknown("host.invalid:80", TARGET_IPV6, WAVE_ENOTFOUND, "IPv6");
    unknown("[fe80::1%nosuchif0]:80", TARGET_ANY, WAVE_ENOTFOUND, "unknown interface");
    unknown("[fe80::1%2147483647]:80", TARGET_ANY, WAVE_ENOTFOUND, "unknown interface");
    unknown("[fe80::1%0]:80", TARGET_ANY, WAVE_ENOTFOUND, "unknown interface");
    unknown("[fe80::1]:80", TARGET_ANY, WAVE_ENOTFOUND, "link-local");
    unknown("[::1]:80", TARGET_IPV4, WAVE_EINVAL, "not an IPv4 address");
    unknown("127.0.0.1:80", TARGET_IPV6, WAVE_EINVAL, "not an IPv6 address");
}

static void a_zone_is_a_name_or_a_number(void **state)
{
    unsigned lo = if_nametoindex("lo");
    char numbered[32];

    (void)state;
    if (!lo)
        skip();
    snprintf(numbered, sizeof numbered, "[fe80::1%%%u]:80", lo);
    assert_int_equal(resolved("[fe80::1%lo]:80", false, TARGET_ANY).scope, lo);
    assert_int_equal(resolved(numbered, false, TARGET_ANY).scope, lo);
}

static void services_are_looked_up(void **state)
{
    (void)state;
    if (!getservbyname("http", "tcp"))
        skip();
    assert_int_equal(resolved("127.0.0.1:http", false, TARGET_ANY).port, 80);
}

static void hosts_are_looked_up_in_the_family_asked_for(void **state)
{
    struct target t;

    (void)state;
    if (!gethostbyname("localhost")) /* a bare system may have no /etc/hosts */
        skip();
    t = resolved("localhost:80", false, TARGET_IPV4);
    assert_false(t.v6);
    assert_int_equal(t.addr.byte[0], 127);
}

static void literals_are_whole(void **state)
{
    struct addr addr = loopback6;
    bool v6 = true;

    (void)state;
    assert_false(target_literal("1.2.3", &v6, &addr));
    assert_false(target_literal("[::1]", &v6, &addr));
    assert_false(target_literal("", &v6, &addr));
    assert_true(v6 && addr_eq(&addr, &loopback6));
    assert_true(target_literal("1.2.3.4", &v6, &addr));
    assert_false(v6);
    assert_true(addr_eq(&addr, &(struct addr){{1, 2, 3, 4}}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literal_addresses_need_no_lookup),
        cmocka_unit_test(names_and_their_parts_are_taken_apart),
        cmocka_unit_test(ports_are_1_to_65535),
        cmocka_unit_test(a_url_is_taken_apart_for_host_and_port),
        cmocka_unit_test(another_scheme_is_looked_up_as_a_service),
        cmocka_unit_test(what_cannot_be_a_port_is_told_what_to_write),
        cmocka_unit_test(a_password_in_a_url_is_not_repeated),
        cmocka_unit_test(malformed_targets_say_what_is_wrong),
        cmocka_unit_test(rfc9293_must46_addresses_nobody_can_connect_to_are_refused),
        cmocka_unit_test(listen_takes_a_port_alone_and_wildcards),
        cmocka_unit_test(unknown_names_are_not_malformed),
        cmocka_unit_test(a_zone_is_a_name_or_a_number),
        cmocka_unit_test(services_are_looked_up),
        cmocka_unit_test(hosts_are_looked_up_in_the_family_asked_for),
        cmocka_unit_test(literals_are_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
