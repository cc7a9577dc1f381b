package peer

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"reflect"
	"slices"
	"testing"
	"testing/iotest"

	"printq/log/crc32c"
)

func FuzzHello(f *testing.F) {
	good, _ := hello{purpose: stream, from: 1, to: 2, run: 3, cluster: "c", advertise: "a:1", header: []byte("header")}.encode()
	f.Add(good)
	f.Add(good[:20])
	f.Fuzz(func(t *testing.T, data []byte) {
		r := bytes.NewReader(data)
		h, err := readHello(r)
		if err != nil {
			return
		}
		again, err := h.encode()
		if err != nil || !bytes.Equal(again, data[:len(data)-r.Len()]) {
			t.Fatalf("%+v encodes as %x, %v", h, again, err)
		}
	})
}

func FuzzReply(f *testing.F) {
	f.Add(reply{id: 1, run: 2}.encode())
	f.Add(reply{id: 1, run: 2, refusal: "no"}.encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := readReply(bytes.NewReader(data))
		if err != nil {
			return
		}
		if again, err := readReply(bytes.NewReader(r.encode())); err != nil || !reflect.DeepEqual(r, again) {
			t.Fatalf("%+v reads back as %+v, %v", r, again, err)
		}
	})
}

// What is read does not depend on how it arrives, and is what a reader finds that has everything before it.
func FuzzFrames(f *testing.F) {
	var some []byte
	for _, body := range []string{"", "short", string(make([]byte, 5000)), "y", string(make([]byte, 40_000)), "x"} {
		some = append(appendFrameHead(some, frame('k', body)), body...)
	}
	f.Add(append(some, goodbye...))
	f.Add(some[:100])
	const limit = 64 << 10
	f.Fuzz(func(t *testing.T, data []byte) {
		want, wantErr := naiveFrames(data, limit)
		for _, r := range []io.Reader{bytes.NewReader(data), iotest.HalfReader(bytes.NewReader(data))} {
			got := []string{}
			frames := newFrameReader(r, limit)
			kind, body, err := frames.next()
			for ; err == nil; kind, body, err = frames.next() {
				got = append(got, string(rune(kind))+string(body))
			}
			if !slices.Equal(got, want) || !errors.Is(err, wantErr) {
				t.Fatalf("%d frames, %v; want %d, %v", len(got), err, len(want), wantErr)
			}
		}
	})
}

func naiveFrames(data []byte, limit int) (frames []string, err error) {
	for len(data) > 0 {
		if len(data) < 4 {
			return frames, io.ErrUnexpectedEOF
		}
		n := int(binary.BigEndian.Uint32(data))
		switch {
		case n == 0:
			return frames, errGoodbye
		case n-1+frameHead > limit:
			return frames, errFrame
		case len(data) < n-1+frameHead:
			return frames, io.ErrUnexpectedEOF
		}
		covered := int64(binary.BigEndian.Uint32(data[9:]))
		end := frameHead + n - 1
		if covered > int64(n-1) || crc32c.Sum(data[8:frameHead+covered]) != binary.BigEndian.Uint32(data[4:]) {
			return frames, errFrame
		}
		frames = append(frames, string(rune(data[8]))+string(data[frameHead:end]))
		data = data[end:]
	}
	return frames, io.EOF
}

func FuzzChunks(f *testing.F) {
	f.Add(raw(f, nil, []byte("abc")))
	f.Add(raw(f, errors.New("text"), []byte("abc")))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := io.ReadAll(&chunkReader{r: bytes.NewReader(data)})
		if len(got) > len(data) {
			t.Fatal("more than was sent")
		}
		if err == nil && !bytes.Contains(data, []byte{chunkWhole, 0, 0, 0, 0}) {
			t.Fatal("whole, though nobody said so")
		}
	})
}
