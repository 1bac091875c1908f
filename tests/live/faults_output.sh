#!/bin/sh
# Checks faults of what tcpwave writes to: a full disk under --pcap, --output, --json and the text,
# and a reader that goes away. Each fault is reported in words and by status 3. Every connection is
# closed in order, so that the peer's server reads an end of file, and nothing of it remains at the
# peer.
. "$(dirname "$0")/lib.sh"
netns_enter "$@"
need python3
netns_up || exit 1

here=$(cd "$(dirname "$0")" && pwd)
small=/mnt # over it, in a mount namespace of our own
mount -t tmpfs -o size=64k none $small || {
    echo "# no tmpfs can be mounted here"
    exit 77
}
head -c 400000 /dev/urandom >"$tmp/data"

start_peer echo 7 python3 "$here/peer.py" 7 echo
start_peer discard 9 python3 "$here/peer.py" 9 discard

# How often a server of the peer's was told by RST that its connection was no more.
resets()
{
    cat "$tmp/echo.log" "$tmp/discard.log" | grep -c reset
}

# What the peer still knows of connections, but for those that wait for stray segments only.
left()
{
    peer ss -Htan | grep -Ev '^(LISTEN|TIME-WAIT)'
}
none_left()
{
    ! left | grep -q .
}

empty_disk()
{
    rm -f $small/*
}
fill_disk()
{
    cat /dev/zero >"$small/filler" 2>/dev/null
}

# runs CMD...: with standard output going to $to
runs()
{
    before=$(resets)
    timeout -k 5 30 "$@" >"$to" 2>"$tmp/err" </dev/null 9>&-
    status=$?
    : >"$tmp/out"
    [ ! -f "$to" ] || [ "$to" = "$tmp/out" ] || cp "$to" "$tmp/out"
}

# judged NAME PATTERN: of what just ran, where it was told to (standard error, or the report)
judged()
{
    check "$1: status 3" test "$status" = 3
    [ "$status" = 3 ] || note "it was $status"
    cat "$tmp/out" "$tmp/err" | tr -s ' \n' ' ' >"$tmp/told" # one line, however it was wrapped
    check "$1: it is told" grep -Eq "$2" "$tmp/told"
    grep -Eq "$2" "$tmp/told" || note "$(tail -c 400 "$tmp/told")"
    check "$1: nothing is left of the connection" poll none_left
    none_left || note "$(left)"
    check "$1: the peer saw a FIN and no RST" test "$(resets)" = "$before"
}

full='No space left on device'
full_report="cannot write to standard output: ($full|the disk may be full)"

# A file that fills up in the midst of the transfer.

to=$tmp/report
for option in --pcap -o; do
    empty_disk
    runs "$TCPWAVE" connect "$far4:7" -f "$tmp/data" $option "$small/file" --json --timeout 20
    cat "$to" >>"$tmp/json"
    judged "connect $option, disk fills up" "cannot write to $small/file: $full"
    expect_json verdict verdict local "connect $option, disk fills up: the verdict is local"
    expect_json verdict close.by local "connect $option, disk fills up: we closed"
    value=$(json_get verdict close.kind)
    check "connect $option, disk fills up: a close with two FINs" \
        sh -c "expr $value : '.*-way' '|' $value = simultaneous >/dev/null"
done
empty_disk
to=$small/report
runs "$TCPWAVE" connect "$far4:7" -f "$tmp/data" --json --timeout 20
judged "connect --json, disk fills up" "$full_report"
check "connect --json, disk fills up: the file is full" test "$(wc -c <"$to")" = 65536
empty_disk

# One that is full from the start, for each command.

fill_disk
to=$tmp/report
for option in --pcap -o; do
    file=$small/file
    runs "$TCPWAVE" connect "$far4:7" -d hello $option "$file"
    judged "connect $option, full disk" "cannot write to $file: $full"
    runs "$TCPWAVE" halfclose "$far4:7" -d hello $option "$file"
    judged "halfclose $option, full disk" "cannot write to $file: $full"
    runs "$TCPWAVE" keepalive "$far4:7" -d hello --for 20 $option "$file"
    judged "keepalive $option, full disk" "cannot write to $file: $full"
done
runs "$TCPWAVE" send "$far4:9" --count 3 --interval 100ms --pcap "$file"
judged "send --pcap, full disk" "cannot write to $file: $full"
head -c 100000 /dev/zero | tr '\0' x >"$tmp/text"
runs "$TCPWAVE" load "$far4:9" --connections 2000 -d "$(cat "$tmp/text")" --pcap "$file" --json
cat "$to" >>"$tmp/json"
judged "load --pcap, full disk" "cannot write to $file: $full"
empty_disk

to=/dev/full
for report in --json --color=never; do
    runs "$TCPWAVE" connect "$far4:7" -d hello $report
    judged "connect $report, full" "$full_report"
    runs "$TCPWAVE" halfclose "$far4:7" -d hello $report
    judged "halfclose $report, full" "$full_report"
    runs "$TCPWAVE" keepalive "$far4:7" -d hello --for 20 $report
    judged "keepalive $report, full" "$full_report"
    runs "$TCPWAVE" send "$far4:9" --count 2 --interval 100ms $report
    judged "send $report, full" "$full_report"
    runs "$TCPWAVE" load "$far4:9" --connections 50 $report
    judged "load $report, full" "$full_report"
done
runs "$TCPWAVE" load "$far4:9" --hold 20 --connections 5 --json
judged "load --json, full, long before the end" "$full_report"
runs "$TCPWAVE" connect "$far4:7" -d hello -o -
judged "connect -o -, full" "$full_report"
runs "$TCPWAVE" connect "$far4:1" -q --json
judged "what the peer did does not count then" "$full_report"
runs "$TCPWAVE" connect --help
check "connect --help, full: status 3" test "$status" = 3

# A peer connects, says something, and reads until we close.

listening_near()
{
    ss -Hltn 'sport = :5001' | grep -q .
}

# served NAME PATTERN SIZE OPTION...: to a client that sends so much
served()
{
    local name=$1 pattern=$2 size=$3
    shift 3
    (poll listening_near && exec nsenter -t $holder -n \
        python3 "$here/kernel_client.py" $near4 5001 say $size >"$tmp/client" 2>&1 9>&-) &
    client=$!
    runs "$TCPWAVE" listen "$near4:5001" --timeout 25 "$@"
    wait $client
    judged "$name" "$pattern"
    expect_line client 'then end of file' "$name: the client saw a FIN and no RST"
}

to=$tmp/report
served "listen --pcap, disk fills up" "cannot write to $small/file: $full" 400000 --echo --pcap $small/file
empty_disk
served "listen -o, full" "cannot write to /dev/full: $full" 10 --connections 1 -o /dev/full
to=$small/report
served "listen --json, disk fills up" "$full_report" 400000 --echo --json
empty_disk
served "listen, disk fills up" "$full_report" 400000 --echo -v
empty_disk
to=/dev/full
runs "$TCPWAVE" listen "$near4:5001" --timeout 25
judged "listen, full" "$full_report"

# Readers that go away. The shell keeps the status of what writes.

gone='cannot write (to standard output|the report): (its reader is gone|Broken pipe)'

# cut_short NAME READER CMD...
cut_short()
{
    local name=$1 reader=$2
    shift 2
    before=$(resets)
    : >"$tmp/out"
    {
        timeout -k 5 30 "$@" 2>"$tmp/err" </dev/null 9>&-
        echo $? >"$tmp/status"
    } | sh -c "$reader" >/dev/null
    status=$(cat "$tmp/status")
    judged "$name" "$gone"
}

cut_short "connect --json | head -1" 'head -n 1' "$TCPWAVE" connect "$far4:7" -d hello --hold 20 --json
cut_short "connect | head -1" 'head -n 1' "$TCPWAVE" connect "$far4:7" -d hello --hold 20
cut_short "connect -o - | head -c 10" 'head -c 10' "$TCPWAVE" connect "$far4:7" -f "$tmp/data" -o - --hold 20
cut_short "halfclose -o - | head -c 10" 'head -c 10' "$TCPWAVE" halfclose "$far4:7" -f "$tmp/data" -o -
cut_short "keepalive --json | head -1" 'head -n 1' "$TCPWAVE" keepalive "$far4:7" --for 20 --json
cut_short "a reader that leaves while nothing is written" 'sleep 1' "$TCPWAVE" connect "$far4:7" --hold 20 --json
cut_short "load --json | head -1" 'head -n 1' "$TCPWAVE" load "$far4:9" --connections 10 --hold 20 --json
cut_short "load | true" true "$TCPWAVE" load "$far4:9" --connections 10 --hold 1
cut_short "send --json | head -1" 'head -n 1' "$TCPWAVE" send "$far4:9" --count 50 --interval 100ms --json
(poll listening_near && exec nsenter -t $holder -n \
    python3 "$here/kernel_client.py" $near4 5001 say 10 >"$tmp/client" 2>&1 9>&-) &
client=$!
cut_short "listen --json | head -3" 'head -n 3' "$TCPWAVE" listen "$near4:5001" --json --timeout 25
wait $client
expect_line client 'then end of file' "listen --json | head -3: the client saw a FIN and no RST"

# A signal comes, and only then the capture cannot be written: its reader is gone, and nothing was to
# be written meanwhile.

# interrupted NAME READY CMD...: once READY succeeds
interrupted()
{
    local name=$1 ready=$2 reader pid
    shift 2
    rm -f "$tmp/fifo"
    mkfifo "$tmp/fifo"
    sleep 30 <"$tmp/fifo" 9>&- &
    reader=$!
    background "$tmp/out" "$tmp/err" "$@" --pcap "$tmp/fifo" --json
    pid=$run
    pids="$pids $reader"
    poll "$ready"
    kill $reader
    wait $reader
    kill -INT $pid
    wait $pid
    status=$?
    cat "$tmp/out" >>"$tmp/json"
    check "$name: status 130" test "$status" = 130
    [ "$status" = 130 ] || show_try
    expect_json verdict verdict local "$name: the verdict is local all the same"
    expect_json verdict exit 130 "$name: and names the status"
    check "$name: it is told" grep -q 'Broken pipe' "$tmp/out"
}
established()
{
    peer ss -Htn state established | grep -q .
}
sent_one()
{
    grep -q '"segment"' "$tmp/out"
}

interrupted "connect, a signal and then no capture" established "$TCPWAVE" connect "$far4:7" --hold 20
interrupted "load, a signal and then no capture" established "$TCPWAVE" load "$far4:9" --connections 1 --hold 20
interrupted "send, a signal and then no capture" sent_one "$TCPWAVE" send "$far4:9" --count 2 --interval 20
interrupted "listen, a signal and then no capture" listening_near "$TCPWAVE" listen "$near4:5001"

done_testing
