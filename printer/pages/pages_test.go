package pages

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// raster is a PWG page of 16×height pixels of one byte, as runs.
func raster(height int, lines ...string) string {
	h := make([]byte, pwgHeaderSize)
	copy(h, "PwgRaster")
	for off, v := range map[int]uint32{372: 16, pwgHeight: uint32(height), pwgBitsPerColor: 8, pwgBitsPerPixel: 8, pwgBytesPerLine: 16} {
		binary.BigEndian.PutUint32(h[off:], v)
	}
	return string(h) + strings.Join(lines, "")
}

// apple is the same page for Apple raster, and urf what stands before n of them.
func apple(height int, lines ...string) string {
	h := make([]byte, urfHeaderSize)
	h[urfBitsPerPixel] = 8
	binary.BigEndian.PutUint32(h[urfWidth:], 16)
	binary.BigEndian.PutUint32(h[urfHeight:], uint32(height))
	return string(h) + strings.Join(lines, "")
}

func urf(n int) string { return urfSync + string([]byte{0, 0, 0, byte(n)}) }

const (
	blank = "\x00\x0f\xff"                          // one line: a pixel 16 times
	mixed = "\x01\x07\xf0\xf9ABCDEFGH"              // two lines: 8 times one, 8 as they are
	rest  = "\x00\x80"                              // one line: blank to its end
	long  = "\x00\x10\xff"                          // 17 pixels: too many
	gfb   = "^XA^GFB,6,6,1,^XZ^XA^XZ"               // six bytes of payload that look like commands
	dy    = "~DYR:A.GRF,B,G,3,1,^XZ^XA^FDx^FS^XZ"   // three bytes of payload
	cc    = "^XA^CC!!FD^XZ^XA!FS!XZ!XA!FD2!FS!XZ\n" // another caret
)

func pdfStream(dict, body string) string {
	return fmt.Sprintf("7 0 obj <<%s/Length %d>>\nstream\n%s\nendstream endobj\n", dict, len(body), body)
}

func deflate(s string) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	return b.String()
}

