package identity

import (
	"github.com/emiago/sipgo/sip"

	"axgate/routing"
)

// FailureOf tells how a call ends whose second leg failed with a final status
// of 300 or more (behaviour section 9). q850 is the cause of its Reason header,
// 0 if there was none; it says more than the status and comes first. The End
// of an absent, switched-off or suspended callee has the cause as received.
//
// EndTrunk says that the trunk failed, not the callee: another may be tried if
// the callee was not alerted yet.
func FailureOf(status, q850 int) routing.End {
	if end, ok := byCause(q850); ok {
		return end
	}
	if status == sip.StatusNotAcceptableHere || status == sip.StatusGlobalNotAcceptable {
		return unfit(q850)
	}
	if end, ok := byStatus(status); ok {
		if network(q850) && status == sip.StatusTemporarilyUnavailable {
			return routing.EndTrunk
		}
		return end
	}
	return routing.EndTrunk
}

// byCause are the causes that name a state of the callee.
func byCause(q850 int) (routing.End, bool) {
	switch q850 {
	case 1, 28:
		return routing.EndNoSuchCallee, true
	case 17:
		return routing.EndBusy, true
	case 19:
		return routing.EndNoAnswer, true
	case 18, 20:
		return received(routing.EndAbsent, q850), true
	case 21:
		return routing.EndRejected, true
	case 22:
		return received(routing.EndSuspended, q850), true
	case 27:
		return received(routing.EndOff, q850), true
	}
	return routing.End{}, false
}

// byStatus are the statuses that a callee's side gives. They must never make a
// call go on over another trunk.
func byStatus(status int) (routing.End, bool) {
	switch status {
	case sip.StatusNotFound, sip.StatusAmbiguous, sip.StatusAddressIncomplete, sip.StatusGlobalDoesNotExistAnywhere:
		return routing.EndNoSuchCallee, true
	case sip.StatusBusyHere, sip.StatusGlobalBusyEverywhere:
		return routing.EndBusy, true
	case sip.StatusForbidden, sip.StatusGlobalDecline, 607, 608: // unwanted, rejected: RFC 8197, RFC 8688
		return routing.EndRejected, true
	case sip.StatusMovedPermanently, sip.StatusGone:
		return received(routing.EndSuspended, CauseOf(status)), true
	case sip.StatusTemporarilyUnavailable:
		return received(routing.EndAbsent, CauseOf(status)), true
	case sip.StatusRequestTerminated: // not by us: its network took the call back
		return routing.EndNoAnswer, true
	}
	return routing.End{}, false
}

// unfit is the end of a call whose media the callee's side cannot take: its
// books are those of a trunk that failed, but the caller is told what it was,
// for another try with the same media is in vain. 606 is a proxy's word for all
// that it asked and is told as 488, since we have asked one only.
func unfit(q850 int) routing.End {
	end := routing.EndTrunk
	end.SIP, end.Cause = sip.StatusNotAcceptableHere, CauseOf(sip.StatusNotAcceptableHere)
	if q850 > 0 && q850 <= 127 {
		end.Cause = q850
	}
	return end
}

// network tells whether a cause is of the network's classes: no resource, no
// service, protocol, timer (ITU-T Q.850 table 1).
func network(q850 int) bool {
	return q850 >= 34 && q850 != 127
}

func received(end routing.End, cause int) routing.End {
	end.Cause = cause
	return end
}
