#!/bin/sh
# Checks readers of tcpwave's output that are slow or asleep: a pager at its first page, a terminal
# after Ctrl-S, a program that cannot keep up. Neither the connection nor --timeout nor a signal
# waits for them. What they did not take is left out in whole lines and packets, counted, and
# reported. Received bytes are never left out.
. "$(dirname "$0")/lib.sh"
netns_enter "$@"
need python3 sha256sum
netns_up || exit 1

here=$(cd "$(dirname "$0")" && pwd)
head -c 3000000 /dev/urandom >"$tmp/data"
start_peer echo 7 python3 "$here/peer.py" 7 echo
start_peer discard 9 python3 "$here/peer.py" 9 discard

# asleep: a reader of $tmp/fifo that sleeps until $tmp/go is there, and then reads all into $tmp/read.
asleep()
{
    rm -f "$tmp/fifo" "$tmp/go" "$tmp/read"
    mkfifo "$tmp/fifo"
    {
        until [ -e "$tmp/go" ]; do sleep 0.1; done
        exec cat >"$tmp/read"
    } <"$tmp/fifo" 9>&- &
    reader=$!
    pids="$pids $reader"
}

# wakes: the reader reads, and ends with what writes.
wakes()
{
    : >"$tmp/go"
    wait $reader
}

now()
{
    date +%s%3N
}

# started CMD...: in the background, with standard output going to $to
started()
{
    background "$to" "$tmp/err" "$@"
}

# ended NAME STATUS MILLISECONDS: the run ends with that, and no later than that after $since
ended()
{
    local watch
    (sleep 20 && kill -KILL $run) >/dev/null 2>&1 9>&- &
    watch=$!
    wait $run
    status=$?
    took=$(($(now) - since))
    kill -KILL $watch 2>/dev/null # TERM would wait for its sleep where it has only just begun
    wait $watch 2>/dev/null
    check "$1: status $2" test "$status" = "$2"
    [ "$status" = "$2" ] || note "it was $status: $(cat "$tmp/err")"
    check "$1: in time" test $took -lt "$3"
    [ $took -lt "$3" ] || note "it took $took ms"
}

# whole NAME: every line that was read is a line, and what is missing is what the verdict says.
whole()
{
    python3 "$here/slow_reader.py" lines "$tmp/read" >"$tmp/found" 2>&1
    check "$1: whole lines, and those that are missing are counted" test $? = 0
    note "$(head -n 5 "$tmp/found")"
    # Of a hundred thousand lines some are enough for the schema, and those of a kind that is met only here.
    head -n 20 "$tmp/read" >>"$tmp/json"
    grep left_out "$tmp/read" >>"$tmp/json"
}

has_it_all()
{
    peer ss -Htin state established | grep -q "bytes_received:20000000 "
}

to=$tmp/fifo

has_data()
{
    peer ss -Htin state established | grep -q "bytes_received:3000000 "
}

# Signals, while the reader sleeps and the connection is idle or busy.

for signal in TERM INT; do
    status=143
    [ $signal = TERM ] || status=130
    asleep
    started "$TCPWAVE" connect --json "$far4:9" -f "$tmp/data" --hold 60
    poll has_data
    sleep 0.5
    since=$(now)
    kill -$signal $run
    ended "connect --json, reader asleep, SIG$signal" $status 1500
    wakes
    # There may be as much room left in the pipe as the verdict takes.
    grep -q '^{"event":"verdict".*signal' "$tmp/read" ||
        grep -q 'the reader of the report stopped reading.*signal' "$tmp/err"
    check "SIG$signal: the verdict stands in the pipe or on standard error" test $? = 0
    note "standard error: $(cat "$tmp/err")"
    check "SIG$signal: the pipe ends at the end of a line" test -z "$(tail -c 1 "$tmp/read")"
done

# --timeout

since=$(now)
asleep
started "$TCPWAVE" connect --json "$far4:9" -f "$tmp/data" --hold 60 --timeout 2
ended "connect --json --timeout 2, reader asleep" 1 3500
wakes
since=$(now)
asleep
started "$TCPWAVE" connect -v "$far4:9" -f "$tmp/data" --hold 60 --timeout 2
ended "connect -v --timeout 2, reader asleep" 1 3500
wakes
asleep
since=$(now)
started "$TCPWAVE" load --json --timeout 2 "$far4:9" --pcap "$tmp/fifo.pcap"
ended "load --json --timeout 2, reader asleep" 0 4800
wakes
asleep
since=$(now)
started "$TCPWAVE" send --json --count 400 --interval 2ms --wait 500ms --timeout 4 "$far4:9"
ended "send --json, reader asleep" 0 6500
check "send --json, reader asleep: the verdict is on standard error" grep -q 'stopped reading.*segments' "$tmp/err"
wakes

# The connection goes on and ends, and a reader that wakes up later has all of it.

asleep
started "$TCPWAVE" connect --json "$far4:7" -f "$tmp/data" -o "$tmp/back"
check "reader asleep: all data comes back meanwhile" \
    poll sh -c "test \$(wc -c <'$tmp/back') = 3000000"
