#!/bin/sh
# Checks tcpwave idle with the kernel as the peer, behind a router whose conntrack forgets after
# seconds: silently, with RST, half-closed connections, with loss, and a router that forgets nothing;
# and peers that reset silent connections, or whose host is rebooted. Real lengths, and all that needs
# no kernel, are in tests/unit/test_cmd_idle.c.
#
# The peer's namespace is the router; the servers run in a third one behind it.
. "$(dirname "$0")/lib.sh"
netns_enter "$@"
need nft python3 ss
netns_up || exit 1

# What the inquest provokes on purpose, and what idle finds.
findings='ack-to-syn forgotten-when-idle reset-when-idle'

here=$(cd "$(dirname "$0")" && pwd)
end4=10.8.0.2 end6=fd08::2
short="--from 1s --to 16s --parallel 6 --precision 20 --give-up 2s"

elsewhere()
{
    [ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}

at_end()
{
    nsenter -t "$end" -n "$@"
}

end_up()
{
    unshare -n cat <"$tmp/alive" >/dev/null 2>&1 9>&- &
    end=$!
    pids="$pids $end"
    poll elsewhere $end
    peer ip link add mid type veth peer name end netns $end
    netns_link mid 10.8.0.1 fd08::1 fe80::8:1 | peer ip -batch -
    netns_link end $end4 $end6 fe80::8:2 | at_end ip -batch -
    at_end ip route add default via 10.8.0.1
    at_end ip -6 route add default via fd08::1
}

# server NAME PORT HABIT
server()
{
    launch "$1" nsenter -t "$end" -n python3 "$here/peer.py" "$2" "$3"
    poll listening "$2" at_end
}

# timers ESTABLISHED CLOSE_WAIT: in seconds
timers()
{
    peer sh -c "
        cd /proc/sys/net/netfilter || exit
        echo 0 >nf_conntrack_tcp_loose
        echo $1 >nf_conntrack_tcp_timeout_established
        echo $2 >nf_conntrack_tcp_timeout_close_wait
        echo $2 >nf_conntrack_tcp_timeout_fin_wait" 2>"$tmp/timers"
}

# router VERDICT: what happens to segments of connections that it does not know
router()
{
    peer nft -f - <<END
table inet router
flush table inet router
table inet router {
    chain forward {
        type filter hook forward priority 0;
        ct state established accept
        meta l4proto tcp tcp flags & (syn | ack) == syn ct state new accept
        meta l4proto tcp $1
    }
}
END
}

# between NAME LOW HIGH OUTCOME: the last run found a limit around there, in seconds
between()
{
    expect_json verdict idle.limit between "$1: between two silences"
    expect_json verdict idle.outcome "$4" "$1: $4"
    check "$1: more than $2 s and at most $3 s" awk -v low="$(json_get verdict idle.survived)" \
        -v high="$(json_get verdict idle.died)" -v from="$2" -v to="$3" \
        'BEGIN { exit !(low > from && high <= to) }'
}

peer sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
ip route add 10.8.0.0/24 via "$far4"
ip -6 route add fd08::/64 via "$far6"
end_up
server stay 60 stay
server tire 61 tire

# Nothing forgets, and a peer that resets after two seconds.
expect_status 0 "nothing forgets: status 0" "$TCPWAVE" idle --json "$end4:60" --from 1s --to 4s --parallel 4
expect_json verdict idle.limit longer "nothing forgets: it is said"
expect_json verdict idle.samples.alive 4 "nothing forgets: all are alive"
expect_status 0 "64 at a time: status 0" "$TCPWAVE" idle --json "[$end6]:60" --from 1s --to 4s --parallel 64
expect_json verdict idle.samples.alive 64 "64 at a time: all are alive"
expect_status 0 "a peer that resets: status 0" "$TCPWAVE" idle --json "$end4:61" $short
expect_json verdict idle.limit at "a peer that resets: its time is seen"
expect_json verdict idle.outcome reset "a peer that resets: reset"

if router drop && timers 4 4; then
    for host in "$end4" "[$end6]"; do
        expect_status 0 "$host, silently: status 0" "$TCPWAVE" idle --json "$host:60" $short
        between "$host, silently" 2 6 silent
        expect_json verdict idle.by path "$host, silently: the path forgot"
    done
    expect_status 1 "--at-least: status 1" "$TCPWAVE" idle --json "$end4:60" --at-least 7s --give-up 2s
    expect_status 0 "--at-least: status 0" "$TCPWAVE" idle --json "$end4:60" --at-least 2s --give-up 2s
    expect_status 0 "--keepalive holds: status 0" "$TCPWAVE" idle --json "$end4:60" --keepalive 2s --to 9s
    expect_status 1 "--keepalive does not hold: status 1" "$TCPWAVE" idle --json "$end4:60" --keepalive 7s --to 9s --give-up 2s

    timers 600 4
    expect_status 0 "half-closed: status 0" "$TCPWAVE" idle --json "$end4:60" --state half-closed $short
    between "half-closed" 2 6 silent

    timers 4 4
    lose env near 60
    expect_status 0 "one in ten is lost: status 0" "$TCPWAVE" idle --json "$end4:60" $short --give-up 5s
    between "one in ten is lost" 2 6 silent
    lose_nothing env

    router 'reject with tcp reset'
    for host in "$end4" "[$end6]"; do
        expect_status 0 "$host, with RST: status 0" "$TCPWAVE" idle --json "$host:60" $short
        between "$host, with RST" 2 6 reset
    done
    router accept
else
    skip "a router that forgets" "its timers cannot be set: $(head -n 1 "$tmp/timers")"
fi

done_testing
