package baseline

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func fine(string) error { return nil }

func save(t *testing.T, dir, name, text string) string {
	t.Helper()
	require.NoError(t, Save(dir, name, strings.NewReader(text), noon, fine))
	return filepath.Join(dir, name)
}

func content(t *testing.T, path string) string {
	t.Helper()
	f, _, err := Open(t.Context(), path)
	require.NoError(t, err)
	defer f.Close()
	text, err := io.ReadAll(f)
	require.NoError(t, err)
	return string(text)
}

func TestWhatIsSavedIsRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	for _, text := range []string{"", "x", "one\ntwo\n", strings.Repeat("long ", 100000)} {
		path := save(t, dir, "main", text)
		require.Equal(t, text, content(t, path))
		f, info, err := Open(t.Context(), path)
		require.NoError(t, err)
		require.NoError(t, f.Close())
		require.Equal(t, int64(len(text)), info.Size)
		require.Equal(t, noon, info.Saved)
	}
	plain := filepath.Join(dir, "plain.txt")
	require.NoError(t, os.WriteFile(plain, []byte("no baseline\n"), 0o600))
	require.Equal(t, "no baseline\n", content(t, plain))
}

// Whatever bit of a baseline changes, and wherever it is cut: what is opened as a baseline is what was saved.
func TestDamageIsFound(t *testing.T) {
	rng := testkit.Rand(t)
	dir := t.TempDir()
	text := strings.Repeat("BenchmarkVolume-2 100 12.5 ns/op\n", 20)
	whole, err := os.ReadFile(save(t, dir, "main", text))
	require.NoError(t, err)
	try := func(name string, damaged []byte) {
		path := filepath.Join(dir, "damaged")
		require.NoError(t, os.WriteFile(path, damaged, 0o600))
		f, info, err := Open(t.Context(), path)
		if err == nil {
			defer f.Close()
			if info != nil { // what no longer begins as a baseline is some other file
				held, err := io.ReadAll(f)
				require.NoError(t, err)
				require.Equal(t, text, string(held), name)
			}
		}
	}
	// A mark that an editor put before it is no damage, and hides none.
	path := filepath.Join(dir, "marked")
	require.NoError(t, os.WriteFile(path, append([]byte("\ufeff"), whole...), 0o600))
	f, info, err := Open(t.Context(), path)
	require.NoError(t, err)
	held, err := io.ReadAll(f)
	require.NoError(t, errors.Join(err, f.Close()))
	require.Equal(t, text, string(held))
	require.Equal(t, int64(len(text)), info.Size)
	require.NoError(t, os.WriteFile(path, append([]byte("\ufeff"), whole[:len(whole)-1]...), 0o600))
	_, _, err = Open(t.Context(), path)
	require.ErrorContains(t, err, "damaged")
	for range 500 {
		at := rng.IntN(len(whole))
		damaged := bytes.Clone(whole)
		damaged[at] ^= 1 << rng.IntN(8)
		try("a bit", damaged)
	}
	for cut := range len(whole) {
		try("a cut", whole[:cut])
	}
}

func TestNothingIsLost(t *testing.T) {
	dir := t.TempDir()
	path := save(t, dir, "main", "old")
	broken := errors.New("broken")
	require.ErrorIs(t, Save(dir, "main", strings.NewReader("new"), noon, func(temporary string) error {
		require.Equal(t, "new", content(t, temporary))
		return broken
	}), broken)
	require.ErrorIs(t, Save(dir, "main", io.MultiReader(strings.NewReader("half"), failing{broken}), noon, fine), broken)
	for _, name := range []string{"", ".", "..", ".hidden", "-flag", "a/b", `a\b`, "a b", "ä", strings.Repeat("x", 101)} {
		require.Error(t, Save(dir, name, strings.NewReader("new"), noon, fine), name)
	}
	require.Equal(t, "old", content(t, path))
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 1)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// Of several that are saved at once, one remains, whole.
func TestSavedAtOnce(t *testing.T) {
	dir := t.TempDir()
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			text := strings.Repeat(string(rune('a'+i)), 10000*(i+1))
			if err := Save(dir, "main", strings.NewReader(text), noon, fine); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	text := content(t, filepath.Join(dir, "main"))
	require.Equal(t, strings.Repeat(text[:1], 10000*int(text[0]-'a'+1)), text)
	infos, damaged := List(t.Context(), dir)
	require.Len(t, infos, 1)
	require.Empty(t, damaged)
}

