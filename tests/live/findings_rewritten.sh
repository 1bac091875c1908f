#!/bin/sh
# Findings about devices on the path that rewrite headers, lose packets or hold them back: with a kernel
# as the peer and such a device between, IPv4 and IPv6. Beside each stands a device that does something
# alike and harmless, and is not told. And what read finds in the captures of these sessions.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/findings_lib.sh"
netns_enter "$@"
need python3
netns_up || exit 1
[ -c /dev/net/tun ] || {
    echo "# there is no /dev/net/tun"
    exit 77
}
here=$(cd "$(dirname "$0")" && pwd)
start_near path - python3 "$here/rewriting_path.py" "$holder"
poll grep -q ready "$tmp/path.log" || exit 1
for end in '0 1 env' '1 2 peer'; do
    set -- $end
    $3 ip -batch - <<END || exit 1
address add 10.7.0.$2/24 dev tun$1
address add fd07::$2/64 dev tun$1 nodad
link set tun$1 txqueuelen 5000 up
END
done
start_peer echo 7018 python3 "$here/peer.py" 7000-7018 echo
head -c 20000 /dev/zero >"$tmp/some"
head -c 100000 /dev/zero >"$tmp/much"

# The sessions run side by side: what the device does, and how much is sent through it and comes back.
port=7000
for way in nothing loses_one loses:much renumbers forgets_sacks acks_moved data_moved lowers_scale removes_scale \
    removes_our_scale clamps_ours:much clamps_theirs:much overtakes:much delays:much quotes misquotes rejects large_lost \
    large_lost_once; do
    case $way in *:*) file=$tmp/${way#*:} ;; *) file=$tmp/some ;; esac
    case $way in
    overtakes* | *_once) limit='--linger 1s --timeout 20' ;; # after disorder more is waited for
    data_moved) limit='--timeout 8' ;; # until it has been repeated three times
    *_lost | *_scale | acks_moved | rejects) limit='--timeout 5' ;;
    *) limit='--timeout 20' ;;
    esac
    session ${way%:*}_4 connect -f "$file" -o "$tmp/got" $limit 10.7.0.2:$port
    session ${way%:*}_6 connect -f "$file" -o "$tmp/got" $limit "[fd07::2]:$port"
    port=$((port + 1))
done

for v in 4 6; do
    ended nothing_$v 0
    finds_nothing "nothing_$v"

    ended forgets_sacks_$v 0 sack-rewritten
    finds_saying sack-rewritten warning likely 'SACK blocks name bytes that we never sent' "forgets_sacks_$v"
    ended renumbers_$v 0
    finds_no sack-rewritten "renumbers_$v"
    finds_no sequence-rewritten "renumbers_$v"
    ended loses_one_$v 0
    finds_no sack-rewritten "loses_one_$v"

    ended acks_moved_$v 1 sequence-rewritten
    finds_saying sequence-rewritten problem likely 'acknowledge bytes that we never sent' "acks_moved_$v"
    read_it acks_moved_$v
    finds_no loss "acks_moved_$v, read: the peer has it all"
    ended data_moved_$v 1 sequence-rewritten
    finds_saying sequence-rewritten problem likely 'begins 5,000 bytes beyond its SYN-ACK' "data_moved_$v"
    finds_no never-retransmits "data_moved_$v"
    ended misquotes_$v 0
    finds_saying sequence-rewritten info likely 'an ICMP error quotes a sequence number' "misquotes_$v"
    ended quotes_$v 0
    finds_no sequence-rewritten "quotes_$v"
    finds_no icmp-error "quotes_$v: the peer was heard after it"

    ended rejects_$v 8 icmp-error
    finds icmp-error problem proved "rejects_$v"

    for how in lower remove; do
        ended ${how}s_scale_$v 1 window-scale-rewritten
        finds window-scale-rewritten problem likely "${how}s_scale_$v"
        finds_no window-closed "${how}s_scale_$v: the peer's application is not blamed"
        expect_line out "\"verdict\":\"failed\".*probably, the peer's SYN-ACK offered a window of [0-9,]+ bytes and its next segment takes most of that back: a device on the way has ${how%e}ed the window scale" \
            "${how}s_scale_$v: the last line says so"
    done
    ended removes_our_scale_$v 0
    finds_no window-scale-rewritten "removes_our_scale_$v"

    ended clamps_ours_$v 0
    finds_saying mss-clamped info likely 'full segments have 988 bytes, though both sides. MSS allows 14[24]8' "clamps_ours_$v"
    ended clamps_theirs_$v 0
    finds_no mss-clamped "clamps_theirs_$v"

    ended overtakes_$v 0
    finds_saying reordered info likely "segments? of the peer's w[a-z]* overtaken" "overtakes_$v"
    finds_no timestamps-backwards "overtakes_$v"
    finds_no duplicated "overtakes_$v"
    read_it overtakes_$v loss # where the retransmission came first
    finds_in_flow reordered info likely "overtakes_$v"
    ended delays_$v 0
    finds_no reordered "delays_$v"
    read_it delays_$v
    finds_no reordered "delays_$v, read"
    finds_no loss "delays_$v, read"
    ended loses_$v 0
    finds_no reordered "loses_$v"
    read_it loses_$v loss
    finds_in_flow loss warning likely "loses_$v"

    ended large_lost_$v 1 black-hole
    finds_saying black-hole problem likely 'large packets vanish on the way here.*: [0-9.,]+ (KiB|bytes) are missing' "large_lost_$v"
    ended large_lost_once_$v 0
    finds_no black-hole "large_lost_once_$v"
done
check "the device goes on" kill -0 "$pid_path"
done_testing
