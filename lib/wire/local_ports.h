/*
 * Which local ports may be used when the user named none: those of net.ipv4.ip_local_port_range,
 * without those of net.ipv4.ip_local_reserved_ports, which the administrator keeps for services
 * that have not started yet. Both settings apply to IPv6 as well. Neither applies to a port that
 * the user names.
 */
#ifndef TCPWAVE_WIRE_LOCAL_PORTS_H
#define TCPWAVE_WIRE_LOCAL_PORTS_H

#include <stdbool.h>
#include <stdint.h>

#define LOCAL_PORTS_ALL (UINT16_MAX + 1)
/* Lower ports are used only when the user names them, even if the range includes them. */
#define LOCAL_PORTS_FIRST 1024

/* Holds the two settings. */
struct local_ports {
    uint32_t low, high;                /* the range, both ends included */
    uint64_t reserved[LOCAL_PORTS_ALL / 64]; /* a bit for each port */
};

/* Reads both settings. One that cannot be read is taken to be the kernel's default. */
void local_ports_read(struct local_ports *p);

/* Parses the texts of the settings ("32768\t60999", "8080,9148-9200"). A text that is malformed
 * counts as the default. */
void local_ports_parse(struct local_ports *p, const char *range, const char *reserved);

/* Makes the range begin at a port that the user named, and end with the last port there is. The
 * named port itself is no longer reserved. */
void local_ports_from(struct local_ports *p, uint16_t named);

/* Reserves a port, which is kept clear even of a range that the user named. */
void local_ports_avoid(struct local_ports *p, uint16_t port);

/* Returns whether this port may be used. */
bool local_ports_usable(const struct local_ports *p, uint32_t port);

/* Returns how many ports may be used. */
uint32_t local_ports_count(const struct local_ports *p);

/* Returns a random port of the range, reserved or not, as the place to begin. So one run does not
 * use the ports of the run before, which the peer may still have in TIME_WAIT. */
uint32_t local_ports_random(const struct local_ports *p);

/* Returns the first of `count` consecutive ports that may be used. It searches from `from` on, and
 * after the end of the range from its beginning. Returns 0 when there are none. */
uint32_t local_ports_run(const struct local_ports *p, uint32_t from, uint32_t count);

#endif
