// Package config reads the configuration: one YAML file, over it the
// environment, beneath it the defaults. It knows nobody: its values are plain,
// and whoever starts the program brings them into the form that each part
// needs.
package config

import "time"

// Config is everything that can be set. The tag key names a setting in the
// file, AXGATE_ and its path in capitals names it in the environment; help is
// one line for whoever sets it, and secret keeps its value out of printouts.
type Config struct {
	Node      string    `key:"node" help:"name of this node in records and busy marks; every node of a system has its own"`
	Data      string    `key:"data" help:"directory of ledger, recordings and uploaded prompts"`
	Log       Log       `key:"log"`
	SIP       SIP       `key:"sip"`
	Media     Media     `key:"media"`
	Redis     Redis     `key:"redis"`
	Ledger    Ledger    `key:"ledger"`
	Cluster   Cluster   `key:"cluster"`
	Journal   Journal   `key:"journal"`
	Recording Recording `key:"recording"`
	Retention Retention `key:"retention"`
	Keys      KeyRing   `key:"keys"`
	Events    Events    `key:"events"`
	HTTP      HTTP      `key:"http"`
	Metrics   Metrics   `key:"metrics"`
	Health    Health    `key:"health"`
	Traces    Traces    `key:"traces"`
	SMS       SMS       `key:"sms"`
	Guard     Guard     `key:"guard"`
	Trunks    []Trunk   `key:"trunks" help:"carriers and switches; those with an address carry calls out, one after the other if one fails"`
	Profiles  []Profile `key:"profiles" help:"named sets of trunk settings, the defaults of the trunks that name them: every key of a trunk but profile"`
	Registrar Registrar `key:"registrar"`
	Plan      Plan      `key:"plan"`
	Accounts  []Account `key:"accounts" help:"tenants; an app's account that is not listed is made with its name alone"`
	Apps      []App     `key:"apps" help:"made at the start, or set to what stands here"`
	Numbers   []Number  `key:"numbers" help:"X numbers, given to their apps at the start"`
	Bindings  []Binding `key:"bindings" help:"made at the start unless they stand"`
	Temporary []Callee  `key:"temporary" help:"temporary callees of AX bindings, set at every start"`
	where     origins   // key to file:line or variable
	notes     []string  // what is odd but no error
}

// Log says what is logged, to standard error.
type Log struct {
	Level  string `key:"level" help:"trace, debug, info, warn or error"`
	Format string `key:"format" help:"text, json, or auto: text to a terminal, else json"`
}

// AutoLog is the log format that goes by what standard error is.
const AutoLog = "auto"

