/*
 * Opens the listening socket that keeps the kernel's TCP silent. set_up() does it in the only safe
 * order: set the filter or the key, bind, listen. Before listen() the kernel gives the socket no
 * segment; after it, the filter or the key drops every one. When the port is taken, the error says
 * by which socket (port_owner.h).
 */
#include "lib/wire/guard.h"
#include "lib/core/addr.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/core/diag.h"
#include "lib/wire/address.h"
#include "lib/wire/local_ports.h"
#include "lib/wire/port_owner.h"

#define RANGE_TRIES 32 /* attempts to find consecutive free ports */

/* Attaches a filter that cuts every segment to nothing. The kernel then drops the segment before
 * TCP sees it, and before anything could be answered. */
static int set_filter(int fd, bool v6)
{
    (void)v6;
    struct sock_filter code[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
    struct sock_fprog program = {.len = 1, .filter = code};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

/* Sets a key for peers of any address. TCP silently drops a segment without a signature (RFC 2385,
 * 2.0), and the key is random and known to no host, not even to us. */
static int set_md5(int fd, bool v6)
{
    static const struct addr any;
    struct sockaddr_storage peer;
    struct tcp_md5sig md5 = {.tcpm_flags = TCP_MD5SIG_FLAG_PREFIX, .tcpm_keylen = 16};
    address_socket(v6, &any, 0, 0, &peer);
    memcpy(&md5.tcpm_addr, &peer, sizeof peer);
    if (getrandom(md5.tcpm_key, md5.tcpm_keylen, 0) != md5.tcpm_keylen)
        return -1;
    return setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG_EXT, &md5, sizeof md5);
}

/* Lists the methods that keep the kernel silent, in the order in which they are tried. */
static const struct guard_method {
    unsigned kind;
    const char *name;
    int (*set)(int fd, bool v6);
} ways[] = {
    {GUARD_FILTER, "socket filter", set_filter},
    {GUARD_MD5, "TCP-MD5 key", set_md5},
};

#define WAYS (sizeof ways / sizeof *ways)

const char *guard_name(unsigned kind)
{
    for (size_t i = 0; i < WAYS; i++)
        if (ways[i].kind == kind)
            return ways[i].name;
    return "none";
}

/* Tries one method after the other. On failure *d lists what went wrong with each. */
static int set_guard(int fd, const struct guard_query *q, unsigned *kind, struct diag *d)
{
    char tried[128] = "";
    size_t used = 0;
    int code = WAVE_ESYS;
    for (size_t i = 0; i < WAYS; i++) {
        if (q->kinds && !(q->kinds & ways[i].kind))
            continue;
        if (ways[i].set(fd, q->flow.v6) == 0) {
            *kind = ways[i].kind;
            return 0;
        }
        if (errno == EPERM || errno == EACCES)
            code = WAVE_EPERM;
        int n = snprintf(tried + used, sizeof tried - used, "%s%s: %s", used ? "; " : "",
                         ways[i].name, strerror(errno));
        if (n > 0 && (size_t)n < sizeof tried - used)
            used += (size_t)n;
    }
    return diag_fail(d, code,
                     "cannot keep this host's kernel from resetting the connection, so nothing was "
                     "sent (%s); %s",
                     tried,
                     code == WAVE_EPERM ? "run with sudo, or add cap_net_admin to the capabilities"
                                        : "a kernel with CONFIG_TCP_MD5SIG, or root, is needed");
}

/* Fails because of the socket that holds the port. */
static int port_in_use(const struct guard_query *q, const struct port_owner *h, struct diag *d)
{
    char where[ADDR_PORT_TEXT], who[PORT_OWNER_TEXT];
    return diag_fail(d, WAVE_EINUSE, "cannot use %s: the port is held by %s; choose another one",
                     addr_port_text(q->flow.v6, &q->flow.local, q->flow.lport, where),
                     port_owner_text(h, who));
}

/*
 * Lets us share the port with a closed connection in TIME_WAIT, which needs only its own
 * four-tuple. That is no reason to wait another minute for the port; servers reuse their port in
 * the same way. But when it has exactly our four-tuple, the kernel would answer our peer from
 * there, past the guard. SO_REUSEADDR is not set from the start, since it would also let us share
 * the port with a live connection.
 */
static bool may_reuse(int fd, const struct port_owner *h)
{
    const int one = 1;
    return h->kind == PORT_OWNER_TIME_WAIT && !h->same_flow &&
           setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0;
}

static int bind_port(int fd, const struct guard_query *q, struct diag *d)
{
    char where[ADDR_PORT_TEXT];
    struct sockaddr_storage local;
    socklen_t size = address_socket(q->flow.v6, &q->flow.local, q->flow.lport, q->scope, &local);
    if (bind(fd, (struct sockaddr *)&local, size) == 0)
        return 0;
    if (errno == EADDRINUSE && q->skip_owner)
        return WAVE_EINUSE;
    if (errno == EADDRINUSE && q->flow.lport) {
        struct port_owner h;
        port_owner_find(&q->flow, &h);
        if (may_reuse(fd, &h) && bind(fd, (struct sockaddr *)&local, size) == 0)
            return 0;
        return port_in_use(q, &h, d);
    }

    int error = errno;
    addr_port_text(q->flow.v6, &q->flow.local, q->flow.lport, where);
    switch (error) {
    case EADDRINUSE:
        return diag_fail(
            d, WAVE_EINUSE,
            "no local port is free at %s: the kernel gives none of "
            "net.ipv4.ip_local_port_range, without ip_local_reserved_ports; widen that "
            "range, or name a port with --source-port",
            addr_text(q->flow.v6, &q->flow.local, where));
    case EACCES:
        return diag_fail(d, WAVE_EPERM,
                         "cannot use %s: a port that low needs a privilege; run with sudo, add "
                         "cap_net_bind_service to the capabilities, or choose a higher port",
                         where);
    case EADDRNOTAVAIL:
        return diag_fail(d, WAVE_ENOROUTE,
                         "cannot use %s: the address is not (or not yet) this host's", where);
    default:
        return diag_fail(d, WAVE_ESYS, "cannot bind to %s: %s", where, strerror(error));
    }
}

static int read_port(int fd, uint16_t *port, struct diag *d)
{
    struct sockaddr_storage local = {0};
    socklen_t size = sizeof local;
    if (getsockname(fd, (struct sockaddr *)&local, &size) < 0)
        return diag_fail(d, WAVE_ESYS, "cannot read which port the kernel chose: %s",
                         strerror(errno));
    /* The port has the same place in the addresses of both families. */
    struct sockaddr_in in;
    memcpy(&in, &local, sizeof in);
    *port = ntohs(in.sin_port);
    return 0;
}

static int set_up(int fd, const struct guard_query *q, struct guard *g, uint16_t *port,
                  struct diag *d)
{
    const int one = 1;
    int error = 0;
    /* A guard on IPv6's any address does not take the port for IPv4, so that another socket may
     * have it. */
    if (q->flow.v6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one) < 0)
        return diag_fail(d, WAVE_ESYS, "cannot restrict a socket to IPv6: %s", strerror(errno));
    if (!q->reserve_only)
        error = set_guard(fd, q, &g->kind, d);
    if (error == 0)
        error = bind_port(fd, q, d);
    if (error == 0 && !q->reserve_only && listen(fd, 1) < 0) {
        struct port_owner h;
        if (errno != EADDRINUSE)
            return diag_fail(d, WAVE_ESYS, "cannot listen on the guard's socket: %s",
                             strerror(errno));
        if (q->skip_owner)
            return WAVE_EINUSE;
        port_owner_find(&q->flow, &h);
        return port_in_use(q, &h, d);
    }
    return error ? error : read_port(fd, port, d);
}

