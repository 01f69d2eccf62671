package enrol

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"
	lib "github.com/icholy/digest"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// registrar is a Sender that answers by itself, and keeps what it was sent and
// when. Its tests run in bubbles of time.
type registrar struct {
	t *testing.T

	mu     sync.Mutex
	got    []*sip.Request
	at     []time.Time
	answer func(ctx context.Context, req *sip.Request) (*sip.Response, error)
}

func (r *registrar) Send(ctx context.Context, req *sip.Request) (*sip.Response, error) {
	r.mu.Lock()
	r.got = append(r.got, req)
	r.at = append(r.at, time.Now())
	answer := r.answer
	r.mu.Unlock()
	return answer(ctx, req)
}

func (r *registrar) says(answer func(ctx context.Context, req *sip.Request) (*sip.Response, error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

// sent takes the requests since the last call, and when they came.
func (r *registrar) sent() ([]*sip.Request, []time.Time) {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	got, at := r.got, r.at
	r.got, r.at = nil, nil
	return got, at
}

// response is as it comes from the wire.
func response(t *testing.T, req *sip.Request, status int, headers ...string) *sip.Response {
	t.Helper()
	text := strings.Join(append([]string{fmt.Sprintf("SIP/2.0 %d Whatever", status), "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKx",
		"From: " + req.From().Value(), "To: " + req.To().Value() + ";tag=r", "Call-ID: " + req.CallID().Value(), "CSeq: " + req.CSeq().Value()}, headers...), "\r\n") + "\r\nContent-Length: 0\r\n\r\n"
	msg, err := sip.ParseMessage([]byte(text))
	require.NoError(t, err, text)
	return msg.(*sip.Response)
}

// always answers with one status.
func (r *registrar) always(status int, headers ...string) {
	r.says(func(_ context.Context, req *sip.Request) (*sip.Response, error) {
		return response(r.t, req, status, headers...), nil
	})
}

func uri(text string) sip.Uri {
	var u sip.Uri
	if err := sip.ParseUri(text, &u); err != nil {
		panic(err)
	}
	return u
}

func config() Config {
	return Config{Domain: "ims.example.com", Public: uri("sip:+862160000000@ims.example.com"), Contact: uri("sip:line1@192.0.2.1:5060;transport=tcp"),
		Username: "460001@private.example.com", Password: "secret", Agent: "axgate"}
}

// bubble opens a registration in a bubble of time; it is closed at the end.
func bubble(t *testing.T, change func(*Config), test func(t *testing.T, r *registrar, open func() *Registration)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		reg := &registrar{t: t}
		reg.always(200)
		cfg := config()
		if change != nil {
			change(&cfg)
		}
		test(t, reg, func() *Registration {
			e, err := started(cfg, reg, zerolog.Nop())
			require.NoError(t, err)
			t.Cleanup(func() { _ = e.Close(t.Context()) })
			synctest.Wait()
			return e
		})
	})
}

// TestRequest: a REGISTER has what it must and no more.
func TestRequest(t *testing.T) {
	bubble(t, func(c *Config) { c.Route = []sip.Uri{uri("sip:proxy.example.net:5070;lr")} }, func(t *testing.T, r *registrar, open func() *Registration) {
		e := open()
		got, _ := r.sent()
		require.Len(t, got, 1)
		require.Equal(t, strings.Join([]string{
			"REGISTER sip:ims.example.com SIP/2.0", "Route: <sip:proxy.example.net:5070;lr>", "Max-Forwards: 70",
			"From: <sip:+862160000000@ims.example.com>;tag=" + e.tag, "To: <sip:+862160000000@ims.example.com>",
			"Call-ID: " + e.callID, "CSeq: 1 REGISTER", "Contact: <sip:line1@192.0.2.1:5060;transport=tcp>;expires=3600",
			"Expires: 3600", "Supported: path", "User-Agent: axgate", "Content-Length: 0", "", ""}, "\r\n"), got[0].String())
		require.Equal(t, Registered, e.Status().State)
	})
}

