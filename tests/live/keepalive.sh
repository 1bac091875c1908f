#!/bin/sh
# Checks tcpwave keepalive with the kernel as the peer: a peer that lives, dies, loses the
# connection or closes it, and a peer that probes us. Peers that are only silent, single losses, the
# real intervals and what is shown to the user are in tests/unit/test_cmd_keepalive.c.
#
# There is a second host behind the peer, which routes to it. Its namespace can be deleted and
# created once more without removing our own link.
. "$(dirname "$0")/lib.sh"
netns_enter "$@"
need nft python3 ss
netns_up || exit 1

here=$(cd "$(dirname "$0")" && pwd)

# The form with a byte of garbage is the one that Linux answers without a pause of 500 ms.
fast="--garbage --idle 100ms --interval 100ms --linger 100ms"

# The plug is pulled, so that nothing gets out; then all that runs there ends, and so does the
# namespace. Connections with unread data end at once; others would hold it for minutes, waiting
# for their FIN to be acknowledged.
end_down()
{
    at_end ip link set end down
    stop late
    kill -9 "$end"
    wait "$end" 2>/dev/null
    poll gone
}

gone()
{
    ! peer ip link show mid
}

start_late()
{
    launch late nsenter -t "$end" -n python3 "$here/peer.py" 60 hold
    poll listening 60 at_end
}

# hold NAME ARGUMENT...: keepalive in the background, until its first probe is answered
hold()
{
    local name=$1
    shift
    start "$name" "$@"
    poll grep -q '"event":"probe".*"answered":true' "$tmp/$name.out"
}

start()
{
    local name=$1
    shift
    : >"$tmp/$name.out"
    background "$tmp/$name.out" "$tmp/$name.err" timeout -k 5 100 "$TCPWAVE" keepalive --json "$@"
    eval "pid_$name=$run"
}

# ended NAME STATUS VERDICT CASE: what came of it is in $tmp/out then
ended()
{
    local pid
    eval "pid=\$pid_$1"
    wait "$pid"
    status=$?
    cp "$tmp/$1.out" "$tmp/out"
    cp "$tmp/$1.err" "$tmp/err"
    if [ "$status" = "$2" ]; then
        pass "$4: status $2"
    else
        fail "$4: status $2"
        note "ended with $status"
        show_try
    fi
    expect_json verdict verdict "$3" "$4: verdict $3"
    agrees "$4"
}

