# Functions that faults_link.sh and faults_path.sh share: a connection that sends data while
# something happens to its path. Source this file once $tmp/data exists.

# The file in thirty pieces over three seconds, so that there is a midst of it.
feed()
{
    python3 -c '
import sys, time
while piece := sys.stdin.buffer.read(100000):
    sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()
    time.sleep(0.1)' <"$tmp/data"
}

established()
{
    peer ss -Htn state established | grep -q .
}

# begin CMD...: in the background, fed, until its connection is established
begin()
{
    rm -f "$tmp/got" "$tmp/feed"
    mkfifo "$tmp/feed"
    feed >"$tmp/feed" 2>/dev/null 9>&- &
    pids="$pids $!"
    "$@" >"$tmp/out" 2>"$tmp/err" <"$tmp/feed" 9>&- &
    run=$!
    pids="$pids $run"
    poll established
    sleep 0.3
}

# finish STATUS NAME
finish()
{
    wait $run
    status=$?
    ! grep -q '^{' "$tmp/out" || cat "$tmp/out" >>"$tmp/json"
    check "$2: status $1" test "$status" = "$1"
    [ "$status" = "$1" ] || show_try
}
whole()
{
    check "$1: the data came back whole" cmp -s "$tmp/data" "$tmp/got"
}
none_left()
{
    ! peer ss -Htan | grep -Evq '^(LISTEN|TIME-WAIT)'
}

transfer()
{
    begin "$TCPWAVE" connect "$1:7" -f - -o "$tmp/got" --json --timeout 50
}
