#include "tests/live/schema.h"

#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATTERNS 16
#define DEFS "#/$defs/"
#define WHY SCHEMA_WHY

struct schema {
    json_t *root;
    struct {
        json_t *text;
        regex_t regex;
    } pattern[PATTERNS];
    unsigned patterns;
};

/* One value that is held against the schema; `why` is NULL where an answer may be no. */
struct search {
    const struct schema *schema;
    char *why;
};

/* The words of schemas. A rule is given the word's value, the schema that the word stands in, and
 * the value that is looked at. */
typedef bool rule(const struct search *q, json_t *word, json_t *schema, json_t *value);

static bool allows(const struct search *q, json_t *schema, json_t *value);

/* An answer that may be no without the whole being wrong. */
static bool would_allow(const struct search *q, json_t *schema, json_t *value)
{
    const struct search quiet = {.schema = q->schema};

    return allows(&quiet, schema, value);
}

static bool is_type(const char *name, json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return strcmp(name, "object") == 0;
    case JSON_ARRAY:
        return strcmp(name, "array") == 0;
    case JSON_STRING:
        return strcmp(name, "string") == 0;
    case JSON_NULL:
        return strcmp(name, "null") == 0;
    case JSON_INTEGER:
        return strcmp(name, "integer") == 0 || strcmp(name, "number") == 0;
    case JSON_REAL:
        return strcmp(name, "number") == 0 ||
               (strcmp(name, "integer") == 0 &&
                trunc(json_real_value(value)) == json_real_value(value));
    default:
        return strcmp(name, "boolean") == 0;
    }
}

static bool type_rule(const struct search *q, json_t *word, json_t *schema, json_t *value)
{
    json_t *name;

    (void)q, (void)schema;
    if (json_is_string(word))
        return is_type(json_string_value(word), value);
    for (size_t i = 0; (name = json_array_get(word, i)); i++)
        if (is_type(json_string_value(name), value))
            return true;
    return false;
}

static bool const_rule(const struct search *q, json_t *word, json_t *schema, json_t *value)
{
    (void)q, (void)schema;
    return json_equal(word, value);
}

static bool enum_rule(const struct search *q, json_t *word, json_t *schema, json_t *value)
{
    json_t *one;

    (void)q, (void)schema;
    for (size_t i = 0; (one = json_array_get(word, i)); i++)
        if (json_equal(one, value))
            return true;
    return false;
}

static bool minimum_rule(const struct search *q, json_t *word, json_t *schema, json_t *value)
{
    (void)q, (void)schema;
    return !json_is_number(value) || json_number_value(value) >= json_number_value(word);
}

static bool maximum_rule(const struct search *q, json_t *word, json_t *schema, json_t *value)
{
    (void)q, (void)schema;
    return !json_is_number(value) || json_number_value(value) <= json_number_value(word);
}

static bool min_length_rule(const struct search *q, json_t *word, json_t *schema, json_t *value)
{
    json_int_t letters = 0;

    (void)q, (void)schema;
    if (!json_is_string(value))
        return true;
    for (const char *c = json_string_value(value); *c; c++)
        letters += (*c & 0xc0) != 0x80; /* a byte that begins a letter of UTF-8 */
    return letters >= json_integer_value(word);
}

/* cppcheck-suppress constParameter ; the rules are of one type */
static bool pattern_rule(const struct search *q, json_t *word, json_t *schema, json_t *value)
{
    (void)schema;
    if (!json_is_string(value))
        return true;
    for (unsigned i = 0; i < q->schema->patterns; i++)
        if (q->schema->pattern[i].text == word)
            return regexec(&q->schema->pattern[i].regex, json_string_value(value), 0, NULL, 0) == 0;
    return false;
}

static bool min_items_rule(const struct search *q, json_t *word, json_t *schema, json_t *value)
{
    (void)q, (void)schema;
    return !json_is_array(value) || (json_int_t)json_array_size(value) >= json_integer_value(word);
}

static bool max_items_rule(const struct search *q, json_t *word, json_t *schema, json_t *value)
{
    (void)q, (void)schema;
    return !json_is_array(value) || (json_int_t)json_array_size(value) <= json_integer_value(word);
}

static bool unique_rule(const struct search *q, json_t *word, json_t *schema, json_t *value)
{
    (void)q, (void)schema;
    if (!json_is_true(word))
        return true;
    for (size_t i = 1; i < json_array_size(value); i++)
        for (size_t k = 0; k < i; k++)
            if (json_equal(json_array_get(value, i), json_array_get(value, k)))
                return false;
    return true;
}

