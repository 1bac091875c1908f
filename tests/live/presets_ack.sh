#!/bin/sh
# Checks the presets that concern acknowledgements, SACK, timestamps and keepalive against the kernel's
# TCP: what the kernel does is what tcpwave-presets(7) says.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/preset_lib.sh"
netns_enter "$@"
presets_up || exit 1

# Nothing is acknowledged.
misbehave never-ack
call send=100 recv
wire 'far.* len 100 ' 'the data is retransmitted' 3
sock '^ESTAB .*timer:\(on,.*backoff:' 'the timer backs off'
said 'recv: 0 bytes, ETIMEDOUT' 'after tcp_retries2 the socket has ETIMEDOUT'
grew TCPAbortOnTimeout 'the kernel counts it'
wire 'near.* ack 1 ' 'our ACKs stay where they were'
unwired 'near.* ack 101 ' 'none of them covers the data'
over

serve send=100 recv
connects never-ack
wire 'far.* len 100 ' "a server's data is retransmitted" 3
said 'recv: 0 bytes, ETIMEDOUT' 'and its socket has ETIMEDOUT'
over

# What has not come is acknowledged: in the first ten segments nothing shows that it is not true.
misbehave optimistic-ack
call send=100000 shut recv
wire 'near.* \[\.\] seq 1 ack 4345 ' 'the second ACK is a segment ahead'
said 'recv: 0 bytes, end of file' 'the data arrives'
grew TCPDelivered 10 'the kernel believes it'
over

# What was never sent is acknowledged.
misbehave ack-unsent
call send=1000 recv
wire 'near.* \[\.\] seq 1 ack 1001001 ' 'the ACK is far ahead'
grew TCPChallengeACK 'the kernel answers with a challenge ACK'
wire 'far.* len 1000' 'ignores it, and retransmits' 3
said 'recv: 0 bytes, ETIMEDOUT' 'in the end the socket has ETIMEDOUT'
over

# Each ACK four times, without SACK: three duplicates mean a loss.
misbehave dup-ack-flood
call send=300000 shut recv
said 'recv: 0 bytes, end of file' 'all of it arrives'
grew TCPRenoRecovery 'the kernel takes three duplicates for a loss'
over

# SACK blocks far beyond what was sent.
misbehave bad-sack
call send=60000 shut recv
wire 'near.* sack 1000[0-9]{5}-' 'blocks of bytes that were never sent'
grew TCPSACKDiscard 'the kernel throws them away'
said 'recv: 0 bytes, end of file' 'and repairs the loss without them'
over

# What was SACKed is forgotten.
misbehave sack-renege
call send=300000 shut recv
wire 'near.* sack ' 'data beyond a gap is reported'
grew TCPSACKReneging 'the kernel notices that it is gone'
said 'recv: 0 bytes, end of file' 'and sends it again'
over

# Timestamps are negotiated and then left out.
misbehave no-timestamps-after-syn
call send=1000 recv shut
wire 'near.* \[S\.\] .* ts ' 'the SYN-ACK has one'
unwired 'near.* \[F?P?\.\] .* ts ' 'nothing after it does'
said 'recv: 14800 bytes, end of file' 'the kernel takes the data all the same'
over

serve send=1000 recv shut
connects no-timestamps-after-syn
unwired 'near.* \[F?P?\.\] .* ts ' 'no segment of ours after the SYN has one'
said 'recv: 14800 bytes, end of file' 'a server takes the data all the same'
over

# An echo of what was never sent.
misbehave wrong-timestamp-echo
call send=1000 recv shut
said 'recv: 14800 bytes, end of file' 'the kernel takes the data all the same'
over

# Data from the past.
misbehave old-timestamps
call send=1000 recv
grew PAWSEstab 'the kernel discards our data'
wire 'near.* len 1448 ' 'we retransmit it' 2
wire 'far.* \[\.\] seq 1001 ack 1 ' 'its answers acknowledge nothing' 2
over

serve send=1000 recv
connects old-timestamps
grew PAWSEstab "a server's kernel discards our data"
over

# Keepalive probes get no answer, though data does.
misbehave deaf-to-keepalive
call keep=1,1,2 send=5 recv
wire 'near.* ack 6 ' 'data is acknowledged'
wire 'far.* \[\.\] seq 5 ack 1 .* len 0' 'two probes' 2
grew TCPKeepAlive 2 'the kernel counts them'
said 'recv: 0 bytes, ETIMEDOUT' 'the socket has ETIMEDOUT'
wire 'far.* \[R\.\] seq 6 ack 1 ' 'and a RST goes out'
over

serve keep=1,1,2 recv
connects deaf-to-keepalive
said 'recv: 0 bytes, ETIMEDOUT' "a server's socket has ETIMEDOUT"
over
done_testing
