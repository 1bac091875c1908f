#!/bin/sh
# Checks tcpwave listen with the kernel's TCP as the client: every mode, every way to close, many
# clients at the same time, loss, a SYN flood, keepalive in both directions, and the ways to end.
# What only takes time is in tests/unit/test_cmd_listen.c.
. "$(dirname "$0")/lib.sh"
netns_enter "$@"
need curl ncat nft python3
netns_up || exit 1

here=$(cd "$(dirname "$0")" && pwd)
head -c 8388608 /dev/urandom >"$tmp/blob"
sum=$(cksum <"$tmp/blob")

# listen_up PORT ARGUMENT...
listen_up()
{
    listen_begin "$TCPWAVE" listen --json "$@"
}

ended()
{
    if [ "$status" = "$1" ]; then
        pass "$2: status $1"
    else
        fail "$2: status $1"
        note "it was $status"
        show_try
    fi
}

# count TEXT: lines of what it wrote that hold this
count()
{
    grep -c -e "$1" "$tmp/heard"
}

# JSON that keeps the contract: one object a line; what belongs to a connection has its number; each
# connection has one verdict, and the last one, which is the run's, counts them.
keeps_contract()
{
    python3 - "$tmp/heard" <<'END'
import collections, json, sys
events = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
verdicts = [e for e in events if e["event"] == "verdict"]
last, each = verdicts.pop(), verdicts
assert events[-1] is last and "connection" not in last, "the run's verdict comes last"
counts = last["connections"]
assert all("time" in e for e in events)
assert all(e["connection"] >= 1 for e in events if e["event"] in ("segment", "state", "probe"))
assert sorted(e["connection"] for e in each) == list(range(1, counts["opened"] + 1)), "one verdict each"
words = "open failed local refused dropped rejected reset lost".split()
tally = collections.Counter(e["verdict"] for e in each)
assert {w: counts[w] for w in words} == {w: tally[w] for w in words}, "the counts are those of the verdicts"
numbers = collections.defaultdict(list)
for s in events:
    if s["event"] == "segment":
        numbers[s["connection"]].append(s["number"])
for e in each:
    assert e["command"] == "listen" and e["local"]["port"] and e["peer"]["port"] and e["message"]
    counted = numbers[e["connection"]]
    assert counted == list(range(1, len(counted) + 1)), "segments are counted in each connection"
END
}

# A file to everyone, byte for byte.

# fetch NAME TARGET
fetch()
{
    rm -f "$tmp/got"
    peer curl -sS --http0.9 --max-time 60 -o "$tmp/got" "http://$2/" 2>"$tmp/err" || show_try
    check "$1: curl has the file byte for byte" test "$(cksum <"$tmp/got")" = "$sum"
}

# served NAME ADDRESS-TO-LISTEN-ON PORT TARGET...
served()
{
    local name=$1 listen=$2 target
    shift 2
    listen_up "$listen" --serve "$tmp/blob" --connections $#
    for target; do
        fetch "$name, $target" "$target"
    done
    listen_end
    ended 0 "$name, ended by --connections"
    check "$name: what it wrote keeps the contract" keeps_contract
    expect_json verdict connections.open $# "$name: each of $# was open"
}

# Health checks of a load balancer, which connect and close or reset, do not use --connections up.
health_check()
{
    peer python3 - "$1" "$2" "$3" <<'EOT'
import socket, struct, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
if sys.argv[3] == "reset":
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
s.close()
EOT
}

for address in $near4 $near6; do
    case $address in
    *:*) listen_up "[$address]:8040" --echo --connections 1 --served ;;
    *) listen_up "$address:8040" --echo --connections 1 --served ;;
    esac
    for manner in close reset close; do
        health_check $address 8040 $manner
    done
    check "--served, $address: a client is served after health checks" \
        test "$(echo hello | peer ncat -w 5 $address 8040)" = hello
    listen_end
    ended 0 "--served, $address: the client ends it"
    expect_json verdict connections.opened 4 "--served, $address: all were there"
done

served "a file" 8001 "$near4:8001" "$near4:8001"
served "a file, IPv6" "[::]:8002" "[$near6]:8002"
served "a file, one address" "$near4:8003" "$near4:8003"
served "a file, one IPv6 address" "[$near6]:8004" "[$near6]:8004"

