#!/bin/sh
# Findings about a peer that breaks a rule of TCP, tripped by a raw peer, IPv4 and IPv6, and by a burst
# that is larger than the capture's buffer. Beside each stands what looks alike and breaks no rule.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/findings_lib.sh"
netns_enter "$@"
need nft python3
netns_up || exit 1
here=$(cd "$(dirname "$0")" && pwd)
peer nft -f - <<'RULES' || exit 1
table inet silent {
    chain out {
        type filter hook output priority 0
        tcp sport 8000-8099 drop
    }
}
RULES
start_peer raw - python3 "$here/raw_peer.py" far $far4 $far6 "$tmp/go"
poll grep -q ready "$tmp/raw.log" || exit 1

# both NAME PORT ARGUMENT...: a session over IPv4 and one over IPv6
both()
{
    local name=$1 port=$2
    shift 2
    session "${name}_4" connect "$@" "$far4:$port"
    session "${name}_6" connect "$@" "[$far6]:$port"
}
both plain 8000 -d x
both defers 8001 --hold 2 --close=abort
both defers_data 8001 -d x
both misses_one_ack 8002 --hold 1500ms
both ignores_fin 8003 -d x --timeout 8
both fin_late 8004 -d x
both never_repeats 8005 -d x --hold 6 --timeout 8
both repeats_late 8006 -d x --hold 6
both repeats_needlessly 8007 -d x --hold 2600ms
both repeats_once 8008 -d x --hold 1s
both overruns 8009 -d x --linger 1s
both fills 8010 -d x --linger 1s
both forgets 8011 -d hello --timeout 4
both two_resets 8012 -d x

for v in 4 6; do
    ended plain_$v 0
    finds_nothing "plain_$v"

    ended defers_$v 0
    finds_saying deferred-accept info likely 'repeats its SYN-ACK after our ACK: it waits for data' "defers_$v"
    finds_no accept-queue-full "defers_$v"
    ended defers_data_$v 0
    finds_no deferred-accept "defers_data_$v"
    finds_no accept-queue-full "defers_data_$v"
    ended misses_one_ack_$v 0
    finds_no deferred-accept "misses_one_ack_$v"

    ended ignores_fin_$v 1 fin-ignored
    finds fin-ignored problem proved "ignores_fin_$v"
    expect_line out '"verdict":"failed".*: the peer answers and does not acknowledge our FIN, though we repeated it' "ignores_fin_$v: the last line says so"
    ended fin_late_$v 0
    finds_no fin-ignored "fin_late_$v"

    ended never_repeats_$v 1 never-retransmits
    finds never-retransmits problem likely "never_repeats_$v"
    expect_line out '"verdict":"failed".*probably, the peer did not repeat 1,000 bytes that never came, though we asked for them and it went on speaking for [5-9]' "never_repeats_$v: the last line says so"
    finds_no black-hole "never_repeats_$v"
    ended repeats_late_$v 0
    finds_no never-retransmits "repeats_late_$v"

    ended repeats_needlessly_$v 0
    finds_saying retransmits-needlessly info likely 'the peer repeated [3-9] segments long after we had acknowledged them' "repeats_needlessly_$v"
    read_it repeats_needlessly_$v
    finds_in_flow retransmits-needlessly info likely "repeats_needlessly_$v"
    ended repeats_once_$v 0
    finds_no retransmits-needlessly "repeats_once_$v"
    read_it repeats_once_$v
    finds_no retransmits-needlessly "repeats_once_$v, read"

    ended overruns_$v 0 window-overrun
    finds_saying window-overrun warning proved 'the peer sent data beyond the window that we had offered' "overruns_$v"
    ended fills_$v 0
    finds_no window-overrun "fills_$v"

    ended forgets_$v 1 challenge-storm
    finds challenge-storm problem likely "forgets_$v"
    expect_line out '"verdict":"failed".*probably, [0-9]+ RSTs, SYNs or ACKs that do not fit' "forgets_$v: the last line says so"
    ended two_resets_$v 0
    finds_no challenge-storm "two_resets_$v"
done

# The processes are stopped while the peer sends more than the buffer holds, or less.

all_sent()
{
    test "$(grep -c sent "$tmp/raw.log")" = 4
}

stopped=
for v in 4 6; do
    [ $v = 4 ] && target=$far4 || target=[$far6]
    for name in burst small_burst; do
        [ $name = burst ] && port=8013 || port=8014
        background "$tmp/${name}_$v.out" "$tmp/${name}_$v.err" "$TCPWAVE" connect -d x --hold 1s --linger 1s \
            --window 32M --json "$target:$port"
        eval "session_${name}_$v=$run"
        stopped="$stopped $run"
        poll grep -q '"length":1,' "$tmp/${name}_$v.out"
        kill -STOP $run
    done
done
: >"$tmp/go"
check "the bursts are sent" poll all_sent
kill -CONT $stopped
for v in 4 6; do
    ended burst_$v 0 capture-loss
    finds_saying capture-loss warning proved 'our own capture lost [0-9,]+ frames because its buffer was full' "burst_$v"
    finds_no reordered "burst_$v: the path is not blamed"
    ended small_burst_$v 0
    finds_no capture-loss "small_burst_$v"
done
check "the peer has not died" kill -0 "$pid_raw"
done_testing
