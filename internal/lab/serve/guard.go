package serve

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/ksdispatch/ksdispatch/internal/lab/page"
)

// hosts are the values of Host by which a server at an address is known. Of an address that means every interface, such as
// 0.0.0.0, any that names an IP address: a name is what rebinding needs.
func hosts(addr net.Addr) (known []string, wild bool) {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return []string{addr.String()}, false
	}
	ip := net.ParseIP(host)
	known = []string{net.JoinHostPort(host, port)}
	if ip != nil && (ip.IsLoopback() || ip.IsUnspecified()) {
		known = append(known, "localhost:"+port, "127.0.0.1:"+port, "[::1]:"+port)
	}
	if port == "80" {
		for _, h := range slices.Clone(known) {
			known = append(known, strings.TrimSuffix(h, ":80"))
		}
	}
	return known, ip != nil && ip.IsUnspecified()
}

// guard answers only requests that a page of this server, or a person, can have made.
func guard(addr net.Addr, next http.Handler) http.Handler {
	known, wild := hosts(addr)
	ours := func(host string) bool {
		if slices.Contains(known, strings.ToLower(host)) {
			return true
		}
		name, _, err := net.SplitHostPort(host)
		return wild && err == nil && net.ParseIP(name) != nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", page.Policy()+"; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		origin, site := r.Header.Get("Origin"), r.Header.Get("Sec-Fetch-Site")
		switch {
		case !ours(r.Host):
			http.Error(w, fmt.Sprintf("This server is not known by that name. Use http://%s/.", known[0]), http.StatusMisdirectedRequest)
		case origin != "" && !ours(strings.TrimPrefix(origin, "http://")):
			http.Error(w, "A page of another origin asked for this.", http.StatusForbidden)
		case site != "" && site != "none" && site != "same-origin":
			http.Error(w, "Another site led here. Type the address, or open it from the list of reports.", http.StatusForbidden)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "There is nothing to change here: only GET and HEAD.", http.StatusMethodNotAllowed)
		default:
			next.ServeHTTP(w, r)
		}
	})
}
