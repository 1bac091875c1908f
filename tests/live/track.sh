#!/bin/sh
# Compares what the tracker says about the peer with the peer's own kernel, step by step. What is
# proved must be true. What is assumed may be wrong only where this test had the segment lost.
#
# Both sides are idle between two steps: the peer does only what the test tells it to do, and our
# own side sends what the test writes to a FIFO, and its FIN when the FIFO is closed.
. "$(dirname "$0")/lib.sh"
netns_enter "$@"
need nft python3 ss
netns_up || exit 1

here=$(cd "$(dirname "$0")" && pwd)
port=6500

mkfifo "$tmp/orders" "$tmp/deferred"
start_peer puppet 60 python3 "$here/scripted_peer.py" 60 "$tmp/orders"
start_peer defer 61 python3 "$here/scripted_peer.py" 61 "$tmp/deferred" defer

# Rules are added here for as long as a scenario wants segments lost.
peer nft -f - <<'EOF'
table inet test {
    chain lose { type filter hook input priority 0; }
}
EOF

# lose FLAGS: what we send with exactly these flags is lost; push aside, which says nothing
lose()
{
    peer nft add rule inet test lose tcp sport "$port" "tcp flags & (fin | syn | rst | ack) == $1" drop
}

find()
{
    peer nft flush chain inet test lose
}

# order WHAT [TEXT]: the peer does that with the connection of now
order()
{
    local what=$1
    shift
    echo "$what $port" "$@" >"$tmp/orders"
}

# begin COMMAND TARGET ARGUMENT...: from a port of its own, with fd 7 for what it is to send
begin()
{
    local command=$1 target=$2
    shift 2
    port=$((port + 1))
    rm -f "$tmp/ours"
    mkfifo "$tmp/ours"
    : >"$tmp/out"
    timeout -k 5 60 "$TCPWAVE" "$command" --json "$target" -p $port "$@" \
        >"$tmp/out" 2>"$tmp/err" <"$tmp/ours" 9>&- &
    ours=$!
    pids="$pids $ours"
    exec 7>"$tmp/ours"
}

speak()
{
    echo "$*" >&7
}

hush()
{
    exec 7>&-
}

over()
{
    hush
    wait $ours 2>/dev/null
}

# The state that the peer's kernel says the connection is in.
kernel()
{
    set -- $(peer ss -Htan "dport = :$port")
    case ${1:-none} in
    ESTAB) echo ESTABLISHED ;;
    SYN-RECV) echo SYN_RECEIVED ;;
    *) echo "${1:-none}" | tr - _ ;;
    esac
}

# The tracker's last word: state and certainty.
word()
{
    sed -n 's/.*"event":"state".*"side":"peer".*"to":"\([A-Z_0-9]*\)","certainty":"\([a-z]*\)".*/\1 \2/p' "$tmp/out" |
        tail -n 1
}

reached()
{
    [ "$(kernel)" = "$1" ] && [ "$(word)" = "$2 $3" ]
}

# step NAME KERNEL WORD CERTAINTY [lost]: the kernel and the tracker come to say this. A connection
# that its kernel knows no more is CLOSED, or LISTEN again.
step()
{
    local name="$family: $1" said
    case $2/$3 in
    none/CLOSED | none/LISTEN) said=agree ;;
    *) [ "$2" = "$3" ] && said=agree || said=differ ;;
    esac
    if [ $said = differ ] && [ "$4/${5:-}" != assumed/lost ]; then
        fail "$name: a difference that must not be"
    elif poll reached "$2" "$3" "$4"; then
        pass "$name: kernel $2, tracker $3 $4"
    else
        fail "$name: kernel $2, tracker $3 $4"
        note "kernel $(kernel), tracker $(word)"
        show_try
    fi
}

# told NAME STATE CERTAINTY: it was said on the way, too quickly gone to be met by a step
told()
{
    check "$family: $1: $2 $3 on the way" poll grep -q "\"side\":\"peer\".*\"to\":\"$2\",\"certainty\":\"$3\"" "$tmp/out"
}

closes_second()
{
    begin halfclose "$1:60" -f - --linger 50
    step "closes second: handshake" ESTABLISHED ESTABLISHED assumed
    speak hello
    step "closes second: our data" ESTABLISHED ESTABLISHED proved
    order send hello
    step "closes second: its data" ESTABLISHED ESTABLISHED proved
    hush
    step "closes second: our FIN" CLOSE_WAIT CLOSE_WAIT proved
    order send more
    step "closes second: its data after our FIN" CLOSE_WAIT CLOSE_WAIT proved
    order fin
    step "closes second: its FIN" none CLOSED assumed
    over
}

closes_first()
{
    begin halfclose "$1:60" -f -
    speak hello
    step "closes first: our data" ESTABLISHED ESTABLISHED proved
    order fin
    step "closes first: its FIN" FIN_WAIT_2 FIN_WAIT_2 assumed
    speak more
    step "closes first: our data after its FIN" FIN_WAIT_2 FIN_WAIT_2 proved
    hush
    step "closes first: our FIN" TIME_WAIT TIME_WAIT proved
    over
}

closes_first_unread()
{
    begin connect "$1:60" -f - --close=passive
    speak hello
    step "closes for good: our data" ESTABLISHED ESTABLISHED proved
    order close
    step "closes for good: its FIN" FIN_WAIT_2 FIN_WAIT_2 assumed
    speak more
    step "closes for good: RST answers our data" none CLOSED proved
    over
}

never_closes()
{
    begin halfclose "$1:60" -f - --linger 2s
    speak hello
    step "never closes: our data" ESTABLISHED ESTABLISHED proved
    hush
    step "never closes: our FIN" CLOSE_WAIT CLOSE_WAIT proved
    step "never closes: our RST" none CLOSED assumed
    over
}