// TestRefresh: the next REGISTER comes after 50 to 80 % of what was granted,
// wherever that is written.
func TestRefresh(t *testing.T) {
	for _, c := range []struct {
		name    string
		headers []string
		want    time.Duration
	}{
		{"our contact", []string{"Contact: <sip:line1@192.0.2.1:5060;transport=tcp>;expires=600"}, 10 * time.Minute},
		{"our contact among others", []string{"Expires: 20", "Contact: <sip:other@192.0.2.8>;expires=30, <sip:line1@192.0.2.1;transport=tcp>;expires=600", "Contact: <sip:x@192.0.2.9>;expires=10"}, 10 * time.Minute},
		{"the header", []string{"Expires: 900", "Contact: <sip:line1@192.0.2.1:5060>"}, 15 * time.Minute},
		{"the header alone", []string{"Expires: 900"}, 15 * time.Minute},
		{"nothing", nil, time.Hour},
		{"no number", []string{"Expires: soon", "Contact: <sip:line1@192.0.2.1:5060>;expires=x"}, time.Hour},
		{"a contact that was rewritten", []string{"Contact: <sip:line1@203.0.113.5:61000>;expires=120"}, 2 * time.Minute},
		{"the shortest of strangers", []string{"Contact: <sip:a@203.0.113.5>;expires=0", "Contact: <sip:b@203.0.113.5>;expires=180", "Contact: <sip:c@203.0.113.5>;expires=120"}, 2 * time.Minute},
		{"very long", []string{"Expires: 4294967295"}, maxExpires},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, r *registrar, open func() *Registration) {
				r.always(200, c.headers...)
				e := open()
				began := time.Now()
				require.Equal(t, began.Add(c.want), e.Status().Until)
				r.sent()
				waits := map[time.Duration]bool{}
				last := began
				for range 20 {
					due := e.Status().Next
					time.Sleep(time.Until(due) - time.Millisecond)
					early, _ := r.sent()
					require.Empty(t, early)
					time.Sleep(time.Millisecond)
					got, at := r.sent()
					require.Len(t, got, 1)
					wait := at[0].Sub(last)
					require.GreaterOrEqual(t, wait, c.want/2)
					require.LessOrEqual(t, wait, c.want*4/5)
					waits[wait], last = true, at[0]
				}
				require.Greater(t, len(waits), 10, "not all lines at once")
				require.EqualValues(t, 22, e.cseq+1)
			})
		})
	}
}

// TestNotKept: a 200 that keeps nobody is a failure.
func TestNotKept(t *testing.T) {
	for _, headers := range [][]string{{"Expires: 0"}, {"Contact: <sip:line1@192.0.2.1:5060>;expires=0", "Contact: <sip:x@192.0.2.2>;expires=60"}, {"Contact: <sip:x@192.0.2.2>;expires=0"}} {
		bubble(t, nil, func(t *testing.T, r *registrar, open func() *Registration) {
			r.always(200, headers...)
			s := open().Status()
			require.Equal(t, Failed, s.State)
			require.Equal(t, "the registrar answers 200 and does not keep us", s.Failure)
		})
		bubble(t, nil, func(t *testing.T, r *registrar, open func() *Registration) { // nor any longer
			e := open()
			require.Equal(t, Registered, e.Status().State)
			time.Sleep(10 * time.Second)
			r.always(200, headers...)
			e.Renew()
			synctest.Wait()
			require.Equal(t, Failed, e.Status().State, "calls are not sent to who does not know us")
			r.always(200)
			time.Sleep(30 * time.Second)
			synctest.Wait()
			require.Equal(t, Registered, e.Status().State, "it is tried again soon")
		})
	}
}

