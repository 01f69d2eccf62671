package trunk

import (
	"errors"
	"fmt"
	"strings"
)

// Texts is how texts are exchanged with a trunk, by MESSAGE (RFC 3428).
type Texts struct {
	Form TextForm
	Role TextRole // ThreeGPP
	// Center is the number of the service centre in global form (ThreeGPP): the
	// trunk's, where we are a phone to it, or ours.
	Center string
	// PSI is the user part of the service centre's SIP address (ThreeGPP, UE);
	// empty: Center.
	PSI string
}

// TextForm is the form in which texts go out; all forms are read.
type TextForm string

// The forms. Off, also if empty, neither takes texts nor sends any.
const (
	TextsOff TextForm = "off"
	Plain    TextForm = "text" // text/plain
	CPIM     TextForm = "cpim" // message/cpim, RFC 3862
	ThreeGPP TextForm = "3gpp" // application/vnd.3gpp.sms, 3GPP TS 24.341
)

// TextRole is what we are to the trunk.
type TextRole string

// The roles. UE, also if empty, sends SMS-SUBMIT to the trunk's service centre
// and gets SMS-DELIVER; Network sends SMS-DELIVER to phones and gets SMS-SUBMIT.
const (
	UE      TextRole = "ue"
	Network TextRole = "network"
)

// On tells whether texts are taken from the trunk and sent over it.
func (t Texts) On() bool { return t.Form != TextsOff && t.Form != "" }

// phones is the name of another carrier of texts: those of the registrar.
const phones = "phone"

func (t *Texts) complete(name string) error {
	switch t.Form {
	case "":
		t.Form = TextsOff
	case TextsOff, Plain, CPIM, ThreeGPP:
	default:
		return fmt.Errorf("sms %.20q: use off, text, cpim or 3gpp", string(t.Form))
	}
	switch t.Role {
	case "":
		t.Role = UE
	case UE, Network:
	default:
		return fmt.Errorf("sms role %.20q: use ue or network", string(t.Role))
	}
	if t.On() && name == phones {
		return errors.New("name: with texts, phone is that of the phones of the registrar")
	}
	digits, plus := strings.CutPrefix(t.Center, "+")
	if t.Center != "" && (!plus || len(digits) < 3 || len(digits) > 20 || strings.Trim(digits, "0123456789") != "") {
		return errors.New("sms center: use a number in global form of at most 20 digits, such as +8613800100500")
	}
	if t.Form == ThreeGPP && t.Center == "" {
		return errors.New("sms center: with sms 3gpp the service centre has a number")
	}
	if psi := strings.TrimPrefix(t.PSI, "+"); t.PSI != "" && (psi == "" || len(psi) > 64 || !word(psi)) {
		return fmt.Errorf("sms psi %.80q: use 1 to 64 letters, digits, . _ and -", t.PSI)
	}
	return nil
}
