#!/usr/bin/env python3
"""What the package jsonschema says of the schema and of JSON Lines:

    schema.py SCHEMA                  whether the schema is one
    schema.py SCHEMA FILE             whether each line of FILE is an object that it allows
    schema.py SCHEMA FILE PROGRAM     whether PROGRAM, which is json_schema, gives the same answers, of the
                                      lines of FILE, which has each kind of them, and of what a single
                                      change makes of these

Says of the first few that are not what is wrong with them, and exits 1; 77 where python3-jsonschema is
missing. It takes half a second and more: tests hold their lines against the schema with json_schema,
and this is asked where that has not been built, and of json_schema itself.
"""

import itertools
import json
import subprocess
import sys
import tempfile

try:
    from jsonschema import Draft202012Validator
except ImportError:
    print("python3-jsonschema is not installed")
    sys.exit(77)

SHOWN = 5


# What stands in the place of a value, one after the other: each type, and numbers on both sides of the schema's bounds.
OTHERS = (None, "", -1, True, 0, "x", 255, 256, [], 1.5, "none", 65536, {}, 2**32, [1, 1], "00", 2.0, 1)


def places(value, path):
    """Each object and list within a value that has something in it, with the path to it."""
    if isinstance(value, (dict, list)) and value:
        yield value, path
        for key, inner in value.items() if isinstance(value, dict) else ((0, inner) for inner in value):
            yield from places(inner, (*path, key))


def changed(event, seen, others):
    """All that one change makes of an event, at places that were not seen; it holds until the next one."""
    known = len(seen)
    for place, path in places(event, (event["event"],)):
        for key in list(place) if isinstance(place, dict) else [0]:
            if (*path, key) in seen:
                continue
            seen.add((*path, key))
            was = place[key]
            place[key] = next(others)
            yield event
            if isinstance(place, dict):
                del place[key]
                yield event
            place[key] = was
        if path in seen:
            continue
        seen.add(path)
        if isinstance(place, dict):
            place["surplus"] = 1
            yield event
            del place["surplus"]
        else:
            place.append(place[0])
            yield event
            place.pop()
    if len(seen) > known:
        yield event


def compare(validator, events, program):
    """The answers of the program and of the validator."""
    seen, others = set(), itertools.cycle(OTHERS)
    lines = [json.dumps(line) for event in events for line in changed(event, seen, others)]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        run = subprocess.run([program, "-a", sys.argv[1], file.name], stdout=subprocess.PIPE, text=True, check=True)
    told = run.stdout.split()
    answers = ["yes" if validator.is_valid(json.loads(line)) else "no" for line in lines]
    wrong = [f"{told}, but {answer}: {line}" for line, told, answer in zip(lines, told, answers) if told != answer]
    kinds = {event["event"] for event in events}
    print(f"{len(lines)} lines of {len(kinds)} kinds, {answers.count('yes')} are allowed, {len(wrong)} answers differ")
    wrong += [f"no line is of kind {kind}" for kind in set(validator.schema["properties"]["event"]["enum"]) - kinds]
    print("\n".join(wrong[:SHOWN]))
    sys.exit(1 if wrong or len(told) != len(lines) else 0)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    validator = Draft202012Validator(schema)
    if len(sys.argv) == 2:
        Draft202012Validator.check_schema(schema)
        return
    with open(sys.argv[2], encoding="utf-8") as file:
        lines = file.readlines()
    if len(sys.argv) == 4:
        compare(validator, [json.loads(line) for line in lines], sys.argv[3])
    wrong = 0
    for number, line in enumerate(lines, 1):
        try:
            errors = [error.message for error in validator.iter_errors(json.loads(line))]
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
