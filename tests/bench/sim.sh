#!/bin/sh
# Measures how many segments a second whole commands handle on a simulated network, on one core: bulk
# data by connect, and short connections by load. A segment counts once, when it was sent by one side
# and received by the other. Each is held against the two engines alone in the same run
# (engine_bench.c, stack_bench.c), since the machine's speed varies: the ratio is what the loop, the
# session and the network cost beside them. It judges nothing.
: "${TCPWAVE:=$PWD/tcpwave}"
: "${ENGINE_BENCH:=$PWD/tests/bench/engine_bench}"
: "${STACK_BENCH:=$PWD/tests/bench/stack_bench}"
here=$(cd "$(dirname "$0")" && pwd)
command -v python3 >/dev/null || {
    echo "sim: python3 is not installed"
    exit 77
}
exec python3 "$here/sim.py" "$TCPWAVE" "$ENGINE_BENCH" "$STACK_BENCH"
