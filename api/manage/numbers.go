package manage

import (
	"context"
	"net/http"
	"strconv"

	"axgate/ledger"
	"axgate/routing"
)

const numbersTag = "numbers"

// NumberSelection selects X numbers.
type NumberSelection struct {
	AppKey   string `query:"appKey" maxLength:"128" doc:"Of this app." example:"demo-ax"`
	SPID     string `query:"spId" maxLength:"64" doc:"Of this account." example:"demo"`
	AreaCode string `query:"areaCode" maxLength:"32" doc:"Of this area, with its leading 0." example:"0755"`
	City     string `query:"city" maxLength:"128" doc:"Of this city." example:"Shenzhen"`
	Province string `query:"province" maxLength:"128" doc:"Of this province." example:"Guangdong"`
	Carrier  string `query:"carrier" maxLength:"128" doc:"Of this carrier." example:"China Mobile"`
	Status   string `query:"status" enum:"normal,paused,frozen,transfer,unavailable,returned,any" doc:"In this status; without it all but the returned ones, any: those too." example:"normal"`
	Free     bool   `query:"free" doc:"Only normal ones on which nobody is bound." example:"false"`
	WithRoom bool   `query:"withRoom" doc:"Only normal ones on which one more binding fits." example:"false"`
	Digits   string `query:"digits" maxLength:"20" pattern:"^[0-9]*$" doc:"Which have these digits somewhere." example:"8888"`
}

// filter reads the selection for what the token may see. none: it can see
// nothing of it.
func (in *NumberSelection) filter(ctx context.Context) (f ledger.NumberFilter, none bool) {
	f = ledger.NumberFilter{SP: in.SPID, App: in.AppKey, AreaCode: in.AreaCode, City: in.City, Province: in.Province, Carrier: in.Carrier,
		Status: routing.NumberStatus(in.Status), Free: in.Free, Room: in.WithRoom, Digits: in.Digits}
	if in.Status == "any" {
		f.Status, f.Any = "", true
	}
	if sp := accountOf(ctx); sp != "" {
		none, f.SP = in.SPID != "" && in.SPID != sp, sp
	}
	return f, none
}

// NewNumber is an X that an app is given.
type NewNumber struct {
	Number   string `json:"number" minLength:"1" maxLength:"40" doc:"The X in any spelling." example:"+8617010000001"`
	AreaCode string `json:"areaCode,omitempty" maxLength:"32" doc:"With its leading 0; city and province follow from it." example:"0755"`
	City     string `json:"city,omitempty" maxLength:"128" doc:"Of the area code." example:"Shenzhen"`
	Province string `json:"province,omitempty" maxLength:"128" doc:"Of the area code." example:"Guangdong"`
	Carrier  string `json:"carrier,omitempty" maxLength:"128" doc:"Whose network it is in." example:"China Mobile"`
	Voice    *bool  `json:"voice,omitempty" doc:"It takes calls; so if absent." example:"true"`
	SMS      *bool  `json:"sms,omitempty" doc:"It takes messages. A new number takes none if it is absent." example:"false"`
}

func (n *NewNumber) attributes() ledger.Attributes {
	return ledger.Attributes{AreaCode: n.AreaCode, City: n.City, Province: n.Province, Carrier: n.Carrier, NoVoice: n.Voice != nil && !*n.Voice, SMS: n.SMS}
}

type numberOutput struct{ Body Number }

func (s *service) numbers() {
	add(s, op{id: "listNumbers", method: http.MethodGet, path: "/numbers", who: anyone, subject: numbersTag,
		summary: "List X numbers",
		about:   "The X numbers that the token may see, in their order, with how many bindings stand and still fit on each. Filters narrow each other.",
	}, s.listNumbers)
	add(s, op{id: "exportNumbers", method: http.MethodGet, path: "/numbers.csv", who: anyone, subject: numbersTag, gives: csvKind,
		summary: "Export X numbers as CSV",
		about:   "What listNumbers lists, at most 1,000,000. importNumbers takes such a file. A text that a spreadsheet would take for a formula begins with an apostrophe.",
	}, s.exportNumbers)
	add(s, op{id: "countNumbers", method: http.MethodGet, path: "/numbers/counts", who: anyone, subject: numbersTag,
		summary: "Count X numbers by area",
		about:   "How many numbers there are in each area and city, how many are free, and how many bindings still fit.",
	}, s.countNumbers)
	add(s, op{id: "getNumber", method: http.MethodGet, path: "/numbers/{x}", who: anyone, subject: numbersTag, refuses: []int{http.StatusNotFound},
		summary: "Show an X number",
		about:   "An X with its state, and with how many bindings stand and still fit on it.",
	}, func(ctx context.Context, in *NumberPath) (*numberOutput, error) {
		n, err := s.ownNumber(ctx, in.X)
		return &numberOutput{ShowNumber(&n)}, err
	})
	add(s, op{id: "addNumber", method: http.MethodPost, path: "/apps/{appKey}/numbers", who: operator, subject: numbersTag, status: http.StatusCreated, refuses: []int{http.StatusNotFound},
		summary: "Give an app an X number",
		about:   "One that the app has already gets the new attributes, and keeps status and bindings; one that was returned begins anew. One that another app has is refused.",
	}, s.addNumber)
	s.numberTasks()
}

