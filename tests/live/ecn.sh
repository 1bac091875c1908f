#!/bin/sh
# Checks ECN (RFC 3168) with a kernel as the peer, and with a path that marks packets instead of
# dropping them. We echo the kernel's marks until it sends CWR, and its echo of our marks makes us
# send CWR.
. "$(dirname "$0")/lib.sh"
netns_enter "$@"
need nft python3
netns_up || exit 1

here=$(cd "$(dirname "$0")" && pwd)
ecn()
{
    peer sh -c "echo $1 >/proc/sys/net/ipv4/tcp_ecn" 2>/dev/null
}
ecn 1 || {
    echo "# ECN cannot be turned on for the peer here"
    exit 77
}

# Every eighth ECN-capable packet is marked: the peer's on its way out, ours on its way in. What may
# never be ECN-capable is counted (6.1.1: SYNs; 6.1.4: what has no data).
peer nft -f - <<'EOF' || exit 1
table inet path {
    counter theirs { }
    counter ours { }
    counter wrong { }
    chain out {
        type filter hook postrouting priority 0
        tcp sport 4000 ip ecn ect0 numgen inc mod 8 == 1 ip ecn set ce counter name theirs
        tcp sport 4000 ip6 ecn ect0 numgen inc mod 8 == 1 ip6 ecn set ce counter name theirs
    }
    chain in {
        type filter hook prerouting priority 0
        ip ecn != not-ect tcp flags & syn == syn counter name wrong
        ip6 ecn != not-ect tcp flags & syn == syn counter name wrong
        ip ecn != not-ect tcp dport 4000 meta length 52 counter name wrong
        ip6 ecn != not-ect tcp dport 4000 meta length 72 counter name wrong
        tcp dport 4001 ip ecn ect0 numgen inc mod 8 == 1 ip ecn set ce counter name ours
        tcp dport 4001 ip6 ecn ect0 numgen inc mod 8 == 1 ip6 ecn set ce counter name ours
    }
}
EOF

counted()
{
    peer nft list counter inet path "$1" | awk '$1 == "packets" { print $2 }'
}

start_peer answer 4000 python3 "$here/peer.py" 4000 answer
start_peer discard 4001 python3 "$here/peer.py" 4001 discard
head -c 200000 /dev/zero >"$tmp/file"

# told ECHO CWR: what the segments in $tmp/out show: ECE from one side (in, out), then CWR from the
# other, and after that an acknowledgement without ECE.
told()
{
    python3 - "$tmp/out" "$1" "$2" <<'EOF'
import json, sys

name, echo, cwr = sys.argv[1:]
segments = [s for s in map(json.loads, open(name, encoding="utf-8")) if s["event"] == "segment"]
segments = [s for s in segments if "S" not in s["flags"]]
first = next((i for i, s in enumerate(segments) if s["dir"] == echo and "E" in s["flags"]), None)
if first is None:
    sys.exit("no ECE is seen")
answer = next((i for i, s in enumerate(segments) if i > first and s["dir"] == cwr and "W" in s["flags"]), None)
if answer is None:
    sys.exit("no CWR answers it")
if segments[answer]["length"] == 0:
    sys.exit("CWR stands on a segment without data")
if not any(s["dir"] == echo and "E" not in s["flags"] for s in segments[answer:]):
    sys.exit("ECE goes on after CWR")
if any(s["dir"] == cwr and "E" in s["flags"] for s in segments):
    sys.exit("the side whose packets were marked says ECE")
EOF
}

# family NAME HOST
family()
{
    local before
    before=$(counted theirs)
    expect_status 0 "$1, the kernel's data is marked: open" \
        "$TCPWAVE" connect "$2:4000" --ecn --json -d x -o /dev/null
    expect_json verdict handshake.ecn true "$1: ECN is in force"
    expect_json verdict received_bytes 100000 "$1, the kernel's data is marked: all of it arrives"
    check "$1: marks were made" test "$(counted theirs)" -gt "$before"
    check "$1: our ECE is answered by the kernel's CWR, and ceases" told out in

    before=$(counted ours)
    expect_status 0 "$1, our data is marked: open" "$TCPWAVE" connect "$2:4001" --ecn --json -f "$tmp/file"
    expect_json verdict sent_bytes 200000 "$1, our data is marked: all of it is sent"
    check "$1: marks were made on ours" test "$(counted ours)" -gt "$before"
    check "$1: the kernel's ECE is answered by our CWR, and ceases" told in out
}

family IPv4 "$far4"
family IPv6 "[$far6]"

# A kernel that does not agree, and one that is not asked: nothing is ECN-capable.
ecn 0
before=$(counted ours)
expect_status 0 "not agreed: open" "$TCPWAVE" connect "$far4:4001" --ecn --json -f "$tmp/file"
expect_json verdict handshake.ecn false "not agreed: ECN is not in force"
ecn 1
expect_status 0 "not asked: open" "$TCPWAVE" connect "$far4:4001" --json -f "$tmp/file"
expect_json verdict handshake.ecn false "not asked: ECN is not in force"
check "neither: nothing of ours could be marked" test "$(counted ours)" = "$before"
check "no SYN, and nothing without data, was ECN-capable" test "$(counted wrong)" = 0
done_testing
