package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"axgate/archive"
	"axgate/health"
	"axgate/journal"
	"axgate/lookup"
	"axgate/media"
	"axgate/media/record"
	"axgate/provision"
	"axgate/roster"
	"axgate/sip"
)

// Parts are what is asked at each scrape.
type Parts struct {
	SIP       *sip.Server
	Media     *media.Engine
	Tapes     *record.Writer
	Uploads   *archive.Uploader // nil: there is no store of recordings
	Journal   *journal.Journal
	Router    *lookup.Router
	Provision *provision.Service
	Roster    *roster.Roster
	Health    *health.Watch
	Survey    func() Survey
}

// Ask has the parts asked at each scrape from now on. It is called once.
func (s *Set) Ask(p Parts) {
	for _, look := range []func(chan<- prometheus.Metric){p.calls, p.trunks, p.strangers, p.media, p.journal, p.cache, p.surveyed, p.nodes, p.health} {
		s.registry.MustRegister(asked{look})
	}
}

var (
	callsUp    = level("calls_up", "Calls that are not over.")
	callsBegun = sum("calls_begun_total", "Calls that were begun: INVITEs that passed the door.")
	draining   = level("draining", "1: no new calls are taken, the node is about to end.")

	trunkUp         = level("trunk_up", "1: a call can go out over the trunk, or none is meant to.", "trunk")
	trunkCalls      = level("trunk_calls", "Calls on a trunk at this moment, both ways.", "trunk")
	trunkRegistered = level("trunk_registered", "1: our registration with the trunk holds.", "trunk")

	turnedAway = sum("sip_turned_away_total", "Messages of strangers that were not read, by why: limited, banned, scanner.", "why")
	strays     = sum("sip_strays_total", "Messages that came when nobody waited for them.")
)

func (p Parts) calls(to chan<- prometheus.Metric) {
	callsUp.put(to, float64(p.SIP.Calls()))
	callsBegun.put(to, float64(p.SIP.Begun()))
	draining.flag(to, p.SIP.Draining())
	strays.put(to, float64(p.SIP.Strays()))
}

func (p Parts) trunks(to chan<- prometheus.Metric) {
	for _, t := range p.SIP.Trunks() {
		trunkUp.flag(to, t.Up, t.Name)
		trunkCalls.put(to, float64(t.Calls), t.Name)
		if t.Registration != nil {
			trunkRegistered.flag(to, time.Now().Before(t.Registration.Until), t.Name)
		}
	}
}

func (p Parts) strangers(to chan<- prometheus.Metric) {
	f := p.SIP.FloodCounts()
	turnedAway.put(to, float64(f.Limited), "limited")
	turnedAway.put(to, float64(f.Banned), "banned")
	turnedAway.put(to, float64(f.Scanners), "scanner")
}

var (
	portsAll  = level("media_ports", "Legs that could have RTP ports at once.")
	portsFree = level("media_ports_free", "Legs that could have RTP ports now; ports rest between two calls.")

	recordingsOpen = level("recordings_open", "Recordings that are being written.")
	piecesWaiting  = level("recording_pieces_waiting", "Pieces of recordings, of half a second each, that wait for the disk.")
	uploadsWaiting = level("recordings_waiting", "Recordings on this node's disk that wait for the store.")
	uploadsDone    = sum("recordings_stored_total", "Recordings that were brought to the store.")
	uploadsUnread  = level("recordings_unreadable", "Of those that wait, those that cannot be read or deleted on this node's disk.")
	uploadsFailing = level("recordings_store_failing_seconds", "For how long the store of recordings has taken none; 0: it does.")
)

func (p Parts) media(to chan<- prometheus.Metric) {
	portsAll.put(to, float64(p.Media.Ports()))
	portsFree.put(to, float64(p.Media.PortsFree()))
	recordingsOpen.put(to, float64(p.Tapes.Recordings()))
	piecesWaiting.put(to, float64(p.Tapes.Pieces()))
	if p.Uploads == nil {
		return
	}
	u := p.Uploads.Uploads()
	uploadsWaiting.put(to, float64(u.Waiting))
	uploadsUnread.put(to, float64(u.Unread))
	uploadsDone.put(to, float64(u.Brought))
	failing := 0.0
	if !u.Since.IsZero() {
		failing = time.Since(u.Since).Seconds()
	}
	uploadsFailing.put(to, failing)
}

var (
	journalQueued  = level("journal_queued", "Writes that wait for the journal's disk.")
	journalBehind  = level("journal_behind_bytes", "Bytes of the journal that the ledger does not have.")
	journalOldest  = level("journal_oldest_seconds", "How long the oldest entry waits for the ledger.")
	journalWritten = sum("journal_written_total", "Entries that were put on the journal's disk.")
	journalCarried = sum("journal_carried_total", "Entries that were carried into the ledger.")
	journalRefused = sum("journal_refused_total", "Entries that the ledger will never take.")
	journalKept    = level("journal_refused_bytes", "Bytes of the file of refused entries, which somebody has to look at.")
	journalFull    = level("journal_full", "1: the journal has no room, and new calls are refused.")
)

func (p Parts) journal(to chan<- prometheus.Metric) {
	s := p.Journal.State()
	journalQueued.put(to, float64(s.Queued))
	journalBehind.put(to, float64(s.Behind))
	journalOldest.put(to, s.Oldest.Seconds())
	journalWritten.put(to, float64(s.Written))
	journalCarried.put(to, float64(s.Carried))
	journalRefused.put(to, float64(s.Refused))
	journalKept.put(to, float64(s.Kept))
	journalFull.flag(to, s.Full != nil)
}

