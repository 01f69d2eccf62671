//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// row is a line of the table of how calls end (behaviour section 9) with the
// scenarios that raise it: what each must have seen, in the numbers of the
// table. A stateCode and ulFailReason of "" means that nobody is told.
type row struct {
	situation string
	codes     string // stateCode/ulFailReason
	sip       string // SIP status or BYE / Q.850 cause; empty: the caller was gone
	fee       string // direction and whether there is a subscriptionId
	by        []string
}

// section9 has every row that the modes with bindings can raise. "Ended by stop call"
// and the session timer are of interfaces that are not there yet.
var section9 = []row{
	{"any: number is not ours", "", "404/1", "", []string{"any unknown X"}},
	{"any: X paused, unavailable, in transfer, returned", "8055/8055", "403/21", "dir 2 sub false", []string{"any X paused", "any X unavailable", "any X transfer", "any X returned"}},
	{"any: account frozen", "7108/7108", "403/21", "dir 2 sub false", []string{"any account frozen"}},
	{"any: app paused", "8018/8018", "403/21", "dir 2 sub false", []string{"any app paused"}},
	{"any: something unexpected on our side", "8020/8020", "500/41", "dir 2 sub false", []string{"any unexpected"}},
	{"AX: X has no binding at all", "8018/7104", "403/21", "dir 2 sub false", []string{"AX no binding"}},
	{"AXE: X has no binding at all", "8018/8018", "403/21", "dir 2 sub false", []string{"AXE no binding"}},
	{"AXB: X has no binding at all", "8014/8014", "403/21", "dir 2 sub false", []string{"AXB no binding at all", "AXB expired binding"}},
	{"AXB: X has pairs, none with this caller", "8014/8014", "403/21", "dir 2 sub false", []string{"AXB none with this caller"}},
	{"AXYB: the number has no binding at all", "8030/8030", "403/21", "dir 2 sub false", []string{"AXYB no binding at all"}},
	{"AXYB: the number has relations, none with this caller", "8030/8030", "403/21", "dir 2 sub false", []string{"AXYB none with this caller", "AXYB unbinding one", "AXYB unbinding all"}},
	{"AXYB: A calls its own X", "8032/8032", "403/21", "dir 1 sub true", []string{"AXYB A calls its own X"}},
	{"AXYB: direction not allowed, A calls", "8016/8016", "403/21", "dir 1 sub true", []string{"AXYB only B to A"}},
	{"AXYB: direction not allowed, B calls", "8016/8016", "403/21", "dir 0 sub true", []string{"AXYB only A to B"}},
	{"AXYB: A is a fixed line and calls", "8023/8023", "403/21", "dir 1 sub true", []string{"AXYB fixed line calls"}},
	{"AXYB: talk ended, A called", "0/0", "BYE/16", "dir 1 sub true", []string{"AXYB A calls B"}},
	{"AXYB: talk ended, B called", "0/0", "BYE/16", "dir 0 sub true", []string{"AXYB B calls A"}},
	{"X: the app's server does not say who is meant", "8014/8014", "403/21", "dir 2 sub false", []string{"X slow server", "X dead server", "X garbage answer", "X another number shown"}},
	{"X: the app's server names a prompt that is not there", "8006/8006", "403/21", "dir 0 sub false", []string{"X prompt file missing"}},
	{"X: the app's server closes the call", "8017/8017", "403/21", "dir 0 sub false", []string{"X close"}},
	{"X: callee is the caller", "7500/7500", "403/21", "dir 0 sub false", []string{"X callee is the caller"}},
	{"X: callee foreign", "8043/8043", "403/21", "dir 0 sub false", []string{"X foreign callee"}},
	{"X: callee on the blacklist", "7004/7004", "403/21", "dir 0 sub false", []string{"X callee on the blacklist"}},
	{"X: caller gives up while the app's server is asked", "7501/7501", "487", "dir 0 sub false", []string{"X caller gives up"}},
	{"AX: A calls, no temporary callee", "8013/8013", "403/21", "dir 1 sub true", []string{"AX A calls without temporary callee", "AX temporary callee runs out"}},
	{"AXB: direction not allowed, A calls", "8016/8016", "403/21", "dir 1 sub true", []string{"AXB only B to A"}},
	{"AXB: direction not allowed, B calls", "8016/8016", "403/21", "dir 0 sub true", []string{"AXB only A to B"}},
	{"AX: direction not allowed, turnFlag off, others call", "8016/8016", "403/21", "dir 0 sub true", []string{"AX switched off", "AX only A calls"}},
	{"AX: turnFlag off, A calls", "8016/8016", "403/21", "dir 1 sub true", []string{"AX switched off"}},
	{"AX: caller is a fixed line that is bound", "8023/8023", "403/21", "dir 1 sub true", []string{"AX fixed line calls"}},
	{"AXB: callerNum is a fixed line and calls", "8023/8023", "403/21", "dir 1 sub true", []string{"AXB fixed line calls"}},
	{"AXB: calleeNum is a fixed line and calls", "8023/8023", "403/21", "dir 0 sub true", []string{"AXB fixed line calls"}},
	{"AXE: caller is a fixed line that is bound", "8023/8023", "403/21", "dir 1 sub true", []string{"AXE fixed line calls back"}},
	{"any: caller on the blacklist", "7005/7005", "403/21", "dir 2 sub false", []string{"any caller on the blacklist"}},
	{"any: callee on the blacklist", "7004/7004", "403/21", "dir 1 sub true", []string{"any callee on the blacklist"}},
	{"any: callee an emergency number", "7500/7500", "403/21", "dir 1 sub true", []string{"any emergency callee"}},
	{"any: callee foreign", "8043/8043", "403/21", "dir 1 sub true", []string{"any foreign callee"}},
	{"AX: foreign caller where the app forbids it", "8042/8042", "403/21", "dir 2 sub false", []string{"AX foreign caller where the app forbids it"}},
	{"AX: X in a call", "8102/8102", "486/17", "dir 0 sub true", []string{"AX busy"}},
	{"AXE: (X, E) in a call", "8102/8102", "BYE/17", "dir 0 sub true", []string{"AXE extension busy"}},
	{"AXE: wrong extension", "8022/8022", "BYE/1", "dir 0 sub false", []string{"AXE wrong extension", "AXE wrong until used up", "AXE unbinding while typing"}},
	{"AXE: nothing entered", "8033/8033", "BYE/18", "dir 0 sub false", []string{"AXE nothing entered"}},
	{"AXE: caller hangs up before the extension is complete", "7516/7516", "", "dir 0 sub false", []string{"AXE caller leaves while collecting"}},
	{"AXE: A calls, no callback record, no number", "8019/8019", "404/1", "dir 1 sub true", []string{"AXE callback prompt", "AXE callback prompt of the binding"}},
	{"caller gives up before ringing", "7501/7501", "487", "dir 1 sub true", []string{"caller gives up before ringing"}},
	{"caller gives up while ringing", "7502/8009", "487", "dir 0 sub true", []string{"caller gives up while ringing"}},
	{"callee busy", "8102/8102", "486/17", "dir 1 sub true", []string{"callee busy", "network callee busy", "callee plays early media and is busy"}},
	{"callee rejects", "7503/7504", "603/21", "dir 1 sub true", []string{"callee rejects", "callee rejects without a cause", "network callee rejects"}},
	{"AXE: callee rejects", "7503/7504", "BYE/21", "dir 0 sub true", []string{"AXE callee rejects"}},
	{"callee does not answer: its network says so", "8101/8101", "480/19", "dir 1 sub true", []string{"network callee does not answer"}},
	{"callee does not answer: our time", "8035/8035", "480/19", "dir 1 sub true", []string{"callee does not answer"}},
	{"callee number does not exist", "8100/8100", "404/1", "dir 1 sub true", []string{"network callee does not exist"}},
	{"callee absent (cause 20)", "8103/8103", "480/20", "dir 1 sub true", []string{"network callee absent"}},
	{"callee absent (480/18)", "8103/8103", "480/18", "dir 1 sub true", []string{"network callee absent, cause 18"}},
	{"callee off (cause 27)", "8104/8104", "480/27", "dir 1 sub true", []string{"network callee off"}},
	{"callee suspended (cause 22, 410)", "8105/8105", "480/22", "dir 1 sub true", []string{"network callee suspended"}},
	{"trunk errors", "8020/7506", "503/38", "dir 1 sub true", []string{"trunk error"}},
	{"no trunk answers", "8020/7506", "503/38", "dir 1 sub true", []string{"the only trunk is silent"}},
	{"all routes failed", "8020/7508", "503/38", "dir 1 sub true", []string{"all routes fail"}},
	{"we are out of ports", "522/522", "503/34", "dir 2 sub false", []string{"out of ports"}},
	{"we are over the call limit", "522/522", "503/34", "dir 2 sub false", []string{"over the call limit"}},
	{"talk ended by either side", "0/0", "BYE/16", "dir 1 sub true", []string{"AXB A calls B"}},
	{"talk ended by either side, B called", "0/0", "BYE/16", "dir 0 sub true", []string{"AXB B calls A", "AX in"}},
	{"maxDuration reached", "8010/8010", "BYE/16", "dir 1 sub true", []string{"maxDuration and last minute"}},
	{"the caller's audio is gone", "8020/7505", "BYE/41", "dir 1 sub true", []string{"caller's audio is gone"}},
	{"the callee's audio is gone", "8020/7506", "BYE/41", "dir 1 sub true", []string{"callee's audio is gone"}},
	{"node died", "8020/8020", "", "dir 1 sub true", []string{"killed in the middle"}},
	{"node ended at its limit", "8020/8020", "BYE/41", "dir 1 sub true", []string{"ended at its limit"}},
}

