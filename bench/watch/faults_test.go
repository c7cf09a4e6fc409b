package watch

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"manifold/bench/client"
	"manifold/bench/finding"
	"manifold/internal/testkit/bubble"
	"manifold/internal/testkit/fault"
)

// clean is how long a stream is right before its fault, and then how long it
// is watched on.
const (
	before = 12 * time.Second
	faulty = 40 * time.Second
)

// watched watches a stream whose fault comes after a while, on a simulated
// clock.
func watched(t *testing.T, cfg fault.Config, f *fault.Fault, address string, change func(*Config)) *finding.Report {
	t.Helper()
	var report *finding.Report
	bubble.Test(t, func(t *testing.T) {
		cfg.Now = time.Now
		if cfg.Epoch.IsZero() {
			cfg.Epoch = time.Now().Add(-87 * time.Second)
		}
		s := fault.New(cfg)
		if f != nil {
			timer := time.AfterFunc(before, func() { s.Switch(f) })
			defer timer.Stop()
		}
		c := Config{URL: address, For: before + faulty, Segments: All, MaxManifest: 1 << 20, Client: "no sockets"}
		if change != nil {
			change(&c)
		}
		report = follow(t, s, c)
	})
	return report
}

// follow watches what a handler serves, without sockets: within a bubble.
func follow(t *testing.T, serve http.Handler, c Config) *finding.Report {
	t.Helper()
	clients, err := client.New(client.Config{Transport: fault.Transport{Handler: serve}})
	if err != nil {
		t.Fatal(err)
	}
	defer clients.Close()
	c.Fetcher, c.Second = clients.Viewer(0), clients.Viewer(1)
	report, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	bubble.Wait()
	return report
}

func text(r *finding.Report) string {
	var b bytes.Buffer
	_ = r.WriteText(&b)
	return b.String()
}

const (
	hls  = "http://edge.test/master.m3u8"
	dash = "http://edge.test/manifest.mpd"
)

// The stream is right in all its forms, and the watch says so.
func TestCleanStreams(t *testing.T) {
	for name, c := range map[string]struct {
		cfg     fault.Config
		address string
	}{
		"HLS":               {fault.Config{}, hls},
		"HLS, one playlist": {fault.Config{}, "http://edge.test/hls/alpha/v0.m3u8"},
		"HLS without dates": {fault.Config{NoDates: true}, hls},
		"HLS, encrypted":    {fault.Config{Encrypted: true}, hls},
		"HLS, steered":      {fault.Config{Steered: true}, hls},
		"HLS, low latency":  {fault.Config{LowLatency: true, Steered: true}, hls},
		"HLS, VOD":          {fault.Config{VOD: true}, hls},
		"DASH":              {fault.Config{}, dash},
		"DASH, steered":     {fault.Config{Steered: true}, dash},
		"DASH, VOD":         {fault.Config{VOD: true}, dash},
	} {
		t.Run(name, func(t *testing.T) {
			r := watched(t, c.cfg, nil, c.address, nil)
			if len(r.Findings) > 0 {
				t.Errorf("findings in a clean stream:\n%s", text(r))
			}
			if r.SegmentsFetched < 10 {
				t.Errorf("%d segments fetched of %d", r.SegmentsFetched, r.SegmentsSeen)
			}
		})
	}
}

// row is a fault and the rule that must find it, as the only root.
type row struct {
	rule    finding.ID
	stream  fault.Config
	address string
	start   bool // the fault is there from the beginning
	change  func(*Config)
}

var (
	steered   = fault.Config{Steered: true}
	low       = fault.Config{LowLatency: true}
	encrypted = fault.Config{Encrypted: true}
	vod       = fault.Config{VOD: true}
)

