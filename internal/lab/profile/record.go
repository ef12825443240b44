package profile

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"sync"
	"time"

	pp "github.com/google/pprof/profile"
	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/internal/atomicfile"
	"github.com/ksdispatch/ksdispatch/internal/lab/machine"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// LeastRequests is how many requests a profile must be of to be believed.
const LeastRequests = 10_000_000

// Options say what to record.
type Options struct {
	Requests int           // of each workload and kind, at least
	CPUTime  time.Duration // of a processor, for each worker: what a CPU profile is of, at least
	Seed     uint64        // of the table and the requests
	Command  string        // for the sidecars

	// Progress is called before each step; nil for none.
	Progress func(done, total int, what string)

	environment report.Environment
	get         engine.Handler // for tests: instead of answer
}

func (o Options) workers() int { return max(2, runtime.GOMAXPROCS(0)) }

// step is how many requests a worker sends before it asks whether it is done: whole batches, and no more than there are.
func (o Options) step() int {
	return min(cycle, (o.Requests/batchLength+1)*batchLength)
}

// Record runs all workloads and writes their profiles and sidecars into dir, which is made if it does not exist. Files of
// an earlier recording are replaced, each in one step, when all have been recorded. It switches the process's profilers on
// and off, so it must not run beside something else that does.
func Record(ctx context.Context, dir string, opt Options) error {
	opt.environment = machine.Describe()
	if opt.get == nil {
		opt.get = answer
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	var all []file
	for i, w := range workloads {
		files, err := w.record(ctx, opt, func(kind int) {
			if opt.Progress != nil {
				opt.Progress(3*i+kind, 3*len(workloads), w.name)
			}
		})
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		all = append(all, files...)
	}
	for _, f := range all {
		text, err := f.encoded()
		if err != nil {
			return err
		}
		path := filepath.Join(dir, f.sidecar.File)
		if err := atomicfile.WriteFile(path, f.content); err != nil {
			return err
		}
		if err := atomicfile.WriteFile(path+".json", text); err != nil {
			return err
		}
	}
	return nil
}

// record makes the workers, lets each send some requests, so that what grows once has grown, and records what they do then.
func (w workload) record(ctx context.Context, opt Options, progress func(kind int)) (all []file, err error) {
	workers, err := w.newWorkers(opt.workers(), opt.Seed, opt.get)
	if err != nil {
		return nil, err
	}
	defer func() {
		for _, k := range workers {
			_ = k.close() // memory of its own; nothing is pended
		}
	}()
	for _, k := range workers {
		w.send(k, opt.step())
	}
	for i, kind := range []func(context.Context, workload, Options, []*worker) ([]file, error){recordCPU, recordDelta, recordTrace} {
		progress(i)
		files, err := kind(ctx, w, opt, workers)
		if err != nil {
			return nil, err
		}
		all = append(all, files...)
	}
	return all, nil
}

// window sends the requests from all workers at once and returns how many were sent and how long that took. With a least
// time it sends more than asked for, until each worker has had that much of a processor: samples are taken of time on a processor,
// and on a busy machine little of what passes is.
func window(ctx context.Context, w workload, opt Options, least time.Duration, workers []*worker) (sent int64, took time.Duration,
	err error) {
	step := opt.step()
	each := (opt.Requests/len(workers)/step + 1) * step
	var group sync.WaitGroup
	counts := make([]int64, len(workers))
	start, begun := time.Now(), processorTime()
	least *= time.Duration(len(workers))
	for i, k := range workers {
		group.Go(func() {
			deepen(0)
			for n := 0; (n < each || processorTime()-begun < least) && ctx.Err() == nil; n += step {
				w.send(k, step)
				counts[i] += int64(step)
			}
		})
	}
	group.Wait()
	took = time.Since(start)
	for i, k := range workers {
		sent += counts[i]
		if k.failed > 0 {
			return 0, 0, fmt.Errorf("%d requests failed", k.failed)
		}
	}
	return sent, took, ctx.Err()
}

// deepen gives its goroutine a stack that has room for a request. One that grows while requests are sent takes memory behind a lock of the
// runtime, and the contention of two workers there would look like one of the dispatcher's.
//
//go:noinline
func deepen(i int) byte {
	var deep [16 << 10]byte
	deep[i] = 1
	return deep[len(deep)-1-i]
}

func recordCPU(ctx context.Context, w workload, opt Options, workers []*worker) ([]file, error) {
	var content bytes.Buffer
	runtime.GC()
	if err := pprof.StartCPUProfile(&content); err != nil {
		return nil, err
	}
	sent, took, err := window(ctx, w, opt, opt.CPUTime, workers)
	pprof.StopCPUProfile()
	if err != nil {
		return nil, err
	}
	f, err := newFile(opt, w, "cpu", content.Bytes(), sent, took)
	return []file{f}, err
}

// recordDelta records what the profiles that count from the start of the process gained.
func recordDelta(ctx context.Context, w workload, opt Options, workers []*worker) ([]file, error) {
	rate := runtime.MemProfileRate
	runtime.MemProfileRate = 1
	runtime.SetBlockProfileRate(1)
	fraction := runtime.SetMutexProfileFraction(1)
	defer func() {
		runtime.MemProfileRate = rate
		runtime.SetBlockProfileRate(0)
		runtime.SetMutexProfileFraction(fraction)
	}()
	before, err := snapshot()
	if err != nil {
		return nil, err
	}
	var group sync.WaitGroup
	group.Go(witness)
	sent, took, err := window(ctx, w, opt, 0, workers)
	group.Wait()
	if err != nil {
		return nil, err
	}
	after, err := snapshot()
	if err != nil {
		return nil, err
	}
	var made []file
	for i, kind := range counted {
		content, err := difference(before[i], after[i])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", kind.name, err)
		}
		f, err := newFile(opt, w, kind.name, content, sent, took)
		if err != nil {
			return nil, err
		}
		made = append(made, f)
	}
	return made, nil
}