resets()
{
    begin connect "$1:60" -f - --close=passive
    step "resets at once: handshake" ESTABLISHED ESTABLISHED assumed
    order reset
    step "resets at once: its RST" none CLOSED assumed
    over
    begin connect "$1:60" -f - --close=passive
    speak hello
    step "resets: our data" ESTABLISHED ESTABLISHED proved
    order reset
    step "resets: its RST" none CLOSED proved
    over
    begin halfclose "$1:60" -f - --linger 50
    speak hello
    hush
    step "resets: our FIN" CLOSE_WAIT CLOSE_WAIT proved
    order reset
    step "resets: its RST after our FIN" none CLOSED proved
    over
}

leaves_with_rst()
{
    begin connect "$1:60" -f - --close=abort
    speak hello
    step "we abort: our data" ESTABLISHED ESTABLISHED proved
    hush
    step "we abort: our RST" none CLOSED assumed
    over
}

no_ack()
{
    begin connect "$1:60" --no-ack --timeout 5s
    step "no third ACK: SYN-ACK" SYN_RECEIVED SYN_RECEIVED proved
    check "$family: no third ACK: the SYN-ACK is repeated" poll grep -q '"flags":"S\.".*"retransmission":true' "$tmp/out"
    step "no third ACK: SYN-ACK repeated" SYN_RECEIVED SYN_RECEIVED proved
    over
}

verified()
{
    begin halfclose "$1:60" -f - --verify
    step "verified: handshake" ESTABLISHED ESTABLISHED assumed
    order send hello
    step "verified: its data" ESTABLISHED ESTABLISHED proved
    order fin
    step "verified: its FIN" FIN_WAIT_2 FIN_WAIT_2 assumed
    speak hello
    step "verified: our data" FIN_WAIT_2 FIN_WAIT_2 proved
    over
    begin halfclose "$1:60" -f - --verify --linger 50
    speak hello
    hush
    step "verified: our FIN" CLOSE_WAIT CLOSE_WAIT proved
    order fin
    step "verified: its FIN, our ACK and a probe of what is left" none CLOSED proved
    over
    begin connect "$1:60" -f - --verify --linger 50
    speak hello
    hush
    step "connect verifies: our FIN" CLOSE_WAIT CLOSE_WAIT proved
    order fin
    step "connect verifies: what is left" none CLOSED proved
    over
    begin keepalive "$1:60" -f - --verify --for 500ms --linger 50
    speak hello
    step "keepalive verifies: our FIN" CLOSE_WAIT CLOSE_WAIT proved
    order fin
    step "keepalive verifies: what is left" none CLOSED proved
    over
}

loses_third_ack()
{
    port=$((port + 1)) && lose ack && port=$((port - 1))
    begin connect "$1:60" -f - --close=passive
    step "third ACK lost" SYN_RECEIVED ESTABLISHED assumed lost
    told "third ACK lost: SYN-ACK repeated" SYN_RECEIVED proved
    find
    step "third ACK arrives at last" ESTABLISHED ESTABLISHED assumed
    speak hello
    step "third ACK was lost: data" ESTABLISHED ESTABLISHED proved
    order reset
    over
}

loses_our_fin()
{
    begin halfclose "$1:60" -f - --linger 50
    speak hello
    step "our FIN lost: before" ESTABLISHED ESTABLISHED proved
    lose 'fin | ack'
    hush
    step "our FIN lost" ESTABLISHED CLOSE_WAIT assumed lost
    find
    step "our FIN arrives at last" CLOSE_WAIT CLOSE_WAIT proved
    order fin
    step "our FIN was lost: its FIN" none CLOSED assumed
    over
}

loses_ack_of_fin()
{
    begin connect "$1:60" -f - --close=passive
    speak hello
    step "ACK of its FIN lost: before" ESTABLISHED ESTABLISHED proved
    lose ack
    order fin
    told "ACK of its FIN lost" FIN_WAIT_1 proved
    step "ACK of its FIN lost" FIN_WAIT_1 FIN_WAIT_2 assumed lost
    find
    step "ACK of its FIN arrives at last" FIN_WAIT_2 FIN_WAIT_2 assumed
    hush
    step "ACK of its FIN was lost: our FIN" TIME_WAIT TIME_WAIT proved
    over
}

loses_last_ack()
{
    begin halfclose "$1:60" -f - --linger 50 --time-wait 20s
    speak hello
    hush
    step "last ACK lost: our FIN" CLOSE_WAIT CLOSE_WAIT proved
    lose ack
    order fin
    step "last ACK lost" LAST_ACK CLOSED assumed lost
    told "last ACK lost: its FIN repeated" LAST_ACK proved
    find
    step "last ACK arrives at last" none CLOSED assumed
    kill $ours
    over
}

# Our third ACK is not enough for the peer, which shows nothing of that.
deferred()
{
    begin connect "$1:61" -f - --close=passive
    speak hello
    step "deferred accept: our data" ESTABLISHED ESTABLISHED proved
    echo "reset $port" >"$tmp/deferred"
    step "deferred accept: its RST" none CLOSED proved
    over
}

every()
{
    closes_second "$1"
    closes_first "$1"
    closes_first_unread "$1"
    never_closes "$1"
    resets "$1"
    leaves_with_rst "$1"
    no_ack "$1"
    loses_third_ack "$1"
    loses_our_fin "$1"
    loses_ack_of_fin "$1"
    loses_last_ack "$1"
    deferred "$1"
    verified "$1"
}

family=IPv4
every "$far4"
family=IPv6
every "[$far6]"
done_testing