var rows = map[string]row{
	"the media sequence is reset":           {rule: "hls-media-sequence-back"},
	"the media sequence stands still":       {rule: "hls-media-sequence-wrong"},
	"the discontinuity sequence is reset":   {rule: "hls-discontinuity-sequence-back"},
	"the discontinuity sequence runs ahead": {rule: "hls-discontinuity-number-changed"},
	"segments change their names":           {rule: "hls-segment-uri-changed"},
	"segments move to another host":         {rule: "hls-segment-moved", stream: steered},
	"an MPD renames its segments":           {rule: "dash-segment-uri-changed", address: dash},
	"segments change their durations":       {rule: "hls-segment-duration-changed"},
	"dates move":                            {rule: "hls-date-changed"},
	"dates go back":                         {rule: "hls-date-overlap"},
	"dates jump":                            {rule: "hls-date-jump"},
	"dates drift":                           {rule: "hls-date-drift"},
	"the target duration changes":           {rule: "hls-target-changed"},
	"segments are longer than the target":   {rule: "hls-target-exceeded"},
	"MAP is missing after the break":        {rule: "hls-map-missing"},
	"KEY is missing before the break":       {rule: "hls-key-missing", stream: encrypted},
	"the first MAP is another":              {rule: "hls-map-changed"},
	"the first KEY has another IV":          {rule: "hls-key-changed", stream: encrypted},
	"segments are withdrawn":                {rule: "hls-segment-vanished"},
	"ENDLIST is gone":                       {rule: "hls-ended-resumed", stream: vod},
	"a sliding window calls itself EVENT":   {rule: "hls-playlist-type"},
	"an EVENT loses segments":               {rule: "hls-event-changed", start: true},
	"a playlist lasts two segments":         {rule: "hls-short-window"},
	"one rendition misses a discontinuity":  {rule: "hls-discontinuities-disagree"},
	"one rendition has another target":      {rule: "hls-renditions-differ", start: true},
	"a date range changes":                  {rule: "hls-daterange-changed"},
	"a date range contradicts itself":       {rule: "hls-daterange"},
	"an attribute has no value":             {rule: "hls-syntax"},
	"the version is too low":                {rule: "hls-version"},
	"a variable is not defined":             {rule: "hls-undefined-variable"},
	"a byte range has no start":             {rule: "hls-byterange"},
	"a token is another pathway's":          {rule: "token-refused", stream: steered},
	"PART-INF is missing":                   {rule: "ll-part-inf", stream: low, start: true},
	"PART-TARGET changes":                   {rule: "ll-part-target-changed", stream: low},
	"parts are too long":                    {rule: "ll-part-exceeded", stream: low},
	"parts are too short":                   {rule: "ll-part-short", stream: low},
	"HOLD-BACK is too short":                {rule: "ll-hold-back", stream: low, start: true},
	"PART-HOLD-BACK is tight":               {rule: "ll-hold-back-tight", stream: low, start: true},
	"the skip boundary is too near":         {rule: "ll-skip-boundary", stream: low, start: true},
	"a part is not listed":                  {rule: "ll-parts-sum", stream: low},
	"parts change their names":              {rule: "ll-part-changed", stream: low},
	"a hint names another part":             {rule: "ll-hint", stream: low},
	"a hint stands after the end":           {rule: "ll-hint-after-end", stream: vod, start: true},
	"reports are old":                       {rule: "ll-report", stream: low},
	"reports are missing":                   {rule: "ll-report-missing", stream: low},
	"all playlists stand still":             {rule: "hls-stale"},
	"one rendition lags":                    {rule: "hls-rendition-lags"},
	"a blank line stands before a URI":      {rule: "views-differ"},
	"a rendition group is missing":          {rule: "hls-group-missing", start: true},
	"the initial pathway is unknown":        {rule: "hls-pathway-unknown", stream: steered, start: true},
	"a pathway lacks a variant":             {rule: "hls-pathways-uneven", stream: steered, start: true},

	"publishTime goes back":              {rule: "dash-publish-back", address: dash},
	"publishTime stands still":           {rule: "dash-publish-same", address: dash},
	"availabilityStartTime changes":      {rule: "dash-availability-start-changed", address: dash},
	"a static MPD becomes dynamic":       {rule: "dash-type-changed", address: dash, stream: vod},
	"Periods change their ids":           {rule: "dash-period-id-changed", address: dash},
	"Periods change their starts":        {rule: "dash-period-start-changed", address: dash},
	"presentationTimeOffset changes":     {rule: "dash-pto-changed", address: dash},
	"a Period leaves early":              {rule: "dash-period-left-early", address: dash},
	"the running Period vanishes":        {rule: "dash-period-vanished", address: dash},
	"Representations change":             {rule: "dash-representation-changed", address: dash},
	"segments change their times":        {rule: "dash-segment-time-changed", address: dash},
	"startNumber is off by one":          {rule: "dash-number-shifted", address: dash},
	"one AdaptationSet lags":             {rule: "dash-edges-disagree", address: dash},
	"segments are listed too soon":       {rule: "dash-future-segment", address: dash, start: true},
	"the edge is far behind":             {rule: "dash-behind", address: dash, start: true},
	"the clock is wrong":                 {rule: "dash-clock", address: dash, start: true},
	"the clock is missing":               {rule: "dash-utc-timing", address: dash, start: true},
	"an event changes":                   {rule: "dash-event-changed", address: dash},
	"the patch is missing":               {rule: "dash-patch", address: dash, start: true},
	"the XML is broken":                  {rule: "dash-syntax", address: dash},
	"minBufferTime is missing":           {rule: "dash-required", address: dash, start: true},
	"AdaptationSets share an id":         {rule: "dash-duplicate-id", address: dash, start: true},
	"a template has an unknown part":     {rule: "dash-template", address: dash, start: true},
	"Periods leave gaps":                 {rule: "dash-period-gap", address: dash, start: true},
	"Periods overlap":                    {rule: "dash-period-overlap", address: dash, start: true},
	"Periods are out of order":           {rule: "dash-period-order", address: dash, start: true},
	"a timeline has a hole":              {rule: "dash-timeline-gap", address: dash, start: true},
	"segments of a timeline overlap":     {rule: "dash-timeline-overlap", address: dash, start: true},
	"segments exceed maxSegmentDuration": {rule: "dash-segment-too-long", address: dash, start: true},
	"the default location is unknown":    {rule: "dash-location-unknown", address: dash, stream: steered, start: true},
	"an event stream has no scheme":      {rule: "dash-event", address: dash, start: true},
	"the MPD stands still":               {rule: "dash-stale", address: dash},

	"a playlist says 503":         {rule: "manifest-status"},
	"a playlist hangs":            {rule: "manifest-unreachable"},
	"a playlist never ends":       {rule: "manifest-too-large"},
	"redirects go round":          {rule: "redirect-loop"},
	"redirects go on and on":      {rule: "redirect-loop"},
	"the entry is a page":         {rule: "not-a-manifest", start: true},
	"a playlist is a page":        {rule: "not-a-media-playlist"},
	"a variant leads back":        {rule: "not-a-media-playlist", start: true},
	"a manifest is called a page": {rule: "content-type"},
	"a personal list is public":   {rule: "personal-cacheable", start: true},
	"a playlist is slow":          {rule: "manifest-slow"},
	"segments say 404":            {rule: "segment-unavailable"},
	"initialisations say 404":     {rule: "map-unavailable", start: true},
	"keys say 404":                {rule: "key-unavailable", stream: encrypted, start: true},
	"one pathway is down":         {rule: "pathway-down", stream: steered},
	"the first pathway is down":   {rule: "dead-pathway-first", stream: steered},
	"all pathways are down":       {rule: "all-pathways-dead", stream: steered},
	"keys are text":               {rule: "key-length", stream: encrypted, start: true},
	"segments are garbled":        {rule: "segment-undecryptable", stream: encrypted},
	"segments are cut short":      {rule: "segment-truncated"},
	"segments are pages":          {rule: "segment-not-media"},
	"initialisations are pages":   {rule: "map-not-media", start: true},
	"initialisations are swapped": {rule: "map-mismatch", start: true},
	"samples are missing":         {rule: "media-duration"},
	"media time jumps":            {rule: "media-time"},
	"blocking does not block":     {rule: "ll-block-early", stream: low},
	"blocking blocks too long":    {rule: "ll-block-late", stream: low},
	"part without msn is taken":   {rule: "ll-block-unchecked", stream: low, start: true},
	"far blocking is taken":       {rule: "ll-block-far", stream: low, start: true},
	"hinted parts are gone":       {rule: "ll-hint-unavailable", stream: low},
	"deltas skip too much":        {rule: "ll-delta", stream: low, start: true},
	"deltas are not given":        {rule: "ll-delta-refused", stream: low, start: true},

	"steering says 429":           {rule: "steering-status", stream: steered},
	"steering hangs":              {rule: "steering-unreachable", stream: steered},
	"steering is HTML":            {rule: "steering-malformed", stream: steered},
	"steering has VERSION 2":      {rule: "steering-version", stream: steered},
	"steering has TTL 0":          {rule: "steering-ttl", stream: steered},
	"RELOAD-URI is relative":      {rule: "steering-reload-uri", stream: steered},
	"the priority is empty":       {rule: "steering-priority-empty", stream: steered},
	"the priority has duplicates": {rule: "steering-priority-duplicate", stream: steered},
	"the priority is disjoint":    {rule: "steering-priority-disjoint", stream: steered},
	"the priority has a stranger": {rule: "steering-priority-unknown", stream: steered, address: dash},
	"the priority is short":       {rule: "steering-priority-short", stream: steered, address: dash},
	"the first answer moves":      {rule: "steering-first-differs", stream: steered, start: true},
	"a clone has no base":         {rule: "steering-clone", stream: steered},
	"steering may be cached":      {rule: "steering-cacheable", stream: steered, address: dash},
	"steering has no CORS":        {rule: "steering-cors", stream: steered},
	"steering is called text":     {rule: "steering-content-type", stream: steered},
}

