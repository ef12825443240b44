package machine

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/klauspost/cpuid/v2"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// Caches lists the levels of memory that the first core sees: as the kernel says, which knows what a virtual machine was
// given, and otherwise as the processor says. Instruction caches are left out.
func Caches() []report.Cache {
	if caches := sysCaches("/sys/devices/system/cpu/cpu0/cache"); len(caches) > 0 {
		return caches
	}
	var caches []report.Cache
	c := cpuid.CPU.Cache // -1 where it does not know
	for i, bytes := range []int{c.L1D, c.L2, c.L3} {
		if bytes > 0 {
			caches = append(caches, report.Cache{Name: [...]string{"L1d", "L2", "L3"}[i], Bytes: bytes})
		}
	}
	return caches
}

// sysCaches reads Linux's description: a directory index0, index1... for each.
func sysCaches(dir string) (caches []report.Cache) {
	for i := 0; ; i++ {
		read := func(name string) string {
			text, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("index%d", i), name))
			if err != nil {
				return ""
			}
			return strings.TrimSpace(string(text))
		}
		level, kind, size := read("level"), read("type"), read("size")
		if level == "" {
			return caches
		}
		bytes, err := strconv.Atoi(strings.TrimSuffix(size, "K"))
		if err != nil || bytes <= 0 || kind == "Instruction" {
			continue
		}
		if strings.HasSuffix(size, "K") {
			bytes <<= 10
		}
		name := "L" + level
		if kind == "Data" {
			name += "d"
		}
		caches = append(caches, report.Cache{Name: name, Bytes: bytes})
	}
}
