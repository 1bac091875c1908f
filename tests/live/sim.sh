#!/bin/sh
# Runs on a simulated network: as a user without any capability, in the sandbox, without a socket, and
# with the same bytes each time; every command that makes connections, with everything that it writes.
. "$(dirname "$0")/lib.sh"
PATH=$PATH:/usr/sbin:/sbin
need env timeout
tmp=$(mktemp -d "${TMPDIR:-/tmp}/tcpwave.XXXXXX") || exit 1
trap netns_down EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# No capability is left, whoever runs this.
drops='setpriv --bounding-set=-all --inh-caps=-all --ambient-caps=-all --no-new-privs'
$drops true 2>/dev/null || drops=
cat >"$tmp/tcpwave" <<CODE
#!/bin/sh
exec $drops "$TCPWAVE" "\$@"
CODE
chmod 755 "$tmp/tcpwave"
run=$tmp/tcpwave
if [ -n "$drops" ] || [ "$(id -u)" != 0 ]; then
    $drops sh -c 'grep "^CapEff" /proc/self/status' >"$tmp/caps"
    check "there is no capability" grep -q '^CapEff:[[:space:]]*0*$' "$tmp/caps"
else
    skip "there is no capability" "setpriv is not here, and this is root"
fi

# Every command ends as its page says.
expect_status 0 "connect" "$run" connect --json -d hello sim:7
expect_json verdict received_bytes 5 "connect: the echo has come"
expect_status 0 "connect over IPv6" "$run" connect -6 --json -d hello sim:7
expect_status 0 "halfclose" "$run" halfclose --json -d x --sim peer=answers-after-fin sim:7
expect_json verdict half_close.honoured true "halfclose: honoured"
expect_status 0 "keepalive for a day" "$run" keepalive --json --for 24h sim:7
findings='peer-silent keepalive-unanswered'
expect_status 8 "keepalive of a peer that vanishes" "$run" keepalive -q --sim peer=vanishes@1h sim:7
findings=
expect_status 0 "listen" "$run" listen --json --sim dials=5 sim:80
expect_json verdict connections.open 5 "listen: five have come and gone"
expect_status 0 "load" "$run" load --json --connections 2000 -d x sim:80
expect_json verdict connections.open 2000 "load: all went as asked"
expect_json verdict simulated "" "the verdict says that the network is simulated"
expect_status 4 "refused" "$run" connect -q --sim peer=closed sim:7
expect_status 6 "rejected by a router" "$run" connect -q --ttl 3 --sim hops=5 sim:7
expect_status 2 "a mistake in SPEC is a usage error" "$run" connect --sim rtt=20q sim:7
expect_line err 'character 5, "20q": there may be a duration' "its place is named"
expect_status 2 "--sim without sim:PORT is a usage error" "$run" connect --sim rtt=1ms 127.0.0.1:7
expect_status 3 "sim.:PORT is a host of that name" "$run" connect -q sim.:7
expect_line err 'unknown host "sim\."' "which is looked up"

# same NAME ARGUMENT...: twice the same bytes, and neither time nor place of the run in them.
same()
{
    local name=$1
    shift
    (cd "$tmp" && timeout 60 "$run" "$@" >one 2>one.err)
    sleep 0.01
    (cd / && LC_ALL=C TZ=UTC timeout 60 "$run" "$@" >"$tmp/two" 2>"$tmp/two.err")
    check "$name: the same bytes" cmp "$tmp/one" "$tmp/two"
    check "$name: there are some" test -s "$tmp/one"
}
same "JSON of a bad path" connect --json -d hello --sim loss=20%,dup=5%,reorder=10%,jitter=9ms,seed=3 sim:7
same "a drawing" connect --ascii --width 100 -v -d hello --sim loss=20%,seed=5 sim:7
same "a capture file" connect --pcap - -d hello --sim hops=3,syn-proxy sim:7
same "a picture" connect --svg - -d hello --sim rate=1mbit sim:7
same "load" load --json --connections 3000 --sim loss=1% sim:7
same "listen" listen --json --sim dials=20,loss=10%,seed=9 sim:7
same "a keepalive through a NAT" keepalive --json --sim nat=5m/rst sim:7

