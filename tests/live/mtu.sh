#!/bin/sh
# Checks MTUs from the smallest of IPv4 to the largest possible: the MSS that is offered, 100 kB in
# each direction, fragments of `send`, and many connections; and the same on lo.
. "$(dirname "$0")/lib.sh"
netns_enter "$@"
need python3 ss
netns_up || exit 1

here=$(cd "$(dirname "$0")" && pwd)
head -c 100000 /dev/urandom >"$tmp/blob"
sum=$(cksum <"$tmp/blob")

start_peer echo 7 python3 "$here/peer.py" 7 echo
start_near near_echo 7 python3 "$here/peer.py" 7 echo
start_peer load 80 python3 "$here/counter.py" 80 echo

# Links with this MTU, and no memory of what was learnt over the last ones.
width()
{
    ip link set near mtu "$1" && peer ip link set far mtu "$1" || return 1
    ip route flush cache
    peer ip route flush cache
    netns_link near $near4 $near6 $near_link | grep /64 | ip -force -batch - 2>/dev/null
    netns_link far $far4 $far6 $far_link | grep /64 | peer ip -force -batch - 2>/dev/null
    return 0
}

# offers MSS: our SYN of the last run does
offers()
{
    test "$(python3 -c 'import json, sys
print(next(e["options"]["mss"] for e in map(json.loads, sys.stdin)
           if e["event"] == "segment" and e["dir"] == "out"))' <"$tmp/out")" = "$1"
}

# there_and_back NAME TARGET MSS
there_and_back()
{
    : >"$tmp/got"
    expect_status 0 "$1: status 0" "$TCPWAVE" connect "$2" -f "$tmp/blob" -o "$tmp/got" --timeout 60 --json
    check "$1: 100,000 bytes went both ways" test "$(cksum <"$tmp/got")" = "$sum"
    check "$1: an MSS of $3 is offered" offers "$3"
}

# Downwards, since what a kernel has once learnt of a narrow path it keeps.
for mtu in 65535 9000 1500 1280 576 296; do
    check "MTU $mtu" width $mtu
    there_and_back "MTU $mtu, IPv4" "$far4:7" $((mtu - 40))
    if [ $mtu -ge 1280 ]; then
        there_and_back "MTU $mtu, IPv6" "[$far6]:7" $((mtu - 60))
    else
        expect_status 3 "MTU $mtu, IPv6: status 3" "$TCPWAVE" connect "[$far6]:7"
        expect_line err "no route to $far6.*MTU of 1280.*near is $mtu" "MTU $mtu, IPv6: says why"
    fi
    expect_status 0 "MTU $mtu, fragments: status 0" "$TCPWAVE" send "$far4:7" --fragment 24 \
        -d "$(printf '%500s' '')" --json
    expect_json verdict send.answered 1 "MTU $mtu, fragments: answered"
done

# Linux sends at least 48 bytes of data at a time, and so fragments its packets on a link of 68 bytes.
check "MTU 68" width 68
there_and_back "MTU 68, IPv4" "$far4:7" 28
start_peer ear 9001 "$TCPWAVE" listen -q 9001 --echo --connections 1 --timeout 60
: >"$tmp/got"
expect_status 0 "MTU 68, two tcpwaves: status 0" \
    "$TCPWAVE" connect -q "$far4:9001" -f "$tmp/blob" -o "$tmp/got" --timeout 60
check "MTU 68, two tcpwaves: 100,000 bytes went both ways" test "$(cksum <"$tmp/got")" = "$sum"
wait "$pid_ear"
check "MTU 68, two tcpwaves: the other's status is 0 as well" test $? = 0
expect_status 0 "MTU 68, fragments: status 0" "$TCPWAVE" send "$far4:7" --fragment 24 -d "$(printf '%500s' '')" --json
expect_json verdict send.answered 1 "MTU 68, fragments: answered"
expect_status 3 "MTU 68, a segment of 500 bytes in one piece: status 3" \
    "$TCPWAVE" send "$far4:7" --df -d "$(printf '%500s' '')"
expect_status 3 "MTU 68, IPv6: status 3" "$TCPWAVE" connect "[$far6]:7"
expect_line err 'MTU of 1280.*near is 68' "MTU 68, IPv6: says why"

# Many connections, at both ends of it.
for mtu in 68 65535; do
    check "MTU $mtu, again" width $mtu
    expect_status 0 "MTU $mtu, load: status 0" "$TCPWAVE" load "$far4:80" --connections 200 --concurrency 20 \
        -d 0123456789 --json
    expect_json verdict connections.open 200 "MTU $mtu, load: 200 were open"
    expect_json verdict received_bytes 2000 "MTU $mtu, load: each had its answer"
done

# lo is wider than an IP packet can be.
check "lo, MTU 65536" ip link set lo mtu 65536
there_and_back "lo, MTU 65536, IPv4" 127.0.0.1:7 65495
there_and_back "lo, MTU 65536, IPv6" '[::1]:7' 65475
check "lo, MTU 68" ip link set lo mtu 68
expect_status 0 "lo, MTU 68: status 0" "$TCPWAVE" connect 127.0.0.1:7 -d hello --json
expect_json verdict received_bytes 5 "lo, MTU 68: it comes back"
done_testing
