package api

import (
	"encoding/json"
	"strconv"
	"time"
)

// AppendJSON appends what json.Marshal makes of the job. One that has only just been taken, of which thousands are answered in a
// second, is written without reflection.
func (j *Job) AppendJSON(b []byte) ([]byte, error) {
	if len(j.Attempts) > 0 || j.Attempts == nil || len(j.Options) > 0 || j.InDoubt != nil || j.DocumentGone ||
		!j.Began.IsZero() || !j.Ended.IsZero() || j.Stopping != "" || j.MoveTo != "" {
		whole, err := json.Marshal(j)
		return append(b, whole...), err
	}
	b = strconv.AppendUint(append(b, `{"id":`...), j.ID, 10)
	b = appendText(append(b, `,"printer":`...), j.Printer)
	b = appendText(append(b, `,"state":`...), j.State)
	b = appendGiven(b, `,"reason":`, j.Reason)
	b = appendGiven(b, `,"waits":`, j.Waits)
	b = appendText(append(b, `,"name":`...), j.Name)
	b = appendText(append(b, `,"user":`...), j.User)
	b = appendText(append(b, `,"format":`...), j.Format)
	b = strconv.AppendUint(append(b, `,"bytes":`...), j.Bytes, 10)
	b = appendText(append(b, `,"sha256":`...), j.SHA256)
	b = strconv.AppendUint(append(b, `,"pages":`...), uint64(j.Pages), 10)
	b = strconv.AppendUint(append(b, `,"units":`...), uint64(j.Units), 10)
	b = strconv.AppendUint(append(b, `,"printed":`...), uint64(j.Printed), 10)
	b = strconv.AppendUint(append(b, `,"copies":`...), uint64(j.Copies), 10)
	b = strconv.AppendUint(append(b, `,"priority":`...), uint64(j.Priority), 10)
	if j.Of != 0 {
		b = strconv.AppendUint(append(b, `,"of":`...), j.Of, 10)
	}
	if j.DuplicateOf != 0 {
		b = strconv.AppendUint(append(b, `,"duplicate_of":`...), j.DuplicateOf, 10)
	}
	b = strconv.AppendUint(append(b, `,"submitted":{"index":`...), j.Submitted.Index, 10)
	b = strconv.AppendUint(append(b, `,"term":`...), j.Submitted.Term, 10)
	b = j.Submitted.Time.AppendFormat(append(b, `,"time":"`...), time.RFC3339Nano)
	b = append(b, `"}`...)
	b = appendGiven(b, `,"ttl":`, j.TTL)
	b = strconv.AppendUint(append(b, `,"attempts":[],"changed":`...), j.Changed, 10)
	return append(b, '}'), nil
}

// AppendJSON appends what json.Marshal makes of the item.
func (i *BatchItem) AppendJSON(b []byte) ([]byte, error) {
	if i.Job == nil || i.Problem != nil {
		whole, err := json.Marshal(i)
		return append(b, whole...), err
	}
	b = strconv.AppendInt(append(b, `{"status":`...), int64(i.Status), 10)
	b, err := i.Job.AppendJSON(append(b, `,"job":`...))
	return append(b, '}'), err
}

func appendGiven(b []byte, name, text string) []byte {
	if text == "" {
		return b
	}
	return appendText(append(b, name...), text)
}

// appendText leaves what has to be escaped to json.
func appendText(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			whole, _ := json.Marshal(text) // a string is always marshalled
			return append(b, whole...)
		}
	}
	b = append(append(b, '"'), text...)
	return append(b, '"')
}
