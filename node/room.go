package node

// room is how much memory is had before a document for what stands before it in its entry, so that it need not be copied there.
const room = 1 << 10

// roomy is memory for a document of n bytes behind that.
func roomy(n int) (whole, payload []byte) {
	whole = make([]byte, room+n)
	return whole, whole[room:]
}

// NewDocument is a document whose size bytes are yet to be read into Inline. ProposeDocument takes them as they lie.
func NewDocument(size int) *Document {
	d := &Document{Bytes: int64(size)}
	d.whole, d.Inline = roomy(size)
	return d
}

// takeRoom gives away the memory before the document, once: an entry lies there then.
func (r *request) takeRoom() (whole []byte) {
	whole, r.whole = r.whole, nil
	return whole
}
