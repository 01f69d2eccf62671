package wire

import (
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// readVia reads one value of Via, which responses are sent by. rest begins with
// the comma behind it, or is empty. A branch that is the magic cookie alone names
// no transaction (RFC 4475 section 3.2.1).
func readVia(s string, via *sip.ViaHeader) (rest string, err error) {
	var ok bool
	if via.ProtocolName, s, ok = cutWord(s, '/'); !ok || !isToken(via.ProtocolName) {
		return "", bad("Bad Via")
	}
	if via.ProtocolVersion, s, ok = cutWord(s, '/'); !ok || !isToken(via.ProtocolVersion) {
		return "", bad("Bad Via")
	}
	s = skipBlanks(s)
	end := strings.IndexAny(s, blanks)
	if end < 0 || !isToken(s[:end]) {
		return "", bad("Bad Via")
	}
	via.Transport, s = s[:end], s[end:]
	end = strings.IndexAny(s, ";,")
	if end < 0 {
		end = len(s)
	}
	by := strings.Trim(s[:end], blanks)
	if strings.ContainsAny(by, blanks) {
		if by, err = joinPort(by); err != nil {
			return "", err
		}
	}
	if !hostPort(by) {
		return "", bad("Bad Via")
	}
	via.Host, via.Port = splitPort(by)
	if rest, err = readParams(s[end:], &via.Params); err != nil {
		return "", bad("Bad Via")
	}
	if branch, ok := via.Params.Get("branch"); ok && branch == sip.RFC3261BranchMagicCookie {
		return "", bad("Bad Branch")
	}
	return rest, nil
}

// cutWord cuts what stands before a separator, and blanks around it.
func cutWord(s string, sep byte) (word, rest string, ok bool) {
	i := strings.IndexByte(s, sep)
	if i < 0 {
		return "", "", false
	}
	return strings.Trim(s[:i], blanks), s[i+1:], true
}

// joinPort takes the blanks away that may stand around the colon, and nowhere else.
func joinPort(by string) (string, error) {
	parts := strings.Split(by, ":")
	for i, part := range parts {
		if parts[i] = strings.Trim(part, blanks); strings.ContainsAny(parts[i], blanks) {
			return "", bad("Bad Via")
		}
	}
	return strings.Join(parts, ":"), nil
}

// splitPort splits what hostPort found good; an IPv6 address keeps its brackets.
func splitPort(s string) (host string, port int) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || s[len(s)-1] == ']' {
		return s, 0
	}
	port, _ = strconv.Atoi(s[i+1:])
	return s[:i], port
}
