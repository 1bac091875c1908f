#!/bin/sh
# Checks malicious peers on the wire: each behaviour of hostile.py ends with the right verdict, with
# the bytes that were really sent, and with little memory.
. "$(dirname "$0")/lib.sh"
here=$(dirname "$0")
netns_enter "$@" && netns_up || exit 1
need nft python3

# Super-segments have to fit, and the peer's kernel is not to speak for what hostile.py plays.
ip link set near mtu 65000 && peer ip link set far mtu 65000 || exit 1
peer nft -f - <<'EOT' || exit 1
table inet silent {
    chain out {
        type filter hook output priority 0
        tcp sport 5000-5999 drop
        icmp type destination-unreachable drop
    }
}
EOT
start_peer hostile - python3 "$here/hostile.py" far $far4
poll grep -q ready "$tmp/hostile.log" || exit 1

# How much memory a command took at most, in KiB, goes to $tmp/rss.
cat >"$tmp/measure.py" <<'EOT'
import resource, subprocess, sys
status = subprocess.call(sys.argv[2:])
with open(sys.argv[1], "w") as f:
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=f)
sys.exit(status if status >= 0 else 128 - status)
EOT

# Sanitizers keep shadows of their own.
most=65536
! grep -q __asan_init "$TCPWAVE" || most=524288

# What these peers do is found.
findings='syn-ack-unacceptable bad-checksum window-closed challenge-storm timestamps-missing window-overrun fragments two-hosts'

port=5000
# meet STATUS VERDICT WHAT [OPTION...]
meet()
{
    local status_wanted=$1 verdict=$2 what=$3
    shift 3
    expect_status "$status_wanted" "$what: ends with $status_wanted" python3 "$tmp/measure.py" "$tmp/rss" \
        "$TCPWAVE" connect $far4:$port --json "$@"
    expect_json verdict verdict "$verdict" "$what: the verdict is $verdict"
    check "$what: memory is bounded ($(cat "$tmp/rss") KiB)" test "$(cat "$tmp/rss")" -lt $most
    port=$((port + 1))
}

meet 5 dropped 'SYN-ACKs of a wrong acknowledgement' --timeout 2
meet 5 dropped 'nothing but garbage' --timeout 2
meet 0 open 'garbage beside a handshake' -d hello
expect_json verdict sent_bytes 5 'garbage beside a handshake: our bytes arrived'
meet 0 open 'forty bytes of IP options on everything' -d hello
meet 0 open 'fragments' -d hello
expect_json verdict received_bytes 0 'fragments: none was taken for data'
meet 0 open 'an MSS of 0, a window scale of 255, malformed options' -d "$(printf '%3000s' '')"
expect_json verdict sent_bytes 3000 'an MSS of 0: all bytes arrived'
meet 0 open 'RSTs outside the window' -d hello
meet 1 failed 'a window of zero for ever' --timeout 3 -d hello
expect_line out '"findings":.*"code":"window-closed"' 'a window of zero for ever: it is found'
meet 0 open 'segments that contradict each other' -d hello -o "$tmp/received"
check 'segments that contradict each other: the first copy counts' \
    grep -qx 'AAAAAGGGGGbbbbb' "$tmp/received"
meet 0 open 'segments of one byte, backwards first' -d hello --hold 500ms
expect_json verdict received_bytes 1002 'segments of one byte: each counts once'
meet 0 open 'a segment of 60,000 bytes' -d hello
expect_json verdict received_bytes 60000 'a segment of 60,000 bytes: all of it was taken'
meet 0 open 'acknowledgements of what was never sent' -d hello
meet 0 open 'acknowledgements of half of each segment' -d "$(printf '%2000s' '')"
expect_json verdict sent_bytes 2000 'acknowledgements of half of each segment: all bytes arrived'
meet 0 open 'forged FINs' -d hello --hold 300ms
expect_json verdict received_bytes 10 'forged FINs: what came after them was read'
meet 0 open 'RSTs inside the window' -d hello
meet 0 open 'SYNs and SYN-ACKs inside the window' -d hello
meet 0 open 'a window that shrinks and shrinks' -d "$(printf '%3000s' '')"
expect_json verdict sent_bytes 3000 'a window that shrinks and shrinks: all bytes arrived'
meet 0 open 'an MSS of 1' -d "$(printf '%3000s' '')"
expect_json verdict sent_bytes 3000 'an MSS of 1: all bytes arrived'
meet 0 open 'frames cut off at every byte' -d hello --hold 300ms
expect_json verdict received_bytes 5 'frames cut off at every byte: none was taken for data'
meet 1 failed 'segments of one byte for ever' --timeout 2 -d hello -o "$tmp/received"
check 'segments of one byte for ever: those that came were taken' test "$(wc -c <"$tmp/received")" -gt 10
expect_json verdict close.kind reset 'segments of one byte for ever: left with RST'
expect_status 0 'malformed options on each of 1,024 SYN-ACKs: status 0' \
    "$TCPWAVE" load $far4:$port --connections 1024 --concurrency 32 --json
