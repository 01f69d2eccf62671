package events

import "time"

// SMS is a text message as its notices tell of it (callbacks section 4.1).
// Numbers are in global form.
type SMS struct {
	ID        string // smsIdentifier
	App       string
	Calling   string // real sender
	Called    string // real receiver; empty but after a forward that succeeded
	X         string // virtualNumber
	At        time.Time
	Binding   string  // subscriptionId
	Content   *string // smsContent as the sender wrote it; nil: the app does not want it
	SplitNum  int     // parts
	Direction int     // 0 others to A, 1 A to others, 2 not known
	Result    int     // sendResult
	AreaCode  string
	UserData  string
}
