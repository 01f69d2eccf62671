package events

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
)

// AppendText appends the entry in JSON, as encoding/json reads it; what is zero is left
// out. A node writes several of them for each call, and reflection takes many times as
// long. The error tells of a value that JSON cannot hold.
func (e *Entry) AppendText(b []byte) ([]byte, error) {
	w := textWriter{b: append(b, '{')}
	if e.Call != (Call{}) {
		w.name("call")
		w.call(&e.Call)
	}
	if len(e.Events) > 0 {
		w.name("events")
		w.b = append(w.b, '[')
		for i := range e.Events {
			if i > 0 {
				w.b = append(w.b, ',')
			}
			w.event(&e.Events[i])
		}
		w.b = append(w.b, ']')
	}
	if e.Asked != nil {
		w.name("asked")
		w.inquiry(e.Asked)
	}
	return append(w.b, '}'), w.err
}

// textWriter writes objects of JSON without the members that are zero.
type textWriter struct {
	b   []byte
	err error // the first one
}

func (w *textWriter) call(c *Call) {
	w.b = append(w.b, '{')
	w.text("Session", c.Session)
	w.text("ICID", c.ICID)
	w.text("Node", c.Node)
	w.number("Incarnation", c.Incarnation)
	w.text("Host", c.Host)
	w.text("App", c.App)
	w.text("SP", c.SP)
	w.text("Mode", c.Mode)
	w.text("X", c.X)
	w.text("Caller", c.Caller)
	w.text("Callee", c.Callee)
	w.text("Shown", c.Shown)
	w.text("Binding", c.Binding)
	w.text("Extension", c.Extension)
	w.text("UserData", c.UserData)
	w.text("AreaCode", c.AreaCode)
	w.number("Direction", int64(c.Direction))
	w.text("ChargingID", c.ChargingID)
	w.text("CallerTrunk", c.CallerTrunk)
	w.text("CalleeTrunk", c.CalleeTrunk)
	w.instant("In", c.In)
	w.instant("Out", c.Out)
	w.instant("Alerting", c.Alerting)
	w.instant("Answered", c.Answered)
	w.instant("Ended", c.Ended)
	w.instant("Recording", c.Recording)
	w.number("StateCode", int64(c.StateCode))
	w.number("FailReason", int64(c.FailReason))
	w.number("UnswReason", int64(c.UnswReason))
	w.number("SIPStatus", int64(c.SIPStatus))
	w.number("ReleasedBy", int64(c.ReleasedBy))
	w.number("ReleaseCause", int64(c.ReleaseCause))
	w.number("ReleaseStatus", int64(c.ReleaseStatus))
	w.text("EndWord", c.EndWord)
	w.text("Why", c.Why)
	w.flag("RecordWanted", c.RecordWanted)
	w.text("RecordFile", c.RecordFile)
	w.number("RecordBytes", c.RecordBytes)
	w.number("RecordGap", int64(c.RecordGap))
	w.quality("CallerLeg", c.CallerLeg)
	w.quality("CalleeLeg", c.CalleeLeg)
	w.b = append(w.b, '}')
}

func (w *textWriter) event(e *Event) {
	w.b = append(w.b, '{')
	w.text("Session", e.Session)
	w.number("Seq", int64(e.Seq))
	w.text("App", e.App)
	w.text("Kind", string(e.Kind))
	w.instant("At", e.At)
	if e.Body != nil {
		w.name("Body")
		if !json.Valid(e.Body) {
			w.fail(fmt.Errorf("the body of event %d is no JSON", e.Seq))
		}
		w.b = append(w.b, e.Body...)
	}
	w.flag("Question", e.Question)
	w.b = append(w.b, '}')
}

func (w *textWriter) inquiry(q *Inquiry) {
	w.b = append(w.b, '{')
	w.text("Session", q.Session)
	w.number("Seq", int64(q.Seq))
	w.instant("At", q.At)
	w.instant("Done", q.Done)
	w.text("Failure", q.Failure)
	w.b = append(w.b, '}')
}

func (w *textWriter) quality(name string, q Quality) {
	if q == (Quality{}) {
		return
	}
	w.name(name)
	w.b = append(w.b, '{')
	w.count("received", q.Received)
	w.count("lost", q.Lost)
	w.real("jitter_ms", q.JitterMS)
	w.real("mos", q.MOS)
	w.b = append(w.b, '}')
}

// name begins a member.
func (w *textWriter) name(name string) {
	if w.b[len(w.b)-1] != '{' {
		w.b = append(w.b, ',')
	}
	w.b = append(w.b, '"')
	w.b = append(w.b, name...)
	w.b = append(w.b, '"', ':')
}

func (w *textWriter) text(name, s string) {
	if s == "" {
		return
	}
	w.name(name)
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, err := json.Marshal(s)
			w.fail(err)
			w.b = append(w.b, quoted...)
			return
		}
	}
	w.b = append(w.b, '"')
	w.b = append(w.b, s...)
	w.b = append(w.b, '"')
}

func (w *textWriter) number(name string, n int64) {
	if n != 0 {
		w.name(name)
		w.b = strconv.AppendInt(w.b, n, 10)
	}
}

func (w *textWriter) count(name string, n uint64) {
	if n != 0 {
		w.name(name)
		w.b = strconv.AppendUint(w.b, n, 10)
	}
}

func (w *textWriter) real(name string, f float64) {
	if f == 0 {
		return
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		w.fail(fmt.Errorf("%s is no number: %v", name, f))
		return
	}
	w.name(name)
	w.b = strconv.AppendFloat(w.b, f, 'g', -1, 64)
}

func (w *textWriter) flag(name string, set bool) {
	if set {
		w.name(name)
		w.b = append(w.b, "true"...)
	}
}

func (w *textWriter) instant(name string, t time.Time) {
	if t.IsZero() {
		return
	}
	w.name(name)
	w.b = append(w.b, '"')
	b, err := t.AppendText(w.b)
	if err != nil {
		w.fail(fmt.Errorf("%s: %w", name, err))
		return
	}
	w.b = append(b, '"')
}

func (w *textWriter) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}
