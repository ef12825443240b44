package device_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestEmbeddingPage builds the program that the Go blocks of docs/embedding.md are, and compares what it prints with the text blocks.
func TestEmbeddingPage(t *testing.T) {
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("there is no go command here")
	}
	page, err := os.ReadFile("../../docs/embedding.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := make(map[string]string)
	for _, m := range regexp.MustCompile("(?sm)^```(go|text)\r?\n(.*?)^```").FindAllStringSubmatch(string(page), -1) {
		blocks[m[1]] += strings.ReplaceAll(m[2], "\r", "") + "\n"
	}
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(blocks["go"]), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(tool, "run", file)
	cmd.Env = append(os.Environ(), "GOOS=", "GOARCH=") // of the machine, if this test is emulated
	got, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, got)
	}
	want := strings.ReplaceAll(blocks["text"], "\n\n", "\n")
	if strings.ReplaceAll(string(got), "\r", "") != want {
		t.Errorf("the program prints\n%s\nand the page says\n%s", got, want)
	}
}
