#!/bin/sh
# Checks tcpwave load: its counts against those of the servers, and that it leaves nothing behind.
# Rate, time, losses and each way to end are in tests/unit/test_cmd_load.c.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/findings_lib.sh"
netns_enter "$@"
need nft python3 ss
netns_up || exit 1

here=$(cd "$(dirname "$0")" && pwd)

peer nft -f - <<'END'
table inet test {
    chain in {
        type filter hook input priority 0;
        tcp dport 99 drop
    }
}
END

# serve NAME PORT HABIT [BACKLOG]
serve()
{
    start_peer "$1" "$2" python3 "$here/counter.py" "$2" "$3" ${4:-}
}

# served NAME FIELD: what that server counted, once it has been stopped
served()
{
    sed -n "s/.*$2=\([0-9]*\).*/\1/p" "$tmp/$1.log"
}

# counts NAME OPENED OPEN REFUSED DROPPED REJECTED RESET LOST FAILED: of the last run
counts()
{
    local name=$1 key
    shift
    for key in opened open refused dropped rejected reset lost failed; do
        expect_json verdict connections.$key "$1" "$name: $key"
        shift
    done
}

# nothing_open PORT: the peer's kernel has no connection of that port but in TIME_WAIT
nothing_open()
{
    test "$(peer ss -Htan state connected exclude time-wait "sport = :$1" | wc -l)" = 0
}

# Counts, IPv4 and IPv6, few and many at a time.
serve discard 80 discard
for target in "$far4" "[$far6]"; do
    for at_once in 1 16 300; do
        name="$target, $at_once at a time"
        expect_status 0 "$name: status 0" "$TCPWAVE" load --json --connections 600 \
            --concurrency $at_once "$target:80"
        counts "$name" 600 600 0 0 0 0 0 0
        expect_json verdict latency.handshake.count 600 "$name: each handshake was timed"
        expect_json verdict latency.close.count 600 "$name: each close was timed"
        expect_json verdict capture.dropped 0 "$name: nothing was lost on the way to us"
    done
done
stop discard
check "the server accepted as many" test "$(served discard accepted)" = 3600
check "the server saw as many closes" test "$(served discard finished)" = 3600
check "the server saw no errors" test "$(served discard errors)" = 0

# Data and answers.
serve echo 81 echo
expect_status 0 "data: status 0" "$TCPWAVE" load --json --connections 200 --concurrency 20 \
    -d 'hello\r\n' "$far4:81"
counts data 200 200 0 0 0 0 0 0
expect_json verdict sent_bytes 1400 "data: bytes sent"
expect_json verdict received_bytes 1400 "data: bytes received"
expect_json verdict latency.first_byte.count 200 "data: each first byte was timed"
stop echo
check "data: the server got each byte" test "$(served echo bytes)" = 1400

# The other closes.
serve first 82 close
expect_status 0 "passive: status 0" "$TCPWAVE" load --json --connections 100 --concurrency 10 \
    --close=passive "$far4:82"
counts passive 100 100 0 0 0 0 0 0
serve rst 83 discard
expect_status 0 "abort: status 0" "$TCPWAVE" load --json --connections 100 --concurrency 10 \
    --close=abort "$far4:83"
counts abort 100 100 0 0 0 0 0 0
check "abort: nothing is left at the peer" poll nothing_open 83
expect_status 0 "vanish: status 0" "$TCPWAVE" load --json --connections 10 --concurrency 10 \
    --close=vanish "$far4:83"
counts vanish 10 10 0 0 0 0 0 0
stop rst
check "abort, vanish: the server accepted each" test "$(served rst accepted)" = 110

# Four rounds over the same ports, whose last connections the peer still has in TIME_WAIT.
expect_status 0 "ports again: status 0" "$TCPWAVE" load --json --connections 400 --concurrency 8 \
    --source-port 65436 --close=passive "[$far6]:82"
counts "ports again" 400 400 0 0 0 0 0 0
ports=$(peer ss -Htan state time-wait "sport = :82 and dport >= :65436" | wc -l)
check "ports again: the peer keeps TIME_WAIT over fewer ports than connections" test "$ports" = 100
stop first
check "passive, ports again: the server accepted each" test "$(served first accepted)" = 500

