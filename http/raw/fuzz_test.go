package raw

import (
	"bufio"
	"bytes"
	"io"
	"testing"
	"testing/iotest"
)

// FuzzPreamble: what is read of a connection does not depend on how it comes in, and nothing is lost but questions and repeated
// exits.
func FuzzPreamble(f *testing.F) {
	for _, s := range []string{
		"", "text", uel, uel + "@PJL ECHO x\r\n" + uel + "data", "@PJL JOB NAME=\"a\"\n\n@PJL ENTER LANGUAGE=PCL\n\x1bE",
		uel + "\rECHO x\n", "@PJL SET JOBNAME = \xff\n@PJL INFO STATUS", uel + uel + "\r\n\r\n@PJL", "@PJL JOB NAME=\"open",
	} {
		f.Add([]byte(s))
	}
	read := func(t *testing.T, r io.Reader) (p *preamble, all, said []byte) {
		var w bytes.Buffer
		b := bufio.NewReaderSize(r, maxLine)
		p, err := readPreamble(b, &w)
		if err != nil {
			t.Fatal(err)
		}
		rest, err := io.ReadAll(b)
		if err != nil {
			t.Fatal(err)
		}
		return p, append(bytes.Clone(p.kept), rest...), w.Bytes()
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		p, all, said := read(t, bytes.NewReader(document))
		q, others, saidToo := read(t, iotest.OneByteReader(bytes.NewReader(document)))
		if !bytes.Equal(all, others) || !bytes.Equal(said, saidToo) || p.name != q.name || p.prints != q.prints {
			t.Errorf("byte by byte it is %q, %q, %+v; else %q, %q, %+v", others, saidToo, q, all, said, p)
		}
		if len(said) == 0 && !bytes.Contains(document, []byte(uel+uel)) && !bytes.Equal(all, document) {
			t.Errorf("%q became %q", document, all)
		}
		if !p.prints && len(bytes.TrimSpace(all)) > 0 && !bytes.HasPrefix(all, []byte(uel)) && !bytes.HasPrefix(all, []byte(pjl)) {
			t.Errorf("%q would not be printed", all)
		}
	})
}
