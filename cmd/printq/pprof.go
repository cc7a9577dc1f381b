package main

import (
	"net"
	nethttp "net/http"
	"net/http/pprof"
	"runtime"
	"time"

	"printq/http"
)

// servePprof serves the profiles on a listener of their own: they are nobody's business but the operator's.
func servePprof(addr string) (stop func(), err error) {
	if !http.IsLoopback(addr) {
		return nil, usage("--pprof is %s, which other hosts reach: use a loopback address", addr)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, portError("--pprof", addr, err)
	}
	runtime.SetBlockProfileRate(int(10 * time.Microsecond))
	runtime.SetMutexProfileFraction(100)
	mux := nethttp.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	server := &nethttp.Server{Handler: mux, ReadHeaderTimeout: time.Second}
	go func() { _ = server.Serve(l) }() // ends with Close
	return func() { _ = server.Close() }, nil
}
