package http

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	nethttp "net/http"
	"strconv"
	"strings"

	"github.com/gorilla/mux"
)

// icon answers with a picture of a printer, for IPP's printer-icons (PWG 5100.13 §5.6.28): printer-PIXELS.png.
func (s *Server) icon(w *response, r *nethttp.Request) error {
	name, found := strings.CutSuffix(strings.TrimPrefix(mux.Vars(r)["icon"], "printer-"), ".png")
	size, err := strconv.Atoi(name)
	if !found || err != nil || size < 1 || size > 512 {
		return noRoute(r)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, drawPrinter(size)); err != nil {
		return fmt.Errorf("draw an icon: %w", err)
	}
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Cache-Control", "public, max-age=86400")
	_, err = w.Write(b.Bytes())
	return err
}

// drawPrinter draws a sheet above a box, and one below it, on a grid of 16 by 16.
func drawPrinter(size int) image.Image {
	img := image.NewPaletted(image.Rect(0, 0, size, size), color.Palette{
		color.Transparent, color.Gray{0x40}, color.White, color.Gray{0x90},
	})
	box := func(x0, y0, x1, y1 int, c uint8) {
		for y := y0 * size / 16; y < y1*size/16; y++ {
			for x := x0 * size / 16; x < x1*size/16; x++ {
				img.SetColorIndex(x, y, c)
			}
		}
	}
	box(4, 1, 12, 7, 3)
	box(5, 2, 11, 7, 2)
	box(1, 6, 15, 13, 1)
	box(12, 7, 14, 8, 2)
	box(4, 10, 12, 15, 3)
	box(5, 11, 11, 14, 2)
	return img
}
