package binding_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/routing"
)

// FuzzBody: whatever body comes to whichever interface, the answer is an
// envelope with a code that its status belongs to, and never a failure of ours.
func FuzzBody(f *testing.F) {
	for _, body := range []string{
		`{"origNum":"+8613800000001","privateNum":"+8617010000001","preVoice":{"callerHintTone":"wait_a.wav"},"userData":"x"}`,
		`{"callerNum":"+8613800000001","calleeNum":"+8613800000002","relationNum":"+8617020000001","duration":"60","preVoice":[{"calleeHintTone":"wait_b.wav"}]}`,
		`{"bindNum":"+8613800000001","virtualNum":"+8617030000001","extendNum":1234,"timeUnit":1,"bindExpiredTime":1e2,"callbackExpiredTime":"7"}`,
		`{"subscriptionId":"0f3c6d1e-0000-4000-8000-000000000001","calleeNum":"+8613800000003","duration":7200,"maxDuration":-1}`,
		`{"sessionid":"1200_1029_4294967295_20260102030405@callnode01.example.com","signal":"call_stop"}`,
		`{"privateNum":"+8617010000001","calleeNum":"+8695588","recordFlag":true,"privateSms":"false","callDirection":2.0}`,
		`{"a":[[[[{}]]]],"a":1}`, "{\"origNum\":\"\xff\u0000\"}", `{"origNum":"\u0000\ud800"}`, "\xef\xbb\xbf{}", "", "[", "null", "0",
	} {
		for i := range interfaces {
			f.Add(uint(i), []byte(body))
		}
	}
	w := newWorld(f)
	f.Fuzz(func(t *testing.T, which uint, body []byte) {
		to := append([]string{http.MethodPost, pathStop}, "")
		if i := which % uint(len(interfaces)+1); i < uint(len(interfaces)) {
			to = []string{interfaces[i].method, interfaces[i].path, string(interfaces[i].mode)}
			if interfaces[i].mode == routing.AXYB {
				to[1] += "?app_key=AXYB"
			}
		} else {
			to[2] = "AX"
		}
		r := httptest.NewRequest(to[0], to[1], strings.NewReader(string(body)))
		w.sign(r, to[2], secretOf(to[2]))
		holds(t, w, r)
	})
}

// FuzzQuery is FuzzBody for addresses.
func FuzzQuery(f *testing.F) {
	for _, query := range []string{
		"", "subscriptionId=0f3c6d1e-0000-4000-8000-000000000001", "privateNum=%2B8617010000001&origNum=%2B8613800000001",
		"relationNum=%2B8617020000001&pageIndex=2&pageSize=10&callerNum=+86", "virtualNum=%2B8617030000001&extendNum=0001",
		"virtualNum=%2B8617030000001&cursor=0000000000000_0&limit=100", "virtualNum=%2B8617030000001&cursor=1764095000000_18446744073709551615", "number=%2B8617030000001",
		"app_key=AXYB&subscriptionId=0f3c6d1e-0000-4000-8000-000000000001&yNum=%2B86&bNum=+1", "app_key=AXYB&relationNum=%2B8617040000001",
		"cursor=0&limit=1", "cursor=99999999999999999999", "subscriptionId=%00", "subscriptionId=%FF", "origNum=%zz", "a=1;b=2", "privateNum=&privateNum=",
		"relationNum=%2B8617020000001&pageIndex=2147483647&pageSize=100", "relationNum=%2B8617020000001&pageIndex=-2147483648",
	} {
		for i := range interfaces {
			f.Add(uint(i), query)
		}
	}
	w := newWorld(f)
	f.Fuzz(func(t *testing.T, which uint, query string) {
		i := interfaces[which%uint(len(interfaces))]
		r := httptest.NewRequest(i.method, i.path, strings.NewReader(query))
		r.URL = &url.URL{Path: i.path, RawQuery: query}
		w.sign(r, string(i.mode), secretOf(string(i.mode)))
		holds(t, w, r)
	})
}

func holds(t *testing.T, w *world, r *http.Request) {
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	got := check(t, rec)
	switch got.code {
	case "1010001", "1020002":
		require.Fail(t, "a failure of ours", got.text)
	}
}
