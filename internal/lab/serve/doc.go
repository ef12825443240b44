// Package serve shows the reports of a folder in a browser: a list, the page of each, a comparison of any two, the history
// of all, and how far the measurements are that write into the folder. The pages are those of package page.
//
// # Who may look
//
// Reports name machines, commits and drivers, so the server is for the person at the keyboard. It listens on a loopback
// address unless told otherwise, but that alone keeps nobody out: every page that this person has open in a browser can make
// the browser ask 127.0.0.1 for something, and a name whose address changes to 127.0.0.1 after its page was loaded (DNS rebinding)
// makes the answers readable as well. So a request is answered only if
//
//   - its Host is one that the server is known by: its address, or localhost with its port. A rebound name is not.
//   - it does not come from another site: Sec-Fetch-Site is absent, none or same-origin, and Origin absent or the server's own.
//   - it reads: GET and HEAD. There is nothing to change, so there is nothing to forge.
//
// Files are opened through os.Root, by one name without a slash that ends in .json, if it is a regular file: neither
// "..", nor a link, nor a pipe leads out of the folder. Answers carry the policy of the pages (no script, nothing from
// elsewhere, no frame around them) and are not cached.
//
// # Progress
//
// A run that writes FILE.json keeps .FILE.json.progress beside it, replaced once a second and removed at the end. That is all
// the two processes share: the server needs no right to start anything, and runs can be watched however they were started.
// A note that is older than a minute is shown as one of a run that was killed.
package serve
