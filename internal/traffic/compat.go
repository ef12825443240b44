package traffic

import (
	"fmt"
	"strings"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/clip"
)

// ParseCompat reads settings such as "P-25=accept,P-27=STATUS_INVALID_PARAMETER": rules whose answers no public source pins
// down, each with the answer that is wanted of it. A status is its name, or its number as 0xC000000D.
func ParseCompat(text string) (c engine.Compat, err error) {
	if text == "" {
		return c, nil
	}
	words := map[string]struct {
		word string
		flag *bool
	}{
		"P-25": {"accept", &c.MixedVerbs}, "P-33": {"strict", &c.StrictDescriptionSize},
		"P-45": {"accept", &c.PayloadSizeModifier}, "E-25": {"signal", &c.SignalBuffered},
	}
	statuses := map[string]*ks.Status{
		"P-26": &c.NoHandler, "P-27": &c.ShortRequest, "P-28-zero": &c.NoDataBuffer, "P-33-zero": &c.NoDescriptionBuffer,
		"P-36": &c.NoDefaultValues, "P-38": &c.NoRawSerialization, "P-39": &c.ShortSerializeBuffer,
		"P-42-set": &c.UnserializeWrongSet, "P-42-entry": &c.UnserializeTruncated,
		"P-42-item": &c.UnserializeWrongItem, "P-42-length": &c.UnserializeWrongLength,
		"M-2": &c.UnknownMethodFlags, "M-8": &c.NoMethodHandler,
		"E-2": &c.ShortEventRequest, "E-5": &c.ShortEventData, "E-13": &c.SecondEnable, "E-24": &c.QueueFull,
		"PN-14": &c.NoConnection, "PN-18": &c.BadRangeList,
	}
	for _, setting := range strings.Split(text, ",") {
		rule, answer, ok := strings.Cut(strings.TrimSpace(setting), "=")
		if !ok {
			return c, fmt.Errorf("%q is not RULE=ANSWER, as in P-27=STATUS_INVALID_PARAMETER", setting)
		}
		if w, ok := words[rule]; ok {
			if answer != w.word {
				return c, fmt.Errorf("%s=%s: the only setting is %s=%s", rule, answer, rule, w.word)
			}
			*w.flag = true
		} else if to, ok := statuses[rule]; ok {
			if *to, err = ParseStatus(answer); err != nil {
				return c, fmt.Errorf("%s: %w", rule, err)
			}
			if *to == ks.StatusSuccess || *to == ks.StatusPending {
				return c, fmt.Errorf("%s=%s: this rule refuses a request, so it needs a status that says so", rule, answer)
			}
		} else {
			return c, fmt.Errorf("%s is no rule with a setting; there are %s", rule, compatRules)
		}
	}
	return c, nil
}

const compatRules = "P-25=accept, P-26, P-27, P-28-zero, P-33=strict, P-33-zero, P-36, P-38, P-39, P-42-set, P-42-entry, P-42-item, " +
	"P-42-length, P-45=accept, M-2, M-8, E-2, E-5, E-13, E-24, E-25=signal, PN-14 and PN-18; the others take a status"

// ParseStatus reads a status by name, or as 0x and one to eight hexadecimal digits.
func ParseStatus(text string) (ks.Status, error) {
	if s, ok := ks.ParseStatus(text); ok {
		return s, nil
	}
	return 0, fmt.Errorf("%q is no status; write its name or its number, as in STATUS_NOT_FOUND or 0xC0000225", clip.Bytes([]byte(text)))
}
