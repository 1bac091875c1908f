#!/bin/sh
# Checks hosts that lack something: CAP_NET_ADMIN, files and mounts that a container leaves out, or
# an address family.
. "$(dirname "$0")/lib.sh"
netns_enter "$@"
need nft python3 setpriv unshare
netns_up || exit 1

here=$(cd "$(dirname "$0")" && pwd)
peer nft -f - <<'RULES' || exit 1
table inet test {
    counter resets { }
    chain in {
        type filter hook prerouting priority -400;
        tcp dport != 81 tcp flags & rst == rst counter name resets
    }
}
RULES

resets()
{
    peer nft list counter inet test resets | awk '$1 == "packets" { print $2 }'
}

start_peer echo 7 python3 "$here/peer.py" 7 echo
start_peer sort 71 python3 "$here/peer.py" 71 sort
start_peer open 81 python3 "$here/peer.py" 81 hold # for `send`, which leaves its answer to the kernel
start_peer load 80 python3 "$here/counter.py" 80 echo
start_near near_echo 7 python3 "$here/peer.py" 7 echo

# serves NAME ADDRESS TOOL ARGUMENT...: TOOL listens on port 9001, and the peer's client is served there
serves()
{
    local name=$1 address=$2
    shift 2
    listen_begin "$@" --echo --connections 1 --timeout 30 --json
    peer python3 "$here/kernel_client.py" "$address" 9001 echo 1 1000 >"$tmp/said" 2>&1
    listen_end
    check "$name: status 0" test $status = 0
    check "$name: the client is served" grep -qx '1 of 1 came back' "$tmp/said"
}

# wrap NAME LINE...: a script that runs tcpwave in such surroundings, to call as $tmp/NAME
wrap()
{
    local name=$1
    shift
    {
        echo '#!/bin/sh'
        printf '%s\n' "$@"
    } >"$tmp/$name"
    chmod 755 "$tmp/$name"
}

# everything NAME GUARD TOOL TARGET...: every command does what it is for, and names this guard
everything()
{
    local name=$1 guard=$2 tool=$3 before target case
    shift 3
    before=$(resets)
    for target; do
        for case in "connect $target:7 -d x" 'halfclose '"$target"':71 -d b\na\n' \
            "keepalive $target:7 --idle 100ms --interval 1s --for 200ms" \
            "load $target:80 --connections 20 -d x" "send $target:81"; do
            # shellcheck disable=SC2086 # words
            expect_status 0 "$name, ${case%% *} $target: status 0" "$tool" $case --timeout 30 --json
            expect_json verdict guard "$guard" "$name, ${case%% *} $target: guard"
        done
    done
    serves "$name, listen" $near4 "$tool" listen 9001
    expect_json verdict guard "$guard" "$name, listen: guard"
    check "$name: no RST reached the peer" test "$(resets)" = "$before"
}

# Without CAP_NET_ADMIN the kernel takes no socket filter of ours, and the guard is of the other kind.

wrap raw_only 'exec setpriv --bounding-set=-all,+net_raw --inh-caps=-all "$TCPWAVE" "$@"'
wrap raw_only_kept 'exec setpriv --bounding-set=-all,+net_raw,+setpcap --inh-caps=-all "$TCPWAVE" "$@"'
export TCPWAVE
if setpriv --bounding-set=-all,+net_raw --inh-caps=-all true 2>"$tmp/err"; then
    everything "CAP_NET_RAW alone" "TCP-MD5 key" "$tmp/raw_only" $far4 "[$far6]"
    expect_status 0 "CAP_NET_RAW and CAP_SETPCAP: status 0" "$tmp/raw_only_kept" connect "$far4:7" -d x --json
    expect_json verdict guard "TCP-MD5 key" "CAP_NET_RAW and CAP_SETPCAP: guard"
else
    skip "CAP_NET_RAW alone" "$(head -n 1 "$tmp/err")"
fi
expect_status 0 "with CAP_NET_ADMIN: status 0" "$TCPWAVE" connect "$far4:7" -d x --json
expect_json verdict guard "socket filter" "with CAP_NET_ADMIN: guard"

# Root of one user namespace has no rights in a network namespace that belongs to another.
wrap stranger 'exec unshare -Ur "$TCPWAVE" "$@"'
for command in "connect $far4:7" "load $far4:80" "send $far4:7" "listen 9001"; do
    # shellcheck disable=SC2086 # words
    expect_status 3 "root of another user namespace, ${command%% *}: status 3" "$tmp/stranger" $command
    expect_line err 'cap_net_raw' "root of another user namespace, ${command%% *}: says what is missing"
done

# Surroundings of a container.

# surroundings NAME WHAT TARGET LINE...: everything works with those mounts, if they can be had here
surroundings()
{
    local name=$1 what=$2 target=$3
    shift 3
    {
        echo '#!/bin/sh'
        echo "exec unshare -m --pid --fork --kill-child sh -ec '"
        printf '%s\n' "$@"
        echo "exec env -i \"\$@\"' sh \"\$@\""
    } >"$tmp/$name.run"
    wrap "$name" "exec sh '$tmp/$name.run' \"\$TCPWAVE\" \"\$@\""
    if sh "$tmp/$name.run" true 2>"$tmp/err"; then
        everything "$what" "socket filter" "$tmp/$name" "$target"
    else
        skip "$what" "$(head -n 1 "$tmp/err")"
    fi
}

