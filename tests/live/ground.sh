# The test ground, to be sourced: a network namespace of our own ("near", where this script and
# tcpwave run) and a second one for the peer ("far"), joined by a veth pair. Nothing outside the two is
# touched or can be reached, an ordinary user may do all of it, and any number may stand at once.
#
#   ground_enter "$@"    first of all: runs the script again inside a new namespace
#   ground_up            makes the peer's namespace and the link between the two
#   peer CMD...          runs CMD in the peer's namespace
#   start_peer NAME PORT CMD...    a server there, in the background, until it listens on PORT
#   start_near NAME PORT CMD...    the same on our own side, for sessions over lo; PORT may be -
#   start_nginx far|near PORT      nginx, serving $tmp/www over IPv4 and IPv6
#   stop NAME            ends that server; all that remain end with the script
#   poll CMD...          waits until CMD succeeds; fails after ten seconds without
#
# Addresses: $near4 $near6 $near_link are ours, on interface `near`; $far4 $far6 $far_link the peer's,
# on `far`. $tmp is a directory for files, gone with the script. Servers write to $tmp/NAME.log.

near4=10.9.0.1 near6=fd09::1 near_link=fe80::9:1
far4=10.9.0.2 far6=fd09::2 far_link=fe80::9:2
pids=

# A user namespace is preferred even by root, so that everyone's run takes the same path. A test that
# needs a second user, of whom such a namespace knows none, sets ground_how=-nm first.
ground_enter()
{
    PATH=$PATH:/usr/sbin:/sbin
    local how
    if [ -z "${TCPWAVE_GROUND:-}" ]; then
        for how in ${ground_how:--Urnm -nm}; do
            if unshare $how sh -c 'ip link set lo up && ip link add t0 type veth peer name t1' 2>/dev/null; then
                TCPWAVE_GROUND=$how exec unshare $how sh "$0" "$@"
            fi
        done
        echo "# network namespaces are not allowed here: $(unshare -Urnm true 2>&1 || echo 'no veth in them')"
        exit 77
    fi
    unset SUDO_USER SUDO_UID SUDO_GID # of a user who is not known in this namespace
    tmp=$(mktemp -d "${TMPDIR:-/tmp}/tcpwave.XXXXXX") || exit 1
    trap ground_down EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    ip link set lo up
}

ground_down()
{
    local pid
    for pid in $pids; do
        kill -9 "$pid" 2>/dev/null
    done
    wait
    rm -rf "$tmp"
}

poll()
{
    local tries=200
    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || return 1
        sleep 0.05
    done
}

# The holder keeps the peer's namespace for as long as this script lives: its standard input ends
# with us, however we end.
ground_up()
{
    mkfifo "$tmp/alive"
    unshare -n sh -c "echo ready >'$tmp/far'; exec cat" <"$tmp/alive" >/dev/null &
    holder=$!
    pids="$pids $holder"
    exec 9>"$tmp/alive"
    poll test -s "$tmp/far" || return 1
    ip link add near address 02:00:00:00:09:01 type veth \
        peer name far address 02:00:00:00:09:02 netns $holder || return 1
    ground_link near $near4 $near6 $near_link | ip -batch - || return 1
    ground_link far $far4 $far6 $far_link | peer ip -batch -
}

# Link-local addresses by hand: the kernel's own would have to wait for duplicate detection.
ground_link()
{
    cat <<EOF
link set lo up
link set $1 addrgenmode none
link set $1 up
address add $2/24 dev $1
address add $3/64 dev $1 nodad
address add $4/64 dev $1 nodad
EOF
}

peer()
{
    nsenter -t "$holder" -n "$@"
}

start_peer()
{
    local name=$1 port=$2
    shift 2
    launch "$name" nsenter -t "$holder" -n "$@"
    [ "$port" = - ] || poll listening "$port" peer || start_failed "$name"
}

start_near()
{
    local name=$1 port=$2
    shift 2
    launch "$name" "$@"
    [ "$port" = - ] || poll listening "$port" env || start_failed "$name"
}

launch()
{
    local name=$1
    shift
    "$@" >"$tmp/$name.log" 2>&1 </dev/null 9>&- &
    eval "pid_$name=$!"
    pids="$pids $!"
}

# listening PORT RUNNER: whether anything listens there, where RUNNER (peer, env) runs commands
listening()
{
    "$2" ss -Hltn "sport = :$1" | grep -q .
}

start_failed()
{
    echo "# $1 did not come up:"
    sed 's/^/# /' "$tmp/$1.log"
    return 1
}

stop()
{
    local pid
    eval "pid=\$pid_$1"
    kill "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
}

# One process, nothing outside $tmp, and no other user, of whom this namespace may know none.
start_nginx()
{
    mkdir -p "$tmp/www" "$tmp/nginx"
    cat >"$tmp/nginx/$1.conf" <<EOF
user root;
daemon off;
master_process off;
pid $tmp/nginx/$1.pid;
error_log stderr;
events { }
http {
    access_log off;
    client_body_temp_path $tmp/nginx/body;
    proxy_temp_path $tmp/nginx/proxy;
    fastcgi_temp_path $tmp/nginx/fastcgi;
    uwsgi_temp_path $tmp/nginx/uwsgi;
    scgi_temp_path $tmp/nginx/scgi;
    server {
        listen 0.0.0.0:$2;
        listen [::]:$2 ipv6only=on;
        root $tmp/www;
    }
}
EOF
    case $1 in
    far) start_peer nginx_far "$2" nginx -e stderr -c "$tmp/nginx/far.conf" ;;
    near) start_near nginx_near "$2" nginx -e stderr -c "$tmp/nginx/near.conf" ;;
    esac
}
