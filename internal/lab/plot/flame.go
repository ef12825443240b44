package plot

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
)

// Flame is a flame graph with its root on top: the width of a frame is the share of the profile in which it was on the
// stack, the frames under it are what it called. After Brendan Gregg, "The Flame Graph", ACM Queue 14(2), 2016.
type Flame struct {
	Title   string
	Summary string // "" for one made from the numbers
	Format  func(float64) string
	Root    *Frame
}

// Frame is a function called from the frames above it. Value includes what its children took.
type Frame struct {
	Name     string
	Value    float64
	Children []*Frame
}

// Child returns the frame of that name under f, which is added if it is new.
func (f *Frame) Child(name string) *Frame {
	for _, c := range f.Children {
		if c.Name == name {
			return c
		}
	}
	c := &Frame{Name: name}
	f.Children = append(f.Children, c)
	return c
}

const (
	flameWidth  = 1040.0
	flameHeight = 19.0
	flameDepth  = 60    // deeper frames are not drawn
	flameLeast  = 0.002 // nor what is less than this share of all
	flameLetter = 6.4
)

// Draw lays the chart out.
func (c Flame) Draw(id string) *Figure {
	f := &Figure{ID: id, Title: c.Title, Summary: c.Summary, width: flameWidth}
	if c.Format == nil {
		c.Format = doc.Number
	}
	self := map[string]float64{}
	if c.Root != nil && c.Root.Value > 0 {
		f.height = flameHeight * float64(1+f.frame(c, c.Root, 0, 0, self))
	}
	f.height = max(f.height, flameHeight)
	c.table(f, self)
	if f.Summary == "" {
		f.Summary = c.summary(f)
	}
	return f
}

// frame draws a frame and its children, largest first, and returns the depth of the deepest that was drawn.
func (f *Figure) frame(c Flame, fr *Frame, x float64, depth int, self map[string]float64) int {
	own := fr.Value
	for _, child := range fr.Children {
		own -= child.Value
	}
	self[fr.Name] += max(own, 0)
	share := fr.Value / c.Root.Value
	w := share * f.width
	deepest := depth
	if share >= flameLeast && depth < flameDepth {
		f.add(`<g><rect class="flame s%d" x="%s" y="%s" width="%s" height="%s"/><title>%s: %s, %.1f %%</title>`, hue(fr.Name), num(x),
			num(float64(depth)*flameHeight), num(w), num(flameHeight-1), escape(fr.Name), escape(c.Format(fr.Value)), 100*share)
		if n := int((w - 6) / flameLetter); n >= 3 {
			name := []rune(short(fr.Name))
			if len(name) > n {
				name = append(name[:n-1:n-1], '…')
			}
			f.add(`<text class="flame-text" x="%s" y="%s">%s</text>`, num(x+3), num(float64(depth)*flameHeight+13), escape(string(name)))
		}
		f.add("</g>")
		f.Marks++
	} else {
		deepest--
	}
	children := slices.Clone(fr.Children)
	slices.SortStableFunc(children, func(a, b *Frame) int { return cmp.Compare(b.Value, a.Value) })
	for _, child := range children {
		deepest = max(deepest, f.frame(c, child, x, depth+1, self))
		x += child.Value / c.Root.Value * f.width
	}
	return deepest
}

// hue gives the functions of one package one colour.
func hue(name string) int {
	h := fnv.New32a()
	pkg := name
	if slash := strings.LastIndexByte(name, '/'); strings.IndexByte(name[slash+1:], '.') >= 0 {
		pkg = name[:slash+1+strings.IndexByte(name[slash+1:], '.')]
	}
	h.Write([]byte(pkg))
	return int(h.Sum32() % palette)
}

// short leaves the directories of a package away: engine.(*Dispatcher).Property.
func short(name string) string {
	head, rest, _ := strings.Cut(name, "(")
	if slash := strings.LastIndexByte(head, '/'); slash >= 0 {
		return name[slash+1:]
	}
	if rest == "" {
		return head
	}
	return name
}

// table lists the functions that took the most themselves.
func (c Flame) table(f *Figure, self map[string]float64) {
	const most = 25
	f.Header = []string{"function", "itself", "share"}
	names := make([]string, 0, len(self))
	for name, v := range self {
		if v > 0 {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(self[b], self[a]), cmp.Compare(a, b)) })
	for _, name := range names[:min(len(names), most)] {
		f.Table = append(f.Table, []string{name, c.Format(self[name]), fmt.Sprintf("%.1f %%", 100*self[name]/c.Root.Value)})
	}
}

func (c Flame) summary(f *Figure) string {
	if len(f.Table) == 0 {
		return "The profile has no samples."
	}
	var said []string
	for _, row := range f.Table[:min(len(f.Table), 5)] {
		said = append(said, row[0]+" "+row[2])
	}
	return "Most time was spent in " + strings.Join(said, ", ") + "."
}
