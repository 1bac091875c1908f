#!/bin/sh
# Measures what findings, and rules of --impair, cost for each segment of a bulk transfer, in
# instructions, which callgrind counts: they are the same in every run, however busy the machine is.
# It judges nothing.
: "${TCPWAVE:=$PWD/tcpwave}"
: "${NO_FINDINGS:=$PWD/tests/bench/no_findings}"
here=$(cd "$(dirname "$0")" && pwd)
for tool in python3 valgrind; do
    command -v $tool >/dev/null || {
        echo "findings: $tool is not installed"
        exit 77
    }
done
exec python3 "$here/findings.py" "$TCPWAVE" "$NO_FINDINGS"
