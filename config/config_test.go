package config_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"axgate/config"
)

func load(t *testing.T, text string, env ...string) (config.Config, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("axgate.yaml", []byte(text), 0o600))
	return config.Load(config.Default(), "axgate.yaml", env)
}

func TestDefaultIsRight(t *testing.T) {
	c, err := config.Load(config.Default(), "", nil)
	require.NoError(t, err)
	require.Equal(t, "0.0.0.0:5060", c.SIP.UDP)
	require.Empty(t, c.Notes())
}

func TestFileAndVariables(t *testing.T) {
	c, err := load(t, `
node: gate1
sip:
  udp: 127.0.0.1:5070
  ring_timeout: 9s
media: {ip: 127.0.0.1, codecs: [PCMU]}
trunks:
  - name: carrier
    address: 192.0.2.7:5060
    peers: [192.0.2.0/24]
apps:
  - {key: one, secret: s3cret, mode: AXB, default_prompts: none, prompts: {busy: b.wav}}
numbers:
  - {x: +8617010000001, app: one, area_code: 0755}
`, "AXGATE_SIP_UDP=127.0.0.2:5071", "AXGATE_TRUNKS_0_MAX_CALLS=7", "AXGATE_TRUNKS_1_NAME=second", "AXGATE_TRUNKS_1_PEERS=192.0.3.1, 192.0.3.2",
		"AXGATE_APPS_0_PROMPTS_NO_BINDING=n.wav", "AXGATE_LOG_LEVEL=debug", "HOME=/root", "AXGATE_SERVICE_HOST=10.0.0.1")
	require.NoError(t, err)
	require.Equal(t, "gate1", c.Node)
	require.Equal(t, "127.0.0.2:5071", c.SIP.UDP, "the variable wins over the file")
	require.Equal(t, "0.0.0.0:5060", c.SIP.TCP, "a default stays")
	require.Equal(t, 9*time.Second, c.SIP.RingTimeout)
	require.Equal(t, []string{"PCMU"}, c.Media.Codecs)
	require.Equal(t, "debug", c.Log.Level)
	require.Len(t, c.Trunks, 2)
	require.Equal(t, 7, c.Trunks[0].MaxCalls)
	require.Equal(t, "auto", c.Trunks[0].DTMF, "elements of lists have defaults")
	require.Equal(t, "off", c.Trunks[1].SMS)
	require.Equal(t, "ue", c.Trunks[1].SMSRole)
	require.Equal(t, []string{"192.0.3.1", "192.0.3.2"}, c.Trunks[1].Peers)
	require.Equal(t, map[string]string{"busy": "b.wav", "no_binding": "n.wav"}, c.Apps[0].Prompts)
	require.Equal(t, []string{"none"}, c.Apps[0].Defaults)
	require.Equal(t, "0755", c.Numbers[0].AreaCode, "digits stay as they were written")
	require.Equal(t, "+8617010000001", c.Numbers[0].X)
}

