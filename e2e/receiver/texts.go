package receiver

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Text is one notice of a text, or one question what becomes of it: the fields
// of smsEvent, and when it came.
type Text struct {
	At   time.Time
	App  string
	Info map[string]any
}

// ID is the text's smsIdentifier.
func (t Text) ID() string {
	id, _ := t.Info["smsIdentifier"].(string)
	return id
}

// Para is an entry of extInfo, such as splitNum.
func (t Text) Para(key string) string {
	info, _ := t.Info["extInfo"].(map[string]any)
	list, _ := info["extParas"].([]any)
	for _, entry := range list {
		if pair, _ := entry.(map[string]any); pair["key"] == key {
			value, _ := pair["value"].(string)
			return value
		}
	}
	return ""
}

// SMSURL is where notices of texts go.
func (r *Receiver) SMSURL() string { return "http://" + r.listener.Addr().String() + "/sms" }

// ControlURL is where Block questions go.
func (r *Receiver) ControlURL() string { return "http://" + r.listener.Addr().String() + "/control" }

// takeText keeps a push to one of the addresses for texts.
func (r *Receiver) takeText(p Push) error {
	var m struct {
		App  string         `json:"appKey"`
		Info map[string]any `json:"smsEvent"`
	}
	if err := json.Unmarshal(p.Body, &m); err != nil {
		return fmt.Errorf("push to %s is no JSON: %w: %s", p.Path, err, p.Body)
	}
	t := Text{At: p.At, App: m.App, Info: m.Info}
	mode := map[string]string{"/sms": "Notify", "/control": "Block"}[p.Path]
	if m.App == "" || t.ID() == "" || m.Info["notificationMode"] != mode {
		return fmt.Errorf("no text at %s: %s", p.Path, p.Body)
	}
	if p.Path == "/sms" {
		r.notices = append(r.notices, t)
	} else {
		r.questions = append(r.questions, t)
	}
	return nil
}

// Notices are all notices of texts so far.
func (r *Receiver) Notices() []Text {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.notices)
}

// NoticesOf are the notices of texts to X so far, QuestionsOf the Block
// questions.
func (r *Receiver) NoticesOf(x string) []Text {
	r.mu.Lock()
	defer r.mu.Unlock()
	return about(r.notices, x)
}

// QuestionsOf are the Block questions about texts to X so far.
func (r *Receiver) QuestionsOf(x string) []Text {
	r.mu.Lock()
	defer r.mu.Unlock()
	return about(r.questions, x)
}

func about(all []Text, x string) []Text {
	var own []Text
	for _, t := range all {
		if t.Info["virtualNumber"] == x {
			own = append(own, t)
		}
	}
	return own
}

// Notice waits for the nth notice (from 1) of texts to X.
func (r *Receiver) Notice(ctx context.Context, x string, n int) (Text, error) {
	return r.nth(ctx, x, n, r.NoticesOf)
}

// Question waits for the nth Block question (from 1) about texts to X.
func (r *Receiver) Question(ctx context.Context, x string, n int) (Text, error) {
	return r.nth(ctx, x, n, r.QuestionsOf)
}

func (r *Receiver) nth(ctx context.Context, x string, n int, of func(string) []Text) (Text, error) {
	for {
		r.mu.Lock()
		changed := r.changed
		r.mu.Unlock()
		all := of(x)
		if len(all) >= n {
			return all[n-1], nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Text{}, fmt.Errorf("wait for push %d of texts to %s: %w; so far: %v", n, x, ctx.Err(), all)
		}
	}
}

// Forward is the answer to a Block question that sends the text on.
func Forward(question Push, called, userData string) []byte {
	var m struct {
		Info map[string]any `json:"smsEvent"`
	}
	if err := json.Unmarshal(question.Body, &m); err != nil {
		return nil
	}
	action := map[string]any{"operation": "vNumberRoute", "message": map[string]any{"called": called, "calling": m.Info["calling"]}}
	if userData != "" {
		action["userData"] = userData
	}
	answer, err := json.Marshal(map[string]any{"actions": []any{action}})
	if err != nil {
		panic(err) // plain values always can be written
	}
	return answer
}

// Discard is the answer to a Block question that drops the text.
func Discard() []byte { return []byte(`{"actions":[{"operation":"DiscardMessage"}]}`) }
