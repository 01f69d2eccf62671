package binding_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/api/answer"
	"axgate/api/auth"
	"axgate/api/binding"
	"axgate/ledger"
	"axgate/routing"
)

// texts are the lines of codes sections 1.2 to 1.5, and those of 1.1 that are
// not for headers, with their texts.
var texts = map[string]string{
	"1010001": "Internal system error.",
	"1010002": "Invalid request.",
	"1010003": "Invalid app_key.",
	"1010006": "Invalid Rest API.",
	"1010008": "The status of the app_key is unavailable.",
	"1010029": "The subscriber status is frozen.",
	"1010040": "The app_key is not allowed to invoke the API.",
	"1011001": "Account does not exist.",
	"1011002": "Insufficient number resources.",
	"1011003": "Exceeded the upper limit of resources that can be applied for.",
	"1011004": "The number is not applied for binding application.",
	"1011005": "Resources have been allocated.",
	"1016001": "The record does not exist.",
	"1016002": "The record already exists.",
	"1012001": "Resource of number is not to be applied.",
	"1012007": "The record does not exist",
	"1012008": "Insufficient number of resources",
	"1012009": "Maximum number of resources has been exceeded",
	"1012010": "The relation number has been bound.",
	"1012012": "Application does not open recording function",
	"1012102": "The number status is abnormal.",
	"1020001": "Parameter error.",
	"1020002": "Internal error.",
	"1020150": "The app_key is invalid.",
	"1020152": "Invalid sessionId.",
}

// modeCodes are the codes that each section of codes.md has for its mode.
var modeCodes = map[string][]string{
	"AX":   {"1011001", "1011002", "1011003", "1011004", "1011005", "1016001", "1016002", "1012012", "1012102"},
	"AXB":  {"1012001", "1012007", "1012008", "1012010", "1012012", "1012102"},
	"AXE":  {"1010002", "1012001", "1012007", "1012008", "1012009", "1012010", "1012012", "1012102"},
	"any":  {"1010001", "1010002", "1010003", "1010006", "1010008", "1010029", "1010040"},
	"stop": {"1020001", "1020002", "1020150", "1020152"},
}

// TestEveryCode raises each result code that can arise. 1012009 of AXB cannot:
// a full X is 1012008 (decided in codes.md).
func TestEveryCode(t *testing.T) {
	w := newWorld(t)
	bind := func(mode routing.Mode, path string, params fields) reply {
		return w.send(string(mode), http.MethodPost, path, params)
	}
	w.done("AX", http.MethodPost, pathAX, axBase)
	w.done("AXB", http.MethodPost, pathAXB, axbBase)
	w.done("AXE", http.MethodPost, pathAXE, axeBase)
	raised := map[string]map[string]func() reply{
		"AX": {
			"1011001": func() reply { return bind(routing.AX, pathAX, axBase.with("privateNum", x(routing.AX, 30))) },
			"1011002": func() reply { return bind(routing.AX, pathAX, fields{"origNum": anna, "areaCode": "021"}) },
			"1011003": func() reply {
				for i := range 5 {
					w.done("AX", http.MethodPost, pathAX, fields{"origNum": carl, "privateNum": x(routing.AX, i+2)})
				}
				return bind(routing.AX, pathAX, fields{"origNum": carl, "privateNum": x(routing.AX, 7)})
			},
			"1011004": func() reply { return w.send("AX", http.MethodDelete, pathAX, fields{"privateNum": x(routing.AX, 30)}) },
			"1011005": func() reply { return bind(routing.AX, pathAX, axBase.with("origNum", bert)) },
			"1016001": func() reply { return w.send("AX", http.MethodGet, pathAX, fields{"subscriptionId": "none"}) },
			"1016002": func() reply { return bind(routing.AX, pathAX, axBase) },
			"1012012": func() reply {
				return bind(routing.AX, pathAX, fields{"origNum": dora, "privateNum": x(routing.AX, 8), "recordFlag": "true"})
			},
			"1012102": func() reply { return bind(routing.AX, pathAX, axBase.with("privateNum", x(routing.AX, 9))) },
		},
		"AXB": {
			"1012001": func() reply {
				return w.send("AXB", http.MethodDelete, pathAXB, fields{"relationNum": x(routing.AXB, 30)})
			},
			"1012007": func() reply { return bind(routing.AXB, pathAXB, axbBase.with("relationNum", x(routing.AXB, 30))) },
			"1012008": func() reply {
				return bind(routing.AXB, pathAXB, fields{"callerNum": anna, "calleeNum": bert, "areaCode": "021"})
			},
			"1012010": func() reply { return bind(routing.AXB, pathAXB, axbBase) },
			"1012012": func() reply {
				return bind(routing.AXB, pathAXB, axbBase.with("relationNum", x(routing.AXB, 2)).with("recordFlag", "true"))
			},
			"1012102": func() reply { return bind(routing.AXB, pathAXB, axbBase.with("relationNum", x(routing.AXB, 9))) },
		},
		"AXE": {
			"1010002": func() reply { return bind(routing.AXE, pathAXE, axeBase.with("extendNum", "1")) },
			"1012001": func() reply { return bind(routing.AXE, pathAXE, axeBase.with("virtualNum", x(routing.AXE, 30))) },
			"1012007": func() reply { return w.send("AXE", http.MethodGet, pathAXE, fields{"subscriptionId": "none"}) },
			"1012008": func() reply { return bind(routing.AXE, pathAXE, fields{"bindNum": anna, "areaCode": "021"}) },
			"1012009": func() reply {
				_, err := w.ChangeApp(t.Context(), "AXE-other", func(a *ledger.App) error { a.ExtDigits = 1; return nil })
				require.NoError(t, err)
				for i := range 9 {
					w.done("AXE-other", http.MethodPost, pathAXE, fields{"bindNum": tel(i), "virtualNum": x(routing.AXE, 30)})
				}
				return w.send("AXE-other", http.MethodPost, pathAXE, fields{"bindNum": anna, "virtualNum": x(routing.AXE, 30)})
			},
			"1012010": func() reply { return bind(routing.AXE, pathAXE, axeBase) },
			"1012012": func() reply {
				return bind(routing.AXE, pathAXE, axeBase.with("bindNum", bert).with("recordFlag", "true"))
			},
			"1012102": func() reply { return bind(routing.AXE, pathAXE, axeBase.with("virtualNum", x(routing.AXE, 9))) },
		},
		"any": {
			"1010001": func() reply { return w.broken(t, "AX").send("AX", http.MethodPost, pathAX, axBase) },
			"1010002": func() reply { return bind(routing.AX, pathAX, axBase.with("origNum", nil)) },
			"1010003": func() reply { return bind("nobody", pathAX, axBase) },
			"1010006": func() reply { return w.send("AX", http.MethodPost, pathTemporary, axBase) },
			"1010008": func() reply { return w.send("AX-paused", http.MethodPost, pathAX, axBase) },
			"1010029": func() reply { return w.send("AX-poor", http.MethodPost, pathAX, axBase) },
			"1010040": func() reply { return bind(routing.AXB, pathAX, axBase) },
		},
		"stop": {
			"1020001": func() reply { return w.send("AX", http.MethodPost, pathStop, fields{"signal": "call_stop"}) },
			"1020002": func() reply {
				return w.broken(t, "AX").send("AX", http.MethodPost, pathStop, fields{"signal": "call_stop", "sessionid": "s"})
			},
			"1020150": func() reply {
				return w.taking(t, "gone").send("gone", http.MethodPost, pathStop, fields{"signal": "call_stop", "sessionid": "s"})
			},
			"1020152": func() reply {
				return w.send("AX", http.MethodPost, pathStop, fields{"signal": "call_stop", "sessionid": "s"})
			},
		},
	}
	seen := map[string]bool{}
	for group, codes := range modeCodes {
		for _, code := range codes {
			t.Run(fmt.Sprint(group, " ", code), func(t *testing.T) {
				raise := raised[group][code]
				require.NotNil(t, raise, "no request raises it")
				r := raise()
				require.Equal(t, code, r.code, r.text)
				if code == "1010002" || code == "1020001" {
					require.NotEmpty(t, r.wrong(), "the parameter is named: %s", r.text)
				} else {
					require.Equal(t, texts[code], r.desc)
				}
				seen[code] = true
			})
		}
	}
	for code := range texts {
		require.True(t, seen[code], "%s was not raised", code)
	}
}

