#!/bin/sh
# A connection that is captured at two places: what a router between them has changed is found, what it
# leaves alone is not, and a packet counts once, over IPv4 and IPv6, with loss and without. Sequence
# numbers that a host uses once more are found, too.
netns_how='-nm -Urnm' # tcpdump, as root, wants to become a user whom a user namespace may not have
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/findings_lib.sh"
. "$(dirname "$0")/capture_lib.sh"
netns_enter "$@"
need python3 ss ip nft ethtool nstat
netns_up && router_up || exit 1
here=$(cd "$(dirname "$0")" && pwd)
findings='options-changed loss isn-reused one-direction'

start_peer server 7000 python3 "$here/read_peer.py" server 7000
poll timeout 5 python3 "$here/read_peer.py" bulk $server6 7000 1 10

# rules RULE...: what the router does to forwarded packets from now on
rules()
{
    router nft flush ruleset
    [ $# = 0 ] && return
    {
        echo 'table inet test {'
        echo 'chain forward {'
        echo 'type filter hook forward priority 0;'
        printf '%s\n' "$@"
        echo '}'
        echo '}'
    } >"$tmp/rules"
    router nft -f "$tmp/rules" 2>"$tmp/rules.log"
}

# flow ADDRESS FILE: of that server
flow()
{
    grep '"event":"flow"' "$tmp/$2" | grep "\"server\":{\"addr\":\"$1\"" >"$tmp/flow.json"
}

#
# Two captures of one connection, and a router between them
#

# joined NAME: a transfer over IPv4 and one over IPv6, captured at the client and at the server
joined()
{
    capture near_file env c0
    capture far_file peer s0
    before=$(($(retransmitted env) + $(retransmitted peer)))
    timeout 30 python3 "$here/read_peer.py" bulk $server4 7000 1 50000
    timeout 30 python3 "$here/read_peer.py" bulk $server6 7000 1 50000
    captured near_file far_file
    again=$(($(retransmitted env) + $(retransmitted peer) - before))
    mergecap -w "$tmp/joined" "$tmp/near_file" "$tmp/far_file"
    expect_status 0 "$1: two captures that were joined" "$TCPWAVE" read --json "$tmp/joined"
    cp "$tmp/out" "$tmp/flows.json"
    expect_json verdict read.flows.seen 2 "$1: two flows"
    expect_json verdict read.retransmissions $again "$1: $again retransmissions, as the kernels count"
    frames=$(json_get verdict read.file.frames)
    check "$1: each packet counts once" [ "$(json_get verdict read.file.elsewhere)" = $((frames / 2)) ]
}

# case_of NAME COUNT PATTERN RULE...: so many findings say PATTERN, and none says anything else
case_of()
{
    local name=$1 count=$2 pattern=$3
    shift 3
    if rules "$@"; then
        joined "$name"
        grep '"code":"options-changed"' "$tmp/flows.json" >"$tmp/changed"
        if [ $count = 0 ]; then
            finds_no options-changed "$name"
        else
            finds_in_flow options-changed warning proved "$name"
        fi
        check "$name: $count findings" [ "$(wc -l <"$tmp/changed")" = $count ]
        [ $count = 0 ] || check "$name: they say what" [ "$(grep -c "$pattern" "$tmp/changed")" = $count ]
        [ ! -s "$tmp/changed" ] || note "$(sed 's/.*"message":"\([^"]*\)".*/\1/' "$tmp/changed")"
    else
        skip "$name" "nft here cannot: $(head -n 1 "$tmp/rules.log")"
    fi
}

if command -v mergecap >/dev/null; then
    case_of "a plain router" 0 ""
    case_of "an MSS that needs no clamping" 0 "" 'tcp flags syn tcp option maxseg size set rt mtu'
    case_of "a clamped MSS" 4 'MSS 14[46]0 at the first, 1200 at the second' \
        'tcp flags syn tcp option maxseg size set 1200'
    # What the server does not see it does not offer either: its SYN-ACK is left as it is.
    case_of "SACK that is taken out" 2 "client's SYN: SACK at the first only" \
        'tcp flags syn reset tcp option sack-perm'
    case_of "timestamps that are taken out" 2 "client's SYN: timestamps at the first only" \
        'tcp flags syn reset tcp option timestamp'
    rules
    flow $server6 flows.json
    check "the client's timestamps were not seen by the server" \
        [ "$(json_get flow client.offers.timestamps_elsewhere "$tmp/flow.json")" = false ]
else
    skip "two captures of one connection" "mergecap is not installed"
fi

#
# Numbers that are used once more
#

# numbers ADDRESS SERVER PORT REUSED ISN ISN: two connections from one port, with these numbers
numbers()
{
    capture isn_file env c0
    made=$(timeout 20 python3 "$here/isn_client.py" "$1" "$2" 7000 $3 $5 $6)
    captured isn_file
    check "$2: two connections from port $3" [ "$made" = 2 ]
    expect_status 0 "$2: $5 and $6" "$TCPWAVE" read --json "$tmp/isn_file"
    expect_json verdict read.flows.seen 2 "$2, $5 and $6: two flows"
    found=$(grep -c '"code":"isn-reused".*the client begins' "$tmp/out")
    check "$2, $5 and $6: $4 findings" [ "$found" = $4 ]
    if [ $4 = 0 ]; then
        finds_no isn-reused "$2, $5 and $6"
    else
        finds_in_flow isn-reused warning proved "$2, $5 and $6"
    fi
}

nft -f - <<X
table inet test {
    chain out {
        type filter hook output priority 0;
        tcp flags rst drop
    }
}
X
numbers $client4 $server4 7201 1 1000 1000
numbers $client4 $server4 7202 0 1000 500001000
numbers $client6 $server6 7203 1 1000 1000
numbers $client6 $server6 7204 0 1000 500001000
nft flush ruleset

#
# On all interfaces of the router each packet is captured twice
#

# on_router NAME ADDRESS: a transfer, captured on all interfaces of the router and at its sender
on_router()
{
    capture router_file router any
    capture near_file env c0
    before=$(retransmitted env)
    timeout 60 python3 "$here/read_peer.py" bulk "$2" 7000 1 400000
    after=$(retransmitted env)
    captured router_file near_file
    expect_status 0 "$1: read" "$TCPWAVE" read --json "$tmp/router_file"
    cp "$tmp/out" "$tmp/flows.json"
    flow "$2" flows.json
    check "$1: each byte is counted once" [ "$(json_get flow client.bytes "$tmp/flow.json")" = 400000 ]
    check "$1: the server's, too" [ "$(json_get flow server.bytes "$tmp/flow.json")" = 200000 ]
    again=$(json_get flow client.retransmissions "$tmp/flow.json")
    twice=$(json_get verdict read.file.elsewhere "$tmp/flows.json")
}

any_of()
{
    rules
    on_router "$1" "$2"
    check "$1: half of the frames are copies" [ "$twice" = $(($(json_get verdict read.file.frames "$tmp/flows.json") / 2)) ]
    check "$1: $((after - before)) retransmissions, as the client's kernel counts" [ "$again" = $((after - before)) ]
    check "$1: the network has copied nothing" [ "$(json_get flow client.duplicates "$tmp/flow.json")" = 0 ]

    # What the router loses was captured where it came in, and not where it would have gone out.
    rules "iifname r0 tcp dport 7000 numgen inc mod 40 == 39 drop"
    on_router "$1, with loss" "$2"
    lost=$(($(json_get verdict read.file.frames "$tmp/flows.json") - 2 * twice))
    check "$1: $lost packets were lost in the router" [ "$lost" -gt 0 ]
    check "$1: $((after - before)) retransmissions, as the client's kernel counts" \
        [ "$again" = $((after - before)) ]
    check "$1: which are no copies" [ "$again" -gt 0 ]
    rules
}

if [ "${TCPWAVE_GROUND:-}" = -nm ] && command -v tcpdump >/dev/null; then
    any_of "IPv4 on all interfaces" $server4
    any_of "IPv6 on all interfaces" $server6
    # Without timestamps, too: then it is the time alone that tells a copy.
    sysctl -qw net.ipv4.tcp_timestamps=0
    any_of "IPv6 without timestamps" $server6
    sysctl -qw net.ipv4.tcp_timestamps=1
else
    skip "all interfaces of a router" "tcpdump, as root, is not to be had here"
fi

done_testing
