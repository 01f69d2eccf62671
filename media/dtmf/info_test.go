package dtmf

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseInfo(t *testing.T) {
	const relay, plain = "application/dtmf-relay", "application/dtmf"
	const ms = time.Millisecond
	for _, c := range []struct {
		kind, body string
		digit      byte
		d          time.Duration
		err        string
	}{
		{kind: relay, body: "Signal=5\r\nDuration=250\r\n", digit: '5', d: 250 * ms},
		{kind: relay, body: "Signal=5\nDuration=250", digit: '5', d: 250 * ms},
		{kind: relay, body: "signal = 5 \r\n DURATION = 90 \r\n", digit: '5', d: 90 * ms},
		{kind: relay, body: "Duration=100\r\nSignal=*\r\n", digit: '*', d: 100 * ms},
		{kind: relay, body: "Signal=#", digit: '#', d: 160 * ms},
		{kind: relay, body: "Signal=10", digit: '*', d: 160 * ms},
		{kind: relay, body: "Signal=11", digit: '#', d: 160 * ms},
		{kind: relay, body: "Signal=12", digit: 'A', d: 160 * ms},
		{kind: relay, body: "Signal=d", digit: 'D', d: 160 * ms},
		{kind: relay, body: "Signal=1\r\nDuration=\r\nMark=7\r\n", digit: '1', d: 160 * ms},
		{kind: relay, body: "7", digit: '7', d: 160 * ms},
		{kind: plain, body: "7", digit: '7', d: 160 * ms},
		{kind: plain, body: " 7\r\n", digit: '7', d: 160 * ms},
		{kind: plain, body: "11\r\n", digit: '#', d: 160 * ms},
		{kind: plain, body: "Signal=7\r\nDuration=80", digit: '7', d: 80 * ms},
		{kind: "Application/DTMF-Relay; charset=utf-8", body: "Signal=0", digit: '0', d: 160 * ms},
		{kind: "text/plain", body: "Signal=5", err: "want application/dtmf-relay or application/dtmf"},
		{kind: "", body: "5", err: "INFO content type"},
		{kind: relay, body: "", err: "no signal"},
		{kind: relay, body: "Duration=100", err: "no signal"},
		{kind: relay, body: "Signal=", err: "want one of 0-9"},
		{kind: relay, body: "Signal=E", err: `signal "E"`},
		{kind: relay, body: "Signal=16", err: `signal "16"`},
		{kind: relay, body: "Signal=05", err: `signal "05"`},
		{kind: relay, body: "Signal=55", err: `signal "55"`},
		{kind: relay, body: "Signal=-1", err: `signal "-1"`},
		{kind: relay, body: "Signal=!", err: `signal "!"`},
		{kind: plain, body: "123", err: `signal "123"`},
		{kind: relay, body: "Signal=1\r\nSignal=2", err: "more than one"},
		{kind: relay, body: "Signal=1\r\n2", err: "more than one"},
		{kind: relay, body: "Signal=1\r\nDuration=soon", err: `duration "soon"`},
		{kind: relay, body: "Signal=1\r\nDuration=-5", err: `duration "-5"`},
		{kind: relay, body: "Signal=1\r\nDuration=60001", err: "up to 60000"},
		{kind: relay, body: "Signal=1\r\nDuration=99999999999999999999", err: "up to 60000"},
		{kind: relay, body: "Signal=" + strings.Repeat("1", 2000), err: "2007 bytes: at most 1024"},
	} {
		digit, d, err := ParseInfo(c.kind, []byte(c.body))
		if c.err != "" {
			require.ErrorContains(t, err, c.err, "%q %q", c.kind, c.body)
			require.Less(t, len(err.Error()), 200)
			continue
		}
		require.NoError(t, err, "%q %q", c.kind, c.body)
		require.Equal(t, string(c.digit), string(digit), "%q %q", c.kind, c.body)
		require.Equal(t, c.d, d, "%q %q", c.kind, c.body)
	}
}

func FuzzParseInfo(f *testing.F) {
	for _, body := range []string{"Signal=5\r\nDuration=160\r\n", "Signal=11", "7", "", "Duration=\nSignal=a", "Signal=1\r\nSignal=2",
		"=\r=\n", "Signal==5", "Duration=60000\nX=Y\nSignal=*"} {
		f.Add("application/dtmf-relay", []byte(body))
		f.Add("application/dtmf;q=1", []byte(body))
	}
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		digit, d, err := ParseInfo(kind, body)
		if err != nil {
			require.Less(t, len(err.Error()), 400)
			return
		}
		_, ok := Event(digit)
		require.True(t, ok)
		require.GreaterOrEqual(t, d, time.Duration(0))
		require.LessOrEqual(t, d, maxDuration)
		require.LessOrEqual(t, len(body), maxInfoBody)
	})
}
