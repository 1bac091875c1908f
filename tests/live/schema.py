#!/usr/bin/env python3
"""Checks JSON Lines against the schema: schema.py SCHEMA FILE

Each line must be an object that the schema allows. For the first few that are not, it prints what
is wrong with them, and exits with 1. It exits with 77 where python3-jsonschema is missing.
"""

import json
import sys

try:
    from jsonschema import Draft202012Validator
except ImportError:
    print("python3-jsonschema is not installed")
    sys.exit(77)

SHOWN = 5


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    wrong = 0
    with open(sys.argv[2], encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
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
