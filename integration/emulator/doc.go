// Package emulator has printers for tests: bytes in, paper out, over real protocols and with a real printer's faults.
//
// [JetDirect] is a raw TCP printer (AppSocket, port 9100) with PJL; [IPP] is an IPP/2.0 printer. Both stand on an [Engine],
// which is what is the same in every printer: sheets go through it one after another, each in its time, and lie in the tray.
//
// # The paper is the oracle
//
// [Engine.Pages] is what physically came out, in its order, and nothing else: a page is on it once it has landed, or when
// the power went while it was on its way (then it is torn). It is append-only, outlives every loss of power, and may be read
// from any goroutine at any time. Everything else that the printer knows (its input buffer, the connection, PJL settings,
// jobs and their history) is memory, and gone with the power. So a test compares what printq says with the paper, and
// never with what the printer said.
//
// # Exact moments
//
// [Engine.DuringPage] and [Engine.AfterPages] call a function while the page that they name is on its way, or when it has
// landed and before the printer tells anybody. From there a test pulls the plug, cuts the connection or kills a member, and
// it happens at that page in every run. [IPP.BeforeReply] and [IPP.LoseReply] do the same for requests. So the host of a
// printer that dies at its third page, with two reported:
//
//	p := emulator.NewJetDirect(emulator.Options{})
//	defer p.Close()
//	addr, err := p.Start()
//	p.DuringPage(3, p.PowerOff)
//	// send to addr; p.PowerOn(); let printq recover
//	paper, err := p.Wait(ctx, func(paper []emulator.Page) bool { return len(paper) == 6 })
//
// No emulator sleeps unless PageTime, Delay or IdleTimeout says so. All of them run in a testing/synctest bubble where their
// listener does (Serve takes any).
//
// # Sources
//
// JetDirect speaks PJL by the HP PJL Technical Reference Manual: chapter 2 (syntax), 4 (kernel: UEL, ENTER, COMMENT), 5 (JOB,
// EOJ and the non-printing mode), 6 (SET, DEFAULT), 7 (status readback, unsolicited status, job recovery) and appendix D
// (status codes). Comments name the sections. Where models differ from the manual, an option says which way.
// IPP speaks RFC 8010 and RFC 8011, with what PWG 5100.12 (IPP/2.0) has every printer support; ipptool's suite is its check.
//
// # Not here
//
// The system's own socket buffers stand before the printer's: on a real socket a host can send more than Options.Buffer
// before it is held up, and that too is lost with the power; Options.SocketBuffer keeps them small. A printer interprets no further than the page that it prints,
// so the answer to a question comes after the pages that were sent before it, and JOB and EOJ are reported in their order;
// the manual allows an END after the next START. No page is rendered: a page is its bytes. PostScript, PDF, URF and PCL XL documents are taken whole, with as many pages as
// OtherPages says. PCL is text with form feeds. Of PJL, the file system, passwords, device attendance (RDYMSG and its
// like), EXECUTE and job ids are not there; SET and DEFAULT are remembered and change nothing on paper. SNMP,
// IPP subscriptions, and authentication are not there. Of ZPL's ~HS, formats in the buffer and labels that remain are always none.
package emulator
