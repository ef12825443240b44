//go:build amd64 || arm64

package device_test

import (
	"reflect"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine/device"
)

// TestOverlappedIsOneCacheLine: what a program has thousands of, and what each completion and its reader touch.
func TestOverlappedIsOneCacheLine(t *testing.T) {
	if n := reflect.TypeFor[device.Overlapped]().Size(); n != 64 {
		t.Errorf("an Overlapped has %d bytes", n)
	}
}
