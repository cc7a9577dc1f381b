package emulator

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/datadriven"
)

// A pipes is a listener for bubbles: what dial makes, Accept returns.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial() net.Conn {
	host, printer := net.Pipe()
	go func() {
		select {
		case p.conns <- printer:
		case <-p.done:
			printer.Close()
		}
	}()
	return host
}

// A dialogue is a printer and the host that talks to it. Time is the bubble's.
type dialogue struct {
	t       *testing.T
	printer *JetDirect
	pipes   *pipes
	host    net.Conn
	work    sync.WaitGroup

	mu    sync.Mutex
	heard strings.Builder
}

// TestTranscripts plays the conversations in testdata. In what is sent, each line goes with CR LF unless it ends in a
// backslash; what the printer sends stands as in the manual.
func TestTranscripts(t *testing.T) {
	datadriven.Walk(t, "testdata/jetdirect", func(t *testing.T, path string) {
		synctest.Test(t, func(t *testing.T) {
			d := &dialogue{t: t}
			defer func() { d.end() }()
			datadriven.RunTest(t, path, func(t *testing.T, c *datadriven.TestData) string {
				return d.step(c)
			})
		})
	})
}

func (d *dialogue) end() {
	if d.printer == nil {
		return
	}
	d.printer.Close()
	d.hangUp()
	d.work.Wait()
}

func (d *dialogue) hangUp() {
	if d.host != nil {
		d.host.Close()
	}
}

func (d *dialogue) step(c *datadriven.TestData) string {
	switch c.Cmd {
	case "printer":
		d.end()
		d.start(options(d.t, c))
	case "connect":
		d.connect()
	case "send":
		return d.send(c.Input)
	case "paper":
		return d.paper()
	case "wait":
		time.Sleep(duration(d.t, c.CmdArgs[0].Key))
	case "hook":
		var n int
		c.ScanArgs(d.t, "page", &n)
		control, hook := c.CmdArgs[0].Key, d.printer.AfterPages
		if c.HasArg("during") {
			hook = d.printer.DuringPage
		}
		hook(n, func() { d.press(control) })
	default:
		d.press(c.Cmd)
	}
	return d.said()
}

// press uses one of the printer's controls.
func (d *dialogue) press(control string) {
	switch control {
	case "paper-out":
		d.printer.PaperOut()
	case "paper-in":
		d.printer.PaperIn()
	case "open-cover":
		d.printer.OpenCover()
	case "close-cover":
		d.printer.CloseCover()
	case "offline":
		d.printer.Offline()
	case "online":
		d.printer.Online()
	case "power-off":
		d.printer.PowerOff()
	case "power-on":
		if err := d.printer.PowerOn(); err != nil {
			d.t.Error(err)
		}
	case "hang":
		d.printer.Hang(true)
	case "unhang":
		d.printer.Hang(false)
	case "reset":
		d.printer.Reset()
	case "power-off-silently":
		d.printer.PowerOffSilently()
	case "second":
		second := d.pipes.dial()
		if _, err := second.Read(make([]byte, 1)); err == nil {
			d.t.Error("a second connection was served")
		}
	case "hang-up":
		d.hangUp()
	default:
		d.t.Errorf("no control %q", control)
	}
}

func (d *dialogue) start(o Options) {
	d.printer, d.pipes, d.host = NewJetDirect(o), newPipes(), nil
	d.said()
	d.work.Go(func() {
		if err := d.printer.Serve(d.pipes); err != nil {
			d.t.Error(err)
		}
	})
	synctest.Wait()
}

func (d *dialogue) connect() {
	d.host = d.pipes.dial()
	host := d.host
	d.work.Go(func() {
		buffer := make([]byte, 512)
		for {
			n, err := host.Read(buffer)
			d.mu.Lock()
			d.heard.Write(buffer[:n])
			if err == io.EOF {
				d.heard.WriteString("<END>")
			}
			d.mu.Unlock()
			if err != nil {
				return
			}
		}
	})
}

// send sends what the printer takes at once, and says how much it did not take.
func (d *dialogue) send(input string) string {
	text := strings.NewReplacer("<ESC>", "\x1b", "<FF>", "\f", "\\\n", "", "\n", "\r\n").Replace(input + "\n")
	sent := make(chan int, 1)
	d.host.SetWriteDeadline(time.Now().Add(time.Nanosecond))
	go func() {
		n, _ := d.host.Write([]byte(text))
		sent <- n
	}()
	said := d.said()
	time.Sleep(time.Nanosecond) // virtual: the host gives up on what the printer has no room for
	n := <-sent
	if n < len(text) {
		said += fmt.Sprintf("(%d of %d bytes were taken)\n", n, len(text))
	}
	return said
}

// said is what the printer has sent since it was asked last, once nothing more comes without time or the host.
func (d *dialogue) said() string {
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	defer d.heard.Reset()
	text := strings.NewReplacer("\r\n", "<CR><LF>\n", "\f", "<FF>\n", "\t", "<HT>").Replace(d.heard.String())
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text
}

// paper is what came out.
func (d *dialogue) paper() string {
	synctest.Wait()
	var out strings.Builder
	for _, p := range d.printer.Pages() {
		fmt.Fprintf(&out, "job %d %q page %d sheet %d: %.60q", p.Job, p.Name, p.Number, p.Sheet, p.Data)
		if p.Torn {
			out.WriteString(" TORN")
		}
		out.WriteString("\n")
	}
	if out.Len() == 0 {
		return "nothing\n"
	}
	return out.String()
}

func duration(t *testing.T, text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func options(t *testing.T, c *datadriven.TestData) (o Options) {
	flags := map[string]*bool{
		"blank-rest-skipped": &o.SkipsBlankRest, "duplex": &o.Duplex, "refuses-second": &o.RefusesSecond,
		"no-page-status": &o.NoPageStatus, "no-status": &o.NoStatus, "no-start": &o.NoStart,
		"says-skipped": &o.SaysSkipped, "says-unknown": &o.SaysUnknown, "bare-count": &o.BareCount,
		"dribbles": &o.Dribbles,
	}
	for _, a := range c.CmdArgs {
		value := strings.Join(a.Vals, " ")
		switch flag := flags[a.Key]; {
		case flag != nil:
			*flag = true
		case a.Key == "page-time":
			o.PageTime = duration(t, value)
		case a.Key == "delay":
			o.Delay = duration(t, value)
		case a.Key == "idle":
			o.IdleTimeout = duration(t, value)
		case a.Key == "noise":
			o.Noise = value
		case a.Key == "buffer":
			fmt.Sscan(value, &o.Buffer)
		case a.Key == "others":
			fmt.Sscan(value, &o.OtherPages)
		case a.Key == "pjl":
			o.PJL = map[string]PJL{"mute": PJLMute, "skipped": PJLSkipped, "printed": PJLPrinted}[value]
		case a.Key == "break":
			o.OnBreak = map[string]Break{"tears": BreakTears, "drops": BreakDrops, "flushes": BreakFlushes}[value]
		default:
			t.Fatalf("no option %q", a.Key)
		}
	}
	return o
}
