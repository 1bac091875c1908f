/*
 * Tests the wire against the kernel's TCP, over veth and over lo, in network namespaces of its own.
 * Where those are not allowed the program is skipped (77).
 *
 * That this host sent no RST is read from the kernel's own counter. One case without a guard shows
 * that the counter would count it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <cap-ng.h>

#include "lib/io/privilege.h"
#include "lib/wire/address.h"
#include "lib/wire/guard.h"
#include "tests/unit/wire_netns.h"

/* A number of /proc/net/snmp's "Tcp:" line, by the name that stands above it. */
static long tcp_counter(const char *name)
{
    char names[1024] = "", values[1024] = "", line[1024];
    FILE *f = fopen("/proc/net/snmp", "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f))
        if (strncmp(line, "Tcp: ", 5) == 0)
            strcpy(*names ? values : names, line);
    fclose(f);
    char *n_next, *v_next;
    char *n = strtok_r(names, " \n", &n_next), *v = strtok_r(values, " \n", &v_next);
    while (n && v && strcmp(n, name)) {
        n = strtok_r(NULL, " \n", &n_next);
        v = strtok_r(NULL, " \n", &v_next);
    }
    assert_non_null(v);
    return atol(v);
}

struct wire_live_path {
    bool v6;
    const char *to;
    unsigned guard;
    const char *interface;
    const char *link;
    bool loopback;
};

static struct wire_config config_of(const struct wire_live_path *p)
{
    return (struct wire_config){.v6 = p->v6,
                                .remote = netns_addr(p->v6, p->to),
                                .rport = SERVER_PORT,
                                .interface = p->interface,
                                .guards = p->guard,
                                .keep_privileges = true};
}

/*
 * Cases.
 */

/* A handshake, five bytes there and back, and our RST, with every field looked at. */
static void handshake_with_the_kernel(void **state)
{
    const struct wire_live_path *path = *state;
    struct wire_config c = config_of(path);
    long resets = tcp_counter("OutRsts"), bad = tcp_counter("InCsumErrors");
    struct wire *w = netns_open(&c);
    const struct wire_info *info = wire_info(w);
    struct flow f = netns_flow(w, &c), back = flow_reverse(&f);
    struct wire_packet p;

    assert_int_equal(info->loopback, path->loopback);
    assert_string_equal(info->link, path->link);
    assert_string_equal(info->interface, path->loopback ? "lo" : "wa");
    assert_string_equal(info->guard, guard_name(path->guard));
    assert_int_equal(info->mtu, path->loopback ? 65535 : 1500);
    assert_true(info->lport > 0);

    netns_send(w, &f, &netns_syn);
    netns_next(w, true, &p);
    wave_time sent = p.stamp;
    assert_true(flow_eq(&p.packet.flow, &f));
    assert_int_equal(p.packet.seg.flags, SEG_SYN);
    assert_int_equal(p.packet.seg.seq.v, netns_syn.seq.v);
    assert_int_equal(p.packet.ttl, 64);
    assert_true(p.packet.df);
    assert_true(seg_checksum_ok(&f, p.packet.l4, p.packet.l4_len));

    netns_next(w, false, &p);
    assert_true(flow_eq(&p.packet.flow, &back));
    assert_int_equal(p.packet.kind, PACKET_TCP);
    assert_int_equal(p.packet.seg.flags, SEG_SYN | SEG_ACK);
    assert_int_equal(p.packet.seg.ack.v, netns_syn.seq.v + 1);
    assert_int_equal(p.packet.seg.opt.has,
                     OPT_MSS | OPT_SACK_PERMITTED | OPT_TIMESTAMP | OPT_WSCALE);
    assert_int_equal(p.packet.seg.opt.tsecr, 1000);
    assert_true(p.stamp >= sent && p.stamp - sent < 10 * WAVE_S);
    assert_int_equal(p.ip_len, p.packet.length);

    struct seg s = {.seq = seq_add(netns_syn.seq, 1),
                    .ack = seq_add(p.packet.seg.seq, 1),
                    .flags = SEG_ACK | SEG_PSH,
                    .wnd = 500,
                    .opt = {.has = OPT_TIMESTAMP, .tsval = 1001, .tsecr = p.packet.seg.opt.tsval},
                    .len = 5,
                    .data = (const uint8_t *)"hello"};
    netns_send(w, &f, &s);
    do {
        netns_next(w, false, &p);
        assert_int_equal(p.packet.seg.flags & (SEG_RST | SEG_SYN), 0);
    } while (p.packet.seg.len == 0);
    assert_int_equal(p.packet.seg.len, 5);
    assert_memory_equal(p.packet.seg.data, "hello", 5);
    assert_int_equal(p.packet.seg.seq.v, s.ack.v);

    struct seg reset = {.seq = seq_add(s.seq, 5), .flags = SEG_RST};
    netns_send(w, &f, &reset);
    struct wire_stats stats = wire_stats(w);
    assert_int_equal(stats.sent, 3);
    assert_int_equal(stats.malformed, 0);
    assert_int_equal(stats.truncated, 0);
    assert_int_equal(stats.dropped, 0);
    wire_close(w);
    assert_int_equal(tcp_counter("OutRsts"), resets);
    assert_int_equal(tcp_counter("InCsumErrors"), bad);
}

/* The kernel shows a packet over lo twice, but the reader must get it once. */
static void each_packet_is_given_once(void **state)
{
    struct wire_config c = config_of(*state);
    struct wire *w = netns_open(&c);
    struct flow f = netns_flow(w, &c);
    struct wire_packet p;
    int out = 0, in = 0;
    for (int i = 0; i < 5; i++) {
        struct seg s = {.seq = seq_of(1000u + (uint32_t)i), .ack = seq_of(5), .flags = SEG_ACK};
        netns_send(w, &f, &s); /* to no connection: each is answered with one RST */
    }
    wave_time end = wire_now() + PATIENCE_MS * WAVE_MS;
    while (in < 5 && wire_now() < end) {
        if (wire_next(w, &p, NULL) != 1)
            continue;
        out += p.outgoing;
        in += !p.outgoing;
    }
    assert_false(netns_next_within(w, false, 50, &p));
    assert_int_equal(in, 5);
    assert_int_equal(out, 5);
    wire_close(w);
}

/* The control of the cases above: without the guard the kernel does answer with RST. */
static void without_a_guard_the_kernel_resets(void **state)
{
    struct wire_config c = config_of(*state);
    c.no_guard = true;
    long resets = tcp_counter("OutRsts");
    struct wire *w = netns_open(&c);
    struct flow f = netns_flow(w, &c);
    struct wire_packet p;
    assert_string_equal(wire_info(w)->guard, "none");
    netns_send(w, &f, &netns_syn);
    netns_next(w, false, &p);
    netns_next(w, true, &p);
    while (!(p.packet.seg.flags & SEG_RST))
        netns_next(w, true, &p);
    assert_int_equal(tcp_counter("OutRsts"), resets + 1);
    wire_close(w);
}

/* Options and data come, go and change their length: what is captured is, byte for byte, what the
 * core's own builder makes of the same segment. */
static void segments_are_crafted_exactly(void **state)
{
    static const uint8_t option_sets[] = {
        0,
        OPT_MSS,
        OPT_TIMESTAMP,
        OPT_MSS | OPT_SACK_PERMITTED | OPT_TIMESTAMP | OPT_WSCALE,
        0,
        OPT_TIMESTAMP | OPT_SACK,
        OPT_SACK,
        OPT_WSCALE,
    };
    static const uint32_t lengths[] = {0, 1, 1000, 3, 0, 0, 1388, 2, 1387};
    static uint8_t data[1400], expected[1500];
    struct wire_config c = config_of(*state);
    struct wire *w = netns_open(&c);
    struct flow f = netns_flow(w, &c);
    struct wire_packet p;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7 + 3);
    for (uint32_t i = 0; i < 8 * 9; i++) {
        struct seg s = {.seq = seq_of(i * 0x11111111u),
                        .ack = seq_of(i * 77777u),
                        .flags = SEG_ACK | SEG_RST | (i % 5 ? 0 : SEG_AE | SEG_CWR | SEG_ECE),
                        .wnd = (uint16_t)(i * 900),
                        .urp = (uint16_t)i,
                        .ecn = i % 4,
                        .reserved = i % 8,
                        .opt = {.has = option_sets[i % 8],
                                .mss = (uint16_t)i,
                                .wscale = 9,
                                .tsval = i,
                                .tsecr = ~i,
                                .sacks = (uint8_t)(1 + i % 3)},
                        .len = lengths[i % 9],
                        .data = data};
        for (uint32_t k = 0; k < OPT_SACK_MAX; k++)
            s.opt.sack[k] = (struct sack_block){seq_of(k * 100 + i), seq_of(k * 100 + 50 + i)};
        if (s.len == 0)
            s.data = NULL;
        struct wire_ip ip = {.ttl = (uint8_t)(i + 1), .tos = (uint8_t)(i << 2), .no_df = i & 1};
        assert_int_equal(netns_try_send(w, &f, &s, &ip, NULL), 0);
        int n = seg_build(&f, &s, expected, sizeof expected);
        assert_true(n > 0);
        netns_next(w, true, &p);
        assert_int_equal(p.packet.l4_len, n);
        assert_memory_equal(p.packet.l4, expected, (size_t)n);
        assert_int_equal(p.packet.length, (uint32_t)n + (f.v6 ? 40 : 20));
        assert_int_equal(p.packet.ttl, i + 1);
        assert_int_equal(p.packet.tos, (uint8_t)(i << 2) | i % 4);
        assert_int_equal(p.packet.df, f.v6 || !(i & 1));
    }
    wire_close(w);
}