// counted are the profiles that recordDelta takes: our name and the runtime's.
var counted = []struct{ name, lookup string }{{"heap", "allocs"}, {"mutex", "mutex"}, {"block", "block"}}

// snapshot takes them. The heap's figures are those of the last collection but one, hence the collections.
func snapshot() ([]*pp.Profile, error) {
	for range 3 {
		runtime.GC()
	}
	var all []*pp.Profile
	for _, kind := range counted {
		var content bytes.Buffer
		if err := pprof.Lookup(kind.lookup).WriteTo(&content, 0); err != nil {
			return nil, err
		}
		p, err := pp.Parse(&content)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// difference is what came to a profile, but for what taking the first snapshot allocated itself.
func difference(before, after *pp.Profile) ([]byte, error) {
	before.Scale(-1)
	d, err := pp.Merge([]*pp.Profile{after, before})
	if err != nil {
		return nil, err
	}
	kept := d.Sample[:0]
	for _, s := range d.Sample {
		if s.Value[0] != 0 && !stackOf(s).has(isSnapshot) { // objects or contentions; the rest of a sample is bytes or a time
			kept = append(kept, s)
		}
	}
	d.Sample = kept
	var content bytes.Buffer
	err = d.Compact().Write(&content)
	return content.Bytes(), err
}

// taskName is the task of an execution trace that lasts as long as the requests.
const taskName = "requests"

// recordTrace records an execution trace of the requests, with a collection before them as the witness.
func recordTrace(ctx context.Context, w workload, opt Options, workers []*worker) ([]file, error) {
	var content bytes.Buffer
	content.Grow(1 << 20)
	if err := trace.Start(&content); err != nil {
		return nil, err
	}
	runtime.GC()
	_, task := trace.NewTask(ctx, taskName)
	sent, took, err := window(ctx, w, opt, 0, workers)
	task.End()
	trace.Stop()
	if err != nil {
		return nil, err
	}
	f, err := newFile(opt, w, "trace", content.Bytes(), sent, took)
	return []file{f}, err
}
