package provision

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"time"

	"axgate/ledger"
	"axgate/prompts"
	"axgate/routing"
)

// usualApps is how many apps an account may have if nothing else is said
// (section 8).
const usualApps = 5

// EnsureAccount makes an account, if there is none of its spId. MaxApps 0
// means 5.
func (s *Service) EnsureAccount(ctx context.Context, acc ledger.Account) error {
	if err := checkAccount(&acc); err != nil {
		return err
	}
	if err := s.ledger.EnsureAccount(ctx, acc, s.now()); err != nil {
		return failed("make the account", err)
	}
	return nil
}

// ChangeAccount lets change edit name, switches and the number of apps of an
// account. Calls and requests go by it within a second or two.
func (s *Service) ChangeAccount(ctx context.Context, sp string, change func(*ledger.Account)) error {
	err := s.ledger.ChangeAccount(ctx, sp, func(acc *ledger.Account) error {
		change(acc)
		return checkAccount(acc)
	})
	return refuseApp("change the account", err)
}

func checkAccount(acc *ledger.Account) error {
	const longest, most = 64, 10_000
	if acc.MaxApps == 0 {
		acc.MaxApps = usualApps
	}
	switch {
	case !word(acc.SP, longest):
		return resultInvalid.refuse("spId", "it needs 1 to %d characters, none of them a blank", longest)
	case acc.MaxApps < 0 || acc.MaxApps > most:
		return resultInvalid.refuse("maxApps", "%d is not between 1 and %d", acc.MaxApps, most)
	}
	return nil
}

// CreateApp makes an app of an account that exists. An empty key or secret is
// made; the secret is in the answer this once. An AXE app without a length of
// extensions gets 4 digits.
//
// Refusals, all 1010002: a setting is wrong; the account is unknown or has as
// many apps as it may have; the key is in use.
func (s *Service) CreateApp(ctx context.Context, a ledger.App) (ledger.App, error) {
	if a.Key == "" {
		a.Key = rand.Text()
	}
	if a.Secret == "" {
		a.Secret = rand.Text()
	}
	if a.Signing == "" {
		a.Signing = ledger.SignWSSE
	}
	if a.Mode == routing.AXE && a.ExtDigits == 0 {
		a.ExtDigits = 4
	}
	a.Created = s.now()
	if err := s.checkApp(ctx, &a); err != nil {
		return a, err
	}
	made, err := s.ledger.CreateApp(ctx, a)
	return made, refuseApp("make the app", err)
}

// EnsureApp makes an app, or gives the one that has the key the settings of a.
// Account and mode of an app never change; an empty secret stays what it is.
func (s *Service) EnsureApp(ctx context.Context, a ledger.App) (ledger.App, error) {
	was, err := s.ledger.App(ctx, a.Key)
	if errors.Is(err, ledger.ErrUnknownApp) {
		return s.CreateApp(ctx, a)
	}
	if err != nil {
		return a, failed("read the app", err)
	}
	if was.Mode != a.Mode || was.SP != a.SP {
		return a, resultInvalid.refuse("mode", "app %s is of account %s and mode %s, which cannot change", a.Key, was.SP, was.Mode)
	}
	return s.ChangeApp(ctx, a.Key, func(to *ledger.App) error {
		if a.Secret == "" {
			a.Secret = to.Secret
		}
		if a.Signing == "" {
			a.Signing = to.Signing
		}
		if a.ExtDigits == 0 {
			a.ExtDigits = to.ExtDigits
		}
		*to = a
		return nil
	})
}

// ChangeApp lets change edit the settings of an app; key, account and mode stay
// (section 8). Calls go by them within a second or two. Refusals: 1010003,
// 1010002.
func (s *Service) ChangeApp(ctx context.Context, key string, change func(*ledger.App) error) (ledger.App, error) {
	after, err := s.ledger.ChangeApp(ctx, key, func(a *ledger.App) error {
		mode := a.Mode
		if err := change(a); err != nil {
			return err
		}
		a.Key, a.Mode = key, mode
		return s.checkApp(ctx, a)
	})
	return after, refuseApp("change the app", err)
}

// RenewSecret gives an app another secret, which is the answer.
func (s *Service) RenewSecret(ctx context.Context, key string) (string, error) {
	secret := rand.Text()
	_, err := s.ChangeApp(ctx, key, func(a *ledger.App) error { a.Secret = secret; return nil })
	return secret, err
}

