#!/bin/sh
# Checks what a person sees: the ladder at any width and in any character set, colour and countdowns
# only where a person watches, the picture (--svg) and the capture file (--pcap).
. "$(dirname "$0")/lib.sh"
netns_enter "$@"
need nft python3 script tshark
netns_up || exit 1

here=$(cd "$(dirname "$0")" && pwd)
unset COLUMNS NO_COLOR LC_ALL LC_CTYPE
long6=2001:db8:1111:2222:3333:4444:5555
ip addr add $long6:6666/64 dev near nodad
peer ip addr add $long6:7777/64 dev far nodad

peer nft -f - <<'EOF'
table inet test {
    chain input {
        type filter hook input priority 0;
        tcp dport 801 drop
        ip protocol tcp tcp dport 802 reject with icmp type admin-prohibited
        tcp dport 808 tcp flags & (syn | ack) == syn limit rate 1/hour burst 1 packets drop
    }
}
EOF
start_peer echo 7 python3 "$here/peer.py" 7 echo
start_peer once 808 python3 "$here/peer.py" 808 echo
start_peer slow 812 python3 "$here/peer.py" 812 slow
start_peer reset 814 python3 "$here/peer.py" 814 reset
start_peer stay 815 python3 "$here/peer.py" 815 stay

# The ladder.

# columns FILE: of its widest line; every character is one column wide
columns()
{
    python3 -c 'import sys; print(max(len(l.rstrip("\n")) for l in open(sys.argv[1], encoding="utf-8")))' "$1"
}

# fits WIDTH NAME CMD...: no line is wider, and the room is used
fits()
{
    local width=$1 name=$2 widest
    shift 2
    try env LC_ALL=C.UTF-8 "$@" --width "$width"
    widest=$(columns "$tmp/out")
    if [ "$widest" -le "$width" ] && [ "$widest" -gt $((width * 2 / 5)) ]; then
        pass "$name: $width columns"
    else
        fail "$name: $width columns"
        note "the widest line has $widest"
        show_try
    fi
}

for width in 80 200; do
    fits $width "an echo" "$TCPWAVE" connect "$far4:7" -d hello
    fits $width "an echo, -v" "$TCPWAVE" connect "$far4:7" -d hello -v
    fits $width "an echo, -vv" "$TCPWAVE" connect "$far4:7" -d hello -vv
    fits $width "long addresses" "$TCPWAVE" connect "[$long6:7777]:7" -d hello
    fits $width "an ICMP error" "$TCPWAVE" connect "$far4:802" --timeout 1s
    fits $width "a half-close" "$TCPWAVE" halfclose "$far4:812" -d x
done
try env LC_ALL=C.UTF-8 "$TCPWAVE" connect "[$long6:7777]:7" -d hello
expect_line out "\[$long6:7777\]:7 +peer\$" "a long address keeps away from the next column"

# svg FILE WHAT: of well-formed XML, the number of elements of that class, or all its text
svg()
{
    python3 - "$1" "$2" <<'EOF'
import sys
import xml.etree.ElementTree as tree
root = tree.parse(sys.argv[1]).getroot()
space = "{http://www.w3.org/2000/svg}"
assert root.tag == space + "svg", root.tag
assert root.find(space + "title").text and root.find(space + "desc").text
if sys.argv[2] == "text":
    print(" ".join("".join(e.itertext()) for e in root.iter(space + "text")))
else:
    print(sum(sys.argv[2] in e.get("class", "").split() for e in root.iter()))
EOF
}

# ascii NAME: what was tried has written nothing beyond ASCII
ascii()
{
    if LC_ALL=C grep -q '[^ -~]' "$tmp/out"; then
        fail "$1"
        show_try
    else
        pass "$1"
    fi
}

try env LC_ALL=C.UTF-8 "$TCPWAVE" connect "$far4:7"
expect_line out '│ SYN .*─▶│' "a UTF-8 locale: lines and arrows"
try env LC_ALL=C "$TCPWAVE" connect "$far4:7"
expect_line out '[|] SYN .*->[|]' "another locale: ASCII"
ascii "another locale: nothing else"
try env LC_ALL=C.UTF-8 "$TCPWAVE" connect "$far4:7" --ascii
ascii "--ascii: ASCII in a UTF-8 locale, too"

