package perfdoc

import (
	"fmt"
	"regexp"
	"strings"
)

var marker = regexp.MustCompile(`^<!-- (begin|end) ([a-z-]+) -->$`)

// Fill replaces what stands in the blocks of a page. Each of the blocks must be in the page once, and the page may have no
// others; an error names the line.
func Fill(page string, blocks map[string]string) (string, error) {
	var b strings.Builder
	open, seen := "", map[string]bool{}
	for i, line := range strings.Split(strings.TrimSuffix(page, "\n"), "\n") {
		m := marker.FindStringSubmatch(line)
		switch {
		case m == nil:
			if open == "" {
				b.WriteString(line + "\n")
			}
			continue
		case m[1] == "begin" && open != "":
			return "", fmt.Errorf("line %d: %s begins in %s", i+1, m[2], open)
		case m[1] == "end" && open != m[2]:
			return "", fmt.Errorf("line %d: %s ends, but %q is open", i+1, m[2], open)
		case m[1] == "end":
			open = ""
			b.WriteString(line + "\n")
			continue
		}
		text, known := blocks[m[2]]
		if !known {
			return "", fmt.Errorf("line %d: there is no block %s", i+1, m[2])
		}
		if seen[m[2]] {
			return "", fmt.Errorf("line %d: %s is there twice", i+1, m[2])
		}
		open, seen[m[2]] = m[2], true
		b.WriteString(line + "\n\n" + strings.TrimSpace(text) + "\n\n")
	}
	if open != "" {
		return "", fmt.Errorf("%s does not end", open)
	}
	for name := range blocks {
		if !seen[name] {
			return "", fmt.Errorf("the page has no block %s", name)
		}
	}
	return b.String(), nil
}
