package config

import (
	"strings"
	"time"
)

// SMSGateway is a network that brings and takes texts by HTTP.
type SMSGateway struct {
	Name    string        `key:"name" help:"the gateway posts to /sms/v1/gateways/<name>/messages"`
	Token   string        `key:"token" secret:"true" help:"what it shows us as a bearer token, at least 16 characters; empty: it brings no texts"`
	URL     string        `key:"url" help:"where texts to phones are posted; empty: it takes none"`
	Secret  string        `key:"secret" secret:"true" help:"what we show there as a bearer token; empty: nothing"`
	Numbers []string      `key:"numbers" help:"how the numbers that it serves begin, such as +86138; empty: it serves all"`
	Timeout time.Duration `key:"timeout" help:"how long it may take to answer"`
}

func (g *SMSGateway) fresh() { g.Timeout = 10 * time.Second }

func (k *checker) smsGateways(c *Config) {
	const shortest, longest = 16, 256
	trunks, seen := map[string]bool{}, map[string]bool{}
	for i := range c.Trunks {
		trunks[c.Trunks[i].Name] = true
	}
	for i := range c.SMS.Gateways {
		g, key := &c.SMS.Gateways[i], at("sms.gateways", i)
		if k.needed(key+".name", g.Name) && !word(g.Name) {
			k.wrong(key+".name", "%.80q: use 1 to 64 letters, digits, . _ and -", g.Name)
		}
		k.once(seen, key+".name", g.Name)
		if trunks[g.Name] || g.Name == "phone" {
			k.wrong(key+".name", "%.64q is the name of other carriers of texts: a trunk, or the phones", g.Name)
		}
		switch {
		case g.Token == "" && g.URL == "":
			k.wrong(key, "it has neither a token (texts in) nor a url (texts out)")
		case g.Token != "" && len(g.Token) < shortest, len(g.Token) > longest:
			k.wrong(key+".token", "use %d to %d characters", shortest, longest)
		case g.Token != "" && c.HTTP.Listen == Off:
			k.wrong(key+".token", "texts come in by HTTP, and http.listen is off")
		}
		k.bearer(key+".token", g.Token)
		k.bearer(key+".secret", g.Secret)
		k.address(key+".url", g.URL)
		for j, n := range g.Numbers {
			if digits, plus := strings.CutPrefix(n, "+"); !plus || digits == "" || len(digits) > 15 || strings.Trim(digits, "0123456789") != "" {
				k.wrong(at(key+".numbers", j), "%.40q: use the beginning of numbers in global form, such as +86138", n)
			}
		}
		k.span(key+".timeout", g.Timeout, 100*time.Millisecond, 30*time.Second)
	}
}

// bearer checks that a secret can stand in a header; it is not repeated.
func (k *checker) bearer(key, secret string) {
	if strings.ContainsFunc(secret, func(c rune) bool { return c <= ' ' || c > '~' }) {
		k.wrong(key, "it has blanks, or characters that are not ASCII")
	}
}
