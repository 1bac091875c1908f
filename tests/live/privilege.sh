#!/bin/sh
# Checks which privileges remain, and which user owns the files. It needs root in the machine's
# initial user namespace, since it takes a second user.
. "$(dirname "$0")/lib.sh"
[ -n "${TCPWAVE_GROUND:-}" ] || [ "$(id -u)" = 0 ] || {
    echo "# needs root, to act as a second user"
    exit 77
}
netns_how=-nm
netns_enter "$@"
need ncat python3 setcap setpriv
netns_up || exit 1

user=65534
here=$(cd "$(dirname "$0")" && pwd)
chmod 711 "$tmp"
mkdir "$tmp/home"
chown $user "$tmp/home"
start_peer echo 7 python3 "$here/peer.py" 7 echo
start_peer hold 7001 python3 "$here/peer.py" 7001 hold


# A binary that has one capability, run by a user without any.
cp "$TCPWAVE" "$tmp/tcpwave"
chmod 755 "$tmp/tcpwave"
if setcap cap_net_raw+ep "$tmp/tcpwave" 2>/dev/null; then
    for target in "$far4:7" "[$far6]:7"; do
        expect_status 0 "cap_net_raw alone, $target: open" \
            setpriv --reuid $user --regid $user --clear-groups "$tmp/tcpwave" \
            connect --json "$target" -d x --timeout 30
        expect_json verdict received_bytes 1 "cap_net_raw alone, $target: the echo came"
    done
else
    skip "cap_net_raw alone" "capabilities cannot be set on files here"
fi
cp "$TCPWAVE" "$tmp/plain"
chmod 755 "$tmp/plain"
expect_status 3 "no capability: status 3" \
    setpriv --reuid $user --regid $user --clear-groups "$tmp/plain" connect "$far4:7"
expect_line err 'setcap cap_net_raw\+ep' "no capability: says how to get it"

# Under sudo the work is done as the user who called.
expect_status 0 "sudo: open" env SUDO_UID=$user SUDO_GID=$user SUDO_USER=nobody \
    "$TCPWAVE" connect "$far4:7" -d x -o "$tmp/home/out" --pcap "$tmp/home/capture.pcapng" --timeout 30
for file in out capture.pcapng; do
    check "sudo: $file is the user's" test "$(stat -c %u "$tmp/home/$file")" = $user
done
expect_status 3 "sudo: what the user may not write is not written" env SUDO_UID=$user SUDO_GID=$user \
    "$TCPWAVE" connect "$far4:7" -d x -o "$tmp/forbidden" --timeout 30
check "sudo: and was not created" test ! -e "$tmp/forbidden"

background "$tmp/held" "$tmp/err" env SUDO_UID=$user SUDO_GID=$user \
    "$TCPWAVE" connect --json "$far4:7001" --hold 100s
held=$run
poll grep -q '"to":"ESTABLISHED"' "$tmp/held"
check "sudo: it runs as the user" grep -q "^Uid:[[:space:]]$user[[:space:]]$user[[:space:]]$user[[:space:]]$user" /proc/$held/status
check "sudo: in the user's group" grep -q "^Gid:[[:space:]]$user[[:space:]]$user[[:space:]]$user[[:space:]]$user" /proc/$held/status
for set in CapInh CapPrm CapEff; do
    check "sudo: $set is empty" grep -q "^$set:[[:space:]]*0*$" /proc/$held/status
done
kill $held
wait $held

done_testing
