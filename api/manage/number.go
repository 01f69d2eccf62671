package manage

import (
	"time"

	"axgate/ledger"
)

// Number is an X number as it is shown.
type Number struct {
	Number   string    `json:"number" doc:"The X." example:"+8617010000001"`
	AppKey   string    `json:"appKey" doc:"Whose it is." example:"demo-ax"`
	Mode     string    `json:"mode" doc:"Of the app." example:"AX"`
	Status   string    `json:"status" enum:"normal,paused,frozen,transfer,unavailable,returned" doc:"Only a normal number takes calls and bindings; a frozen one takes calls." example:"normal"`
	Cause    string    `json:"cause,omitempty" doc:"Why it is not normal." example:"2"`
	AreaCode string    `json:"areaCode,omitempty" doc:"With its leading 0." example:"0755"`
	City     string    `json:"city,omitempty" doc:"Of the area code." example:"Shenzhen"`
	Province string    `json:"province,omitempty" doc:"Of the area code." example:"Guangdong"`
	Carrier  string    `json:"carrier,omitempty" doc:"Whose network it is in." example:"China Mobile"`
	Voice    bool      `json:"voice" doc:"It takes calls." example:"true"`
	SMS      bool      `json:"sms" doc:"It takes messages." example:"false"`
	Bindings int       `json:"bindings" doc:"How many stand on it." example:"1"`
	Room     int       `json:"room" doc:"How many fit on it." example:"1"`
	RoomLeft int       `json:"roomLeft" doc:"How many more fit on it; none if it is not normal." example:"0"`
	Granted  time.Time `json:"granted" doc:"When it was given to the account." example:"2026-01-02T03:04:05Z"`
	Released time.Time `json:"released,omitzero" doc:"When it was returned." example:"2026-02-02T03:04:05Z"`
}

// ShowNumber is how an X is shown here and at the command line.
func ShowNumber(n *ledger.Number) Number {
	left := 0
	if n.Status == "normal" {
		left = n.Room - n.Bindings
	}
	return Number{Number: string(n.X), AppKey: n.App, Mode: string(n.Mode), Status: string(n.Status), Cause: n.Cause,
		AreaCode: n.AreaCode, City: n.City, Province: n.Province, Carrier: n.Carrier, Voice: n.Voice, SMS: n.SMS,
		Bindings: n.Bindings, Room: n.Room, RoomLeft: left, Granted: n.Granted, Released: n.Released}
}

// NumberCount counts the X numbers of an area.
type NumberCount struct {
	AreaCode string `json:"areaCode" doc:"With its leading 0; empty: of no area." example:"0755"`
	City     string `json:"city,omitempty" doc:"Of the area code." example:"Shenzhen"`
	Province string `json:"province,omitempty" doc:"Of the area code." example:"Guangdong"`
	Numbers  int    `json:"numbers" doc:"All but those that were returned." example:"120"`
	Normal   int    `json:"normal" doc:"Of them." example:"118"`
	Free     int    `json:"free" doc:"Of the normal ones: nobody is bound." example:"17"`
	WithRoom int    `json:"withRoom" doc:"Of the normal ones: one more binding fits." example:"17"`
	Bindings int    `json:"bindings" doc:"On all of them." example:"101"`
	RoomLeft int    `json:"roomLeft" doc:"How many more bindings fit on the normal ones." example:"17"`
}

// ShowCount is how a count is shown here and at the command line.
func ShowCount(n *ledger.NumberCount) NumberCount {
	return NumberCount{AreaCode: n.AreaCode, City: n.City, Province: n.Province, Numbers: n.Numbers, Normal: n.Normal,
		Free: n.Free, WithRoom: n.WithRoom, Bindings: n.Bindings, RoomLeft: n.Room}
}

// NumberTask is work on many X numbers.
type NumberTask struct {
	TaskID  string    `json:"taskId" doc:"Its id." example:"019a5b8e-7c1d-7000-8000-5a1f0c3e9b21"`
	Kind    string    `json:"kind" enum:"import,move,status,sms" doc:"What it does." example:"move"`
	AppKey  string    `json:"appKey,omitempty" doc:"import: whose the numbers become; move: where they go; status and sms: only those of this app." example:"demo-axb"`
	From    string    `json:"from,omitempty" doc:"move: the app that they leave." example:"demo-ax"`
	Status  string    `json:"status,omitempty" doc:"status: the new one." example:"paused"`
	Cause   string    `json:"cause,omitempty" doc:"status: why." example:"2"`
	SMS     *bool     `json:"sms,omitempty" doc:"sms: whether they take messages." example:"true"`
	State   string    `json:"state" enum:"waiting,running,ended" doc:"How far it is. A task goes on over restarts." example:"ended"`
	By      string    `json:"by,omitempty" doc:"Who submitted it." example:"ops"`
	Created time.Time `json:"created" doc:"When it was submitted first." example:"2026-01-02T03:04:05Z"`
	Started time.Time `json:"started,omitzero" doc:"When its work began." example:"2026-01-02T03:04:05Z"`
	Ended   time.Time `json:"ended,omitzero" doc:"When its work ended." example:"2026-01-02T03:04:06Z"`
	Total   int       `json:"total" doc:"How many numbers it is about." example:"100"`
	Done    int       `json:"done" doc:"Of them: done, and in force." example:"98"`
	Failed  int       `json:"failed" doc:"Of them: refused, each with its reason." example:"2"`
	Runs    int       `json:"runs" doc:"How often it was submitted." example:"1"`
}

// ShowTask is how a task is shown here and at the command line.
func ShowTask(t *ledger.Task) NumberTask {
	out := NumberTask{TaskID: t.ID, Kind: string(t.Kind), AppKey: t.App, From: t.From, Status: string(t.Status), Cause: t.Cause,
		State: string(t.State), By: t.By, Created: t.Created, Started: t.Started, Ended: t.Ended, Total: t.Total, Done: t.Done, Failed: t.Failed, Runs: t.Runs}
	if t.Kind == ledger.TaskSMS {
		out.SMS = &t.SMS
	}
	return out
}

// TaskResult is what became of a number of a task.
type TaskResult struct {
	Line   int    `json:"line" doc:"Of the list that was submitted, from 1 on." example:"7"`
	Number string `json:"number" doc:"The X, or what stood in its place." example:"+8617010000001"`
	State  string `json:"state" enum:"waiting,stored,done,failed" doc:"A stored one is in the ledger, and the cache is being told." example:"failed"`
	Code   string `json:"code,omitempty" doc:"The result code of a refusal." example:"1012001"`
	Reason string `json:"reason,omitempty" doc:"The refusal in words." example:"another app has it"`
}

// ShowResult is how a result is shown here and at the command line.
func ShowResult(i *ledger.TaskItem) TaskResult {
	return TaskResult{Line: i.Line, Number: string(i.X), State: string(i.State), Code: i.Code, Reason: i.Reason}
}