/* Over lo, where there is no Ethernet to write on, all goes the ordinary way. */
static void frames_go_past_routing_where_the_neighbour_is_known(void **state)
{
    struct wire_config c = config_of(*state);
    c.l2_send = true;
    struct wire *w = netns_open(&c);
    struct flow f = netns_flow(w, &c);
    struct wire_packet p;
    netns_send(w, &f, &netns_syn);
    netns_next(w, false, &p);
    usleep(50000); /* an unknown neighbour is looked up once more after 20 ms */
    static uint8_t data[10000], echo[sizeof data];
    struct seg s = {.seq = seq_add(netns_syn.seq, 1),
                    .ack = seq_add(p.packet.seg.seq, 1),
                    .flags = SEG_ACK,
                    .wnd = 60000,
                    .opt = {.has = OPT_TIMESTAMP, .tsval = 1001, .tsecr = p.packet.seg.opt.tsval},
                    .len = 1000};
    struct seq first = s.ack;
    struct wire_unsent unsent;
    uint64_t before = wire_stats(w).l2_send;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i ^ i >> 8);
    for (unsigned i = 0; i < sizeof data / 1000; i++) {
        s.data = data + i * 1000;
        assert_int_equal(wire_send(w, &f, &s, NULL, NULL), 0);
        s.seq = seq_add(s.seq, 1000);
    }
    assert_int_equal(wire_flush(w, &unsent, NULL), 0);
    assert_int_equal(wire_stats(w).l2_send, before + (wire_info(w)->loopback ? 0 : 10));
    assert_int_equal(wire_stats(w).sent, 11);
    /* All of the echo comes: the joined segments were cut correctly, with correct checksums. */
    for (size_t had = 0; had < sizeof echo;) {
        netns_next(w, false, &p);
        size_t at = p.packet.seg.seq.v - first.v;
        if (p.packet.seg.len == 0 || at != had)
            continue;
        assert_true(at + p.packet.seg.len <= sizeof echo);
        memcpy(echo + at, p.packet.seg.data, p.packet.seg.len);
        had += p.packet.seg.len;
    }
    assert_memory_equal(echo, data, sizeof data);
    struct seg reset = {.seq = s.seq, .flags = SEG_RST};
    netns_send(w, &f, &reset);
    wire_close(w);
}

