package pjl

import "fmt"

// A Status is the state of a printer (appendix D; the codes after 10031 and some of 40xxx are from the addendum, and from what Brother and
// Lexmark say of theirs).
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
	case 10000, 10001, 35078, sleeping: // saving power, ready, saving power
		return !s.Offline
	}
	return false
}

// sleeping is what some models say in place of 10000, among the codes of those that need somebody (40xxx). They wake up by themselves.
const sleeping = 40000

// Busy: it is at work, and will go on by itself.
func (s Status) Busy() bool {
	switch c := s.Code; c {
	case 10003, 10004, 10005, 10007, 10024: // warming up, self test, reset, canceling, data that no form feed has ended
		return true
	case 10025, 10026, 10033: // access denied, no job to cancel, service
		return false
	default:
		return c >= 10013 && c <= 10036 // tests, resets, its own pages, printing, cleaning
	}
}

// Stopped: nothing comes out before somebody does something.
func (s Status) Stopped() bool {
	switch c := s.Code; {
	case s.Offline, c == 10002:
		return true
	case c == sleeping, low(c): // as long as it is on line
		return false
	default:
		return c >= 30000 && c < 31000 || c >= 40000
	}
}

// low: a supply is, which stops some models and not others. Whether it does, they say by being on line.
func low(code int) bool {
	return code == 40038 || code == 40130 || code == 40132 // toner, drum, transfer kit
}

// Reason is the status as a printer-state-reasons keyword (RFC 8011 §5.4.12, PWG 5100.9); empty: nothing is to be said. One that stops nothing
// ends in -warning.
func (s Status) Reason() string {
	reason := s.reason()
	if reason != "" && !s.Stopped() {
		reason += "-warning"
	}
	return reason
}

func (s Status) reason() string {
	if reason := reasons[s.Code]; reason != "" {
		return reason
	}
	switch c := s.Code; {
	case c >= 10200 && c <= 10218: // order one
		return "marker-supply-low"
	case c >= 10300 && c <= 10318: // replace one
		return "marker-supply-empty"
	}
	switch s.Code / 1000 {
	case 11, 41: // a source is empty, and another has such paper; none has. The tray and the size are in the last three digits
		return "media-empty"
	case 15:
		return "output-area-full"
	case 42, 44:
		return "media-jam"
	}
	switch {
	case s.Offline:
		return "paused"
	case s.Stopped():
		return "other"
	}
	return ""
}

var reasons = map[int]string{
	10002: "paused",
	10006: "toner-low",
	30034: "media-needed",          // another size than was asked for
	30119: "media-jam",             //
	40010: "marker-supply-missing", // no cartridge, or no contact with it
	40019: "output-area-full",      // remove paper
	40020: "toner-empty",           //
	40021: "cover-open",            //
	40022: "media-jam",             //
	40026: "input-tray-missing",    //
	40038: "toner-low",             //
	40039: "marker-supply-empty",   //
	40079: "paused",                // at its panel
	40093: "media-jam",             // in the duplexer
	40096: "media-needed",          // unexpected size
	40104: "interlock-open",        // the path of a further tray
	40105: "interlock-open",        // and of a further bin
	40119: "media-jam",             // misfeed
	40128: "opc-life-over",         // drum error
	40129: "opc-life-over",         //
	40130: "opc-near-eol",          //
	40131: "marker-supply-empty",   // transfer kit
	40132: "marker-supply-low",     //
	40141: "marker-waste-full",     //
	40142: "marker-supply-missing", // no drum
	40143: "marker-supply-missing", // no transfer belt
	40146: "media-needed",          // unexpected type
	40600: "toner-empty",           //
}
