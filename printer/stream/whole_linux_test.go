package stream

import (
	"io"
	"net"
	"testing"
	"time"
)

// A printer whose system no longer makes the room that it once had is waited for once, and not before each unit.
func TestRoomThatShrank(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	printer, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer printer.Close()
	l := &link{conn: conn}
	if !l.fits(1) || l.widest < 16<<10 {
		t.Skipf("this system says that there is room for %d bytes", l.widest)
	}
	widest := l.widest
	unit := widest - 1000
	if !l.fits(unit) {
		t.Fatalf("%d bytes do not fit where there is room for %d", unit, widest)
	}
	if err := printer.(*net.TCPConn).SetReadBuffer(1); err != nil { // the least that the system has
		t.Fatal(err)
	}
	go func() { _, _ = io.CopyN(io.Discard, printer, int64(widest)) }()
	if _, err := conn.Write(make([]byte, widest)); err != nil {
		t.Fatal(err)
	}
	for r, _ := roomOf(conn); r.waiting > 0; r, _ = roomOf(conn) {
		time.Sleep(time.Millisecond) // a condition of the kernel's: there is nothing to wait on
	}
	if l.fits(unit) {
		t.Skip("the room did not shrink")
	}
	if l.narrow(); !l.fits(unit) {
		t.Error("after it was waited for once, it is waited for again")
	}
}
