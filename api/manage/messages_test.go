package manage_test

import (
	"encoding/csv"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger"
	"axgate/provision"
	"axgate/routing"
	"axgate/sms"
)

// text writes a text that was sent, with its notice.
func (w *world) text(id, app, sp, x, sender, receiver string, edit ...func(*sms.Text)) {
	w.t.Helper()
	t := sms.Text{ID: id, Key: "key-" + id, Source: "carrier", X: routing.X(x), Sender: routing.Number(sender), Receiver: routing.Number(receiver), Text: "call 138 0000 0001, " + id,
		At: began, App: app, SP: sp, Taken: true, Binding: "binding-" + id, UserData: "tel 13800000009", AreaCode: "0755", Split: 1,
		Carrier: "phone", Pieces: 1, Sent: 1, Tries: 1, Done: began.Add(time.Second), Why: routing.Number(sender).Masked() + " wrote to " + x}
	for _, e := range edit {
		e(&t)
	}
	// As an office does: taken first, then worked on.
	end := t
	t.Done, t.Result, t.Due, t.Pieces, t.Tries = time.Time{}, 0, t.At, 0, 0
	before, err := w.ledger.AddText(w.ctx, &t, sms.Twin{}, sms.Bounds{Waiting: 1000, Open: 8, Twins: time.Minute})
	require.NoError(w.t, err)
	require.Nil(w.t, before)
	due := end.Due
	end.Due = t.Due
	var evs []events.Event
	told := events.SMS{ID: id, App: app, Calling: sender, X: x, At: end.At, Content: &end.Text, SplitNum: 1, Result: int(end.Result)}
	if end.Asked {
		evs = append(evs, events.NewSMSQuestion(told, 1))
	}
	if !end.Done.IsZero() {
		told.Called = receiver
		evs = append(evs, events.NewSMSNotice(told, len(evs)+1))
	}
	held, err := w.ledger.SaveText(w.ctx, &end, due, evs...)
	require.NoError(w.t, err)
	require.True(w.t, held)
}

// fourTexts are one of ax, one of axb that was not sent, one that waits, and one
// of another account.
func (w *world) fourTexts() {
	w.text("t1", "ax", "demo", xa, bert, anna)
	w.text("t2", "axb", "demo", xb, anna, bert, func(t *sms.Text) {
		t.At, t.Done, t.Result, t.Sent, t.Refused = began.Add(time.Minute), began.Add(time.Minute), routing.TextForbidden, 0, true
		t.UserData, t.Text, t.Carrier, t.Pieces, t.Tries = "=1+1", "", "", 0, 0
	})
	w.text("t3", "axb", "demo", xb, bert, anna, func(t *sms.Text) {
		t.At, t.Done, t.Due = began.Add(2*time.Minute), time.Time{}, began.Add(3*time.Minute)
		t.Sent, t.Tries, t.Failure = 0, 2, "phone: 480 Temporarily Unavailable"
	})
	w.text("t4", "other", "rival", xo, carl, bert, func(t *sms.Text) { t.At = began.Add(3 * time.Minute) })
}

func TestMessages(t *testing.T) {
	w := newWorld(t)
	w.fourTexts()
	q := url.QueryEscape
	for query, want := range map[string][]string{
		"":                                    {"t4", "t3", "t2", "t1"},
		"number=" + q(anna):                   {"t3", "t2", "t1"},
		"number=13800000001":                  {"t3", "t2", "t1"},
		"number=" + q(xb):                     {"t3", "t2"},
		"number=" + q(xb) + "&sendResult=13":  {"t2"},
		"sender=" + q(anna):                   {"t2"},
		"receiver=" + q(anna):                 {"t3", "t1"},
		"x=17010000002":                       {"t3", "t2"},
		"appKey=ax":                           {"t1"},
		"spId=rival":                          {"t4"},
		"sendResult=13":                       {"t2"},
		"sendResult=0":                        {"t4", "t1"},
		"state=done&spId=demo":                {"t2", "t1"},
		"state=waiting":                       {"t3"},
		"state=incomplete":                    {},
		"from=2026-01-01T12:01:00Z&spId=demo": {"t3", "t2"},
		"to=2026-01-01T12:01:00Z":             {"t1"},
		"appKey=none":                         {},
	} {
		require.Equal(t, want, w.get(theOperator, "/messages?"+query).column("smsIdentifier"), query)
	}
	require.Equal(t, []string{"t3", "t2", "t1"}, w.get(theTenant, "/messages").column("smsIdentifier"))
	require.Empty(t, w.get(theTenant, "/messages?spId=rival").column("smsIdentifier"))
	require.Equal(t, []string{"t4"}, w.get(theRival, "/messages").column("smsIdentifier"))
	w.get(theOperator, "/messages?x=nonsense").wrong("x")
	w.get(theOperator, "/messages?sender=nonsense").wrong("sender")
	w.get(theOperator, "/messages?sendResult=14").wrong("sendResult")
	w.get(theOperator, "/messages?from=2026-01-02T00:00:00Z&to=2026-01-02T00:00:00Z").wrong("to")
	require.Equal(t, []string{"sms", "sms"}, w.get(theTenant, "/events?eventType=sms&number="+q(anna)).column("eventType"), "the event log finds them by their numbers")

	first := w.get(theOperator, "/messages?limit=3").is(http.StatusOK)
	require.Len(t, first["items"], 3)
	require.Equal(t, []string{"t1"}, w.get(theOperator, "/messages?limit=3&after="+q(first["next"].(string))).column("smsIdentifier"))
}

