package gate

import (
	"net/netip"
	"time"
)

// Config is what a test tells axgate of its surroundings.
type Config struct {
	Dir      string // data, log and configuration file
	SIP      netip.AddrPort
	Redis    string // address of a redis-server; empty: the embedded one
	Embedded string // address of the embedded one
	RTPFirst int
	RTPLast  int
	Trunks   []Trunk
	Phones   []Account
	Apps     []App
	Numbers  []Number

	StatusURL, FeeURL string // of every app

	RingTimeout, FirstDigit, InterDigit time.Duration
}

// Trunk is a carrier: calls come from Peers (a network in CIDR form) and go to
// Address.
type Trunk struct {
	Name    string
	Address netip.AddrPort
	Peers   string
}

// Account is a softphone that may register.
type Account struct{ Number, Password string }

// App is an application.
type App struct {
	Key, Secret, Mode string
	ExtDigits         int // AXE
	Retries           int // AXE: repeat collection
	Recording, Stereo bool
	Informs           bool // of recordings, by itself
	Defaults          bool // the shipped prompts are on
	Paused, Frozen    bool
}

// Number is an X and the key of its app.
type Number struct{ X, App, Status string }

func (c Config) yaml() string { return "" }