static void more_than_the_mtu_is_refused(void **state)
{
    static const uint8_t data[65000];
    struct wire_config c = config_of(*state);
    struct wire *w = netns_open(&c);
    struct flow f = netns_flow(w, &c);
    struct wire_packet p;
    uint32_t headers = c.v6 ? 60 : 40;
    struct seg s = {.flags = SEG_ACK, .data = data};
    s.len = 1500 - headers;
    assert_int_equal(netns_try_send(w, &f, &s, NULL, NULL), 0);
    netns_next(w, true, &p);
    assert_int_equal(p.packet.length, 1500);
    s.len = 1501 - headers;
    assert_int_equal(netns_try_send(w, &f, &s, NULL, NULL), WAVE_ETRUNC);
    s.len = 65000;
    assert_int_equal(netns_try_send(w, &f, &s, NULL, NULL), WAVE_ETRUNC);
    s.len = 70000;
    assert_int_equal(netns_try_send(w, &f, &s, NULL, NULL), WAVE_ETRUNC);
    assert_int_equal(wire_stats(w).sent, 1);
    wire_close(w);
}

/* A router on the way answers "administratively prohibited". */
static void icmp_errors_that_quote_us_are_given(void **state)
{
    struct wire_config c = config_of(*state);
    struct wire *w = netns_open(&c);
    struct flow f = netns_flow(w, &c);
    struct addr router = netns_addr(c.v6, c.v6 ? "fd77::2" : "10.77.0.2");
    struct wire_packet p;

    struct flow other = f; /* the same router's error about another flow is not for us */
    other.lport ^= 1;
    netns_send(w, &other, &netns_syn);
    netns_send(w, &f, &netns_syn);
    netns_next(w, false, &p);
    assert_int_equal(p.packet.kind, PACKET_ICMP);
    assert_int_equal(p.packet.icmp.type, c.v6 ? 1 : 3);
    assert_int_equal(p.packet.icmp.code, c.v6 ? 1 : 13);
    assert_int_equal(p.packet.icmp.meaning, ICMP_HARD);
    assert_true(addr_eq(&p.packet.icmp.from, &router));
    assert_true(flow_eq(&p.packet.icmp.flow, &f));
    assert_true(p.packet.icmp.has_seq);
    assert_int_equal(p.packet.icmp.seq.v, netns_syn.seq.v);
    assert_false(netns_next_within(w, false, 100, &p));
    wire_close(w);
}