func TestMessageIsShown(t *testing.T) {
	w := newWorld(t)
	w.fourTexts()
	get := func(who, id string) map[string]any {
		return w.get(who, "/messages/"+id).is(http.StatusOK)["message"].(map[string]any)
	}
	m := get(theTenant, "t1")
	require.Equal(t, []any{bert, anna, "call 138 0000 0001, t1", "tel 13800000009", "done", 0.0, "It was sent."},
		[]any{m["sender"], m["receiver"], m["smsContent"], m["userData"], m["state"], m["sendResult"], m["resultText"]})
	for _, who := range []string{theReader, demoReader} {
		m = get(who, "t1")
		require.Equal(t, []any{"+86138****0002", "+86138****0001", nil, "tel ****"}, []any{m["sender"], m["receiver"], m["smsContent"], m["userData"]})
		for _, path := range []string{"/messages", "/messages.csv", "/messages/t1", "/events", "/events.csv"} {
			a := w.get(who, path)
			require.Equal(t, http.StatusOK, a.status)
			for _, secret := range []string{"13800000", "138 0000", "call "} {
				require.NotContains(t, string(a.body), secret, path)
			}
		}
	}
	require.Equal(t, "call 138 0000 0001, t1", get(openReader, "t1")["smsContent"])
	m = get(theOperator, "t3")
	require.Equal(t, []any{"waiting", nil, nil, nil, "2026-01-01T12:03:00Z", 2.0}, []any{m["state"], m["sendResult"], m["smsContent"], m["done"], m["next"], m["tries"]},
		"what is under way may be of an app that keeps no texts")
	p := w.get(theTenant, "/messages/none").is(http.StatusNotFound)
	require.Equal(t, "there is no text of that smsIdentifier", p["detail"])
}

func TestExportMessages(t *testing.T) {
	w := newWorld(t)
	w.fourTexts()
	a := w.get(theTenant, "/messages.csv")
	require.Equal(t, http.StatusOK, a.status)
	require.Equal(t, "text/csv; charset=utf-8", a.header.Get("Content-Type"))
	rows, err := csv.NewReader(strings.NewReader(string(a.body))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 4)
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	require.Equal(t, []string{"t2", "'=1+1", "13", ""}, []string{rows[2][column["smsIdentifier"]], rows[2][column["userData"]], rows[2][column["sendResult"]], rows[2][column["smsContent"]]})
	require.Equal(t, "call 138 0000 0001, t1", rows[3][column["smsContent"]])
	require.Equal(t, 1, strings.Count(string(w.get(theTenant, "/messages.csv?spId=rival").body), "\n"))
}

