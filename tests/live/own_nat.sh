#!/bin/sh
# This host's own address translation, with IPv4 and IPv6: what is for the target goes to another host,
# to several, to this host itself, or from another source. Each command follows it or names it, and a
# rule for another port changes nothing.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/findings_lib.sh"
netns_enter "$@"
need nft python3
netns_up || exit 1
here=$(cd "$(dirname "$0")" && pwd)
peer ip address add 10.9.0.4/24 dev far
peer ip address add fd09::4/64 dev far nodad
start_peer echo 7 python3 "$here/peer.py" 7 echo
start_near echo 7 python3 "$here/peer.py" 7 echo
start_peer other 8 python3 "$here/peer.py" 8 echo

# A connection over the ports of an earlier one would be rewritten as that was: connection tracking
# forgets all (IPCTNL_MSG_CT_DELETE).
forget()
{
    python3 -c 'import socket, struct
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
s.send(struct.pack("=IHHIIBBH", 20, 1 << 8 | 2, 5, 1, 0, 0, 0, 0))
assert s.recv(100)[16:20] == bytes(4)'
}

# nat HOOK PRIORITY RULE: the only rule of this host.
nat()
{
    nft flush ruleset
    forget
    nft -f - <<RULES
table $ip test {
    chain rewrite {
        type nat hook $1 priority $2;
        $3
    }
}
RULES
}

# each TARGET STATUS NAME CALL...: the commands end with that status, and CALL follows each of them.
each()
{
    local target=$1 status_wanted=$2 name=$3 command
    shift 3
    for command in 'connect -d hello' 'connect -i near -d hello' 'halfclose -d hello' \
        'keepalive --idle 200ms --count 2 --for 300ms' 'idle --from 300ms --to 500ms --precision 100' \
        'send --count 3' 'send --count 300 --rate 2000' 'load --connections 30 -d hello' \
        'load --connections 300 --concurrency 250 --rate 1000 -d hello' 'load -i near --connections 30 -d hello'; do
        expect_status "$status_wanted" "$name: $command" "$TCPWAVE" $command --json --timeout 10 "$target"
        "$@" "$name: $command"
    done
}

for address in "$far4" "$far6"; do
    case $address in
    *:*) ip=ip6 target=[$address] other='[fd09::4]' plain=fd09::4 ours=[$near6] self='\[::1\]:7' ;;
    *) ip=ip target=$address other=10.9.0.4 plain=$other ours=$near4 self='127.0.0.1:7' ;;
    esac
    other_text=$(printf %s "$other:8" | sed 's/[][]/\\&/g')

    nat output -100 "tcp dport 79 dnat to $other:8"
    findings=
    each "$target:7" 0 "$target, a rule for another port" finds_nothing
    finds_no own-nat "$target, a rule for another port"

    findings=own-nat
    nat output -100 "tcp dport 77 dnat to $other:8"
    each "$target:77" 0 "$target is another host" finds_saying own-nat info proved "$other_text, and we follow it"

    nat output -100 "tcp dport 77 dnat to numgen inc mod 2 map { 0 : $plain, 1 : $address }"
    start_peer shared 77 python3 "$here/peer.py" 77 echo
    for command in 'load --connections 60 -d hello' 'idle --from 300ms --to 500ms --precision 100' 'send --count 4'; do
        expect_status 0 "$target is shared out: $command" "$TCPWAVE" $command --json "$target:77"
    done
    expect_status 0 "$target is shared out, without a word" "$TCPWAVE" load -q --connections 60 -d hello "$target:77"
    stop shared

    nat output -100 "tcp dport 76 dnat to $other:9"
    for command in connect 'send --count 3'; do
        expect_status 4 "$target is a closed port: $command" "$TCPWAVE" $command --json "$target:76"
    done
    expect_status 1 "$target is a closed port: load" "$TCPWAVE" load --json --connections 20 "$target:76"
    expect_json verdict connections.refused 20 "$target is a closed port: all are refused"
    finds_saying own-nat info proved 'and we follow it' "$target is a closed port: load"
    peer nft -f - <<'RULES'
