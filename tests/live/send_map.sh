#!/bin/sh
# Checks each row of the table that maps options of hping3 and nping to ours: runs both commands,
# and compares the fields on the wire.
. "$(dirname "$0")/lib.sh"
netns_enter "$@"
need nft python3 tshark
netns_up || exit 1

here=$(cd "$(dirname "$0")" && pwd)
export TCPWAVE
peer nft -f - <<'RULES'
table inet test {
    chain silence {
        type filter hook prerouting priority -400;
        tcp dport 19999 accept
        meta l4proto tcp drop
        ip frag-off & 0x3fff != 0 drop
    }
}
RULES
start_peer record - python3 "$here/record.py" far "$tmp/far.pcap"
poll grep -q recording "$tmp/record.log"
python3 "$here/send_map.py" run "$here/send_map.tsv" "$tmp" "$near4" "$near6" "$far4" "$far6"
"$TCPWAVE" send "$far4:19999" -q
recorded()
{
    tshark -r "$tmp/far.pcap" -Y 'tcp.dstport == 19999' 2>/dev/null | grep -q .
}
poll recorded
stop record
python3 "$here/send_map.py" judge "$here/send_map.tsv" "$tmp" >"$tmp/judged"
while read -r verdict name; do
    case $verdict in
    ok) pass "$name" ;;
    skip) skip "${name%: *}" "${name##*: }" ;;
    *) fail "$name" ;;
    esac
done <"$tmp/judged"
done_testing
