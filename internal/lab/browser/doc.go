// Package browser has no code but tests: they open the pages of ksbench in a real browser and look at them from inside.
//
// It is a module of its own, so that nobody who uses ksdispatch depends on a browser's driver. The tests need Chromium and
// axe-core, which checks a page for accessibility:
//
//	apt-get install chromium npm
//	npm ci --ignore-scripts
//	go test ./...
//
// and are skipped where one of them is missing. With -artifacts -outputdir DIR they keep a picture of each page at each width in
// light and dark.
package browser
