package browser

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdpruntime "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// chromium starts a browser for the test, or skips it where none is installed.
func chromium(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("no chromium is installed: apt-get install chromium, and the pages are tested in it")
	}
	// The browser is to be alone with the page: no first run, no update, no sync, nothing in the background that would ask
	// the network for something.
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.Flag("headless", true)}
	for _, flag := range []string{"no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking",
		"disable-component-update", "disable-sync", "hide-scrollbars"} {
		options = append(options, chromedp.Flag(flag, true))
	}
	// A page is no slower than its machine: only go test's own timeout ends the wait for one, a little early, to say for what.
	ctx, cancel := t.Context(), func() {}
	if deadline, ok := t.Deadline(); ok {
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-10*time.Second))
	}
	t.Cleanup(cancel)
	// The browser has a directory of chromedp's, which waits until no process of it writes there any more.
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits for the browser, and removes its directory
		cancel()
	})
	require.NoError(t, chromedp.Do(ctx))
	return ctx
}

// watch notes what a page must not do: write to the console, throw, or ask for anything but itself.
type watch struct {
	mu       sync.Mutex
	console  []string
	requests []string
}

func watched(t *testing.T, ctx context.Context) *watch {
	t.Helper()
	w := new(watch)
	require.NoError(t, chromedp.Listen(ctx, func(ev any) {
		w.mu.Lock()
		defer w.mu.Unlock()
		switch ev := ev.(type) {
		case *cdpruntime.EventConsoleAPICalled:
			w.console = append(w.console, string(ev.Type))
		case *cdpruntime.EventExceptionThrown:
			w.console = append(w.console, ev.ExceptionDetails.Text)
		case *cdplog.EventEntryAdded:
			w.console = append(w.console, ev.Entry.Text)
		case *network.EventRequestWillBeSent:
			if !strings.HasPrefix(ev.Request.URL, "data:,") { // the empty icon, which loads nothing
				w.requests = append(w.requests, ev.Request.URL)
			}
		}
	}))
	_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
	require.NoError(t, err)
	return w
}

// seen returns the notes so far and forgets them.
func (w *watch) seen() (console, requests []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	console, requests = w.console, w.requests
	w.console, w.requests = nil, nil
	return console, requests
}

// scheme sets the width of the window and the preferred colours.
func scheme(t *testing.T, ctx context.Context, width int64, scheme string) {
	t.Helper()
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(width, 900)))
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	require.NoError(t, err)
}

// evaluate runs a script in the page, from outside of its policy.
func evaluate[T any](t *testing.T, ctx context.Context, script string) T {
	t.Helper()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](script))
	require.NoError(t, err)
	return value
}

// shoot keeps a picture of the whole page for those who run go test -artifacts.
func shoot(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(t.ArtifactDir()+"/"+name+".png", png, 0o644))
}

// print lets the page look as on paper.
func print(t *testing.T, ctx context.Context) {
	t.Helper()
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
	require.NoError(t, err)
}

// accessible lets axe-core look for what keeps people out.
func accessible(t *testing.T, ctx context.Context) {
	t.Helper()
	axe, err := os.ReadFile("node_modules/axe-core/axe.min.js")
	if os.IsNotExist(err) {
		t.Log("axe-core is not installed, so accessibility was not checked: npm ci --ignore-scripts")
		return
	}
	require.NoError(t, err)
	evaluate[bool](t, ctx, string(axe)+";true")
	const audit = `axe.run(document, {resultTypes: ["violations"]}).then(found => found.violations.
		filter(v => v.impact === "serious" || v.impact === "critical").
		map(v => v.id + ": " + v.help + ": " + v.nodes.slice(0, 3).map(n => n.html + " " + n.failureSummary).join(" | ")))`
	found, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](audit, chromedp.EvalAwaitPromise))
	require.NoError(t, err)
	require.Empty(t, found)
}

// serve starts ksbench serve and ends it with the test, as Ctrl-C would.
func serve(t *testing.T, dir string) (address string) {
	t.Helper()
	c := exec.Command(ksbench, "serve", dir, "--listen", "127.0.0.1:0")
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	address, err = bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, c.Process.Signal(os.Interrupt))
		require.NoError(t, c.Wait())
	})
	return strings.TrimSpace(address)
}
