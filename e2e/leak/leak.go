// Package leak looks for real numbers where they must not be: in every byte
// that was sent to a party of a masked call who may not know them, and in
// logs. A number is found in any spelling: +86, 0086, 86, a leading 0 or none,
// with separators, URI-escaped, in base64 at any alignment, in hexadecimal, as
// UTF-16, and as mobile networks write it: in semi-octets, as addresses have
// it, and in septets at any alignment (3GPP TS 23.040 9.1.2, TS 23.038 6.1.2).
// The few digits of a service number, for example 95588, stand in some fraction
// or identifier by chance: it is found where it stands alone, with a country code,
// or behind 0, and of the other spellings in those that are four octets or more.
package leak

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf16"

	"axgate/e2e/capture"
)

// Party is somebody at one end of masked calls.
type Party struct {
	Name string
	// Addrs are the addresses at which it takes SIP, RTP and RTCP; port 0 means
	// every port of the host.
	Addrs []netip.AddrPort
	// Secret are the real numbers it may not learn, in global form, for example
	// +8613800000001.
	Secret []string
	// Granted are texts with real numbers that it may be sent, for example
	// [From+8613800000001].
	Granted []string
}

// Leak is a number found where it must not be.
type Leak struct {
	Party    string // or the name of a log
	Number   string
	Spelling string
	From, To netip.AddrPort // of the bytes, if they were sent
	Context  string         // what stands around it
}

func (l Leak) String() string {
	where := ""
	if l.To.IsValid() {
		where = fmt.Sprintf(" in what %v sent to %v", l.From, l.To)
	}
	return fmt.Sprintf("%s: %s as %s%s: %q", l.Party, l.Number, l.Spelling, where, l.Context)
}

// Sent searches everything that was sent to each party. It is an error if
// nothing at all was sent to one of them: then its addresses are wrong and the
// search proves nothing.
func Sent(packets []capture.Packet, parties []Party) ([]Leak, error) {
	flows := capture.Flows(packets)
	var leaks []Leak
	for _, p := range parties {
		patterns, granted := spellings(p.Secret), forms(p.Granted)
		count := 0
		for _, f := range flows {
			if !p.at(f.To) || p.at(f.From) {
				continue
			}
			count += len(f.Data)
			for _, data := range f.Data {
				for _, text := range granted {
					data = bytes.ReplaceAll(data, text, nil)
				}
				for _, hit := range patterns.search(data) {
					hit.Party, hit.From, hit.To = p.Name, f.From, f.To
					leaks = append(leaks, hit)
				}
			}
		}
		if count == 0 {
			return leaks, fmt.Errorf("leak search: nothing was sent to %s at %v", p.Name, p.Addrs)
		}
	}
	return leaks, nil
}

// Text searches a log or another text.
func Text(name string, text []byte, numbers []string) []Leak {
	leaks := spellings(numbers).search(text)
	for i := range leaks {
		leaks[i].Party = name
	}
	return leaks
}

func (p Party) at(a netip.AddrPort) bool {
	return slices.ContainsFunc(p.Addrs, func(b netip.AddrPort) bool {
		return a == b || b.Port() == 0 && a.Addr() == b.Addr()
	})
}

// pattern is one way to write one number.
type pattern struct {
	number, spelling string
	bytes            []byte
	fold             bool // letters in any case
	alone            bool // without digits or letters around it, but for prefixes of numbers
}

type patterns []pattern

// national is the part of a number that all spellings share: without the
// country code of China, or of another number the digits after +.
func national(number string) string {
	digits := strings.TrimPrefix(number, "+")
	return strings.TrimPrefix(digits, "86")
}

func spellings(numbers []string) patterns {
	var all patterns
	for _, number := range numbers {
		digits := national(number)
		if len(digits) < 3 {
			continue // anything would match
		}
		short := len(digits) < 7
		add := func(name string, b []byte, fold bool) {
			if len(b) < 4 && short && name != "digits" {
				return // any audio has these octets
			}
			all = append(all, pattern{number, name, b, fold, short && name == "digits"})
		}
		add("digits", []byte(digits), false)
		for shift := range 3 {
			add(fmt.Sprintf("base64 shifted by %d", shift), core64(digits, shift), false)
		}
		add("hexadecimal", []byte(hex.EncodeToString([]byte(digits))), true)
		var wide []byte
		for _, d := range []byte(digits) {
			wide = append(wide, d, 0)
		}
		add("UTF-16", wide[:len(wide)-1], false) // either byte order
		for odd := range 2 {
			add("semi-octets", semiOctets(digits[odd:]), false)
		}
		for shift := range 8 {
			add(fmt.Sprintf("septets shifted by %d", shift), septets(digits, shift), false)
		}
	}
	return all
}

// semiOctets packs pairs of digits, the first one low; a last single one is
// left out.
func semiOctets(digits string) []byte {
	var out []byte
	for i := 0; i+1 < len(digits); i += 2 {
		out = append(out, digits[i]-'0'|(digits[i+1]-'0')<<4)
	}
	return out
}