// TestRows fails when a row has no scenario. That each scenario saw what its
// row says is checked after all of them ran (unseen).
func TestRows(t *testing.T) {
	var names []string
	for _, sc := range slices.Concat(scenarios(), limitScenarios(), routeScenarios(), restartScenarios(), outboxScenarios()) {
		require.NotContains(t, names, sc.name, "two scenarios of one name")
		names = append(names, sc.name)
	}
	for _, r := range section9 {
		require.NotEmpty(t, r.by, r.situation)
		for _, name := range r.by {
			require.Contains(t, names, name, r.situation)
		}
	}
}

// observed is what finished scenarios saw, by name.
var observed = struct {
	sync.Mutex
	by map[string][]string
}{by: make(map[string][]string)}

// observe notes ends of calls that a scenario has checked.
func (s *scene) observe(all ...string) {
	observed.Lock()
	defer observed.Unlock()
	observed.by[s.name] = append(observed.by[s.name], all...)
}

// unseen tells which rows were not seen in full by a scenario that ran.
func unseen() bool {
	missing := false
	for _, r := range section9 {
		for _, name := range r.by {
			saw, ran := observed.by[name]
			for _, want := range []string{r.codes, r.sip, r.fee} {
				if ran && want != "" && !slices.Contains(saw, want) {
					fmt.Fprintf(os.Stderr, "section 9, %s: scenario %q did not see %s, only %s\n", r.situation, name, want, strings.Join(saw, ", "))
					missing = true
				}
			}
		}
	}
	return missing
}
