package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem"

	"github.com/ksdispatch/ksdispatch/engine/trace"
	"github.com/ksdispatch/ksdispatch/internal/traffic"
)

// Job is what is to be done. It is sent to the workers.
type Job struct {
	Kind        Kind
	Points      []Point
	Differences int // that are kept
	Shards      int // into which the work is divided; 0 is one for each piece
}

// Kind is one of the jobs.
type Kind string

const (
	Verify Kind = "verify" // compare each answer with the recorded one
	Replay Kind = "replay" // measure
	Mine   Kind = "mine"   // count what was recorded
)

// Part is a file that is a trace, or a part of one.
type Part struct {
	Path   string
	Size   int64
	Number int // from 0
}

// Work is a piece of it: some devices of a trace at a point.
type Work struct {
	Parts   []Part
	Devices []uint32 `json:",omitempty"` // all that the trace has, if there are none
	Point   int      // index in Job.Points
	Of      int      // how many pieces the trace is divided into at the point
	First   bool     // of the pieces of its trace, which counts the trace
	Wrong   *Fault   `json:",omitempty"` // there is no work, as the trace cannot be used
}

// key names the piece within its job.
func (w *Work) key() string {
	first := uint32(0)
	if len(w.Devices) > 0 {
		first = w.Devices[0]
	}
	return fmt.Sprintf("%s\x00%d\x00%d", w.Parts[0].Path, first, w.Point)
}

// bytes are the share of the files that this piece is counted as.
func (w *Work) bytes() (n int64) {
	for _, p := range w.Parts {
		n += p.Size
	}
	return n / int64(w.Of)
}

// A Fault is a trace, or a device of one, that cannot be used.
type Fault struct{ Text string }

// inspect returns what a file is a part of.
func inspect(ctx context.Context, name string) (id string, part Part, err error) {
	system, err := filesystem.New(ctx, name)
	if err != nil {
		return "", part, err
	}
	defer system.Close()
	size, err := system.Size(ctx, name)
	if err != nil {
		return "", part, err
	}
	f, err := system.OpenRead(ctx, name)
	if err != nil {
		return "", part, err
	}
	defer f.Close()
	h, err := trace.ReadHeader(f)
	if err != nil {
		return "", part, &trace.BlockError{Name: name, Err: errors.New("this is no trace, or its first block is damaged; name .kst files")}
	}
	return h.ID, Part{name, size, h.Part}, nil
}

// assemble puts the parts of a trace in order. All of them must be there: what the later ones answer depends on the first.
func assemble(parts []Part) error {
	slices.SortFunc(parts, func(a, b Part) int { return cmp.Or(cmp.Compare(a.Number, b.Number), cmp.Compare(a.Path, b.Path)) })
	for i, p := range parts {
		switch {
		case i > 0 && parts[i-1].Number == p.Number:
			return fmt.Errorf("%s and %s are the same part of the same trace: leave one out", parts[i-1].Path, p.Path)
		case p.Number != i:
			return fmt.Errorf("%s is part %d of its trace, and part %d is missing: devices would not have the state that it begins with; "+
				"give all parts", p.Path, p.Number, i)
		}
	}
	return nil
}

// piece is the least of a trace, in bytes, that is worth to be opened by itself: who opens a trace reads the headers of all its blocks.
var piece int64 = 16 << 20

// maxPieces is how many pieces there are of a trace at most, and so how often its headers are read.
const maxPieces = 64

// divide returns the pieces that the work on a trace has.
func divide(ctx context.Context, job *Job, parts []Part) ([]Work, error) {
	size := int64(0)
	for _, p := range parts {
		size += p.Size
	}
	groups := [][]uint32{nil}
	if size > piece {
		f, done, err := open(ctx, parts)
		if err != nil {
			return nil, err
		}
		groups = group(f.Reader, max(1, min(size/piece, maxPieces)))
		done()
	}
	var all []Work
	for point := range job.Points {
		for i, devices := range groups {
			all = append(all, Work{Parts: parts, Devices: devices, Point: point, Of: len(groups), First: i == 0 && point == 0})
		}
	}
	return all, nil
}

