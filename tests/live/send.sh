#!/bin/sh
# Checks tcpwave send: the answers of the kernel's TCP, by the sections of RFC 9293; replies that no
# correct host sends; every verdict, and every invalid input.
. "$(dirname "$0")/lib.sh"
netns_enter "$@"
need nft python3
netns_up || exit 1

here=$(cd "$(dirname "$0")" && pwd)

# 801 is silent, 802 and 803 are rejected, 900-910 are the responder's, whom the kernel is not to help.
peer nft -f - <<'RULES'
table inet test {
    chain verdicts {
        type filter hook input priority 0;
        tcp dport 801 drop
        ip protocol tcp tcp dport 802 reject with icmp type port-unreachable
        meta nfproto ipv6 tcp dport 802 reject with icmpv6 type port-unreachable
        ip protocol tcp tcp dport 803 reject with icmp type admin-prohibited
        meta nfproto ipv6 tcp dport 803 reject with icmpv6 type admin-prohibited
        tcp dport 900-910 drop
    }
}
RULES
nft -f - <<'RULES'
table inet test {
    counter out { }
    chain count {
        type filter hook output priority -400;
        meta l4proto tcp counter name out # the kernel's neighbour discovery has its own times
    }
}
RULES

counted()
{
    "$1" nft list counter inet test "$2" | awk '$1 == "packets" { print $2 }'
}

start_peer echo 7 python3 "$here/peer.py" 7 echo
start_near near_echo 7 python3 "$here/peer.py" 7 echo
start_peer responder - python3 "$here/responder.py" far
poll grep -q ready "$tmp/responder.log"

# What the kernel answers (RFC 9293, 3.10.7.1 and 3.10.7.2).

# answers STATUS NAME FLAGS SEQ ACK ARGUMENT...: to a segment of sequence number 1000, with
# acknowledgement number 5000 where it has one. SEQ is "-" where the peer chooses it; ACK may be empty.
answers()
{
    local code=$1 name=$2 flags=$3 seq=$4 ack=$5
    shift 5
    expect_status "$code" "$name: status $code" "$TCPWAVE" send --json --wait 500ms --seq 1000 "$@"
    check "$name: answered by $flags, SEQ $seq, ACK ${ack:-none}" numbers "$flags" "$seq" "$ack"
}

numbers()
{
    local key last=
    for key in dir answers flags ack; do
        last="$last $(json_get segment $key)"
    done
    test "$last" = " in 1 $1 $3" && case $2 in -) ;; *) test "$(json_get segment seq)" = "$2" ;; esac
}

# silent NAME ARGUMENT...
silent()
{
    local name=$1
    shift
    expect_status 5 "$name: status 5" "$TCPWAVE" send --json --wait 100ms --seq 1000 "$@"
    expect_json verdict send.unanswered '[[1, 1]]' "$name: named as unanswered"
}

for to in "$far4:" "[$far6]:" 127.0.0.1: "[::1]:"; do
    answers 0 "${to} SYN, open" S. - 1001 "${to}7" --flags S
    answers 0 "${to} SYN with data, open" S. - 1001 "${to}7" --flags S --data hello
    answers 4 "${to} SYN, closed" R. 0 1001 "${to}9" --flags S
    answers 4 "${to} SYN with data, closed" R. 0 1006 "${to}9" --flags S --data hello
    answers 4 "${to} ACK, open" R 5000 '' "${to}7" --flags A --ack 5000
    answers 4 "${to} ACK, closed" R 5000 '' "${to}9" --flags A --ack 5000
    answers 4 "${to} SYN ACK, closed" R 5000 '' "${to}9" --flags SA --ack 5000
    answers 4 "${to} FIN, closed" R. 0 1001 "${to}9" --flags F
    answers 4 "${to} NULL, closed" R. 0 1000 "${to}9" --flags none
    answers 4 "${to} XMAS, closed" R. 0 1001 "${to}9" --flags FPU
    answers 4 "${to} XMAS with data, closed" R. 0 1004 "${to}9" --flags FPU --data abc
    silent "${to} FIN, open" "${to}7" --flags F
    silent "${to} NULL, open" "${to}7" --flags none
    silent "${to} XMAS, open" "${to}7" --flags FPU
    silent "${to} RST, open" "${to}7" --flags R
    silent "${to} RST, closed" "${to}9" --flags R
done
# The guard, and that we would see if it failed: without SYN, a port that was named has none.
expect_status 0 "a SYN-ACK, guarded" "$TCPWAVE" send --json "$far4:7" --wait-all --wait 300ms
check "a SYN-ACK, guarded: no RST of this host's kernel" sh -c "! grep -q not_ours '$tmp/out'"
expect_status 5 "a SYN-ACK, not guarded" "$TCPWAVE" send --json "$far4:910" -p 4321 --flags P --wait-all --wait 300ms
expect_line out '"flags":"R".*not_ours' "a SYN-ACK, not guarded: the kernel's RST is told, and not taken for ours"

