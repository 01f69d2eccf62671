package manage

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"axgate/ledger"
	"axgate/provision"
	"axgate/routing"
)

// taskPatience is how long an answer waits for the end of a task, so that a
// short one comes with its results.
const taskPatience = 2 * time.Second

// TaskAnswer is a task with what failed of it.
type TaskAnswer struct {
	NumberTask
	Failures []TaskResult `json:"failures" nullable:"false" doc:"The first hundred numbers that failed; all are in listTaskNumbers."`
}

type taskOutput struct{ Body TaskAnswer }

// TaskPath names a task.
type TaskPath struct {
	TaskID string `path:"taskId" minLength:"1" maxLength:"64" pattern:"^[-0-9a-zA-Z]+$" doc:"The task." example:"019a5b8e-7c1d-7000-8000-5a1f0c3e9b21"`
}

const asTask = " The answer comes at once: the work goes on as a task, over restarts too, and a short one has ended by the answer. A number that cannot be changed fails with its reason, and the others are changed all the same. What failed can be resubmitted."

func (s *service) numberTasks() {
	add(s, op{id: "addNumbers", method: http.MethodPost, path: "/apps/{appKey}/numbers/list", who: operator, subject: numbersTag, status: http.StatusAccepted, maxBody: 4 << 20, refuses: []int{http.StatusNotFound},
		summary: "Give an app many X numbers",
		about:   "Like addNumber for each, but what a number's entry does not tell stays as it was." + asTask,
	}, s.addNumbers)
	add(s, op{id: "importNumbers", method: http.MethodPost, path: "/apps/{appKey}/numbers/import", who: operator, subject: numbersTag, status: http.StatusAccepted, maxBody: provision.MostNumberFile, refuses: []int{http.StatusNotFound},
		summary: "Import X numbers from a file",
		about:   "The body is CSV in UTF-8, or a number on each line, up to 100,000 numbers and 6 MiB. The columns are number, areaCode, city, province, carrier, voice and sms (true or false), in this order or as a first line names them; a file of exportNumbers is taken too. Lines that begin with # are skipped." + asTask,
	}, s.importNumbers)
	add(s, op{id: "moveNumbers", method: http.MethodPost, path: "/numbers/move", who: owner, subject: numbersTag, status: http.StatusAccepted, maxBody: 1 << 20, refuses: []int{http.StatusNotFound},
		summary: "Move X numbers to another app",
		about:   "To an app of the same account. **All bindings on the numbers end**, and their blacklists are emptied. A tenant names the app that the numbers leave." + asTask,
	}, s.moveNumbers)
	add(s, op{id: "changeNumbers", method: http.MethodPost, path: "/numbers/status", who: owner, subject: numbersTag, status: http.StatusAccepted, maxBody: 1 << 20, refuses: []int{http.StatusNotFound},
		summary: "Pause, freeze, resume or return X numbers",
		about:   "`paused` and `unavailable` numbers take neither calls nor bindings, `frozen` ones no bindings, `normal` resumes; **a `returned` number loses its bindings** and can only be given anew. A tenant can return numbers, and names their app." + asTask,
	}, s.changeNumbers)
	add(s, op{id: "switchNumberMessages", method: http.MethodPost, path: "/numbers/sms", who: owner, subject: numbersTag, status: http.StatusAccepted, maxBody: 1 << 20, refuses: []int{http.StatusNotFound},
		summary: "Switch messages of X numbers on or off",
		about:   "Whether they take messages, from the next one on. Account, app and binding have switches of their own, and all four have to be on. A tenant names the numbers' app." + asTask,
	}, s.switchMessages)
	add(s, op{id: "listTasks", method: http.MethodGet, path: "/tasks", who: anyone, subject: numbersTag,
		summary: "List tasks of numbers",
		about:   "The newest first, for 31 days after their end. A tenant's token sees those among apps of its account.",
	}, s.listTasks)
	add(s, op{id: "getTask", method: http.MethodGet, path: "/tasks/{taskId}", who: anyone, subject: numbersTag, refuses: []int{http.StatusNotFound},
		summary: "Show a task of numbers",
		about:   "How far it is, and what failed of it.",
	}, func(ctx context.Context, in *TaskPath) (*taskOutput, error) {
		t, err := s.ownTask(ctx, in.TaskID)
		if err != nil {
			return nil, err
		}
		return s.taskAnswer(ctx, t)
	})
	add(s, op{id: "listTaskNumbers", method: http.MethodGet, path: "/tasks/{taskId}/numbers", who: anyone, subject: numbersTag, refuses: []int{http.StatusNotFound},
		summary: "List what became of a task's numbers",
		about:   "In the order of the list that was submitted.",
	}, s.listTaskNumbers)
	add(s, op{id: "resubmitTask", method: http.MethodPost, path: "/tasks/{taskId}/resubmit", who: owner, subject: numbersTag, status: http.StatusAccepted, refuses: []int{http.StatusNotFound},
		summary: "Resubmit what failed of a task",
		about:   "Once it has ended. Numbers that were malformed stay failed. A tenant can resubmit moves, returns and switches of messages.",
	}, func(ctx context.Context, in *TaskPath) (*taskOutput, error) {
		t, err := s.ownTask(ctx, in.TaskID)
		if err == nil && accountOf(ctx) != "" && (t.Kind == ledger.TaskImport || t.Kind == ledger.TaskStatus && t.Status != routing.StatusReturned) {
			err = problem(http.StatusForbidden, "only operators give numbers and change their status")
		}
		if err != nil {
			return nil, err
		}
		return s.submitted(ctx)(s.Changes.ResubmitTask(ctx, in.TaskID))
	})
}