// SIP is the signalling side.
type SIP struct {
	UDP          string   `key:"udp" help:"listen address, host:port; off: none"`
	TCP          string   `key:"tcp" help:"listen address, host:port; off: none"`
	TLS          string   `key:"tls" help:"listen address of SIP over TLS, host:port, such as 192.0.2.10:5061; off: none"`
	Advertise    string   `key:"advertise" help:"host:port that peers reach us at; empty: the UDP address"`
	TCPAdvertise string   `key:"tcp_advertise" help:"host:port that peers reach us at over TCP; empty: sip.advertise, with the port of sip.tcp if that is not sip.udp's"`
	Domain       string   `key:"domain" help:"host part of our identities; empty: the advertised host"`
	DNS          []string `key:"dns" help:"DNS servers that know the trunks' names, address:port; empty: those of the system; /etc/hosts counts before them"`
	Agent        string   `key:"agent" help:"User-Agent and Server; empty: none is sent"`

	TLSCert      string `key:"tls_cert" help:"PEM file of the certificate and those above it, read again when it changes"`
	TLSKey       string `key:"tls_key" help:"PEM file of the certificate's key"`
	TLSClientCA  string `key:"tls_client_ca" help:"PEM file of authorities: who connects over TLS has to have a certificate of theirs, phones too; empty: nobody has to"`
	TLSAdvertise string `key:"tls_advertise" help:"host:port that peers reach us at over TLS; empty: that of sip.tls, or the host of sip.advertise where it listens on all addresses"`

	MaxCalls      int           `key:"max_calls" help:"calls at a time; 0: no limit"`
	MaxCPS        int           `key:"max_cps" help:"new calls a second, all trunks and phones together; more get 503 with retry_after; 0: no limit"`
	RingTimeout   time.Duration `key:"ring_timeout" help:"how long a callee may ring, at most 90s"`
	RingbackAfter time.Duration `key:"ringback_after" help:"callee's early media is silent for so long: our ring-back tone"`
	PromptLimit   time.Duration `key:"prompt_limit" help:"the longest prompt to a caller who is refused"`
	FirstDigit    time.Duration `key:"first_digit" help:"how long the first digit of an extension may take after the prompt"`
	InterDigit    time.Duration `key:"inter_digit" help:"how long each further digit may take"`
	Digits        time.Duration `key:"digits" help:"how long all digits of one try may take"`
	RetryAfter    time.Duration `key:"retry_after" help:"what callers are told with 503"`
	Drain         time.Duration `key:"drain" help:"how long running calls may go on after the order to end"`

	Watchers []string `key:"watchers" help:"addresses and networks that OPTIONS are answered to besides trunks and phones; to nothing else that they send there is an answer, unless phones may register: load balancers that look whether the node takes calls"`

	T1 time.Duration `key:"t1" help:"RFC 3261's estimate of a round trip, of all trunks and phones: requests are repeated after it, doubled each time, and given up after 64 times it"`

	FloodRate     int           `key:"flood_rate" help:"messages a second that are read from an address that is no trunk's; 0: all"`
	FloodBurst    int           `key:"flood_burst" help:"of these, at once; 0: those of two seconds"`
	FloodRefusals int           `key:"flood_refusals" help:"requests refused within a minute, after which such an address is not heard; 0: it always is"`
	FloodBan      time.Duration `key:"flood_ban" help:"how long it is not heard"`
}

// Media is the RTP side.
type Media struct {
	IP         string        `key:"ip" help:"local address of RTP sockets; empty: that of sip.udp, or the one of the default route"`
	Advertise  string        `key:"advertise" help:"address in SDP; empty: media.ip"`
	Ports      string        `key:"ports" help:"first-last; two ports per leg, four per call"`
	Workers    int           `key:"workers" help:"threads; 0: one"`
	Codecs     []string      `key:"codecs" help:"PCMA, PCMU and what may be passed through (see codecs of trunks), in the order of preference"`
	Inactive   time.Duration `key:"inactive" help:"a peer that sends no RTP for so long is gone"`
	Latch      time.Duration `key:"latch" help:"how long a peer behind NAT may take to be found"`
	Quarantine time.Duration `key:"quarantine" help:"how long a port rests between two calls"`
}

// Ledger is the SQL database.
type Ledger struct {
	Driver string `key:"driver" help:"sqlite or postgres"`
	Path   string `key:"path" help:"SQLite file; empty: axgate.db in the data directory"`
	DSN    string `key:"dsn" secret:"true" help:"PostgreSQL: postgres://user:password@host/axgate"`
}

// Journal is the node's own record of its calls.
type Journal struct {
	Dir   string `key:"dir" help:"directory of its files, on a disk of this machine; empty: journal in the data directory"`
	Queue int    `key:"queue" help:"writes that may wait for the disk before new calls are refused"`
	Size  int    `key:"size_mib" help:"MiB that may wait for the ledger, while it is away, before new calls are refused"`
}

// Events is how events are pushed to customers' servers.
type Events struct {
	Push    bool          `key:"push" help:"false: events are kept and not pushed by this node"`
	Timeout time.Duration `key:"timeout" help:"how long a receiver may take to answer"`
	Flush   time.Duration `key:"flush" help:"how long the last events may take at the end of the program"`

	AnswerTimeout time.Duration `key:"answer_timeout" help:"how long an app's server may take to say who is called (X mode)"`

	Refuse []string `key:"refuse" help:"networks to which nothing is pushed, whatever the address of an app says: add your internal ones"`
}

