package config

import (
	"os"
	"strings"
	"time"
)

// Default is the configuration without a file and without variables: SQLite
// and Redis embedded, SIP on 5060, no trunks.
func Default() Config {
	return Config{
		Node: nodeName(),
		Data: "axgate-data",
		Log:  Log{Level: "info", Format: AutoLog},
		SIP: SIP{
			UDP: "0.0.0.0:5060", TCP: "0.0.0.0:5060", TLS: Off, DNS: []string{}, Watchers: []string{},
			T1: 500 * time.Millisecond, RingTimeout: 90 * time.Second, RingbackAfter: 2 * time.Second, PromptLimit: 15 * time.Second,
			FirstDigit: 10 * time.Second, InterDigit: 5 * time.Second, Digits: 30 * time.Second,
			RetryAfter: 5 * time.Second, Drain: 30 * time.Second,
			FloodRate: 100, FloodBurst: 300, FloodRefusals: 60, FloodBan: 10 * time.Minute,
		},
		Media: Media{
			Ports: "20000-29999", Codecs: []string{"PCMA", "PCMU"},
			Inactive: time.Minute, Latch: 5 * time.Second, Quarantine: 2 * time.Second,
		},
		Redis:     Redis{Embedded: "127.0.0.1:6380", Timeout: 200 * time.Millisecond, Lease: 30 * time.Second, Upkeep: 10 * time.Second, Compare: time.Minute},
		Cluster:   Cluster{Patience: 5 * time.Second},
		Ledger:    Ledger{Driver: "sqlite"},
		Journal:   Journal{Queue: 10_000, Size: 4096},
		Recording: Recording{MinTalk: 3 * time.Second, Store: RecordingStore{PathStyle: true, TLS: true, Redirect: true}},
		Retention: Retention{Every: time.Hour, RecordingsDays: 7, ListsDays: 31, AuditDays: 366},
		Events: Events{Push: true, Timeout: 5 * time.Second, Flush: 5 * time.Second, AnswerTimeout: 5 * time.Second,
			Refuse: []string{"169.254.0.0/16", "fe80::/10"}},
		HTTP: HTTP{
			Listen: "127.0.0.1:8080", MaxConns: 2000, Window: 24 * time.Hour, Rate: 60_000,
			LockoutAfter: 50, LockoutFor: 30 * time.Minute, Link: 7 * 24 * time.Hour,
		},
		Metrics: Metrics{Listen: Off},
		Health:  Health{DiskFree: 1024, JournalAge: 30 * time.Second, OutboxAge: 15 * time.Minute, ClockOff: 2 * time.Second, Certificate: 14 * 24 * time.Hour},
		Traces:  Traces{PerThousand: 10},
		SMS: SMS{
			PerSender: 60, PerX: 600, MaxParts: 10, Validity: 10 * time.Minute, Assemble: 5 * time.Minute, AnswerTimeout: 5 * time.Second,
		},
		Guard: Guard{WrongExtensions: 10, WrongWindow: 10 * time.Minute, WrongDelay: time.Second,
			Zone: "+08:00", JumpFactor: 10, JumpFloor: 60},
		Registrar: Registrar{Realm: "axgate", Expires: time.Hour, Security: "off"},
		Plan:      Plan{Country: "86"},
	}
}

// nodeName is the host's name as a node can be called.
func nodeName() string {
	host, err := os.Hostname()
	host, _, _ = strings.Cut(host, ".")
	if err != nil || !word(host) {
		return "node1"
	}
	return host
}

// fresh is implemented by elements of lists that begin with defaults.
type fresh interface{ fresh() }

func (t *Trunk) fresh() {
	t.Transport, t.IdentitySource, t.CalleeFormat, t.FromFormat, t.DTMF = "udp", []string{"pai", "rpid", "from"}, "e164", "e164", "auto"
	t.SMS, t.SMSRole = "off", "ue"
	t.TrunkMedia.fresh()
	t.TrunkWay.fresh()
	t.TrunkEarly.fresh()
	t.TrunkTalk.fresh()
}

func (a *Account) fresh() { a.SMS, a.MaxApps = true, 100 }

func (a *App) fresh() {
	a.Account, a.ExtDigits, a.Signing, a.Defaults = "default", 4, "wsse", []string{"all"}
}
