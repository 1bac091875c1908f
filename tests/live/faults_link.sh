#!/bin/sh
# Faults of the way to the peer while a connection is open: the interface goes down and comes back,
# or is gone; its address is taken away; the neighbour gets another Ethernet address; the route
# leads elsewhere. The session goes on where it can, and says what happened where it cannot.
. "$(dirname "$0")/lib.sh"
ground_enter "$@"
need python3
ground_up || exit 1

here=$(cd "$(dirname "$0")" && pwd)
head -c 3000000 /dev/urandom >"$tmp/data"
start_peer echo 7 python3 "$here/peer.py" 7 echo
start_peer hold 8 python3 "$here/peer.py" 8 hold

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

# Our side of the link as ground.sh made it: what goes down takes addresses and routes with it.
near_up()
{
    ip link set near up
    ip address replace $near4/24 dev near
    ip address replace $near6/64 dev near nodad
}
far_up()
{
    peer ip link set far up
    peer ip address replace $far6/64 dev far nodad
}

transfer()
{
    begin "$TCPWAVE" connect "$1:7" -f - -o "$tmp/got" --json --timeout 50
}
unreachable='cannot send to [^:]*.*: (Network is unreachable|No route to host|Network is down|Cannot assign requested address|Invalid argument)'

for target in "$far4" "[$far6]"; do
    transfer "$target"
    ip link set near down
    sleep 1
    near_up
    finish 0 "$target: our interface down for a second"
    whole "$target: our interface down for a second"
    expect_line out "\"note\".*$unreachable" "$target: our interface down for a second: it is said"

    transfer "$target"
    peer ip link set far down
    sleep 1
    far_up
    finish 0 "$target: the peer's interface down for a second"
    whole "$target: the peer's interface down for a second"

    transfer "$target"
    ip address del "${near4}/24" dev near
    ip address del "${near6}/64" dev near
    sleep 1
    near_up
    finish 0 "$target: our address gone for a second"
    whole "$target: our address gone for a second"
done
check "nothing is left at the peer" poll none_left

# What does not come back.

for option in '--timeout 3' '--give-up 2'; do
    begin "$TCPWAVE" connect "$far4:7" -f - $option --json
    ip link set near down
    finish 3 "our interface stays down, $option"
    expect_json verdict verdict local "our interface stays down, $option: the verdict is local"
    check "our interface stays down, $option: the verdict says so" \
        sh -c "tail -n 1 '$tmp/out' | grep -Eq 'could not go on.*$unreachable'"
    near_up
done
begin "$TCPWAVE" connect "$far4:7" -f - -q --timeout 3
ip address del $near4/24 dev near
finish 3 "our address stays away, quietly"
expect_line err "could not go on.*$unreachable" "our address stays away, quietly: it is said"
near_up
begin "$TCPWAVE" keepalive "$far4:8" --garbage --idle 300ms --interval 300ms --count 3 --json
ip link set near down
finish 3 "keepalive, our interface stays down"
near_up

# The peer of those that could say no farewell.
stop hold
stop echo
start_peer echo 7 python3 "$here/peer.py" 7 echo

# Another neighbour under the same address, which does not know to tell us so: it has us as a
# permanent neighbour and needs not ask. The kernel's patience is shortened, not its ways.

if ip ntable change dev near name arp_cache base_reachable 500 delay_probe 100 retrans 100 2>/dev/null; then
    change_mac()
    {
        peer ip link set far address "02:00:00:00:0a:$1"
        peer ip neigh replace $near4 lladdr 02:00:00:00:09:01 dev far nud permanent
    }
    transfer "$far4"
    change_mac 01
    finish 0 "another neighbour"
    whole "another neighbour"
    begin "$TCPWAVE" connect "$far4:7" -f - -o "$tmp/got" -q --timeout 50
    change_mac 02
    finish 0 "another neighbour, past the kernel's routing"
    whole "another neighbour, past the kernel's routing"
    try ip neigh get $far4 dev near
    change_mac 03
    expect_status 0 "another neighbour before the SYN: open" "$TCPWAVE" connect "$far4:7" -d hello --timeout 50
    begin "$TCPWAVE" load "$far4:7" -d hello --rate 200 --timeout 8 --linger 5 --json
    change_mac 04
    finish 0 "load, another neighbour"
    check "load, another neighbour: it went on" test "$(json_get verdict connections.open)" -gt 400
    expect_json verdict connections.lost 0 "load, another neighbour: no connection is lost"
else
    skip "another neighbour" "this ip(8) cannot shorten the kernel's patience"
fi

# Another way: our segments by a second link, and the answers as before; then the answers, too.

ip link add near2 type veth peer name far2 netns $holder
ip link set near2 up
ip address add 10.9.1.1/24 dev near2
peer ip link set far2 up
peer ip address add 10.9.1.2/24 dev far2
transfer "$far4"
ip route add $far4/32 via 10.9.1.2 dev near2
finish 0 "our segments by another interface"
whole "our segments by another interface"
ip route del $far4/32
begin "$TCPWAVE" connect "$far4:7" -f - --timeout 4 --json
ip route add $far4/32 via 10.9.1.2 dev near2
peer ip route add $near4/32 via 10.9.1.1 dev far2
finish 8 "all by another interface"
expect_line out '"note".*the route has changed: it leads through near2 now' "all by another interface: it is said"
ip route del $far4/32
peer ip route del $near4/32

# Gone for good.

begin "$TCPWAVE" connect "$far4:7" --hold 40 --json
ip link del near
finish 3 "our interface is deleted"
check "our interface is deleted: at once" test "$(json_get verdict time | cut -d . -f 1)" -lt 20
expect_line out '"message":"the capture failed: .*interface' "our interface is deleted: it is said"

done_testing
