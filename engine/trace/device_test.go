package trace

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// What the devices of a trace answer, one after the other, is what they answer together; each request is counted once.
func TestDevicesAreReplayedByThemselves(t *testing.T) {
	trace := record(t, Config{}, func(r *Recorder) {
		requests := gets(100)
		for number := range uint32(3) {
			h := open(t, r, items(t), "items")
			if number == 1 {
				var value [4]byte
				binary.LittleEndian.PutUint32(value[:], 7)
				set := requests[0]
				binary.LittleEndian.PutUint32(set[20:], ks.PropertyTypeSet)
				h.IoControl(ks.IoctlProperty, set[:], value[:])
			}
			for i := range requests {
				h.IoControl(ks.IoctlProperty, requests[i][:], make([]byte, 4))
			}
		}
	})
	r := read(t, trace)
	replay := func(r *Reader) (*Result, int) {
		n := 0
		res, err := Replay(t.Context(), r, func(string, uint32) (*device.Device, error) { return items(t), nil }, ReplayOptions{Verify: true,
			Answered: func(code uint32, in []byte, _ uint32, status ks.Status, differs bool) {
				if code != ks.IoctlProperty || len(in) != ks.SizeIdentifier || status != ks.StatusSuccess || differs {
					t.Error(code, in, status, differs)
				}
				n++
			}})
		if err != nil {
			t.Fatal(err)
		}
		return res, n
	}
	all, called := replay(r)
	var sum Result
	for number := range uint32(4) { // of which there are three
		res, n := replay(r.Device(number + 1))
		if n != int(res.Requests) {
			t.Errorf("device %d: %d requests were sent, and %d noted", number+1, res.Requests, n)
		}
		sum.Requests += res.Requests
		sum.Differences += res.Differences
	}
	if all.Requests != 301 || called != 301 || sum.Requests != 301 || sum.Differences != 0 || all.Differences != 0 {
		t.Errorf("%+v, noted %d, by device %+v", all, called, sum)
	}
	if got := len(r.Device(2).Opened()); got != 1 {
		t.Errorf("device 2 has %d handles", got)
	}
}

// A record is found in the block that has it.
func TestLocate(t *testing.T) {
	trace := record(t, Config{Wait: true, Buffer: 4 << 10}, func(r *Recorder) {
		for range 2 {
			h := open(t, r, items(t), "items")
			for _, request := range gets(300) {
				h.IoControl(ks.IoctlProperty, request[:], make([]byte, 4))
			}
		}
	})
	r := read(t, trace)
	if r.Blocks() < 10 {
		t.Fatal(r.Blocks())
	}
	for rec, err := range r.Records() {
		if err != nil {
			t.Fatal(err)
		}
		n, offset := r.Locate(rec)
		b := &r.blocks[n]
		if b.offset != offset {
			t.Fatal(n, offset)
		}
		payload, err := r.payload(nil, b, n)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for x, err := range r.records(b, n, payload) {
			found = found || err == nil && x.Order == rec.Order
		}
		if !found {
			t.Fatalf("record %d is not in block %d", rec.Order, n)
		}
	}
}

// The header of a trace is read without the rest; nothing else is taken for one.
func TestReadHeader(t *testing.T) {
	trace := record(t, Config{}, func(r *Recorder) {})
	want := read(t, trace).Header()
	h, err := ReadHeader(bytes.NewReader(trace))
	if err != nil || h.ID != want.ID || h.Part != 0 {
		t.Error(h, err)
	}
	for _, at := range []int{0, 9, 20, 70} {
		bad := bytes.Clone(trace)
		bad[at] ^= 1
		if _, err := ReadHeader(bytes.NewReader(bad)); err == nil {
			t.Error("a header is read though it is damaged at", at)
		}
	}
	if _, err := ReadHeader(bytes.NewReader(trace[:100])); err == nil {
		t.Error("half a header is read")
	}
}