# A mix: each target gets its share, and none hides another.
serve open 84 discard
serve reset 85 reset
findings=closed-at-once
expect_status 1 "mix: status 1" "$TCPWAVE" load --json --connections 40 --concurrency 40 \
    --syn-retries 0 -d x "$far4:84" "$far4:85" "$far4:98" "$far4:99"
findings=
counts mix 40 10 10 10 0 10 0 0
expect_json verdict verdict failed "mix: verdict"
expect_line out '"code":"closed-at-once","severity":"warning".*on 10 of 40 connections the peer reset' \
    "mix: what resets at once is named, and explains a third of the failures only"
stop open
stop reset
check "mix: the server saw its share" test "$(served open finished)" = 10
peer nft 'add rule inet test in tcp dport 97 reject with icmp type admin-prohibited'
findings=icmp-error
expect_status 1 "rejected: status 1" "$TCPWAVE" load --json --connections 10 --concurrency 3 "$far4:97"
findings=
counts rejected 10 0 0 0 10 0 0 0
finds icmp-error problem proved rejected

# A server that has stopped accepting: its queue fills, and then it drops.
serve deaf 86 deaf 4
expect_status 1 "deaf server: status 1" "$TCPWAVE" load --json --connections 60 --concurrency 60 \
    --syn-retries 1 --give-up 2s --linger 500ms "$far4:86"
check "deaf server: what its queue did not hold was not let in" \
    test "$(json_get verdict connections.open)" -le 10
check "deaf server: each was counted once" python3 - "$tmp/out" <<'END'
import json, sys
verdict = json.loads(open(sys.argv[1]).read().splitlines()[-1])
counts = verdict["connections"]
sys.exit(sum(n for name, n in counts.items() if name not in ("opened", "now")) != counts["opened"])
END
stop deaf

# Several sources, several targets, and this host itself.
ip address add 10.9.0.11/24 dev near
ip address add 10.9.0.12/24 dev near
peer ip address add 10.9.0.22/24 dev far
serve many 88 discard
expect_status 0 "pairs: status 0" "$TCPWAVE" load --json --connections 300 --concurrency 30 \
    -s 10.9.0.11 -s 10.9.0.12 "$far4:88" 10.9.0.22:88
counts pairs 300 300 0 0 0 0 0 0
stop many
check "pairs: the server accepted each" test "$(served many accepted)" = 300
start_near here 89 python3 "$here/counter.py" 89 discard
expect_status 0 "lo: status 0" "$TCPWAVE" load --json --connections 200 --concurrency 20 127.0.0.1:89
counts lo 200 200 0 0 0 0 0 0
stop here

# interrupt NAME PORT [SIGNALS]: at full speed; $status is what came of it
interrupt()
{
    local run n=0
    : >"$tmp/out"
    background "$tmp/out" "$tmp/err" \
        "$TCPWAVE" load --json --concurrency 200 --timeout 60 ${4:-} "$far4:$2"
    poll grep -q progress "$tmp/out"
    while [ $n -lt "${3:-1}" ]; do
        kill -INT $run
        n=$((n + 1))
        sleep 0.3
    done
    wait $run
    status=$?
    check "$1: status 130" test $status = 130
    expect_json verdict exit 130 "$1: exit in JSON"
    check "$1: nothing is left at the peer" poll nothing_open "$2"
}

serve busy 90 discard
interrupt "Ctrl-C" 90
check "Ctrl-C: many had ended well" test "$(json_get verdict connections.open)" -gt 200
check "Ctrl-C: none was reset" test "$(json_get verdict connections.reset)" = 0
stop busy
check "Ctrl-C: the server saw no more than were opened" \
    test "$(served busy accepted)" -le "$(json_get verdict connections.opened)"
serve holding 91 hold
interrupt "two of them" 91 2 "--hold 1h"
stop holding

# A peer that goes on sending to our ports does not delay the end of a run that was stopped.
start_peer nagging - timeout 60 python3 "$here/repeated_syn.py" far $near4 45000
"$TCPWAVE" load --json --connections 20 --concurrency 5 --hold 1h -p 45000 --timeout 300ms "$far4:92" \
    >"$tmp/out" 2>"$tmp/err" &