func (s *service) addNumbers(ctx context.Context, in *struct {
	AppPath
	Body struct {
		Numbers []NewNumber `json:"numbers" minItems:"1" maxItems:"10000" nullable:"false" doc:"The numbers."`
	}
}) (*taskOutput, error) {
	if _, err := s.ownApp(ctx, in.AppKey); err != nil {
		return nil, err
	}
	lines := make([]provision.ImportLine, len(in.Body.Numbers))
	for i := range in.Body.Numbers {
		lines[i] = provision.ImportLine{Line: i + 1, Number: in.Body.Numbers[i].Number, Attributes: in.Body.Numbers[i].attributes()}
	}
	note(ctx, "%d numbers", len(lines))
	return s.submitted(ctx)(s.Changes.ImportNumbers(ctx, in.AppKey, operatorOf(ctx).Name, lines))
}

func (s *service) importNumbers(ctx context.Context, in *struct {
	AppPath
	RawBody []byte `contentType:"text/csv"`
}) (*taskOutput, error) {
	if _, err := s.ownApp(ctx, in.AppKey); err != nil {
		return nil, err
	}
	lines, err := provision.ReadNumbers(bytes.NewReader(in.RawBody))
	if err != nil {
		return nil, err
	}
	note(ctx, "%d lines", len(lines))
	return s.submitted(ctx)(s.Changes.ImportNumbers(ctx, in.AppKey, operatorOf(ctx).Name, lines))
}

// NumberNames names X numbers in any spelling.
type NumberNames struct {
	Numbers []string `json:"numbers" minItems:"1" maxItems:"10000" nullable:"false" doc:"The X numbers in any spelling." example:"[\"+8617010000001\"]"`
}

func (s *service) moveNumbers(ctx context.Context, in *struct {
	Body struct {
		NumberNames
		From string `json:"from,omitempty" maxLength:"128" doc:"The app that they leave; others' numbers fail. Absent: whichever has them, for operators alone." example:"demo-ax"`
		To   string `json:"to" minLength:"1" maxLength:"128" doc:"The app that gets them." example:"demo-axb"`
	}
}) (*taskOutput, error) {
	b := &in.Body
	if err := s.ownApps(ctx, "from", b.From); err != nil {
		return nil, err
	}
	if err := s.ownApps(ctx, "to", b.To); err != nil {
		return nil, err
	}
	note(ctx, "%d numbers from %s to %s", len(b.Numbers), b.From, b.To)
	return s.submitted(ctx)(s.Changes.MoveNumbers(ctx, b.From, b.To, operatorOf(ctx).Name, b.Numbers))
}

// ownApps holds an app that a body names to what the token may see. A tenant
// has to name it.
func (s *service) ownApps(ctx context.Context, field, key string) error {
	if key == "" {
		if accountOf(ctx) == "" {
			return nil
		}
		return wrongField(field, "name the app")
	}
	_, err := s.ownApp(ctx, key)
	var p *Problem
	if errors.As(err, &p) && len(p.Errors) == 1 {
		p.Errors[0].Field = field
	}
	return err
}

func (s *service) changeNumbers(ctx context.Context, in *struct {
	Body struct {
		NumberNames
		AppKey string `json:"appKey,omitempty" maxLength:"128" doc:"The app that has them; others' numbers fail. Absent: whichever it is, for operators alone." example:"demo-ax"`
		Status string `json:"status" enum:"normal,paused,frozen,transfer,unavailable,returned" doc:"The new status." example:"paused"`
		Cause  string `json:"cause,omitempty" maxLength:"64" doc:"Why, as the push of the number's status tells it (callbacks section 5)." example:"2"`
	}
}) (*taskOutput, error) {
	b := &in.Body
	if accountOf(ctx) != "" && b.Status != string(routing.StatusReturned) {
		return nil, problem(http.StatusForbidden, "a tenant can return numbers: their status is changed by operators alone")
	}
	if err := s.ownApps(ctx, "appKey", b.AppKey); err != nil {
		return nil, err
	}
	note(ctx, "%d numbers %s", len(b.Numbers), b.Status)
	return s.submitted(ctx)(s.Changes.ChangeNumbers(ctx, b.AppKey, operatorOf(ctx).Name, b.Numbers, routing.NumberStatus(b.Status), b.Cause))
}

