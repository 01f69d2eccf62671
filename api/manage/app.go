package manage

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"axgate/ledger"
	"axgate/routing"
)

// App is an app as it is shown; the secret is not.
type App struct {
	AppKey  string    `json:"appKey" doc:"Its app_key." example:"demo-ax"`
	SPID    string    `json:"spId" doc:"The account that it belongs to." example:"demo"`
	Mode    string    `json:"mode" doc:"What it is for, which never changes." example:"AX"`
	Frozen  bool      `json:"frozen" doc:"The account is in arrears: no calls, bindings or recordings." example:"false"`
	Barred  bool      `json:"smsBarred" doc:"Messages through X are off for the account." example:"false"`
	Created time.Time `json:"created" doc:"When it was made." example:"2026-01-02T03:04:05Z"`
	AppSettings
}

// AppSettings are what can be changed of an app. In a request an absent field
// stays as it is, or is the usual one of a new app.
type AppSettings struct {
	Name      *string `json:"name,omitempty" maxLength:"256" doc:"A name for people." example:"Rides, Shenzhen"`
	Paused    *bool   `json:"paused,omitempty" doc:"It takes neither calls nor requests." example:"false"`
	NoCalls   *bool   `json:"noCalls,omitempty" doc:"It has no permission for calls; set by operators alone." example:"false"`
	NoForeign *bool   `json:"noForeign,omitempty" doc:"Foreign callers are refused (8042)." example:"true"`

	ExtDigits *int  `json:"extDigits,omitempty" minimum:"0" maximum:"4" doc:"AXE: length of an extension, 1 to 4; 0 in other modes. It cannot change while bindings stand." example:"4"`
	RandomExt *bool `json:"randomExt,omitempty" doc:"AXE: an extension that is given is any free one, not the lowest." example:"false"`
	Retries   *int  `json:"retries,omitempty" minimum:"0" maximum:"9" doc:"AXE: further tries after a wrong extension; 0: none." example:"2"`

	Recording  *bool `json:"recording,omitempty" doc:"Calls of bindings that ask for it are recorded." example:"true"`
	Stereo     *bool `json:"stereo,omitempty" doc:"Recordings have one party per channel." example:"false"`
	Informs    *bool `json:"informs,omitempty" doc:"The app informs people of recordings itself: no hint is played unless a binding names one." example:"false"`
	KeepCallee *bool `json:"keepCallee,omitempty" doc:"AX: a temporary callee is kept after an answered call." example:"false"`

	Fallback      *string `json:"fallback,omitempty" maxLength:"32" doc:"X mode: the real number that is called if the app's server does not say who is meant; empty: nobody." example:"+8613800000009"`
	AnswerTimeout *int    `json:"answerTimeout,omitempty" minimum:"0" maximum:"30000" doc:"How long the app's server may take to say who is meant, in milliseconds (X mode, messages of A in AX); 0: as the node is set." example:"3000"`

	QualityCheck *bool `json:"qualityCheck,omitempty" doc:"Voice quality check is on." example:"false"`
	SMS          *bool `json:"sms,omitempty" doc:"Messages through X are on (AX, AXB and X; AX and X need smsControlUrl). Account, X and binding have switches of their own." example:"false"`
	SMSContent   *bool `json:"smsContent,omitempty" doc:"Notices and lists of messages carry the text." example:"false"`

	SMSKeywords  *[]string `json:"smsKeywords,omitempty" maxItems:"1000" nullable:"false" doc:"Words of 1 to 64 characters: a message has to have one of them; none: any message will do. Case, width and invisible characters do not count. Set by operators alone, and given all of them anew." example:"[\"order\", \"订单\"]"`
	SMSForbidden *[]string `json:"smsForbidden,omitempty" maxItems:"1000" nullable:"false" doc:"Words likewise, of which a message must have none." example:"[\"lottery\"]"`

	StatusURL     *string `json:"statusUrl,omitempty" maxLength:"1024" doc:"Where call events go, http or https; empty: nowhere." example:"https://rides.example.com/axgate/status"`
	CallinURL     *string `json:"callinUrl,omitempty" maxLength:"1024" doc:"Where the event callin goes; empty: to statusUrl." example:"https://rides.example.com/axgate/callin"`
	FeeURL        *string `json:"feeUrl,omitempty" maxLength:"1024" doc:"Where fee events go; empty: nowhere." example:"https://rides.example.com/axgate/fee"`
	SMSURL        *string `json:"smsUrl,omitempty" maxLength:"1024" doc:"Where notices of messages go." example:"https://rides.example.com/axgate/sms"`
	SMSControlURL *string `json:"smsControlUrl,omitempty" maxLength:"1024" doc:"Who is asked whom messages are for: those of A that name nobody (AX), and all (X)." example:"https://rides.example.com/axgate/control"`
	NumberURL     *string `json:"numberUrl,omitempty" maxLength:"1024" doc:"Where changes of X numbers go; empty: to statusUrl." example:"https://rides.example.com/axgate/numbers"`
	PushNumbers   *bool   `json:"pushNumbers,omitempty" doc:"Changes of X numbers are pushed." example:"true"`
	Signing       *string `json:"signing,omitempty" enum:"wsse,aksk" doc:"How pushes are signed." example:"wsse"`

	SendDuration   *bool `json:"sendDuration,omitempty" doc:"Fee events have callDuration." example:"false"`
	SendReleasedBy *bool `json:"sendReleasedBy,omitempty" doc:"Events have callRelDirection." example:"false"`
	SendAreaCode   *bool `json:"sendAreaCode,omitempty" doc:"Fee events have areaCode." example:"false"`
	SendRecordURL  *bool `json:"sendRecordUrl,omitempty" doc:"Fee events have recordFileDownloadUrl." example:"false"`

	Prompts        map[string]string `json:"prompts,omitempty" maxProperties:"20" doc:"The app's own approved prompt file per scene (see listScenes). A request gives all of them anew." example:"{\"no_binding\": \"sorry.wav\"}"`
	DefaultPrompts *[]string         `json:"defaultPrompts,omitempty" maxItems:"20" nullable:"false" doc:"The scenes for which the shipped prompt serves. A request gives all of them anew." example:"[\"no_permission\", \"busy\"]"`

	RecordingsDays *int `json:"recordingsDays,omitempty" minimum:"0" maximum:"3650" doc:"Days that recordings are kept, from the push of their fee events on; 0: as the platform is set (7). Set by operators alone." example:"0"`
	ListsDays      *int `json:"listsDays,omitempty" minimum:"0" maximum:"3650" doc:"Days that calls, messages, events and ended bindings are kept, 2 or more; 0: as the platform is set (31). Set by operators alone." example:"0"`

	Rate      *int      `json:"rate,omitempty" minimum:"-1" maximum:"1000000" doc:"API requests per minute over all nodes; 0: the usual rate, -1: no limit. Set by operators alone." example:"0"`
	Networks  *[]string `json:"networks,omitempty" maxItems:"100" nullable:"false" doc:"Addresses and networks that API requests may come from; none: from anywhere." example:"[\"192.0.2.0/24\"]"`
	OnceNonce *bool     `json:"onceNonce,omitempty" doc:"A nonce that was used before is refused." example:"false"`
}

