package wire

import "errors"

// errNoChannels is about a file that would end all service.
var errNoChannels = errors.New("cannot take configuration: it lists no channels; stop the edge to serve none")

// ConfigError means that the configuration is wrong: nothing was started.
type ConfigError struct{ Err error }

func (e ConfigError) Error() string { return e.Err.Error() }
func (e ConfigError) Unwrap() error { return e.Err }

// BindError means that an address could not be listened on.
type BindError struct{ Err error }

func (e BindError) Error() string { return e.Err.Error() }
func (e BindError) Unwrap() error { return e.Err }
