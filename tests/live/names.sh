#!/bin/sh
# Checks names: a look-up that no name server answers ends with --timeout or a signal, and leaves no
# process behind.
. "$(dirname "$0")/lib.sh"
netns_enter "$@" && netns_up || exit 1
need nft mount

# A file in place of one of /etc, for this namespace.
in_etc()
{
    cat >"$tmp/etc_$1" && mount --bind "$tmp/etc_$1" "/etc/$1"
}

[ -e /etc/nsswitch.conf ] || { echo "# this C library has no nsswitch.conf"; exit 77; }
in_etc resolv.conf <<FILE || exit 1
nameserver $far4
FILE
in_etc nsswitch.conf <<FILE || exit 1
hosts: files dns
FILE
peer nft -f - <<'EOT' || exit 1
table inet mute {
    chain in {
        type filter hook input priority 0
        udp dport 53 drop
        tcp dport 53 drop
    }
}
EOT

# Milliseconds since some time in the past.
clock()
{
    local up
    read -r up _ </proc/uptime
    echo $((${up%.*} * 1000 + 1${up#*.} * 10 - 1000))
}

look_ups_left()
{
    local p
    for p in /proc/[0-9]*/cmdline; do
        tr '\0' ' ' <"$p" 2>/dev/null | grep -q 'silent\.example' && return 0
    done
    return 1
}

for command in connect halfclose keepalive listen send load; do
    began=$(clock)
    expect_status 3 "$command: --timeout ends the look-up: local" \
        "$TCPWAVE" $command --json --timeout 700ms silent.example:80
    took=$(($(clock) - began))
    check "$command: in the time of --timeout ($took ms)" test $took -ge 690 -a $took -lt 2500
    expect_json verdict verdict local "$command: the verdict"
    expect_line err 'look-up of "silent.example" had no answer within the 700ms of --timeout' \
        "$command: what was tried"
done

# signalled NAME STATUS TCPWAVE...: the signal ends it at once
signalled()
{
    local name=$1 status=$2 signal=$3 began pid got
    shift 3
    "$@" >"$tmp/out" 2>"$tmp/err" </dev/null 9>&- &
    pid=$!
    sleep 0.4
    began=$(clock)
    kill -"$signal" $pid
    wait $pid
    got=$?
    took=$(($(clock) - began))
    check "$name: status $status" test $got = "$status"
    check "$name: at once ($took ms)" test $took -lt 1000
}

# A shell starts what runs in the background with SIGINT ignored: it ends a run nevertheless.
signalled "SIGINT" 130 INT "$TCPWAVE" connect --json silent.example:80
expect_json verdict verdict failed "SIGINT: the verdict"
expect_json verdict exit 130 "SIGINT: its status"
signalled "SIGTERM" 143 TERM "$TCPWAVE" load --json --connections 1 silent.example:80
expect_json verdict exit 143 "SIGTERM: its status"
signalled "SIGKILL" 137 KILL "$TCPWAVE" send silent.example:80
sleep 0.3
if look_ups_left; then fail "no look-up outlives its run"; else pass "no look-up outlives its run"; fi

done_testing
