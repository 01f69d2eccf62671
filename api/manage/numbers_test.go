package manage_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/provision"
)

func TestNumbers(t *testing.T) {
	w := newWorld(t)
	require.Equal(t, []string{xa, xb, xe, xo}, w.get(theReader, "/numbers").column("number"))
	require.Equal(t, []string{xa, xb, xe}, w.get(theTenant, "/numbers").column("number"))
	require.Empty(t, w.get(theTenant, "/numbers?spId=rival").column("number"))
	require.Empty(t, w.get(theTenant, "/numbers?appKey=other").column("number"))
	page := w.get(theReader, "/numbers?limit=3")
	require.Equal(t, []string{xo}, w.get(theReader, "/numbers?limit=3&after="+strings.Replace(page.is(http.StatusOK)["next"].(string), "+", "%2B", 1)).column("number"))
	w.get(theReader, "/numbers?digits=1x").wrong("digits")
	w.get(theReader, "/numbers?status=asleep").wrong("status")

	made := w.post(theOperator, "/apps/axb/numbers", map[string]any{"number": "17010000101", "areaCode": "0755"}).is(http.StatusCreated)
	require.Equal(t, []any{"+8617010000101", "Shenzhen", "Guangdong", 5000.0, true}, []any{made["number"], made["city"], made["province"], made["roomLeft"], made["voice"]})
	w.post(theTenant, "/apps/axb/numbers", map[string]any{"number": "17010000102"}).is(http.StatusForbidden)
	w.post(theOperator, "/apps/none/numbers", map[string]any{"number": "17010000102"}).is(http.StatusNotFound)
	w.post(theOperator, "/apps/axb/numbers", map[string]any{"number": "1"}).wrong("number")
	w.post(theOperator, "/apps/axb/numbers", map[string]any{"number": "17010000102", "areaCode": "0755", "city": "Beijing"}).wrong("city")
	w.post(theOperator, "/apps/axb/numbers", map[string]any{"number": xo}).is(http.StatusNotFound)

	shown := w.get(theTenant, "/numbers/17010000101").is(http.StatusOK)
	require.Equal(t, made, shown)
	require.Equal(t, w.get(theTenant, "/numbers/17010000199").body, w.get(theTenant, "/numbers/17010000009").body, "nobody learns which numbers others have")
	counts := w.get(theTenant, "/numbers/counts?areaCode=0755")
	require.Equal(t, []string{"0755"}, counts.column("areaCode"))
	file := string(w.get(theTenant, "/numbers.csv?areaCode=0755").body)
	require.True(t, strings.HasPrefix(file, "number,app,mode,status"), file)
	require.Contains(t, file, "+8617010000101,axb,AXB,normal,,0755,Shenzhen,Guangdong,,true,false,0,5000,5000,")
	lines, err := provision.ReadNumbers(strings.NewReader(file))
	require.NoError(t, err, "an export can be imported")
	require.Empty(t, lines[len(lines)-1].Wrong)
}

// results are the reasons by line.
func results(a map[string]any) map[float64]string {
	why := map[float64]string{}
	for _, f := range a["failures"].([]any) {
		r := f.(map[string]any)
		why[r["line"].(float64)] = r["code"].(string)
	}
	return why
}

func TestImportedNumbers(t *testing.T) {
	w := newWorld(t)
	csv := "number,areaCode,city\n17010000201,0755,\n17010000202,0755,Beijing\nnobody,,\n" + xo + ",,\n"
	task := w.ask(theOperator, http.MethodPost, "/apps/axb/numbers/import", csv).is(http.StatusAccepted)
	require.Equal(t, []any{"import", "axb", "ended", 4.0, 1.0, 3.0}, []any{task["kind"], task["appKey"], task["state"], task["total"], task["done"], task["failed"]}, "%v", task)
	require.Equal(t, map[float64]string{3: "1010002", 4: "1010002", 5: "1012001"}, results(task))
	require.Contains(t, w.get(theTenant, "/numbers").column("number"), "+8617010000201")
	list := w.get(theTenant, "/tasks/"+task["taskId"].(string)+"/numbers?limit=2")
	require.Equal(t, []string{"+8617010000201", "+8617010000202"}, list.column("number"))
	require.Equal(t, []string{"done", "failed"}, list.column("state"))
	require.Len(t, w.get(theTenant, "/tasks/"+task["taskId"].(string)+"/numbers?after="+list.is(http.StatusOK)["next"].(string)).column("number"), 2)

	w.ask(theTenant, http.MethodPost, "/apps/axb/numbers/import", csv).is(http.StatusForbidden)
	w.ask(theOperator, http.MethodPost, "/apps/axb/numbers/import", "").is(http.StatusBadRequest)
	w.ask(theOperator, http.MethodPost, "/apps/axb/numbers/import", "number,colour\n1,red\n").wrong("numbers")
	w.ask(theOperator, http.MethodPost, "/apps/axb/numbers/import", strings.Repeat("x", provision.MostNumberFile+1)).is(http.StatusRequestEntityTooLarge)
	task = w.post(theOperator, "/apps/ax/numbers/list", map[string]any{"numbers": []any{map[string]any{"number": "17010000301"}, map[string]any{"number": "17010000301"}}}).is(http.StatusAccepted)
	require.Equal(t, map[float64]string{2: "1010002"}, results(task))
	w.post(theOperator, "/apps/ax/numbers/list", map[string]any{"numbers": []any{}}).wrong("numbers")
}

