package node

import (
	"maps"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"axgate/config"
	"axgate/routing"
	"axgate/sip/identity"
	"axgate/sip/sdp"
	"axgate/sip/trunk"
)

// setting is one key of a trunk in a file, and what calls then go by.
type setting struct {
	text string // its value in YAML, another than the default
	with string // what else has to stand there for it
	get  func(*trunk.Trunk) any
	want any
}

const (
	withTLS  = "transport: tls"
	withName = "address: sip.example.com"
	withLine = "{register: true, register_id: \"+8613800000001@ims.example.com\", username: me, password: secret}"
	with3GPP = "{sms: 3gpp, sms_center: \"+8613800100500\"}"
)

// arrives are all settings of a trunk.
var arrives = map[string]setting{
	"name":      {"carrier", "", func(t *trunk.Trunk) any { return t.Name }, "carrier"},
	"profile":   {"china-ims", "", func(t *trunk.Trunk) any { return t.Headers.NoAgent }, true},
	"peers":     {"[udp://192.0.2.9:5062]", "", func(t *trunk.Trunk) any { return t.Peers }, []trunk.Peer{{Net: netip.MustParsePrefix("192.0.2.9/32"), Port: 5062, Transport: "UDP"}}},
	"address":   {"192.0.2.8:5070", "", func(t *trunk.Trunk) any { return t.Address }, netip.MustParseAddrPort("192.0.2.8:5070")},
	"transport": {"tcp", "", func(t *trunk.Trunk) any { return t.Transport }, "TCP"},

	"proxy":           {"proxy.example.com:5070", "", func(t *trunk.Trunk) any { return t.Way.Proxy }, "proxy.example.com:5070"},
	"domain":          {"ims.example.com", "", func(t *trunk.Trunk) any { return t.Way.Domain }, "ims.example.com"},
	"priority":        {"3", "", func(t *trunk.Trunk) any { return t.Way.Priority }, 3},
	"weight":          {"7", "", func(t *trunk.Trunk) any { return t.Way.Weight }, 7},
	"prefixes":        {`["+852", "+86139"]`, "", func(t *trunk.Trunk) any { return t.Way.Prefixes }, []string{"+852", "+86139"}},
	"connect_timeout": {"2500ms", "", func(t *trunk.Trunk) any { return t.Way.ConnectTimeout }, 2500 * time.Millisecond},
	"ping_interval":   {"17s", "", func(t *trunk.Trunk) any { return t.Way.PingInterval }, 17 * time.Second},
	"max_cps":         {"11", "", func(t *trunk.Trunk) any { return t.Way.MaxCPS }, 11},
	"tcp_large":       {"true", "", func(t *trunk.Trunk) any { return t.Way.TCPLarge }, true},
	"follow_3xx":      {"true", "", func(t *trunk.Trunk) any { return t.Way.Follow3xx }, true},

	"tls_name": {"sip.example.com", withTLS, func(t *trunk.Trunk) any { return t.TLS.Name }, "sip.example.com"},
	"tls_ca":   {"/etc/axgate/ca.pem", withTLS, func(t *trunk.Trunk) any { return t.TLS.CA }, "/etc/axgate/ca.pem"},
	"tls_cert": {"/etc/axgate/c.pem", "{transport: tls, tls_key: /etc/axgate/k.pem}", func(t *trunk.Trunk) any { return t.TLS.Cert }, "/etc/axgate/c.pem"},
	"tls_key":  {"/etc/axgate/k.pem", "{transport: tls, tls_cert: /etc/axgate/c.pem}", func(t *trunk.Trunk) any { return t.TLS.Key }, "/etc/axgate/k.pem"},

	"identity_source":  {"[rpid, from]", "", func(t *trunk.Trunk) any { return t.Rule.Sources }, []identity.Source{"rpid", "from"}},
	"trusted_identity": {"true", "", func(t *trunk.Trunk) any { return t.Rule.Trusted }, true},

	"callee_format": {"national-zero", "", func(t *trunk.Trunk) any { return t.CalleeFormat }, routing.FormatNationalZero},
	"from_format":   {"international", "", func(t *trunk.Trunk) any { return t.FromFormat }, routing.FormatInternational},
	"from_domain":   {"us.example.com", "", func(t *trunk.Trunk) any { return t.FromDomain }, "us.example.com"},
	"send_pai":      {"true", "", func(t *trunk.Trunk) any { return t.SendPAI }, true},
	"send_ppi":      {"true", "", func(t *trunk.Trunk) any { return t.SendPPI }, true},
	"hide":          {"true", "", func(t *trunk.Trunk) any { return t.Hide }, true},

	"send_diversion":    {"true", "", func(t *trunk.Trunk) any { return t.Headers.Diversion }, true},
	"send_history_info": {"true", "", func(t *trunk.Trunk) any { return t.Headers.HistoryInfo }, true},
	"hide_agent":        {"true", "", func(t *trunk.Trunk) any { return t.Headers.NoAgent }, true},
	"extra_headers":     {"{X-Class: gold}", "", func(t *trunk.Trunk) any { return t.Headers.Extra }, []identity.Header{{Name: "X-Class", Value: "gold"}}},

	"dial_rules":   {`["9901(*) -> $"]`, "", func(t *trunk.Trunk) any { return t.Dialled("990117010000001") }, "17010000001"},
	"callee_rules": {`["+86(*) -> 7788$"]`, "", func(t *trunk.Trunk) any { return spelled(t) }, "778813800000001"},
	"from_rules":   {`["+86(*) -> 0086$"]`, "", func(t *trunk.Trunk) any { return shown(t) }, "008617010000001"},

	"username": {"me", "password: secret", func(t *trunk.Trunk) any { return t.Username }, "me"},
	"password": {"secret", "username: me", func(t *trunk.Trunk) any { return t.Password }, "secret"},

	"register":           {"true", `{register_id: "+8613800000001@ims.example.com", username: me, password: secret}`, func(t *trunk.Trunk) any { return t.Enrol.On }, true},
	"register_id":        {`"+8613800000009@ims.example.com"`, withLine, func(t *trunk.Trunk) any { return t.Enrol.ID }, "+8613800000009@ims.example.com"},
	"register_user":      {"private@ims.example.com", withLine, func(t *trunk.Trunk) any { return t.Enrol.User }, "private@ims.example.com"},
	"register_domain":    {"home.example.com", withLine, func(t *trunk.Trunk) any { return t.Enrol.Domain }, "home.example.com"},
	"register_expires":   {"20m", withLine, func(t *trunk.Trunk) any { return t.Enrol.Expires }, 20 * time.Minute},
	"register_introduce": {"true", withLine, func(t *trunk.Trunk) any { return t.Enrol.Introduce }, true},
	"auth_username":      {"other", "auth_password: long secret", func(t *trunk.Trunk) any { return t.Auth.Username }, "other"},
	"auth_password":      {"hidden secret", "auth_username: pbx", func(t *trunk.Trunk) any { return t.Auth.Password }, "hidden secret"},

	"nat_media":      {"true", "", func(t *trunk.Trunk) any { return t.NATMedia }, true},
	"codecs":         {"[PCMU]", "", func(t *trunk.Trunk) any { return t.Codecs }, []string{"PCMU"}},
	"media_security": {"required", withTLS, func(t *trunk.Trunk) any { return t.Security }, sdp.Required},
	"dtmf":           {"inband", "", func(t *trunk.Trunk) any { return t.DTMF }, trunk.Tones},
	"max_calls":      {"30", "", func(t *trunk.Trunk) any { return t.MaxCalls }, 30},
	"ring_timeout":   {"50s", "", func(t *trunk.Trunk) any { return t.RingTimeout }, 50 * time.Second},
	"rtp_timeout":    {"90s", "", func(t *trunk.Trunk) any { return t.Media.Timeout }, 90 * time.Second},
	"rtcp_mux":       {"off", "", func(t *trunk.Trunk) any { return t.Media.Mux }, sdp.MuxOff},

	"reliable_1xx":       {"required", "", func(t *trunk.Trunk) any { return t.Early.Reliable }, trunk.ReliableRequired},
	"early_media_ok":     {"false", "", func(t *trunk.Trunk) any { return t.Early.NoMedia }, true},
	"prompt_vs_ringing":  {"cut", "", func(t *trunk.Trunk) any { return t.Early.CutPrompt }, true},
	"ringback_wait":      {"3s", "", func(t *trunk.Trunk) any { return t.Early.RingbackWait }, 3 * time.Second},
	"early_media_header": {"true", "", func(t *trunk.Trunk) any { return t.Early.Header }, true},
	"early_digits":       {"true", "", func(t *trunk.Trunk) any { return t.Early.Digits }, true},

	"session_expires": {"10m", "", func(t *trunk.Trunk) any { return t.Timer.Expires }, 10 * time.Minute},
	"min_se":          {"2m", "", func(t *trunk.Trunk) any { return t.Timer.MinSE }, 2 * time.Minute},
	"refresher":       {"peer", "", func(t *trunk.Trunk) any { return t.Timer.Refresher }, trunk.PeerRefresh},
	"update":          {"false", "", func(t *trunk.Trunk) any { return t.Timer.NoUpdate }, true},
	"hold":            {"relay", "", func(t *trunk.Trunk) any { return t.Hold.Relay }, true},
	"hold_tone":       {"music.wav", "", func(t *trunk.Trunk) any { return t.Hold.Tone }, "music.wav"},

	"sms":        {"cpim", "", func(t *trunk.Trunk) any { return t.Texts.Form }, trunk.CPIM},
	"sms_role":   {"network", with3GPP, func(t *trunk.Trunk) any { return t.Texts.Role }, trunk.Network},
	"sms_center": {`"+8613800100555"`, "sms: 3gpp", func(t *trunk.Trunk) any { return t.Texts.Center }, "+8613800100555"},
	"sms_psi":    {"smsc", with3GPP, func(t *trunk.Trunk) any { return t.Texts.PSI }, "smsc"},
}