/* A kernel client reaches the listener over any interface. */
static void listening_sees_a_client(void **state)
{
    const struct wire_live_path *path = *state;
    struct wire_config c = {.v6 = path->v6,
                            .listen = true,
                            .guards = path->guard,
                            .blocks = true,
                            .interface = path->interface,
                            .keep_privileges = true};
    long resets = tcp_counter("OutRsts");
    struct wire *w = netns_open(&c);
    const struct wire_info *info = wire_info(w);
    struct wire_packet p;
    assert_string_equal(info->interface, path->interface ? path->interface : "any");
    assert_string_equal(info->link, path->link);

    int client = socket(c.v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_storage to;
    struct addr remote = netns_addr(c.v6, path->to);
    socklen_t size = address_socket(c.v6, &remote, info->lport, 0, &to);
    assert_int_equal(connect(client, (struct sockaddr *)&to, size), -1);
    assert_int_equal(errno, EINPROGRESS);

    netns_next(w, false, &p);
    assert_int_equal(p.packet.seg.flags, SEG_SYN);
    assert_int_equal(p.packet.flow.rport, info->lport);
    struct flow f = flow_reverse(&p.packet.flow);
    struct seg answer = {.seq = seq_of(7),
                         .ack = seq_add(p.packet.seg.seq, 1),
                         .flags = SEG_SYN | SEG_ACK,
                         .wnd = 1000,
                         .opt = {.has = OPT_MSS, .mss = 1000}};
    netns_send(w, &f, &answer);
    netns_next(w, true, &p);
    assert_int_equal(p.packet.seg.flags, SEG_SYN | SEG_ACK);
    netns_next(w, false, &p);
    assert_int_equal(p.packet.seg.flags, SEG_ACK);
    assert_int_equal(p.packet.seg.ack.v, 8);
    struct pollfd connected = {client, POLLOUT, 0};
    assert_int_equal(poll(&connected, 1, PATIENCE_MS), 1);
    assert_int_equal(connected.revents, POLLOUT);
    assert_int_equal(tcp_counter("OutRsts"), resets);
    close(client);
    netns_next(w, false, &p);
    assert_true(p.packet.seg.flags & SEG_FIN);
    struct seg reset = {.seq = seq_of(8), .flags = SEG_RST};
    netns_send(w, &f, &reset);
    wire_close(w);
}

static void inbound_only_leaves_our_own_out(void **state)
{
    struct wire_config c = config_of(*state);
    c.inbound_only = true;
    struct wire *w = netns_open(&c);
    struct flow f = netns_flow(w, &c);
    struct wire_packet p;
    netns_send(w, &f, &netns_syn);
    netns_next(w, false, &p);
    assert_int_equal(p.packet.seg.flags, SEG_SYN | SEG_ACK);
    struct seg reset = {.seq = p.packet.seg.ack, .flags = SEG_RST};
    netns_send(w, &f, &reset);
    assert_false(netns_next_within(w, true, 50, &p));
    /* The SYN shows where this host sends it. */
    assert_int_equal(wire_stats(w).received, wire_info(w)->loopback ? 1 : 2);
    wire_close(w);
}

static void expect_refusal(const struct wire_config *c, int code, const char *words)
{
    struct wire *w = NULL;
    struct diag d = {""};
    assert_int_equal(wire_open(&w, c, &d), code);
    assert_null(w);
    if (!strstr(d.text, words))
        fail_msg("'%s' does not say '%s'", d.text, words);
}

static void a_port_in_use_names_its_holder(void **state)
{
    (void)state;
    struct wire_config c = {.remote = netns_addr(false, "127.0.0.1"),
                            .rport = 9,
                            .lport = SERVER_PORT,
                            .keep_privileges = true};
    expect_refusal(&c, WAVE_EINUSE, "127.0.0.1:7000: the port is held by a listening socket");
    c.listen = true;
    expect_refusal(&c, WAVE_EINUSE, "a listening socket");
}

/* RFC 9293, 3.6.1 keeps the four-tuple in TIME_WAIT, and not the port. */
static void a_port_in_time_wait_is_taken_but_for_its_own_flow(void **state)
{
    (void)state;
    const int one = 1;
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(SERVER_PORT),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    char byte;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    from = (struct sockaddr_in){.sin_family = AF_INET};
    assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof from), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&from, &size), 0);
    shutdown(fd, SHUT_WR);
    assert_int_equal(read(fd, &byte, 1), 0);
    close(fd);

    struct wire_config c = {.remote = netns_addr(false, "127.0.0.1"),
                            .rport = SERVER_PORT,
                            .lport = ntohs(from.sin_port),
                            .keep_privileges = true};
    expect_refusal(&c, WAVE_EINUSE, "127.0.0.1:7000 in TIME_WAIT");
    c.rport = SERVER_PORT + 1;
    struct wire *w = netns_open(&c);
    assert_int_equal(wire_info(w)->lport, c.lport);
    wire_close(w);
}

