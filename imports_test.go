// Package axgate_test holds the rules of who may import whom.
package axgate_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A rule says what a room and the rooms below it may import of ours, and why
// no more. A name without a slash at its end means that room alone, with one
// the rooms below it too.
type rule struct {
	room  string
	mayBe []string
	why   string
}

var rules = []rule{
	{"routing", nil, "the rules are pure functions over plain values"},
	{"area", []string{"routing"}, "a table knows nobody who reads it"},
	{"area/gen", []string{}, "it writes the table from the library's data alone"},
	{"events", []string{}, "what customers are told depends on nothing else"},
	{"media/srtp", []string{}, "it protects packets with the keys it is given and knows neither SDP nor sockets"},
	{"vault", []string{}, "it encrypts what it is given, and knows nobody who stores it"},
	{"media/record", []string{"media/", "vault"}, "recordings are encrypted as they are written"},
	{"media/", []string{"media/"}, "media knows RTP and audio, nothing of SIP or bindings"},
	{"logging", nil, "everybody may log"},
	{"prompts", []string{"media/wav", "routing"}, "prompts are files and scenes"},
	{"store", []string{"routing", "events", "logging"}, "the cache knows only the types it keeps"},
	{"store/redistest", []string{}, "it starts Redis servers for tests and knows no keys"},
	{"ledger", []string{"routing", "events", "logging", "sms", "sms/parts", "vault"}, "the ledger knows only the types it keeps, and how the parts of a text are joined"},
	{"journal", []string{"events", "logging"}, "it keeps what calls were, and declares who takes it: no SQL, no SIP"},
	{"ledger/pgtest", nil, "it starts a PostgreSQL for tests and knows no tables"},
	{"ledger/ledgertest", []string{"events", "ledger", "ledger/pgtest"}, "it gives tests empty ledgers"},
	{"sip/digest", []string{"sip/identity"}, "it proves and asks for proofs of requests of any method, and knows nobody who sends them"},
	{"sip/enrol", []string{"sip/digest", "sip/identity"}, "it declares how requests are sent: no sockets, no calls, no trunks"},
	{"sip/resolve", []string{}, "where a name leads depends on DNS alone"},
	{"sip/", []string{"sip/", "media/", "routing", "events", "logging", "sms", "sms/parts", "sms/rp", "certs"}, "the B2BUA never sees Redis or SQL; of the office of texts it knows what carriers have to"},
	{"roster", []string{"ledger"}, "it knows which nodes there are and who is dead, nothing of what they did"},
	{"lookup", []string{"lookup/usage", "roster", "routing", "store", "ledger", "events", "logging"}, "it joins cache and ledger for a call"},
	{"lookup/usage", []string{"routing", "store"}, "it counts calls and shares the counts: no ledger, no apps, no callers"},
	{"provision", []string{"area", "routing", "store", "ledger", "events", "logging", "prompts"}, "it joins cache and ledger for a change"},
	{"lab", []string{"phone/", "config", "routing"}, "a demonstration sees the product from outside, as a phone and a customer do"},
	{"certs", []string{}, "files and what they say, nothing of who shows them"},
	{"certs/certtest", nil, "it makes certificates for tests and knows nobody who reads them"},
	{"api", []string{"api/answer", "certs"}, "the server knows nothing of what is mounted on it"},
	{"api/answer", []string{}, "everybody of the API may answer"},
	{"archive/archivetest", []string{"archive"}, "it gives tests a store"},
	{"archive", []string{"vault"}, "where recordings are, nothing of calls"},
	{"backup", []string{"archive", "ledger"}, "it knows tables and files, nothing of what they mean"},
	{"retention", []string{"archive", "ledger"}, "it deletes rows and files whose time is over: no Redis, no calls"},
	{"api/records", []string{"api/answer", "api/auth", "archive", "vault"}, "it hands out files and declares what it has to know of them"},
	{"api/auth", []string{"api/answer"}, "it tells apps apart and declares what it has to know of them"},
	{"api/binding", []string{"api/answer", "api/auth", "events", "provision", "routing"}, "it turns requests into operations and what becomes of them into answers: no Redis, no SQL, no SIP"},
	{"api/manage", []string{"events", "ledger", "logging", "prompts", "provision", "routing", "sms"}, "it shows what is stored, of texts as the office keeps them, and has provision change it: no Redis, no SQL, no SIP"},
	{"health", nil, "it looks at what it is given, and knows no part"},
	{"metrics", []string{"archive", "events", "health", "journal", "ledger", "lookup", "media", "media/record", "provision", "roster", "routing", "sip"}, "it turns what the parts tell of themselves into figures, and no part knows it"},
	{"traces/tracestest", nil, "it is a collector for tests, which knows what OTLP says"},
	{"traces", []string{"events", "logging", "sip"}, "it tells of calls and pushes that are over, and no part knows it"},
	{"node", []string{"api/", "archive", "backup", "certs", "config", "events", "health", "journal", "ledger", "logging", "lookup/", "media/", "metrics", "prompts", "provision", "retention", "roster", "routing", "sip/", "sms/", "store", "traces", "vault"},
		"it joins the parts to a running node; what uses it is the command line"},
	{"sms", []string{"routing", "events", "logging", "sms/parts"}, "the office declares what it needs: no Redis, no SQL, no SIP"},
	{"sms/parts", []string{}, "counting is a pure function of the text"},
	{"sms/rp", []string{"sms/parts"}, "octets and what they mean, nothing of SIP or of what becomes of a text"},
	{"sms/gateway", []string{"events", "routing", "sms"}, "it reads and posts HTTP and declares what it has to know of the office: no Redis, no SQL, no SIP"},
	{"bench/load/", []string{"bench/load/"}, "the load must not share the product's reading of SIP or RTP, nor know which product it is for"},
	{"e2e/ua", []string{"phone/", "media/tone"}, "the scripted user agent must not share the product's reading of SIP, SDP or RTP"},
	{"phone/", []string{"phone/", "media/wav", "media/tone", "media/dtmf"}, "the test phone must not share the product's reading of SIP"},
}

