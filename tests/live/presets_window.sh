#!/bin/sh
# Checks the presets that concern the window against the kernel's TCP: what the kernel does is what
# tcpwave-presets(7) says.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/preset_lib.sh"
netns_enter "$@"
presets_up || exit 1

# The window is zero from the beginning.
misbehave zero-window
call send=100 recv
said 'send: done' "the client's send succeeds: the data waits in its kernel"
sock '^ESTAB +0 +100 .*timer:\(persist,' 'the persist timer runs'
wire 'far.* \[\.\] seq 0 ack 1 .* len 0' 'window probes without data, one below the next number' 3
grew TCPWinProbe 3 'the kernel counts them'
wire 'near.* win 0 ' 'each is answered with window zero' 3
unwired 'far.* len 100' 'no data is sent'
over

serve send=100 recv
connects zero-window
sock 'ESTAB +0 +100 .*timer:\(persist,' "a server's data waits, too"
grew TCPWinProbe 3 'and its kernel probes'
over

# The same where nothing is shown.
preset=zero-window port=$((port + 1)) target=$near4
began
listen_start "$TCPWAVE" listen -q --preset zero-window $port
poll listening $port env
call send=100 recv
sock '^ESTAB +0 +100 .*timer:\(persist,' 'with -q as well'
kill -INT $ear
wait $ear
stop "call$peers"

# It opens after three seconds.
misbehave zero-window-then-open
call send=100 shut recv
sock 'timer:\(persist,' 'the persist timer runs'
said 'recv: 0 bytes, end of file' 'the data goes when a probe finds the window open'
check "$preset: that is after three seconds" \
    awk '/recv: 0/ { if ($1 < 2.5) exit 1 }' "$tmp/call$peers.log"
wire 'far.* len 100' 'the data'
over

serve send=100 shut recv
connects zero-window-then-open
said 'recv: 0 bytes, end of file' "a server's data goes as well"
over

# A buffer of 512 bytes.
misbehave tiny-window
call send=20000 shut recv
wire 'near.* \[S\.\] .* win 512 ' 'the SYN-ACK offers 512 bytes'
wire 'far.* len 512 ' 'the data comes in pieces of that' 30
said 'recv: 0 bytes, end of file' 'all of it arrives'
over
check "$preset: the size of the segments is not taken for the path's doing" eval '! grep -q mss-clamped "$tmp/out"'

serve send=20000 shut recv
connects tiny-window
wire 'far.* len 512 ' 'the data comes in pieces of 512 bytes' 30
said 'recv: 0 bytes, end of file' 'all of it arrives'
over

# A byte at a time.
misbehave silly-window
call send=20 shut recv
wire 'far.* len 1 ' 'the data comes in segments of one byte' 10
said 'recv: 0 bytes, end of file' 'all of it arrives'
over

# The right edge moves left.
misbehave shrink-window
call send=30000 shut recv
said 'send: done' 'the client sends'
wire 'far.* len 1448' 'full segments are in flight' 5
wire 'far.* len 896 ' 'then pieces that fit the window, at the persist timer' 5
said 'recv: 0 bytes, end of file' 'all of it arrives in the end'
over

# An application that reads slowly: the window shuts and opens.
misbehave slow-reader
call send=100000 shut recv
wire 'near.* win 0 ' 'the window shuts'
sock 'timer:\(persist,' 'the persist timer runs'
wire 'near.* \[\.\] seq 1 ack [0-9]+ win 2048 ' 'it opens when something was read: 4096 bytes, scaled' 3
said 'recv: 0 bytes, end of file' 'all of it arrives in the end'
over

serve send=100000 shut recv
connects slow-reader
wire 'near.* win 0 ' "the window of a client shuts"
sock 'timer:\(persist,' "and the server's persist timer runs"
over
done_testing
