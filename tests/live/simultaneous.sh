#!/bin/sh
# Checks the kernel as a simultaneous opener (RFC 9293, 3.5). Its own SYN is lost on the way out, so
# our SYN finds it in SYN_SENT, and it answers with a SYN-ACK from SYN_RECEIVED. Data and a close by
# either side follow.
. "$(dirname "$0")/lib.sh"
netns_enter "$@" && netns_up || exit 1
need nft python3

# Lets nothing but the kernel's bare SYNs be lost, on the peer's way out.
peer nft -f - <<'EOF' || exit 1
table inet lost {
    chain out {
        type filter hook output priority 0
        tcp sport 4100-4199 tcp flags & (syn | ack) == syn counter drop
    }
}
EOF

cat >"$tmp/opener.py" <<'EOF'
import socket, sys

ours, port, theirs = sys.argv[1], int(sys.argv[2]), sys.argv[3]
s = socket.socket(socket.AF_INET6 if ":" in ours else socket.AF_INET)
s.bind((ours, port))
s.connect((theirs, 4200))
print("connected", flush=True)
s.sendall(b"from the simultaneous opener\n")
if sys.argv[4] == "first":
    s.shutdown(socket.SHUT_WR)
got = b""
while piece := s.recv(4096):
    got += piece
print("received", got.decode(), flush=True)
EOF

state_is()
{
    peer ss -Htan state "$1" "sport = :$2" | grep -q .
}

# meet FAMILY OURS THEIRS PORT WHO
meet()
{
    local name="$1, $5 closes first" close=active
    [ "$5" = kernel ] && close=passive
    start_peer "opener$4" - python3 "$tmp/opener.py" "$3" "$4" "$2" \
        "$([ "$5" = kernel ] && echo first || echo second)"
    check "$name: the kernel is in SYN_SENT before we begin" poll state_is syn-sent "$4"
    case $3 in
    *:*) target="[$3]:$4" ;;
    *) target=$3:$4 ;;
    esac
    expect_status 0 "$name: the connection is made, used and closed" \
        "$TCPWAVE" connect "$target" -s "$2" -p 4200 --json --close=$close -d 'from tcpwave\n'
    expect_json verdict received_bytes 29 "$name: the kernel's bytes arrive"
    # Our last ACK may be lost for all the tracker can see.
    expect_json verdict peer.certainty "$([ "$5" = kernel ] && echo proved || echo assumed)" \
        "$name: the peer's last state is known as far as it can be"
    check "$name: the kernel took our SYN in SYN_SENT and connected" \
        poll grep -q '^connected' "$tmp/opener$4.log"
    check "$name: our bytes arrived there" poll grep -q '^received from tcpwave' "$tmp/opener$4.log"
}

meet IPv4 $near4 $far4 4100 kernel
meet IPv6 $near6 $far6 4101 kernel
meet IPv4 $near4 $far4 4102 tcpwave
check 'the lost SYNs were really lost' sh -c "nsenter -t $holder -n nft list table inet lost | grep -Eq 'packets [1-9]'"
done_testing
