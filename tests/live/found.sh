#!/bin/sh
# Checks the findings of send and load: odd answers, this host's firewall, neighbours that do not
# answer, a full accept queue, and ports of targets on this host. Beside each stands something
# harmless that looks alike and must not be told.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/findings_lib.sh"
netns_enter "$@" && netns_up || exit 1
need nft python3 jq ncat ethtool
here=$(cd "$(dirname "$0")" && pwd)
# What may be found; where nothing may be, nothing_found says so.
findings='rst-unacceptable syn-ack-unacceptable ack-to-syn answer-from-elsewhere bad-checksum own-firewall no-neighbour accept-queue-full self-connection'

# Checksums that an offload leaves to the card would not be wrong ones.
peer ethtool -K far tx off >/dev/null 2>&1
peer nft -f - <<'RULES' || exit 1
table inet silent {
    chain out {
        type filter hook output priority 0
        tcp sport 6000-6999 drop
    }
}
RULES
start_peer odd - python3 "$here/odd_answers.py" far
poll grep -q ready "$tmp/odd.log" || exit 1
start_peer echo 7 ncat -lk 7 --exec /bin/cat

# found NAME CODE SEVERITY: the last verdict has that finding, and its sentence is the finding's
found()
{
    local said
    expect_json verdict "findings.code=$2.severity" "$3" "$1: $2, $3"
    [ "$3" != problem ] || [ "$status" = 3 ] || {
        said=$(json_get verdict "findings.code=$2.message")
        case $said/$(json_get verdict message) in
        ?*/*"$said") pass "$1: $2 makes the sentence" ;;
        *) fail "$1: $2 makes the sentence" && show_try ;;
        esac
    }
}

nothing_found()
{
    expect_json verdict findings '[]' "$1: nothing is found"
}

for far in "$far4" "[$far6]"; do
    expect_status 5 "send, $far: a RST of something else: dropped" "$TCPWAVE" send --json "$far:6001"
    found "send, $far" rst-unacceptable problem
    finds_no syn-ack-unacceptable "send, $far: a RST of something else"
    finds_no ack-to-syn "send, $far: a RST of something else"
    check "send, $far: it is not said that nothing came" sh -c "! grep -q 'nothing answered' '$tmp/out'"
    expect_status 4 "send, $far: a RST without ACK: refused" "$TCPWAVE" send --json "$far:6003"
    found "send, $far" rst-unacceptable warning
    expect_status 5 "send fast, $far: dropped" "$TCPWAVE" send --json --count 20 --rate 5000 "$far:6001"
    found "send fast, $far" rst-unacceptable problem
    expect_status 5 "send, $far: a wrong checksum: dropped" "$TCPWAVE" send --json --wait 300ms "$far:6002"
    found "send, $far" bad-checksum problem
    expect_status 5 "send, $far: a SYN-ACK of something else: dropped" \
        "$TCPWAVE" send --json --wait 300ms "$far:6004"
    found "send, $far" syn-ack-unacceptable problem
    finds_no answer-from-elsewhere "send, $far: a SYN-ACK of something else"
    expect_status 0 "send, $far: an ACK of something else is an answer" "$TCPWAVE" send --json "$far:6005"
    found "send, $far" ack-to-syn info
    expect_status 5 "send, $far: a SYN-ACK from another port: dropped" \
        "$TCPWAVE" send --json --wait 300ms "$far:6006"
    found "send, $far" answer-from-elsewhere problem
    expect_status 1 "load, $far: a SYN-ACK from another port" \
        "$TCPWAVE" load --json --connections 10 --timeout 2 "$far:6006"
    found "load, $far: a SYN-ACK from another port" answer-from-elsewhere problem
    for command in 'connect --timeout 1500ms' 'send --wait 300ms'; do
        expect_status 5 "$command, $far: a SYN-ACK from another port" "$TCPWAVE" $command --json "$far:6006"
        expect_line out '"message":"[^"]* itself did not answer ' "$command, $far: it is not said that nothing came"
    done
    expect_status 4 "send, $far: a closed port: refused" "$TCPWAVE" send --json "$far:9"
    nothing_found "send, $far: a closed port"
    expect_status 0 "send, $far: an open port" "$TCPWAVE" send --json "$far:7"
    nothing_found "send, $far: an open port"
    expect_status 4 "send, $far: an ACK" "$TCPWAVE" send --json --flags A "$far:9"
    nothing_found "send, $far: an ACK draws a RST without ACK"
    finds_no rst-unacceptable "send, $far: an ACK draws a RST without ACK"
    expect_status 5 "send, $far: silence" "$TCPWAVE" send --json --wait 300ms "$far:6999"
    nothing_found "send, $far: silence"
    expect_line out 'nothing answered 1 segment to' "send, $far: silence is told as such"

    expect_status 5 "idle, $far: wrong checksums: dropped" \
        "$TCPWAVE" idle --json --from 200ms --to 1s --timeout 1200ms "$far:6002"
    found "idle, $far" bad-checksum problem
    check "idle, $far: it is not said that nothing came" sh -c "! grep -q 'nothing answered' '$tmp/out'"

    expect_status 1 "load, $far: a RST that counts for nothing" \
        "$TCPWAVE" load --json --connections 5 --timeout 1200ms "$far:6001"
    found "load, $far" rst-unacceptable problem
    expect_status 1 "load, $far: wrong checksums" \
        "$TCPWAVE" load --json --connections 5 --timeout 1200ms "$far:6002"
    found "load, $far" bad-checksum problem
    expect_status 1 "load, $far: SYN-ACKs of something else" \
        "$TCPWAVE" load --json --connections 5 --timeout 1200ms "$far:6004"
    found "load, $far" syn-ack-unacceptable problem
    expect_status 1 "load, $far: ACKs of older connections" \
        "$TCPWAVE" load --json --connections 5 --timeout 1200ms "$far:6005"
    found "load, $far" ack-to-syn problem
    expect_status 1 "load, $far: a closed port" "$TCPWAVE" load --json --connections 5 "$far:9"
    nothing_found "load, $far: a closed port"
    expect_status 0 "load, $far: as asked" "$TCPWAVE" load --json --connections 20 "$far:7"
    nothing_found "load, $far: as asked"
done

# This host's own firewall: the capture sees what it drops.
nft -f - <<'RULES' || exit 1
table inet own {
    chain in {
        type filter hook input priority 0
        tcp sport 7 drop
    }
}
RULES
for far in "$far4" "[$far6]"; do
    expect_status 0 "own firewall, send, $far" "$TCPWAVE" send --json "$far:7"
    found "own firewall, send, $far" own-firewall problem
    expect_status 0 "own firewall, load, $far" "$TCPWAVE" load --json --connections 5 "$far:7"
    # It sends past the rules, so that one that goes by connections would do the same.
    found "own firewall, load, $far" own-firewall info
done
nft delete table inet own

# It stops what we send. Where a hook tells the sender, the run ends with that; the egress hook does
# not, and each segment is refused. Other targets are not held up, and a rule for something else is
# no finding.
start_peer other 8 ncat -lk 8 --exec /bin/cat
start_peer many 9 python3 "$(dirname "$0")/counter.py" 9 echo
for hook in output postrouting; do
    nft -f - <<RULES || exit 1
table inet own {
    chain out {
        type filter hook $hook priority 0
        tcp dport 7 drop
    }
}
RULES
    for far in "$far4" "[$far6]"; do
        expect_status 3 "load, $far: $hook drops what we send" \
            "$TCPWAVE" load --json --connections 20 --timeout 5 "$far:7"
        expect_line out '"message":"cannot send to .*a firewall rule of this host drops' \
            "load, $far: $hook drops what we send: it says so"
        expect_status 0 "load, $far: $hook drops something else" \
            "$TCPWAVE" load --json --connections 20 --timeout 5 "$far:8"
        nothing_found "load, $far: $hook drops something else"
    done
    nft delete table inet own
done
if nft -f - <<'RULES'; then
table netdev own {
    chain out {
        type filter hook egress device near priority 0
        tcp dport 7 drop
    }
}
RULES
    for far in "$far4" "[$far6]"; do
        # As many as that are sent in a ring (lib/wire/tx_ring.h).
        expect_status 1 "load, $far: egress drops what we send" \
            "$TCPWAVE" load --json --connections 200 --concurrency 200 --timeout 2 "$far:7"
        found "load, $far: egress" own-firewall problem
        expect_line out 'probably, this host.s interface near refused each of the [0-9]+ segments' \
            "load, $far: egress: it counts them"
        expect_status 1 "load, $far: egress drops half of what we send" \
            "$TCPWAVE" load --json --connections 40 --rate 40 --timeout 3 -d x "$far:7" "$far:8"
        found "load, $far: egress, in part" own-firewall problem
        expect_json verdict connections.open 20 "load, $far: egress, in part: the other target is not held up"
        # Of many at a time the first are sent through the kernel (lib/wire/own_nat.h): hundreds are
        # refused later, among those that are not.
        expect_status 1 "load, $far: egress drops half of very many" \
            "$TCPWAVE" load --json --connections 1600 --concurrency 400 --rate 800 --timeout 5 -d x "$far:7" "$far:9"
        found "load, $far: egress, half of very many" own-firewall problem
        check "load, $far: egress, half of very many: the other target is not held up" jq -es \
            'last | .latency.handshake | .count > 1200 and .p90 < 0.1' "$tmp/out"
        expect_status 5 "send fast, $far: egress drops what we send" \
            timeout 20 "$TCPWAVE" send --json --count 20 --rate 5000 --wait 300ms "$far:7"
        found "send fast, $far: egress" own-firewall problem
        expect_status 0 "load, $far: egress drops something else" \
            "$TCPWAVE" load --json --connections 20 --timeout 5 -d x "$far:8"
        nothing_found "load, $far: egress drops something else"
    done
    nft delete table netdev own

    # Large segments alone: it is not the path that swallows them.
    nft -f - <<'RULES'
table netdev own {
    chain out {
        type filter hook egress device near priority 0
        meta length > 600 drop
    }
}
RULES
    head -c 20000 /dev/zero >"$tmp/some"
    for far in "$far4" "[$far6]"; do
        try "$TCPWAVE" connect --json --timeout 9 -f "$tmp/some" -o "$tmp/got" "$far:7"
        expect_json verdict findings.code=own-firewall.certainty likely \
            "$far: egress drops large segments: own-firewall, likely"
        check "$far: egress drops large segments: no black-hole" \
            sh -c "! grep -q black-hole '$tmp/out'"
    done
    nft delete table netdev own
else
    skip "egress drops what we send" "this kernel has no egress hook for nft"
fi

# Rules that know connections, as most hosts have them, let an application's answers through: connect
# finds nothing, and neither does load, of whose segments they see the first one alone. Others stop
# large segments only.
nft -f - <<'RULES' || exit 1
table inet own {
    chain in {
        type filter hook input priority 0
        ct state established accept
        ct state invalid drop
        tcp sport 7 drop
    }
}
RULES
for far in "$far4" "[$far6]"; do
    expect_status 0 "rules that know connections, connect, $far" "$TCPWAVE" connect --json -d hello "$far:7"
    nothing_found "rules that know connections, connect, $far"
    expect_status 0 "rules that know connections, load, $far" "$TCPWAVE" load --json --connections 5 "$far:7"
    nothing_found "rules that know connections, load, $far"
done
nft delete table inet own
nft -f - <<'RULES' || exit 1
table inet own {
    chain in {
        type filter hook input priority 0
        tcp sport 7 meta length > 500 drop
    }
}
RULES
head -c 100000 /dev/zero >"$tmp/large"
for far in "$far4" "[$far6]"; do
    expect_status 0 "rules that stop large segments, $far" \
        "$TCPWAVE" connect --json -f "$tmp/large" -o "$tmp/got" "$far:7"
    found "rules that stop large segments, $far" own-firewall warning
done
nft delete table inet own

# Nobody has the address; a gateway that is not there.
ip route add 10.98.0.0/24 via 10.9.0.78
milliseconds()
{
    local up
    read -r up _ </proc/uptime
    echo $((${up%.*} * 1000 + 1${up#*.} * 10 - 1000))
}
# timed N CMD...: runs it, with its output in $tmp/out.N and its status and milliseconds in $tmp/ended.N
timed()
{
    local n=$1 began
    shift
    began=$(milliseconds)
    timeout -k 5 60 "$@" >"$tmp/out.$n" 2>"$tmp/err.$n" </dev/null 9>&-
    echo "$? $(($(milliseconds) - began))" >"$tmp/ended.$n"
}
for command in 'send' 'load --connections 3'; do
    n=0 waiting=
    for target in 10.9.0.77:80 '[fd09::77]:80' 10.98.0.1:80; do
        n=$((n + 1))
        timed $n "$TCPWAVE" $command --json "$target" 9>&- &
        waiting="$waiting $!"
    done
    pids="$pids $waiting"
    wait $waiting
    n=0
    for target in 10.9.0.77:80 '[fd09::77]:80' 10.98.0.1:80; do
        n=$((n + 1))
        read -r status took <"$tmp/ended.$n"
        cp "$tmp/out.$n" "$tmp/out"
        cp "$tmp/err.$n" "$tmp/err"
        cat "$tmp/out" >>"$tmp/json"
        note_alarms $command "$target"
        check "$command $target: local" test "$status" = 3
        [ "$status" = 3 ] || show_try
        found "$command $target" no-neighbour problem
        check "$command $target: in about three seconds ($took ms)" test "$took" -gt 1500 -a "$took" -lt 5000
    done
    ip neigh flush dev near 2>/dev/null
done

# A backlog of 5 that is not accepted from fast enough; and losses, which hit single connections.
cat >"$tmp/slow.py" <<'EOT'
import socket, sys, time
s = socket.create_server((sys.argv[1], 8000), family=socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET,
                         backlog=2)
while True:
    c, _ = s.accept()
    c.recv(100)
    time.sleep(0.02)
    c.sendall(b"done")
    c.close()
EOT
start_peer slow4 8000 python3 "$tmp/slow.py" $far4
start_peer slow6 - python3 "$tmp/slow.py" $far6
poll peer sh -c "ss -Hltn6 'sport = :8000' | grep -q ."
for far in "$far4" "[$far6]"; do
    try "$TCPWAVE" load --json --connections 150 --concurrency 60 -d hello --timeout 12 "$far:8000"
    finds accept-queue-full '[a-z]*' likely "a full accept queue, $far"
done
lose peer far 7
expect_status 0 "losses: as asked" "$TCPWAVE" load --json --connections 200 --concurrency 20 --syn-retries 7 -d hello 10.9.0.2:7
nothing_found "losses"
finds_no accept-queue-full "losses"
lose_nothing peer

# A target on this host: no local port of ours stands in its place.
start_near own 45000 ncat -lk 45000 --exec /bin/cat
for host in 127.0.0.1 '[::1]' $near4; do
    expect_status 0 "load -p, $host: as asked" \
        "$TCPWAVE" load --json -p 44990 --connections 40 --concurrency 40 "$host:45000"
    found "load -p, $host" port-shadowed info
    expect_status 1 "load -p, $host: a closed one: refused" \
        "$TCPWAVE" load --json -p 44990 --connections 40 --concurrency 40 "$host:45001"
    expect_json verdict connections.refused 40 "load -p, $host: all are refused"
done
expect_status 0 "load, other ports" "$TCPWAVE" load --json -p 46000 --connections 20 127.0.0.1:45000
nothing_found "load, other ports"
finds_no port-shadowed "load, other ports"
expect_status 3 "send -p: the target is among the ports" "$TCPWAVE" send -p 44990 --ports 20 127.0.0.1:45000
expect_line err 'port 45000 of this host is the target itself' "send -p: says so"
for host in 127.0.0.1 '[::1]' $near4; do
    for command in connect halfclose keepalive send; do
        expect_status 3 "$command -p, $host: the target itself" "$TCPWAVE" $command --json -p 45000 "$host:45000"
        found "$command -p, $host: the target itself" self-connection problem
        check "$command -p, $host: an event tells it, and then the verdict" jq -es \
            '[.[].event] == ["finding", "verdict"] and .[0].code == "self-connection"' "$tmp/out"
    done
    expect_status 0 "connect -p, $host: another port" "$TCPWAVE" connect --json -d hello -p 44999 "$host:45000"
    nothing_found "connect -p, $host: another port"
    finds_no self-connection "connect -p, $host: another port"
done
expect_status 0 "load -p to another host" "$TCPWAVE" load --json -p 44990 --connections 20 -d x $far4:7
nothing_found "load -p to another host"

done_testing
