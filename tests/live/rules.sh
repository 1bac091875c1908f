#!/bin/sh
# Checks routing by the source address (`ip rule add from ADDRESS`) with two links to the peer. What
# is sent from the second link's address has to follow that address's own routing table, with every
# command, as the kernel's own packets do. The peer drops what arrives on the wrong link, as a
# provider does (BCP 38).
. "$(dirname "$0")/lib.sh"
netns_enter "$@"
need nft python3
netns_up || exit 1
here=$(cd "$(dirname "$0")" && pwd)

ip link add near2 type veth peer name far2 netns "$holder" || exit 1
ip -batch - <<EOF || exit 1
link set near2 up
address add 10.9.1.1/24 dev near2
address add fd19::1/64 dev near2 nodad
route add 10.50.0.0/24 via $far4
route add fd50::/64 via $far6
rule add pref 100 from 10.9.1.1 lookup 100
route add default via 10.9.1.2 table 100
EOF
ip -6 -batch - <<EOF || exit 1
rule add pref 100 from fd19::1 lookup 100
route add default via fd19::2 table 100
EOF
peer ip -batch - <<EOF || exit 1
link set far2 up
address add 10.9.1.2/24 dev far2
address add fd19::2/64 dev far2 nodad
address add 10.50.0.1/32 dev lo
address add fd50::1/128 dev lo nodad
route replace 10.9.0.0/24 dev far src 10.50.0.1
route replace 10.9.1.0/24 dev far2 src 10.50.0.1
route add fd09::/64 dev far src fd50::1 metric 10
route add fd19::/64 dev far2 src fd50::1 metric 10
EOF
for place in all near near2; do
    echo 0 >"/proc/sys/net/ipv4/conf/$place/rp_filter"
done
peer nft -f - <<'RULES' || exit 1
table inet test {
    counter strays { }
    chain in {
        type filter hook prerouting priority -400;
        iifname "far" ip saddr 10.9.1.1 counter name strays drop
        iifname "far" ip6 saddr fd19::1 counter name strays drop
        iifname "far2" ip saddr 10.9.0.1 counter name strays drop
        iifname "far2" ip6 saddr fd09::1 counter name strays drop
    }
}
RULES

strays()
{
    peer nft list counter inet test strays | awk '$1 == "packets" { print $2 }'
}

head -c 2000000 /dev/urandom >"$tmp/data"
start_peer echo 7 python3 "$here/peer.py" 7 echo
start_peer load 80 python3 "$here/counter.py" 80 echo

# server NAME ADDRESS ARGUMENT...
server()
{
    local name=$1 address=$2
    shift 2
    serves_callers "$name" "$address" 4 "$@" --timeout 20
}

# every_command FAMILY TARGET FIRST SECOND: addresses of the peer, and of ours on either link
every_command()
{
    local family=$1 to=$2 first=$3 second=$4 case any
    any=-4
    [ "$family" = IPv4 ] || any=-6
    for case in "connect $to:7 -d x -s $second" "connect $to:7 -d x -s $second -i near2" \
        "load $to:80 --connections 50 -d x -s $second" \
        "load $to:80 --connections 200 -d x --concurrency 100 -s $second -s $first" \
        "load $to:80 --connections 200 -d x --concurrency 100 -s $first -s $second" \
        "send $to:80 -s $second" "send $to:80 -s $second --count 100 --rate 20000"; do
        # shellcheck disable=SC2086 # words
        expect_status 0 "$family: ${case#* }, ${case%% *}" "$TCPWAVE" $case --timeout 20 --json
    done
    rm -f "$tmp/got"
    expect_status 0 "$family: connect -q -f" "$TCPWAVE" connect -q -f "$tmp/data" -o "$tmp/got" -s "$second" \
        --timeout 50 "$to:7"
    check "$family: connect -q -f: the data came back whole" cmp -s "$tmp/data" "$tmp/got"
    for case in "" -q "-s $second" "-i near2" "-q -i near2"; do
        # shellcheck disable=SC2086 # words
        server "$family: listen $case" "$second" $any $case 9001
    done
    server "$family: listen, the first link" "$first" $any 9001
    check "$family: nothing took the wrong link" test "$(strays)" = 0
}

every_command IPv4 10.50.0.1 $near4 10.9.1.1
every_command IPv6 '[fd50::1]' $near6 fd19::1

