package engine_test

import (
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// diagnostics compiles a package and returns what the compiler says about inlining and escapes: by function for the
// former, by "function: parameter" for the latter.
func diagnostics(t *testing.T, pkg string) (inline, params map[string]string) {
	t.Helper()
	if testing.Short() || runtime.Compiler != "gc" {
		t.Skip("compiles the package")
	}
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command: ", err)
	}
	out, err := exec.Command(goTool, "build", "-gcflags=-m=2", pkg).CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	inline, params = map[string]string{}, map[string]string{}
	at := map[string]string{} // position to function
	line := regexp.MustCompile(`^(\S+?\.go:\d+):\d+: (.*)$`)
	verdict := regexp.MustCompile(`^(can|cannot) inline (\S+?)(?:: (.*)| with cost .*)?$`)
	param := regexp.MustCompile(`^(?:(leaking param(?: content)?): (\w+)|(?:parameter )?(\w+) (does not escape)|parameter (\w+) leaks to .*)`)
	for _, l := range strings.Split(string(out), "\n") {
		m := line.FindStringSubmatch(l)
		if m == nil {
			continue
		}
		if v := verdict.FindStringSubmatch(m[2]); v != nil {
			at[m[1]] = v[2]
			inline[v[2]] = v[1]
			if v[1] == "cannot" {
				inline[v[2]] = v[3]
			}
		}
	}
	for _, l := range strings.Split(string(out), "\n") {
		m := line.FindStringSubmatch(l)
		if m == nil || at[m[1]] == "" {
			continue
		}
		if p := param.FindStringSubmatch(m[2]); p != nil && p[1] != "" {
			params[at[m[1]]+": "+p[2]] = p[1]
		} else if p != nil && p[4] != "" {
			params[at[m[1]]+": "+p[3]] = p[4]
		}
	}
	return inline, params
}

// Functions that must inline, because each is called for every request, or promises to cost nothing.
var inlined = []string{
	"(*Dispatcher).Property", "(*Dispatcher).PropertyWithAllocator", "(*IRP).decide", "(*IRP).tooShort", "(*IRP).output",
	"(*IRP).produced", "(*layout).requestOffset", "(*IRP).PropertySet", "(*IRP).PropertyItem", "(*IRP).ItemContext", "(*IRP).Rule",
	"(*IRP).ready", "(*IRP).setRequest", "(*IRP).isKept", "(*IRP).reuse", "(*IRP).isLaid", "(*IRP).window", "(*IRP).finishPlain",
	"(*IRP).setBuffer", "(*IRP).plain",
	"split", "(*anchor).set", "words", "putWords",
	"(*Dispatcher).FastProperty", "(*Ref).FastProperty", "(*FileObject).idle", "(*FileObject).captured", "(*slot).takes",
	"(*Dispatcher).soleVerb", "align4", "Mode.String",
}

// Parameters that must not escape, so that a caller's arrays stay on its stack.
var confined = map[string][]string{
	"../engine": {"(*Dispatcher).PropertyWithBuffers: in", "(*Dispatcher).PropertyWithBuffers: out",
		"(*Dispatcher).EnableEventWithBuffers: in", "(*Dispatcher).EnableEventWithBuffers: out",
		"(*Dispatcher).EnableEventWithBuffers: allocator",
		"(*Dispatcher).PropertyWithBuffers: allocator", "(*Dispatcher).PropertyWithAllocator: allocator", "(*IRP).Finish: out"},
	"./device": {"(*Handle).IoControl: in", "(*Handle).IoControl: out"},
}

func TestInlining(t *testing.T) {
	own, _ := diagnostics(t, ".")
	for _, f := range inlined {
		if reason := own[f]; reason == "" {
			t.Errorf("%s: the compiler says nothing; was it renamed?", f)
		} else if reason != "can" {
			t.Errorf("%s is not inlined: %s", f, reason)
		}
	}
	inline, _ := diagnostics(t, "./device")
	if reason := inline["(*Handle).IoControl"]; reason != "can" && runtime.GOARCH != "386" { // where an atomic load counts as a call
		t.Errorf("device: (*Handle).IoControl is not inlined: %s", reason)
	}
	// The control: what has a defer or a loop over a set is too much, and must be seen as such.
	for _, f := range []string{"(*Dispatcher).PropertyWithBuffers", "Compile"} {
		if reason := own[f]; reason == "can" || reason == "" {
			t.Errorf("control: %s: %q; want the compiler's reason", f, reason)
		}
	}
}

func TestParametersDoNotEscape(t *testing.T) {
	for pkg, list := range confined {
		_, params := diagnostics(t, pkg)
		for _, p := range list {
			if verdict := params[p]; verdict != "does not escape" {
				t.Errorf("%s %s: the compiler says %q, want \"does not escape\"", pkg, p, verdict)
			}
		}
		if pkg == "../engine" { // the control
			if verdict := params["(*Dispatcher).PropertyWithBuffers: irp"]; !strings.HasPrefix(verdict, "leaking param") {
				t.Errorf("control: the IRP, which handlers keep: %q, want a leak", verdict)
			}
		}
	}
}
