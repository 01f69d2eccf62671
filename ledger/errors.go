package ledger

import (
	"errors"
	"fmt"

	"axgate/routing"
)

// Why a change is refused. Errors of the database itself are none of these.
var (
	ErrUnknownAccount = errors.New("there is no such account")
	ErrUnknownApp     = errors.New("there is no such app")
	ErrAppExists      = errors.New("the app exists already")
	ErrTooManyApps    = errors.New("the account has as many apps as it may have")
	ErrNumbersBound   = errors.New("bindings of the app's numbers stand")
	ErrUnknownX       = errors.New("the X is not a number of ours")
	ErrNotYours       = errors.New("the X belongs to another app")
	ErrNoBinding      = errors.New("there is no such binding")
	ErrSlotTaken      = errors.New("the place on X is taken")
	ErrFull           = errors.New("the X has as many as it can have")
	ErrTooManyX       = errors.New("the A has as many X as it may have")
	ErrWrongMode      = errors.New("the app is of another mode")
	ErrUnusable       = errors.New("the X takes no bindings in its state")
	ErrUnknownPrompt  = errors.New("there is no such prompt")
	ErrNoRecording    = errors.New("there is no such recording")
	ErrNoMessage      = errors.New("there is no such text")
)

// CursorError is a page that was asked for by something that no page ended with.
type CursorError struct{ Cursor string }

func (e *CursorError) Error() string {
	return fmt.Sprintf("%.100q is not the end of a page: use the one that came with it", e.Cursor)
}

// TakenError is an ErrSlotTaken: a binding that stands on X has what another
// one would need.
type TakenError struct {
	Slot Slot
	By   routing.Binding
}

func (e *TakenError) Error() string {
	return fmt.Sprintf("%s has %s bound already", e.By.X, e.Slot)
}

// Is makes it an ErrSlotTaken.
func (e *TakenError) Is(target error) bool { return target == ErrSlotTaken }

// EndedError is an ErrNoBinding: the binding stood once, in this last state.
type EndedError struct {
	Binding routing.Binding
	Why     string
}

func (e *EndedError) Error() string {
	return fmt.Sprintf("the binding has ended: %s", e.Why)
}

// Is makes it an ErrNoBinding.
func (e *EndedError) Is(target error) bool { return target == ErrNoBinding }

// UnusableError is an ErrUnusable with the state that X is in.
type UnusableError struct {
	Status routing.NumberStatus
}

func (e *UnusableError) Error() string {
	return fmt.Sprintf("X takes no bindings: its status is %q", e.Status)
}

// Is makes it an ErrUnusable.
func (e *UnusableError) Is(target error) bool { return target == ErrUnusable }