static void what_has_no_route_is_refused(void **state)
{
    (void)state;
    struct wire_config c = {.remote = netns_addr(false, "203.0.113.1"), .rport = 9};
    expect_refusal(&c, WAVE_ENOROUTE, "no route to 203.0.113.1");
    c.remote = netns_addr(false, "10.77.0.2");
    c.interface = "nosuch0";
    expect_refusal(&c, WAVE_ENOROUTE, "no interface is named 'nosuch0'");
    c.interface = "an-interface-name-of-much-too-many-letters";
    expect_refusal(&c, WAVE_ENOROUTE, "no interface is named");
    c.interface = NULL;
    c.has_source = true;
    c.source = netns_addr(false, "192.0.2.7");
    expect_refusal(&c, WAVE_ENOROUTE, "192.0.2.7 is not this host's");
    c.listen = true;
    expect_refusal(&c, WAVE_ENOROUTE, "192.0.2.7 is not this host's");
    c = (struct wire_config){.v6 = true, .remote = netns_addr(true, "fe80::2"), .rport = 9};
    expect_refusal(&c, WAVE_ENOROUTE, "link-local");
}

/* RFC 9293, MUST-46. */
static void what_is_no_address_of_a_peer_is_refused(void **state)
{
    (void)state;
    struct wire_config c = {.remote = netns_addr(false, "0.0.0.0"), .rport = 9};
    expect_refusal(&c, WAVE_ENOROUTE, "0.0.0.0 is no address to connect to");
    c.remote = netns_addr(false, "10.77.0.255");
    expect_refusal(&c, WAVE_ENOROUTE, "broadcast");
    c = (struct wire_config){.v6 = true, .rport = 9};
    expect_refusal(&c, WAVE_ENOROUTE, ":: is no address");
    c.remote = netns_addr(true, "ff02::1");
    c.interface = "wa";
    expect_refusal(&c, WAVE_ENOROUTE, "multicast");
}

