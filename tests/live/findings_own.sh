#!/bin/sh
# Findings about this host's own doing, over IPv4 and IPv6: what was impaired or misbehaved on purpose,
# and segments that an offload joined. Beside each stands a run without it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/findings_lib.sh"
netns_enter "$@"
need python3
netns_up || exit 1
here=$(cd "$(dirname "$0")" && pwd)
start_peer echo 7 python3 "$here/peer.py" 7 echo
head -c 200000 /dev/zero >"$tmp/zeros"

for target in "$far4" "[$far6]"; do
    provoke '' 0 "$target: a rule that drops data" connect -d hello --impair 'out:data#1 drop' "$target:7"
    finds_saying impaired info proved '1 segment was impaired on purpose' "$target: a rule that drops data"
    finds_no impairment-unused "$target: a rule that drops data"
    finds_no own-preset "$target: a rule that drops data"
    provoke impairment-unused 0 "$target: a rule that meets nothing" connect -d hello --impair 'out:data#9 drop' "$target:7"
    finds_saying impairment-unused warning proved 'the rule `out:data#9 drop` never matched' "$target: a rule that meets nothing"
    finds_no impaired "$target: a rule that meets nothing"
    provoke '' 0 "$target: a preset" connect --preset duplicate-everything "$target:7"
    finds_saying own-preset info proved 'misbehaved on purpose .--preset duplicate-everything' "$target: a preset"

    provoke '' 0 "$target: what comes was joined" connect -f "$tmp/zeros" -o "$tmp/got" "$target:7"
    finds_saying offload-merged info likely 'larger than the MSS: an offload of this host joined' "$target: what comes was joined"
    peer ip link set far gso_max_segs 1
    provoke '' 0 "$target: each segment is a packet" connect -f "$tmp/zeros" -o "$tmp/got" "$target:7"
    finds_no offload-merged "$target: each segment is a packet"
    peer ip link set far gso_max_segs 65535
done
done_testing
