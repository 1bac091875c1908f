/* The words of the command line for what findings advise and drawings refer to. */
#include "cmd/how_to.h"

const struct how_to command_words = {{
    [HOW_TO_CONNECT] = "tcpwave connect",
    [HOW_TO_TRY_ADDRESSES] = "tcpwave connect --each-address",
    [HOW_TO_STAY_OPEN] = "connect, not halfclose; --close=passive",
    [HOW_TO_NAME_SOURCE] = "-s",
    [HOW_TO_NAME_PORT] = "-p",
    [HOW_TO_NAME_INTERFACE] = "-i",
    [HOW_TO_SHOW_NOTHING] = "-q",
    [HOW_TO_SEND_DATA] = "-d",
    [HOW_TO_PROBE_WITH_DATA] = "--garbage",
    [HOW_TO_SHRINK_WINDOW] = "--window",
    [HOW_TO_SHRINK_SEGMENTS] = "--mss 1200",
    [HOW_TO_OMIT_SACK] = "--no-sack",
    [HOW_TO_OMIT_TIMESTAMPS] = "--no-timestamps",
    [HOW_TO_LIMIT_NUMBER] = "--concurrency",
    [HOW_TO_IMPAIR] = "--impair",
    [HOW_TO_MISBEHAVE] = "--preset",
}};