static void the_route_s_mtu_and_the_source_asked_for_are_taken(void **state)
{
    (void)state;
    struct wire_config c = {.remote = netns_addr(false, "10.81.0.1"),
                            .rport = 9,
                            .has_source = true,
                            .source = netns_addr(false, "10.77.0.3"),
                            .keep_privileges = true};
    assert_true(netns_run("ip addr add 10.77.0.3/24 dev wa"));
    assert_true(netns_run("ip route add 10.81.0.0/24 via 10.77.0.2 mtu 1234"));
    struct wire *w = netns_open(&c);
    assert_int_equal(wire_info(w)->mtu, 1234);
    assert_true(addr_eq(&wire_info(w)->local, &c.source));
    wire_close(w);
}

/* Runs `body` in a process of its own, so that it may give up privileges. It returns 0 on success.
 */
static void in_a_child(int (*body)(void))
{
    int status;
    pid_t pid = fork();
    if (pid == 0)
        _exit(body());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static struct wire_config config_to_peer(void)
{
    return (struct wire_config){.remote = netns_addr(false, "10.77.0.2"), .rport = SERVER_PORT};
}

static int status_line(const char *name, char value[64])
{
    char line[256], format[64];
    int found = 0;
    FILE *f = fopen("/proc/self/status", "r");
    snprintf(format, sizeof format, "%s:", name);
    while (f && !found && fgets(line, sizeof line, f))
        if (strncmp(line, format, strlen(format)) == 0)
            found = sscanf(line + strlen(format), "%63s", value) == 1;
    if (f)
        fclose(f);
    return found;
}

static int drop_and_send(void)
{
    static const char *const sets[] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};
    struct wire_config c = config_to_peer();
    struct wire *w;
    struct wire_packet p;
    char value[64];
    if (wire_open(&w, &c, NULL) < 0)
        return 1;
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        if (!status_line(sets[i], value) || strtoull(value, NULL, 16))
            return 2;
    if (!status_line("NoNewPrivs", value) || strcmp(value, "1"))
        return 3;
    if (socket(AF_INET, SOCK_RAW, IPPROTO_RAW) >= 0)
        return 4;
    struct flow f = netns_flow(w, &c);
    if (netns_try_send(w, &f, &netns_syn, NULL, NULL) < 0 ||
        !netns_next_within(w, false, PATIENCE_MS, &p))
        return 5;
    struct seg reset = {.seq = p.packet.seg.ack, .flags = SEG_RST};
    if (netns_try_send(w, &f, &reset, NULL, NULL) < 0)
        return 6;
    wire_close(w);
    return 0;
}

static void no_capability_is_left_and_the_wire_works(void **state)
{
    (void)state;
    in_a_child(drop_and_send);
}

/* Runs as root of the machine. In a user namespace the caller of sudo need not exist, and what is
 * left of root is the caller's own. */