nagged=$!
pids="$pids $nagged"
gone()
{
    ! kill -0 $nagged
}
check "segments for ever: the run ends all the same" poll gone
stop nagging

# A run that is told to end by time alone.
serve timed 92 discard
expect_status 0 "timeout: status 0" "$TCPWAVE" load --json --concurrency 10 --rate 50 --timeout 1.2s "$far4:92"
expect_json verdict verdict open "timeout: is how it was meant to end"
check "timeout: nothing is left at the peer" poll nothing_open 92

# The ports. The peer is one that keeps TIME_WAIT by the letter, see timewait.py.
strict=10.9.0.77
ip neigh replace $strict lladdr $far_mac dev near
start_peer strict - python3 "$here/timewait.py" far $strict

# range LOW HIGH RESERVED: what the kernel may choose local ports from
range()
{
    echo "$1 $2" >/proc/sys/net/ipv4/ip_local_port_range
    echo "$3" >/proc/sys/net/ipv4/ip_local_reserved_ports
}

# syns PORT: the ports from which SYNs came to that one, since look() was called
look()
{
    seen=$(wc -l <"$tmp/strict.log")
}
syns()
{
    tail -n +$((seen + 1)) "$tmp/strict.log" | sed -n "s/^$1 //p"
}

look
expect_status 0 "ports in turn: status 0" "$TCPWAVE" load --json --connections 200 --concurrency 10 \
    --close=passive $strict:601
counts "ports in turn" 200 200 0 0 0 0 0 0
expect_json verdict ports.local 200 "ports in turn: one for each connection"
expect_json verdict ports.reused 0 "ports in turn: none was used twice"
check "ports in turn: 200 SYNs from 200 ports" \
    test "$(syns 601 | wc -l) $(syns 601 | sort -u | wc -l)" = "200 200"

range 41001 41100 ""
expect_status 1 "range used up: status 1" "$TCPWAVE" load --json --connections 150 --concurrency 10 \
    --close=passive $strict:601
counts "range used up" 150 100 50 0 0 0 0 0
expect_json verdict ports.local 100 "range used up: all of its ports were used"
check "range used up: other ports were tried before one was called refused" \
    test "$(json_get verdict ports.refused)" -ge 200
expect_line out 'may still have had in TIME_WAIT' "range used up: the message says why"

look
expect_status 0 "another port: status 0" "$TCPWAVE" load --json --connections 150 --concurrency 1 \
    --close=passive $strict:602
counts "another port" 150 150 0 0 0 0 0 0
check "another port: some were refused at first" test "$(json_get verdict ports.refused)" -ge 10
check "another port: as many SYNs more" \
    test "$(syns 602 | wc -l)" = $((150 + $(json_get verdict ports.refused)))
check "another port: each port was used before one was used again" \
    test "$(syns 602 | head -n 100 | sort -u | wc -l)" = 100
range 41301 41400 ""
expect_status 0 "another port, for people: status 0" "$TCPWAVE" load --connections 103 --concurrency 1 \
    --close=passive $strict:602
expect_line out '^ports +100 local; [34] SYNs from one that the peer may still have had in TIME_WAIT, [01] of them' \
    "another port, for people: says how many ports there are"
look

expect_status 1 "closed: status 1" "$TCPWAVE" load --json --connections 150 --concurrency 10 $strict:604
counts closed 150 0 150 0 0 0 0 0
expect_json verdict ports.refused 0 "closed: a RST over a port without a past is believed"
check "closed: no SYN more than connections" test "$(syns 604 | wc -l)" = 150
check "closed: nothing is said of TIME_WAIT" test -z "$(grep TIME_WAIT "$tmp/out")"

# Reserved ports, and a range that is too small.
range 42000 42019 42005-42009,42012
look
expect_status 0 "reserved ports: status 0" "$TCPWAVE" load --json --connections 60 --concurrency 14 $strict:605
expect_json verdict ports.local 14 "reserved ports: what remains of the range"
check "reserved ports: none of them was used" test "$(syns 605 | sort -u | tr '\n' ' ')" = \
    "42000 42001 42002 42003 42004 42010 42011 42013 42014 42015 42016 42017 42018 42019 "
