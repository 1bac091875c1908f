#!/bin/sh
# Measures a million connections that are open at the same time: between two engines
# (stack_bench.c), and on the wire, by tcpwave load from 64 addresses against tcpwave listen, which
# probes each of them every 75 seconds. It prints how much memory and processor time that takes, and
# judges nothing. It takes four minutes.
#
#     million.sh [CONNECTIONS]
#
# STACK_BENCH names the program of stack_bench.c.
netns_how='-nm -Urnm'
. "$(dirname "$0")/../live/netns.sh"

: "${TCPWAVE:=$PWD/tcpwave}"
: "${STACK_BENCH:=$PWD/tests/bench/stack_bench}"
count=${1:-1000000}
rate=20000
interval=75
sources=64

netns_enter "$@" && netns_up || exit 1

echo "a million connections, between two engines:"
for held in 1000 "$count"; do
    "$STACK_BENCH" cycles "$held" 1000000 | sed 's/^/    /'
done
"$STACK_BENCH" held "$count" | sed 's/^/    /'

# Of that process: CPU time in clock ticks, its own and that of what its system calls brought about.
ticks()
{
    awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$1/stat"
}

# Of that process, in MiB: what it has, and the capture's ring within that.
memory()
{
    awk '/^VmHWM/ { all = $2 } /^RssFile|^RssShmem/ { ring += $2 }
        END { printf "%d MiB (%d MiB of them mapped: program and capture ring)", all / 1024, ring / 1024 }' \
        "/proc/$1/status"
}

# What that process takes of each of so many connections, in bytes: what it has without the mapped part.
each()
{
    awk -v held="$2" '/^VmHWM/ { all = $2 } /^RssFile|^RssShmem/ { ring += $2 }
        END { printf "%d bytes", held ? (all - ring) * 1024 / held : 0 }' "/proc/$1/status"
}

field()
{
    python3 -c 'import json, sys
for line in sys.stdin:
    pass
value = json.loads(line)
for key in sys.argv[1].split("/"):
    value = value[key]
print(value)' "$1"
}

options=
for n in $(seq $sources); do
    ip address add 10.9.1.$n/32 dev near
    options="$options -s 10.9.1.$n"
done
peer ip route add 10.9.1.0/24 dev far
hold=$((count / rate + interval + 10))
start_peer wave - "$TCPWAVE" listen -q --discard --max 1048576 --half-open 100000 -i far \
    --idle $interval --interval $interval $far4:80
sleep 1
# shellcheck disable=SC2086 # a list of options
start_near load - "$TCPWAVE" load --json --connections "$count" --concurrency "$count" --rate $rate \
    --hold $hold $options $far4:80
poll grep -q progress "$tmp/load.log"
opened()
{
    tail -n 1 "$tmp/load.log" | field connections/now 2>/dev/null || echo 0
}
waited=0
while [ "$(opened)" -lt "$count" ] && [ $waited -lt $((3 * count / rate + 20)) ]; do
    sleep 1
    waited=$((waited + 1))
done
held=$(opened)
echo "a million connections, on the wire: $held held after $waited s, opened at up to $rate a second"
echo "    load $(memory "$pid_load"), listen $(memory "$pid_wave")"
echo "    of each connection: load $(each "$pid_load" "$held"), listen $(each "$pid_wave" "$held")"
at=$(ticks "$pid_load")
before=$(cut -d ' ' -f 1 /proc/uptime)
sleep $interval
after=$(cut -d ' ' -f 1 /proc/uptime)
used=$(($(ticks "$pid_load") - at))
echo "$used $before $after $(getconf CLK_TCK) $interval" | awk '{ printf "    load takes %.1f %% of a core \
while each is probed every %d s, over %.0f s\n", 100 * $1 / $4 / ($3 - $2), $5, $3 - $2 }'
waited=0
while kill -0 "$pid_load" 2>/dev/null && [ $waited -lt $((3 * hold)) ]; do
    sleep 1
    waited=$((waited + 1))
done
for key in verdict connections/opened connections/open retransmissions capture/dropped; do
    echo "    $key: $(field $key <"$tmp/load.log")"
done
stop wave
