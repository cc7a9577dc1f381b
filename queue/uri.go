package queue

import (
	"fmt"
	"path"
	"strings"
)

// normalURI is what two URIs of one device have in common: scheme and host in lower case, the path cleaned, no query.
// Which schemes exist is not for the queue to say.
func normalURI(uri string) (string, error) {
	scheme, rest, found := strings.Cut(uri, ":")
	if !found || !isScheme(scheme) {
		return "", fmt.Errorf("%w: device %q: want scheme:rest", ErrInvalid, uri)
	}
	if len(uri) > MaxText || strings.ContainsFunc(uri, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", fmt.Errorf("%w: device %q: too long, or holds control characters", ErrInvalid, uri)
	}
	rest, _, _ = strings.Cut(rest, "?")
	host := ""
	if after, ok := strings.CutPrefix(rest, "//"); ok {
		i := strings.IndexByte(after, '/')
		if i < 0 {
			i = len(after)
		}
		host, rest = strings.ToLower(after[:i]), after[i:]
	}
	if host == "" && rest == "" {
		return "", fmt.Errorf("%w: device %q: nothing after the scheme", ErrInvalid, uri)
	}
	if host != "" {
		host = "//" + host
		rest = "/" + rest
	}
	return strings.ToLower(scheme) + ":" + host + path.Clean(rest), nil
}

func isScheme(s string) bool {
	for i, c := range []byte(strings.ToLower(s)) {
		letter := c >= 'a' && c <= 'z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789+.-", rune(c))) {
			return false
		}
	}
	return s != ""
}

// printerName checks a printer's name: it stands in paths and in IPP URIs.
func printerName(name string) error {
	ok := len(name) >= 1 && len(name) <= MaxPrinterName && name[0] != '.' && name[0] != '-'
	for _, c := range []byte(name) {
		ok = ok && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-')
	}
	if !ok {
		return fmt.Errorf("%w: printer name %q: want 1 to %d of A-Z a-z 0-9 . _ -, not beginning with . or -", ErrInvalid, name, MaxPrinterName)
	}
	return nil
}
