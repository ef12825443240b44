// Package clip keeps a hostile text from being repeated in an error.
package clip

import "bytes"

// most is how many bytes are repeated.
const most = 64

// Bytes is the begin of a text, and an ellipsis, if the text is longer than an error is to be.
func Bytes(text []byte) []byte {
	if len(text) <= most {
		return text
	}
	return append(bytes.ToValidUTF8(text[:most], nil), "..."...)
}