var documents = []struct {
	name, format, document string
	pages                  int
	units                  []string // nil: the whole
}{
	{"text", Text, "one\ftwo\f", 2, []string{"one\f", "two\f"}},
	{"text with a rest", "Text/Plain; charset=utf-8", "one\ftwo", 2, []string{"one\f", "two"}},
	{"text of one page", Text, "one", 1, nil},
	{"empty pages", Text, "\f\f", 2, []string{"\f", "\f"}},
	{"no text", Text, "", 0, nil},
	{"raster", PWG, pwgSync + raster(1, blank) + raster(4, mixed, rest, blank), 2, []string{pwgSync + raster(1, blank), pwgSync + raster(4, mixed, rest, blank)}},
	{"raster of one page", PWG, pwgSync + raster(1, blank), 1, nil},
	{"raster, last line repeated too often", PWG, pwgSync + raster(1, "\xff\x0f\xff") + raster(1, blank), 2, []string{pwgSync + raster(1, "\xff\x0f\xff"), pwgSync + raster(1, blank)}},
	{"raster, cut", PWG, pwgSync + raster(1, blank) + raster(2, blank), 0, nil},
	{"raster, cut in the header", PWG, pwgSync + raster(1, blank) + raster(1, blank)[:99], 0, nil},
	{"raster, line too long", PWG, pwgSync + raster(1, blank) + raster(1, long), 0, nil},
	{"raster, no height", PWG, pwgSync + raster(1, blank) + raster(0), 0, nil},
	{"raster, little-endian", PWG, "2SaR" + raster(1, blank), 0, nil},
	{"no raster", PWG, "", 0, nil},
	{"labels", ZPL, "^XA^FD1^FS^XZ\n^XA^FD2^FS^PQ3,0,1^XZ\n", 4, []string{"^XA^FD1^FS^XZ", "\n^XA^FD2^FS^PQ3,0,1^XZ"}},
	{"labels, lower case, a download before, a command after", ZPL, "~DGR:X,1,1,FF^xa^pq2^xz^XA^XZ~HS", 3, []string{"~DGR:X,1,1,FF^xa^pq2^xz", "^XA^XZ", "~HS"}},
	{"one label", ZPL, "^XA^XZ", 1, nil},
	{"label with binary", ZPL, gfb + gfb, 2, []string{gfb, gfb}},
	{"binary download", ZPL, dy + dy, 2, []string{dy, dy}},
	{"another caret", ZPL, cc, 2, []string{cc[:strings.Index(cc, "!XZ")+3], cc[strings.Index(cc, "!XZ")+3 : len(cc)-1]}},
	{"no label", ZPL, "hello", 0, nil},
	{"urf", URF, urf(2) + apple(1, blank) + apple(4, mixed, rest, blank), 2, []string{urf(1) + apple(1, blank), urf(1) + apple(4, mixed, rest, blank)}},
	{"urf of one page", URF, urf(1) + apple(1, blank), 1, nil},
	{"urf, cut", URF, urf(2) + apple(1, blank) + apple(2, blank), 0, nil},
	{"urf, no page", URF, urf(3) + strings.Repeat("x", 40), 0, nil},
	{"urf, no width", URF, urf(1) + strings.Repeat("\x00", 32), 0, nil},
	{"postscript", PostScript, "%!PS-Adobe-3.0\n%%Page: 1 1\nx\r\n%%BeginDocument: a\n%%Page: 1 1\n%%EndDocument\n%%Page: 2 2\r%%EOF", 2, nil},
	{"postscript, not conforming", PostScript, "%!\n%%Page: 1 1\n", 0, nil},
	{"pcl", PCL, "\x1bEone\ftwo\f\x1b*b3W\f\f\f\x1bE", 3, nil},
	{"pcl, combined", PCL, "\x1b&l1o2A\x1b*b2m2W\f\fx\f", 1, nil},
	{"pcl xl", PCL, ") HP-PCL XL;2;0\n\f\f", 0, nil},
	{"jpeg", JPEG, "\xff\xd8\xff", 1, nil},
	{"unknown", OctetStream, "\f\f", 0, nil},
	{"pdf, counted by its leaves", PDF, "%PDF-1.4\n1 0 obj<</Type/Page/Parent 2 0 R>>endobj 3 0 obj << /Type /Page /Contents [<</Type/X>>] >> endobj (/Type/Page) % <</Type/Page>>\n<2f> ", 2, nil},
	{"pdf, its root", PDF, "%PDF-1.4\n<</Type/Pages/Count 5/Kids[]>> <</Type/Pages/Count 2/Parent 1 0 R>> <</Type/Page>>", 5, nil},
	{"pdf, updated", PDF, "<</Type/Pages/Count 5>> <</Type/Pages/Count 6>>", 6, nil},
	{"pdf, streams", PDF, pdfStream("", "<</Type/Page>> endstrea") + "<</Type/Page>>" + pdfStream("", ""), 1, nil},
	{"pdf, object stream", PDF, pdfStream("/Type/ObjStm/Filter/FlateDecode", deflate("1 0 2 9 <</Type/Page>> << /Type /Page >> stream")), 2, nil},
	{"pdf, object stream in an array of filters", PDF, pdfStream("/Type/ObjStm/Filter[/FlateDecode]", deflate("<</Type/Pages/Count 9>>")), 9, nil},
	{"pdf, unreadable object stream", PDF, "<</Type/Page>>" + pdfStream("/Type/ObjStm/Filter/FlateDecode", "no zip"), 0, nil},
}

func TestDocuments(t *testing.T) {
	for _, d := range documents {
		c := NewCounter(d.format)
		if n, err := io.WriteString(c, d.document); n != len(d.document) || err != nil {
			t.Fatal(n, err)
		}
		want := d.units
		if want == nil {
			want = []string{d.document}
		}
		if c.Pages() != d.pages || c.Units() != len(want) {
			t.Errorf("%s: %d pages in %d units, want %d in %d", d.name, c.Pages(), c.Units(), d.pages, len(want))
		}
		if got := split(t, d.format, c.Units(), d.document); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
			t.Errorf("%s: units %q, want %q", d.name, got, want)
		}
	}
}

