package sip

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// msg is a SIP message as a peer reads it: by its bytes, with nothing of the
// product's parser.
type msg struct {
	raw, start, body string
	headers          [][2]string
}

func read(raw string) msg {
	head, body, _ := strings.Cut(raw, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	m := msg{raw: raw, start: lines[0], body: body}
	for _, l := range lines[1:] {
		name, value, _ := strings.Cut(l, ":")
		m.headers = append(m.headers, [2]string{strings.TrimSpace(name), strings.TrimSpace(value)})
	}
	return m
}

func (m msg) get(name string) string {
	for _, h := range m.headers {
		if strings.EqualFold(h[0], name) {
			return h[1]
		}
	}
	return ""
}

func (m msg) lines(name string) string {
	var b strings.Builder
	for _, h := range m.headers {
		if strings.EqualFold(h[0], name) {
			b.WriteString(h[0] + ": " + h[1] + "\r\n")
		}
	}
	return b.String()
}

func (m msg) status() int {
	rest, ok := strings.CutPrefix(m.start, "SIP/2.0 ")
	if !ok {
		return 0
	}
	n, _ := strconv.Atoi(rest[:3])
	return n
}

func (m msg) method() string {
	if m.status() != 0 {
		return ""
	}
	method, _, _ := strings.Cut(m.start, " ")
	return method
}

func (m msg) uri() string { return strings.Split(m.start, " ")[1] }

func (m msg) cseq() (int, string) {
	n, method, _ := strings.Cut(m.get("CSeq"), " ")
	i, _ := strconv.Atoi(n)
	return i, method
}

func (m msg) tag(header string) string {
	_, tag, _ := strings.Cut(m.get(header), ";tag=")
	tag, _, _ = strings.Cut(tag, ";")
	return tag
}

// contact is the address in Contact.
func (m msg) contact() string {
	return strings.Trim(strings.Split(m.get("Contact"), ">")[0], "<>")
}

// media is the audio line, its port, and the direction.
func (m msg) media(t testing.TB) (port int, way string) {
	t.Helper()
	_, rest, ok := strings.Cut(m.body, "m=audio ")
	require.True(t, ok, "no audio in:\n%s", m.raw)
	port, err := strconv.Atoi(strings.Split(rest, " ")[0])
	require.NoError(t, err)
	for _, w := range []string{"sendrecv", "sendonly", "recvonly", "inactive"} {
		if strings.Contains(m.body, "a="+w+"\r\n") {
			way = w
		}
	}
	return port, way
}

// version is the version in o=.
func (m msg) version(t testing.TB) int {
	t.Helper()
	_, rest, ok := strings.Cut(m.body, "o=")
	require.True(t, ok, "no o= in:\n%s", m.raw)
	n, err := strconv.Atoi(strings.Split(rest, " ")[2])
	require.NoError(t, err)
	return n
}
