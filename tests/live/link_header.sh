#!/bin/sh
# --pcap keeps the header of the link where the link has one: tshark sees both sides' Ethernet
# addresses, with every command, over IPv4 and IPv6. Over lo and tun packets are raw IP, and a file
# with packets of several links has an interface block for each kind.
. "$(dirname "$0")/lib.sh"
netns_enter "$@"
need tshark ncat tcpdump
netns_up || exit 1
here=$(cd "$(dirname "$0")" && pwd)
start_peer echo 7 ncat -lk 7 --exec /bin/cat

# sources_tshark FILE: the link-layer addresses of each side's packets; none where these have no header
sources_tshark()
{
    tshark -r "$1" -T fields -e eth.src -e eth.dst -e ip.src -e ipv6.src 2>/dev/null | by_side
}

# sources_tcpdump: the same of what reads() has left
sources_tcpdump()
{
    sed -E 's/^[^ ]+ //
        s/^ip6?: /none > none, ip length 0: /
        s/^([^ ]+) > ([^ ]+), .* length [0-9]+: ([^ ]+)\.[0-9]+ > .*/\1\t\2\t\3/' "$tmp/dump" | by_side
}

by_side()
{
    sed "s/^\t\t/none none /; s/$near_mac/near/g; s/$far_mac/far/g" |
        awk -v four=$near4 -v six=$near6 '
            { side = ($3 == four || $3 == six) ? "ours" : "theirs"; print side, $1, $2 }' | sort -u |
        tr '\n' ';'
}

both='ours near far;theirs far near;'
bare='ours none none;theirs none none;'

# As root, tcpdump would become a user who is not known here.
reads()
{
    unshare -U tcpdump -enr "$1" >"$tmp/dump" 2>"$tmp/dump.err"
}

# keeps WANTED NAME FILE [READER]: tshark takes a third of a second for each file, and tcpdump reads it
# anyway; so tshark is asked about one file of each kind, and tcpdump about the rest
keeps()
{
    check "$2: tcpdump reads it" reads "$3"
    seen=$(sources_${4:-tshark} "$3")
    check "$2" test "$seen" = "$1"
    [ "$seen" = "$1" ] || note "$seen"
}

# reader OPTION...: which of them, of a command with these options
reader()
{
    [ -z "$*" ] && echo tshark || echo tcpdump
}

for target in "$far4" "[$far6]"; do
    for file in a.pcapng a.pcap; do
        for more in '' '-i near' '-q'; do
            expect_status 0 "connect $more --pcap $file $target" \
                "$TCPWAVE" connect $more -d hello --pcap "$tmp/$file" "$target:7"
            keeps "$both" "connect $more --pcap $file $target: the link's header" "$tmp/$file" $(reader $more)
        done
    done
    expect_status 0 "send --pcap $target" "$TCPWAVE" send --flags S --pcap "$tmp/send.pcapng" "$target:7"
    keeps "$both" "send $target: the link's header" "$tmp/send.pcapng"
    expect_status 0 "load --pcap $target" \
        "$TCPWAVE" load --connections 20 -d x --pcap "$tmp/load.pcapng" "$target:7"
    seen=$(sources_tshark "$tmp/load.pcapng")
    case $seen in
    *'theirs far near;') pass "load $target: the link's header" ;;
    *) fail "load $target: the link's header"; note "$seen" ;;
    esac
done

# Clients of the peer's kernel.
for more in '' '-i near'; do
    for at in "0.0.0.0 $near4" "[::] $near6"; do
        rm -f "$tmp/listen.pcapng"
        listen_begin "$TCPWAVE" listen $more --json --echo --connections 1 --timeout 60 \
            --pcap "$tmp/listen.pcapng" "${at% *}:9000"
        echo hello | peer timeout 40 ncat -w 30 "${at#* }" 9000 >"$tmp/got"
        check "listen $more, ${at#* }: the client has its echo" grep -q hello "$tmp/got"
        listen_end
        keeps "$both" "listen $more, ${at#* }: the link's header" "$tmp/listen.pcapng" $(reader $more)
    done
done

start_near echo_near 8 ncat -lk 8 --exec /bin/cat
for target in 127.0.0.1 '[::1]' "$near4"; do
    expect_status 0 "connect over lo, $target" "$TCPWAVE" connect -d hello --pcap "$tmp/lo.pcapng" "$target:8"
    check "over lo, $target: raw IP" sh -c "tshark -r '$tmp/lo.pcapng' -T fields -e frame.encap_type 2>/dev/null | sort -u | grep -qx 7"
    check "over lo, $target: tcpdump reads it" reads "$tmp/lo.pcapng"
done

# Clients by two kinds of links: each packet has what its link has.
listen_begin "$TCPWAVE" listen --json --echo --connections 2 --timeout 60 --pcap "$tmp/two.pcapng" 9001
echo hello | timeout 40 ncat -w 30 127.0.0.1 9001 >"$tmp/got"
echo hello | peer timeout 40 ncat -w 30 $near4 9001 >"$tmp/got"
listen_end
keeps_two()
{
    tshark -r "$tmp/two.pcapng" -T fields -e frame.encap_type -e ip.src 2>/dev/null | sort -u | tr '\t\n' ' ;'
}
seen=$(keeps_two)
check "two kinds of links in one file" test "$seen" = "1 $near4;1 $far4;7 127.0.0.1;"
[ "$seen" = "1 $near4;1 $far4;7 127.0.0.1;" ] || note "$seen"

done_testing