// TestErrors: each names the key, where it stands, and what is right.
func TestErrors(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		env  []string
		want []string // all of it, one line each
	}{
		"unknown key": {"sip:\n  upd: 127.0.0.1:5060\n", nil,
			[]string{"sip.upd: there is no such key: did you mean udp? (axgate.yaml:2)"}},
		"unknown section": {"trunk:\n  - name: x\n", nil,
			[]string{"trunk: there is no such key: did you mean trunks? (axgate.yaml:1)"}},
		"unlike anything": {"log: {colour: red}\n", nil,
			[]string{"log.colour: there is no such key: use one of format, level (axgate.yaml:1)"}},
		"unknown in a list": {"apps:\n  - key: one\n    secret: s\n    mode: AX\n  - key: two\n    secert: s\n", nil,
			[]string{"apps[1].secert: there is no such key: did you mean secret? (axgate.yaml:6)"}},
		"twice":   {"node: a\nnode: b\n", nil, []string{`this is not YAML: mapping key "node" already defined at [1:1] (axgate.yaml:2)`}},
		"no YAML": {"sip: [\n", nil, []string{"this is not YAML: sequence end token ']' not found (axgate.yaml:1)"}},
		"duration": {"sip: {drain: 30}\n", nil,
			[]string{`sip.drain: "30" is not a duration: use a number with its unit, such as 500ms, 90s or 5m (axgate.yaml:1)`}},
		"truth":       {"apps:\n  - {key: a, secret: s, mode: AX, paused: yes}\n", nil, []string{`apps[0].paused: "yes" is not true or false (axgate.yaml:2)`}},
		"whole":       {"sip: {max_calls: 1.5}\n", nil, []string{`sip.max_calls: "1.5" is not a whole number (axgate.yaml:1)`}},
		"one value":   {"node: [a, b]\n", nil, []string{"node: it takes one value, not a list or a section (axgate.yaml:1)"}},
		"a section":   {"sip: 5060\n", nil, []string{"sip: it is a section: write its keys beneath it, each as key: value (axgate.yaml:1)"}},
		"a list":      {"trunks: {name: a}\n", nil, []string{"trunks: it is a list: write each element on a line of its own behind a dash (axgate.yaml:1)"}},
		"by variable": {"", []string{"AXGATE_MEDIA_WORKERS=many"}, []string{`media.workers: "many" is not a whole number (AXGATE_MEDIA_WORKERS)`}},
		"value by variable": {"", []string{"AXGATE_LOG_LEVEL=loud"},
			[]string{`log.level: "loud": use trace, debug, info, warn or error (AXGATE_LOG_LEVEL)`}},
		"all at once": {"node: a b\nsip: {udp: x, tcp: 127.0.0.1:99999}\nmedia: {ports: 5-6}\n", nil, []string{
			`node: "a b": use 1 to 64 letters, digits, . _ and - (axgate.yaml:1)`,
			`sip.udp: "x": use host:port, such as 192.0.2.7:5060 (axgate.yaml:2)`,
			`sip.tcp: "127.0.0.1:99999": use host:port, such as 192.0.2.7:5060 (axgate.yaml:2)`,
			`media.ports: "5-6": use first-last with four ports or more, none below 1024, such as 20000-29999 (axgate.yaml:3)`}},
		"redis is not open to all": {"redis: {embedded: 0.0.0.0:6380}", nil,
			[]string{`redis.embedded: "0.0.0.0:6380": use a loopback address, such as 127.0.0.1:6380 (axgate.yaml:1)`}},
		"redis of one kind": {"redis: {address: 127.0.0.1:6379, cluster: [\"127.0.0.1:7000\", x], db: 2, tls_ca: ca.pem, sentinel_password: secretsecret}", nil, []string{
			`redis.cluster[1]: "x": use host:port, such as 192.0.2.7:5060 (axgate.yaml:1)`, "redis.cluster: there is redis.address too: use one of them (axgate.yaml:1)",
			"redis.db: 2: a cluster has only 0 (axgate.yaml:1)", "redis.sentinel_password: there are no redis.sentinels (axgate.yaml:1)",
			"redis.tls_ca: redis.tls is false: set it, or leave tls_ca out (axgate.yaml:1)"}},
		"redis over tls": {"redis: {sentinels: [h], tls: true, tls_cert: c.pem, tls_name: a b}", nil, []string{
			`redis.sentinels[0]: "h": use host:port, such as 192.0.2.7:5060 (axgate.yaml:1)`,
			"redis.sentinel_master: it is empty: use the name by which the sentinels know the master, such as mymaster (axgate.yaml:1)",
			"redis.tls_cert: it and redis.tls_key go together (axgate.yaml:1)", `redis.tls_name: "a b": use a host name or an IP address (axgate.yaml:1)`}},
		"no tls inside": {"redis: {tls: true}", nil, []string{"redis.tls: the embedded Redis has no TLS (axgate.yaml:1)"}},
		"no dsn": {"redis: {address: 127.0.0.1:6379}\nledger: {driver: postgres}", nil,
			[]string{"ledger.dsn: it is needed for PostgreSQL: use postgres://user:password@host/axgate (axgate.yaml:2)"}},
		"no common cache": {"ledger: {driver: postgres, dsn: postgres://h/d}", nil,
			[]string{"redis.address: it, redis.cluster or redis.sentinels is needed with PostgreSQL: nodes that share a ledger have to share the cache, or one would route what another has unbound"}},
		"media for all addresses": {"media: {ip: 0.0.0.0}", nil,
			[]string{"media.advertise: it is needed because media.ip is 0.0.0.0: use the address that peers reach us at (axgate.yaml:1)"}},
		"t1":             {"sip: {t1: 50ms}\n", nil, []string{"sip.t1: 50ms: use 100ms to 2s (axgate.yaml:1)"}},
		"nobody listens": {"sip: {udp: off, tcp: off}", nil, []string{"sip.udp: it, sip.tcp and sip.tls are off: nobody could call (axgate.yaml:1)"}},
		"proofs": {"trunks:\n  - {name: a, address: 192.0.2.7, register: true, register_id: x, register_expires: 999h}\n  - {name: b, peers: [192.0.2.8], auth_username: u, auth_password: secretsecret}\n" +
			"  - {name: c, address: 192.0.2.9, register_id: a@b}\n  - {name: d, auth_username: u}\n  - {name: e, register: true, register_id: a@b, peers: [192.0.2.10]}\n" +
			"  - {name: f, address: 192.0.2.11, register: true, register_id: a@b, register_user: u}\n", nil, []string{
			"trunks[0].register_id: use user@domain, such as +8613800000001@ims.example.com (axgate.yaml:2)",
			"trunks[0].register_expires: 999h0m0s: use 0s to 168h0m0s (axgate.yaml:2)",
			"trunks[1].auth_username: a trunk is known by its peers or by its name: give one of them (axgate.yaml:3)",
			"trunks[2].register: the settings of a registration need register: true (axgate.yaml:4)",
			"trunks[3].auth_username: it and auth_password go together: give both or neither (axgate.yaml:5)",
			"trunks[4].register: it needs an address to register at (axgate.yaml:6)",
			"trunks[5].password: it is missing: register_user needs it (axgate.yaml:7)"}},
		"empty trunk": {"trunks:\n  - name: t\n", nil, []string{"trunks[0]: it has neither peers (calls in) nor an address (calls out) (axgate.yaml:2)"}},
		"app":         {"apps:\n  - key: a\n    mode: XY\n", nil, []string{"apps[0].secret: it is missing (axgate.yaml:2)", `apps[0].mode: "XY": use AX, AXB, AXE, AXYB or X (axgate.yaml:3)`}},
		"two apps": {"apps:\n  - {key: a, secret: s, mode: AX}\n  - {key: a, secret: s, mode: AX}\n", nil,
			[]string{`apps[1].key: there are two of "a" (axgate.yaml:3)`}},
		"number": {"numbers: [{x: 17010000001, app: a}]", nil, []string{`numbers[0].x: "17010000001" is no number in global form, such as +8617010000001 (axgate.yaml:1)`}},
		"real number is not repeated": {"bindings: [{x: +8617010000001, app: a, a: 13800000001}]", nil,
			[]string{"bindings[0].a: this is no number in global form, such as +8613800000001 (axgate.yaml:1)"}},
		"TLS": {"sip: {tls: 0.0.0.0:5061, tls_cert: c.pem, tls_advertise: here}\ntrunks:\n  - {name: a, address: 192.0.2.7:5061, tls_name: sbc.example}\n" +
			"  - {name: b, address: 192.0.2.8:5061, transport: tls, tls_name: a b, tls_key: k.pem}\n  - {name: c, peers: [192.0.2.9], transport: tls, tls_ca: ca.pem}\n", nil, []string{
			"sip.tls: it needs tls_cert and tls_key (axgate.yaml:1)",
			`sip.tls_advertise: "here": use host:port, such as 192.0.2.7:5060 (axgate.yaml:1)`,
			"trunks[0].tls_name: it needs an address and transport: tls (axgate.yaml:3)",
			`trunks[1].tls_name: "a b": use a host name or an IP address (axgate.yaml:4)`,
			"trunks[1].tls_cert: it and tls_key go together: give both or neither (axgate.yaml:4)",
			"trunks[2].tls_ca: it needs an address and transport: tls (axgate.yaml:5)"}},
		"talks": {"trunks:\n  - {name: a, peers: [192.0.2.9], session_expires: 60s, refresher: both, hold: relay, hold_tone: tone}\n" +
			"  - {name: b, peers: [192.0.2.8], session_expires: 10m, min_se: 20m, hold_tone: a/b.wav}\n  - {name: c, peers: [192.0.2.7], session_expires: 0, min_se: 20m}\n", nil, []string{
			"trunks[0].session_expires: 1m0s: use 1m30s to 24h0m0s (axgate.yaml:2)",
			`trunks[0].refresher: "both": use auto, us or peer (axgate.yaml:2)`,
			"trunks[0].hold_tone: with hold: relay the other side has its own: use off (axgate.yaml:2)",
			"trunks[1].min_se: 20m0s: use 1m30s to 10m0s (axgate.yaml:3)",
			`trunks[1].hold_tone: "a/b.wav": use off, tone or the file name of a prompt (axgate.yaml:3)`}},
		"certificate without key": {"http: {cert: c.pem}", nil, []string{"http.cert: it and key go together: give both or neither (axgate.yaml:1)"}},
		"http": {"http: {listen: x, advertise: api.example.com, window: 1s, rate: -1, proxies: [here], link: 200h}", nil, []string{
			`http.listen: "x": use host:port, such as 192.0.2.7:5060 (axgate.yaml:1)`,
			`http.advertise: "api.example.com": use an address such as https://api.example.com, with nothing behind its path (axgate.yaml:1)`,
			"http.window: 1s: use 1m0s to 168h0m0s (axgate.yaml:1)",
			"http.rate: -1: use 0 to 100000000 (axgate.yaml:1)",
			`http.proxies[0]: "here": use an address or a network, such as 192.0.2.0/24 (axgate.yaml:1)`,
			"http.link: 200h0m0s: use 1m0s to 168h0m0s (axgate.yaml:1)"}},
		"store": {"recording: {store: {endpoint: \"https://s3.example.com\", prefix: /a, access_key: k}}", nil, []string{
			`recording.store.endpoint: "https://s3.example.com": use host or host:port, such as s3.example.com (axgate.yaml:1)`,
			"recording.store.bucket: it is missing (axgate.yaml:1)",
			`recording.store.prefix: "/a": use the beginning of a name, such as recordings/ (axgate.yaml:1)`,
			"recording.store.access_key: it and secret_key go together: give both or neither (axgate.yaml:1)"}},
		"retention": {"retention: {every: 1s, recordings_days: 0, lists_days: 1, audit_days: -1}\napps: [{key: a, secret: s, mode: AX, recordings_days: -1, lists_days: 1}]", nil, []string{
			"retention.every: 1s: use 1m0s to 24h0m0s (axgate.yaml:1)",
			"retention.recordings_days: 0: use 1 to 3650 (axgate.yaml:1)",
			"retention.lists_days: 1: use 2 to 3650 (axgate.yaml:1)",
			"retention.audit_days: -1: use 0 to 3650 (axgate.yaml:1)",
			"apps[0].recordings_days: -1: use 1 to 3650 (axgate.yaml:2)",
			"apps[0].lists_days: 1: use 2 to 3650 (axgate.yaml:2)"}},
		"sms": {"sms: {per_sender: -1, per_x: 2000000, max_parts: 256, validity: 1s, assemble: 25h, answer_timeout: 31s}", nil, []string{
			"sms.per_sender: -1: use 0 to 1000000 (axgate.yaml:1)",
			"sms.per_x: 2000000: use 0 to 1000000 (axgate.yaml:1)",
			"sms.max_parts: 256: use 1 to 255 (axgate.yaml:1)",
			"sms.validity: 1s: use 10s to 72h0m0s (axgate.yaml:1)",
			"sms.assemble: 25h0m0s: use 10s to 24h0m0s (axgate.yaml:1)",
			"sms.answer_timeout: 31s: use 100ms to 30s (axgate.yaml:1)"}},
		"texts of apps": {"apps:\n  - {key: a, secret: s, mode: AX, sms: true, sms_url: x, sms_keywords: [one, \"\"]}\n  - {key: b, secret: s, mode: AXE, sms: true}\n  - {key: c, secret: s, mode: X, sms: true, sms_control_url: y}\n" +
			"numbers: [{x: +8617010000001, app: a, sms: maybe}]\n", nil, []string{
			"apps[0].sms_url: this is no address: use one such as https://customer.example/events (axgate.yaml:2)",
			"apps[0].sms_control_url: it is missing: with sms, an app of mode AX is asked there whom texts are for (axgate.yaml:2)",
			"apps[0].sms_keywords[1]: this is no word of 1 to 64 characters (axgate.yaml:2)",
			"apps[1].sms: there are no texts in mode AXE (axgate.yaml:3)",
			"apps[2].sms_control_url: this is no address: use one such as https://customer.example/events (axgate.yaml:4)",
			`numbers[0].sms: "maybe": use true or false (axgate.yaml:5)`}},
		"texts of trunks": {"trunks:\n  - {name: phone, address: \"192.0.2.7:5060\", sms: pigeon, sms_role: king, sms_psi: a b}\n  - {name: b, address: \"192.0.2.7:5060\", sms: 3gpp}\n" +
			"  - {name: c, address: \"192.0.2.7:5060\", sms: 3gpp, sms_center: 13800100500}\n", nil, []string{
			`trunks[0].sms: "pigeon": use off, text, cpim or 3gpp (axgate.yaml:2)`,
			`trunks[0].sms_role: "king": use ue or network (axgate.yaml:2)`,
			"trunks[0].name: with sms, phone is the name of the phones of the registrar (axgate.yaml:2)",
			`trunks[0].sms_psi: "a b": use 1 to 64 letters, digits, . _ and -, such as smsc (axgate.yaml:2)`,
			"trunks[1].sms_center: it is missing: with sms: 3gpp the service centre has a number (axgate.yaml:3)",
			"trunks[2].sms_center: this is no number in global form, such as +8613800100500 (axgate.yaml:4)"}},
		"password": {"registrar: {accounts: [{number: +8613800000001, password: short}]}", nil,
			[]string{"registrar.accounts[0].password: it is shorter than 8 characters (axgate.yaml:1)"}},
		"control characters": {"sip: {agent: \"a\\r\\nVia: x\"}", nil, []string{"sip.agent: it has control characters (axgate.yaml:1)"}},
		"anchors":            {"node: &a b\n", nil, []string{"node: anchors, aliases and tags are not read: write the value (axgate.yaml:1)"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, c.text, c.env...)
			require.Error(t, err)
			require.Equal(t, strings.Join(c.want, "\n"), err.Error())
		})
	}
}

