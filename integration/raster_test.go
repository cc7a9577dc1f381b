package integration

import "encoding/binary"

// rasterPage is a page of PWG raster (PWG 5102.4), in eight-bit grey: a header, and lines that do not repeat within themselves.
func rasterPage(width, height int) []byte {
	page := make([]byte, 1796)
	copy(page, "PwgRaster")
	for at, n := range map[int]int{
		276: 300, 280: 300, // dots per inch
		372: width, 376: height, 384: 8, 388: 8, 392: width, 400: 18, // sGray
		420: 1, 452: 1,
	} {
		binary.BigEndian.PutUint32(page[at:], uint32(n))
	}
	line := []byte{byte(height - 1)}
	for done := 0; done < width; done += 128 {
		n := min(128, width-done)
		line = append(line, byte(257-n)) // so many bytes as they are
		if n == 1 {
			line[len(line)-1] = 0
		}
		for i := range n {
			line = append(line, byte(done+i*7))
		}
	}
	return append(page, line...)
}
