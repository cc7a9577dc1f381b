package lpd_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"printq/http/intake/intaketest"
	"printq/http/lpd"
	"printq/node"
	"printq/queue"
	"printq/queue/queuepb"
)

// A sent file is one in the order of a test.
type sent struct {
	code       byte
	name, text string
}

func TestJobs(t *testing.T) {
	large := strings.Repeat("a line of text\r\n", 60_000)
	type made struct {
		name, user, document string
		copies               uint32
	}
	for _, c := range []struct {
		name  string
		files []sent
		jobs  []made
	}{
		{"control first", []sent{{2, "cfA001host", labelControl(1)}, {3, "dfA001host", "x"}}, []made{{"a label", "ada", "x", 1}}},
		{"data first", []sent{{3, "dfA001host", "x"}, {2, "cfA001host", labelControl(1)}}, []made{{"a label", "ada", "x", 1}}},
		{"large", []sent{{3, "dfA001host", large}, {2, "cfA001host", labelControl(1)}}, []made{{"a label", "ada", large, 1}}},
		{
			"copies",
			[]sent{{2, "cfA123h", "Hh\r\nPp\r\nJthe job\r\nfdfA123h\r\nfdfA123h\r\nfdfA123h\r\nUdfA123h\r\n"}, {3, "dfA123h", "x"}},
			[]made{{"the job", "p", "x", 3}},
		},
		{
			"several files",
			[]sent{
				{3, "dfB1h", "two"}, {3, "dfA1h", "one"}, {2, "cfA1h", "Hh\nJj\nldfA1h\nUdfA1h\nNfirst\nldfB1h\nUdfB1h\nNsecond\n"},
			},
			[]made{{"first", "127.0.0.1", "one", 1}, {"second", "127.0.0.1", "two", 1}},
		},
		{
			"two jobs",
			[]sent{{2, "cfA001host", labelControl(1)}, {3, "dfA001host", "x"}, {3, "dfA002host", "y"}, {2, "cfA002host", labelControl(2)}},
			[]made{{"a label", "ada", "x", 1}, {"a label", "ada", "y", 1}},
		},
		{"standard input", []sent{{2, "cf", "odf\nN(stdin)\n"}, {3, "df", "x"}}, []made{{"lpd from 127.0.0.1", "127.0.0.1", "x", 1}}},
		{"a file sent again", []sent{{3, "df", "x"}, {3, "df", "y"}, {2, "cf", "odf\n"}}, []made{{"lpd from 127.0.0.1", "127.0.0.1", "y", 1}}},
		{"a file that nothing prints", []sent{{3, "dg", "x"}, {3, "df", "y"}, {2, "cf", "odf\n"}}, []made{{"lpd from 127.0.0.1", "127.0.0.1", "y", 1}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := intaketest.New("labels")
			addr, _ := serve(t, n, nil)
			l := dial(t, addr)
			l.begin("labels")
			for _, f := range c.files {
				l.wantFile(f.code, f.name, f.text)
			}
			// The last octet has come: the jobs are there.
			if n.Count() != len(c.jobs) {
				t.Fatalf("%d jobs, want %d", n.Count(), len(c.jobs))
			}
			for i, want := range c.jobs {
				j, _ := n.Job(uint64(i) + 1)
				if got := (made{j.Name, j.User, string(n.Document(j.Id)), j.Copies}); got != want {
					t.Errorf("job %d is %.100v, want %.100v", j.Id, got, want)
				}
			}
			l.end()
		})
	}
}

// TestUntilClose: a data file of 0 bytes ends with the connection.
func TestUntilClose(t *testing.T) {
	n := intaketest.New("labels")
	addr, _ := serve(t, n, nil)
	c := dial(t, addr)
	c.begin("labels")
	c.wantFile(2, "cfA001host", labelControl(1))
	c.send("\x030 dfA001host\n")
	c.wantOctet(0, "the data file")
	c.send("all there is")
	c.CloseWrite()
	c.wantOctet(0, "the end")
	if n.Count() != 1 || string(n.Document(1)) != "all there is" {
		t.Errorf("%d jobs", n.Count())
	}
}