static int open_under_sudo(void)
{
    struct wire_config c = config_to_peer();
    struct wire *w;
    bool mapped = setresuid(4321, 4321, 0) == 0 && setresuid(0, 0, 0) == 0;
    setenv("SUDO_UID", "4321", 1);
    setenv("SUDO_GID", "4322", 1);
    if (wire_open(&w, &c, NULL) < 0)
        return 1;
    wire_close(w);
    if (getuid() != (mapped ? 4321 : 0) || geteuid() != getuid())
        return 2;
    if (mapped && (getgid() != 4322 || getegid() != 4322 || getgroups(0, NULL) > 1))
        return 3;
    return setresuid(0, 0, 0) == 0 && mapped ? 4 : 0;
}

static void under_sudo_the_caller_s_identity_is_taken(void **state)
{
    (void)state;
    in_a_child(open_under_sudo);
}

static int open_without_privilege(void)
{
    struct wire_config c = config_to_peer();
    struct wire *w;
    struct diag d = {""};
    if (privilege_drop(&d) < 0)
        return 1;
    if (wire_open(&w, &c, &d) != WAVE_EPERM)
        return 2;
    return !strstr(d.text, "cannot open a raw socket: Operation not permitted; run with sudo") ||
           !strstr(d.text, "setcap cap_net_raw+ep /");
}

static void without_privilege_the_message_says_how_to_get_it(void **state)
{
    (void)state;
    in_a_child(open_without_privilege);
}

static int open_with_net_raw_alone(void)
{
    struct wire_config c = config_to_peer();
    struct wire *w;
    struct wire_packet p;
    struct diag d = {""};
    capng_clear(CAPNG_SELECT_CAPS);
    capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_RAW);
    if (capng_apply(CAPNG_SELECT_CAPS) < 0)
        return 1;
    if (wire_open(&w, &c, &d) < 0) {
        fprintf(stderr, "# %s\n", d.text);
        return 2;
    }
    struct flow f = netns_flow(w, &c);
    if (netns_try_send(w, &f, &netns_syn, NULL, NULL) < 0 ||
        !netns_next_within(w, false, PATIENCE_MS, &p))
        return 3;
    struct seg reset = {.seq = p.packet.seg.ack, .flags = SEG_RST};
    if (netns_try_send(w, &f, &reset, NULL, NULL) < 0)
        return 4;
    wire_close(w);
    return 0;
}

static void cap_net_raw_alone_is_enough(void **state)
{
    (void)state;
    in_a_child(open_with_net_raw_alone);
}

static struct wire_live_path veth4 = {false, "10.77.0.2", GUARD_FILTER, NULL, "ethernet", false};
static struct wire_live_path veth6 = {true, "fd77::2", GUARD_FILTER, NULL, "ethernet", false};
static struct wire_live_path veth4_md5 = {false, "10.77.0.2", GUARD_MD5, NULL, "ethernet", false};
static struct wire_live_path veth6_md5 = {true, "fd77::2", GUARD_MD5, "wa", "ethernet", false};
static struct wire_live_path scoped = {true, "fe80::2", GUARD_FILTER, "wa", "ethernet", false};
static struct wire_live_path lo4 = {false, "127.0.0.1", GUARD_FILTER, NULL, "loopback", true};
static struct wire_live_path lo6 = {true, "::1", GUARD_FILTER, NULL, "loopback", true};
static struct wire_live_path lo4_md5 = {false, "127.0.0.1", GUARD_MD5, NULL, "loopback", true};
static struct wire_live_path lo6_md5 = {true, "::1", GUARD_MD5, NULL, "loopback", true};
static struct wire_live_path self4 = {false, "10.77.0.1", GUARD_FILTER, NULL, "loopback", true};
static struct wire_live_path self6 = {true, "fd77::1", GUARD_FILTER, NULL, "loopback", true};
static struct wire_live_path lo4_through_wa = {false, "127.0.0.1", GUARD_FILTER,
                                               "wa",  "loopback",  true};
static struct wire_live_path self4_through_wa = {false, "10.77.0.1", GUARD_FILTER,
                                                 "wa",  "loopback",  true};
static struct wire_live_path self6_through_wa = {true, "fd77::1",  GUARD_FILTER,
                                                 "wa", "loopback", true};
