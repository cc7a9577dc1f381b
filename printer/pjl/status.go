package pjl

import "fmt"

// A Status is the state of a printer (appendix D).
type Status struct {
	Code    int
	Display string // what its panel shows, in its own language
	Offline bool
}

// String is the status as people look for it.
func (s Status) String() string { return fmt.Sprintf("CODE=%d %q", s.Code, s.Display) }

// Idle: nothing is left to be printed. An off-line printer is not idle: what it has waits.
func (s Status) Idle() bool {
	switch s.Code {
	case 10000, 10001, 35078: // sleeping, ready, saving power
		return !s.Offline
	}
	return false
}

// Busy: it is at work, and will go on by itself.
func (s Status) Busy() bool {
	switch s.Code {
	case 10003, 10004, 10005, 10007, 10014, 10018, 10022, 10023, 10024, 10029: // warming up, self test, reset, canceling, starting, printing
		return true
	}
	return false
}

// Stopped: nothing comes out before somebody does something.
func (s Status) Stopped() bool {
	return s.Offline || s.Code == 10002 || s.Code >= 30000 && s.Code < 31000 || s.Code >= 40000
}

// Reason is the status as a printer-state-reasons keyword (RFC 8011 §5.4.12); empty: nothing is to be said.
func (s Status) Reason() string {
	switch s.Code {
	case 10002, 40079: // off line
		return "paused"
	case 10006, 40038:
		return "toner-low"
	case 40010:
		return "marker-supply-missing"
	case 40019, 40119:
		return "output-area-full"
	case 40020:
		return "toner-empty"
	case 40021:
		return "cover-open"
	case 40022, 40093:
		return "media-jam"
	case 40026:
		return "input-tray-missing"
	}
	switch s.Code / 1000 {
	case 41: // no source has paper of the size; the tray and the size are in the last three digits
		return "media-empty"
	case 42, 44:
		return "media-jam"
	case 30, 40, 43, 50, 55:
		return "other"
	}
	if s.Offline {
		return "paused"
	}
	return ""
}
