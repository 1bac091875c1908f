#!/bin/sh
# Checks tcpwave idle with the kernel as the peer, behind a router whose conntrack forgets after
# seconds. Each world below is a network of its own, since conntrack has its timers per network
# namespace; all worlds are tried at the same time, each by a process of this script.
#
# What is said of each connection is held against what the router's conntrack and the peer's kernel
# knew of it (idle_watch.py), so that a slow machine cannot make a wrong answer out of a right one.
# Real lengths, and all that needs no kernel, are in tests/unit/test_cmd_idle*.c.
#
# IDLE_WORLD=loss tries one world alone.
worlds='silent silent6 nat reset icmp half tests tries terminal loss nothing stateless ends reboot dead interrupt queue opening opening6 gives_up'

# told WORLD STATUS: its cases, with names that say where
told()
{
    awk -v world="$1" -v status="$2" -v first="$cases" '
        /^(not )?ok [0-9]+ - / {
            bad = /^not/
            sub(/^(not )?ok [0-9]+ - /, "")
            printf "%sok %d - %s: %s\n", bad ? "not " : "", ++first, world, $0
            next
        }
        /^1\.\./ { ended = 1; next }
        { print /^#/ ? $0 : "# " $0; why = $0; sub(/^# /, "", why) }
        END {
            if (status == 77)
                printf "ok %d - %s # SKIP %s\n", ++first, world, why
            else if (!ended || status != 0)
                printf "not ok %d - %s ended with status %s\n", ++first, world, status
        }' "$results/$1"
}

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/findings_lib.sh"

if [ -z "${IDLE_WORLD:-}" ]; then
    results=$(mktemp -d "${TMPDIR:-/tmp}/tcpwave.XXXXXX") || exit 1
    tried=
    trap 'kill $tried 2>/dev/null; wait; rm -rf "$results"' EXIT
    trap 'exit 130' HUP INT TERM
    for world in $worlds; do
        IDLE_WORLD=$world json_for=$results/$world.json sh "$0" >"$results/$world" 2>&1 &
        tried="$tried $!"
        eval "process_$world=$!"
    done
    cases=0
    for world in $worlds; do
        eval "wait \$process_$world"
        told "$world" $? >"$results/told"
        cat "$results/told"
        cases=$((cases + $(grep -c '^\(not \)\?ok ' "$results/told")))
    done
    tried=
    tmp=$results
    cat "$results"/*.json >"$tmp/json" 2>/dev/null
    check_schema
    echo "1..$cases"
    exit 0
fi

netns_enter "$@"
need nft python3 ss
netns_up || exit 1

# What idle finds, and what a SYN from the port of a connection that died provokes.
findings='ack-to-syn forgotten-when-idle reset-when-idle'

here=$(cd "$(dirname "$0")" && pwd)
short="--from 1s --to 16s --parallel 6 --precision 20 --give-up 2s"

# server NAME PORT HABIT...
server()
{
    local name=$1
    shift
    launch "$name" nsenter -t "$end" -n python3 "$here/peer.py" "$@"
    poll listening "$1" at_end
}

# watch router|sockets PID: from now on $tmp/ROUTER.log has what is known in the namespace of that process
watch()
{
    nsenter -t "$2" -n python3 "$here/idle_watch.py" "$1" >>"$tmp/$1.log" 2>"$tmp/$1.err" </dev/null 9>&- &
    pids="$pids $!"
    poll test -s "$tmp/$1.log"
}

# timers NAME SECONDS...: of conntrack
timers()
{
    peer sh -c '
        cd /proc/sys/net/netfilter && echo 0 >nf_conntrack_tcp_loose || exit
        while [ $# -gt 0 ]; do
            echo $2 >nf_conntrack_tcp_timeout_$1 || exit
            shift 2
        done' sh "$@" 2>"$tmp/timers"
}

# router VERDICT: what happens to segments of connections that it does not know
router()
{
    peer nft -f - <<END
table inet router
flush table inet router
table inet router {
    chain forward {
        type filter hook forward priority 0;
        ct state established accept
        meta l4proto tcp tcp flags & (syn | ack) == syn ct state new accept
        meta l4proto tcp $1
    }
}
END
}

# forgets VERDICT NAME SECONDS...: such a router, if this kernel has one
forgets()
{
    router "$1" || return
    shift
    if ! timers "$@"; then
        skip "a router that forgets" "its timers cannot be set: $(head -n 1 "$tmp/timers")"
        done_testing
    fi
    watch router $holder
}

# idle STATUS NAME ARGUMENT...
idle()
{
    local wanted=$1 name=$2
    shift 2
    expect_status "$wanted" "$name: status $wanted" \
        "$TCPWAVE" idle --json --pcap "$tmp/run.pcap" "$@"
}

# truth NAME [-]: each sample of the last run is what router (not with -) and peer knew; half_open is
# "half-open" where that is the state
truth()
{
    local router=${2:-$tmp/router.log}
    if python3 "$here/idle_watch.py" judge "$tmp/out" "$tmp/run.pcap" "$router" \
        "$tmp/sockets.log" ${half_open:-} >"$tmp/judged" 2>&1; then
        pass "$1: it is what the hosts know: $(head -n 1 "$tmp/judged")"
    else
        fail "$1: it is what the hosts know"
        note "$(cat "$tmp/judged")"
    fi
}

# between NAME LOW HIGH OUTCOME: the last run found a limit around there, in seconds
between()
{
    expect_json verdict idle.limit between "$1: between two silences"
    expect_json verdict idle.outcome "$4" "$1: $4"
    expect_json verdict idle.by path "$1: the path forgot"
    found "$1" forgotten-when-idle
    check "$1: more than $2 s and at most $3 s" awk -v low="$(json_get verdict idle.survived)" \
        -v high="$(json_get verdict idle.died)" -v from="$2" -v to="$3" \
        'BEGIN { exit !(low > from && high <= to) }'
    truth "$1"
}

# found NAME CODE: the last run found that
found()
{
    check "$1: $2 is found" grep -q "\"event\":\"finding\".*\"code\":\"$2\"" "$tmp/out"
}

finds_nothing()
{
    check "$1: nothing is found" sh -c "! grep -q '\"event\":\"finding\"' '$tmp/out'"
}

says()
{
    expect_line out "\"event\":\"verdict\".*$2" "$1: it is said"
}

end_up
watch sockets "$end"
server stay 60 stay

world_silent()
{
    forgets drop established 4
    idle 0 "silently" $short "$end4:60"
    between "silently" 2 6 silent
    says "silently" 'the path forgets an established connection silently; .*suggested keepalive'
}

world_silent6()
{
    forgets drop established 3
    idle 0 "silently" $short "[$end6]:60"
    between "silently" 1 5 silent
}

# The peer sees another address, and conntrack forgets the translation as well.
world_nat()
{
    forgets drop established 4
    peer nft -f - <<'END'
table inet nat {
    chain post {
        type nat hook postrouting priority 100;
        oifname "mid" masquerade
    }
}
END
    idle 0 "behind a NAT" $short "$end4:60"
    between "behind a NAT" 2 6 silent
}

world_reset()
{
    local host
    forgets 'reject with tcp reset' established 4
    for host in "$end4" "[$end6]"; do
        idle 0 "$host" $short "$host:60"
        between "$host" 2 6 reset
        says "$host" 'a RST answers what comes later'
    done
}

world_icmp()
{
    forgets 'reject with icmpx type admin-prohibited' established 4
    idle 0 "an ICMP error" $short "[$end6]:60"
    between "an ICMP error" 2 6 icmp
}

# Which of the two timers counts is the router's business: the sooner one, here that of FIN_WAIT.
world_half()
{
    forgets drop established 600 fin_wait 5 close_wait 4
    idle 0 "half-closed" --state half-closed $short "$end4:60"
    between "half-closed" 2 7 silent
    says "half-closed" 'the path forgets a half-closed connection'
    router 'reject with icmpx type admin-prohibited'
    idle 0 "half-closed, ICMP" --state half-closed $short "$end4:60"
    between "half-closed, ICMP" 2 7 icmp
    server echo 62 echo
    idle 0 "a peer that closes as well" --state half-closed --from 1s --to 4s "$end4:62"
    expect_json verdict idle.outcome closed "a peer that closes as well: closed"
    says "a peer that closes as well" 'the peer sends its own FIN .* after ours'
    finds_nothing "a peer that closes as well"
}

# In SYN_RECEIVED the peer repeats its SYN-ACK, after 1, 3 and 7 seconds. Linux's conntrack ignores
# these: its timer runs on from the first one.
world_opening()
{
    half_open=half-open
    forgets drop established 600 syn_recv 5
    idle 0 "half-open" --state syn-received $short "$end4:60"
    between "half-open" 4 7 silent
    says "half-open" 'the path forgets a half-open connection silently'
    check "half-open: the peer repeated its SYN-ACK" test "$(grep -c '"dir":"in".*"flags":"S."' "$tmp/out")" -gt 12
}

# This router answers a repeated SYN-ACK of which it knows nothing with RST as well. It does not come to
# that: the connection is found dead after five seconds and a little, before the next one at seven.
world_opening6()
{
    half_open=half-open
    forgets 'reject with tcp reset' established 600 syn_recv 5
    idle 0 "half-open" --state syn-received $short "[$end6]:60"
    between "half-open" 4 7 reset
}

# The peer's own timer is the shorter one: after the second SYN-ACK it waits for two more seconds.
world_gives_up()
{
    half_open=half-open
    at_end sh -c 'echo 1 >/proc/sys/net/ipv4/tcp_synack_retries' || return
    # None of these silences is so near to three seconds that a reading could miss what happened then.
    idle 0 "the peer gives up" --state syn-received $short --to 14s "$end4:60"
    expect_json verdict idle.limit between "the peer gives up: between two silences"
    expect_json verdict idle.outcome reset "the peer gives up: reset"
    expect_json verdict idle.by peer "the peer gives up: it was the peer"
    check "the peer gives up: after three seconds" awk -v low="$(json_get verdict idle.survived)" \
        -v high="$(json_get verdict idle.died)" 'BEGIN { exit !(low > 2 && high <= 4) }'
    truth "the peer gives up" -
}

world_tests()
{
    forgets drop established 4
    idle 1 "--at-least, too long" --at-least 6s --give-up 2s "$end4:60"
    truth "--at-least, too long"
    says "--at-least, too long" 'does not survive 6.00 s of silence; 0 of 3 lived'
    idle 0 "--at-least, short enough" --at-least 1s "$end4:60"
    truth "--at-least, short enough"
    finds_nothing "--at-least, short enough"
}

world_tries()
{
    forgets drop established 4
    idle 0 "--keepalive, often enough" --keepalive 1s --to 7s "$end4:60"
    says "--keepalive, often enough" 'holds an established connection open for 7.00 s; 3 of 3 lived'
    finds_nothing "--keepalive, often enough"
    finds_no forgotten-when-idle "--keepalive, often enough"
    expect_status 1 "--keepalive, too seldom: status 1" \
        "$TCPWAVE" idle -q --keepalive 6s --to 7s --give-up 2s "$end4:60"
    check "-q: nothing is printed" sh -c "[ ! -s '$tmp/out' ] && [ ! -s '$tmp/err' ]"
}

# On a terminal, rows appear as connections are probed, and a line tells how long it takes.
world_terminal()
{
    command -v script >/dev/null || {
        skip "a terminal" "script is not installed"
        done_testing
    }
    TERM=xterm timeout 60 script -q -e -c "$TCPWAVE idle --from 500ms --to 3s --parallel 3 $end4:60" \
        "$tmp/typed" </dev/null >/dev/null 2>&1 9>&-
    check "a terminal: status 0" test $? = 0
    tr '\r' '\n' <"$tmp/typed" >"$tmp/rows"
    expect_line rows 'pass 1: 3 connections silent for .*, at most .* to go' "a terminal: a time to the end"
    expect_line rows '(^|K)[0-9.]+ ?m?s +alive$' "a terminal: a row for a connection"
}

world_loss()
{
    forgets drop established 4
    lose env near 60
    idle 0 "one in ten is lost" $short --give-up 6s "$end4:60"
    between "one in ten is lost" 2 6 silent
}

world_nothing()
{
    idle 0 "64 at a time" --from 1s --to 4s --parallel 64 "[$end6]:60"
    expect_json verdict idle.limit longer "64 at a time: nothing forgets"
    expect_json verdict idle.samples.alive 64 "64 at a time: all are alive"
    finds_nothing "64 at a time"
    truth "64 at a time" -
    lose env near 60
    idle 0 "one in ten is lost" --from 1s --to 4s --parallel 32 "$end4:60"
    expect_json verdict idle.samples.alive 32 "one in ten is lost: all are alive"
    finds_nothing "one in ten is lost"
}

# A NAT that keeps no state forgets nothing.
world_stateless()
{
    peer nft -f - <<'END' || return
table ip stateless {
    chain pre {
        type filter hook prerouting priority -300;
        ip saddr 10.9.0.1 ip daddr 10.8.0.2 notrack ip saddr set 10.8.77.1
        ip daddr 10.8.77.1 notrack ip daddr set 10.9.0.1
    }
}
END
    at_end ip route add 10.8.77.1 via 10.8.0.1
    (
        sleep 3 # in the midst of it
        at_end ss -Htn >"$tmp/seen"
    ) 9>&- &
    idle 0 "a stateless NAT" --from 1s --to 6s --parallel 4 "$end4:60"
    expect_json verdict idle.limit longer "a stateless NAT: nothing forgets"
    finds_nothing "a stateless NAT"
    truth "a stateless NAT" -
    check "a stateless NAT: the peer sees another address" grep -q '10\.8\.77\.1' "$tmp/seen"
    check "a stateless NAT: and not ours" sh -c "! grep -q '10\.9\.0\.1' '$tmp/seen'"
}

# Peers that end what is silent.
world_ends()
{
    server rst 61 tire
    server fin 63 close
    idle 0 "a peer that resets" --from 1s --to 16s --parallel 6 "$end4:61"
    expect_json verdict idle.limit at "a peer that resets: its time is seen"
    expect_json verdict idle.outcome reset "a peer that resets: reset"
    found "a peer that resets" reset-when-idle
    says "a peer that resets" 'keepalive probes do not prevent it'
    idle 0 "a peer that closes" --from 1s --to 16s --parallel 6 "[$end6]:63"
    expect_json verdict idle.limit at "a peer that closes: its time is seen"
    expect_json verdict idle.outcome closed "a peer that closes: closed"
    expect_json verdict idle.by peer "a peer that closes: it was the peer"
    found "a peer that closes" closed-when-idle
    idle 0 "asked for less" --at-least 1s "$end4:61"
    finds_nothing "asked for less"
    expect_status 4 "a closed port: refused" "$TCPWAVE" idle --json "$end4:9"
}

# The peer's host loses its connections without a word, and is there again.
world_reboot()
{
    local away
    (
        sleep 3
        echo now >"$tmp/reboots"
    ) 9>&- &
    background "$tmp/rebooted" "$tmp/err" "$TCPWAVE" idle --json --pcap "$tmp/run.pcap" --from 1s --to 9s \
        --parallel 5 --give-up 3s "$end4:60"
    poll test -s "$tmp/reboots"
    away=$(date +%s%3N)
    router drop # it is away until its server listens
    peer nft insert rule inet router forward drop
    peer ip link delete mid
    stop stay
    kill $end
    end_up
    watch sockets "$end"
    server stay 60 stay
    peer nft delete table inet router
    away=$(($(date +%s%3N) - away))
    wait $run
    status=$?
    cp "$tmp/rebooted" "$tmp/out"
    cat "$tmp/out" >>"$tmp/json"
    check "a reboot: status 0" test $status = 0
    if [ $away -gt 2000 ]; then
        skip "a reboot: it is no limit" "it took $away ms, nearly as long as idle waits for an answer"
        return
    fi
    expect_json verdict idle.limit longer "a reboot: it is no limit"
    check "a reboot: what was silent then says nothing" test "$(json_get verdict idle.samples.inconclusive)" -ge 1
}

# The path dies as a whole.
world_dead()
{
    background "$tmp/lost" "$tmp/err" \
        "$TCPWAVE" idle --json --from 400ms --to 16s --syn-retries 0 "$end4:60"
    sleep 2
    router 'counter drop'
    peer nft insert rule inet router forward drop
    wait $run
    status=$?
    cp "$tmp/lost" "$tmp/out"
    cat "$tmp/out" >>"$tmp/json"
    check "a path that dies: status 8" test $status = 8
    expect_json verdict verdict lost "a path that dies: lost"
    expect_json verdict idle.samples.silent 0 "a path that dies: nothing counts as forgotten"
    finds_nothing "a path that dies"
}

# held NAME: nothing forgets, and the peer had each connection that is said to be alive
held()
{
    expect_json verdict idle.limit longer "$1: nothing forgets"
    expect_json verdict idle.samples.reset 0 "$1: no connection is said to be reset"
    finds_nothing "$1"
    truth "$1" -
}

# Servers with a full accept queue: the kernel there drops the third segment of some handshakes.
world_queue()
{
    local n
    if command -v ncat >/dev/null; then
        launch ncat nsenter -t "$end" -n ncat -lk 64 --exec /bin/cat
        poll listening 64 at_end
        for n in 1 2 3 4 5 6 7 8 9 10; do
            idle 0 "ncat, run $n" --from 500ms --to 1500ms "$end4:64"
            held "ncat, run $n"
        done
    else
        skip "ncat" "it is not installed"
    fi
    server late 65 late
    idle 0 "it accepts after six seconds" --from 500ms --to 1500ms --parallel 6 "$end4:65"
    held "it accepts after six seconds"
    check "it accepts after six seconds: not all were held at first" \
        test "$(json_get verdict idle.not_held)" -ge 1
    server never 66 never
    idle 0 "it never accepts" --at-least 1s --parallel 6 --syn-retries 1 "[$end6]:66"
    held "it never accepts"
    check "it never accepts: some were left out" test "$(json_get verdict idle.samples.inconclusive)" -ge 4
    says "it never accepts" 'its accept queue is likely full'
}

# Ctrl-C tells what is known.
world_interrupt()
{
    background "$tmp/cut" "$tmp/err" \
        "$TCPWAVE" idle --json --from 1s --to 60s --parallel 4 "$end4:60"
    poll grep -q '"event":"idle"' "$tmp/cut"
    kill -INT $run
    wait $run
    status=$?
    cp "$tmp/cut" "$tmp/out"
    cat "$tmp/out" >>"$tmp/json"
    check "interrupted: status 130" test $status = 130
    expect_json verdict idle.limit longer "interrupted: it tells what is known"
    says "interrupted" 'interrupted by a signal; so far: nothing forgets .* within 1.0'
}

world_$IDLE_WORLD
done_testing