func TestNoFile(t *testing.T) {
	_, err := config.Load(config.Default(), filepath.Join(t.TempDir(), "none.yaml"), nil)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "none.yaml")
}

func TestMistypedVariable(t *testing.T) {
	c, err := load(t, "", "AXGATE_SIP_UPD=x", "AXGATE_PORT_5060_UDP_ADDR=10.0.0.1", "AXGATE_SERVICE_PORT=1")
	require.NoError(t, err)
	require.Equal(t, []string{"the variable AXGATE_SIP_UPD sets nothing: did you mean AXGATE_SIP_UDP?"}, c.Notes())
}

// TestPrint: what is printed can be read again, and no secret is in it.
func TestPrint(t *testing.T) {
	const text = `
redis: {password: hidden-one}
ledger: {dsn: "postgres://u:hidden-two@h/d"}
trunks: [{name: t, address: "192.0.2.7:5060", username: u, password: hidden-three}]
registrar: {accounts: [{number: +8613800000001, password: hidden-four}]}
apps: [{key: a, secret: hidden-five, mode: AX, prompts: {busy: b.wav}}]
numbers: [{x: +8617010000001, app: a, area_code: "0755"}]
traces: {headers: {authorization: Bearer hidden-six}}
`
	c, err := load(t, text)
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, c.Print(&out))
	require.NotContains(t, out.String(), "hidden")
	again, err := load(t, out.String())
	require.NoError(t, err, out.String())
	require.Equal(t, "0755", again.Numbers[0].AreaCode)
	require.Equal(t, c.SIP, again.SIP)
	require.Equal(t, "+8613800000001", again.Registrar.Accounts[0].Number)
}

