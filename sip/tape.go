package sip

import (
	"fmt"
	"math/rand/v2"
	"time"

	"axgate/media/record"
)

// tape is the recording of a call.
type tape struct {
	file *record.Recording
	name string
}

// startTape begins to record both legs. A talk is not ended because its
// recording cannot be written: the log and the fee event tell.
func (c *call) startTape() {
	now := c.now()
	name := fmt.Sprintf("%s%011d.wav", now.UTC().Format("060102150405"), rand.Uint64N(1e11))
	f, err := c.srv.records.Create(record.Options{Dir: c.srv.cfg.RecordDir, Name: name, Talk: c.here(c.rec.Answered), Stereo: c.d.App.Stereo, MinTalk: c.srv.cfg.MinTalk})
	if err != nil {
		c.log.Error().Err(err).Msg("record the call")
		return
	}
	c.tape = tape{file: f, name: name}
	c.rec.RecordWanted, c.rec.Recording, c.rec.RecordFile = true, now, name
	// If this process is killed, the next one finds the file by its name. At the
	// end of the call all is written again, so that nobody waits for it now.
	_ = c.srv.journal.Write(c.rec)
	c.media.Record(f)
}

// continueTape goes on with the recording that another node began.
func (c *call) continueTape() {
	f, err := c.srv.records.Create(record.Options{Dir: c.srv.cfg.RecordDir, Name: c.rec.RecordFile, Talk: c.here(c.rec.Answered), Stereo: c.d.App.Stereo, MinTalk: c.srv.cfg.MinTalk,
		Begun: c.here(c.rec.Recording)})
	if err != nil {
		c.log.Error().Err(err).Str("recording", c.rec.RecordFile).Msg("go on with the recording")
		return
	}
	c.tape = tape{file: f, name: c.rec.RecordFile}
	c.media.Record(f)
}

// stopTape finishes the file and notes it in the call's record. The call's media is closed.
func (c *call) stopTape() {
	if c.tape.file == nil {
		return
	}
	result, err := c.tape.file.Close(c.here(c.rec.Ended))
	if err != nil {
		c.log.Error().Err(err).Str("recording", c.tape.name).Msg("finish the recording")
	}
	if result.Path == "" {
		c.rec.Recording, c.rec.RecordFile = time.Time{}, ""
		return
	}
	c.rec.RecordBytes, c.rec.RecordGap = result.Bytes, result.Gap
	if !result.Start.IsZero() {
		c.rec.Recording = c.there(result.Start)
	}
	if result.Missing > 0 {
		c.log.Error().Str("recording", c.tape.name).Dur("missing", result.Missing).Msg("the first part of the recording is not here: have all nodes use one directory (recording.dir)")
	}
	if result.Parts > 0 {
		c.log.Warn().Str("recording", c.tape.name).Int("parts", result.Parts).Dur("gap", result.Gap).Msg("the recording was joined: its node died")
	}
	if result.Lost > 0 {
		c.log.Warn().Str("recording", c.tape.name).Dur("silent", result.Lost).Msg("the disk was too slow for the recording")
	}
	c.log.Info().Str("recording", c.tape.name).Dur("length", result.Duration).Msg("recorded")
}
