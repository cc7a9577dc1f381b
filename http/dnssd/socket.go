package dnssd

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/miekg/dns"
	"golang.org/x/net/ipv4"
)

const mdnsPort = 5353

var group = netip.AddrFrom4([4]byte{224, 0, 0, 251})

// A socket sends and receives on the group, on some interfaces. Others on the host may have the same port.
type socket struct{ *ipv4.PacketConn }

func openSocket(links []link) (*socket, error) {
	// For a multicast address, package net allows that others listen on the port, too.
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(224, 0, 0, 0), Port: mdnsPort})
	if err != nil {
		return nil, fmt.Errorf("listen for multicast DNS: %w", err)
	}
	s := &socket{ipv4.NewPacketConn(c)}
	if err := s.join(links); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return s, nil
}

func (s *socket) join(links []link) error {
	for _, l := range links {
		if err := s.JoinGroup(&net.Interface{Index: l.index}, &net.UDPAddr{IP: group.AsSlice()}); err != nil {
			return fmt.Errorf("join the group of multicast DNS on interface %d: %w", l.index, err)
		}
	}
	return errors.Join(s.SetControlMessage(ipv4.FlagInterface|ipv4.FlagDst, true), s.SetMulticastTTL(255), s.SetMulticastLoopback(true))
}

// receive returns the next message to the group. What is none, or not to the group, is left out: nobody beyond the link is answered.
func (s *socket) receive(buf []byte) (packet, error) {
	for {
		n, control, from, err := s.ReadFrom(buf)
		if err != nil {
			return packet{}, err
		}
		udp, ok := from.(*net.UDPAddr)
		if !ok || control == nil || !control.Dst.Equal(group.AsSlice()) {
			continue
		}
		m := new(dns.Msg)
		if m.Unpack(buf[:n]) != nil {
			continue
		}
		addr := udp.AddrPort()
		return packet{link: control.IfIndex, addr: netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port()), msg: m}, nil
	}
}

func (s *socket) send(p packet) error {
	b, err := p.msg.Pack()
	if err != nil {
		return fmt.Errorf("pack a message of multicast DNS: %w", err)
	}
	to := p.addr
	if !to.IsValid() {
		to = netip.AddrPortFrom(group, mdnsPort)
	}
	_, err = s.WriteTo(b, &ipv4.ControlMessage{IfIndex: p.link}, net.UDPAddrFromAddrPort(to))
	return err
}
