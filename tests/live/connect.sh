#!/bin/sh
# Checks tcpwave connect against real servers: every way to name the target, every verdict, and
# every invalid input.
. "$(dirname "$0")/lib.sh"
netns_enter "$@"
need ncat nft nginx python3 setpriv tcpdump
netns_up || exit 1

here=$(cd "$(dirname "$0")" && pwd)
get='GET /blob HTTP/1.0\r\n\r\n'
mkdir -p "$tmp/www"
head -c 300000 /dev/urandom >"$tmp/www/blob"
sum=$(cksum <"$tmp/www/blob")

# The firewall: what connects is counted on both sides, some ports of the peer are special.
peer nft -f - <<'EOF'
table inet test {
    counter heard { }
    counter resets { }
    chain count {
        type filter hook prerouting priority -400;
        meta l4proto tcp counter name heard
        tcp dport 7000-7999 tcp flags & rst == rst counter name resets
    }
    chain verdicts {
        type filter hook input priority 0;
        tcp dport 801 drop
        ip protocol tcp tcp dport 802 reject with icmp type port-unreachable
        meta nfproto ipv6 tcp dport 802 reject with icmpv6 type port-unreachable
        ip protocol tcp tcp dport 803 reject with icmp type admin-prohibited
        meta nfproto ipv6 tcp dport 803 reject with icmpv6 type admin-prohibited
    }
}
EOF
nft -f - <<'EOF'
table inet test {
    counter heard { }
    chain count {
        type filter hook prerouting priority -400;
        iif lo meta l4proto tcp counter name heard
    }
}
EOF

counted()
{
    "$1" nft list counter inet test "$2" | awk '$1 == "packets" { print $2 }'
}

# Segments that anything of ours has put on the link or on lo.
sent()
{
    echo "$(counted peer heard) $(counted env heard)"
}

start_nginx far 80
start_nginx near 80
start_peer http 8000 python3 -m http.server -d "$tmp/www" --bind :: 8000
# ncat forgets what its command has still to say when the client's FIN comes: it closes first, too.
start_peer ncat4 70 ncat -4 -lk 70 --sh-exec 'head -c 9'
start_peer ncat6 71 ncat -6 -lk 71 --sh-exec 'head -c 9'
start_peer echo 7 python3 "$here/peer.py" 7 echo
start_peer reset 807 python3 "$here/peer.py" 807 reset
start_peer hold 7001 python3 "$here/peer.py" 7001 hold
start_near near_echo 7 python3 "$here/peer.py" 7 echo

# Servers, families and links.

# fetches HOW TARGET: the body of an HTTP answer arrives byte for byte. The server closes first: nginx
# takes a client's FIN for its leaving and stops in the middle of a large file.
fetches()
{
    : >"$tmp/got"
    expect_status 0 "$1: open" "$TCPWAVE" connect "$2" -d "$get" -o "$tmp/got" --close=passive --timeout 30
    python3 - "$tmp/got" "$tmp/body" <<'EOF'
import sys
answer = open(sys.argv[1], "rb").read()
open(sys.argv[2], "wb").write(answer.partition(b"\r\n\r\n")[2])
EOF
    check "$1: the body is the file" test "$(cksum <"$tmp/body")" = "$sum"
}

fetches "nginx, veth, IPv4" "$far4:80"
fetches "nginx, veth, IPv6" "[$far6]:80"
fetches "nginx, veth, IPv6 link-local" "[$far_link%near]:80"
fetches "nginx, lo, IPv4" 127.0.0.1:80
fetches "nginx, lo, IPv6" "[::1]:80"
fetches "nginx, own address, over lo" "$near4:80"
fetches "http.server, veth, IPv4" "$far4:8000"
fetches "http.server, veth, IPv6" "[$far6]:8000"

# echoes HOW TARGET CLOSE
echoes()
{
    expect_status 0 "$1: open" "$TCPWAVE" connect "$2" -d 'hello\r\n\x00\\' -o - --close="$3" --timeout 30
    printf 'hello\r\n\000\\' >"$tmp/hello"
    check "$1: what was sent comes back" cmp -s "$tmp/out" "$tmp/hello"
}

echoes "ncat, veth, IPv4" "$far4:70" passive
echoes "ncat, veth, IPv6" "[$far6]:71" passive
echoes "echo, veth, IPv4" "$far4:7" active
echoes "echo, veth, IPv6" "[$far6]:7" active
echoes "echo, lo, IPv4" 127.0.0.1:7 active
echoes "echo, lo, IPv6" "[::1]:7" active

expect_status 0 "a URL for a target" "$TCPWAVE" connect "http://user:secret@$far4:80/blob"
expect_line err "host and port are used: $far4:80\$" "a URL: what was taken out of it is said"
check "a URL: its password is not shown" sh -c "! grep -q secret '$tmp/out' '$tmp/err'"
expect_status 0 "a URL with an IPv6 address, -q" "$TCPWAVE" connect -q "http://[$far6]/blob?a=b"
check "a URL, -q: nothing is said" test ! -s "$tmp/err"

