#!/bin/sh
# What listen finds where a rule of this host stops what it sends behind the last hook that tells the
# sender.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/findings_lib.sh"
netns_enter "$@"
need nft python3
netns_up || exit 1

here=$(cd "$(dirname "$0")" && pwd)

# egress RULE: the only one
egress()
{
    nft flush ruleset
    nft -f - <<RULES
table netdev own {
    chain out {
        type filter hook egress device near priority 0
        $1
    }
}
RULES
}

# heard STATUS NAME ARGUMENT...: what listen says for two seconds, in which the peer's kernel connects
# twice to $at and $port
heard()
{
    local wanted=$1 name=$2
    shift 2
    listen_begin "$TCPWAVE" listen --json --timeout 2 "$@"
    timeout 2 nsenter -t "$holder" -n python3 "$here/kernel_client.py" "$at" "$port" many 2 >/dev/null 2>&1
    listen_end
    check "$name: ends with $wanted" test "$status" = "$wanted"
}

port=91
if ! egress "tcp sport 1 drop"; then
    skip "what listen sends does not leave" "this kernel has no egress hook for nft"
    done_testing
    exit
fi
for at in "$near4" "$near6"; do
    case $at in
    *:*) family=-6 here_at="[$at]:$port" ;;
    *) family=-4 here_at=$at:$port ;;
    esac
    for place in "$family $port" "$here_at"; do
        egress "tcp sport $port drop"
        findings=own-firewall
        heard 1 "$place: nothing of ours leaves" --connections 2 $place
        findings=
        finds_saying own-firewall problem likely 'none of the [0-9]+ segments that we sent left this host' \
            "$place: nothing of ours leaves"
        egress "tcp sport 1 drop"
        heard 0 "$place: a rule for another port" $place
        finds_nothing "$place: a rule for another port"
    done
    findings=own-firewall
    egress "tcp sport $port meta length > 600 drop"
    heard 1 "$at: large ones of ours do not leave" --connections 9 -d "$(head -c 20000 /dev/zero | tr '\0' x)" $family $port
    findings=
    finds_saying own-firewall problem likely '[0-9]+ of the [0-9]+ segments that we sent did not leave this host' \
        "$at: large ones of ours do not leave"
    nft flush ruleset
    heard 0 "$at: all of ours leave" -d "$(head -c 20000 /dev/zero | tr '\0' x)" $family $port
    finds_nothing "$at: all of ours leave"
done
done_testing
