#!/bin/sh
# Checks peers that behave like other TCP stacks, and hosts whose segments are lost: what tcpwave
# reports about them has to agree with what was on the wire.
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
netns_enter "$@" && netns_up || exit 1
need nft python3

# The peer's kernel is not to speak for what foreign.py plays.
peer nft -f - <<'EOT' || exit 1
table inet silent {
    chain out {
        type filter hook output priority 0
        tcp sport 6000-6999 drop
    }
}
EOT

# Answers that do not fit our SYN are found, and nothing else.
findings='rst-unacceptable ack-to-syn'

port=6000
# odd HABIT...: a peer with it, on a port of its own
odd()
{
    port=$((port + 1))
    start_peer "odd$port" - python3 "$here/foreign.py" far $far4 $port "$@"
    poll grep -q ready "$tmp/odd$port.log" || start_failed "odd$port"
}

# count PATTERN: lines of the last run that match
count()
{
    grep -Ec -e "$1" "$tmp/out"
}

# The first repetition of a SYN-ACK comes after 1 to 8 seconds, depending on the host. Two runs at once: one
# until the peer has given up, one until --timeout.
odd repeats 4
started=$(date +%s)
timeout 60 "$TCPWAVE" connect --no-ack --json $far4:$port >"$tmp/patient" 2>&1 9>&- &
patient=$!
odd repeats 4
expect_status 0 "--no-ack --timeout: open" "$TCPWAVE" connect --no-ack --timeout 5500ms --json $far4:$port
took=$(($(date +%s) - started))
check "--no-ack --timeout: runs until it ($took s)" test $took -ge 5
expect_line out '"message":"[^"]*its SYN-ACK 2 times in all while we kept silent for 5\.[0-9]+ s"' \
    "--no-ack --timeout: how often, and how long was waited"

# Something came, though nothing that ends a handshake (RFC 9293, 3.10.7.3).
odd bare_reset
expect_status 5 "a RST without ACK answers a SYN: dropped" "$TCPWAVE" connect --json --syn-retries 0 $far4:$port
expect_line out '"message":"[^"]*no acceptable answer' "a RST without ACK answers a SYN: not silence"

# RSTs that acknowledge what RFC 9293 does not have them acknowledge.
for habit in bare_reset bsd_reset strange_reset; do
    odd $habit
    expect_status 4 "$habit: refused" "$TCPWAVE" send --flags F --json $far4:$port
    expect_json segment answers 1 "$habit: it answers our segment"
    expect_json segment notes '["unexpected"]' "$habit: its number is remarked"
    expect_json verdict send.answers.rst 1 "$habit: counted as RST"
    expect_json verdict send.strays 0 "$habit: nothing is a stray"
done
expect_status 4 "drawn: a RST with an unexpected number" "$TCPWAVE" send --flags F $far4:$port
expect_line out '^1: .*Flags \[R\.\].*\(unexpected number' "drawn: a RST with an unexpected number is marked"

# FINs that cross, and the peer never takes ours.
odd fin_never_taken
expect_status 1 "our FIN is never taken: failed" "$TCPWAVE" halfclose --json $far4:$port --timeout 20
expect_line out '"message":"[^"]*closed its own side before it had our FIN, and has not' "our FIN is never taken: says so"
expect_json verdict half_close.honoured false "our FIN is never taken: not honoured"
expect_json verdict close.kind abandoned "our FIN is never taken: no RST is told"
check "our FIN is never taken: no RST was sent" test "$(count '"dir":"out".*"flags":"R')" = 0
check "our FIN is never taken: known after a round trip" test "$(count '"dir":"out".*"flags":"F')" -le 3
sleep 0.2 # what is left of that connection is no SYN for the next
expect_status 1 "drawn: our FIN is never taken" "$TCPWAVE" halfclose $far4:$port --width 100 --timeout 20
expect_line out '^  half-close +not honoured: the peer.s FIN came before' "drawn: whose FIN came first"
check "drawn: nothing is told of after our FIN was acknowledged" test "$(count 'was acknowledged')" = 0
sleep 0.2
expect_status 1 "left in CLOSING: failed" "$TCPWAVE" connect --json $far4:$port --timeout 700ms
expect_json verdict close.kind abandoned "left in CLOSING: no RST is told"
check "left in CLOSING: no RST was sent" test "$(count '"dir":"out".*"number":[4-9].*"flags":"R')" = 0

odd fin_crosses_data
expect_status 1 "its FIN crosses our data: failed" "$TCPWAVE" halfclose --json -d hello $far4:$port --timeout 20
expect_json verdict close.kind simultaneous "its FIN crosses our data: the data is not given up"
expect_line out '"message":"[^"]*before it had our FIN: nothing' "its FIN crosses our data: says whose FIN was first"

