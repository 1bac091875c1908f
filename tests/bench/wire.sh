#!/bin/sh
# Measures what tcpwave takes on the wire next to what other tools take in the same run, over a veth
# pair between two namespaces of its own. Everything is printed and nothing is judged: machines
# differ, ratios less so. Tools that are not installed are left out. It takes about a minute.
netns_how='-nm -Urnm' # as root without a user namespace, where tcpdump refuses to run
. "$(dirname "$0")/../live/netns.sh"

: "${TCPWAVE:=$PWD/tcpwave}"
here=$(cd "$(dirname "$0")" && pwd)
live=$here/../live
runs=20
rounds=5
megabytes=200

netns_enter "$@" && netns_up || exit 1

has()
{
    command -v "$1" >/dev/null && return
    echo "    ($1 is not installed)"
    return 1
}

# ratio A B: A / B
ratio()
{
    awk "BEGIN { printf \"%.2f\", $2 ? $1 / $2 : 0 }"
}

# median NUMBER...
median()
{
    printf '%s\n' "$@" | sort -n | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'
}

whole_runs()
{
    echo "a whole run, handshake and close, $runs times in turn (medians):"
    start_peer discard 7001 python3 "$live/peer.py" 7001 discard || return
    set -- "$TCPWAVE connect -q $far4:7001" "$TCPWAVE connect $far4:7001"
    names='tcpwave_connect_-q tcpwave_connect'
    if has hping3; then
        set -- "$@" "hping3 -c 1 -S -p 7001 $far4"
        names="$names hping3_-c_1_-S"
    fi
    if has nping; then
        set -- "$@" "nping --tcp-connect -c 1 -p 7001 $far4"
        names="$names nping_--tcp-connect"
    fi
    if has ncat; then
        set -- "$@" "ncat -z $far4 7001"
        names="$names ncat_-z"
    fi
    python3 "$here/runs.py" "$runs" "$@" >"$tmp/runs" || return
    ours=
    while read -r took best failed; do
        name=$(echo "$names" | cut -d' ' -f1 | tr _ ' ')
        names=${names#* }
        : "${ours:=$took}"
        printf '    %-20s %7s ms, best %6s ms: %s of tcpwave -q; %s of %s ended with failure\n' \
            "$name" "$took" "$best" "$(ratio "$took" "$ours")" "$failed" "$runs"
    done <"$tmp/runs"
    stop discard
}

# Frames as the kernel stamped them: by tcpdump, or where it will not run, by a few lines of ours.
record()
{
    if command -v tcpdump >/dev/null; then
        start_near recorder - tcpdump -Z root -i near -U --immediate-mode \
            --time-stamp-precision=nano -w "$1" tcp
        recorder=tcpdump
        poll grep -q 'listening on' "$tmp/recorder.log" && return
        stop recorder
    fi
    start_near recorder - python3 "$live/record.py" near "$1"
    recorder=record.py
    poll grep -q recording "$tmp/recorder.log"
}

handshake_rtt()
{
    start_peer discard 7002 python3 "$live/peer.py" 7002 discard || return
    record "$tmp/rtt.pcap" || return
    i=0
    while [ $i -lt $runs ]; do
        i=$((i + 1))
        "$TCPWAVE" connect --json "$far4:7002" >"$tmp/rtt.$i"
    done
    sleep 0.3
    stop recorder
    python3 "$here/rtt.py" "$tmp/rtt.pcap" "$tmp"/rtt.[0-9]* >"$tmp/rtt" || return
    read -r usual most count <"$tmp/rtt"
    echo "the handshake's RTT, beside what $recorder recorded for the same two packets, $count times:"
    echo "    apart by $usual us (median), $most us at most"
    stop discard
}

# One transfer of tcpwave's, and what the kernel at the other end made of it.
bulk_receive()
{
    "$TCPWAVE" connect -q --close=passive -o /dev/null "$far4:7003" && tail -n 1 "$tmp/source.log"
}

bulk_send()
{
    "$TCPWAVE" connect -q -f "$tmp/zeros" "$far4:7004" && sleep 0.1 && tail -n 1 "$tmp/sink.log"
}

# iperf_bulk [-R]
iperf_bulk()
{
    iperf3 -c $far4 -n $bytes -J "$@" 9>&- | python3 -c '
import json, sys
print(round(json.load(sys.stdin)["end"]["sum_received"]["bits_per_second"] / 1e6))'
}

report_bulk()
{
    echo "    $1: tcpwave $2 Mbit/s, the kernel $3: $(ratio "$2" "$3") of it"
}

bulk()
{
    echo "bulk with the kernel as peer, offloads off at both ends, $rounds rounds of $megabytes MB in turn (medians):"
    has ethtool && has iperf3 || return
    off='tso off gso off gro off tx off rx off'
    ethtool -K near $off >/dev/null && peer ethtool -K far $off >/dev/null || return
    bytes=$((megabytes * 1000000))
    truncate -s $bytes "$tmp/zeros"
    cat "$tmp/zeros" >/dev/null # so that the first transfer does not wait for the file system
    start_peer iperf 5201 iperf3 -s || return
    start_peer source 7003 python3 "$here/bulk.py" 7003 source $bytes || return
    start_peer sink 7004 python3 "$here/bulk.py" 7004 sink 0 || return
    ours_in= ours_out= theirs_in= theirs_out=
    i=0
    while [ $i -lt $rounds ]; do
        i=$((i + 1))
        theirs_in="$theirs_in $(iperf_bulk -R)"
        ours_in="$ours_in $(bulk_receive)"
        theirs_out="$theirs_out $(iperf_bulk)"
        ours_out="$ours_out $(bulk_send)"
    done
    report_bulk receive "$(median $ours_in)" "$(median $theirs_in)"
    report_bulk send "$(median $ours_out)" "$(median $theirs_out)"
}

whole_runs
handshake_rtt
bulk