# A reader that pauses, and a writer, change nothing: the clock stands.
seq 20000 >"$tmp/in"
"$run" connect --json -v -f "$tmp/in" sim:7 >"$tmp/one" 2>/dev/null
"$run" connect --json -v -f "$tmp/in" sim:7 2>/dev/null | { sleep 0.5; cat; } >"$tmp/two"
check "a reader that pauses gets every line" cmp "$tmp/one" "$tmp/two"
"$run" connect -q -f "$tmp/in" -o - sim:7 2>/dev/null | { sleep 0.3; cat; } | cmp -s - "$tmp/in"
check "what is received comes whole to a reader that pauses" test $? = 0
(head -n 1000 "$tmp/in"; sleep 0.3; tail -n +1001 "$tmp/in") | "$run" connect --json -f - sim:7 >"$tmp/out" 2>/dev/null
expect_json verdict received_bytes "$(wc -c <"$tmp/in")" "what is sent is waited for"

# The clock on the wall.
"$run" connect -d hello --ascii --sim rtt=200ms sim:7 >"$tmp/one"
begun=$(date +%s%N)
"$run" connect -d hello --ascii --sim rtt=200ms,speed=real sim:7 >"$tmp/two"
took=$((($(date +%s%N) - begun) / 1000000))
check "speed=real shows the same" cmp "$tmp/one" "$tmp/two"
check "speed=real takes its time: 850 ms" test $took -ge 850
# signalled NAME ARGUMENT...: a signal ends it.
signalled()
{
    local name=$1
    shift
    env --default-signal=INT "$run" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null &
    sleep 0.5
    kill -s INT $!
    wait $!
    check "$name: a signal ends it" test $? = 130
}
signalled "speed=real" keepalive -q --sim speed=real sim:7
signalled "a load without an end" load -q --sim rtt=1ms sim:7
mkfifo "$tmp/fifo"
env --default-signal=INT "$run" connect -q -f - sim:7 >"$tmp/out" 2>"$tmp/err" <"$tmp/fifo" &
run_pid=$!
exec 8>"$tmp/fifo"
sleep 0.3
kill -s INT $run_pid
wait $run_pid
check "a wait for standard input: a signal ends it" test $? = 130
exec 8>&-

# The sandbox, seen while the clock keeps to that on the wall.
try "$run" connect -v --sim rtt=1ms sim:7
filter=$(sed -n 's/^tcpwave: no sandbox: //p' "$tmp/err")
"$run" keepalive -q --sim speed=real sim:7 </dev/null >/dev/null 2>&1 &
run_pid=$!
poll grep -q '^NoNewPrivs:[[:space:]]*1' /proc/$run_pid/status
sleep 0.2
if [ -n "$filter" ]; then
    skip "the sandbox is in force" "$filter"
else
    check "the sandbox is in force" grep -q '^Seccomp:[[:space:]]*2' /proc/$run_pid/status
fi
check "no capability is left" grep -q '^CapPrm:[[:space:]]*0*$' /proc/$run_pid/status
ls -l /proc/$run_pid/fd >"$tmp/fds" 2>/dev/null
check "no socket is open" sh -c "! grep -q socket: '$tmp/fds'"
kill -s TERM $run_pid
wait $run_pid 2>/dev/null

# No socket is ever asked for, and after the sandbox no file.
if strace -qq -o "$tmp/strace" -e trace=execve true 2>"$tmp/err"; then
    for command in "connect -d x" "halfclose -d x" "keepalive --for 9h" listen "load --connections 300"; do
        # shellcheck disable=SC2086 # the words of a command
        strace -f -qq -o "$tmp/strace" "$TCPWAVE" $command sim:7 >/dev/null 2>&1
        check "$command: no socket" sh -c "! grep -E '(^| )(socket|socketpair|bind|connect|sendto|sendmsg)\(' '$tmp/strace'"
        check "$command: it was traced" grep -q 'exit_group(0)' "$tmp/strace"
    done
else
    skip "no socket is asked for" "strace is not here, or may not trace: $(head -n 1 "$tmp/err")"
fi
done_testing
