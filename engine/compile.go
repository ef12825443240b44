package engine

// Compile checks the declarations of config and compiles them into a Dispatcher. It copies what it keeps, but for
// handlers and contexts. Every mistake that can be seen before a request arrives is reported here, as a *CompileError.
func Compile(config Config) (*Dispatcher, error) {
	d := &Dispatcher{nodes: config.Nodes, other: config.Control, compat: config.Compat.withDefaults(), onPanic: config.OnPanic,
		onRefuse: config.OnRefuse}
	if err := d.compileProperties(&config); err != nil {
		return nil, err
	}
	d.compileCounts()
	if err := d.compileMethods(&config); err != nil {
		return nil, err
	}
	if err := d.compileEvents(&config); err != nil {
		return nil, err
	}
	return d, nil
}
