package queue

// A Class is what a device can say about what came out of it (§3 of the design). The values are stored.
type Class uint32

// The classes.
const (
	// Fenced devices keep a mark and compare every request with it: exact.
	Fenced Class = iota
	// Counted ones know how many pages they ever printed: exact if only printq prints there.
	Counted
	// WholeJob devices keep a list of jobs that can be asked: exact as long as they remember.
	WholeJob
	// Blind ones say nothing: the unit in flight is in doubt.
	Blind
)

var classes = [...]string{"fenced", "counted", "whole-job", "blind"}

// String is the class as the design spells it.
func (c Class) String() string {
	if int(c) < len(classes) {
		return classes[c]
	}
	return "unknown"
}

// announced reports whether units are announced by an Intent before they are sent to a device of the class.
func (c Class) announced() bool { return c == Counted || c == Blind }
