#!/bin/sh
# Measures what `read` takes for a large capture next to tshark and tcptrace: of one file, in one run,
# which tcpdump writes here while two kernels talk over a veth pair between two namespaces: a transfer,
# and then 100,000 short flows. Then, what memory it takes for ten million flows and for a million that
# are half open, which come through a pipe. Everything is printed and nothing is judged: machines
# differ, ratios less so. Tools that are not installed are left out. It takes some minutes, most of them
# tshark's, and a gigabyte of room in TMPDIR.
#
#     read.sh
#
# MEGABYTES, FLOWS, ROUNDS, MANY and HALF_OPEN change how much of each. With OFFLOADS=on segments are
# as large as the kernels of the two sides hand them over, up to 64 KiB, and so there are fewer of them.
netns_how='-nm -Urnm' # tcpdump, as root, wants to become a user whom a user namespace may not have
. "$(dirname "$0")/../live/netns.sh"

: "${TCPWAVE:=$PWD/tcpwave}"
: "${MAKE_CAPTURE:=$PWD/tests/bench/make_capture}" "${KERNEL_TRAFFIC:=$PWD/tests/bench/kernel_traffic}"
: "${MEGABYTES:=500}" "${FLOWS:=100000}" "${ROUNDS:=3}" "${MANY:=10000000}" "${HALF_OPEN:=1000000}"
: "${OFFLOADS:=off}"
here=$(cd "$(dirname "$0")" && pwd)

for tool in python3 tcpdump ethtool; do
    command -v $tool >/dev/null || [ -x /usr/sbin/$tool ] || {
        echo "read: $tool is not installed"
        exit 77
    }
done
netns_enter "$@" && netns_up || exit 1

#
# The capture
#

if [ "$OFFLOADS" = off ]; then
    ethtool -K near tso off gso off gro off tx off rx off >/dev/null 2>&1
    peer ethtool -K far tso off gso off gro off tx off rx off >/dev/null 2>&1
fi
# Ports are taken from all there are; the server closes first, so that it has those in TIME_WAIT.
sysctl -qw net.ipv4.ip_local_port_range="1024 65535"
peer sysctl -qw net.ipv4.tcp_max_tw_buckets=0 net.core.somaxconn=65535 net.ipv4.tcp_max_syn_backlog=65535
# Port 7 is one whose data no tool takes apart: what is compared is TCP.
start_peer server 7 "$KERNEL_TRAFFIC" server 7 || exit 1

timeout 300 tcpdump -i near -Z root -B 262144 -w "$tmp/capture.pcap" tcp >"$tmp/tcpdump.log" 2>&1 &
tcpdump=$!
pids="$pids $tcpdump"
poll grep -q 'listening on' "$tmp/tcpdump.log"
timeout 120 "$KERNEL_TRAFFIC" transfer $far4 7 "$MEGABYTES" 800 || echo "read: the transfer did not end well"
timeout 120 "$KERNEL_TRAFFIC" flows $far4 7 "$FLOWS" 100 || echo "read: the short flows did not end well"
stop server
sleep 2 # until tcpdump has taken all of it from its ring
kill -INT $tcpdump
wait $tcpdump
cat "$tmp/capture.pcap" >/dev/null # into the kernel's cache

#
# Beside other tools
#

# counts FILE: its frames, and the flows in them, as read counts them
counts()
{
    "$TCPWAVE" read --json --flow 1 "$1" | python3 -c '
import json, sys
verdict = [json.loads(line) for line in sys.stdin if "\"verdict\"" in line][-1]["read"]
print(verdict["file"]["frames"], verdict["flows"]["seen"])'
}

counts "$tmp/capture.pcap" >"$tmp/counts"
read -r packets flows <"$tmp/counts"
size=$(($(wc -c <"$tmp/capture.pcap") / 1000000))
echo "a capture of $size MB, $packets packets, $flows flows between two kernels, offloads $OFFLOADS ($(
    awk '/dropped by kernel/ { print $1 }' "$tmp/tcpdump.log") dropped by tcpdump), best of $ROUNDS:"

set -- "$TCPWAVE read --summary $tmp/capture.pcap" "$TCPWAVE read -q $tmp/capture.pcap" \
    "$TCPWAVE read --json $tmp/capture.pcap"
names='tcpwave_read_--summary tcpwave_read_-q tcpwave_read_--json'
if command -v tcptrace >/dev/null; then
    set -- "$@" "tcptrace -l $tmp/capture.pcap"
    names="$names tcptrace_-l"
else
    echo "    tcptrace is not installed"
fi
python3 "$here/cost.py" "$ROUNDS" "$@" >"$tmp/costs"
# tshark takes minutes: once is enough.
if command -v tshark >/dev/null; then
    timeout -k 5 900 python3 "$here/cost.py" 1 "tshark -r $tmp/capture.pcap -q -z conv,tcp" >>"$tmp/costs"
    names="$names tshark_-q_-z_conv,tcp"
else
    echo "    tshark is not installed"
fi
printf '%s\n' $names | paste -d ' ' - "$tmp/costs" | awk -v packets="$packets" '
    BEGIN {
        printf "    %-24s %9s %9s %14s %8s %8s\n", "", "CPU s", "wall s", "packets/CPU s", "CPU", "MiB"
    }
    {
        name = $1
        gsub("_", " ", name)
        if (NR == 1)
            least = $3
        printf "    %-24s %9.2f %9.2f %14.0f %7.1fx %8d\n", name, $3, $2, packets / $3, $3 / least, $4
    }'
rm "$tmp/capture.pcap"

#
# Memory
#

# bounded NAME FLOWS HALF_OPEN: what reading them from a pipe takes
bounded()
{
    timeout 600 python3 - "$1" "$MAKE_CAPTURE" "$2" "$3" "$TCPWAVE" read --json --flow 1 - <<'EOF'
import json, os, subprocess, sys, time
name, make, flows, half_open, *command = sys.argv[1:]
maker = subprocess.Popen([make, flows, half_open], stdout=subprocess.PIPE)
start = time.perf_counter()
reader = subprocess.Popen(command, stdin=maker.stdout, stdout=subprocess.PIPE)
maker.stdout.close()
verdict = json.loads(reader.stdout.read().splitlines()[-1])["read"]
_, status, usage = os.wait4(reader.pid, 0)
took, seen = time.perf_counter() - start, verdict["flows"]["seen"]
cpu = usage.ru_utime + usage.ru_stime
print(f"    {seen:10} {name}: {usage.ru_maxrss / 1024:6.0f} MiB, {cpu:6.1f} CPU s, {took:6.1f} wall s, "
      f"{seen / cpu:9.0f} flows and {verdict['file']['frames'] / cpu:9.0f} packets a CPU s; "
      f"at once {verdict['flows']['at_once']}, forgotten {verdict['flows']['forgotten']}, status {status}")
EOF
}

echo "the memory of tcpwave read, of flows that come through a pipe:"
bounded "flows, half open" 0 100
bounded "flows, half open" 0 "$HALF_OPEN"
bounded "flows, over     " "$MANY" 0