// HTTP is the API and the downloads of recordings.
type HTTP struct {
	Listen    string `key:"listen" help:"listen address, host:port; off: none"`
	Cert      string `key:"cert" help:"PEM file of the certificate and those above it, read again when it changes; empty: plain HTTP, for labs"`
	Key       string `key:"key" help:"PEM file of the certificate's key"`
	Advertise string `key:"advertise" help:"how others reach us, such as https://api.example.com; empty: the listen address"`
	MaxConns  int    `key:"max_conns" help:"connections at a time; more have to wait"`

	Window       time.Duration `key:"window" help:"how far Created of a request may be from the clock, taken as UTC or as UTC+8"`
	Rate         int           `key:"rate" help:"requests of an app per minute, over all nodes, unless the app has a rate of its own; 0: no limit"`
	LockoutAfter int           `key:"lockout_after" help:"an address with so many failed authentications within lockout_for is refused; 0: never"`
	LockoutFor   time.Duration `key:"lockout_for" help:"for how long it is refused"`
	Proxies      []string      `key:"proxies" help:"addresses and networks of proxies in front of us, whose X-Forwarded-For is believed"`
	Link         time.Duration `key:"link" help:"how long the link to a recording holds, at most until the recording is deleted"`
}

// Trunk is a carrier or switch.
type Trunk struct {
	Name    string `key:"name" help:"of the trunk in logs; every trunk has its own"`
	Profile string `key:"profile" help:"whose settings are its defaults: one of profiles, or the shipped china-ims or international (axgate config profiles)"`

	Peers []string `key:"peers" help:"where its calls come from: addresses, address:port, networks, or names whose addresses in DNS count; udp://, tcp:// or tls:// before it for one transport"`

	Address   string `key:"address" help:"whom calls go out to: an address, host:port, a host, or a domain with NAPTR and SRV records; empty: none do"`
	Transport string `key:"transport" help:"udp, tcp, tls, or for a name auto: as its DNS records say"`

	TrunkWay

	TLSName string `key:"tls_name" help:"with tls, the name that its certificate has to have; empty: the host of address"`
	TLSCA   string `key:"tls_ca" help:"with tls, PEM file of the only authorities that its certificate may be of; empty: those of the system"`
	TLSCert string `key:"tls_cert" help:"with tls, PEM file of the certificate that we show it, read again when it changes; empty: none"`
	TLSKey  string `key:"tls_key" help:"with tls, PEM file of that certificate's key"`

	IdentitySource  []string `key:"identity_source" help:"headers that name the caller, the first with a number counts: pai, rpid, from"`
	TrustedIdentity bool     `key:"trusted_identity" help:"what it asserts in pai and rpid is believed"`

	CalleeFormat string `key:"callee_format" help:"e164, digits, international, national or national-zero"`
	FromFormat   string `key:"from_format" help:"of X as the caller; formats as above"`
	FromDomain   string `key:"from_domain" help:"host part of From; empty: ours"`
	SendPAI      bool   `key:"send_pai" help:"send P-Asserted-Identity with X"`
	SendPPI      bool   `key:"send_ppi" help:"send P-Preferred-Identity with X"`
	Hide         bool   `key:"hide" help:"show not even X: anonymous From, Privacy: id"`

	TrunkHeaders
	TrunkNumbers

	Username string `key:"username" help:"for its digest challenges"`
	Password string `key:"password" secret:"true" help:"for its digest challenges"`
	TrunkEnrol
	TrunkAuth

	NATMedia    bool          `key:"nat_media" help:"its RTP may come from elsewhere than its SDP says"`
	Codecs      []string      `key:"codecs" help:"in the order of preference; empty: media.codecs; what is not PCMA or PCMU (GSM, G723, G722, G729, G726-32, iLBC, AMR, AMR-WB, EVS, opus) is passed through as it is between two legs that have it, in calls without prompts in the talk, recording and tones"`
	Security    string        `key:"media_security" help:"SRTP with keys in SDP, over TLS only: off, optional (RTP/AVP with keys, which may be passed over; to a callee that refuses that with 488 or 606, RTP/SAVP once) or required"`
	DTMF        string        `key:"dtmf" help:"how its digits come and go: auto, rfc4733 (telephone-events), info (SIP INFO) or inband (tones)"`
	MaxCalls    int           `key:"max_calls" help:"at a time, both ways; 0: no limit"`
	RingTimeout time.Duration `key:"ring_timeout" help:"0: sip.ring_timeout"`
	TrunkMedia

	TrunkEarly
	TrunkTalk

	SMS       string `key:"sms" help:"texts by MESSAGE: off (none either way), text (text/plain), cpim (message/cpim) or 3gpp (application/vnd.3gpp.sms); all three are read"`
	SMSRole   string `key:"sms_role" help:"with 3gpp, what we are: ue (texts go to its service centre) or network (texts go to its phones)"`
	SMSCenter string `key:"sms_center" help:"with 3gpp, the number of the service centre in global form: the trunk's (ue) or ours (network)"`
	SMSPSI    string `key:"sms_psi" help:"with 3gpp and ue, the user part of the service centre's SIP address; empty: sms_center"`
}

