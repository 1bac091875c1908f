/*
 * Prints help from the tables of options, so that help, parsing and completions cannot disagree.
 * Lines are wrapped at 79 columns. "tcpwave help" runs man(1), without our privileges, and falls
 * back to the same text if there is no page.
 */
#include "cmd/help.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/cli.h"
#include "lib/core/text.h"
#include "lib/io/privilege.h"

#define COLUMN 28 /* at which an option's description begins */
#define WIDTH 79

/* Prints words from `column` on, which the line has reached already, wraps them onto further lines
 * with the same indentation, and ends the last line. */
static void put_words(FILE *to, const char *text, int column)
{
    int at = column;

    while (*text) {
        int len = (int)strcspn(text, " ");
        if (at > column && at + 1 + len > WIDTH) {
            fprintf(to, "\n%*s", column, "");
            at = column;
        }
        at += fprintf(to, "%s%.*s", at > column ? " " : "", len, text);
        text += len;
        text += strspn(text, " ");
    }
    fputc('\n', to);
}

static void put_option(FILE *to, const struct option_row *row)
{
    char left[80];
    char letter[] = {'-', row->letter, '\0'};
    int len = snprintf(left, sizeof left, "  %s%s%s%s%s%s", row->letter ? letter : "  ",
                       !row->name    ? ""
                       : row->letter ? ", "
                                     : "  ",
                       row->name ? "--" : "", row->name ? row->name : "", row->value ? " " : "",
                       row->value ? row->value : "");

    fputs(left, to);
    if (len + 2 > COLUMN)
        fprintf(to, "\n%*s", COLUMN, "");
    else
        fprintf(to, "%*s", COLUMN - len, "");
    put_words(to, row->help, COLUMN);
}

void help_command(FILE *to, const struct command *c)
{
    fprintf(to, "Usage: tcpwave %s [options] %s\n\n", c->name, c->target);
    put_words(to, c->purpose, 0);
    for (const struct option_group *g = c->groups; g->rows; g++) {
        if (g->heading)
            fprintf(to, "\n%s:\n", g->heading);
        for (const struct option_row *row = g->rows; row->kind; row++)
            put_option(to, row);
    }
    fputc('\n', to);
    put_words(
        to, "A DURATION is a number with us, ms, s, m or h; without a unit, it is in seconds.", 0);
    fprintf(to, "The manual: tcpwave help %s\n", c->name);
}

void help_overview(FILE *to)
{
    fputs("Usage: tcpwave COMMAND [options] TARGET, or tcpwave --version\n\n"
          "Makes TCP connections with a TCP of its own, and says what state each side is\n"
          "in and how that is known. TARGET is host:port, host:service or [IPv6]:port.\n\n"
          "Commands:\n",
          to);
    for (const struct command *const *c = commands; *c; c++)
        fprintf(to, "  %-11s%s\n", (*c)->name, (*c)->summary);
    fputs("\n"
          "tcpwave COMMAND --help lists its options; tcpwave help COMMAND is its manual.\n"
          "Example: tcpwave connect -d 'HEAD / HTTP/1.0\\r\\n\\r\\n' example.org:http\n"
          "Without a network or privileges: tcpwave connect --sim lose=2 sim:80\n\n"
          "Exit status: 0 open, 1 failed, 2 usage, 3 local, 4 refused, 5 dropped,\n"
          "6 rejected, 7 reset, 8 lost. Raw sockets need root, or once for all:\n"
          "  setcap cap_net_raw+ep \"$(command -v tcpwave)\"\n",
          to);
}

/* Returns the range of a number or a duration as the manual writes it: "1 to 65535", "1us to
 * 1000h". */
#define RANGE_TEXT (2 * TEXT_DURATION + 4)
static const char *range_text(const struct option_row *row, char text[RANGE_TEXT])
{
    char min[TEXT_DURATION], max[TEXT_DURATION];

    if (row->kind == KIND_NUMBER || row->kind == KIND_SIZE)
        snprintf(text, RANGE_TEXT, "%" PRIu64 " to %" PRIu64, row->min, row->max);
    else if (row->kind == KIND_DURATION)
        snprintf(text, RANGE_TEXT, "%s to %s", text_duration_format(row->min, min),
                 text_duration_format(row->max, max));
    else
        snprintf(text, RANGE_TEXT, "-");
    return text;
}

static void dump_value(FILE *to, const struct command *c, const struct option_row *row)
{
    if (!c->words || !c->words(row, to))
        fputs(row->value ? row->value : "-", to);
}

static void dump_command(FILE *to, const struct command *c)
{
    char range[RANGE_TEXT];

    fprintf(to, "%s\t-\t-\t%s\t-\t%s\n", c->name, c->target, c->summary);
    for (const struct option_group *g = c->groups; g->rows; g++) {
        for (const struct option_row *row = g->rows; row->kind; row++) {
            fprintf(to, "%s\t%s\t%c\t", c->name, row->name ? row->name : "-",
                    row->letter ? row->letter : '-');
            dump_value(to, c, row);
            fprintf(to, "\t%s\t%s\n", range_text(row, range), row->help);
        }
    }
}

void help_dump(FILE *to)
{
    for (const struct command *const *c = commands; *c; c++)
        dump_command(to, *c);
}

/* Runs man(1) as the user who called tcpwave, without privileges. Its complaint about a missing
 * page is not shown. Returns 0 if man(1) showed the page, else WAVE_ENOTFOUND. */
static int show_page(const char *page)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (null >= 0 && dup2(null, STDERR_FILENO) >= 0 && privilege_drop(NULL) == 0)
            execlp("man", "man", page, (char *)NULL);
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return WAVE_ENOTFOUND;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : WAVE_ENOTFOUND;
}

int help_manual(const struct command *c)
{
    char page[64];

    if (!isatty(STDOUT_FILENO))
        return WAVE_ENOTFOUND;
    snprintf(page, sizeof page, "tcpwave%s%s", c ? "-" : "", c ? c->name : "");
    return c && show_page(page) == 0 ? 0 : show_page("tcpwave");
}
