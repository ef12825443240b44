package verdict

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Direction says which values of a metric are better.
type Direction string

const (
	Lower   Direction = "lower"  // times, bytes
	Higher  Direction = "higher" // throughput
	Unknown Direction = "unknown"
)

// The words of units, in lower case. A plural is the same word.
var (
	ofTime = words(`ns|nanosecond|nanosec|us|µs|μs|microsecond|usec|ms|millisecond|msec|s|sec|second|duration|time|elapsed|latency|latencie|` +
		`rtt|lag|delay|wait|p[0-9.]+(?:ns|us|µs|ms|s)?|percentile`)
	ofPeriod = words(`ns|us|µs|μs|ms|s|sec|second|m|min|minute|h|hr|hour|d|day`)
	ofSize   = words(`[kmgtp]?i?b|(?:kilo|mega|giga|kibi|mebi|gibi)?byte|[kmg]?i?bit|size|memory|mem|heap|rss|footprint`)
	ofRate   = words(`[kmgt]?i?b(?:it)?ps|[qrtfip]ps|iops|[kmgt]?flops|mips|throughput|bandwidth|goodput|speed`)
	bad      = words(`miss|missrate|missratio|errorrate|misse|missed|error|err|fail|failed|failure|fault|drop|dropped|lost|loss|losse|` +
		`retry|retrie|` +
		`timeout|stall|stalled|` +
		`conflict|collision|abort|aborted|` +
		`reject|rejected|rejection|eviction|leak|leaked|garbage|gc|pause|overhead|contention|slowdown|` +
		`waste|wasted|jitter|panic|backlog`)
	costly = words(`alloc|allocation|malloc|object|cycle|instruction|insn|instr|branche|` +
		`syscall|switch|switche|probe|` +
		`trie|try|attempt|cost|[mµ]?j|joule|watt`)
	good = words(`hit|hitrate|hitratio|success|successe|succeeded|speedup|accuracy|precision|recall|efficiency|quality|goodness|coverage`)
)

// words makes a pattern of whole words.
func words(list string) *regexp.Regexp { return regexp.MustCompile(`^(?:` + list + `)s?$`) }

// DirectionOf says which values are better by the words of a unit: of a time, a size, a cost or an error less is; of what is done in
// a time, and of hits, more. The last word before the slash decides if it can, as in "hit-ns/op".
func DirectionOf(unit string) Direction {
	var above []string // the words over the slash
	period, below := false, false
	for _, w := range wordsOf(unit) {
		switch {
		case w == "/" || w == "per":
			below = true
		case below:
			period = period || ofPeriod.MatchString(w)
		default:
			above = append(above, w)
		}
	}
	any := func(of *regexp.Regexp) bool { return slices.ContainsFunc(above, of.MatchString) }
	last := ""
	if len(above) > 0 {
		last = above[len(above)-1]
	}
	switch {
	case period && ofTime.MatchString(last): // of a second, so many: a share of what?
		return Unknown
	case any(bad):
		return Lower
	case period, any(ofRate):
		return Higher
	case ofTime.MatchString(last), ofSize.MatchString(last), costly.MatchString(last):
		return Lower
	case any(good):
		return Higher
	case any(ofTime), any(ofSize), any(costly):
		return Lower
	}
	return Unknown
}

// wordsOf takes a unit apart at punctuation and where a capital begins a word: "cacheHits/op" is cache, hits, / and op.
func wordsOf(unit string) (words []string) {
	word := ""
	end := func() {
		if word != "" {
			words = append(words, strings.ToLower(word))
			word = ""
		}
	}
	for _, c := range unit {
		last, _ := utf8.DecodeLastRuneInString(word)
		switch {
		case c == '/':
			end()
			words = append(words, "/")
			continue
		case !unicode.IsLetter(c) && !unicode.IsDigit(c) && c != '.':
			end()
			continue
		case unicode.IsUpper(c) && unicode.IsLower(last):
			end()
		}
		word += string(c)
	}
	end()
	return words
}

// direction decides for a row. What the user says counts before what the sources say, and that before the words of the unit. It
// returns what there is to warn of.
func direction(old, new Series, opt Options) (Direction, string) {
	said, was := new.Better, old.Better
	switch {
	case slices.Contains(opt.HigherIsBetter, new.Unit):
		return Higher, ""
	case slices.Contains(opt.LowerIsBetter, new.Unit):
		return Lower, ""
	case old.declared && new.declared && said != was:
		return Unknown, fmt.Sprintf("%s was said to be better before, %s is said to be now", was, said)
	case old.declared && !new.declared:
		return was, ""
	}
	return said, ""
}
