package link

import (
	"cmp"
	"fmt"
	"time"
)

// A Kind is what is wrong with a link.
type Kind int

const (
	// Clear: nothing.
	Clear Kind = iota
	// Cut resets the connections, and each new one as soon as it is made.
	Cut
	// Hold keeps the bytes of one direction back; the other's flow.
	Hold
	// Swallow loses the bytes of one direction; the other's flow.
	Swallow
	// Hang withholds both directions. New connections are accepted, and nothing answers.
	Hang
	// Slow passes everything late, and not much at a time.
	Slow
	// Resets resets each connection a short while after it was made, again and again.
	Resets
)

var kinds = [...]string{"clear", "cut", "hold", "swallow", "hang", "slow", "resets"}

func (k Kind) String() string { return kinds[k] }

// A Direction is of bytes, within one connection.
type Direction int

const (
	// Out is from the member that dials, and so all of its frames.
	Out Direction = iota
	// Back is what it is answered.
	Back
)

// A Fault is what a link does. The zero value is a link that works.
type Fault struct {
	Kind
	// Of Hold and Swallow.
	Direction Direction
	// Of Slow, for each piece of up to 4 KiB; 0: 30 ms.
	Delay time.Duration
	// Of Slow, in bytes a second; 0: 64 KiB.
	Bandwidth int
	// Of Resets: a connection lives for half of it up to all; 0: 400 ms.
	Life time.Duration
}

func (f *Fault) fill() {
	f.Delay = cmp.Or(f.Delay, 30*time.Millisecond)
	f.Bandwidth = cmp.Or(f.Bandwidth, 64<<10)
	f.Life = cmp.Or(f.Life, 400*time.Millisecond)
}

func (f Fault) String() string {
	if (f.Kind == Hold || f.Kind == Swallow) && f.Direction == Back {
		return fmt.Sprint(f.Kind, " back")
	}
	return f.Kind.String()
}

// withholds reports whether bytes of a direction wait.
func (f Fault) withholds(d Direction) bool {
	return f.Kind == Hang || f.Kind == Cut || f.Kind == Hold && f.Direction == d
}

func (f Fault) loses(d Direction) bool { return f.Kind == Swallow && f.Direction == d }
