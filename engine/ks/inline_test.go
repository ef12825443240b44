package ks

import (
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// inlinable are the functions of a dispatch path, which are promised to inline on every 64-bit architecture whose loads
// the compiler merges.
var inlinable = []string{
	"DecodeIdentifier", "DecodeNode", "DecodeMultipleItem", "DecodeEventData", "DecodeQueryBuffer", "DecodeSerialHdr", "DecodeSerial",
	"Identifier.Put", "PropertyDescription.Put", "MembersHeader.Put", "MultipleItem.Put", "SerialHdr.Put", "Serial.Put",
	"GUID.Words", "Status.IsSuccess", "Status.IsWarning", "Status.IsError",
}

func TestInlining(t *testing.T) {
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("promised for amd64 and arm64")
	}
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("needs the go command")
	}
	out, err := exec.Command(tool, "build", "-gcflags=-m=2", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	says := map[string]string{} // function to what the compiler says of it
	line := regexp.MustCompile(`(?m)^\S+: (can inline (\S+) with cost \d+|cannot inline (\S+): .*)`)
	for _, m := range line.FindAllStringSubmatch(string(out), -1) {
		says[m[2]+m[3]] = m[1]
	}
	for _, name := range inlinable {
		if !strings.HasPrefix(says[name], "can inline ") {
			t.Errorf("%s does not inline; the compiler says %q", name, says[name])
		}
	}
	// The control: a function that is too large must be told apart, or the lines above are misread.
	if control := "Status.win32"; !strings.HasPrefix(says[control], "cannot inline ") {
		t.Errorf("control %s: the compiler says %q; want a refusal", control, says[control])
	}
}
