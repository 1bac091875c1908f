#!/bin/sh
# Findings about this host and the path to the peer, each tripped by what deserves it, with IPv4 and
# IPv6: the firewall and the address translation of this host, another interface, a bridge, a
# neighbour that does not answer, and an answer from an address that was not asked. Sessions in which
# nothing is wrong come first, and have none.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/findings_lib.sh"
netns_enter "$@"
need nft python3
netns_up || exit 1
here=$(cd "$(dirname "$0")" && pwd)
start_peer echo 7 python3 "$here/peer.py" 7 echo
start_near echo 7 python3 "$here/peer.py" 7 echo
start_peer other 8 python3 "$here/peer.py" 8 echo

# rules RUNNER: the nftables rules of standard input, in the place of those of before.
rules()
{
    "$@" nft -f -
}

no_rules()
{
    "$@" nft flush ruleset
}

here()
{
    "$@"
}

for target in "$far4" "[$far6]"; do
    case $target in
    *:*) ip=ip6 ours=$near6 other=fd09::3 nobody='[fd09::77]'
        gateway=fd09::78 far_net=fd98::/64 beyond='[fd98::1]' ;;
    *) ip=ip ours=$near4 other=10.9.0.3 nobody=10.9.0.77
        gateway=10.9.0.78 far_net=10.98.0.0/24 beyond=10.98.0.1 ;;
    esac

    findings=
    # The checksums of what comes over veth are not filled in.
    expect_status 0 "$target: a plain session" "$TCPWAVE" connect --json -d hello "$target:7"
    finds_nothing "$target: a plain session"
    finds_no bad-checksum "$target: a plain session"
    # On lo each packet is captured twice, as it leaves and as it comes.
    expect_status 0 "$target: a session with this host itself" \
        "$TCPWAVE" connect --json -d hello "${target%%[0-9a-f]*}$ours${target##*[0-9a-f]}:7"
    finds_no captured-twice "$target: a session with this host itself"
    finds_no self-connection "$target: a session with this host itself"
    expect_status 4 "$target: a closed port" "$TCPWAVE" connect --json "$target:9"
    finds_nothing "$target: a closed port"
    findings='own-firewall own-nat other-interface answer-from-elsewhere no-neighbour'

    rules here <<'RULES'
table inet test {
    chain in {
        type filter hook input priority 0;
        tcp sport 7 drop
    }
}
RULES
    expect_status 0 "$target: our own rules drop what comes" "$TCPWAVE" connect --json -d hello "$target:7"
    finds own-firewall problem proved "$target: our own rules drop what comes"
    expect_line out '"verdict":"open".*; but this host' "$target: our own rules: the verdict says so"
    no_rules here

    rules here <<'RULES'
table inet test {
    chain in {
        type filter hook input priority 0;
        tcp sport 7 tcp flags & syn == syn drop
    }
}
RULES
    expect_status 0 "$target: our own rules drop each SYN-ACK" "$TCPWAVE" connect --json -d hello "$target:7"
    finds_saying own-firewall problem likely "stopped the peer's SYN-ACK" "$target: our own rules drop each SYN-ACK"
    no_rules here
    rules here <<'RULES'
table inet test {
    chain in {
        type filter hook input priority 0;
        tcp sport 7 tcp flags & fin == fin drop
    }
}
RULES
    expect_status 0 "$target: our own rules drop a FIN" "$TCPWAVE" connect --json -d hello "$target:7"
    finds_nothing "$target: our own rules drop a FIN"
    no_rules here

    if rules here <<'RULES'; then
table netdev test {
    chain out {
        type filter hook egress device near priority 0;
        tcp dport 7 drop
    }
}
RULES
        for command in 'connect --timeout 2' 'halfclose --timeout 2' 'send --wait 300ms'; do
            expect_status 5 "$target: nothing of ours leaves, $command" "$TCPWAVE" $command --json "$target:7"
            finds own-firewall problem likely "$target: nothing of ours leaves, $command"
            expect_line out '"message":"nothing answered .*probably.*this host, as far as its capture shows' \
                "$target: nothing of ours leaves, $command: the last line says so"
        done
        expect_status 5 "$target: nothing of ours leaves, -q" "$TCPWAVE" connect -q --timeout 2 "$target:7"
        no_rules here
        { sleep 0.7; rules here <<RULES; } &
