#!/bin/sh
# Checks faults of the host that tcpwave runs on: the wall clock is set during a run, the process is
# stopped and continued, the capture is late, the kernel has no room for what is sent, memory runs
# out. fault.c is preloaded to cause the faults that cannot be caused in another way.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/findings_lib.sh"
netns_enter "$@"
CC=${CC:-cc}
need python3 "${CC%% *}" # which may stand behind ccache
netns_up || exit 1

here=$(cd "$(dirname "$0")" && pwd)
$CC -shared -fPIC -O1 -o "$tmp/fault.so" "$here/fault.c" -ldl 2>"$tmp/cc.log" || {
    echo "# fault.c cannot be built as a shared object here: $(head -n 1 "$tmp/cc.log")"
    exit 77
}
head -c 400000 /dev/urandom >"$tmp/data"
start_peer echo 7 python3 "$here/peer.py" 7 echo
start_peer discard 9 python3 "$here/peer.py" 9 discard
start_peer large 10 python3 "$here/peer.py" 10 large

# What is preloaded raises signals and writes a file inside the process, which the sandbox stops: each
# run that has it is given --no-sandbox.

fault=$tmp/fault.so

# faulty FAULT=VALUE... CMD...: the program alone has them, not what starts it
faulty()
{
    local faults=
    while case $1 in FAULT_*) true ;; *) false ;; esac do
        faults="$faults $1"
        shift
    done
    try sh -c 'faults=$1; shift; exec env LD_PRELOAD='"$fault"' $faults "$@"' sh "$faults" "$@" --no-sandbox
}

ended()
{
    check "$2: status $1" test "$status" = "$1"
    [ "$status" = "$1" ] || show_try
}

none_left()
{
    ! peer ss -Htan | grep -Evq '^(LISTEN|TIME-WAIT)'
}

# Every time and duration in what was told is one that a run of this length can have.
sane_times()
{
    check "$1: no time in it is negative or absurd" python3 - "$tmp/out" "$2" <<'END'
import json, sys
def durations(value, name=""):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from durations(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from durations(inner, name)
    elif isinstance(value, float) or name == "time":
        yield name, value
last = 0
for line in open(sys.argv[1], encoding="utf-8"):
    event = json.loads(line)
    for name, value in durations(event):
        assert 0 <= value < float(sys.argv[2]) or "rate" in name, (name, value, line)
    assert event["time"] >= last - 0.1, (last, line)
    last = event["time"]
END
}

# The wall clock.

for by in 3600000 -3600000; do
    name="the clock set by $by ms"
    faulty FAULT_CLOCK=300:$by "$TCPWAVE" keepalive "$far4:9" --garbage --idle 200ms --interval 400ms \
        --for 1500ms --json --pcap "$tmp/clock.pcapng"
    ended 0 "$name, keepalive"
    sane_times "$name, keepalive" 10
    expect_json verdict keepalive.answered "$(json_get verdict keepalive.sent)" \
        "$name, keepalive: every probe was answered"
    faulty FAULT_CLOCK=100:$by "$TCPWAVE" connect "$far4:7" -f "$tmp/data" -o "$tmp/got" --hold 400ms --json
    ended 0 "$name, connect"
    sane_times "$name, connect" 10
    check "$name, connect: the data is whole" cmp -s "$tmp/data" "$tmp/got"
    finds clock-stepped info proved "$name, connect"
    faulty FAULT_CLOCK=200:$by "$TCPWAVE" load "$far4:7" --connections 300 --rate 600 -d hello --json
    ended 0 "$name, load"
    sane_times "$name, load" 10
    faulty FAULT_CLOCK=250:$by "$TCPWAVE" send "$far4:9" --count 6 --interval 100ms --json
    ended 0 "$name, send"
    sane_times "$name, send" 10
    expect_json verdict send.answered 6 "$name, send: all were answered in time"
done

# It is adjusted a little, as time services do.
for target in "$far4:7" "[$far6]:7"; do
    faulty FAULT_CLOCK=100:40 "$TCPWAVE" connect "$target" -d hello --hold 400ms --json
    ended 0 "$target, the clock is adjusted by 40 ms"
    finds_no clock-stepped "$target, the clock is adjusted by 40 ms"
    faulty FAULT_CLOCK=100:-400 "$TCPWAVE" connect "$target" -d hello --hold 400ms --json
    ended 0 "$target, the clock is set by 0.4 s"
    finds clock-stepped info proved "$target, the clock is set by 0.4 s"
done

# The process is stopped right after it has sent something, and goes on when the answer has long been
# there and every timer has run out.

# stopped AFTER SECONDS CMD...
stopped()
{
    local after=$1 seconds=$2 pid
    shift 2
    background "$tmp/out" "$tmp/err" env LD_PRELOAD="$fault" FAULT_STOP=$after "$@" --no-sandbox
    pid=$run
    poll grep -q '^State:.T' /proc/$pid/status
    sleep "$seconds"
    kill -CONT $pid
    wait $pid
    status=$?
    case " $* " in
    *" --json "*) cat "$tmp/out" >>"$tmp/json" ;;
    esac
}

