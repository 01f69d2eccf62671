package provision

import (
	"errors"

	"axgate/ledger"
	"axgate/routing"
)

// words are the result codes of a mode for what the ledger refuses (codes
// sections 1.2 to 1.4).
type words struct {
	field    string // of X
	badX     result // X is malformed
	foreignX result // X is not ours, or another app's
	noX      result // no X can be chosen
	full     result // the X that was named is full
	noRecord result // there is no such binding
	unbindX  result // unbinding by an X that is not the app's, or by nothing
}

var wordsOf = map[routing.Mode]words{
	routing.AX: {field: "privateNum", badX: resultAXUnknownX, foreignX: resultAXUnknownX, noX: resultAXNoX, full: resultAXNoX,
		noRecord: resultAXNoRecord, unbindX: resultAXNotBound},
	routing.AXB: {field: "relationNum", badX: resultNoRecord, foreignX: resultNoRecord, noX: resultNoX, full: resultNoX,
		noRecord: resultNoRecord, unbindX: resultNotApplied},
	routing.AXE: {field: "virtualNum", badX: resultInvalid, foreignX: resultNotApplied, noX: resultNoX, full: resultMostReached,
		noRecord: resultNoRecord, unbindX: resultNotApplied},
	routing.AXYB: {field: "relationNum", badX: resultNoRecord, foreignX: resultNoRecord, noX: resultNoX, full: resultMostReached,
		noRecord: resultNoRecord, unbindX: resultNotApplied},
}

// refusal is the answer for an error of the ledger.
func (w *words) refusal(doing string, err error) error {
	var taken *ledger.TakenError
	var unusable *ledger.UnusableError
	var own *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &own):
		return own
	case errors.Is(err, ledger.ErrUnknownX), errors.Is(err, ledger.ErrNotYours):
		return w.foreignX.refuse(w.field, "the app has no such number")
	case errors.Is(err, ledger.ErrFull):
		return w.full.refuse(w.field, "it has as many bindings as fit")
	case errors.Is(err, ledger.ErrTooManyX):
		return resultAXTooMany.refuse("origNum", "it has 5 X already")
	case errors.As(err, &unusable):
		return resultAbnormalX.refuse(w.field, "it takes no bindings: its status is %s", unusable.Status)
	case errors.As(err, &taken):
		return resultBound.refuse("", "%v", taken)
	case errors.Is(err, ledger.ErrNoBinding):
		return w.noRecord.refuse("", "no such binding stands")
	case errors.Is(err, ledger.ErrWrongMode):
		return resultWrongMode.refuse("", "the app is of another mode")
	}
	return failed(doing, err)
}

// x reads an X that a request names, in global form.
func (s *Service) x(w *words, bad result, text string) (routing.X, error) {
	x, ok := s.plan.ParseX(text)
	if !ok || string(x) != text {
		return "", bad.refuse(w.field, "it is no X in global form, such as +%s17010000001", s.plan.Country)
	}
	return x, nil
}