func spelled(t *trunk.Trunk) string {
	china := routing.ChinaPlan()
	return t.Callee(&china, "+8613800000001")
}

func shown(t *trunk.Trunk) string {
	china := routing.ChinaPlan()
	x, err := t.Shown(&china, "+8617010000001")
	if err != nil {
		return err.Error()
	}
	return x
}

// written is a file with one trunk: the values of a plain one, and over them
// those given.
func written(t *testing.T, over ...string) string {
	t.Helper()
	all := map[string]any{"name": "a", "address": "192.0.2.7:5060"}
	for _, text := range over {
		var some map[string]any
		require.NoError(t, yaml.Unmarshal([]byte(text), &some), text)
		maps.Copy(all, some)
	}
	text, err := yaml.Marshal(map[string]any{"trunks": []any{all}})
	require.NoError(t, err)
	return string(text)
}

// TestSettingsArrive: each setting of a trunk is what calls go by. One that is
// in the configuration and not in the table fails, too.
func TestSettingsArrive(t *testing.T) {
	only := func(t *testing.T, text string) *trunk.Trunk {
		all, err := carriers(t, text)
		require.NoError(t, err, text)
		require.Len(t, all, 1)
		for _, tr := range all {
			return tr
		}
		return nil
	}
	known := 0
	for _, k := range config.Keys() {
		name, ok := strings.CutPrefix(k.Path, "trunks[0].")
		if !ok {
			continue
		}
		known++
		t.Run(name, func(t *testing.T) {
			s, ok := arrives[name]
			require.True(t, ok, "say in arrives how it is set, and what calls go by then")
			text := written(t, s.with, name+": "+s.text)
			require.Equal(t, s.want, s.get(only(t, text)), text)
			if without, err := carriers(t, written(t, s.with)); err == nil {
				for _, tr := range without {
					require.NotEqual(t, s.want, s.get(tr), "that is its default: it shows nothing")
				}
			}
		})
	}
	require.Len(t, arrives, known)
}