func split(t interface{ Fatal(...any) }, format string, units int, document string) (got []string) {
	s := Split(format, units, strings.NewReader(document), int64(len(document)))
	for {
		u, err := s.Next()
		if errors.Is(err, io.EOF) {
			return got
		} else if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(u.Reader(strings.NewReader(document)))
		if err != nil || int64(len(b)) != u.Size() {
			t.Fatal(len(b), u.Size(), err)
		}
		got = append(got, string(b))
	}
}

// agree: the counter says the same however the document is cut on its way, and Split makes as many units, which are the document.
func agree(t interface {
	Fatal(...any)
	Fatalf(string, ...any)
}, format, document string, chunk int,
) {
	whole, cut := NewCounter(format), NewCounter(format)
	_, _ = io.WriteString(whole, document)
	for rest := document; rest != ""; {
		n := min(max(chunk, 1), len(rest))
		_, _ = io.WriteString(cut, rest[:n])
		rest = rest[n:]
	}
	if whole.Units() != cut.Units() || whole.Pages() != cut.Pages() {
		t.Fatalf("%s: %d/%d units, %d/%d pages of %q in pieces of %d", format, whole.Units(), cut.Units(), whole.Pages(), cut.Pages(), document, chunk)
	}
	units := split(t, format, whole.Units(), document)
	if len(units) != whole.Units() || whole.Units() < 1 {
		t.Fatalf("%s: %d units counted, %d cut of %q", format, whole.Units(), len(units), document)
	}
	if format == PostScript && len(units) > 1 {
		wholePages(t, len(units), document)
		return
	}
	if prefix := map[string]string{PWG: pwgSync, URF: urf(1)}[format]; prefix != "" && len(units) > 1 {
		for i, u := range units {
			if !strings.HasPrefix(u, prefix) {
				t.Fatalf("unit %d does not stand alone", i)
			}
			units[i] = strings.TrimPrefix(u, prefix)
		}
		units[0] = document[:len(prefix)] + units[0]
	}
	joint := strings.Join(units, "")
	if !strings.HasPrefix(document, joint) || strings.TrimSpace(document[len(joint):]) != "" {
		t.Fatalf("%s: the units of %q are not the document", format, document)
	}
}

func TestCountAndSplitAgree(t *testing.T) {
	pieces := map[string][]string{
		Text: {"\f", "a", "longer\n", "\x00"},
		ZPL:  {"^XA", "^XZ", "^xz", "^PQ2", "~", "^", "X", "\n", gfb, dy, cc, "^GFB,3,3,", "^CC*", "*XZ", ",", "FD"},
		PWG:  {raster(1, blank), raster(4, mixed, rest, blank), raster(2, blank), "x"},
		URF:  {apple(1, blank), apple(4, mixed, rest, blank), apple(2, blank), "x"},
		PDF:  {"<</Type/Page>>", "<<", ">>", "stream", "endstream", "(", ")", "\\", " ", "/Type", "/ObjStm", "<", "%", "\n"},
		PCL:  {"\x1b", "*b3W", "\f", "E", "x"},
	}
	rapid.Check(t, func(t *rapid.T) {
		format := rapid.SampledFrom([]string{Text, ZPL, PWG, URF, PDF, PCL}).Draw(t, "format")
		document := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces[format]), 0, 20).Draw(t, "pieces"), "")
		document = map[string]string{PWG: pwgSync, URF: urf(1)}[format] + document
		agree(t, format, document, rapid.IntRange(1, 50).Draw(t, "chunk"))
	})
}

func TestSplitAcrossBlocks(t *testing.T) {
	agree(t, Text, strings.Repeat(strings.Repeat("x", 99)+"\f", 3*splitBlock/100), 1000)
	agree(t, PWG, pwgSync+strings.Repeat(raster(3, mixed, blank), 30), 777)
}

func TestTooManyUnits(t *testing.T) {
	c := NewCounter(Text)
	_, _ = c.Write(bytes.Repeat([]byte("\f"), MaxUnits+1))
	if c.Units() != 1 || c.Pages() != MaxUnits+1 {
		t.Error(c.Units(), c.Pages())
	}
}

