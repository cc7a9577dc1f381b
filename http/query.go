package http

import (
	nethttp "net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"printq/queue"
)

// A query is a request's parameters. A parameter that is not known is an error: a misspelt one would print something else
// than was meant. The first error stays in err.
type query struct {
	values url.Values
	err    error
}

func parseQuery(r *nethttp.Request, known ...string) *query {
	q := new(query)
	if r.URL.RawQuery == "" {
		return q
	}
	if q.values, q.err = url.ParseQuery(r.URL.RawQuery); q.err != nil {
		q.err = invalid("%v: escape the query's values", q.err)
		return q
	}
	for name, values := range q.values {
		if !slices.Contains(known, name) {
			q.fail("%q is not a parameter here: there are %s", name, strings.Join(known, ", "))
		} else if len(values) > 1 {
			q.fail("%q is given %d times: give it once", name, len(values))
		}
	}
	return q
}

func (q *query) fail(format string, args ...any) {
	if q.err == nil {
		q.err = invalid(format, args...)
	}
}

func (q *query) has(name string) bool { return q.values.Has(name) }

func (q *query) text(name string) string {
	value := q.values.Get(name)
	if err := checkText(name, value); err != nil && q.err == nil {
		q.err = err
	}
	return value
}

// number is otherwise where the parameter is not given.
func (q *query) number(name string, low, high, otherwise uint64) uint64 {
	if !q.has(name) {
		return otherwise
	}
	n, err := parseNumber(name, q.values.Get(name), low, high)
	if err != nil && q.err == nil {
		q.err = err
	}
	return n
}

func (q *query) flag(name string) bool {
	on, err := parseFlag(name, q.values.Get(name), q.has(name))
	if err != nil && q.err == nil {
		q.err = err
	}
	return on
}

func (q *query) duration(name string, longest time.Duration) time.Duration {
	if !q.has(name) {
		return 0
	}
	d, err := parseDuration(name, q.values.Get(name), longest)
	if err != nil && q.err == nil {
		q.err = err
	}
	return d
}

func parseNumber(name, value string, low, high uint64) (uint64, error) {
	n, err := strconv.ParseUint(value, 10, 64)
	if err != nil || n < low || n > high {
		return 0, invalid("%s is %q: it must be a number from %d to %d", name, value, low, high)
	}
	return n, nil
}

func parseFlag(name, value string, given bool) (bool, error) {
	if value == "" {
		return given, nil
	}
	on, err := strconv.ParseBool(value)
	if err != nil {
		return false, invalid("%s is %q: it must be true or false", name, value)
	}
	return on, nil
}

// parseDuration takes what Go spells a duration, above zero.
func parseDuration(name, value string, longest time.Duration) (time.Duration, error) {
	d, err := time.ParseDuration(value)
	if err != nil || d <= 0 || d > longest {
		return 0, invalid("%s is %q: it must be a duration such as 30s or 2h, at most %v", name, value, longest)
	}
	return d, nil
}

// checkText keeps out what could not be stored (not UTF-8) and what could not be read again (control characters).
func checkText(name, value string) error {
	if len(value) > queue.MaxText {
		return invalid("%s has %d bytes: it may have %d", name, len(value), queue.MaxText)
	}
	for i := range len(value) {
		if value[i] < ' ' || value[i] == 0x7f {
			return invalid("%s has a control character at byte %d: leave it out", name, i)
		}
	}
	if !utf8.ValidString(value) {
		return invalid("%s is not UTF-8: encode it so", name)
	}
	return nil
}
