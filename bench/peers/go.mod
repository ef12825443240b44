module github.com/ksdispatch/ksdispatch/bench/peers

go 1.26.0

replace github.com/ksdispatch/ksdispatch => ../..

require (
	github.com/cockroachdb/swiss v0.0.0-20260820225851-333444432258
	github.com/dgraph-io/ristretto/v2 v2.4.2
	github.com/ksdispatch/ksdispatch v0.0.0-00010101000000-000000000000
	github.com/puzpuzpuz/xsync/v4 v4.5.0
)

require (
	github.com/HdrHistogram/hdrhistogram-go v1.4.0 // indirect
	github.com/aclements/go-moremath v0.0.0-20210112150236-f10218a38794 // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/dustin/go-humanize v1.0.1 // indirect
	github.com/klauspost/cpuid/v2 v2.4.2 // indirect
	golang.org/x/perf v0.0.0-20260908200009-22c9c6c9d4da // indirect
	golang.org/x/sys v0.49.0 // indirect
)