func showApp(a *ledger.App) App {
	signing, fallback, timeout := string(a.Signing), string(a.Fallback), int(a.AnswerIn.Milliseconds())
	scenes := []string{}
	for _, scene := range slices.Sorted(maps.Keys(a.Defaults)) {
		scenes = append(scenes, string(scene))
	}
	own := map[string]string{}
	for scene, file := range a.Prompts {
		own[string(scene)] = file
	}
	networks := append([]string{}, a.Networks...)
	keywords, forbidden := append([]string{}, a.Keywords.List()...), append([]string{}, a.Forbidden.List()...)
	return App{AppKey: a.Key, SPID: a.SP, Mode: string(a.Mode), Frozen: a.Frozen, Barred: a.SMSBarred, Created: a.Created, AppSettings: AppSettings{
		Name: &a.Name, Paused: &a.Paused, NoCalls: &a.NoCalls, NoForeign: &a.NoForeign,
		ExtDigits: &a.ExtDigits, RandomExt: &a.RandomExt, Retries: &a.Retries,
		Recording: &a.Recording, Stereo: &a.Stereo, Informs: &a.Informs, KeepCallee: &a.KeepCallee,
		Fallback: &fallback, AnswerTimeout: &timeout,
		QualityCheck: &a.QualityCheck, SMS: &a.SMS, SMSContent: &a.SMSContent, SMSKeywords: &keywords, SMSForbidden: &forbidden,
		StatusURL: &a.StatusURL, CallinURL: &a.CallInURL, FeeURL: &a.FeeURL, SMSURL: &a.SMSURL, SMSControlURL: &a.SMSControlURL,
		NumberURL: &a.NumberURL, PushNumbers: &a.PushNumbers, Signing: &signing,
		SendDuration: &a.SendDuration, SendReleasedBy: &a.SendReleasedBy, SendAreaCode: &a.SendAreaCode, SendRecordURL: &a.SendRecordURL,
		Prompts: own, DefaultPrompts: &scenes,
		RecordingsDays: &a.RecordingsDays, ListsDays: &a.ListsDays,
		Rate: &a.Rate, Networks: &networks, OnceNonce: &a.OnceNonce,
	}}
}