// Every fault is found by its rule, and by nothing else as a root.
func TestFaults(t *testing.T) {
	seen := map[string]bool{}
	for _, set := range []map[string]*fault.Fault{fault.Playlists, fault.MPDs, fault.Steering, fault.HTTP} {
		for name, f := range set {
			c, ok := rows[name]
			if !ok {
				t.Errorf("no row for the fault %q", name)
				continue
			}
			seen[name] = true
			t.Run(name, func(t *testing.T) { judged(t, f, c) })
		}
	}
	for name := range rows {
		if !seen[name] {
			t.Errorf("no fault for the row %q", name)
		}
	}
}

func judged(t *testing.T, f *fault.Fault, c row) {
	t.Parallel()
	if c.address == "" {
		c.address = hls
	}
	var r *finding.Report
	if c.start {
		g := *f
		c.stream.From = &g
		r = watched(t, c.stream, nil, c.address, c.change)
	} else {
		r = watched(t, c.stream, f, c.address, c.change)
	}
	if len(r.Findings) != 1 || r.Findings[0].Rule.ID != c.rule {
		t.Errorf("want %s as the one root:\n%s", c.rule, text(r))
		return
	}
	if want := finding.Of(c.rule).Severity == finding.Violation; r.Failed() != want {
		t.Errorf("failed %v, want %v", r.Failed(), want)
	}
}
