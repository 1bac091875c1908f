/* Makes the network namespaces, veths and echo servers that tests of the wire use. See
 * wire_netns.h. */
#include "tests/unit/wire_netns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static pid_t servers[2];

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        fprintf(stderr, "# %s: %s\n", path, strerror(errno));
    if (fd >= 0)
        close(fd);
}

bool netns_run(const char *command)
{
    int status = system(command);
    if (status != 0)
        fprintf(stderr, "# failed: %s\n", command);
    return status == 0;
}

/* Enters a namespace of our own, as root or, through a user namespace, as any user. */
static bool unshare_network(void)
{
    uid_t uid = getuid();
    gid_t gid = getgid();
    char map[64];
    if (unshare(CLONE_NEWNET) == 0)
        return true;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
        return false;
    write_file("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "0 %u 1", uid);
    write_file("/proc/self/uid_map", map);
    snprintf(map, sizeof map, "0 %u 1", gid);
    write_file("/proc/self/gid_map", map);
    return true;
}

bool netns_enter(void)
{
    if (unshare_network() && netns_run("ip link set lo up"))
        return true;
    printf("# no network namespace of our own: %s\n", strerror(errno));
    return false;
}

static void echo(int fd)
{
    char bytes[4096];
    ssize_t n;
    while ((n = read(fd, bytes, sizeof bytes)) > 0)
        if (write(fd, bytes, (size_t)n) != n)
            break;
    close(fd);
}

/* Listens on both families, says so through `ready`, and echoes one connection after the other. */
static void serve(int ready)
{
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(SERVER_PORT)};
    const int off = 0;
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, (struct sockaddr *)&any, sizeof any) < 0 || listen(fd, 16) < 0 ||
        write(ready, "r", 1) != 1)
        _exit(1);
    for (;;) {
        int one = accept(fd, NULL, NULL);
        if (one >= 0)
            echo(one);
    }
}

static bool wait_for(int fd)
{
    char byte;
    return read(fd, &byte, 1) == 1;
}

static void child(int go, int ready, bool apart)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (apart) {
        if (unshare(CLONE_NEWNET) < 0 || write(ready, "n", 1) != 1 || !wait_for(go))
            _exit(1);
        if (!netns_run(
                "ip link set lo up && ip link set wb up && ip addr add 10.77.0.2/24 dev wb &&"
                "ip addr add fd77::2/64 dev wb nodad && ip addr add fe80::2/64 dev wb nodad &&"
                "ip route add prohibit 10.78.0.0/24 && ip -6 route add prohibit fd78::/64"))
            _exit(1);
        write_file("/proc/sys/net/ipv4/ip_forward", "1");
        write_file("/proc/sys/net/ipv6/conf/all/forwarding", "1");
    }
    serve(ready);
}

bool netns_start(int which, bool apart)
{
    int go[2], ready[2];
    char command[160];
    if (pipe(go) < 0 || pipe(ready) < 0 || (servers[which] = fork()) < 0)
        return false;
    if (servers[which] == 0)
        child(go[0], ready[1], apart);
    close(ready[1]); /* a child that fails is then an end of file, and no wait without end */
    if (apart) {
        snprintf(command, sizeof command,
                 "ip link add wa address 02:00:00:00:00:01 type veth peer name wb netns %d",
                 (int)servers[which]);
        if (!wait_for(ready[0]) || !netns_run(command) ||
            !netns_run(
                "ip link set wa up && ip addr add 10.77.0.1/24 dev wa &&"
                "ip addr add fd77::1/64 dev wa nodad && ip addr add fe80::1/64 dev wa nodad &&"
                "ip route add 10.78.0.0/24 via 10.77.0.2 && ip -6 route add fd78::/64 via "
                "fd77::2") ||
            write(go[1], "g", 1) != 1)
            return false;
    }
    return wait_for(ready[0]);
}

void netns_stop(void)
{
    for (size_t i = 0; i < sizeof servers / sizeof *servers; i++)
        if (servers[i] > 0) {
            kill(servers[i], SIGKILL);
            waitpid(servers[i], NULL, 0);
        }
}

struct addr netns_addr(bool v6, const char *text)
{
    struct addr a = {{0}};
    assert_int_equal(inet_pton(v6 ? AF_INET6 : AF_INET, text, a.byte), 1);
    return a;
}

struct wire *netns_open(const struct wire_config *config)
{
    struct wire *w = NULL;
    struct diag d = {""};
    int error = wire_open(&w, config, &d);
    if (error)
        fail_msg("wire_open: %d: %s", error, d.text);
    return w;
}

/* Waits for the next packet in the wanted direction. Returns false if none comes. */
bool netns_next_within(struct wire *w, bool outgoing, int ms, struct wire_packet *out)
{
    wave_time end = wire_now() + (wave_time)ms * WAVE_MS;
    struct diag d = {""};
    while (wire_now() < end) {
        int n = wire_next(w, out, &d);
        if (n < 0)
            fail_msg("wire_next: %s", d.text);
        if (n == 1 && out->outgoing == outgoing)
            return true;
        if (n == 0) {
            struct pollfd p = {wire_fd(w), POLLIN, 0};
            poll(&p, 1, 20);
        }
    }
    return false;
}

void netns_next(struct wire *w, bool outgoing, struct wire_packet *out)
{
    if (!netns_next_within(w, outgoing, PATIENCE_MS, out))
        fail_msg("no %s packet came", outgoing ? "outgoing" : "incoming");
}

void netns_send(struct wire *w, const struct flow *f, const struct seg *s)
{
    struct diag d = {""};
    int error = netns_try_send(w, f, s, NULL, &d);
    if (error)
        fail_msg("wire_send: %d: %s", error, d.text);
}

int netns_try_send(struct wire *w, const struct flow *f, const struct seg *s,
                   const struct wire_ip *ip, struct diag *d)
{
    struct wire_unsent unsent;
    int error = wire_send(w, f, s, ip, d);
    return error ? error : wire_flush(w, &unsent, d);
}

struct flow netns_flow(const struct wire *w, const struct wire_config *c)
{
    const struct wire_info *i = wire_info(w);
    return (struct flow){
        .local = i->local, .remote = c->remote, .lport = i->lport, .rport = c->rport, .v6 = c->v6};
}

const struct seg netns_syn = {
    .seq = {0xfffffff0},
    .flags = SEG_SYN,
    .wnd = 64240,
    .opt = {.has = OPT_MSS | OPT_SACK_PERMITTED | OPT_TIMESTAMP | OPT_WSCALE,
            .mss = 1400,
            .wscale = 7,
            .tsval = 1000}};
