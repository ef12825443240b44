// Package report holds the result of a run and writes it down: as a table for people, as Markdown for a page, as JSON
// for programs, in Go's benchmark format for benchstat, as CSV for a spreadsheet. All are written from one Report, so
// they cannot disagree.
//
// The JSON is versioned and described by report.schema.json beside this file. It carries the raw sample of every round,
// so that another tool can draw its own conclusions, and the machine, without which the numbers mean nothing. Samples
// with the same index were taken in the same round: dividing them gives one ratio per round, and Ratio is the median of
// these. An unknown value is absent (an interval from too few rounds) or "unknown" (a commit), never zero.
//
// Within a version fields are only added. Read therefore accepts files of every earlier version and ignores fields that
// it does not know. It is strict about fields that it knows, because files come from other machines and gates believe
// them. Reading and writing both stream one sample at a time: a million samples are 90 MB of text, and a report should
// not need several times that in memory.
package report

// SchemaVersion is raised when a field changes its meaning or goes away.
const SchemaVersion = 1

// confidence is what the intervals of a report promise at least; MinRounds is the fewest rounds that can give it.
const (
	confidence = 0.95
	MinRounds  = 6
)

// Report is one run, or several that were merged.
type Report struct {
	SchemaVersion int         `json:"schemaVersion"`
	Environment   Environment `json:"environment"`
	Settings      Settings    `json:"settings"`
	Incomplete    bool        `json:"incomplete,omitempty"` // interrupted: fewer rounds or workloads than asked for
	Warnings      []string    `json:"warnings,omitempty"`   // about the run as a whole
	Shards        []Shard     `json:"shards,omitempty"`     // the runs that were merged, in the order of their samples
	Workloads     []Workload  `json:"workloads"`
	Paths         []Path      `json:"paths"`
	Impls         []Impl      `json:"impls"`
	Results       []Result    `json:"results"`

	Targets []Target     `json:"targets,omitempty"`
	Stages  []Stage      `json:"stages,omitempty"`
	Scale   []ScalePoint `json:"scale,omitempty"`
	Load    *Load        `json:"load,omitempty"`

	Traffic     []Traffic    `json:"traffic,omitempty"`
	Differences []Difference `json:"differences,omitempty"` // the first, of all that the traffic counts
}

// New returns a report in which nothing was measured yet: its lists are empty, as a reader of the JSON wants them.
func New(env Environment, settings Settings) *Report {
	return &Report{SchemaVersion: SchemaVersion, Environment: env, Settings: settings,
		Workloads: []Workload{}, Paths: []Path{}, Impls: []Impl{}, Results: []Result{}}
}

// Environment is the machine and the build. Strings that could not be found out are "unknown"; those that a file of an
// earlier program does not have are empty.
type Environment struct {
	CPU            string `json:"cpu"`
	Cores          int    `json:"cores"`
	GOMAXPROCS     int    `json:"gomaxprocs"`
	OS             string `json:"os"`
	Arch           string `json:"arch"`
	GoVersion      string `json:"go_version"`
	Level          string `json:"level"`                    // the compiler's instruction set, such as "GOAMD64=v1"
	Commit         string `json:"commit"`                   // of ksdispatch, with "+dirty" for a changed tree
	Time           string `json:"time,omitempty"`           // when the run began, RFC 3339
	Kernel         string `json:"kernel,omitempty"`         // release of the operating system
	Virtualization string `json:"virtualization,omitempty"` // the hypervisor, or "none"

	Caches []Cache `json:"caches,omitempty"` // from the first level on; none if they could not be found out
}

// Settings are what the run was asked to do: the same settings make the same requests in the same order.
type Settings struct {
	Seed     uint64  `json:"seed"`
	Rounds   int     `json:"rounds"`
	Requests int     `json:"requests"`          // prepared requests per workload
	BatchNs  int64   `json:"batch_ns"`          // least length of a batch
	Prime    int     `json:"prime,omitempty"`   // cycles before each batch that are not timed, 0 in early reports and where rows differ in it
	Latency  bool    `json:"latency,omitempty"` // a pass for the latency of single requests followed
	Rate     float64 `json:"rate,omitempty"`    // requests per second that the latency pass sent; 0: one after the other
	Pin      *int    `json:"pin,omitempty"`     // the CPU that the run was kept on
	Shard    string  `json:"shard,omitempty"`   // "2/4": the second of four runs that share the rounds

	Command []string `json:"command,omitempty"` // of ksbench and its flags, but for where the report went
}

