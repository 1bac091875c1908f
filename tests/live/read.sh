#!/bin/sh
# Captures of two kernels: the states that read finds are those of ss on both sides, its numbers are
# those of the kernels, of tshark and of tcptrace, also on a path that loses, copies and reorders.
netns_how='-nm -Urnm' # tcpdump, as root, wants to become a user whom a user namespace may not have
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/capture_lib.sh"
netns_enter "$@"
need python3 ss ip
netns_up || exit 1

here=$(cd "$(dirname "$0")" && pwd)
findings='loss silent window-closed retransmits-needlessly one-direction'

# both_retransmitted: the two kernels together, as far as nstat is installed
both_retransmitted()
{
    { retransmitted env; retransmitted peer; } | awk '{ sum += $1 } END { print sum + 0 }'
}

#
# States
#

start_peer server 7000 python3 "$here/read_peer.py" server 7000
peer nft -f - <<'EOF' 2>/dev/null || note "no nft here: a silent port is a closed one"
table inet test {
    chain in { type filter hook input priority 0; tcp dport 7002 drop; }
}
EOF
mkfifo "$tmp/end"
capture states env near
start_near client - python3 "$here/read_peer.py" states $far4 7000 7101 "$tmp/end"
poll grep -q ready "$tmp/client.log"
ss -Htan >"$tmp/near.states"
peer ss -Htan >"$tmp/far.states"
captured states
: >"$tmp/end"
wait "$pid_client"

# truth FILE COLUMN PORT: the state that the kernel says, in our words
truth()
{
    awk -v port=":$3" -v column="$2" '
        BEGIN { state = "CLOSED" }
        $column ~ port "$" { state = $1 }
        END {
            sub(/^ESTAB$/, "ESTABLISHED", state)
            sub(/^SYN-RECV$/, "SYN_RECEIVED", state)
            gsub("-", "_", state)
            sub(/_WAIT_/, "_WAIT_", state)
            print state
        }' "$tmp/$1"
}

expect_status 0 "the file is read" "$TCPWAVE" read --json "$tmp/states"
cp "$tmp/out" "$tmp/states.json"
n=0
for port in 7101 7102 7103 7104 7105 7106 7107 7108 7109; do
    python3 - "$port" "$tmp/states.json" >"$tmp/flow.json" <<'EOF'
import json, sys
for line in open(sys.argv[2]):
    flow = json.loads(line)
    if flow["event"] == "flow" and flow["client"]["port"] == int(sys.argv[1]):
        print(line, end="")
EOF
    near=$(truth near.states 4 $port)
    far=$(truth far.states 5 $port)
    [ -s "$tmp/flow.json" ] || { fail "$port is a flow"; continue; }
    client=$(json_get flow client.state "$tmp/flow.json")
    server=$(json_get flow server.state "$tmp/flow.json")
    # What no kernel has is over, and no segment shows where.
    case $server/$far in
    UNKNOWN/CLOSED | LISTEN/CLOSED) server=CLOSED ;;
    esac
    check "$port: the client is $near" [ "$client" = "$near" ]
    check "$port: the server is $far" [ "$server" = "$far" ]
    n=$((n + 1))
done
check "nine flows" [ "$n" = 9 ]

# verdict PORT CONN_STATE VERDICT
verdict()
{
    grep "\"port\":$1," "$tmp/states.json" | grep '"event":"flow"' >"$tmp/flow.json"
    is=$(json_get flow conn_state "$tmp/flow.json") word=$(json_get flow verdict "$tmp/flow.json")
    check "$1: $2, $3" [ "$is $word" = "$2 $3" ]
}
verdict 7101 S1 open
verdict 7102 S3 open
verdict 7103 S2 open
verdict 7104 SF open
verdict 7106 RSTR reset
verdict 7107 RSTO reset
verdict 7108 REJ refused
verdict 7109 S0 dropped

