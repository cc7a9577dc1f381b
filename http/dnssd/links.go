package dnssd

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
)

// linksOf are the interfaces on which a server at addr can be reached, with what it is called by there.
func linksOf(addr netip.Addr, host string) ([]link, error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list the network interfaces: %w", err)
	}
	var links []link
	for _, i := range interfaces {
		all := addrsOf(i)
		if !slices.ContainsFunc(all, netip.Addr.Is4) {
			continue // there is no sending from it
		}
		switch {
		case i.Flags&net.FlagUp == 0:
		case addr.IsUnspecified():
			if i.Flags&net.FlagLoopback == 0 && i.Flags&net.FlagMulticast != 0 {
				all = slices.DeleteFunc(all, func(a netip.Addr) bool { return addr.Is4() && !a.Is4() })
				links = append(links, link{i.Index, hostRecords(host, all)})
			}
		case slices.Contains(all, addr.Unmap()):
			links = append(links, link{i.Index, hostRecords(host, []netip.Addr{addr.Unmap()})})
		}
	}
	if len(links) == 0 {
		return nil, fmt.Errorf("no network interface has %s, or takes multicast: there is nobody to advertise to", addr)
	}
	return links, nil
}

func addrsOf(i net.Interface) (addrs []netip.Addr) {
	list, err := i.Addrs()
	if err != nil {
		return nil
	}
	for _, a := range list {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok {
				addrs = append(addrs, ip.Unmap())
			}
		}
	}
	return addrs
}
