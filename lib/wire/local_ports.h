/*
 * Which local ports may be taken unasked: those of net.ipv4.ip_local_port_range, without those of
 * net.ipv4.ip_local_reserved_ports, which the administrator keeps for services that are yet to
 * start. Both settings hold for IPv6 as well. A port that the user names is not held against them.
 */
#ifndef TCPWAVE_WIRE_LOCAL_PORTS_H
#define TCPWAVE_WIRE_LOCAL_PORTS_H

#include <stdbool.h>
#include <stdint.h>

#define LOCAL_PORTS_ALL (UINT16_MAX + 1)
#define LOCAL_PORTS_FIRST 1024 /* lower ports are never taken unasked, whatever the range says */

struct local_ports {
    uint32_t low, high;                /* the range, both ends included */
    uint64_t reserved[LOCAL_PORTS_ALL / 64]; /* a bit for each port */
};

/* Reads both settings. Where one cannot be read it is the kernel's default. */
void local_ports_read(struct local_ports *p);

/* The same from the settings' texts ("32768\t60999", "8080,9148-9200"); what is not such a text
 * counts as the default. */
void local_ports_parse(struct local_ports *p, const char *range, const char *reserved);

/* Makes the range begin at a port that the user named, and end with the last port there is. That
 * port itself is not reserved any more. */
void local_ports_from(struct local_ports *p, uint16_t named);

/* Whether this one may be taken. */
bool local_ports_usable(const struct local_ports *p, uint32_t port);

/* How many may be taken. */
uint32_t local_ports_count(const struct local_ports *p);

/* A random one of the range, reserved or not: where to begin, so that one run does not take the
 * ports of the run before, which the peer may still have in TIME_WAIT. */
uint32_t local_ports_random(const struct local_ports *p);

/* The first of `count` consecutive ports that may be taken: the next one from `from` on, and from
 * the beginning of the range after its end. 0 when there are none. */
uint32_t local_ports_run(const struct local_ports *p, uint32_t from, uint32_t count);

#endif
