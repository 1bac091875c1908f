#!/bin/sh
# Plain sessions with servers and clients of everyday use: nginx, sshd, ncat, Python's web server, curl,
# over IPv4 and IPv6, the simulator's undisturbed runs, and what read says of their captures. With any
# verdict, no finding warns: a false alarm is worse than silence.
#
#     peace.sh                 a session of each kind
#     PEACE=100 peace.sh       so many of each kind, over lo as well; each round takes minutes
netns_how='-nm -Urnm' # sshd needs a second user
. "$(dirname "$0")/lib.sh"
netns_enter "$@"
need ncat curl python3 jq
netns_up || exit 1
here=$(cd "$(dirname "$0")" && pwd)
times=${PEACE:-1}
hosts="$far4 [$far6]"
[ -z "${PEACE:-}" ] || hosts="$hosts 127.0.0.1 [::1]"
sessions=0

# Each server as PORT NAME ASKS, where ASKS is what makes it answer.
: >"$tmp/servers"
: >"$tmp/alarms"
serves()
{
    printf '%s\n' "$*" >>"$tmp/servers"
}

request='GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
lasting='GET / HTTP/1.1\r\nHost: x\r\n\r\n'
mkdir -p "$tmp/www"
head -c 200000 /dev/zero | tr '\0' 'x' >"$tmp/www/index.html"
start_peer echo 7 ncat -lk 7 --exec /bin/cat
start_near echo 7 ncat -lk 7 --exec /bin/cat
serves 7 ncat 'hello'
start_peer web 8000 python3 -m http.server --directory "$tmp/www" --bind :: 8000
start_near web 8000 python3 -m http.server --directory "$tmp/www" --bind :: 8000
serves 8000 python "$request"
if command -v nginx >/dev/null; then
    start_nginx far 80
    start_nginx near 80
    serves 80 nginx "$request"
else
    skip "nginx" "it is not installed"
fi
if command -v sshd >/dev/null && command -v ssh-keygen >/dev/null; then
    ssh-keygen -q -t ed25519 -N '' -f "$tmp/key"
    printf 'HostKey %s\nPidFile none\nUsePAM no\nMaxStartups 1000\n' "$tmp/key" >"$tmp/sshd.conf"
    mkdir -p /run/sshd 2>/dev/null
    start_peer ssh 22 "$(command -v sshd)" -D -e -f "$tmp/sshd.conf" -p 22
    start_near ssh 22 "$(command -v sshd)" -D -e -f "$tmp/sshd.conf" -p 22
    serves 22 sshd 'SSH-2.0-test\r\n'
else
    skip "sshd" "it is not installed"
fi

# quiet NAME ARGUMENT...: the run ends by itself, whatever its verdict; its findings are counted
quiet()
{
    name=$1
    shift
    pcap=
    case $1 in connect | halfclose | keepalive) pcap="--pcap $tmp/session.pcap" ;; esac
    try "$TCPWAVE" "$@" --json $pcap
    sessions=$((sessions + 1))
    [ "$status" -lt 2 ] || [ "$status" = 7 ] || {
        fail "$name: $* ended with $status"
        show_try
    }
    [ -z "$pcap" ] || {
        try "$TCPWAVE" read --json "$tmp/session.pcap"
        [ "$status" = 0 ] || fail "$name: the capture of $* could not be read"
    }
}

while read -r port name asks; do
    for host in $hosts; do
        before=$(wc -l <"$tmp/alarms")
        for round in $(seq "$times"); do
            quiet "$name" connect --timeout 10 "$host:$port"
            quiet "$name" connect --timeout 10 -d "$asks" "$host:$port"
            quiet "$name" connect --timeout 10 -d "$asks" --close=passive --no-timestamps "$host:$port"
            quiet "$name" connect --timeout 10 -d "$asks" --close=abort "$host:$port"
            quiet "$name" connect --timeout 10 --ecn -d "$asks" --hold 300ms "$host:$port"
            quiet "$name" halfclose --timeout 10 -d "$asks" "$host:$port"
            quiet "$name" keepalive --timeout 10 --idle 200ms --interval 200ms --for 700ms "$host:$port"
            # Python listens with a backlog of 5: more at a time would find it full, and say so.
            quiet "$name" load --timeout 20 --connections 100 --concurrency 5 -d "$asks" "$host:$port"
        done
        [ "$name" = sshd ] || quiet "$name" idle --timeout 30 --from 200ms --to 1s "$host:$port"
        [ "$name" = sshd ] || quiet "$name" connect --timeout 10 -d "$lasting" --hold 1s "$host:$port"
        quiet "$name" load --timeout 20 --connections 50 --rate 100 --close=abort "$host:$port"
        check "$name, $host: no finding warns" \
            test "$(wc -l <"$tmp/alarms")" = "$before"
    done