// TestRefused: an octet that is not 0, at the place where the client waits for one, and no job.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		talk   func(*client) // up to the octet
		words  string
		err    error
		change func(*lpd.Options)
	}{
		{name: "no such printer", talk: func(c *client) { c.send("\x02lables\n") }, words: "no such printer"},
		{name: "no queue", talk: func(c *client) { c.send("\x02\n") }, words: "names no queue"},
		{name: "no command", talk: func(c *client) { c.send("GET / HTTP/1.1\n") }, words: "not a command"},
		{name: "an endless line", talk: func(c *client) { c.send("\x02%s\n", strings.Repeat("x", 2000)) }, words: "more than 1024"},
		{name: "no subcommand", talk: func(c *client) { c.begin("labels"); c.send("\x049 x\n") }, words: "in a job"},
		{name: "a size that is none", talk: func(c *client) { c.begin("labels"); c.send("\x03-9 x\n") }, words: "want its size"},
		{name: "an empty control file", talk: func(c *client) { c.begin("labels"); c.send("\x020 x\n") }, words: "may have 1 to"},
		{name: "a large control file", talk: func(c *client) { c.begin("labels"); c.send("\x02999999 x\n") }, words: "may have 1 to"},
		{
			name: "a control file that prints nothing", words: "prints no file",
			talk: func(c *client) { c.begin("labels"); c.send("\x027 x\n"); c.wantOctet(0, "x"); c.send("Hh\nPp\n\n\x00") },
		},
		{
			name: "a data file that is not whole", words: "not whole",
			talk: func(c *client) { c.begin("labels"); c.send("\x035 x\n"); c.wantOctet(0, "x"); c.send("12345\x01") },
		},
		{
			name: "too large", words: "it may have 4", change: func(o *lpd.Options) { o.MaxDocument = 4 },
			talk: func(c *client) { c.begin("labels"); c.send("\x035 x\n") },
		},
		{
			name: "too much waits", words: "wait for the rest", change: func(o *lpd.Options) { o.MaxWaiting = 4 },
			talk: func(c *client) { c.begin("labels"); c.send("\x035 x\n"); c.wantOctet(0, "x"); c.send("12345\x00") },
		},
		{name: "until the end, without a control file", talk: func(c *client) { c.begin("labels"); c.send("\x030 x\n") }, words: "control file before"},
		{
			name: "two control files", words: "before the files",
			talk: func(c *client) {
				c.begin("labels")
				c.wantFile(2, "cfA001host", labelControl(1))
				c.send("\x025 cfA002host\n")
			},
		},
		{name: "no quorum", err: node.ErrNoQuorum, words: "no quorum", talk: func(c *client) {
			c.begin("labels")
			c.wantFile(2, "cf", "odf\n")
			c.send("\x031 df\n")
			c.wantOctet(0, "df")
			c.send("x\x00")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := intaketest.New("labels")
			if c.err != nil {
				n.OnPropose = func(context.Context, *queuepb.Command, func() (node.Answer, error)) (node.Answer, error) {
					return node.Answer{}, fmt.Errorf("planted: %w", c.err)
				}
			}
			addr, _ := serve(t, n, c.change)
			l := dial(t, addr)
			c.talk(l)
			octet, err := l.octet()
			text, _ := io.ReadAll(l)
			if octet != 1 || err != nil || !strings.Contains(string(text), c.words) {
				t.Errorf("octet %d, %v, %q", octet, err, text)
			}
			if n.Count() != 0 {
				t.Errorf("%d jobs", n.Count())
			}
		})
	}
}

// TestNoOctet: a client that does not wait ends the connection behind the bytes that it announced (CUPS, mode=stream).
func TestNoOctet(t *testing.T) {
	n := intaketest.New("labels")
	addr, _ := serve(t, n, nil)
	c := dial(t, addr)
	c.begin("labels")
	c.wantFile(2, "cf", "odf\n")
	c.send("\x035 df\n")
	c.wantOctet(0, "df")
	c.send("12345")
	c.CloseWrite()
	c.wantOctet(0, "the end")
	if n.Count() != 1 || string(n.Document(1)) != "12345" {
		t.Errorf("%d jobs", n.Count())
	}
}