// asks is a registrar that wants a proof, and how it looks.
func asks(t *testing.T, nonce *string, password string) func(context.Context, *sip.Request) (*sip.Response, error) {
	return func(_ context.Context, req *sip.Request) (*sip.Response, error) {
		ask := fmt.Sprintf(`WWW-Authenticate: Digest realm="ims.example.com", nonce="%s", qop="auth", algorithm=SHA-256`, *nonce)
		h := req.GetHeader("Authorization")
		if h == nil {
			return response(t, req, 401, ask), nil
		}
		cred, err := lib.ParseCredentials(h.Value())
		require.NoError(t, err)
		if cred.Nonce != *nonce {
			return response(t, req, 401, ask+", stale=true"), nil
		}
		want, err := lib.Digest(&lib.Challenge{Realm: "ims.example.com", Nonce: *nonce, Algorithm: "SHA-256", QOP: []string{"auth"}},
			lib.Options{Method: "REGISTER", URI: "sip:ims.example.com", Count: cred.Nc, Username: "460001@private.example.com", Password: password, Cnonce: cred.Cnonce})
		require.NoError(t, err)
		if cred.Response != want.Response {
			return response(t, req, 401, ask), nil
		}
		return response(t, req, 200, "Contact: "+req.Contact().Value()), nil
	}
}

// TestProof: the challenge is answered with the private identity, the next
// refresh has its proof at once, and a stale nonce costs one more request.
func TestProof(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *registrar, open func() *Registration) {
		nonce := "n1"
		r.says(asks(t, &nonce, "secret"))
		e := open()
		require.Equal(t, Registered, e.Status().State)
		got, _ := r.sent()
		require.Len(t, got, 2)
		for i, req := range got {
			require.EqualValues(t, i+1, req.CSeq().SeqNo)
			require.Equal(t, got[0].CallID().Value(), req.CallID().Value())
		}
		require.Nil(t, got[0].GetHeader("Authorization"))
		time.Sleep(time.Until(e.Status().Next))
		got, _ = r.sent()
		require.Len(t, got, 1)
		require.Contains(t, got[0].GetHeader("Authorization").Value(), "nc=00000002")
		nonce = "n2"
		time.Sleep(time.Until(e.Status().Next))
		got, _ = r.sent()
		require.Len(t, got, 2, "once stale, once good")
		require.Equal(t, Registered, e.Status().State)
		require.Empty(t, e.Status().Failure)
		require.NoError(t, e.Close(t.Context()))
		got, _ = r.sent()
		require.Contains(t, got[0].GetHeader("Authorization").Value(), "nc=00000002")
	})
}

// TestWrongPassword is not tried twice in one attempt, and never quickly.
func TestWrongPassword(t *testing.T) {
	bubble(t, func(c *Config) { c.Introduce = true }, func(t *testing.T, r *registrar, open func() *Registration) {
		nonce := "n1"
		r.says(func(ctx context.Context, req *sip.Request) (*sip.Response, error) {
			if h := req.GetHeader("Authorization"); h != nil && strings.Contains(h.Value(), `nonce=""`) {
				req.RemoveHeader("Authorization")
			}
			return asks(t, &nonce, "other")(ctx, req)
		})
		e := open()
		got, _ := r.sent()
		require.Len(t, got, 2)
		s := e.Status()
		require.Equal(t, Failed, s.State)
		require.Contains(t, s.Failure, "does not accept our user name and password")
		require.NotContains(t, s.Failure, "secret")
		time.Sleep(14 * time.Second)
		got, _ = r.sent()
		require.Empty(t, got)
		time.Sleep(17 * time.Second)
		got, _ = r.sent()
		require.Len(t, got, 2)
	})
}

// TestIntroduce names the private identity before it is asked for.
func TestIntroduce(t *testing.T) {
	bubble(t, func(c *Config) { c.Introduce = true }, func(t *testing.T, r *registrar, open func() *Registration) {
		open()
		got, _ := r.sent()
		require.Equal(t, `Digest username="460001@private.example.com", realm="ims.example.com", nonce="", uri="sip:ims.example.com", response=""`, got[0].GetHeader("Authorization").Value())
	})
}

// TestWithoutPassword a challenge is a refusal like another.
func TestWithoutPassword(t *testing.T) {
	bubble(t, func(c *Config) { c.Username, c.Password = "", "" }, func(t *testing.T, r *registrar, open func() *Registration) {
		r.always(401, `WWW-Authenticate: Digest realm="r", nonce="n"`)
		require.Equal(t, "the registrar answers 401", open().Status().Failure)
		got, _ := r.sent()
		require.Len(t, got, 1)
	})
}

