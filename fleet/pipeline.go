package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"sync/atomic"

	"github.com/cespare/xxhash/v2"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/ksdispatch/ksdispatch/internal/traffic"
)

func init() {
	register.DoFn3x1[context.Context, string, func(string, []byte), error](&inspectFn{})
	register.DoFn4x1[context.Context, string, func(*[]byte) bool, func(uint64, []byte), error](&planFn{})
	register.DoFn4x1[context.Context, uint64, func(*[]byte) bool, func(string, []byte), error](&workFn{})
	register.DoFn3x1[string, func(*[]byte) bool, func(Sum), error](&onceFn{})
	register.DoFn2x1[context.Context, Sum, error](&writeFn{})
	register.Combiner1[Sum](&addFn{})
	register.Emitter2[string, []byte]()
	register.Emitter2[uint64, []byte]()
	register.Emitter1[Sum]()
	register.Iter1[[]byte]()
	beam.RegisterCoder(reflect.TypeFor[Sum](), encodeSum, decodeSum)
}

// worked is how many bytes of traces this process has done, for its progress.
var worked atomic.Int64

// Sum is a Total on its way through the pipeline.
type Sum struct{ *Total }

func encodeSum(s Sum) ([]byte, error) { return s.encode() }

func decodeSum(b []byte) (Sum, error) {
	t, err := decodeTotal(b)
	return Sum{t}, err
}

// build builds the pipeline of a job, which writes its total to a file. Elements are names and pieces of work, never bytes of traces.
func build(job *Job, names []string, to string) (*beam.Pipeline, error) {
	text, err := json.Marshal(job)
	if err != nil {
		return nil, err
	}
	p, s := beam.NewPipelineWithRoot()
	files := beam.Reshuffle(s, beam.CreateList(s, names))
	parts := beam.GroupByKey(s, beam.ParDo(s, &inspectFn{}, files))
	works := beam.GroupByKey(s, beam.ParDo(s, &planFn{Job: text}, parts))
	done := beam.GroupByKey(s, beam.ParDo(s, &workFn{Job: text}, works))
	total := beam.Combine(s, &addFn{Differences: job.Differences}, beam.ParDo(s, &onceFn{}, done))
	beam.ParDo0(s, &writeFn{To: to}, total)
	return p, nil
}

// inspectFn finds out what each file is a part of.
type inspectFn struct{}

func (*inspectFn) ProcessElement(ctx context.Context, name string, emit func(string, []byte)) error {
	id, part, err := inspect(ctx, name)
	if err != nil && faulty(err) {
		id, part.Path, part.Number = "\x00"+name, err.Error(), fault
		err = nil
	}
	if err != nil {
		return err
	}
	text, err := json.Marshal(part)
	emit(id, text)
	return err
}

// fault is the number of a part that is none: its path says why.
const fault = -1

// planFn divides the work on each trace, and deals it out to the shards.
type planFn struct {
	Job []byte
	job *Job
}

// Setup is called by Beam.
func (f *planFn) Setup() error { return json.Unmarshal(f.Job, &f.job) }

func (f *planFn) ProcessElement(ctx context.Context, _ string, parts func(*[]byte) bool, emit func(uint64, []byte)) error {
	var all []Part
	var text []byte
	for parts(&text) {
		var p Part
		if err := json.Unmarshal(text, &p); err != nil {
			return err
		}
		all = append(all, p)
	}
	var works []Work
	var wrong *Fault
	if all[0].Number == fault {
		wrong = &Fault{all[0].Path}
	} else {
		var err error
		if works, wrong, err = plan(ctx, f.job, all); err != nil {
			return err
		}
	}
	if wrong != nil {
		works = []Work{{Parts: all, Wrong: wrong, Of: 1}}
	}
	for i := range works {
		text, err := json.Marshal(&works[i])
		if err != nil {
			return err
		}
		emit(f.job.shard(&works[i]), text)
	}
	return nil
}

// shard is where a piece of work is done.
func (j *Job) shard(w *Work) uint64 {
	h := xxhash.Sum64String(w.key())
	if j.Shards > 0 {
		h %= uint64(j.Shards)
	}
	return h
}

// workFn does the work of a shard, a piece at a time.
type workFn struct {
	Job     []byte
	job     *Job
	targets []*traffic.Target
}

// Setup is called by Beam.
func (f *workFn) Setup() (err error) {
	if err = json.Unmarshal(f.Job, &f.job); err == nil {
		f.targets, err = f.job.targets()
	}
	return err
}

// hook is called before each piece of work; tests let it fail, or have the piece done again.
var hook = func(*Work) (again bool, err error) { return false, nil }

func (f *workFn) ProcessElement(ctx context.Context, _ uint64, works func(*[]byte) bool, emit func(string, []byte)) error {
	var text []byte
	for works(&text) {
		var w Work
		if err := json.Unmarshal(text, &w); err != nil {
			return err
		}
		again, err := hook(&w)
		if err != nil {
			return err
		}
		t := &Total{}
		if w.Wrong != nil {
			t.Faults = []Fault{*w.Wrong}
		} else if t, err = do(ctx, f.job, f.targets[w.Point], &w); err != nil {
			return err
		}
		worked.Add(w.bytes())
		out, err := t.encode()
		if err != nil {
			return err
		}
		if len(out) > maxMessage {
			return fmt.Errorf("%s: what it comes to has %d bytes, and a message of Beam at most 4 MB: ask for fewer differences",
				w.Parts[0].Path, len(out))
		}
		emit(w.key(), out)
		if again {
			emit(w.key(), out)
		}
	}
	return nil
}

// maxMessage is a little less than a message may have.
const maxMessage = 3 << 20

// onceFn keeps one result of each piece of work, however often it was done.
type onceFn struct{}

func (*onceFn) ProcessElement(key string, results func(*[]byte) bool, emit func(Sum)) error {
	var least, one []byte
	for results(&one) {
		if least == nil || bytes.Compare(one, least) < 0 {
			least = bytes.Clone(one)
		}
	}
	t, err := decodeTotal(least)
	if err != nil {
		return fmt.Errorf("%q: %w", key, err)
	}
	emit(Sum{t})
	return nil
}

// addFn adds totals.
type addFn struct{ Differences int }

// CreateAccumulator is called by Beam.
func (*addFn) CreateAccumulator() Sum { return Sum{new(Total)} }

// MergeAccumulators is called by Beam.
func (f *addFn) MergeAccumulators(a, b Sum) Sum {
	a.add(b.Total, f.Differences)
	return a
}

// writeFn writes the total.
type writeFn struct{ To string }

func (f *writeFn) ProcessElement(ctx context.Context, total Sum) error {
	system, err := filesystem.New(ctx, f.To)
	if err != nil {
		return err
	}
	defer system.Close()
	text, err := total.encode()
	if err != nil {
		return err
	}
	w, err := system.OpenWrite(ctx, f.To)
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return errors.Join(err, w.Close())
}

// result reads what the pipeline wrote.
func result(ctx context.Context, from string) (*Total, error) {
	system, err := filesystem.New(ctx, from)
	if err != nil {
		return nil, err
	}
	defer system.Close()
	r, err := system.OpenRead(ctx, from)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return decodeTotal(text)
}
