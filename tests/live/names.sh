#!/bin/sh
# Checks names: a look-up that no name server answers ends with --timeout or a signal, and leaves no
# process behind; and a name with several addresses.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/findings_lib.sh"
netns_enter "$@" && netns_up || exit 1
need nft mount ncat jq

far4_dead=10.9.0.3 # at the peer, which is mute there

# A file in place of one of /etc, for this namespace.
in_etc()
{
    cat >"$tmp/etc_$1" && mount --bind "$tmp/etc_$1" "/etc/$1"
}

[ -e /etc/nsswitch.conf ] || { echo "# this C library has no nsswitch.conf"; exit 77; }
in_etc resolv.conf <<FILE || exit 1
nameserver $far4
FILE
in_etc nsswitch.conf <<FILE || exit 1
hosts: files dns
FILE
in_etc gai.conf <<FILE || exit 1
label ::/0 1
precedence ::/0 40
precedence ::ffff:0:0/96 10
FILE
in_etc hosts <<FILE || exit 1
127.0.0.1 localhost
$far4 single.example
$far4 both.example
$far6 both.example
$far4 three.example
$far4_dead three.example
$far6 three.example
FILE
peer nft -f - <<'EOT' || exit 1
table inet mute {
    chain in {
        type filter hook input priority 0
        udp dport 53 drop
        tcp dport 53 drop
    }
}
EOT

