// Package traces turns request lines into traces and back, and shows the content of a trace. Package trace records and replays.
package traces
