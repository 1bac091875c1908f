#!/bin/sh
# Checks faults of our interface while a connection is open: it goes down and comes back, it stays
# down, its address is removed. The session goes on where it can, and reports what happened where it
# cannot.
. "$(dirname "$0")/lib.sh"
netns_enter "$@"
need python3
netns_up || exit 1

here=$(cd "$(dirname "$0")" && pwd)
head -c 3000000 /dev/urandom >"$tmp/data"
start_peer echo 7 python3 "$here/peer.py" 7 echo
start_peer hold 8 python3 "$here/peer.py" 8 hold

. "$here/faults_lib.sh"

# Our side of the link as netns.sh made it: what goes down takes addresses and routes with it.
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

done_testing
