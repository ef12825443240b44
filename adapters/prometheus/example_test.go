package prometheus_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"

	client "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/ksdispatch/ksdispatch/adapters/prometheus"
	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/ks/kssets"
	"github.com/ksdispatch/ksdispatch/engine/typed"
)

// A volume control whose requests are on a page that Prometheus scrapes.
func Example() {
	var level atomic.Int32
	set, err := typed.PropertySet(kssets.KSPROPSETID_Audio, typed.ScalarVar(kssets.KSPROPERTY_AUDIO_VOLUMELEVEL, &level))
	if err != nil {
		fmt.Println(err)
		return
	}
	config := engine.Config{PropertySets: []engine.PropertySet{set}}
	seen := device.Observe(&config, device.ObserveConfig{Name: kssets.PropertyName})
	d, err := engine.Compile(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	h, err := device.New(d).Open()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer h.Close()
	metrics := client.NewRegistry()
	metrics.MustRegister(prometheus.NewCollector("volume", seen))

	for id, n := range map[uint32]int{kssets.KSPROPERTY_AUDIO_VOLUMELEVEL: 3, kssets.KSPROPERTY_AUDIO_MUTE: 1} {
		in := make([]byte, ks.SizeIdentifier)
		ks.Identifier{Set: kssets.KSPROPSETID_Audio, ID: id, Flags: ks.PropertyTypeGet}.Put(in)
		for range n {
			h.IoControl(ks.IoctlProperty, in, make([]byte, 4))
		}
	}

	page := httptest.NewRecorder()
	promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}).ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for line := range strings.Lines(page.Body.String()) {
		if !strings.HasPrefix(line, "#") {
			fmt.Print(line)
		}
	}
	// Output:
	// ks_refusals_total{device="volume",item="KSPROPSETID_Audio/KSPROPERTY_AUDIO_MUTE",rule="P-24",status="STATUS_NOT_FOUND"} 1
	// ks_requests_total{device="volume",item="KSPROPSETID_Audio/KSPROPERTY_AUDIO_VOLUMELEVEL",status="STATUS_SUCCESS",verb="get"} 3
}
