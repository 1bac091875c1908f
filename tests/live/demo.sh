#!/bin/sh
# Shows one session with a real server, in namespaces of its own, and then one on a simulated network
# in which a segment is lost: ./bootstrap demo.
. "$(dirname "$0")/netns.sh"

netns_enter "$@"
netns_up || {
    echo "demo: the network namespaces could not be joined" >&2
    exit 1
}

mkdir -p "$tmp/www"
echo 'Hello from the far end of a veth pair.' >"$tmp/www/index.html"
if command -v nginx >/dev/null; then
    server=nginx
    start_nginx far 80
elif command -v python3 >/dev/null; then
    server="python3 -m http.server"
    start_peer http 80 python3 -m http.server -d "$tmp/www" 80
else
    server=ncat
    printf 'HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n' | cat - "$tmp/www/index.html" >"$tmp/reply"
    start_peer http 80 ncat -lk -p 80 --sh-exec "cat '$tmp/reply'"
fi || exit 1

request='GET / HTTP/1.0\r\n\r\n'
echo "demo: $server serves on $far4 port 80, in a network namespace made for this"
printf 'demo: tcpwave connect %s:80 -d '\''%s'\''\n\n' "$far4" "$request"
echo
"$TCPWAVE" connect "$far4:80" -d "$request"
status=$?
echo
echo "demo: tcpwave ended with $status; the server and both namespaces end with it"

# As an ordinary user: without any capability, even where a namespace would give them.
ordinary=
drops='setpriv --bounding-set=-all --inh-caps=-all --ambient-caps=-all --no-new-privs'
$drops true 2>/dev/null && ordinary=$drops
echo
echo "demo: as an ordinary user, and without a network: a peer in the program, and the SYN-ACK is lost"
printf 'demo: tcpwave connect --sim lose=2 -d '\''hello\\n'\'' sim:7\n\n\n'
# shellcheck disable=SC2086 # the words of a command
$ordinary "$TCPWAVE" connect --sim lose=2 -d 'hello\n' sim:7
simulated=$?
echo
echo "demo: tcpwave ended with $simulated; tcpwave-sim(7) and tcpwave-tcp(7) have more of these"
[ $status != 0 ] || status=$simulated
exit $status
