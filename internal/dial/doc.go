// Package dial opens TCP connections for the program's own clients: origins,
// ad servers, probes, the load generator. It knows which addresses are public
// and which names mean this host; it refuses the others after the name was
// resolved, on the address that is really connected to, so that neither an odd
// spelling ("0x7f.1") nor a name that changes its mind (DNS rebinding) leads
// inside. It knows nothing of HTTP, of proxies from the environment, or of why
// somebody connects. It has no locks.
package dial
