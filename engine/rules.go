package engine

import "github.com/ksdispatch/ksdispatch/engine/ks"

// rule identifies the rule of behaviour that decided a request, for IRP.Rule.
type rule uint8

const (
	ruleNone rule = iota
	ruleP3
	ruleP4
	ruleP5
	ruleP9
	ruleP10
	ruleP15
	ruleP16
	ruleP17
	ruleP18
	ruleP20
	ruleP21
	ruleP24
	ruleP25
	ruleP26
	ruleP27
	ruleP28
	ruleP31
	ruleP32
	ruleP33
	ruleP34
	ruleP35
	ruleP36
	ruleP37
	ruleP38
	ruleP39
	ruleP40
	ruleP42
	ruleP50
	ruleM1
	ruleM2
	ruleM7
	ruleM8
	ruleM8Support // M-8 too, where it is a support handler that decided
	ruleM9
	ruleE2
	ruleE3
	ruleE4
	ruleE5
	ruleE7
	ruleE8
	ruleE9
	ruleE11
	ruleE12
	ruleE17
	ruleE19
	ruleE26
	ruleS24
	rulePN2
	rulePN4
	rulePN5
	rulePN6
	rulePN7
	rulePN8
	rulePN9
	rulePN10
	rulePN12
	rulePN13
	rulePN14
	rulePN15
	rulePN16
	rulePN17
	rulePN18
	rulePN21
	ruleOB6
	ruleOB16
	ruleAT11
	ruleAS28
	ruleCited // IRP.Cite says which
)

var ruleNames = [...]string{
	ruleNone: "", ruleP3: "P-3", ruleP4: "P-4", ruleP5: "P-5", ruleP9: "P-9", ruleP10: "P-10", ruleP15: "P-15",
	ruleP16: "P-16", ruleP17: "P-17", ruleP18: "P-18", ruleP20: "P-20", ruleP21: "P-21", ruleP24: "P-24", ruleP25: "P-25",
	ruleP26: "P-26", ruleP27: "P-27", ruleP28: "P-28", ruleP31: "P-31", ruleP32: "P-32", ruleP33: "P-33", ruleP34: "P-34",
	ruleP35: "P-35", ruleP36: "P-36", ruleP37: "P-37", ruleP38: "P-38", ruleP39: "P-39", ruleP40: "P-40", ruleP42: "P-42",
	ruleP50: "P-50", ruleM1: "M-1", ruleM2: "M-2", ruleM7: "M-7", ruleM8: "M-8", ruleM8Support: "M-8", ruleM9: "M-9", ruleE2: "E-2",
	ruleE3: "E-3",
	ruleE4: "E-4", ruleE5: "E-5", ruleE7: "E-7", ruleE8: "E-8", ruleE9: "E-9",
	ruleE11: "E-11", ruleE12: "E-12", ruleE17: "E-17", ruleE19: "E-19", ruleE26: "E-26", ruleS24: "S-24",
	rulePN2: "PN-2", rulePN4: "PN-4", rulePN5: "PN-5", rulePN6: "PN-6", rulePN7: "PN-7", rulePN8: "PN-8", rulePN9: "PN-9",
	rulePN16: "PN-16", rulePN17: "PN-17",
	rulePN10: "PN-10", rulePN12: "PN-12", rulePN13: "PN-13", rulePN14: "PN-14", rulePN15: "PN-15", rulePN18: "PN-18",
	rulePN21: "PN-21", ruleOB6: "OB-6", ruleOB16: "OB-16", ruleAT11: "AT-11", ruleAS28: "AS-28", ruleCited: "",
}

func (r rule) String() string { return ruleNames[r] }

// sizeAnswer is tooShort for an empty output buffer and a status of Compat: one that is an error carries no size.
func (irp *IRP) sizeAnswer(r rule, status ks.Status, need uint64) ks.Status {
	if !status.IsError() {
		irp.IoStatus.Information = need
	}
	return irp.decide(r, status)
}

// Rule names the rule that decided the last dispatch of this IRP, such as "P-28": for people, and for tools that explain
// an answer. It is meaningless while the request is pending.
func (irp *IRP) Rule() string {
	if irp.rule == ruleCited {
		return irp.more().cited
	}
	return irp.rule.String()
}

// Cite notes the number of the rule that a handler decides by, for Rule, and returns status.
func (irp *IRP) Cite(rule string, status ks.Status) ks.Status {
	irp.more().cited = rule
	return irp.decide(ruleCited, status)
}

// decide records the rule and returns its status.
func (irp *IRP) decide(r rule, status ks.Status) ks.Status {
	irp.rule = r
	return status
}

// tooShort is the two-call size answer: a warning that carries the size for an empty output buffer, an error for a short
// one (N-1, P-28).
func (irp *IRP) tooShort(r rule, out, need uint64) ks.Status {
	irp.rule = r
	if out == 0 {
		irp.IoStatus.Information = need
		return ks.StatusBufferOverflow
	}
	return ks.StatusBufferTooSmall
}
