#!/bin/sh
# What load counts over its connections (tcpwave-findings(7)), shown by a kernel and its servers, and
# by rules of a router on the way. tests/unit/test_cmd_load_findings.c has the
# rest.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/findings_lib.sh"
netns_enter "$@"
need nft python3 ss
netns_up || exit 1

here=$(cd "$(dirname "$0")" && pwd)
data=$(head -c 20000 /dev/zero | tr '\0' x)

# serve NAME PORT HABIT
serve()
{
    start_peer "$1" "$2" python3 "$here/counter.py" "$2" "$3"
}

# counts NAME CODE SEVERITY CERTAINTY PATTERN ARGUMENT...: load finds it and nothing else that warns
counts()
{
    local name=$1 code=$2 severity=$3 certainty=$4 pattern=$5
    shift 5
    findings=$code
    try timeout 60 "$TCPWAVE" load --json --connections 20 --concurrency 20 "$@"
    findings=
    finds_saying "$code" "$severity" "$certainty" "$pattern" "$name"
}

# harmless NAME ARGUMENT...: load gets what it asks for, and finds nothing
harmless()
{
    local name=$1
    shift
    expect_status 0 "$name: status 0" timeout 60 "$TCPWAVE" load --json --connections 20 --concurrency 20 "$@"
    finds_nothing "$name"
}

peer sysctl -qw net.ipv4.tcp_rmem='4096 8192 8192' # small windows
serve echo 7 echo
serve discard 9 discard
serve reset 10 reset
serve close 11 close
serve hold 12 hold

for target in "$far4" "[$far6]"; do
    counts "$target resets at once" closed-at-once problem likely \
        'on (each of|[0-9]+ of) 20 connections the peer reset the connection within' -d x "$target:10"
    counts "$target closes at once" closed-at-once warning likely \
        'on (each of|[0-9]+ of) 20 connections the peer closed within' --hold 1s "$target:11"
    harmless "$target answers" -d x "$target:7"
    harmless "$target closes as asked" --close=passive "$target:11"

    counts "$target does not read" window-closed problem proved \
        'on (each of|[0-9]+ of) 20 connections the peer.s receive window was shut' --timeout 6s -d "$data" "$target:12"
    harmless "$target reads" -d "$data" "$target:9"
done

# Behind a router large packets to one port vanish, those from another, and SYNs with timestamps to a
# third.
end_up || exit 1
peer nft -f - <<'END'
table inet path {
    chain through {
        type filter hook forward priority 0;
        tcp dport 13 meta length > 1300 drop
        tcp sport 14 meta length > 1300 drop
        tcp dport 15 tcp flags & (syn | ack) == syn tcp option timestamp exists drop
    }
}
END
at_end ip link set end gso_max_segs 1 # so that its large segments alone vanish
for port in 7 13 14 15; do
    launch end$port nsenter -t "$end" -n python3 "$here/counter.py" $port echo
    poll listening $port at_end || exit 1
done
long=$(head -c 1600 /dev/zero | tr '\0' y)
for target in "$end4" "[$end6]"; do
    counts "$target, large packets to it vanish" black-hole warning likely \
        'on each of 20 connections large packets of ours vanish on the way there' --timeout 30s -d "$data" "$target:13"
    counts "$target, large packets from it vanish" black-hole warning likely \
        'on (each of|[0-9]+ of) 20 connections large packets vanish on the way here' --timeout 30s -d "$long" "$target:14"
    harmless "$target, large packets come through" -d "$long" "$target:7"
    counts "$target, SYNs with timestamps vanish" old-timestamp-dropped warning likely \
        'on each of 20 connections no SYN with timestamps was answered' -d x "$target:15"
    harmless "$target, SYNs without timestamps" --no-timestamps -d x "$target:15"
done

done_testing
