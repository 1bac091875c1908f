#!/bin/sh
# Checks what a run may still do, and which descriptors it has open, while it reads bytes from the
# network: exactly what tcpwave(1) lists.
. "$(dirname "$0")/lib.sh"
netns_enter "$@"
need python3 mkfifo
netns_up || exit 1

here=$(cd "$(dirname "$0")" && pwd)
manual=$here/../../man/tcpwave.1
start_peer echo 7 python3 "$here/peer.py" 7 echo
start_peer hold 7001 python3 "$here/peer.py" 7001 hold
start_peer stay 7002 python3 "$here/peer.py" 7002 stay
start_near near_hold 7003 python3 "$here/peer.py" 7003 hold
head -c 100000 /dev/urandom >"$tmp/in"
mkfifo "$tmp/fifo"

# Builds with sanitizers, and old kernels, have none: the program says so.
try "$TCPWAVE" connect -v "127.0.0.1:1"
filter=$(sed -n 's/^tcpwave: no sandbox: //p' "$tmp/err")

# begin PATTERN COMMAND ARGUMENT...: in the background, with a descriptor that it has not asked for,
# until a line of what it writes has the pattern; '' waits for nothing. $run is its process.
begin()
{
    local pattern=$1
    shift
    : >"$tmp/said"
    env --default-signal=INT "$TCPWAVE" "$@" >"${to:-$tmp/said}" 2>"$tmp/said.err" </dev/null 7<"$tmp/in" 9>&- &
    run=$!
    pids="$pids $run"
    [ -z "$pattern" ] || poll grep -q -e "$pattern" "$tmp/said" ||
        note "$* said: $(head -c 300 "$tmp/said" "$tmp/said.err")"
}

# end STATUS NAME [SIGNAL]
end()
{
    kill -s "${3:-TERM}" $run
    wait $run
    status=$?
    check "$2: ends with $1" test $status = "$1"
    check "$2: nothing was stopped" sh -c "! grep 'the sandbox stopped' '$tmp/said.err'"
}

# is NAME FIELD VALUE: of its status
is()
{
    check "$1: $2 is $3" grep -Eq "^$2:[[:space:]]*$3\$" /proc/$run/status
}

# Who it is, and what it may do.
held()
{
    local set uid gid
    for set in CapInh CapPrm CapEff CapBnd CapAmb; do
        is "$1" $set 0+
    done
    uid=$(id -u) gid=$(id -g)
    is "$1" Uid "$uid[[:space:]]$uid[[:space:]]$uid[[:space:]]$uid"
    is "$1" Gid "$gid[[:space:]]$gid[[:space:]]$gid[[:space:]]$gid"
    is "$1" NoNewPrivs 1
    if [ -n "$filter" ]; then
        skip "$1: Seccomp is 2" "$filter"
    else
        is "$1" Seccomp 2
    fi
}

# has NAME KIND...: beside the standard streams, the signals, the raw socket and the capture, which
# are always there
has()
{
    local name=$1 kind
    shift
    for kind in 'standard streams' signals 'raw socket' 'packet socket' "$@"; do
        echo "$kind"
    done | sort >"$tmp/wanted"
    sed "s, $tmp/.*,," "$tmp/wanted" >>"$tmp/kinds"
    python3 "$here/descriptors.py" $run >"$tmp/open"
    if [ $? = 77 ]; then
        skip "$name: open is what the manual lists" "$(cat "$tmp/open")"
    elif diff "$tmp/wanted" "$tmp/open" >"$tmp/wrong"; then
        pass "$name: open is what the manual lists"
    else
        fail "$name: open is what the manual lists"
        note "$(cat "$tmp/wrong")"
    fi
}

LC_ALL=C
export LC_ALL

for target in "$far4:7" "[$far6]:7"; do
    begin '"to":"ESTABLISHED"' connect --json "$target" -f "$tmp/in" -o "$tmp/out" --pcap "$tmp/packets" \
        --svg "$tmp/picture" --hold 100s
    held "connect $target"
    has "connect $target" guard 'netlink socket' "file to read $tmp/in" "file to write $tmp/out" \
        "file to write $tmp/packets" "file to write $tmp/picture"
    end 143 "connect $target"
    check "connect $target: packets and picture were written" test -s "$tmp/packets" -a -s "$tmp/picture"
done

: >"$tmp/bulk"
begin '' connect -q "$far4:7" -f "$tmp/in" -o "$tmp/bulk" --hold 100s
poll test -s "$tmp/bulk"
held 'connect -q --file'
has 'connect -q --file' 'packet socket' 'netlink socket' guard "file to read $tmp/in" \
    "file to write $tmp/bulk"
end 130 'connect -q --file' INT

mkfifo "$tmp/fifo"
cat "$tmp/fifo" >"$tmp/read" 9>&- &
to=$tmp/fifo
begin '' connect --json "$far4:7" --hold 100s
to=
poll grep -q '"to":"ESTABLISHED"' "$tmp/read"
held 'connect --json | cat'
has 'connect --json | cat' guard 'netlink socket' 'standard stream'
end 143 'connect --json | cat'
check 'connect --json | cat: the verdict was read' poll grep -q '"event":"verdict"' "$tmp/read"