# Verdicts, and how they are told.

# verdict STATUS WORD NAME ARGUMENT...
verdict()
{
    local code=$1 word=$2 name=$3
    shift 3
    expect_status "$code" "$name: status $code" "$TCPWAVE" send --json --wait 200ms "$@"
    expect_json verdict verdict "$word" "$name: verdict $word"
    expect_json verdict exit "$code" "$name: exit $code in JSON"
}

verdict 6 rejected "a hard ICMP error" "$far4:802"
expect_json icmp type 3 "a hard ICMP error: type"
expect_json icmp code 3 "a hard ICMP error: code"
expect_json icmp from "$far4" "a hard ICMP error: from whom"
expect_json icmp answers 1 "a hard ICMP error: about the first"
verdict 6 rejected "a hard ICMPv6 error" "[$far6]:802"
expect_json icmp type 1 "a hard ICMPv6 error: type"
expect_json icmp code 4 "a hard ICMPv6 error: code"
verdict 6 rejected "an administrator's ICMP error" "$far4:803"
verdict 6 rejected "an administrator's ICMPv6 error" "[$far6]:803"
verdict 5 dropped "a silent port" "$far4:801" --count 3 --interval 1ms
expect_json verdict send.unanswered '[[1, 3]]' "a silent port: all three are named"
expect_json unanswered number 3 "a silent port: each in an event of its own"
verdict 0 open "three SYNs" "$far4:7" --count 3 --interval 5ms
expect_json verdict send.answers.syn_ack 3 "three SYNs: three SYN-ACKs"
expect_json verdict send.ports 3 "three SYNs: from three ports"
verdict 4 refused "sequence numbers that count up, from one port" "$far4:9" --count 4 --interval 5ms \
    --ports 1 --seq 4294967290 --seq-step 3 --flags F
expect_json verdict send.answered 4 "sequence numbers that count up: each has its answer"
expect_json verdict send.strays 0 "sequence numbers that count up: none answers another"
expect_status 0 "a line an answer" "$TCPWAVE" send "$far4:7" --count 2 --interval 5ms
expect_line out '^1: 10\.9\.0\.2:7 > 10\.9\.0\.1:[0-9]+: Flags \[S\.\], seq [0-9]+, ack [0-9]+, length 0, ttl 64, rtt [0-9.]+ ms$' \
    "a line an answer: in tcpdump's notation"
expect_line out '^2: ' "a line an answer: for the second one"
expect_status 0 "verbose" "$TCPWAVE" send -v "$far4:7" --mss 1400 --option nop --wscale 7 --sack-permitted
expect_line out 'Flags \[S\] \(0x002\), .*win 64240, options \[mss 1400,nop,wscale 7,sackOK,eol\], length 0, ttl 64, cksum 0x[0-9a-f]{4}, tos 0x00, id 0x[0-9a-f]{4}$' \
    "verbose: our own segment"
expect_line out 'Flags \[S\.\] \(0x012\), .*options \[mss 1460,.*sackOK.*wscale' "verbose: the peer's options"
expect_status 5 "verbose, a given checksum" "$TCPWAVE" send -v "$far4:7" --checksum 0xbeef --tos 0xb8 --id 0x1a2b --wait 0.1
expect_line out ', cksum 0xbeef, tos 0xb8, id 0x1a2b$' "verbose: what was given in hexadecimal is shown in it"
expect_status 0 "verbose, a given flow label" "$TCPWAVE" send -v "[$far6]:7" --flow-label 0xabcde
expect_line out ', tos 0x00, flow label 0xabcde$' "verbose: the flow label is hexadecimal"
expect_status 4 "quiet" "$TCPWAVE" send -q "$far4:9"
check "quiet: not a word" test ! -s "$tmp/out"
expect_status 0 "fragments" "$TCPWAVE" send "$far4:7" --fragment 8 --data 'in pieces of eight'
expect_status 0 "fragments, IPv6" "$TCPWAVE" send "[$far6]:7" --fragment 24 --data 'in pieces of 24 bytes, over IPv6'
# RFC 7112, section 5: the first one must hold all headers.
verdict 6 rejected "a TCP header in fragments, IPv6" "[$far6]:7" --fragment 8
expect_json icmp type 4 "a TCP header in fragments, IPv6: a parameter problem"
expect_json icmp code 3 "a TCP header in fragments, IPv6: the first is incomplete"
printf 'from a file' >"$tmp/data"
expect_status 4 "a file" "$TCPWAVE" send --json --seq 1000 "$far4:9" --file "$tmp/data"
expect_json segment ack 1012 "a file: eleven bytes and the SYN"
"$TCPWAVE" send --json --seq 1000 "$far4:9" --file - <"$tmp/data" >"$tmp/out"
expect_json segment ack 1012 "standard input: eleven bytes and the SYN"
expect_status 4 "a capture file" "$TCPWAVE" send "$far4:9" --pcap "$tmp/run.pcapng"
check "a capture file: is one" test "$(od -An -N4 -tx1 "$tmp/run.pcapng" | tr -d ' ')" = 0a0d0d0a

