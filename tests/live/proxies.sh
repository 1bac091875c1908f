#!/bin/sh
# A router that answers in the server's name, with IPv4 and IPv6: a SYN proxy, which is told by what
# comes after it, and a transparent proxy (tproxy, redirect), which cannot be told from the server while
# its backend is there: nothing is found then. Without a backend it is no server that breaks anything.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/findings_lib.sh"
netns_enter "$@"
need nft python3 ethtool
netns_up || exit 1
here=$(cd "$(dirname "$0")" && pwd)
. "$here/capture_lib.sh"
router_up || exit 1

router ip link set lo up
start_peer echo 99 python3 "$here/peer.py" 99 echo
for command in '' -6; do
    router ip $command rule add fwmark 1 lookup 100
    router ip $command route add local default dev lo table 100
done

start_proxy()
{
    launch proxy nsenter -t $router -n python3 "$here/transparent_proxy.py" "$@"
    poll listening 3128 router
}

# The kernel's SYN proxy takes an IPv6 SYN in the forward hook only where the checksum was verified on
# receipt, as a network card does. Here GRO does it, which veth leaves out for a sender with TSO.
ethtool -K c0 tso off gso off >/dev/null 2>&1
router ethtool -K r0 gro on >/dev/null 2>&1
router sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0

for address in $server4 $server6; do
    case $address in
    *:*) ip=ip6 target=[$address] family=6 ;;
    *) ip=ip target=$address family=4 ;;
    esac
    peer nft -f - <<'RULES'
table inet test {
    chain in {
        type filter hook input priority 0;
        tcp dport 97 drop
    }
}
RULES
    if router nft -f - <<RULES; then
table $ip test {
    chain untracked {
        type filter hook prerouting priority raw;
        iifname "r0" tcp dport 90-99 tcp flags syn notrack
    }
    chain proxied {
        type filter hook forward priority filter;
        iifname "r0" tcp dport 90-99 ct state { invalid, untracked } synproxy mss 1440 wscale 7 timestamp sack-perm
        ct state invalid drop
    }
}
RULES
        findings=
        expect_status 0 "$target behind a SYN proxy" "$TCPWAVE" connect --json -d hello "$target:99"
        findings='syn-proxy'
        expect_status 7 "$target behind a SYN proxy, closed" "$TCPWAVE" connect --json -d hello "$target:98"
        finds_saying syn-proxy problem likely 'from further away' "$target behind a SYN proxy, closed"
        expect_status 8 "$target behind a SYN proxy, dead" "$TCPWAVE" connect --json --timeout 4 -d hello "$target:97"
        finds_saying syn-proxy problem likely 'window of 0' "$target behind a SYN proxy, dead"
        router nft flush ruleset
    else
        skip "$target behind a SYN proxy" 'this kernel has none'
    fi
    peer nft flush ruleset

    for how in tproxy redirect; do
        name="$target, $how"
        case $how in
        tproxy) hook='filter hook prerouting priority mangle' rule='tproxy to :3128 meta mark set 1 accept' ;;
        redirect) hook='nat hook prerouting priority dstnat' rule='redirect to :3128' ;;
        esac
        router nft -f - <<RULES || { skip "$name" 'this kernel has it not'; continue; }
table $ip test {
    chain proxied {
        type $hook;
        iifname "r0" tcp dport 90-99 $rule
    }
}
RULES
        findings=
        start_proxy $family 3128 relay $how
        for command in 'connect -d hello' 'halfclose -d hello' 'keepalive --idle 200ms --count 2 --for 300ms' \
            'idle --from 300ms --to 500ms --precision 100' 'send --count 3' 'load --connections 30 -d hello'; do
            expect_status 0 "$name: $command" "$TCPWAVE" $command --json "$target:99"
            finds_nothing "$name: $command"
        done
        expect_status 0 "$name, a closed port: SYNs are answered all the same" "$TCPWAVE" send --count 3 --json "$target:98"
        finds_nothing "$name, a closed port"
        finds_no syn-proxy "$name, a closed port"
        stop proxy
        findings='closed-at-once half-close-broken'
        start_proxy $family 3128 rst $how
        expect_status 7 "$name, no backend" "$TCPWAVE" connect --json "$target:99"
        stop proxy
        start_proxy $family 3128 fin $how
        expect_status 1 "$name, it closes at once: halfclose" "$TCPWAVE" halfclose --json -d hello "$target:99"
        stop proxy
        findings=
        start_proxy $family 3128 hold $how
        expect_status 1 "$name, it waits for ever" "$TCPWAVE" connect --json --timeout 2 -d hello "$target:99"
        finds_nothing "$name, it waits for ever"
        stop proxy
        router nft flush ruleset
    done
done
done_testing
