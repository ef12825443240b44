package serve

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/ksdispatch/ksdispatch/internal/lab/page"
)

// Listen opens the address. One that others can reach is refused unless public is set.
func Listen(address string, public bool) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	if a, ok := l.Addr().(*net.TCPAddr); !public && (!ok || !a.IP.IsLoopback()) {
		return nil, errors.Join(fmt.Errorf("%s is not a loopback address: others could read the reports there; use 127.0.0.1:8080, or "+
			"--public to let them", address), l.Close())
	}
	return l, nil
}

// Serve answers until the context ends, and then waits for what is being answered, at most five seconds.
func Serve(ctx context.Context, l net.Listener, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	defer root.Close()
	server := &http.Server{
		Handler:           guard(l.Addr(), handler(root, filepath.Clean(dir))),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	var silent sync.Map // connections without a request so far, as browsers have in store: Shutdown would wait for one
	server.ConnState = func(c net.Conn, state http.ConnState) {
		if silent.Delete(c); state == http.StateNew {
			silent.Store(c, nil)
			if ctx.Err() != nil { // accepted as the server ended
				_ = c.Close()
			}
		}
	}
	server.RegisterOnShutdown(func() {
		silent.Range(func(c, _ any) bool {
			_ = c.(net.Conn).Close()
			return true
		})
	})
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		last, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		stopped <- server.Shutdown(last)
	}()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

func handler(root *os.Root, dir string) http.Handler {
	f := &folder{root: root, dir: dir, read: map[string]reading{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", f.page(f.index))
	mux.HandleFunc("GET /report", f.page(f.report))
	mux.HandleFunc("GET /compare", f.page(f.compare))
	mux.HandleFunc("GET /history", f.page(f.history))
	return mux
}

// page renders before it answers, so that what fails is an error and not half a page.
func (f *folder) page(render func(context.Context, io.Writer, url.Values) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var b bytes.Buffer
		err := render(r.Context(), &b, r.URL.Query())
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, errName):
			http.Error(w, err.Error()+". The list of reports is at /.", http.StatusNotFound)
			return
		case err != nil:
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = b.WriteTo(w) // who asked may have gone
	}
}

var back = page.Link{Text: "All reports", URL: "/"}

func (f *folder) report(ctx context.Context, w io.Writer, q url.Values) error {
	r, err := f.open(ctx, q.Get("name"))
	if err != nil {
		return err
	}
	return page.Write(w, page.Input{Reports: []page.Report{r}, Links: []page.Link{back}})
}

func (f *folder) compare(ctx context.Context, w io.Writer, q url.Values) error {
	old, err := f.open(ctx, q.Get("old"))
	if err != nil {
		return err
	}
	now, err := f.open(ctx, q.Get("new"))
	if err != nil {
		return err
	}
	if old.Name == now.Name {
		old.Name += " (the same)"
	}
	return page.Write(w, page.Input{Title: "ksbench: " + old.Name + " to " + now.Name, Reports: []page.Report{old, now},
		Links: []page.Link{back}})
}

func (f *folder) history(ctx context.Context, w io.Writer, _ url.Values) error {
	reports, _, err := f.all(ctx)
	if err != nil {
		return err
	}
	return page.Write(w, page.Input{Title: "ksbench: history of " + f.dir, Reports: reports, Links: []page.Link{back}})
}

func (f *folder) index(ctx context.Context, w io.Writer, q url.Values) error {
	reports, skipped, err := f.all(ctx)
	if err != nil {
		return err
	}
	runs, err := running(ctx, f.root)
	if err != nil {
		return err
	}
	in := page.Index{Title: "ksbench: reports of " + f.dir, Reports: reports, Skipped: skipped, Follow: q.Get("follow") != ""}
	for _, p := range runs {
		in.Runs = append(in.Runs, p.describe(time.Now()))
	}
	return page.WriteIndex(w, in)
}

// describe is a run as the page shows it.
func (p Progress) describe(now time.Time) page.Run {
	r := page.Run{Name: p.name, Done: p.Done, Total: p.Total, Text: "measuring " + p.Workload}
	if left, ok := p.left(); ok {
		r.Text += ", " + left.Round(time.Second).String() + " left"
	}
	if age := now.Sub(p.seen); age > stale {
		r.Text = fmt.Sprintf("no news for %v: it was probably killed; remove %s", age.Round(time.Second), filepath.Base(progressFile(p.name)))
		r.Stale = true
	}
	return r
}