table inet test {
    chain in {
        type filter hook input priority 0;
        tcp dport 9 reject
    }
}
RULES
    expect_status 6 "$target is rejected there by ICMP" "$TCPWAVE" connect --json "$target:76"
    peer nft flush ruleset

    nat output -100 'tcp dport 70 redirect to :7'
    for command in 'connect -d hello' 'keepalive --idle 200ms --count 2 --for 300ms' 'load --connections 60 -d hello'; do
        expect_status 0 "$target is redirected to this host: $command" "$TCPWAVE" $command --json "$target:70"
        finds_saying own-nat info proved "$self, and we follow it" "$target is redirected to this host: $command"
    done

    # By the interface that was named it is not reached.
    for rule in 'redirect to :7' "dnat to $ours:7"; do
        nat output -100 "tcp dport 70 $rule"
        # What load sends after a second goes past the rules, to the target.
        for command in 'connect --timeout 2' 'load --connections 60 --timeout 900ms'; do
            try "$TCPWAVE" $command --json -d hello -i near "$target:70"
            if [ "$ip $rule" = "ip6 redirect to :7" ]; then # there the kernel says so
                check "$target, $rule, by near: $command: says what it is" \
                    grep -q 'Network is unreachable.*a rule redirects it to this host itself' "$tmp/out"
            else
                finds_saying own-nat problem likely 'redirects to this host itself' "$target, $rule, by near: $command"
            fi
        done
    done

    nat output -100 "$ip daddr $(printf %s "$ours" | tr -d '[]') tcp dport 77 dnat to $other:8"
    expect_status 1 "$ours is sent on: load" "$TCPWAVE" load --json --timeout 2 --connections 20 "$ours:77"
    finds_saying own-nat problem likely 'sends it on to another host' "$ours is sent on: load"
    for command in connect idle; do
        expect_status 5 "$ours is sent on: $command" "$TCPWAVE" $command --json --timeout 3 "$ours:77"
        finds_saying own-nat problem likely 'sends it on to another host' "$ours is sent on: $command"
    done

    nat postrouting 100 'tcp dport 7 masquerade to :61001-64999'
    for command in connect 'connect -i near' halfclose 'send --count 3'; do
        expect_status 5 "our source is rewritten: $command" "$TCPWAVE" $command --json --timeout 2 "$target:7"
        finds_saying own-nat problem likely 'rewrites our source' "our source is rewritten: $command"
    done
    expect_status 0 "our source is rewritten: load" "$TCPWAVE" load --json --connections 30 "$target:7"
    finds_saying own-nat info proved 'rewrites our source to .*on the link layer' "our source is rewritten: load"

    nat postrouting 100 'tcp dport 7 masquerade to :61001-61004'
    expect_status 0 "our source is rewritten to few ports: load" "$TCPWAVE" load --json --connections 30 "$target:7"
    finds_saying own-nat warning likely 'and [0-9]+ segments found no port there' \
        "our source is rewritten to few ports: load"
    expect_line out '"connections":{"opened":30,"now":0,"open":30' \
        "our source is rewritten to few ports: load goes past the rule, and all are open"

    nat output -100 "tcp dport { 77, 78 } dnat to $other:8"
    expect_status 1 "two targets are one place: load" \
        "$TCPWAVE" load --json --connections 40 --timeout 3 -d hello "$target:77" "$target:78"
    finds_saying own-nat problem likely "several targets of the run to one place, $other_text" "two targets are one place: load"
    nat output -100 "tcp dport 77 dnat to $target:7"
    expect_status 1 "a target is another one: load" \
        "$TCPWAVE" load --json --connections 40 --timeout 3 -d hello "$target:77" "$target:7"
    finds_saying own-nat problem likely "several targets of the run to one place" "a target is another one: load"
    nat output -100 "tcp dport 77 dnat to $other:8"
    expect_status 0 "two targets are two places: load" \
        "$TCPWAVE" load --json --connections 40 --timeout 3 -d hello "$target:77" "$target:7"
    finds_saying own-nat info proved "$other_text, and we follow it" "two targets are two places: load"

    nat prerouting -100 'tcp dport 80 redirect to :90'
    listen_begin "$TCPWAVE" listen --json --timeout 3 --connections 1 "$ours:90"
    peer python3 "$here/kernel_client.py" "$(printf %s "$ours" | tr -d '[]')" 80 echo 1 10 >/dev/null 2>&1
    listen_end
    check "$ours, a port that is redirected to ours: listen fails" test $status = 1
    finds_saying own-nat problem likely 'sends them here' "$ours, a port that is redirected to ours"
    nft flush ruleset
done
done_testing
