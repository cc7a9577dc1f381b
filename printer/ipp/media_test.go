package ipp

import (
	"fmt"
	"testing"

	"github.com/OpenPrinting/goipp"

	"printq/printer/device"
)

func TestMedia(t *testing.T) {
	const a4, letter = "iso_a4_210x297mm", "na_letter_8.5x11in"
	for _, c := range []struct {
		members []string
		options map[string]string
		want    string
	}{
		{nil, nil, ""},
		{[]string{"media-size", "media-source", "media-type"}, map[string]string{"media": a4}, "media=" + a4},
		{
			[]string{"media-size", "media-source", "media-type"},
			map[string]string{"media": a4, "media-source": "tray-2"},
			"media-col={media-source=tray-2 media-size={x-dimension=21000 y-dimension=29700}}",
		},
		{
			[]string{"media-size", "media-source", "media-type"},
			map[string]string{"media": letter, "media-source": "manual", "media-type": "labels"},
			"media-col={media-source=manual media-type=labels media-size={x-dimension=21590 y-dimension=27940}}",
		},
		{[]string{"media-type"}, map[string]string{"media-type": "labels"}, "media-col={media-type=labels}"},
		{[]string{"media-size", "media-type"}, map[string]string{"media": a4, "media-source": "tray-2"}, "media=" + a4},
		{[]string{"media-source"}, map[string]string{"media": "letterhead", "media-source": "tray-2"}, "media=letterhead"},
		{nil, map[string]string{"media": a4, "media-source": "tray-2"}, "media=" + a4},
	} {
		a := &about{group: group{keywords("media-supported", a4, letter)}}
		if c.members != nil {
			a.group = append(a.group, keywords("media-col-supported", c.members...))
		}
		if got := said(a.template(device.Job{Options: c.options}, 1)); got != c.want {
			t.Errorf("%v with %v: %q, not %q", c.options, c.members, got, c.want)
		}
	}
}

// said is attributes as one reads them.
func said(attrs goipp.Attributes) (all string) {
	for i, a := range attrs {
		if i > 0 {
			all += " "
		}
		if c, ok := a.Values[0].V.(goipp.Collection); ok {
			all += fmt.Sprintf("%s={%s}", a.Name, said(goipp.Attributes(c)))
		} else {
			all += fmt.Sprintf("%s=%v", a.Name, a.Values[0].V)
		}
	}
	return all
}

func TestDimensions(t *testing.T) {
	for name, want := range map[string][2]int{
		"iso_a4_210x297mm": {21000, 29700}, "na_letter_8.5x11in": {21590, 27940}, "om_small-photo_100x150mm": {10000, 15000},
		"na_index-4x6_4x6in": {10160, 15240}, "custom_label_57.5x0mm": {}, "letterhead": {}, "x": {}, "a_b_1x2": {}, "a_b_NaNx2mm": {},
	} {
		x, y, ok := dimensions(name)
		if [2]int{x, y} != want || ok != (want != [2]int{}) {
			t.Errorf("%s: %d by %d, %v", name, x, y, ok)
		}
	}
}