# TIME_WAIT is told as it was kept.
# told CAUSE NAME OPTION...
told()
{
    local cause=$1 name=$2
    shift 2
    expect_status 0 "$name: open" "$TCPWAVE" connect --json $far4:$port "$@"
    expect_line out "\"from\":\"TIME_WAIT\",\"to\":\"CLOSED\".*\"cause\":\"$cause\"" "$name: $cause"
}
odd fin_crosses
told 'TIME_WAIT not kept' 'from CLOSING'
told 'TIME_WAIT not kept' 'from CLOSING with --verify' --verify
told '--time-wait is over' 'from CLOSING, kept for a while' --time-wait 300ms
start_peer plain 60 python3 "$here/peer.py" 60 discard
port=60 told '--time-wait is over' 'from FIN_WAIT_2, kept for a while' --time-wait 300ms
port=6100

# A peer that falls silent is given up with RST.
odd falls_silent
expect_status 8 "silence: lost" "$TCPWAVE" keepalive --json --idle 300ms --interval 300ms --count 2 $far4:$port
expect_json verdict close.by local "silence: we ended it"
expect_json verdict close.kind reset "silence: with RST"
check "silence: the RST was sent" test "$(count '"dir":"out".*"flags":"R')" = 1

# One that has forgotten the connection answers a probe with RST.
odd forgets
expect_status 7 "forgotten: reset" "$TCPWAVE" keepalive --idle 600ms --interval 500ms --count 2 --width 100 $far4:$port
check "forgotten: one row tells of the RST" test "$(count "RST .*seq")" = 1
expect_line out 'CLOSED .*RST answers probe' "forgotten: it answers the probe"
check "forgotten: no row for the probe beside it" test "$(count 'not answered')" = 0
check "forgotten: no way back to ESTABLISHED" test "$(sed '1,/RST/d' "$tmp/out" | grep -c ESTABLISHED)" = 0
expect_line out 'longest silence survived 0' "forgotten: the silence before the RST was not survived"
expect_status 7 "forgotten, in JSON: reset" "$TCPWAVE" keepalive --json --idle 600ms --interval 500ms --count 2 $far4:$port
expect_json segment notes '["probe_answer"]' "forgotten, in JSON: the RST answers a probe"
expect_json probe answered false "forgotten, in JSON: no living peer answered"

# A byte that is sent again is no probe, and its acknowledgement answers none.
odd repeats_a_byte
expect_status 0 "the peer's byte again: open" "$TCPWAVE" keepalive --json --for 800ms $far4:$port
check "the peer's byte again: no probe" test "$(count '"probe"|"probe_answer"')" = 0
check "the peer's byte again: twice" test "$(count '"dir":"in".*"length":1,.*"retransmission":true')" = 2
expect_json verdict keepalive.peer.probes 0 "the peer's byte again: no probe is counted"
odd wants_a_byte_again
expect_status 0 "our byte again: open" "$TCPWAVE" connect --json -d x $far4:$port
check "our byte again: no probe" test "$(count '"probe"|"probe_answer"')" = 0
check "our byte again: a retransmission" test "$(count '"dir":"out".*"length":1,.*"retransmission":true')" -ge 1

# called HABIT: what `listen` tells of a client with it, in $tmp/out; the status is its own
called()
{
    listen_begin timeout 30 "$TCPWAVE" listen 700 --json --discard --connections 1 --timeout 20
    odd "$1" $near_mac $near4 700
    listen_end
    cat "$tmp/out" >>"$tmp/json"
    return $status
}

# A SYN that comes again is answered again; nothing of ours was lost.
check "a SYN comes again: served" called calls_twice
check "a SYN comes again: answered twice" test "$(count '"dir":"out".*"flags":"S\."')" = 2
check "a SYN comes again: no retransmission" test "$(count '"dir":"out".*"flags":"S\.".*"retransmission":true')" = 0
check "a SYN comes again: none is counted" test "$(count '"verdict":"open".*"retransmissions":0')" = 1

check "a client's byte again: served" called calls_and_repeats
check "a client's byte again: no probe" test "$(count '"probe"|"probe_answer"|"keepalive"')" = 0
check "a client's byte again: a retransmission" test "$(count '"dir":"in".*"length":1,.*"retransmission":true')" = 1

wait $patient
check "--no-ack alone: open" test $? = 0
cp "$tmp/patient" "$tmp/out"
expect_line out '"message":"[^"]*its SYN-ACK 2 times in all while we kept silent for 1[4-9]\.[0-9]+ s"' \
    "--no-ack alone: waits for a first repetition after 4 seconds, and as long again and more for another"
done_testing
