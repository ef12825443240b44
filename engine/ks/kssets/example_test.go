package kssets_test

import (
	"fmt"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/ks/kssets"
)

func ExamplePropertyName() {
	request := ks.Identifier{Set: kssets.KSPROPSETID_Audio, ID: 4, Flags: 0x10000001}
	fmt.Println(kssets.PropertyName(request.Set, request.ID), ks.FormatPropertyFlags(request.Flags))
	// Output: KSPROPSETID_Audio/KSPROPERTY_AUDIO_VOLUMELEVEL GET|TOPOLOGY
}

func ExampleByName() {
	set := kssets.ByName("KSPROPSETID_Topology")
	fmt.Println(set.GUID, set.Kind, set.Header)
	for _, it := range set.Items {
		fmt.Println(it.ID, it.Name, ks.FormatPropertyFlags(it.Flags))
	}
	// Output:
	// 720d4ac0-7533-11d0-a5d6-28db04c10000 property ks.h
	// 0 KSPROPERTY_TOPOLOGY_CATEGORIES GET
	// 1 KSPROPERTY_TOPOLOGY_NODES GET
	// 2 KSPROPERTY_TOPOLOGY_CONNECTIONS GET
	// 3 KSPROPERTY_TOPOLOGY_NAME GET
}