// Registrar lets softphones register.
type Registrar struct {
	Realm    string        `key:"realm" help:"of digest challenges"`
	Expires  time.Duration `key:"expires" help:"the longest that a registration holds"`
	Security string        `key:"media_security" help:"SRTP of phones over TLS, with keys in SDP: off, optional or required; if it is required, phones without TLS neither call nor are called"`
	Accounts []Phone       `key:"accounts" help:"none: nobody can register"`
}

// Phone is an account of the registrar.
type Phone struct {
	Number   string `key:"number" help:"its real number, which is its user name too"`
	Password string `key:"password" secret:"true" help:"for its digest answers"`
}

// Plan is the number plan. With country 86, lists that are empty are those of
// mainland China.
type Plan struct {
	Country       string   `key:"country" help:"calling code without +"`
	National      string   `key:"national" help:"long-distance prefix; with country 86, 0 if empty"`
	International string   `key:"international" help:"prefix of international numbers; with country 86, 00 if empty"`
	Mobile        []string `key:"mobile" help:"patterns of mobile numbers: a digit is itself, X any digit, [3-9] one of these; with country 86, empty lists are those of mainland China"`
	Areas         []string `key:"areas" help:"patterns of area codes"`
	Local         []string `key:"local" help:"patterns of what follows an area code"`
	Service       []string `key:"service" help:"patterns of numbers that may call and never be bound"`
	Emergency     []string `key:"emergency" help:"patterns of numbers that are never called"`
	Premium       []string `key:"premium" help:"patterns that numbers begin with, in global form without +, such as 86168 or 85290: they are never bound and never called (7500), whatever else they are"`
	X             []string `key:"x" help:"patterns of X numbers"`
	Abroad        []Abroad `key:"abroad" help:"further countries whose numbers may be bound and called"`
}

// Abroad is a further country.
type Abroad struct {
	Code   string   `key:"code" help:"calling code without +"`
	Mobile []string `key:"mobile" help:"patterns as above"`
	Fixed  []string `key:"fixed" help:"patterns as above"`
}

// Account is a tenant.
type Account struct {
	Name    string `key:"name" help:"its spId"`
	Frozen  bool   `key:"frozen" help:"in arrears: calls and bindings are refused"`
	SMS     bool   `key:"sms" help:"its apps may have texts through X"`
	MaxApps int    `key:"max_apps" help:"how many apps it may have"`
}

