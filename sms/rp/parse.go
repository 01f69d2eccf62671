package rp

// Parse reads the body of a MESSAGE. Octets behind the message are left alone
// (TS 24.011 section 9, TS 24.007 11.2.4). The error is a *Fault.
func Parse(body []byte) (Message, error) {
	if len(body) < 2 {
		return nil, &Fault{Silent: true, Cause: InvalidMandatory, reason: "it is shorter than an RP header"}
	}
	kind, mr := body[0]&7, body[1]
	side := Side(kind & 1)
	r := reader{left: body[2:]}
	var m Message
	var err error
	switch kind &^ 1 {
	case typeData:
		m, err = parseData(&r, side, mr)
	case typeAck:
		return Ack{From: side, MR: mr, TPDU: r.report()}, nil
	case typeError:
		m, err = parseError(&r, side, mr)
	default:
		if kind != typeMemory {
			return nil, &Fault{MR: mr, From: side.other(), Cause: UnknownType, reason: "a reserved RP message type"}
		}
		return Memory{MR: mr}, nil
	}
	if err != nil {
		f := faultOf(err)
		f.MR, f.From = mr, side.other()
		f.Silent = kind&^1 != typeData // answers are not answered
		return nil, f
	}
	return m, nil
}

func parseData(r *reader, side Side, mr byte) (Message, error) {
	d := Data{From: side, MR: mr}
	for _, a := range []struct {
		to   *Address
		sent bool // by this side; what the other says there is left alone
	}{{&d.Originator, side == Network}, {&d.Destination, side == Phone}} {
		v, ok := r.counted()
		if !ok || len(v) > maxRelayAddress {
			return nil, broken("the service centre's address")
		}
		if a.sent {
			*a.to = relayAddress(v)
		}
	}
	tpdu, ok := r.counted()
	if !ok || len(tpdu) == 0 || len(tpdu) > maxTPDU {
		return nil, broken("RP-User Data")
	}
	d.TPDU = append([]byte(nil), tpdu...)
	return d, nil
}

func parseError(r *reader, side Side, mr byte) (Message, error) {
	cause, ok := r.counted()
	if !ok || len(cause) == 0 {
		return nil, broken("RP-Cause")
	}
	return Error{From: side, MR: mr, Cause: Cause(cause[0] & 0x7F), TPDU: r.report()}, nil
}

// reader takes octets from the front of what is left.
type reader struct{ left []byte }

// take is the next n octets.
func (r *reader) take(n int) ([]byte, bool) {
	if n > len(r.left) {
		return nil, false
	}
	v := r.left[:n]
	r.left = r.left[n:]
	return v, true
}

// octet is the next octet.
func (r *reader) octet() (byte, bool) {
	v, ok := r.take(1)
	if !ok {
		return 0, false
	}
	return v[0], true
}

// counted is as many octets as the next one says.
func (r *reader) counted() ([]byte, bool) {
	n, ok := r.octet()
	if !ok {
		return nil, false
	}
	return r.take(int(n))
}

// report is the optional RP-User Data; other elements are passed over, and one
// that is broken counts as not there (TS 24.011 9.3.2).
func (r *reader) report() []byte {
	for {
		id, ok := r.octet()
		if !ok {
			return nil
		}
		if id&0x80 != 0 { // one octet long (TS 24.007 11.2.4)
			continue
		}
		v, ok := r.counted()
		if !ok {
			return nil
		}
		if id == userData {
			return append([]byte(nil), v...)
		}
	}
}
