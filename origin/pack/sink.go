package pack

import "context"

// Sink takes the objects of a presentation. Both calls may come from several
// goroutines. Put makes the object visible whole, at once, in place of an
// older one; data is not changed after the call. Delete of a name that holds
// nothing may be an error, which is not looked at.
type Sink interface {
	Put(ctx context.Context, name string, data []byte) error
	Delete(ctx context.Context, name string) error
}