func (s *service) switchMessages(ctx context.Context, in *struct {
	Body struct {
		NumberNames
		AppKey string `json:"appKey,omitempty" maxLength:"128" doc:"The app that has them; others' numbers fail. Absent: whichever it is, for operators alone." example:"demo-ax"`
		SMS    bool   `json:"sms" doc:"They take messages." example:"true"`
	}
}) (*taskOutput, error) {
	b := &in.Body
	if err := s.ownApps(ctx, "appKey", b.AppKey); err != nil {
		return nil, err
	}
	note(ctx, "%d numbers sms=%v", len(b.Numbers), b.SMS)
	return s.submitted(ctx)(s.Changes.SwitchSMS(ctx, b.AppKey, operatorOf(ctx).Name, b.Numbers, b.SMS))
}

// submitted answers with a task that was submitted, with its results if they
// do not take long.
func (s *service) submitted(ctx context.Context) func(ledger.Task, error) (*taskOutput, error) {
	return func(t ledger.Task, err error) (*taskOutput, error) {
		if err != nil {
			return nil, err
		}
		noteTarget(ctx, "taskId", t.ID)
		wait, cancel := context.WithTimeout(ctx, taskPatience)
		defer cancel()
		if now, err := s.Changes.FinishTask(wait, t.ID, nil); err == nil {
			t = now
		} else { // a node goes on with it
			s.Log.Warn().Err(err).Str("task", t.ID).Msg("the work on a task of numbers was interrupted")
		}
		return s.taskAnswer(ctx, t)
	}
}

func (s *service) taskAnswer(ctx context.Context, t ledger.Task) (*taskOutput, error) {
	page, err := s.Records.TaskItems(ctx, t.ID, ledger.ItemFilter{State: ledger.ItemFailed, Limit: 100})
	if err != nil {
		return nil, err
	}
	out := &taskOutput{TaskAnswer{ShowTask(&t), []TaskResult{}}}
	for i := range page.Items {
		out.Body.Failures = append(out.Body.Failures, ShowResult(&page.Items[i]))
	}
	return out, nil
}

// ownTask is a task that the token may see.
func (s *service) ownTask(ctx context.Context, id string) (ledger.Task, error) {
	t, err := s.Records.Task(ctx, id)
	if errors.Is(err, ledger.ErrNoTask) {
		return t, missing("there is no such task")
	}
	if err != nil || accountOf(ctx) == "" {
		return t, err
	}
	for _, key := range []string{t.App, t.From} {
		if key == "" && (key == t.App || t.Kind == ledger.TaskMove) {
			return t, missing("there is no such task")
		}
		if key == "" {
			continue
		}
		if _, err := s.ownApp(ctx, key); err != nil {
			return t, missing("there is no such task")
		}
	}
	return t, nil
}

func (s *service) listTasks(ctx context.Context, in *struct {
	Page
	AppKey string `query:"appKey" maxLength:"128" doc:"Those that concern this app." example:"demo-ax"`
	Kind   string `query:"kind" enum:"import,move,status,sms" doc:"Those of this kind."`
	Open   bool   `query:"open" doc:"Only those that have not ended." example:"false"`
}) (*listed[NumberTask], error) {
	page, err := s.Records.Tasks(ctx, ledger.TaskFilter{SP: accountOf(ctx), App: in.AppKey, Kind: ledger.TaskKind(in.Kind), Open: in.Open, After: in.After, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &listed[NumberTask]{List[NumberTask]{Items: []NumberTask{}, Next: page.Next}}
	for i := range page.Tasks {
		out.Body.Items = append(out.Body.Items, ShowTask(&page.Tasks[i]))
	}
	return out, nil
}

func (s *service) listTaskNumbers(ctx context.Context, in *struct {
	TaskPath
	Page
	State string `query:"state" enum:"waiting,stored,done,failed" doc:"Those in this state."`
}) (*listed[TaskResult], error) {
	if _, err := s.ownTask(ctx, in.TaskID); err != nil {
		return nil, err
	}
	after := 0
	if in.After != "" {
		var err error
		if after, err = strconv.Atoi(in.After); err != nil {
			return nil, wrongField("after", "no page ended with it")
		}
	}
	page, err := s.Records.TaskItems(ctx, in.TaskID, ledger.ItemFilter{State: ledger.ItemState(in.State), After: after, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &listed[TaskResult]{List[TaskResult]{Items: []TaskResult{}}}
	if page.Next > 0 {
		out.Body.Next = strconv.Itoa(page.Next)
	}
	for i := range page.Items {
		out.Body.Items = append(out.Body.Items, ShowResult(&page.Items[i]))
	}
	return out, nil
}