expect_status 1 "--fail-on" "$TCPWAVE" read -q --fail-on reset "$tmp/states"
expect_status 0 "--fail-on that is not met" "$TCPWAVE" read -q --fail-on lost "$tmp/states"
expect_status 0 "one flow is drawn" "$TCPWAVE" read --ascii --flow :7104 "$tmp/states"
expect_line out 'seconds client .*:7104 .* server' "its sides are client and server"
expect_line out '^ +[0-9]+ [0-9.]+ +TIME_WAIT|CLOSED' "its last state"
expect_status 0 "without any capability" unshare -U "$TCPWAVE" read -q "$tmp/states"
head -c 2000 "$tmp/states" >"$tmp/cut"
expect_status 3 "a file that is cut off" "$TCPWAVE" read "$tmp/cut"
expect_line out 'client > server' "what stands before that is shown"
"$TCPWAVE" read - <"$tmp/states" >"$tmp/piped" 2>&1
check "a pipe is read as the file is" sh -c "'$TCPWAVE' read '$tmp/states' | sed 's/ in .*//' | cmp -s - '$tmp/piped.same' ||
    { sed 's/ in .*//' '$tmp/piped' >'$tmp/piped.same'; '$TCPWAVE' read '$tmp/states' | sed 's/ in .*//' | cmp - '$tmp/piped.same'; }"

# One direction alone, the middle alone, and both: what is not there is not invented.
expect_status 0 "one direction only" "$TCPWAVE" read --json --filter "src host $near4" "$tmp/states"
check "no segment of the server's is seen" sh -c "! grep '\"event\":\"flow\"' '$tmp/out' | grep -vq '\"server\":{[^}]*\"segments\":0,'"

# Drawn while it is captured.
mkfifo "$tmp/live"
"$TCPWAVE" read --ladder --ascii - <"$tmp/live" >"$tmp/drawn" 2>&1 &
reader=$!
pids="$pids $reader"
exec 8>"$tmp/live"
head -c 400 "$tmp/states" >&8
check "the handshake is drawn before the file ends" poll grep -q 'SYN ACK seq 0' "$tmp/drawn"
kill -TERM $reader
wait $reader
check "a signal ends it" [ $? = 143 ]
exec 8>&-

#
# Numbers
#

# rough NAME LOSS COPIES OVERTAKEN [copies] [mixes]: transfers over such a path, captured at both ends
rough()
{
    local near_again far_again
    start_near "path_$1" - python3 "$here/rough_path.py" "$holder" 5 "$2" "$3" "$4" 7
    poll grep -q ready "$tmp/path_$1.log"
    ip addr add 10.9.1.1/24 dev tun0 && ip link set tun0 up
    peer sh -c 'ip addr add 10.9.1.2/24 dev tun1 && ip link set tun1 up'
    capture "${1}_near" env tun0
    capture "${1}_far" peer tun1
    near_again=$(retransmitted env) far_again=$(retransmitted peer)
    timeout 60 python3 "$here/read_peer.py" bulk 10.9.1.2 7000 4 400000
    captured "${1}_near" "${1}_far"
    [ -z "$near_again" ] || near_again=$(($(retransmitted env) - near_again))
    [ -z "$far_again" ] || far_again=$(($(retransmitted peer) - far_again))
    stop "path_$1"
    numbers "$1" near client "$near_again" "${5:-}" "${6:-}"
    numbers "$1" far server "$far_again" "${5:-}" "${6:-}"
}

