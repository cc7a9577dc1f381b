package sim

// Required lists what must occur in a range of seeds: every kind of fault, every race, and the ways around them.
func Required() []string {
	all := append([]string(nil), Races...)
	for k := firstFault + 1; k < lastFault; k++ {
		all = append(all, "fault: "+k.String())
	}
	for _, k := range []Kind{Cancel, Hold, Release, Move, Reprint, ForceMove, SetPrinter} {
		all = append(all, "client: "+k.String())
	}
	return append(all,
		"history checked",
		"acknowledged twice under one key", "read answered", "line tailed", "job in doubt", "job aborted when its time was over",
		"frame lost", "frame doubled", "frame delayed", "frame cut off",
		"request to a device doubled", "request to a device delayed", "device's reply lost", "page repeated and not printed again",
		"device died between printing and replying", "device died before it printed",
		"power loss that took something with it", "power loss: the end of a file is gone", "power loss: a write is torn",
		"power off while saving", "power off while saving a hard state alone", "power off while installing a snapshot",
		"process ends with a batch for state.db on its way", "frame overtaken by a later one", "snapshot under a partition",
		"sync on a stalled disk", "paused for longer than an election",
		"member ends: power", "member ends: sync", "member ends: full",
		"device of another cluster", "device of another identity", "device adopted",
		"wiped member refused", "wiped member waits",
		"snapshot begun", "snapshot installed", "snapshot broken off", "document taken from another member",
	)
}
