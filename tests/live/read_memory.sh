#!/bin/sh
# The memory of `read` is bounded: a half-open flow takes what the manual says and no more, and from
# 65536 flows on nothing grows. make_capture writes the flows into a pipe, as fast as they are read.
netns_how='-Urnm -nm'
. "$(dirname "$0")/lib.sh"
netns_enter "$@"
: "${MAKE_CAPTURE:=$PWD/tests/bench/make_capture}"
need python3
[ -x "$MAKE_CAPTURE" ] || {
    echo "# $MAKE_CAPTURE is not built"
    exit 77
}
nm "$TCPWAVE" 2>/dev/null | grep -q __asan_init && {
    echo "# a sanitizer needs memory of its own"
    exit 77
}

# memory FLOWS HALF_OPEN: the most memory that read has while it reads them, in KiB. It follows them
# all, and shows the first one.
memory()
{
    timeout 60 python3 - "$tmp/out" "$MAKE_CAPTURE" "$1" "$2" \
        "$TCPWAVE" read --json --flow 1 - <<'EOF'
import os, subprocess, sys
out, make, flows, half_open, *command = sys.argv[1:]
maker = subprocess.Popen([make, flows, half_open], stdout=subprocess.PIPE)
with open(out, "wb") as to:
    reader = subprocess.Popen(command, stdin=maker.stdout, stdout=to)
    maker.stdout.close()
    _, status, usage = os.wait4(reader.pid, 0)
maker.wait()
print(usage.ru_maxrss if status == 0 and maker.returncode == 0 else "failed")
EOF
}

# between NAME LEAST VALUE MOST
between()
{
    check "$1" test "$2" -le "$3" -a "$3" -le "$4"
    note "$3 KiB, of $2 to $4"
}

each=1536 # bytes of a flow, as tcpwave-read(1) has it
few=$(memory 0 100)
some=$(memory 0 20100)
between "20,000 half-open flows take $each bytes each" 20000 $((some - few)) $((20000 * each / 1024 + 3072))
expect_json verdict read.flows.seen 20100 "all of them are read"
expect_json verdict read.flows.forgotten 0 "none is forgotten"

full=$(memory 0 70000)
most=$(memory 0 100000)
between "what does not fit into the table takes nothing" 0 $((most > full ? most - full : 0)) 1024
between "the whole of it is within the bound of the manual" 65536 "$most" 131072
expect_json verdict read.flows.seen 100000 "all of them are read"
expect_json verdict read.flows.at_once 65536 "65536 at a time"
expect_json verdict read.flows.forgotten $((100000 - 65536)) "the others are forgotten, and counted"

over=$(memory 70000 0)
between "so is that of flows that are over" 65536 "$over" 131072
expect_json verdict read.flows.seen 70000 "all of them are read"
expect_json verdict read.flows.forgotten 0 "none is forgotten before it is over"

done_testing
