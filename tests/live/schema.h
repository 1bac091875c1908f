/*
 * Holds JSON against a schema of the kind of man/tcpwave.schema.json. The Python package jsonschema
 * does the same for every schema there is and takes half a second for the lines of one test; this
 * knows the words that our schema has, and refuses a schema with any other.
 * tests/unit/manual.sh compares the answers of both.
 */
#ifndef TCPWAVE_TESTS_SCHEMA_H
#define TCPWAVE_TESTS_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>

#define SCHEMA_WHY 512 /* bytes */

struct schema;

/* Reads a schema; NULL, with a message on standard error, if it cannot be used. */
struct schema *schema_load(const char *file);
void schema_free(struct schema *s);

/* Whether the schema allows the value; if not, `why` says which part of it is wrong. */
bool schema_allows(const struct schema *s, json_t *value, char why[SCHEMA_WHY]);

#endif
