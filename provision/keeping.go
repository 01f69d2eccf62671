package provision

import "axgate/ledger"

// keeping checks how long the past of an app is kept.
func (c *check) keeping(a *ledger.App) {
	const leastRecordings, leastLists, most = 1, 2, 3650 // days; a call may last a day
	if a.RecordingsDays != 0 {
		c.between("recordingsDays", a.RecordingsDays, leastRecordings, most)
	}
	if a.ListsDays != 0 {
		c.between("listsDays", a.ListsDays, leastLists, most)
	}
}
