# Captures for the tests of `read`, to be sourced behind lib.sh; $here is the folder of record.py.
#
#   capture FILE RUNNER INTERFACE   captures there until captured FILE; RUNNER is env, peer or router
#   captured FILE...                ends the captures, once they have all of it
#   retransmitted RUNNER            prints how many segments the kernel there has retransmitted so far;
#                                   nothing without nstat
#   router_up                       makes a third namespace between a client here and a server at the
#                                   peer, IPv4 and IPv6
#   router CMD...                   runs CMD there
#
# Behind a router, $client4 and $client6 are ours, on `c0`; $server4 and $server6 are the peer's, on
# `s0`; the router's interfaces are r0, on our side, and r1.

client4=10.10.1.1 client6=fd10:1::1 server4=10.10.2.2 server6=fd10:2::2

# By tcpdump where it can: that needs a user whom a user namespace does not have.
capture()
{
    local there=
    case $2 in
    peer) there="nsenter -t $holder -n" ;;
    router) there="nsenter -t $router -n" ;;
    esac
    # shellcheck disable=SC2016 # the inner shell's
    launch "capture_$1" sh -c 'to=$1 && shift && exec "$@" >"$to"' sh "$tmp/$1" \
        $there tcpdump -i "$3" -U -w - -B 16384 tcp
    poll grep -q 'listening on' "$tmp/capture_$1.log" && return
    stop "capture_$1"
    launch "capture_$1" $there python3 "$here/record.py" "$3" "$tmp/$1"
    poll grep -q recording "$tmp/capture_$1.log"
}

# tcpdump is given packets a second late. A capture has all of it once its file has not grown for
# longer than that, and one without a packet (24 bytes: the head) has five seconds.
captured()
{
    local file size before same
    for file; do
        before=-1 same=0
        while [ $same -lt 7 ] || { [ "$size" -le 24 ] && [ $same -lt 25 ]; }; do
            size=$(wc -c <"$tmp/$file")
            [ "$size" = "$before" ] && same=$((same + 1)) || same=0
            before=$size
            sleep 0.2
        done
        stop "capture_$file"
    done
}

retransmitted()
{
    ${1#env} nstat -az TcpRetransSegs 2>/dev/null | awk '/^Tcp/ { print $2 }'
}

router_up()
{
    netns_hold router || return 1
    ip link add c0 type veth peer name r0 netns $router || return 1
    peer ip link add s0 type veth peer name r1 netns $router || return 1
    routed_link c0 10.10.1.1/24 fd10:1::1/64 env
    routed_link r0 10.10.1.254/24 fd10:1::fe/64 router
    routed_link r1 10.10.2.254/24 fd10:2::fe/64 router
    routed_link s0 10.10.2.2/24 fd10:2::2/64 peer
    router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
    ip route add 10.10.2.0/24 via 10.10.1.254
    ip route add fd10:2::/64 via fd10:1::fe
    peer ip route add 10.10.1.0/24 via 10.10.2.254
    peer ip route add fd10:1::/64 via fd10:2::fe
}

# routed_link NAME ADDRESS4 ADDRESS6 RUNNER: without offloads, so that each segment is a packet
routed_link()
{
    "$4" ip addr add $2 dev $1 && "$4" ip addr add $3 dev $1 nodad && "$4" ip link set $1 up
    "$4" ethtool -K $1 tso off gso off gro off >/dev/null 2>&1
}

router()
{
    nsenter -t "$router" -n "$@"
}