stopped 3 2 "$TCPWAVE" keepalive "$far4:9" --garbage --idle 300ms --interval 300ms --count 1 --for 3 --json
ended 0 "stopped during a probe"
sane_times "stopped during a probe" 20
expect_json verdict keepalive.answered "$(json_get verdict keepalive.sent)" \
    "stopped during a probe: every probe was answered"
stopped 3 2 "$TCPWAVE" connect "$far4:7" -d hello --give-up 1 --json
ended 0 "stopped with data under way"
expect_json verdict retransmissions 0 "stopped with data under way: none of it is sent again"
sane_times "stopped with data under way" 20
stopped 1 2 "$TCPWAVE" connect "$far4:7" --syn-retries 0 --json
ended 0 "stopped during the handshake"
for sent in 1 2 3 4; do # the SYNs are sent with the first two calls, the data with the third
    stopped $sent 2 "$TCPWAVE" load "$far4:7" -d hello --connections 20 --give-up 1 --json
    ended 0 "load, stopped when it has sent $sent times"
    expect_json verdict connections.lost 0 "load, stopped when it has sent $sent times: none is lost"
    sane_times "load, stopped when it has sent $sent times" 20
done

# The capture is not emptied for a second, and loses nothing: no more was invited than it can keep. One
# frame a segment, so that they are many.
if peer ip link set far gso_max_segs 1 2>/dev/null; then
    stopped 60 1 "$TCPWAVE" connect "$far4:10" -o "$tmp/got" --close=passive --timeout 30 --json
    ended 0 "stopped while it receives"
    python3 -c 'import sys; sys.stdout.buffer.write(bytes(i & 255 for i in range(250)) * 32000)' >"$tmp/large"
    expect_json verdict capture.dropped 0 "stopped while it receives: the capture loses nothing"
    check "stopped while it receives: the data is whole" cmp -s "$tmp/large" "$tmp/got"
else
    skip "stopped while it receives" "this ip(8) cannot keep the kernel from joining segments"
fi

# Sending.

faulty FAULT_SEND=3 "$TCPWAVE" connect "$far4:7" -f "$tmp/data" -o "$tmp/got" --json
ended 0 "no room now and then"
check "no room now and then: the data is whole" cmp -s "$tmp/data" "$tmp/got"
check "no room now and then: it is counted" test "$(json_get verdict outgoing.no_room)" -gt 0
faulty FAULT_SEND=2 "$TCPWAVE" connect "$far4:7" -f "$tmp/data" -o "$tmp/got"
ended 0 "no room every other time"
check "no room every other time: the data is whole" cmp -s "$tmp/data" "$tmp/got"
expect_line out 'the kernel had no room [0-9]+ times?' "no room every other time: it is said"
faulty FAULT_SEND=4 "$TCPWAVE" load "$far4:7" -d hello --connections 500 --json
ended 0 "load, no room now and then"
check "load, no room now and then: it is counted" test "$(json_get verdict outgoing.no_room)" -gt 0
faulty FAULT_SEND_ALL=50 "$TCPWAVE" load "$far4:7" -d hello --connections 300 --rate 1500
ended 0 "load, no room for a while"
expect_line out '300 as asked' "load, no room for a while: every connection went as asked"
expect_line out 'the kernel had no room [0-9]+ times?' "load, no room for a while: it is said"
faulty FAULT_SEND=2 "$TCPWAVE" send "$far4:9" --count 40 --interval 5ms --json
ended 0 "send, no room now and then"
expect_json verdict send.answered 40 "send, no room now and then: every segment went out"
check "send, no room now and then: it is counted" test "$(json_get verdict outgoing.no_room)" -gt 0

