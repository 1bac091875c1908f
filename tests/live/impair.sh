#!/bin/sh
# Checks --impair against the kernel's TCP: each kind of action once, with what the peer's kernel
# says of it (ss, nstat) and what arrived there (tcpdump) as the truth.
. "$(dirname "$0")/lib.sh"
netns_enter "$@"
need nstat python3 ss tcpdump
netns_up || exit 1

here=$(cd "$(dirname "$0")" && pwd)
start_peer echo 7 python3 "$here/peer.py" 7 echo
start_peer discard 9 python3 "$here/peer.py" 9 discard
start_peer large 19 python3 "$here/peer.py" 19 large
start_peer urgent 20 python3 "$here/peer.py" 20 urgent
start_peer record - python3 "$here/record.py" far "$tmp/far.pcap"
poll grep -q recording "$tmp/record.log"
head -c 3000 /dev/urandom >"$tmp/data"
export NSTAT_HISTORY="$tmp/nstat" # nstat counts from its last reset on
own=6000 # each run has a port of its own

# impaired NAME STATUS TARGET ARGUMENT...: one run of connect, from port $own
impaired()
{
    local name=$1 wanted=$2 target=$3
    shift 3
    own=$((own + 1))
    peer nstat -rn >/dev/null 2>&1
    expect_status "$wanted" "$name: status $wanted" \
        "$TCPWAVE" connect "$far4:$target" -p $own --timeout 20 "$@"
}

# began ARGUMENT...: the same in the background
began()
{
    local target=$1
    shift
    own=$((own + 1))
    background "$tmp/run" "$tmp/err" "$TCPWAVE" connect "$far4:$target" -p $own --timeout 20 "$@"
}

ended()
{
    kill $run 2>/dev/null
    wait $run 2>/dev/null
}

read_far()
{
    unshare -U tcpdump -nvttS -r "$tmp/far.pcap" "$@" 2>/dev/null
}

# A segment of ours with data, in tcpdump's language; and one that has some flags.
ours="src $near4 and tcp"
data="$ours and (((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0)"
syn='tcp[tcpflags] & (tcp-syn|tcp-ack) = tcp-syn'
synack='tcp[tcpflags] & (tcp-syn|tcp-ack) = (tcp-syn|tcp-ack)'
fin='tcp[tcpflags] & tcp-fin != 0'
rst='tcp[tcpflags] & tcp-rst != 0'

# has N FILTER: so many packets of the last run that match were recorded
has()
{
    test "$(read_far "tcp port $own and ($2)" | grep -c 'Flags \[')" = "$1"
}

# arrived N FILTER NAME: one case
arrived()
{
    check "$3" poll has "$1" "$2"
    has "$1" "$2" || read_far "tcp port $own" | grep 'Flags \[' | tail -n 12 | sed 's/^/# /'
}

# counted COUNTER N NAME: the peer's kernel counted that often since the run began; counted_some: at
# least that often
counted()
{
    judge "$1" = "$2" "$3"
}

counted_some()
{
    judge "$1" -ge "$2" "$3"
}

judge()
{
    local is
    is=$(peer nstat -zs "$1" 2>/dev/null | awk -v c="$1" '$1 == c { print $2 }')
    check "$4" test "$is" "$2" "$3"
    test "$is" "$2" "$3" || note "$1 is $is"
}

# knows PATTERN: what ss says in the peer's namespace of the connection that runs now
knows()
{
    peer ss -Htino "sport = :$1 and dport = :$own" | tr '\n' ' ' | grep -Eq "$2"
}

# The handshake

began 9 --hold 3 --impair 'out:.#1 drop'
check "the third segment is lost: the peer stays in SYN_RECEIVED" \
    poll sh -c "nsenter -t $holder -n ss -Htn state syn-recv 'dport = :$own' | grep -q ."
ended

impaired "the SYN-ACK is lost" 0 7 -d hello --impair 'in:S.#1 drop'
arrived 2 "$ours and $syn" "the SYN-ACK is lost: we send our SYN once more"

began 9 --hold 3 --impair 'out:S strip=ts' --impair 'out:S strip=wscale' --impair 'out:S mss=536'
check "options of the SYN: the peer knows the smaller MSS" poll knows 9 '[^a-z]mss:536'
check "options of the SYN: it knows no timestamps and no window scale" \
    sh -c "! nsenter -t $holder -n ss -Htin 'dport = :$own' | grep -Eq ' ts | wscale:'"
