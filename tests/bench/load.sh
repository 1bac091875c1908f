#!/bin/sh
# Measures tcpwave load next to a client of the kernel's own sockets: full cycles (handshake, FIN in
# both directions) against the same kernel server, taking turns in one run, over a veth pair between
# two namespaces; and against tcpwave listen. A third client does no more than the wire needs. It
# shows how much of the time the two kernels take themselves where frames are sent with sendmmsg().
# load, which hands over its frames in a transmit ring, can be as fast, with a whole TCP. Everything
# is printed and nothing is judged: machines differ, ratios less so. It takes about a minute.
#
#     load.sh [CYCLES]
#
# KERNEL_LOAD and BARE_LOAD name the programs of kernel_load.c and bare_load.c.
netns_how='-nm -Urnm'
. "$(dirname "$0")/../live/netns.sh"

: "${TCPWAVE:=$PWD/tcpwave}"
: "${KERNEL_LOAD:=$PWD/tests/bench/kernel_load}"
: "${BARE_LOAD:=$PWD/tests/bench/bare_load}"
cycles=${1:-20000}
rounds=3

netns_enter "$@" && netns_up || exit 1

# The kernel's client at its best: all ports, and no TIME_WAIT to look through for a free one.
sysctl -qw net.ipv4.ip_local_port_range="1024 65535" net.ipv4.tcp_max_tw_buckets=0
peer sysctl -qw net.ipv4.tcp_max_tw_buckets=0 net.core.somaxconn=65535 net.ipv4.tcp_max_syn_backlog=65535

field()
{
    python3 -c 'import json, sys
value = json.loads(sys.stdin.read().splitlines()[-1])
for key in sys.argv[1].split("/"):
    value = value[key]
print(value)' "$1"
}

median()
{
    printf '%s\n' "$@" | sort -n | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'
}

# beside CONCURRENCY CYCLES BAR
beside()
{
    ours= theirs= bare= dropped=0 again=0
    for round in $(seq $rounds); do
        rate=$(timeout 60 "$KERNEL_LOAD" client $far4 80 "$2" "$1" | sed -n 's/.* rate //p')
        theirs="$theirs ${rate:-0}"
        timeout 60 "$TCPWAVE" load --json --connections "$2" --concurrency "$1" $far4:80 >"$tmp/ours"
        ours="$ours $(field rate <"$tmp/ours")"
        dropped=$((dropped + $(field capture/dropped <"$tmp/ours")))
        again=$((again + $(field retransmissions <"$tmp/ours")))
        [ "$1" -ge 100 ] || continue # its ring is in blocks of a millisecond
        rate=$(timeout 60 "$BARE_LOAD" near $near_mac $far_mac $near4 $far4 80 "$2" "$1" | sed -n 's/.* rate //p')
        bare="$bare ${rate:-0}"
    done
    a=$(median $ours) b=$(median $theirs) c=$(median ${bare:-0})
    awk "BEGIN { printf \"    %6d at a time: tcpwave %7.0f/s, kernel sockets %7.0f/s: %.2f of it (aim %s); \
\", $1, $a, $b, $b ? $a / $b : 0, \"$3\"
        if ($c) printf \"bare frames %.0f/s: %.2f of it, and tcpwave %.2f of them (aim 0.95); \",
                $c, $b ? $c / $b : 0, $a / $c
        printf \"capture drops %d, sent again %d\n\", $dropped, $again }"
}

echo "load: full cycles against one kernel server, $rounds rounds in turn (medians):"
start_peer kernel 80 "$KERNEL_LOAD" server 80 || exit 1
beside 1 $((cycles / 4)) 1
beside 100 "$cycles" 2
beside 1000 "$cycles" 3.5
beside 10000 $((cycles * 2)) 3.5
stop kernel
sed 's/^/    server: /' "$tmp/kernel.log"

echo "load: full cycles against tcpwave listen --discard:"
start_peer wave - "$TCPWAVE" listen -q --discard --max 100000 --half-open 100000 -i far $far4:81
sleep 1
for at_once in 1000 10000; do
    timeout 60 "$TCPWAVE" load --json --connections $((cycles * 2)) --concurrency $at_once $far4:81 >"$tmp/ours"
    printf '    %6d at a time: %.0f/s (aim 100000), capture drops %s, sent again %s\n' $at_once \
        "$(field rate <"$tmp/ours")" "$(field capture/dropped <"$tmp/ours")" \
        "$(field retransmissions <"$tmp/ours")"
done
stop wave
