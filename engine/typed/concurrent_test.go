package typed_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/typed"
)

// TestConcurrent has several handles and the driver itself read and write the same variables: under -race it finds what is
// not synchronised, and in every build a value of which one half is from another SET. Every value is one byte, repeated.
func TestConcurrent(t *testing.T) {
	var (
		i64  atomic.Int64
		u64  atomic.Uint64
		st   typed.Locked[ks.BoundsLongLong]
		blob typed.Bytes
		text typed.Text
	)
	o := open(t, typed.ScalarVar(0, &i64).Range(0, 1<<62), typed.ScalarVar(1, &u64),
		typed.StructVar(2, ks.SizeBoundsLongLong, ks.DecodeBoundsLongLong, &st),
		typed.BlobVar(3, 64, &blob), typed.StringVar(4, 64, &text))
	dev := device.New(o.d)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			h, err := dev.Open()
			if err != nil {
				t.Error(err)
				return
			}
			defer h.Close()
			var file engine.FileObject
			var io engine.IoStatus
			out := make([]byte, 128)
			for i := range 500 {
				fill := byte(1 + (i*7+g*13)%60)
				for id := range uint32(5) {
					data := bytes.Repeat([]byte{fill}, 16)
					if id == 3 {
						data = bytes.Repeat([]byte{fill}, 1+int(fill))
					}
					if id == 4 {
						data = append(bytes.Repeat([]byte{fill, fill}, int(fill)), 0, 0)
					}
					if n, status := h.IoControl(ks.IoctlProperty, request(id, set), data); status != ks.StatusSuccess {
						t.Errorf("id %d: SET %v %d", id, status, n)
					}
					d := o.d.FastProperty(&file, engine.UserMode, request(id, set), data, &io)
					if id < 2 && !d {
						t.Errorf("id %d: the fast path did not answer", id)
					}
					n, status := h.IoControl(ks.IoctlProperty, request(id, get), out)
					if status != ks.StatusSuccess {
						t.Errorf("id %d: GET %v %d", id, status, n)
						continue
					}
					whole(t, id, out[:n])
					if o.d.FastProperty(&file, engine.UserMode, request(id, get), out, &io); io.Status != ks.StatusSuccess {
						t.Errorf("id %d: fast GET %v", id, io.Status)
						continue
					}
					whole(t, id, out[:io.Information])
				}
			}
		})
	}
	wg.Go(func() { // the driver
		for i := range 2000 {
			fill := byte(1 + i%60)
			word := binary.LittleEndian.Uint64(bytes.Repeat([]byte{fill}, 8))
			i64.Store(int64(word))
			u64.Store(word)
			st.Store(ks.BoundsLongLong{SignedMinimum: int64(word), SignedMaximum: int64(word)})
			if err := blob.Store(bytes.Repeat([]byte{fill}, 1+int(fill))); err != nil {
				t.Error(err)
			}
			if err := text.Store(strings.Repeat(string(rune(fill)*0x101), int(fill))); err != nil {
				t.Error(err)
			}
			if s := []rune(text.Load()); s[0] != s[len(s)-1] {
				t.Errorf("Load %q", string(s))
			}
			whole(t, 3, blob.Load())
		}
	})
	wg.Wait()
}

// whole reports a value that was mixed from two.
func whole(t *testing.T, id uint32, b []byte) {
	body, fill := b, 0
	switch id {
	case 3:
		fill = len(b) - 1
	case 4:
		body = b[:len(b)-2]
		fill = len(body) / 2
	}
	if len(body) == 0 || !bytes.Equal(body, bytes.Repeat(body[:1], len(body))) || fill != 0 && fill != int(body[0]) {
		t.Errorf("id %d: mixed value % x", id, b)
	}
}
