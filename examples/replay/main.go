// Replay sends the requests of a file to a device made from a manifest, and prints what each one answers: a way to try a driver's
// declaration, or to keep a session as a test.
//
//	go run ./examples/replay examples/replay/session.txt
//
// A line is VERB SET ID OUTPUT: get, set, support or a number for the flags; the set's GUID; the id; the output buffer, as its
// length in bytes or, after x, as its bytes in hexadecimal. Empty lines and lines that begin with # are skipped.
package main

import (
	"bufio"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
	"strings"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/manifest"
	"github.com/ksdispatch/ksdispatch/engine/manifest/drivers"
)

func main() {
	log.SetFlags(0)
	driver := flag.String("driver", "wdk81-fmsynth", "one of "+strings.Join(drivers.Names(), ", "))
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("usage: replay [-driver NAME] FILE")
	}
	if err := run(os.Stdout, *driver, flag.Arg(0)); err != nil {
		log.Fatal(err)
	}
}

func run(w io.Writer, driver, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	m, err := drivers.Load(driver)
	if err != nil {
		return err
	}
	d, err := engine.Compile(m.Objects[0].Config(manifest.Options{}))
	if err != nil {
		return err
	}
	h, err := device.New(d).Open()
	if err != nil {
		return err
	}
	defer h.Close()

	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		in, out, err := parse(line)
		if err != nil {
			return fmt.Errorf("%s:%d: %w", path, n, err)
		}
		returned, status := h.IoControl(ks.IoctlProperty, in, out)
		fmt.Fprintf(w, "%s\n    %v, %d bytes", line, status, returned)
		if !status.IsError() && returned > 0 && int(returned) <= len(out) {
			fmt.Fprintf(w, ": %x", out[:returned])
		}
		fmt.Fprintln(w)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

var verbs = map[string]uint32{
	"get":     ks.PropertyTypeGet,
	"set":     ks.PropertyTypeSet,
	"support": ks.PropertyTypeBasicSupport,
}

// parse returns the buffers of one line.
func parse(line string) (in, out []byte, err error) {
	words := strings.Fields(line)
	if len(words) != 4 {
		return nil, nil, fmt.Errorf("%d words; want VERB SET ID OUTPUT", len(words))
	}
	flags, known := verbs[words[0]]
	if !known {
		number, err := strconv.ParseUint(words[0], 0, 32)
		if err != nil {
			return nil, nil, fmt.Errorf("verb %q: want get, set, support or the flags as a number", words[0])
		}
		flags = uint32(number)
	}
	set, err := ks.ParseGUID(words[1])
	if err != nil {
		return nil, nil, err
	}
	id, err := strconv.ParseUint(words[2], 0, 32)
	if err != nil {
		return nil, nil, fmt.Errorf("id %q: want a number of 32 bits", words[2])
	}
	if digits, bytes := strings.CutPrefix(words[3], "x"); bytes {
		if out, err = hex.DecodeString(digits); err != nil {
			return nil, nil, fmt.Errorf("output %q: %w", words[3], err)
		}
	} else {
		length, err := strconv.ParseUint(words[3], 0, 20) // a megabyte is enough for a session by hand
		if err != nil {
			return nil, nil, fmt.Errorf("output %q: want a length below 1 MiB, or x and bytes in hexadecimal", words[3])
		}
		out = make([]byte, length)
	}
	return ks.Identifier{Set: set, ID: uint32(id), Flags: flags}.Bytes(), out, nil
}
