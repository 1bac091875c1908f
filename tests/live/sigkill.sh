#!/bin/sh
# Checks SIGKILL at any moment: nothing of tcpwave remains on the host, the files that it had
# written can be read, and the next run on the same port ends as it should. SEED in the environment
# repeats the moments of a run; RUNS is the number of runs to kill.
. "$(dirname "$0")/lib.sh"
netns_enter "$@"
need nft python3 tcpdump tshark
netns_up || exit 1

here=$(cd "$(dirname "$0")" && pwd)
runs=${RUNS:-120}
seed=${SEED:-$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')}
note "seed $seed: SEED=$seed repeats the moments"

# The tool runs in the peer's namespace, where no other program runs, so that all that is found there
# belongs to it. The namespace goes away with the peer's processes. A copy of the program distinguishes
# its processes from those of other tests.
cp "$TCPWAVE" "$tmp/tcpwave"
mkdir "$tmp/run" "$tmp/run/cwd" "$tmp/run/tmp"
for place in /var/tmp /dev/shm; do
    mount -t tmpfs none $place 2>/dev/null && elsewhere="${elsewhere:-} $place"
done
peer nft -f - <<'RULES' || exit 1
table inet owner {
    chain in {
        type filter hook input priority 0
        tcp dport 9 counter drop
    }
}
RULES

start_near echo 7 python3 "$here/peer.py" 7 echo
start_near sort 71 python3 "$here/peer.py" 71 sort
start_near discard 80 python3 "$here/counter.py" 80 discard
start_near client - python3 "$here/sigkill.py" client $far4 6004

# What sigkill.py judges is a line each: pass, fail or note, and the text.
judge()
{
    while read -r verb text; do
        $verb "$text"
    done <"$tmp/judged"
}

TMPDIR="$tmp/run/tmp" peer python3 "$here/sigkill.py" random "$tmp/tcpwave" "$tmp/run/cwd" $near4 $near6 \
    "$seed" "$runs" ${elsewhere:-} >"$tmp/judged" 2>"$tmp/err" || {
    fail "the runs could be made"
    note "$(cat "$tmp/err")"
}
judge

# At each of its writes to the file in turn, which are what may leave it half done.
if strace -qq -o "$tmp/strace" -e trace=write true 2>"$tmp/err"; then
    TMPDIR="$tmp/run/tmp" peer python3 "$here/sigkill.py" writes "$tmp/tcpwave" "$tmp/run/cwd" $near4 \
        >"$tmp/judged" 2>"$tmp/err" || {
        fail "killed at each write in turn"
        note "$(cat "$tmp/err")"
    }
    judge
else
    skip "killed at each write in turn" "strace is not here, or may not trace: $(head -n 1 "$tmp/err")"
fi

check "no interface of the peer's was left promiscuous" \
    sh -c "! nsenter -t $holder -n ip -d link show far | grep -q 'promiscuity [1-9]'"
# The link goes with the last namespace that it leads to.
gone()
{
    ! ip link show near
}
exec 9>&-
check "the namespace that the runs were in goes with its last process" poll gone
done_testing