func TestSplitReadError(t *testing.T) {
	s := Split(Text, 2, strings.NewReader("a\fb"), 99)
	if _, err := s.Next(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}

func TestSniff(t *testing.T) {
	for head, want := range map[string]string{
		"":                        OctetStream,
		"hello\r\nworld\f":        Text,
		"Gr\xfc\xdfe aus K\xf6ln": Text,
		"\xef\xbb\xbfhello":       Text,
		"a\x00b":                  OctetStream,
		"\xff\xfe\xfd\xfc":        OctetStream,
		"%PDF-1.7\n":              PDF,
		"\n\n%PDF-1.7\n":          PDF,
		"%!PS-Adobe-3.0":          PostScript,
		"\x04%!PS":                PostScript,
		"RaS2PwgRaster":           PWG,
		"UNIRAST\x00":             URF,
		"^XA^FO":                  ZPL,
		" ~DGR:":                  ZPL,
		"CT~~CD,~CC^~CT~":         ZPL,
		"\x1bE\x1b&l":             PCL,
		") HP-PCL XL;":            PCL,
		"\xff\xd8\xff\xe0":        JPEG,
		"\x89PNG\r\n\x1a\n":       PNG,
		"\x1b%-12345X@PJL\r\n@PJL ENTER LANGUAGE = POSTSCRIPT\r\n": PostScript,
		"\x1b%-12345X@PJL ENTER LANGUAGE=PDF \r\n":                 PDF,
		"\x1b%-12345X@PJL ENTER LANGUAGE=PCLXL\r\n":                PCL,
		"\x1b%-12345X@PJL ENTER LANGUAGE=XPS\r\n":                  OctetStream,
		"\x1b%-12345X%!PS":  PostScript,
		"\x1b%-12345X\x1bE": PCL,
	} {
		if got := Sniff([]byte(head)); got != want {
			t.Errorf("%q is %s, want %s", head, got, want)
		}
	}
}

func TestExt(t *testing.T) {
	for format, want := range map[string]string{Text: "txt", "text/plain; charset=x": "txt", PDF: "pdf", "application/zpl": "zpl", "x/y": "bin", "": "bin"} {
		if got := Ext(format); got != want {
			t.Errorf("Ext(%q) is %q, want %q", format, got, want)
		}
	}
}

func FuzzAgree(f *testing.F) {
	formats := []string{Text, PWG, ZPL, PDF, PCL, PostScript, URF}
	for _, d := range documents {
		for i, format := range formats {
			if Canonical(d.format) == format {
				f.Add(uint8(i), d.document, uint8(3))
			}
		}
	}
	f.Add(uint8(5), ps(), uint8(7))
	f.Add(uint8(5), ps("(1)", "%%BeginData: 12 Hex Bytes\r\n%%Page: 3 3\n%%EndData\n(1)"), uint8(7))
	f.Fuzz(func(t *testing.T, format uint8, document string, chunk uint8) {
		agree(t, formats[int(format)%len(formats)], document, int(chunk))
	})
}

func FuzzSniff(f *testing.F) {
	f.Add([]byte("\x1b%-12345X@PJL ENTER LANGUAGE=PDF"))
	f.Fuzz(func(t *testing.T, head []byte) {
		if format := Sniff(head); Canonical(format) != format {
			t.Errorf("%q is no name of ours", format)
		}
	})
}

func BenchmarkCounter(b *testing.B) {
	for _, d := range []struct{ format, document string }{
		{Text, strings.Repeat(strings.Repeat("line\n", 60)+"\f", 1000)},
		{PWG, pwgSync + strings.Repeat(raster(1200, strings.Repeat(mixed, 600)), 30)},
		{ZPL, strings.Repeat("^XA^FO20,20^A0N,30^FDhello^FS^XZ\n", 10000)},
		{PDF, strings.Repeat("1 0 obj<</Type/Page>>endobj\n"+pdfStream("", strings.Repeat("x", 5000)), 100)},
	} {
		b.Run(Ext(d.format), func(b *testing.B) {
			b.SetBytes(int64(len(d.document)))
			p := []byte(d.document)
			for b.Loop() {
				_, _ = NewCounter(d.format).Write(p)
			}
		})
	}
}
