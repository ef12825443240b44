// Package serve shows the reports of a folder in a browser: a list, the page of each, a comparison of any two, the
// history of all, and the progress of measurements that write into the folder. The pages are those of package page.
//
// # Who may look
//
// Reports name machines, commits and drivers, so the server is for the person at the keyboard. It listens on a loopback
// address unless told otherwise, but that alone keeps nobody out: every page that this person has open in a browser can
// make the browser ask 127.0.0.1 for something, and a name whose address changes to 127.0.0.1 after its page was loaded
// (DNS rebinding) makes the answers readable as well. So the server answers a request only if
//
//   - its Host is one that the server knows as its own: its address, or localhost with its port. A rebound name is not.
//   - it does not come from another site: Sec-Fetch-Site is absent, none or same-origin, and Origin absent or the server's own.
//   - it reads: GET and HEAD. There is nothing to change, so there is nothing to forge.
//
// Files are opened through os.Root, and only regular files, by a name without a slash that ends in .json, .txt or
// .bench: neither "..", nor a link, nor a pipe leads out of the folder. Answers carry the policy of the pages (no
// script, nothing from elsewhere, no frame around them) and are not cached.
//
// # Progress
//
// A run that writes FILE.json keeps .FILE.json.progress beside it, replaced once a second and removed at the end. The
// two processes share nothing else: the server needs no right to start anything, and a run can be watched however it
// was started. A note older than a minute is shown as one of a run that was killed.
package serve
