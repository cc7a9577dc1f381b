// Package crc32c computes CRC-32C (Castagnoli, RFC 3720) of bytes, and of bytes whose parts' checksums are known: what a document went
// through once, where it came in, need not be gone through again at each step.
package crc32c

import (
	"hash/crc32"
	"math/bits"
	"sync"
)

var table = crc32.MakeTable(crc32.Castagnoli)

// Sum is the checksum of b.
func Sum(b []byte) uint32 { return crc32.Update(0, table, b) }

// Update is the checksum of what sum is of, followed by b.
func Update(sum uint32, b []byte) uint32 { return crc32.Update(sum, table, b) }

// Join is the checksum of two parts one after the other, of which the second has n bytes. It takes as long as Sum of a few
// KiB.
func Join(first, second uint32, n int) uint32 {
	shift := one
	for powers := powers(); n > 0; n &= n - 1 {
		shift = multiply(powers[bits.TrailingZeros(uint(n))], shift)
	}
	return multiply(shift, first) ^ second
}

// Polynomials over GF(2) of a degree below 32, the lowest power in the highest bit. To append n zero bytes is to multiply by
// x^8n modulo the CRC's own polynomial.
const (
	one      = uint32(1) << 31
	x8       = one >> 8
	reversed = uint32(crc32.Castagnoli)
)

// powers holds x^8, x^16, x^32 and so on: each is the square of the one before.
var powers = sync.OnceValue(func() *[bits.UintSize]uint32 {
	p := &[bits.UintSize]uint32{x8}
	for i := 1; i < len(p); i++ {
		p[i] = multiply(p[i-1], p[i-1])
	}
	return p
})

func multiply(a, b uint32) (product uint32) {
	for ; a != 0; a <<= 1 {
		product ^= b & -(a >> 31)
		b = b>>1 ^ reversed&-(b&1)
	}
	return product
}
