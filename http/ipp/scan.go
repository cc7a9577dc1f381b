package ipp

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"unicode/utf8"

	"github.com/OpenPrinting/goipp"
)

// Limits of what stands before the document. Real clients send a few KiB, collections in collections in collections.
const (
	maxMessage    = 64 << 10 // bytes
	maxAttributes = 1024     // attributes and members of collections
	maxDepth      = 8        // of collections
)

// headerLen is the length of what stands before the attributes: version, operation, request id.
const headerLen = 8

// maxValue is the most bytes of a value by its syntax (RFC 8011 §5.1, RFC 8010 §3.9); where none is said, what goipp encodes
// again, since what is not supported is sent back.
func maxValue(tag goipp.Tag) int {
	switch tag {
	case goipp.TagText, goipp.TagURI, goipp.TagString:
		return 1023
	case goipp.TagName, goipp.TagKeyword, goipp.TagMimeType, goipp.TagMemberName:
		return 255
	case goipp.TagURIScheme, goipp.TagCharset, goipp.TagLanguage:
		return 63
	case goipp.TagTextLang:
		return 2 + 63 + 2 + 1023
	case goipp.TagNameLang:
		return 2 + 63 + 2 + 255
	}
	return 1<<15 - 1
}

// A scanner reads a message up to the end of its attributes, and not a byte of the document that follows. It checks the
// limits while it reads: what decodes the message afterwards recurses, and allocates what the message says.
type scanner struct {
	r          *bufio.Reader
	raw        []byte
	attributes int
	depth      int
}

// scan returns what was read, also with an error: its header says whom to answer.
func scan(r *bufio.Reader) ([]byte, error) {
	s := scanner{r: r, raw: make([]byte, 0, 1024)}
	if _, err := s.take(headerLen); err != nil {
		return s.raw, err
	}
	for {
		tag, err := s.take(1)
		if err != nil {
			return s.raw, err
		}
		switch t := goipp.Tag(tag[0]); {
		case t.IsDelimiter() && s.depth > 0:
			return s.raw, badRequest("a collection is not closed before the group ends")
		case t == goipp.TagEnd:
			return s.raw, nil
		case t.IsDelimiter():
		default:
			if err := s.value(t); err != nil {
				return s.raw, err
			}
		}
	}
}

// value reads a name and a value after their tag.
func (s *scanner) value(tag goipp.Tag) error {
	name, err := s.field()
	if err != nil {
		return err
	}
	value, err := s.field()
	if err != nil {
		return err
	}
	if len(name) > 0 || tag == goipp.TagMemberName {
		s.attributes++
	}
	switch tag {
	case goipp.TagBeginCollection:
		s.depth++
	case goipp.TagEndCollection:
		s.depth--
	}
	switch {
	case s.attributes > maxAttributes:
		return fail(goipp.StatusErrorRequestEntity, "more than %d attributes", maxAttributes)
	case s.depth > maxDepth:
		return fail(goipp.StatusErrorRequestEntity, "collections are nested deeper than %d", maxDepth)
	case s.depth < 0:
		return badRequest("a collection ends that did not begin")
	case tag.Type() == goipp.TypeInvalid:
		return badRequest("attribute %.64q has tag %#02x: it stands for no syntax", name, int(tag))
	case len(name) > 255:
		return badRequest("an attribute's name has %d bytes: it may have 255", len(name))
	case len(value) > maxValue(tag):
		return fail(goipp.StatusErrorRequestValue, "a value of %.64q has %d bytes: it may have %d", name, len(value), maxValue(tag))
	case !utf8.Valid(name) || tag.Type() == goipp.TypeString && !utf8.Valid(value):
		return badRequest("%.64q is not UTF-8, as attributes-charset says", name)
	}
	return nil
}

// field reads a length, and as many bytes.
func (s *scanner) field() ([]byte, error) {
	length, err := s.take(2)
	if err != nil {
		return nil, err
	}
	return s.take(int(binary.BigEndian.Uint16(length)))
}

// take reads n more bytes of the message.
func (s *scanner) take(n int) ([]byte, error) {
	at := len(s.raw)
	if at+n > maxMessage {
		return nil, fail(goipp.StatusErrorRequestEntity, "the attributes have more than %d bytes", maxMessage)
	}
	s.raw = append(s.raw, make([]byte, n)...)
	got, err := io.ReadFull(s.r, s.raw[at:])
	if err != nil {
		s.raw = s.raw[:at+got]
		return nil, unread(err)
	}
	return s.raw[at:], nil
}

// unread says why a request could not be read on.
func unread(err error) error {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return badRequest("the request ends before its attributes do: send it again, whole")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fail(goipp.StatusErrorTimeout, "the request came to a standstill: send it again")
	}
	return badRequest("read the request: %v: send it again, whole", err)
}
