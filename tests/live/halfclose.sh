#!/bin/sh
# Checks tcpwave halfclose: what the kernel's peers do after our FIN has announced the end of our
# data. What only takes time, and what is shown to the user, is in tests/unit/test_cmd_halfclose.c.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/findings_lib.sh"
netns_enter "$@"
need nft python3
netns_up || exit 1

here=$(cd "$(dirname "$0")" && pwd)

peer nft -f - <<'EOF'
table inet test {
    chain special {
        type filter hook input priority 0;
        tcp dport 701 tcp flags & fin == fin reject with tcp reset
    }
}
EOF

start_peer sort 60 python3 "$here/peer.py" 60 sort
start_peer lossy 61 python3 "$here/peer.py" 61 sort
start_peer slow 62 python3 "$here/peer.py" 62 slow
start_peer discard 63 python3 "$here/peer.py" 63 discard
start_peer cut 65 python3 "$here/peer.py" 65 cut
start_peer reset 66 python3 "$here/peer.py" 66 reset
start_peer first 67 python3 "$here/peer.py" 67 first
start_peer rejected 701 python3 "$here/peer.py" 701 answer
lose peer far 61
lose env near 61

# Lines whose order is not that of the alphabet, and no two of a kind.
awk 'BEGIN { for (i = 0; i < 20000; i++) printf "%05d %d\n", i * 7919 % 20000, i }' >"$tmp/lines"
LC_ALL=C sort "$tmp/lines" >"$tmp/sorted"
bytes=$(wc -c <"$tmp/lines")

# sorts NAME TARGET: a peer that answers only after the end of input answers in full
sorts()
{
    : >"$tmp/got"
    expect_status 0 "$1: open" "$TCPWAVE" halfclose --json "$2" -f "$tmp/lines" -o "$tmp/got" --timeout 50
    check "$1: every byte arrives after our FIN" cmp -s "$tmp/got" "$tmp/sorted"
    expect_json verdict verdict open "$1: verdict"
    expect_json verdict half_close.honoured true "$1: honoured"
    expect_json verdict half_close.bytes "$bytes" "$1: bytes after our FIN"
    expect_json verdict sent_bytes "$bytes" "$1: bytes of ours"
    expect_json verdict close.by local "$1: we closed first"
    if [ "$(json_get verdict capture.dropped)" = 0 ]; then
        expect_json verdict peer.state CLOSED "$1: the peer has closed, too"
    else
        skip "$1: the peer has closed, too" "the capture lost frames, without which it cannot be followed"
    fi
    check "$1: segments were counted" test "$(json_get verdict half_close.segments)" -gt 0
}

sorts "sort, IPv4" "$far4:60"
sorts "sort, IPv6" "[$far6]:60"
sorts "sort, one packet in ten lost, IPv4" "$far4:61"
check "one packet in ten lost: some were sent again" test "$(json_get verdict retransmissions)" -gt 0
sorts "sort, one packet in ten lost, IPv6" "[$far6]:61"

# judged NAME STATUS VERDICT HONOURED BYTES PATTERN ARGUMENT...: the message matches PATTERN
judged()
{
    local name=$1 code=$2 word=$3 honoured=$4 after=$5 pattern=$6
    shift 6
    expect_status "$code" "$name: status $code" "$TCPWAVE" halfclose --json "$@"
    expect_json verdict verdict "$word" "$name: verdict $word"
    expect_json verdict exit "$code" "$name: exit in JSON"
    expect_json verdict half_close.honoured "$honoured" "$name: honoured is $honoured"
    expect_json verdict half_close.bytes "$after" "$name: bytes after our FIN"
    expect_line out "\"message\":\"[^\"]*($pattern)" "$name: says so"
}

# family NAME HOST
family()
{
    judged "$1: pauses between answers" 0 open true 35 'honours the half-close' "$2:62" -d x
    expect_json verdict close.kind four-way "$1: pauses between answers: our FIN was acknowledged first"
    judged "$1: closes at once" 0 open true 0 'nothing more to send|no data after it' "$2:63" -d x
    judged "$1: answers and resets" 1 failed false 9 'acknowledged our FIN.*reset' "$2:65" -d x
    finds_no half-close-broken "$1: answers and resets"
    findings=half-close-broken
    judged "$1: our FIN is answered with RST" 1 failed false 0 'answered our FIN with RST' "$2:701"
    finds half-close-broken problem likely "$1: our FIN is answered with RST"
    judged "$1: our data and FIN are answered with RST" 1 failed false 0 'answered our FIN with RST|reset' "$2:66" -d x
    findings=
}

family IPv4 "$far4"
family IPv6 "[$far6]"

# FIN and ACK in one segment, or in two: the peer's kernel chooses, and is reported as it chose.
expect_status 0 "which way of closing: open" "$TCPWAVE" halfclose --json "$far4:63" -d hello
fin=$(grep -c '"dir":"in".*"flags":"[FP]*\."' "$tmp/out")
case $(json_get verdict close.kind) in
three-way) check "three-way: nothing of the peer's stands between our FIN and its own" test "$fin" = 1 ;;
four-way) check "four-way: our FIN was acknowledged before the peer's own" test "$fin" -gt 1 ;;
*) fail "the way of closing is named" ;;
esac
check "FIN and data leave in one segment" grep -Eq '"dir":"out".*"flags":"FP?\.".*"length":5' "$tmp/out"

# A peer that closes before it has our FIN: our data waits until its own FIN is here.
mkfifo "$tmp/late"
: >"$tmp/out"
{
    poll grep -q '"to":"CLOSE_WAIT"' "$tmp/out"
    echo x
} >"$tmp/late" &
pids="$pids $!"
judged "the peer closes first" 1 failed false 0 'before it had our FIN' "$far4:67" -f "$tmp/late"

expect_status 2 "--close is not halfclose's" "$TCPWAVE" halfclose "$far4:60" --close=passive
done_testing
