package pjl

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

func readAll(t testing.TB, text string) (all []Message) {
	t.Helper()
	r := NewReader(iotest.OneByteReader(strings.NewReader(text)))
	for {
		m, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
}

func TestReads(t *testing.T) {
	status := Message{"INFO STATUS", []string{"CODE=10001", `DISPLAY="00 READY"`, "ONLINE=TRUE"}}
	for text, want := range map[string][]Message{
		"@PJL ECHO a b\r\n\f":                    {{"ECHO a b", nil}},
		"@PJL ECHO a b\r\n":                      {{"ECHO a b", nil}},
		"%%[noise]%%\n\x00\xff@PJL ECHO x\r\n\f": {{"ECHO x", nil}},
		"@PJL INFO STATUS\r\nCODE=10001\r\nDISPLAY=\"00 READY\"\r\nONLINE=TRUE\r\n\f":       {status},
		"@PJL  INFO  STATUS \nCODE=10001\nDISPLAY=\"00 READY\"\nONLINE=TRUE\n@PJL ECHO y\n": {status, {"ECHO y", nil}},
		"@PJL USTATUS PAGE\r\n3\r\n\f@PJL USTATUS PAGE\r\n4\r\n\f":                          {{"USTATUS PAGE", []string{"3"}}, {"USTATUS PAGE", []string{"4"}}},
		"@PJL INFO FOO\r\n\"?\"\r\n\f":                                                      {{"INFO FOO", []string{`"?"`}}},
		"@PJL FOO\r\n?\r\n@PJL ECHO z\r\n\f":                                                {{"FOO", []string{"?"}}, {"ECHO z", nil}},
		"@PJL INFO ID\r\n\"LASER\"\r\n\f":                                                   {{"INFO ID", []string{`"LASER"`}}},
		"@PJL INFO ID\r\n\"cut off":                                                         nil,
		"@PJL USTATUS JOB\r\nEND\r\n@PJL ECHO q\r\n":                                        {{"USTATUS JOB", []string{"END"}}, {"ECHO q", nil}},
		strings.Repeat("x", 10*MaxLine) + "@PJL ECHO far\n":                                 {{"ECHO far", nil}},
		"@PJL INFO VARIABLES\n" + strings.Repeat("V=1\n", 1000) + "\f@PJL ECHO n\n": {
			{"INFO VARIABLES", strings.Split(strings.TrimSuffix(strings.Repeat("V=1 ", MaxLines), " "), " ")}, {"ECHO n", nil},
		},
	} {
		if got := readAll(t, text); !reflect.DeepEqual(got, want) {
			t.Errorf("%.60q:\n got %q\nwant %q", text, got, want)
		}
	}
}

func TestMeanings(t *testing.T) {
	one := func(text string) Message {
		t.Helper()
		all := readAll(t, text)
		if len(all) != 1 {
			t.Fatalf("%q is %d messages", text, len(all))
		}
		return all[0]
	}
	for text, want := range map[string]string{
		"@PJL INFO PAGECOUNT\r\nPAGECOUNT=12\r\n\f": "12 true",
		"@PJL INFO PAGECOUNT\r\n12\r\n\f":           "12 true",
		"@PJL INFO PAGECOUNT\r\n\"?\"\r\n\f":        "0 false",
		"@PJL INFO PAGECOUNT\r\n-1\r\n\f":           "0 false",
	} {
		n, ok := one(text).PageCount()
		if got := fmt.Sprint(n, ok); got != want {
			t.Errorf("%q: %s", text, got)
		}
	}
	for text, want := range map[string]string{
		"@PJL USTATUS JOB\r\nSTART\r\nNAME=\"a b\"\r\n\f":         "0 a b true",
		"@PJL USTATUS JOB\r\nEND\r\nNAME=\"a\"\r\nPAGES=3\r\n\f":  "1 a true",
		"@PJL USTATUS JOB\r\nCANCELED\r\nID=3\r\nNAME=\"\"\r\n\f": "2  true",
		"@PJL USTATUS JOB\r\nWHAT\r\n\f":                          "0  false",
	} {
		event, name, ok := one(text).Job()
		if got := fmt.Sprint(int(event), " ", name, " ", ok); got != want {
			t.Errorf("%q: %s", text, got)
		}
	}
	if s, ok := one("@PJL USTATUS DEVICE\r\nCODE=41002\r\nDISPLAY='11 PAPER OUT'\r\nONLINE=FALSE\r\n\f").Status(); !ok ||
		s != (Status{41002, "11 PAPER OUT", true}) || s.Reason() != "media-empty" || !s.Stopped() || s.Idle() {
		t.Errorf("%+v %v", s, ok)
	}
	if _, ok := one("@PJL INFO STATUS\r\n\"?\"\r\n\f").Status(); ok {
		t.Error("no status is one")
	}
}

func TestStatus(t *testing.T) {
	for code, want := range map[int]string{
		10001: "idle ", 10023: "busy ", 10006: " toner-low-warning", 40021: "stopped cover-open", 42001: "stopped media-jam", 10002: "stopped paused",
		41102: "stopped media-empty", 50000: "stopped other", 35078: "idle ", 40000: "idle ", 10017: "busy ", 10026: " ", 10036: "busy ", 10037: " ",
		10201: " marker-supply-low-warning", 10317: " marker-supply-empty-warning", 11304: " media-empty-warning", 12302: " ",
		15031: " output-area-full-warning", 20002: " ", 30119: "stopped media-jam", 30016: "stopped other", 32000: " ", 35075: " ",
		40038: " toner-low-warning", 40119: "stopped media-jam", 40600: "stopped toner-empty", 44012: "stopped media-jam", 55000: "stopped other",
		-15031: "stopped output-area-full", -40038: "stopped toner-low", -10001: "stopped paused", -40000: "stopped paused", -10006: "stopped toner-low",
	} {
		s := Status{Code: max(code, -code), Offline: code < 0}
		got := ""
		for word, is := range map[string]bool{"idle": s.Idle(), "busy": s.Busy(), "stopped": s.Stopped()} {
			if is {
				got += word
			}
		}
		if got += " " + s.Reason(); got != want {
			t.Errorf("%d: %q, not %q", code, got, want)
		}
	}
}

func TestWrites(t *testing.T) {
	got := string(Begin().Echo("x").Job("a\"\r\n@PJL EVIL\x1bé", 26).Set("DUPLEX", "ON").Set("PAPER", "A4\r\n@PJL X").Enter("PCL").Enter(""))
	want := UEL + "@PJL\r\n@PJL ECHO x\r\n@PJL JOB NAME=\"a'..@PJL EVIL..\" START=26\r\n@PJL SET DUPLEX = ON\r\n@PJL ENTER LANGUAGE = PCL\r\n"
	if got != want {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
	if name := clean(strings.Repeat("n", 1000)); len(name) != MaxName {
		t.Errorf("a name of %d bytes", len(name))
	}
}

// An endless line costs nothing.
func TestFlatMemory(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := NewReader(io.LimitReader(endless{}, 16<<20))
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
		t.Errorf("%d bytes were allocated", grown)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '@'
	}
	return len(p), nil
}

func FuzzReader(f *testing.F) {
	for _, seed := range []string{
		"@PJL ECHO a\r\n\f", "@PJL INFO STATUS\r\nCODE=1\r\n\f", "@PJL USTATUS PAGE\r\n9\r\n\f", "@PJL X\n?\n@PJL INFO ID\n\"A\"\n\f", "\f\f\n@PJL \n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, m := range readAll(t, text) {
			if m.Head == "" || len(m.Head) > 2*MaxLine || len(m.Lines) > MaxLines {
				t.Fatalf("%q", m)
			}
			m.Echo()
			m.ID()
			m.Page()
			m.PageCount()
			m.Job()
			if s, ok := m.Status(); ok {
				_ = s.Reason()
			}
		}
		if again := readAll(t, text+"\n\f@PJL ECHO still here\r\n"); again[len(again)-1].Head != "ECHO still here" {
			t.Fatal("what came before swallowed an answer")
		}
	})
}