# The route that the peer's address leads to names the source, whose rule then decides.
ip route replace 10.50.0.0/24 via $far4 src 10.9.1.1
ip -6 route replace fd50::/64 via $far6 src fd19::1
for target in 10.50.0.1 '[fd50::1]'; do
    for case in "connect $target:7 -d x" "load $target:80 --connections 50" "send $target:80" \
        "send $target:80 --count 100 --rate 20000"; do
        # shellcheck disable=SC2086 # words
        expect_status 0 "$target: the route's source, ${case%% *}: status 0" "$TCPWAVE" $case --timeout 20 --json
    done
done
check "the route's source: nothing took the wrong link" test "$(strays)" = 0

# The MTU is that of the source's own route.
ip route replace default via 10.9.1.2 table 100 mtu 1300
ip -6 route replace default via fd19::2 table 100 mtu 1300
for case in "10.50.0.1 10.9.1.1 1260" "[fd50::1] fd19::1 1240"; do
    # shellcheck disable=SC2086 # words
    set -- $case
    expect_status 0 "$1: a smaller MTU: status 0" "$TCPWAVE" connect "$1:7" -d x -s "$2" --json
    check "$1: a smaller MTU: the SYN's MSS is $3" \
        sh -c "grep -m 1 '\"event\":\"segment\"' '$tmp/out' | grep -Eq '\"mss\": ?$3[,}]'"
done

# A rule that refuses: this host could not, and says which way it refused.
refused()
{
    local kind=$1 pattern=$2 target
    ip rule add pref 50 from 10.9.1.1 "$kind"
    ip -6 rule add pref 50 from fd19::1 "$kind"
    for target in "10.50.0.1 10.9.1.1" "[fd50::1] fd19::1"; do
        for command in connect load send; do
            expect_status 3 "$kind, $command ${target%% *}: status 3" \
                "$TCPWAVE" $command "${target%% *}:80" -s "${target#* }"
            expect_line err "no route from ${target#* } to .*$pattern" "$kind, $command ${target%% *}: says why"
        done
    done
    expect_status 3 "$kind, load from two: status 3" \
        "$TCPWAVE" load 10.50.0.1:80 -s $near4 -s 10.9.1.1 --connections 4
    ip rule del pref 50
    ip -6 rule del pref 50
}
for case in "10.9.0.2 127.0.0.1" "[fd09::2] ::1"; do
    expect_status 3 "${case% *} from ${case#* }: status 3" \
        "$TCPWAVE" connect --timeout 2 "${case% *}:7" -s "${case#* }"
    expect_line err 'a loopback address is no source for what leaves this host' "${case% *} from ${case#* }: says why"
done

# A rule for the port alone, which what we send would pass by: an application does not get through.
for kind in 'prohibit:prohibits' 'blackhole:swallows' 'unreachable:Network is unreachable'; do
    for target in 10.9.0.2 '[fd09::2]'; do
        case $target in *:*) family=-6 ;; *) family=-4 ;; esac
        if ! ip $family rule add pref 40 ipproto tcp dport 7 "${kind%%:*}" 2>"$tmp/err"; then
            skip "${kind%%:*} for port 7" 'this kernel has no rules for ports'
            continue
        fi
        for command in connect 'load --connections 3' send; do
            expect_status 3 "${kind%%:*} for port 7, $command $target: status 3" "$TCPWAVE" $command "$target:7"
            expect_line err "no route from .*${kind#*:}" "${kind%%:*} for port 7, $command $target: says why"
        done
        ip $family rule del pref 40
        ip $family rule add pref 40 ipproto tcp dport 9999 "${kind%%:*}"
        expect_status 0 "${kind%%:*} for another port, $target" "$TCPWAVE" connect -d x "$target:7"
        ip $family rule del pref 40
    done
done

refused prohibit 'Permission denied: .*prohibits'
refused blackhole 'Invalid argument: .*blackhole'
refused unreachable 'Network is unreachable.*ip rule'

# The rule comes while it listens: what cannot be answered is said.
listen_begin "$TCPWAVE" listen -4 --json --timeout 6 9001
ip rule add pref 50 from 10.9.1.1 prohibit
peer timeout 2 python3 "$here/kernel_client.py" 10.9.1.1 9001 read >"$tmp/said" 2>&1
listen_end
expect_line out 'cannot send to [0-9.]* from 10\.9\.1\.1: Permission denied: .*prohibits' \
    "a rule that comes while it listens: says why"
ip rule del pref 50
done_testing
