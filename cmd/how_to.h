/* The words of the command line for what findings advise and drawings refer to
 * (lib/report/how_to.h). */
#ifndef TCPWAVE_CMD_HOW_TO_H
#define TCPWAVE_CMD_HOW_TO_H

#include "lib/report/how_to.h"

extern const struct how_to command_words;

#endif