func TestListAndFind(t *testing.T) {
	dir := t.TempDir()
	infos, damaged := List(t.Context(), filepath.Join(dir, "none"))
	require.Empty(t, infos)
	require.Empty(t, damaged)
	save(t, dir, "b", "x")
	save(t, dir, "a", "y")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "stray"), []byte("x"), 0o600))
	infos, damaged = List(t.Context(), dir)
	require.Len(t, infos, 2)
	require.Equal(t, "a", infos[0].Name)
	require.Len(t, damaged, 1)
	require.ErrorContains(t, damaged[0], "is no baseline")

	path, err := Find(dir, "a")
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "a"), path)
	path, err = Find(dir, filepath.Join(dir, "b"))
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "b"), path)
	_, err = Find(dir, "c")
	require.ErrorContains(t, err, "neither a file nor saved in")
}

// In a folder of a module, its baselines are meant; a folder that was named is itself.
func TestFolder(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, "m", "a", "b"), 0o777))
	t.Chdir(filepath.Join(root, "m", "a", "b"))
	outside := Folder(Dir) // whatever is above the temporary folders
	require.NoError(t, os.WriteFile(filepath.Join(root, "m", "go.mod"), nil, 0o666))
	require.Equal(t, filepath.Join("..", "..", Dir), Folder(Dir))
	require.NotEqual(t, filepath.Join("..", "..", Dir), outside)
	require.NoError(t, os.MkdirAll(filepath.Join(root, "m", "a", filepath.Dir(Dir)), 0o777))
	require.Equal(t, filepath.Join("..", Dir), Folder(Dir))
	require.Equal(t, "elsewhere", Folder("elsewhere"))
	t.Chdir(filepath.Join(root, "m"))
	require.Equal(t, filepath.FromSlash(Dir), Folder(Dir))
}

// Runs are kept apart, byte for byte, also of a baseline that began as one; whatever bit of them changes is found.
func TestAppend(t *testing.T) {
	dir := t.TempDir()
	texts := []string{"one\n", "", "# ksbench run bytes=3 saved=never\n", strings.Repeat("long ", 100000), "no end of line"}
	for i, text := range texts {
		require.NoError(t, Append(t.Context(), dir, "main", strings.NewReader(text), noon.Add(time.Duration(i)*time.Hour), fine))
	}
	path := filepath.Join(dir, "main")
	f, info, err := Open(t.Context(), path)
	require.NoError(t, err)
	require.Len(t, info.Runs, len(texts))
	for i, run := range info.Runs {
		require.NoError(t, f.Rewind(run.Begin))
		held, err := io.ReadAll(io.LimitReader(f, run.Size))
		require.NoError(t, err)
		require.Equal(t, texts[i], string(held))
		require.Equal(t, noon.Add(time.Duration(i)*time.Hour), run.Saved)
	}
	require.NoError(t, f.Close())

	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	broken := errors.New("broken")
	require.ErrorIs(t, Append(t.Context(), dir, "main", strings.NewReader("x"), noon, func(string) error { return broken }), broken)
	require.ErrorIs(t, Append(t.Context(), dir, "main", failing{broken}, noon, fine), broken)
	require.Error(t, Append(t.Context(), dir, "a/b", strings.NewReader("x"), noon, fine))
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, whole, after)

	rng := testkit.Rand(t)
	header := bytes.IndexByte(whole, '\n') + 1
	for range 100 {
		damaged := bytes.Clone(whole)
		damaged[header+rng.IntN(len(whole)-header)] ^= 1 << rng.IntN(8)
		require.NoError(t, os.WriteFile(path, damaged, 0o600))
		_, _, err := Open(t.Context(), path)
		require.ErrorContains(t, err, "damaged")
		require.Error(t, Append(t.Context(), dir, "main", strings.NewReader("x"), noon, fine))
	}
}

// A file that says of itself that it is whole can still say nonsense of its runs.
func TestRunsThatCannotBe(t *testing.T) {
	for body, want := range map[string]string{
		"":       "holds no run",
		"text\n": "run 1 has no line",
		"# ksbench run bytes=9 saved=2026-01-02T12:00:00Z\nx":                   "run 1 is longer",
		"# ksbench run bytes=-1 saved=2026-01-02T12:00:00Z\nx":                  "run 1 has no line",
		"# ksbench run bytes=1 saved=2026-01-02T12:00:00Z\nxy":                  "run 2 has no line",
		"# ksbench run bytes=9223372036854775807 saved=2026-01-02T12:00:00Z\nx": "run 1 is longer",
		"# ksbench run bytes=1 saved=today\nx":                                  "cannot parse",
		strings.Repeat("#", 1000):                                               "run 1 has no line",
	} {
		path := filepath.Join(t.TempDir(), "main")
		text := fmt.Sprintf(header, 2, xxhash.Sum64String(body), "2026-01-02T12:00:00Z") + body
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, _, err := Open(t.Context(), path)
		require.ErrorContains(t, err, want, body)
	}
}