// TestCut: what breaks off makes no job.
func TestCut(t *testing.T) {
	for name, talk := range map[string]func(*client){
		"in the data": func(c *client) { c.send("\x0310 df\n"); c.wantOctet(0, "df"); c.send("12345") },
		"in large data": func(c *client) {
			c.send("\x03%d df\n", 3*queue.MaxInline)
			c.wantOctet(0, "df")
			c.send("%s", strings.Repeat("x", 2*queue.MaxInline))
		},
		"before the last octet": func(c *client) { c.send("\x035 df\n"); c.wantOctet(0, "df"); c.send("12345") },
		"in a line":             func(c *client) { c.send("\x0310") },
		"before the data":       func(*client) {},
	} {
		for how, cut := range map[string]func(*client){
			"reset": (*client).vanish,
			"ended": func(c *client) { c.CloseWrite(); io.ReadAll(c) },
			"idle": func(c *client) {
				if _, err := io.ReadAll(c); !errors.Is(err, syscall.ECONNRESET) {
					c.t.Errorf("the client sees %v", err)
				}
			},
		} {
			if name == "before the last octet" && how == "ended" {
				continue // TestNoOctet
			}
			t.Run(name+" "+how, func(t *testing.T) {
				t.Parallel() // those that wait, wait together
				n := intaketest.New("labels")
				addr, stop := serve(t, n, func(o *lpd.Options) {
					if how == "idle" {
						o.IdleTimeout = 2 * time.Second // more than a busy machine holds up what is not idle
					}
				})
				c := dial(t, addr)
				c.begin("labels")
				c.wantFile(2, "cf", "odf\n")
				talk(c)
				cut(c)
				stop()
				if n.Count() != 0 {
					t.Errorf("%d jobs", n.Count())
				}
			})
		}
	}
}

func TestAbort(t *testing.T) {
	n := intaketest.New("labels")
	addr, _ := serve(t, n, nil)
	c := dial(t, addr)
	c.begin("labels")
	c.wantFile(3, "df", "x")
	c.send("\x01\n")
	c.wantOctet(0, "the abort")
	c.end()
	if n.Count() != 0 {
		t.Errorf("%d jobs", n.Count())
	}
}

// TestStop: at the end, a job that has begun may come to its end, and what is idle ends.
func TestStop(t *testing.T) {
	n := intaketest.New("labels")
	addr, stop := serve(t, n, func(o *lpd.Options) { o.DrainTimeout = 20 * time.Second })
	idle, done, begun := dial(t, addr), dial(t, addr), dial(t, addr)
	if octet := done.label(1, "x"); octet != 0 {
		t.Fatalf("octet %d", octet)
	}
	begun.begin("labels")
	begun.wantFile(2, "cfA002host", labelControl(2))
	stopped := make(chan bool)
	go func() { stop(); close(stopped) }()
	for _, c := range []*client{idle, done} {
		if rest, err := io.ReadAll(c); err != nil || len(rest) > 0 {
			t.Errorf("an idle one sees %q, %v", rest, err)
		}
	}
	begun.wantFile(3, "dfA002host", "y")
	if _, err := io.ReadAll(begun); err != nil {
		t.Error(err)
	}
	<-stopped
	if n.Count() != 2 {
		t.Errorf("%d jobs", n.Count())
	}
}

func TestLists(t *testing.T) {
	n := intaketest.New("labels", "office")
	addr, _ := serve(t, n, nil)
	if got, want := ask(t, addr, "\x03labels"), "labels is ready\nno entries"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for i := range 3 {
		c := dial(t, addr)
		if octet := c.label(i, fmt.Sprint("label ", i)); octet != 0 {
			t.Fatalf("octet %d", octet)
		}
		c.end()
	}
	for _, c := range []struct{ command, want string }{
		{"\x03labels", "labels is ready\nRank   Owner      Job     Files                                 Total Size\n" +
			"1st    ada        1       a label                               7 bytes\n2nd    ada        2       a label                               7 bytes\n" +
			"3rd    ada        3       a label                               7 bytes"},
		{"\x03office", "office is ready\nno entries"},
		{"\x03labels bob 2", "labels is ready\nRank   Owner      Job     Files                                 Total Size\n2nd    ada        2       a label                               7 bytes"},
		{"\x04labels 1", "labels is ready\n\nada: 1st                                 [job 1]\n        a label                          7 bytes, 0 of 1 out"},
		{"\x05labels bob 1", "job 1 not removed: permission denied"},
		{"\x05labels ada 1", "job 1 removed"},
		{"\x05labels root ada", "job 2 removed\njob 3 removed"},
		{"\x05labels ada", ""},
		{"\x01labels", "\x00"},
	} {
		if got := ask(t, addr, c.command); got != c.want {
			t.Errorf("%q is answered\n%s\nwant\n%s", c.command, got, c.want)
		}
	}
}

func TestInsecure(t *testing.T) {
	s, err := lpd.New(lpd.Options{Node: intaketest.New()})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(t.Context(), l); err == nil || !strings.Contains(err.Error(), "--insecure") {
		t.Errorf("%v", err)
	}
}
