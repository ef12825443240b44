// Fuzzer throws what a client once sent, mutated, at the model of a driver, and brings each fault that it finds down to the least
// requests that show it.
//
//	go run ./examples/fuzzer
//	go run ./examples/fuzzer -out found    # found-1.kst and so on, for ksbench trace show
//
// driver.go has the driver, a model with two faults.
package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"

	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/trace"
)

func main() {
	log.SetFlags(0)
	rounds := flag.Int("rounds", 20_000, "how many mutated sequences to try")
	seed := flag.Uint64("seed", 1, "what chance begins with: the same finds the same")
	out := flag.String("out", "", "what traces of faults are called")
	flag.Parse()
	if err := run(os.Stdout, *rounds, *seed, *out); err != nil {
		log.Fatal(err)
	}
}

// request is one of a client's.
type request struct {
	code    uint32
	in, out []byte
}

// fault names the handler that panics, and says how, or is "". Sequences have the same fault if their panics differ in numbers only.
func fault(sequence []request) (name string) {
	d, err := newEqualizer(func(value any, stack []byte) {
		if name == "" {
			name = fmt.Sprintf("%s: %s", handler.Find(stack), numbers.ReplaceAllString(fmt.Sprint(value), "N"))
		}
	})
	if err != nil {
		panic(err) // the same declaration each time
	}
	h, err := device.New(d).Open()
	if err != nil {
		panic(err)
	}
	defer h.Close()
	for _, r := range sequence {
		if h.IoControl(r.code, r.in, slices.Clone(r.out)); name != "" {
			break
		}
	}
	return name
}

var (
	handler = regexp.MustCompile(`\(\*equalizer\)\.\w+`)
	numbers = regexp.MustCompile(`\d+`)
)

// record lets f talk to the driver, and returns the trace.
func record(w io.Writer, f func(h *trace.Handle)) error {
	d, err := newEqualizer(func(any, []byte) {})
	if err != nil {
		return err
	}
	r, err := trace.NewRecorder(w, trace.Config{Wait: true})
	if err != nil {
		return err
	}
	h, err := r.Open(device.New(d), "equalizer")
	if err != nil {
		return errors.Join(err, r.Close())
	}
	f(h)
	return errors.Join(h.Close(), r.Close())
}

// requests are those of a trace.
func requests(data []byte) (list []request, err error) {
	r, err := trace.NewReader(trace.Memory(data), int64(len(data)), "seed")
	if err != nil {
		return nil, err
	}
	for rec, err := range r.Records() {
		if err != nil {
			return nil, err
		}
		if rec.Kind == trace.KindRequest {
			out := make([]byte, rec.OutBytes)
			copy(out, rec.Out)
			list = append(list, request{rec.Code, slices.Clone(rec.In), out})
		}
	}
	return list, nil
}

// mutate returns a sequence that is like the seed, but for some of it.
func mutate(seed []request, rng *rand.Rand) []request {
	sequence := slices.Clone(seed)
	for range 1 + rng.IntN(6) {
		i := rng.IntN(len(sequence))
		r := &sequence[i]
		switch rng.IntN(6) {
		case 0: // once more, somewhere else
			sequence = slices.Insert(sequence, rng.IntN(len(sequence)+1), sequence[i])
		case 1: // not at all
			if len(sequence) > 1 {
				sequence = slices.Delete(sequence, i, i+1)
			}
		case 2: // shorter
			r.out = r.out[:rng.IntN(len(r.out)+1)]
		case 3:
			r.in = r.in[:rng.IntN(len(r.in)+1)]
		case 4: // another small number where one may be
			if len(r.out) >= 4 {
				r.out = slices.Clone(r.out)
				binary.LittleEndian.PutUint32(r.out[rng.IntN(len(r.out)-3)&^3:], rng.Uint32N(40))
			}
		case 5: // another bit
			if len(r.in) > 0 {
				r.in = slices.Clone(r.in)
				r.in[rng.IntN(len(r.in))] ^= 1 << rng.IntN(8)
			}
		}
	}
	return sequence
}

// minimize leaves out requests, and then bytes, as long as the fault stays.
func minimize(sequence []request, name string) []request {
	for i := len(sequence) - 1; i >= 0; i-- {
		if fewer := slices.Delete(slices.Clone(sequence), i, i+1); fault(fewer) == name {
			sequence = fewer
		}
	}
	for i := range sequence {
		for _, buf := range []*[]byte{&sequence[i].out, &sequence[i].in} {
			for whole := *buf; len(whole) > 0; whole = *buf {
				*buf = whole[:len(whole)-1]
				if fault(sequence) != name {
					*buf = whole
					break
				}
			}
		}
	}
	return sequence
}

// run records a client, and fuzzes with that.
func run(w io.Writer, rounds int, seed uint64, out string) error {
	var client bytes.Buffer
	if err := record(&client, talk); err != nil {
		return err
	}
	list, err := requests(client.Bytes())
	if err != nil {
		return err
	}
	if name := fault(list); name != "" {
		return fmt.Errorf("the client has the fault itself: %s", name)
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	var found []string
	for round := range rounds {
		sequence := mutate(list, rng)
		name := fault(sequence)
		if name == "" || slices.Contains(found, name) {
			continue
		}
		found = append(found, name)
		least := minimize(sequence, name)
		fmt.Fprintf(w, "fault %d, in round %d: %s; %d requests of %d\n", len(found), round, name, len(least), len(sequence))
		for _, r := range least {
			id, _ := ks.DecodeIdentifier(r.in)
			fmt.Fprintf(w, "    item %d flags %#x out %x\n", id.ID, id.Flags, r.out)
		}
		if out != "" {
			if err := save(fmt.Sprintf("%s-%d.kst", out, len(found)), least); err != nil {
				return err
			}
		}
	}
	fmt.Fprintf(w, "%d rounds, %d faults\n", rounds, len(found))
	return nil
}

// save writes a trace of a sequence.
func save(path string, sequence []request) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(record(f, func(h *trace.Handle) {
		for _, r := range sequence {
			h.IoControl(r.code, r.in, slices.Clone(r.out))
		}
	}), f.Close())
}

// talk is a client that makes no mistake.
func talk(h *trace.Handle) {
	send := func(item, flags uint32, out ...uint32) {
		var b []byte
		for _, v := range out {
			b = binary.LittleEndian.AppendUint32(b, v)
		}
		h.IoControl(ks.IoctlProperty, ks.Identifier{Set: setEqualizer, ID: item, Flags: flags}.Bytes(), b)
	}
	send(itemBands, ks.PropertyTypeSet, 3, 10, 20, 30)
	send(itemSelect, ks.PropertyTypeSet, 2)
	send(itemLevel, ks.PropertyTypeGet, 0)
	send(itemBands, ks.PropertyTypeSet, 5, 1, 2, 3, 4, 5)
	send(itemSelect, ks.PropertyTypeSet, 4)
	send(itemLevel, ks.PropertyTypeGet, 0)
}
