package peer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"printq/node"
)

var _ node.Transport = (*Transport)(nil)

// content is what a stream test sends: more than a chunk, and no round number.
var content = bytes.Repeat([]byte("0123456789"), 60_001)

func TestStream(t *testing.T) {
	serve := func(o *Options, r *recorder) {
		o.MaxStreams = 2
		r.stream = func(ctx context.Context, header []byte, w io.Writer) error {
			switch string(header) {
			case "whole":
				_, err := w.Write(content)
				return err
			case "empty":
				return nil
			case "fails":
				w.Write(content)
				return errors.New("the disk is gone")
			case "silent":
				<-ctx.Done()
				return ctx.Err()
			case "slow":
				for range 20 {
					if _, err := w.Write([]byte("x")); err != nil {
						return err
					}
					time.Sleep(20 * time.Second)
				}
			}
			return nil
		}
	}
	read := func(t *testing.T, a *host, header string) ([]byte, error) {
		synctest.Wait() // the other side has seen that the last one is over
		s, err := a.Stream(t.Context(), 2, []byte(header))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		return io.ReadAll(s)
	}
	pair(t, serve, func(t *testing.T, n *network, a, b *host) {
		if got, err := read(t, a, "whole"); err != nil || !bytes.Equal(got, content) {
			t.Errorf("whole: %d bytes, %v", len(got), err)
		}
		if got, err := read(t, a, "empty"); err != nil || len(got) != 0 {
			t.Errorf("empty: %d bytes, %v", len(got), err)
		}
		if got, err := read(t, a, "slow"); err != nil || len(got) != 20 {
			t.Errorf("slow: %d bytes, %v", len(got), err)
		}
		var remote *node.RemoteError
		if got, err := read(t, a, "fails"); !errors.As(err, &remote) || remote.Member != 2 || remote.Text != "the disk is gone" || len(got) != len(content) {
			t.Errorf("fails: %d bytes, %v", len(got), err)
		}
		began := time.Now()
		if _, err := read(t, a, "silent"); err == nil || time.Since(began) != 30*time.Second {
			t.Errorf("silent: %v after %v", err, time.Since(began))
		}
		if _, err := a.Stream(t.Context(), 9, nil); !errors.Is(err, ErrNoAddress) {
			t.Errorf("to nobody: %v", err)
		}
	})
	pair(t, serve, func(t *testing.T, n *network, a, b *host) {
		ctx, cancel := context.WithCancel(t.Context())
		var open []io.ReadCloser
		for range 2 {
			s, err := a.Stream(ctx, 2, []byte("silent"))
			if err != nil {
				t.Fatal(err)
			}
			open = append(open, s)
		}
		var remote *node.RemoteError
		if _, err := a.Stream(t.Context(), 2, []byte("silent")); !errors.As(err, &remote) || !strings.Contains(remote.Text, "in use") {
			t.Errorf("one too many: %v", err)
		}
		cancel()
		if _, err := io.ReadAll(open[0]); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		open[0].Close()
		open[1].Close()
		synctest.Wait()
		if _, err := read(t, a, "whole"); err != nil {
			t.Errorf("after others have ended: %v", err)
		}
		s, err := a.Stream(t.Context(), 2, []byte("silent"))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		b.stop()
		if _, err := s.Read(make([]byte, 1)); !errors.Is(err, io.ErrUnexpectedEOF) {
			var remote *node.RemoteError
			if !errors.As(err, &remote) {
				t.Errorf("server stopped: %v", err)
			}
		}
	})
}

// raw is the bytes of a stream as they travel.
func raw(t testing.TB, end error, pieces ...[]byte) []byte {
	near, far := net.Pipe()
	got := make(chan []byte)
	go func() {
		b, _ := io.ReadAll(far)
		got <- b
	}()
	w := newChunkWriter(near, time.Minute)
	for _, p := range pieces {
		w.Write(p)
	}
	if err := w.end(end); err != nil {
		t.Error(err)
	}
	near.Close()
	return <-got
}

func TestTruncatedOrDamagedStreamIsNoEOF(t *testing.T) {
	whole := raw(t, nil, []byte("some bytes"), []byte("and more"))
	if got, err := io.ReadAll(&chunkReader{r: bytes.NewReader(whole)}); err != nil || string(got) != "some bytesand more" {
		t.Fatalf("%q, %v", got, err)
	}
	for n := range whole {
		if _, err := io.ReadAll(&chunkReader{r: bytes.NewReader(whole[:n])}); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut at %d: %v", n, err)
		}
		for bit := range 8 {
			bad := bytes.Clone(whole)
			bad[n] ^= 1 << bit
			if _, err := io.ReadAll(&chunkReader{r: bytes.NewReader(bad)}); err == nil {
				t.Errorf("bit %d of byte %d changed: nobody noticed", bit, n)
			}
		}
	}
}

func TestProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		a := n.start(t, 1)
		defer a.stop()
		b := n.start(t, 2, func(o *Options, r *recorder) {
			r.probe = func(ctx context.Context, header []byte) ([]byte, error) {
				switch string(header) {
				case "long":
					return make([]byte, maxAnswer+1), nil
				case "fail":
					return nil, errors.New("not now")
				case "hang":
					<-ctx.Done()
				}
				return fmt.Append(nil, "answer to ", string(header)), nil
			}
		})
		defer b.stop()
		if got, err := a.Probe(t.Context(), "host2", []byte("x")); string(got) != "answer to x" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		var remote *node.RemoteError
		for _, c := range []struct{ header, want string }{{"long", "limit"}, {"fail", "not now"}} {
			if _, err := a.Probe(t.Context(), "host2", []byte(c.header)); !errors.As(err, &remote) || !strings.Contains(err.Error(), c.want) || remote.Member != 2 {
				t.Errorf("%s: %v", c.header, err)
			}
		}
		began := time.Now()
		if _, err := a.Probe(t.Context(), "host2", []byte("hang")); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 2*time.Second {
			t.Errorf("hang: %v after %v", err, time.Since(began))
		}
		if _, err := a.Probe(t.Context(), "host1", nil); err == nil || !strings.Contains(err.Error(), "itself") {
			t.Errorf("itself: %v", err)
		}
		if _, err := a.Probe(t.Context(), "host9", nil); err == nil {
			t.Error("nobody is there, and answered")
		}
		if _, err := a.Probe(t.Context(), "host2", make([]byte, maxHeader+1)); err == nil {
			t.Error("a header over the limit was sent")
		}
	})
}
