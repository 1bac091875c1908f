#!/bin/sh
# Every example of the manual and of README is run as it stands on the page: it ends well, and where
# the page shows output, with that output; a drawing that the page shows is what the program draws.
# The hosts of the examples are there, in a namespace of their own.
#
# With DRAWINGS=write, in the source tree, the drawings on the pages become what the program draws
# now, for a person to read before they are committed.
. "$(dirname "$0")/lib.sh"
netns_enter "$@"
need bash jq mandoc ncat nft nginx python3
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
    local locale=C
    # README's drawing has lines and arrows beyond ASCII, the manual's have not.
    grep -qs '│' "$tmp/examples/$1.drawing" && locale=C.UTF-8
    : >"$tmp/differs"
    (
        export LC_ALL=$locale
        cd "$tmp/run" && PATH=$tmp/bin:$PATH exec timeout -k 5 60 \
            bash -o pipefail -c "$(cat "$tmp/examples/$1.cmd")"
    ) >"$tmp/out" 2>"$tmp/err" </dev/null 9>&-
}

# A server for the examples that follow: it stays until the script ends.
serves()
{
    local port
    port=$(sed 's/.* \([0-9][0-9][0-9]*\).*/\1/' "$tmp/examples/$1.cmd")
    background "$tmp/out" "$tmp/err" env PATH="$tmp/bin:$PATH" bash -c "exec $(cat "$tmp/examples/$1.cmd")"
    poll listening "$port" env
}

# A listener needs clients, as many as it waits for.
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

# went_well NUMBER STATUS: the drawing is the one on the page; where the page shows output, the output
# ends with that; elsewhere the status is 0.
went_well()
{
    if [ -e "$tmp/examples/$1.drawing" ]; then
        python3 "$here/drawings.py" compare "$tmp/examples/$1.drawing" "$tmp/out" >"$tmp/differs"
    elif [ -s "$tmp/examples/$1.out" ]; then
        tail -n "$(wc -l <"$tmp/examples/$1.out")" "$tmp/out" | tr -d '\r' |
            cmp -s - "$tmp/examples/$1.out"
    else
        [ "$2" = 0 ]
    fi
}

# A drawing may differ where the machine is so busy that a server answers late, and its kernel
# acknowledges before that instead of with the answer: up to ten tries are made.
tries()
{
    local try
    for try in 1 2 3 4 5 6 7 8 9 10; do
        [ $try = 1 ] || sleep 0.2
        runs "$1"
        status=$?
        [ -e "$tmp/examples/$1.drawing" ] && ! went_well "$1" $status || return $status
    done
    return $status
}

example()
{
    local number=$1 page=$2 command=$3
    case $page:$command in
    *:"tcpwave listen "*" --connections "*) listens "$number" ;;
    *:"tcpwave listen "* | *:"ncat -l"*) serves "$number" ;;
    *) tries "$number" ;;
    esac
    status=$?
    [ ! -e "$tmp/examples/$number.drawing" ] ||
        python3 "$here/drawings.py" cut "$tmp/examples/$number.drawing" "$tmp/out" >"$tmp/examples/$number.new"
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
        [ ! -s "$tmp/differs" ] || note "$(cat "$tmp/differs")"
    fi
}

python3 "$here/examples.py" "$tmp/examples" "$sources"/man/*.[0-9] "$sources/README" >"$tmp/list" || exit 1
while read -r number page command; do
    case $command in
    *" sim:"*) # tests/unit/sim_pages.sh runs it, and compares it more strictly
        [ ! -e "$tmp/examples/$number.drawing" ] ||
            cp "$tmp/examples/$number.drawing" "$tmp/examples/$number.new"
        continue
        ;;
    esac
    example "$number" "$page" "$command"
done <"$tmp/list"

if [ "${DRAWINGS:-}" = write ]; then
    for page in "$sources"/man/*.[0-9] "$sources/README"; do
        set --
        while read -r number name command; do
            [ "$name" != "${page##*/}" ] || [ ! -e "$tmp/examples/$number.new" ] ||
                set -- "$@" "$tmp/examples/$number.new"
        done <"$tmp/list"
        [ $# = 0 ] || python3 "$here/drawings.py" replace "$page" "$@"
    done
fi

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
