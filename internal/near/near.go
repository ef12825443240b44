// Package near finds the name that somebody may have meant.
package near

import (
	"iter"
	"slices"
	"strings"
)

// Hint asks whether one of the words was meant, "" if none is near: "; did you mean run?". The cases of letters do not count.
func Hint(word string, known iter.Seq[string]) string {
	best, words := 1+max(len(word)/4, 1), []string(nil)
	for k := range known {
		switch d := distance(strings.ToLower(word), strings.ToLower(k)); {
		case d > best:
		case d == best && len(words) > 0:
			words = append(words, k)
		default:
			best, words = d, []string{k}
		}
	}
	if len(words) == 0 || len(words) > 4 { // more are a guess
		return ""
	}
	slices.Sort(words)
	return "; did you mean " + strings.Join(words, " or ") + "?"
}

// distance counts the letters to insert, to delete, to change, and to exchange with the next.
func distance(a, b string) int {
	var before, last []int // rows of the table of all beginnings
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