// Shard is one of the runs in a merged report.
type Shard struct {
	Shard  string `json:"shard,omitempty"` // as in its settings
	Rounds int    `json:"rounds"`
	Commit string `json:"commit"`
	Time   string `json:"time,omitempty"`
	Kernel string `json:"kernel,omitempty"`
}

// Workload is a table of properties and the requests to it.
type Workload struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Objects     int    `json:"objects"`
	Items       int    `json:"items"`            // over all objects
	Digest      string `json:"digest,omitempty"` // of the table and the requests, xxhash64 in hexadecimal
}

// Path is a way through the engine, from a table lookup to a whole request.
type Path struct {
	Name        string `json:"name"`
	Description string `json:"description"`
}

// Kind says what an implementation is measured for.
type Kind string

const (
	Engine Kind = "engine" // what is measured
	Peer   Kind = "peer"   // does the same in another way
	Limit  Kind = "limit"  // does less than any dispatcher can, on the same requests
)

// Impl is one of the implementations.
type Impl struct {
	Name        string `json:"name"`
	Kind        Kind   `json:"kind"`
	Description string `json:"description"`
}

// Result is one implementation on one path of one workload.
type Result struct {
	Workload    string    `json:"workload"`
	Path        string    `json:"path"`
	Impl        string    `json:"impl"`
	NsPerOp     float64   `json:"ns_per_op"`     // median of the rounds
	AllocsPerOp float64   `json:"allocs_per_op"` // least of the rounds: other goroutines can only add
	BytesPerOp  float64   `json:"bytes_per_op"`  // likewise
	Spread      float64   `json:"spread"`        // median distance from the median, as a fraction of it
	Interval    *Interval `json:"interval,omitempty"`
	Outliers    *Outliers `json:"outliers,omitempty"` // absent if there are none; they are among the samples
	WarmUp      *WarmUp   `json:"warm_up,omitempty"`
	Latency     *Latency  `json:"latency,omitempty"`
	Samples     []Sample  `json:"samples"`
	Ratios      []Ratio   `json:"ratios"` // of the engine's row to the other implementations; empty for theirs
	Warnings    []string  `json:"warnings"`
}

// Interval encloses a median with at least the confidence it names.
type Interval struct {
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	Confidence float64 `json:"confidence"`
}

// Outliers counts the rounds whose time lies outside of Tukey's fences: mild beyond 1.5 times the distance of the
// quartiles, severe beyond 3 times.
type Outliers struct {
	LowSevere  int `json:"low_severe,omitempty"`
	LowMild    int `json:"low_mild,omitempty"`
	HighMild   int `json:"high_mild,omitempty"`
	HighSevere int `json:"high_severe,omitempty"`
}

// WarmUp is what came before the first round and is not in the samples.
type WarmUp struct {
	Ns      int64 `json:"ns"`
	Batches int   `json:"batches"`
	Stable  bool  `json:"stable"` // false: the cap ended it, not a steady time
}

// Sample is one round.
type Sample struct {
	Operations  int     `json:"operations"`
	NsPerOp     float64 `json:"ns_per_op"`
	AllocsPerOp float64 `json:"allocs_per_op"`
	BytesPerOp  float64 `json:"bytes_per_op"`
	GCCycles    int     `json:"gc_cycles,omitempty"` // collections that ended meanwhile; absent too where none were counted
}

// Ratio is the time of another implementation divided by the engine's in the same round: above 1 the engine is faster.
type Ratio struct {
	To       string    `json:"to"`
	Ratio    float64   `json:"ratio"` // median of the rounds
	Interval *Interval `json:"interval,omitempty"`
}
