/* These functions write numbers in network byte order, which all of IP and TCP uses. Each returns
 * the byte after what it wrote. */
#ifndef TCPWAVE_CORE_BYTES_H
#define TCPWAVE_CORE_BYTES_H

#include <stdint.h>

static inline uint8_t *put_u16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
    return p + 2;
}

static inline uint8_t *put_u32(uint8_t *p, uint32_t v)
{
    return put_u16(put_u16(p, v >> 16), v & 0xffff);
}

#endif
