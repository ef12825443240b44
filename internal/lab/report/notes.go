package report

import (
	"fmt"
	"strings"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
)

// conduct says in a line how quietly the run went, in none if nothing is known of that.
func (r *Report) conduct() []string {
	var said []string
	warmed, steady, rounds, mild, severe := 0, 0, 0, 0, 0
	for _, res := range r.Results {
		if res.WarmUp != nil {
			warmed++
			if res.WarmUp.Stable {
				steady++
			}
		}
		rounds += len(res.Samples)
		if o := res.Outliers; o != nil {
			mild += o.LowMild + o.HighMild
			severe += o.LowSevere + o.HighSevere
		}
	}
	if warmed > 0 {
		said = append(said, fmt.Sprintf("warmed up until %d of %d rows were steady", steady, warmed))
	}
	if mild+severe > 0 {
		said = append(said, fmt.Sprintf("outliers, kept: %d mild and %d severe of %d samples", mild, severe, rounds))
	}
	if r.Settings.Pin != nil {
		said = append(said, fmt.Sprintf("on CPU %d", *r.Settings.Pin))
	}
	if r.Settings.Shard != "" {
		said = append(said, "shard "+r.Settings.Shard)
	}
	if len(said) == 0 {
		return nil
	}
	return []string{strings.Join(said, ", ")}
}

// notes are what is to be known of the run as a whole.
func (r *Report) notes() (lines []string) {
	if r.Incomplete {
		lines = append(lines, "interrupted: not all that was asked for was measured")
	}
	lines = append(lines, r.Warnings...)
	if len(r.Shards) > 1 {
		lines = append(lines, fmt.Sprintf("merged from %d runs: a row's spread includes differences between them", len(r.Shards)))
	}
	return lines
}

// RowWarnings lists each warning once with the rows it belongs to.
func (r *Report) RowWarnings() []string {
	var texts []string
	rows := map[string][]string{}
	for _, result := range r.Results {
		for _, text := range result.Warnings {
			if rows[text] == nil {
				texts = append(texts, text)
			}
			rows[text] = append(rows[text], result.Name())
		}
	}
	var lines []string
	for _, text := range texts {
		names := rows[text]
		if len(names) == len(r.Results) {
			lines = append(lines, text+" (every row)")
		} else {
			lines = append(lines, text+": "+doc.Listed(names))
		}
	}
	return lines
}
