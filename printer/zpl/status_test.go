package zpl

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

const (
	well  = "\x02030,0,0,1245,000,0,0,0,000,0,0,0\x03\r\n"
	well2 = "\x02000,0,0,0,0,2,4,0,00000000,1,000\x03\r\n"
	well3 = "\x021234,0\x03\r\n"
)

func TestReads(t *testing.T) {
	for text, want := range map[string]Status{
		well + well2 + well3: {},
		"\x02030,1,1,1245,000,0,0,0,000,0,0,0\x03\r\n" + well2 + well3:                                         {NoLabels: true, Paused: true},
		"\x02030,0,0,1245,012,1,0,1,000,0,0,1\x03\r\n\x02000,0,1,1,1,2,4,1,00000007,1,000\x03\r\n" + well3:     {Formats: 12, Full: true, Partial: true, TooHot: true, HeadOpen: true, NoRibbon: true, Waiting: true, Labels: 7},
		"noise \x03" + well3 + "\x02no number\x03" + well + well2:                                              {},
		"\x02030,0,\x02030,0,0,1245,003,0,0,0,000,0,0,0\x03\r\n\x02 000, 0,0,0,0,2,4,0,00000001,1,000\x03\r\n": {Formats: 3, Labels: 1},
		strings.Repeat("\x02"+strings.Repeat("0", 10*MaxLine), 3) + well + well2:                               {},
		well + well3 + well + well2: {},
		well + well + well2:         {}, // an answer that was cut off
	} {
		r := NewReader(iotest.OneByteReader(strings.NewReader(text)))
		if got, err := r.Next(); err != nil || got != want {
			t.Errorf("%.60q: %+v, %v", text, got, err)
		}
		if got, err := r.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("%.60q: then %+v, %v", text, got, err)
		}
	}
}

func TestReasons(t *testing.T) {
	for s, want := range map[Status]string{
		{}:                             "",
		{Formats: 1}:                   "",
		{NoLabels: true, Paused: true}: "media-empty",
		{HeadOpen: true, Paused: true}: "cover-open",
		{NoRibbon: true}:               "marker-supply-empty",
		{Paused: true}:                 "paused",
		{Waiting: true}:                "output-area-full",
		{TooHot: true}:                 "other",
	} {
		if got := s.Reason(); got != want || s.Stopped() != (want != "") || s.Idle() && s != (Status{}) || s.String() == "" {
			t.Errorf("%+v: %q", s, got)
		}
	}
}

func FuzzReader(f *testing.F) {
	f.Add(well + well2 + well3)
	f.Add("\x02\x03\x02,\x03")
	f.Fuzz(func(t *testing.T, text string) {
		r := NewReader(strings.NewReader(text + well + well2))
		last := Status{Paused: true}
		for {
			s, err := r.Next()
			if err != nil {
				break
			}
			_ = s.String()
			last = s
		}
		if last != (Status{}) {
			t.Fatalf("what came before swallowed the last answer, or changed it: %+v", last)
		}
	})
}