# Larger than our window and the pipe together: the server has to wait for the reader, and would
# drop the rest of its answer if our FIN came meanwhile.
head -c 8388608 /dev/zero >"$tmp/www/large"
"$TCPWAVE" connect "$far4:80" -d 'GET /large HTTP/1.0\r\n\r\n' -o - --timeout 60 2>/dev/null |
    { sleep 1; tail -c 8388608; } >"$tmp/got"
check "a reader slower than the server loses nothing" cmp "$tmp/got" "$tmp/www/large"

# A file of many segments, there and back.
expect_status 0 "a file is sent: open" "$TCPWAVE" connect "$far4:7" -f "$tmp/www/blob" -o "$tmp/got" --timeout 60
check "a file is sent and comes back byte for byte" test "$(cksum <"$tmp/got")" = "$sum"

sshd=$(command -v sshd)
if [ -n "$sshd" ] && mount -t tmpfs none /run 2>/dev/null && mkdir -p /run/sshd &&
    ssh-keygen -q -t ed25519 -N '' -f "$tmp/hostkey"; then
    start_peer sshd 22 "$sshd" -D -e -f /dev/null -h "$tmp/hostkey" -o PidFile=none -o UsePAM=no -p 22
    expect_status 0 "sshd: open" "$TCPWAVE" connect "$far4:22" -o - --timeout 30
    expect_line out '^SSH-2\.0-' "sshd: its banner arrives"
else
    skip "sshd: open" "no sshd that could be started here"
fi

# What goes over the wire, as another tool reads it: as a user other than root, from whom tcpdump
# need not change.
start_peer record - python3 "$here/record.py" far "$tmp/far.pcap"
poll grep -q recording "$tmp/record.log"
fetches "under tcpdump" "$far4:80"
read_far()
{
    unshare -U tcpdump -nvv -r "$tmp/far.pcap" "$@" 2>/dev/null
}
closed()
{
    read_far "src $near4 and tcp[tcpflags] & tcp-fin != 0" | grep -q .
}
poll closed
stop record
read_far "src $near4 and tcp" >"$tmp/dumped"
check "tcpdump reads our SYN as a present-day host's" \
    grep -q 'Flags \[S\].*mss 1460,.*sackOK.*TS val.*wscale' "$tmp/dumped"
check "tcpdump finds a checksum in each of our segments" \
    test "$(grep -c 'Flags' "$tmp/dumped")" = "$(grep -c 'cksum .*(correct)' "$tmp/dumped")"
check "no RST was sent, by us or by the kernel" sh -c "! grep -q 'Flags \[R' '$tmp/dumped'"

# The verdicts, as far as the kernel has a part in them; tests/unit/test_cmd_connect.c has all of
# them, and when they are told.

# verdict STATUS WORD NAME ARGUMENT...
verdict()
{
    local code=$1 word=$2 name=$3
    shift 3
    expect_status "$code" "$name: status $code" "$TCPWAVE" connect --json "$@"
    expect_json verdict verdict "$word" "$name: verdict $word"
    expect_json verdict exit "$code" "$name: exit $code in JSON"
}

verdict 0 open "an echo" "$far4:7" -d x
expect_json verdict received_bytes 1 "an echo: one byte came back"
expect_json verdict sent_bytes 1 "an echo: one byte was sent"
expect_json verdict handshake.syn_sent 1 "an echo: one SYN did"
expect_json verdict local.addr "$near4" "an echo: our address"
expect_json verdict peer.port 7 "an echo: the peer's port"
expect_json verdict local.state CLOSED "an echo: closed"
verdict 4 refused "a closed port" "$far4:805"
verdict 4 refused "a closed port, IPv6" "[$far6]:805"
verdict 4 refused "a closed port, lo" 127.0.0.1:805
verdict 5 dropped "a silent port" "$far4:801" --timeout 300ms
verdict 6 rejected "a hard ICMP error" "$far4:802"
expect_json icmp type 3 "a hard ICMP error: type"
expect_json icmp code 3 "a hard ICMP error: code"
expect_json icmp from "$far4" "a hard ICMP error: from whom"
verdict 6 rejected "a hard ICMPv6 error" "[$far6]:802"
expect_json icmp type 1 "a hard ICMPv6 error: type"
expect_json icmp code 4 "a hard ICMPv6 error: code"
verdict 6 rejected "an administrator's ICMP error" "$far4:803" --timeout 1500ms
verdict 6 rejected "an administrator's ICMPv6 error" "[$far6]:803" --timeout 1500ms
verdict 7 reset "a reset" "$far4:807" -d x
verdict 7 reset "a reset, IPv6" "[$far6]:807" -d x
verdict 3 local "an unknown interface" "$far4:80" -i nosuch0

# Wrong input: one line, the right status, nothing sent.

# wrong STATUS NAME PATTERN ARGUMENT...
wrong()
{
    local code=$1 name=$2 pattern=$3 before
    shift 3
    before=$(sent)
    expect_status "$code" "$name: status $code" "$@"
    check "$name: one line" test "$(wc -l <"$tmp/err")" = 1
    expect_line err "$pattern" "$name: says so"
    check "$name: nothing was sent" test "$(sent)" = "$before"
}