# Milliseconds since some time in the past.
clock()
{
    local up
    read -r up _ </proc/uptime
    echo $((${up%.*} * 1000 + 1${up#*.} * 10 - 1000))
}

look_ups_left()
{
    local p
    for p in /proc/[0-9]*/cmdline; do
        tr '\0' ' ' <"$p" 2>/dev/null | grep -q 'silent\.example' && return 0
    done
    return 1
}

for command in connect halfclose keepalive listen send load; do
    began=$(clock)
    expect_status 3 "$command: --timeout ends the look-up: local" \
        "$TCPWAVE" $command --json --timeout 700ms silent.example:80
    took=$(($(clock) - began))
    check "$command: in the time of --timeout ($took ms)" test $took -ge 690 -a $took -lt 2500
    expect_json verdict verdict local "$command: the verdict"
    expect_line err 'look-up of "silent.example" had no answer within the 700ms of --timeout' \
        "$command: what was tried"
done

# under_way PID: that run has begun a look-up, which is a process of its own, or told something; and
# it waits for signals, among them SIGTERM, which are blocked then
under_way()
{
    [ -s "$tmp/out" ] || [ -n "$(cat "/proc/$1/task/$1/children")" ] || return
    [ $((0x$(sed -n 's/^SigBlk:[[:space:]]*//p' "/proc/$1/status") & 0x4000)) != 0 ]
}

# signalled NAME STATUS SIGNAL TCPWAVE...: the signal ends it at once
signalled()
{
    local name=$1 status=$2 signal=$3 began pid got
    shift 3
    : >"$tmp/out"
    background "$tmp/out" "$tmp/err" "$@"
    pid=$run
    poll under_way $pid
    began=$(clock)
    kill -"$signal" $pid
    wait $pid
    got=$?
    took=$(($(clock) - began))
    check "$name: status $status" test $got = "$status"
    check "$name: at once ($took ms)" test $took -lt 1000
}

# A shell starts what runs in the background with SIGINT ignored: it ends a run nevertheless.
signalled "SIGINT" 130 INT "$TCPWAVE" connect --json silent.example:80
expect_json verdict verdict failed "SIGINT: the verdict"
expect_json verdict exit 130 "SIGINT: its status"
signalled "SIGTERM" 143 TERM "$TCPWAVE" load --json --connections 1 silent.example:80
expect_json verdict exit 143 "SIGTERM: its status"
signalled "SIGKILL" 137 KILL "$TCPWAVE" send silent.example:80
sleep 0.3
if look_ups_left; then fail "no look-up outlives its run"; else pass "no look-up outlives its run"; fi

# Names with several addresses: IPv6 comes first, and port 7 is open over IPv4 only.
start_peer echo 7 ncat -4 -lk 7 --exec /bin/cat
peer ip address add $far4_dead/24 dev far
peer nft add rule inet mute in ip daddr $far4_dead tcp dport 7 drop

# each NAME STATUS WORDS...: the verdicts of the runs, and the last one's counts, are in $tmp/told
each()
{
    local name=$1 status=$2
    shift 2
    expect_status "$status" "$name: status" "$TCPWAVE" connect --json --each-address "$@"
    jq -r 'select(.event == "verdict") | if .connection then
        "\(.connection) \(.peer.addr) \(.verdict)" else
        "\(.connections.opened) runs, \(.connections.open) open, \(.verdict)" end' "$tmp/out" >"$tmp/told"
}

told()
{
    check "$1: $2" grep -qx "$2" "$tmp/told"
}

each "--each-address" 4 both.example:7 -d hello
told "--each-address" "1 $far6 refused"
told "--each-address" "2 $far4 open"
told "--each-address" "2 runs, 1 open, refused"
check "--each-address: every event but the last has its connection's number" \
    test "$(jq -c 'select(.connection == null)' "$tmp/out" | wc -l)" = 1
check "--each-address: time goes on from run to run" jq -es '[.[].time] == ([.[].time] | sort)' "$tmp/out"
finds_no other-addresses "--each-address"

each "-4 --each-address" 0 -4 both.example:7
told "-4 --each-address" "1 $far4 open"
told "-4 --each-address" "1 runs, 1 open, open"
each "-6 --each-address" 4 -6 both.example:7
told "-6 --each-address" "1 runs, 0 open, refused"
each "an address and --each-address" 0 $far4:7
told "an address and --each-address" "1 runs, 1 open, open"

# A dead address takes no more than its share of --timeout.
began=$(clock)
each "a dead one among three" 5 three.example:7 --timeout 3 --pcap "$tmp/run.pcapng"
took=$(($(clock) - began))
check "a dead one among three: within --timeout ($took ms)" test $took -lt 4500
told "a dead one among three" ". $far4_dead dropped"
told "a dead one among three" ". $far4 open"
told "a dead one among three" "3 runs, 1 open, dropped"
check "a capture file for each" test -s "$tmp/run-1.pcapng" -a -s "$tmp/run-2.pcapng" -a -s "$tmp/run-3.pcapng"

expect_status 4 "the drawings" "$TCPWAVE" connect --each-address both.example:7
expect_line out '^refused: +2 addresses of both.example: 1 open, 1 refused$' "the drawings: the last verdict"
expect_line out "$far4: open" "the drawings: a row for each address"

signalled "--each-address: SIGTERM" 143 TERM "$TCPWAVE" connect --json --each-address -4 three.example:7 --hold 5
expect_json verdict exit 143 "--each-address: SIGTERM: the last verdict"

# Without it, the others are named.
expect_status 4 "the first one alone: refused" "$TCPWAVE" connect --json both.example:7
check "the others are in the verdict" jq -es "last | .addresses == [\"$far4\"]" "$tmp/out"
finds other-addresses info proved "the first one alone"
expect_status 4 "drawn" "$TCPWAVE" connect both.example:7
expect_line out "the name has another address, $far4, which was not tried" "drawn: the other address"
expect_status 1 "load, the first one alone" "$TCPWAVE" load --json --connections 3 both.example:7
check "load: the others are named" \
    jq -es 'last | .findings[0].code == "other-addresses" and (.message | endswith(", 3 of them refused"))' "$tmp/out"
expect_status 0 "load, an open one" "$TCPWAVE" load --json --connections 3 -4 both.example:7
check "load: nothing is found where the address serves" jq -es 'last | .findings == []' "$tmp/out"
expect_status 0 "an open one" "$TCPWAVE" connect --json -4 both.example:7
check "nothing is found where the address serves" jq -es 'last | .addresses == [] and .findings == []' "$tmp/out"
expect_status 4 "a name with one address" "$TCPWAVE" connect --json single.example:9
check "nothing is found where there is one address" jq -es 'last | .addresses == [] and .findings == []' "$tmp/out"
expect_status 4 "an address" "$TCPWAVE" connect --json "[$far6]:7"
check "nothing is found where it is no name" jq -es 'last | .addresses == [] and .findings == []' "$tmp/out"

done_testing