// septets packs a text of digits, which are their own code in the GSM alphabet,
// from that bit of an octet on. Only octets wholly of the text are returned.
func septets(digits string, shift int) []byte {
	var out []byte
	bits, have := 0, shift
	for _, d := range []byte(digits) {
		bits |= int(d) << have
		for have += 7; have >= 8; have -= 8 {
			out = append(out, byte(bits))
			bits >>= 8
		}
	}
	if shift > 0 {
		return out[1:]
	}
	return out
}

// forms are texts as they are sent: in UTF-8, and in the UTF-16 of mobile
// networks.
func forms(texts []string) [][]byte {
	var all [][]byte
	for _, text := range texts {
		var wide []byte
		for _, unit := range utf16.Encode([]rune(text)) {
			wide = binary.BigEndian.AppendUint16(wide, unit)
		}
		all = append(all, []byte(text), wide)
	}
	return all
}

// core64 is the part of the base64 of digits that does not depend on what
// stands before and after them, if they begin at that offset modulo 3.
func core64(digits string, shift int) []byte {
	padded := append(bytes.Repeat([]byte{0}, shift), digits...)
	text := base64.RawStdEncoding.EncodeToString(padded)
	from := (shift*8 + 5) / 6           // the first character wholly of the digits
	to := (shift + len(digits)) * 8 / 6 // behind the last one
	return []byte(text[from:to])
}

// search looks for every pattern in the data as it is, without visual
// separators between digits, and with URI escapes resolved.
func (ps patterns) search(data []byte) []Leak {
	var leaks []Leak
	found := make(map[[2]string]bool)
	for _, view := range []struct {
		name string
		data []byte
	}{{"", data}, {" with separators", unseparated(data)}, {", URI-escaped", unescaped(data)}} {
		if view.name != "" && bytes.Equal(view.data, data) {
			continue
		}
		var folded []byte
		for _, p := range ps {
			in := view.data
			if p.fold {
				if folded == nil {
					folded = bytes.ToLower(view.data)
				}
				in = folded
			}
			at := p.index(in)
			key := [2]string{p.number, p.spelling}
			if at < 0 || found[key] {
				continue
			}
			found[key] = true
			leaks = append(leaks, Leak{Number: p.number, Spelling: p.spelling + view.name,
				Context: string(view.data[max(0, at-60):min(len(view.data), at+len(p.bytes)+60)])})
		}
	}
	return leaks
}

// index is where the pattern first stands in the data, or -1.
func (p pattern) index(data []byte) int {
	for from := 0; ; {
		at := bytes.Index(data[from:], p.bytes)
		if at < 0 {
			return -1
		}
		at += from
		if !p.alone || alone(data, at, at+len(p.bytes)) {
			return at
		}
		from = at + 1
	}
}

// alone tells whether no letter or digit stands around that part of the data
// but for a country code or a trunk prefix before it.
func alone(data []byte, from, to int) bool {
	if to < len(data) && alphanumeric(data[to]) {
		return false
	}
	start := from
	for start > 0 && alphanumeric(data[start-1]) && !escape(data[:start]) {
		start--
	}
	return slices.Contains([]string{"", "0", "86", "0086"}, string(data[start:from]))
}

// escape tells whether the data ends with one of a string in JSON or Go, as \n.
func escape(data []byte) bool {
	return len(data) > 1 && data[len(data)-2] == '\\' && !digit(data[len(data)-1])
}

func alphanumeric(b byte) bool { return digit(b) || b|0x20 >= 'a' && b|0x20 <= 'z' }

// unseparated drops visual separators (RFC 3966 section 5.1.1) and blanks that
// stand between digits.
func unseparated(data []byte) []byte {
	if !bytes.ContainsAny(data, "-.() ") {
		return data
	}
	out := make([]byte, 0, len(data))
	for i := 0; i < len(data); i++ {
		if len(out) > 0 && digit(out[len(out)-1]) && bytes.IndexByte([]byte("-.() "), data[i]) >= 0 {
			j := i
			for j < len(data) && j < i+3 && bytes.IndexByte([]byte("-.() "), data[j]) >= 0 {
				j++
			}
			if j < len(data) && digit(data[j]) {
				i = j - 1
				continue
			}
		}
		out = append(out, data[i])
	}
	return out
}

func digit(b byte) bool { return b >= '0' && b <= '9' }

// unescaped resolves %XX (RFC 3986 section 2.1).
func unescaped(data []byte) []byte {
	if bytes.IndexByte(data, '%') < 0 {
		return data
	}
	out := make([]byte, 0, len(data))
	for i := 0; i < len(data); i++ {
		if data[i] == '%' && i+2 < len(data) {
			var b [1]byte
			if _, err := hex.Decode(b[:], data[i+1:i+3]); err == nil {
				out = append(out, b[0])
				i += 2
				continue
			}
		}
		out = append(out, data[i])
	}
	return out
}
