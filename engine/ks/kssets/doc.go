// Package kssets names the standard property, method and event sets of Kernel Streaming: 167 sets and 791 items of ks.h,
// ksmedia.h, bdamedia.h and two smaller headers, with their GUIDs, ids, sizes and access.
//
// A program that declares or requests properties wants names that the compiler checks:
//
//	engine.PropertySet{Set: kssets.KSPROPSETID_Audio, Items: []engine.PropertyItem{
//		{ID: kssets.KSPROPERTY_AUDIO_VOLUMELEVEL, MinProperty: 40, MinData: 4},
//	}}
//
// A tool that shows requests goes from numbers to names with [PropertyName], [ByGUID] and [Set.Item]. [All] and [ByName] are for
// tools that list names or take them as arguments.
//
// # Names
//
// The hand-written part of the package is small. The generated part is a variable for each GUID and a constant for each
// id under its C name, underscores included, as golang.org/x/sys does for other generated vocabularies. The names have
// no Go spelling, because KSPROPERTY_AUDIO_VOLUMELEVEL has no word boundaries to recover and a search for the C name must find
// its uses. They are constants rather than keys of a table, so that the compiler finds a misspelt one. Every generated name
// contains an underscore and no hand-written name does, so the two cannot collide.
//
// Ten sets, ENCAPIPARAM_ and CODECAPI_, have one item with id 0 and the name of the set; that name is the GUID. Four items
// are missing because no public source states their id: KSPROPERTY_AUDIO_BUFFER_DURATION and the extended camera controls
// FIELDOFVIEW2, FIELDOFVIEW2_CONFIGCAPS and FRAMERATE_THROTTLE.
//
// # Cost
//
// All tables are data that the compiler lays out: the package has no init function, and a program that uses only the
// names does not carry the tables (TestLinking). Lookups are binary searches and do not allocate, except for the string
// that PropertyName makes.
//
// # Sources
//
// Names, GUIDs and ids are those of mingw-w64 10.0.0, evaluated by a C compiler, and of Microsoft's Windows metadata; the
// two do not contradict each other anywhere. Least sizes come from the DEFINE_KSPROPERTY_ITEM macros of the headers where
// there is one, else they are the sizes of the types that Microsoft's reference pages name; access is that of the
// pages, else of the macros. Nine of the ENCAPIPARAM_ and CODECAPI_ ids are inferred from the one that is documented,
// ENCAPIPARAM_BITRATE, and KSPROPERTY_AUDIOEFFECTSDISCOVERY_EFFECTSLIST is from secondary text. The events of
// KSEVENTSETID_ExtendedCameraControl have no enum: their ids are those of KSPROPERTYSETID_ExtendedCameraControl.
//
// Everything here is safe for concurrent use as long as nobody writes to it: treat variables, sets and items as constants.
package kssets

//go:generate go run ../internal/gen sets sets_table.go
//go:generate go run ../internal/gen names names_table.go
