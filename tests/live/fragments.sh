#!/bin/sh
# Checks what arrives in IP fragments: cut by a router, and by a peer that makes them itself, in any
# order, overlapping, incomplete. And the addresses of the link layer: two of them within a flow.
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
netns_enter "$@"
need nft python3
netns_up || exit 1

# finding CODE FIELD: of the last run's verdict; nothing where there is none
finding()
{
    python3 - "$tmp/out" "$1" "$2" <<'END'
import json, sys
found = [f for e in map(json.loads, open(sys.argv[1])) if e["event"] == "verdict"
         for f in e["findings"] if f["code"] == sys.argv[2]]
for f in found:
    print(" ".join(f[name] for name in sys.argv[3].split(",")))
END
}

# found NAME CODE SEVERITY CERTAINTY [PATTERN]
found()
{
    check "$1: $2 is of severity $3, $4" test "$(finding "$2" severity,certainty)" = "$3 $4"
    [ $# -lt 5 ] || check "$1: $2 says so" sh -c "echo \"\$1\" | grep -Eq '$5'" sh "$(finding "$2" message)"
}

# nothing_found NAME [CODE]: not this one; no warning and no problem at all without CODE
nothing_found()
{
    if [ $# -gt 1 ]; then
        check "$1: no finding $2" test -z "$(finding "$2" message)"
    else
        check "$1: nothing is found" sh -c "! grep -q '\"severity\":\"\\(warning\\|problem\\)\"' '$tmp/out'"
    fi
}

# A router with a link of MTU 600 towards us: far4's namespace, and a server behind it, whose
# segments leave without DF.

netns_hold server || exit 1
in_server()
{
    nsenter -t "$server" -n "$@"
}
peer ip link add inner type veth peer name server netns "$server" || exit 1
peer sh -c 'ip addr add 10.9.2.254/24 dev inner && ip link set inner up && ip link set far mtu 600 &&
    echo 1 >/proc/sys/net/ipv4/ip_forward' || exit 1
in_server sh -c 'ip addr add 10.9.2.2/24 dev server && ip link set server up && ip link set lo up &&
    ip route add default via 10.9.2.254 && echo 1 >/proc/sys/net/ipv4/ip_no_pmtu_disc' || exit 1
ip route add 10.9.2.0/24 via $far4
head -c 4000 /dev/urandom >"$tmp/blob"
cat >"$tmp/server.py" <<'END'
import socket, sys, threading
def serve(c):
    c.recv(10)
    c.sendall(data)
    c.shutdown(socket.SHUT_WR)
    while c.recv(1000):
        pass
data = open(sys.argv[1], "rb").read()
s = socket.create_server(("", 7), backlog=128)
while True:
    threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
END
nsenter -t "$server" -n python3 "$tmp/server.py" "$tmp/blob" >"$tmp/server.log" 2>&1 9>&- &
pids="$pids $!"
poll listening 7 in_server || exit 1

run="$TCPWAVE connect -d x --close=passive --timeout 20"
expect_status 0 "a router that cuts: status 0" $run 10.9.2.2:7 --json -o "$tmp/got"
check "a router that cuts: all bytes came" cmp -s "$tmp/blob" "$tmp/got"
found "a router that cuts" fragments info proved '^[0-9]+ packets of .* came in [0-9]+ IP fragments'
nothing_found "a router that cuts"
nothing_found "a router that cuts" two-hosts
check "a router that cuts: a segment tells its fragments" grep -Eq '"event":"segment".*"fragments":[2-9]' "$tmp/out"
expect_status 0 "a router that cuts, as text: status 0" $run 10.9.2.2:7
expect_line out '3 fragments' "a router that cuts, as text: the row says so"
expect_line out 'info +[0-9]+ packets of the peer' "a router that cuts, as text: the summary says so"
: >"$tmp/got"
expect_status 0 "a router that cuts, quietly: status 0" $run -q 10.9.2.2:7 -o "$tmp/got"
check "a router that cuts, quietly: all bytes came" cmp -s "$tmp/blob" "$tmp/got"
expect_status 0 "a router that cuts, load: status 0" "$TCPWAVE" load 10.9.2.2:7 --connections 40 --concurrency 4 \
    --close=passive -d x --json
expect_json verdict received_bytes 160000 "a router that cuts, load: all bytes came"
found "a router that cuts, load" fragments info proved '^[0-9]+ packets of .* came in [0-9]+ IP fragments'
nothing_found "a router that cuts, load"
cat >"$tmp/client.py" <<'END'
import socket, sys
c = socket.create_connection((sys.argv[1], 9001), 10)
c.sendall(open(sys.argv[2], "rb").read())
c.shutdown(socket.SHUT_WR)
while c.recv(1000):
    pass
END
listen_begin "$TCPWAVE" listen 9001 --discard --connections 1 --timeout 30 --json
in_server python3 "$tmp/client.py" $near4 "$tmp/blob" >"$tmp/client.log" 2>&1
listen_end
check "a client behind a router that cuts: status 0" test $status = 0
check "a client behind a router that cuts: all bytes came" grep -q '"event":"verdict".*"received_bytes":4000,' "$tmp/out"
check "a client behind a router that cuts: it is found" grep -q '"event":"finding".*"code":"fragments","severity":"info"' "$tmp/out"
expect_status 0 "small segments: status 0" $run 10.9.2.2:7 --json --mss 500
expect_json verdict received_bytes 4000 "small segments: all bytes came"
nothing_found "small segments" fragments
nothing_found "small segments"
expect_status 0 "the MAC of a router's: status 0" $run 10.9.2.2:7 --json
check "the MAC of a router's: the first segment has it" \
    test "$(grep -c '"event":"segment".*"mac":"'$far_mac'"' "$tmp/out")" = 1

# A peer that makes its fragments itself.

peer ip link set far mtu 1500 # with less than 1,280 it has lost its IPv6
netns_link far $far4 $far6 $far_link | grep /64 | peer ip -force -batch - 2>/dev/null
peer nft -f - <<'END' || exit 1
table inet silent {
    chain out {
        type filter hook output priority 0
        tcp sport 5000-5999 drop
    }
}
END
start_peer fragmenting - python3 "$here/fragmenting.py" far $far4 $far6
poll grep -q ready "$tmp/fragmenting.log" || exit 1

# What is tripped on purpose; that it is not where nothing is wrong, judge() says.
findings='fragments two-hosts bad-checksum'

# meet STATUS VERDICT BYTES PORT NAME: over both families; then `judge NAME` looks at what is found
meet()
{
    local target family
    for target in "$far4" "[$far6]"; do
        family="$5, IPv$([ "$target" = "$far4" ] && echo 4 || echo 6)"
        expect_status "$1" "$family: status $1" "$TCPWAVE" connect "$target:$4" -d x --json --close=passive --timeout 3
        expect_json verdict verdict "$2" "$family: $2"
        expect_json verdict received_bytes "$3" "$family: $3 bytes"
        judge "$family"
    done
}

judge()
{
    found "$1" fragments info proved '^1 packet of the peer.s came in 3 IP fragments, and was put together$'
    nothing_found "$1" offload-merged
    nothing_found "$1"
}
meet 0 open 3000 5000 'three fragments'
meet 0 open 3000 5001 'backwards, each twice'
meet 0 open 3000 5002 'one once more after the others'
judge()
{
    found "$1" fragments problem proved '^fragments of 1 packet .* overlapped'
    nothing_found "$1" black-hole
    check "$1: the sentence says so" sh -c "grep -q '\"event\":\"verdict\".*\"message\":\"[^\"]*: fragments of 1 packet[^\"]*\"}' '$tmp/out'"
}
meet 1 failed 0 5003 'overlaps'
judge()
{
    found "$1" fragments problem proved '^IP fragments of 1 packet .*never came, so that it could not be put together$'
    nothing_found "$1" black-hole
    check "$1: the sentence says so" sh -c "grep -q '\"event\":\"verdict\".*\"message\":\"[^\"]*: IP fragments of 1 packet of the peer[^\"]*\"}' '$tmp/out'"
}
meet 1 failed 0 5004 'one is missing'
for target in "$far4" "[$far6]"; do
    expect_status 1 "one is missing, load, $target: status 1" "$TCPWAVE" load "$target:5004" --connections 3 \
        -d x --json --close=passive --timeout 3
    found "one is missing, load, $target" fragments problem proved '^IP fragments of 3 packets of the peer'
    expect_line out '"event":"verdict".*"message":"[^"]*: IP fragments of 3 packets' "one is missing, load, $target: the sentence says so"
done
judge()
{
    found "$1" fragments problem likely '^the first IP fragment of 1 packet .*never came, so that it'
    nothing_found "$1" black-hole
}
meet 1 failed 0 5005 'the first one is missing'
judge()
{
    nothing_found "$1" black-hole
}
meet 0 open 3000 5006 'one is missing at first'
judge()
{
    found "$1" bad-checksum problem proved
    found "$1" fragments info proved
}
meet 1 failed 0 5007 'a wrong checksum over the whole'
judge()
{
    nothing_found "$1"
    nothing_found "$1" fragments
    nothing_found "$1" two-hosts
}
meet 0 open 3000 5008 'no fragments'
judge()
{
    found "$1" two-hosts warning likely "$far_mac and 02:00:00:00:09:77"
    check "$1: the segment tells its address" grep -q '"event":"segment".*"mac":"02:00:00:00:09:77"' "$tmp/out"
}
meet 0 open 3000 5009 'two link-layer addresses'
judge()
{
    found "$1" fragments info proved '^2 packets of the peer.s came in 5 IP fragments'
}
meet 0 open 3000 5010 'a SYN-ACK in two'
check 'the peer has not died' kill -0 "$pid_fragmenting"
done_testing
