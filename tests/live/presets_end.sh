#!/bin/sh
# Checks the presets that concern a connection's end against the kernel's TCP: what the kernel does is
# what tcpwave-presets(7) says.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/preset_lib.sh"
netns_enter "$@"
presets_up || exit 1

# RST at the first data: it was acknowledged before, and the reader gets ECONNRESET.
misbehave rst-on-data
call send=100 recv
said 'recv: 0 bytes, ECONNRESET' "the client's read fails"
wire 'near.* \[R\] seq 1 ' 'one RST, at the number that the peer expects'
unwired 'near.* \[F' 'and no FIN'
grew EstabResets 'the kernel counts a reset'
no_sock 'its socket is gone at once, with no TIME_WAIT'
over

serve send=100 recv
connects rst-on-data
said 'recv: 0 bytes, ECONNRESET' "the server's read fails"
grew EstabResets 'the kernel counts a reset'
over

# A RST that is in the window, and not at its edge.
misbehave inexact-rst
call recv
said 'recv: 0 bytes, ECONNRESET' 'the second RST ends it'
wire 'near.* \[R\] seq 11 ' 'the first RST is ten bytes off'
grew TCPChallengeACK 'the kernel answers with a challenge ACK'
wire 'near.* \[R\] seq 1 ' 'and that ACK is answered with an exact RST' 1
over

serve recv
connects inexact-rst
said 'recv: 0 bytes, ECONNRESET' 'the second RST ends the server'
grew TCPChallengeACK 'the kernel answers with a challenge ACK'
over

# Data and FIN in one segment.
misbehave fin-with-data -d hello
call recv shut
said 'recv: 5 bytes, end of file' 'the client reads the data and then the end'
wire 'near.* \[FP\.\] seq 1 .* len 5' 'one segment has both'
wire 'far.* \[F\.\] seq 1 ack 7 ' 'one ACK covers both'
no_sock 'the kernel was the passive side: nothing is left of it'
over

serve recv shut
connects fin-with-data -d hello
said 'recv: 5 bytes, end of file' 'the server reads the data and then the end'
wire 'near.* \[FP\.\] seq 1 .* len 5' 'one segment has both'
over

# Our first FIN is lost.
misbehave lose-fin -d hello
call recv shut
said 'recv: 5 bytes, end of file' 'the end arrives'
check "$preset: it comes with the retransmission" \
    awk '/recv: 5/ { if ($1 < 0.1) exit 1 }' "$tmp/call$peers.log"
wire 'near.* \[FP?\.\]' 'one FIN is on the wire'
over

serve recv shut
connects lose-fin -d hello
said 'recv: 5 bytes, end of file' 'the end arrives at the server'
over

# Both FINs are under way at the same time.
misbehave simultaneous-close
call send=5 shut recv
said 'shut: done' 'the client closes first'
wire 'far.* \[F\.\] seq 6 ack 1 ' 'its FIN comes first'
wire 'near.* \[F\.\] seq 1 ack 6 ' 'ours crosses it: it does not acknowledge it'
sock '^CLOSING ' 'the kernel is in CLOSING'
sock '^TIME-WAIT ' 'and then in TIME_WAIT, as both sides have to be'
wire 'near.* \[\.\] seq 2 ack 7 ' 'when its FIN is acknowledged'
over

serve send=5 shut recv
connects simultaneous-close
sock 'CLOSING ' 'a server gets into CLOSING, too'
sock 'TIME-WAIT ' 'and into TIME_WAIT'
over

# The peer's FIN is acknowledged, and ours is a while later.
misbehave half-close-hold --hold 1500ms
call send=10 shut recv
sock '^FIN-WAIT-2 ' 'the kernel waits in FIN_WAIT_2'
said 'recv: 0 bytes, end of file' 'the client reads the end when we close'
sock '^TIME-WAIT ' 'and is then in TIME_WAIT'
over

# A socket that was closed, and not only shut, waits only tcp_fin_timeout: here 2 s.
misbehave half-close-hold --hold 5s
call send=10 close
sock '^FIN-WAIT-2 .*timewait' 'an orphan waits in FIN_WAIT_2 with a timer'
no_sock 'the kernel forgets it after tcp_fin_timeout'
wire 'near.* \[F\.\] seq 1 ack 12 ' 'our FIN comes after that'
wire 'far.* \[R\] seq 12 ' 'and is answered with RST'
over

serve send=10 shut recv
connects half-close-hold --hold 1s
sock 'FIN-WAIT-2 ' 'a server waits in FIN_WAIT_2'
said 'recv: 0 bytes, end of file' 'until we close'
over

misbehave never-close
call send=10 shut recv
sock '^FIN-WAIT-2 ' 'the kernel waits in FIN_WAIT_2'
sleep 3
sock '^FIN-WAIT-2 ' 'an open socket does so without end: tcp_fin_timeout does not apply'
over

misbehave never-close
call send=10 close
sock '^FIN-WAIT-2 .*timewait' 'an orphan has a timer'
no_sock 'and is forgotten in silence'
unwired '\[R' 'no RST is sent'
over

serve send=10 close
connects never-close
sock 'FIN-WAIT-2 .*timewait' 'an orphan of a server has a timer, too'
no_sock "a server's orphan is forgotten"
over

# Data on a half-closed connection.
misbehave late-data-after-fin
call send=10 shut recv
said 'recv: 14800 bytes, end of file' 'a client that only shut its side reads all of it'
over

misbehave late-data-after-fin
call send=10 close
wire 'far.* \[R\] seq 12 ' 'a client that closed answers with RST'
grew OutRsts 'each segment gets one'
no_sock 'nothing is left of the connection'
over

serve shut recv
connects late-data-after-fin
said 'recv: 14800 bytes, end of file' 'a server that only shut its side reads all of it'
over

# The peer is there, and then it is not.
misbehave vanish
call sleep=1.5 send=100 recv
wire 'far.* len 100' 'data gets no answer' 3
sock 'timer:\(on,.*backoff:' 'the retransmission timer backs off'
said 'recv: 0 bytes, ETIMEDOUT' 'after tcp_retries2 the socket has ETIMEDOUT'
grew TCPAbortOnTimeout 'the kernel counts it'
wire 'near' 'of ours there is nothing but the SYN-ACK' 1
over

misbehave vanish
call sleep=3
sleep 2
sock '^ESTAB ' 'a second and more after that, an idle socket is as before'
check "$preset: and no timer of its runs" eval '! has_sock timer:'
unwired 'far.* len [1-9]' 'it asks nothing'
over

serve sleep=1.5 send=100 recv
connects vanish
said 'recv: 0 bytes, ETIMEDOUT' "a server's socket has ETIMEDOUT"
over
done_testing
