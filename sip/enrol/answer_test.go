package enrol

import (
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"pgregory.net/rapid"
)

// TestAnswersOfAnyKind: whatever an answer says, what is taken from it is
// bounded.
func TestAnswersOfAnyKind(t *testing.T) {
	pieces := rapid.SampledFrom([]string{"<", ">", `"`, `\`, ",", ";", "=", "sip:", "tel:", "a", "@", "expires", "=5", "é", "\x00", " ", "%", "[::1]", strings.Repeat("x", 600)})
	rapid.Check(t, func(t *rapid.T) {
		res := sip.NewResponse(200, "OK")
		for range rapid.IntRange(0, 40).Draw(t, "headers") {
			text := strings.Join(rapid.SliceOfN(pieces, 0, 30).Draw(t, "value"), "")
			name := rapid.SampledFrom([]string{"Service-Route", "Expires", "Contact"}).Draw(t, "name")
			res.AppendHeader(sip.NewHeader(name, text))
		}
		for _, u := range uris(res, "Service-Route") {
			if len(u) > maxURI || strings.ContainsAny(u, "<>\x00\r\n") {
				t.Fatalf("%q", u)
			}
		}
		if n := len(uris(res, "Service-Route")); n > maxValues {
			t.Fatalf("%d", n)
		}
		if d := granted(res, sip.Uri{Host: "x"}, time.Hour); d < 0 || d > maxExpires {
			t.Fatalf("%v", d)
		}
	})
}

// TestCut splits lists, and always comes to an end.
func TestCut(t *testing.T) {
	for list, want := range map[string][2]string{
		`a, b`: {"a", "b"}, `"x,y" <a,b>, c`: {`"x,y" <a,b>`, "c"}, `"x\",y", c`: {`"x\",y"`, "c"}, `<a,b`: {"<a,b", ""}, `"a,b`: {`"a,b`, ""}, `,b`: {"", "b"}, `a`: {"a", ""}, `"\`: {`"\`, ""},
	} {
		first, rest := cut(list)
		if first != want[0] || rest != want[1] {
			t.Errorf("%q: %q, %q", list, first, rest)
		}
	}
}
