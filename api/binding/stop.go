package binding

import (
	"context"
	"errors"
	"net/http"

	"axgate/api/answer"
	"axgate/provision"
)

const stopPath = "/rest/httpsessions/callStop/v2.0"

// stop hangs a call up (API 7). The answer says that it was ordered; that it has
// ended, with 8017, is what its events tell.
func (h *Handler) stop(ctx context.Context, app string, p *params) (any, error) {
	r := provision.StopCall{SessionID: p.text("sessionid"), Signal: p.text("signal")}
	if p.err != nil {
		return nil, p.err
	}
	call, err := h.cfg.Provision.CallToStop(ctx, app, r)
	if err != nil {
		return nil, err
	}
	up, err := h.cfg.Calls.Stop(ctx, call.Session)
	if err != nil {
		return nil, provision.StopFailed(err)
	}
	if !up {
		return nil, provision.CallOver()
	}
	return answer.Success, nil
}

// stopWords says what is wrong in the codes of stop call, which has its own for
// parameters (codes section 1.5).
func stopWords(err error) error {
	var e *provision.Error
	if errors.As(err, &e) && e.Code == invalidRequest {
		return &provision.Error{Code: stopParameter, HTTP: http.StatusInternalServerError, Text: "Parameter error.", Field: e.Field, Detail: e.Detail}
	}
	return err
}
