#!/bin/sh
# Checks the presets that concern the handshake against the kernel's TCP: what the kernel does is what
# tcpwave-presets(7) says.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/preset_lib.sh"
netns_enter "$@"
presets_up || exit 1

# The SYN-ACK is lost. Both sides have a timer of a second; ours began a moment later, and is more
# precise.
misbehave lose-syn-ack
call send=5
sock '^SYN-SENT .*timer:\(on,' 'the client stays in SYN_SENT, with a timer'
said 'connected' 'the client is connected in the end'
check "$preset: after a second" awk '/connected/ { if ($1 < 0.9 || $1 > 4) exit 1 }' "$tmp/call$peers.log"
over

serve recv
connects lose-syn-ack
said accepted 'the server accepts in the end'
wire 'far.* \[S\.\] seq 0 ack 1 ' 'its SYN-ACK is retransmitted' 2
over

# The third segment is lost. A server that waits for it is in SYN_RECEIVED, and we are not.
serve recv
connects lose-third-ack
sock 'SYN-RECV .*timer:\(on,' 'the server is in SYN_RECEIVED, with a timer'
wire 'far.* \[S\.\] ' 'it repeats its SYN-ACK' 2
said accepted 'the answer to that completes the handshake'
grew TCPSynRetrans 'the kernel counts the repetition'
over

misbehave lose-third-ack
call sleep=2
said connected 'the client is connected at once'
sock '^ESTAB ' 'it is in ESTABLISHED'
wire 'near.* \[S\.\] ' 'our SYN-ACK comes again' 2
wire 'far.* \[\.\] seq 1 ack 1 ' 'and is answered with an ACK' 2
over

# No answer to SYNs for five seconds: they come after 0, 1, 3 and 7 s.
misbehave drop-syn
call recv
sock '^SYN-SENT .*timer:\(on,' 'the client is in SYN_SENT, with a timer'
said connected 'the first SYN after that is answered'
check "$preset: that one comes after seven seconds" \
    awk '/connected/ { if ($1 < 6.5 || $1 > 12) exit 1 }' "$tmp/call$peers.log"
grew TCPSynRetrans 3 'the kernel has retransmitted its SYN three times'
over

# A SYN-ACK that acknowledges something else. connect() gives up after three seconds.
peer sysctl -qw net.ipv4.tcp_syn_retries=1
misbehave bad-ack-to-syn
call recv
wire 'near.* \[S\.\] seq 0 ack 1001 ' 'the SYN-ACK acknowledges byte 1001'
wire 'far.* \[R\] seq 1001 ' 'the kernel answers with RST, at that number'
sock '^SYN-SENT ' 'and stays in SYN_SENT'
said 'connect: ETIMEDOUT' 'until connect() gives up'
over

# A SYN is answered with an ACK: the other side of an older connection.
misbehave challenge-only
call recv
wire 'near.* \[\.\] seq 0 ack 1000001 ' 'the answer is an ACK of something else'
grew OutRsts 'RSTs are counted'
wire 'far.* \[R\] seq 1000001 ' 'the kernel answers with RST, so that an old connection would end'
wire 'far.* \[S\] ' 'and tries again' 2
said 'connect: ETIMEDOUT' 'until connect() gives up'
over

peer sysctl -qw net.ipv4.tcp_syn_retries=3
# The SYNs cross.
misbehave simultaneous-open
call send=10 shut recv
said connected 'the client connects'
wire 'near.* \[S\] seq 0 ' 'our answer is a SYN'
wire 'far.* \[S\.\] seq 0 ack 1 ' 'the kernel answers it with a SYN-ACK, from SYN_RECEIVED'
said 'recv: 0 bytes, end of file' 'the connection works and closes'
over

misbehave6 simultaneous-open
call send=10 shut recv
said 'recv: 0 bytes, end of file' 'the same over IPv6'
over

# The client believes that it is connected, and the server does not.
misbehave backlog-full
call send=100 recv
said connected 'the client is connected at once'
sock '^ESTAB .*timer:\(on,' 'its data is not acknowledged'
wire 'near.* \[S\.\] ' 'our SYN-ACK comes again' 2
wire 'far.* len 100 ' 'and the data as well' 2
grew TCPSYNChallenge 'which is answered with a challenge ACK'
said 'recv: 0 bytes, ETIMEDOUT' 'the connection comes to nothing'
# When it has ended, a SYN-ACK of ours may still come, and is answered with RST.
check 'backlog-full: and no RST is sent while it lasts' \
    eval 'lines | awk "/ \[R/ { reset = 1 } / far.* len 100 / && reset { early = 1 } END { exit early }"'
over

# An MSS of one byte: the kernel takes no less than 48, of which 12 are the timestamps'.
misbehave mss-tiny
call send=1000 shut recv
wire 'near.* \[S\.\] .* mss 1 ' 'the SYN-ACK says so'
wire 'far.* len 36 ' "the kernel's segments have 36 bytes: tcp_min_snd_mss less the timestamps" 10
said 'recv: 0 bytes, end of file' 'all of it arrives'
over

serve send=1000 shut recv
connects mss-tiny
wire 'far.* len 36 ' "a server's segments have 36 bytes" 10
over

# The window scale is gone from the SYN-ACK: our windows are read as 128 times smaller.
misbehave wscale-stripped
call send=100000 sleep=2 shut recv
sock '^ESTAB ' 'the connection is there'
unwired 'near.* \[S\.\] .*wscale' 'the SYN-ACK has no window scale'
check "$preset: nor does the kernel know of one" eval '! has_sock wscale'
said 'recv: 0 bytes, end of file' 'the data arrives, through a window of 32 kB'
over

# RST as soon as the connection is there.
misbehave rst-after-handshake
call recv
# The RST may be there before connect(2) returns.
said '(connect|recv: 0 bytes,):? ECONNRESET' "the client's first read fails, or connect itself"
wire 'near.* \[R\] seq 1 ' 'one RST'
no_sock 'the socket is gone at once'
over

serve recv
connects rst-after-handshake
said 'recv: 0 bytes, ECONNRESET' 'a server that accepted it reads a reset'
over

# An application that takes the connection, and gives it up.
misbehave accept-and-reset
call send=100 recv
wire 'near.* \[\.\] seq 1 ack 101 ' 'the data is acknowledged'
said 'recv: 0 bytes, ECONNRESET' 'and the connection reset a second later'
grew EstabResets 'the kernel counts it'
over

# The same ports again.
misbehave time-wait-reuse -d hello
call port=5000 recv close
said 'recv: 5 bytes, end of file' 'the first connection'
wire 'near.* \[\.\] seq 7 ack 2 ' 'we are in TIME_WAIT now'
stop "call$peers"
call port=5000 recv close
said 'recv: 5 bytes, end of file' 'the second one, over the same ports'
wire 'far.* \[S\] ' 'its SYN met TIME_WAIT' 2
wire 'near.* \[S\.\] ' 'and was accepted, since its timestamp is newer' 2
over

serve shut recv
connects time-wait-reuse -p 5100
sock 'TIME-WAIT ' 'the server closed first: it is in TIME_WAIT'
wait $ear
stop "call$peers"
poll has_sock 'TIME-WAIT'
start_peer again $port python3 "$here/preset_peer.py" server $port shut recv
connects time-wait-reuse -p 5100
poll grep -q accepted "$tmp/again.log"
check "$preset: a second connection from the same port is accepted" grep -q accepted "$tmp/again.log"
stop again
over
done_testing