table netdev test {
    chain out {
        type filter hook egress device near priority 0;
        tcp dport 7 drop
    }
}
RULES
        expect_status 8 "$target: nothing of ours leaves from some time on" \
            "$TCPWAVE" connect --json -d hello --hold 1500ms --timeout 5 "$target:7"
        finds own-firewall problem likely "$target: nothing of ours leaves from some time on"
        wait $!
        no_rules here
        { sleep 0.7; rules here <<RULES; } &
table netdev test {
    chain out {
        type filter hook egress device near priority 0;
        tcp dport 7 drop
    }
}
RULES
        expect_status 8 "$target: none of our probes leaves from some time on" \
            "$TCPWAVE" keepalive --json --idle 500ms --interval 500ms --count 4 --for 9 "$target:7"
        finds own-firewall problem likely "$target: none of our probes leaves from some time on"
        wait $!
        no_rules here
    else
        skip "$target: nothing of ours leaves" "this kernel has no egress hook for nft"
    fi

    rules peer <<'RULES'
table inet test {
    chain in {
        type filter hook input priority 0;
        tcp dport 7 drop
    }
}
RULES
    for command in 'connect --timeout 2' 'send --wait 300ms'; do
        expect_status 5 "$target: the peer drops ours, $command" "$TCPWAVE" $command --json "$target:7"
        finds_nothing "$target: the peer drops ours, $command"
        finds_no own-firewall "$target: the peer drops ours, $command"
        finds_no no-neighbour "$target: the peer drops ours, $command"
    done
    no_rules peer
    # Too early to blame the neighbour, and none of our segments leaves: no rule is blamed for it.
    expect_status 5 "$nobody: no host has the address, as far as is known" \
        "$TCPWAVE" connect --json --timeout 1500ms "$nobody:7"
    finds_nothing "$nobody: no host has the address, as far as is known"

    rules here <<RULES
table $ip test {
    chain out {
        type nat hook output priority -100;
        tcp dport 7 dnat to $target:8
    }
}
RULES
    expect_status 0 "$target: our own NAT rewrites the target" "$TCPWAVE" connect --json -d hello "$target:7"
    finds own-nat info proved "$target: our own NAT rewrites the target"
    expect_json verdict received_bytes 5 "$target: our own NAT: the answer is had"
    no_rules here

    rules here <<RULES
table $ip test {
    chain out {
        type nat hook output priority -100;
        tcp dport 70 redirect to :7
    }
}
RULES
    expect_status 0 "$target: this host redirects to itself" "$TCPWAVE" connect --json -d hello "$target:70"
    finds own-nat info proved "$target: this host redirects to itself"
    check "$target: this host redirects to itself: no other interface" sh -c "! grep -q other-interface '$tmp/out'"
    no_rules here

    rules here <<RULES
table $ip test {
    chain out {
        type nat hook postrouting priority 100;
        tcp dport 7 masquerade to :50000-50010
    }
}
RULES
    expect_status 5 "$target: our own NAT rewrites the source" "$TCPWAVE" connect --json --timeout 2 "$target:7"
    finds own-nat problem likely "$target: our own NAT rewrites the source"
    no_rules here

    rules peer <<RULES