// TestLonger: with 423 the registration lasts as long as the registrar wants,
// from then on; one that wants ever more is left.
func TestLonger(t *testing.T) {
	bubble(t, func(c *Config) { c.Expires = time.Minute }, func(t *testing.T, r *registrar, open func() *Registration) {
		r.says(func(_ context.Context, req *sip.Request) (*sip.Response, error) {
			if req.GetHeader("Expires").Value() == "60" {
				return response(t, req, 423, "Min-Expires: 1800"), nil
			}
			return response(t, req, 200, "Contact: "+req.Contact().Value()), nil
		})
		e := open()
		require.Equal(t, time.Now().Add(30*time.Minute), e.Status().Until)
		got, _ := r.sent()
		require.Len(t, got, 2)
		require.Equal(t, "1800", got[1].GetHeader("Expires").Value())
		time.Sleep(24*time.Minute + time.Second)
		got, _ = r.sent()
		require.Len(t, got, 1)
	})
	for _, answers := range [][]string{{}, {"Min-Expires: x"}, {"Min-Expires: 60"}, {"Min-Expires: 30"}, {"Min-Expires: 4294967295"}, {"Min-Expires: 99999999999999"}} {
		bubble(t, func(c *Config) { c.Expires = time.Minute }, func(t *testing.T, r *registrar, open func() *Registration) {
			r.always(423, answers...)
			require.Equal(t, "the registrar answers 423", open().Status().Failure)
			got, _ := r.sent()
			require.LessOrEqual(t, len(got), 2)
		})
	}
}

// TestBackOff: after failures of each kind the waits double, by lot between
// half and all, up to their bound; after a success they begin anew.
func TestBackOff(t *testing.T) {
	for name, answer := range map[string]func(req *sip.Request) (*sip.Response, error){
		"refused":   func(req *sip.Request) (*sip.Response, error) { return response(t, req, 403), nil },
		"broken":    func(req *sip.Request) (*sip.Response, error) { return response(t, req, 500), nil },
		"no answer": func(*sip.Request) (*sip.Response, error) { return nil, errors.New("no answer") },
		"moved": func(req *sip.Request) (*sip.Response, error) {
			return response(t, req, 302, "Contact: <sip:x@192.0.2.9>"), nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(c *Config) { c.RetryMin, c.RetryMax = 10*time.Second, 2*time.Minute }, func(t *testing.T, r *registrar, open func() *Registration) {
				r.says(func(_ context.Context, req *sip.Request) (*sip.Response, error) { return answer(req) })
				e := open()
				require.Equal(t, Failed, e.Status().State)
				time.Sleep(20 * time.Minute)
				_, at := r.sent()
				bound := 10 * time.Second
				for i := range at[1:] {
					wait := at[i+1].Sub(at[i])
					require.GreaterOrEqual(t, wait, bound/2)
					require.LessOrEqual(t, wait, bound)
					bound = min(2*bound, 2*time.Minute)
				}
				require.Greater(t, len(at), 10)
				require.Equal(t, len(at), e.Status().Failures)
				r.always(200)
				time.Sleep(2 * time.Minute)
				r.sent()
				s := e.Status()
				require.Equal(t, Registered, s.State)
				require.Empty(t, s.Failure)
				require.Zero(t, s.Failures)
				require.NotZero(t, s.FailedAt)
				require.Zero(t, e.steps)
			})
		})
	}
}

// TestRetryAfter is obeyed, but not for ever.
func TestRetryAfter(t *testing.T) {
	for text, want := range map[string]time.Duration{"200": 200 * time.Second, "200 (maintenance)": 200 * time.Second, "200;duration=5": 200 * time.Second, "3600": time.Hour, "4000000000": time.Hour} {
		bubble(t, nil, func(t *testing.T, r *registrar, open func() *Registration) {
			r.always(503, "Retry-After: "+text)
			e := open()
			require.Equal(t, time.Now().Add(want), e.Status().Next, text)
		})
	}
}

