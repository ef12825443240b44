package model

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Kind is what a handler program does.
type Kind uint8

const (
	None     Kind = iota // no handler
	Store                // one value per item, shared by get, set and the fast path
	Accept               // Information 0, STATUS_SUCCESS
	Emit                 // writes Bytes if they fit, else nothing; STATUS_SUCCESS
	EmitUpTo             // writes as many of Bytes as fit; STATUS_SUCCESS
	Return               // returns Status, with HasInformation sets Information first
	Panic                // as Return, but panics: with Status, or with something that is no ks.Status if that is 0
	Pend                 // returns STATUS_PENDING
	Turns                // runs Steps in turn, one a call: a driver that answers differently every time (S-6, S-18)
)

// Program is a synthetic handler.
type Program struct {
	Kind           Kind
	Bytes          []byte
	Status         ks.Status
	Information    uint64
	HasInformation bool
	Steps          []Program
}

// Value is the state of one item: what Store keeps, and whose turn it is.
type Value struct {
	Bytes []byte
	Turn  int
}

// NewValue returns the initial state of an item: MinData zero bytes, 4 where it is 0.
func NewValue(minData uint32) *Value {
	if minData == 0 {
		minData = 4
	}
	return &Value{Bytes: make([]byte, minData)}
}

// Run is the handler: it works on data, OutputBufferLength bytes, and leaves *info as it wants it. A comparison may run it
// behind another dispatcher on a Value of its own.
func (p Program) Run(v *Value, set bool, data []byte, info *uint64) ks.Status {
	switch p.Kind {
	case Store:
		switch {
		case set:
			copy(v.Bytes, data)
			*info = 0
			return ks.StatusSuccess
		case len(data) == 0:
			*info = uint64(len(v.Bytes))
			return ks.StatusBufferOverflow
		case len(data) < len(v.Bytes):
			return ks.StatusBufferTooSmall
		}
		*info = uint64(copy(data, v.Bytes))
	case Accept:
		*info = 0
	case Emit:
		*info = 0
		if len(data) >= len(p.Bytes) {
			*info = uint64(copy(data, p.Bytes))
		}
	case EmitUpTo:
		*info = uint64(copy(data, p.Bytes))
	case Return, Panic:
		if p.HasInformation {
			*info = p.Information
		}
		if p.Kind == Return {
			return p.Status
		}
		if p.Status != 0 {
			panic(p.Status)
		}
		panic("modelled fault")
	case Pend:
		return ks.StatusPending
	case Turns:
		step := p.Steps[v.Turn%len(p.Steps)]
		v.Turn++
		return step.Run(v, set, data, info)
	}
	return ks.StatusSuccess
}

// ParseProgram reads a program as manifests write it.
func ParseProgram(text string) (Program, error) {
	word, rest, _ := strings.Cut(text, ":")
	switch word {
	case "store":
		return Program{Kind: Store}, nil
	case "accept":
		return Program{Kind: Accept}, nil
	case "panic":
		return Program{Kind: Panic}, nil
	case "pend":
		return Program{Kind: Pend}, nil
	case "emit", "emitupto":
		b, err := hex.DecodeString(rest)
		if word == "emit" {
			return Program{Kind: Emit, Bytes: b}, err
		}
		return Program{Kind: EmitUpTo, Bytes: b}, err
	case "status":
		code, n, has := strings.Cut(rest, ":")
		status, err := strconv.ParseUint(code, 0, 32)
		p := Program{Kind: Return, Status: ks.Status(status), HasInformation: has}
		if has && err == nil {
			p.Information, err = strconv.ParseUint(n, 0, 64)
		}
		return p, err
	}
	return Program{}, fmt.Errorf("model: no program is called %q", text)
}

// String is the program as manifests write it, with words of its own for what they cannot say.
func (p Program) String() string {
	switch p.Kind {
	case None:
		return "none"
	case Store:
		return "store"
	case Accept:
		return "accept"
	case Emit:
		return "emit:" + hex.EncodeToString(p.Bytes)
	case EmitUpTo:
		return "emitupto:" + hex.EncodeToString(p.Bytes)
	case Pend:
		return "pend"
	case Turns:
		return fmt.Sprintf("turns:%v", p.Steps)
	}
	word := "status"
	if p.Kind == Panic {
		if word = "panic"; p.Status == 0 && !p.HasInformation {
			return word
		}
	}
	text := fmt.Sprintf("%s:0x%08X", word, uint32(p.Status))
	if p.HasInformation {
		text += fmt.Sprintf(":%d", p.Information)
	}
	return text
}