// apply gives an app the settings that are there.
func (n *AppSettings) apply(a *ledger.App) {
	set(&a.Name, n.Name)
	set(&a.Paused, n.Paused)
	set(&a.NoCalls, n.NoCalls)
	set(&a.NoForeign, n.NoForeign)
	set(&a.ExtDigits, n.ExtDigits)
	set(&a.RandomExt, n.RandomExt)
	set(&a.Retries, n.Retries)
	set(&a.Recording, n.Recording)
	set(&a.Stereo, n.Stereo)
	set(&a.Informs, n.Informs)
	set(&a.KeepCallee, n.KeepCallee)
	set((*string)(&a.Fallback), n.Fallback)
	if n.AnswerTimeout != nil {
		a.AnswerIn = time.Duration(*n.AnswerTimeout) * time.Millisecond
	}
	set(&a.QualityCheck, n.QualityCheck)
	set(&a.SMS, n.SMS)
	set(&a.SMSContent, n.SMSContent)
	if n.SMSKeywords != nil {
		a.Keywords = routing.NewWords(*n.SMSKeywords...)
	}
	if n.SMSForbidden != nil {
		a.Forbidden = routing.NewWords(*n.SMSForbidden...)
	}
	set(&a.StatusURL, n.StatusURL)
	set(&a.CallInURL, n.CallinURL)
	set(&a.FeeURL, n.FeeURL)
	set(&a.SMSURL, n.SMSURL)
	set(&a.SMSControlURL, n.SMSControlURL)
	set(&a.NumberURL, n.NumberURL)
	set(&a.PushNumbers, n.PushNumbers)
	set((*string)(&a.Signing), n.Signing)
	set(&a.SendDuration, n.SendDuration)
	set(&a.SendReleasedBy, n.SendReleasedBy)
	set(&a.SendAreaCode, n.SendAreaCode)
	set(&a.SendRecordURL, n.SendRecordURL)
	set(&a.RecordingsDays, n.RecordingsDays)
	set(&a.ListsDays, n.ListsDays)
	set(&a.Rate, n.Rate)
	set(&a.Networks, n.Networks)
	set(&a.OnceNonce, n.OnceNonce)
	if n.Prompts != nil {
		a.Prompts = map[routing.Scene]string{}
		for scene, file := range n.Prompts {
			a.Prompts[routing.Scene(scene)] = file
		}
	}
	if n.DefaultPrompts != nil {
		a.Defaults = map[routing.Scene]bool{}
		for _, scene := range *n.DefaultPrompts {
			a.Defaults[routing.Scene(scene)] = true
		}
	}
}

// told lists the settings that are there, for the audit log: with the value
// where that is no text, for an address may hold a password.
func (n *AppSettings) told() string {
	b, err := json.Marshal(n)
	fields := map[string]any{}
	if err == nil {
		err = json.Unmarshal(b, &fields)
	}
	if err != nil {
		return "settings"
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		switch v := fields[name].(type) {
		case bool, float64:
			parts = append(parts, fmt.Sprintf("%s=%v", name, v))
		default:
			parts = append(parts, name)
		}
	}
	return strings.Join(parts, " ")
}
