/*
 * json_get EVENT PATH FILE prints the value at a path, such as peer.state, of the last event of
 * that name in JSON Lines. Within a list, NAME=TEXT is its first object that has this text, as in
 * findings.code=loss.severity.
 *
 * A string is printed as it is, and any other value as JSON. Nothing is printed where there is no
 * value or it is null. Live tests call this program some thousand times, so it must not take the
 * tenth of a second that an interpreter needs to start.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The last event of that name in the file, or NULL. Exits where a line that has the name in it is
 * not JSON; the others are passed over, of which a long run has many. */
static json_t *last_event(FILE *file, const char *name)
{
    json_t *found = NULL;
    char *line = NULL;
    size_t room = 0;
    ssize_t len;

    while ((len = getline(&line, &room, file)) > 0) {
        json_error_t e;
        json_t *event;
        const char *is;
        if (!strstr(line, name))
            continue;
        event = json_loadb(line, (size_t)len, 0, &e);
        is = json_string_value(json_object_get(event, "event"));
        if (!is) {
            fprintf(stderr, "json_get: no event: %s: %s", e.text, line);
            exit(1);
        }
        if (strcmp(is, name) == 0) {
            json_decref(found);
            found = event;
        } else {
            json_decref(event);
        }
    }
    free(line);
    return found;
}

/* The value of that name in an object; or the first object of a list that has NAME=TEXT. */
static json_t *step(json_t *value, char *name)
{
    char *text = strchr(name, '=');

    if (!json_is_array(value) || !text)
        return json_object_get(value, name);
    *text++ = '\0';
    for (size_t i = 0; i < json_array_size(value); i++) {
        json_t *item = json_array_get(value, i);
        const char *is = json_string_value(json_object_get(item, name));
        if (is && strcmp(is, text) == 0)
            return item;
    }
    return NULL;
}

int main(int argc, char **argv)
{
    FILE *file = argc == 4 ? fopen(argv[3], "r") : NULL;
    json_t *event, *value;
    char *rest;

    if (!file) {
        perror(argc == 4 ? argv[3] : "usage: json_get EVENT PATH FILE");
        return 1;
    }
    event = value = last_event(file, argv[1]);
    for (char *key = strtok_r(argv[2], ".", &rest); key; key = strtok_r(NULL, ".", &rest))
        value = step(value, key);
    if (json_is_string(value))
        puts(json_string_value(value));
    else if (value && !json_is_null(value) &&
             json_dumpf(value, stdout,
                        JSON_ENCODE_ANY | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15)) == 0)
        putchar('\n');
    json_decref(event);
    fclose(file);
    return 0;
}
