package wire

// Take hands a datagram to the stack as if it had come from a peer.
func (s *Stack) Take(data []byte, from Peer) bool { return s.take(data, false, from) }
