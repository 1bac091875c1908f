#!/bin/sh
# More findings about the path, the peer and this host, each tripped with IPv4 and IPv6 by two kernels'
# TCP and by what a router or a rule between them does to segments. The same sessions without that come
# first, and have none of them.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/findings_lib.sh"
netns_enter "$@"
need nft python3
netns_up || exit 1
end_up || exit 1
here=$(cd "$(dirname "$0")" && pwd)
start_peer echo 7 python3 "$here/peer.py" 7 echo
start_peer first 8 python3 "$here/peer.py" 8 first
start_peer reset 9 python3 "$here/peer.py" 9 reset
ip link add aside type veth peer name aside2 && ip link set aside up && ip link set aside2 up
nsenter -t "$end" -n python3 "$here/peer.py" 7 echo >"$tmp/end.log" 2>&1 9>&- &
pids="$pids $!"
poll listening 7 at_end || exit 1
nsenter -t "$end" -n python3 "$here/peer.py" 9 reset >"$tmp/end_reset.log" 2>&1 9>&- &
pids="$pids $!"
poll listening 9 at_end || exit 1
peer sysctl -qw net.ipv4.tcp_ecn=1
peer ip link set far gso_max_segs 1 # so that its segments can be counted
head -c 300000 /dev/zero >"$tmp/zeros"
head -c 4000000 /dev/zero >"$tmp/more"

# rules WHERE RULE: the only one there; WHERE is `env` on this host, or `peer`
rules()
{
    "$1" nft flush ruleset
    [ $# = 1 ] || "$1" nft -f - <<RULES
table inet test {
    chain $2 {
        type filter hook $2 priority 0;
        $3
    }
}
RULES
}

for target in "$far4" "[$far6]"; do
    case $target in
    *:*) ip=ip6 behind=[$end6] ours=$near6 fam=6 behind_plain=$end6 other_net=fd97::/64 ;;
    *) ip=ip behind=$end4 ours=$near4 fam=4 behind_plain=$end4 other_net=10.97.0.0/24 ;;
    esac
    provoke '' 0 "$target: a plain session" connect -d hello --ecn "$target:7"
    finds_nothing "$target"
    provoke '' 0 "$behind: a plain session through a router" connect -d hello --hold 300ms "$behind:7"
    finds_nothing "$behind"
    provoke '' 0 "$target: much both ways, with ECN" connect --ecn -f "$tmp/zeros" -o "$tmp/got" "$target:7"
    finds_no ecn-bleached "$target: much both ways"
    finds_no answered-early "$target: much both ways"
    finds_no timestamp-echo-wrong "$target: much both ways"

    rules peer forward 'tcp dport 7 tcp flags & psh == psh reject with tcp reset'
    provoke rst-by-middlebox 7 "$behind: the router resets" connect -d hello --timeout 5 "$behind:7"
    finds rst-by-middlebox problem likely "$behind: the router resets"
    rules peer
    provoke closed-at-once 7 "$behind: it resets itself" connect -d hello --timeout 5 "$behind:9"
    finds_no rst-by-middlebox "$behind: it resets itself"

    rules peer output "tcp sport 7 $ip ecn set not-ect"
    provoke '' 0 "$target: its marks are cleared" connect --ecn -f "$tmp/zeros" -o "$tmp/got" "$target:7"
    finds ecn-bleached info likely "$target: its marks are cleared"
    rules peer

    rules peer output 'tcp sport 7 tcp flags & (syn|ack) == (syn|ack) reset tcp option timestamp'
    provoke 'options-stripped timestamps-missing' 0 "$target: an option of its SYN-ACK is removed" connect -d hello --timeout 5 "$target:7"
    finds options-stripped warning likely "$target: an option of its SYN-ACK is removed"
    rules peer input 'tcp dport 7 tcp flags & syn == syn reset tcp option timestamp'
    provoke '' 0 "$target: an option of our SYN is removed" connect -d hello --timeout 5 "$target:7"
    finds_no options-stripped "$target: an option of our SYN is removed"
    finds_no timestamps-missing "$target: an option of our SYN is removed"
    rules peer

    rules peer output 'tcp sport 7 tcp flags & psh == psh tcp option timestamp tsecr set 77'
    provoke timestamp-echo-wrong 0 "$target: its echoes are wrong" connect -d hello --timeout 5 "$target:7"
    finds timestamp-echo-wrong warning proved "$target: its echoes are wrong"
    rules peer

    peer nft -f - <<RULES
