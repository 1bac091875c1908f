/*
 * Starts the program: makes sure that the standard descriptors are open, notes the inherited ones,
 * parses the command line and runs the command. A command returns its exit status; only help,
 * version and usage errors are handled here.
 */
#include <fcntl.h>
#include <libnet.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cli.h"
#include "cmd/enter_sandbox.h"
#include "cmd/help.h"
#include "config.h"
#include "lib/core/verdict.h"
#include "lib/io/files.h"
#include "lib/io/signals.h"

/* Opens /dev/null for each of standard input, output and error that is closed. Otherwise a raw
 * socket would get its number, and messages would be written to that. */
static void standard_descriptors(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO)
        close(fd);
}

static int version(void)
{
    printf("%s, with libnet %s, %s\n", PACKAGE_STRING, LIBNET_VERSION, pcap_lib_version());
    return 0;
}

static int help(const struct command_line *line)
{
    if (line->manual && help_manual(line->command) == 0)
        return 0;
    if (line->command)
        help_command(stdout, line->command);
    else
        help_overview(stdout);
    return 0;
}

/* Prints the message as one line, with '?' for control characters that it quotes from argv. Returns
 * `status`. */
static int complain(struct diag *d, int status)
{
    for (char *p = d->text; *p; p++) {
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = '?';
    }
    fprintf(stderr, "tcpwave: %s\n", d->text);
    return status;
}

/* Does what the command line asks for, and returns the exit status. */
static int dispatch(int argc, char **argv)
{
    struct command_line line;
    struct diag d;
    int status;

    if (argc < 2) {
        help_overview(stderr);
        return VERDICT_USAGE;
    }
    if (strcmp(argv[1], "--dump-options") == 0) {
        help_dump(stdout);
        return 0;
    }
    status = cli_parse(argc, argv, &line, &d);
    if (status)
        return complain(&d, status == WAVE_EINVAL ? VERDICT_USAGE : VERDICT_LOCAL);
    if (line.told)
        return VERDICT_OPEN;
    if (line.version)
        return version();
    if (line.help)
        return help(&line);
    signals_ignore_pipe();
    status = line.command->run(line.options);
    cli_free(&line);
    return status;
}

int main(int argc, char **argv)
{
    struct diag d;

    standard_descriptors();
    enter_sandbox_begin();

    int status = dispatch(argc, argv);

    /* A command reports a failure to write its output by itself; this is for help and version. */
    if (status == VERDICT_OPEN && stream_flush(stdout, &d) != 0) {
        fprintf(stderr, "tcpwave: %s\n", d.text);
        status = VERDICT_LOCAL;
    }
    return status;
}