table $ip test {
    chain out {
        type filter hook output priority 0;
        tcp sport 7 $ip saddr set $other
    }
}
RULES
    expect_status 5 "$target: the answer comes from elsewhere" "$TCPWAVE" connect --json --timeout 2 "$target:7"
    finds answer-from-elsewhere problem proved "$target: the answer comes from elsewhere"
    expect_status 1 "$target: the answer comes from elsewhere, load" \
        "$TCPWAVE" load --json --connections 10 --timeout 2 "$target:7"
    finds answer-from-elsewhere problem likely "$target: the answer comes from elsewhere, load"
    no_rules peer

    expect_status 3 "$nobody: no host has the address" "$TCPWAVE" connect --json "$nobody:7"
    finds no-neighbour problem proved "$nobody: no host has the address"
    check "$nobody: it is known after some three seconds" test "$(json_get verdict time | cut -d . -f 1)" -lt 6

    ip route add "$far_net" via "$gateway"
    expect_status 3 "$gateway: a gateway that is not there" "$TCPWAVE" connect --json "$beyond:7"
    finds no-neighbour problem proved "$gateway: a gateway that is not there"
    expect_line out '"verdict":"local".*the gateway' "$gateway: the verdict names it"

    findings="$findings self-connection"
    expect_status 3 "$ours: a port that is source and target" "$TCPWAVE" connect --json -p 45000 "${target%%[0-9a-f]*}$ours${target##*[0-9a-f]}:45000"
    finds self-connection problem proved "$ours: a port that is source and target"
done

# Another way back.

ip link add near2 type veth peer name far2 netns "$holder"
ip link set near2 up
ip address add 10.9.1.1/24 dev near2
ip address add fd19::1/64 dev near2 nodad
peer ip link set far2 up
peer ip address add 10.9.1.2/24 dev far2
peer ip address add fd19::2/64 dev far2 nodad
peer ip route add $near4/32 via 10.9.1.1 dev far2 src $far4
peer ip route add $near6/128 via fd19::1 dev far2 src $far6
for place in all near near2; do
    echo 0 >"/proc/sys/net/ipv4/conf/$place/rp_filter"
done
for target in "$far4" "[$far6]"; do
    expect_status 0 "$target: answers by another interface" "$TCPWAVE" connect --json -d hello "$target:7"
    finds other-interface info proved "$target: answers by another interface"
    expect_status 5 "$target: answers by another interface than -i's" "$TCPWAVE" connect --json --timeout 2 -i near "$target:7"
    finds other-interface problem likely "$target: answers by another interface than -i's"
    for at_a_time in 10 400; do # one by one, and in blocks
        name="$target: $at_a_time at a time, answered by another interface"
        expect_status 0 "$name" "$TCPWAVE" load --json --connections 400 --concurrency $at_a_time --rate 400 -d hello "$target:7"
        finds other-interface info proved "$name"
        expect_status 1 "$name than -i's" \
            "$TCPWAVE" load --json --connections 20 --timeout 2 -i near "$target:7"
        finds other-interface problem likely "$name than -i's"
    done
done
peer ip route del $near4/32
peer ip route del $near6/128

# With -i, the kernel looks for hosts of all networks on that link, also against the route.
for command in connect send; do
    expect_status 3 "$command -i: no host has the address on that link" \
        "$TCPWAVE" $command --json -i near2 10.78.0.9:7
    finds no-neighbour problem proved "$command -i: no host has the address on that link"
done

# A bridge, on which each packet is met twice.

ip link add bridge type bridge
ip link set near master bridge
ip address flush dev near
netns_link bridge $near4 $near6 $near_link | ip -batch -
poll peer ping -c 1 -W 1 $near4
for target in "$far4" "[$far6]"; do
    expect_status 0 "$target: over a bridge" "$TCPWAVE" connect --json -d hello "$target:7"
    finds captured-twice info proved "$target: over a bridge"
    expect_json verdict retransmissions 0 "$target: over a bridge: each packet counts once"
    for at_a_time in 10 400; do
        expect_status 0 "$target: $at_a_time at a time over a bridge" \
            "$TCPWAVE" load --json --connections 400 --concurrency $at_a_time --rate 400 -d hello "$target:7"
        finds captured-twice info proved "$target: $at_a_time at a time over a bridge"
        finds_no other-interface "$target: $at_a_time at a time over a bridge"
    done
done

done_testing
