package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"unicode"
)

// SMSControl is the answer of an app's server to a Block notice (callbacks
// section 4.2), as it was given; what of it is possible is for the rules to
// say.
type SMSControl struct {
	Discard bool // operation is DiscardMessage, else vNumberRoute

	Called, Calling string // of message; empty: it has none
	UserData        string
}

// ParseSMSControl reads an answer. actions and message may be objects or arrays
// of one; texts, numbers and booleans may stand for each other. An error says
// that it is no answer.
func ParseSMSControl(body []byte) (SMSControl, error) {
	type message struct {
		Called  loose `json:"called"`
		Calling loose `json:"calling"`
	}
	type action struct {
		Operation loose           `json:"operation"`
		Message   single[message] `json:"message"`
		UserData  loose           `json:"userData"`
	}
	var a struct {
		Actions single[action] `json:"actions"`
	}
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")) // some servers begin with a byte order mark
	if err := json.Unmarshal(body, &a); err != nil {
		return SMSControl{}, errors.New("the answer is not the JSON that was asked for")
	}
	if !a.Actions.given {
		return SMSControl{}, errors.New("the answer has no actions")
	}
	act := &a.Actions.value
	switch operation := withoutBlanks(string(act.Operation)); {
	case strings.EqualFold(operation, "DiscardMessage"):
		return SMSControl{Discard: true, UserData: string(act.UserData)}, nil
	case strings.EqualFold(operation, "vNumberRoute"):
		m := &act.Message.value
		return SMSControl{Called: string(m.Called), Calling: string(m.Calling), UserData: string(act.UserData)}, nil
	case operation == "":
		return SMSControl{}, errors.New("the answer has no operation")
	default:
		return SMSControl{}, unknownOperation(operation)
	}
}

func withoutBlanks(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}