# Over lo.
listen_up 127.0.0.1:8005 --serve "$tmp/blob" --connections 1
rm -f "$tmp/got"
curl -sS --http0.9 --max-time 60 -o "$tmp/got" http://127.0.0.1:8005/
listen_end
check "a file, over lo: byte for byte" test "$(cksum <"$tmp/got")" = "$sum"

# An HTTP answer that stands in the file.
printf 'HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n' >"$tmp/answer"
listen_up 8006 --serve "$tmp/answer" --connections 1
check "an answer in a file: curl takes it" test "$(peer curl -sS --max-time 60 "http://$near4:8006/")" = hello
listen_end
ended 0 "an answer in a file"

expect_status 3 "a file that is not there: status 3" "$TCPWAVE" listen 8007 --serve "$tmp/nosuch"
expect_line err nosuch "a file that is not there: says so"
expect_status 3 "a file that can be read only once: status 3" "$TCPWAVE" listen 8007 --serve /dev/null

# One of our segments in ten is lost.
lose peer far 8011-8013
listen_up 8011 --serve "$tmp/blob" --connections 1
fetch "one in ten lost" "$near4:8011"
listen_end
ended 0 "one in ten lost"
check "one in ten lost: there was loss" test "$(json_get verdict retransmissions "$tmp/heard" | head -1)" != 0
listen_up "[::]:8012" --serve "$tmp/blob" --connections 1
fetch "one in ten lost, IPv6" "[$near6]:8012"
listen_end
ended 0 "one in ten lost, IPv6"
listen_up 8013 --echo --connections 8
peer python3 "$here/kernel_client.py" "$near4" 8013 echo 8 200000 >"$tmp/said" 2>&1
listen_end
check "one in ten lost, eight at once: what was sent comes back" grep -qx '8 of 8 came back' "$tmp/said"
lose_nothing peer

# What is sent comes back.

listen_up 8021 --echo --connections 1
head -c 1000000 "$tmp/blob" >"$tmp/part"
peer ncat "$near4" 8021 <"$tmp/part" >"$tmp/got"
listen_end
check "echo: ncat has back what it sent" cmp -s "$tmp/part" "$tmp/got"
ended 0 "echo"
expect_json verdict connections.open 1 "echo: open"

# many NAME LISTEN ADDRESS
many()
{
    listen_up "$2:8022" --echo --connections 50
    peer python3 "$here/kernel_client.py" "$3" 8022 echo 50 100000 >"$tmp/said" 2>&1
    listen_end
    check "$1: each has back what it sent" grep -qx '50 of 50 came back' "$tmp/said"
    ended 0 "$1"
    check "$1: what it wrote keeps the contract" keeps_contract
    expect_json verdict connections.opened 50 "$1: 50 opened"
    expect_json verdict connections.open 50 "$1: 50 open"
}

many "fifty at once" 0.0.0.0 "$near4"
many "fifty at once, IPv6" "[::]" "$near6"

# Received bytes go to a file, of one peer.
: >"$tmp/got"
listen_up 8023 -o "$tmp/got" --connections 1
peer ncat --send-only "$near4" 8023 <"$tmp/part"
listen_end
check "received bytes are written" cmp -s "$tmp/part" "$tmp/got"
expect_status 2 "received bytes of many: a usage error" "$TCPWAVE" listen 8023 -o "$tmp/got"

# Every close, as the client sees it.

# left PORT: the state in which the client's kernel has the connection, if it has it still
left()
{
    peer ss -Htan "dport = :$1" | awk '{ print $1 }'
}

# closes HOW PORT SAID LEFT KIND BY: the kernel sends its FIN with its ACK, unless it is slow to close
closes()
{
    local target
    for target in "0.0.0.0:$2 $near4" "[::]:$2 $near6"; do
        listen_up "${target% *}" -d 'hello' --close="$1" --connections 1
        peer python3 "$here/kernel_client.py" "${target#* }" "$2" read >"$tmp/said" 2>&1
        listen_end
        check "--close=$1, ${target#* }: the client reads: $3" grep -qx "$3" "$tmp/said"
        ended 0 "--close=$1, ${target#* }"
        cp "$tmp/heard" "$tmp/all"
        grep '"connection":1,' "$tmp/all" >"$tmp/out"
        expect_json verdict verdict open "--close=$1, ${target#* }: open"
        check "--close=$1, ${target#* }: $5" sh -c "echo '$(json_get verdict close.kind)' | grep -Exq '$5'"
        expect_json verdict close.by "$6" "--close=$1, ${target#* }: by $6"
    done
    check "--close=$1: the client's kernel is left with '$4'" test "$(left "$2" | sort -u)" = "$4"
}

