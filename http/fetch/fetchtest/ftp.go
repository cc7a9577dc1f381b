// Package fetchtest is a server of documents for tests, one that speaks FTP.
package fetchtest

import (
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
)

// An FTP is a server that gives its files to anonymous.
type FTP struct {
	// HOST:PORT.
	Addr  string
	files map[string]string

	mu sync.Mutex // guards what is below
	// The commands that came.
	said []string
}

// Serve starts one, until the test ends. A file whose text ends in CutShort is sent without it, and not said to be whole.
func Serve(t testing.TB, files map[string]string) *FTP {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &FTP{Addr: l.Addr().String(), files: files}
	var served sync.WaitGroup
	served.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			served.Go(func() { s.serve(textproto.NewConn(c)) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		served.Wait()
	})
	return s
}

// CutShort marks the end of a file that breaks off.
const CutShort = "\x00"

// Said is the commands that came so far.
func (s *FTP) Said() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said
}

func (s *FTP) serve(c *textproto.Conn) {
	defer c.Close()
	var data net.Listener
	defer func() {
		if data != nil {
			data.Close()
		}
	}()
	answer := func(line string) bool { return c.PrintfLine("%s", line) == nil }
	for ok := answer("220-welcome\r\n220 to the test"); ok; {
		line, err := c.ReadLine()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.said = append(s.said, line)
		s.mu.Unlock()
		switch command, what, _ := strings.Cut(line, " "); command {
		case "USER":
			ok = answer("331 your address, please")
		case "PASS":
			ok = answer("230 come in")
		case "TYPE":
			ok = answer("200 as you like")
		case "EPSV":
			if data, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
				return
			}
			ok = answer(fmt.Sprintf("229 listening (|||%d|)", data.Addr().(*net.TCPAddr).Port))
		case "RETR":
			file, found := s.files[what]
			if !found || data == nil {
				ok = answer("550 no such file")
				continue
			}
			ok = answer("150 here it comes") && give(data, file) && answer(verdict(file))
		default:
			ok = answer("502 what?")
		}
	}
}

func give(data net.Listener, file string) bool {
	c, err := data.Accept()
	if err != nil {
		return false
	}
	defer c.Close()
	_, err = c.Write([]byte(strings.TrimSuffix(file, CutShort)))
	return err == nil
}

func verdict(file string) string {
	if strings.HasSuffix(file, CutShort) {
		return "426 it broke off"
	}
	return "226 that was all"
}
