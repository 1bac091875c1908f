#!/bin/sh
# Measures how many segments a second tcpwave send puts on the wire next to other tools, one after
# the other in the same run, over veth into a namespace that drops them all on arrival. Everything
# is printed and nothing is judged. Tools that are not installed are left out. It takes half a
# minute.
netns_how='-nm -Urnm'
. "$(dirname "$0")/../live/netns.sh"

: "${TCPWAVE:=$PWD/tcpwave}"
rounds=${ROUNDS:-3}

netns_enter "$@" && netns_up || exit 1

peer nft -f - <<'RULES'
table netdev test {
    chain door { type filter hook ingress device far priority 0; policy drop; }
}
RULES
# The next hop's address is set by hand, since no host would answer the question for it.
ip neighbour replace "$far4" lladdr 02:00:00:00:09:02 dev near
ip neighbour replace "$far6" lladdr 02:00:00:00:09:02 dev near

cat >"$tmp/trafgen.cfg" <<EOT
{
    eth(da=02:00:00:00:09:02, sa=02:00:00:00:09:01),
    ipv4(sa=$near4, da=$far4, ttl=64),
    tcp(sp=dinc(30000, 60000), dp=9, seq=drnd(), syn, win=64240)
}
EOT

# What passed, and when: the interface's own count.
passed()
{
    peer python3 -c 'import time; print(time.monotonic_ns(), open("/proc/net/dev").read().split("far:")[1].split()[1])'
}

# rate CMD...: segments a second over two seconds, once it has started; bounded to five in all
rate()
{
    env -C "$tmp" timeout -k 1 5 "$@" >"$tmp/out" 2>&1 </dev/null 9>&- &
    tool=$!
    sleep 0.7
    before=$(passed)
    sleep 2
    after=$(passed)
    kill $tool 2>/dev/null
    wait $tool 2>/dev/null
    echo "$before $after" | awk '{ printf "%d\n", ($4 - $2) * 1e9 / ($3 - $1) }'
}

median()
{
    printf '%s\n' "$@" | sort -n | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'
}

tools='send hping3 masscan trafgen nping send6'
run_tool()
{
    case $1 in
    send) rate "$TCPWAVE" send "$far4:9" -q --rate max --count 4294967295 --timeout 4s ;;
    send6) rate "$TCPWAVE" send "[$far6]:9" -q --rate max --count 4294967295 --timeout 4s ;;
    hping3) rate hping3 --flood -q -S -p 9 "$far4" ;;
    masscan)
        rate masscan 10.9.128.0/17 -p1-60000 --rate 100000000 --wait 0 --adapter near \
            --adapter-ip "$near4" --adapter-mac 02:00:00:00:09:01 --router-mac 02:00:00:00:09:02
        ;;
    trafgen) rate trafgen --dev near --conf "$tmp/trafgen.cfg" --cpus 1 ;;
    nping) rate nping --tcp -q --rate 1000000 -c 100000000 --flags syn -p 9 "$far4" ;;
    esac
}

echo "segments a second into a namespace that drops them (medians of $rounds, one after the other):"
round=0
while [ $round -lt "$rounds" ]; do
    round=$((round + 1))
    for tool_name in $tools; do
        case $tool_name in
        send*) ;;
        *) command -v "$tool_name" >/dev/null || continue ;;
        esac
        eval "got_$tool_name=\"\${got_$tool_name} $(run_tool "$tool_name")\""
    done
done
ours=$(median $got_send)
for tool_name in $tools; do
    eval "got=\$got_$tool_name"
    if [ -z "$got" ]; then
        echo "    ($tool_name is not installed)"
        continue
    fi
    took=$(median $got)
    case $tool_name in
    send) name='tcpwave send' ;;
    send6) name='tcpwave send, IPv6' ;;
    *) name=$tool_name ;;
    esac
    awk "BEGIN { printf \"    %-20s %9d/s; tcpwave send is %.2f of it\\n\", \"$name\", $took, $took ? $ours / $took : 0 }"
done
