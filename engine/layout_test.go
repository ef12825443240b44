//go:build (amd64 || arm64) && !(purego || invariants || race)

package engine

import (
	"testing"
	"unsafe"
)

// The fields of an IRP that a short request touches lie together: with the two words that a device.Handle begins with on three cache lines,
// and what leads to the item on the first of them. A Handle is eight lines, which is what the sizes are for.
func TestHotFieldsOfIRP(t *testing.T) {
	var irp IRP
	const before, line = 16, 64
	for _, c := range []struct {
		what       string
		end, limit uintptr
	}{
		{"an IRP", unsafe.Sizeof(irp), 280},
		{"a FileObject", unsafe.Sizeof(FileObject{}), 184},
		{"what leads to the item", before + unsafe.Offsetof(irp.Flags) + unsafe.Sizeof(irp.Flags), line},
		{"what a short request needs", before + unsafe.Offsetof(irp.Memory) + unsafe.Sizeof(uintptr(0)), 3 * line},
	} {
		if c.end > c.limit {
			t.Errorf("%s ends after %d bytes, not %d", c.what, c.end, c.limit)
		}
	}
	// Which those are: none of them is behind Memory.
	for name, at := range map[string]uintptr{"owner": unsafe.Offsetof(irp.owner), "direct": unsafe.Offsetof(irp.direct),
		"state": unsafe.Offsetof(irp.state), "closed": unsafe.Offsetof(irp.closed), "index": unsafe.Offsetof(irp.index)} {
		if at > unsafe.Offsetof(irp.Flags) {
			t.Errorf("%s is behind what leads to the item", name)
		}
	}
	for name, at := range map[string]uintptr{"lengths": unsafe.Offsetof(irp.InputBufferLength), "rule": unsafe.Offsetof(irp.rule),
		"layout": unsafe.Offsetof(irp.layout), "ident": unsafe.Offsetof(irp.ident), "Pool": unsafe.Offsetof(irp.Pool),
		"IoStatus": unsafe.Offsetof(irp.IoStatus), "SystemBuffer": unsafe.Offsetof(irp.SystemBuffer), "base": unsafe.Offsetof(irp.base),
		"UserEvent": unsafe.Offsetof(irp.UserEvent)} {
		if at > unsafe.Offsetof(irp.Memory) {
			t.Errorf("%s is behind what a short request needs", name)
		}
	}
}