# What is remarkable is marked.
LC_ALL=C.UTF-8
export LC_ALL
expect_status 0 "a lost SYN: open" "$TCPWAVE" connect "$far4:808" -d hi --svg "$tmp/lost.svg"
expect_line out 'SYN retransmission of 1 seq 0' "a lost SYN: the second names the first"
expect_line out '⋮ +\.\.\. 1\.[0-9]+ s \.\.\. +⋮' "a lost SYN: the silence is told by its length"
try "$TCPWAVE" halfclose "$far4:812" -d x
expect_line out '◀─+ ACK half-close seq 1' "a half-close is marked"
expect_line out '┊◀─+ PSH .* │ CLOSE_WAIT' "and our line of life is dashed while the peer sends"
expect_line out '┊ ACK .*─▶┊' "and both are after the peer's FIN"
try "$TCPWAVE" connect "$far4:814" -d x
expect_line out '◀─+ RST ACK' "a RST is drawn"
try "$TCPWAVE" connect "$far4:802" --timeout 1s --width 120
expect_line out '│◀─ ICMP 3/13 administratively prohibited, from 10\.9\.0\.2 +│' "an ICMP error is drawn, with its origin"
try "$TCPWAVE" keepalive "$far4:7" --idle 600ms --interval 1s --for 1s
expect_line out 'probe 1 answered in [0-9.]+ ms' "a probe is a row"
try "$TCPWAVE" keepalive "$far4:7" --idle 600ms --interval 1s --for 1s -v --svg "$tmp/probe.svg"
expect_line out 'ACK probe seq 0' "-v: a probe is an arrow"
expect_line out 'ACK answers probe' "-v: and its answer another"
check "a probe: both are marked in the picture" test "$(svg "$tmp/probe.svg" probe)" -ge 4

# Colour and countdowns appear only where a person watches.

# on_terminal COMMAND: on a pseudo-terminal of 100 columns
on_terminal()
{
    script -qec "stty cols 100; TERM=xterm $1" "$tmp/out" </dev/null >"$tmp/err" 2>&1
}

# without PATTERN NAME: no line that was tried has it
without()
{
    if grep -q -e "$1" "$tmp/out"; then
        fail "$2"
        show_try
    else
        pass "$2"
    fi
}

escape=$(printf '\033')
stays="'$TCPWAVE' halfclose $far4:815 -d x --linger 3500ms"
on_terminal "$stays"
expect_line out "$escape\[36m" "a terminal: colour"
check "a terminal: a wait is counted down" \
    test "$(grep -o "waiting for the peer's FIN: [0-9]* s left" "$tmp/out" | sort -u | wc -l)" -ge 2
try sh -c "$stays"
without 'waiting for' "a pipe: no countdown"
without "$escape" "a pipe: no escape"
try sh -c "$stays --color=always"
expect_line out "$escape\[36m" "a pipe, --color=always: colour"
without 'waiting for' "a pipe, --color=always: no countdown"
on_terminal "NO_COLOR=1 '$TCPWAVE' connect $far4:7"
without "$escape\[[0-9]*m" "NO_COLOR on a terminal: none"
on_terminal "'$TCPWAVE' connect $far4:7 --color=never"
without "$escape\[[0-9]*m" "--color=never on a terminal: none"
on_terminal "'$TCPWAVE' connect $far4:801 --timeout 4s"
expect_line out 'an answer to our SYN: [123] s left' "a SYN repeated: a countdown"
on_terminal "'$TCPWAVE' connect $far4:7 --hold 3s"
expect_line out 'the end of --hold: [123] s left' "--hold: a countdown"
on_terminal "'$TCPWAVE' connect $far4:7 --time-wait=3s"
expect_line out 'the end of TIME_WAIT: [123] s left' "TIME_WAIT: a countdown"
on_terminal "'$TCPWAVE' keepalive $far4:7 --idle 3s --interval 1s --for 3500ms"
expect_line out 'probe: [123] s left' "keepalive: a countdown"

# The picture.

# drawn FILE ARROWS LOST NAME
drawn()
{
    check "$4: arrows" test "$(svg "$1" line)" = "$2"
    check "$4: crosses" test "$(svg "$1" cross)" = "$3"
}

# says FILE PATTERN NAME
says()
{
    svg "$1" text >"$tmp/said"
    expect_line said "$2" "$3"
}

# segments: that JSON told of
segments()
{
    grep -c '"event":"segment"' "${1:-$tmp/out}"
}

try "$TCPWAVE" connect "$far4:7" -d hello --svg "$tmp/echo.svg" --json
drawn "$tmp/echo.svg" "$(segments)" 0 "the picture of an echo"
says "$tmp/echo.svg" 'SYN_SENT.*ESTABLISHED.*FIN_WAIT_1.*TIME_WAIT' "an echo: our states, in order"
says "$tmp/echo.svg" 'us 10\.9\.0\.1:[0-9]+.*peer 10\.9\.0\.2:7 .*SYN ACK seq 0 ack 1' "an echo: who, and what"
says "$tmp/echo.svg" 'open: +connected to' "an echo: what came of it"
check "a lost SYN: the picture has a cross" test "$(svg "$tmp/lost.svg" cross)" = 1
says "$tmp/lost.svg" 'SYN lost\?.*\.\.\. 1\.[0-9]+ s \.\.\..*SYN retransmission of 1' "a lost SYN: in words, too"
try "$TCPWAVE" connect "$far4:805" --svg "$tmp/refused.svg"
drawn "$tmp/refused.svg" 2 0 "the picture of a refusal"
check "a refusal: its RST is trouble" test "$(svg "$tmp/refused.svg" trouble)" -ge 2
try "$TCPWAVE" connect "$far4:801" --timeout 1500ms --svg "$tmp/dropped.svg"
drawn "$tmp/dropped.svg" 2 1 "the picture of a silent port"
says "$tmp/dropped.svg" 'SYN unanswered retransmission of 1' "a silent port: the last SYN is unanswered"
try "$TCPWAVE" connect "$far4:802" --timeout 1s --svg "$tmp/icmp.svg"
check "the picture of an ICMP error" test "$(svg "$tmp/icmp.svg" icmp)" -ge 1
for scale in time event; do
    try "$TCPWAVE" halfclose "$far4:812" -d x --svg "$tmp/half.svg" --svg-scale=$scale --json
    drawn "$tmp/half.svg" "$(segments)" 0 "a half-close, --svg-scale=$scale"