// App is an app with its settings.
type App struct {
	Key     string `key:"key" help:"app_key"`
	Secret  string `key:"secret" secret:"true" help:"app_secret, which signs pushes"`
	Name    string `key:"name" help:"for people"`
	Account string `key:"account" help:"spId of its tenant"`
	Mode    string `key:"mode" help:"AX, AXB, AXE, AXYB or X"`

	Paused     bool `key:"paused" help:"calls and bindings are refused"`
	NoCalls    bool `key:"no_calls" help:"it has no call permission"`
	ExtDigits  int  `key:"ext_digits" help:"AXE: digits of an extension, 1 to 4"`
	RandomExt  bool `key:"random_ext" help:"AXE: extensions are given at random, not the lowest"`
	Retries    int  `key:"retries" help:"AXE: further tries after a wrong extension; 0: none"`
	Recording  bool `key:"recording" help:"its calls may be recorded; its bindings say which are"`
	Stereo     bool `key:"stereo" help:"recordings have one party per channel"`
	Informs    bool `key:"informs" help:"it informs people of recordings itself"`
	KeepCallee bool `key:"keep_callee" help:"AX: an answered call does not use up the temporary callee"`
	NoForeign  bool `key:"no_foreign" help:"foreign callers are refused"`

	Fallback      string        `key:"fallback" help:"X: whom callers reach if the server at callin_url does not say; empty: they are refused"`
	AnswerTimeout time.Duration `key:"answer_timeout" help:"X: how long that server may take, and the one at sms_control_url; 0: events.answer_timeout and sms.answer_timeout"`

	SMS           bool     `key:"sms" help:"texts through X are on (AX, AXB and X); X numbers and bindings have switches of their own"`
	SMSContent    bool     `key:"sms_content" help:"notices and lists of texts carry what was written"`
	SMSURL        string   `key:"sms_url" help:"where notices of texts go"`
	SMSControlURL string   `key:"sms_control_url" help:"who is asked whom texts are for (AX, X)"`
	SMSKeywords   []string `key:"sms_keywords" help:"words of which a text has to have one; none: any text will do"`
	SMSForbidden  []string `key:"sms_forbidden" help:"words of which a text must have none"`

	StatusURL   string `key:"status_url" help:"where call events go"`
	CallInURL   string `key:"callin_url" help:"where callin goes; empty: status_url"`
	FeeURL      string `key:"fee_url" help:"where fee events go"`
	NumberURL   string `key:"number_url" help:"where the status of X numbers goes; empty: status_url"`
	PushNumbers bool   `key:"push_numbers" help:"it is told when the status of one of its X numbers changes"`
	Signing     string `key:"signing" help:"wsse or aksk"`

	SendDuration   bool `key:"send_duration" help:"fee events carry callDuration"`
	SendReleasedBy bool `key:"send_released_by" help:"fee events carry callRelDirection"`
	SendAreaCode   bool `key:"send_area_code" help:"events carry areaCode"`
	SendRecordURL  bool `key:"send_record_url" help:"fee events carry recordFileDownloadUrl"`

	Rate      int      `key:"rate" help:"API requests per minute; 0: http.rate, below 0: no limit"`
	Networks  []string `key:"networks" help:"addresses and networks that its API requests may come from; none: from anywhere"`
	OnceNonce bool     `key:"once_nonce" help:"an API request with a nonce that was used before is refused"`

	RecordingsDays int `key:"recordings_days" help:"as retention.recordings_days, for this app; 0: that"`
	ListsDays      int `key:"lists_days" help:"as retention.lists_days, for this app; 0: that"`

	Prompts  map[string]string `key:"prompts" help:"scene to approved prompt file"`
	Defaults []string          `key:"default_prompts" help:"scenes with the shipped file: names, all or none"`
}

// Number is an X.
type Number struct {
	X        string `key:"x" help:"in global form, +86..."`
	App      string `key:"app" help:"app_key of its owner"`
	Status   string `key:"status" help:"normal, paused, frozen, transfer or unavailable; empty: as it is"`
	SMS      string `key:"sms" help:"true: it takes texts, false: it takes none; empty: as it is, and a new one takes none"`
	AreaCode string `key:"area_code" help:"with its leading 0"`
	City     string `key:"city" help:"where it belongs"`
	Province string `key:"province" help:"where it belongs"`
	Carrier  string `key:"carrier" help:"whose number it is"`
}

// Binding is a relation of an X with real numbers; the mode of the app says
// which fields it has.
type Binding struct {
	App       string        `key:"app" help:"app_key"`
	X         string        `key:"x" help:"in global form"`
	A         string        `key:"a" help:"in global form"`
	B         string        `key:"b" help:"AXB"`
	Ext       string        `key:"ext" help:"AXE; empty: one is given"`
	Direction int           `key:"direction" help:"0 both, 1 only A calls, 2 only A is called"`
	Duration  time.Duration `key:"duration" help:"0: for ever"`
	Record    bool          `key:"record" help:"its calls are recorded"`

	MaxMinutes  int    `key:"max_minutes" help:"0: no limit"`
	CallbackNum string `key:"callback_num" help:"AXE: whom A reaches without a callback record"`
}

// Callee is a temporary callee.
type Callee struct {
	X        string        `key:"x" help:"of the AX binding"`
	Callee   string        `key:"callee" help:"whom A reaches, in global form"`
	Duration time.Duration `key:"duration" help:"0: 60s"`
}

// Notes are remarks on what was read that are no errors.
func (c *Config) Notes() []string { return c.notes }