// TestKeys: every setting has a variable of its own that Load takes.
func TestKeys(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range config.Keys() {
		require.False(t, seen[k.Variable], k.Variable)
		seen[k.Variable] = true
	}
	for _, want := range []string{"AXGATE_SIP_UDP", "AXGATE_TRUNKS_0_ADDRESS", "AXGATE_REGISTRAR_ACCOUNTS_0_PASSWORD"} {
		require.True(t, seen[want], want)
	}
}

// TestAnyText: no file makes the reader panic.
func TestAnyText(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "c.yaml")
	words := []string{"sip", "udp", "apps", ":", "\n", "  ", "- ", "{", "}", "[", "]", ",", "&a", "*a", "!!x", "<<", "|", ">", "'", "\"", "#", "---", "1", "~", "?"}
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 0, 30).Draw(t, "words"), rapid.SampledFrom([]string{"", " "}).Draw(t, "between"))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, _ = config.Load(config.Default(), path, nil)
	})
}

// TestTraceHeaderNames: a header has one name, however it is spelled: the environment wins,
// and in the file it stands once.
func TestTraceHeaderNames(t *testing.T) {
	c, err := load(t, "traces: {headers: {Authorization: of-the-file, X_Tenant: seven, Other: x}}\n",
		"AXGATE_TRACES_HEADERS_AUTHORIZATION=of-the-environment", "AXGATE_TRACES_HEADERS_X_TENANT=eight")
	require.NoError(t, err)
	require.Equal(t, config.Headers{"authorization": "of-the-environment", "x-tenant": "eight", "other": "x"}, c.Traces.Headers)
	_, err = load(t, "traces: {headers: {x-tenant: one, X_Tenant: two}}\n")
	require.ErrorContains(t, err, "traces.headers: it has one name twice")
	_, err = load(t, "traces: {headers: {\"Bearer hidden\": x}}\n")
	require.ErrorContains(t, err, "traces.headers: it is no name of a header")
	require.NotContains(t, strings.ToLower(err.Error()), "hidden")
}

// TestTraceHeadersInTheClear: what the collector is shown goes over no network as it is
// without a word.
func TestTraceHeadersInTheClear(t *testing.T) {
	for text, notes := range map[string]int{
		"endpoint: \"http://192.0.2.7:4318\", headers: {a: b}":      1,
		"endpoint: \"http://collector\", credentials_file: /x":      1,
		"endpoint: \"http://192.0.2.7:4318\"":                       0,
		"endpoint: \"https://192.0.2.7:4318\", headers: {a: b}":     0,
		"endpoint: \"http://127.0.0.1:4318\", headers: {a: b}":      0,
		"endpoint: \"http://[::1]:4318\", headers: {a: b}":          0,
		"endpoint: \"http://localhost:4318\", credentials_file: /x": 0,
		"headers: {a: b}": 0,
	} {
		c, err := load(t, "traces: {"+text+"}\n")
		require.NoError(t, err, text)
		require.Len(t, c.Notes(), notes, text)
	}
}
