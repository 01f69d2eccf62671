package events

import (
	"encoding/json"
	"fmt"
)

// message is the body of the push of an event that goes by itself.
func message(e *Event, r *Receiver) ([]byte, error) {
	if e.Kind.Target() == ToSMS {
		return smsMessage(e)
	}
	return statusMessage(e, r)
}

// statusMessage is the body of the push of a call event.
func statusMessage(e *Event, r *Receiver) ([]byte, error) {
	var info statusInfo
	if err := json.Unmarshal(e.Body, &info); err != nil {
		return nil, fmt.Errorf("the stored body: %w", err)
	}
	if !r.ReleasedBy {
		info.CallRelDirection = 0
	}
	return encode(struct {
		EventType  Kind       `json:"eventType"`
		StatusInfo statusInfo `json:"statusInfo"`
	}{e.Kind, info}), nil
}

// feeMessage is the body of the push of some fee records.
func feeMessage(records []feeInfo) []byte {
	return encode(struct {
		EventType Kind      `json:"eventType"`
		FeeLst    []feeInfo `json:"feeLst"`
	}{Fee, records})
}

// feeRecord is a fee event as a receiver gets it: without the fields that it
// did not ask for, and with where recordings are fetched.
func feeRecord(e *Event, r *Receiver, cfg *Config) (feeInfo, error) {
	var fee feeInfo
	if err := json.Unmarshal(e.Body, &fee); err != nil {
		return fee, fmt.Errorf("the stored body: %w", err)
	}
	if !r.Duration {
		fee.CallDuration = nil
	}
	if !r.ReleasedBy {
		fee.CallRelDirection = 0
	}
	if !r.AreaCode {
		fee.AreaCode = ""
	}
	if fee.RecordObjectName != "" {
		fee.RecordDomain = cfg.RecordDomain
		if r.RecordURL && cfg.RecordURL != nil {
			fee.RecordFileDownloadURL = cfg.RecordURL(e.App, fee.RecordObjectName)
		}
	}
	return fee, nil
}
