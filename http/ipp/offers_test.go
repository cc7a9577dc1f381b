package ipp

import (
	"slices"
	"strings"
	"testing"

	"github.com/OpenPrinting/goipp"

	"printq/queue"
	"printq/queue/queuepb"
)

// says makes a device that answered with these attributes when it was resumed.
func says(t *testing.T, id uint64, attrs ...goipp.Attribute) *queue.Device {
	t.Helper()
	m := goipp.NewResponse(goipp.DefaultVersion, goipp.StatusOk, 1)
	m.Operation = goipp.Attributes{charsets("attributes-charset", "utf-8"), languages("attributes-natural-language", "en")}
	m.Printer = attrs
	raw, err := m.EncodeBytes()
	if err != nil {
		t.Fatal(err)
	}
	return &queue.Device{Id: id, Uri: "ipp://device", Known: true, Capabilities: raw}
}

// told is what a printer says of one attribute, as text.
func told(t *testing.T, f *fake, name string) string {
	t.Helper()
	a := ask(t, handler(t, f), goipp.OpGetPrinterAttributes, "office")
	wantStatus(t, a, goipp.StatusOk)
	var values []string
	if attr := find(a.Printer, name); attr != nil {
		for _, v := range attr.Values {
			values = append(values, v.V.String())
		}
	}
	return strings.Join(values, " ")
}