# The figures in the verdict are those of the events before it.
agrees()
{
    python3 - "$tmp/out" <<'EOF' >"$tmp/agrees" && pass "$1: the figures are those of the events" && return
import json, sys
events = [json.loads(line) for line in open(sys.argv[1])]
verdict = events[-1]["keepalive"]
probes = [e for e in events if e["event"] == "probe"]
rtts = sorted(e["rtt"] for e in probes if e["answered"])
assert [e["n"] for e in probes] == list(range(1, len(probes) + 1)), "numbers"
assert len(probes) in (verdict["sent"], verdict["sent"] - 1), "sent"
assert len(rtts) == verdict["answered"], "answered"
if rtts:
    told = verdict["rtt"]
    assert told["min"] == rtts[0] and told["max"] == rtts[-1], "ends"
    assert told["min"] <= told["median"] <= told["p95"] <= told["max"], "order"
    assert abs(told["median"] - rtts[(len(rtts) - 1) // 2]) <= told["median"] / 100, "median"
else:
    assert verdict["rtt"] is None, "no round trip"
for e in events:
    if e["event"] == "segment" and "probe" in e["notes"] and e["dir"] == "out":
        last = e["time"]
    if e["event"] == "probe" and e["answered"]:
        assert abs(e["time"] - e["rtt"] - last) < 1e-6, "a round trip between two captured segments"
EOF
    fail "$1: the figures are those of the events"
    tail -n 1 "$tmp/agrees" | sed 's/^/# /'
}

# unanswered N NAME: the last N probes, and no more, went unanswered
unanswered()
{
    local count
    count=$(sed -n 's/.*"event":"probe".*"answered":\([a-z]*\).*/\1/p' "$tmp/out" | awk '$1 == "true" { n = 0; next } { n++ } END { print n + 0 }')
    check "$2: exactly $1 in a row went unanswered" test "$count" = "$1"
}

end_up
start_late
start_peer hold 60 python3 "$here/peer.py" 60 hold
start_peer echo 61 python3 "$here/peer.py" 61 echo
start_peer first 62 python3 "$here/peer.py" 62 first
start_peer probe 63 python3 "$here/peer.py" 63 probe
peer nft add table inet test

# The kernel's own keepalive runs beside all the rest: ten seconds are long.
start probed4 "$far4:63" -p 6304 --idle 1h
start probed6 "[$far6]:63" -p 6306 --idle 1h

# living NAME HOST
living()
{
    expect_status 0 "$1: a living peer: status 0" "$TCPWAVE" keepalive --json "$2:60" $fast --for 1s
    expect_json verdict verdict open "$1: a living peer: verdict open"
    agrees "$1: a living peer"
    check "$1: a living peer: it was probed" test "$(json_get verdict keepalive.sent)" -ge 2
    expect_line out '"message":"[^"]*is alive' "$1: a living peer: said to be alive"

    expect_status 0 "$1: probes without data: status 0" "$TCPWAVE" keepalive --json "$2:60" --idle 600ms --interval 600ms --for 1500ms --linger 100ms
    agrees "$1: probes without data"
    check "$1: probes without data: answered" test "$(json_get verdict keepalive.answered)" -ge 1

    expect_status 0 "$1: data first: status 0" "$TCPWAVE" keepalive "$2:61" $fast -d 'hello' -o - --for 400ms
    check "$1: data first: its echo arrives" test "$(cat "$tmp/out")" = hello

    expect_status 0 "$1: the peer closes: status 0" "$TCPWAVE" keepalive --json "$2:62" $fast
    expect_json verdict close.by peer "$1: the peer closes: it is named"
    expect_line out '"message":"[^"]*closed the connection itself' "$1: the peer closes: the message says so"
}

living IPv4 "$far4"
living IPv6 "[$far6]"

# dying NAME HOST END
dying()
{
    start_peer victim 66 python3 "$here/peer.py" 66 hold
    hold killed "$2:66" $fast -d 'never read'
    stop victim
    ended killed 7 reset "$1: the process is killed"

    start_peer victim 66 python3 "$here/peer.py" 66 hold
    hold closed "$2:66" $fast
    stop victim
    ended closed 0 open "$1: the process is killed, nothing is unread"
    expect_json verdict close.by peer "$1: the process is killed, nothing is unread: its FIN"

    hold rebooted "$3:60" $fast -d unread --count 255
    end_down
    end_up
    ended rebooted 7 reset "$1: the peer has rebooted"
    expect_line out '"message":"[^"]*no longer knows the connection: RST answered probe [0-9]+' "$1: the peer has rebooted: it says so"
    start_late

    hold deleted "$3:60" $fast -d unread --count 3
    end_down
    ended deleted 8 lost "$1: the peer's namespace is deleted"
    unanswered 3 "$1: the peer's namespace is deleted"
    end_up
    start_late
}

dying IPv4 "$far4" "$end4"
dying IPv6 "[$far6]" "[$end6]"

# forgotten NAME HOST: the kernel drops the connection, and its RST does not get through
forgotten()
{
    hold forgotten "$2:60" $fast
    peer nft add rule inet test quiet tcp sport 60 tcp flags \& rst == rst drop
    peer ss -K state established sport = :60 >"$tmp/killed" 2>&1
    peer nft flush chain inet test quiet
    ended forgotten 7 reset "$1: the peer forgot the connection"
    expect_line out '"message":"[^"]*no longer knows the connection' "$1: the peer forgot the connection: it says so"
}

peer nft add chain inet test quiet '{ type filter hook output priority 0; }'
start_peer destroy 67 python3 "$here/peer.py" 67 hold
hold probe_k "$far4:67" $fast
peer ss -K state established sport = :67 >/dev/null 2>&1
if poll grep -q '"event":"verdict"' "$tmp/probe_k.out"; then
    ended probe_k 7 reset "ss -K"
    forgotten IPv4 "$far4"
    forgotten IPv6 "[$far6]"
else
    skip "the peer forgot the connection" "this kernel does not destroy sockets when asked"
fi

# Interrupted, which is how a run without --for ends: what was found stands all the same.
hold interrupted "$far4:60" $fast
kill -INT "$pid_interrupted"
ended interrupted 130 open "SIGINT while the peer lives"
expect_json verdict exit 130 "SIGINT while the peer lives: status in JSON"

# Usage.
expect_status 2 "--interval below the round trip, quiet: status 2" "$TCPWAVE" keepalive -q "$far4:60" --interval 1us --linger 100ms
expect_line err 'interval 1us is shorter than the round trip' "--interval below the round trip, quiet: says so"

# wrong NAME PATTERN ARGUMENT...
wrong()
{
    local name=$1 pattern=$2
    shift 2
    expect_status 2 "$name: status 2" "$TCPWAVE" keepalive "$far4:60" "$@"
    check "$name: one line" test "$(wc -l <"$tmp/err")" = 1
    expect_line err "$pattern" "$name: says so"
}

wrong "--count 0" 'count' --count 0
wrong "--count 256" 'count' --count 256
wrong "--interval 0" 'interval' --interval 0
wrong "a negative --interval" 'interval.*-1|-1.*interval' --interval -1
wrong "a negative --idle" 'idle' --idle=-5s
wrong "--idle 0" 'idle' --idle 0
wrong "an absurd --idle" 'idle' --idle 99999999h
wrong "an --interval of no unit known" '5x' --interval 5x
wrong "--for 0" 'for' --for 0

# A countdown where it is watched.
try env TERM=xterm python3 -c 'import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)' \
    "$TCPWAVE" keepalive "$far4:60" --idle 4s --for 3s --linger 100ms
check "on a terminal: status 0" test "$status" = 0
expect_line out 'waiting for the next probe: [0-9]+ s left' "on a terminal: a countdown to the next probe"

# probed NAME PORT CASE: until ten of the kernel's probes were answered
ten()
{
    [ "$(grep -c '"dir":"in".*"notes":\["probe"' "$tmp/$1.out")" -ge 10 ]
}

probed()
{
    local pid
    eval "pid=\$pid_$1"
    poll ten "$1" || poll ten "$1"
    check "$3: the connection stands in the peer's kernel" test -n "$(peer ss -Htn state established "sport = :63" "dport = :$2")"
    kill -INT "$pid"
    ended "$1" 130 open "$3"
    python3 - "$tmp/out" <<'EOF' >"$tmp/figures" 2>&1 && pass "$3: how long after, how far apart" && return
import json, sys
events = [json.loads(line) for line in open(sys.argv[1])]
told = events[-1]["keepalive"]["peer"]
after, apart, before, probed = [], [], None, None
for e in events:
    if e["event"] != "segment":
        continue
    if e["dir"] == "out" and "R" in e["flags"]:
        break  # a probe that comes now finds no connection any more
    if e["dir"] == "in" and "probe" in e["notes"]:
        after.append(e["time"] - before)
        if probed is not None:
            apart.append(e["time"] - probed)
        probed = e["time"]
    before = e["time"]
assert told["probes"] == len(after) >= 10, (told, len(after))
for name, seen in (("after", after), ("apart", apart)):
    seen.sort()
    assert abs(told[name]["min"] - seen[0]) < 1e-6, name
    assert abs(told[name]["max"] - seen[-1]) < 1e-6, name
    assert abs(told[name]["median"] - seen[(len(seen) - 1) // 2]) < 0.01 * told[name]["median"], name
# The kernel counts in ticks of up to 10 ms, and never probes before its time.
assert told["after"]["min"] > 0.98 and told["apart"]["min"] > 0.98, told
EOF
    fail "$3: how long after, how far apart"
    tail -n 3 "$tmp/figures" | sed 's/^/# /'
}

probed probed4 6304 "the kernel probes us, IPv4"
probed probed6 6306 "the kernel probes us, IPv6"

# The link of the peer's goes last: its addresses go with it.
hold unplugged4 "$far4:60" $fast --count 3
hold unplugged6 "[$far6]:60" $fast --count 5
peer ip link set far down
ended unplugged4 8 lost "the link is down, IPv4"
unanswered 3 "the link is down, IPv4"
ended unplugged6 8 lost "the link is down, IPv6"
unanswered 5 "the link is down, IPv6"
done_testing