// group deals the devices of a trace, in order, to at most n groups, each with its share of the blocks or more.
func group(r *trace.Reader, n int64) [][]uint32 {
	blocks, all := make(map[uint32]int), 0
	for _, o := range r.Opened() {
		blocks[o.Device] += 1 + o.Blocks
		all += 1 + o.Blocks
	}
	var groups [][]uint32
	var devices []uint32
	has := 0
	for _, d := range devicesOf(r) {
		devices = append(devices, d)
		if has += blocks[d]; int64(has)*n >= int64(all) {
			groups, devices, has = append(groups, devices), nil, 0
		}
	}
	if len(devices) > 0 || len(groups) == 0 {
		groups = append(groups, devices)
	}
	return groups
}

// devicesOf are the devices of a trace, by number.
func devicesOf(r *trace.Reader) []uint32 {
	var devices []uint32
	for _, o := range r.Opened() {
		devices = append(devices, o.Device)
	}
	slices.Sort(devices)
	return slices.Compact(devices)
}

// open opens a trace. What is not on this machine is copied to it first, as a replay reads here and there.
func open(ctx context.Context, parts []Part) (*traffic.File, func(), error) {
	paths, dir := make([]string, len(parts)), ""
	clean := func() {
		if dir != "" {
			_ = os.RemoveAll(dir)
		}
	}
	for i, p := range parts {
		paths[i] = p.Path
		if !strings.Contains(p.Path, "://") {
			info, err := os.Stat(p.Path)
			if err != nil {
				return nil, nil, err
			}
			if info.Size() != p.Size {
				return nil, nil, fmt.Errorf("%s: has %d bytes, and had %d when the job began: it is still being written", p.Path, info.Size(), p.Size)
			}
			continue
		}
		var err error
		if dir == "" {
			if dir, err = os.MkdirTemp("", "fleet-"); err != nil {
				return nil, nil, err
			}
		}
		paths[i] = fmt.Sprintf("%s/%d-%s", dir, i, path.Base(p.Path))
		if err = fetch(ctx, p, paths[i]); err != nil {
			clean()
			return nil, nil, err
		}
	}
	f, err := traffic.Open(paths...)
	if err != nil {
		clean()
		return nil, nil, renamed(err, parts)
	}
	return f, func() { _ = f.Close(); clean() }, nil
}

// renamed calls a trace what the user does, wherever it was copied to.
func renamed(err error, parts []Part) error {
	var block *trace.BlockError
	if !errors.As(err, &block) {
		return err
	}
	p, offset := locate(parts, block.Offset)
	return &trace.BlockError{Name: p.Path, Block: block.Block, Offset: offset, Err: block.Err}
}

// locate is the part that an offset of the whole trace is in.
func locate(parts []Part, offset int64) (Part, int64) {
	for _, p := range parts[:len(parts)-1] {
		if offset < p.Size {
			return p, offset
		}
		offset -= p.Size
	}
	return parts[len(parts)-1], offset
}

// fetch copies a file to this machine.
func fetch(ctx context.Context, p Part, to string) (err error) {
	system, err := filesystem.New(ctx, p.Path)
	if err != nil {
		return err
	}
	defer system.Close()
	from, err := system.OpenRead(ctx, p.Path)
	if err != nil {
		return err
	}
	defer from.Close()
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	n, err := io.Copy(f, from)
	if err = errors.Join(err, f.Close()); err == nil && n != p.Size {
		err = fmt.Errorf("%s: has %d bytes, and had %d when the job began: it is still being written", p.Path, n, p.Size)
	}
	return err
}

// faulty reports that an error is one of a trace, which no other attempt mends.
func faulty(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.As(err, new(*trace.BlockError)) && !errors.As(err, new(*fs.PathError))
}
