package queue

import "strings"

// maxKnown bounds the texts that are remembered to be shared.
const maxKnown = 4096

// intern gives one copy of a text that many jobs have: who submitted them, and their format.
func (s *State) intern(text string) string {
	if known, ok := s.known[text]; ok {
		return known
	}
	if len(s.known) >= maxKnown {
		clear(s.known)
	}
	text = strings.Clone(text)
	s.known[text] = text
	return text
}
