#!/bin/sh
# Findings about the peer and the path, each tripped by a kernel's TCP with IPv4 and IPv6: what its
# application does, and what a firewall before it does to segments. The same sessions without that
# come first, and have none.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/findings_lib.sh"
netns_enter "$@"
need nft python3
netns_up || exit 1
here=$(cd "$(dirname "$0")" && pwd)
port=7
for habit in echo stay hold leave tire close; do
    start_peer $habit $port python3 "$here/peer.py" $port $habit
    port=$((port + 1))
done
head -c 4000000 /dev/zero >"$tmp/zeros"

# silent_about TEXT NAME: one case: no finding has that in its code
silent_about()
{
    check "$2: nothing is found about it" sh -c "! grep -q '\"code\":\"[a-z-]*$1' '$tmp/out'"
}

# filter HOOK RULE [RULE]: what the peer gets (input) or sends (output) is filtered there
filter()
{
    peer nft -f - <<RULES
table inet test {
    chain filter {
        type filter hook $1 priority 0;
        $2
        ${3:-}
    }
}
RULES
}

unfilter()
{
    peer nft flush ruleset
}

# Whether the peer closed within 20 ms, which it does not where others have this machine's processors.
closed_in_time()
{
    python3 - "$tmp/out" <<'END'
import json, sys
times = {}
for line in open(sys.argv[1], encoding="utf-8"):
    e = json.loads(line)
    if e["event"] == "segment" and e["dir"] == "in":
        times.setdefault("SYN" if "S" in e["flags"] else "FIN" if "F" in e["flags"] else "", e["time"])
sys.exit(not times.get("FIN", 9) - times["SYN"] < 0.02)
END
}

for target in "$far4" "[$far6]"; do
    case $target in *:*) bare=72 ;; *) bare=52 ;; esac # bytes of an ACK with timestamps
    provoke '' 0 "$target: a plain session" connect -d hello "$target:7"
    provoke '' 0 "$target: one that is probed" keepalive --idle 1 --interval 1 --count 3 --for 2500ms "$target:7"
    finds_nothing "$target"

    provoke window-closed 1 "$target: it does not read" connect -f "$tmp/zeros" --timeout 4 "$target:9"
    finds window-closed problem proved "$target: it does not read"

    findings=closed-at-once
    for attempt in 1 2 3 4 5 6 7 8 9 10; do
        try "$TCPWAVE" connect --hold 300ms "$target:10" --json
        [ $status != 0 ] || closed_in_time && break
    done
    findings=
    check "$target: it closes at once: ends with 0" test $status = 0
    if closed_in_time; then
        finds closed-at-once warning likely "$target: it closes at once"
    else
        skip "$target: it closes at once" "it took more than 20 ms in each of $attempt runs"
    fi
    silent_about -when-idle "$target: it closes at once"

    provoke reset-when-idle 7 "$target: it resets what is silent" keepalive --idle 30 --for 9 "$target:11"
    finds reset-when-idle problem proved "$target: it resets what is silent"
    expect_json verdict keepalive.longest_silence 0.0 "$target: that silence was not survived"
    provoke '' 0 "$target: it closes what is silent" keepalive --idle 30 --for 9 "$target:12"
    finds closed-when-idle info proved "$target: it closes what is silent"
    provoke '' 0 "$target: it would, and we close first" keepalive --idle 30 --for 1 "$target:12"
    silent_about -when-idle "$target: it would, and we close first"

    filter output 'tcp sport 7 tcp flags & (syn|rst) == 0 reset tcp option timestamp'
    provoke timestamps-missing 0 "$target: its timestamps are stripped" connect -d hello "$target:7"
    finds timestamps-missing warning proved "$target: its timestamps are stripped"
    unfilter

    filter output 'tcp sport 7 tcp flags & syn == 0 tcp option timestamp tsval set 1000000000' \
        'tcp sport 7 tcp flags & syn != 0 tcp option timestamp tsval set 2000000000'
    provoke timestamps-backwards 1 "$target: its clock goes back" connect -d hello --timeout 3 "$target:7"
    finds timestamps-backwards problem likely "$target: its clock goes back"
    unfilter

    filter input 'tcp dport 7 tcp option timestamp exists tcp flags & syn != 0 drop'
    provoke old-timestamp-dropped 0 "$target: SYNs with timestamps are dropped" connect -d hello "$target:7"
    finds old-timestamp-dropped warning likely "$target: SYNs with timestamps are dropped"
    unfilter

    filter input "tcp dport 8 tcp flags & (fin|syn|rst|psh|ack) == ack meta length <= $bare drop"
    provoke deaf-to-probes 0 "$target: probes are dropped" \
        keepalive -d x --idle 1 --interval 1 --count 3 --for 4500ms "$target:8"
    finds deaf-to-probes warning likely "$target: probes are dropped"
    unfilter
done
done_testing
