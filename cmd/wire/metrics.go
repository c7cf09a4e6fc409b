package wire

import (
	"manifold/console"
	"manifold/proxy/listen"
)

// sources are what /metrics reads of the edge.
func (e *Edge) sources() console.Sources {
	return console.Sources{
		Requests: e.proxy,
		Pathways: e.proxy.Conditions().Status,
		Shield:   e.shield.Counters,
		Listen:   func() console.Connections { return connections(e.listener.Stats()) },
		Shadow:   e.shadow.counts,
	}
}

func connections(s listen.Stats) console.Connections {
	return console.Connections{TCP: s.TCP, QUIC: s.QUIC, Requests: s.Active, Waiting: s.Waiting, Events: map[string]uint64{
		"accepted": s.Accepted, "over_limit": s.RefusedLimit, "over_address_limit": s.RefusedAddress, "handshake_failed": s.FailedHandshakes,
		"flood": s.Floods, "stalled": s.Stalled, "request_refused": s.RefusedRequests, "handler_recovered": s.RecoveredHandlers,
	}}
}
