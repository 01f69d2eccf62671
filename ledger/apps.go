package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"axgate/routing"
	"axgate/vault"
)

// Signing is how pushes to an app's addresses are signed.
type Signing string

// The signings of callbacks section 1.1.
const (
	SignWSSE Signing = "wsse"
	SignAKSK Signing = "aksk"
)

// App is an app with all its settings (section 8). Frozen is the account's.
type App struct {
	routing.App
	Name      string
	Secret    string
	Unopened  error // of Apps alone: why Secret, which is there, is empty here
	Created   time.Time
	RandomExt bool // AXE: an extension that we give is any free one, not the lowest

	QualityCheck bool

	// The addresses, http or https; empty: nothing of that kind is pushed.
	StatusURL     string
	CallInURL     string // for callin alone; empty: StatusURL
	FeeURL        string
	SMSURL        string
	SMSControlURL string
	NumberURL     string // empty: StatusURL
	PushNumbers   bool   // the status of numbers is pushed
	Signing       Signing

	// Fields of events and fee events that receivers get only on request.
	SendDuration   bool // callDuration
	SendReleasedBy bool // callRelDirection
	SendAreaCode   bool // areaCode
	SendRecordURL  bool // recordFileDownloadUrl

	Access
	Keeping
}

// Account is a tenant.
type Account struct {
	SP      string // spId
	Name    string
	Frozen  bool // in arrears
	NoSMS   bool // texts through X are off for all of its apps
	MaxApps int
	Created time.Time
}

const appColumns = `a.key, a.sp, a.name, a.mode, a.secret, a.created_at, a.paused, acc.frozen, a.no_calls, a.ext_digits, a.random_ext, a.retries,
	a.recording, a.stereo, a.informs, a.keep_callee, a.no_foreign, a.quality_check, a.sms, a.sms_content,
	a.status_url, a.callin_url, a.fee_url, a.sms_url, a.sms_control_url, a.number_url, a.push_numbers, a.signing,
	a.send_duration, a.send_released_by, a.send_area_code, a.send_record_url, ` + replyColumns + `, ` + accessColumns + `, ` + smsColumns + `, ` + keepColumns

const appTables = ` FROM apps a JOIN accounts acc ON acc.sp = a.sp `

func readApp(r row) (App, error) {
	var a App
	var created, answerIn int64
	var networks, keywords, forbidden string
	err := r.Scan(&a.Key, &a.SP, &a.Name, &a.Mode, &a.Secret, &created, &a.Paused, &a.Frozen, &a.NoCalls, &a.ExtDigits, &a.RandomExt, &a.Retries,
		&a.Recording, &a.Stereo, &a.Informs, &a.KeepCallee, &a.NoForeign, &a.QualityCheck, &a.SMS, &a.SMSContent,
		&a.StatusURL, &a.CallInURL, &a.FeeURL, &a.SMSURL, &a.SMSControlURL, &a.NumberURL, &a.PushNumbers, &a.Signing,
		&a.SendDuration, &a.SendReleasedBy, &a.SendAreaCode, &a.SendRecordURL,
		&a.Fallback, &answerIn, &a.Rate, &networks, &a.OnceNonce, &a.SMSBarred, &keywords, &forbidden, &a.RecordingsDays, &a.ListsDays)
	a.Networks, a.Keywords, a.Forbidden = words(networks), wordsOf(keywords), wordsOf(forbidden)
	a.Created, a.AnswerIn = instant(created), time.Duration(answerIn)*time.Microsecond
	a.Prompts, a.Defaults = map[routing.Scene]string{}, map[routing.Scene]bool{}
	return a, err
}

// settings are the values of the columns that can be changed, in their order
// in storeApp and CreateApp, from $2 on.
func (a *App) settings() []any {
	return []any{
		a.Key, a.Name, a.Secret, a.Paused, a.NoCalls, int64(a.ExtDigits), a.RandomExt, int64(a.Retries),
		a.Recording, a.Stereo, a.Informs, a.KeepCallee, a.NoForeign, a.QualityCheck, a.SMS, a.SMSContent,
		a.StatusURL, a.CallInURL, a.FeeURL, a.SMSURL, a.SMSControlURL, a.NumberURL, a.PushNumbers, string(a.Signing),
		a.SendDuration, a.SendReleasedBy, a.SendAreaCode, a.SendRecordURL,
	}
}