// TestAFailedRefresh leaves the registration until it runs out, has several
// tries before that, and has not used the back-off up when it does.
func TestAFailedRefresh(t *testing.T) {
	bubble(t, func(c *Config) { c.Expires = time.Minute }, func(t *testing.T, r *registrar, open func() *Registration) {
		e := open()
		until := e.Status().Until
		r.sent()
		r.says(func(context.Context, *sip.Request) (*sip.Response, error) { return nil, errors.New("unreachable") })
		time.Sleep(time.Until(until) - time.Millisecond)
		got, _ := r.sent()
		require.GreaterOrEqual(t, len(got), 3)
		require.LessOrEqual(t, len(got), 12)
		s := e.Status()
		require.Equal(t, Registered, s.State)
		require.Equal(t, "unreachable", s.Failure)
		time.Sleep(time.Millisecond)
		require.Equal(t, Failed, e.Status().State)
		time.Sleep(35 * time.Second)
		got, _ = r.sent()
		require.GreaterOrEqual(t, len(got), 2, "at the end of it, and after the first step of the back-off")
		r.always(200)
		time.Sleep(2 * time.Minute)
		require.Equal(t, Registered, e.Status().State)
	})
}

// TestRenew registers at once, and is no way around the back-off.
func TestRenew(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *registrar, open func() *Registration) {
		e := open()
		time.Sleep(time.Minute)
		r.sent()
		e.Renew()
		got, _ := r.sent()
		require.Len(t, got, 1, "at once")
		storm := func() (n int) {
			for range 600 {
				e.Renew()
				time.Sleep(100 * time.Millisecond)
			}
			got, _ := r.sent()
			return len(got)
		}
		require.InDelta(t, 60, storm(), 3, "one a second")
		r.says(func(context.Context, *sip.Request) (*sip.Response, error) { return nil, errors.New("unreachable") })
		require.InDelta(t, 12, storm(), 3, "one in five seconds")
	})
}

// TestClose takes the registration back, but not one that never was.
func TestClose(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *registrar, open func() *Registration) {
		e := open()
		r.sent()
		require.NoError(t, e.Close(t.Context()))
		got, _ := r.sent()
		require.Len(t, got, 1)
		require.Equal(t, "<sip:line1@192.0.2.1:5060;transport=tcp>;expires=0", got[0].Contact().Value())
		require.Equal(t, "0", got[0].GetHeader("Expires").Value())
		require.EqualValues(t, 2, got[0].CSeq().SeqNo)
		require.Equal(t, Closed, e.Status().State)
		require.NoError(t, e.Close(t.Context()))
		e.Renew()
		time.Sleep(24 * time.Hour)
		got, _ = r.sent()
		require.Empty(t, got)
	})
	bubble(t, nil, func(t *testing.T, r *registrar, open func() *Registration) {
		r.always(403)
		e := open()
		r.sent()
		require.NoError(t, e.Close(t.Context()))
		got, _ := r.sent()
		require.Empty(t, got, "it never knew us")
	})
	bubble(t, nil, func(t *testing.T, r *registrar, open func() *Registration) {
		e := open()
		r.always(500)
		require.ErrorContains(t, e.Close(t.Context()), "take back the registration at ims.example.com: the registrar answers 500")
	})
}

// TestCloseAmidstAnAttempt ends it at once; since the registrar may have taken
// it, it is taken back, in the time that there is.
func TestCloseAmidstAnAttempt(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *registrar, open func() *Registration) {
		r.says(func(ctx context.Context, _ *sip.Request) (*sip.Response, error) { <-ctx.Done(); return nil, ctx.Err() })
		e := open()
		require.Equal(t, Trying, e.Status().State)
		r.sent()
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		require.Error(t, e.Close(ctx))
		require.Equal(t, 3*time.Second, time.Since(began))
		got, _ := r.sent()
		require.Len(t, got, 1)
		require.Equal(t, "0", got[0].GetHeader("Expires").Value())
	})
}