wakes
since=$(now)
ended "a reader that wakes up" 0 5000
whole "a reader that wakes up"
check "a reader that wakes up: nothing is missing" sh -c "! grep -q left_out '$tmp/read'"
check "a reader that wakes up: the verdict comes last" \
    sh -c "tail -n 1 '$tmp/read' | grep -q '\"verdict\":\"open\"'"

# A pager that is stopped, by SIGSTOP, for longer than what is kept for it.

rm -f "$tmp/fifo"
mkfifo "$tmp/fifo"
cat "$tmp/fifo" >"$tmp/read" 9>&- &
reader=$!
pids="$pids $reader"
head -c 20000000 /dev/zero >"$tmp/much"
started "$TCPWAVE" connect --json "$far4:9" -f "$tmp/much" --mss 536 --hold 3
poll test -s "$tmp/read"
kill -STOP $reader
check "a reader that is stopped: the peer gets all data meanwhile" poll has_it_all
kill -CONT $reader
since=$(now)
ended "a reader that is stopped, and goes on" 0 15000
wait $reader
whole "a reader that is stopped, and goes on"
check "a reader that is stopped: some lines were left out" grep -q '"left_out":[1-9]' "$tmp/read"
check "a reader that is stopped: a note says so where they are missing" \
    grep -q '"event":"note".*"left_out":[1-9]' "$tmp/read"
check "a reader that is stopped: the verdict counts them" \
    sh -c "tail -n 1 '$tmp/read' | grep -q '\"event\":\"verdict\".*\"left_out\":'"

# Received bytes: the window closes, and nothing is lost.

asleep
started "$TCPWAVE" connect -q "$far4:7" -f "$tmp/data" -o -
sleep 2
wakes
since=$(now)
ended "connect -o -, reader asleep for 2 s" 0 8000
check "connect -o -, reader asleep: all bytes, in their order" \
    test "$(sha256sum <"$tmp/read")" = "$(sha256sum <"$tmp/data")"
asleep
since=$(now)
started "$TCPWAVE" connect "$far4:7" -f "$tmp/data" -o - --timeout 2
ended "connect -o - --timeout 2, reader asleep" 1 3500
check "connect -o - --timeout 2: what was not written is told" \
    grep -q 'received bytes not written' "$tmp/err"
wakes

# Packets.

asleep
to=$tmp/out
started "$TCPWAVE" load --json --connections 14000 "$far4:9" --pcap "$tmp/fifo"
# Where the machine is busy that many connections take more than poll's ten seconds.
for _ in 1 2 3 4 5; do
    poll sh -c "tail -n 1 '$tmp/out' | grep -q '\"verdict\"'" && break
done
wakes
since=$(now)
ended "--pcap, reader asleep" 0 8000
tail -n 1 "$tmp/out" >>"$tmp/json"
python3 "$here/slow_reader.py" packets "$tmp/read" "$tmp/out" >"$tmp/found" 2>&1
check "--pcap, reader asleep: whole packets, and those that are missing are counted" test $? = 0
note "$(cat "$tmp/found")"
asleep
since=$(now)
started "$TCPWAVE" connect --json "$far4:9" -f "$tmp/data" --pcap "$tmp/fifo" --hold 60 --timeout 2
ended "--pcap, reader asleep, --timeout 2" 1 3500
wakes

# Standard error.

asleep
since=$(now)
background /dev/null "$tmp/fifo" "$TCPWAVE" connect "$far4:7" -f "$tmp/data" -v -o "$tmp/back" --pcap - \
    --timeout 2 --hold 60
ended "standard error, reader asleep, --timeout 2" 1 3500
wakes

# listen goes on serving.

asleep
to=$tmp/fifo
started "$TCPWAVE" listen --json --echo "$near4:5001"
poll sh -c "ss -Hltn 'sport = :5001' | grep -q ."
since=$(now)
peer python3 "$here/slow_reader.py" clients $near4 5001 100 >"$tmp/served"
check "listen, reader asleep: 100 clients are served" test "$(cat "$tmp/served")" = 100
took=$(($(now) - since))
check "listen, reader asleep: in no more time than it takes" test $took -lt 10000
since=$(now)
kill -TERM $run
ended "listen, reader asleep, SIGTERM" 143 1500
wakes

# A terminal that takes nothing, as after Ctrl-S.

since=$(now)
python3 "$here/slow_reader.py" terminal "$TCPWAVE" connect -v "$far4:9" -f "$tmp/data" --hold 60 \
    --timeout 2 >"$tmp/found" 2>&1
check "a terminal that is stopped, --timeout 2: status 1" grep -q '^status 1$' "$tmp/found"
grep -q '^status 1$' "$tmp/found" || note "$(cat "$tmp/found")"
took=$(($(now) - since))
check "a terminal that is stopped, --timeout 2: in time" test $took -lt 8000
check "a terminal that is stopped: it stays as it was for others" grep -q '^blocking$' "$tmp/found"

done_testing
