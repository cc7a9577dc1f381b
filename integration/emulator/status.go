package emulator

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// What the printer sends is lines that end in CR LF, and a form feed after the last (chapter 7, "Response Syntax").
func reply(head string, lines ...string) string {
	return "@PJL " + strings.Join(append([]string{head}, lines...), "\r\n") + "\r\n\f"
}

func unsolicited(what string, lines ...string) string { return reply("USTATUS "+what, lines...) }

// lines is a status as INFO STATUS and USTATUS DEVICE have it.
func (s Status) lines() []string {
	return []string{
		fmt.Sprintf("CODE=%d", s.Code),
		fmt.Sprintf("DISPLAY=%q", s.Display),
		"ONLINE=" + strings.ToUpper(fmt.Sprint(s.Online)),
	}
}

func (s *session) answer(head string, lines ...string) { s.say(reply(head, lines...)) }

// report sends an unsolicited status of a kind that the host asked for.
func (s *session) report(kind string, lines ...string) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	if s.pjl.status[kind] != "OFF" {
		s.sayLocked(unsolicited(kind, lines...))
	}
}

// complain tells of an error in PJL; only a host that develops asks for that (USTATUS DEVICE=VERBOSE).
func (s *session) complain(code int, display string) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	if s.pjl.status["DEVICE"] == "VERBOSE" {
		s.sayLocked(unsolicited("DEVICE", Status{code, display, true}.lines()...))
	}
}

// unknown: the manual's printers drop a command that they do not know (20002). Newer ones (LaserJet 5200, 5550) say so in two
// lines, with no form feed.
func (s *session) unknown(c command) {
	if s.p.options.SaysUnknown {
		s.say(c.line + "\r\n?\r\n")
	}
	s.complain(20002, "UNSUPPORTED COMMAND")
}

// ustatus is USTATUS variable = value. The two model faults make a variable unknown.
func (s *session) ustatus(c command) {
	o := &s.p.options
	for name, value := range c.options {
		if o.NoStatus || o.NoPageStatus && name == "PAGE" || !s.want(name, value) {
			s.unknown(c)
			return
		}
	}
}

func (s *session) want(name string, value option) bool {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	to := strings.ToUpper(value.text)
	switch {
	case name == "TIMED":
		seconds := command{options: map[string]option{name: value}}.number(name, 0)
		if seconds != 0 && (seconds < 5 || seconds > 300) {
			return true // out of range: left out of account
		}
		s.pjl.timed = time.Duration(seconds) * time.Second
		s.signal()
		return true
	case s.pjl.status[name] == "":
		return false
	case to == "ON", to == "OFF", to == "VERBOSE" && name == "DEVICE":
		s.pjl.status[name] = to
	}
	return true
}

func (s *session) statusOff() {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	for name := range s.pjl.status {
		s.pjl.status[name] = "OFF"
	}
	s.pjl.timed = 0
}

// assign is SET and DEFAULT: remembered for INQUIRE, without a consequence for the paper.
func (s *session) assign(c command) {
	for name, value := range c.options {
		s.pjl.set[name] = strings.ToUpper(value.text)
	}
}

// inquire answers "?" for a variable that the printer does not have.
func (s *session) inquire(c command) {
	for name := range c.options {
		if name == "LPARM" || name == "IPARM" {
			continue // says whose variable, and is repeated in the answer
		}
		value, ok := s.pjl.set[name]
		if !ok {
			value = `"?"`
		}
		s.answer(c.name+" "+c.words, value)
	}
}

// info is INFO category (chapter 7).
func (s *session) info(c command) {
	category := strings.ToUpper(strings.TrimSpace(c.words))
	var lines []string
	switch category {
	case "ID":
		lines = []string{fmt.Sprintf("%q", s.p.options.Model)}
	case "PAGECOUNT":
		lines = []string{fmt.Sprintf("PAGECOUNT=%d", s.p.PageCount())}
		if s.p.options.BareCount {
			lines = []string{fmt.Sprint(s.p.PageCount())}
		}
	case "STATUS":
		lines = s.p.Status().lines()
	case "VARIABLES":
		for _, name := range slices.Sorted(maps.Keys(s.pjl.set)) {
			lines = append(lines, fmt.Sprintf("%s=%s [1 ENUMERATED]", name, s.pjl.set[name]), "\t"+s.pjl.set[name])
		}
	case "USTATUS":
		lines = s.variables()
	default:
		lines = []string{`"?"`}
	}
	s.answer("INFO "+category, lines...)
}

// variables are the kinds of unsolicited status, what each is set to, and what it can be.
func (s *session) variables() []string {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	if s.p.options.NoStatus {
		return []string{`"?"`}
	}
	lines := []string{"DEVICE=" + s.pjl.status["DEVICE"] + " [3 ENUMERATED]", "\tOFF", "\tON", "\tVERBOSE"}
	lines = append(lines, "JOB="+s.pjl.status["JOB"]+" [2 ENUMERATED]", "\tOFF", "\tON")
	if !s.p.options.NoPageStatus {
		lines = append(lines, "PAGE="+s.pjl.status["PAGE"]+" [2 ENUMERATED]", "\tOFF", "\tON")
	}
	return append(lines, fmt.Sprintf("TIMED=%d [2 RANGE]", s.pjl.timed/time.Second), "\t5", "\t300")
}

// hostStatus is the answer to ~HS (ZPL II Programming Guide). It is given in its turn, so what came before the question is printed.
func (s *session) hostStatus() {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	flag := func(so bool) int {
		if so {
			return 1
		}
		return 0
	}
	p := s.p
	s.sayLocked(fmt.Sprintf("\x02030,%d,%d,1245,000,0,0,0,000,0,0,0\x03\r\n\x02000,0,%d,0,1,2,4,0,00000000,1,000\x03\r\n\x021234,0\x03\r\n",
		flag(p.noPaper), flag(p.stopped()), flag(p.coverOpen)))
}
