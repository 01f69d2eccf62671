package config

import (
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Modes and Scenes are the words that an app's settings may use.
var (
	Modes  = []string{"AX", "AXB", "AXE", "AXYB", "X"}
	Scenes = []string{"no_permission", "no_binding", "service_exception", "enter_extension", "extension_wrong", "extension_wrong_again",
		"nothing_entered", "no_callback", "waiting", "record_hint", "busy"}
)

// once notes a name that stands twice in a list.
func (k *checker) once(seen map[string]bool, key, name string) {
	if seen[name] {
		k.wrong(key, "there are two of %.64q", name)
	}
	seen[name] = true
}

func (k *checker) needed(key, value string) bool {
	if value == "" {
		k.wrong(key, "it is missing")
	}
	return value != ""
}

func (k *checker) trunks(list []Trunk) {
	formats := []string{"e164", "digits", "international", "national", "national-zero"}
	seen := map[string]bool{}
	for i := range list {
		t, key := &list[i], at("trunks", i)
		if k.needed(key+".name", t.Name) && !word(t.Name) {
			k.wrong(key+".name", "%.80q: use 1 to 64 letters, digits, . _ and -", t.Name)
		}
		k.once(seen, key+".name", t.Name)
		if t.Address == "" && t.Proxy == "" && len(t.Peers) == 0 && t.AuthUsername == "" {
			k.wrong(key, "it has neither peers (calls in) nor an address (calls out)")
		}
		k.oneOf(key+".transport", t.Transport, "udp", "tcp", "tls", "auto")
		k.trunkWay(key, t)
		k.trunkTLS(key, t)
		for j, s := range t.IdentitySource {
			k.oneOf(at(key+".identity_source", j), s, "pai", "rpid", "from")
		}
		k.oneOf(key+".callee_format", t.CalleeFormat, formats...)
		k.oneOf(key+".from_format", t.FromFormat, formats...)
		k.codecs(key+".codecs", t.Codecs, false)
		k.oneOf(key+".dtmf", t.DTMF, "auto", "rfc4733", "info", "inband")
		k.count(key+".max_calls", t.MaxCalls, 0, 1_000_000)
		k.span(key+".ring_timeout", t.RingTimeout, 0, 90*time.Second)
		if t.RegisterUser == "" && (t.Username == "") != (t.Password == "") {
			k.wrong(key+".username", "it and password go together: give both or neither")
		}
		k.trunkMedia(key, &t.TrunkMedia)
		k.trunkEarly(key, &t.TrunkEarly)
		k.trunkEnrol(key, t)
		k.trunkTalk(key, &t.TrunkTalk)
		k.trunkTexts(key, t)
	}
}

func (k *checker) trunkTLS(key string, t *Trunk) {
	for _, s := range []struct{ key, value string }{{"tls_name", t.TLSName}, {"tls_ca", t.TLSCA}, {"tls_cert", t.TLSCert}, {"tls_key", t.TLSKey}} {
		if s.value != "" && (t.Transport != "tls" && t.Transport != "auto" || t.Address == "" && t.Proxy == "") {
			k.wrong(key+"."+s.key, "it needs an address and transport: tls")
		}
	}
	if t.TLSName != "" && !domain(t.TLSName) {
		k.wrong(key+".tls_name", "%.80q: use a host name or an IP address", t.TLSName)
	}
	if (t.TLSCert == "") != (t.TLSKey == "") {
		k.wrong(key+".tls_cert", "it and tls_key go together: give both or neither")
	}
}

func (k *checker) trunkTexts(key string, t *Trunk) {
	k.oneOf(key+".sms", t.SMS, "off", "text", "cpim", "3gpp")
	k.oneOf(key+".sms_role", t.SMSRole, "ue", "network")
	if t.Name == "phone" && t.SMS != "off" {
		k.wrong(key+".name", "with sms, phone is the name of the phones of the registrar")
	}
	switch {
	case t.SMSCenter != "" && !global(t.SMSCenter):
		k.wrong(key+".sms_center", "this is no number in global form, such as +8613800100500")
	case t.SMSCenter == "" && t.SMS == "3gpp":
		k.wrong(key+".sms_center", "it is missing: with sms: 3gpp the service centre has a number")
	}
	if t.SMSPSI != "" && !word(strings.TrimPrefix(t.SMSPSI, "+")) {
		k.wrong(key+".sms_psi", "%.80q: use 1 to 64 letters, digits, . _ and -, such as smsc", t.SMSPSI)
	}
}

func (k *checker) phones(list []Phone) {
	const shortest = 8
	seen := map[string]bool{}
	for i, p := range list {
		key := at("registrar.accounts", i)
		if k.needed(key+".number", p.Number) {
			k.global(key+".number", p.Number)
		}
		if len(p.Password) < shortest {
			k.wrong(key+".password", "it is shorter than %d characters", shortest)
		}
		k.once(seen, key+".number", p.Number)
	}
}

// global checks the look of a real number, which no message repeats; the number
// plan has the last word.
func (k *checker) global(key, number string) {
	if !global(number) {
		k.wrong(key, "this is no number in global form, such as +8613800000001")
	}
}

// shown checks the look of an X.
func (k *checker) shown(key, x string) {
	if !global(x) {
		k.wrong(key, "%.40q is no number in global form, such as +8617010000001", x)
	}
}

func global(number string) bool {
	digits, plus := strings.CutPrefix(number, "+")
	return plus && len(digits) >= 5 && len(digits) <= 32 && strings.Trim(digits, "0123456789") == ""
}

func (k *checker) apps(c *Config) {
	accounts := map[string]bool{}
	for i, a := range c.Accounts {
		key := at("accounts", i)
		k.needed(key+".name", a.Name)
		k.once(accounts, key+".name", a.Name)
		k.count(key+".max_apps", a.MaxApps, 1, 1_000_000)
	}
	seen := map[string]bool{}
	for i := range c.Apps {
		a, key := &c.Apps[i], at("apps", i)
		if k.needed(key+".key", a.Key) && !word(a.Key) {
			k.wrong(key+".key", "%.80q: use 1 to 64 letters, digits, . _ and -", a.Key)
		}
		k.once(seen, key+".key", a.Key)
		k.needed(key+".secret", a.Secret)
		k.needed(key+".account", a.Account)
		k.oneOf(key+".mode", a.Mode, Modes...)
		k.count(key+".ext_digits", a.ExtDigits, 1, 4)
		k.count(key+".retries", a.Retries, 0, 9)
		k.oneOf(key+".signing", a.Signing, "aksk", "wsse")
		k.address(key+".status_url", a.StatusURL)
		k.address(key+".callin_url", a.CallInURL)
		k.address(key+".fee_url", a.FeeURL)
		k.address(key+".number_url", a.NumberURL)
		k.texts(key, a)
		if a.Fallback != "" {
			k.global(key+".fallback", a.Fallback)
		}
		if a.AnswerTimeout != 0 {
			k.span(key+".answer_timeout", a.AnswerTimeout, 100*time.Millisecond, 30*time.Second)
		}
		for j, n := range a.Networks {
			if _, err := ParseNetwork(n); err != nil {
				k.wrong(at(key+".networks", j), "%.80q: use an address or a network, such as 192.0.2.0/24", n)
			}
		}
		k.appDays(key, a)
		k.scenes(key, a)
	}
}

func (k *checker) texts(key string, a *App) {
	k.address(key+".sms_url", a.SMSURL)
	k.address(key+".sms_control_url", a.SMSControlURL)
	switch {
	case !a.SMS || a.Mode == "AXB":
	case a.Mode == "AXE" || a.Mode == "AXYB":
		k.wrong(key+".sms", "there are no texts in mode %s", a.Mode)
	case a.SMSControlURL == "":
		k.wrong(key+".sms_control_url", "it is missing: with sms, an app of mode %s is asked there whom texts are for", a.Mode)
	}
	k.words(key+".sms_keywords", a.SMSKeywords)
	k.words(key+".sms_forbidden", a.SMSForbidden)
}

func (k *checker) words(key string, list []string) {
	const most, longest = 1000, 64
	if len(list) > most {
		k.wrong(key, "%d words are more than %d", len(list), most)
	}
	for i, word := range list {
		if n := utf8.RuneCountInString(word); n == 0 || n > longest {
			k.wrong(at(key, i), "this is no word of 1 to %d characters", longest)
		}
	}
}

func (k *checker) address(key, value string) {
	if value == "" {
		return
	}
	if u, err := url.Parse(value); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		k.wrong(key, "this is no address: use one such as https://customer.example/events")
	}
}

