// Package traces is what the command does with traces beside recording and replaying them, which package trace does: it turns request
// lines into traces and back, and shows what a trace has.
package traces
