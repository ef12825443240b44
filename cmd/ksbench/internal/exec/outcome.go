package exec

import (
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// outcome is what one line has to say, beside the calls and allocations that the session noted.
type outcome struct {
	status      ks.Status
	information uint64
	flags       engine.IRPFlags
	rule        string
	pended      bool
	fast        bool // no allocations, no flags
	handled     bool // fast only
	hasOutput   bool
	output      []byte
	signals     []signal // of generate; nil for the other ops
	cancel      bool     // nothing but found
	found       int
	of          *slot // the request that it is of, if it is not that of the line
}

// bytes takes the caller's output of n bytes, unless it is too long to be printed.
func (o *outcome) bytes(m *callerMemory, n uint32) {
	o.hasOutput = n <= maxPlain
	if o.hasOutput {
		o.output = m.out
	}
}

// append appends the outcome as a line. The keys are always in this order.
func (s *Session) append(b []byte, o *outcome) []byte {
	i, tag := s.q.i, s.q.tag
	if o.of != nil {
		i, tag = o.of.i, o.of.tag
	}
	b = append(b, '{')
	if i != nil {
		b = append(append(append(b, `"i":`...), i...), ',')
	}
	if o.cancel {
		b = strconv.AppendInt(append(b, `"found":`...), int64(o.found), 10)
		return s.appendEnd(b, o)
	}
	if o.fast && !o.handled {
		b = append(b, `"handled":false,"information":`...)
		b = strconv.AppendUint(b, o.information, 10)
		b = s.appendCalls(b)
		return s.appendEnd(b, o)
	}
	b = appendStatus(append(b, `"status":`...), o.status)
	b = append(append(append(b, `,"name":"`...), statusName(o.status)...), '"')
	if tag != nil && (o.pended || o.of != nil) {
		b = appendString(append(b, `,"tag":`...), tag)
	}
	switch {
	case o.pended:
	case o.fast:
		b = append(b, `,"handled":true`...)
		fallthrough
	default:
		b = strconv.AppendUint(append(b, `,"information":`...), o.information, 10)
	}
	b = s.appendCalls(b)
	if !o.fast {
		b = s.appendAllocations(b)
		b = appendFlags(b, o.flags)
	}
	if o.pended {
		return s.appendEnd(b, o)
	}
	returned := o.information
	if o.status.IsError() {
		returned = 0
	}
	b = strconv.AppendUint(append(b, `,"bytes_returned":`...), returned, 10)
	b = strconv.AppendUint(append(b, `,"win32":`...), uint64(o.status.Win32()), 10)
	if o.hasOutput {
		b = append(b, `,"output":"`...)
		b = hex.AppendEncode(b, o.output)
		b = append(b, '"')
	}
	if o.signals != nil {
		b = appendSignals(b, o.signals)
	}
	return s.appendEnd(b, o)
}

// appendResult appends the outcome of a line that opens, creates, closes or removes something.
func (s *Session) appendResult(b []byte, status ks.Status, rule string) []byte {
	b = append(b, '{')
	if s.q.i != nil {
		b = append(append(append(b, `"i":`...), s.q.i...), ',')
	}
	b = appendStatus(append(b, `"status":`...), status)
	b = append(append(append(b, `,"name":"`...), statusName(status)...), '"')
	b = strconv.AppendUint(append(b, `,"win32":`...), uint64(status.Win32()), 10)
	return s.appendEnd(b, &outcome{rule: rule})
}

func (s *Session) appendEnd(b []byte, o *outcome) []byte {
	if s.options.Explain && o.rule != "" {
		b = append(append(append(b, `,"rule":"`...), o.rule...), '"')
	}
	return append(b, '}', '\n')
}

func (s *Session) appendCalls(b []byte) []byte {
	b = append(b, `,"calls":[`...)
	for i := range s.calls {
		if i > 0 {
			b = append(b, ',')
		}
		b = s.calls[i].append(b)
	}
	return append(b, ']')
}

func (c *call) append(b []byte) []byte {
	b = append(append(append(b, `{"verb":"`...), c.verb...), `","set":"`...)
	b, _ = c.set.AppendText(b)
	b = strconv.AppendUint(append(b, `","id":`...), uint64(c.id), 10)
	if !c.fast {
		b = strconv.AppendInt(append(b, `,"request_offset":`...), c.requestOffset, 10)
		b = append(b, `,"data_offset":`...)
		if c.noData {
			b = append(b, "null"...)
		} else {
			b = strconv.AppendInt(b, c.dataOffset, 10)
		}
	}
	b = strconv.AppendUint(append(b, `,"in":`...), uint64(c.in), 10)
	b = strconv.AppendUint(append(b, `,"out":`...), uint64(c.out), 10)
	b = append(append(append(b, `,"mode":"`...), c.mode.String()...), '"')
	if !c.fast {
		b = strconv.AppendBool(append(b, `,"set_slot":`...), c.setSlot)
		b = strconv.AppendBool(append(b, `,"item_slot":`...), c.itemSlot)
	}
	b = appendStatus(append(b, `,"status":`...), c.status)
	return append(b, '}')
}

func (s *Session) appendAllocations(b []byte) []byte {
	b = append(b, `,"allocations":[`...)
	for i := range s.allocations {
		if i > 0 {
			b = append(b, ',')
		}
		a := &s.allocations[i]
		by := `{"by":"pool","size":`
		if a.custom {
			by = `{"by":"custom","size":`
		}
		b = strconv.AppendUint(append(b, by...), a.size, 10)
		if a.custom {
			b = strconv.AppendBool(append(b, `,"input_operation":`...), a.inputOperation)
		}
		b = appendStatus(append(b, `,"status":`...), a.status)
		b = append(b, '}')
	}
	return append(b, ']')
}

func appendFlags(b []byte, flags engine.IRPFlags) []byte {
	b = append(b, `,"irp_flags":[`...)
	n := len(b)
	for _, f := range [...]struct {
		flag engine.IRPFlags
		name string
	}{
		{engine.BufferedIO, `"BUFFERED_IO"`}, {engine.DeallocateBuffer, `"DEALLOCATE_BUFFER"`}, {engine.InputOperation, `"INPUT_OPERATION"`},
	} {
		if flags&f.flag == 0 {
			continue
		}
		if len(b) > n {
			b = append(b, ',')
		}
		b = append(b, f.name...)
	}
	return append(b, ']')
}

// appendStatus appends a status as "0x80000005".
func appendStatus(b []byte, status ks.Status) []byte {
	b = append(b, `"0x`...)
	for shift := 28; shift >= 0; shift -= 4 {
		b = append(b, "0123456789abcdef"[status>>shift&0xF])
	}
	return append(b, '"')
}

// appendString appends text as a JSON string.
func appendString(b, text []byte) []byte {
	for _, c := range text {
		if c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			quoted, err := json.Marshal(string(text))
			if err != nil {
				panic(err) // any string has JSON
			}
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), text...), '"')
}

// statusName returns the C name of a status, "" if it has none here.
func statusName(s ks.Status) string {
	if name := s.String(); !strings.HasPrefix(name, "0x") {
		return name
	}
	return ""
}
