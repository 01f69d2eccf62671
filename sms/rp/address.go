package rp

import (
	"errors"
	"strings"

	"github.com/warthog618/sms/encoding/gsm7"
	"github.com/warthog618/sms/encoding/semioctet"
)

// TypeOfNumber is how an address is to be read (TS 23.040 9.1.2.5).
type TypeOfNumber byte

// The types of number.
const (
	Unknown         TypeOfNumber = 0 // as dialled
	International   TypeOfNumber = 1
	National        TypeOfNumber = 2
	NetworkSpecific TypeOfNumber = 3
	Subscriber      TypeOfNumber = 4
	Alphanumeric    TypeOfNumber = 5
	Abbreviated     TypeOfNumber = 6
)

// telephony is the numbering plan of E.164.
const telephony = 1

// Limits of an address: the digits of an address in a TPDU (9.1.2.5), the
// octets of one in an RP message without its length (TS 24.011 8.2.5.1).
const (
	maxDigits       = 20
	maxRelayAddress = 11
)

// Address is a number or a name. The zero value is none.
type Address struct {
	Type  TypeOfNumber
	Plan  byte   // numbering plan identification, 1 is E.164
	Value string // digits, * # a b c; a name if Alphanumeric
}

// Number is the address of a number: international if it begins with +, else
// as dialled.
func Number(n string) Address {
	if digits, ok := strings.CutPrefix(n, "+"); ok {
		return Address{Type: International, Plan: telephony, Value: digits}
	}
	return Address{Type: Unknown, Plan: telephony, Value: n}
}

// Dialled is the number as it can be dialled: with + if international, else the
// digits as they are. It is empty if the address is no number.
func (a Address) Dialled() string {
	switch {
	case a.Type == Alphanumeric || a.Value == "":
		return ""
	case a.Type == International:
		return "+" + a.Value
	}
	return a.Value
}

func (a Address) octet() byte { return 0x80 | byte(a.Type&7)<<4 | a.Plan&15 }

func addressOf(octet byte) Address {
	return Address{Type: TypeOfNumber(octet >> 4 & 7), Plan: octet & 15}
}

var errAddress = errors.New("no address: a number has 1 to 20 digits, a name 1 to 11 characters of the GSM alphabet")

// relay is the address in an RP message, without its length (TS 24.011
// 8.2.5.1): nothing if there is none.
func (a Address) relay() ([]byte, error) {
	if a == (Address{}) {
		return nil, nil
	}
	digits, err := a.digits()
	if err != nil {
		return nil, err
	}
	return append([]byte{a.octet()}, digits...), nil
}

// digits are the digits in semi-octets.
func (a Address) digits() ([]byte, error) {
	if a.Type == Alphanumeric || a.Value == "" || len(a.Value) > maxDigits {
		return nil, errAddress
	}
	b, err := semioctet.Encode([]byte(a.Value))
	if err != nil {
		return nil, errAddress // the library's names the digit
	}
	return b, nil
}

// relayAddress reads the address of an RP message.
func relayAddress(v []byte) Address {
	if len(v) == 0 {
		return Address{}
	}
	a := addressOf(v[0])
	a.Value = digitsOf(v[1:], 2*len(v[1:]))
	return a
}

// transfer is the address in a TPDU, with its length (TS 23.040 9.1.2.5).
func (a Address) transfer() ([]byte, error) {
	if a.Type == Alphanumeric {
		septets, err := encodeGSM(a.Value)
		if err != nil || len(septets) == 0 || len(septets)*7 > maxDigits*4 {
			return nil, errAddress
		}
		return append([]byte{byte((len(septets)*7 + 3) / 4), a.octet()}, gsm7.Pack7Bit(septets, 0)...), nil
	}
	digits, err := a.digits()
	if err != nil {
		return nil, err
	}
	return append([]byte{byte(len(a.Value)), a.octet()}, digits...), nil
}

// address reads the address of a TPDU.
func (r *reader) address() (Address, error) {
	head, ok := r.take(2)
	if !ok || head[0] > maxDigits {
		return Address{}, broken("an address")
	}
	n := int(head[0]) // semi-octets that are used
	v, ok := r.take((n + 1) / 2)
	if !ok {
		return Address{}, broken("an address")
	}
	a := addressOf(head[1])
	if a.Type == Alphanumeric {
		septets := gsm7.Unpack7Bit(v, 0)
		a.Value = decodeGSM(septets[:min(len(septets), n*4/7)], 0, 0)
		return a, nil
	}
	a.Value = digitsOf(v, n)
	return a, nil
}

// digitsOf is up to n digits of semi-octets; filling is left out.
func digitsOf(v []byte, n int) string {
	digits, _, _ := semioctet.Decode(make([]byte, 2*len(v)), v) // it fails only where dst is the shorter
	return string(digits[:min(len(digits), n)])
}
