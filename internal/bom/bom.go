// Package bom passes over the byte order mark that some editors and shells put before text.
package bom

import (
	"bufio"
	"errors"
	"io"
)

// Skip returns what follows the mark, or all of r if it begins with none. Text that begins with the mark of UTF-16, as Windows
// PowerShell redirects it, is refused.
func Skip(r io.Reader) (*bufio.Reader, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	head, _ := b.Peek(3) // the reader of the text will see the error
	switch {
	case string(head) == "\ufeff":
		_, err := b.Discard(len(head))
		return b, err
	case len(head) >= 2 && (head[0] == 0xFF && head[1] == 0xFE || head[0] == 0xFE && head[1] == 0xFF):
		return nil, errors.New("is UTF-16; save it as UTF-8, in PowerShell with | Out-File -Encoding utf8")
	}
	return b, nil
}
