/* These functions write and read numbers in network byte order, which all of IP and TCP uses. Those
 * that write return the byte after what they wrote. Those that read check nothing: they are for
 * headers of a fixed size that is known to be there; all else is read through struct cursor. */
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

static inline uint16_t get_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t get_u32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

#endif