done
start_near listen - "$TCPWAVE" listen "$near4:99" --echo --connections 2 --svg "$tmp/listen.svg"
call()
{
    peer python3 -c "
import socket
with socket.create_connection(('$near4', 99), 5) as s:
    s.sendall(b'x')
    s.recv(1)"
}
poll call
call
wait "$pid_listen"
says "$tmp/listen.svg" 'connection 1: open: .*connection 2: open: ' "listen: one connection below the other"
check "listen: two pairs of lines" test "$(svg "$tmp/listen.svg" life)" = 4
try "$TCPWAVE" connect "$far4:7" --svg -
cp "$tmp/out" "$tmp/stdout.svg"
says "$tmp/stdout.svg" SYN "--svg -: the picture is standard output"
expect_line err SYN "--svg -: the ladder goes to standard error"
expect_status 3 "a picture that cannot be opened: status 3" "$TCPWAVE" connect "$far4:7" --svg "$tmp/no/such"
expect_line err 'cannot write to .*/no/such: No such file' "and why"
expect_status 3 "a full disk: status 3" "$TCPWAVE" connect "$far4:7" --svg /dev/full --json
expect_json verdict verdict local "a full disk: the verdict"
expect_status 3 "a full disk, --quiet: status 3" "$TCPWAVE" connect "$far4:7" --svg /dev/full -q
expect_line err '/dev/full: No space left' "a full disk, --quiet: why"

# The capture file.

# fields FILE FIELD...: one line a packet
fields()
{
    local file=$1 field all=
    shift
    for field; do
        all="$all -e $field"
    done
    unshare -U tshark -r "$file" -T fields -E separator='|' $all 2>/dev/null
}

try "$TCPWAVE" connect "$far4:7" -d hello --pcap "$tmp/a.pcapng" --json
mv "$tmp/out" "$tmp/json"
fields "$tmp/a.pcapng" frame.number frame.comment >"$tmp/comments"
check "pcapng: every segment is there" test "$(wc -l <"$tmp/comments")" = "$(segments "$tmp/json")"
check "pcapng: each has its number, as the other outputs count" \
    awk -F'[|:]' '$1 != $2 { exit 1 }' "$tmp/comments"
expect_line comments '^1\|1: we SYN_SENT, peer UNKNOWN$' "pcapng: both states, before anything is known"
expect_line comments '^2\|2: we ESTABLISHED, peer SYN_RECEIVED \(proved\)$' "pcapng: proved"
expect_line comments '^3\|3: we ESTABLISHED, peer ESTABLISHED \(assumed\)$' "pcapng: assumed"
tail -n 1 "$tmp/comments" >"$tmp/last"
expect_line last 'we TIME_WAIT, .*connected to 10\.9\.0\.2:7; closed by both sides' "pcapng: the last has the verdict"
check "pcapng: both directions" \
    test "$(fields "$tmp/a.pcapng" frame.packet_flags_direction | sort -u | wc -l)" = 2
fields "$tmp/a.pcapng" frame.time_relative >"$tmp/times"
same_times()
{
    python3 - "$tmp/json" "$tmp/times" <<'EOF'
import json, sys
ours = [e["time"] for e in map(json.loads, open(sys.argv[1])) if e["event"] == "segment"]
theirs = [float(t) for t in open(sys.argv[2])]
sys.exit(len(ours) != len(theirs) or any(abs(a - b) > 2e-9 for a, b in zip(ours, theirs)))
EOF
}
check "pcapng: times are JSON's, to the nanosecond" same_times
try "$TCPWAVE" connect "$far4:7" -d hello --pcap "$tmp/a.pcap"
check "pcap: the older form, of nanoseconds" test "$(od -An -tx4 -N4 "$tmp/a.pcap" | tr -d ' ')" = a1b23c4d
check "pcap: no comments" test -z "$(fields "$tmp/a.pcap" frame.comment | tr -d '\n')"
check "pcap: the segments" test "$(fields "$tmp/a.pcap" tcp.seq | wc -l)" -ge 5
expect_status 3 "a capture on a full disk: status 3" "$TCPWAVE" connect "$far4:7" --pcap /dev/full -q
check "a capture on a full disk: said once" test "$(grep -c 'No space left' "$tmp/err")" = 1

done_testing