surroundings readonly "read-only /, no /sys, no environment" $far4 \
    'mount -o remount,bind,ro /' 'mount -t tmpfs -o ro none /sys' '! touch /usr/written 2>/dev/null'
surroundings subset "/proc with processes alone" "[$far6]" 'mount -t proc -o subset=pid proc /proc'
surroundings hidden "/proc that hides processes" $far4 'mount -t proc -o hidepid=2 proc /proc'
surroundings bare "no /etc, no /proc" "[$far6]" 'mount -t tmpfs none /etc' 'mount -t tmpfs none /proc'
expect_status 3 "no /etc: a name is unknown" "$tmp/bare" connect both.test:7
expect_line err 'both\.test' "no /etc: says which"
expect_status 3 "no /etc: a service is unknown" "$tmp/bare" connect "$far4:http"
expect_line err 'http' "no /etc: says which service"

check "this user namespace knows root alone" test "$(awk '{ print $1, $3 }' /proc/self/uid_map)" = "0 1"
mkdir "$tmp/files"
expect_status 0 "a sudo of whom it knows nothing: status 0" env SUDO_UID=12345 SUDO_GID=12345 SUDO_USER=nobody \
    "$TCPWAVE" connect "$far4:7" -d x -o "$tmp/files/out" --pcap "$tmp/files/pcap" --json
check "a sudo of whom it knows nothing: the files are there" test -s "$tmp/files/out" -a -s "$tmp/files/pcap"
"$TCPWAVE" connect "$far4:7" -d x <&- >&- 2>&-
check "no standard input, output and error: status 0" test $? = 0

# Families. Names lead to what can be reached.

printf '%s both.test four.test\n%s both.test six.test\n' $far4 $far6 >"$tmp/hosts"
mount --bind "$tmp/hosts" /etc/hosts 2>"$tmp/err" || {
    skip "hosts of one family" "no names can be given: $(head -n 1 "$tmp/err")"
    done_testing
}

# one_family HOST ADDRESS NEAR: what there is works, by name and number
one_family()
{
    local command
    for command in "connect both.test:7 -d x" "load both.test:80 --connections 5" "send both.test:81"; do
        # shellcheck disable=SC2086 # words
        expect_status 0 "$1, a name of both, ${command%% *}: status 0" "$TCPWAVE" $command --json
    done
    expect_status 0 "$1, a name of both: status 0" "$TCPWAVE" connect both.test:7 -d x --json
    expect_json verdict peer.addr "$2" "$1, a name of both: leads there"
    serves "$1, listen without an address" "$3" "$TCPWAVE" listen 9001
}

# other_family HOST OPTION NAME NUMBER PATTERN: what there is not is this host's lack
other_family()
{
    local target
    for target in "$2 both.test:7" "$3:7" "$4:7"; do
        # shellcheck disable=SC2086 # words
        expect_status 3 "$1, connect $target: status 3" "$TCPWAVE" connect $target
        expect_line err "$5" "$1, connect $target: says why"
    done
    expect_status 3 "$1, send: status 3" "$TCPWAVE" send "$4:7"
    expect_status 3 "$1, load: status 3" "$TCPWAVE" load "$4:80"
}

# Whether 127.0.0.1 is there makes no difference to anybody but itself.
ip -4 address flush dev near
one_family "IPv6 only" "$far6" "$near6"
other_family "IPv6 only" -4 four.test "$far4" 'no route to 10\.9\.0\.2.*no IPv4 address beside 127\.0\.0\.1'
expect_status 0 "IPv6 only, 127.0.0.1 still is: status 0" "$TCPWAVE" connect 127.0.0.1:7 -d x
expect_status 2 "IPv6 only, -4 and an IPv6 address: usage" "$TCPWAVE" connect -4 "[$far6]:7"
ip -4 address flush dev lo
one_family "IPv6 without 127.0.0.1" "$far6" "$near6"
other_family "IPv6 without 127.0.0.1" -4 four.test "$far4" 'no route to 10\.9\.0\.2.*no IPv4 address$'
for listen in "-4 9001" 0.0.0.0:9001; do
    # shellcheck disable=SC2086 # words
    expect_status 3 "IPv6 without 127.0.0.1, listen $listen: status 3" "$TCPWAVE" listen $listen --timeout 100ms
    expect_line err 'cannot listen over IPv4' "IPv6 without 127.0.0.1, listen $listen: says why"
done
ip address add 127.0.0.1/8 dev lo
ip address add $near4/24 dev near

# Switched off by a value of the kernel's, as is usual.
for place in all near lo; do
    echo 1 >/proc/sys/net/ipv6/conf/$place/disable_ipv6
done
one_family "IPv4 only" "$far4" "$near4"
other_family "IPv4 only" -6 six.test "[$far6]" 'no route to fd09::2.*no IPv6 address$'
expect_status 3 "IPv4 only, ::1: status 3" "$TCPWAVE" connect '[::1]:7'
for listen in "-6 9001" "[::]:9001"; do
    # shellcheck disable=SC2086 # words
    expect_status 3 "IPv4 only, listen $listen: status 3" "$TCPWAVE" listen $listen --timeout 100ms
    expect_line err 'cannot listen over IPv6' "IPv4 only, listen $listen: says why"
done
done_testing
