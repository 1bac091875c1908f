/*
 * Traffic between two kernels, for the capture that read.sh makes.
 *
 *     kernel_traffic server PORT
 *     kernel_traffic transfer ADDR PORT MEGABYTES MEGABITS
 *     kernel_traffic flows ADDR PORT FLOWS AT_ONCE
 *
 * The transfer is one connection that sends so many megabytes, at no more than so many megabits a
 * second, so that the capture loses nothing. A short flow sends a request of 100 bytes and has an
 * answer of 400, after which the server closes. A transfer begins with T, and a request with R.
 * What hangs for ten seconds ends the run. IPv4 only.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 512, REQUEST = 100, ANSWER = 400, BACKLOG = 65535, PATIENCE = 10 };

static const int one = 1;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void watch(int epoll, int fd)
{
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};

    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) < 0)
        die("epoll_ctl");
}

/* Reads what there is. A request is answered, and ends the connection; so does the end of what the
 * client sends. */
static void serve(int fd)
{
    static const char answer[ANSWER];
    static char bytes[1 << 18];
    const ssize_t n = read(fd, bytes, sizeof bytes);

    if (n < 0 && errno == EAGAIN)
        return;
    if (n == REQUEST && bytes[0] == 'R' && write(fd, answer, sizeof answer) < 0)
        perror("write");
    if (n <= 0 || (n == REQUEST && bytes[0] == 'R'))
        close(fd);
}

static _Noreturn void server(uint16_t port)
{
    const struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), epoll = epoll_create1(0);

    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (const struct sockaddr *)&any, sizeof any) < 0 ||
        listen(listener, BACKLOG) < 0)
        die("cannot listen");
    watch(epoll, listener);
    for (;;) {
        struct epoll_event e[EVENTS];
        const int n = epoll_wait(epoll, e, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            int fd = e[i].data.fd;
            if (fd != listener) {
                serve(fd);
                continue;
            }
            /* cppcheck-suppress nullPointer ; the address is not needed */
            while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
                watch(epoll, fd);
        }
    }
}

static int transfer(const struct sockaddr_in *to, uint64_t bytes, uint64_t megabits)
{
    static char data[1 << 16] = {'T'};
    const uint64_t rate = megabits * 1000000 / 8;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);

    setsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof rate);
    if (connect(fd, (const struct sockaddr *)to, sizeof *to) < 0)
        die("cannot connect");
    for (uint64_t left = bytes; left;) {
        const ssize_t n = write(fd, data, left < sizeof data ? left : sizeof data);
        if (n < 0)
            die("write");
        alarm(PATIENCE);
        left -= (uint64_t)n;
    }
    shutdown(fd, SHUT_WR);
    return read(fd, data, 1) == 0 ? 0 : 1;
}

/* The address is chosen by the kernel among all that this side has, and the port by connect(). */
static void begin_flow(const struct sockaddr_in *to, int epoll)
{
    static char request[REQUEST] = {'R'};
    const int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || connect(fd, (const struct sockaddr *)to, sizeof *to) < 0)
        die("cannot connect");
    if (write(fd, request, sizeof request) != sizeof request)
        die("write");
    watch(epoll, fd);
}

static int flows(const struct sockaddr_in *to, uint64_t all, uint64_t at_once)
{
    const int epoll = epoll_create1(0);
    uint64_t begun = 0, done = 0;

    for (; begun < all && begun < at_once; begun++)
        begin_flow(to, epoll);
    while (done < all) {
        struct epoll_event e[EVENTS];
        const int n = epoll_wait(epoll, e, EVENTS, PATIENCE * 1000);
        if (n <= 0)
            return 1;
        for (int i = 0; i < n; i++) {
            char bytes[ANSWER + 1];
            if (read(e[i].data.fd, bytes, sizeof bytes) > 0)
                continue;
            close(e[i].data.fd);
            done++;
            if (begun < all && ++begun)
                begin_flow(to, epoll);
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct sockaddr_in to = {.sin_family = AF_INET};

    signal(SIGPIPE, SIG_IGN);
    if (argc == 3 && strcmp(argv[1], "server") == 0)
        server((uint16_t)atoi(argv[2]));
    if (argc == 6 && inet_pton(AF_INET, argv[2], &to.sin_addr) == 1) {
        const uint64_t m = strtoull(argv[4], NULL, 10), n = strtoull(argv[5], NULL, 10);
        to.sin_port = htons((uint16_t)atoi(argv[3]));
        if (strcmp(argv[1], "transfer") == 0)
            return transfer(&to, m * 1000000, n);
        if (strcmp(argv[1], "flows") == 0)
            return flows(&to, m, n);
    }
    fprintf(stderr, "usage: kernel_traffic server PORT\n"
                    "       kernel_traffic transfer ADDR PORT MEGABYTES MEGABITS\n"
                    "       kernel_traffic flows ADDR PORT FLOWS AT_ONCE\n");
    return 2;
}
