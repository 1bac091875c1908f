#!/bin/sh
# Checks interfaces without a link layer (tun, WireGuard), and interfaces whose link layer is not
# Ethernet (PPP, tunnels). Every command has to work there, including those that send much and that
# send frames where they can.
. "$(dirname "$0")/lib.sh"
netns_enter "$@"
need python3
netns_up || exit 1
here=$(cd "$(dirname "$0")" && pwd)
tun4=10.77.0 tun6=fd77:

python3 -c 'import os; os.open("/dev/net/tun", os.O_RDWR)' 2>"$tmp/err" || {
    echo "# no tun interfaces here: $(tail -n 1 "$tmp/err")"
    exit 77
}

# tuns [TYPE]: the pair, up, with addresses
tuns()
{
    start_near tuns - python3 "$here/tun.py" "$holder" "$@"
    poll grep -q ready "$tmp/tuns.log" || start_failed tuns
    ip -batch - <<EOF
address add $tun4.1/24 dev tun0
link set tun0 up
address add $tun6:1/64 dev tun0 nodad
EOF
    peer ip -batch - <<EOF
address add $tun4.2/24 dev tun1
link set tun1 up
address add $tun6:2/64 dev tun1 nodad
EOF
}

tuns_down()
{
    stop tuns
    rm "$tmp/tuns.log" # whose "ready" is the last one's
    poll sh -c '! ip link show tun0'
}

head -c 2000000 /dev/urandom >"$tmp/data"
head -c 100000 /dev/urandom >"$tmp/small"
start_peer echo 7 python3 "$here/peer.py" 7 echo
start_peer sort 71 python3 "$here/peer.py" 71 sort
start_peer load 80 python3 "$here/counter.py" 80 echo

# clients NAME TARGET: what the commands that connect do
clients()
{
    local name=$1 to=$2 case
    for case in "connect $to:7 -d x" 'halfclose '"$to"':71 -d b\na\n' "load $to:80 --connections 100 -d x" \
        "load $to:80 --connections 300 --concurrency 200" \
        "keepalive $to:7 --idle 100ms --interval 1s --for 200ms" "send $to:80" \
        "send $to:80 --count 100 --interval 100us" "send $to:80 --count 200 --rate 20000" \
        "send $to:80 --count 200 --rate max"; do
        # shellcheck disable=SC2086 # words
        expect_status 0 "$name: $case" "$TCPWAVE" $case --timeout 30 --json
    done
    expect_status 4 "$name: a closed port refuses" "$TCPWAVE" connect "$to:9" --json
    rm -f "$tmp/got"
    expect_status 0 "$name: connect -q -f" "$TCPWAVE" connect -q -f "$tmp/data" -o "$tmp/got" --timeout 50 "$to:7"
    check "$name: connect -q -f: the data came back whole" cmp -s "$tmp/data" "$tmp/got"
    expect_status 0 "$name: connect -q -f, small segments" "$TCPWAVE" connect -q --mss 600 -f "$tmp/small" \
        -o "$tmp/got" --timeout 50 "$to:7"
    check "$name: small segments: the data came back whole" cmp -s "$tmp/small" "$tmp/got"
}

# server NAME ADDRESS ARGUMENT...
server()
{
    local name=$1 address=$2 family=-4
    case $address in *:*) family=-6 ;; esac
    shift 2
    serves_callers "$name" "$address" 8 $family "$@" --timeout 30
}

servers()
{
    local name=$1 to=$2
    server "$name: listen" "$to" 9001
    server "$name: listen -q" "$to" -q 9001
    server "$name: listen -q -i" "$to" -q -i tun0 9001
}

tuns
clients "tun, IPv4" "$tun4.2"
clients "tun, IPv6" "[$tun6:2]"
servers "tun, IPv4" "$tun4.1"
servers "tun, IPv6" "$tun6:1"
tuns_down

# Numbers of <linux/if_arp.h>. The kernel's own interfaces of these kinds are not everywhere; a tun
# interface that claims to be one shows what is made of the claim.
for kind in 519:rawip 512:ppp 768:ipip 776:sit 778:gre 823:ip6gre 805:none-we-know; do
    check "${kind#*:}: the interfaces are there" tuns "${kind%%:*}"
    clients "${kind#*:}" "$tun4.2"
    server "${kind#*:}: listen -q -i" "$tun4.1" -q -i tun0 9001
    tuns_down
done

done_testing