static bool items_rule(const struct search *q, json_t *word, json_t *schema, json_t *value)
{
    json_t *item;

    (void)schema;
    for (size_t i = 0; (item = json_array_get(value, i)); i++)
        if (!allows(q, word, item))
            return false;
    return true;
}

static bool has_all(json_t *names, json_t *value)
{
    json_t *name;

    for (size_t i = 0; (name = json_array_get(names, i)); i++)
        if (!json_object_get(value, json_string_value(name)))
            return false;
    return true;
}

static bool required_rule(const struct search *q, json_t *word, json_t *schema, json_t *value)
{
    (void)q, (void)schema;
    return !json_is_object(value) || has_all(word, value);
}

static bool dependent_rule(const struct search *q, json_t *word, json_t *schema, json_t *value)
{
    (void)q, (void)schema;
    for (void *at = json_object_iter(word); at; at = json_object_iter_next(word, at))
        if (json_object_get(value, json_object_iter_key(at)) &&
            !has_all(json_object_iter_value(at), value))
            return false;
    return true;
}

static bool properties_rule(const struct search *q, json_t *word, json_t *schema, json_t *value)
{
    /* Fields that both have: they are found through the one of the two that has fewer. */
    json_t *few = json_object_size(word) < json_object_size(value) ? word : value;

    (void)schema;
    for (void *at = json_object_iter(few); at; at = json_object_iter_next(few, at)) {
        const char *name = json_object_iter_key(at);
        json_t *of = json_object_get(word, name), *field = json_object_get(value, name);
        if (!of || !field || allows(q, of, field))
            continue;
        if (q->why) { /* the name stands before what is wrong within */
            char within[WHY];
            snprintf(within, sizeof within, "%s", q->why);
            snprintf(q->why, WHY, "%.100s: %.300s", name, within);
        }
        return false;
    }
    return true;
}

static bool additional_rule(const struct search *q, json_t *word, json_t *schema, json_t *value)
{
    json_t *known = json_object_get(schema, "properties");

    for (void *at = json_object_iter(value); at; at = json_object_iter_next(value, at)) {
        const char *name = json_object_iter_key(at);
        if (json_object_get(known, name) || would_allow(q, word, json_object_iter_value(at)))
            continue;
        if (q->why)
            snprintf(q->why, WHY, "%.100s: a field that is not in the schema", name);
        return false;
    }
    return true;
}

static bool ref_rule(const struct search *q, json_t *word, json_t *schema, json_t *value)
{
    const char *name = json_string_value(word) + strlen(DEFS);

    (void)schema;
    return allows(q, json_object_get(json_object_get(q->schema->root, "$defs"), name), value);
}

static bool all_rule(const struct search *q, json_t *word, json_t *schema, json_t *value)
{
    json_t *one;

    (void)schema;
    for (size_t i = 0; (one = json_array_get(word, i)); i++)
        if (!allows(q, one, value))
            return false;
    return true;
}

static bool one_rule(const struct search *q, json_t *word, json_t *schema, json_t *value)
{
    unsigned n = 0;
    json_t *one;

    (void)schema;
    for (size_t i = 0; (one = json_array_get(word, i)); i++)
        n += would_allow(q, one, value);
    return n == 1;
}

static bool if_rule(const struct search *q, json_t *word, json_t *schema, json_t *value)
{
    json_t *next = json_object_get(schema, would_allow(q, word, value) ? "then" : "else");

    return !next || allows(q, next, value);
}

/* What stands behind a word. */
enum holds { NOTHING, SCHEMA, SCHEMAS, FIELDS };