# Memory. One allocation fails; then all from one on.

# side_by_side FIRST LAST STEP FUNCTION ARGUMENT...: FUNCTION N ARGUMENT... for each N, four at a time; each
# of the four has a $tmp of its own and its number, from 0 to 3, in $lane. What they print is in $tmp/bad; their
# lines of --json, which memory may have ended, are not held against the schema
side_by_side()
{
    local first=$1 last=$2 step=$3 function=$4 lane lanes= n
    shift 4
    for lane in 0 1 2 3; do
        mkdir -p "$tmp/lane$lane"
        (
            tmp=$tmp/lane$lane
            pids=
            n=$((first + lane * step))
            while [ $n -le "$last" ]; do
                "$function" "$n" "$@"
                n=$((n + 4 * step))
            done
        ) >"$tmp/lane$lane/bad" 9>&- &
        lanes="$lanes $!"
    done
    pids="$pids $lanes"
    wait $lanes
    cat "$tmp"/lane?/bad >"$tmp/bad"
    cat "$tmp"/lane?/alarms >>"$tmp/alarms" 2>/dev/null
    rm -r "$tmp"/lane?
}

# told_why N: the run N ended well, or says with status 3 that it is for memory
told_why()
{
    case $status in
    0) ;;
    3) grep -Eiq 'memory|malloc|enough' "$tmp/out" "$tmp/err" || echo "$1:silent" ;;
    *) echo "$1:$status" ;;
    esac
}

# all_told NAME: none of the runs printed anything else
all_told()
{
    check "$1" test ! -s "$tmp/bad"
    [ ! -s "$tmp/bad" ] || note "these did not: $(tr '\n' ' ' <"$tmp/bad")"
}

# starve N FAULT CMD...
starve()
{
    local n=$1 how=$2
    shift 2
    faulty "$how=$n" "$@"
    told_why "$n"
}

# starved NAME STEP CMD...: every STEPth allocation, each in a run of its own
starved()
{
    local name=$1 step=$2 how count
    shift 2
    faulty FAULT_MEMORY_COUNT="$tmp/count" "$@"
    ended 0 "$name, memory enough"
    count=$(cat "$tmp/count")
    for how in FAULT_MEMORY FAULT_MEMORY_ALL; do
        [ $how = FAULT_MEMORY ] || step=$((3 * step))
        side_by_side 1 "$count" $step starve $how "$@"
        all_told "$name, $how up to $count: each run succeeds, or says why with status 3"
        check "$name, $how: no connection is left" poll none_left
    done
}

# A listener for one client at a time: whichever allocation fails, it serves the next client.

# serving N: clients come one after the other until it has served one; the Nth allocation fails. With
# serving FILE _COUNT none does, and FILE has how many there were
serving()
{
    local pid port=$((5001 + ${lane:-0}))
    background "$tmp/out" "$tmp/err" env LD_PRELOAD="$fault" "FAULT_MEMORY${2:-}=$1" \
        "$TCPWAVE" listen "$near4:$port" --max 1 --connections 1 -q --timeout 6 --no-sandbox
    pid=$run
    while kill -0 $pid 2>/dev/null; do
        peer timeout 1 python3 "$here/kernel_client.py" $near4 $port say 5 >/dev/null 2>&1
    done
    wait $pid
    status=$?
}

# served N: without enough memory for the Nth allocation
served()
{
    serving "$1"
    told_why "$1"
}

serving "$tmp/count" _COUNT
ended 0 "listen --max 1, memory enough"
count=$(cat "$tmp/count")
side_by_side $((count - 12)) "$count" 1 served
all_told "listen --max 1, FAULT_MEMORY up to $count: a place is never lost"

starved "connect" 1 "$TCPWAVE" connect "$far4:7" -d hello -q --linger 300ms --timeout 6
starved "connect --json" 37 "$TCPWAVE" connect "$far4:7" -d hello --json --linger 300ms --timeout 6
starved "load" 4 "$TCPWAVE" load "$far4:7" -d hello --connections 3 -q --timeout 4
starved "send" 4 "$TCPWAVE" send "$far4:9" --count 1 -q --timeout 4

done_testing
