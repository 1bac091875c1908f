#!/bin/sh
# Checks what tcpwave send puts on the wire, as tshark decodes it: every option alone, and 200
# random combinations. SEED=n repeats those of an earlier run.
. "$(dirname "$0")/lib.sh"
netns_enter "$@"
need python3 tshark
netns_up || exit 1

here=$(cd "$(dirname "$0")" && pwd)
seed=${SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
note "SEED=$seed"
fields="$here/send_fields.py"
export TCPWAVE

# Nothing answers: it is the sending that is looked at here.
peer nft -f - <<'RULES'
table inet test {
    chain silence {
        type filter hook prerouting priority -400;
        meta l4proto tcp drop
        exthdr frag exists drop
        ip frag-off & 0x3fff != 0 drop
    }
}
RULES
start_peer record - python3 "$here/record.py" far "$tmp/far.pcap"
poll grep -q recording "$tmp/record.log"
python3 "$fields" run "$seed" "$tmp" "$far4:9" "[$far6]:9"
# A last segment, after which all the others have been recorded.
"$TCPWAVE" send "$far4:9" -q --wait 1us --source-port 19999
recorded()
{
    tshark -r "$tmp/far.pcap" -Y 'tcp.srcport == 19999' 2>/dev/null | grep -q .
}
poll recorded
stop record
python3 "$fields" judge "$seed" "$tmp" "$far4:9" "[$far6]:9" >"$tmp/judged"
while read -r verdict name; do
    case $verdict in
    ok) pass "$name" ;;
    *) fail "$name" ;;
    esac
done <"$tmp/judged"
check "every case was judged" test "$(wc -l <"$tmp/judged")" = "$(wc -l <"$tmp/asked")"
done_testing