wrong 3 "no privilege" 'cap_net_raw' setpriv --bounding-set=-all --inh-caps=-all "$TCPWAVE" connect "$far4:80"
wrong 3 "an unknown host" 'nosuch\.invalid' "$TCPWAVE" connect nosuch.invalid:80
wrong 3 "an unknown service" 'nosuchservice' "$TCPWAVE" connect "$far4:nosuchservice"
wrong 2 "port 0" 'port' "$TCPWAVE" connect "$far4:0"
wrong 2 "port 65536" '65536' "$TCPWAVE" connect "$far4:65536"
wrong 2 "no port" 'port' "$TCPWAVE" connect "$far4"
wrong 2 "-4 and an IPv6 address" '-4|IPv4' "$TCPWAVE" connect -4 "[$far6]:80"
wrong 2 "-6 and an IPv4 address" '-6|IPv6' "$TCPWAVE" connect -6 "$far4:80"
wrong 3 "an unknown interface" 'nosuch0' "$TCPWAVE" connect "$far4:80" -i nosuch0
wrong 3 "a source address that is not ours" '192\.0\.2\.77' "$TCPWAVE" connect "$far4:80" -s 192.0.2.77
wrong 3 "no route" '198\.51\.100\.1|route' "$TCPWAVE" connect 198.51.100.1:80
start_near taken 7777 python3 "$here/peer.py" 7777 hold
wrong 3 "a source port in use" '7777' "$TCPWAVE" connect "$far4:80" -p 7777
wrong 3 "a file that is not there" "$tmp/nosuch" "$TCPWAVE" connect "$far4:80" -f "$tmp/nosuch"
wrong 3 "an output that cannot be written" "$tmp/nosuch" "$TCPWAVE" connect "$far4:80" -o "$tmp/nosuch/file"
wrong 3 "a capture file that cannot be written" "$tmp/nosuch" "$TCPWAVE" connect "$far4:80" --pcap "$tmp/nosuch/file"
wrong 2 "an unknown option" '--timeout' "$TCPWAVE" connect "$far4:80" --tiemout 5
wrong 2 "an unknown command" 'connect' "$TCPWAVE" conect "$far4:80"
wrong 2 "a duration that is none" '5x' "$TCPWAVE" connect "$far4:80" --timeout 5x
wrong 2 "a negative duration" '-1' "$TCPWAVE" connect "$far4:80" --hold -1
wrong 2 "an escape that is none" 'escape' "$TCPWAVE" connect "$far4:80" -d 'a\qb'
wrong 2 "half an escape" 'hexadecimal' "$TCPWAVE" connect "$far4:80" -d 'a\x4'
wrong 2 "no target" 'connect' "$TCPWAVE" connect
wrong 2 "two targets" "$far4:81" "$TCPWAVE" connect "$far4:80" "$far4:81"

# The end by a signal.

# hold_open PORT: holds a connection from that port. A shell without job control has its background
# jobs ignore SIGINT; a terminal's do not.
hold_open()
{
    : >"$tmp/held" # the last one's must not be taken for this one's
    (
        cd "$tmp/run" && TMPDIR=. exec env --default-signal=INT \
            "$TCPWAVE" connect --json "$far4:7001" -p "$1" --hold 100s
    ) >"$tmp/held" 2>"$tmp/held.err" </dev/null 9>&- &
    held=$!
    pids="$pids $held"
    poll grep -q '"to":"ESTABLISHED"' "$tmp/held"
}

# signalled SIGNAL STATUS PORT
signalled()
{
    local before
    before=$(counted peer resets)
    hold_open "$3"
    kill -s "$1" $held
    wait $held
    check "SIG$1: status $2" test $? = "$2"
    check "SIG$1: the peer was sent a RST" test "$(counted peer resets)" -gt "$before"
    expect_held verdict.exit "$2" "SIG$1: the summary came, and names the status"
    check "SIG$1: the port is free" test -z "$(ss -Hltn "sport = :$3")"
}

expect_held()
{
    cp "$tmp/held" "$tmp/out"
    cp "$tmp/held.err" "$tmp/err"
    expect_json "${1%%.*}" "${1#*.}" "$2" "$3"
}

mkdir "$tmp/run"
signalled INT 130 6001
signalled TERM 143 6002

hold_open 6003
check "no capability is left while it runs" grep -q '^CapPrm:[[:space:]]*0*$' "/proc/$held/status"
check "a socket of ours guards the port while it runs" test -n "$(ss -Hltn 'sport = :6003')"
kill -KILL $held
wait $held
check "after SIGKILL the guard is gone" test -z "$(ss -Hltn 'sport = :6003')"
check "after SIGKILL no capture is left open" test -z "$(ss -H0n)"
check "after SIGKILL no rule is left" test "$(nft list tables)" = "table inet test"
check "after SIGKILL no file is left" test -z "$(ls -A "$tmp/run")"

done_testing
