#include "cmd/command.h"

#include <stddef.h>

const struct command commands[] = {
    {"connect", CONNECT, "HOST:PORT", "handshake, exchange, close; says what happened",
     "Opens a connection, sends what it is told, takes what comes, closes, and says of both sides "
     "what happened.",
     connect_run, NULL},
    {NULL, 0, NULL, NULL, NULL, NULL, NULL}};
