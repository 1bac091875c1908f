# Functions of the tests of presets, which source this file after lib.sh. The truth is the kernel of
# the peer's namespace: what ss shows of its sockets, what its counters say, and what preset_dump.py sees
# on its interface.
#
#   presets_up                  netns_up, short timers for the peer, and preset_dump.py
#   misbehave NAME ARGUMENT...  listen --preset NAME on a port of its own, $port
#   misbehave6 NAME ...         the same over IPv6
#   call STEP...                the peer's kernel calls it: preset_peer.py client
#   serve STEP...               the peer's kernel listens on a port of its own, $port
#   connects NAME ARGUMENT...   connect --preset NAME calls that, in the background
#   said PATTERN NAME           one case: the peer says such a line within ten seconds
#   sock PATTERN NAME           one case: ss there shows such a socket within ten seconds
#   no_sock NAME                one case: ss there shows none on that port any more
#   grew COUNTER [N] NAME       one case: that counter of its kernel has grown, by N at least, since
#                               misbehave or serve
#   still COUNTER NAME          one case: it has not
#   wire PATTERN NAME [N]       one case: N lines (1) or more of preset_dump.py match in ten seconds
#   unwired PATTERN NAME        one case: none does
#   over [NAME]                 ends both; the verdict names the preset
#
# Patterns are extended regular expressions. This side is "near", the peer "far".

port=9200
peers=0

presets_up()
{
    netns_up || return 1
    here=$(cd "$(dirname "$0")" && pwd)
    # Retransmissions of data, SYN, SYN-ACK and of an orphan, and how long FIN_WAIT_2 of one lasts.
    peer sysctl -qw net.ipv4.tcp_retries2=4 net.ipv4.tcp_syn_retries=3 \
        net.ipv4.tcp_syn_linear_timeouts=0 net.ipv4.tcp_synack_retries=3 \
        net.ipv4.tcp_orphan_retries=3 net.ipv4.tcp_fin_timeout=2 \
        net.ipv4.tcp_no_metrics_save=1 2>"$tmp/sysctl" || {
        echo "# the peer's timers cannot be set: $(cat "$tmp/sysctl")"
        exit 77
    }
    peer ethtool -K far tso off gso off gro off >/dev/null 2>&1
    ethtool -K near tso off gso off gro off >/dev/null 2>&1
    start_peer dump - python3 "$here/preset_dump.py" far
    poll grep -q recording "$tmp/dump.log"
}

# Numbers of the peer's kernel, one a line, each twice: "TCPTimeouts 3" and "TcpExt:TCPTimeouts 3".
counters()
{
    peer cat /proc/net/netstat /proc/net/snmp | awk '
        { if ($1 == head) for (i = 2; i <= NF; i++) { print name[i], $i; print $1 name[i], $i }
          else { head = $1; split($0, name) } }'
}

began()
{
    counters >"$tmp/before"
}

misbehave()
{
    preset=$1 target=$near4
    shift
    port=$((port + 1))
    began
    listen_begin "$TCPWAVE" listen --json --preset $preset $port "$@" || note "$(cat "$tmp/heard.err")"
}

misbehave6()
{
    preset=$1 target=$near6
    shift
    port=$((port + 1))
    began
    listen_begin "$TCPWAVE" listen --json --preset $preset "[::]:$port" "$@"
}

call()
{
    peers=$((peers + 1))
    start_peer "call$peers" - python3 "$here/preset_peer.py" client "$target" $port "$@"
}

serve()
{
    port=$((port + 1))
    peers=$((peers + 1))
    start_peer "call$peers" $port python3 "$here/preset_peer.py" server $port "$@"
    began
}

connects()
{
    preset=$1
    shift
    listen_start "$TCPWAVE" connect --json --preset $preset "$far4:$port" "$@"
}

# judge NAME EXPLANATION CMD...: one case: CMD succeeds within ten seconds. Where it does not, the
# output of the command EXPLANATION is noted.
judge()
{
    local name=$1 explanation=$2
    shift 2
    if poll "$@"; then
        pass "$preset: $name"
    else
        fail "$preset: $name"
        note "$* failed; there is:"
        note "$($explanation | tail -n 20)"
    fi
}

said()
{
    judge "$2" "cat $tmp/call$peers.log" grep -Eq -e "$1" "$tmp/call$peers.log"
}

socks()
{
    peer ss -Htaneoi "( sport = :$port or dport = :$port )" | tr '\n' ' '
}

has_sock()
{
    socks | grep -Eq -e "$1"
}

sock()
{
    judge "$2" socks has_sock "$1"
}

no_sock()
{
    judge "$1" socks has_no_sock
}

has_no_sock()
{
    ! peer ss -Htan "( sport = :$port or dport = :$port )" | grep -qv ^LISTEN
}

# grown COUNTER: by how much
grown()
{
    local now before
    now=$(counters | awk -v name="$1" '$1 == name { print $2; exit }')
    before=$(awk -v name="$1" '$1 == name { print $2; exit }' "$tmp/before")
    [ -n "$now" ] || echo "# no counter $1" >&2
    echo $((${now:-0} - ${before:-0}))
}

has_grown()
{
    [ "$(grown "$1")" -ge "$2" ]
}

grew()
{
    local by=1 name=$2
    [ $# -lt 3 ] || { by=$2; name=$3; }
    judge "$name ($1)" "grown $1" has_grown "$1" "$by"
}

still()
{
    check "$preset: $2 ($1)" test "$(grown "$1")" = 0
}

# What crossed the wire on this port.
lines()
{
    grep -E "(near|far)\.$port " "$tmp/dump.log"
}

# A pattern that begins with near or far means the sender.
sender()
{
    case $1 in
    near* | far*) echo "^[0-9.]+ $1" ;;
    *) echo "$1" ;;
    esac
}

wired()
{
    [ "$(lines | grep -Ec -e "$(sender "$1")")" -ge "${2:-1}" ]
}

wire()
{
    judge "$2" lines wired "$1" "${3:-1}"
}

unwired()
{
    if wired "$1"; then
        fail "$preset: $2"
        note "$(lines | grep -E -e "$(sender "$1")" | head -n 5)"
    else
        pass "$preset: $2"
    fi
}

over()
{
    kill -INT $ear 2>/dev/null
    wait $ear
    cp "$tmp/heard" "$tmp/out"
    cp "$tmp/heard.err" "$tmp/err"
    cat "$tmp/out" >>"$tmp/json"
    expect_json verdict preset $preset "$preset: the verdict names it"
    stop "call$peers"
}
