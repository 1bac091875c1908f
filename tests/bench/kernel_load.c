/*
 * The kernel's own sockets as server and as client, for comparison with `tcpwave load`: as fast as
 * one process with epoll can use them.
 *
 *     kernel_load server PORT [discard|close|hold]
 *     kernel_load client ADDR PORT CONNECTIONS CONCURRENCY
 *
 * The server accepts connections on every address. It closes each when its peer has closed
 * (discard, the default), immediately (close), or never (hold). On SIGTERM it prints how many it
 * accepted and how many ended with the peer's FIN. The client makes full cycles: connect(),
 * shutdown() of its own side, the peer's end of input, close(). It prints how many of them it made
 * a second.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 512, BACKLOG = 65535 };

static volatile sig_atomic_t ended;

static void end(int signal)
{
    (void)signal;
    ended = 1;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void many_descriptors(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
        r.rlim_cur = r.rlim_max;
        setrlimit(RLIMIT_NOFILE, &r);
    }
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void watch(int epoll, int fd, uint32_t what)
{
    struct epoll_event e = {.events = what, .data.fd = fd};

    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) < 0)
        die("epoll_ctl");
}

/*
 * The server
 */

enum kernel_load_habit { DISCARD, CLOSE, HOLD };

struct server {
    int epoll, listener;
    enum kernel_load_habit habit;
    unsigned long accepted, finished, bytes;
};

static void accept_all(struct server *s)
{
    int fd;

    /* cppcheck-suppress nullPointer ; the address is not needed */
    while ((fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        s->accepted++;
        if (s->habit == CLOSE)
            close(fd);
        else if (s->habit == DISCARD)
            watch(s->epoll, fd, EPOLLIN);
    }
}

/* Reads what there is; at its end the connection is closed. */
static void read_all(struct server *s, int fd)
{
    static char bytes[65536];
    ssize_t n;

    while ((n = read(fd, bytes, sizeof bytes)) > 0) {
        s->bytes += (unsigned long)n;
        if ((size_t)n < sizeof bytes)
            return;
    }
    if (n < 0 && errno == EAGAIN)
        return;
    s->finished += n == 0;
    close(fd);
}

static int server(const char *port, const char *habit)
{
    const int one = 1, zero = 0;
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(port))};
    struct sigaction action = {.sa_handler = end};
    struct server s = {.habit = strcmp(habit, "close") == 0  ? CLOSE
                                : strcmp(habit, "hold") == 0 ? HOLD
                                                             : DISCARD};

    sigaction(SIGTERM, &action, NULL);
    s.listener = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(s.listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(s.listener, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
    if (bind(s.listener, (struct sockaddr *)&any, sizeof any) < 0 ||
        listen(s.listener, BACKLOG) < 0)
        die("cannot listen");
    s.epoll = epoll_create1(0);
    watch(s.epoll, s.listener, EPOLLIN);
    while (!ended) {
        struct epoll_event e[EVENTS];
        int n = epoll_wait(s.epoll, e, EVENTS, -1);

        for (int i = 0; i < n; i++) {
            if (e[i].data.fd == s.listener)
                accept_all(&s);
            else
                read_all(&s, e[i].data.fd);
        }
    }
    printf("accepted %lu finished %lu bytes %lu\n", s.accepted, s.finished, s.bytes);
    return 0;
}

/*
 * The client
 */

struct kernel_load_client {
    int epoll;
    struct sockaddr_storage to;
    socklen_t size;
    unsigned long max, opened, done, failed;
};

static void open_one(struct kernel_load_client *c)
{
    const int one = 1;
    int fd = socket(c->to.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);

    if (fd < 0)
        die("socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    c->opened++;
    if (connect(fd, (struct sockaddr *)&c->to, c->size) < 0 && errno != EINPROGRESS) {
        close(fd);
        c->failed++;
        return;
    }
    watch(c->epoll, fd, EPOLLIN | EPOLLOUT | EPOLLET);
}

static void over(struct kernel_load_client *c, int fd, bool well)
{
    close(fd);
    if (well)
        c->done++;
    else
        c->failed++;
    if (c->opened < c->max)
        open_one(c);
}

static void step(struct kernel_load_client *c, const struct epoll_event *e)
{
    int fd = e->data.fd;
    char byte;

    if (e->events & EPOLLERR) {
        over(c, fd, false);
        return;
    }
    /* Before the peer's end of input can have come, there is our own to be told. */
    if (e->events & EPOLLOUT)
        shutdown(fd, SHUT_WR);
    if ((e->events & (EPOLLIN | EPOLLHUP)) && read(fd, &byte, 1) == 0)
        over(c, fd, true);
}

static int client(const char *addr, const char *port, unsigned long max, unsigned long at_once)
{
    struct kernel_load_client c = {.max = max, .epoll = epoll_create1(0)};
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)&c.to;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)&c.to;
    double began = seconds();

    if (inet_pton(AF_INET, addr, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)atoi(port));
        c.size = sizeof *v4;
    } else if (inet_pton(AF_INET6, addr, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)atoi(port));
        c.size = sizeof *v6;
    } else {
        fprintf(stderr, "no address: %s\n", addr);
        return 2;
    }
    while (c.opened < max && c.opened < at_once)
        open_one(&c);
    while (c.done + c.failed < max) {
        struct epoll_event e[EVENTS];
        int n = epoll_wait(c.epoll, e, EVENTS, 10000);

        if (n == 0)
            break; /* nothing for ten seconds: what hangs will not end */
        for (int i = 0; i < n; i++)
            step(&c, &e[i]);
    }
    printf("done %lu failed %lu rate %.0f\n", c.done, c.failed,
           (double)c.done / (seconds() - began));
    return c.done == max ? 0 : 1;
}

int main(int argc, char **argv)
{
    many_descriptors();
    if ((argc == 3 || argc == 4) && strcmp(argv[1], "server") == 0)
        return server(argv[2], argc == 4 ? argv[3] : "discard");
    if (argc == 6 && strcmp(argv[1], "client") == 0)
        return client(argv[2], argv[3], strtoul(argv[4], NULL, 10), strtoul(argv[5], NULL, 10));
    fprintf(stderr, "usage: kernel_load server PORT [discard|close|hold]\n"
                    "       kernel_load client ADDR PORT CONNECTIONS CONCURRENCY\n");
    return 2;
}
