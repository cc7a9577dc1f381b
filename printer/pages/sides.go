package pages

import "strings"

// Units is how many units a document that a Counter cut into so many is to have, where its job wants its sheets printed on those sides (IPP's
// keyword). Pages of PostScript that are sent one by one come out on sheets of their own: for two sides it stays whole.
func Units(format, sides string, units uint32) uint32 {
	if Canonical(format) == PostScript && strings.HasPrefix(sides, "two-sided") {
		return 1
	}
	return units
}
