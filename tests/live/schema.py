#!/usr/bin/env python3
"""Holds JSON Lines against the schema, or the schema against what a schema may be:

    schema.py SCHEMA FILE
    schema.py SCHEMA

Each line has to be an object that the schema allows. Says of the first few that are not what is
wrong with them, and exits 1; 77 where python3-jsonschema is missing. To look at the schema itself
takes longer than a run's lines do, and is done once, by tests/unit/manual.sh.

A run writes thousands of lines that differ in their numbers alone, and the validator takes a
millisecond for each. Of a number the schema asks what type it has, on which side of a bound it lies,
and whether another item of its list equals it; so lines that agree in that, and in everything that is
not a number, get one answer.
"""

import bisect
import json
import sys

try:
    from jsonschema import Draft202012Validator
except ImportError:
    print("python3-jsonschema is not installed")
    sys.exit(77)

SHOWN = 5


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def bounds_in(schema):
    """Every number that stands in the schema."""
    if isinstance(schema, dict):
        if "multipleOf" in schema:
            sys.exit("the schema asks more of a number than schema.py compares")
        schema = list(schema.values())
    if isinstance(schema, list):
        return {bound for part in schema for bound in bounds_in(part)}
    return {schema} if is_number(schema) else set()


def likeness(value, bounds):
    """What the schema can see of a value: equal for two values, its answer is the same."""
    if isinstance(value, dict):
        return tuple((key, likeness(inner, bounds)) for key, inner in value.items())
    if isinstance(value, list):
        return "list", *((likeness(inner, bounds), value.index(inner)) for inner in value)
    if is_number(value):
        return value == value // 1, bisect.bisect_left(bounds, value), bisect.bisect_right(bounds, value)
    return repr(value)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    if len(sys.argv) == 2:
        Draft202012Validator.check_schema(schema)
        return
    validator = Draft202012Validator(schema)
    bounds = sorted(bounds_in(schema))
    answers = {}
    wrong = 0
    with open(sys.argv[2], encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                event = json.loads(line)
                key = likeness(event, bounds)
                if key not in answers:
                    answers[key] = [error.message for error in validator.iter_errors(event)]
                errors = answers[key]
            except ValueError as error:
                errors = [str(error)]
            if errors:
                wrong += 1
                if wrong <= SHOWN:
                    print(f"line {number}: {'; '.join(errors)}: {line.strip()[:500]}")
    if wrong:
        print(f"{wrong} lines are not as the schema has them")
        sys.exit(1)


main()
