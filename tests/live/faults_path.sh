#!/bin/sh
# Checks faults of the path while a connection is open: the neighbour gets another Ethernet address,
# the route changes to another interface, the interface is deleted. The session goes on where it
# can, and reports what happened where it cannot.
. "$(dirname "$0")/lib.sh"
netns_enter "$@"
need python3
netns_up || exit 1

here=$(cd "$(dirname "$0")" && pwd)
head -c 3000000 /dev/urandom >"$tmp/data"
start_peer echo 7 python3 "$here/peer.py" 7 echo
. "$here/faults_lib.sh"

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
transfer "$far4"
ip route add $far4/32 via 10.9.1.2 dev near2
peer ip route add $near4/32 via 10.9.1.1 dev far2
finish 0 "all by another interface"
whole "all by another interface"
expect_line out '"code":"other-interface"' "all by another interface: it is said"
ip route del $far4/32
peer ip route del $near4/32

# Gone for good.

begin "$TCPWAVE" connect "$far4:7" --hold 40 --json
ip link del near
finish 3 "our interface is deleted"
check "our interface is deleted: at once" test "$(json_get verdict time | cut -d . -f 1)" -lt 20
expect_line out '"message":"the capture failed: .*interface' "our interface is deleted: it is said"

done_testing
