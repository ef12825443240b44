package model

import (
	"bytes"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// fast is KsFastPropertyHandler (F-1..F-7). Whatever it does not answer, it leaves as it was.
func (m *Model) fast(q *Request) Outcome {
	fall := Outcome{Information: q.Info0, Rule: "F-4"}
	set := q.Flags == ks.PropertyTypeSet
	if badItemSize(&m.object) || q.In < 24 || q.Fault == FaultIn || q.Fault == FaultOut && q.Out > 0 ||
		!set && q.Flags != ks.PropertyTypeGet { // no other verb, no modifier
		return fall
	}
	listed := false
	for _, s := range m.entries(q.Set) { // F-2
		for _, f := range s.Fast {
			if f.ID == q.ID && (set && f.Set || !set && f.Get) {
				listed = true
			}
		}
	}
	it := m.item(q.Set, q.ID)
	if q.Set == guidNull || !listed || it == nil {
		fall.Rule = "F-2"
		return fall
	}
	name, program := "get", it.Get
	if set {
		name, program = "set", it.Set
	}
	if program.Kind == None || m.checkSizes(it, q.In, q.Out) != nil {
		return fall
	}

	// F-5: the handler gets a copy of the whole request, and the caller's own data.
	data := q.output()
	c := Call{Verb: name, Set: q.Set, ID: q.ID, In: q.In, Out: q.Out, Kernel: q.Kernel, File: q.File,
		Request: q.input(q.In), Data: bytes.Clone(data)}
	a := protect(program, m.values[it], set, data, 0)
	c.Status = a.status
	calls := []Call{c}
	switch a.status {
	case ks.StatusPending: // F-6: a bug of the handler
		return Outcome{Information: q.Info0, Calls: calls, Rule: "F-6"}
	case ks.StatusSomeNotMapped: // F-6
		a = answer{rule: "F-6", status: ks.StatusNotFound}
	}
	a = finish(a, !set, uint64(q.Out))
	o := Outcome{Handled: true, Status: a.status, Information: a.info, Calls: calls, Rule: a.rule, Win32: win32(a.status)}
	if a.rule == "P-17" {
		o.Rule = "F-6"
	}
	if !a.status.IsError() {
		o.BytesReturned = a.info
	}
	if len(data) <= maxOutput {
		o.Output = data
	}
	return o
}