# Replies that are late, duplicate, out of order, malformed, or not for us.

verdict 0 open "an answer twice" "$far4:901" --wait-all
expect_json verdict send.duplicates 1 "an answer twice: reported as that"
expect_json verdict send.answered 1 "an answer twice: counted once"
expect_json segment notes '["duplicate"]' "an answer twice: marked"
verdict 0 open "a late answer" "$far4:902" --count 2 --interval 500ms --wait 100ms
expect_json verdict send.late 1 "a late answer: reported as that"
expect_line out '"event":"unanswered","time":[0-9.e-]+,"number":1' "a late answer: missed first"
verdict 0 open "answers out of order" "$far4:903" --count 2 --interval 5ms
expect_json verdict send.out_of_order 1 "answers out of order: reported as that"
expect_json segment answers 1 "answers out of order: the first one's came last"
findings=bad-checksum
verdict 5 dropped "a wrong checksum" "$far4:904"
findings=
expect_json verdict send.malformed 1 "a wrong checksum: reported"
expect_json segment notes '["stray", "bad_checksum"]' "a wrong checksum: marked"
verdict 5 dropped "a data offset that is too small" "$far4:905"
expect_json verdict send.malformed 1 "a data offset that is too small: reported"
expect_line out '"event":"note".*malformed segment' "a data offset that is too small: told"
verdict 0 open "malformed options" "$far4:906"
expect_json verdict send.malformed 1 "malformed options: reported"
findings=syn-ack-unacceptable
verdict 5 dropped "an acknowledgement of what was not sent" "$far4:907"
findings=
expect_json verdict send.strays 1 "an acknowledgement of what was not sent: answers nothing"
verdict 0 open "an ACK of other numbers" "$far4:908"
expect_json segment notes '["unexpected"]' "an ACK of other numbers: marked"
verdict 5 dropped "a FIN without ACK" "$far4:909"

# Many at once, from ports and numbers of their own.
runs=
for i in 1 2 3 4 5 6; do
    "$TCPWAVE" send --json "$far4:9" --count 40 --interval 2ms --wait 5s >"$tmp/parallel.$i" 9>&- &
    runs="$runs $!"
done
wait $runs
for i in 1 2 3 4 5 6; do
    check "six runs at once, $i: its own 40 answers and no other's" \
        test "$(json_get verdict send.answered "$tmp/parallel.$i") $(json_get verdict send.strays "$tmp/parallel.$i")" = "40 0"
done

# A rate.
verdict 4 refused "2,000 a second" "$far4:9" --count 500 --rate 2000
expect_json verdict send.answered 500 "2,000 a second: all answered"
expect_json verdict send.rate 2000.0 "2,000 a second: what was asked"
verdict 4 refused "as fast as can be" "$far4:9" --count 2000 --rate max --wait 5s
expect_json verdict send.sent 2000 "as fast as can be: all sent"

# The end by a signal.
: >"$tmp/out"
background "$tmp/out" "$tmp/err" "$TCPWAVE" send --json "$far4:801" --count 1000 --interval 10ms
poll grep -q '"dir":"out"' "$tmp/out"
kill -INT $run
wait $run
check "SIGINT: status 130" test $? = 130
expect_json verdict exit 130 "SIGINT: the summary came"

# Wrong input: one line that names the limit, and nothing is sent.

# wrong STATUS NAME PATTERN ARGUMENT...
wrong()
{
    local code=$1 name=$2 pattern=$3 before
    shift 3
    before=$(counted env out)
    expect_status "$code" "$name: status $code" "$TCPWAVE" send "$@"
    check "$name: one line" test "$(wc -l <"$tmp/err")" = 1
    expect_line err "$pattern" "$name: says so"
    check "$name: nothing was sent" test "$(counted env out)" = "$before"
}