closes active 8031 '5 bytes, then end of file' '' '(three|four)-way' local
# The RST may overtake the reader, even its connect(), and takes what is not read with it.
closes abort 8032 '[05] bytes, then reset' '' reset local

# passive: the client's FIN first, so that TIME_WAIT is the client's.
listen_up 8033 -d 'hello' --close=passive --connections 1
peer ncat "$near4" 8033 </dev/null >"$tmp/said"
listen_end
ended 0 "--close=passive"
check "--close=passive: the client has the data" test "$(cat "$tmp/said")" = hello
check "--close=passive: TIME_WAIT is the client's" test "$(left 8033)" = TIME-WAIT
grep '"connection":1,' "$tmp/heard" >"$tmp/out"
expect_json verdict close.by peer "--close=passive: the peer closed first"

# vanish: the client's byte is never acknowledged, and draws no RST.
listen_up 8034 -d 'hello' --close=vanish
start_peer silent - python3 "$here/kernel_client.py" "$near4" 8034 silent
poll grep -q sent "$tmp/silent.log"
repeats()
{
    peer ss -Htano "dport = :8034" | grep -Eq 'ESTAB.*timer:\(on,[^,]*,[2-9]'
}
check "--close=vanish: the client's byte is repeated, and not answered" poll repeats
check "--close=vanish: its verdict is there already" poll grep -q '"connection":1,.*"kind":"abandoned"' "$tmp/heard"
listen_end INT
ended 130 "--close=vanish"
stop silent

# Two hundred connections that a signal cuts off at once: each one's end is told.
listen_up 8044
start_peer many - python3 "$here/kernel_client.py" "$near4" 8044 many 200
poll grep -q '200 open' "$tmp/many.log"
all_open()
{
    test "$(grep -c '"side":"local".*"to":"ESTABLISHED"' "$tmp/heard")" = 200
}
poll all_open
listen_end INT
ended 130 "200 connections cut off"
check "200 connections cut off: 200 are told to be CLOSED" \
    test "$(grep -c '"side":"local".*"to":"CLOSED"' "$tmp/heard")" = 200
stop many

# The port.

start_near taken 7777 python3 "$here/peer.py" 7777 hold
expect_status 3 "a port in use: status 3" "$TCPWAVE" listen 7777
expect_line err '7777' "a port in use: says so"
expect_line err 'listening socket' "a port in use: says by what"
check "a port in use: its owner still serves" peer ncat -z "$near4" 7777
expect_status 2 "port 0 is a usage error" "$TCPWAVE" listen 0
expect_status 3 "an address that is not ours: status 3" "$TCPWAVE" listen 192.0.2.77:80

listen_up 8041 --connections 1 --hold 100s -d x
start_peer first - python3 "$here/kernel_client.py" "$near4" 8041 hold
poll grep -q connected "$tmp/first.log"
poll grep -q '"to":"ESTABLISHED"' "$tmp/heard"
check "--connections: the next one is refused" sh -c "! nsenter -t $holder -n ncat -z $near4 8041"
listen_end INT
stop first

# Ends.

# signalled SIGNAL STATUS PORT: with one client that holds
signalled()
{
    listen_up "$3"
    start_peer holder - python3 "$here/kernel_client.py" "$near4" "$3" hold
    poll grep -q connected "$tmp/holder.log"
    poll grep -q '"to":"ESTABLISHED"' "$tmp/heard"
    listen_end "$1"
    ended "$2" "SIG$1"
    expect_json verdict exit "$2" "SIG$1: the summary came, and names the status"
    expect_json verdict connections.opened 1 "SIG$1: and counts the connections"
    check "SIG$1: the client was sent a RST" poll test -z "$(left "$3")"
    check "SIG$1: the port is free" test -z "$(ss -Hltn "sport = :$3")"
    check "SIG$1: what it wrote keeps the contract" keeps_contract
    stop holder
}