table $ip test {
    chain output {
        type filter hook output priority 0;
        tcp sport 7 tcp flags & psh == psh dup to $ours device far
    }
}
RULES
    provoke '' 0 "$target: its data comes twice" connect -f "$tmp/zeros" -o "$tmp/got" "$target:7"
    finds duplicated info likely "$target: its data comes twice"
    rules peer

    background "$tmp/out" "$tmp/err" timeout 20 "$TCPWAVE" keepalive --json --idle 300ms --interval 300ms --count 3 --for 4s "$behind:7"
    poll grep -q '"answered":true' "$tmp/out"
    ip -$fam route replace "$behind_plain" dev aside
    wait $run
    finds route-changed warning proved "$behind: the route changes"
    expect_json verdict verdict lost "$behind: the route changes: the connection is lost"
    ip -$fam route del "$behind_plain" dev aside
    background "$tmp/out" "$tmp/err" timeout 20 "$TCPWAVE" keepalive --json --idle 300ms --interval 300ms --count 3 --for 1500ms "$behind:7"
    poll grep -q '"answered":true' "$tmp/out"
    ip -$fam route replace "$other_net" dev aside
    wait $run
    finds_no route-changed "$behind: the route to another network changes"
    ip -$fam route del "$other_net" dev aside

    provoke '' 0 "$target: it closes first" connect -f "$tmp/more" "$target:8"
    finds answered-early info proved "$target: it closes first"

    rules peer input "tcp dport 7 meta length > 1000 numgen inc mod 12 == 5 drop"
    provoke '' 0 "$target: one way loses" connect -f "$tmp/zeros" -o "$tmp/got" "$target:7"
    check "$target: one way loses: all came back" cmp -s "$tmp/zeros" "$tmp/got"
    finds asymmetric-loss info likely "$target: one way loses"
    rules peer
    rules peer forward 'meta length > 1000 numgen inc mod 12 == 5 drop'
    provoke '' 0 "$behind: both ways lose" connect --linger 1s -f "$tmp/zeros" -o "$tmp/got" "$behind:7"
    finds_no asymmetric-loss "$behind: both ways lose"
    rules peer

    rules env input 'tcp sport 7 tcp flags & psh == psh reject with tcp reset'
    findings=own-kernel-reset
    try timeout 60 "$TCPWAVE" connect -d hello --timeout 4 "$target:7" --json
    findings=
    finds own-kernel-reset '[a-z]*' proved "$target: this host's own rules reset"
    rules env input 'tcp sport 77 tcp flags & psh == psh reject with tcp reset'
    provoke closed-at-once 7 "$target: the peer resets, and other connections are reset here" connect -d hello "$target:9"
    finds_no own-kernel-reset "$target: the peer resets, and other connections are reset here"
    rules env
done

peer sysctl -qw net.ipv4.tcp_syncookies=2
session cookies_4 connect --no-ack "$far4:7"
session cookies_6 connect --no-ack "[$far6]:7"
for v in 4 6; do
    ended cookies_$v 0
    finds syn-cookies info likely "cookies_$v"
done
peer sysctl -qw net.ipv4.tcp_syncookies=1
session no_cookies_4 connect --no-ack --timeout 5500ms "$far4:7"
session no_cookies_6 connect --no-ack --timeout 5500ms "[$far6]:7"
for v in 4 6; do
    ended no_cookies_$v 0
    check "no_cookies_$v: it repeats its SYN-ACK" \
        grep -q '"event":"segment".*"dir":"in".*"flags":"S\.".*"retransmission":true' "$tmp/out"
    finds_no syn-cookies "no_cookies_$v"
done
done_testing