static const struct word {
    const char *name;
    enum holds holds;
    rule *rule; /* NULL: it asks for nothing by itself */
} words[] = {
    {"$ref", NOTHING, ref_rule},
    {"type", NOTHING, type_rule},
    {"properties", FIELDS, properties_rule},
    {"required", NOTHING, required_rule},
    {"additionalProperties", SCHEMA, additional_rule},
    {"minimum", NOTHING, minimum_rule},
    {"enum", NOTHING, enum_rule},
    {"const", NOTHING, const_rule},
    {"if", SCHEMA, if_rule},
    {"then", SCHEMA, NULL},
    {"else", SCHEMA, NULL},
    {"items", SCHEMA, items_rule},
    {"minLength", NOTHING, min_length_rule},
    {"maximum", NOTHING, maximum_rule},
    {"pattern", NOTHING, pattern_rule},
    {"minItems", NOTHING, min_items_rule},
    {"maxItems", NOTHING, max_items_rule},
    {"uniqueItems", NOTHING, unique_rule},
    {"oneOf", SCHEMAS, one_rule},
    {"allOf", SCHEMAS, all_rule},
    {"dependentRequired", NOTHING, dependent_rule},
    {"$defs", FIELDS, NULL},
    {"description", NOTHING, NULL},
    {"title", NOTHING, NULL},
    {"$schema", NOTHING, NULL},
    {"$id", NOTHING, NULL},
};

static const struct word *find_word(const char *name)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (*words[i].name == *name && strcmp(words[i].name, name) == 0)
            return &words[i];
    return NULL;
}

/* A schema is an object, or false, which allows nothing, or true. */
static bool allows(const struct search *q, json_t *schema, json_t *value)
{
    if (!json_is_object(schema))
        return json_is_true(schema);
    for (void *at = json_object_iter(schema); at; at = json_object_iter_next(schema, at)) {
        const struct word *w = find_word(json_object_iter_key(at));
        if (q->why)
            *q->why = '\0';
        if (!w->rule || w->rule(q, json_object_iter_value(at), schema, value))
            continue;
        if (q->why && !*q->why)
            snprintf(q->why, WHY, "not what '%s' asks for", w->name);
        return false;
    }
    return true;
}

bool schema_allows(const struct schema *s, json_t *value, char why[SCHEMA_WHY])
{
    const struct search q = {.schema = s, .why = why};

    return allows(&q, s->root, value);
}

/*
 * Reading one
 */

static bool is_usable(struct schema *s, json_t *schema);

static bool are_usable(struct schema *s, const struct word *w, json_t *of)
{
    if (w->holds == SCHEMA)
        return is_usable(s, of);
    if (w->holds == SCHEMAS)
        for (size_t i = 0; i < json_array_size(of); i++)
            if (!is_usable(s, json_array_get(of, i)))
                return false;
    if (w->holds == FIELDS)
        for (void *at = json_object_iter(of); at; at = json_object_iter_next(of, at))
            if (!is_usable(s, json_object_iter_value(at)))
                return false;
    return true;
}

/* Takes what the regular expressions of POSIX have in common with those of schemas. */
static bool add_pattern(struct schema *s, json_t *text)
{
    const char *is = json_string_value(text);

    if (s->patterns == PATTERNS || !is || strstr(is, "\\d") || strstr(is, "(?") ||
        regcomp(&s->pattern[s->patterns].regex, is, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    s->pattern[s->patterns++].text = text;
    return true;
}

static bool is_reference(const struct schema *s, json_t *of)
{
    const char *to = json_string_value(of);

    return to && strncmp(to, DEFS, strlen(DEFS)) == 0 &&
           json_object_get(json_object_get(s->root, "$defs"), to + strlen(DEFS));
}

static bool is_usable(struct schema *s, json_t *schema)
{
    if (json_is_boolean(schema))
        return true;
    for (void *at = json_object_iter(schema); at; at = json_object_iter_next(schema, at)) {
        const struct word *w = find_word(json_object_iter_key(at));
        json_t *of = json_object_iter_value(at);
        if (!w || !are_usable(s, w, of) || (w->rule == pattern_rule && !add_pattern(s, of)) ||
            (w->rule == ref_rule && !is_reference(s, of))) {
            fprintf(stderr, "schema: '%s' is more than tests/live/schema.c knows\n",
                    json_object_iter_key(at));
            return false;
        }
    }
    return json_is_object(schema);
}

struct schema *schema_load(const char *file)
{
    struct schema *s = calloc(1, sizeof *s);
    json_error_t e;

    if (!s)
        return NULL;
    s->root = json_load_file(file, 0, &e);
    if (!s->root)
        fprintf(stderr, "schema: %s: %s\n", file, e.text);
    if (!s->root || !is_usable(s, s->root)) {
        schema_free(s);
        return NULL;
    }
    return s;
}

void schema_free(struct schema *s)
{
    for (unsigned i = 0; i < s->patterns; i++)
        regfree(&s->pattern[i].regex);
    json_decref(s->root);
    free(s);
}
