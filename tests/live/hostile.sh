#!/bin/sh
# Peers that do not mean well, on the wire: each habit of hostile.py ends with the right verdict, the bytes
# that were really sent, and little memory.
. "$(dirname "$0")/lib.sh"
here=$(dirname "$0")
ground_enter "$@" && ground_up || exit 1
need nft python3

# Super-segments have to fit, and the peer's kernel is not to speak for what hostile.py plays.
ip link set near mtu 65000 && peer ip link set far mtu 65000 || exit 1
peer nft -f - <<'EOT' || exit 1
table inet silent {
    chain out {
        type filter hook output priority 0
        meta l4proto tcp drop
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
meet 8 lost 'a window of zero for ever' --timeout 3 -d hello
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
check 'the peer has not died' kill -0 "$pid_hostile"
done_testing
