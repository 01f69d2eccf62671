package wire

import (
	"strings"

	"github.com/emiago/sipgo/sip"
)

const blanks = " \t"

func skipBlanks(s string) string {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	return s
}

// readAddress reads a name-addr or addr-spec with its parameters (RFC 3261
// section 25.1). rest begins with the comma behind it, or is empty.
func readAddress(s string, uri *sip.Uri, params *sip.HeaderParams) (name, rest string, err error) {
	s = skipBlanks(s)
	if strings.HasPrefix(s, `"`) {
		end := quotedEnd(s)
		if end < 0 {
			return "", "", bad("Quote Without End")
		}
		name = s[1 : end-1]
		if s = skipBlanks(s[end:]); !strings.HasPrefix(s, "<") {
			return "", "", bad("Display Name Without Address")
		}
	} else if i := strings.IndexByte(s, '<'); i > 0 && !strings.ContainsAny(s[:i], ":;") {
		if name, err = words(s[:i]); err != nil {
			return "", "", err
		}
		s = s[i:]
	}
	spec := ""
	if strings.HasPrefix(s, "<") {
		end := strings.IndexByte(s, '>')
		if end < 0 {
			return "", "", bad("Bracket Without End")
		}
		spec, s = s[1:end], s[end+1:]
	} else {
		end := ends.in(s)
		spec, s = s[:end], s[end:]
		if strings.IndexByte(spec, '?') >= 0 { // RFC 3261 section 20: such a URI stands in brackets
			return "", "", bad("URI Without Brackets")
		}
	}
	if err := readURI(spec, uri); err != nil {
		return "", "", err
	}
	rest, err = readParams(s, params)
	return name, rest, err
}

// words is a display name without quotes: tokens with a space between them.
func words(s string) (string, error) {
	s = strings.TrimRight(s, blanks)
	if isToken(s) {
		return s, nil
	}
	all := strings.Fields(s)
	for _, word := range all {
		if !isToken(word) {
			return "", bad("Bad Display Name")
		}
	}
	return strings.Join(all, " "), nil
}

// readParams reads ;name=value pairs up to a comma or the end. A value in quotes
// keeps them, but for those that sipgo writes itself: around blanks.
func readParams(s string, params *sip.HeaderParams) (rest string, err error) {
	for {
		s = skipBlanks(s)
		if s == "" || s[0] == ',' {
			return s, nil
		}
		if s[0] != ';' {
			return "", bad("Bad Parameter")
		}
		s = skipBlanks(s[1:])
		end := nameEnds.in(s)
		name, value := s[:end], ""
		if !isToken(name) {
			return "", bad("Bad Parameter")
		}
		if s = skipBlanks(s[end:]); strings.HasPrefix(s, "=") {
			if value, s, err = readValue(skipBlanks(s[1:])); err != nil {
				return "", err
			}
		}
		if *params == nil {
			*params = make(sip.HeaderParams, 0, 1+strings.Count(s, ";"))
		}
		params.Add(name, value)
	}
}

func readValue(s string) (value, rest string, err error) {
	if !strings.HasPrefix(s, `"`) {
		end := ends.in(s)
		if end == 0 || !visible.has(s[:end]) {
			return "", "", bad("Bad Parameter")
		}
		return s[:end], s[end:], nil
	}
	end := quotedEnd(s)
	if end < 0 {
		return "", "", bad("Bad Parameter")
	}
	if value = s[:end]; strings.ContainsAny(value, blanks) {
		value = value[1 : end-1]
	}
	return value, s[end:], nil
}

// quotedEnd is behind the closing quote of a string that begins with one; -1
// if there is none, or a control character that is not escaped.
func quotedEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return i + 1
		case s[i] == '\\':
			i++
		case s[i] < ' ' && s[i] != '\t':
			return -1
		}
	}
	return -1
}
