#!/bin/sh
# Makes rare events happen with a kernel as the peer: FINs that cross, urgent data, and a path that
# drops large packets silently.
. "$(dirname "$0")/lib.sh"
netns_enter "$@"
need nft python3
netns_up || exit 1

here=$(cd "$(dirname "$0")" && pwd)
mkfifo "$tmp/strings"
start_peer puppet 4100 python3 "$here/scripted_peer.py" 4100 "$tmp/strings"
start_peer urgent 4102 python3 "$here/peer.py" 4102 urgent

# Says how many bytes each connection brought.
start_count()
{
    start_peer count 4101 python3 -c '
import socket
s = socket.create_server(("::", 4101), family=socket.AF_INET6, dualstack_ipv6=True)
while True:
    c, _ = s.accept()
    n = 0
    while got := c.recv(65536):
        n += len(got)
    c.close()
    print("got", n, flush=True)
'
}

peer nft -f - <<'EOF' || exit 1
table inet path {
    set held { type inet_service; }
    counter swallowed { }
    chain in {
        type filter hook prerouting priority 0
        tcp sport @held tcp flags & fin == fin drop
        tcp dport 4101 meta length > 1340 counter name swallowed drop
    }
}
EOF

# begin PORT ARGUMENT...: a session from there in the background; says PATTERN: waits until it does;
# end NAME: waits for its end, which is success, with what it wrote in $tmp/out
begin()
{
    local port=$1
    shift
    : >"$tmp/session"
    background "$tmp/session" "$tmp/err" timeout -k 5 60 "$TCPWAVE" connect --json -p "$port" "$@"
    session=$run
}

says()
{
    poll grep -q "$1" "$tmp/session"
}

end()
{
    wait "$session"
    check "$1: open" test $? = 0
    cp "$tmp/session" "$tmp/out"
    cat "$tmp/out" >>"$tmp/json"
}

pull()
{
    echo "$*" >"$tmp/strings"
}

# RFC 9293, 3.6, figure 13. Our FIN is lost until the kernel, which has heard nothing of it, has sent its
# own.
# crossed NAME HOST PORT
crossed()
{
    peer nft add element inet path held "{ $3 }"
    begin "$3" "$2:4100" -d hello
    check "$1, FINs cross: ours is out" says '"to":"FIN_WAIT_1"'
    pull fin "$3"
    check "$1, FINs cross: we are CLOSING" says '"from":"FIN_WAIT_1","to":"CLOSING"'
    peer nft delete element inet path held "{ $3 }"
    end "$1, FINs cross"
    check "$1, FINs cross: and then in TIME_WAIT" says '"from":"CLOSING","to":"TIME_WAIT"'
    expect_json verdict close.kind simultaneous "$1, FINs cross: a simultaneous close"
    expect_json verdict close.by both "$1, FINs cross: by both"
    expect_json verdict peer.state TIME_WAIT "$1, FINs cross: the peer is in TIME_WAIT, too"
}

# RFC 9293, 3.8.5: the urgent byte stays in its place in the stream.
# urgent NAME HOST PORT
urgent()
{
    begin "$3" "$2:4100" --close=passive -o "$tmp/got"
    check "$1, urgent data: connected" says '"to":"ESTABLISHED"'
    pull send "$3" before
    pull urgent "$3" now!
    pull send "$3" after
    pull fin "$3"
    end "$1, urgent data"
    check "$1, urgent data: a segment of the kernel's has URG" grep -Eq '"dir":"in".*"flags":"[^"]*U' "$tmp/out"
    check "$1, urgent data: every byte is in its place" test "$(cat "$tmp/got")" = beforenow!after
}

# The other way a segment written by hand has to do it: a session of ours sends nothing urgent.
# urgent_by_hand NAME HOST PORT
urgent_by_hand()
{
    begin "$3" "$2:4102" --no-timestamps --hold 30
    check "$1, urgent data of ours: connected" says '"to":"ESTABLISHED"'
    check "$1, urgent data of ours: the handshake is done" says '"dir":"out".*"flags":"\."'
    try "$TCPWAVE" send "$2:4102" -p "$3" --flags PAU --urgent 1 --data '!' --wait 200ms \
        --seq "$(json_get segment seq "$tmp/session")" --ack "$(json_get segment ack "$tmp/session")"
    check "$1, urgent data of ours: the kernel takes the byte for urgent" poll grep -q '^urgent !$' "$tmp/urgent.log"
    wait "$session"
    check "$1, urgent data of ours: reset by the peer" test $? = 7
}

# RFC 4821, 7.6.1: full segments are lost, and no ICMP error comes. Smaller ones are tried.
# black_hole NAME HOST MOST
black_hole()
{
    findings=black-hole
    expect_status 0 "$1, a black hole: open" "$TCPWAVE" connect "$2:4101" --json -f "$tmp/file"
    findings=
    check "$1, a black hole: the finding says so" \
        grep -q '"event":"finding".*"code":"black-hole"' "$tmp/out"
    expect_json verdict sent_bytes 60000 "$1, a black hole: all is sent"
    check "$1, a black hole: and has arrived" poll grep -q '^got 60000$' "$tmp/count.log"
    check "$1, a black hole: by segments of at most $3 bytes after all" smaller "$3"
    stop count
}

smaller()
{
    python3 - "$tmp/out" "$1" <<'PYTHON'
import json, sys

name, most = sys.argv[1], int(sys.argv[2])
sent = [s for s in map(json.loads, open(name, encoding="utf-8")) if s["event"] == "segment" and s["dir"] == "out"]
sent = [s["length"] for s in sent if s["length"]]
sys.exit(not (max(sent[:3]) > most and max(sent[-20:]) <= most))
PYTHON
}

head -c 60000 /dev/zero >"$tmp/file"
crossed IPv4 "$far4" 4200
crossed IPv6 "[$far6]" 4201
urgent IPv4 "$far4" 4202
urgent IPv6 "[$far6]" 4203
urgent_by_hand IPv4 "$far4" 4204
start_count
black_hole IPv4 "$far4" 1240
start_count
black_hole IPv6 "[$far6]" 1220
check 'a black hole: what was large was swallowed' \
    sh -c "nsenter -t $holder -n nft list counter inet path swallowed | grep -Eq 'packets [1-9]'"
done_testing
