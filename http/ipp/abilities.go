package ipp

import (
	"slices"
	"strings"

	"github.com/OpenPrinting/goipp"

	"printq/node"
	"printq/printer/pages"
)

// What follows from the offers, in the words of those who ask for it in another way.

// can reports whether a value of a feature is offered.
func (o *offers) can(name, value string) bool {
	f := o.feature(name)
	return f != nil && f.supports(goipp.String(value))
}

func (o *offers) duplex() bool { return o.can("sides", "two-sided-long-edge") }

// colour is what nobody denies.
func (o *offers) colour() bool {
	if a, ok := o.told["color-supported"]; ok && len(a.Values) > 0 {
		return a.Values[0].V == goipp.Boolean(true)
	}
	return o.can("print-color-mode", "auto") || o.can("print-color-mode", "color")
}

// printerType is CUPS's cups_ptype_t: prints black, makes copies, collates; colour; both sides; is the default; takes no jobs.
func printerType(p *node.PrinterStatus, o *offers) int {
	t := 0x0004 | 0x0040 | 0x0080
	for bit, yes := range map[int]bool{0x0008: o.colour(), 0x0010: o.duplex(), 0x20000: p.Default, 0x80000: p.Rejecting} {
		if yes {
			t |= bit
		}
	}
	return t
}

// languagesOf are the formats by the names that IEEE 1284 device ids have for them, for clients that look for a driver by these.
var languagesOf = map[string]string{
	pages.PDF: "PDF", pages.PWG: "PWGRaster", pages.URF: "AppleRaster", pages.JPEG: "JPEG", pages.PNG: "PNG", pages.PostScript: "PS",
	pages.PCL: "PCL", pages.ZPL: "ZPL", pages.Text: "TXT",
}

func (o *offers) deviceID() string {
	var found []string
	for _, f := range o.formats {
		if name := languagesOf[f]; name != "" {
			found = append(found, name)
		}
	}
	return "MFG:printq;MDL:printq;CMD:" + strings.Join(found, ",") + ";CLS:PRINTER;"
}

// preferredFormat is what AirPrint's clients send if they may choose.
func (o *offers) preferredFormat() goipp.Attribute {
	a := goipp.Attribute{Name: "document-format-preferred"}
	if slices.Contains(o.formats, pages.PDF) {
		a = types(a.Name, pages.PDF)
	}
	return a
}

// urf is what AirPrint's clients may render to, and what they offer: DM1 is both sides, without turning the back.
func (o *offers) urf() goipp.Attribute {
	all := []string{"V1.4", "CP255", "W8"}
	if o.colour() {
		all = append(all, "SRGB24")
	}
	all = append(all, "RS300-600", "IS1", "MT1", "OB10", "PQ4")
	if o.duplex() {
		all = append(all, "DM1")
	}
	return keywords("urf-supported", all...)
}

// rasterAbilities are what a client needs to know to render pages itself: IPP Everywhere's PWG raster, and AirPrint's URF.
func (o *offers) rasterAbilities() []goipp.Attribute {
	return []goipp.Attribute{
		dpi("pwg-raster-document-resolution-supported", resolutions...),
		keywords("pwg-raster-document-type-supported", "black_1", "sgray_8", "srgb_8", "srgb_16", "cmyk_8"),
		keywords("pwg-raster-document-sheet-back", "normal"),
		o.urf(),
		keywords("printer-kind", "document"),
	}
}
