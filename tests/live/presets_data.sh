#!/bin/sh
# Checks the presets that concern our data against the kernel's TCP: what the kernel does is what
# tcpwave-presets(7) says.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/preset_lib.sh"
netns_enter "$@"
presets_up || exit 1

# Segments overtake each other.
misbehave out-of-order
call recv shut
said 'recv: 14800 bytes, end of file' 'the application reads all of it in order'
grew TCPOFOQueue 3 'the kernel keeps what came early'
wire 'far.* sack ' 'and reports it with SACK' 3
over

serve recv shut
connects out-of-order
said 'recv: 14800 bytes, end of file' "a server's application reads all of it in order"
grew TCPOFOQueue 3 'its kernel keeps what came early'
over

# Everything twice.
misbehave duplicate-everything
call send=1000 recv shut
said 'recv: 14800 bytes, end of file' 'the application reads everything once'
grew TCPDSACKOldSent 5 'the kernel reports the duplicates with D-SACK'
wire 'near.* \[S\.\] ' 'the SYN-ACK comes twice' 2
over

serve send=1000 recv shut
connects duplicate-everything
said 'recv: 14800 bytes, end of file' 'the application of a server reads everything once'
over

# What was acknowledged comes again.
misbehave retransmit-needlessly
call recv shut
said 'recv: 14800 bytes, end of file' 'the application reads everything once'
grew TCPDSACKOldSent 'the kernel reports the duplicates with D-SACK'
over

# Wrong checksums.
misbehave bad-checksum
call recv shut
said 'recv: 14800 bytes, end of file' 'the application reads the right bytes'
grew Tcp:InCsumErrors 'the kernel drops what is damaged'
wire 'near.* bad checksum' 'every second segment is' 3
over

serve recv shut
connects bad-checksum
said 'recv: 14800 bytes, end of file' 'the application of a server reads the right bytes'
grew Tcp:InCsumErrors 'its kernel drops what is damaged'
over

# Urgent data: the byte before the pointer is not in the stream.
misbehave urgent -d hello
call recv oob
said 'recv: 4 bytes, end of file' 'four of the five bytes are read'
wire 'near.* \[F?P?\.?U\] .* urp 1' 'the flag and the pointer'
over

misbehave urgent -d hello
call inline recv
said 'recv: 5 bytes, end of file' 'with SO_OOBINLINE all five'
over

# ECN is agreed on, and no mark gets through.
peer sysctl -qw net.ipv4.tcp_ecn=1
misbehave ecn-bleach
call send=1000 recv sleep=2 shut
said 'recv: 14800 bytes, end of file' 'the data arrives'
wire 'far.* \[SEW\] ' 'the client asks for ECN'
wire 'near.* \[S\.E\] ' 'and we agree'
unwired 'near.* ecn [123]' 'our segments are not ECN-capable'
sock ' ecn ' 'ss shows that it was agreed on'
check "$preset: and that nothing was ever marked" eval '! has_sock ecnseen'
over
done_testing
