package model

import "github.com/ksdispatch/ksdispatch/engine/ks"

const maxOutput = 65536

// outcome completes the request as the I/O manager does, or with an allocator the filter (N-1, P-13), unless it pended.
func (x *irp) outcome() Outcome {
	o := Outcome{Status: x.status, Information: x.info, Calls: x.calls, Allocations: x.allocations, Flags: x.flags, Rule: x.rule}
	if x.status == ks.StatusPending {
		o.Pended = true
		return o
	}
	o.Win32 = win32(x.status)
	if !x.status.IsError() {
		o.BytesReturned = x.info
	}
	if x.q.Out <= maxOutput {
		o.Output = x.q.output()
		if x.buffer != nil && x.outVerb() && !x.status.IsError() && x.q.Fault != FaultOut {
			copy(o.Output[:min(x.info, uint64(x.q.Out))], x.data())
		}
	}
	return o
}

// complete ends a pended request: its owner wrote data and says status and Information.
func (m *Model) complete(q *Request) Outcome {
	x := m.pended[q.Tag]
	if x == nil {
		return Outcome{Unknown: true}
	}
	delete(m.pended, q.Tag)
	copy(x.data(), q.Data)
	x.answer = ended(q, x.outVerb(), x.q.Out)
	x.calls, x.allocations = nil, nil
	return x.outcome()
}

// ended is AS-3: what the completion of a pended request comes to.
func ended(q *Request, outVerb bool, out uint32) answer {
	a := answer{rule: "N-1", status: q.Status, info: q.Information}
	if a.status == ks.StatusSomeNotMapped { // P-18: it never leaves
		a = answer{rule: "N-1", status: ks.StatusNotFound}
	}
	if a = finish(a, outVerb, uint64(out)); a.rule == "P-20" {
		a.rule = "AS-3"
	}
	return a
}

// dispatchSpecific is KsDispatchSpecificProperty (P-50, P-51) on a pended request, which stays pended.
func (m *Model) dispatchSpecific(q *Request) Outcome {
	x := m.pended[q.Tag]
	if x == nil { // P-50: not prepared
		return Outcome{Status: ks.StatusInvalidParameter, Win32: win32(ks.StatusInvalidParameter), Rule: "P-50"}
	}
	verb := "support"
	switch x.verb {
	case ks.PropertyTypeGet:
		verb = "get"
	case ks.PropertyTypeSet:
		verb = "set"
	}
	x.calls, x.allocations = nil, nil
	a := x.call(verb, q.Program, x.item, x.request(), x.data(), x.info)
	if a.status == ks.StatusSomeNotMapped { // P-51
		a = answer{rule: "P-51", status: ks.StatusNotFound}
	}
	if a.rule == "P-17" {
		a.rule = "P-50"
	}
	x.answer = x.finish(a)
	o := x.outcome()
	o.Output = nil // not completed
	return o
}

// win32 is the code a Win32 caller sees: RtlNtStatusToDosError of the codes that occur in kernel streaming, else 317.
func win32(s ks.Status) uint32 {
	if s.IsSuccess() {
		return 0
	}
	if code, ok := win32Codes[s]; ok {
		return code
	}
	return 317 // ERROR_MR_MID_NOT_FOUND
}

var win32Codes = map[ks.Status]uint32{
	0x80000002: 998, 0x80000005: 234, 0x80000011: 170, 0x8000001A: 259,
	0xC0000001: 31, 0xC0000002: 1, 0xC0000003: 87, 0xC0000004: 24, 0xC0000005: 998, 0xC0000006: 999, 0xC0000008: 6, 0xC000000D: 87,
	0xC000000E: 433, 0xC0000010: 1, 0xC0000011: 38, 0xC0000016: 234, 0xC0000017: 8, 0xC0000022: 5, 0xC0000023: 122, 0xC0000024: 6,
	0xC0000030: 87, 0xC0000034: 2, 0xC0000035: 183, 0xC0000044: 1816, 0xC0000056: 5, 0xC0000095: 534, 0xC000009A: 1450,
	0xC00000A3: 21, 0xC00000BB: 50, 0xC00000E5: 1359, 0xC00000E8: 1784, 0xC00000EF: 87, 0xC00000F0: 87, 0xC0000120: 995,
	0xC0000184: 22, 0xC0000185: 1117, 0xC0000206: 1784, 0xC0000225: 1168, 0xC0000230: 1170, 0xC0000272: 1169,
}
