package rp

import "time"

// report is the TPDU of an answer, without optional elements: SMS-SUBMIT-REPORT
// of the network (TS 23.040 9.2.2.2a), SMS-DELIVER-REPORT of a phone
// (9.2.2.1a). With a failure it is that of an RP-ERROR.
func report(from Side, f Failure, at time.Time) []byte {
	b := []byte{typeDeliver}
	if from == Network {
		b[0] = typeSubmit
	}
	if f != 0 {
		b = append(b, byte(f))
	}
	b = append(b, 0) // TP-PI: nothing of what is optional
	if from == Network {
		b = append(b, stamp(at)...)
	}
	return b
}

// Failure is TP-Failure-Cause in the report, 0 if there is none.
func (e Error) Failure() Failure {
	want := byte(typeDeliver)
	if e.From == Network {
		want = typeSubmit
	}
	if len(e.TPDU) < 2 || e.TPDU[0]&typeMask != want || e.TPDU[1] < 0x80 {
		return 0
	}
	return Failure(e.TPDU[1])
}

// Arrived tells that the text is refused because it had come before.
func (e Error) Arrived() bool { return e.Failure() == Duplicate }

// Temporary tells whether another try may help.
func (e Error) Temporary() bool {
	switch e.Failure() {
	case scBusy, scFailure, simFull, MemoryExceeded:
		return true
	}
	return e.Cause.Temporary()
}
