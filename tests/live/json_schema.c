/*
 * json_schema SCHEMA FILE holds JSON Lines against the schema: each has to be an object that it
 * allows. Says of the first few that are not what is wrong with them, and exits 1.
 *
 * json_schema -a SCHEMA FILE prints yes or no for each line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/live/schema.h"

#define SHOWN 5

static bool is_allowed(const struct schema *s, const char *line, size_t len, char why[SCHEMA_WHY])
{
    json_error_t e;
    json_t *event = json_loadb(line, len, JSON_REJECT_DUPLICATES, &e);
    bool allowed = false;

    if (event)
        allowed = schema_allows(s, event, why);
    else
        snprintf(why, SCHEMA_WHY, "%s", e.text);
    json_decref(event);
    return allowed;
}

int main(int argc, char **argv)
{
    const bool each = argc == 4 && strcmp(argv[1], "-a") == 0;
    struct schema *s = argc == 3 + each ? schema_load(argv[1 + each]) : NULL;
    FILE *file = s ? fopen(argv[2 + each], "r") : NULL;
    unsigned long number = 0, wrong = 0;
    char *line = NULL, why[SCHEMA_WHY];
    size_t room = 0;
    ssize_t len;

    if (!file) {
        fprintf(stderr, "usage: json_schema [-a] SCHEMA FILE\n");
        return 2;
    }
    while ((len = getline(&line, &room, file)) > 0) {
        const bool allowed = is_allowed(s, line, (size_t)len, why);
        number++;
        if (each)
            puts(allowed ? "yes" : "no");
        else if (!allowed && wrong < SHOWN)
            printf("line %lu: %s: %.500s\n", number, why, line);
        wrong += !allowed;
    }
    if (wrong && !each)
        printf("%lu lines are not as the schema has them\n", wrong);
    free(line);
    fclose(file);
    schema_free(s);
    return wrong && !each ? 1 : 0;
}
