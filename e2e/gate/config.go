package gate

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Config is what a test tells axgate of its surroundings.
type Config struct {
	Node     string   // its name; empty: e2e
	Env      []string // of the process, beside the test's own
	Dir      string   // log, configuration file, and data unless Data is set
	Data     string   // data directory; empty: Dir
	SIP      netip.AddrPort
	HTTP     netip.AddrPort // where the API is; not set: none
	Cert     string         // PEM file of its certificate; empty: plain HTTP
	Key      string         // PEM file of the certificate's key
	Redis    string         // address of a redis-server; empty: the embedded one
	Embedded string         // address of the embedded one
	RTPFirst int
	RTPLast  int
	Trunks   []Trunk
	Phones   []Account
	Apps     []App
	Numbers  []Number

	StatusURL, FeeURL string // of every app
	SMSURL            string // of every app; empty: none has texts

	RingTimeout, FirstDigit, InterDigit time.Duration

	// The rest is left at its default if zero.
	MaxCalls     int              // at a time; one more is refused with 503
	MediaTimeout time.Duration    // a leg without RTP for so long is gone
	Drain        time.Duration    // how long running calls may go on at the end
	SMS          map[string]any   // the section of that name; nil: no texts
	Gateways     []map[string]any // sms.gateways

	// More are further settings by section, such as sip and tls; Bindings are
	// made at the start.
	More     map[string]map[string]any
	Bindings []map[string]any

	Extra string // text behind the rest of the configuration file
}

// Trunk is a carrier: calls come from Peers (networks in CIDR form, none if
// empty) and go to Address.
type Trunk struct {
	Name      string
	Address   netip.AddrPort
	Transport string // udp if empty
	Peers     string
	SMS       string         // off if empty
	Center    string         // SMS 3gpp
	More      map[string]any // further settings by their keys
}

// Account is a softphone that may register.
type Account struct{ Number, Password string }

// App is an application.
type App struct {
	Key, Secret, Mode   string
	ExtDigits           int // AXE
	Retries             int // AXE: repeat collection
	Recording, Stereo   bool
	Informs             bool // of recordings, by itself
	Defaults            bool // the shipped prompts are on
	Paused, Frozen      bool
	NoForeign           bool          // foreign callers are refused
	PushNumbers         bool          // changes of its numbers are pushed
	CallInURL           string        // empty: StatusURL
	Fallback            string        // X mode
	AnswerTimeout       time.Duration // X mode, texts
	SendRecordURL       bool          // fee events carry recordFileDownloadUrl
	SendReleasedBy      bool          // they carry callRelDirection
	SMS, SMSContent     bool
	Barred              bool   // texts are off for its account
	ControlURL          string // of Block questions
	Keywords, Forbidden []string
}

// Number is an X and the key of its app. Area may be empty.
type Number struct {
	X, App, Status, Area string
	SMS                  bool // it takes texts
}

