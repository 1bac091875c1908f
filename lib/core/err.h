/*
 * Errors below cmd/: a function returns 0 (or a count) or a negative WAVE_E... code, and leaves
 * out-parameters untouched on failure. A function that can explain the failure fills the caller's
 * struct diag. Nothing below cmd/ prints or exits.
 */
#ifndef TCPWAVE_CORE_ERR_H
#define TCPWAVE_CORE_ERR_H

/* The error codes. */
enum {
    WAVE_EOK = 0,
    WAVE_EINVAL = -1,     /* an argument that the function does not accept */
    WAVE_ENOMEM = -2,     /* the allocator failed, or a bound was reached */
    WAVE_ETRUNC = -3,     /* the bytes end before the structure does */
    WAVE_EMALFORMED = -4, /* the bytes contradict each other */
    WAVE_ENOTOURS = -5,   /* well formed, but not what this parser is for */
    WAVE_ECHECKSUM = -6,  /* a checksum is wrong */
    WAVE_ESTATE = -7,     /* a call that the connection's state does not allow */
    WAVE_EAGAIN = -8,     /* nothing now; try later */
    WAVE_ESYS = -9,       /* a system call failed; struct diag says which and why */
    WAVE_EPERM = -10,     /* a privilege is missing */
    WAVE_EINUSE = -11,    /* address or port in use */
    WAVE_ENOROUTE = -12,  /* no route, no address, no such interface */
    WAVE_ENOTFOUND = -13, /* an unknown name */
    WAVE_ESELF = -14      /* the connection would be one of a port with itself */
};

/* One line for a person: what was tried, what happened, what to do. */
struct diag {
    char text[320];
};

#endif