// TestSilence: a Sender that never comes back is given up.
func TestSilence(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *registrar, open func() *Registration) {
		r.says(func(ctx context.Context, _ *sip.Request) (*sip.Response, error) { <-ctx.Done(); return nil, ctx.Err() })
		e := open()
		time.Sleep(answerTime + time.Second)
		require.Equal(t, Failed, e.Status().State)
		r.always(200)
		time.Sleep(time.Minute)
		require.Equal(t, Registered, e.Status().State)
	})
}

// TestWhatTheAnswerSays of routes and identities is kept, and replaced by the
// next.
func TestWhatTheAnswerSays(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *registrar, open func() *Registration) {
		r.always(200, "Expires: 600", "Service-Route: <sip:orig@scscf1.example.com;lr>, <sip:scscf2.example.com;lr>", "Service-Route: <sip:[2001:db8::1]:5090;lr;x=\"a,b\">",
			"Path: <sip:pcscf.example.com;lr>", `P-Associated-URI: "A, B" <sip:+862160000000@ims.example.com>, <tel:+862160000000>,,<>, garbage`)
		e := open()
		s := e.Status()
		require.Equal(t, []string{"sip:orig@scscf1.example.com;lr", "sip:scscf2.example.com;lr", `sip:[2001:db8::1]:5090;lr;x="a,b"`}, s.ServiceRoute)
		require.Equal(t, []string{"sip:pcscf.example.com;lr"}, s.Path)
		require.Equal(t, []string{"sip:+862160000000@ims.example.com", "tel:+862160000000"}, s.Associated)
		s.ServiceRoute[0] = "x"
		require.NotEqual(t, "x", e.Status().ServiceRoute[0])
		r.always(200, "Expires: 600", "Service-Route: "+strings.Repeat("<sip:a.example.com;lr>,", 500)+"<sip:"+strings.Repeat("a", 600)+">")
		time.Sleep(10 * time.Minute)
		s = e.Status()
		require.Len(t, s.ServiceRoute, maxValues)
		require.Empty(t, s.Path)
	})
}

func TestConfig(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"registration of 500ms":               func(c *Config) { c.Expires = 500 * time.Millisecond },
		"registration of 192h0m0s: use whole": func(c *Config) { c.Expires = 192 * time.Hour },
		"try again after":                     func(c *Config) { c.RetryMin, c.RetryMax = time.Minute, time.Second },
		"public identity: use a SIP URI":      func(c *Config) { c.Public = uri("sip:ims.example.com") },
		"contact: it has no host":             func(c *Config) { c.Contact = sip.Uri{} },
		"user name and password: give both":   func(c *Config) { c.Password = "" },
		"no user name to introduce":           func(c *Config) { c.Username, c.Password, c.Introduce = "", "", true },
		`domain "a b": use a host name`:       func(c *Config) { c.Domain = "a b" },
		`domain "u@h": use a host name`:       func(c *Config) { c.Domain = "u@h" },
		`domain "": use a host name`:          func(c *Config) { c.Domain = "" },
		"control character":                   func(c *Config) { c.Agent = "a\r\nX: 1" },
		"characters that print":               func(c *Config) { c.Username = "a\nb" },
	} {
		cfg := config()
		change(&cfg)
		_, err := started(cfg, nil, zerolog.Nop())
		require.ErrorContains(t, err, want)
	}
}

// started is a registration that has begun.
func started(cfg Config, sender Sender, log zerolog.Logger) (*Registration, error) {
	r, err := New(cfg, sender, log)
	if err == nil {
		r.Start()
	}
	return r, err
}

// TestNeverStarted: a registration that did not begin ends without a word.
func TestNeverStarted(t *testing.T) {
	r, err := New(config(), nil, zerolog.Nop())
	require.NoError(t, err)
	require.NoError(t, r.Close(t.Context()))
	require.Equal(t, Closed, r.Status().State)
	r.Start()
	require.Equal(t, Closed, r.Status().State)
}