expect_json verdict connections.open 1024 'malformed options on each of 1,024 SYN-ACKs: all were open'
port=$((port + 1))
meet 0 open 'timestamps agreed on and left out' -d hello --hold 300ms
expect_json verdict received_bytes 10 'timestamps left out: what came without them was taken'
expect_json verdict sent_bytes 5 'timestamps left out: our bytes were acknowledged'
check 'timestamps left out: those segments are counted' \
    test "$(json_get verdict unstamped "$tmp/out")" -ge 3
check 'timestamps left out: it is told once' \
    test "$(grep -c '"event":"note".*agreed on timestamps' "$tmp/out")" = 1
meet 0 open 'forged timestamps far ahead' -d hello --hold 300ms
expect_json verdict received_bytes 10 'forged timestamps: the peer is still heard'
meet 0 open 'six times what was offered' -d hello --close=passive --timeout 10
expect_json verdict received_bytes 400000 'six times what was offered: all of it was taken'
check 'six times what was offered: none of our ACKs is called out of window' \
    test "$(grep '"event":"segment"' "$tmp/out" | grep '"dir":"out"' | grep -c out_of_window)" = 0
expect_json verdict peer.state TIME_WAIT 'six times what was offered: the peer is in TIME_WAIT in the end'
expect_json verdict peer.certainty assumed 'six times what was offered: which is assumed'
meet 1 failed 'a RST for each of our segments' -d hello --timeout 3
expect_line out '"event":"finding".*"code":"challenge-storm"' 'a RST for each of our segments: it is found'
meet 1 failed 'an ACK of another connection for each of our segments' -d hello --timeout 4
expect_line out '"findings":.*"code":"challenge-storm"' 'an ACK of another connection: it is found'
check 'the peer has not died' kill -0 "$pid_hostile"
stop hostile

# The same from the other side: clients that do not mean well, and one that does. All their data is
# received, and 3,000 bytes are sent to each.

ethernet=$(cat /sys/class/net/near/address 2>/dev/null || ip -o link show near | sed 's/.*ether \([^ ]*\).*/\1/')
# listen_up ARGUMENT...
listen_up()
{
    listen_begin python3 "$tmp/measure.py" "$tmp/rss" "$TCPWAVE" listen 9001 -d "$(printf '%3000s' '')" --json "$@"
}

# of_client PORT KEY: of the verdict on that client
of_client()
{
    grep "\"event\":\"verdict\".*\"peer\":{\"addr\":\"$far4\",\"port\":$1," "$tmp/heard" >"$tmp/one"
    json_get verdict "$2" "$tmp/one"
}

# A client of the kernel's is served to the last byte.
honest()
{
    check "$1: an honest client is served" test "$(peer python3 "$here/kernel_client.py" $near4 9001 read)" = \
        '3000 bytes, then end of file'
}

listen_up --give-up 5s --linger 1s
peer python3 "$here/hostile.py" far $far4 call "$ethernet" $near4 9001 >"$tmp/calls" 2>&1
honest 'after all of them'
for expected in garbage:open:0 ip_options:open:0 fragments:open:0 odd_options:open:0 reset_storm:open:0 \
    reset_inside:open:0 syn_inside:open:0 contradiction:open:15 one_byte:open:1002 super_segment:open:60000 \
    ack_of_unsent:open:0 half_acks:open:0 forged_fin:open:10 window_shrinks:open:0 mss_one:open:0 \
    truncated:open:5 unstamped:open:10 forged_stamps:open:10 third_ack_wrong:open:0 syn_with_all:open:0 syn_options:open:0; do
    IFS=: read -r habit verdict bytes <<END
$expected
END
    client=$(sed -n "s/^$habit \([0-9]*\) .*/\1/p" "$tmp/calls")
    check "a client, $habit: $verdict, 3,000 bytes sent and $bytes received" \
        test "$(of_client "$client" verdict) $(of_client "$client" sent_bytes) $(of_client "$client" received_bytes)" \
        = "$verdict 3000 $bytes"
done
# finish_ear NAME: ends it, which measure.py sees as the end of its only child
finish_ear()
{
    kill -INT "$(cat /proc/$ear/task/$ear/children)"
    wait $ear
    check "$1: the listener has not died: status 130" test $? = 130
    check "$1: the listener's memory is bounded ($(cat "$tmp/rss") KiB)" \
        test "$(cat "$tmp/rss")" -lt $((most + 32768)) # its ring is four times as large
    grep -v '"event":"segment"' "$tmp/heard" >>"$tmp/json" # of those there were enough above
}
finish_ear 'all of them'

# Those that never come to an end, at the same time: a window of zero, and a byte at a time.
listen_up
for habit in zero_window endless; do
    start_peer $habit - python3 "$here/hostile.py" far $far4 call "$ethernet" $near4 9001 $habit
done
held()
{
    test "$(grep -c '"to":"ESTABLISHED","certainty":"known"' "$tmp/heard")" -ge "$1"
}
check 'two without end: both have begun' poll held 2
for n in 1 2 3; do
    honest "two without end, $n"
done
sleep 2
finish_ear 'two without end'
client=$(sed -n 's/.*"received_bytes":\([0-9]*\),.*/\1/p' "$tmp/heard" | sort -n | tail -n 1)
check 'two without end: bytes were taken one by one' test "$client" -gt 10
done_testing
