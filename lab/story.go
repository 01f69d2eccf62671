package lab

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Print shows a result on one screen.
func (r *Result) Print(w io.Writer) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "  %-11s %s\n", name, fmt.Sprintf(format, args...))
	}
	fmt.Fprintf(w, "\nOne masked call: %s dialled %s\n", r.Caller, r.X)
	line("decision", "%s", r.Decision)
	line("caller ID", "%s, seen by %s", r.CallerID, r.Callee)
	line("SIP", "%s at the caller", strings.Trim(fmt.Sprint(r.Statuses), "[]"))
	line("heard", "the callee's voice by the caller %.2f, the caller's by the callee %.2f (1 is perfect)", r.Heard.Caller, r.Heard.Callee)
	line("events", "%s", r.types())
	line("fee event", "%s", Compact(r.Fee))
	line("recording", "%s, %.1f s", r.Recording.Path, r.Recording.Seconds)
	if r.OK {
		fmt.Fprintln(w, "All of it is right: neither saw the other's number.")
		return
	}
	for _, p := range r.Problems {
		fmt.Fprintln(w, "WRONG:", p)
	}
}

// String tells a decision in one line.
func (d Decided) String() string {
	switch d.Step {
	case "dial":
		text := fmt.Sprintf("call %s, showing %s", d.Callee, d.Shows)
		if d.Record {
			text += ", recorded"
		}
		return text + ": " + d.Why
	case "collect":
		return "ask for the extension: " + d.Why
	}
	return "refuse: " + d.Why
}

// Compact is a JSON object without its empty fields and those that are named.
func Compact(object json.RawMessage, without ...string) string {
	var all map[string]any
	if json.Unmarshal(object, &all) != nil {
		return string(object)
	}
	for k, v := range all {
		if v == "" || v == nil || slices.Contains(without, k) {
			delete(all, k)
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		return string(object)
	}
	return string(text)
}

// Recipe tells how to call through the lab with softphones.
func Recipe(w io.Writer, server string) {
	fmt.Fprintf(w, `
The lab goes on. Two softphones can call through X now; the password of every account is %[2]s.

  %[3]s  Ann     %[4]s  Ben     %[5]s  a visitor, bound to nothing
  17010000001  AXB: Ann calls Ben, Ben calls Ann; both see the X
  17010000002  AX:  anybody calls Ann; Ann calls out after: axgate temp --x %[6]s --callee %[5]s
  17010000003  AXE: anybody types 0001 for Ann, 0002 for Ben; who dials it as Ann or Ben calls the last caller back

  baresip   in ~/.baresip/accounts:  <sip:%[3]s@%[1]s>;auth_pass=%[2]s
            then in baresip:         /dial sip:17010000001@%[1]s
  Linphone  username %[4]s, SIP domain %[1]s, password %[2]s, transport UDP; then dial 17010000001

  In another terminal: axgate call, axgate calls, axgate bindings --x %[7]s, axgate doctor
`, server, Password, Ann.Number, Ben.Number, Visitor.Number, XofAX, XofAXB)
	if strings.HasPrefix(server, "127.") {
		fmt.Fprintln(w, "  For phones of other machines: axgate lab --ip ADDRESS, with this machine's address")
	}
	fmt.Fprintln(w, "  Ctrl-C ends it.")
}
