#!/bin/sh
# Findings of read in captures of short sessions, over IPv4 and IPv6: one direction alone, silence, a small
# window, a long pause. Beside each stands a capture that looks alike and has none.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/findings_lib.sh"
netns_enter "$@"
need nft python3
netns_up || exit 1
here=$(cd "$(dirname "$0")" && pwd)
start_peer echo 9 python3 "$here/peer.py" 7-9 echo
peer ip link set far gso_max_segs 1 # so that each segment is a packet
head -c 100000 /dev/zero >"$tmp/zeros"
peer nft -f - <<'RULES'
table inet test {
    chain in {
        type filter hook input priority 0;
        tcp dport 8 tcp flags & (psh | rst) != 0 drop
        meta nfproto ipv4 tcp dport 9 tcp flags & psh == psh numgen inc mod 2 == 0 drop
        meta nfproto ipv6 tcp dport 9 tcp flags & psh == psh numgen inc mod 2 == 0 drop
    }
}
RULES

for v in 4 6; do
    [ $v = 4 ] && host=$far4 two=2896 || host=[$far6] two=2856
    session plain_$v connect -f "$tmp/zeros" -o "$tmp/got" "$host:7"
    session small_window_$v connect -f "$tmp/zeros" -o "$tmp/got" --window $two "$host:7" # bytes of two segments
    session silent_$v connect -d hello --timeout 3 "$host:8"
    session one_lost_$v connect -d hello "$host:9"
    # In virtual time.
    session pause_$v connect -d hello --hold 31 --sim seed=1 -$v sim:7
    session short_pause_$v connect -d hello --hold 29 --sim seed=1 -$v sim:7
done
for v in 4 6; do
    [ $v = 4 ] && ours=$near4 || ours=$near6
    ended plain_$v 0
    read_it plain_$v
    finds_no window-limited "plain_$v, read"
    finds_no one-direction "plain_$v, read"
    findings=one-direction
    expect_status 0 "plain_$v, one direction" "$TCPWAVE" read --json --filter "src host $ours" "$tmp/plain_$v.pcap"
    findings=
    finds_in_flow one-direction warning proved "plain_$v, one direction"

    ended small_window_$v 0
    read_it small_window_$v
    finds_in_flow window-limited info likely "small_window_$v"

    ended silent_$v 8
    read_it silent_$v silent
    finds_in_flow silent problem '[a-z]*' "silent_$v"
    ended one_lost_$v 0
    read_it one_lost_$v
    finds_no silent "one_lost_$v, read"

    ended pause_$v 0
    read_it pause_$v
    finds_in_flow idle info proved "pause_$v"
    ended short_pause_$v 0
    read_it short_pause_$v
    finds_no idle "short_pause_$v, read"
done
done_testing
