/*
 * Errors below cmd/: a function returns 0 (or a count) or a negative WAVE_E...;
 * out-parameters are untouched on failure. A function that can explain fills
 * the caller's struct diag. Nothing below cmd/ prints or exits.
 */
#ifndef TCPWAVE_CORE_ERR_H
#define TCPWAVE_CORE_ERR_H

enum {
    WAVE_EOK = 0,
    WAVE_EINVAL = -1,     /* an argument the function does not take */
    WAVE_ENOMEM = -2,     /* the allocator refused, or a bound was reached */
    WAVE_ETRUNC = -3,     /* the bytes end before the structure does */
    WAVE_EMALFORMED = -4, /* the bytes contradict themselves */
    WAVE_ENOTOURS = -5,   /* well formed, but nothing this reader is for */
    WAVE_ECHECKSUM = -6,  /* a checksum does not hold */
    WAVE_ESTATE = -7,     /* a call that the connection's state does not allow */
    WAVE_EAGAIN = -8,     /* nothing now; try later */
    WAVE_ESYS = -9,       /* the system refused; struct diag tells what and why */
    WAVE_EPERM = -10,     /* a privilege is missing */
    WAVE_EINUSE = -11,    /* address or port in use */
    WAVE_ENOROUTE = -12,  /* no route, no address, no such interface */
    WAVE_ENOTFOUND = -13  /* an unknown name */
};

/* One line for a person: what was tried, what happened, what to do. */
struct diag {
    char text[320];
};

#endif
