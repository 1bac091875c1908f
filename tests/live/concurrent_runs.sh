#!/bin/sh
# Checks runs that share one host: several tcpwave runs to one target, next to other tools and to
# each other, on one port; and a hundred runs to one server.
. "$(dirname "$0")/lib.sh"
netns_enter "$@"
need hping3 ncat nft nping python3 tcpdump
netns_up || exit 1

here=$(cd "$(dirname "$0")" && pwd)

# Every RST that reaches the peer or leaves it.
peer nft -f - <<'RULES' || exit 1
table inet test {
    counter resets { }
    chain in {
        type filter hook prerouting priority -400;
        tcp flags & rst == rst counter name resets
    }
    chain out {
        type filter hook output priority 0;
        tcp flags & rst == rst counter name resets
    }
}
RULES

resets()
{
    peer nft list counter inet test resets | awk '$1 == "packets" { print $2 }'
}

start_peer echo 7 python3 "$here/counter.py" 7 echo
start_peer hold 7001 python3 "$here/peer.py" 7001 hold

# begin NAME ARGUMENT...: in the background, with its JSON in $tmp/NAME.json
begin()
{
    local name=$1
    shift
    background "$tmp/$name.json" "$tmp/$name.err" "$TCPWAVE" "$@" --json
    eval "run_$name=$run"
}

# finish NAME STATUS VERDICT WHAT
finish()
{
    local pid
    eval "pid=\$run_$1"
    wait "$pid"
    status=$?
    cp "$tmp/$1.json" "$tmp/out"
    cp "$tmp/$1.err" "$tmp/err"
    cat "$tmp/out" >>"$tmp/json"
    check "$4: status $2" test "$status" = "$2"
    [ "$status" = "$2" ] || show_try
    expect_json verdict verdict "$3" "$4: $3"
}

established()
{
    poll grep -q '"to":"ESTABLISHED"' "$tmp/$1.json"
}

# What another reader finds in a capture file. As root, tcpdump would become a user who is not known here.
read_pcap()
{
    unshare -U tcpdump -nr "$@" 2>/dev/null
}

# sees_its_own NAME PORT: nothing in its capture file is from another port of ours
sees_its_own()
{
    check "$1: it saw segments" test "$(read_pcap "$tmp/$1.pcapng" "port $2" | wc -l)" -gt 5
    check "$1: it saw no others than its own" test -z "$(read_pcap "$tmp/$1.pcapng" "not port $2")"
}

# Two to one target.
for target in "$far4" "[$far6]"; do
    begin one connect "$target:7" -p 6001 -d first --hold 500ms -o "$tmp/one.got" --pcap "$tmp/one.pcapng"
    begin two connect "$target:7" -p 6002 -d second --hold 500ms -o "$tmp/two.got" --pcap "$tmp/two.pcapng"
    established one && established two
    finish one 0 open "two to $target, the first"
    finish two 0 open "two to $target, the second"
    check "two to $target: each has its own answer" test "$(cat "$tmp/one.got" "$tmp/two.got")" = firstsecond
    sees_its_own one 6001
    sees_its_own two 6002
done

# What becomes of one is nothing to the other: an RST, a refusal.
begin one connect "$far4:7001" -p 6001 -d x --hold 1s --linger 100ms
established one
expect_status 4 "one is refused: status 4" "$TCPWAVE" connect "$far4:9999"
expect_status 0 "one resets its own: status 0" "$TCPWAVE" connect "$far4:7001" --close=abort
finish one 0 open "the other does not notice"

# Beside other tools, which capture as well, or have the kernel's TCP.
begin one connect "$far4:7" -p 6001 -d first --hold 6s --pcap "$tmp/one.pcapng"
established one
nping --tcp --flags syn -p 7 -c 3 --delay 20ms "$far4" >"$tmp/nping" 2>&1
hping3 -S -p 7 -c 3 -i u20000 "$far4" >"$tmp/hping3" 2>&1
printf 'third' | ncat -w 5 "$far4" 7 >"$tmp/ncat" 2>&1
expect_status 0 "beside other tools, a second one: status 0" \
    "$TCPWAVE" send "$far4:7" --count 3 --interval 20ms --json