ended
began 9 --hold 3 --impair 'out:S strip=sackok' --impair 'out:S wscale=3'
check "options of the SYN: the peer knows the other window scale" poll knows 9 ' wscale:3,'
check "options of the SYN: it knows no SACK" \
    sh -c "! nsenter -t $holder -n ss -Htin 'dport = :$own' | grep -q ' sack '"
ended

# What happens to a whole segment, ours

impaired "out drop" 0 7 -d hello --impair 'out:data#1 drop'
arrived 1 "$data" "out drop: only the retransmission arrives"
counted TcpExtTCPDSACKOldSent 0 "out drop: it is the first that the peer has"

impaired "out dup" 0 7 -d hello --impair 'out:data dup'
arrived 2 "$data" "out dup: two arrive"
counted TcpExtTCPDSACKOldSent 1 "out dup: the peer says that it had it"

impaired "out delay" 0 7 -d hello --impair 'out:data#1 delay=120ms'
arrived 1 "$data" "out delay: it arrives once"
read_far "tcp port $own and ($ours)" | awk '/^[0-9]/ { if (++n == 1) t = $1; if (n == 3) print ($1 - t >= 0.12) }' \
    >"$tmp/late"
check "out delay: and late" grep -qx 1 "$tmp/late"

impaired "out reorder" 0 7 -f "$tmp/data" --impair 'out:data#1 reorder'
counted TcpExtTCPOFOQueue 1 "out reorder: the peer has it out of order"
arrived 3 "$data" "out reorder: nothing is retransmitted"

impaired "out corrupt" 0 7 -d hello --impair 'out:data#1 corrupt'
counted TcpInCsumErrors 1 "out corrupt: the peer's kernel counts a wrong checksum"
arrived 2 "$data" "out corrupt: we retransmit"
impaired "out corrupt, without data" 0 7 --impair 'out:F#1 corrupt'
counted TcpInCsumErrors 1 "out corrupt, without data: a wrong checksum as well"

impaired "out corrupt=data" 0 7 -f "$tmp/data" -o "$tmp/got" --impair 'out:data#1 corrupt=data'
counted TcpInCsumErrors 0 "out corrupt=data: the checksum is right"
check "out corrupt=data: one byte of the echo differs" \
    test "$(cmp -l "$tmp/data" "$tmp/got" | wc -l)" = 1

impaired "out truncate" 0 7 -d 'hello world' -o "$tmp/got" --impair 'out:data#1 truncate=5'
arrived 1 "$data and ip[2:2] = 57" "out truncate: five bytes arrive"
check "out truncate: the rest is retransmitted" test "$(cat "$tmp/got")" = 'hello world'

began 9 -d hello --hold 3 --impair 'out:data rst'
poll grep -q 'RST' "$tmp/run"
arrived 0 "$data or $rst" "out rst: neither data nor RST arrives at the peer"
check "out rst: its connection stays" knows 9 .
ended

# Its fields

began 19 --hold 5 --impair 'out:. win=0'
check "out win=0: the peer waits for our window" poll knows 19 'timer:\(persist'
ended

impaired "out seq+=1" 0 7 -f "$tmp/data" --impair 'out:data#1 seq+=1'
counted_some TcpExtTCPOFOQueue 1 "out seq+=1: the peer has it out of order"

impaired "out ack+=" 0 7 -d hello --impair 'out:data#1 ack+=100000'
arrived 2 "$data" "out ack+=: the peer does not take it, and we retransmit"

impaired "out flags" 0 9 -d hello --impair 'out:data#1 flags=.U' --impair 'out:data#1 urg=0'
arrived 1 "$data and tcp[13] = 0x10" "out flags: two rules, one after the other: PSH is gone"

impaired "out ts+=" 0 7 -d hello --impair 'out:data#1 ts+=-100000000'
counted TcpExtPAWSEstab 1 "out ts+=: the peer finds it too old"

impaired "out tsecr+=" 0 7 -d hello --impair 'out:data tsecr+=100000000'
arrived 1 "$data" "out tsecr+=: the peer takes it all the same"

impaired "out sack+=" 0 19 --close=passive --impair 'in:data#3 drop' --impair 'out: sack+=-100000000'
counted_some TcpExtTCPSACKDiscard 1 "out sack+=: the peer finds our blocks invalid"