func (s *service) listNumbers(ctx context.Context, in *struct {
	Page
	NumberSelection
}) (*listed[Number], error) {
	f, none := in.filter(ctx)
	if none {
		return paged[ledger.Number, Number](nil, in.Limit, nil, nil), nil
	}
	f.After, f.Limit = routing.X(in.After), in.Limit
	page, err := s.Records.ListNumbers(ctx, f)
	if err != nil {
		return nil, err
	}
	out := &listed[Number]{List[Number]{Items: []Number{}, Next: string(page.Next)}}
	for i := range page.Numbers {
		out.Body.Items = append(out.Body.Items, ShowNumber(&page.Numbers[i]))
	}
	return out, nil
}

// NumberHead are the columns of an export of numbers.
var NumberHead = []string{"number", "app", "mode", "status", "cause", "areaCode", "city", "province", "carrier", "voice", "sms", "bindings", "room", "roomLeft", "granted", "released"}

// Row are the values of NumberHead.
func (n *Number) Row() []string {
	return []string{n.Number, n.AppKey, n.Mode, n.Status, cell(n.Cause), n.AreaCode, cell(n.City), cell(n.Province), cell(n.Carrier), strconv.FormatBool(n.Voice), strconv.FormatBool(n.SMS),
		strconv.Itoa(n.Bindings), strconv.Itoa(n.Room), strconv.Itoa(n.RoomLeft), stamp(n.Granted), stamp(n.Released)}
}

func (s *service) exportNumbers(ctx context.Context, in *NumberSelection) (*stream, error) {
	f, none := in.filter(ctx)
	return s.export(ctx, "numbers.csv", NumberHead, func(ctx context.Context, after string, limit int) (list [][]string, next string, err error) {
		if none {
			return nil, "", nil
		}
		f.After, f.Limit = routing.X(after), limit
		page, err := s.Records.ListNumbers(ctx, f)
		for i := range page.Numbers {
			n := ShowNumber(&page.Numbers[i])
			list = append(list, n.Row())
		}
		return list, string(page.Next), err
	})
}

func (s *service) countNumbers(ctx context.Context, in *NumberSelection) (*listed[NumberCount], error) {
	out := &listed[NumberCount]{List[NumberCount]{Items: []NumberCount{}}}
	f, none := in.filter(ctx)
	if none {
		return out, nil
	}
	counts, err := s.Records.CountNumbers(ctx, f)
	if err != nil {
		return nil, err
	}
	for i := range counts {
		out.Body.Items = append(out.Body.Items, ShowCount(&counts[i]))
	}
	return out, nil
}

func (s *service) addNumber(ctx context.Context, in *struct {
	AppPath
	Body NewNumber
}) (*numberOutput, error) {
	if _, err := s.ownApp(ctx, in.AppKey); err != nil {
		return nil, err
	}
	x, err := s.x("number", in.Body.Number)
	if err != nil {
		return nil, err
	}
	noteTarget(ctx, "number", string(x))
	a := in.Body.attributes()
	n, err := s.Changes.AddNumber(ctx, ledger.Number{XNumber: routing.XNumber{X: x, App: in.AppKey, AreaCode: a.AreaCode, City: a.City, Province: a.Province, SMS: a.SMS != nil && *a.SMS},
		Carrier: a.Carrier, Voice: !a.NoVoice})
	return &numberOutput{ShowNumber(&n)}, err
}
