package emulator

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
)

// startJetDirect makes a printer on a real socket and connects to it.
func startJetDirect(t *testing.T, o Options) (*JetDirect, *net.TCPConn) {
	t.Helper()
	p := NewJetDirect(o)
	t.Cleanup(func() { p.Close() })
	addr, err := p.Start()
	if err != nil {
		t.Fatal(err)
	}
	return p, dial(t, addr)
}

func dial(t *testing.T, addr string) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn.(*net.TCPConn)
}

func write(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
}

func readAll(t *testing.T, conn net.Conn) string {
	t.Helper()
	said, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(said)
}

// waitPages waits for n pages, torn ones included.
func waitPages(t *testing.T, e *Engine, n int) []Page {
	t.Helper()
	paper, err := e.Wait(t.Context(), func(paper []Page) bool { return len(paper) >= n })
	if err != nil {
		t.Fatal(err)
	}
	return paper
}

const threePages = "@PJL USTATUS PAGE=ON\n@PJL JOB\n1\f2\f3\f" + uel + "@PJL EOJ\n"

func TestHalfCloseStillHears(t *testing.T) {
	p, conn := startJetDirect(t, Options{})
	write(t, conn, threePages)
	conn.CloseWrite()
	want := reply("USTATUS PAGE", "1") + reply("USTATUS PAGE", "2") + reply("USTATUS PAGE", "3")
	if said := readAll(t, conn); said != want {
		t.Errorf("the printer said %q", said)
	}
	wantPaper(t, &p.Engine, "1 2 3")
}

func TestClosesAtFIN(t *testing.T) {
	p, conn := startJetDirect(t, Options{ClosesAtFIN: true})
	p.PaperOut()
	write(t, conn, threePages)
	conn.CloseWrite()
	if said := readAll(t, conn); said != "" {
		t.Errorf("the printer said %q", said)
	}
	p.PaperIn()
	waitPages(t, &p.Engine, 3)
}

func TestHalfCloses(t *testing.T) {
	p, conn := startJetDirect(t, Options{HalfCloses: true})
	if said := readAll(t, conn); said != "" {
		t.Errorf("the printer said %q", said)
	}
	write(t, conn, threePages)
	waitPages(t, &p.Engine, 3)
}

func TestRefusesSecond(t *testing.T) {
	p, conn := startJetDirect(t, Options{RefusesSecond: true})
	write(t, conn, "1\f")
	waitPages(t, &p.Engine, 1)
	second, err := net.Dial("tcp", conn.RemoteAddr().String())
	if err == nil {
		defer second.Close()
		_, err = second.Read(make([]byte, 1))
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the second connection: %v", err)
	}
	write(t, conn, "2\f")
	waitPages(t, &p.Engine, 2)
}

func TestSecondWaits(t *testing.T) {
	p, conn := startJetDirect(t, Options{})
	write(t, conn, "1\f")
	waitPages(t, &p.Engine, 1)
	second := dial(t, conn.RemoteAddr().String())
	write(t, second, "other\f")
	write(t, conn, "2\f")
	conn.Close()
	waitPages(t, &p.Engine, 3)
	wantPaper(t, &p.Engine, "1 2 other")
}

func TestPowerOffAtExactlyThatPage(t *testing.T) {
	p, conn := startJetDirect(t, Options{})
	addr := conn.RemoteAddr().String()
	p.AfterPages(2, p.PowerOff)
	write(t, conn, threePages)
	said, err := io.ReadAll(conn)
	if want := reply("USTATUS PAGE", "1"); string(said) != want || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the printer said %q, %v", said, err)
	}
	wantPaper(t, &p.Engine, "1 2")
	if _, err := net.Dial("tcp", addr); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("without power: %v", err)
	}
	if err := p.PowerOn(); err != nil {
		t.Fatal(err)
	}
	again := dial(t, addr)
	p.DuringPage(1, p.PowerOff)
	write(t, again, "3\f")
	waitPages(t, &p.Engine, 3)
	wantPaper(t, &p.Engine, "1 2 3~")
	if got := p.PageCount(); got != 2 {
		t.Errorf("the page counter is %d", got)
	}
}

func TestRefuseAndReset(t *testing.T) {
	p, conn := startJetDirect(t, Options{OnBreak: BreakDrops})
	write(t, conn, "0\f")
	waitPages(t, &p.Engine, 1) // so it has been taken, and does not wait at the door
	if err := p.Refuse(true); err != nil {
		t.Fatal(err)
	}
	if _, err := net.Dial("tcp", conn.RemoteAddr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("refused: %v", err)
	}
	if err := p.Refuse(false); err != nil {
		t.Fatal(err)
	}
	p.AfterPages(1, p.Reset)
	write(t, conn, "1\f2")
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("reset: %v", err)
	}
	write(t, dial(t, conn.RemoteAddr().String()), "3\f")
	waitPages(t, &p.Engine, 3)
	wantPaper(t, &p.Engine, "0 1 3")
}

// TestGateOpensAtOnce: a printer that was off for an instant takes connections again.
func TestGateOpensAtOnce(t *testing.T) {
	for range 50 {
		p, conn := startJetDirect(t, Options{})
		for range 3 {
			p.PowerOff()
			if err := p.PowerOn(); err != nil {
				t.Fatal(err)
			}
		}
		write(t, dial(t, conn.RemoteAddr().String()), "1\f")
		waitPages(t, &p.Engine, 1)
	}
}

// TestCloseEndsEverything closes printers that are stuck in every way that they can be.
func TestCloseEndsEverything(t *testing.T) {
	for name, stick := range map[string]func(*JetDirect){
		"idle":     func(*JetDirect) {},
		"no paper": (*JetDirect).PaperOut,
		"hung":     func(p *JetDirect) { p.Hang(true) },
		"no power": (*JetDirect).PowerOffSilently,
	} {
		t.Run(name, func(t *testing.T) {
			p := NewJetDirect(Options{Buffer: 8})
			addr, err := p.Start()
			if err != nil {
				t.Fatal(err)
			}
			conn := dial(t, addr)
			write(t, conn, "1\f")
			waitPages(t, &p.Engine, 1)
			stick(p)
			write(t, conn, strings.Repeat("2\f", 10))
			if err := p.Close(); err != nil {
				t.Error(err)
			}
			if _, err := net.Dial("tcp", addr); err == nil {
				t.Error("a closed printer takes connections")
			}
			if _, err := p.Start(); err == nil {
				t.Error("a closed printer starts")
			}
		})
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	p := NewJetDirect(Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Wait(ctx, func([]Page) bool { return false }); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait: %v", err)
	}
}

// TestPaperIsReadWhilePrinting is for the race detector.
func TestPaperIsReadWhilePrinting(t *testing.T) {
	p, conn := startJetDirect(t, Options{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for len(p.Pages()) < 200 && t.Context().Err() == nil {
			p.Status()
			p.Buffered()
		}
	}()
	write(t, conn, strings.Repeat("page\f", 200))
	waitPages(t, &p.Engine, 200)
	<-done
}