func (k *checker) scenes(key string, a *App) {
	for scene := range a.Prompts {
		if !slices.Contains(Scenes, scene) {
			k.wrong(key+".prompts."+scene, "there is no such scene: use %s", alternatives(Scenes))
		}
	}
	for i, s := range a.Defaults {
		if !slices.Contains(Scenes, s) && (len(a.Defaults) > 1 || s != "all" && s != "none") {
			k.wrong(at(key+".default_prompts", i), "%.40q: use all, none, or some of %s", s, strings.Join(Scenes, ", "))
		}
	}
}

func (k *checker) bound(c *Config) {
	seen := map[string]bool{}
	for i := range c.Numbers {
		n, key := &c.Numbers[i], at("numbers", i)
		if k.needed(key+".x", n.X) {
			k.shown(key+".x", n.X)
		}
		k.once(seen, key+".x", n.X)
		k.needed(key+".app", n.App)
		k.oneOf(key+".status", n.Status, "", "normal", "paused", "frozen", "transfer", "unavailable")
		if n.SMS != "" {
			k.oneOf(key+".sms", n.SMS, "true", "false")
		}
	}
	for i := range c.Bindings {
		b, key := &c.Bindings[i], at("bindings", i)
		k.needed(key+".app", b.App)
		if k.needed(key+".x", b.X) {
			k.shown(key+".x", b.X)
		}
		if k.needed(key+".a", b.A) {
			k.global(key+".a", b.A)
		}
		if b.B != "" {
			k.global(key+".b", b.B)
		}
		k.count(key+".direction", b.Direction, 0, 2)
		k.count(key+".max_minutes", b.MaxMinutes, 0, 1440)
		k.span(key+".duration", b.Duration, 0, 100*365*24*time.Hour)
	}
	for i, t := range c.Temporary {
		key := at("temporary", i)
		k.shown(key+".x", t.X)
		k.global(key+".callee", t.Callee)
		k.span(key+".duration", t.Duration, 0, 100*365*24*time.Hour)
	}
}