func TestMovedNumbers(t *testing.T) {
	w := newWorld(t)
	move := func(who string, body map[string]any) *answer { return w.post(who, "/numbers/move", body) }
	task := move(theTenant, map[string]any{"from": "ax", "to": "axb", "numbers": []string{xa, xe, xo}}).is(http.StatusAccepted)
	require.Equal(t, map[float64]string{2: "1012001", 3: "1012001"}, results(task))
	require.Equal(t, "axb", w.get(theTenant, "/numbers/17010000001").is(http.StatusOK)["appKey"])
	move(theTenant, map[string]any{"to": "axb", "numbers": []string{xa}}).wrong("from")
	move(theTenant, map[string]any{"from": "ax", "to": "other", "numbers": []string{xa}}).is(http.StatusNotFound)
	move(theReader, map[string]any{"from": "ax", "to": "axb", "numbers": []string{xa}}).is(http.StatusForbidden)
	move(theOperator, map[string]any{"to": "axb", "numbers": make([]string, 10_001)}).wrong("numbers")

	path := "/tasks/" + task["taskId"].(string)
	require.EqualValues(t, 2, w.get(theReader, path).is(http.StatusOK)["failed"])
	w.get(theRival, path).is(http.StatusNotFound)
	w.get(theRival, path+"/numbers").is(http.StatusNotFound)
	w.post(theRival, path+"/resubmit", nil).is(http.StatusNotFound)
	w.get(theOperator, "/tasks/none").is(http.StatusNotFound)
	require.Len(t, w.get(theTenant, "/tasks?kind=move").column("taskId"), 1)
	require.Empty(t, w.get(theRival, "/tasks").column("taskId"))
	w.post(theOperator, "/numbers/move", map[string]any{"from": "axe", "to": "ax", "numbers": []string{xe}}).is(http.StatusAccepted)
	again := w.post(theTenant, path+"/resubmit", nil).is(http.StatusAccepted)
	require.Equal(t, []any{2.0, 2.0, 1.0}, []any{again["runs"], again["done"], again["failed"]}, "%v", again)
}

func TestChangedNumbers(t *testing.T) {
	w := newWorld(t)
	change := func(who string, status string, app string, numbers ...string) *answer {
		return w.post(who, "/numbers/status", map[string]any{"appKey": app, "status": status, "numbers": numbers})
	}
	task := change(theOperator, "paused", "", xa, xo, "17010000199").is(http.StatusAccepted)
	require.Equal(t, map[float64]string{3: "1012001"}, results(task))
	require.Equal(t, "paused", w.get(theTenant, "/numbers/17010000001").is(http.StatusOK)["status"])
	w.get(theTenant, fmt.Sprintf("/tasks/%s", task["taskId"])).is(http.StatusNotFound)
	change(theTenant, "normal", "ax", xa).is(http.StatusForbidden)
	change(theTenant, "returned", "", xa).wrong("appKey")
	change(theTenant, "returned", "other", xo).is(http.StatusNotFound)
	change(theOperator, "asleep", "", xa).wrong("status")
	task = change(theTenant, "returned", "ax", xa, xo).is(http.StatusAccepted)
	require.Equal(t, map[float64]string{2: "1012001"}, results(task))
	require.NotContains(t, w.get(theTenant, "/numbers").column("number"), xa)
	require.Contains(t, w.get(theTenant, "/numbers?status=returned").column("number"), xa)
	audit := string(w.get(theOperator, "/audit").body)
	require.Contains(t, audit, "changeNumbers")
	require.Contains(t, audit, "2 numbers returned")
}

func TestSwitchedMessages(t *testing.T) {
	w := newWorld(t)
	flip := func(who string, on bool, app string, numbers ...string) *answer {
		return w.post(who, "/numbers/sms", map[string]any{"appKey": app, "sms": on, "numbers": numbers})
	}
	takes := func(x string) any { return w.get(theOperator, "/numbers/"+x).is(http.StatusOK)["sms"] }
	task := flip(theOperator, true, "", xa, xo, "17010000199").is(http.StatusAccepted)
	require.Equal(t, []any{"sms", true, 2.0}, []any{task["kind"], task["sms"], task["done"]})
	require.Equal(t, map[float64]string{3: "1012001"}, results(task))
	require.Equal(t, []any{true, true}, []any{takes("17010000001"), takes("17010000009")})
	task = flip(theTenant, false, "ax", xa, xo).is(http.StatusAccepted)
	require.Equal(t, map[float64]string{2: "1012001"}, results(task))
	require.Equal(t, []any{false, true}, []any{takes("17010000001"), takes("17010000009")})
	require.Len(t, w.get(theTenant, "/tasks?kind=sms").column("taskId"), 1)
	w.post(theTenant, "/tasks/"+task["taskId"].(string)+"/resubmit", nil).is(http.StatusAccepted)

	flip(theTenant, false, "", xa).wrong("appKey")
	flip(theTenant, false, "other", xo).is(http.StatusNotFound)
	flip(theReader, false, "ax", xa).is(http.StatusForbidden)
	w.post(theOperator, "/numbers/sms", map[string]any{"numbers": []string{xa}}).wrong("body")
}

// TestImportKeepsMessages: a list that does not tell whether a number takes
// messages does not switch them.
func TestImportKeepsMessages(t *testing.T) {
	w := newWorld(t)
	takes := func(csv string) any {
		w.ask(theOperator, http.MethodPost, "/apps/axb/numbers/import", csv).is(http.StatusAccepted)
		return w.get(theOperator, "/numbers/17010000201").is(http.StatusOK)["sms"]
	}
	require.Equal(t, false, takes("number\n17010000201\n"))
	require.Equal(t, true, takes("number,sms\n17010000201,true\n"))
	require.Equal(t, true, takes("number\n17010000201\n"))
	require.Equal(t, true, takes("number,sms\n17010000201,\n"))
	require.Equal(t, false, takes("number,sms\n17010000201,false\n"))
}