// What a device says of itself is offered, of several what all say, and what was set counts before that. Nobody's address,
// identity, counters and state are passed on.
func TestOffers(t *testing.T) {
	duplex := []goipp.Attribute{
		keywords("sides-supported", "one-sided", "two-sided-long-edge", "two-sided-short-edge"), keywords("sides-default", "two-sided-long-edge"),
		keywords("media-supported", "iso_a4_210x297mm", "jis_b5_182x257mm", "custom_min_10x10mm"), keywords("media-default", "jis_b5_182x257mm"),
		keywords("media-source-supported", "tray-1", "tray-2"),
		types("document-format-supported", "application/pdf", "image/tiff"), boolean("color-supported", false),
		keywords("printer-state-reasons-supported", "x"), uris("printer-uri-supported", "ipp://device/"), uris("printer-uuid", "urn:uuid:1"),
		integers("printer-impressions-completed", 7), texts("printer-info", "theirs"),
	}
	other := []goipp.Attribute{
		keywords("sides-supported", "one-sided", "two-sided-long-edge"), keywords("sides-default", "one-sided"),
		types("document-format-supported", "application/pdf"), keywords("media-supported", "iso_a4_210x297mm"),
	}
	for name, c := range map[string]struct {
		devices []*queue.Device
		uris    []string
		offers  map[string]string
		want    map[string]string
	}{
		"what follows from what is set": {
			offers: map[string]string{"sides": "one-sided,two-sided-long-edge", "print-color-mode": "monochrome"}, want: map[string]string{
				"urf-supported": "V1.4 CP255 W8 RS300-600 IS1 MT1 OB10 PQ4 DM1", "color-supported": "false", "printer-type": "212",
				"document-format-preferred": "application/pdf",
				"printer-device-id":         "MFG:printq;MDL:printq;CMD:PDF,PWGRaster,AppleRaster,JPEG,PNG,PS,PCL,ZPL,TXT;CLS:PRINTER;",
			},
		},
		"what follows where nobody says anything": {want: map[string]string{
			"urf-supported": "V1.4 CP255 W8 SRGB24 RS300-600 IS1 MT1 OB10 PQ4", "color-supported": "true", "printer-type": "204",
		}},
		"what follows from a device's formats": {
			devices: []*queue.Device{says(t, 1, types("document-format-supported", "image/pwg-raster", "image/jpeg"), boolean("color-supported", false))},
			want: map[string]string{
				"printer-device-id": "MFG:printq;MDL:printq;CMD:PWGRaster,JPEG;CLS:PRINTER;", "document-format-preferred": "", "printer-type": "196",
			},
		},
		"nobody says anything": {want: map[string]string{"sides-supported": "one-sided", "number-up-supported": "1", "color-supported": "true"}},
		"a tray": {uris: []string{"tray:/t"}, want: map[string]string{
			"sides-supported": "one-sided two-sided-long-edge two-sided-short-edge", "sides-default": "one-sided", "number-up-supported": "1 2 4",
			"job-sheets-supported": "none standard", "job-sheets-default": "none", "output-bin-supported": "face-down",
		}},
		"a tray that was set up otherwise": {uris: []string{"tray:/t"}, offers: map[string]string{"sides": "one-sided"}, want: map[string]string{
			"sides-supported": "one-sided", "number-up-supported": "1 2 4",
		}},
		"a tray, and what is none": {uris: []string{"tray:/t", "socket://a"}, want: map[string]string{"sides-supported": "one-sided"}},
		"one": {devices: []*queue.Device{says(t, 1, duplex...)}, want: map[string]string{
			"sides-supported": "one-sided two-sided-long-edge two-sided-short-edge", "sides-default": "two-sided-long-edge",
			"document-format-supported": "application/octet-stream application/pdf image/tiff", "color-supported": "false", "urf-supported": "",
			"media-default": "jis_b5_182x257mm", "media-source-supported": "tray-1 tray-2", "number-up-supported": "1",
			"printer-impressions-completed": "", "printer-info": "office",
		}},
		"a pool": {devices: []*queue.Device{says(t, 1, duplex...), says(t, 2, other...)}, want: map[string]string{
			"sides-supported": "one-sided two-sided-long-edge", "document-format-supported": "application/octet-stream application/pdf",
			"media-supported": "iso_a4_210x297mm",
		}},
		"one not asked yet": {devices: []*queue.Device{says(t, 1, other...), {Id: 2}}, want: map[string]string{
			"sides-supported": "one-sided two-sided-long-edge", "sides-default": "one-sided",
		}},
		"one that says nothing": {devices: []*queue.Device{says(t, 1, duplex...), {Id: 2, Known: true}}, want: map[string]string{"sides-supported": "one-sided"}},
		"set": {
			devices: []*queue.Device{says(t, 1, duplex...)}, offers: map[string]string{"sides": "one-sided", "number-up": "1,2,4", "media": "na_letter_8.5x11in"},
			want: map[string]string{
				"sides-supported": "one-sided", "sides-default": "one-sided", "number-up-supported": "1 2 4", "media-supported": "na_letter_8.5x11in",
				"media-default": "na_letter_8.5x11in",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake("office")
			p := f.printers["office"]
			p.Devices, p.Settings.Offers = c.devices, c.offers
			if c.uris != nil {
				p.Settings.Devices = c.uris
			}
			for attr, want := range c.want {
				if got := told(t, f, attr); got != want {
					t.Errorf("%s: %q, want %q", attr, got, want)
				}
			}
			if got := told(t, f, "printer-uri-supported"); !strings.HasSuffix(got, "/ipp/print/office") {
				t.Errorf("it is at %q", got)
			}
		})
	}
}

// wishesOf are a command's, as text.
func wishesOf(options []*queuepb.Option) (list []string) {
	for _, o := range options {
		list = append(list, o.Name+"="+o.Value)
	}
	return list
}