// TestImports fails when a package imports one of ours that its room may not,
// when a room has no rule, and when a rule names a room that is gone.
func TestImports(t *testing.T) {
	type pkg struct {
		ImportPath string
		Imports    []string
	}
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	require.NoError(t, err)
	used := map[string]bool{}
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else {
			require.NoError(t, err)
		}
		name := strings.TrimPrefix(p.ImportPath, "axgate/")
		if name == "axgate" || strings.HasPrefix(name, "cmd/") || strings.HasPrefix(name, "e2e") && name != "e2e/ua" || name == "config" || strings.HasPrefix(name, "bench") && !strings.HasPrefix(name, "bench/load") {
			continue
		}
		r, ok := ruleFor(name)
		if !ok {
			t.Errorf("%s has no rule here: add one with its reason", name)
			continue
		}
		used[r.room] = true
		for _, imp := range p.Imports {
			ours, is := strings.CutPrefix(imp, "axgate/")
			if is && !allowed(ours, r.mayBe) {
				t.Errorf("%s imports %s: %s", name, ours, r.why)
			}
		}
	}
	for _, r := range rules {
		if !used[r.room] {
			t.Errorf("the rule for %s names a room that is gone", r.room)
		}
	}
}

func ruleFor(name string) (rule, bool) {
	for _, r := range rules {
		if allowed(name, []string{r.room}) {
			return r, true
		}
	}
	return rule{}, false
}

func allowed(name string, list []string) bool {
	for _, l := range list {
		if name == strings.TrimSuffix(l, "/") || strings.HasSuffix(l, "/") && strings.HasPrefix(name, l) {
			return true
		}
	}
	return false
}
