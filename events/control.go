package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// Control is the answer of an app's server to the callin event of X mode
// (callbacks appendix), as it was given; what of it is possible is for the
// rules to say.
type Control struct {
	Close bool // operation is close, else connect

	Display, Callee                   string // displayCalleeNum, calleeNum
	MaxDuration                       int    // minutes; 0 if absent, -1: it is no whole number
	WaitVoice, RecordHint, LastMinute string // waitVoice, recordHintTone, lastMinVoice
	Record                            bool   // recordFlag
	CloseHint                         string // closeHintTone
	UserData                          string
}

// ParseControl reads an answer. connectInfo and closeInfo may be objects or
// arrays of one; texts, numbers and booleans may stand for each other. An error
// says that it is no answer.
func ParseControl(body []byte) (Control, error) {
	var a struct {
		Operation loose      `json:"operation"`
		Connect   single[ci] `json:"connectInfo"`
		Close     single[cl] `json:"closeInfo"`
	}
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")) // some servers begin with a byte order mark
	if err := json.Unmarshal(body, &a); err != nil {
		return Control{}, errors.New("the answer is not the JSON that was asked for")
	}
	switch operation := strings.TrimSpace(string(a.Operation)); {
	case strings.EqualFold(operation, "close"):
		return Control{Close: true, CloseHint: string(a.Close.value.CloseHintTone), UserData: string(a.Close.value.UserData)}, nil
	case strings.EqualFold(operation, "connect") && a.Connect.given:
		c := &a.Connect.value
		return Control{
			Display: string(c.DisplayCalleeNum), Callee: string(c.CalleeNum), MaxDuration: c.MaxDuration.minutes(),
			WaitVoice: string(c.WaitVoice), RecordHint: string(c.RecordHintTone), LastMinute: string(c.LastMinVoice),
			Record: c.RecordFlag.yes(), UserData: string(c.UserData),
		}, nil
	case strings.EqualFold(operation, "connect"):
		return Control{}, errors.New("the answer is connect without connectInfo")
	case operation == "":
		return Control{}, errors.New("the answer has no operation")
	default:
		return Control{}, unknownOperation(operation)
	}
}

// unknownOperation names an operation by its letters: the error stands where
// numbers are masked, and a server may have put one in the wrong place.
func unknownOperation(operation string) error {
	letters := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return r
		}
		return -1
	}, operation)
	return fmt.Errorf("the answer has the unknown operation %.32q", letters)
}

type ci struct {
	DisplayCalleeNum loose `json:"displayCalleeNum"`
	CalleeNum        loose `json:"calleeNum"`
	MaxDuration      loose `json:"maxDuration"`
	WaitVoice        loose `json:"waitVoice"`
	RecordFlag       loose `json:"recordFlag"`
	RecordHintTone   loose `json:"recordHintTone"`
	LastMinVoice     loose `json:"lastMinVoice"`
	UserData         loose `json:"userData"`
}

type cl struct {
	CloseHintTone loose `json:"closeHintTone"`
	UserData      loose `json:"userData"`
}

// loose is a string; a number or a boolean stands for its own spelling, null
// for nothing.
type loose string

func (t *loose) UnmarshalJSON(b []byte) error {
	switch {
	case b[0] == '"':
		var s string
		err := json.Unmarshal(b, &s)
		*t = loose(s)
		return err
	case b[0] == '{' || b[0] == '[':
		return errors.New("a text is wanted")
	case string(b) == "null":
		*t = ""
	default:
		*t = loose(b)
	}
	return nil
}

func (t loose) yes() bool {
	s := strings.TrimSpace(string(t))
	return strings.EqualFold(s, "true") || s == "1"
}

func (t loose) minutes() int {
	s := strings.TrimSpace(string(t))
	if s == "" {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return -1
	}
	return n
}

// single is an object, or an array with that object alone.
type single[T any] struct {
	value T
	given bool
}

func (s *single[T]) UnmarshalJSON(b []byte) error {
	switch {
	case string(b) == "null":
		return nil
	case b[0] == '[':
		var list []T
		if err := json.Unmarshal(b, &list); err != nil {
			return err
		}
		if len(list) != 1 {
			return fmt.Errorf("%d objects in place of one", len(list))
		}
		s.value = list[0]
	default:
		if err := json.Unmarshal(b, &s.value); err != nil {
			return err
		}
	}
	s.given = true
	return nil
}