to=$far4:9
wrong 2 "a window of 17 bits" '65535' "$to" --window 65536
wrong 2 "a sequence number of 33 bits" '4294967295' "$to" --seq 4294967296
wrong 2 "an acknowledgement number of 33 bits" '4294967295' "$to" --ack 4294967296
wrong 2 "an urgent pointer of 17 bits" '65535' "$to" --urgent 65536
wrong 2 "four reserved bits" '0 to 7' "$to" --reserved 8
wrong 2 "a data offset of five bits" '0 to 15' "$to" --data-offset 16
wrong 2 "a checksum of 17 bits" '65535' "$to" --checksum 65536
wrong 2 "two checksums" 'exclude' "$to" --checksum 1 --bad-checksum
wrong 2 "an unknown flag" 'SAFRPUEWN' "$to" --flags SX
wrong 2 "a flag twice" 'twice' "$to" --flags SS
wrong 2 "an MSS of 17 bits" '65535' "$to" --mss 65536
wrong 2 "a window scale of nine bits" '255' "$to" --wscale 256
wrong 2 "five SACK blocks" '4 blocks' "$to" --sack 1:2,3:4,5:6,7:8,9:10
wrong 2 "half a SACK block" 'LEFT:RIGHT' "$to" --sack 1
wrong 2 "half a timestamp" 'VALUE:ECHO' "$to" --timestamp 1
wrong 2 "more than 40 bytes of options" '40 bytes' "$to" --sack 1:2,3:4,5:6,7:8 --timestamp 1:2
wrong 2 "an option of 41 bytes" '40 bytes' "$to" --option "253:$(printf '%078d' 0)"
wrong 2 "SACK permitted, and no room" '40 bytes' "$to" --options "$(printf '%080d' 0)" --sack-permitted
wrong 2 "an odd hexadecimal option" 'even number' "$to" --option 253:abc
wrong 2 "an option kind of nine bits" '0 to 255' "$to" --option 256
wrong 2 "an odd hexadecimal string" 'even number' "$to" --hex abc
wrong 2 "a cookie of two bytes" '4 to 16 bytes' "$to" --fast-open abcd
wrong 2 "a digest of 15 bytes" '16 bytes' "$to" --md5 00112233445566778899aabbccddee
wrong 2 "a user timeout of 16 bits" '32767' "$to" --user-timeout 32768s
wrong 2 "a TTL of nine bits" '255' "$to" --ttl 256
wrong 2 "a TOS of nine bits" '255' "$to" --tos 256
wrong 2 "an ID of 17 bits" '65535' "$to" --id 65536
wrong 2 "ID 0, which the kernel would replace" 'df' "$to" --id 0
wrong 2 "a flow label of 21 bits" '1048575' "[$far6]:9" --flow-label 1048576
wrong 2 "a flow label over IPv4" 'IPv6' "$to" --flow-label 1
wrong 2 "DF over IPv6" 'IPv4' "[$far6]:9" --df
wrong 2 "fragments of 12 bytes" 'multiple of 8' "$to" --fragment 12
wrong 2 "data twice" 'exclude' "$to" --data x --hex 00
wrong 2 "more data than a packet holds" '65495' "$to" --hex "$(printf '%0131000d' 0)"
wrong 2 "a rate and an interval" 'exclude' "$to" --rate 5 --interval 1s
wrong 2 "ports beyond the last" '65535' "$to" --source-port 65500 --ports 100
wrong 2 "a count of none" '1 to' "$to" --count 0
wrong 2 "a high rate to the world" 'rate-limit=off' 198.51.100.1:80 --rate 1001 --count 5000
wrong 2 "a short interval to the world" 'rate-limit=off' 198.51.100.1:80 --interval 900us --count 5
wrong 2 "a high rate to the world, IPv6" 'rate-limit=off' "[2001:db8::1]:80" --rate max --count 5000
wrong 3 "a high rate to the world that is wanted" 'route' 198.51.100.1:80 --rate max --count 5000 --rate-limit=off
wrong 3 "a source address that is not ours" '192\.0\.2\.77' "$to" -s 192.0.2.77
wrong 3 "a source port in use, for a SYN" 'port is held' 127.0.0.1:9 -s 127.0.0.1 -p 7
wrong 3 "a file that is not there" "$tmp/nosuch" "$to" -f "$tmp/nosuch"
wrong 3 "larger than the MTU" 'MTU.*--fragment' "$to" --hex "$(printf '%04000d' 0)"
head -c 70000 /dev/zero >"$tmp/large"
wrong 3 "a file larger than a packet" '65495|65515' "$to" -f "$tmp/large"

# A segment that leaves later than it was made, as on a busy machine, waits for its answer no shorter.
if strace -qq -o "$tmp/strace" -e trace=write true 2>"$tmp/err"; then
    silent_late()
    {
        try strace -qq -o "$tmp/strace" -e trace=sendto,sendmsg,sendmmsg \
            -e inject=sendto,sendmsg,sendmmsg:delay_enter=3000 \
            "$TCPWAVE" send --json --wait 20ms --seq 1000 --flags R "$1"
        expect_json verdict send.unanswered '[[1, 1]]' "$1, a segment that leaves late: named as unanswered"
    }
    silent_late "$far4:9"
    silent_late "[$far6]:9"
else
    skip "a segment that leaves late" "strace is not here, or may not trace: $(head -n 1 "$tmp/err")"
fi

done_testing