int guard_open(struct guard *out, const struct guard_query *q, uint16_t *port, struct diag *d)
{
    struct guard g = {.kind = 0};
    g.fd = socket(q->flow.v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (g.fd < 0)
        /* cppcheck-suppress memleak ; there is none to close */
        return diag_fail(d, WAVE_ESYS, "cannot open a TCP socket for the guard: %s",
                         strerror(errno));
    int error = set_up(g.fd, q, &g, port, d);
    if (error) {
        close(g.fd);
        return error;
    }
    *out = g;
    return 0;
}

/* Guards the ports after the first one. */
static int open_consecutive(struct guard *out, uint16_t count, const struct guard_query *q,
                            uint16_t first, struct diag *d)
{
    struct guard_query next = *q;
    if (first + count - 1 > UINT16_MAX)
        return diag_fail(d, WAVE_EINUSE, "there are no %u ports from %u on", count, first);
    for (uint16_t i = 1; i < count; i++) {
        next.flow.lport = (uint16_t)(first + i);
        int error = guard_open(&out[i], &next, &next.flow.lport, d);
        if (error) {
            while (i-- > 1)
                guard_close(&out[i]);
            return error;
        }
    }
    return 0;
}

/* Guards all ports, from q->flow.lport on. */
static int open_run(struct guard *out, uint16_t count, const struct guard_query *q, uint16_t *port,
                    struct diag *d)
{
    uint16_t first;
    int error = guard_open(&out[0], q, &first, d);
    if (error)
        return error;
    error = open_consecutive(out, count, q, first, d);
    if (error)
        guard_close(&out[0]);
    else
        *port = first;
    return error;
}

/* Guards consecutive ports that the user did not name. The kernel chooses one port at a time, and
 * does not consider its neighbours. So we choose the first one from the kernel's range, in a place
 * where none of the ports is reserved. */
static int open_anywhere(struct guard *out, uint16_t count, const struct guard_query *q,
                         uint16_t *port, struct diag *d)
{
    struct guard_query there = *q;
    struct local_ports p;
    local_ports_read(&p);
    if (q->avoid)
        local_ports_avoid(&p, q->avoid);
    there.skip_owner = true;
    for (int tries = RANGE_TRIES; tries > 0; tries--) {
        uint32_t first = local_ports_run(&p, local_ports_random(&p), count);
        if (!first)
            break;
        there.flow.lport = (uint16_t)first;
        int error = open_run(out, count, &there, port, d);
        if (error != WAVE_EINUSE)
            return error;
    }
    return diag_fail(d, WAVE_EINUSE,
                     "found no %u free local ports side by side from %u to %u "
                     "(net.ipv4.ip_local_port_range, without the reserved ones); ask for fewer, or "
                     "name the first one",
                     count, p.low, p.high);
}

int guard_open_range(struct guard *out, uint16_t count, const struct guard_query *q, uint16_t *port,
                     struct diag *d)
{
    if (q->flow.lport == 0 && count > 1)
        return open_anywhere(out, count, q, port, d);
    return open_run(out, count, q, port, d);
}

void guard_close(struct guard *g)
{
    if (g->fd >= 0)
        close(g->fd);
    g->fd = -1;
}

/* The socket drops what it is given, and counts it (SK_MEMINFO_DROPS). */
bool guard_reached(const struct guard *g, uint64_t *n)
{
    uint32_t info[SK_MEMINFO_VARS] = {0};
    socklen_t size = sizeof info;

    if (g->fd < 0 || !g->kind || getsockopt(g->fd, SOL_SOCKET, SO_MEMINFO, info, &size) != 0 ||
        size < (SK_MEMINFO_DROPS + 1) * sizeof info[0])
        return false;
    *n += info[SK_MEMINFO_DROPS];
    return true;
}
