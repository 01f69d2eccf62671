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
	line("fee event", "%s", r.fee())
	line("recording", "%s, %.1f s", r.Recording.Path, r.Recording.Seconds)
	fmt.Fprintf(w, "One masked text each way, through the same X\n")
	for i := range r.Texts {
		line("text", "%s", &r.Texts[i])
	}
	if r.OK {
		fmt.Fprintln(w, "All of it is right: neither saw the other's number.")
		return
	}
	for _, p := range r.Problems {
		fmt.Fprintln(w, "WRONG:", p)
	}
}

// fee tells what the fee event is about.
func (r *Result) fee() string {
	var f struct {
		Caller   string `json:"callerNum"`
		Callee   string `json:"fwdDstNum"`
		Shown    string `json:"fwdDisplayNum"`
		Duration int    `json:"callDuration"`
	}
	if len(r.Fee) == 0 || json.Unmarshal(r.Fee, &f) != nil {
		return "-"
	}
	return fmt.Sprintf("%s spoke with %s, who saw %s, for %d s", f.Caller, f.Callee, f.Shown, f.Duration)
}

// Fold breaks a compact JSON object between its members, so that its lines have
// up to width characters; those behind the first are indented.
func Fold(object string, width, indent int) string {
	var out strings.Builder
	length := 0
	for _, m := range members(object) {
		if length > 0 && length+len(m) > width {
			out.WriteString("\n" + strings.Repeat(" ", indent))
			length = 0
		}
		out.WriteString(m)
		length += len(m)
	}
	return out.String()
}

// members are the parts of a JSON text, each with the comma behind it.
func members(object string) (parts []string) {
	begin, quoted := 0, false
	for i := 0; i < len(object); i++ {
		switch c := object[i]; {
		case c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			parts = append(parts, object[begin:i+1])
			begin = i + 1
		}
	}
	return append(parts, object[begin:])
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
	case "ask":
		return "ask the app's server: " + d.Why
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

// Recipe tells how to call through the lab with softphones, and how to ask its
// API. Program is how the commands beside it are called.
func Recipe(w io.Writer, server, api, program string) {
	fmt.Fprintf(w, `
The lab goes on. Two softphones can call through X now; the password of every account is %[2]s.

  %[3]s  Ann     %[4]s  Ben     %[5]s  a visitor, bound to nothing
  17010000001  AXB: Ann calls Ben, Ben calls Ann; both see the X
  17010000002  AX:  anybody calls Ann; Ann calls out after: %[8]s binding temp --x %[6]s --callee %[5]s
  17010000003  AXE: anybody types 0001 for Ann, 0002 for Ben; who dials it as Ann or Ben calls the last caller back
  Texts go the same ways: Ann and Ben write to 17010000001; what anybody writes to 17010000002 reaches Ann, with [From…] behind it;
  Ann writes out with a tail (hello@%[5]s), and without one the lab's server is asked, which names the visitor.

  baresip   in ~/.baresip/accounts:  <sip:%[3]s@%[1]s>;auth_pass=%[2]s
            in ~/.baresip/contacts:  "X" <sip:17010000001@%[1]s>
            then in baresip:         /dial sip:17010000001@%[1]s    or    /message I am downstairs
  Linphone  username %[4]s, SIP domain %[1]s, password %[2]s, transport UDP; then dial 17010000001, or write to it

  Binding API     http://%[9]s, app_key %[10]s, secret %[11]s (and so on for %[12]s and %[13]s)
  Management API  http://%[9]s/openapi.json; %[8]s operator add --role operator NAME makes a token

  In another terminal:
    %[8]s call                             a test call, and why it went as it did
    %[8]s cdr list                         the calls so far
    %[8]s sms send --from %[3]s --x %[7]s hello     a test text, and what became of it
    %[8]s sms list                         the texts so far
    %[8]s binding list --x %[7]s  who is bound to an X
    %[8]s doctor                           whatever could keep calls from working
`, server, Password, Ann.Number, Ben.Number, Visitor.Number, XofAX, XofAXB, program, api, appAXB, secretOf(appAXB), appAX, appAXE)
	if strings.HasPrefix(server, "127.") {
		fmt.Fprintf(w, "  For phones of other machines: %s lab --ip ADDRESS, with this machine's address\n", program)
	}
	fmt.Fprintln(w, "  Ctrl-C ends it.")
}
