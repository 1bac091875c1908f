/*
 * Declares the options that say how a connection ends: --close and --hold for commands that let the
 * user choose the close, --linger and --time-wait for what comes after our FIN.
 */
#ifndef TCPWAVE_CMD_OPTIONS_CLOSE_H
#define TCPWAVE_CMD_OPTIONS_CLOSE_H

#include "cmd/options.h"
#include "lib/run/course.h"

#define TIME_WAIT_FULL (4 * WAVE_MIN) /* 2 MSL: RFC 9293, 3.4.2 */

/* The words of --close, in the order of enum close_how. */
#define CLOSE_WORDS "active|passive|abort|vanish"
struct close_options {
    uint32_t how;   /* enum close_how */
    wave_time hold; /* before closing; 0: none */
};

struct end_options {
    wave_time linger;    /* how long we wait for a peer that acknowledged our FIN, keeps its side
                            open and is silent; default 5 s */
    bool keep_time_wait; /* false: TIME_WAIT is entered and left immediately */
    wave_time time_wait; /* how long it is kept; it is 2 MSL, so that MSL is half of it */
};

#define END_DEFAULT ((struct end_options){.linger = 5 * WAVE_S})

extern const struct option_row close_rows[]; /* --close, by default with our FIN first; --hold */
extern const struct option_row close_hold_row[]; /* --hold alone; struct close_options as well */
extern const struct option_row end_rows[];       /* --linger and --time-wait */
extern const struct option_row end_linger_row[]; /* --linger alone; struct end_options as well */

#endif
