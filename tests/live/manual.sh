#!/bin/sh
# Runs every example of the manual and of README exactly as the page shows it. Each has to succeed
# and, where the page shows output, to print that output. The hosts of the examples exist in a
# namespace of their own.
. "$(dirname "$0")/lib.sh"
netns_enter "$@"
need bash jq mandoc nft nginx python3
netns_up || exit 1

here=$(cd "$(dirname "$0")" && pwd)
sources=$(cd "$here/../.." && pwd)
mkdir -p "$tmp/www" "$tmp/bin" "$tmp/examples" "$tmp/run"
echo 'Hello from the far end of a veth pair.' >"$tmp/www/index.html"
cp "$TCPWAVE" "$tmp/bin/tcpwave"

# The names, in an /etc of our own (RFC 2606; addresses of RFC 5737 and RFC 3849).
cp -R /etc "$tmp/etc" 2>/dev/null
echo 'hosts: files' >"$tmp/etc/nsswitch.conf"
echo 'services: files' >>"$tmp/etc/nsswitch.conf"
grep -qs '^http[[:space:]]' "$tmp/etc/services" || printf 'echo 7/tcp\nhttp 80/tcp\n' >>"$tmp/etc/services"
echo '127.0.0.1 localhost' >"$tmp/etc/hosts"
ip address add 192.0.2.1/24 dev near
ip address add 2001:db8::1/64 dev near nodad
host=79
for name in www silent barred app proxy db nat reset mail echo; do
    host=$((host + 1))
    peer ip address add 192.0.2.$host/24 dev far
    peer ip address add 2001:db8::$host/64 dev far nodad
    printf '192.0.2.%s %s.example.com\n2001:db8::%s %s.example.com\n' $host $name $host $name >>"$tmp/etc/hosts"
done
# IPv4 first, as the examples show it.
echo 'precedence ::ffff:0:0/96 100' >"$tmp/etc/gai.conf"
mount --bind "$tmp/etc" /etc || exit 1

# silent says nothing, barred is rejected, nat has a firewall before it that forgets connections after
# a second of silence, and the one before reset forges RSTs.
peer nft -f - <<'RULES' || exit 1
table inet manual {
    set known {
        type inet_service
        flags dynamic,timeout
        timeout 1s
    }
    chain input {
        type filter hook input priority 0;
        ip daddr 192.0.2.81 drop
        ip6 daddr 2001:db8::81 drop
        ip daddr 192.0.2.82 meta l4proto tcp reject with icmp type admin-prohibited
        ip6 daddr 2001:db8::82 meta l4proto tcp reject with icmpv6 type admin-prohibited
        ip daddr 192.0.2.86 tcp flags & syn == syn update @known { tcp sport } accept
        ip daddr 192.0.2.86 tcp sport @known update @known { tcp sport } accept
        ip daddr 192.0.2.86 drop
    }
    chain output {
        type filter hook output priority 0;
        ip saddr 192.0.2.87 tcp flags & rst == rst ip ttl set 51
    }
}
RULES
start_nginx far 80
start_peer echo 7 python3 "$here/peer.py" 7 echo
start_peer mail 25 python3 "$here/peer.py" 25 first
start_peer app 9000 python3 "$here/peer.py" 9000 sort
start_peer proxy 8080 python3 "$here/peer.py" 8080 cut
start_peer db 5432 python3 "$here/peer.py" 5432 hold
start_peer reset 9001 python3 "$here/peer.py" 9001 reset
cat >"$tmp/client.py" <<'CODE'
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2])), 20) as client:
    try:
        client.sendall(b"x\n")
        client.shutdown(socket.SHUT_WR)
        while client.recv(65536):
            pass
    except ConnectionResetError:
        pass
CODE

# runs NUMBER: the example, in a directory where it may write.
runs()
{
    (
        cd "$tmp/run" && PATH=$tmp/bin:$PATH exec timeout -k 5 60 \
            bash -o pipefail -c "$(cat "$tmp/examples/$1.cmd")"
    ) >"$tmp/out" 2>"$tmp/err" </dev/null 9>&-
}

# A listener needs a client, as many times as it waits for one.
listens()
{
    local words port times
    words=$(cat "$tmp/examples/$1.cmd")
    port=${words##*[!0-9]}
    times=$(expr "$words" : '.*--connections \([0-9]*\)')
    runs "$1" &
    running=$!
    poll listening "$port" env
    while [ "${times:-0}" -gt 0 ]; do
        peer python3 "$tmp/client.py" 192.0.2.1 "$port"
        times=$((times - 1))
    done
    wait $running
}

# went_well NUMBER STATUS: where the page shows output, the output ends with that; elsewhere the status
# is 0.
went_well()
{
    if [ -s "$tmp/examples/$1.out" ]; then
        tail -n "$(wc -l <"$tmp/examples/$1.out")" "$tmp/out" | tr -d '\r' |
            cmp -s - "$tmp/examples/$1.out"
    else
        [ "$2" = 0 ]
    fi
}

example()
{
    local number=$1 page=$2 command=$3
    case $command in
    "tcpwave listen "*) listens "$number" ;;
    *) runs "$number" ;;
    esac
    status=$?
    case $command in
    setcap*)
        if [ $status != 0 ]; then
            skip "$page: $command" "$(head -n 1 "$tmp/err")"
            return
        fi
        ;;
    esac
    if went_well "$number" "$status"; then
        pass "$page: $command"
    else
        fail "$page: $command"
        note "ended with $status, with this as its output:"
        show_try
    fi
}

python3 "$here/examples.py" "$tmp/examples" "$sources"/man/*.[0-9] "$sources/README" >"$tmp/list" || exit 1
while read -r number page command; do
    example "$number" "$page" "$command"
done <"$tmp/list"

# The help opens the page where man(1) finds one, and is printed where there is no man(1).
mkdir -p "$tmp/man/man1"
cp "$sources"/man/*.1 "$tmp/man/man1/"
terminal()
{
    # A terminal of its own, since the page is for people only.
    MANPATH=$tmp/man MANPAGER=cat PAGER=cat TERM=dumb timeout 30 python3 -c '
import pty, sys
sys.exit(pty.spawn(sys.argv[1:]) >> 8)' "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
}
if command -v man >/dev/null && MANPATH=$tmp/man man -w tcpwave-connect >/dev/null 2>&1; then
    terminal "$TCPWAVE" help connect
    sed 's/.\x08//g' "$tmp/out" >"$tmp/page" # without what makes letters bold
    expect_line page '^DESCRIPTION' "help COMMAND opens the page"
else
    skip "help COMMAND opens the page" "no man that finds pages here"
fi
mkdir "$tmp/no-man"
terminal env PATH="$tmp/no-man" "$TCPWAVE" help connect
expect_line out '^Usage: tcpwave connect' "help COMMAND prints the help where man is missing"

done_testing
