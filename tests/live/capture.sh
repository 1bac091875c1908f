#!/bin/sh
# Checks that the capture loses nothing on a path that loses nothing, with segmentation offload as
# it is by default and with all output of each segment turned on. And where a peer sends more than
# fits, so that the capture does lose segments, tcpwave has to report that, and not that the path
# lost or reordered them.
. "$(dirname "$0")/lib.sh"
netns_enter "$@" && netns_up || exit 1
here=$(dirname "$0")
strange4=10.9.0.3 strange_mac=02:00:00:00:09:03

# judge_blame: whether no segment of the peer's is told to be out of order, or to fill a gap. (What has
# come before, the peer may repeat, if we are late to acknowledge it.) It prints what is.
judge_blame()
{
    python3 - "$tmp/out" <<'END'
import json, sys
for line in open(sys.argv[1], encoding="utf-8"):
    e = json.loads(line)
    if e["event"] == "segment" and e["dir"] == "in":
        if "out_of_order" in e["notes"] or e["retransmission"] and "repeats" not in e:
            sys.exit(line[:400])
END
}

# not_blamed NAME: what judge_blame said of the last run, and left in $blame and $tmp/blame
not_blamed()
{
    check "$1: the peer is not blamed" test $blame = no
    [ $blame = no ] || note "$(cat "$tmp/blame")"
}

# blamed NAME: asks it, first
blamed()
{
    blame=no
    judge_blame 2>"$tmp/blame" || blame=yes
    not_blamed "$1"
}

# overflowed: how many packets this machine's processors had no room for on their way to a network
# device, which is a loss on the path; it happens between two namespaces, too, where others load it
overflowed()
{
    while read -r _ dropped _; do
        echo "$dropped"
    done </proc/net/softnet_stat | tr '\n' ' '
}

# below SECONDS NAME: the run took less
below()
{
    local took
    took=$(json_get verdict time)
    check "$2: in time ($took s)" awk -v took="$took" -v most="$1" 'BEGIN { exit !(took != "" && took < most) }'
}

# lossless SECONDS NAME CMD...: where the path itself lost something meanwhile, the run is made again;
# where something came out of order, too: a timer of the peer's kernel may run on another processor,
# and what it sends may overtake
lossless()
{
    local seconds=$1 name=$2 before attempt
    shift 2
    for attempt in 1 2 3; do
        before=$(overflowed)
        try "$@"
        blame=no
        judge_blame 2>"$tmp/blame" || blame=yes
        [ "$before" != "$(overflowed)" ] || [ $blame = yes ] || break
        note "$name: attempt $attempt: $before became $(overflowed); $(cat "$tmp/blame")"
    done
    check "$name: status 0" test $status = 0
    [ $status = 0 ] || show_try
    expect_json verdict capture.dropped 0 "$name: the capture loses nothing"
    not_blamed "$name"
    below "$seconds" "$name"
}

# whole NAME
whole()
{
    check "$1: the data is whole" cmp -s "$tmp/data" "$tmp/got"
}

# On several processors a veth pair can deliver what the peer's application sent after what its timers
# and our acknowledgements caused, though it was sent before: each processor has a queue of its own.
cpu=$(taskset -cp $$ 2>/dev/null | sed 's/.*: *//;s/[-,].*//')
[ -z "$cpu" ] || taskset -cp "$cpu" $$ >/dev/null

ip neighbour add $strange4 lladdr $strange_mac dev near || exit 1
start_peer echo 7 python3 "$here/peer.py" 7 echo || exit 1
start_peer burst - python3 "$here/burst.py" far $strange4 $strange_mac
poll grep -q ready "$tmp/burst.log" || exit 1

head -c 300000 /dev/urandom >"$tmp/data"
for target in "$far4:7" "[$far6]:7"; do
    for i in 1 2 3; do
        lossless 3 "an echo of 300 kB, $target, $i" "$TCPWAVE" connect "$target" -f "$tmp/data" -o "$tmp/got" --json
        whole "an echo of 300 kB, $target, $i"
    done
done
lossless 3 "an echo of 300 kB to two files" \
    "$TCPWAVE" connect "$far4:7" -f "$tmp/data" -o "$tmp/got" --json --pcap "$tmp/pcap"
whole "an echo of 300 kB to two files"
lossless 3 "a burst of 400 segments" "$TCPWAVE" connect "$strange4:4400" -d x --close=passive --json
expect_json verdict received_bytes 584000 "a burst of 400 segments: all of it is received"

head -c 30000000 /dev/urandom >"$tmp/data"
cp "$tmp/json" "$tmp/few" # many lines more of the same kind tell the schema nothing
lossless 40 "an echo of 30 MB" "$TCPWAVE" connect "$far4:7" -f "$tmp/data" -o "$tmp/got" --json
whole "an echo of 30 MB"
cp "$tmp/few" "$tmp/json"

# A process that does not read: of 6,000 segments some hundred are lost, since that many were asked for.
# What the peer sends when it reads again lies beyond them.

# paused_again N: the peer has paused more than N times
paused_again()
{
    test "$(grep -c paused "$tmp/burst.log")" -gt "$1"
}

# unread PATTERN OPTION...: runs so, and stops at the line with our data
unread()
{
    local pattern=$1 before
    before=$(grep -c paused "$tmp/burst.log")
    shift
    : >"$tmp/out"
    background "$tmp/out" "$tmp/err" \
        "$TCPWAVE" connect "$strange4:12000" -d x --close=passive --window 32M "$@"
    poll grep -q "$pattern" "$tmp/out"
    kill -STOP $run
    poll paused_again "$before"
    kill -CONT $run
    wait $run
    status=$?
}

unread '"length":1,' --json
check "more than fits: it ends in order" test $status = 0
head -n 20 "$tmp/out" >>"$tmp/json"
grep -m 20 -e repair -e not_captured "$tmp/out" >>"$tmp/json"
expect_json verdict received_bytes 11680000 "more than fits: in the end all of it is received"
check "more than fits: the loss is counted" test "$(json_get verdict capture.dropped)" -gt 0
expect_line out '"dir":"in".*"not_captured"' "more than fits: what was lost has its row"
expect_line out '"dir":"in".*"repair"' "more than fits: what comes again for that reason is known by it"
blamed "more than fits"
unread 'len 1 ' --color=never
check "more than fits, drawn: it ends in order" test $status = 0
expect_line out 'ACK not captured seq' "more than fits, drawn: what was lost has its row"
expect_line out 'frames were lost: the capture.s buffer was full' "more than fits, drawn: the loss is counted"
check "more than fits, drawn: the peer is not blamed" \
    sh -c '! grep -Eq "fills gap|out of order" "$1"' sh "$tmp/out"

done_testing