// refuseApp is the answer for an error of the ledger about apps and accounts.
func refuseApp(doing string, err error) error {
	var own *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &own):
		return own
	case errors.Is(err, ledger.ErrUnknownApp):
		return resultUnknownApp.refuse("", "there is no app of that key")
	}
	for _, refusal := range []struct {
		err   error
		field string
	}{{ledger.ErrUnknownAccount, "spId"}, {ledger.ErrTooManyApps, "spId"}, {ledger.ErrAppExists, "app_key"}, {ledger.ErrNumbersBound, "extDigits"}} {
		if errors.Is(err, refusal.err) {
			e := resultInvalid.refuse(refusal.field, "%v", refusal.err)
			e.cause = refusal.err
			return e
		}
	}
	return failed(doing, err)
}

func (s *Service) checkApp(ctx context.Context, a *ledger.App) error {
	const longestKey, longestName, mostRetries = 128, 256, 9
	c := s.check(ctx, a)
	if !word(a.Key, longestKey) {
		c.wrong("app_key", "it needs 1 to %d characters, none of them a blank", longestKey)
	}
	if !word(a.Secret, longestKey) {
		c.wrong("app_secret", "it needs 1 to %d characters, none of them a blank", longestKey)
	}
	if len(a.Name) > longestName {
		c.wrong("name", "it has more than %d bytes", longestName)
	}
	switch a.Mode {
	case routing.AX, routing.AXB, routing.AXYB, routing.XMode:
		a.ExtDigits = 0
	case routing.AXE:
		c.between("extDigits", a.ExtDigits, 1, 4)
	default:
		c.wrong("mode", "%q is none of AX, AXB, AXE, AXYB and X", a.Mode)
	}
	c.between("retries", a.Retries, 0, mostRetries)
	if a.Signing != ledger.SignAKSK && a.Signing != ledger.SignWSSE {
		c.wrong("signing", "%q is neither %s nor %s", a.Signing, ledger.SignAKSK, ledger.SignWSSE)
	}
	for field, address := range map[string]string{
		"statusUrl": a.StatusURL, "callinUrl": a.CallInURL, "feeUrl": a.FeeURL,
		"smsUrl": a.SMSURL, "smsControlUrl": a.SMSControlURL, "numberUrl": a.NumberURL,
	} {
		c.url(field, address)
	}
	c.access(a)
	c.keeping(a)
	c.unanswered(a)
	c.texts(a)
	c.scenes(a)
	return c.err
}

// unanswered checks what is done if the app's server does not say who is
// called.
func (c *check) unanswered(a *ledger.App) {
	const least, most = 100 * time.Millisecond, 30 * time.Second
	if a.AnswerIn != 0 && (a.AnswerIn < least || a.AnswerIn > most) {
		c.wrong("answerTimeout", "%v is not between %v and %v", a.AnswerIn, least, most)
	}
	if a.Fallback != "" {
		c.number("fallback", string(a.Fallback), routing.Mobile, routing.Fixed, routing.Service)
	}
}

func (c *check) url(field, address string) {
	const longest = 1024
	if address == "" {
		return
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || len(address) > longest {
		c.wrong(field, "it is no http or https address of at most %d bytes", longest)
	}
}

// scenes checks which prompts an app has set.
func (c *check) scenes(a *ledger.App) {
	catalogue := map[routing.Scene]prompts.Entry{}
	for _, e := range prompts.Catalogue() {
		catalogue[e.Scene] = e
	}
	for scene, file := range a.Prompts {
		e, known := catalogue[scene]
		if !known || e.SetOn != prompts.OnApp && e.SetOn != prompts.OnBindingThenApp {
			c.wrong("prompts", "no app can set a scene %q", scene)
		}
		c.prompt("prompts."+string(scene), file)
	}
	for scene, on := range a.Defaults {
		if e, known := catalogue[scene]; on && (!known || e.Ships == prompts.Never) {
			c.wrong("defaultPrompts", "there is no shipped file for a scene %q", scene)
		}
	}
}

// word tells whether a text is visible ASCII without blanks.
func word(s string, longest int) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != "" && len(s) <= longest
}
