package integration

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// rasterTypes are the samples' colour spaces: bits of a colour and of a pixel, the space, its colours, and blank (PWG 5102.4).
var rasterTypes = map[string]struct {
	bits, pixel, space, colors uint32
	blank                      byte
}{
	"black-1": {1, 1, 3, 1, 0}, "sgray-8": {8, 8, 18, 1, 0xff}, "srgb-8": {8, 24, 19, 3, 0xff}, "srgb-16": {16, 48, 19, 3, 0xff},
	"cmyk-8": {8, 32, 6, 4, 0},
}

var sampleName = regexp.MustCompile(`FILE (pwg-raster-samples-(\d+)dpi/([^/]+)/(\S+)\.pwg)`)

// rasterSamples writes the PWG raster documents that a suite of ipptool's sends, with blank pages. The PWG's own are half a gigabyte.
func rasterSamples(t *testing.T, suite string) {
	t.Helper()
	text, err := os.ReadFile(suite)
	if err != nil {
		t.Fatal(err)
	}
	written := map[string]bool{}
	for _, m := range sampleName.FindAllStringSubmatch(string(text), -1) {
		if written[m[1]] {
			continue
		}
		written[m[1]] = true
		dots, _ := strconv.Atoi(m[2])
		path := filepath.Join(filepath.Dir(suite), filepath.FromSlash(m[1]))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, sample(dots, m[3], m[4]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if len(written) == 0 {
		t.Fatalf("%s sends no raster: has its wording changed?", suite)
	}
}

func sample(dots int, kind, name string) []byte {
	across, along := 8.5, 11.0
	switch {
	case strings.Contains(name, "4x6"):
		across, along = 4, 6
	case strings.Contains(name, "-a4-"):
		across, along = 8.27, 11.69
	}
	pages := 1
	if strings.HasPrefix(name, "document") {
		pages = 10
	}
	page := blankPage(uint32(dots), uint32(math.Round(across*float64(dots))), uint32(math.Round(along*float64(dots))), kind)
	return append([]byte("RaS2"), bytes.Repeat(page, pages)...)
}

func blankPage(dots, width, height uint32, kind string) []byte {
	k, known := rasterTypes[kind]
	if !known {
		panic(fmt.Sprintf("no raster is %q", kind))
	}
	page := make([]byte, 1796)
	copy(page, "PwgRaster")
	line := (width*k.pixel + 7) / 8
	for at, n := range map[int]uint32{
		276: dots, 280: dots, 340: 1, 352: width * 72 / dots, 356: height * 72 / dots, 372: width, 376: height,
		384: k.bits, 388: k.pixel, 392: line, 400: k.space, 420: k.colors, 452: 1,
	} {
		binary.BigEndian.PutUint32(page[at:], n)
	}
	pixel := max(1, k.pixel/8)
	var packed []byte
	for left := line / pixel; left > 0; left -= min(128, left) {
		packed = append(packed, byte(min(128, left)-1))
		packed = append(packed, bytes.Repeat([]byte{k.blank}, int(pixel))...)
	}
	for left := height; left > 0; left -= min(256, left) {
		page = append(append(page, byte(min(256, left)-1)), packed...)
	}
	return page
}
