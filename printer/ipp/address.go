package ipp

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// An Address is a device URI, taken apart.
type Address struct {
	TLS bool
	// Host and port to connect to.
	Host string
	// Path at the printer, with its query.
	Path string
	// Of HTTP basic authentication; empty: none.
	User, Password string
	// Pin is the SHA-256 of the public key that the printer's certificate must have; nil: the certificate must be valid.
	Pin []byte
	// CA is a file of certificates in PEM that are trusted beside, or rather than, the system's; empty: the system's.
	CA string
	// Member as in every device URI; 0: any.
	Member uint64
	// Blind: the printer's job list is not to be relied on.
	Blind bool
}

// Is reports whether the URI is one of this package.
func Is(uri string) bool {
	scheme, _, _ := strings.Cut(strings.ToLower(uri), ":")
	return scheme == "ipp" || scheme == "ipps"
}

// Redact is the URI without a password, for people.
func Redact(uri string) string {
	if u, err := url.Parse(uri); err == nil {
		return u.Redacted()
	}
	scheme, rest, _ := strings.Cut(uri, "://")
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		return scheme + "://…" + rest[at:]
	}
	return uri
}

// Parse reads a device URI:
//
//	ipp://[USER:PASSWORD@]HOST[:631]/PATH    in the clear
//	ipps://…                                 TLS from the first byte
//
// Options: ?member=N, ?pin=SHA256 and ?ca=FILE with ipps, ?class=blind. What is wrong is said without the password.
func Parse(uri string) (Address, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return Address{}, errors.New("it is no URI: write ipp://HOST/ipp/print, with % in a password as %25")
	}
	scheme := strings.ToLower(u.Scheme)
	a := Address{TLS: scheme == "ipps", Path: u.EscapedPath(), User: u.User.Username()}
	a.Password, _ = u.User.Password()
	switch {
	case !Is(uri):
		return a, errors.New("the schemes are ipp and ipps")
	case u.Hostname() == "":
		return a, errors.New("it names no host: write ipp://HOST/ipp/print")
	case u.Fragment != "":
		return a, errors.New("it has a fragment, #…: a printer has none")
	case len(uri) > 1023:
		return a, errors.New("it has more than 1023 bytes")
	}
	port := u.Port()
	if port == "" {
		port = "631"
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return a, fmt.Errorf("%s is no port", port)
	}
	a.Host = net.JoinHostPort(u.Hostname(), port)
	if a.Path == "" {
		a.Path = "/"
	}
	options, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return a, err
	}
	for name, values := range options {
		if err := a.option(name, values[len(values)-1]); err != nil {
			return a, err
		}
	}
	if !a.TLS && (a.Pin != nil || a.CA != "") {
		return a, errors.New("pin and ca are of TLS: write ipps://")
	}
	return a, nil
}

func (a *Address) option(name, value string) (err error) {
	switch name {
	case "member":
		if a.Member, err = strconv.ParseUint(value, 10, 64); err != nil || a.Member == 0 {
			return fmt.Errorf("member=%s is no member id", value)
		}
	case "pin":
		if a.Pin, err = hex.DecodeString(strings.ReplaceAll(value, ":", "")); err != nil || len(a.Pin) != 32 {
			return fmt.Errorf("pin=%s is no SHA-256 in hex: 64 digits", value)
		}
	case "ca":
		if a.CA = value; value == "" {
			return errors.New("ca names no file")
		}
	case "class":
		if a.Blind = value == "blind"; !a.Blind {
			return fmt.Errorf("class=%s: it may be blind, or left out", value)
		}
	default:
		return fmt.Errorf("unknown option %q; an IPP printer has member, pin, ca and class", name)
	}
	return nil
}

// printerURI is what requests name the printer by.
func (a *Address) printerURI() string {
	if a.TLS {
		return "ipps://" + a.named() + a.Path
	}
	return "ipp://" + a.named() + a.Path
}

// url is where requests go.
func (a *Address) url() string {
	if a.TLS {
		return "https://" + a.Host + a.Path
	}
	return "http://" + a.Host + a.Path
}

// named is the host as the URI should have it: printers compare it with their own name, and 631 is not said.
func (a *Address) named() string { return strings.TrimSuffix(a.Host, ":631") }