static struct wire_live_path blocked4 = {false, "10.78.0.9", 0, NULL, "ethernet", false};
static struct wire_live_path blocked6 = {true, "fd78::9", 0, NULL, "ethernet", false};
static struct wire_live_path any4 = {false, "10.77.0.1", GUARD_FILTER, NULL, "cooked", false};
static struct wire_live_path any6 = {true, "fd77::1", GUARD_MD5, NULL, "cooked", false};
static struct wire_live_path only_lo = {false, "127.0.0.1", GUARD_MD5, "lo", "loopback", true};

#define CASE(function, path)                                                                       \
    {                                                                                              \
#function " " #path, function, NULL, NULL, &path                                           \
    }

static int run_cases(void)
{
    const struct CMUnitTest tests[] = {
        CASE(handshake_with_the_kernel, veth4),
        CASE(handshake_with_the_kernel, veth6),
        CASE(handshake_with_the_kernel, veth4_md5),
        CASE(handshake_with_the_kernel, veth6_md5),
        CASE(handshake_with_the_kernel, scoped),
        CASE(handshake_with_the_kernel, lo4),
        CASE(handshake_with_the_kernel, lo6),
        CASE(handshake_with_the_kernel, lo4_md5),
        CASE(handshake_with_the_kernel, lo6_md5),
        CASE(handshake_with_the_kernel, self4),
        CASE(handshake_with_the_kernel, self6),
        CASE(handshake_with_the_kernel, lo4_through_wa),
        CASE(handshake_with_the_kernel, self4_through_wa),
        CASE(handshake_with_the_kernel, self6_through_wa),
        CASE(each_packet_is_given_once, veth4),
        CASE(each_packet_is_given_once, lo4),
        CASE(each_packet_is_given_once, lo6),
        CASE(without_a_guard_the_kernel_resets, veth4),
        CASE(without_a_guard_the_kernel_resets, lo6),
        CASE(segments_are_crafted_exactly, veth4),
        CASE(segments_are_crafted_exactly, veth6),
        CASE(segments_are_crafted_exactly, lo4),
        CASE(frames_go_past_routing_where_the_neighbour_is_known, veth4),
        CASE(frames_go_past_routing_where_the_neighbour_is_known, veth6),
        CASE(frames_go_past_routing_where_the_neighbour_is_known, scoped),
        CASE(frames_go_past_routing_where_the_neighbour_is_known, lo4),
        CASE(more_than_the_mtu_is_refused, veth4),
        CASE(more_than_the_mtu_is_refused, veth6),
        CASE(icmp_errors_that_quote_us_are_given, blocked4),
        CASE(icmp_errors_that_quote_us_are_given, blocked6),
        CASE(listening_sees_a_client, any4),
        CASE(listening_sees_a_client, any6),
        CASE(listening_sees_a_client, only_lo),
        CASE(inbound_only_leaves_our_own_out, veth4),
        CASE(inbound_only_leaves_our_own_out, lo4),
        cmocka_unit_test(a_port_in_use_names_its_holder),
        cmocka_unit_test(a_port_in_time_wait_is_taken_but_for_its_own_flow),
        cmocka_unit_test(what_has_no_route_is_refused),
        cmocka_unit_test(what_is_no_address_of_a_peer_is_refused),
        cmocka_unit_test(the_route_s_mtu_and_the_source_asked_for_are_taken),
        cmocka_unit_test(under_sudo_the_caller_s_identity_is_taken),
        cmocka_unit_test(no_capability_is_left_and_the_wire_works),
        cmocka_unit_test(without_privilege_the_message_says_how_to_get_it),
        cmocka_unit_test(cap_net_raw_alone_is_enough),
    };
    return cmocka_run_group_tests_name("wire, live", tests, NULL, NULL);
}

int main(void)
{
    if (!netns_enter())
        return 77;
    if (!netns_start(0, false) || !netns_start(1, true)) {
        netns_stop();
        printf("# the namespaces could not be furnished (needs ip of iproute2, and veth)\n");
        return 77;
    }
    int failures = run_cases();
    netns_stop();
    return failures;
}