// TestMessageStories tells texts of each kind, and what is decided of each
// result in a sentence.
func TestMessageStories(t *testing.T) {
	w := newWorld(t)
	w.fourTexts()
	late := func(t *sms.Text) {
		t.Asked, t.Reply, t.Tries = true, &routing.MessageReply{Late: true, Silent: "timeout"}, 0
	}
	w.text("asked", "ax", "demo", xa, anna, "", late, func(t *sms.Text) { t.Result = routing.TextNotAnswered })
	w.text("named", "ax", "demo", xa, anna, carl, func(t *sms.Text) {
		t.Asked, t.Reply, t.Source, t.Parts, t.Pieces, t.Sent, t.Tries = true, &routing.MessageReply{Called: carl}, "gw", 3, 3, 3, 2
	})
	w.text("half", "ax", "demo", xa, anna, carl, func(t *sms.Text) {
		t.Pieces, t.Sent, t.Tries, t.Failure, t.Result = 3, 1, 4, "phone: 486 Busy Here", routing.TextPartlySent
	})
	for id, want := range map[string][]string{
		"t1": {"came +86138****0002 wrote to " + xa + ", by carrier.", "decided It was decided: +86138****0002 wrote to " + xa + ".", "sent phone brought it to +86138****0001 at the first try.",
			"end It was sent. (sendResult 0)", "push The notice is owed."},
		"t2": {"came +86138****0001 wrote to " + xb + ", by carrier.", "decided It was decided: +86138****0001 wrote to " + xb + ".", "end It has a forbidden word. (sendResult 13)",
			"push The notice is owed."},
		"t3": {"came +86138****0002 wrote to " + xb + ", by carrier.", "decided It was decided: +86138****0002 wrote to " + xb + ".",
			"sent phone brought 0 of its 1 pieces to +86138****0001 in 2 tries; the last one failed: phone: 480 Temporarily Unavailable.",
			"end It is under way, or waits for its next try, at 2026-01-01T12:03:00Z."},
		"asked": {"came +86138****0001 wrote to " + xa + ", by carrier.",
			"asked The app's server was asked what to do with it, and did not say in time: timeout.", "decided It was decided: +86138****0001 wrote to " + xa + ".",
			"end The app's server, asked what to do with it, gave no answer in time. (sendResult 7)",
			"push The notice is owed."},
		"named": {"came +86138****0001 wrote to " + xa + ", by gw, in 3 parts.",
			"asked The app's server was asked what to do with it, and named a receiver.", "decided It was decided: +86138****0001 wrote to " + xa + ".",
			"sent phone brought it to +86138****0003 in 2 tries, in 3 pieces.", "end It was sent. (sendResult 0)",
			"push The notice is owed."},
		"half": {"came +86138****0001 wrote to " + xa + ", by carrier.", "decided It was decided: +86138****0001 wrote to " + xa + ".",
			"sent phone brought 1 of its 3 pieces to +86138****0003 in 4 tries; the last one failed: phone: 486 Busy Here.", "end Some of its pieces arrived, and some did not. (sendResult 9)",
			"push The notice is owed."},
	} {
		var told []string
		s := w.get(theTenant, "/messages/"+id).is(http.StatusOK)
		for _, step := range s["steps"].([]any) {
			m := step.(map[string]any)
			told = append(told, m["what"].(string)+" "+m["text"].(string))
		}
		require.Equal(t, want, told, id)
		require.NotContains(t, strings.Join(told, " "), "13800000", "stories are masked for everybody")
	}
	for r := routing.TextSent; r <= routing.TextForbidden; r++ {
		id := "result" + string(rune('a'+r))
		w.text(id, "ax", "demo", xa, bert, anna, func(t *sms.Text) { t.Result = r })
		m := w.get(theTenant, "/messages/"+id).is(http.StatusOK)["message"].(map[string]any)
		require.EqualValues(t, r, m["sendResult"])
		require.NotEmpty(t, m["resultText"], r)
	}
}

// TestExplainMessage asks about a text of each kind that the rules tell apart.
func TestExplainMessage(t *testing.T) {
	w := newWorld(t)
	const xs = "+8617010000021" // takes texts
	_, err := w.office.AddNumber(w.ctx, ledger.Number{XNumber: routing.XNumber{X: xs, App: "ax", SMS: true}, Voice: true})
	require.NoError(t, err)
	_, err = w.office.BindAX(w.ctx, "ax", provision.BindAX{OrigNum: anna, PrivateNum: xs})
	require.NoError(t, err)
	ask := func(who, sender, text string) map[string]any {
		body := map[string]any{"x": "17010000021", "text": text}
		if sender != "" {
			body["sender"] = sender
		}
		return w.post(who, "/explain/message", body).is(http.StatusOK)
	}
	v := ask(theTenant, bert, "hello")
	require.Equal(t, []any{"drop", 4.0, 403.0}, []any{v["step"], v["sendResult"], v["sipStatus"]}, "%v", v)
	_, err = w.office.ChangeApp(w.ctx, "ax", func(a *ledger.App) error {
		a.SMS, a.SMSControlURL = true, "http://203.0.113.1/control"
		return nil
	})
	require.NoError(t, err)
	v = ask(theTenant, bert, "hello")
	require.Equal(t, []any{"forward", anna, "hello[From" + bert + "]", xs, nil, 202.0, "ax", 1.0}, []any{v["step"], v["receiver"], v["text"], v["shown"], v["sendResult"], v["sipStatus"], v["appKey"], v["splitNum"]})
	require.NotContains(t, v["why"], "13800000")
	v = ask(theTenant, anna, "hello@13800000003")
	require.Equal(t, []any{"forward", carl, "hello"}, []any{v["step"], v["receiver"], v["text"]})
	require.Equal(t, "ask", ask(theTenant, anna, "hello")["step"])
	v = ask(theReader, "", "hello")
	require.Equal(t, []any{"drop", 10.0, nil}, []any{v["step"], v["sendResult"], v["text"]})
	v = w.post(theOperator, "/explain/message", map[string]any{"x": "+8617010000999", "sender": anna}).is(http.StatusOK)
	require.Equal(t, []any{"drop", nil, 404.0}, []any{v["step"], v["sendResult"], v["sipStatus"]})
	w.post(theOperator, "/explain/message", map[string]any{"x": xa, "sender": "nonsense"}).wrong("sender")
	w.post(theOperator, "/explain/message", map[string]any{"x": "1"}).wrong("x")
	require.Empty(t, w.get(theOperator, "/audit?operation=explainMessage").column("name"), "who only asks is not noted")
}