done <"$tmp/servers"

# A host that is stopped for a while answers late, and nothing is lost.
slow_talk='for i in 1 2 3 4 5 6 7 8 9 10; do echo $i; sleep 0.2; done'
start_peer talk 11 ncat -lk 11 --sh-exec "$slow_talk"
start_near talk 11 ncat -lk 11 --sh-exec "$slow_talk"
for host in $hosts; do
    for how in '' --no-sack --no-timestamps; do
        [ -z "$how" ] || [ "$host" = "$far4" ] || continue
        before=$(wc -l <"$tmp/alarms")
        background "$tmp/out" "$tmp/err" "$TCPWAVE" connect --json --timeout 20 --close=passive $how \
            --pcap "$tmp/session.pcap" "$host:11"
        poll grep -q '"length":[1-9]' "$tmp/out"
        kill -s STOP $run
        sleep 2.7
        kill -s CONT $run
        wait $run
        status=$?
        sessions=$((sessions + 1))
        cat "$tmp/out" >>"$tmp/json"
        note_alarms stopped $how "$host"
        check "stopped, $how $host: status 0" test $status = 0
        try "$TCPWAVE" read --json "$tmp/session.pcap"
        check "stopped, $how $host: retransmissions, by a timer" test "$(json_get flow server.retransmissions)" -ge 3
        check "stopped, $how $host: no finding warns" \
            test "$(wc -l <"$tmp/alarms")" = "$before"
    done
done

# A router with a smaller MTU asks for smaller segments, and what it has dropped is not a loss.
before=$(wc -l <"$tmp/alarms")
for seed in $(seq $times); do
    for link in mtu=576 mtu=1280,hops=5 mtu=1500,jitter=5ms mtu=9000 mtu=65535,jitter=1ms; do
        for rtt in 0 100ms; do
            at="rtt=$rtt,seed=$seed,peer=echo,$link"
            quiet sim connect --sim "$at" -f "$tmp/www/index.html" sim:7
            quiet sim halfclose --sim "$at" -f "$tmp/www/index.html" --no-sack sim:7
            quiet sim keepalive --sim "$at" -d hello --idle 1m --interval 10s --for 1h sim:7
            quiet sim load --sim "$at" --connections 20 -d hello sim:7
        done
    done
done
check "simulated: no finding warns" test "$(wc -l <"$tmp/alarms")" = "$before"

# Clients of the kernel's TCP.
for at in "0.0.0.0 $near4 $near4" "[::] $near6 [$near6]"; do
    set -- $at
    for how in --echo '-d hello' '-d hello --close=active'; do
        before=$(wc -l <"$tmp/alarms")
        listen_begin "$TCPWAVE" listen --json $how --timeout 60 --connections $((5 * times)) \
            --pcap "$tmp/session.pcap" "$1:9000"
        for round in $(seq "$times"); do
            echo hello | peer timeout 40 ncat -w 30 "$2" 9000 >"$tmp/got"
            peer timeout 40 ncat -z "$2" 9000
            peer curl -s --http0.9 -m 2 "http://$3:9000/" >"$tmp/got"
            # To --echo this one says nothing more, and is ended.
            peer timeout 5 python3 "$here/kernel_client.py" "$2" 9000 say 20000 >"$tmp/got"
            echo hello | peer timeout 40 ncat -w 30 "$2" 9000 >"$tmp/got"
        done
        listen_end
        sessions=$((sessions + 5 * times))
        try "$TCPWAVE" read --json "$tmp/session.pcap"
        [ "$status" = 0 ] || fail "the capture of listen $how could not be read"
        check "listen $how, $2: no finding warns" \
            test "$(wc -l <"$tmp/alarms")" = "$before"
    done
done
note "$sessions runs"
done_testing