expect_status 3 "range too small: status 3" "$TCPWAVE" load --concurrency 15 $strict:605
expect_line err '15 local ports .* there are 14 from 42000 to 42019 \(net.ipv4.ip_local_port_range' \
    "range too small: says so"
look
expect_status 0 "named port: status 0" "$TCPWAVE" load --json --connections 15 --concurrency 15 -p 42005 $strict:605
check "named port: it and those behind it, but for reserved ones" test "$(syns 605 | sort -u | tr '\n' ' ')" = \
    "42005 42010 42011 42013 42014 42015 42016 42017 42018 42019 42020 42021 42022 42023 42024 "
look
expect_status 0 "send over several ports: status 0" "$TCPWAVE" send --flags S --ports 7 --count 14 --interval 10ms $strict:605
check "send over several ports: none of them is reserved" test "$(syns 605 | sort -u | tr '\n' ' ')" = \
    "42013 42014 42015 42016 42017 42018 42019 "
expect_status 3 "send over more ports than lie side by side: status 3" "$TCPWAVE" send --flags S --ports 8 $strict:605
expect_line err 'ip_local_port_range' "send over more ports than lie side by side: says so"
range 32768 60999 ""

# --timeout. The run ends then and not later, and verdict, message and counts agree.

# timed NAME STATUS ARGUMENT...: for two seconds
timed()
{
    local name=$1 wanted=$2 began
    shift 2
    began=$(date +%s%N)
    expect_status "$wanted" "$name: status $wanted" "$TCPWAVE" load --json --timeout 2 "$@"
    took=$((($(date +%s%N) - began) / 1000000))
    check "$name: ends after two seconds and not later (in $took ms)" test "$took" -lt 2600
}

timed "frozen peer" 1 --concurrency 20 $strict:603
expect_json verdict verdict failed "frozen peer: verdict"
failed=$(json_get verdict connections.failed)
check "frozen peer: those without an answer count" test "$failed" -gt 0
expect_line out "$failed of $(json_get verdict connections.opened) connections did not go as asked, $failed of them still waiting for an answer" \
    "frozen peer: the message says the same"
timed "peer that goes along" 0 --concurrency 20 --rate 200 $strict:605
expect_json verdict verdict open "peer that goes along: verdict"
expect_json verdict connections.failed 0 "peer that goes along: nothing failed"
expect_line out 'the timeout of 2.00 s ran out; all of [0-9,]+ connections went as asked' \
    "peer that goes along: the message says the same"
stop strict

# For people.
expect_status 0 "table: status 0" "$TCPWAVE" load -v --connections 10 "$far4:92"
expect_line out '^latency +p50 +p90 +p99 +p99.9 +max$' "table: percentiles"
expect_line out '^connections 10 opened .* 10 as asked$' "table: counts"
expect_line out '^memory: .* for 10 connections' "table: memory with -v"
expect_status 0 "quiet: status 0" "$TCPWAVE" load -q --connections 10 "$far4:92"
check "quiet: says nothing" test ! -s "$tmp/out" -a ! -s "$tmp/err"
expect_status 0 "pcap: status 0" "$TCPWAVE" load -q --connections 5 --pcap "$tmp/load.pcapng" "$far4:92"
check "pcap: the packets are there" test "$(wc -c <"$tmp/load.pcapng")" -gt 1000
stop timed

# What cannot be.
expect_status 2 "no connection at a time: usage" "$TCPWAVE" load --concurrency 0 "$far4:80"
expect_status 2 "a source twice: usage" "$TCPWAVE" load -s $near4 -s $near4 "$far4:80"
expect_status 3 "a target twice: status 3" "$TCPWAVE" load "$far4:80" "$far4:80"
expect_status 3 "two families: status 3" "$TCPWAVE" load "$far4:80" "[$far6]:80"
expect_status 3 "more than there are ports: status 3" "$TCPWAVE" load --concurrency 70000 "$far4:80"
expect_line err 'add targets, or sources' "more than there are ports: says what to do"
(
    ulimit -n 128
    try "$TCPWAVE" load --concurrency 500 "$far4:80"
    echo "$status" >"$tmp/status"
)
check "too few descriptors: status 3" test "$(cat "$tmp/status")" = 3
expect_line err 'descriptor' "too few descriptors: says so"

done_testing
