//go:build !linux

package load

// usage is known on Linux only.
type usage struct{ servers, self float64 }

func use([]int) usage { return usage{} }

// CPU is not known here.
func CPU(int) float64 { return 0 }

// Peak is not known here.
func Peak(int) int64 { return 0 }