began 20 -d Xyz --hold 3 --impair 'out:data urg=1'
check "out urg: the peer has urgent data" poll test -s "$tmp/urgent.log"
ended

impaired "out ttl and ecn" 0 7 -d hello --impair 'out:data ttl=7' --impair 'out:data ecn=ce'
arrived 1 "$data and ip[8] = 7 and ip[1] & 3 = 3" "out ttl and ecn: so it arrives"

# The peer's segments

impaired "in dup" 0 7 -d hello -o "$tmp/got" --impair 'in:data dup'
check "in dup: we have the answer once" test "$(cat "$tmp/got")" = hello
impaired "in delay" 0 7 -d hello -o "$tmp/got" --impair 'in:data delay=100ms' -v
check "in delay: we have the answer" test "$(cat "$tmp/got")" = hello
impaired "in reorder" 0 19 --close=passive -o "$tmp/got" --impair 'in:data,every=10 reorder'
check "in reorder: we have everything" test "$(wc -c <"$tmp/got")" = 8000000
impaired "in corrupt" 0 7 -d hello -o "$tmp/got" --impair 'in:data#1 corrupt'
check "in corrupt: it was retransmitted" test "$(cat "$tmp/got")" = hello
counted TcpRetransSegs 1 "in corrupt: by the peer"
impaired "in corrupt=data" 0 7 -d hello -o "$tmp/got" --impair 'in:data corrupt=data'
check "in corrupt=data: one byte differs" \
    sh -c "test \"\$(printf hello | cmp -l - '$tmp/got' | wc -l)\" = 1"
impaired "in win=0" 1 9 -d hello --timeout 2 --impair 'in: win=0'
arrived 0 "$data and ip[2:2] > 53" "in win=0: we send no more than a byte at a time"
impaired "in rst" 7 7 -d hello --timeout 2 --impair 'in:data#1 rst'
arrived 1 "$ours and $rst" "in rst: one RST arrives at the peer"
counted TcpEstabResets 1 "in rst: and ends its connection"

# By chance, in both directions

head -c 300000 /dev/urandom >"$tmp/big"
impaired "10 % loss each way" 0 7 -f "$tmp/big" -o "$tmp/got" --impair 'out:p=10% drop' \
    --impair 'in:p=10% drop' --impair-seed 3
check "10 % loss each way: the echo is whole" cmp -s "$tmp/big" "$tmp/got"

# The other commands

expect_status 0 "halfclose: status 0" "$TCPWAVE" halfclose "$far4:7" -d hello -p 5001 \
    --impair 'out:F#1 drop'
own=5001
arrived 1 "$ours and $fin" "halfclose: only the second FIN arrives"
expect_status 0 "keepalive: status 0" "$TCPWAVE" keepalive "$far4:9" -p 5002 --idle 300ms \
    --interval 300ms --for 1 --impair 'out:nodata,after=100ms#1 drop'
own=5002
expect_status 0 "load: status 0" "$TCPWAVE" load "$far4:7" --connections 20 -d hello \
    --impair 'out:S#1 drop' --timeout 30
# The client repeats its SYN when our timer repeats the SYN-ACK: that one is kept from us, since it
# would be answered with another one.
listen_start "$TCPWAVE" listen "$near4:9001" --echo --connections 1 --impair 'out:S.#1 drop' \
    --impair 'in:S#2 drop'
listens
peer python3 "$here/kernel_client.py" "$near4" 9001 echo 1 1000 >"$tmp/said" 2>&1
listen_end
check "listen: status 0" test $status = 0
check "listen: the client is served" grep -qx '1 of 1 came back' "$tmp/said"
own=9001
arrived 1 "$ours and $synack" "listen: only the second SYN-ACK arrives"

# A rule that does not parse

own=5003
expect_status 2 "a wrong rule: status 2" "$TCPWAVE" connect "$far4:7" -p 5003 --impair 'out:X drop'
expect_line err "at character 5, 'X drop'" "a wrong rule: the message names the place"
expect_status 2 "an action without sense: status 2" \
    "$TCPWAVE" connect "$far4:7" -p 5003 --impair 'out:S ack+=1'
arrived 0 "$ours" "a wrong rule: nothing is sent"

done_testing
