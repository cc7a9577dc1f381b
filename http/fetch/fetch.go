// Package fetch gets the documents that a request names instead of bringing them (IPP's Print-URI and Send-URI): from places that
// whoever runs the server allowed, and from no other.
//
// Whoever can print can make this server ask for a document. So what a caller can rely on is:
//
//  1. Nothing is asked of a host, a port or a folder that no place names, also where an answer redirects there; no proxy is asked, and no
//     credentials go along. FTP's data connection goes to the host of its control connection.
//  2. A fetch ends with its context at the latest, and with an error if the document is not whole, as far as its protocol tells.
//     How long a document may be is the reader's to say.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"net/url"
	"slices"
	"time"
)

var (
	// ErrScheme: the URI's scheme is not one of Schemes.
	ErrScheme = errors.New("documents are not fetched by this scheme")
	// ErrPlace: the document is in no place that was allowed.
	ErrPlace = errors.New("documents are not fetched from there: printq serve --fetch-from says where from")
	// ErrAccess: the document could not be had.
	ErrAccess = errors.New("the document cannot be fetched")
)

// A Fetcher fetches. Its methods may be called from any goroutine.
type Fetcher struct {
	places []place
	web    *nethttp.Client
}

const (
	// answerTime is how long a server may take to connect, or to begin its answer.
	answerTime = 30 * time.Second
	// maxRedirects are followed.
	maxRedirects = 5
)

// New makes one that fetches from places, and from nowhere where there are none: URIs of http, https or ftp, each a document or a folder with all that is below it.
func New(places ...string) (*Fetcher, error) {
	f := &Fetcher{}
	for _, text := range places {
		p, err := parsePlace(text)
		if err != nil {
			return nil, err
		}
		f.places = append(f.places, p)
	}
	f.web = &nethttp.Client{
		// Each fetch has its own connection, and no environment variable names a proxy.
		Transport: &nethttp.Transport{
			DisableKeepAlives: true, DisableCompression: true,
			DialContext: (&net.Dialer{Timeout: answerTime}).DialContext, TLSHandshakeTimeout: answerTime, ResponseHeaderTimeout: answerTime,
		},
		CheckRedirect: func(r *nethttp.Request, via []*nethttp.Request) error {
			if len(via) > maxRedirects {
				return fmt.Errorf("more than %d redirections", maxRedirects)
			}
			_, err := f.allowed(r.URL.String())
			return err
		},
	}
	return f, nil
}

// Schemes are those by which documents may be named. Where from is for the places to say.
var Schemes = []string{"ftp", "http", "https"}

// Check says whether a document would be asked for. Its errors are ErrScheme and ErrPlace.
func (f *Fetcher) Check(uri string) error {
	_, err := f.allowed(uri)
	return err
}

func (f *Fetcher) allowed(uri string) (*url.URL, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return nil, fmt.Errorf("%w: %.256q is no URI", ErrPlace, uri)
	}
	if !slices.Contains(Schemes, u.Scheme) {
		return nil, fmt.Errorf("%w: %.64q: use one of %v", ErrScheme, u.Scheme, Schemes)
	}
	if !slices.ContainsFunc(f.places, func(p place) bool { return p.has(u) }) {
		return nil, fmt.Errorf("%w: %.256q", ErrPlace, uri)
	}
	return u, nil
}

// Open begins to fetch a document; reading it goes on until ctx ends. Its errors are those of Check, and ErrAccess.
func (f *Fetcher) Open(ctx context.Context, uri string) (io.ReadCloser, error) {
	u, err := f.allowed(uri)
	if err != nil {
		return nil, err
	}
	open := f.get
	if u.Scheme == "ftp" {
		open = retrieve
	}
	document, err := open(ctx, u)
	if err != nil && !errors.Is(err, ErrPlace) && !errors.Is(err, ErrScheme) {
		err = fmt.Errorf("%w: %w", ErrAccess, err)
	}
	return document, err
}

func (f *Fetcher) get(ctx context.Context, u *url.URL) (io.ReadCloser, error) {
	r, err := nethttp.NewRequestWithContext(ctx, nethttp.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	answer, err := f.web.Do(r)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != nethttp.StatusOK {
		answer.Body.Close()
		return nil, fmt.Errorf("%s says %s", u.Host, answer.Status)
	}
	return answer.Body, nil
}
