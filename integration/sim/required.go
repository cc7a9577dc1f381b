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
	for k := SetPrinter + 1; k < lastKind; k++ {
		all = append(all, "fault: "+k.String())
	}
	for m := Head; m < makes; m++ {
		for x := strikeKill; x < strikes; x++ {
			all = append(all, "accident: "+x.String()+", "+m.String()+" at work")
		}
		if m == Head {
			continue
		}
		for _, what := range []string{"job in doubt, ", "torn page, ", "unit on paper, ", "unit doubled that was in doubt, "} {
			all = append(all, what+m.class().String())
		}
		for f := lost; f <= torn; f++ {
			all = append(all, "accident: "+fateNames[f]+", "+m.class().String())
		}
	}
	return append(all,
		"accident: head died with a unit under way", "accident: power lost with units in the buffer, blind",
		"accident: power lost with units in the buffer, counted", "accident: member ended with a connection, blind",
		"accident: member ended with a connection, counted", "race: new leader's connection waits for the old one's",
		"printer ends a silent connection", "printer in use", "window waits for paper", "counter went back", "spooler forgot its jobs",
		"job found at a spooler by its name", "in doubt, and somebody looked at the paper",
		"history checked",
		"acknowledged twice under one key", "read answered", "line tailed", "job in doubt", "job aborted when its time was over",
		"frame lost", "frame doubled", "frame delayed", "frame cut off", "frame lost with its connection",
		"request to a device doubled", "request to a device delayed", "device's reply lost", "page repeated and not printed again",
		"device died between printing and replying", "device died before it printed",
		"power loss that took something with it", "power loss: the end of a file is gone", "power loss: a write is torn",
		"power off while saving", "power off while saving a hard state alone", "power off while installing a snapshot",
		"process ends with a batch for state.db on its way", "frame overtaken by a later one", "snapshot under a partition",
		"sync on a stalled disk", "paused for longer than an election",
		"member ends: power", "member ends: sync", "member ends: full",
		"device of another cluster", "device of another identity", "device adopted",
		"wiped member refused",
		"snapshot begun", "snapshot installed", "snapshot broken off", "document taken from another member",
	)
}
