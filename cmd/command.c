#include "cmd/command.h"

#include <stddef.h>

#include "cmd/send_options.h"

const struct command commands[] = {
    {"connect", CONNECT, "HOST:PORT", "handshake, exchange, close; says what happened",
     "Opens a connection, sends what it is told, takes what comes, closes, and says of both sides "
     "what happened.",
     connect_run, NULL},
    {"halfclose", HALFCLOSE, "HOST:PORT", "our FIN at once; does the peer go on sending?",
     "Opens a connection, sends its data and its FIN, and judges whether the peer keeps its own "
     "side "
     "open, goes on sending and then closes.",
     halfclose_run, NULL},
    {"keepalive", KEEPALIVE, "HOST:PORT", "does the peer still live? probes it when it is silent",
     "Opens a connection and holds it. A peer that has been silent for --idle is probed every "
     "--interval, and lost when --count probes in a row are not answered.",
     keepalive_run, NULL},
    {"listen", LISTEN, "[ADDR:]PORT", "the passive side of all this",
     "Answers whoever connects, many at a time: reads, sends back what it gets, or sends everyone "
     "the same; and says of each connection what happened.",
     listen_run, listen_check},
    {"send", SEND, "HOST:PORT", "any segment, field by field; what answers",
     "Crafts segments outside any connection, every field as it is told, and reports what answers: "
     "each answer is matched to the segment that it answers.",
     send_run, send_check},
    {"load", LOAD, "HOST:PORT...", "many connections: rate, concurrency, latency",
     "Opens connections by the thousand, to one target or several, and says how long handshakes, "
     "answers and closes took, and how many went otherwise than asked.",
     load_run, NULL},
    {NULL, 0, NULL, NULL, NULL, NULL, NULL}};