# numbers NAME END SIDE RETRANSMITTED [copies] [mixes]: what was captured at an end
numbers()
{
    expect_status 0 "$1, $2: read" "$TCPWAVE" read --json "$tmp/${1}_$2"
    cp "$tmp/out" "$tmp/flows"
    # A sender's own capture has each of its retransmissions, and its kernel has counted them.
    # Where the network has copied a SYN, the answer to the copy is one for the kernel, and none here.
    python3 - "$tmp/flows" "$3" >"$tmp/again" <<'EOF'
import json, sys
flows = [json.loads(line) for line in open(sys.argv[1])]
flows = [flow for flow in flows if flow["event"] == "flow"]
again = sum(flow[sys.argv[2]]["retransmissions"] for flow in flows)
asked = sum(flow["handshake"]["syn_acks"] - 1 for flow in flows) if sys.argv[2] == "server" else 0
print(again, again + asked)
EOF
    read -r least most <"$tmp/again"
    if [ -n "$4" ]; then
        check "$1, $2: $4 retransmissions, as its kernel counts" \
            [ "$4" -ge "$least" -a "$4" -le "$most" ]
    else
        skip "$1, $2: retransmissions as its kernel counts" "nstat is not installed"
    fi
    bytes=$(python3 - "$tmp/flows" <<'EOF'
import json, sys
flows = [json.loads(line) for line in open(sys.argv[1])]
print(sorted({(flow["client"]["bytes"], flow["server"]["bytes"]) for flow in flows if flow["event"] == "flow"}))
EOF
    )
    check "$1, $2: each byte is counted once" [ "$bytes" = "[(400000, 200000)]" ]
    [ "$bytes" = "[(400000, 200000)]" ] || note "$bytes"
    for tool in tshark tcptrace; do
        if command -v $tool >/dev/null; then
            python3 "$here/read_numbers.py" $tool "$tmp/flows" "$tmp/${1}_$2" $5 $6 >"$tmp/differs" 2>&1
            result=$?
            check "$1, $2: the numbers of $tool" [ $result = 0 ]
            [ $result = 0 ] || note "$(cat "$tmp/differs")"
        else
            skip "$1, $2: the numbers of $tool" "$tool is not installed"
        fi
    done
}

if [ -c /dev/net/tun ]; then
    rough smooth 0 0 0
    rough loss 15 0 0
    rough copies 0 20 0 copies
    rough overtaken 0 0 20 mixes
    rough mixed 10 10 10 copies mixes
else
    skip "the numbers on a rough path" "there is no /dev/net/tun"
fi

# A reader that pauses: windows of 0, and probes of them.
capture slow env near
timeout 60 python3 "$here/read_peer.py" slow $far4 7000 8000000
captured slow
expect_status 0 "a slow reader" "$TCPWAVE" read --json "$tmp/slow"
check "its window was 0" [ "$(json_get flow server.zero_windows)" -gt 0 ]
check "for more than a second" awk "BEGIN { exit !($(json_get flow server.zero_window_time) > 1) }"
expect_json flow finding window-closed "and that is its finding"
if command -v tshark >/dev/null; then
    cp "$tmp/out" "$tmp/flows"
    check "the numbers of tshark" python3 "$here/read_numbers.py" tshark "$tmp/flows" "$tmp/slow"
fi

# On all interfaces a bridge's packets are captured at each of its ports.
if ip link add bridge0 type bridge 2>/dev/null; then
    ip link set near master bridge0 && ip link set bridge0 up
    ip addr flush dev near && ip addr add $near4/24 dev bridge0
    capture bridged env any
    if [ "$(head -c 4 "$tmp/bridged" | wc -c)" = 4 ]; then
        again=$(both_retransmitted)
        timeout 30 python3 "$here/read_peer.py" bulk $far4 7000 2 100000
        captured bridged
        again=$(($(both_retransmitted) - again))
        expect_status 0 "a bridge" "$TCPWAVE" read --json "$tmp/bridged"
        expect_json verdict read.flows.seen 2 "two flows"
        expect_json flow client.bytes 100000 "each byte is counted once"
        # Where this machine is busy, the kernels may have retransmitted something.
        check "what is captured twice is no retransmission" \
            [ "$(json_get verdict read.retransmissions)" -le "$again" ]
        frames=$(json_get verdict read.file.frames)
        check "half of the frames are copies" [ "$(json_get verdict read.file.elsewhere)" = $((frames / 2)) ]
    else
        skip "a bridge" "nothing captures on all interfaces here"
    fi
else
    skip "a bridge" "there are no bridges here"
fi

done_testing