// EnsureAccount makes the account if there is none of that spId.
func (l *Ledger) EnsureAccount(ctx context.Context, acc Account, at time.Time) error {
	err := l.change(ctx, func(s scope) error {
		_, err := s.exec(`INSERT INTO accounts (sp, name, frozen, sms, max_apps, created_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
			acc.SP, acc.Name, acc.Frozen, !acc.NoSMS, int64(acc.MaxApps), micros(at))
		return err
	})
	if err != nil {
		return fmt.Errorf("make account %s: %w", acc.SP, err)
	}
	return nil
}

// ChangeAccount lets change edit name, switches and the number of apps of an
// account and stores it.
func (l *Ledger) ChangeAccount(ctx context.Context, sp string, change func(*Account) error) error {
	err := l.change(ctx, func(s scope) error {
		acc := Account{SP: sp}
		// The row is locked, so that nobody's change is undone by another's.
		err := s.scan(`UPDATE accounts SET name = name WHERE sp = $1 RETURNING name, frozen, NOT sms, max_apps`, one(sp), &acc.Name, &acc.Frozen, &acc.NoSMS, &acc.MaxApps)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrUnknownAccount
		}
		if err != nil {
			return err
		}
		if err := change(&acc); err != nil {
			return err
		}
		if _, err := s.exec(`UPDATE accounts SET name = $2, frozen = $3, sms = $4, max_apps = $5 WHERE sp = $1`, sp, acc.Name, acc.Frozen, !acc.NoSMS, int64(acc.MaxApps)); err != nil {
			return err
		}
		return touchSettings(s, "account "+sp)
	})
	if err != nil {
		return fmt.Errorf("change account %s: %w", sp, err)
	}
	return nil
}

// Accounts lists the accounts.
func (l *Ledger) Accounts(ctx context.Context) (list []Account, err error) {
	rows, err := l.read(ctx).query(`SELECT sp, name, frozen, NOT sms, max_apps, created_at FROM accounts ORDER BY sp`)
	if err != nil {
		return nil, fmt.Errorf("list accounts: %w", err)
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		var a Account
		var created int64
		if err := rows.Scan(&a.SP, &a.Name, &a.Frozen, &a.NoSMS, &a.MaxApps, &created); err != nil {
			return nil, fmt.Errorf("read an account: %w", err)
		}
		a.Created = instant(created)
		list = append(list, a)
	}
	return list, nil
}

// CreateApp stores a new app. Refusals: ErrUnknownAccount, ErrTooManyApps,
// ErrAppExists.
func (l *Ledger) CreateApp(ctx context.Context, a App) (App, error) {
	err := l.change(ctx, func(s scope) error {
		// The account's row is locked, so that two apps cannot both be the last.
		var most int
		err := s.scan(`UPDATE accounts SET name = name WHERE sp = $1 RETURNING max_apps`, one(a.SP), &most)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrUnknownAccount
		}
		if err != nil {
			return err
		}
		var has int
		if err := s.scan(`SELECT count(*) FROM apps WHERE sp = $1`, one(a.SP), &has); err != nil {
			return err
		}
		if has >= most {
			return ErrTooManyApps
		}
		stored := a
		if stored.Secret, err = l.sealSecret(a.Key, a.Secret); err != nil {
			return err
		}
		args := append(stored.settings(), a.SP, string(a.Mode), micros(a.Created))
		n, err := s.exec(`INSERT INTO apps (key, name, secret, paused, no_calls, ext_digits, random_ext, retries,
			recording, stereo, informs, keep_callee, no_foreign, quality_check, sms, sms_content,
			status_url, callin_url, fee_url, sms_url, sms_control_url, number_url, push_numbers, signing,
			send_duration, send_released_by, send_area_code, send_record_url, sp, mode, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31)
			ON CONFLICT DO NOTHING`, args...)
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrAppExists
		}
		return errors.Join(storeAccess(s, &a), storeReply(s, &a), storeSMS(s, &a), storeKeeping(s, &a), storeScenes(s, &a))
	})
	if err != nil {
		return App{}, fmt.Errorf("create app %s: %w", a.Key, err)
	}
	return l.App(ctx, a.Key)
}

// ChangeApp lets change edit an app and stores it. Key, account, mode and the
// account's state stay. The length of extensions cannot change while bindings
// stand (ErrNumbersBound).
func (l *Ledger) ChangeApp(ctx context.Context, key string, change func(*App) error) (App, error) {
	var after App
	err := l.change(ctx, func(s scope) error {
		if n, err := s.exec(`UPDATE apps SET name = name WHERE key = $1`, key); err != nil {
			return err
		} else if n == 0 {
			return ErrUnknownApp
		}
		before, err := l.app(s, key)
		if err != nil {
			return err
		}
		if after, err = l.app(s, key); err != nil { // its own maps
			return err
		}
		if err := change(&after); err != nil {
			return err
		}
		after.Key, after.SP, after.Mode, after.Frozen, after.Created = before.Key, before.SP, before.Mode, before.Frozen, before.Created
		if after.ExtDigits != before.ExtDigits {
			if err := changeDigits(s, &after); err != nil {
				return err
			}
		}
		stored := after
		if stored.Secret, err = l.sealSecret(key, after.Secret); err != nil {
			return err
		}
		_, err = s.exec(`UPDATE apps SET name = $2, secret = $3, paused = $4, no_calls = $5, ext_digits = $6, random_ext = $7, retries = $8,
			recording = $9, stereo = $10, informs = $11, keep_callee = $12, no_foreign = $13, quality_check = $14, sms = $15, sms_content = $16,
			status_url = $17, callin_url = $18, fee_url = $19, sms_url = $20, sms_control_url = $21, number_url = $22, push_numbers = $23, signing = $24,
			send_duration = $25, send_released_by = $26, send_area_code = $27, send_record_url = $28 WHERE key = $1`, stored.settings()...)
		if err != nil {
			return err
		}
		return errors.Join(storeAccess(s, &after), storeReply(s, &after), storeSMS(s, &after), storeKeeping(s, &after), storeScenes(s, &after))
	})
	if err != nil {
		return App{}, fmt.Errorf("change app %s: %w", key, err)
	}
	return after, nil
}

// changeDigits gives the numbers of an AXE app the room of its new extensions.
// Those without bindings are locked first: a bind at the same moment is either
// seen, or sees the new length.
func changeDigits(s scope, a *App) error {
	_, err := s.exec(`UPDATE numbers SET room = $2, lowest = 1 WHERE app = $1 AND bindings = 0`, a.Key, int64(room(a.Mode, a.ExtDigits)))
	if err != nil {
		return err
	}
	var bound int
	if err := s.scan(`SELECT count(*) FROM numbers WHERE app = $1 AND bindings > 0`, one(a.Key), &bound); err != nil {
		return err
	}
	if bound > 0 {
		return ErrNumbersBound
	}
	return nil
}

func storeScenes(s scope, a *App) error {
	if _, err := s.exec(`DELETE FROM app_prompts WHERE app = $1`, a.Key); err != nil {
		return fmt.Errorf("store the scenes: %w", err)
	}
	scenes := map[routing.Scene]bool{}
	for scene, file := range a.Prompts {
		scenes[scene] = file != ""
	}
	for scene, shipped := range a.Defaults {
		scenes[scene] = scenes[scene] || shipped
	}
	for scene, set := range scenes {
		if !set {
			continue
		}
		_, err := s.exec(`INSERT INTO app_prompts (app, scene, file, shipped) VALUES ($1, $2, $3, $4)`, a.Key, string(scene), a.Prompts[scene], a.Defaults[scene])
		if err != nil {
			return fmt.Errorf("store scene %s: %w", scene, err)
		}
	}
	return touchSettings(s, "app "+a.Key)
}

// App reads an app; ErrUnknownApp if there is none.
func (l *Ledger) App(ctx context.Context, key string) (App, error) {
	return l.app(l.read(ctx), key)
}

func (l *Ledger) app(s scope, key string) (App, error) {
	a, err := readApp(scanner(func(dest ...any) error {
		return s.scan(`SELECT `+appColumns+appTables+`WHERE a.key = $1`, one(key), dest...)
	}))
	if errors.Is(err, sql.ErrNoRows) {
		return App{}, ErrUnknownApp
	}
	if err != nil {
		return App{}, fmt.Errorf("read app %s: %w", key, err)
	}
	if a.Secret, err = l.openSecret(key, a.Secret); err != nil {
		return App{}, fmt.Errorf("read app %s: %w", key, err)
	}
	return a, readScenes(s, map[string]*App{key: &a}, `SELECT app, scene, file, shipped FROM app_prompts WHERE app = $1`, key)
}

// Apps lists all apps. One whose secret cannot be opened says so (Unopened) and has all the
// rest: the others do not wait until this node has its key.
func (l *Ledger) Apps(ctx context.Context) ([]App, error) {
	s := l.read(ctx)
	list, err := l.apps(s)
	if err != nil {
		return nil, fmt.Errorf("list apps: %w", err)
	}
	byKey := map[string]*App{}
	for i := range list {
		byKey[list[i].Key] = &list[i]
	}
	return list, readScenes(s, byKey, `SELECT app, scene, file, shipped FROM app_prompts`)
}

func (l *Ledger) apps(s scope) (list []App, err error) {
	rows, err := s.query(`SELECT ` + appColumns + appTables + `ORDER BY a.key`)
	if err != nil {
		return nil, err
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		a, err := readApp(rows)
		if err != nil {
			return nil, err
		}
		if a.Secret, err = l.openSecret(a.Key, a.Secret); vault.IsKeyError(err) {
			a.Unopened = err
		} else if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, nil
}

func readScenes(s scope, byKey map[string]*App, query string, args ...any) (err error) {
	rows, err := s.query(query, args...)
	if err != nil {
		return fmt.Errorf("read the scenes: %w", err)
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		var key, file string
		var scene routing.Scene
		var shipped bool
		if err := rows.Scan(&key, &scene, &file, &shipped); err != nil {
			return fmt.Errorf("read a scene: %w", err)
		}
		a := byKey[key]
		if a == nil {
			continue // made since the apps were listed
		}
		if file != "" {
			a.Prompts[scene] = file
		}
		if shipped {
			a.Defaults[scene] = true
		}
	}
	return nil
}