// TestEveryFieldIsSet: no field of a trunk is left that no file can set.
func TestEveryFieldIsSet(t *testing.T) {
	texts := map[string]string{"host": written(t, withName), "no timer": written(t, "session_expires: 0s"), "patience": written(t, "rtp_timeout: 0s")}
	for name, s := range arrives {
		texts[name] = written(t, s.with, name+": "+s.text)
	}
	plain, err := carriers(t, written(t))
	require.NoError(t, err)
	set := map[string]bool{}
	for name, text := range texts {
		all, err := carriers(t, text)
		require.NoError(t, err, name)
		for _, tr := range all {
			differ(reflect.ValueOf(*plain["a"]), reflect.ValueOf(*tr), "", set)
		}
	}
	for name, is := range set {
		require.True(t, is, "trunk.Trunk%s: nothing in a file changes it", name)
	}
	require.Greater(t, len(set), 50)
}

// differ notes for each field, by its path, whether it is another than before.
func differ(before, now reflect.Value, path string, set map[string]bool) {
	if now.Kind() != reflect.Struct || now.Type() == reflect.TypeFor[netip.AddrPort]() {
		set[path] = set[path] || !reflect.DeepEqual(before.Interface(), now.Interface())
		return
	}
	for i := range now.NumField() {
		if f := now.Type().Field(i); f.IsExported() {
			differ(before.Field(i), now.Field(i), path+"."+f.Name, set)
		}
	}
}
