// Package manifest reads the property, method and event sets of a driver from JSON and binds them to handlers that
// need no driver, so that a table somebody else wrote can be measured, replayed and tested.
//
// # The format
//
// A manifest is one JSON object in UTF-8, at most 16 MiB (MaxSize):
//
//	{ "schema": "ksdispatch/manifest/v1", "driver": "sample", "source": "where the facts come from", "arch": "x64",
//	  "objects": [ { "object": "filter Mic", "property_item_size": 0,
//	    "property_sets": [ { "set_name": "KSPROPSETID_Audio", "guid": "45ffaaa0-6e1b-11d0-bcf2-444553540000",
//	      "items": [ { "name": "KSPROPERTY_AUDIO_VOLUMELEVEL", "id": 4, "get": true, "set": true,
//	        "min_property": 32, "min_data": 4, "serialized_size": 0,
//	        "relations": [ { "guid": "...", "id": 13 } ],
//	        "values": { "type_guid": "...", "type_id": 3, "members": [
//	          { "members_flags": 2, "members_size": 16, "members_count": 1, "flags": 0, "data": "hex" } ] },
//	        "get_handler": "store", "set_handler": "store", "support_handler": null } ],
//	      "fast_io": [ { "id": 4, "get": true, "set": false } ] } ],
//	    "method_sets": [ { "set_name": "...", "guid": "...", "items": [ { "name": "...", "id": 0,
//	      "min_method": 24, "min_data": 0, "flags": 0, "handler": "accept", "support_handler": null } ],
//	      "fast_io": [ { "id": 0 } ] } ],
//	    "event_sets": [ { "set_name": "...", "guid": "...", "items": [ { "name": "...", "id": 0,
//	      "data_input": 32, "extra_entry_data": 0 } ] } ] } ] }
//
// An object may say that it is a filter, and what its pins and nodes are, or that it is one of these:
//
//	{ "object": "filter Speaker", "role": "filter",
//	  "pins": [ { "flow": "in", "communication": "sink", "category": "guid", "name": "guid or text", "instances": [1, 0],
//	      "interfaces": [ { "guid": "...", "id": 1 } ], "mediums": [],
//	      "ranges": [ "hex of a whole KSDATARANGE", "..." ], "constrained_ranges": null,
//	      "physical": { "pin": 0, "link": "symbolic link name" } } ],
//	  "topology": { "categories": [ "guid" ],
//	      "nodes": [ { "type": "guid", "name": "guid or text", "object": "node 0 of filter Speaker" } ],
//	      "connections": [ [-1, 0, 0, 1], [0, 0, -1, 1] ] } },
//	{ "object": "node 0 of filter Speaker", "role": "node", "of": "filter Speaker", "number": 0 },
//	{ "object": "pin 0 of filter Speaker", "role": "pin", "of": "filter Speaker", "number": 0 }
//
// Manifest.Filter declares it for device.NewFilter. With pins it answers KSPROPSETID_Pin (PN-1 to PN-23), with a topology
// KSPROPSETID_Topology (P-60 to P-62), both behind its own sets, whose items win (AT-5, AT-7). Role is table, the default, filter,
// node or pin; flow in or out; communication none, sink, source, both or bridge. The two numbers of instances are the possible and
// the necessary ones, and -1 is any number. A connection goes from a node and its pin to a node and its pin, and node -1 is the
// filter. A name is a text that stands for itself, or a GUID; to look up a GUID fails, because there is no registry. A range whose
// flags have KSDATARANGE_ATTRIBUTES is followed by its attribute list.
//
// A property with "per": "node", "channel" or "pin" has a value for each NodeId of a KSP_NODE, each Channel of a
// KSNODEPROPERTY_AUDIO_CHANNEL or each PinId of a KSP_PIN, up to 65,536 of them.
//
// The names are those of the C declarations KSPROPERTY_SET, KSPROPERTY_ITEM, KSPROPERTY_VALUES, KSFASTPROPERTY_ITEM,
// KSMETHOD_ITEM and KSEVENT_ITEM (https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/), the sizes those of x64
// on every host. Each object becomes one dispatcher.
//
// # What is read strictly and what is not
//
// A driver's table is typed by hand from sources that do not say everything. So a missing key gets a default, and a key that is
// there is read strictly:
//
//   - A value whose min_data is not known has the size that the standard sets give it (kssets), or else 4 bytes.
//   - null means the same as no key, except for the handler of a method: a method that names none has the program store, and
//     one whose handler is null has no handler. An unknown min_property or min_method counts as 24, data_input as 32, every
//     other number as 0, a truth value as false, a list as empty, an arch as x64. A file must have schema, driver, objects
//     (at least one), the name of each object, the GUID of each set, relation and value type, and each id.
//   - An unknown key is an error, because most of them are misspelt, unless it starts with x_. Such keys are notes, whose
//     values are checked to be JSON and dropped. The same key twice is an error in notes too.
//   - Numbers are whole, in digits, and fit in 32 bits. Programs are checked even where the verb is not supported and
//     nothing will run them.
//   - Objects must agree with each other: a connection joins nodes and pins that are declared, a node or pin names a filter of
//     the file that has its number, and no other object has the name of a filter. A filter that declares no pins may have
//     connections to any.
//   - The same (GUID, id) twice in one family of an object is an error, because a table can only hold one. Several sets may
//     share a GUID, and their fast_io lists count as one: an id may have get in one entry and set in another, and only the
//     same verb of it twice is an error.
//   - Everything loads that a dispatcher can answer for: objects without sets, sets without items, items without handlers,
//     fast_io entries that name nothing, any property_item_size (engine.Compile refuses a bad one with the status of
//     P-3).
//
// An Error names file, line, column and the JSON path. The first fault ends the load, because what follows a wrong
// bracket or a misspelt key is seldom worth reporting.
//
// # How it is read
//
// encoding/json fills structures, but forgets where each value stood, keeps the last of two equal keys and matches
// keys in any case. Its token stream has none of these habits: parser.go walks the tokens, takes each one's position
// from Decoder.InputOffset, and checks keys, nesting, counts and types; decode.go is the grammar, one function for each
// kind of object, with cross-checks beside what they check. Nothing is held beyond the values themselves: private
// values are walked, not kept. The nesting, the keys of an object and the elements of all arrays are bounded.
//
// # Programs and values
//
// A handler is one of nine programs (ParseProgram). A program sees the data of the request, its Information, and the
// number that a property with "per" keeps values for. It sees nothing else, so the same code serves an IRP and the fast path. Texts
// are parsed when the manifest is loaded; binding makes closures; a call neither parses nor allocates.
//
// Measurements mostly use the program store, which behaves like most properties: it holds one value, which any number of goroutines
// read and write. A method with this program stores what the method reads and answers what the method writes (the item's flags).
// Value says how it is kept. Object.Config makes a new instance with values of its own, as opening another device would.
package manifest
