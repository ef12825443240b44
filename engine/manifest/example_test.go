package manifest_test

import (
	"fmt"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/manifest"
)

const volume = `{ "schema": "ksdispatch/manifest/v1", "driver": "example",
  "objects": [ { "object": "filter", "property_sets": [ {
    "guid": "45ffaaa0-6e1b-11d0-bcf2-444553540000",
    "items": [ { "id": 4, "get": true, "set": true, "min_data": 4 } ],
    "fast_io": [ { "id": 4, "get": true, "set": true } ] } ] } ] }`

func Example() {
	m, err := manifest.Parse([]byte(volume), "volume.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	d, err := engine.Compile(m.Objects[0].Config(manifest.Options{}))
	if err != nil {
		fmt.Println(err)
		return
	}
	request := make([]byte, ks.SizeIdentifier)
	id := ks.Identifier{Set: ks.MustParseGUID("45ffaaa0-6e1b-11d0-bcf2-444553540000"), ID: 4}
	var file engine.FileObject
	var io engine.IoStatus

	id.Flags = ks.PropertyTypeSet
	id.Put(request)
	fmt.Println(d.FastProperty(&file, engine.UserMode, request, []byte{0x2A, 0, 0, 0}, &io), io.Status)

	id.Flags = ks.PropertyTypeGet
	id.Put(request)
	data := make([]byte, 4)
	fmt.Println(d.FastProperty(&file, engine.UserMode, request, data, &io), io.Status, data)
	// Output:
	// true STATUS_SUCCESS
	// true STATUS_SUCCESS [42 0 0 0]
}

func ExampleParse_error() {
	_, err := manifest.Parse([]byte("{ \"schema\": \"ksdispatch/manifest/v1\",\n  \"drivr\": \"example\" }"), "volume.json")
	fmt.Println(err)
	// Output: volume.json:2:3: drivr: unknown key; known here are schema, driver, source, arch, objects; a private key starts with x_
}
