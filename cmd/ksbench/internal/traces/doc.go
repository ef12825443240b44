// Package traces is what the command does with .kst files beside recording and replaying them, which package trace does: it opens files,
// makes devices of manifests, turns request lines into traces and back, and shows what a trace has.
package traces
