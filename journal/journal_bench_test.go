package journal_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/journal"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
)

// BenchmarkCalls has the journal record calls as they come, 100 a second, and
// tells what each costs: CPU time of the process with what the pace itself
// takes, writing system calls, and how long an answer and an end wait.
//
//	go test ./journal -run - -bench Calls -benchtime 1000x
func BenchmarkCalls(b *testing.B) {
	for name, cfg := range map[string]ledger.Config{"sqlite": ledgertest.SQLite(b), "postgres": ledgertest.Postgres(b)} {
		l, err := ledger.Open(b.Context(), cfg)
		require.NoError(b, err)
		b.Cleanup(func() { require.NoError(b, l.Close()) })
		j := open(b, b.TempDir(), l, func(c *journal.Config) { c.Prompt = func(events.Lane) bool { return false } })
		b.Run(name, func(b *testing.B) {
			paced := newPace()
			var calls sync.WaitGroup
			var mu sync.Mutex
			var answers, ends []time.Duration
			cpu, writes := used(b)
			b.ResetTimer()
			for i := range b.N {
				paced.wait()
				calls.Go(func() {
					answer, end, err := oneCall(j, i)
					if err != nil {
						b.Error(err)
					}
					mu.Lock()
					defer mu.Unlock()
					answers, ends = append(answers, answer), append(ends, end)
				})
			}
			calls.Wait()
			require.NoError(b, j.Flush(b.Context()))
			b.StopTimer()
			cpuAfter, writesAfter := used(b)
			b.ReportMetric((cpuAfter-cpu).Seconds()*1e6/float64(b.N), "cpu-µs/call")
			b.ReportMetric(float64(writesAfter-writes)/float64(b.N), "writes/call")
			for what, list := range map[string][]time.Duration{"answer": answers, "end": ends} {
				slices.Sort(list)
				b.ReportMetric(list[len(list)/2].Seconds()*1e3, what+"-p50-ms")
				b.ReportMetric(list[len(list)*99/100].Seconds()*1e3, what+"-p99-ms")
			}
		})
	}
}

// pace lets 100 calls a second through, at random moments.
type pace struct{ next time.Time }

func newPace() *pace { return &pace{time.Now()} }

func (p *pace) wait() {
	p.next = p.next.Add(time.Duration(rand.ExpFloat64() * float64(10*time.Millisecond)))
	time.Sleep(time.Until(p.next))
}

// oneCall is a call that is answered at once and lasts a second.
func oneCall(j *journal.Journal, i int) (answer, end time.Duration, err error) {
	now := time.Now()
	pair := rand.IntN(10_000)
	c := events.Call{
		Session: fmt.Sprintf("%d_%d_%d_%s@axgate.example.net", t0.Unix(), i+1, rand.Uint32(), now.UTC().Format("20060102150405")), ICID: uuid.NewString(),
		Node: "n1", Host: "axgate.example.net", App: "app", SP: "demo", Mode: "AXB", X: fmt.Sprintf("+8617010%06d", pair/1000), Caller: fmt.Sprintf("+86138%08d", pair), Callee: fmt.Sprintf("+86139%08d", pair),
		Binding: "0198b5a2-7d3e-7c42-9a01-3f6f2f9d8e77", AreaCode: "0755", In: now, Why: "AXB: the caller is A of the binding", CallerTrunk: "network", CalleeTrunk: "network",
	}
	seq := 0
	tell := func(kind events.Kind) <-chan error {
		seq++
		return j.Write(c, events.NewCallEvent(c, seq, kind, time.Now(), ""))
	}
	tell(events.CallIn)
	c.Out = time.Now()
	tell(events.CallOut)
	time.Sleep(3 * time.Millisecond)
	c.Alerting = time.Now()
	tell(events.Alerting)
	time.Sleep(3 * time.Millisecond)
	c.Answered = time.Now()
	told := tell(events.Answer)
	j.Hurry()
	if err := <-told; err != nil {
		return 0, 0, err
	}
	answer = time.Since(c.Answered)
	time.Sleep(time.Second)
	c.Ended, c.EndWord, c.ReleasedBy = time.Now(), "released", 1
	c.CallerLeg = events.Quality{Received: 50, JitterMS: 1.5, MOS: 4.3}
	c.CalleeLeg = c.CallerLeg
	err = <-j.Write(c, events.NewCallEvent(c, seq+1, events.Disconnect, c.Ended, ""), events.NewFee(c, seq+2))
	return answer, time.Since(c.Ended), err
}

// used is the CPU time of the process and how often it wrote to files.
func used(b *testing.B) (cpu time.Duration, writes int64) {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	io, err := os.ReadFile("/proc/self/io")
	require.NoError(b, err)
	_, after, _ := bytes.Cut(io, []byte("syscw: "))
	_, err = fmt.Sscan(string(after), &writes)
	require.NoError(b, err)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), writes
}
