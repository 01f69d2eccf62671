package metrics

import (
	"time"

	"axgate/ledger"
)

// Survey is what takes a while to find out, and so is found out now and then.
// What could not be found out is as it was the last time.
type Survey struct {
	At    time.Time // when it was begun; zero: there was none yet
	Took  time.Duration
	Owed  ledger.Owed
	Texts ledger.Waiting
	Stock ledger.Stock
	Ahead time.Duration            // of the ledger's clock, before this machine's
	Nodes map[ledger.NodeState]int // by state
	Disks []Disk
	Certs []Certificate
}

// Disk is the file system that a directory is on.
type Disk struct {
	Of         string // what is there: data, journal, recordings
	Free, Size int64  // bytes
	Err        error  // it does not say
}

// Certificate is one that we show.
type Certificate struct {
	Use   string // where, such as HTTP
	Until time.Time
	Err   error // it cannot be read
}