// What a client asks of the printing is kept with the job, told of it, and handed to the device.
func TestWishes(t *testing.T) {
	f := newFake("office")
	f.printers["office"].Settings.Offers = map[string]string{
		"sides": "one-sided,two-sided-long-edge", "number-up": "1,2", "finishings": "3,4,5", "printer-resolution": "300dpi,1200x600dpi",
		"media-source": "auto,tray-2",
	}
	h := handler(t, f)
	m := message(goipp.OpPrintJob, "office")
	m.Job = goipp.Attributes{
		keywords("sides", "two-sided-long-edge"), integers("number-up", 4), enums("finishings", 4, 5), keywords("job-sheets", "none", "none"),
		goipp.MakeAttr("printer-resolution", goipp.TagResolution, goipp.Resolution{Xres: 1200, Yres: 600, Units: goipp.UnitsDpi}),
		collections("media-col", goipp.Collection{
			collections("media-size", goipp.Collection{integers("x-dimension", 21590), integers("y-dimension", 27940)}),
			keywords("media-source", "tray-2"), keywords("media-type", "velvet"),
		}),
	}
	a, _ := post(t, h, m, "%PDF-1.4\n")
	wantStatus(t, a, goipp.StatusOkIgnoredOrSubstituted)
	want := []string{
		"finishings=4,5", "job-sheets=none", "media=na_letter_8.5x11in", "media-source=tray-2", "printer-resolution=1200x600dpi",
		"sides=two-sided-long-edge",
	}
	if got := wishesOf(f.jobs[0].Options); !slices.Equal(got, want) {
		t.Errorf("Print-Job: %q, want %q", got, want)
	}
	a = ask(t, h, goipp.OpGetJobAttributes, "office", integers("job-id", 1))
	for _, name := range []string{"finishings", "media", "media-col", "printer-resolution", "sides"} {
		if find(a.Job, name) == nil {
			t.Errorf("%s is not told of the job", name)
		}
	}

	m = message(goipp.OpCreateJob, "office")
	m.Job = goipp.Attributes{keywords("sides", "two-sided-long-edge")}
	a, _ = post(t, h, m, "")
	wantStatus(t, a, goipp.StatusOk)
	m = message(goipp.OpSetJobAttributes, "office", integers("job-id", 2))
	m.Job = goipp.Attributes{integers("number-up", 2), missing("sides", goipp.TagDeleteAttr)}
	a, _ = post(t, h, m, "")
	wantStatus(t, a, goipp.StatusOk)
	var asked [][]string
	for _, c := range f.asked {
		switch {
		case c.GetCreateJob() != nil:
			asked = append(asked, wishesOf(c.GetCreateJob().Options))
		case c.GetSetJob() != nil:
			asked = append(asked, wishesOf(c.GetSetJob().Options))
		}
	}
	if len(asked) != 2 || !slices.Equal(asked[0], []string{"sides=two-sided-long-edge"}) || !slices.Equal(asked[1], []string{"number-up=2", "sides="}) {
		t.Errorf("Create-Job and Set-Job-Attributes: %q", asked)
	}
}

// A page range is applied once: here where pages can be cut out, else by a device that can.
func TestPageRangesOnce(t *testing.T) {
	const text = "one\n\ftwo\n\fthree\n"
	for name, c := range map[string]struct {
		device        []*queue.Device
		document      string
		wish, printed string
		want          goipp.Status
	}{
		"text":                    {document: text, printed: "two\n\f", want: goipp.StatusOk},
		"text, and it could":      {[]*queue.Device{says(t, 1, boolean("page-ranges-supported", true))}, text, "", "two\n\f", goipp.StatusOk},
		"PDF":                     {document: "%PDF-1.4\n", printed: "%PDF-1.4\n", want: goipp.StatusOkIgnoredOrSubstituted},
		"PDF, and the device can": {[]*queue.Device{says(t, 1, boolean("page-ranges-supported", true))}, "%PDF-1.4\n", "page-ranges=2-2", "%PDF-1.4\n", goipp.StatusOk},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake("office")
			if c.device != nil {
				f.printers["office"].Devices = c.device
			}
			m := message(goipp.OpPrintJob, "office")
			m.Job = goipp.Attributes{between("page-ranges", 2, 2)}
			a, _ := post(t, handler(t, f), m, c.document)
			wantStatus(t, a, c.want)
			if got := strings.Join(wishesOf(f.jobs[0].Options), " "); got != c.wish || string(f.docs[1]) != c.printed {
				t.Errorf("wishes %q, document %q", got, f.docs[1])
			}
		})
	}
}

func TestCheckOffer(t *testing.T) {
	for _, good := range []string{"sides=one-sided,two-sided-long-edge", "number-up=1, 2", "media=iso_a4_210x297mm", "printer-resolution=600dpi"} {
		name, values, _ := strings.Cut(good, "=")
		if err := CheckOffer(name, values); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"sides=", "copies=1", "page-ranges=1", "number-up=two", "media=A4", "printer-resolution=600", "finishings=3,,4"} {
		name, values, _ := strings.Cut(bad, "=")
		if CheckOffer(name, values) == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}
