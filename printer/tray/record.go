package tray

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"

	"printq/printer/device"
	"printq/queue"
)

// kind is what a line of the ledger records.
type kind uint8

const (
	torn  kind = iota // not a record: a fragment, or of a version to come
	epoch             // the ledger begins
	claim             // a token was opened
	page              // a unit came out, if the line counts
	closing
)

// A record is one line of the ledger.
type record struct {
	kind    kind
	token   queue.Token
	attempt uint64
	job     uint64
	copy    int
	page    int
	bytes   int64
	sha256  [32]byte
	first   bool
	last    bool
	epoch   string
	cluster string
	adopts  string
}

// line is the JSON of one line, in the order of the design.
type line struct {
	Epoch   *string    `json:"epoch"`
	Cluster string     `json:"cluster"`
	Adopts  string     `json:"adopts"`
	Claim   *[2]uint64 `json:"claim"`
	Term    uint64     `json:"term"`
	Index   uint64     `json:"index"`
	Attempt uint64     `json:"attempt"`
	Job     uint64     `json:"job"`
	Copy    int        `json:"copy"`
	Page    int        `json:"page"`
	Bytes   int64      `json:"bytes"`
	SHA256  string     `json:"sha256"`
	First   bool       `json:"first"`
	Last    bool       `json:"last"`
	Close   *uint64    `json:"close"`
}

// encode is the record as one line, with its newline.
func (r record) encode() []byte {
	b := make([]byte, 0, 256)
	switch r.kind {
	case epoch:
		b = append(b, `{"epoch":`...)
		b = quote(b, r.epoch)
		b = append(b, `,"cluster":`...)
		b = quote(b, r.cluster)
		if r.adopts != "" {
			b = append(b, `,"adopts":`...)
			b = quote(b, r.adopts)
		}
		return append(b, "}\n"...)
	case claim:
		return fmt.Appendf(b, "{\"claim\":[%d,%d]}\n", r.token.Term, r.token.Index)
	}
	b = fmt.Appendf(b, `{"term":%d,"index":%d`, r.token.Term, r.token.Index)
	if r.kind == closing {
		return fmt.Appendf(b, ",\"close\":%d}\n", r.attempt)
	}
	b = fmt.Appendf(b, `,"attempt":%d,"job":%d,"copy":%d,"page":%d,"bytes":%d,"sha256":"`, r.attempt, r.job, r.copy, r.page, r.bytes)
	b = append(hex.AppendEncode(b, r.sha256[:]), '"')
	if r.first {
		b = append(b, `,"first":true`...)
	}
	if r.last {
		b = append(b, `,"last":true`...)
	}
	return append(b, "}\n"...)
}

func quote(b []byte, s string) []byte {
	q, err := json.Marshal(s)
	if err != nil { // a string always can be
		return strconv.AppendQuote(b, s)
	}
	return append(b, q...)
}

// decode reads a line without its newline. Anything that is not one whole record is torn: a fragment that another writer's record was
// appended to is never valid JSON, since its first brace or its string stays open.
func decode(b []byte) record {
	var l line
	if len(b) == 0 || b[0] != '{' || json.Unmarshal(b, &l) != nil {
		return record{}
	}
	r := record{token: queue.Token{Term: l.Term, Index: l.Index}}
	switch {
	case l.Epoch != nil && *l.Epoch != "":
		r.kind, r.epoch, r.cluster, r.adopts = epoch, *l.Epoch, l.Cluster, l.Adopts
	case l.Claim != nil && l.Claim[0] != 0:
		r.kind, r.token = claim, queue.Token{Term: l.Claim[0], Index: l.Claim[1]}
	case l.Close != nil:
		r.kind, r.attempt = closing, *l.Close
	case l.Attempt != 0:
		sum, err := hex.DecodeString(l.SHA256)
		if err != nil || len(sum) != len(r.sha256) || l.Bytes < 0 {
			return record{}
		}
		r.kind, r.attempt, r.job, r.copy, r.page = page, l.Attempt, l.Job, l.Copy, l.Page
		r.bytes, r.first, r.last = l.Bytes, l.First, l.Last
		copy(r.sha256[:], sum)
	}
	return r
}

func (r record) unit() device.Page {
	return device.Page{Token: r.token, Attempt: r.attempt, Copy: r.copy, Page: r.page, First: r.first, Last: r.last}
}
