package emulator

// PowerOff pulls the plug: the sheet on its way is torn, what is buffered is lost, the connection is reset, and nobody can
// connect before PowerOn.
func (p *JetDirect) PowerOff() { p.plug(false) }

// PowerOffSilently is PowerOff as a host sees it over a real network: nothing comes any more, not even a reset. The
// connection is reset at PowerOn.
func (p *JetDirect) PowerOffSilently() { p.plug(true) }

func (p *JetDirect) plug(silently bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.powerOff() {
		return
	}
	if p.gate != nil {
		p.gate.close()
	}
	if p.session != nil {
		p.session.mute = silently
		if !silently {
			reset(p.session.conn)
		}
	}
}

// PowerOn starts the printer with nothing in its memory. With an error, its port is lost.
func (p *JetDirect) PowerOn() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.powerOn() {
		return nil
	}
	if p.gate == nil {
		return nil
	}
	return p.gate.open()
}

// Refuse lets nobody connect, or lets them again. The connection that is served stays. With an error, the port is lost.
func (p *JetDirect) Refuse(refuse bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.gate == nil:
		return nil
	case refuse:
		p.gate.close()
		return nil
	case p.off:
		return nil // it opens with the power
	}
	return p.gate.open()
}

// Hang stops the printer's program, or lets it go on: nothing is read, printed or answered; the connection stays, and the
// sheet on its way lands.
func (p *JetDirect) Hang(hang bool) { p.press(&p.hung, hang) }

// Reset resets the connection that is served, if there is one. What it sent is printed as Options.OnBreak says.
func (p *JetDirect) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.session != nil {
		p.session.breakOff()
		reset(p.session.conn)
	}
}

// Connected reports whether a connection is being served.
func (p *JetDirect) Connected() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.session != nil
}

// Buffered is how many bytes wait in the input buffer.
func (p *JetDirect) Buffered() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.session == nil {
		return 0
	}
	return len(p.session.buffer)
}

// PageCount is the printer's page counter, as INFO PAGECOUNT gives it: whole pages over its life, and two for each
// duplex sheet.
func (p *JetDirect) PageCount() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

// PaperOut is [Engine.PaperOut], and tells a host that asked for USTATUS DEVICE; so do the others.
func (p *JetDirect) PaperOut() { p.press(&p.noPaper, true) }

// PaperIn is [Engine.PaperIn].
func (p *JetDirect) PaperIn() { p.press(&p.noPaper, false) }

// OpenCover is [Engine.OpenCover].
func (p *JetDirect) OpenCover() { p.press(&p.coverOpen, true) }

// CloseCover is [Engine.CloseCover].
func (p *JetDirect) CloseCover() { p.press(&p.coverOpen, false) }

// Offline is [Engine.Offline].
func (p *JetDirect) Offline() { p.press(&p.offline, true) }

// Online is [Engine.Online].
func (p *JetDirect) Online() { p.press(&p.offline, false) }

// Show has the printer say that of itself where it would say that it is ready; the zero Status: it says so again. It prints all the same.
func (p *JetDirect) Show(s Status) { p.change(func() { p.shows = s }) }

func (p *JetDirect) press(flag *bool, to bool) { p.change(func() { *flag = to }) }

// change changes the printer's state and tells the host, where it wants to know (chapter 7, USTATUS DEVICE).
func (p *JetDirect) change(to func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	to()
	p.cond.Broadcast()
	s := p.session
	if s == nil {
		return
	}
	if now := p.status(); now.Code != s.told && s.pjl.status["DEVICE"] != "OFF" {
		s.told = now.Code
		s.sayLocked(unsolicited("DEVICE", now.lines()...))
	}
	s.signal()
}