// yaml is the configuration file: JSON, which YAML contains.
func (c Config) yaml() string {
	type section = map[string]any
	file := section{
		"node": "e2e", "data": c.Data, "log": section{"format": "text"}, "registrar": section{"accounts": list(c.Phones, func(a Account) section {
			return section{"number": a.Number, "password": a.Password}
		})},
		"sip":   section{"udp": c.SIP.String(), "tcp": c.SIP.String()},
		"media": section{"ip": c.SIP.Addr().String(), "ports": fmt.Sprintf("%d-%d", c.RTPFirst, c.RTPLast)},
		"trunks": list(c.Trunks, func(t Trunk) section {
			out := section{"name": t.Name, "peers": strings.Fields(t.Peers), "ping_interval": "0s"} // SIPp takes OPTIONS for a call
			if t.Address.IsValid() {
				out["address"] = t.Address.String()
			}
			if t.Transport != "" {
				out["transport"] = t.Transport
			}
			if t.SMS != "" {
				out["sms"], out["sms_center"] = t.SMS, t.Center
			}
			maps.Copy(out, t.More)
			return out
		}),
		"apps": list(c.Apps, c.app),
		"numbers": list(c.Numbers, func(n Number) section {
			out := section{"x": n.X, "app": n.App, "status": n.Status, "area_code": n.Area}
			if n.SMS {
				out["sms"] = "true"
			}
			return out
		}),
		"accounts": []section{{"name": frozenAccount, "frozen": true}},
	}
	if c.Data == "" {
		file["data"] = c.Dir
	}
	if c.Node != "" {
		file["node"] = c.Node
	}
	http := section{"listen": "off"}
	if c.HTTP.IsValid() {
		http["listen"], http["cert"], http["key"] = c.HTTP.String(), c.Cert, c.Key
	}
	file["http"] = http
	redis := section{"address": c.Redis}
	if c.Embedded != "" {
		redis["embedded"] = c.Embedded
	}
	file["redis"] = redis
	set := func(at string, key string, d time.Duration) {
		if d != 0 {
			file[at].(section)[key] = d.String()
		}
	}
	set("sip", "ring_timeout", c.RingTimeout)
	set("sip", "first_digit", c.FirstDigit)
	set("sip", "inter_digit", c.InterDigit)
	set("sip", "drain", c.Drain)
	set("media", "inactive", c.MediaTimeout)
	if c.MaxCalls != 0 {
		file["sip"].(section)["max_calls"] = c.MaxCalls
	}
	if c.SMS != nil {
		file["sms"] = c.SMS
		file["accounts"] = append(file["accounts"].([]section), section{"name": barredAccount, "sms": false})
	}
	if len(c.Bindings) > 0 {
		file["bindings"] = c.Bindings
	}
	for name, more := range c.More {
		if file[name] == nil {
			file[name] = section{}
		}
		maps.Copy(file[name].(section), more)
	}
	return text(file) + c.Extra
}

// frozenAccount is the tenant in arrears.
const frozenAccount = "frozen"

// barredAccount is the tenant without texts.
const barredAccount = "barred"

func (c Config) app(a App) map[string]any {
	out := map[string]any{
		"key": a.Key, "secret": a.Secret, "mode": a.Mode, "retries": a.Retries, "recording": a.Recording, "stereo": a.Stereo,
		"informs": a.Informs, "paused": a.Paused, "no_foreign": a.NoForeign, "send_record_url": a.SendRecordURL, "send_released_by": a.SendReleasedBy, "status_url": c.StatusURL, "fee_url": c.FeeURL,
		"account": "e2e", "default_prompts": "none",
	}
	if a.ExtDigits != 0 {
		out["ext_digits"] = a.ExtDigits
	}
	if a.Mode == "X" {
		out["callin_url"], out["fallback"], out["answer_timeout"] = a.CallInURL, a.Fallback, a.AnswerTimeout.String()
	}
	out["push_numbers"] = a.PushNumbers
	if a.Defaults {
		out["default_prompts"] = "all"
	}
	if a.Frozen {
		out["account"] = frozenAccount
	}
	if a.Barred {
		out["account"] = barredAccount
	}
	if c.SMSURL != "" {
		out["sms"], out["sms_content"], out["sms_url"], out["sms_control_url"] = a.SMS, a.SMSContent, c.SMSURL, a.ControlURL
		out["sms_keywords"], out["sms_forbidden"], out["answer_timeout"] = a.Keywords, a.Forbidden, a.AnswerTimeout.String()
	}
	return out
}

// list makes a section of each element.
func list[T any](all []T, section func(T) map[string]any) []map[string]any {
	out := []map[string]any{}
	for _, e := range all {
		out = append(out, section(e))
	}
	return out
}

// text writes each section on a line of its own, so that more can follow.
func text(file map[string]any) string {
	var out strings.Builder
	for _, key := range slices.Sorted(maps.Keys(file)) {
		value, err := json.Marshal(file[key])
		if err != nil {
			panic(err) // plain values always can be written
		}
		fmt.Fprintf(&out, "%s: %s\n", key, value)
	}
	return out.String()
}
