#!/bin/sh
# Runs every command under valgrind's memcheck, from beginning to end: no invalid access, no
# decision on uninitialised memory, no leak, no descriptor left open. No error is suppressed. If a
# library ever causes one, it has to be named, with the reason, in a file for --suppressions.
. "$(dirname "$0")/lib.sh"
netns_enter "$@"
need ncat python3 ss valgrind
if "${NM:-nm}" "$TCPWAVE" 2>/dev/null | grep -Eq ' __(a|t|m|l|ub)san_'; then
    echo "# the program is built under a sanitizer, which valgrind cannot run"
    exit 77
fi
netns_up || exit 1

here=$(cd "$(dirname "$0")" && pwd)

# A filter of system calls that is made for tcpwave has no room for valgrind's own.
sandbox=
"$TCPWAVE" connect --help | grep -q -e --no-sandbox && sandbox=--no-sandbox

# memcheck LOG COMMAND ARGUMENT...: tcpwave under valgrind, which writes what it finds to LOG
cat >"$tmp/memcheck" <<END
log=\$1 command=\$2
shift 2
exec valgrind --tool=memcheck --leak-check=full --show-leak-kinds=definite,indirect,possible \\
    --errors-for-leak-kinds=definite,indirect,possible --error-exitcode=99 --track-fds=yes \\
    --log-file="\$log" '$TCPWAVE' "\$command" $sandbox "\$@"
END

# Descriptors that it opened itself and that were open at the end: those of the caller are marked so.
left_open()
{
    awk '/FILE DESCRIPTORS:/ { told = 1 }
        /Open (file descriptor|AF_[A-Z0-9]* socket)/ { open = $0; next }
        open != "" { if (!/inherited from parent/) { print open; print }; open = "" }
        END { if (!told) print "valgrind says nothing about descriptors" }' "$1"
}

# judge NAME STATUS LOG: two cases of a run that ended with $status
judge()
{
    if [ "$status" = "$2" ] && grep -q 'ERROR SUMMARY: 0 errors' "$tmp/$3"; then
        pass "$1: valgrind finds nothing"
    else
        fail "$1: valgrind finds nothing"
        note "ended with $status, where $2 is expected"
        head -n 60 "$tmp/$3" | sed 's/^/# /'
        show_try
    fi
    left_open "$tmp/$3" >"$tmp/open"
    check "$1: every descriptor is closed at the end" test ! -s "$tmp/open"
    sed 's/^/# /' "$tmp/open"
}

# clean NAME STATUS COMMAND ARGUMENT...: under load valgrind is slow, and a minute is no hang yet
clean()
{
    local name=$1 wanted=$2
    shift 2
    background "$tmp/out" "$tmp/err" sh "$tmp/memcheck" "$tmp/log" "$@"
    wait $run
    status=$?
    judge "$name" "$wanted" log
}

# listen_up ARGUMENT...: that takes longer than elsewhere
listen_up()
{
    listen_begin sh "$tmp/memcheck" "$tmp/ear" listen --json --timeout 120 "$@" ||
        poll grep -q '"text":"listening on ' "$tmp/heard"
}

start_peer echo 7 python3 "$here/peer.py" 7 echo
start_peer sort 60 python3 "$here/peer.py" 60 sort
start_peer hold 61 python3 "$here/peer.py" 61 hold
start_peer reset 62 python3 "$here/peer.py" 62 reset
start_peer counter 80 python3 "$here/counter.py" 80 discard
awk 'BEGIN { for (i = 0; i < 4000; i++) printf "%04d\n", i * 7919 % 4000 }' >"$tmp/lines"

clean "connect, IPv4" 0 connect --timeout 100 -vv -f "$tmp/lines" -o "$tmp/got" \
    --pcap "$tmp/c.pcapng" --svg "$tmp/c.svg" "$far4:7"
check "connect, IPv4: what came back is what was sent" cmp -s "$tmp/lines" "$tmp/got"
clean "connect, IPv6" 0 connect --timeout 100 --json -d 'some\n' --pcap "$tmp/c.pcap" "[$far6]:7"
clean "connect, aborted" 0 connect --timeout 100 --close=abort -d x "$far4:7"
clean "connect, refused" 4 connect --timeout 100 "$far4:1"
clean "connect, reset" 7 connect --timeout 100 -d x --hold 30s "$far4:62"
clean "connect, from an address that is not ours" 3 connect --timeout 100 -s 192.0.2.1 "$far4:7"
clean "halfclose" 0 halfclose --timeout 100 -f "$tmp/lines" -o "$tmp/got" "$far4:60"
clean "keepalive" 0 keepalive --idle 500ms --interval 500ms --count 20 --for 2s "[$far6]:61"
clean "send, answered" 0 send --flags S --mss 1460 --timestamp 1:0 --count 3 --interval 10ms "$far4:7"
clean "send, refused, in fragments" 4 send --flags S --data 'some data' --fragment 32 --count 2 "$far4:1"
clean "load, IPv4" 0 load --timeout 100 --connections 300 --concurrency 50 -d some "$far4:80"
clean "load, IPv6, as JSON" 0 load --timeout 100 --json --connections 100 --concurrency 100 "[$far6]:80"

for address in "$near4" "$near6"; do
    case $address in *:*) target="[$address]:70" ;; *) target=$address:70 ;; esac
    if listen_up "$target" --echo --connections 2; then
        for client in 1 2; do
            echo "hello $client" | peer timeout 60 ncat "$address" 70 >"$tmp/answer.$client" 2>&1 9>&-
        done
        check "listen, $address: the clients are answered" \
            test "$(cat "$tmp/answer.1" "$tmp/answer.2")" = "hello 1
hello 2"
    else
        fail "listen, $address: it listens"
    fi
    listen_end
    judge "listen, $address" 0 ear
done
done_testing