begin '"FIN_WAIT_2"' halfclose --json "$far4:7002" -d x --linger 100s
held halfclose
has halfclose guard 'netlink socket'
end 143 halfclose

begin '"to":"ESTABLISHED"' keepalive --json "$far4:7001"
held keepalive
has keepalive guard 'netlink socket'
end 143 keepalive

begin 'listening on' listen --json 5001 --serve "$tmp/in"
start_peer caller - python3 "$here/kernel_client.py" $near4 5001 hold
poll grep -q '"to":"ESTABLISHED"' "$tmp/said"
held listen
has listen guard "file to read $tmp/in"
end 143 listen
stop caller

begin '"segment"' send --json "$far4:7001" --wait 100s --wait-all
held send
has send guard 'netlink socket'
end 143 send

begin '"segment"' send --json "$far4:7001" --flags A --source-port 5002 --wait 100s --wait-all
has 'send without a guard' 'netlink socket'
end 143 'send without a guard'

rm "$tmp/packets"
begin '' send --json "$far4:7001" -c 30 --rate 5000 --ports 3 --wait 100s --wait-all --pcap "$tmp/packets"
poll test -s "$tmp/packets"
held 'send --rate'
has 'send --rate' guard guard guard 'packet socket' 'netlink socket' "file to write $tmp/packets"
end 143 'send --rate'

# The first byte is not there yet.
begin '' send --json "$far4:7001" -f "$tmp/fifo"
exec 8>"$tmp/fifo"
[ -n "$filter" ] || poll grep -q '^Seccomp:.*2' /proc/$run/status
poll grep -q '^NoNewPrivs:.*1' /proc/$run/status
sleep 0.2
held 'send, before the first byte of its data'
has 'send, before the first byte of its data' guard 'netlink socket' "file to read $tmp/fifo"
end 130 'send, before the first byte of its data' INT
check 'send, before the first byte of its data: nothing was sent' test ! -s "$tmp/said"
exec 8>&-

# Three at a time to one target take three ports.
begin '"now":3' load --json "$far4:7001" --connections 3 --concurrency 3 --hold 100s
held load
has load guard guard guard 'packet socket' 'netlink socket'
end 143 load
begin '"now":3' load --json "127.0.0.1:7003" --connections 3 --concurrency 3 --hold 100s --pcap "$tmp/packets"
has 'load over lo' guard guard guard "file to write $tmp/packets"
end 143 'load over lo'

# All of the manual's list was met, and nothing that it does not have.
sed 's/^file to .*/files/; s/^signals$/signalfd/; s/^standard stream$/&s/' "$tmp/kinds" | sort -u >"$tmp/met"
awk '/^These descriptors are open/ { on = 1 } on && /^\.El/ { exit } on && /^\.It [^E]/ {
    sub(/^\.It /, ""); sub(/ Ta .*/, ""); print }' "$manual" | sort -u >"$tmp/listed"
check 'the manual lists these kinds of descriptors, and no other' diff "$tmp/listed" "$tmp/met"

# Without: the filter alone is left out, and it is said.
begin '"to":"ESTABLISHED"' keepalive --json -v --no-sandbox "$far4:7001"
is --no-sandbox Seccomp 0
is --no-sandbox NoNewPrivs 1
is --no-sandbox CapEff 0+
has --no-sandbox guard 'netlink socket'
end 143 --no-sandbox
check '--no-sandbox: -v says so' grep -q '^tcpwave: no sandbox: --no-sandbox was given$' "$tmp/said.err"

# What a shell writes for <(command) is a descriptor that is inherited, and read.
expect_status 0 'a file that is an inherited descriptor: open' \
    sh -c '"$0" connect --json "$1" -f /dev/fd/6 6<"$2"' "$TCPWAVE" "$far4:7" "$tmp/in"
expect_json verdict sent_bytes 100000 'a file that is an inherited descriptor: all of it was sent'

# Any user who may write to /tmp can put a link there, under the name that we are about to use.
mkdir -m 1777 "$tmp/sticky"
echo precious >"$tmp/victim"
for option in -o --pcap --svg; do
    ln -sf "$tmp/victim" "$tmp/sticky/link"
    expect_status 3 "$option through a link in a sticky directory: status 3" \
        "$TCPWAVE" connect "$far4:7" -d x $option "$tmp/sticky/link"
    expect_line err 'a symbolic link in a directory that all may write to' "$option through a link: says why"
    check "$option through a link: what it leads to is as it was" grep -qx precious "$tmp/victim"
done

# libpcap asks for more when an interface goes away; that is an error of this host's, and no more.
begin '"to":"ESTABLISHED"' connect --json "$far4:7001" --hold 100s
ip link del near
wait $run
status=$?
check 'the interface goes away: status 3' test $status = 3
check 'the interface goes away: nothing was stopped' sh -c "! grep 'the sandbox stopped' '$tmp/said.err'"

done_testing