var (
	redisAway    = level("redis_away", "Redis servers that are not asked, because they do not answer or are slow.")
	redisOutages = sum("redis_outages_total", "Times that a Redis server was given up until it answered again.")
	believed     = level("cache_believed", "1: the cache is believed, since the ledger was heard of lately.")
	epoch        = level("cache_epoch", "Epoch of the cache; each new one makes all of it void.")
	heard        = level("ledger_heard_seconds", "How long ago the ledger answered this node last.")

	upkeepRounds   = sum("cache_upkeep_rounds_total", "Rounds through all X that load what the cache lacks.")
	upkeepLoaded   = sum("cache_upkeep_loaded_total", "X that those found missing.")
	upkeepRepaired = sum("cache_upkeep_repaired_total", "X of which those found an old version: changes that the cache missed.")
	compareRounds  = sum("cache_compare_rounds_total", "Rounds that compare each decision by cache and ledger.")
	compareLast    = level("cache_compare_seconds", "How long the last such round took: with redis.compare, the bound on what is stale and unknown.")
	compared       = sum("cache_compared_total", "Decisions that were compared.")
	differed       = sum("cache_differed_total", "Decisions that differed.")
	repaired       = sum("cache_repaired_total", "X that were read anew because of that.")
)

func (p Parts) cache(to chan<- prometheus.Metric) {
	s := p.Router.State()
	redisAway.put(to, float64(len(s.Away)))
	redisOutages.put(to, float64(s.Outages))
	believed.flag(to, s.Believed)
	epoch.put(to, float64(s.Epoch))
	heard.put(to, s.Heard.Seconds())
	u := p.Router.Upkeep()
	upkeepRounds.put(to, float64(u.Rounds))
	upkeepLoaded.put(to, float64(u.Loaded))
	upkeepRepaired.put(to, float64(u.Repaired))
	c := p.Provision.Compared()
	compareRounds.put(to, float64(c.Rounds))
	compareLast.put(to, c.Last.Seconds())
	compared.put(to, float64(c.Decisions))
	differed.put(to, float64(c.Differed))
	repaired.put(to, float64(c.Repaired))
}

var (
	surveyAge    = level("survey_age_seconds", "How old the figures are that are found out only now and then: outbox, texts, numbers, clock, disks, certificates.")
	outbox       = level("outbox_events", "Events of the whole system that are to be pushed; at most 100,000 are counted.")
	outboxFailed = level("outbox_failed_events", "Of these, those that their receiver has not taken at least once.")
	outboxOldest = level("outbox_oldest_seconds", "How long ago the oldest of these happened.")
	texts        = level("texts_waiting", "Texts of the whole system that are not done, by state: whole, parts; tried ones are among the whole.", "state")
	textsOldest  = level("texts_oldest_seconds", "How long ago the oldest of these came.")
	numbers      = level("numbers", "X numbers of the whole system.")
	bindings     = level("bindings", "Bindings of the whole system that stand.")
	unsettled    = level("cache_unsettled", "X of whose last change the cache has not confirmed for more than a minute.")
	ahead        = level("ledger_clock_ahead_seconds", "How far the ledger's clock is ahead of this machine's.")
	diskFree     = level("disk_free_bytes", "Bytes free on the disk of a directory: data, journal, recordings.", "dir")
	diskSize     = level("disk_size_bytes", "Bytes of that disk.", "dir")
	certificate  = level("certificate_until_seconds", "When a certificate that we show expires, in seconds since 1970.", "use")
)

func (p Parts) surveyed(to chan<- prometheus.Metric) {
	s := p.Survey()
	if s.At.IsZero() {
		return
	}
	surveyAge.put(to, time.Since(s.At).Seconds())
	outbox.put(to, float64(s.Owed.Events))
	outboxFailed.put(to, float64(s.Owed.Failed))
	outboxOldest.put(to, s.Owed.Oldest.Seconds())
	texts.put(to, float64(s.Texts.Whole), "whole")
	texts.put(to, float64(s.Texts.Parts), "parts")
	texts.put(to, float64(s.Texts.Retried), "tried")
	textsOldest.put(to, s.Texts.Oldest.Seconds())
	numbers.put(to, float64(s.Stock.Numbers))
	bindings.put(to, float64(s.Stock.Bindings))
	unsettled.put(to, float64(s.Stock.Unsettled))
	ahead.put(to, s.Ahead.Seconds())
	for _, d := range s.Disks {
		if d.Err == nil {
			diskFree.put(to, float64(d.Free), d.Of)
			diskSize.put(to, float64(d.Size), d.Of)
		}
	}
	for _, c := range s.Certs {
		if c.Err == nil {
			certificate.put(to, float64(c.Until.Unix()), c.Use)
		}
	}
}

var (
	holds       = level("node_holds", "1: this node is sure that nobody has declared it dead.")
	incarnation = level("node_incarnation", "Life of this node; a new one begins at each start, and when others had declared it dead.")
	nodes       = level("nodes", "Nodes of the whole system, by state: up, draining, gone, dead.", "state")
)

func (p Parts) nodes(to chan<- prometheus.Metric) {
	holds.flag(to, p.Roster.Holds())
	incarnation.put(to, float64(p.Roster.Incarnation()))
	for state, n := range p.Survey().Nodes {
		nodes.put(to, float64(n), string(state))
	}
}

var (
	wellness = level("health", "How a check of /healthz is: 0 ok, 1 degraded, 2 down, 3 stuck.", "check")
	status   = level("status", "How the node is: 0 ok, 1 degraded, 2 down, 3 stuck.")
)

func (p Parts) health(to chan<- prometheus.Metric) {
	r := p.Health.Report()
	status.put(to, float64(r.Status))
	bad := map[string]health.Level{}
	for _, reason := range r.Reasons {
		bad[reason.Check] = reason.Level
	}
	for _, name := range r.Checks {
		wellness.put(to, float64(bad[name]), name)
	}
}