expect_json verdict send.answered 3 "beside other tools, a second one: three answers of three"
finish one 0 open "beside other tools"
sees_its_own one 6001
expect_line nping 'Rcvd: 3 ' "nping has its three answers and no more"
expect_line hping3 '^3 packets transmitted, 3 packets received' "hping3 has its three answers and no more"
check "ncat has what it sent" test "$(cat "$tmp/ncat")" = third

# Another tool's segments from our very port: survived.
begin one connect "$far4:7001" -p 6001 -d x --hold 5s --linger 100ms
established one
nping --tcp --flags syn -g 6001 -p 7001 -c 2 --delay 20ms "$far4" >"$tmp/nping" 2>&1
expect_status 0 "segments of another's over our port, sent by send" \
    "$TCPWAVE" send "$far4:7001" -p 6001 --flags A --wait 100ms
finish one 0 open "segments of another's over our port"

# One port for two.
begin one connect "$far4:7001" -p 6001 --hold 4s --linger 100ms
begin ear listen 8001 --echo --connections 2
established one
poll grep -q 'listening on' "$tmp/ear.json"
for port in 6001 8001; do
    expect_status 3 "port $port twice: status 3" "$TCPWAVE" connect "$far4:7" -p $port
    expect_line err "$port: the port is held by a listening socket" "port $port twice: says what holds it"
    expect_status 3 "port $port, to listen on: status 3" "$TCPWAVE" listen $port
    expect_line err "$port: the port is held by a listening socket" "port $port, to listen on: says what holds it"
    check "port $port: whoever had it has it" test -n "$(ss -Hltn "sport = :$port")"
done

# A listen and a connect at once: to the peer, to each other, and a peer's client besides.
begin two connect "$near4:8001" -d 'to myself' -o "$tmp/two.got"
check "listen beside connect: the peer's client is served" \
    test "$(echo far | peer ncat -w 5 "$near4" 8001)" = far
finish two 0 open "connect to a listen on this host"
check "connect to a listen on this host: has its echo" test "$(cat "$tmp/two.got")" = 'to myself'
finish ear 0 open "listen beside connect"
expect_json verdict connections.open 2 "listen beside connect: two were open"
finish one 0 open "connect beside listen"

# Two loads at once: each counts its own.
begin one load "$far4:7" --connections 300 --concurrency 20 -d one
begin two load "$far4:7" --connections 200 --concurrency 20 -d three
for run in one:300:900 two:200:1000; do
    IFS=: read -r name count bytes <<END
$run
END
    finish "$name" 0 open "two loads, $name"
    expect_json verdict connections.open "$count" "two loads, $name: $count were open"
    expect_json verdict received_bytes "$bytes" "two loads, $name: got what it sent"
done

# A hundred.
mkdir "$tmp/sent" "$tmp/got" "$tmp/said"
before=$(resets)
n=0 runs=
while [ $n -lt 100 ]; do
    head -c $((1000 + n * 37)) /dev/urandom >"$tmp/sent/$n"
    n=$((n + 1))
done
n=0
while [ $n -lt 100 ]; do
    target=$far4
    [ $((n % 2)) = 0 ] || target="[$far6]"
    "$TCPWAVE" connect "$target:7" -f "$tmp/sent/$n" -o "$tmp/got/$n" --timeout 60 \
        >"$tmp/said/$n" 2>&1 </dev/null 9>&- &
    runs="$runs $!"
    n=$((n + 1))
done
pids="$pids $runs"
bad=0
for run in $runs; do
    wait "$run" || bad=$((bad + 1))
done
check "a hundred at once: every status is 0" test $bad = 0
[ $bad = 0 ] || note "$(grep -L '^open:' "$tmp"/said/* | xargs tail -n 3)"
bad=0
for name in "$tmp"/sent/*; do
    cmp -s "$name" "$tmp/got/${name##*/}" || bad=$((bad + 1))
done
check "a hundred at once: each has its own bytes back, and no others" test $bad = 0
check "a hundred at once: no RST came to the peer, and none went out" test "$(resets)" = "$before"
check "a hundred at once: no port is left" test -z "$(ss -Hltn)"
done_testing