signalled INT 130 8051
signalled TERM 143 8052

# Keepalive.

# lost NAME LISTEN ADDRESS CUT...: CUT takes the client away
lost()
{
    local name=$1
    listen_up "$2:8061" --idle 300ms --interval 200ms --count 3 --connections 1
    start_peer gone - python3 "$here/kernel_client.py" "$3" 8061 hold
    poll grep -q '"answered":true' "$tmp/heard"
    check "$name: a living client answers" grep -q '"event":"probe".*"answered":true' "$tmp/heard"
    shift 3
    "$@"
    listen_end
    ended 0 "$name"
    expect_json verdict connections.lost 1 "$name: lost"
    check "$name: after exactly three unanswered probes" test "$(count '"event":"probe".*"answered":false')" = 3
    check "$name: what it wrote keeps the contract" keeps_contract
    stop gone
}

listen_up 8062
start_peer keep - python3 "$here/kernel_client.py" "$near4" 8062 keep
probed()
{
    test "$(count '"dir":"in".*"notes":\["probe"')" -ge 3
}
check "the kernel's keepalive: it probes" poll probed
check "the kernel's keepalive: it is answered, and stays" test "$(left 8062)" = ESTAB
listen_end INT
grep '"connection":1,' "$tmp/heard" >"$tmp/out"
check "the kernel's keepalive: its probes are counted" test "$(json_get verdict keepalive.peer.probes)" -ge 3
stop keep

# A flood. What it may hold is told by the memory that is not mapped from the capture.
ip route add 198.51.100.0/24 via "$far4"
ip -6 route add 2001:db8::/96 via "$far6"

holds()
{
    awk '$1 == "RssAnon:" { print $2 }' "/proc/$ear/status"
}

all_told()
{
    test "$(count '"event":"verdict".*"verdict":"open"')" = "$1"
}

# More connections than the transmit queue holds: each must get its RST when the run is stopped.
left()
{
    test "$(peer ss -Htn state established "dport = :8066" | wc -l)" = 0
}
for quiet in '' -q; do
    if [ -z "$quiet" ]; then
        listen_up 8066 --discard
    else
        listen_start "$TCPWAVE" listen -q 8066 --discard
        poll listening 8066 env # the guard
    fi
    start_peer crowd - python3 "$here/kernel_client.py" "$near4" 8066 crowd 300
    poll grep -q connected "$tmp/crowd.log"
    listen_end INT
    ended 130 "300 clients, stopped${quiet:+, -q}"
    check "300 clients, stopped${quiet:+, -q}: none is left" poll left
    stop crowd
done

# flooded NAME FAMILY LISTEN ADDRESS
flooded()
{
    local name=$1 before after
    listen_up "$3:8071" --echo --half-open 64
    peer python3 "$here/flood.py" "$2" "$4" 8071 2000 0
    peer python3 "$here/kernel_client.py" "$4" 8071 echo 5 1000 >"$tmp/said" 2>&1
    check "$name: real clients are served after 2,000 SYNs" grep -qx '5 of 5 came back' "$tmp/said"
    before=$(holds)
    peer python3 "$here/flood.py" "$2" "$4" 8071 18000 2000
    peer python3 "$here/kernel_client.py" "$4" 8071 echo 20 50000 >"$tmp/said" 2>&1
    check "$name: and after 20,000" grep -qx '20 of 20 came back' "$tmp/said"
    after=$(holds)
    check "$name: memory stays flat ($before kB, $after kB)" test "$after" -lt $((before + 2048))
    poll all_told 25
    listen_end INT
    ended 130 "$name"
    check "$name: cookies were sent" test "$(json_get verdict connections.syn_cookies)" -gt 1000
    expect_json verdict connections.open 25 "$name: 25 were open"
    check "$name: what it wrote keeps the contract" keeps_contract
}

flooded "a flood" 4 0.0.0.0 "$near4"
flooded "a flood, IPv6" 6 "[::]" "$near6"

# Last, since the link is gone afterwards.
lost "keepalive, a client whose link is down" 0.0.0.0 "$near4" peer ip link set far down

done_testing