// always takes every request for one of an app.
type always string

func (a always) App(*http.Request) (auth.App, *answer.Refusal) { return auth.App{Key: string(a)}, nil }

// taking is the same API where every request counts as one of an app.
func (w *world) taking(t *testing.T, app string) *world {
	h, err := binding.New(binding.Config{Auth: always(app), Provision: w.Service, Calls: &w.calls, Log: zerolog.Nop()})
	require.NoError(t, err)
	return &world{Service: w.Service, t: t, ledger: w.ledger, cache: w.cache, handler: h, signed: w.signed}
}

// broken is the API on a ledger that is gone.
func (w *world) broken(t *testing.T, app string) *world {
	other := newWorld(t)
	require.NoError(t, other.ledger.Close())
	return other.taking(t, app)
}

// TestFailuresAreLogged: what is not the client's fault is told to operators
// with its cause, and to nobody else.
func TestFailuresAreLogged(t *testing.T) {
	var log logged
	other := newWorld(t)
	require.NoError(t, other.ledger.Close())
	h, err := binding.New(binding.Config{Auth: always("AX"), Provision: other.Service, Calls: &other.calls, Log: zerolog.New(&log)})
	require.NoError(t, err)
	w := &world{t: t, handler: h, signed: t0}
	r := w.send("AX", http.MethodPost, pathAX, axBase)
	require.Equal(t, `{"resultcode":"1010001","resultdesc":"Internal system error."}`, r.text)
	require.Contains(t, string(log), "closed")
	require.NotContains(t, string(log), anna[3:])
	log = nil
	require.Equal(t, "1020002", w.send("AX", http.MethodPost, pathStop, fields{"signal": "call_stop", "sessionid": "s"}).code)
	require.Contains(t, string(log), "closed")
	log = nil
	require.Equal(t, "1010002", w.raw("AX", http.MethodPost, pathAX, nil).code)
	require.Empty(t, log, "a client's fault is none of ours")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	require.Equal(t, "1010001", w.raw("AX", http.MethodGet, pathAX+"?origNum=x", nil, func(r *http.Request) { *r = *r.WithContext(gone) }).code)
	require.Empty(t, log, "nor is a client that is gone")
}

type logged []byte

func (l *logged) Write(b []byte) (int, error) { *l = append(*l, b...); return len(b), nil }
