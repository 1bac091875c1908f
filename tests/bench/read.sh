#!/bin/sh
# Measures what `read` takes for a large capture next to tshark and tcptrace, on one file that is made
# for it: a long transfer with losses, and 100,000 short flows. Everything is printed and nothing is
# judged: machines differ, ratios less so. Tools that are not installed are left out. It takes some
# minutes, and a gigabyte of room in TMPDIR.
: "${TCPWAVE:=$PWD/tcpwave}" "${MAKE_CAPTURE:=$PWD/tests/bench/make_capture}"
: "${MEGABYTES:=400}" "${FLOWS:=100000}" "${ROUNDS:=3}"
here=$(cd "$(dirname "$0")" && pwd)

command -v python3 >/dev/null || {
    echo "read: python3 is not installed"
    exit 77
}
tmp=$(mktemp -d "${TMPDIR:-/tmp}/tcpwave.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
"$MAKE_CAPTURE" "$tmp/capture.pcap" "$MEGABYTES" "$FLOWS" || exit 1
cat "$tmp/capture.pcap" >/dev/null # into the kernel's cache

packets=$("$TCPWAVE" read --json "$tmp/capture.pcap" | python3 -c '
import json, sys
print([json.loads(line) for line in sys.stdin if "\"verdict\"" in line][-1]["read"]["file"]["frames"])')
size=$(($(wc -c <"$tmp/capture.pcap") / 1000000))
echo "a capture of $size MB, $packets packets, $FLOWS short flows and one long one (best of $ROUNDS):"

set -- "$TCPWAVE read --summary $tmp/capture.pcap" "$TCPWAVE read -q $tmp/capture.pcap" \
    "$TCPWAVE read --json $tmp/capture.pcap"
names='tcpwave_read tcpwave_read_-q tcpwave_read_--json'
command -v tcptrace >/dev/null && {
    set -- "$@" "tcptrace -l $tmp/capture.pcap"
    names="$names tcptrace_-l"
}
python3 "$here/cost.py" "$ROUNDS" "$@" >"$tmp/costs"
# tshark takes minutes: once is enough.
command -v tshark >/dev/null && {
    python3 "$here/cost.py" 1 "tshark -r $tmp/capture.pcap -q -z conv,tcp" >>"$tmp/costs"
    names="$names tshark_-q_-z_conv,tcp"
}
printf '%s\n' $names | paste -d ' ' - "$tmp/costs" | awk -v packets="$packets" '
    {
        name = $1
        gsub("_", " ", name)
        if (NR == 1)
            least = $3
        printf "    %-24s %8.2f s, of the processor %8.2f s: %5.2f million packets a second, %6.1f times, %6d MiB\n",
            name, $2, $3, packets / $3 / 1e6, $3 / least, $4
    }'
