package manage

import (
	"context"
	"encoding/csv"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

const (
	csvKind     = "text/csv; charset=utf-8"
	mostRows    = 1_000_000
	rowsAtOnce  = 500
	exportPause = 30 * time.Second // how long a client may take for so many rows
)

// rows reads the next page of what is exported; next is empty at the end.
type rows func(ctx context.Context, after string, limit int) (page [][]string, next string, err error)

// export answers with a table, page by page as it is read. The first page is
// read before the answer begins, so that what is wrong with the request is told.
func (s *service) export(ctx context.Context, name string, head []string, read rows) (*stream, error) {
	page, next, err := read(ctx, "", rowsAtOnce)
	if err != nil {
		return nil, err
	}
	return &stream{func(to huma.Context) {
		_, w := humago.Unwrap(to)
		to.SetHeader("Content-Type", csvKind)
		to.SetHeader("Content-Disposition", `attachment; filename="`+name+`"`)
		to.SetStatus(http.StatusOK)
		c := http.NewResponseController(w)
		out := csv.NewWriter(io.Writer(w))
		err := out.Write(head)
		for n := 0; err == nil; {
			if err = out.WriteAll(page); err != nil {
				break
			}
			n += len(page)
			if next == "" || n >= mostRows {
				return
			}
			// A test's recorder knows no deadlines; nothing is lost by that.
			_ = c.SetWriteDeadline(time.Now().Add(exportPause))
			page, next, err = read(to.Context(), next, min(rowsAtOnce, mostRows-n))
		}
		s.Log.Warn().Err(err).Str("file", name).Msg("an export was cut")
		panic(http.ErrAbortHandler) // the client must not take a part for the whole
	}}, nil
}

var callHead = []string{"sessionId", "appKey", "spId", "mode", "x", "caller", "callee", "subscriptionId", "extension", "userData", "areaCode", "direction",
	"callInTime", "fwdStartTime", "fwdAlertingTime", "fwdAnswerTime", "callEndTime", "talkSeconds",
	"end", "stateCode", "ulFailReason", "fwdUnaswRsn", "sipStatusCode", "callRelDirection", "recordObjectName", "node", "icid", "releaseCause", "releaseStatus", "chargingId", "callerTrunk", "calleeTrunk"}

func (c *Call) row() []string {
	return []string{c.SessionID, c.AppKey, c.SPID, c.Mode, c.X, c.Caller, c.Callee, c.SubscriptionID, c.Extension, cell(c.UserData), c.AreaCode, strconv.Itoa(c.Direction),
		stamp(c.In), stamp(c.Out), stamp(c.Alerting), stamp(c.Answered), stamp(c.Ended), strconv.FormatFloat(c.Talk, 'f', -1, 64),
		c.End, strconv.Itoa(c.StateCode), strconv.Itoa(c.ULFailReason), strconv.Itoa(c.FwdUnaswRsn), strconv.Itoa(c.SIPStatus), strconv.Itoa(c.ReleasedBy), c.RecordFile, c.Node, c.ICID,
		strconv.Itoa(c.ReleaseCause), strconv.Itoa(c.ReleaseStatus), cell(c.ChargingID), cell(c.CallerTrunk), cell(c.CalleeTrunk)}
}

func (s *service) exportCalls(ctx context.Context, in *CallSelection) (*stream, error) {
	f, none, err := s.filter(ctx, in)
	if err != nil {
		return nil, err
	}
	v := viewerOf(ctx)
	return s.export(ctx, "calls.csv", callHead, func(ctx context.Context, after string, limit int) (list [][]string, next string, err error) {
		if none {
			return nil, "", nil
		}
		f.After, f.Limit = after, limit
		page, err := s.Records.Calls(ctx, f)
		for i := range page.Calls {
			c := v.call(&page.Calls[i])
			list = append(list, c.row())
		}
		return list, page.Next, err
	})
}

var eventHead = []string{"sessionId", "seq", "appKey", "eventType", "at", "push", "tries", "next", "taken", "failure", "body"}

func (e *Event) row() []string {
	return []string{e.SessionID, strconv.Itoa(e.Seq), e.AppKey, e.EventType, stamp(e.At), e.Push.State, strconv.Itoa(e.Push.Tries), stamp(e.Push.Next), stamp(e.Push.Taken), cell(e.Push.Failure), string(e.Body)}
}

func (s *service) exportEvents(ctx context.Context, in *EventSelection) (*stream, error) {
	f, none, err := s.eventFilter(ctx, in)
	if err != nil {
		return nil, err
	}
	v := viewerOf(ctx)
	return s.export(ctx, "events.csv", eventHead, func(ctx context.Context, after string, limit int) (list [][]string, next string, err error) {
		if none {
			return nil, "", nil
		}
		f.After, f.Limit = after, limit
		page, err := s.Records.Events(ctx, f)
		for i := range page.Events {
			e := v.event(&page.Events[i])
			list = append(list, e.row())
		}
		return list, page.Next, err
	})
}

// stamp is an instant in a table; nothing for none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// cell is a text of somebody else's, which spreadsheets must not compute.
func cell(text string) string {
	if strings.IndexAny(text, "=+-@\t\r") == 0 {
		return "'" + text
	}
	return text
}
